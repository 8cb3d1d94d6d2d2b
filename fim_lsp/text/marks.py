"""Marks of a model's own in an answer, where the document does not speak of such marks itself."""

from __future__ import annotations

from fim_lsp.text import foreign
from fim_lsp.text.surroundings import Surroundings

FENCES = ("```", "~~~")


def ends_in_mark(place: Surroundings, line: str) -> bool:
    """Whether a line that has begun ends in a model's own mark, behind text."""
    mark = foreign.first(line, tags=place.language.tags)
    before = line[: mark.start()].strip() if mark else ""
    return bool(before) and not before.startswith(FENCES) and not place.speaks_of_marks


def mark_in(place: Surroundings, line: str, *, last: bool) -> int | None:
    """Where in a line a model's own mark stands, or begins at the end of the stream."""
    mark = foreign.first(line, tags=place.language.tags)
    cut = mark.start() if mark else foreign.begun(line) if last else None
    return None if cut is None or place.speaks_of_marks else cut


def marks_before(place: Surroundings, line: str) -> int:
    """How many characters of a line are marks with which it begins."""
    skip = 0
    while (mark := foreign.first(line, tags=place.language.tags, start=skip)) and mark.start() == skip:
        if place.speaks_of_marks:
            break
        skip = mark.end()
    return skip
