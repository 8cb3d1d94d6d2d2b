"""What requests cost: written into the record of usage, and held against the user's budget."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from fim_lsp.settings import Settings
from fim_lsp.usage import prices, report, store
from fim_lsp.usage.limits import Budget, Limits
from fim_lsp.usage.recorder import Recorder
from fim_lsp.usage.store import Row


class Ledger:
    """The record and the limits of one server; `clock` gives seconds since 1970, `tell` shows a sentence."""

    def __init__(
        self,
        record: Path,
        config: Path,
        settings: Settings,
        clock: Callable[[], float],
        tell: Callable[[str], None],
    ) -> None:
        self._record = record
        self._clock = clock
        self._tell = tell
        self._prices = prices.load(config.with_name("prices.toml"))
        self._limits = Limits(_budget(settings), clock)
        self._recorder = Recorder(
            record,
            keep_days=max(settings.usage_keep_days, 31),
            token=uuid.uuid4().hex,
            clock=clock,
            tell=tell,
        )

    async def seed(self) -> None:
        """Learn what was spent before, by this server and others."""
        day, month = self._limits.starts()
        fed = self._limits.fed
        self._limits.seed(await self._recorder.spent(day), await self._recorder.spent(month), fed)

    def configure(self, settings: Settings) -> None:
        """Hold requests against another budget."""
        self._limits.set(_budget(settings))

    def allows(self) -> bool:
        """Whether the budget leaves room for a request; what is to be said about it is told, once."""
        verdict = self._limits.verdict()
        if verdict.sentence:
            self._tell(verdict.sentence)
        return verdict.state != "stop"

    def begin(self) -> int:
        """A request leaves now; its number."""
        self._limits.asked()
        return self._recorder.begin()

    def ended(self, number: int | None, **what: Any) -> int:
        """A request has ended, or an answer was found here (no number): see `Row` for what is kept; its number."""
        row = store.billed(Row(at=datetime.fromtimestamp(self._clock(), UTC), **what), self._prices)
        self._limits.spend(row.cost or Decimal(0))
        return self._recorder.add(row, number)

    def accepted(self, number: int, characters: int) -> None:
        """So many characters of that request's text are in the document now."""
        self._recorder.accepted(number, characters)

    def resume(self) -> None:
        """Go on over the budget until tomorrow."""
        self._limits.go_on()

    async def usage(self) -> dict[str, Any]:
        """What `fim-lsp usage --json` prints for today."""
        await self._recorder.flush()
        now = self._clock()
        today = datetime.fromtimestamp(now).astimezone().date()
        found = await asyncio.to_thread(report.read, self._record, today, today, "model", zone=None, now=now)
        return found.json()

    async def aclose(self) -> None:
        """Write what is left."""
        await self._recorder.aclose()


def _budget(settings: Settings) -> Budget:
    def dollars(value: float | None) -> Decimal | None:
        return None if value is None else Decimal(str(value))

    return Budget(
        dollars(settings.daily_budget), dollars(settings.monthly_budget), settings.requests_per_minute
    )
