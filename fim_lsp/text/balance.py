"""Whether a text, put in at a cursor, leaves brackets without a mate that were not without one before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from fim_lsp.text.language import CLOSER_OF, CLOSERS, Mark
from fim_lsp.text.surroundings import AFTER, BEFORE, Surroundings, first_closer, width

TRIES = 8  # line ends that are looked at


class Lone(NamedTuple):
    """How many brackets have no mate: those that open, and those that close."""

    opened: int
    closed: int


def balanced(text: str, covers: int, place: Surroundings) -> tuple[str, int]:
    """The longest beginning of a text, in whole lines, that breaks no brackets, and how much of the line's rest it replaces.

    The first line may leave brackets open, but closes none that nothing opens.  "" where no line is left.
    """
    if place.inside or place.language.prose:
        return text, covers
    marks, inside = place.language.marks(text)
    own = _Own(marks)
    if (own.even and not covers) or (inside and place.language.spans[inside].long) or patterns(text, place):
        return text, covers
    around = _Around(place)
    if around.fits(text, marks, covers):
        return text, covers
    first = text.find("\n")
    for end in own.ends(text, first):
        if around.fits(text[:end], [mark for mark in marks if mark.at < end], 0):
            return text[:end], 0
    line = text if first < 0 else text[:first]
    marks = [mark for mark in marks if mark.at < len(line)]
    if around.fits(line, marks, 0):
        return line, 0
    # What one line leaves open is closed with a key, and asked for anew if it is not shown.
    covers = covers if line == text else 0
    return (line, covers) if around.closes(line, marks, covers) else ("", 0)


class _Own:
    """The brackets of a text among themselves."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._marks = marks
        depth, self.even = 0, True  # whether each has its mate in the text
        for sign, _ in marks:
            depth += 1 if sign in CLOSER_OF else -1
            self.even = self.even and depth >= 0
        self.even = self.even and not depth

    def ends(self, text: str, first: int) -> list[int]:
        """The last line ends of a text behind its first one at which it has nothing open."""
        found: list[int] = []
        depth, number, end = 0, 0, first
        while end >= 0:
            while number < len(self._marks) and self._marks[number].at < end:
                depth = depth + 1 if self._marks[number].sign in CLOSER_OF else max(0, depth - 1)
                number += 1
            if not depth and end > first and text[:end].strip():
                found.append(end)
            end = text.find("\n", end + 1)
        return found[: -TRIES - 1 : -1]


class _Around:
    """What stands around a cursor, and its brackets without a mate."""

    def __init__(self, place: Surroundings) -> None:
        self._place = place
        # What closes may have its mate further up than is looked, or none at all: a pattern of a shell's `case`.
        self._apart = len(place.told_from[0]) > BEFORE or "esac" in place.language.ends
        self._before = self._lone("", [], 0)
        behind = "\n".join((place.rest, *place.below))
        self._closer = first_closer(place.language, behind, "", place.indent)

    def fits(self, text: str, marks: Sequence[Mark], covers: int) -> bool:
        """Whether no more have none with a text, whose brackets these are."""
        after = self._lone(text, marks, covers)
        if after.opened > self._before.opened or not self._closes(after):
            return False
        left = left_open(marks)
        if not left or self._closer is None:
            return True
        # What closes at a lesser depth than the text's own is another one's mate.
        start = text.rfind("\n", 0, left[0].at) + 1
        depth = width(text[start:]) if start else self._place.indent
        return self._closer[1] >= depth

    def closes(self, text: str, marks: Sequence[Mark], covers: int) -> bool:
        """Whether none more of those that close has none."""
        return self._closes(self._lone(text, marks, covers))

    def _closes(self, after: Lone) -> bool:
        return self._apart or after.closed <= self._before.closed

    def _lone(self, text: str, marks: Sequence[Mark], covers: int) -> Lone:
        """The brackets without a mate, with a text at the cursor that replaces so many characters behind it.

        What the lines above leave open at the end of what is looked at counts only where nothing follows that.
        """
        place = self._place
        stack = [opening.sign for opening in place.open]
        above = len(stack)  # of the stack, those of the lines above
        behind = "\n".join((place.rest[covers:], *place.below))
        if place.blank and not place.closes:
            behind = "\n" + behind  # what is put in front of a line ends with its own
        language = place.language
        inside = language.marks(text[text.rfind("\n") + 1 :])[1]
        closed = opened = 0
        for sign, _ in (*marks, *language.marks(behind, inside)[0]):
            if sign in CLOSER_OF:
                stack.append(sign)
            elif sign in CLOSERS:
                mate = next(
                    (at for at in range(len(stack) - 1, -1, -1) if CLOSER_OF[stack[at]] == sign), None
                )
                if mate is None:
                    closed += 1
                else:
                    opened += len(stack) - mate - 1
                    del stack[mate:]
                    above = min(above, mate)
        left = len(stack) - above if len(place.told_from[1]) > AFTER else len(stack)
        return Lone(opened + left, closed)


def left_open(marks: Sequence[Mark]) -> list[Mark]:
    """Those of the brackets that open and are left open, the innermost last."""
    left: list[Mark] = []
    for mark in marks:
        if mark.sign in CLOSER_OF:
            left.append(mark)
        elif mark.sign in CLOSERS and left:
            left.pop()
    return left


def patterns(text: str, place: Surroundings) -> bool:
    """Whether a regular expression between slashes is in sight: its brackets are not told from those of code."""
    if not place.language.slashes:
        return False
    prefix, suffix, _ = place.told_from
    return any(map(_PATTERN.search, (prefix[-BEFORE:], text, suffix[:AFTER])))


_PATTERN = re.compile(
    r"[(,=:\[!&|?{};]\s*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])*?[\[({](?:\\.|[^/\\\n])*/"
)
