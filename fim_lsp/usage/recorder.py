"""Usage written down while a server runs, without an answer ever waiting for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, TypeVar

from fim_lsp.usage.database import StoreError
from fim_lsp.usage.permits import Ask, Ended, Leave
from fim_lsp.usage.prices import Rates
from fim_lsp.usage.store import Row, Store, dollars
from fim_lsp.usage.underway import Underway
from fim_lsp.words.sentence import Sentence

PAUSE_SECONDS = (
    0.05  # before a row is written: its answer has left by then, and rows of a moment are written at once
)

_T = TypeVar("_T")
_FOLD_SECONDS = 3600.0
_REMEMBERED = 2000  # rows whose acceptance can still be told
_KEPT = 20_000  # rows that wait where the disk takes none
_PATIENCE = (
    2.5  # seconds that a request waits for the record's leave: longer than the record waits for a lock
)
_REST = 30.0  # seconds for which a record that did not give its leave in time is not asked


class _Taken(NamedTuple):
    """A row, the number of its request, and when that ended, by the clock that nobody sets."""

    number: int
    row: Row
    tick: float


class Recorder:
    """Takes rows on the event loop, in microseconds, and writes them in a thread of its own.

    `clock` gives seconds since 1970, `ticks` those of a clock that nobody sets, `tell` takes a sentence for the user, `token`
    tells this server from others, and `sleep` waits.  `zone` is that of the user's days, None being the system's own.  What
    has no known price counts at the `dearest`.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep_days: int,
        token: str,
        clock: Callable[[], float],
        ticks: Callable[[], float],
        tell: Callable[[Sentence], None],
        dearest: Rates,
        zone: tzinfo | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._tell = tell
        self._ticks = ticks
        self._deaf_until = float("-inf")  # so long the record is not asked for leave
        self._sleep = sleep
        self._numbers = self._added = 0
        self._rows: list[_Taken] = []
        self._accepted: dict[int, int] = {}
        self._later: asyncio.Task[None] | None = None
        self._underway: Underway | None = None
        with contextlib.suppress(OSError):  # the store meets the same and says it
            self._underway = Underway(path.parent, token, clock)
        self._writer = _Writer(path, keep_days, clock, ticks, zone, self._underway, token, dearest)
        self._thread = ThreadPoolExecutor(1, "fim-lsp usage")

    @property
    def unwritten(self) -> int:
        """Rows taken and not yet in the record: what a kill would lose at this moment."""
        return self._added - self._writer.stored

    def number(self) -> int:
        """A number for a request that may leave soon."""
        self._numbers += 1
        return self._numbers

    def begin(self, number: int | None = None) -> int:
        """Counts a request that leaves now, so that a kill before its row is not hidden; returns its number."""
        if self._underway:
            self._underway.begin()
        return self.number() if number is None else number

    async def leave(self, ask: Ask) -> Leave | None:
        """Whether the record, which other servers share, lets a request leave; None where it cannot say so in time.

        What is taken is written first, so that what has ended counts with its cost.
        """
        if self._ticks() < self._deaf_until:
            return None
        rows, self._rows = self._rows, []
        accepted, self._accepted = self._accepted, {}
        asked = asyncio.ensure_future(self._run(self._writer.leave, rows, accepted, ask))
        await asyncio.wait({asked}, timeout=_PATIENCE)
        self._say()
        leave = asked.result() if asked.done() else None
        if leave is None:
            self._deaf_until = self._ticks() + _REST
        return leave

    def take_back(self, number: int) -> None:
        """A request for which leave was asked has not left after all."""
        with contextlib.suppress(RuntimeError):  # the record is closed: nobody lives whom it could hold up
            self._thread.submit(self._writer.take_back, number)

    def add(self, row: Row, number: int | None = None) -> int:
        """Takes the row of a request, which `begin` has numbered or not; returns its number."""
        if number is None:
            number = self.begin()
        self._rows.append(_Taken(number, row, self._ticks()))
        self._added += 1
        self._soon()
        return number

    def accepted(self, number: int, chars: int) -> None:
        """Notes that so many characters of a row's text were accepted, all told."""
        self._accepted[number] = chars
        self._soon()

    async def flush(self) -> None:
        """Writes what is there; what cannot be written now waits for the next time, and the user is told once why."""
        rows, self._rows = self._rows, []
        accepted, self._accepted = self._accepted, {}
        await self._run(self._writer.write, rows, accepted)
        self._say()

    async def spent(self, since: float) -> Decimal | None:
        """Dollars of all servers' requests from a moment on (seconds since 1970); None where they cannot be read."""
        await self.flush()
        return await self._run(self._writer.spent, since)

    async def aclose(self) -> None:
        """Writes what is left and closes the record."""
        if self._later:
            self._later.cancel()
            await asyncio.wait({self._later})
        await self.flush()
        await self._run(self._writer.close)
        self._thread.shutdown(wait=False)

    def _say(self) -> None:
        while self._writer.said:
            self._tell(self._writer.said.popleft())

    def _soon(self) -> None:
        if self._later is None or self._later.done():
            self._later = asyncio.get_running_loop().create_task(self._write_later())

    async def _write_later(self) -> None:
        while self._rows or self._accepted:
            await self._sleep(PAUSE_SECONDS)
            await self.flush()

    async def _run(self, work: Callable[..., _T], *arguments: object) -> _T:
        # Rows are in the thread's hands from here on, whether or not somebody still waits for them.
        return await asyncio.shield(
            asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        )


