"""One completion, from a document and a place to text worth inserting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, unquote

from fim_lsp.completion import answer_cache, debounce
from fim_lsp.completion.answer_cache import AnswerCache, Offer, Spot
from fim_lsp.completion.ask_floor import Floor
from fim_lsp.completion.ghost import Acceptance, Ghost
from fim_lsp.completion.problems import Problem, Problems
from fim_lsp.completion.stream import Stream
from fim_lsp.context.project_context import Map
from fim_lsp.context.project_contexts import Key, ProjectContexts
from fim_lsp.context.window import Parts, Prompt, Window
from fim_lsp.endpoint.breaker import Breaker
from fim_lsp.endpoint.request import Balance, Refused, Request, ServiceError, Unavailable, Usage
from fim_lsp.lsp.menu import Selected
from fim_lsp.privacy import patch
from fim_lsp.privacy.exclude import excluded
from fim_lsp.privacy.location import FOLDS, paths
from fim_lsp.privacy.secrets import Redactor
from fim_lsp.settings.settings import Settings
from fim_lsp.text.characters import Holds
from fim_lsp.text.document import Document, Edit, Place, body
from fim_lsp.text.early_stop import Ending
from fim_lsp.text.extent import Extent, extent
from fim_lsp.text.language import language
from fim_lsp.text.postprocess import tidy
from fim_lsp.usage.account import Account, Ledger
from fim_lsp.usage.token_counts import CHARACTERS, TokenCounts

log = logging.getLogger(__name__)

AFTER = 4_000  # characters after the cursor that trimming looks at; more than is sent
GRACE = (
    0.15  # seconds that a cancelled stream waits for the next key's request, if what was typed agrees with it
)
PAUSE = 60.0  # seconds without a key, after which the next one sees to it that a connection stands ready
REST = 600.0  # seconds without a key, after which what prompts open with may change
LINGER = 0.05  # seconds that a stream is held for its bill, once its text is complete
LEFT = 64  # windows of closed documents that are kept
NEARLY = 3  # characters left to type, at which what follows is asked for: about the time of an answer
CANDIDATES = 3  # texts offered to an explicit ask
VARIETY = 0.8  # least temperature of the second and third
FAREWELL = 1.0  # seconds in which what is under way may end when the server does
PATIENCE = 0.5  # seconds that the first candidate waits for the others


class Reply(Protocol):
    """An answer as it streams: its pieces of text, and what it is billed for once that is known."""

    usage: Usage | None
    finish_reason: str | None

    def __aiter__(self) -> AsyncIterator[str]:
        """Read the pieces."""


class Service(Protocol):
    """What the engine needs of the endpoint's client."""

    def complete(self, request: Request, *, seconds: float) -> AbstractAsyncContextManager[Reply]:
        """Ask once, streamed; leaving the context closes the stream."""

    async def warm(self) -> None:
        """Connect in advance; never raises."""

    async def balance(self) -> Balance:
        """What is left on the account."""

    async def aclose(self) -> None:
        """Close every connection."""


class _Found(NamedTuple):
    offers: tuple[Offer, ...]
    number: int | None = None  # of the request that paid for it, in the record of usage


@dataclass(slots=True)
class _Open:
    document: Document
    window: Window
    flight: Stream | None = None
    ahead: Stream | None = None  # for the place behind a ghost text that is nearly typed to its end
    turn: asyncio.Task[_Found | None] | None = None
    edits: int = 0  # that the document has gone through since it is open
    asked_at: float = float("-inf")  # clock seconds of the last request
    ghost: Ghost | None = None
    secret: bool = False  # whether the document is never to be sent
    notebook: str = ""  # the URI of the notebook that it is a cell of
    cuts: int = 0  # how often text was taken out of it
    unsaved: bool = False


@dataclass(slots=True)
class _Question:
    """A place as the model and the trimming see it, taken before any waiting: the text may move on."""

    uri: str
    prompt: Prompt
    after: str
    spot: Spot
    shape: Extent
    temperature: float
    language: str
    line_end: str
    holds: Holds
    made: tuple[int, int]  # when: what is taken back later than that must not be in it


