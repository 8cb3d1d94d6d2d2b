"""Answers already paid for, found again at their place, along their text, and back where one was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cachetools import TTLCache

from fim_lsp.text import closing
from fim_lsp.text.document import Place

ABOVE = 6  # lines above a place that must be as they were
BELOW = 3  # lines below it, likewise
ALONG = 40  # lines of an answer that may be typed along


class Offer(NamedTuple):
    """Text for a place, and how many characters right of the cursor on its line it takes the place of, mostly none."""

    text: str
    covers: int = 0


class KeptBack(NamedTuple):
    """Of an answer that who did not ask is not shown, or not all of it: what who asks is, and what was said at all."""

    asked: Offer | None  # None where it was not said to its end: who asks, asks anew
    said: Offer


class Spot(NamedTuple):
    """A place as answers are kept by it, taken when the question is asked: the text may have moved on since."""

    key: tuple[
        str, str
    ]  # the document (its URI, a line end and more where more decides), and what stands above the line
    head: str  # what stands on the line before the cursor
    tail: str  # what stands after the cursor, to BELOW lines further down
    language: str  # the LSP languageId
    inside: str  # the span of the language that the place is in, "" for code


class _Answer(NamedTuple):
    spot: Spot
    offer: Offer  # what was offered; no text for nothing
    asked: Offer | None  # what who asks is offered; None where that is to be asked anew
    said: Offer  # what was said at all
    asked_all: bool  # whether an explicit ask has had all its candidates
    until: float  # clock seconds after which it is too old


class AnswerCache:
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

    def forget(self, uri: str) -> None:
        """Forget the answers of a document, whatever stood above or beside it."""
        for key in self._of(uri):
            self._kept.pop(key, None)

    def adopt(self, uri: str, name: str) -> None:
        """Know of a document what is known of another: it is the same under another name."""
        for key in self._of(uri):
            new = (name + key[0].removeprefix(uri), key[1])
            answers = tuple(one._replace(spot=one.spot._replace(key=new)) for one in self._kept[key])
            if len(answers) <= self._kept.maxsize:
                self._kept[new] = answers

    def _of(self, uri: str) -> list[tuple[str, str]]:
        return [key for key in self._kept if key[0] == uri or key[0].startswith(f"{uri}\n")]

    def put(
        self,
        spot: Spot,
        offers: Sequence[Offer],
        *,
        asked_all: bool = False,
        kept_back: KeptBack | None = None,
    ) -> None:
        """Keep what was offered at a spot, best first; no offer means that nothing was.  `kept_back` is of the first."""
        until = self._clock() + self._ttl
        first, *others = offers or (Offer(""),)
        asked, said = kept_back or (first, first)
        new = (
            _Answer(spot, first, asked, said, asked_all, until),
            *(_Answer(spot, offer, offer, offer, asked_all, until) for offer in others),
        )
        old = tuple(a for a in self._kept.get(spot.key, ()) if _apart(a.spot, spot))
        kept = (new + old)[:16]
        if len(kept) <= self._kept.maxsize:
            self._kept[spot.key] = kept

    def asked_all(self, spot: Spot) -> bool:
        """Whether an explicit ask at this very spot has had all that it can have."""
        now = self._clock()
        kept = self._kept.get(spot.key, ())
        return any(a.asked_all and a.until >= now for a in kept if not _apart(a.spot, spot))

    def find(
        self, uri: str, lines: Sequence[str], place: Place, *, explicit: bool = False
    ) -> tuple[Offer, ...] | None:
        """What is left to offer at a place, best first; `()` if it is known that nothing is, None if nothing is known.

        An answer is found where it was given, and where its beginning has been typed since, over several lines too.  Where it was
        shown in part, no more is known along the rest that was kept back: it would be told again in every second case.  So it is behind
        white space, which says nothing new, where none was shown.  An `explicit` ask is offered what was kept back.
        """
        if not self._kept.currsize:
            return None
        tail = tail_of(lines, place)
        now = self._clock()
        typed = lines[place.line][: place.column]
        for line in range(place.line, max(place.line - ALONG, -1), -1):
            if line != place.line:
                typed = lines[line] + typed
            found: list[Offer] = []
            nothing = False
            for answer in self._kept.get(_key(uri, lines, line), ()):
                offer = answer.asked if explicit else answer.offer
                if answer.until < now or offer is None:
                    continue
                if not typed.startswith(answer.spot.head):
                    continue
                since = typed[len(answer.spot.head) :]
                if not since and tail == answer.spot.tail:
                    nothing = nothing or not offer.text
                    left: Offer | None = offer
                else:
                    left = along(answer.spot, offer, since, tail)
                    if left is None and answer.said != offer and (offer.text or since.isspace()):
                        nothing = nothing or along(answer.spot, answer.said, since, tail) is not None
                if left is not None and left.text and left not in found:
                    found.append(left)
            if found or nothing:
                return tuple(found)
        return None


def along(spot: Spot, offer: Offer, typed: str, tail: str) -> Offer | None:
    """What is left of an offer for a spot, once more has been typed there and this stands behind it."""
    change = closing.behind(spot.tail, tail)
    if change is None or not offer.text.startswith(typed) or len(typed) == len(offer.text):
        return None
    if not typed and not closing.opens(spot.head, change.added):
        return None
    context = closing.Context(spot.head, spot.language, spot.inside)
    found = closing.left(offer.text, offer.covers, len(typed), change, context)
    return None if found is None else Offer(*found)


def spot(uri: str, lines: Sequence[str], place: Place, language: str = "*", inside: str = "") -> Spot:
    """The spot of a place in a document's lines, in this language and inside of this span of it."""
    head, tail = lines[place.line][: place.column], tail_of(lines, place)
    return Spot(_key(uri, lines, place.line), head, tail, language, inside)


def _apart(one: Spot, other: Spot) -> bool:
    return (one.head, one.tail) != (other.head, other.tail)


def _key(uri: str, lines: Sequence[str], line: int) -> tuple[str, str]:
    return uri, "".join(lines[max(line - ABOVE, 0) : line])[-600:]


def tail_of(lines: Sequence[str], place: Place) -> str:
    """What stands after a place, to BELOW lines further down."""
    rest = lines[place.line][place.column :]
    return (rest + "".join(lines[place.line + 1 : place.line + 1 + BELOW]))[:240]
