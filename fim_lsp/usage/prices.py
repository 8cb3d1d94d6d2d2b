"""What a request costs at its moment: dated tables of prices, the service's and the user's own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fim_lsp.settings import kinds

ENGINES = frozenset(kinds.ENGINES) - {"deepseek"}

PICO = (
    10**12
)  # picodollars in a dollar: tokens times dollars per million are whole in them up to six decimals
OLD_DAYS = 90

_BUILT_IN = (Path(__file__).with_name("prices.toml"), Path(__file__).with_name("vendors.toml"))
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Price(NamedTuple):
    """US dollars per million tokens, exactly, and where they stand: in which table, for which model, since when."""

    hit: Decimal
    miss: Decimal
    output: Decimal
    peak: bool
    table: str
    since: date
    model: str
    read: date


class Rates(NamedTuple):
    """US dollars per million tokens."""

    hit: Decimal
    miss: Decimal
    output: Decimal


class Cost(NamedTuple):
    """What a request cost, and what it would have cost more without the context cache; US dollars, exactly."""

    usd: Decimal
    saved: Decimal


def elsewhere(model: str) -> bool:
    """Whether a model's name in the record says that another engine than the service has served it."""
    return model.partition("/")[0] in ENGINES and "/" in model


def cost(price: Price | Rates, hit: int, missed: int, out: int) -> Cost:
    """The cost of a request of `hit` and `missed` prompt tokens and `out` completion tokens."""
    usd = price.hit * hit + price.miss * missed + price.output * out
    return Cost(usd / 1_000_000, (price.miss - price.hit) * hit / 1_000_000)


def stale(price: Price, today: date) -> str | None:
    """A sentence where nobody has compared this price with the service's page for over 90 days."""
    days = (today - price.read).days
    if days <= OLD_DAYS:
        return None
    return f'The price of {price.model} in table "{price.table}" was read {days} days ago, on {price.read}: it may have changed.'


@dataclass(frozen=True, slots=True)
class Prices:
    """Tables of prices, the first that knows a model at a moment being the one in force.

    `wrong` says what could not be used of the user's own file.
    """

    tables: tuple[_Table, ...]
    wrong: tuple[str, ...] = ()

    def price(self, model: str, when: datetime) -> Price | None:
        """The price of a model (by any of its names) at a moment with a time zone; None where no table knows it."""
        when = when.astimezone(UTC)
        if (found := self._rate(model, when.date())) is None:
            return None
        table, name, rate = found
        peak = rate.peak is not None and rate.peak.holds(when)
        hit, miss, output = rate.at_peak if peak else rate.usual
        return Price(hit, miss, output, peak, table.name, rate.first, name, table.read)

    def dearest(self) -> Rates:
        """The dearest of all known prices: what a token may cost where no table knows the model."""
        return _dearest(rate for table in self.tables for rate in table.rates)

    def most(self, model: str, when: datetime) -> Rates:
        """The dearest that a model's tokens can be within a day from a moment on; the dearest of all where none is known."""
        day = when.astimezone(UTC).date()
        found = [self._rate(model, one) for one in (day, day + timedelta(days=1))]
        known = [one[2] for one in found if one is not None]
        return _dearest(known) if len(known) == len(found) else self.dearest()

    def _rate(self, model: str, day: date) -> tuple[_Table, str, _Rate] | None:
        """The table in force for a model on a day (UTC), the name that it has there, and its rate."""
        billed = self.billed(model, day)
        for table in self.tables:
            for name in dict.fromkeys((model, billed)):
                if rate := table.rate(name, day):
                    return table, name, rate
        return None

    def billed(self, model: str, day: date) -> str:
        """The model that a name is billed as on a day (UTC): itself, or its successor where the name is retired."""
        for table in self.tables:
            known = [alias for alias in table.aliases if alias.name == model and alias.first <= day]
            if known:
                return max(known, key=lambda alias: alias.first).model
        return model


def load(user_file: Path | None = None) -> Prices:
    """The service's prices and those of other vendors, overridden by the user's own file where there is one.

    A user's file that is wrong is left out whole, and `wrong` says why.
    """
    built_in = tuple(_table(_read(file.read_bytes()), file.stem) for file in _BUILT_IN)
    if user_file is None:
        return Prices(built_in)
    try:
        own = _table(_read(user_file.read_bytes()), "your own")
    except FileNotFoundError:
        return Prices(built_in)
    except OSError as error:
        reason = type(error).__name__
    except ValueError as error:
        reason = str(error)
    else:
        return Prices((own, *built_in))
    return Prices(built_in, (f"{user_file} is not a table of prices ({reason}): it is ignored.",))


class _Alias(NamedTuple):
    name: str
    model: str
    first: date


@dataclass(frozen=True, slots=True)
class _Peak:
    zone: tzinfo
    days: frozenset[int]
    hours: tuple[tuple[int, int], ...]  # minutes of the day: from, and up to but without
    exceptions: frozenset[date]

    def holds(self, when: datetime) -> bool:
        local = when.astimezone(self.zone)
        if local.weekday() not in self.days or local.date() in self.exceptions:
            return False
        minute = local.hour * 60 + local.minute
        return any(start <= minute < end for start, end in self.hours)


