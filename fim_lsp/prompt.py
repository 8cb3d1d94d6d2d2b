"""What the model is shown around a cursor: text whose beginning stays, the lines before the cursor, a little of what follows.

A prompt is `head`, then a trail of passages as they were when last shown, then the live passage that ends at the cursor.
Nothing before the live passage ever changes: a passage is added when the cursor goes far, and all of them go at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fim_lsp.document import Edit, Place, body
from fim_lsp.languages import language_of


class Prompt(NamedTuple):
    """A request's two texts; `prefix` ends, and `suffix` begins, at the cursor."""

    prefix: str
    suffix: str


class Parts(NamedTuple):
    """What the last prompt was made of: characters of each part, and the lines that the live passage began and ended on."""

    head: int
    trail: int
    live: int
    first: int
    last: int


@dataclass(slots=True)
class _Passage:
    """A passage of the document as it was last shown, and the lines where it stands now."""

    text: str
    first: int
    last: int


class Trail:
    """What the windows of one session share: the text last shown, with which a newly opened document begins."""

    def __init__(self) -> None:
        self.text = ""


class Window:
    """The window of one document: which passages its prompts show, kept from request to request.

    `prefix_chars` bounds everything but `head`, `suffix_chars` the suffix, both in characters. With a trail, the first
    prompt of a document goes on from the text last shown of another one; without, from nothing.
    """

    ARRIVAL = 2400  # characters shown before the cursor at a new place
    LIVE = 2000  # characters before the cursor that are always live
    HEADER = 1000  # characters of the file's first lines
    FULL = 0.75  # of the bound, from which on a new place begins anew
    SUFFIX = 0.625  # of the bound, after which the suffix ends at the next line end

    def __init__(self, prefix_chars: int, suffix_chars: int, trail: Trail | None = None) -> None:
        self.moves = 0
        self.parts = Parts(0, 0, 0, 0, 0)
        self._bound = prefix_chars
        self._suffix_chars = suffix_chars
        self._arrival = min(self.ARRIVAL, prefix_chars // 2)
        self._live = min(self.LIVE, self._arrival)
        self._trail = trail
        self._others = ""  # what was shown of other documents before this one
        self._before: list[_Passage] = []
        self._shown = False  # whether the live passage stands anywhere yet
        self._live_text = ""
        self._mark = ""
        self._start = Place(0, 0)  # of the live passage
        self._last = 0  # line on which it ended when last shown
        self._fresh = 0  # the first line that may differ from what was last shown

    def edited(self, edit: Edit) -> None:
        """Follow a change of the document: passages stay on their lines, and their text as it was."""
        for passage in self._before:
            passage.first = _moved(passage.first, edit)
            passage.last = _moved(passage.last, edit)
        start = self._start
        if start.column and edit.first <= start.line < edit.first + edit.removed:
            # Inside a line too long to be shown from its beginning.
            if (
                edit.end.line == start.line
                and edit.end.column <= start.column
                and edit.removed == edit.added == 1
            ):
                column = start.column + len(edit.text) - (edit.end.column - edit.start.column)
                self._start = Place(start.line, column)
            else:
                self._shown = False
        else:
            self._start = Place(_moved(start.line, edit), start.column)
        self._last = _moved(self._last, edit)
        self._fresh = min(_moved(self._fresh, edit), edit.first)

    def prompt(self, lines: Sequence[str], place: Place, path: str, head: str = "") -> Prompt:
        """The prompt at a place of these lines; `path` names the file to the model, `head` goes before everything else."""
        if not self._stays(lines, place):
            self._arrive(lines, place, path)
        start = self._start
        before = self._others + "".join(p.text for p in self._before) + self._mark
        live = _between(lines, start, place)
        self._live_text = live
        self._last = self._fresh = place.line
        shown = before + live
        if self._trail is not None:
            self._trail.text = shown
        self.parts = Parts(len(head), len(before), len(live), start.line, place.line)
        return Prompt(head + shown, self._suffix(lines, place))

    def _stays(self, lines: Sequence[str], place: Place) -> bool:
        """Whether the live passage can go on to this place: enough of it above, little of it new, all of it fitting."""
        start = self._start
        if not self._shown or place < start:
            return False
        kept = len(self._others) + sum(len(p.text) for p in self._before) + len(self._mark)
        size = _size(lines, start, place, self._bound - kept)
        if size > self._bound - kept:
            return False
        if size < self._live and start > (0, 0):
            return False
        fresh = max(Place(min(self._fresh, place.line), 0), start)
        return (
            _size(lines, fresh, place, self._arrival) <= self._arrival
            or start == (0, 0)
            and size <= self._arrival
        )

    def _arrive(self, lines: Sequence[str], place: Place, path: str) -> None:
        """Begin a live passage at a new place, behind what was shown before."""
        self.moves += 1
        start = _back(lines, place, self._arrival)
        if self._shown:
            text = self._mark + self._live_text[: self._live_text.rfind("\n") + 1]
            self._before.append(_Passage(text, self._start.line, self._last))
        elif self._trail is not None and not self._before:
            self._others = self._trail.text[: self._trail.text.rfind("\n") + 1]
        for index, passage in enumerate(self._before):
            if passage.first <= place.line and start.line <= passage.last:
                # Shown before: go back to where that passage began, so that nothing is shown twice.
                del self._before[index:]
                break
        mark = _mark(path, self._bound // 8)
        top = min(self.HEADER, self._bound // 8)
        if (
            _size(lines, Place(0, 0), start, top) <= top
            and _size(lines, Place(0, 0), place, self._bound // 2) <= self._bound // 2
        ):
            start = Place(0, 0)
        elif not self._before:
            mark += _top(lines, start.line, top)
        kept = len(self._others) + sum(len(p.text) for p in self._before)
        if kept and kept + len(mark) + self._arrival > self._bound * self.FULL:
            self._others = ""
            self._before.clear()
            mark = _mark(path, self._bound // 8)
            if start > (0, 0):
                mark += _top(lines, start.line, top)
        self._start = start
        self._mark = mark
        self._shown = True

    def _suffix(self, lines: Sequence[str], place: Place) -> str:
        """What follows the cursor: to the first line end past a share of the bound, within a line only if it must be."""
        bound, least = self._suffix_chars, int(self._suffix_chars * self.SUFFIX)
        column, parts, size = place.column, [], 0
        for number in range(place.line, len(lines)):
            line = lines[number]
            if len(line) - column > bound - size:
                if size < least:
                    parts.append(body(line[column : column + least - size]))
                break
            parts.append(line[column:])
            size += len(line) - column
            column = 0
            if size >= least:
                break
        return "".join(parts)


def _moved(line: int, edit: Edit) -> int:
    """Where a line stands after a change; one that was changed itself, where the change begins."""
    if edit.first + edit.removed <= line:
        return line + edit.added - edit.removed
    return min(line, edit.first) if edit.first < line else line


def _between(lines: Sequence[str], start: Place, end: Place) -> str:
    if start.line == end.line:
        return lines[start.line][start.column : end.column]
    first = lines[start.line][start.column :]
    return first + "".join(lines[start.line + 1 : end.line]) + lines[end.line][: end.column]


def _size(lines: Sequence[str], start: Place, end: Place, bound: int) -> int:
    """Characters between two places; counted no further than past a bound."""
    size = end.column - start.column
    for number in range(end.line - 1, start.line - 1, -1):
        size += len(lines[number])
        if size > bound:
            break
    return size


def _back(lines: Sequence[str], place: Place, room: int) -> Place:
    """The line start about so many characters before a place; a place inside a line if that line alone is longer."""
    if place.column > room:
        return Place(place.line, place.column - room)
    number, left = place.line, room - place.column
    while number and len(lines[number - 1]) <= left:
        number -= 1
        left -= len(lines[number])
    if number and left > room // 4 and len(lines[number - 1]) > room:
        return Place(number - 1, len(lines[number - 1]) - left)
    return Place(number, 0)


def _top(lines: Sequence[str], before: int, room: int) -> str:
    """The file's first lines, before a line, in so many characters."""
    number = 0
    while number < before and len(lines[number]) <= room:
        room -= len(lines[number])
        number += 1
    return "".join(lines[:number])


_COMMENTS = {
    "#": {"python", "ruby", "shellscript", "yaml", "toml", "elixir", "r", "julia", "perl", "makefile", "dockerfile", "cmake", "nix", "terraform"},
    "--": {"lua", "haskell", "sql"},
}  # fmt: skip


def _mark(path: str, room: int) -> str:
    """The line that names the file, as a comment; nothing if it is too long."""
    language = language_of(path)
    sign = next((sign for sign, languages in _COMMENTS.items() if language in languages), "//")
    line = f"{sign} {path}\n"
    return line if len(line) <= room and path.isprintable() else ""
