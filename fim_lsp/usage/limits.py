"""What the user allows completions to cost a day and a month, and how many requests a minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import reduce
from typing import Literal, NamedTuple

from fim_lsp.usage.permits import MINUTE
from fim_lsp.usage.store import start_of
from fim_lsp.words.sentence import Sentence

WARN_AT = Decimal("0.8")

_SEEDS = 8  # starts of days and months of which the record's figure is kept
_LOW = {"USD": Decimal(1), "CNY": Decimal(7)}
_BUDGETS = {"day": Sentence("this day's budget"), "month": Sentence("this month's budget")}


@dataclass(frozen=True, slots=True)
class Budget:
    """What is allowed: dollars a day and a month, requests a minute; None is no limit."""

    day: Decimal | None = None
    month: Decimal | None = None
    requests_a_minute: int | None = None


class Verdict(NamedTuple):
    """Whether to ask the service now: "ok", "warn" from 80 % on, or "stop" at 100 % until a moment (s since 1970).

    "wait" is for what is under way: it may come to so much that the budget is used.  `sentence` is what to tell the
    user, once: the verdict after it has none.
    """

    state: Literal["ok", "warn", "wait", "stop"]
    sentence: Sentence | None = None
    until: float | None = None


class Limits:
    """What has been spent of a budget, and what is under way; `zone` is that of the user's days (None: the system's).

    `clock` gives seconds since 1970, `ticks` those of a clock that nobody sets.  Seeded with what the record holds, of all
    servers, and fed with each cost as it occurs.
    """

    def __init__(
        self,
        budget: Budget,
        clock: Callable[[], float],
        ticks: Callable[[], float],
        zone: tzinfo | None = None,
    ) -> None:
        self._budget = budget
        self._clock = clock
        self._ticks = ticks
        self._zone = zone
        self._fed = Decimal(0)
        self._own: dict[date, Decimal] = {}  # what this server was fed, by the day
        self._seeds: dict[int, tuple[Decimal, Decimal]] = {}  # by where they begin: dollars, and `fed` then
        self._under_way: dict[int, Decimal] = {}  # requests that have not ended, and what each may cost
        self._ended: deque[float] = deque()  # ticks of the requests of the last minute
        self._told: set[tuple[str, str, date]] = set()
        self._go_on_until = 0.0
        self._go_on_day: date | None = (
            None  # the day on which that was said: a clock that was wrong says it for no other
        )

    @property
    def fed(self) -> Decimal:
        """All that was ever fed: a mark for `seed`."""
        return self._fed

    @property
    def spent(self) -> tuple[Decimal, Decimal]:
        """Dollars of today and of this month."""
        today = self._date()
        return self._since(today), self._since(today.replace(day=1))

    @property
    def limited(self) -> bool:
        """Whether anything is limited."""
        return self._budget != Budget()

    @property
    def in_force(self) -> Budget:
        """The budget, without its dollars while completions go on over them."""
        if self._goes_on():
            return Budget(requests_a_minute=self._budget.requests_a_minute)
        return self._budget

    def starts(self) -> tuple[int, int]:
        """The seconds since 1970 at which today and this month began: from where to seed."""
        today = self._date()
        return start_of(today, self._zone), start_of(today.replace(day=1), self._zone)

    def set(self, budget: Budget) -> None:
        """Another budget; what was told about the old one may be told again."""
        if budget != self._budget:
            self._budget = budget
            self._told.clear()

    def seed(self, starts: tuple[int, int], spent: tuple[Decimal, Decimal], fed: Decimal) -> None:
        """Takes what the record says from a day's and a month's start on, as read when `fed` stood so; what came since is added."""
        for start, dollars in zip(starts, spent, strict=True):
            self._seeds.pop(start, None)
            self._seeds[start] = (dollars, fed)
        for start in list(self._seeds)[:-_SEEDS]:
            del self._seeds[start]

    def take(self, number: int, most: Decimal) -> Verdict:
        """Leave for a request that costs at most so many dollars: it counts at once, unless it has to stop or to wait."""
        verdict = self.verdict()
        if verdict.state == "stop":
            return verdict
        if self._under_way:
            reserved = sum(self._under_way.values(), most)
            # One alone may leave as long as the budget is not used: it may be cheaper than it could be.
            if any(spent + reserved > budget for _, spent, budget, _ in self._in_dollars(self.in_force)):
                return Verdict("wait")
        self._under_way[number] = most
        return verdict

    def give_back(self, number: int) -> None:
        """That request has not left after all."""
        self._under_way.pop(number, None)

    def spend(self, usd: Decimal, number: int | None = None) -> None:
        """Counts what a request cost, which has ended now."""
        today = self._date()
        self._own[today] = self._own.get(today, Decimal(0)) + usd
        self._fed += usd
        if number is not None and self._under_way.pop(number, None) is not None:
            self._ended.append(self._ticks())

    def go_on(self, until: float | None = None) -> float:
        """Lets completions go on over the budget until a moment (s since 1970), tomorrow if none is given; returns it."""
        today = self._date()
        self._go_on_until = start_of(today + timedelta(days=1), self._zone) if until is None else until
        self._go_on_day = today if until is None else None
        return self._go_on_until

    def over(self) -> Sentence | None:
        """What is to be said while a day's or a month's budget is used and nobody has said to go on; else None."""
        found = self._over()
        return found and found[2]

    def verdict(self) -> Verdict:
        """Whether the service may be asked now."""
        if over := self._over():
            return self._stop(*over)
        state: Literal["ok", "warn"] = "ok"
        sentence = None
        for name, spent, budget, _ in self._in_dollars(self._budget):
            if spent >= budget * WARN_AT:
                state = "warn"
            # Over the whole of it one goes on knowingly.
            if budget * WARN_AT <= spent < budget:
                said = Sentence(
                    "{spent} of {budget} of {dollars} for completions is used.",
                    spent=_dollars(spent),
                    budget=_BUDGETS[name],
                    dollars=_dollars(budget),
                )
                sentence = sentence or self._once(name, "warn", said)
        seconds = self._rate()
        return Verdict(state, sentence) if seconds is None else self.full(seconds)

    def full(self, seconds: float) -> Verdict:
        """The verdict where the requests a minute are used up for so many seconds, by this server or by all."""
        most = self._budget.requests_a_minute
        return self._stop(
            "minute",
            self._clock() + seconds,
            Sentence(
                "Completions wait: the {most} requests a minute that you allow are used up for the moment.",
                most=most,
            ),
        )

    def _goes_on(self) -> bool:
        """Whether completions go on over the budget."""
        return self._go_on_day in {None, self._date()} and self._clock() < self._go_on_until

    def _over(self) -> tuple[str, float, Sentence] | None:
        if self._goes_on():
            return None
        for name, spent, budget, until in self._in_dollars(self._budget):
            if spent >= budget:
                said = Sentence(
                    "Completions are paused: {budget} of {dollars} is used ({spent}). They go on at {time} on {day}, "
                    "or now with the command fimLsp.resume or a higher budget.",
                    budget=_BUDGETS[name],
                    dollars=_dollars(budget),
                    spent=_dollars(spent),
                    **self._moment(until),
                )
                return name, until, said
        return None

    def _stop(self, name: str, until: float, sentence: Sentence) -> Verdict:
        return Verdict("stop", self._once(name, "stop", sentence), until)

    def _once(self, name: str, state: str, sentence: Sentence) -> Sentence | None:
        today = self._date()
        key = (name, state, today.replace(day=1) if name == "month" else today)
        if key in self._told:
            return None
        self._told.add(key)
        return sentence

    def _in_dollars(self, allowed: Budget) -> list[tuple[str, Decimal, Decimal, float]]:
        """Each budget of dollars: its name, what is spent of it, what is allowed, and when the next one begins."""
        today = self._date()
        found = []
        if allowed.month is not None:
            month = today.replace(day=1)
            next_month = start_of((month + timedelta(days=32)).replace(day=1), self._zone)
            found.append(("month", self._since(month), allowed.month, float(next_month)))
        if allowed.day is not None:
            tomorrow = start_of(today + timedelta(days=1), self._zone)
            found.append(("day", self._since(today), allowed.day, float(tomorrow)))
        return found

    def _rate(self) -> float | None:
        """The seconds until a request may leave; None where one may now."""
        most = self._budget.requests_a_minute
        now = self._ticks()
        while self._ended and self._ended[0] <= now - MINUTE:
            self._ended.popleft()
        if most is None or len(self._under_way) + len(self._ended) < most:
            return None
        room = most - len(self._under_way)
        return self._ended[-room] + MINUTE - now if room > 0 else MINUTE

    def _since(self, day: date) -> Decimal:
        """Dollars from a day on: what the record said and what came since, and never less than this server's own."""
        own = sum((usd for when, usd in self._own.items() if when >= day), Decimal(0))
        seed = self._seeds.get(start_of(day, self._zone))
        return own if seed is None else max(own, seed[0] + self._fed - seed[1])

    def _date(self) -> date:
        return datetime.fromtimestamp(self._clock(), self._zone).date()

    def _moment(self, when: float) -> dict[str, str]:
        at = datetime.fromtimestamp(when, self._zone)
        return {"time": f"{at:%H:%M}", "day": f"{at:%Y-%m-%d}"}


def low_balance(amounts: Iterable[tuple[str, Decimal]]) -> Sentence | None:
    """A sentence where the account's balance, as (currency, amount) in each, is under a dollar or its like in all."""
    held = list(amounts)
    if not held or any(amount >= _LOW.get(currency, Decimal(0)) for currency, amount in held):
        return None
    each = [Sentence("{amount} {currency}", amount=amount, currency=currency) for currency, amount in held]
    left = reduce(lambda one, other: Sentence("{one} and {other}", one=one, other=other), each)
    return Sentence("The account's balance is low: {left} left.", left=left)


def _dollars(usd: Decimal) -> str:
    return f"${usd:.2f}" if usd >= Decimal("0.1") or usd == 0 else f"${usd:.4f}"
