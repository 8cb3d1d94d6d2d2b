"""The service behind the completions: its client, when it rests, what it was paid, and what the user was told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Protocol

from fim_lsp.completion.ask_floor import Floor
from fim_lsp.completion.problems import Problem, Problems
from fim_lsp.endpoint.breaker import Breaker
from fim_lsp.endpoint.look import Found
from fim_lsp.endpoint.request import Balance, Refused, Request, ServiceError, Usage
from fim_lsp.settings.settings import Settings
from fim_lsp.usage.account import Ledger
from fim_lsp.usage.token_counts import TokenCounts

FAREWELL = 1.0  # seconds in which what is under way may end when the server does


class Reply(Protocol):
    """An answer as it streams: its pieces of text, and what it is billed for once that is known."""

    usage: Usage | None
    finish_reason: str | None

    def __aiter__(self) -> AsyncIterator[str]:
        """Read the pieces."""


class Service(Protocol):
    """What completions need of the endpoint's client; `found` is None until it is known what the endpoint is."""

    @property
    def found(self) -> Found | None:
        """What the endpoint was found to be."""

    async def meet(self) -> Found | None:
        """What the endpoint is, looked at where that is not known."""

    def shown(self, request: Request) -> dict[str, Any]:
        """What would be sent for a request, for a person to read."""

    def complete(self, request: Request, *, seconds: float) -> AbstractAsyncContextManager[Reply]:
        """Ask once, streamed; leaving the context closes the stream."""

    async def warm(self) -> None:
        """Connect in advance; never raises."""

    async def balance(self) -> Balance:
        """What is left on the account."""

    async def aclose(self) -> None:
        """Close every connection."""


class Backend:
    """One service, connected to when it is first needed, and everything that its answers and failures have told."""

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
        self.counts = TokenCounts()
        self.ledger: Ledger | None = None
        self.problems = Problems(clock)
        self.breaker = Breaker(random)
        self.floor = Floor()
        self.clock = clock
        self.sleep = sleep
        self.changed = changed
        self.fit: Callable[[Found], None] = lambda _: None  # called with what the endpoint was found to be
        self._connect = connect
        self._tell = tell
        self._service: Service | None = None
        self._found: Found | None = None
        self._asking: set[asyncio.Task[Any]] = set()  # what reads an answer of the service
        self._background: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether an answer is being read."""
        return bool(self._asking)

    def service(self) -> Service:
        """The endpoint's client for the settings in force."""
        if self._service is None:
            self._service = self._connect(self.settings)
        return self._service

    @property
    def model(self) -> str:
        """The model that is asked."""
        setting = self.settings.model
        return self._found.model_of(setting) if self._found is not None else setting

    @property
    def priced_as(self) -> str:
        """The model as prices and the record name it."""
        setting = self.settings.model
        return self._found.priced_as(setting) if self._found is not None else setting

    async def meet(self) -> None:
        """Learn what the endpoint is, where it is not known yet."""
        found = await self.service().meet()
        if found is not None and found is not self._found:
            self._found = found
            self.fit(found)
            self.changed()

    async def warm(self) -> None:
        """Connect in advance, and learn what the endpoint is; never raises."""
        await self.service().warm()
        await self.meet()

    async def disconnect(self) -> None:
        """Close the client, where there is one; the next request has a new one."""
        service, self._service = self._service, None
        self._found = None
        if service is not None:
            await service.aclose()

    def stay_warm(self) -> None:
        """See to it, beside the requests, that a connection stands ready where there was one before."""
        if self._service is not None:
            self.beside(self._service.warm())

    def may_ask(self, *, explicit: bool) -> bool:
        """Whether a request may leave now, by the breaker and the budget."""
        if not self.breaker.allows(self.clock(), explicit=explicit):
            return False
        if self.ledger is not None and not self.ledger.allows():
            self.breaker.given_up()
            return False
        return True

    def peak(self) -> bool:
        """Whether requests are to be few, since the service charges its peak price."""
        return self.settings.spare_peak_hours and self.ledger is not None and self.ledger.peak(self.priced_as)

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

    def worked(self, left: float) -> None:
        """An answer came to a request that left at that moment of the clock: problems are over."""
        if self.breaker.succeeded(left) and self.problems.over():
            self.changed()

    def failed(self, error: ServiceError, left: float) -> None:
        """No answer came to one: automatic requests rest, and the user is told what is new to them."""
        self.breaker.failed(error, self.clock(), left)
        problem = Problem(error.cause, error.message, isinstance(error, Refused))
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
        await self.disconnect()