class Engine:
    """Documents, their windows and streams, and the answers already paid for; one instance a server."""

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
        ignored: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`changed` is called when the state may have changed, `tell` when a problem is to be shown.

        `ignored` says whether an ignore file keeps a path secret.
        """
        self.settings = settings
        self.counts = TokenCounts()
        self.acceptance = Acceptance()
        self.ledger: Ledger | None = None
        self.paused = False
        self.problems = Problems(clock)
        self._connect = connect
        self._clock = clock
        self._sleep = sleep
        self._changed = changed
        self._tell = tell
        self._open: dict[str, _Open] = {}
        self._answers = AnswerCache(settings.cache_size, settings.cache_ttl_seconds, clock)
        self._breaker = Breaker(random)
        self._floor = Floor()
        self._stories = ProjectContexts()
        self._asked = ""  # the document last asked for
        self._ignored = ignored
        self._roots: frozenset[str] = frozenset()  # the workspace's folders
        self._redactor = Redactor()
        self._left: dict[str, Window] = {}  # of closed documents, which may come back
        self._touched: dict[
            str, Sequence[str]
        ] = {}  # documents whose logged lines may no longer stand; their lines
        self._taken = 0  # how often something was taken back that prompts may have shown
        self._service: Service | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._asking: set[asyncio.Task[Any]] = set()  # what reads an answer of the service
        self._stirred = clock()  # when a key was last struck

    @property
    def state(self) -> str:
        """`paused`, `error`, `busy` or `ready`; a budget that is used up is a pause, too."""
        if self.settings.halted:
            return "error"
        if self.paused or self.settings.off:
            return "paused"
        if self.problems.current is not None:
            return "error"
        if self._asking:
            return "busy"
        return "paused" if self.over_budget else "ready"

    @property
    def over_budget(self) -> str | None:
        """What is to be said while the budget is used up; None while it is not."""
        return self.ledger.over() if self.ledger is not None and not self.settings.off else None

    def open(self, document: Document, notebook: str = "") -> None:
        """Take a document in, or a cell of the notebook with that URI; one that was open is replaced."""
        before = self._open.get(document.uri)
        notebook = notebook or (before.notebook if before else "")
        self.close(document.uri)
        language(document.language)  # loaded here, not at the first key
        secret = self._secret(document.uri, notebook)
        window, left = self._window(document, secret=secret), self._left.pop(document.uri, None)
        if left is not None and left.story is window.story:
            window = left
            window.reopened(document.lines)
        opened = self._open[document.uri] = _Open(document, window, secret=secret, notebook=notebook)
        self._doubt(document.uri, document.lines if window.story is not None else ())
        self._recall(opened)

    def document(self, uri: str) -> Document | None:
        """The open document of that name."""
        opened = self._open.get(uri)
        return opened.document if opened else None

    def uris(self) -> list[str]:
        """The open documents' names."""
        return list(self._open)

    def edited(self, uri: str, edit: Edit, *, typed: bool = True) -> None:
        """Take note of a change that the document has gone through; one that nobody `typed` is no news to others."""
        opened = self._open[uri]
        opened.edits += 1
        now = self._clock()
        if now - self._stirred > REST:
            self._stories.rest()
        if now - self._stirred > PAUSE and self._service is not None:
            self._beside(self._service.warm())
        self._stirred = now
        opened.window.edited(edit, typed=typed and self._offers(opened))
        opened.cuts += edit.start < edit.end
        opened.unsaved = True
        self._touched[uri] = opened.document.lines
        if opened.flight is not None and not opened.flight.follow(edit):
            opened.flight.land()
        if opened.ghost is not None:
            self._follow(opened, opened.ghost, edit)

    def saved(self, uri: str) -> None:
        """Take note that a document's file holds its text now."""
        if (opened := self._open.get(uri)) is not None:
            opened.unsaved = False

    def close(self, uri: str) -> bool:
        """Let a document go, and end what is under way for it; whether it had changes that were not saved."""
        opened = self._open.pop(uri, None)
        if opened is not None:
            opened.window.left(opened.document.lines, _name(uri))
            self._left[uri] = opened.window
            if len(self._left) > LEFT:
                del self._left[next(iter(self._left))]
            self._supersede(opened)
            self._vanish(opened)
            self._land(opened)
            for other in self._open.values():
                self._recall(other)
        return opened is not None and opened.unsaved

    def kept(self) -> set[str]:
        """The documents that are not open, of which prompts may show something."""
        return (self._left.keys() | self._stories.documents()) - self._open.keys()

    def rest(self, uri: str, text: str | None) -> None:
        """Learn what the file of a document that is not open holds now; None if there is none any more."""
        if uri in self._open:
            return
        if text is None:
            self.forget(uri)
        else:
            self._doubt(uri, Document(uri, "", 0, text).lines)

    def forget(self, uri: str) -> None:
        """Show nothing more of what was edited in a document, nor what was shown of it while it was open before."""
        self._doubt(uri, ())
        self._left.pop(uri, None)
        self._answers.forget(uri)
        if (opened := self._open.get(uri)) is not None:
            opened.window.disown()
        self._take_back()

    def renamed(self, old: str, new: str) -> None:
        """A file or folder has another name now: one under which it is never sent takes effect at once."""
        for uri in [*self._open, *self.kept()]:
            if uri != old and not uri.startswith(f"{old.rstrip('/')}/"):
                continue
            self.forget(uri)
            opened = self._open.get(uri)
            if opened is not None and self._secret(new + uri.removeprefix(old), opened.notebook):
                opened.secret = True
                self._silence(opened)
                opened.window = self._window(opened.document, secret=True)

    async def configure(self, settings: Settings) -> None:
        """Put new settings in force: what rests because of the old ones may try again."""
        old, self.settings = self.settings, settings
        if (old.cache_size, old.cache_ttl_seconds) != (settings.cache_size, settings.cache_ttl_seconds):
            self._answers = AnswerCache(settings.cache_size, settings.cache_ttl_seconds, self._clock)
        if _windowing(old) != _windowing(settings):
            self._anew(maps=_showing(old) != _showing(settings))
        if _answering(old) != _answering(settings):
            self._answers.clear()
        if old != settings:
            self._breaker.reset()
            self.problems.over()
        self._changed()
        if (old.base_url, old.api_key) != (settings.base_url, settings.api_key):
            for opened in self._open.values():
                self._land(opened)
            service, self._service = self._service, None
            if service is not None:
                await service.aclose()

    def folders(self, uris: Iterable[str]) -> None:
        """Learn the workspace's folders, and what their ignore files say now; each has its own map and log of edits."""
        self._roots = frozenset(uri.rstrip("/") + "/" for uri in uris)
        self._stories.folders(self._roots)
        self._anew(maps=True)

    def withdraw(self) -> None:
        """Begin anew, without the maps known so far: something that they may show is to stay home from now on."""
        self._anew(maps=True)

    def recheck(self) -> None:
        """Look again at which documents are never sent: an ignore file says something else."""
        if any(
            self._secret(name, opened.notebook) is not opened.secret for name, opened in self._open.items()
        ):
            self._anew(maps=True)

    def draw(self, maps: Mapping[Key, Map]) -> None:
        """Take in maps of folders and packages, of families of languages and levels."""
        others = self._stories.packages(key.folder for key in maps if key.folder not in self._roots)
        grown = [self._stories.learn(key, newer) for key, newer in maps.items()]
        if others:
            self._anew(maps=False)
        for story in grown:
            if story is not None:
                for opened in self._open.values():
                    opened.window.renew(story)

    def near(self, uri: str, found: Map) -> None:
        """Take in what a document imports: its prompts open with it the next time that they open anew."""
        opened = self._open.get(uri)
        if opened is not None:
            opened.window.imports(found)

    def clear(self) -> None:
        """Forget the answers already paid for, and what prompts have shown and would show of edits."""
        self._answers.clear()
        self._anew(maps=False)

    def pause(self, paused: bool) -> None:
        """Offer nothing, or offer again."""
        self.paused = paused
        self._changed()

    async def complete(
        self, uri: str, place: Place, *, explicit: bool = False, selected: Selected | None = None
    ) -> tuple[Offer, ...] | None:
        """The texts to offer at a place, best first; none if there is nothing to offer, None if overtaken.

        The newest request of a document wins; an older one is answered at once.  A cancelled one raises
        CancelledError, and its stream is closed.
        """
        opened = self._open.get(uri)
        if opened is None:
            return ()
        self._supersede(opened)
        if not self._wanted(opened, place, explicit):
            return ()
        lines, there = _with(opened.document.lines, place, selected)
        if (known := self._known(opened, lines, there, explicit)) is not None:
            if not explicit and selected is None:
                self._ask_ahead(opened, lines, place, known.offers)
            return self._show(opened, place, known, selected)
        turn = asyncio.create_task(self._turn(opened, lines, there, explicit))
        opened.turn = turn
        try:
            found = await turn
            return None if found is None else self._show(opened, place, found, selected)
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                self._abandon(opened)
                raise
            return None

    def glance(self, uri: str, place: Place) -> tuple[Offer, ...]:
        """The texts known for a place now; where none is, the question is asked, and the next glance may know."""
        opened = self._open.get(uri)
        if opened is None or not self._wanted(opened, place, False):
            return ()
        lines = opened.document.lines
        if (known := self._known(opened, lines, place, False)) is not None:
            return self._show(opened, place, known, None)
        if opened.turn is None or opened.turn.done():
            opened.turn = asyncio.create_task(self._turn(opened, lines, place, False))
            opened.turn.add_done_callback(lambda task: task.cancelled() or task.exception())
        return ()

    async def once(self, uri: str, place: Place, watch: Callable[[str], None]) -> str | None:
        """One text for a place, without waiting or candidates; `watch` sees its whole lines while they come.

        None if there is no answer: completions are off for the document, or `tell` has been told why.
        """
        opened = self._open[uri]
        if not self._wanted(opened, place, True):
            return None
        question = self._question(opened, opened.document.lines, place)

        def partly(raw: str) -> None:
            # The last line may yet be cut: it is shown when the whole is known.
            kept = raw.rpartition("\n")[0]
            if kept:
                watch(self._tidied(question, kept).text)

        offer = await self._read(question, question.temperature, watch=partly)
        return None if offer is None else offer.text

    async def warm(self) -> None:
        """Connect in advance, so that the first completion is as quick as the tenth."""
        if not self.settings.off:
            self._rehearse()
            await self.service().warm()

    async def weigh(self) -> None:
        """Look at what is left on the account, where the service tells."""
        if self.ledger is not None and not self.settings.off:
            with suppress(ServiceError):
                self.ledger.weigh(await self.service().balance())

    def _rehearse(self) -> None:
        """Go once through what every completion goes through, so that the first one finds it loaded."""
        document = Document("", "python", 0, "x = 1\n")  # with a digit, so that it is looked at for secrets
        rehearsed = _Open(document, self._window(document, secret=True))
        question = self._question(rehearsed, document.lines, Place(0, 4))
        ending = Ending(question.prompt.prefix, question.after, question.language, question.shape)
        ending.feed("1\n")
        self._tidied(question, ending.text)

    def explain(self, uri: str, place: Place) -> dict[str, Any]:
        """What would be sent for a place, whether or not it would be."""
        opened = self._open.get(uri)
        if opened is None:
            return {"problem": "This document is not open in the server."}
        if opened.secret:
            return {"problem": "This document is never sent: it is excluded."}
        question = self._question(opened, opened.document.lines, place)
        request = self._request(question, question.temperature)
        return {
            "url": f"{self.settings.base_url}/beta/completions",
            "model": request.model,
            "prompt": request.prefix,
            "suffix": request.suffix,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "stop": list(request.stop),
            "kind": question.shape.kind,
            "parts": _parts(opened.window.parts, _name(uri), self.ledger.price() if self.ledger else None),
            "known": self._answers.find(uri, opened.document.lines, place) is not None,
        }

    async def settled(self) -> None:
        """Wait until what goes on beside the requests has ended."""
        if self._background:
            await asyncio.wait(self._background)

    async def aclose(self) -> None:
        """End everything that is under way."""
        for uri in list(self._open):
            self.close(uri)
        ending = (self._asking | self._background) - {asyncio.current_task()}
        for task in ending:
            if not task.cancelling():  # one that is ending may still have to close its stream
                task.cancel()
        if ending:
            await asyncio.wait(ending, timeout=FAREWELL)  # so that each has its row in the record
        service, self._service = self._service, None
        if service is not None:
            await service.aclose()

    def service(self) -> Service:
        """The endpoint's client for the settings in force."""
        if self._service is None:
            self._service = self._connect(self.settings)
        return self._service

    def _follow(self, opened: _Open, ghost: Ghost, edit: Edit) -> None:
        """Tell from an edit alone whether the ghost text is typed along, or a part of it was taken."""
        before = ghost.taken
        fate = ghost.follow(edit, opened.document.lines)
        self.acceptance.met(fate)
        if ghost.gone:
            opened.ghost = None
            ahead, opened.ahead = opened.ahead, None
            if ahead is not None and fate in {"all", "typed"}:
                self._land(opened)
                opened.flight = ahead
            elif ahead is not None:
                ahead.land()
        if ghost.taken > before and self.ledger is not None and ghost.number is not None:
            self.ledger.accepted(ghost.number, ghost.taken)

    def _vanish(self, opened: _Open) -> None:
        """The ghost text is no longer on screen."""
        if opened.ghost is not None:
            self.acceptance.met(opened.ghost.ends())
            opened.ghost = None

    def _show(
        self, opened: _Open, place: Place, found: _Found, selected: Selected | None
    ) -> tuple[Offer, ...]:
        """Follow from here on what is offered; a menu's entry comes before it, in place of what was typed of it."""
        offers, lines = found.offers, opened.document.lines
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
        ghost = opened.ghost
        if ghost is None or not ghost.renewed(lines, place, offers):
            self._vanish(opened)
            self.acceptance.shown += 1
            opened.ghost = Ghost(lines, place, offers, found.number, foreign)
        return found.offers

    def _window(self, document: Document, *, secret: bool) -> Window:
        uri, language = document.uri, document.language
        how = "off" if secret or patch.may_hold(uri, language) else self.settings.shown(language)
        story = self._stories.of(uri, language, how)
        return Window(self.settings.prefix_chars, self.settings.suffix_chars, story, uri, self._redactor)

    def _anew(self, *, maps: bool) -> None:
        """Begin all windows and stories anew, after something on which they depend, or what `maps` may show, has changed."""
        self._stories.forget(maps=maps)
        self._left.clear()
        self._touched.clear()
        self._taken += 1
        for opened in self._open.values():
            opened.secret = self._secret(opened.document.uri, opened.notebook)
            # What is about to be asked may show what is to stay home now.
            if maps or not self._offers(opened):
                self._silence(opened)
            opened.window = self._window(opened.document, secret=opened.secret)

    def _silence(self, opened: _Open) -> None:
        """End what is under way for a document in which nothing is offered any more."""
        self._supersede(opened)
        self._vanish(opened)
        self._land(opened)

    def _doubt(self, uri: str, lines: Sequence[str]) -> None:
        """What was logged of a document is to be looked for in these lines."""
        self._stories.doubt(uri)
        self._touched[uri] = lines

    def _take_back(self) -> None:
        """Have the logs drop what no longer stands in documents that have changed."""
        touched, self._touched = self._touched, {}
        for uri, lines in touched.items():
            self._taken += self._stories.settle(uri, lines, self._redactor.shown(lines))

    def _recall(self, opened: _Open) -> None:
        """A secret document that was known under another name, now closed, is to be known no more."""
        if opened.secret:
            lines = opened.document.lines
            for uri in self._stories.recall(lines + self._redactor.shown(lines)[:], self._open):
                self.forget(uri)

    def _secret(self, uri: str, notebook: str) -> bool:
        """Whether a document is never to be sent, by any path of it or its notebook; the settings have the last word."""
        named = [*paths(uri), *(paths(notebook) if notebook else ())]
        return excluded(named, self.settings.exclude, fold=FOLDS, ignored=self._ignored)

    def _sendable(self, opened: _Open, lines: Sequence[str]) -> Sequence[str]:
        """The lines of a document, those of a patch to a secret file blank."""
        uri = opened.document.uri
        if not patch.may_hold(uri, opened.document.language):
            return lines
        roots = {patch.root(uri), *self._roots}
        return patch.without(lines, lambda path: any(self._secret(root + quote(path), "") for root in roots))

    def _offers(self, opened: _Open) -> bool:
        """Whether anything is ever offered in a document as things stand."""
        return not (self.paused or opened.secret or not self.settings.of(opened.document.language).enabled)

    def _wanted(self, opened: _Open, place: Place, explicit: bool) -> bool:
        document = opened.document
        if not self._offers(opened):
            return False
        line = document.lines[place.line]
        if line.strip() and not self._sendable(opened, document.lines)[place.line].strip():
            return False
        if explicit:
            return True
        return not debounce.rests(line[: place.column], body(line)[place.column :])

    def _known(self, opened: _Open, lines: Sequence[str], place: Place, explicit: bool) -> _Found | None:
        known = self._answers.find(opened.document.uri, lines, place)
        if known is None:
            return None
        spot = answer_cache.spot(opened.document.uri, lines, place)
        if explicit and len(known) < CANDIDATES and not self._answers.asked_all(spot):
            return None
        self.counts.local_hits += 1
        number = None
        if opened.ghost is not None:
            opened.ghost.passed(opened.document.lines, place)
        if opened.ghost is not None and opened.ghost.shows(place, known):
            number = opened.ghost.number  # typed along: what is taken of it counts for the request that paid
        elif self.ledger is not None:
            document, shown = opened.document, sum(len(offer.text) for offer in known[:1])
            what = {
                "model": self.settings.model,
                "language": document.language,
                "ended": "local",
                "shown": shown,
            }
            number = self.ledger.ended(None, document.uri, **what)
        return _Found(known, number)

    def _supersede(self, opened: _Open) -> None:
        if opened.turn is not None:
            opened.turn.cancel()
            opened.turn = None

    @staticmethod
    def _land(opened: _Open) -> None:
        """End what is under way for a document."""
        for flight in (opened.flight, opened.ahead):
            if flight is not None:
                flight.land()

    def _abandon(self, opened: _Open) -> None:
        flight = opened.flight
        if flight is None or flight.over or flight.waiters:
            return
        if not flight.edited:
            flight.land()
            return
        self._beside(self._land_later(flight))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the requests; held until it is done."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _land_later(self, flight: Stream) -> None:
        await self._sleep(GRACE)
        if not flight.waiters:
            flight.land()

    def _turn(
        self, opened: _Open, lines: Sequence[str], place: Place, explicit: bool
    ) -> Coroutine[Any, Any, _Found | None]:
        """What is found for a place of the document as it is now; None if it was edited before it was asked about."""
        return self._turned(opened, lines, place, explicit, opened.edits)

    async def _turned(
        self, opened: _Open, lines: Sequence[str], place: Place, explicit: bool, edits: int
    ) -> _Found | None:
        while True:
            if opened.edits != edits:
                return None  # the place may not even be there any more
            flight = opened.flight
            if flight is None or explicit or not flight.serves(lines, place):
                if flight is not None:
                    flight.land()
                question = self._question(opened, lines, place)
                known = (self._answers.find(opened.document.uri, lines, place) or ()) if explicit else ()
                if not explicit:
                    spare = self.settings.spare_peak_hours and self.ledger is not None and self.ledger.peak()
                    setting = self.settings.of(opened.document.language).debounce_ms
                    wait = debounce.delay(setting, self._clock() - opened.asked_at, spare=spare)
                    if wait:
                        await self._sleep(wait)
                        self._take_back()
                        if question.made != (self._taken, opened.cuts) or not self._offers(opened):
                            return _Found(())
                elif wait := self._floor.wait(self._clock()):
                    await self._sleep(wait)
                if not self._may_ask(explicit=explicit):
                    return _Found(())
                opened.asked_at = self._clock()
                flight = opened.flight = Stream(place, question.spot, self._ask(question, explicit, known))
            typed, tail = flight.typed, flight.tail
            await flight.landed()
            if flight.offers is None:
                if flight.disagreed:
                    continue
                return _Found(())
            if not typed and tail == flight.spot.tail:
                return _Found(flight.offers, flight.number)
            along = (answer_cache.along(flight.spot, offer, typed, tail) for offer in flight.offers)
            if left := tuple(offer for offer in along if offer is not None and offer.text):
                return _Found(left, flight.number)

    def _ask_ahead(
        self, opened: _Open, lines: Sequence[str], place: Place, offers: tuple[Offer, ...]
    ) -> None:
        """Ask for what follows a text of which only some last characters of a line are left to type."""
        left = offers[0] if offers else Offer("")
        if not 0 < len(left.text) <= NEARLY or left.covers or "\n" in left.text or opened.ahead is not None:
            return
        if opened.ghost is None or not opened.ghost.shows(place, offers):
            return
        line = lines[place.line]
        typed = line[: place.column] + left.text
        then = [*lines[: place.line], typed + line[place.column :], *lines[place.line + 1 :]]
        there = Place(place.line, len(typed))
        if self._answers.find(opened.document.uri, then, there) is None and self._may_ask(explicit=False):
            question = self._question(opened, then, there)
            opened.asked_at = self._clock()
            opened.ahead = Stream(there, question.spot, self._ask(question, explicit=False, known=()))

    def _may_ask(self, *, explicit: bool) -> bool:
        """Whether a request may leave now, by the breaker and the budget."""
        if not self._breaker.allows(self._clock(), explicit=explicit):
            return False
        if self.ledger is not None and not self.ledger.allows():
            self._breaker.given_up()
            return False
        return True

    def _question(self, opened: _Open, lines: Sequence[str], place: Place) -> _Question:
        document = opened.document
        last, self._asked = self._open.get(self._asked), document.uri
        if last is not None and last is not opened:
            last.window.left(last.document.lines, _name(last.document.uri))
        self._take_back()
        lines = self._sendable(opened, lines)
        prompt = opened.window.prompt(lines, place, _name(document.uri))
        after = self._redactor.shown(lines).after(place, AFTER)
        chosen = self.settings.of(document.language)
        form = extent(prompt.prefix, after, document.language, chosen.multiline, chosen.max_tokens)
        inside = form.site.inside if form.site else ""
        spot = answer_cache.spot(document.uri, lines, place, document.language, inside)
        return _Question(
            document.uri,
            prompt,
            after,
            spot,
            form,
            chosen.temperature,
            document.language,
            document.line_end,
            document.holds,
            (self._taken, opened.cuts),
        )

    def _request(self, question: _Question, temperature: float) -> Request:
        return Request(
            prefix=question.prompt.prefix,
            suffix=question.prompt.suffix,
            model=self.settings.model,
            max_tokens=question.shape.max_tokens,
            temperature=temperature,
            stop=question.shape.stop,
        )

    def _ask(self, question: _Question, explicit: bool, known: tuple[Offer, ...]) -> Callable[[Stream], Any]:
        async def work(flight: Stream) -> None:
            # Where the last request failed, one asks whether the service is well again.
            well = explicit and self._breaker.state(self._clock()) == "ready"
            others = [
                asyncio.create_task(self._read(question, max(VARIETY, question.temperature)))
                for _ in range(CANDIDATES - max(len(known), 1) if well else 0)
            ]
            try:
                offers = list(known)
                if not offers:
                    first = await self._read(question, question.temperature, flight)
                    if first is None:
                        return
                    offers.append(first)
                if others:
                    await asyncio.wait(others, timeout=PATIENCE if not known else None)
                    done = [other.result() for other in others if other.done() and not other.cancelled()]
                    offers += [offer for offer in done if offer is not None]
                flight.offers = tuple(dict.fromkeys(offer for offer in offers if offer.text))
                self._answers.put(question.spot, flight.offers, asked_all=well)
            finally:
                if explicit and flight.offers is None:
                    self._floor.came_to_nothing(self._clock())
                for other in others:
                    other.cancel()

        return work

    async def _read(
        self,
        question: _Question,
        temperature: float,
        flight: Stream | None = None,
        watch: Callable[[str], None] | None = None,
    ) -> Offer | None:
        """One answer of the model, tidied; None if it failed or the person typed something else."""
        request = self._request(question, temperature)
        before = question.prompt.prefix
        ending = Ending(before, question.after, question.language, question.shape, question.holds)
        number = None
        if self.ledger is not None:
            try:
                number = await self.ledger.reserve(request.model, question.prompt, request.max_tokens)
            except asyncio.CancelledError:
                self._breaker.given_up()
                raise
            if number is None:
                self._breaker.given_up()
                return None
        account = Account(
            question.prompt,
            number=number,
            max_tokens=request.max_tokens,
            uri=question.uri,
            model=request.model,
            language=question.language,
            counts=self.counts,
            ledger=self.ledger,
            clock=self._clock,
        )
        reading = asyncio.current_task()
        assert reading is not None
        self._asking.add(reading)
        self._changed()
        if flight is not None:
            flight.number = account.number
        ended, offer = "cut", Offer("")
        usage: Usage | None = None
        lingers = False
        try:
            async with AsyncExitStack() as stack:
                asked = self.service().complete(request, seconds=self.settings.timeout_seconds)
                reply = await stack.enter_async_context(asked)
                pieces = aiter(reply)
                async for piece in pieces:
                    account.heard()
                    full = ending.feed(piece)
                    if flight is not None:
                        flight.raw = ending.text
                        if not flight.agrees(ending.text):
                            flight.disagreed = True
                            self._breaker.given_up()
                            return None
                    if watch is not None:
                        watch(ending.text)
                    if full:
                        break
                usage = reply.usage
                offer = self._tidied(question, ending.text, cut=reply.finish_reason == "length")
                ended = "done"
                took = account.done()
                if usage is None and ending.bare:
                    lingers = True
                    rest = stack.pop_all()
                    self._beside(self._linger(rest, pieces, reply, account, ending.text, len(offer.text)))
        except ServiceError as error:
            if not (isinstance(error, Unavailable) and error.cause == "deadline" and ending.text.strip()):
                ended = "failed"
                self._failed(error)
                return None
            offer = self._tidied(question, ending.text, cut=True)
            took = account.done()
        except asyncio.CancelledError:
            self._breaker.given_up()
            raise
        finally:
            self._asking.discard(reading)
            if not lingers:
                account.close(ended, ending.text, usage, len(offer.text))
            self._changed()
        self._worked()
        sent = map(len, question.prompt)
        log.info(
            "%d + %d characters sent, %d read, %d kept, %.0f ms",
            *sent,
            len(ending.text),
            len(offer.text),
            took,
        )
        return offer

    async def _linger(
        self,
        stack: AsyncExitStack,
        pieces: AsyncIterator[str],
        reply: Reply,
        account: Account,
        text: str,
        shown: int,
    ) -> None:
        """Read on for a moment behind a text that is complete: where the model ends here too, its bill comes."""
        try:
            async with stack:
                further = asyncio.ensure_future(anext(pieces, ""))
                nap = asyncio.ensure_future(self._sleep(LINGER))
                try:
                    await asyncio.wait({further, nap}, return_when=asyncio.FIRST_COMPLETED)
                    if further.done() and not further.exception():
                        text += further.result()
                finally:
                    for task in (further, nap):
                        task.cancel()
                    await asyncio.wait({further, nap})
        finally:
            account.close("done", text, reply.usage, shown)

    @staticmethod
    def _tidied(question: _Question, raw: str, *, cut: bool = False) -> Offer:
        q = question
        about = q.prompt.prefix, q.after, q.language, q.shape, q.line_end
        return Offer(*tidy(raw, *about, cut=cut, holds=q.holds))

    def _worked(self) -> None:
        self._breaker.succeeded()
        if self.problems.over():
            self._changed()

    def _failed(self, error: ServiceError) -> None:
        self._breaker.failed(error, self._clock())
        problem = Problem(error.cause, error.message, isinstance(error, Refused))
        if self.problems.met(problem):
            self._tell(problem)


