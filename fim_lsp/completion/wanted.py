"""Whether anything is offered at a place, and whether it may be asked for: asked for by a person, or by itself.

What comes by itself is silent where nothing was typed: a place costs nothing to look at, but for the first `LOOKS`
since a key was struck anywhere, or a text asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from fim_lsp.completion import debounce
from fim_lsp.completion.answer_cache import Offer
from fim_lsp.completion.changes import STANDS
from fim_lsp.completion.documents import Documents
from fim_lsp.completion.open_document import OpenDocument
from fim_lsp.completion.snooze import Snooze
from fim_lsp.text.document import Place, body

LOOKS = 3  # places that are asked about by themselves without a key

Verdict = Literal["nothing", "known", "ask"]  # "known": what was paid for already, and no more


class Wanted:
    """What may come at a place, as the settings, the buffer, the last changes and the person's own word have it."""

    def __init__(self, documents: Documents, snooze: Snooze) -> None:
        self._documents = documents
        self._snooze = snooze
        self._looks = 0  # requests since a key, without one

    def at(self, opened: OpenDocument, place: Place, *, explicit: bool) -> Verdict:
        """What may come at a place of the document as it is now."""
        lines = opened.document.lines
        if place.line >= len(lines) or not self._documents.offers(opened):
            return "nothing"
        if not self._documents.never_sent.writes(opened, place):
            return "nothing"
        return "ask" if explicit else self._by_itself(opened, place)

    def _by_itself(self, opened: OpenDocument, place: Place) -> Verdict:
        document, changes = opened.document, opened.changes
        line = document.lines[place.line]
        settings = self._documents.settings.of(document.language)
        if (
            debounce.rests(line[: place.column], body(line)[place.column :])
            or self._snooze.holds(document.uri, document.language)
            or changes.composing == "letters"
            or (changes.quiet and changes.corrected != place)
            or (settings.quiet_in and opened.inside(place) in settings.quiet_in)
        ):
            return "nothing"
        if changes.quiet or changes.composing == "perhaps" or opened.silent or settings.trigger == "manual":
            return "known"
        return "ask" if changes.fresh or self._looks < LOOKS else "known"

    def wait(self, opened: OpenDocument) -> float:
        """Seconds to wait at least before asking by itself: until characters of an input method stand."""
        return STANDS if opened.changes.composing == "standing" else 0.0

    def typed(self, opened: OpenDocument) -> None:
        """A document was changed: where something was typed, looking is free again."""
        if opened.changes.fresh:
            self._looks = 0

    def asked(self, opened: OpenDocument, *, explicit: bool) -> None:
        """A request leaves."""
        if explicit:
            self._looks = 0
        elif opened.changes.fresh:
            opened.changes.asked()
        else:
            self._looks += 1

    def offered(
        self,
        opened: OpenDocument,
        lines: Sequence[str],
        place: Place,
        offers: Iterable[Offer],
        *,
        explicit: bool,
    ) -> tuple[Offer, ...]:
        """Of texts for a place, those that were not just taken away there, nor typed past again and again."""
        changes, head = opened.changes, lines[place.line][: place.column]
        return tuple(
            offer
            for offer in offers
            if not changes.keeps_back(place, head, offer.text)
            and (explicit or not changes.tired(place.line, offer.text))
        )
