"""One open document: its text, its prompt window, the streams under way for it, and the ghost text on screen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fim_lsp.completion.answer_cache import Offer
from fim_lsp.completion.beside import Beside
from fim_lsp.completion.changes import Changes
from fim_lsp.completion.ghost import Acceptance, Ghost
from fim_lsp.completion.selected import Selected
from fim_lsp.completion.stream import Stream
from fim_lsp.context.window import Window
from fim_lsp.text.document import Document, Edit, Place
from fim_lsp.text.inside import Inside
from fim_lsp.usage.account import Ledger


class Found(NamedTuple):
    """Texts for a place, best first, and the number, in the record of usage, of the request that paid for them."""

    offers: tuple[Offer, ...]
    number: int | None = None


@dataclass(slots=True)
class OpenDocument:
    """What happens to one document while it is open."""

    document: Document
    window: Window
    stream: Stream | None = None
    ahead: Stream | None = None  # for the place behind a ghost text that is nearly typed to its end
    turn: asyncio.Task[Found | None] | None = None
    edits: int = 0  # that the document has gone through since it is open
    asked_at: float = float("-inf")  # clock seconds of the last request
    ghost: Ghost | None = None
    secret: bool = False  # whether the document is never to be sent
    notebook: str = ""  # the URI of the notebook that it is a cell of
    cuts: int = 0  # how often text was taken out of it
    unsaved: bool = False
    silent: bool = False  # whether nothing comes by itself in such a buffer
    message: bool = False  # whether it is a commit message
    changes: Changes = field(default_factory=Changes)
    beside: Beside | None = None  # None: to be looked up
    _inside: Inside | None = None

    def edited(
        self, edit: Edit, acceptance: Acceptance, ledger: Ledger | None, *, typed: bool, by_hand: bool = True
    ) -> None:
        """Take note of a change: the window, the stream and the ghost text follow it."""
        self.edits += 1
        self.cuts += edit.start < edit.end
        self.unsaved = True
        placed = self.beside.shifted(edit) if self.beside is not None and not self.message else edit
        self.window.edited(placed, typed=typed)
        if by_hand:
            self.changes.take(edit, self.document.lines)
        if self._inside is not None:
            self._inside.edited(edit.first)
        if self.stream is not None and not self.stream.follow(edit):
            self.stream.cancel()
        if self.changes.composing == "letters":
            self.cancel_streams()
        if self.ghost is not None:
            self._follow(self.ghost, edit, acceptance, ledger)

    def inside(self, place: Place) -> str:
        """What a place is inside of: `comment`, `string`, or nothing for code."""
        if self._inside is None:
            self._inside = Inside(self.document.language)
        return self._inside.at(self.document.lines, place)

    def show(
        self, place: Place, found: Found, selected: Selected | None, acceptance: Acceptance
    ) -> tuple[Offer, ...]:
        """Follow from here on what is offered; a menu's entry comes before it, in place of what was typed of it."""
        offers, lines = found.offers, self.document.lines
        if not offers or place.line >= len(lines):
            return offers
        foreign = 0
        if selected is not None:
            typed = lines[place.line][selected.column : place.column]
            if not selected.text.startswith(typed):
                return offers
            foreign = len(selected.text) - len(typed)
            entry = selected.text[len(typed) :]
            offers = tuple(Offer(entry + text, covers) for text, covers in offers)
        if self.ghost is None or not self.ghost.renewed(lines, place, offers):
            self.vanish(acceptance)
            acceptance.shown += 1
            self.ghost = Ghost(lines, place, offers, found.number, foreign)
        return found.offers

    def shows(self, place: Place, offers: Sequence[Offer]) -> bool:
        """Whether one of these is on screen at that place."""
        return self.ghost is not None and self.ghost.shows(place, offers)

    def vanish(self, acceptance: Acceptance) -> None:
        """The ghost text is no longer on screen."""
        if self.ghost is not None:
            acceptance.met(self.ghost.ends())
            self.ghost = None

    def supersede(self) -> None:
        """Answer the older request at once: the newest wins."""
        if self.turn is not None:
            self.turn.cancel()
            self.turn = None

    def silence(self, acceptance: Acceptance) -> None:
        """End what is under way, and what is on screen: nothing is offered any more."""
        self.supersede()
        self.vanish(acceptance)
        self.cancel_streams()

    def cancel_streams(self) -> None:
        """End what is under way."""
        for stream in (self.stream, self.ahead):
            if stream is not None:
                stream.cancel()

    def _follow(self, ghost: Ghost, edit: Edit, acceptance: Acceptance, ledger: Ledger | None) -> None:
        """Tell from an edit alone whether the ghost text is typed along, or a part of it was taken."""
        before, shown = ghost.taken, ghost.now
        fate = ghost.follow(edit, self.document.lines)
        acceptance.met(fate)
        if ghost.gone and ghost.taken == before and fate != "typed" and edit.text and edit.start == edit.end:
            self.changes.typed_past(*shown)
        if ghost.gone:
            self.ghost = None
            ahead, self.ahead = self.ahead, None
            if ahead is not None and fate in {"all", "typed"}:
                self.cancel_streams()
                self.stream = ahead
            elif ahead is not None:
                ahead.cancel()
        if ghost.taken > before and ledger is not None and ghost.number is not None:
            ledger.accepted(ghost.number, ghost.taken)
