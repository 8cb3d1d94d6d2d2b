"""Holes for a model that is asked: cut where a person types, each once, the same ones for the same seed."""

import pytest

from fim_lsp.replay.holes import LIVE, MOST_ARGUMENTS, drawn

PYTHON = '''"""Boxes (and what is in them)."""
import os


class Box:
    def __init__(self, width, height):
        self.width = width
        self.height = max(height, len("(not a call)"))

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
'''
GO = """package box

type Box struct {
\tWidth int
}

func (b *Box) Area(
\tscale int,
) int {
\treturn b.Width * multiplied(b.Width, scale)
}

func after() {
\tprintln("after", 1)
}
"""
FILES = [("box.go", GO), ("box.py", PYTHON), ("notes.txt", PYTHON)]


def test_a_hole_and_its_surroundings_are_the_file():
    """Nothing is lost, every kind occurs, nothing is cut twice, and a file of no known language has none."""
    found = drawn(FILES, 400)
    texts = dict(FILES)
    assert 20 < len(found) < 400
    assert all(hole.prefix + hole.truth + hole.suffix == texts[hole.path] for hole in found)
    assert all(hole.truth.strip() for hole in found)
    assert {hole.kind for hole in found} == set(LIVE)
    assert {hole.path for hole in found} == {"box.go", "box.py"}
    assert len({(hole.path, hole.prefix, hole.truth) for hole in found}) == len(found)


def test_more_holes_begin_with_the_same():
    """A measure can be made larger without asking anew; the files' order tells nothing; another seed cuts others."""
    assert drawn(FILES, 30)[:11] == drawn(FILES, 11) == drawn(FILES[::-1], 11)
    assert drawn(FILES, 11) != drawn(FILES, 11, seed=1)
    assert drawn([], 5) == drawn([("a.py", "")], 5) == drawn(FILES, 0) == []


def holes(kind, number=400):
    return [hole for hole in drawn(FILES, number) if hole.kind == kind]


def test_a_call_is_cut_between_its_brackets():
    """What a string or a head holds is no call."""
    truths = {hole.truth for hole in holes("call")}
    assert {'"negative width"', "b.Width, scale", 'height, len("(not a call)")'} <= truths
    assert not truths & {"not a call", "self, width, height", "self", "and what is in them"}
    for hole in holes("call"):
        assert hole.prefix.endswith("(")
        assert hole.suffix.startswith(")")
        assert len(hole.truth) <= MOST_ARGUMENTS


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        (
            "def __init__",
            '(self, width, height):\n        self.width = width\n        self.height = max(height, len("(not a call)"))',
        ),
        ("type Box", " struct {\n\tWidth int\n}"),
        ("(b *Box) Area", "(\n\tscale int,\n) int {\n\treturn b.Width * multiplied(b.Width, scale)\n}"),
    ],
)
def test_a_definition_is_cut_behind_its_name_to_the_end_of_its_body(name, truth):
    """Its closing bracket, and a head of several lines, belong to it."""
    assert truth in {hole.truth for hole in holes("definition") if hole.prefix.endswith(name)}
