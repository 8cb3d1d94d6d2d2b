"""The record of requests on the user's machine: one row each, and sums over a quarter of an hour, in SQLite.

Sums are kept beside the rows in the same transaction, so that a report over a million rows reads a few thousand.  They
stand per quarter of an hour because every time zone's day begins at one.  Marks hold a latency each, as one character
of a scale (`latency`), and are added by joining strings.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from datetime import time as clock_time
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from fim_lsp.usage import database, latency, permits, underway
from fim_lsp.usage.database import (
    COLUMNS,
    COUNTS,
    StoreError,
    check_version,
    connect,
    connected,
    damaged,
    own,
    unreadable,
    unwritable,
    version,
)
from fim_lsp.usage.prices import PICO, Prices, Rates, cost, elsewhere
from fim_lsp.words.sentence import Sentence

FILE = "usage.sqlite3"
SLOT = 900  # seconds
KINDS = ("all", "model", "language", "project", "table")

_INSERT = f"INSERT INTO rows ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - names above


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request, or one answer found on this machine (`ended` is "local"); nothing of the user's text.

    `ended` says how: done, cut, failed or local.  Tokens are the service's count, or an estimate where `estimated`.
    `first_ms` and `end_ms` run from the request to the first text and to the end.  `shown` and `accepted` are
    characters.  `cost` and `saved` are dollars, None where no table has a price: `billed` fills them in.
    """

    at: datetime
    model: str
    language: str
    ended: str
    project: str | None = None
    hit: int = 0
    missed: int = 0
    out: int = 0
    first_ms: float | None = None
    end_ms: float | None = None
    shown: int = 0
    accepted: int = 0
    estimated: bool = False
    table: str = ""
    cost: Decimal | None = None
    saved: Decimal | None = None


NO_PRICE = "none"  # the table of what another engine has served that no table names


def billed(row: Row, prices: Prices) -> Row:
    """The row with its cost at the price of its moment, and the table that says so; an answer found here is free."""
    if row.ended == "local":
        return replace(row, cost=Decimal(0), saved=Decimal(0))
    price = prices.price(row.model, row.at)
    if price is None:
        return replace(row, table=NO_PRICE) if elsewhere(row.model) else row
    usd, saved = cost(price, row.hit, row.missed, row.out)
    table = f"{price.table} {price.model} {price.since}{' peak' if price.peak else ''}"
    return replace(row, table=table, cost=usd, saved=saved)


def dollars(row: Row, dearest: Rates) -> Decimal:
    """What a row counts for against a budget: its cost, or that of the dearest price where none is known.

    Without a price, what another engine than the service has served counts no dollars.
    """
    if row.cost is None and row.table == NO_PRICE:
        return Decimal(0)
    return cost(dearest, row.hit, row.missed, row.out).usd if row.cost is None else row.cost


