"""What requests cost: written into the record of usage, and held against the user's budget."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from fim_lsp.request import Balance
from fim_lsp.settings import Settings
from fim_lsp.usage import prices, report, store
from fim_lsp.usage.limits import Budget, Limits, low_balance
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
        self._settings = settings
        self._folders: list[tuple[str, str]] = []
        self._balance: tuple[float, Balance] | None = None
        self._low: str | None = None  # what was last told of the balance
        self._fallen: set[str] = set()  # what was told of the hit rate
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
        """Hold requests against another budget, and take the new settings for what is kept."""
        self._settings = settings
        self._limits.set(_budget(settings))

    def folders(self, folders: Iterable[tuple[str, str]]) -> None:
        """The workspace's folders: the URI and the name of each."""
        self._folders = sorted(
            ((uri.rstrip("/") + "/", name) for uri, name in folders), key=lambda one: -len(one[0])
        )

    def peak(self) -> bool:
        """Whether the service charges its peak price now."""
        price = self._price()
        return price is not None and price.peak

    def price(self) -> tuple[float, float] | None:
        """Dollars for a million prompt tokens that hit, and that missed; None where the model has no known price."""
        price = self._price()
        return None if price is None else (float(price.hit), float(price.miss))

    def weigh(self, balance: Balance) -> None:
        """Keep what is left on the account for the reports, and tell of a low one, once."""
        self._balance = (self._clock(), balance)
        sentence = low_balance(balance.amounts)
        if sentence and not self._low:
            self._tell(sentence)
        self._low = sentence

    async def fallen(self) -> list[str]:
        """What is to be said about a hit rate that has fallen, each sentence once."""
        today = datetime.fromtimestamp(self._clock()).astimezone().date()
        said = await asyncio.to_thread(fallen, self._record, today)
        new = [sentence for sentence in said if sentence not in self._fallen]
        self._fallen.update(new)
        return new

    def allows(self) -> bool:
        """Whether the budget leaves room for a request; what is to be said about it is told, once."""
        verdict = self._limits.verdict()
        if verdict.sentence:
            self._tell(verdict.sentence)
        return verdict.state != "stop"

    def over(self) -> str | None:
        """What is to be said while the budget is used up; None while it is not."""
        return self._limits.over()

    @property
    def usd(self) -> float:
        """What this server's requests have cost so far, in dollars."""
        return float(self._limits.fed)

    def begin(self) -> int:
        """A request leaves now; its number."""
        self._limits.asked()
        return self._recorder.begin()

    def ended(self, number: int | None, uri: str, **what: Any) -> int:
        """A request has ended, or an answer was found here (no number): see `Row` for what is kept; its number."""
        at = datetime.fromtimestamp(self._clock(), UTC)
        row = store.billed(Row(at=at, project=self._project(uri), **what), self._prices)
        self._limits.spend(row.cost or Decimal(0))
        return self._recorder.add(row, number)

    def accepted(self, number: int, characters: int) -> None:
        """So many characters of that request's text are in the document now."""
        self._recorder.accepted(number, characters)

    def resume(self) -> None:
        """Go on over the budget until tomorrow."""
        self._limits.go_on()

    async def usage(self, by: report.By = "model", days: int = 1) -> dict[str, Any]:
        """What `fim-lsp usage --json` prints for so many days, today the last of them."""
        await self._recorder.flush()
        now = self._clock()
        today = datetime.fromtimestamp(now).astimezone().date()
        first = today - timedelta(days=days - 1)
        found = await asyncio.to_thread(report.read, self._record, first, today, by, zone=None, now=now)
        if self._balance is None:
            return found.json()
        when, balance = self._balance
        left = [{"currency": currency, "amount": str(amount)} for currency, amount in balance.amounts]
        read = datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds")
        return {**found.json(), "balance": {"read": read, "amounts": left}}

    async def aclose(self) -> None:
        """Write what is left."""
        await self._recorder.aclose()

    def _price(self) -> prices.Price | None:
        return self._prices.price(self._settings.model, datetime.fromtimestamp(self._clock(), UTC))

    def _project(self, uri: str) -> str | None:
        """The name of the folder that a document is in, where it is to be kept."""
        if not self._settings.usage_project_names:
            return None
        return next((name for folder, name in self._folders if uri.startswith(folder)), None)


def fallen(record: Path, today: date) -> list[str]:
    """A sentence for each project whose hit rate has fallen today; none where the record cannot be read."""
    try:
        with store.reading(record) as db:
            return report.fallen(db, today, None)
    except store.StoreError:
        return []


def _budget(settings: Settings) -> Budget:
    def dollars(value: float | None) -> Decimal | None:
        return None if value is None else Decimal(str(value))

    return Budget(
        dollars(settings.daily_budget), dollars(settings.monthly_budget), settings.requests_per_minute
    )