@dataclass(frozen=True, slots=True)
class _Rate:
    model: str
    first: date
    last: date
    usual: Rates
    peak: _Peak | None
    at_peak: Rates


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    read: date
    rates: tuple[_Rate, ...]
    aliases: tuple[_Alias, ...]

    def rate(self, model: str, day: date) -> _Rate | None:
        known = (rate for rate in self.rates if rate.model == model and rate.first <= day <= rate.last)
        return max(known, key=lambda rate: rate.first, default=None)


def _read(data: bytes) -> dict[str, Any]:
    # Never by way of a float: 0.0028 must stay 0.0028.
    return tomllib.loads(data.decode("utf-8-sig"), parse_float=Decimal)


def _table(raw: Mapping[str, Any], name: str) -> _Table:
    """A table from its TOML; ValueError with a sentence where it is not one."""
    _only(raw, "the file", "name", "source", "read", "peaks", "prices", "names")
    peaks = {key: _peak(key, one) for key, one in _named(raw.get("peaks", {}), "peaks").items()}
    rates = tuple(_rate(one, peaks) for one in _listed(raw.get("prices", []), "prices"))
    aliases = tuple(_alias(one) for one in _listed(raw.get("names", []), "names"))
    if not rates and not aliases:
        raise ValueError('it holds no "[[prices]]"')
    newest = max((rate.first for rate in rates), default=date.min)
    return _Table(str(raw.get("name", name)), _day(raw.get("read", newest), "read"), rates, aliases)


def _rate(raw: Mapping[str, Any], peaks: Mapping[str, _Peak]) -> _Rate:
    _only(raw, "a price", "model", "from", "to", "hit", "miss", "output", "peak", "at_peak")
    usual = _rates(raw)
    peak = raw.get("peak")
    if (peak is None) != ("at_peak" not in raw) or (
        peak is not None and (not isinstance(peak, str) or peak not in peaks)
    ):
        raise ValueError('"peak" must name one of "[peaks.NAME]" and stand together with "at_peak"')
    at_peak = _rates(_named(raw["at_peak"], "at_peak")) if peak is not None else usual
    first, last = _day(raw.get("from", date.min), "from"), _day(raw.get("to", date.max), "to")
    return _Rate(_word(raw, "model"), first, last, usual, peaks[peak] if peak is not None else None, at_peak)


def _alias(raw: Mapping[str, Any]) -> _Alias:
    _only(raw, "a name", "name", "model", "from")
    return _Alias(_word(raw, "name"), _word(raw, "model"), _day(raw.get("from", date.min), "from"))


def _peak(name: str, raw: Any) -> _Peak:
    raw = _named(raw, name)
    _only(raw, f"peak {name}", "zone", "days", "hours", "except")
    days = frozenset(_weekday(one) for one in _several(raw.get("days", list(_DAYS)), "days"))
    hours = tuple(_hours(one) for one in _several(raw.get("hours", ["00:00-24:00"]), "hours"))
    exceptions = frozenset(_day(one, "except") for one in _several(raw.get("except", []), "except"))
    return _Peak(_zone(raw.get("zone", "UTC")), days, hours, exceptions)


def _zone(name: Any) -> tzinfo:
    if name == "UTC":  # Windows has no time zones of its own, and UTC needs none
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ValueError(f'"zone" {name!r} is not a time zone known here; "UTC" always is') from None


def _weekday(name: Any) -> int:
    if name in _DAYS:
        return _DAYS.index(name)
    raise ValueError(f'"days" must be of {", ".join(_DAYS)}, not {name!r}')


def _hours(text: Any) -> tuple[int, int]:
    match = re.fullmatch(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", str(text))
    if match:
        start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if start < end <= 1440:
            return start, end
    raise ValueError(f'"hours" must be like "01:00-04:00" within one day, not "{text}"')


def _dearest(rates: Iterable[_Rate]) -> Rates:
    known = [one for rate in rates for one in (rate.usual, rate.at_peak)]
    return Rates(*(max(column, default=Decimal(0)) for column in zip(*known, strict=True)))


def _rates(raw: Mapping[str, Any]) -> Rates:
    return Rates(*(_dollars(raw, name) for name in ("hit", "miss", "output")))


def _dollars(raw: Mapping[str, Any], name: str) -> Decimal:
    value = raw.get(name)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        amount = Decimal(value)
        if amount.is_finite() and 0 <= amount < 1_000_000 and amount == round(amount, 6):
            return amount
    raise ValueError(f'"{name}" must be US dollars per million tokens, 0 or more, with at most six decimals')


def _word(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if isinstance(value, str) and value:
        return value
    raise ValueError(f'"{name}" must be the name of a model')


def _day(value: Any, name: str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError(f'"{name}" must be a day such as 2026-09-14')


def _named(value: Any, name: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise ValueError(f'"{name}" must be a table')


def _listed(value: Any, name: str) -> list[Mapping[str, Any]]:
    if isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
        return value
    raise ValueError(f'"{name}" must be written "[[{name}]]"')


def _several(value: Any, name: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise ValueError(f'"{name}" must be a list')


def _only(raw: Mapping[str, Any], where: str, *known: str) -> None:
    if unknown := sorted(set(raw) - set(known)):
        raise ValueError(f'{where} has an unknown "{unknown[0]}"')