class Store:
    """The open record, for one thread of one process; any number of processes may write to the same file.

    Every change is one short transaction in write-ahead mode: a kill loses no more than the one under way.
    """

    def __init__(self, path: Path) -> None:
        """Opens or begins the record; StoreError where that cannot be.

        `said` holds a sentence where a damaged file was set aside.
        """
        self.path = path
        self.said: Sentence | None = None
        self._spent: dict[tuple[float, Rates], Decimal] = {}  # as long as no other server has written since
        self.version = 0
        self._db = self._opened()

    def write(
        self, rows: Sequence[Row], accepted: Mapping[int, int], ended: permits.Ended | None = None
    ) -> list[int]:
        """Stores rows, and for rows stored before (by their id) how many of their characters were accepted.

        `ended` are those of the rows' requests that had leave.  Returns the rows' ids, in order.
        """
        tally = _Tally()
        with self._transaction() as db:
            ids = []
            for row in rows:
                ids.append(db.execute(_INSERT, _values(row)).lastrowid or 0)
                tally.add(row)
            for row_id, chars in accepted.items():
                self._accept(db, tally, row_id, chars)
            _upsert(db, "sums", "slot", tally)
            if ended is not None:
                permits.end(db, ended)
        for since, dearest in self._spent:
            more = (dollars(row, dearest) for row in rows if row.at.timestamp() >= since)
            self._spent[since, dearest] += sum(more, Decimal(0))
        return ids

    def fold(self, before: date, zone: tzinfo | None, most: int = 31) -> int:
        """Folds days before `before` into one sum each, oldest first and at most so many; returns how many it did.

        Days are those of the time zone, None being the system's own.
        """
        done = 0
        self._spent.clear()
        while done < most:
            with self._transaction() as db:
                oldest = db.execute("SELECT min(slot) FROM sums WHERE kind = 'all'").fetchone()[0]
                if oldest is None or (day := datetime.fromtimestamp(oldest, zone).date()) >= before:
                    break
                self._fold(db, day, zone)
            done += 1
        return done

    def claim(self, now: float) -> None:
        """Notes how many requests are missing because their server was killed before they were stored."""
        if left := underway.claim(self.path.parent, now):
            with self._transaction() as db:
                db.executemany(
                    "INSERT INTO missing VALUES (?, ?)", [(int(one.since), one.requests) for one in left]
                )

    def leave(
        self, server: str, ask: permits.Ask, ticks: Callable[[], float], dearest: Rates
    ) -> permits.Leave:
        """Whether a request of a server may leave, by what all of them have spent and have under way."""
        folder = self.path.parent
        with self._transaction() as db:
            return permits.give(
                db,
                server,
                ask,
                ticks(),
                lambda since: self._known(since, dearest),
                lambda other: underway.alive(folder, other),
            )

    def take_back(self, server: str, number: int) -> None:
        """A request that had leave has not left after all."""
        with self._transaction() as db:
            permits.take_back(db, server, number)

    def spent(self, since: float, dearest: Rates) -> Decimal:
        """Dollars of all servers' requests from a moment (seconds since 1970, at a quarter of an hour) on."""
        try:
            return self._known(since, dearest)
        except sqlite3.Error as error:
            raise unreadable(self.path, error) from None

    def _known(self, since: float, dearest: Rates) -> Decimal:
        """What `spent` says; a month's sums are read only where another server may have added to them."""
        version = self._db.execute("PRAGMA data_version").fetchone()[0]
        if version != self.version:
            self.version = version
            self._spent.clear()
        if (since, dearest) not in self._spent:
            self._spent[since, dearest] = spent(self._db, since, dearest)
        return self._spent[since, dearest]

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def _opened(self) -> sqlite3.Connection:
        self._spent.clear()
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            own(self.path)
            try:
                return connected(self.path)
            except sqlite3.DatabaseError as error:
                if not damaged(error):
                    raise
                self._set_aside()
                return connected(self.path)
        except (OSError, sqlite3.Error) as error:
            if self.path.is_relative_to(os.devnull):
                raise StoreError(
                    Sentence("Usage cannot be recorded: no home folder is known, set HOME.")
                ) from None
            why = getattr(error, "strerror", None) or error
            raise unwritable(self.path, why) from None

    def _set_aside(self) -> None:
        found = self.path.stat().st_ino
        aside = self.path.with_name(
            f"{self.path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.getpid()}"
        )
        with contextlib.suppress(sqlite3.DatabaseError):
            connect(self.path).close()
            return  # another server has set it aside meanwhile
        if self.path.stat().st_ino != found:
            return
        # The log of a damaged file must never be applied to the new one.
        for ending in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self.path}{ending}").replace(f"{aside}{ending}")
        own(self.path)
        self.said = Sentence(
            "The record of usage was damaged: it was set aside as {file}, and a new one was begun.",
            file=aside,
        )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.DatabaseError as error:
            if damaged(error):
                self._db.close()
                self._db = self._opened()
            raise unwritable(self.path, error) from None

    @staticmethod
    def _accept(db: sqlite3.Connection, tally: _Tally, row_id: int, chars: int) -> None:
        old = db.execute(
            "SELECT slot, model, language, project, price_table, accepted FROM rows WHERE id = ?", (row_id,)
        ).fetchone()
        if old is None or old[-1] >= chars:
            return
        db.execute("UPDATE rows SET accepted = ? WHERE id = ?", (chars, row_id))
        tally.accept(_Keys(*old[:-1]), old[-1], chars)

    @staticmethod
    def _fold(db: sqlite3.Connection, day: date, zone: tzinfo | None) -> None:
        span = (start_of(day, zone), start_of(day + timedelta(days=1), zone))
        sums = ", ".join(f"sum({name})" for name in COUNTS)
        groups = db.execute(
            f"SELECT kind, name, {sums}, group_concat(first_marks, ''), group_concat(end_marks, '') FROM sums"  # noqa: S608
            " WHERE kind IN (SELECT DISTINCT kind FROM sums) AND slot >= ? AND slot < ? GROUP BY kind, name",
            span,
        ).fetchall()
        tally = _Tally()
        for kind, name, *counts, first, end in groups:
            tally.sums[kind, day.isoformat(), name] = [*counts, latency.packed(first), latency.packed(end)]
        _upsert(db, "days", "day", tally)
        db.execute(
            "DELETE FROM sums WHERE kind IN (SELECT DISTINCT kind FROM sums) AND slot >= ? AND slot < ?", span
        )
        db.execute("DELETE FROM rows WHERE slot >= ? AND slot < ?", span)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The record for reading alone, None where there is none yet; StoreError where it cannot be read."""
    if not path.exists():
        yield None
        return
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=database.BUSY_SECONDS)
        try:
            db.execute("PRAGMA temp_store = MEMORY")
            check_version(db, path)
            yield db if version(db) else None  # a server may be about to begin it
        finally:
            db.close()
    except sqlite3.Error as error:
        raise unreadable(path, error) from None


def spent(db: sqlite3.Connection, since: float, dearest: Rates) -> Decimal:
    """Dollars from a moment (seconds since 1970, at a quarter of an hour) on, of what is not yet folded into days.

    Requests of unknown price, which are those without a table, count at the `dearest`.
    """
    pico = db.execute("SELECT sum(pico) FROM sums WHERE kind = 'all' AND slot >= ?", (since,)).fetchone()[0]
    tokens = db.execute(
        "SELECT total(hit), total(missed), total(out) FROM sums WHERE kind = 'table' AND name = '' AND slot >= ?",
        (since,),
    ).fetchone()
    return Decimal(pico or 0) / PICO + cost(dearest, *map(int, tokens)).usd


def start_of(day: date, zone: tzinfo | None) -> int:
    """The second (since 1970) at which a day begins in a time zone, None being the system's own."""
    return int(datetime.combine(day, clock_time(), zone).timestamp())


