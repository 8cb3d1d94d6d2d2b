"""The service behind the completions: who answers, what it was paid, what is under way, and what the user was told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextlib import suppress
from typing import Any

from fim_lsp.completion.ask_floor import Floor
from fim_lsp.completion.endpoints import Endpoint, Endpoints
from fim_lsp.completion.problems import Problem, Problems
from fim_lsp.completion.service import Service
from fim_lsp.endpoint.look import Found
from fim_lsp.endpoint.request import Refused, ServiceError
from fim_lsp.settings.settings import Settings
from fim_lsp.usage.account import Ledger
from fim_lsp.usage.token_counts import Sums
from fim_lsp.words.sentence import Sentence

FAREWELL = 1.0  # seconds in which what is under way may end when the server does


class Backend:
    """The endpoints, connected to when they are first needed, and everything that their answers and failures have told."""

    def __init__(
        self,
        settings: Settings,
        connect: Callable[[Settings], Service],
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        changed: Callable[[], None],
        tell: Callable[[Problem], None],
    ) -> None:
        """`changed` is called when the state may have changed, `tell` when a problem is to be shown."""
        self.settings = settings
        self.counts = Sums()
        self.ledger: Ledger | None = None
        self.problems = Problems(clock)
        self.endpoints = Endpoints(settings, connect, random, self.counts)
        self.floor = Floor()
        self.clock = clock
        self.sleep = sleep
        self.changed = changed
        self.fit: Callable[[Found], None] = lambda _: (
            None
        )  # called with what the first endpoint was found to be
        self._tell = tell
        self._asking: set[asyncio.Task[Any]] = set()  # what reads an answer of the service
        self._background: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether an answer is being read."""
        return bool(self._asking)

    def service(self) -> Service:
        """The client of the endpoint that is asked first."""
        return self.endpoints.first.service()

    def configure(self, settings: Settings) -> list[Endpoint]:
        """Put other settings in force: what rests because of the old ones may try again; the endpoints to be closed."""
        old, self.settings = self.settings, settings
        if old == settings:
            return []
        self.problems.over()
        return self.endpoints.configure(settings)

    async def meet(self, endpoint: Endpoint) -> None:
        """Learn what an endpoint is, where it is not known yet."""
        found = await endpoint.service().meet()
        if found is not None and found is not endpoint.found:
            endpoint.met(found)
            if endpoint is self.endpoints.first:
                self.fit(found)
            self.changed()

    def paced(self, endpoint: Endpoint) -> None:
        """An engine has shown that it reads faster, or slower, than was known: prompts have another room."""
        if endpoint is self.endpoints.first and endpoint.found is not None:
            self.fit(endpoint.found)

    async def warm(self) -> None:
        """Connect to the first endpoint in advance, and learn what it is; never raises."""
        await self.service().warm()
        await self.meet(self.endpoints.first)

    def stay_warm(self) -> None:
        """See to it, beside the requests, that a connection stands ready where there was one before."""
        for endpoint in {self.endpoints.first, self.endpoints.answering}:
            if endpoint.connected:
                self.beside(endpoint.service().warm())

    def choice(self, *, explicit: bool, without: Collection[Endpoint] = ()) -> Endpoint | None:
        """The endpoint that is asked now, by the breakers and the budget; None where no request may leave."""
        endpoint = self.endpoints.choice(self.clock(), explicit=explicit, without=without)
        if endpoint is not None and self.ledger is not None and not self.ledger.allows():
            endpoint.breaker.given_up()
            return None
        return endpoint

    def peak(self) -> bool:
        """Whether requests are to be few, since the service charges its peak price."""
        return (
            self.settings.spare_peak_hours
            and self.ledger is not None
            and self.ledger.peak(self.endpoints.answering.priced_as)
        )

    def begun(self) -> asyncio.Task[Any]:
        """The current task reads an answer from now on."""
        reading = asyncio.current_task()
        assert reading is not None
        self._asking.add(reading)
        self.changed()
        return reading

    def ended(self, reading: asyncio.Task[Any]) -> None:
        """It does so no longer."""
        self._asking.discard(reading)
        self.changed()

    def worked(self, endpoint: Endpoint, left: float) -> None:
        """An answer came to a request that left at that moment of the clock: problems are over.

        That another endpoint answers now is told, once each way.
        """
        if not endpoint.worked(left):
            return
        over = self.problems.over()
        moved = self.endpoints.moved(self.clock())
        if moved is not None:
            before, after = moved
            if self.endpoints.behind(after, before):
                self._news(Problem("fallback", self.endpoints.standing(), act=False))
            else:
                words = Sentence("{name} is well again, and answers.", name=self.endpoints.named(after))
                self._news(Problem("back", words, act=False), after="fallback")
        if over or moved is not None:
            self.changed()

    def failed(self, endpoint: Endpoint, error: ServiceError, left: float) -> None:
        """No answer came to one: automatic requests rest, and the user is told what is new to them.

        Where another endpoint is well, which then answers, what is to be told is that.
        """
        now = self.clock()
        endpoint.failed(error, now, left)
        first = self.endpoints.first
        if endpoint.failure is not None and self.endpoints.serves(now):
            return
        if endpoint is first or first.failure is None:
            problem = Problem(error.cause, error.message, isinstance(error, Refused))
        else:
            words = Sentence(
                "{first} Nor does {name} answer ({cause}).",
                first=first.failure.message,
                name=self.endpoints.named(endpoint),
                cause=error.cause,
            )
            problem = Problem(first.failure.cause, words, isinstance(first.failure, Refused))
        if self.problems.met(problem):
            self._tell(problem)

    async def weigh(self) -> None:
        """Look at what is left on the account, where the service tells."""
        if self.ledger is not None and not self.settings.off:
            with suppress(ServiceError):
                self.ledger.weigh(await self.service().balance())

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the requests; held until it is done."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def settled(self) -> None:
        """Wait until what goes on beside the requests has ended."""
        if self._background:
            await asyncio.wait(self._background)

    async def aclose(self) -> None:
        """End everything that is under way."""
        ending = (self._asking | self._background) - {asyncio.current_task()}
        for task in ending:
            if not task.cancelling():  # one that is ending may still have to close its stream
                task.cancel()
        if ending:
            await asyncio.wait(ending, timeout=FAREWELL)  # so that each has its row in the record
        for endpoint in self.endpoints:
            await endpoint.aclose()

    def _news(self, news: Problem, *, after: str = "") -> None:
        """Tell of what passes by itself, unless it was told a while ago, or what came before it was not."""
        if self.problems.passes(news.cause, after):
            self._tell(news)
