"""What completions cost and brought, over days of the user's time zone: a total and groups, read from the record."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from fim_lsp.usage import latency
from fim_lsp.usage.database import COUNTS
from fim_lsp.usage.prices import PICO
from fim_lsp.usage.store import reading, start_of
from fim_lsp.usage.underway import DEAD_SECONDS, opened

By = Literal["model", "language", "project", "hour", "day", "table"]
BYS: tuple[By, ...] = ("model", "language", "project", "hour", "day", "table")
PERCENTS = (50, 90, 99)
FOLDED = "earlier"  # hours of days that are kept as a whole only

_SUMS = (
    ", ".join(f"sum({name})" for name in COUNTS)
    + ", group_concat(first_marks, ''), group_concat(end_marks, '')"
)
_PLAIN = f"{', '.join(COUNTS)}, first_marks, end_marks"
_USUAL_DAYS, _USUAL_REQUESTS, _TODAY_REQUESTS, _FALLEN = 14, 200, 50, 0.75


@dataclass(slots=True)
class Figures:
    """The counts of a group, and its latencies as marks; tokens, characters, requests and picodollars."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    first: Counter[str] = field(default_factory=Counter)
    end: Counter[str] = field(default_factory=Counter)

    @property
    def usd(self) -> Decimal:
        """Dollars, exactly."""
        return Decimal(self.counts["pico"]) / PICO

    @property
    def saved(self) -> Decimal:
        """Dollars that the context cache took off, exactly."""
        return Decimal(self.counts["saved_pico"]) / PICO

    @property
    def prompt(self) -> int:
        """Prompt tokens, hit and missed."""
        return self.counts["hit"] + self.counts["missed"]

    @property
    def hit_rate(self) -> float | None:
        """Prompt tokens hit, of 1; None without any."""
        return self.counts["hit"] / self.prompt if self.prompt else None

    @property
    def acceptance(self) -> float | None:
        """Texts accepted of those shown, of 1; None where none was shown."""
        return self.counts["accepted"] / self.counts["shown"] if self.counts["shown"] else None

    def json(self) -> dict[str, Any]:
        """The figures by the names of `fim-lsp usage --json`; rates are of 1, latencies in ms."""
        counts = self.counts
        return {
            "requests": counts["requests"],
            "localHits": counts["local"],
            "promptTokens": self.prompt,
            "cacheHitTokens": counts["hit"],
            "completionTokens": counts["out"],
            "usd": float(self.usd),
            "savedUsd": float(self.saved),
            "shown": counts["shown"],
            "accepted": counts["accepted"],
            "shownChars": counts["shown_chars"],
            "acceptedChars": counts["accepted_chars"],
            "cut": counts["cut"],
            "failed": counts["failed"],
            "estimated": counts["estimated"],
            "unpriced": counts["unpriced"],
            "hitRate": _rounded(self.hit_rate),
            "acceptance": _rounded(self.acceptance),
            "firstMs": {f"p{one}": latency.percentile(self.first, one) for one in PERCENTS},
            "endMs": {f"p{one}": latency.percentile(self.end, one) for one in PERCENTS},
        }

    def add(self, counts: Iterable[int], first: str, end: str) -> None:
        """Takes in what a line of the record's sums holds."""
        for name, more in zip(COUNTS, counts, strict=True):
            self.counts[name] += more
        self.first += latency.counted(first)
        self.end += latency.counted(end)


@dataclass(frozen=True, slots=True)
class Report:
    """Days from the first to the last, both included, with their total and their groups by one of BYS.

    `tables` names the prices that were used.  Not in the figures are `missing` requests, of servers that were killed,
    and those `underway` in this moment (which a server killed a few minutes ago may have left).
    """

    first: date
    last: date
    by: By
    total: Figures
    groups: Mapping[str, Figures]
    tables: tuple[str, ...]
    missing: int = 0
    underway: int = 0

    def json(self) -> dict[str, Any]:
        """The report as `fim-lsp usage --json` prints it; `from` and `to` are the first and the last day."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "by": self.by,
            "total": self.total.json(),
            "groups": [{"name": name, **figures.json()} for name, figures in self.groups.items()],
            "priceTables": list(self.tables),
            "missing": self.missing,
            "underway": self.underway,
        }


def read(record: Path, first: date, last: date, by: By, *, zone: tzinfo | None, now: float) -> Report:
    """The report from the record's file, at a moment (seconds since 1970); StoreError where it cannot be read."""
    with reading(record) as db:
        found = report(db, first, last, by, zone)
    left = opened(record.parent)
    killed = [one for one in left if now - one.since > DEAD_SECONDS]
    inside = [one for one in killed if first <= datetime.fromtimestamp(one.since, zone).date() <= last]
    missing = found.missing + sum(one.requests for one in inside)
    return replace(found, missing=missing, underway=sum(one.requests for one in left if one not in killed))


