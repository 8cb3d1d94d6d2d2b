"""Leave to ask, given by the record to all servers that share it: what each request may cost, and when it ended.

A request counts from its leave to its end with what it may cost at most, and for a minute after its end against the
requests a minute: so none is out of sight between being sent and being recorded.  Moments are those of the system's
monotonic clock, which processes share and which no calendar moves; one that lies ahead is of before a restart of the
machine, and is taken as of now.  A request of a server that was killed keeps its cost, since nobody knows its bill.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from typing import Literal, NamedTuple

from fim_lsp.usage.prices import PICO

MINUTE = 60.0
_KEPT_MS = 40 * 86_400_000  # milliseconds: longer than a month
_TABLE = """CREATE TABLE IF NOT EXISTS permits (server TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
    tick REAL NOT NULL, pico INTEGER NOT NULL, open INTEGER NOT NULL, PRIMARY KEY (server, number)) WITHOUT ROWID"""


class Ask(NamedTuple):
    """A request that wants to leave: which one of its server, what it may cost at most in dollars, what is allowed.

    `day` and `month` are dollars, `a_minute` requests; None is no limit.  `starts` are the seconds since 1970 at which
    the day and the month began, `now` is in them, too.
    """

    number: int
    most: Decimal
    day: Decimal | None
    month: Decimal | None
    a_minute: int | None
    starts: tuple[int, int]
    now: float


class Leave(NamedTuple):
    """Whether it may leave: go, wait (for what is under way), used (the budget) or minute (used up, for `seconds`).

    `spent` are the dollars of the day and of the month, None where they cannot be read or are not limited.
    """

    state: Literal["go", "wait", "used", "minute"]
    spent: tuple[Decimal, Decimal] | None = None
    seconds: float = 0.0


class Ended(NamedTuple):
    """Requests of a server that have ended, by their numbers: each with its moment of the monotonic clock."""

    server: str
    ticks: dict[int, float]


def give(
    db: sqlite3.Connection,
    server: str,
    ask: Ask,
    tick: float,
    spent: Callable[[float], Decimal],
    alive: Callable[[str], bool],
) -> Leave:
    """Leave for a request, noted where it is given.

    `tick` is of the monotonic clock, read within the transaction that this belongs to: no other server's is later.
    """
    db.execute(_TABLE)
    db.execute("UPDATE permits SET tick = ? WHERE tick > ?", (tick, tick))
    db.execute(
        "DELETE FROM permits WHERE open = 0 AND tick <= ? AND (pico = 0 OR at < ?)",
        (tick - MINUTE, round(ask.now * 1000) - _KEPT_MS),
    )
    leave = _leave(db, ask, tick, spent)
    if leave.state != "go" and _bury(db, server, tick, alive):
        leave = _leave(db, ask, tick, spent)
    if leave.state == "go":
        db.execute(
            "INSERT OR REPLACE INTO permits VALUES (?, ?, ?, ?, ?, 1)",
            (server, ask.number, round(ask.now * 1000), tick, int(ask.most * PICO)),
        )
    return leave


def end(db: sqlite3.Connection, ended: Ended) -> None:
    """Requests have ended, and what they cost is in the record."""
    db.execute(_TABLE)
    db.executemany(
        "UPDATE permits SET open = 0, pico = 0, tick = ? WHERE server = ? AND number = ?",
        [(tick, ended.server, number) for number, tick in ended.ticks.items()],
    )


def take_back(db: sqlite3.Connection, server: str, number: int) -> None:
    """A request has not left after all."""
    db.execute(_TABLE)
    db.execute("DELETE FROM permits WHERE server = ? AND number = ?", (server, number))


def _leave(db: sqlite3.Connection, ask: Ask, tick: float, spent: Callable[[float], Decimal]) -> Leave:
    open_, reserved = db.execute("SELECT count(*), total(pico) FROM permits WHERE open").fetchone()
    found = None
    if ask.day is not None or ask.month is not None:
        day, month = (spent(start) + _lost(db, start) for start in ask.starts)
        found = (day, month)
        under_way = Decimal(int(reserved)) / PICO + ask.most
        for used, budget in ((day, ask.day), (month, ask.month)):
            if budget is not None and used >= budget:
                return Leave("used", found)
            # One alone may leave as long as the budget is not used: it may be cheaper than it could be.
            if budget is not None and open_ and used + under_way > budget:
                return Leave("wait", found)
    if ask.a_minute is not None:
        ended = db.execute(
            "SELECT tick FROM permits WHERE NOT open AND tick > ? ORDER BY tick DESC", (tick - MINUTE,)
        ).fetchall()
        if open_ + len(ended) >= ask.a_minute:
            room = ask.a_minute - open_
            return Leave("minute", found, ended[room - 1][0] + MINUTE - tick if room > 0 else MINUTE)
    return Leave("go", found)


def _lost(db: sqlite3.Connection, since: float) -> Decimal:
    """Dollars that requests of killed servers may have cost."""
    (pico,) = db.execute(
        "SELECT total(pico) FROM permits WHERE NOT open AND at >= ?", (since * 1000,)
    ).fetchone()
    return Decimal(int(pico)) / PICO


def _bury(db: sqlite3.Connection, own: str, tick: float, alive: Callable[[str], bool]) -> bool:
    """Take requests of servers that live no longer as ended now; whether there were any."""
    servers = [row[0] for row in db.execute("SELECT DISTINCT server FROM permits WHERE open")]
    dead = [server for server in servers if server != own and not alive(server)]
    db.executemany(
        "UPDATE permits SET open = 0, tick = ? WHERE server = ? AND open",
        [(tick, server) for server in dead],
    )
    return bool(dead)
