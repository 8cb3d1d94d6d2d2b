"""Where texts for a place come from: the answer cache, a stream that runs already, or a new one after the debounce."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fim_lsp.completion import answer_cache, debounce
from fim_lsp.completion.answer_cache import AnswerCache, Offer
from fim_lsp.completion.backend import Backend
from fim_lsp.completion.documents import Documents
from fim_lsp.completion.endpoints import Endpoint
from fim_lsp.completion.generation import CANDIDATES, Generation, candidates
from fim_lsp.completion.open_document import Found, OpenDocument
from fim_lsp.completion.question import Question
from fim_lsp.completion.stream import Stream
from fim_lsp.completion.wanted import Wanted
from fim_lsp.text.document import Place

GRACE = (
    0.15  # seconds that a cancelled stream waits for the next key's request, if what was typed agrees with it
)
NEARLY = 3  # characters left to type, at which what follows is asked for: about the time of an answer


class Turns:
    """One turn a request: the newest of a document wins, and an older one is cancelled."""

    def __init__(self, documents: Documents, backend: Backend, answers: AnswerCache, wanted: Wanted) -> None:
        self.answers = answers
        self._wanted = wanted
        self._documents = documents
        self._backend = backend

    def known(self, opened: OpenDocument, lines: Sequence[str], place: Place, explicit: bool) -> Found | None:
        """What was paid for already; None where nothing is known, or an explicit ask may have more."""
        uri, name = opened.document.uri, self._documents.name(opened)
        found = self.answers.find(name, lines, place, explicit=explicit)
        if found is None:
            return None
        known = self._wanted.offered(opened, lines, place, found, explicit=explicit)
        # Who asks where a text is on screen wants others; elsewhere, none is held back for others.
        few = explicit and len(known) < CANDIDATES and (not known or opened.shows(place, known))
        if few and not self.answers.asked_all(answer_cache.spot(name, lines, place)):
            return None
        backend = self._backend
        backend.counts.local_hits += 1
        number = None
        if opened.ghost is not None:
            opened.ghost.passed(lines, place)
        if opened.ghost is not None and opened.ghost.shows(place, known):
            number = opened.ghost.number  # typed along: what is taken of it counts for the request that paid
        elif backend.ledger is not None:
            what = {
                "model": backend.endpoints.answering.priced_as,
                "language": opened.document.language,
                "ended": "local",
                "shown": sum(len(offer.text) for offer in known[:1]),
            }
            number = backend.ledger.ended(None, uri, **what)
        return Found(known, number)

    def turn(
        self, opened: OpenDocument, lines: Sequence[str], place: Place, explicit: bool
    ) -> asyncio.Task[Found | None]:
        """What is found for a place of the document as it is now; None if it was edited before it was asked about."""
        return asyncio.create_task(self._turned(opened, lines, place, explicit, opened.edits))

    async def _turned(
        self, opened: OpenDocument, lines: Sequence[str], place: Place, explicit: bool, edits: int
    ) -> Found | None:
        while True:
            if opened.edits != edits:
                return None  # the place may not even be there any more
            stream = opened.stream
            name = self._documents.name(opened)
            known = self.answers.find(name, lines, place, explicit=True) if explicit else None
            if stream is None or known is not None or not stream.serves(lines, place):
                if self._wanted.at(opened, place, explicit=explicit) != "ask":
                    return Found(())
                if stream is not None:
                    stream.cancel()
                question = self._documents.question(opened, lines, place)
                if wait := self._wait(opened, explicit=explicit):
                    await self._backend.sleep(wait)
                    # What holds it back may have come meanwhile.
                    stands = self._documents.stands(opened, question)
                    if not stands or self._wanted.at(opened, place, explicit=explicit) != "ask":
                        return Found(())
                endpoint = self._backend.choice(explicit=explicit)
                if endpoint is None:
                    return Found(())
                self._wanted.asked(opened, explicit=explicit)
                stream = opened.stream = self._asking(opened, endpoint, question, place, explicit, known)
            typed, tail = stream.typed, stream.tail
            await stream.wait()
            if stream.offers is None:
                if stream.disagreed:
                    continue
                return Found(())
            offers = stream.offers
            if explicit and stream.kept_back is not None:
                if stream.kept_back.asked is None:
                    continue
                offers = (stream.kept_back.asked,)
            if not typed and tail == stream.spot.tail:
                return Found(offers, stream.number)
            along = (answer_cache.along(stream.spot, offer, typed, tail) for offer in offers)
            if left := tuple(offer for offer in along if offer is not None and offer.text):
                return Found(left, stream.number)
            if self.answers.find(name, lines, place, explicit=explicit) == ():
                return Found(())

    def _wait(self, opened: OpenDocument, *, explicit: bool) -> float:
        """Seconds to wait before asking."""
        now = self._backend.clock()
        if explicit:
            return self._backend.floor.wait(now)
        setting = self._backend.settings.of(opened.document.language).debounce_ms
        wait = debounce.delay(setting, now - opened.asked_at, spare=self._backend.peak())
        return max(wait, self._wanted.wait(opened))

    def _asking(
        self,
        opened: OpenDocument,
        endpoint: Endpoint,
        question: Question,
        place: Place,
        explicit: bool,
        known: tuple[Offer, ...] | None = None,
    ) -> Stream:
        """A new stream that asks the question, and keeps the answer; an explicit one asks for others than are `known`."""
        backend = self._backend
        opened.asked_at = self._backend.clock()
        for other in backend.endpoints.due(endpoint, backend.clock()):
            backend.beside(Generation(backend, other, question).trial())

        async def work(stream: Stream) -> None:
            # Where the last request failed, one asks whether the service is well again.
            well = explicit and endpoint.breaker.state(self._backend.clock()) == "ready"
            others = CANDIDATES - max(len(known or ()), 1) if well else 1
            try:
                stream.offers = await candidates(
                    backend, endpoint, question, stream, known, others, explicit=explicit
                )
                if stream.offers is not None:
                    all_ = well and known is not None
                    kept_back = stream.kept_back
                    self.answers.put(question.spot, stream.offers, asked_all=all_, kept_back=kept_back)
            finally:
                if explicit and stream.offers is None:
                    backend.floor.came_to_nothing(self._backend.clock())

        return Stream(place, question.spot, work)

    def ask_ahead(
        self, opened: OpenDocument, lines: Sequence[str], place: Place, offers: tuple[Offer, ...]
    ) -> None:
        """Ask for what follows a text of which only some last characters of a line are left to type."""
        left = offers[0] if offers else Offer("")
        if not 0 < len(left.text) <= NEARLY or left.covers or "\n" in left.text or opened.ahead is not None:
            return
        # Where nothing is typed, looking at a text asks for nothing.
        if not opened.shows(place, offers) or self._wanted.at(opened, place, explicit=False) != "ask":
            return
        if not opened.changes.fresh:
            return
        line = lines[place.line]
        typed = line[: place.column] + left.text
        then = [*lines[: place.line], typed + line[place.column :], *lines[place.line + 1 :]]
        there = Place(place.line, len(typed))
        known = self.answers.find(self._documents.name(opened), then, there)
        if known is None and (endpoint := self._backend.choice(explicit=False)) is not None:
            question = self._documents.question(opened, then, there)
            opened.ahead = self._asking(opened, endpoint, question, there, explicit=False)

    def abandon(self, opened: OpenDocument) -> None:
        """End a stream that its client has cancelled: at once, or, where the typing agrees with it, a moment later."""
        stream = opened.stream
        if stream is None or stream.over or stream.waiters:
            return
        if stream.edited:
            self._backend.beside(self._cancel_later(stream))
        else:
            stream.cancel()

    async def _cancel_later(self, stream: Stream) -> None:
        await self._backend.sleep(GRACE)
        if not stream.waiters:
            stream.cancel()
