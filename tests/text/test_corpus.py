"""The cases of `tests/corpus`: what is inserted, and how much of the stream was read."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import NamedTuple

import pytest

from fim_lsp.text.early_stop import Ending
from fim_lsp.text.extent import extent
from fim_lsp.text.postprocess import tidy

CORPUS = Path(__file__).parents[1] / "corpus"
CURSOR = "‸"
VISIBLE = {"⏎": "\n", "␣": " ", "⇥": "\t", "␍": "\r"}


class Case(NamedTuple):
    where: str
    language: str
    title: str
    fields: dict[str, str]


def cases() -> list[Case]:
    return [case for path in sorted(CORPUS.glob("*.txt")) for case in read(path)]


def read(path: Path) -> list[Case]:
    found: list[Case] = []
    body: list[str] = []

    def close(field: str) -> None:
        if field:
            found[-1].fields[field] = written(body)
        body.clear()

    field = ""
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if line.startswith("== "):
            close(field)
            field = ""
            found.append(Case(f"{path.name}:{number}", path.stem, line[3:], {}))
        elif line.startswith("    ") or not line.strip():
            body.append(line[4:])
        else:
            close(field)
            field, _, value = line.partition(":")
            if value.strip():
                found[-1].fields[field] = value.strip()
                field = ""
    close(field)
    return found


def written(body: list[str]) -> str:
    text = "\n".join(body).rstrip("\n")
    if text.startswith("⏎\n"):
        text = text[1:]
    for sign, meant in VISIBLE.items():
        text = text.replace(sign, meant)
    return text


def shown(text: str) -> list[str]:
    return text.replace("\r", "␍").replace("\t", "⇥").replace(" \n", "␣\n").split("\n")


def wanted_by(case: Case) -> str:
    wanted = case.fields["inserted"]
    return "" if wanted == "nothing" else wanted


def outcome(case: Case) -> tuple[str, int, int]:
    """What is inserted, how much it covers, and how many characters were read."""
    fields = case.fields
    prefix, suffix = fields["document"].split(CURSOR)
    form = extent(prefix, suffix, case.language, fields.get("multiline", "auto"), 256)
    said = fields["said"]
    said = said[: min((at for at in map(said.find, form.stop) if at >= 0), default=len(said))]
    ending = Ending(prefix, suffix, case.language, form)
    for sign in said:
        if ending.feed(sign):
            break
    line_end = "\r\n" if "\r\n" in prefix else "\n"
    text, covers = tidy(
        ending.text, prefix, suffix, case.language, form, line_end, cut=fields.get("cut") == "yes"
    ).shown
    return text, covers, len(ending.text)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.where)
def test_inserted(case: Case):
    """What is inserted is what the case says, and the stream was closed where it says."""
    text, covers, read_chars = outcome(case)
    wanted = wanted_by(case)
    if text != wanted or covers != int(case.fields.get("covers", 0)):
        diff = difflib.unified_diff(
            shown(wanted), shown(text), "should be inserted", "is inserted", lineterm=""
        )
        pytest.fail(
            "\n".join([f"{case.where}: {case.title}", case.fields["document"], *diff, f"covers {covers}"]),
            pytrace=False,
        )
    if case.fields.get("read") != str(read_chars):
        pytest.fail(
            f"{case.where}: {case.title}\nread {read_chars} of {len(case.fields['said'])} characters,"
            f" not {case.fields.get('read', 'given')}",
            pytrace=False,
        )


@pytest.mark.parametrize(
    "case", [c for c in cases() if "covers" not in c.fields], ids=lambda case: case.where
)
def test_inserted_comes_through_again(case: Case):
    """What is inserted is right, and what is right is left alone."""
    wanted = wanted_by(case)
    again = Case(case.where, case.language, case.title, {**case.fields, "said": wanted, "cut": "no"})
    assert outcome(again)[:2] == (wanted, 0)


def test_size():
    """At least 150 cases in 15 languages, each saying why, and no two alike."""
    found = cases()
    assert len(found) >= 150
    assert len({case.language for case in found}) >= 15
    assert all(len(case.title) > 8 and CURSOR in case.fields["document"] for case in found)
    assert len({(case.language, case.fields["document"], case.fields["said"]) for case in found}) == len(
        found
    )
