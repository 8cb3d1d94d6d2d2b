"""What the user allows completions to cost a day and a month, and how many requests a minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Literal, NamedTuple

from fim_lsp.usage.store import start_of

WARN_AT = Decimal("0.8")

_LOW = {"USD": Decimal(1), "CNY": Decimal(7)}


@dataclass(frozen=True, slots=True)
class Budget:
    """What is allowed: dollars a day and a month, requests a minute; None is no limit."""

    day: Decimal | None = None
    month: Decimal | None = None
    requests_a_minute: int | None = None


class Verdict(NamedTuple):
    """Whether to ask the service now: "ok", "warn" from 80 % on, or "stop" at 100 % until a moment (s since 1970).

    `sentence` is what to tell the user, once: the verdict after it has none.
    """

    state: Literal["ok", "warn", "stop"]
    sentence: str | None = None
    until: float | None = None


class Limits:
    """What has been spent of a budget; `clock` gives seconds since 1970, `zone` the user's days (None: the system's).

    Seeded with what the record holds, of all servers, and fed with each cost as it occurs.
    """

    def __init__(self, budget: Budget, clock: Callable[[], float], zone: tzinfo | None = None) -> None:
        self._budget = budget
        self._clock = clock
        self._zone = zone
        self._today = self._date()
        self._day = self._month = self._fed = Decimal(0)
        self._asked: deque[float] = deque()
        self._told: set[tuple[str, str, date]] = set()
        self._go_on_until = 0.0

    @property
    def fed(self) -> Decimal:
        """All that was ever fed: a mark for `seed`."""
        return self._fed

    @property
    def spent(self) -> tuple[Decimal, Decimal]:
        """Dollars of today and of this month."""
        self._turn()
        return self._day, self._month

    def starts(self) -> tuple[int, int]:
        """The seconds since 1970 at which today and this month began: from where to seed."""
        today = self._date()
        return start_of(today, self._zone), start_of(today.replace(day=1), self._zone)

    def set(self, budget: Budget) -> None:
        """Another budget; what was told about the old one may be told again."""
        if budget != self._budget:
            self._budget = budget
            self._told.clear()

    def seed(self, day: Decimal, month: Decimal, fed: Decimal) -> None:
        """Takes what the record says of today and this month, as read when `fed` stood so; what came since is added."""
        self._turn()
        since = self._fed - fed
        self._day, self._month = day + since, month + since

    def spend(self, usd: Decimal) -> None:
        """Counts what a request cost."""
        self._turn()
        self._day += usd
        self._month += usd
        self._fed += usd

    def asked(self) -> None:
        """Counts a request that leaves now."""
        self._asked.append(self._clock())

    def go_on(self, until: float | None = None) -> float:
        """Lets completions go on over the budget until a moment (s since 1970), tomorrow if none is given; returns it."""
        self._go_on_until = start_of(self._date() + timedelta(days=1), self._zone) if until is None else until
        return self._go_on_until

    def over(self) -> str | None:
        """What is to be said while a day's or a month's budget is used and nobody has said to go on; else None."""
        found = self._over()
        return found and found[2]

    def verdict(self) -> Verdict:
        """Whether the service may be asked now."""
        if over := self._over():
            return self._stop(*over)
        state: Literal["ok", "warn"] = "ok"
        sentence = None
        for name, spent, budget, _ in self._budgets():
            if spent >= budget * WARN_AT:
                state = "warn"
                sentence = sentence or self._once(
                    name,
                    "warn",
                    f"{_dollars(spent)} of this {name}'s budget of {_dollars(budget)} for completions is used.",
                )
        if free_at := self._rate():
            most = self._budget.requests_a_minute
            return self._stop(
                "minute",
                free_at,
                f"Completions wait: the {most} requests a minute that you allow are used up for the moment.",
            )
        return Verdict(state, sentence)

    def _over(self) -> tuple[str, float, str] | None:
        self._turn()
        if self._clock() < self._go_on_until:
            return None
        for name, spent, budget, until in self._budgets():
            if spent >= budget:
                used = f"this {name}'s budget of {_dollars(budget)} is used ({_dollars(spent)})"
                then = f"They go on at {self._moment(until)}, or now with the command fimLsp.resume or a higher budget."
                return name, until, f"Completions are paused: {used}. {then}"
        return None

    def _stop(self, name: str, until: float, sentence: str) -> Verdict:
        return Verdict("stop", self._once(name, "stop", sentence), until)

    def _once(self, name: str, state: str, sentence: str) -> str | None:
        key = (name, state, self._today.replace(day=1) if name == "month" else self._today)
        if key in self._told:
            return None
        self._told.add(key)
        return sentence

    def _budgets(self) -> list[tuple[str, Decimal, Decimal, float]]:
        next_month = (self._today.replace(day=1) + timedelta(days=32)).replace(day=1)
        found = []
        if self._budget.month is not None:
            found.append(("month", self._month, self._budget.month, float(start_of(next_month, self._zone))))
        if self._budget.day is not None:
            tomorrow = start_of(self._today + timedelta(days=1), self._zone)
            found.append(("day", self._day, self._budget.day, float(tomorrow)))
        return found

    def _rate(self) -> float | None:
        most = self._budget.requests_a_minute
        now = self._clock()
        while self._asked and self._asked[0] <= now - 60:
            self._asked.popleft()
        return None if most is None or len(self._asked) < most else self._asked[-most] + 60

    def _turn(self) -> None:
        today = self._date()
        if today == self._today:
            return
        if (today.year, today.month) != (self._today.year, self._today.month):
            self._month = Decimal(0)
        self._day = Decimal(0)
        self._today = today

    def _date(self) -> date:
        return datetime.fromtimestamp(self._clock(), self._zone).date()

    def _moment(self, when: float) -> str:
        return f"{datetime.fromtimestamp(when, self._zone):%H:%M on %Y-%m-%d}"


def low_balance(amounts: Iterable[tuple[str, Decimal]]) -> str | None:
    """A sentence where the account's balance, as (currency, amount) in each, is under a dollar or its like in all."""
    held = list(amounts)
    if not held or any(amount >= _LOW.get(currency, Decimal(0)) for currency, amount in held):
        return None
    return f"The account's balance is low: {' and '.join(f'{amount} {currency}' for currency, amount in held)} left."


def _dollars(usd: Decimal) -> str:
    return f"${usd:.2f}" if usd >= Decimal("0.1") or usd == 0 else f"${usd:.4f}"
