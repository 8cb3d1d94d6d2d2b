"""What the model is shown around a cursor: text before it whose beginning stays, and a little of what follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fim_lsp.document import Edit, Place, body

ENOUGH = 250  # characters of suffix that suffice: it is missed at every key, so what is longer is only dear


class Prompt(NamedTuple):
    """A request's two texts; `prefix` ends, and `suffix` begins, at the cursor."""

    prefix: str
    suffix: str


class Window:
    """The window of one document: where its prompts begin, kept from request to request.

    The start stays on its line while the text up to the cursor fits; where it no longer does, the window begins anew
    with half of it filled, so that the next move is far away.  `prefix_chars` and `suffix_chars` bound the two texts.
    """

    def __init__(self, prefix_chars: int, suffix_chars: int) -> None:
        self._prefix_chars = prefix_chars
        self._suffix_chars = suffix_chars
        self._first = 0
        self.moves = 0  # how often the start was set anew

    @property
    def first(self) -> int:
        """The line, from 0, on which the last prompt began."""
        return self._first

    def edited(self, edit: Edit) -> None:
        """Keep the start on its line when lines above it come or go."""
        if edit.first + edit.removed <= self._first:
            self._first += edit.added - edit.removed
        elif edit.first < self._first:
            self._first = edit.first

    def prompt(self, lines: Sequence[str], place: Place) -> Prompt:
        """The prompt at a place: whole lines, but for one that is longer than the window."""
        head = lines[place.line][: place.column]
        if len(head) > self._prefix_chars:
            # Inside one huge line the start moves by half windows too.
            step = self._prefix_chars // 2
            cut = -(-(len(head) - self._prefix_chars) // step) * step
            return Prompt(head[cut:], self._suffix(lines, place))
        if self._first > place.line or self._room(lines, self._first, place.line, len(head)) < 0:
            self._first = self._start(lines, place.line, len(head))
            self.moves += 1
        return Prompt("".join(lines[self._first : place.line]) + head, self._suffix(lines, place))

    def _room(self, lines: Sequence[str], first: int, last: int, used: int) -> int:
        """Characters that the window has left if it begins on a line; negative as soon as it is overfull."""
        room = self._prefix_chars - used
        for line in range(last - 1, first - 1, -1):
            room -= len(lines[line])
            if room < 0:
                break
        return room

    def _start(self, lines: Sequence[str], line: int, used: int) -> int:
        # A file that fits is shown whole, which is the stablest beginning of all.
        if self._room(lines, 0, line, used) >= 0:
            return 0
        room = self._prefix_chars // 2 - used
        while line and len(lines[line - 1]) <= room:
            line -= 1
            room -= len(lines[line])
        return line

    def _suffix(self, lines: Sequence[str], place: Place) -> str:
        parts = [lines[place.line][place.column :]]
        size = len(parts[0])
        for line in lines[place.line + 1 : place.line + 1 + ENOUGH]:
            if size >= ENOUGH or size + len(line) > self._suffix_chars:
                break
            parts.append(line)
            size += len(line)
        return "".join(parts) if size <= self._suffix_chars else body(parts[0])[: self._suffix_chars]
