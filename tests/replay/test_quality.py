"""The measure of quality: holes in a file, and verdicts that can be told right from wrong."""

from __future__ import annotations

from fim_lsp.replay.holes import KINDS, Hole, holes
from fim_lsp.replay.quality import judge, report, rows
from fim_lsp.text.postprocess import Insertion

SOURCE = """import os


class Box:
    def __init__(self, width, height):
        self.width = width
        self.height = height

    def area(self):
        if self.width < 0:
            raise ValueError("negative width")
        return self.width * self.height


def main():
    for name in os.listdir("."):
        print(name, Box(len(name), 2).area())
    return 0


if __name__ == "__main__":
    main()
"""


def test_a_hole_and_its_surroundings_are_the_file():
    """Prefix, truth and suffix together are the file, the truth is not empty, and every kind occurs."""
    found = holes("box.py", SOURCE, 1, 40)
    assert len(found) == 40
    assert all(hole.prefix + hole.truth + hole.suffix == SOURCE and hole.truth.strip() for hole in found)
    assert {hole.kind for hole in found} == set(KINDS)


def test_the_same_seed_cuts_the_same_holes():
    """Figures can be measured again."""
    assert holes("box.py", SOURCE, 3, 9) == holes("box.py", SOURCE, 3, 9)
    assert holes("box.py", SOURCE, 3, 9) != holes("box.py", SOURCE, 4, 9)


def test_files_of_no_known_language_have_no_holes():
    """A file whose name tells no language is not judged."""
    assert holes("picture.png", SOURCE, 1, 5) == []


def hole(truth, suffix, kind="block"):
    return Hole("box.py", "python", kind, "def f():\n    ", truth, suffix)


def test_the_truth_is_exact():
    """The truth to the end of its block is exact, and little of the surplus was read."""
    verdict = judge(hole("return 1", "\n\n\ndef another_function():\n    pass\n" * 9))
    assert verdict.inserted == Insertion("return 1", 0)
    assert verdict.exact
    assert not verdict.shorter
    assert not verdict.doubled
    assert verdict.surplus == len("\n\n\ndef another_function():\n    pass\n" * 9)
    assert verdict.read < 40


def test_lines_of_the_truth_are_shorter():
    """Whole lines of the truth are neither exact nor wrong."""
    verdict = judge(hole("a = 1\n\n\n    b = 2", "\n"), heeds_stop=False)
    assert (verdict.exact, verdict.shorter, verdict.doubled) == (False, True, False)


def test_a_report_counts_by_language():
    """Every hole is in its language's row and in the last, and shares are percentages."""
    seen = []
    table = report([("box.py", SOURCE), ("notes.txt", SOURCE)], n=10, see=lambda hole, _: seen.append(hole))
    assert list(table) == ["python", "all"]
    assert table["python"].holes == table["all"].holes == len(seen) == 10
    assert all(0 <= share <= 100 for _, _, *shares in rows(table) for share in shares)
