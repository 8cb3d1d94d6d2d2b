"""Completions: from an open document and a place to texts worth inserting, by the steps that `Engine.complete` lists."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fim_lsp.completion.answer_cache import AnswerCache, Offer
from fim_lsp.completion.backend import Backend
from fim_lsp.completion.documents import Documents, name_of
from fim_lsp.completion.explain import explained, parts_of
from fim_lsp.completion.generation import Generation
from fim_lsp.completion.ghost import Acceptance
from fim_lsp.completion.open_document import Found, OpenDocument
from fim_lsp.completion.problems import Problem
from fim_lsp.completion.room import Room
from fim_lsp.completion.selected import Selected, with_entry
from fim_lsp.completion.service import Service
from fim_lsp.completion.snooze import Scope, Snooze
from fim_lsp.completion.turns import Turns
from fim_lsp.completion.wanted import Wanted
from fim_lsp.endpoint import look
from fim_lsp.endpoint.body import room as room_of
from fim_lsp.endpoint.pace import Shown
from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Document, Edit, Place
from fim_lsp.words.sentence import Sentence

PAUSE = 60.0  # seconds without a key, after which the next one sees to it that a connection stands ready
REST = 600.0  # seconds without a key, after which what prompts open with may change


class Engine:
    """The open documents, and the answers already paid for; one instance a server."""

    def __init__(
        self,
        settings: Settings,
        connect: Callable[[Settings], Service],
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        changed: Callable[[], None] = lambda: None,
        tell: Callable[[Problem], None] = lambda _: None,
        ignored: Callable[[str], str] = lambda _: "",
    ) -> None:
        """`changed` is called when the state may have changed, `tell` when a problem is to be shown.

        `ignored` gives the ignore file that keeps a path home.
        """
        self.acceptance = Acceptance()
        self.documents = Documents(settings, self.acceptance, ignored, self._forget)
        self.backend = Backend(
            settings, connect, clock=clock, random=random, sleep=sleep, changed=changed, tell=tell
        )
        self.backend.fit = self._fit
        self._clock = clock
        self._changed = changed
        answers = AnswerCache(settings.cache_size, settings.cache_ttl_seconds, clock)
        self.snooze = Snooze(clock)
        self._wanted = Wanted(self.documents, self.snooze)
        self._turns = Turns(self.documents, self.backend, answers, self._wanted)
        self._stirred = clock()  # when a key was last struck

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.backend.settings

    @property
    def state(self) -> str:
        """`paused`, `error`, `busy` or `ready`; a budget that is used up is a pause, too."""
        if self.settings.halted:
            return "error"
        if self.documents.paused or self.settings.off:
            return "paused"
        if self.backend.problems.current is not None:
            return "error"
        if self.backend.busy:
            return "busy"
        return "paused" if self.over_budget else "ready"

    @property
    def over_budget(self) -> Sentence | None:
        """What is to be said while the budget is used up; None while it is not."""
        ledger = self.backend.ledger
        return ledger.over() if ledger is not None and not self.settings.off else None

    def open(self, document: Document, notebook: str = "") -> None:
        """Take a document in, or a cell of the notebook with that URI; one that was open is replaced."""
        before = self.documents.get(document.uri)
        self.close(document.uri)
        saved = self.documents.open(document, notebook or (before.notebook if before else ""))
        if saved is not None:
            self._turns.answers.adopt(saved, document.uri)

    def document(self, uri: str) -> Document | None:
        """The open document of that name."""
        opened = self.documents.get(uri)
        return opened.document if opened else None

    def edited(
        self, uri: str, edit: Edit, *, typed: bool = True, by_hand: bool = True, first: bool = True
    ) -> None:
        """Take note of a change that the document has gone through; one that nobody `typed` is no news to others.

        `by_hand`: whether it is of a message with few changes, and not a formatter's; `first`: whether the first of that.
        """
        opened = self.documents.get(uri)
        if opened is None:
            return
        now = self._clock()
        if now - self._stirred > REST:
            self.documents.idle()
        if now - self._stirred > PAUSE:
            self.backend.stay_warm()
        self._stirred = now
        typed = typed and self.documents.offers(opened)
        self.documents.touched(opened, edit)
        if first:
            opened.changes.begin()
        opened.edited(edit, self.acceptance, self.backend.ledger, typed=typed, by_hand=by_hand)
        self._wanted.typed(opened)

    def close(self, uri: str) -> bool:
        """Let a document go, and end what is under way for it; whether it had changes that were not saved."""
        opened = self.documents.close(uri)
        return opened is not None and opened.unsaved

    async def configure(self, settings: Settings) -> None:
        """Put new settings in force: what rests because of the old ones may try again."""
        old = self.settings
        closing = self.backend.configure(settings)
        self.documents.settings = settings
        if (old.cache_size, old.cache_ttl_seconds) != (settings.cache_size, settings.cache_ttl_seconds):
            self._turns.answers = AnswerCache(settings.cache_size, settings.cache_ttl_seconds, self._clock)
        if _windowing(old) != _windowing(settings):
            self.documents.begin_anew(maps=_showing(old) != _showing(settings))
        if _answering(old) != _answering(settings):
            self._turns.answers.clear()
        self._changed()
        if closing:
            for uri in self.documents:
                if (opened := self.documents.get(uri)) is not None:
                    opened.cancel_streams()
            for endpoint in closing:
                await endpoint.aclose()

    def clear(self) -> None:
        """Forget the answers already paid for, and what prompts have shown and would show of edits."""
        self._turns.answers.clear()
        self.documents.begin_anew(maps=False)

    def _forget(self, uri: str) -> None:
        self._turns.answers.forget(uri)

    def pause(self, paused: bool) -> None:
        """Offer nothing, or offer again."""
        self.documents.paused = paused
        self._changed()

    def pause_for(self, minutes: float, scope: Scope, name: str) -> None:
        """Let nothing come by itself for so many minutes; what is under way there ends."""
        self.snooze.begin(minutes, scope, name)
        for uri in self.documents:
            opened = self.documents.get(uri)
            if opened is not None and self.snooze.holds(uri, opened.document.language):
                opened.silence(self.acceptance)
        self._changed()

    async def complete(
        self, uri: str, place: Place, *, explicit: bool = False, selected: Selected | None = None
    ) -> tuple[Offer, ...] | None:
        """The texts to offer at a place, best first; none if there is nothing to offer, None if overtaken.

        The newest request of a document wins; an older one is answered at once.  A cancelled one raises
        CancelledError, and its stream is closed.
        """
        opened = self.documents.get(uri)
        if opened is None:
            return ()
        opened.supersede()
        if self._wanted.at(opened, place, explicit=explicit) == "nothing":
            return ()
        if explicit:
            opened.changes.quiet = False
        lines, there = with_entry(opened.document.lines, place, selected)
        if (known := self._turns.known(opened, lines, there, explicit)) is not None:
            if not explicit and selected is None:
                self._turns.ask_ahead(opened, lines, place, known.offers)
            return self._shown(opened, place, known, selected, explicit=explicit)
        opened.turn = turn = self._turns.turn(opened, lines, there, explicit)
        try:
            found = await turn
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                self._turns.abandon(opened)
                raise
            return None
        return None if found is None else self._shown(opened, place, found, selected, explicit=explicit)

    def _shown(
        self, opened: OpenDocument, place: Place, found: Found, selected: Selected | None, *, explicit: bool
    ) -> tuple[Offer, ...]:
        """What of the texts found is offered now, and followed from here on."""
        if place.line >= len(opened.document.lines):
            return found.offers
        lines, there = with_entry(opened.document.lines, place, selected)
        offers = self._wanted.offered(opened, lines, there, found.offers, explicit=explicit)
        return opened.show(place, found._replace(offers=offers), selected, self.acceptance)

    def glance(self, uri: str, place: Place) -> tuple[Offer, ...]:
        """The texts known for a place now; where none is, the question is asked, and the next glance may know."""
        opened = self.documents.get(uri)
        wanted = "nothing" if opened is None else self._wanted.at(opened, place, explicit=False)
        if opened is None or wanted == "nothing":
            return ()
        lines = opened.document.lines
        if (known := self._turns.known(opened, lines, place, False)) is not None:
            return self._shown(opened, place, known, None, explicit=False)
        if wanted == "ask" and (opened.turn is None or opened.turn.done()):
            opened.turn = self._turns.turn(opened, lines, place, False)
            opened.turn.add_done_callback(lambda task: task.cancelled() or task.exception())
        return ()

    async def once(self, uri: str, place: Place, watch: Callable[[str], None]) -> str | None:
        """One text for a place, without waiting or candidates; `watch` sees its whole lines while they come.

        None if there is no answer: completions are off for the document, or `tell` has been told why.
        """
        opened = self.documents.get(uri)
        if opened is None or self._wanted.at(opened, place, explicit=True) == "nothing":
            return None
        question = self.documents.question(opened, opened.document.lines, place)

        def partly(raw: str) -> None:
            # The last line may yet be cut: it is shown when the whole is known.
            kept = raw.rpartition("\n")[0]
            if kept:
                watch(question.tidied(kept).asked.text)

        first = self.backend.endpoints.first
        # What is shown as it comes cannot be taken back.
        seen = partly if question.confidence is None else None
        asked = Generation(self.backend, first, question, watch=seen, others=True, explicit=True)
        offer = await asked.offer()
        return None if offer is None else offer.text

    async def warm(self) -> None:
        """Connect in advance, so that the first completion is as quick as the tenth."""
        if not self.settings.off:
            question = self.documents.rehearsal()
            ending = question.ending()
            ending.feed("1\n")
            question.tidied(ending.text)
            await self.backend.warm()

    def explain(self, uri: str, place: Place) -> dict[str, Any]:
        """What would be sent for a place, whether or not it would be."""
        opened = self.documents.get(uri)
        if opened is None:
            return {"problem": Sentence("This document is not open in the server.")}
        if opened.secret:
            why = self.documents.never_sent.why(uri, opened.notebook)
            problem = Sentence("This document is never sent: it is excluded by {why}.", why=why)
            return {"problem": problem, "excludedBy": why}
        lines, ledger = opened.document.lines, self.backend.ledger
        question = self.documents.question(opened, lines, place)
        endpoint = self.backend.endpoints.answering
        price = ledger.price(endpoint.priced_as) if ledger else None
        parts = parts_of(opened.window.parts, name_of(uri), price)
        known = self._turns.answers.find(self.documents.name(opened), lines, place) is not None
        healing = endpoint.healing
        left = healing.wanted(question.prompt.prefix)
        request = question.request(endpoint.settings.model, question.temperature, left, held=healing.holds)
        shown = endpoint.service().shown(request)
        about = explained(question, request, shown, parts, endpoint.settings, self.settings)
        return {**about, "known": known}

    def _fit(self, found: look.Found) -> None:
        """Have prompts fit the engine that is asked first: what it would cut is not sent.

        What a fallback would cut is left out as the request is rendered, so that the prompts of the first stay as they are.
        """
        chosen = self.settings
        pace = self.backend.endpoints.first.pace
        shown = pace.shown() if found.dialect.own else Shown()
        suffix = chosen.most_suffix(shown.suffix)
        bounds = room_of(found.dialect, found.context_tokens, chosen.max_tokens, suffix)
        room = Room(*bounds, shown).narrowed(pace.room)
        if room != self.documents.room:
            self.documents.room = room
            self.documents.begin_anew(maps=False)

    async def aclose(self) -> None:
        """End everything that is under way."""
        for uri in self.documents:
            self.close(uri)
        await self.backend.aclose()


def _windowing(settings: Settings) -> tuple[Any, ...]:
    """The settings on which the windows depend."""
    s = settings
    return s.prefix_chars, s.suffix_chars, *_showing(s)


def _showing(settings: Settings) -> tuple[Any, ...]:
    """The settings on which it depends, what of other files is shown."""
    s = settings
    on = {name: row if isinstance(row, bool) else row.get("enabled") for name, row in s.languages.items()}
    return s.context, s.own("context"), s.exclude, s.enabled, on


def _reaching(settings: Settings) -> tuple[Any, ...]:
    """The settings on which it depends, who is asked for what."""
    s = settings
    return s.base_url, s.engine, s.template, s.fallback


def _answering(settings: Settings) -> tuple[Any, ...]:
    """The settings on which an answer depends."""
    s = settings
    own = [s.own(name) for name in ("max_tokens", "temperature", "multiline", "context", "confidence")]
    held = s.max_tokens, s.temperature, s.multiline, s.context, s.confidence
    return s.model, *held, *_reaching(s), own
