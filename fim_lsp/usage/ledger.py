"""What requests cost: written into the record of usage, and held against the user's budget."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from fim_lsp.context.window import Prompt
from fim_lsp.endpoint.request import Balance
from fim_lsp.privacy.secrets import redact_line
from fim_lsp.settings.settings import Settings
from fim_lsp.usage import bill, database, permits, prices, report, store
from fim_lsp.usage.limits import Budget, Limits, Verdict, low_balance
from fim_lsp.usage.recorder import Recorder
from fim_lsp.usage.store import Row
from fim_lsp.words.sentence import Sentence

# Seconds after which a request looks again whether there is room in a budget for what it may cost: the ones under way may
# be cheaper than they could be.
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)

_FREE, _DEAR = Sentence("not at all"), Sentence("at the dearest known price")


class Ledger:
    """The record and the limits of one server.

    `clock` gives seconds since 1970, `tell` shows a sentence, `ticks` gives the seconds of a clock that nobody sets and
    that all processes share, `sleep` waits.
    """

    def __init__(
        self,
        record: Path,
        config: Path,
        settings: Settings,
        clock: Callable[[], float],
        tell: Callable[[Sentence], None],
        *,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._record = record
        self._clock = clock
        self._tell = tell
        self._settings = settings
        self._folders: list[tuple[str, str]] = []
        self._balance: tuple[float, Balance] | None = None
        self._low: Sentence | None = None  # what was last told of the balance
        self._fallen: set[str] = set()  # what was told of the hit rate
        self._prices = prices.load(config.with_name("prices.toml"))
        self._sleep = sleep
        self._usd = Decimal(0)
        self._unpriced: set[str] = set()  # models of which it was told that no price is known
        self._dearest = self._prices.dearest()
        self._limits = Limits(_budget(settings), clock, ticks)
        self._recorder = Recorder(
            record,
            keep_days=max(settings.usage_keep_days, 31),
            token=uuid.uuid4().hex,
            clock=clock,
            ticks=ticks,
            tell=tell,
            dearest=self._dearest,
        )

    async def seed(self) -> None:
        """Learn what was spent before, by this server and others."""
        starts, fed = self._limits.starts(), self._limits.fed
        day, month = [await self._recorder.spent(start) for start in starts]
        if day is not None and month is not None:
            self._limits.seed(starts, (day, month), fed)

    def configure(self, settings: Settings) -> None:
        """Hold requests against another budget, and take the new settings for what is kept."""
        self._settings = settings
        self._limits.set(_budget(settings))

    def folders(self, folders: Iterable[tuple[str, str]]) -> None:
        """The workspace's folders: the URI and the name of each."""
        self._folders = sorted(
            ((uri.rstrip("/") + "/", name) for uri, name in folders), key=lambda one: -len(one[0])
        )

    def peak(self, model: str | None = None) -> bool:
        """Whether the service charges its peak price now."""
        price = self._price(model)
        return price is not None and price.peak

    def price(self, model: str | None = None) -> tuple[float, float] | None:
        """Dollars for a million prompt tokens that hit, and that missed; None where the model has no known price."""
        price = self._price(model)
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
        return self._told(self._limits.verdict()).state != "stop"

    def over(self) -> Sentence | None:
        """What is to be said while the budget is used up; None while it is not."""
        return self._limits.over()

    @property
    def usd(self) -> float:
        """What this server's requests have cost so far, in dollars."""
        return float(self._usd)

    def begin(self) -> int:
        """A request leaves now, whatever is allowed; its number."""
        return self._recorder.begin()

    async def reserve(self, model: str, prompt: Prompt, max_tokens: int) -> int | None:
        """The number of a request that may leave now; None where a limit does not let it.

        It counts from here on with what it can cost at most, until `ended` says what it did cost.  Without limits this
        waits for nothing.
        """
        if not self._limits.limited:
            return self._recorder.begin()
        number, most = self._recorder.number(), self._most(model, prompt, max_tokens)
        for pause in (*PAUSES, None):
            verdict = self._told(await self._leave(number, most))
            if verdict.state in {"ok", "warn"}:
                return self._recorder.begin(number)
            if verdict.state == "stop" or pause is None:
                break
            await self._sleep(pause)
        return None

    def ended(self, number: int | None, uri: str, **what: Any) -> int:
        """A request has ended, or an answer was found here (no number): see `Row` for what is kept; its number."""
        at = datetime.fromtimestamp(self._clock(), UTC)
        row = store.billed(Row(at=at, project=self._project(uri), **what), self._prices)
        self._limits.spend(store.dollars(row, self._dearest), number)
        self._usd += row.cost or Decimal(0)
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

    async def _leave(self, number: int, most: Decimal) -> Verdict:
        """Leave for a request: by what this server knows, and then by the record."""
        verdict = self._limits.take(number, most)
        if verdict.state in {"stop", "wait"}:
            return verdict
        allowed, starts, fed = self._limits.in_force, self._limits.starts(), self._limits.fed
        ask = permits.Ask(
            number, most, allowed.day, allowed.month, allowed.requests_a_minute, starts, self._clock()
        )
        try:
            leave = await self._recorder.leave(ask)
        except asyncio.CancelledError:
            self._limits.give_back(number)
            self._recorder.take_back(number)
            raise
        if leave is not None and leave.spent is not None:
            self._limits.seed(starts, leave.spent, fed)
        if leave is None or leave.state == "go":
            return verdict
        self._limits.give_back(number)
        if leave.state == "minute":
            return self._limits.full(leave.seconds)
        verdict = self._limits.verdict()
        return verdict if verdict.state == "stop" else Verdict("wait")

    def _most(self, model: str, prompt: Prompt, max_tokens: int) -> Decimal:
        """The dollars that a request can cost at most; what has no price is told of, once, where dollars are limited."""
        if not self._settings.budgeted:
            return Decimal(0)
        when = datetime.fromtimestamp(self._clock(), UTC)
        if model not in self._unpriced and self._prices.price(model, when) is None:
            self._unpriced.add(model)
            self._tell(
                Sentence(
                    'No price is known for "{model}" now: against your budget it counts {counts}. '
                    "A table of your own, `prices.toml` beside `config.toml`, can name it.",
                    model=redact_line(model),
                    counts=_FREE if prices.elsewhere(model) else _DEAR,
                )
            )
        if model in self._unpriced and prices.elsewhere(model):
            return Decimal(0)
        rates = self._prices.most(model, when)
        return prices.cost(rates, 0, bill.most(prompt), max_tokens).usd

    def _told(self, verdict: Verdict) -> Verdict:
        if verdict.sentence:
            self._tell(verdict.sentence)
        return verdict

    def _price(self, model: str | None) -> prices.Price | None:
        return self._prices.price(model or self._settings.model, datetime.fromtimestamp(self._clock(), UTC))

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
    except database.StoreError:
        return []


def _budget(settings: Settings) -> Budget:
    def dollars(value: float | None) -> Decimal | None:
        return None if value is None else Decimal(str(value))

    return Budget(
        dollars(settings.daily_budget), dollars(settings.monthly_budget), settings.requests_per_minute
    )
