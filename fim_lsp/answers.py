"""Answers already paid for, found again at their place, along their text, and back where one was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cachetools import TTLCache

from fim_lsp.document import Place

ABOVE = 6  # lines above a place that must be as they were
BELOW = 3  # lines below it, likewise
ALONG = 40  # lines of an answer that may be typed along
CLOSERS = ")]}>\"'`"  # what an editor adds by itself behind the cursor


class Spot(NamedTuple):
    """A place as answers are kept by it, taken when the question is asked: the text may have moved on since."""

    key: tuple[str, str]  # the document, and what stands above the line
    head: str  # what stands on the line before the cursor
    tail: str  # what stands after the cursor, to BELOW lines further down


class _Answer(NamedTuple):
    head: str
    tail: str
    text: str  # what was offered; "" for nothing
    asked_all: bool  # whether an explicit ask has had all its candidates
    until: float  # clock seconds after which it is too old


class Answers:
    """A bounded store of answers; each is kept under the line on which it began and what stands above that line."""

    def __init__(self, size: int, ttl_seconds: float, clock: Callable[[], float]) -> None:
        self._ttl = ttl_seconds
        self._clock = clock
        self._kept: TTLCache[tuple[str, str], tuple[_Answer, ...]] = TTLCache(
            max(size, 0), ttl_seconds, timer=clock, getsizeof=len
        )

    def __len__(self) -> int:
        return int(self._kept.currsize)

    def clear(self) -> None:
        """Forget every answer."""
        self._kept.clear()

    def put(self, spot: Spot, texts: Sequence[str], *, asked_all: bool = False) -> None:
        """Keep what was offered at a spot, best first; no texts, or an empty one, means that nothing was."""
        until = self._clock() + self._ttl
        new = tuple(_Answer(spot.head, spot.tail, text, asked_all, until) for text in texts or ("",))
        old = tuple(a for a in self._kept.get(spot.key, ()) if (a.head, a.tail) != (spot.head, spot.tail))
        kept = (new + old)[:16]
        if len(kept) <= self._kept.maxsize:
            self._kept[spot.key] = kept

    def here(self, spot: Spot) -> tuple[tuple[str, ...], bool]:
        """What was offered at this very spot, best first, and whether an explicit ask has had all it can have."""
        now = self._clock()
        kept = [
            a
            for a in self._kept.get(spot.key, ())
            if (a.head, a.tail) == (spot.head, spot.tail) and a.until >= now
        ]
        return tuple(a.text for a in kept if a.text), any(a.asked_all for a in kept)

    def find(self, uri: str, lines: Sequence[str], place: Place) -> tuple[str, ...] | None:
        """What is left to offer at a place, best first; `()` if it is known that nothing is, None if nothing is known.

        An answer is found where it was given, and where its beginning has been typed since, over several lines too.
        """
        if not self._kept.currsize:
            return None
        tail = tail_of(lines, place)
        now = self._clock()
        typed = lines[place.line][: place.column]
        for line in range(place.line, max(place.line - ALONG, -1), -1):
            if line != place.line:
                typed = lines[line] + typed
            answers = self._kept.get(_key(uri, lines, line))
            if not answers:
                continue
            found: list[str] = []
            nothing = False
            for answer in answers:
                if answer.until < now or not same_tail(answer.tail, tail, here=typed == answer.head):
                    continue
                if typed == answer.head:
                    nothing = nothing or not answer.text
                    left = answer.text
                elif len(typed) > len(answer.head) and (answer.head + answer.text).startswith(typed):
                    left = answer.text[len(typed) - len(answer.head) :]
                else:
                    continue
                if left and left not in found:
                    found.append(left)
            if found or nothing:
                return tuple(found)
        return None


def spot(uri: str, lines: Sequence[str], place: Place) -> Spot:
    """The spot of a place in a document's lines."""
    return Spot(_key(uri, lines, place.line), lines[place.line][: place.column], tail_of(lines, place))


def _key(uri: str, lines: Sequence[str], line: int) -> tuple[str, str]:
    return uri, "".join(lines[max(line - ABOVE, 0) : line])[-600:]


def tail_of(lines: Sequence[str], place: Place) -> str:
    """What stands after a place, to BELOW lines further down."""
    rest = lines[place.line][place.column :]
    return (rest + "".join(lines[place.line + 1 : place.line + 1 + BELOW]))[:240]


def same_tail(then: str, now: str, *, here: bool) -> bool:
    """Whether what stood after a place then stands after the cursor now, the place being `here` or further back."""
    if then == now:
        return True
    if here:
        return False
    # The editor closed a bracket or quote that was typed: it stands before what stood there.
    rest = now.lstrip(CLOSERS)
    added = len(now) - len(rest)
    return any(then.startswith(now[n:][:200]) for n in range(1, min(added, 4) + 1))