def report(db: sqlite3.Connection | None, first: date, last: date, by: By, zone: tzinfo | None) -> Report:
    """The report over some days; without a record all is zero.  A zone of None is the system's own."""
    if db is None:
        return Report(first, last, by, Figures(), {}, ())
    groups: defaultdict[str, Figures] = defaultdict(Figures)
    if by in {"hour", "day"}:
        for name, line in _by_time(db, first, last, by, zone):
            groups[name].add(*line)
        ordered = sorted(groups, key=lambda name: (name != FOLDED, name))
    else:
        for name, line in _by_name(db, first, last, by, zone):
            groups[name].add(*line)
        if by == "table":
            groups.pop("", None)  # answers found here, and models without a price
        ordered = sorted(groups, key=lambda one: (-groups[one].usd, -groups[one].counts["requests"], one))
    total = Figures()
    for _, line in _by_name(db, first, last, "all", zone):
        total.add(*line)
    tables = sorted({name for name, _ in _by_name(db, first, last, "table", zone) if name})
    span = (start_of(first, zone), start_of(last + timedelta(days=1), zone))
    missing = (
        db.execute("SELECT sum(requests) FROM missing WHERE at >= ? AND at < ?", span).fetchone()[0] or 0
    )
    return Report(first, last, by, total, {name: groups[name] for name in ordered}, tuple(tables), missing)


def first_day(db: sqlite3.Connection | None, zone: tzinfo | None) -> date | None:
    """The first day of the record; None where it is empty."""
    if db is None:
        return None
    day = db.execute("SELECT min(day) FROM days WHERE kind = 'all'").fetchone()[0]
    slot = db.execute("SELECT min(slot) FROM sums WHERE kind = 'all'").fetchone()[0]
    days = [date.fromisoformat(day)] if day else []
    days += [datetime.fromtimestamp(slot, zone).date()] if slot is not None else []
    return min(days, default=None)


def fallen(db: sqlite3.Connection | None, today: date, zone: tzinfo | None) -> list[str]:
    """A sentence for each project whose hit rate today is far below that of the two weeks before, with likely causes.

    Far is under three quarters of it, over at least 50 requests today and 200 before.
    """
    if db is None:
        return []
    before = report(
        db, today - timedelta(days=_USUAL_DAYS), today - timedelta(days=1), "project", zone
    ).groups
    said = []
    for name, now in report(db, today, today, "project", zone).groups.items():
        usual = before.get(name, Figures())
        if usual.counts["requests"] < _USUAL_REQUESTS or now.counts["requests"] < _TODAY_REQUESTS:
            continue
        rate, usually = now.hit_rate or 0.0, usual.hit_rate or 0.0
        if rate < usually * _FALLEN:
            said.append(
                f"{f'In {name}' if name else 'Outside projects'}, {rate:.0%} of the prompt was found in the service's cache "
                f"today, where {usually:.0%} is usual: an extension may be changing the files' first lines at each save, or "
                "the window moves because the files are longer than `prefixChars`."
            )
    return said


_Line = tuple[list[int], str, str]


def _by_name(
    db: sqlite3.Connection, first: date, last: date, kind: str, zone: tzinfo | None
) -> Iterator[tuple[str, _Line]]:
    span = (kind, start_of(first, zone), start_of(last + timedelta(days=1), zone))
    days = (kind, first.isoformat(), last.isoformat())
    for sql, values in (
        (f"SELECT name, {_SUMS} FROM sums WHERE kind = ? AND slot >= ? AND slot < ? GROUP BY name", span),  # noqa: S608
        (f"SELECT name, {_SUMS} FROM days WHERE kind = ? AND day >= ? AND day <= ? GROUP BY name", days),  # noqa: S608
    ):
        for name, *counts, one, two in db.execute(sql, values):
            yield name, (counts, one, two)


def _by_time(
    db: sqlite3.Connection, first: date, last: date, by: By, zone: tzinfo | None
) -> Iterator[tuple[str, _Line]]:
    span = (start_of(first, zone), start_of(last + timedelta(days=1), zone))
    sql = f"SELECT slot, {_PLAIN} FROM sums WHERE kind = 'all' AND slot >= ? AND slot < ? ORDER BY slot"  # noqa: S608
    for slot, *counts, one, two in db.execute(sql, span):
        when = datetime.fromtimestamp(slot, zone)
        yield (f"{when:%H}:00" if by == "hour" else f"{when:%Y-%m-%d}"), (counts, one, two)
    sql = f"SELECT day, {_PLAIN} FROM days WHERE kind = 'all' AND day >= ? AND day <= ?"  # noqa: S608
    for day, *counts, one, two in db.execute(sql, (first.isoformat(), last.isoformat())):
        yield (FOLDED if by == "hour" else day), (counts, one, two)


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)