def _windowing(settings: Settings) -> tuple[Any, ...]:
    """The settings on which the windows depend."""
    s = settings
    return s.prefix_chars, s.suffix_chars, *_showing(s)


def _showing(settings: Settings) -> tuple[Any, ...]:
    """The settings on which it depends, what of other files is shown."""
    s = settings
    on = {name: row if isinstance(row, bool) else row.get("enabled") for name, row in s.languages.items()}
    return s.context, s.own("context"), s.exclude, s.enabled, on


def _answering(settings: Settings) -> tuple[Any, ...]:
    """The settings on which an answer depends."""
    s = settings
    own = [s.own(name) for name in ("max_tokens", "temperature", "multiline", "context")]
    return s.model, s.max_tokens, s.temperature, s.multiline, s.context, s.base_url, own


def _parts(parts: Parts, document: str, price: tuple[float, float] | None) -> list[dict[str, Any]]:
    """What a prompt's prefix is made of, in order, from which files, and what it costs.

    Tokens are estimated; dollars are for one request, where the part is billed as a hit and where it is new.
    """
    opening = parts.opening
    found: list[tuple[str, int, Iterable[str]]] = [
        ("map", len(opening.map), opening.mapped),
        ("log of edits", len(opening.log), opening.logged),
        ("near this file", len(opening.near), opening.imported),
        ("earlier", parts.before, [document]),
        ("live", parts.live, [document]),
    ]
    out: list[dict[str, Any]] = []
    for what, size, files in found:
        if not size:
            continue
        tokens = round(size / CHARACTERS)
        out.append({"what": what, "characters": size, "tokens": tokens, "files": list(files)})
        if price is not None:
            out[-1]["usdKept"], out[-1]["usdNew"] = (round(tokens * one / 1e6, 8) for one in price)
        if what == "live":
            out[-1]["lines"] = [parts.first + 1, parts.last + 1]  # from 1
    return out


def _with(lines: list[str], place: Place, selected: Selected | None) -> tuple[list[str], Place]:
    """The lines and the place as they are once the selected entry stands on the line."""
    if selected is None:
        return lines, place
    line = lines[place.line]
    changed = line[: selected.column] + selected.text
    return (
        [*lines[: place.line], changed + line[place.column :], *lines[place.line + 1 :]],
        Place(place.line, len(changed)),
    )


def _name(uri: str) -> str:
    """The file's name, as the model is told it: nothing of the folders it is in."""
    return unquote(uri.rsplit("/", 1)[-1])
