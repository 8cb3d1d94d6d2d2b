"""The ghost text of one document, followed from edits alone: what of it was taken, typed over or dismissed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from fim_lsp.answers import CLOSERS, Offer
from fim_lsp.document import Edit, Place

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

    def shows(self, place: Place, offers: Sequence[Offer]) -> bool:
        """Whether one of these is what is left of a candidate at that place."""
        left = {rest.text for rest in self._rests}
        return place == self._place and any(offer.text in left for offer in offers)

    def renewed(self, offers: Sequence[Offer]) -> None:
        """Show these candidates, one of which is shown already."""
        self._rests = list(offers)

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
            entered = self._enter(len(edit.text) - (edit.end.column - edit.start.column), lines)
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
        if len(new) > 1 and new.strip():
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

    def _enter(self, net: int, lines: Sequence[str]) -> int:
        """Move on over what the document has of a candidate now, `net` characters more than before; how many."""
        if not lines[self._place.line].startswith(self._head):
            return 0
        best, left = 0, self._rests
        for text, covers in self._rests:
            for covered in {0, covers}:
                size = net + covered
                now = _text(lines, self._place, size + BEHIND) if size > 0 else ""
                if now[size:] != self._behind[covered : covered + len(now) - size]:
                    continue
                own = _shared(text, now[:size])
                if own > best and not now[own:size].strip(CLOSERS):
                    best, left = own, []
                if own == best and best:
                    left.append(Offer(text[own:], covers if not covered else 0))
        if best:
            self._rests = list(dict.fromkeys(left))
            new = _text(lines, self._place, best)
            breaks = new.count("\n")
            column = len(new) - new.rfind("\n") - 1 if breaks else self._place.column + best
            self._place = Place(self._place.line + breaks, column)
            self._look(lines)
            self._new = new
        return best


def _text(lines: Sequence[str], place: Place, size: int) -> str:
    """So many characters from a place on."""
    found = lines[place.line][place.column : place.column + size]
    for line in lines[place.line + 1 :]:
        if len(found) >= size:
            break
        found += line[: size - len(found)]
    return found


def _shared(one: str, other: str) -> int:
    """With how many characters both begin."""
    size = min(len(one), len(other))
    return next((n for n in range(size) if one[n] != other[n]), size)