class _Writer:
    """The thread's side: the store, and the rows that it has not taken yet."""

    def __init__(
        self,
        path: Path,
        keep_days: int,
        clock: Callable[[], float],
        ticks: Callable[[], float],
        zone: tzinfo | None,
        begun: Underway | None,
        token: str,
        dearest: Rates,
    ) -> None:
        self.stored = 0
        self.said: deque[Sentence] = deque()
        self._path, self._keep_days, self._clock, self._ticks = path, keep_days, clock, ticks
        self._zone, self._underway, self._token, self._dearest = zone, begun, token, dearest
        self._leaves: set[int] = set()  # numbers of requests that have the record's leave
        self._store: Store | None = None
        self._kept: list[_Taken] = []
        self._accepted: dict[int, int] = {}
        self._ids: dict[int, int] = {}
        self._failed = False
        self._fold_at = 0.0

    def write(self, rows: list[_Taken], accepted: dict[int, int]) -> None:
        self._kept += rows
        del self._kept[:-_KEPT]
        self._accepted |= accepted
        if not self._kept and not self._accepted:
            return
        try:
            store = self._opened()
            self._write(store)
            self._failed = False
            if self._clock() >= self._fold_at:
                self._fold_at = self._clock() + _FOLD_SECONDS
                today = datetime.fromtimestamp(self._clock(), self._zone).date()
                store.fold(today - timedelta(days=self._keep_days), self._zone)
        except StoreError as error:
            self._fail(error.sentence)
        except (OverflowError, ValueError) as error:  # a figure that SQLite cannot hold
            self._fail(
                Sentence(
                    "{count} requests cannot be recorded ({error}): they are left out.",
                    count=len(self._kept),
                    error=error,
                )
            )
            self._kept, self._accepted = [], {}

    def leave(self, rows: list[_Taken], accepted: dict[int, int], ask: Ask) -> Leave | None:
        self.write(rows, accepted)
        if self._failed:
            return None
        try:
            leave = self._opened().leave(self._token, ask, self._ticks, self._dearest)
        except StoreError as error:
            self._fail(error.sentence)
            return None
        if leave.state == "go":
            self._leaves.add(ask.number)
        return leave

    def take_back(self, number: int) -> None:
        if number in self._leaves:
            self._leaves.discard(number)
            with contextlib.suppress(StoreError):
                self._opened().take_back(self._token, number)

    def spent(self, since: float) -> Decimal | None:
        try:
            stored = self._opened().spent(since, self._dearest)
        except StoreError:
            return None
        waiting = (dollars(one.row, self._dearest) for one in self._kept if one.row.at.timestamp() >= since)
        return sum(waiting, stored)

    def close(self) -> None:
        if self._store:
            self._store.close()
        if self._underway:
            self._underway.close()

    def _fail(self, sentence: Sentence) -> None:
        if not self._failed:
            self.said.append(sentence)
        self._failed = True

    def _opened(self) -> Store:
        if self._store is None:
            self._store = Store(self._path)
            self._store.claim(self._clock())
        return self._store

    def _write(self, store: Store) -> None:
        rows = [
            replace(one.row, accepted=max(one.row.accepted, self._accepted.get(one.number, 0)))
            for one in self._kept
        ]
        known = {self._ids[number]: chars for number, chars in self._accepted.items() if number in self._ids}
        ended = {one.number: one.tick for one in self._kept if one.number in self._leaves}
        ids = store.write(rows, known, Ended(self._token, ended) if ended else None)
        if store.said:
            self.said.append(store.said)
            store.said = None
        if self._underway:
            self._underway.written(len(rows))
        self._leaves.difference_update(ended)
        self.stored += len(rows)
        for one, row_id in zip(self._kept, ids, strict=True):
            self._ids[one.number] = row_id
        for number in list(self._ids)[:-_REMEMBERED]:
            del self._ids[number]
        self._kept, self._accepted = [], {}
