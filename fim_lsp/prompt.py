"""What the model is shown around a cursor: text before it whose beginning stays, and a little of what follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fim_lsp.document import Edit, Place, body


class Prompt(NamedTuple):
    """A request's two texts; `prefix` ends, and `suffix` begins, at the cursor."""

    prefix: str
    suffix: str


class Window:
    """The window of one document: where its prompts begin, kept from request to request."""

    STEP = 0.5  # of the window, that its start moves on at once

    def __init__(self, prefix_chars: int, suffix_chars: int) -> None:
        self._prefix_chars = prefix_chars
        self._suffix_chars = suffix_chars
        self._first = 0

    def edited(self, edit: Edit) -> None:
        """Keep the start on its line when lines above it come or go."""
        if edit.first + edit.removed <= self._first:
            self._first += edit.added - edit.removed
        elif edit.first < self._first:
            self._first = edit.first

    def prompt(self, lines: Sequence[str], place: Place, path: str) -> Prompt:
        """The prompt at a place; whole lines, at most the two bounds in characters."""
        del path
        head = lines[place.line][: place.column]
        if self._first > place.line or not self._fits(lines, place, head):
            self._first = self._start(lines, place.line, len(head))
        prefix = "".join(lines[self._first : place.line]) + head
        return Prompt(prefix[-self._prefix_chars :], self._suffix(lines, place))

    def _fits(self, lines: Sequence[str], place: Place, head: str) -> bool:
        room = self._prefix_chars - len(head)
        for line in range(place.line - 1, self._first - 1, -1):
            room -= len(lines[line])
            if room < 0:
                return False
        return True

    def _start(self, lines: Sequence[str], line: int, used: int) -> int:
        room = int(self._prefix_chars * (1 - self.STEP)) - used
        while line and len(lines[line - 1]) <= room:
            line -= 1
            room -= len(lines[line])
        # A file that fits whole is shown whole.
        whole = line
        room += int(self._prefix_chars * self.STEP)
        while whole and len(lines[whole - 1]) <= room:
            whole -= 1
            room -= len(lines[whole])
        return 0 if whole == 0 else line

    def _suffix(self, lines: Sequence[str], place: Place) -> str:
        rest = lines[place.line][place.column :]
        if len(rest) >= self._suffix_chars:
            return body(rest)[: self._suffix_chars]
        parts, room = [rest], self._suffix_chars - len(rest)
        for line in range(place.line + 1, len(lines)):
            if len(lines[line]) > room:
                break
            parts.append(lines[line])
            room -= len(lines[line])
        return "".join(parts)
