"""The ghost text of one document, followed from edits alone: what of it was taken, typed over or dismissed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from fim_lsp.completion.answer_cache import Offer
from fim_lsp.text import closing
from fim_lsp.text.beginning import shared
from fim_lsp.text.document import Edit, Place

Fate = Literal["all", "line", "word", "typed", "dismissed"]
BEHIND = 24  # characters that must stand behind what was entered, as they stood behind the cursor


class Acceptance:
    """How many texts were shown and what became of them; one taken in parts counts once for each part."""

    def __init__(self) -> None:
        self.shown = 0
        self.fates: dict[Fate, int] = {"all": 0, "line": 0, "word": 0, "typed": 0, "dismissed": 0}

    def counted(self) -> dict[str, int]:
        """How many were shown, and each fate's count."""
        return {"shown": self.shown} | {str(fate): count for fate, count in self.fates.items()}

    def met(self, fate: Fate | None) -> None:
        """Count what became of a text."""
        if fate is not None:
            self.fates[fate] += 1


class Ghost:
    """Text offered at a place, one candidate or several, and how much of it the document has by now."""

    def __init__(
        self,
        lines: Sequence[str],
        place: Place,
        offers: Sequence[Offer],
        number: int | None,
        foreign: int = 0,
    ) -> None:
        """`number` is that of the row in the record of usage which counts what is taken.

        The first `foreign` characters are those of a menu's entry: taking them alone is not taking ours.
        """
        self.number = number
        self.gone = False  # whether there is nothing left to follow
        self.taken = 0  # characters that came by word, line or whole, not by typing
        self._place = place
        self._rests = list(offers)
        self._foreign = foreign
        self._used = False
        self._look(lines)

    @property
    def now(self) -> tuple[int, str]:
        """The line that it stands on, and what is left of the first candidate."""
        return self._place.line, self._rests[0].text

    def shows(self, place: Place, offers: Sequence[Offer]) -> bool:
        """Whether one of these is what is left of a candidate at that place."""
        return place == self._place and any(_same(rest, offer) for rest in self._rests for offer in offers)

    def passed(self, lines: Sequence[str], place: Place) -> None:
        """Learn where the cursor is: closers are typed over without an edit, and two in one edit may be behind it."""
        ours, theirs = self._place.column, place.column
        if place.line != self._place.line or ours == theirs:
            return
        between = lines[place.line][min(ours, theirs) : max(ours, theirs)]
        size = len(between)
        if theirs < ours:
            rests = [Offer(between + text, covers + size) for text, covers in self._rests]
            known = closing.closers(between)
        else:
            along = [rest for rest in self._rests if rest.covers >= size and rest.text.startswith(between)]
            rests = [Offer(text[size:], covers - size) for text, covers in along]
            known = bool(rests)
        if known:
            self._rests, self._place, self._used = rests, place, True
            self._look(lines)

    def renewed(self, lines: Sequence[str], place: Place, offers: Sequence[Offer]) -> bool:
        """Show these candidates from now on, if one of them is shown already; whether that is so."""
        self.passed(lines, place)
        if not self.shows(place, offers):
            return False
        self._rests = list(offers)
        self._look(lines)
        return True

    def follow(self, edit: Edit, lines: Sequence[str]) -> Fate | None:
        """What becomes of the text by an edit, `lines` being the document after it; None if nothing that counts.

        Several characters at once are taken, not typed, but for white space, which editors add by themselves.
        """
        if edit.end.line < self._place.line:
            self._place = Place(self._place.line + edit.added - edit.removed, self._place.column)
            return None
        if edit.start.line > self._place.line + self._below:
            self._look(lines)
            return None
        entered = 0
        if edit.start.line == edit.end.line == self._place.line < len(lines):
            entered = self._enter(edit, lines)
        if not entered and self._closed(edit, lines):
            return None
        if not entered:
            self.gone = True
            return self.ends()
        new = self._new[self._foreign :]
        self._foreign = max(self._foreign - len(self._new), 0)
        if not new:
            return None
        self._used = True
        left = self._rests[0].text
        self.gone = not left
        if len(new) > 1 and new.strip() and not closing.pair(edit.text):
            self.taken += len(new)
            if not left:
                return "all"
            return "line" if new.endswith("\n") or left.startswith(("\n", "\r")) else "word"
        return None if left else "typed"

    def ends(self) -> Fate | None:
        """It is gone: dismissed, if nothing of it was used."""
        return None if self._used else "dismissed"

    def _look(self, lines: Sequence[str]) -> None:
        line = lines[self._place.line]
        self._head = line[: self._place.column]
        self._behind = _text(lines, self._place, BEHIND + max(covers for _, covers in self._rests))
        self._below = max(text.count("\n") for text, _ in self._rests) + 1
        self._new = ""

    def _enter(self, edit: Edit, lines: Sequence[str]) -> int:
        """Move on over what the document has of a candidate since an edit within the line; how many characters."""
        if not lines[self._place.line].startswith(self._head):
            return 0
        entered = [self._entered(rest, edit, lines) for rest in self._rests]
        best = max(own for own, _ in entered)
        if best:
            self._rests = list(dict.fromkeys(rest for own, rest in entered if own == best))
            new = _text(lines, self._place, best)
            breaks = new.count("\n")
            column = len(new) - new.rfind("\n") - 1 if breaks else self._place.column + best
            self._place = Place(self._place.line + breaks, column)
            self._look(lines)
            self._new = new
        return best

    def _entered(self, rest: Offer, edit: Edit, lines: Sequence[str]) -> tuple[int, Offer]:
        """How much of a candidate the document has since an edit, and what is left of it."""
        replaced = edit.end.column - edit.start.column
        # An editor that sends differences may name another place for the same text.
        exact = edit.start == self._place and replaced <= rest.covers
        best, left = 0, rest
        for covered in (replaced,) if exact else range(rest.covers + 1):
            size = len(edit.text) - replaced + covered
            now = _text(lines, self._place, size + BEHIND) if size > 0 else ""
            if now[size:] != self._behind[covered : covered + len(now) - size]:
                continue
            own = shared(rest.text, now[:size])
            added = now[own:size]
            if own > best and (not added or closing.closers(added)):
                best, left = own, _left(rest, own, closing.Behind(added, covered))
        return best, left

    def _closed(self, edit: Edit, lines: Sequence[str]) -> bool:
        """Take note of what an editor closes behind the cursor in an edit of its own; whether it is that."""
        if not edit.start == edit.end == self._place or not closing.closers(edit.text) or "\n" in edit.text:
            return False
        self._rests = [Offer(text, covers + len(edit.text)) for text, covers in self._rests]
        self._look(lines)
        return True


def _left(offer: Offer, own: int, change: closing.Behind) -> Offer:
    """What is left of an offer whose first `own` characters stand in the document."""
    found = closing.left(*offer, own, change, closing.Context("", "*", ""))
    return Offer(*found) if found else Offer(offer.text[own:], offer.covers - change.over)


def _same(one: Offer, other: Offer) -> bool:
    """Whether two offers insert the same, closers at their end aside, which may stand in the document already."""
    short, long = sorted((one.text, other.text), key=len)
    return short == long or (long.startswith(short) and closing.closers(long[len(short) :]))


def _text(lines: Sequence[str], place: Place, size: int) -> str:
    """So many characters from a place on."""
    found = lines[place.line][place.column : place.column + size]
    for line in lines[place.line + 1 :]:
        if len(found) >= size:
            break
        found += line[: size - len(found)]
    return found