class _Keys(NamedTuple):
    """Where a request is counted: in these sums, beside that of all."""

    slot: int
    model: str
    language: str
    project: str
    price_table: str


class _Tally:
    """Sums by kind, slot (or day) and name, as they are to be added to a table: COUNTS, and the two scales of marks."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str, int | str, str], list[Any]] = {}

    def add(self, row: Row) -> None:
        local = row.ended == "local"
        unpriced = row.cost is None and row.hit + row.missed + row.out > 0
        counts = (
            not local, local, row.hit, row.missed, row.out, _pico(row.cost) or 0, _pico(row.saved) or 0,
            row.shown > 0, row.accepted > 0, row.shown, row.accepted, row.estimated, unpriced,
            row.ended == "cut", row.ended == "failed",
        )  # fmt: skip
        marks = ("", "") if local else (latency.mark(row.first_ms), latency.mark(row.end_ms))
        self._count(_keys(row), (*map(int, counts), *marks))

    def accept(self, keys: _Keys, before: int, chars: int) -> None:
        counts = dict.fromkeys(COUNTS, 0) | {"accepted": int(before == 0), "accepted_chars": chars - before}
        self._count(keys, (*counts.values(), "", ""))

    def _count(self, keys: _Keys, more: tuple[int | str, ...]) -> None:
        for kind, name in zip(KINDS, ("", *keys[1:]), strict=True):
            key = (kind, keys.slot, name)
            old = self.sums.get(key)
            self.sums[key] = list(more) if old is None else [a + b for a, b in zip(old, more, strict=True)]


def _keys(row: Row) -> _Keys:
    return _Keys(
        int(row.at.timestamp()) // SLOT * SLOT, row.model, row.language, row.project or "", row.table
    )


def _values(row: Row) -> tuple[object, ...]:
    keys = _keys(row)
    return (
        round(row.at.timestamp() * 1000), keys.slot, row.model, row.language, keys.project, row.hit, row.missed, row.out,
        row.ended, row.first_ms, row.end_ms, row.shown, row.accepted, int(row.estimated), row.table,
        _pico(row.cost), _pico(row.saved),
    )  # fmt: skip


def _pico(usd: Decimal | None) -> int | None:
    return None if usd is None else int(usd * PICO)


def _upsert(db: sqlite3.Connection, table: str, when: str, tally: _Tally) -> None:
    names = ("kind", when, "name", *COUNTS, "first_marks", "end_marks")
    more = [f"{name} = {name} + excluded.{name}" for name in COUNTS]
    more += [f"{name} = {name} || excluded.{name}" for name in names[-2:]]
    db.executemany(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - names above
        f" ON CONFLICT DO UPDATE SET {', '.join(more)}",
        [(*key, *values) for key, values in tally.sums.items()],
    )
