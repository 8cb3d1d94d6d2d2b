"""Rows of the record of usage, written at noon, and what a record holds."""

import asyncio
from datetime import UTC, datetime

from fim_lsp.usage import prices, store
from fim_lsp.usage.recorder import Recorder
from fim_lsp.usage.store import Row

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PRICES = prices.load()
DEAREST = PRICES.dearest()


def row(at=NOON, **facts):
    facts = {
        "model": "deepseek-flash",
        "language": "python",
        "ended": "done",
        "hit": 128,
        "missed": 10,
        "out": 5,
    } | facts
    return store.billed(Row(at=at, **facts), PRICES)


def numbers(path, sql):
    with store.reading(path) as db:
        return db.execute(sql).fetchall()


def recorder(path, *, told=None, sleep=asyncio.sleep, keep_days=90, token="a"):
    told = [] if told is None else told
    return Recorder(
        path,
        keep_days=keep_days,
        token=token,
        clock=NOON.timestamp,
        ticks=lambda: 1000.0,
        tell=told.append,
        dearest=DEAREST,
        zone=UTC,
        sleep=sleep,
    )
