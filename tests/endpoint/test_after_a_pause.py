"""After a pause: connections that ended meanwhile, and clocks that were set.  Nothing is lost, told, or paid for twice."""

import asyncio
import sqlite3

import pytest
from faults import (
    KEY,
    LINE,
    SAID,
    TEXT,
    URI,
    Endpoint,
    Loop,
    closes_at_the_next_key,
    closes_once_it_is_asked_again,
    goes_dead,
    is_dead_when_used_again,
    later,
    retry_after,
    status,
    well,
)

from fim_lsp.completion.engine import Engine
from fim_lsp.endpoint.connection_pool import Transport
from fim_lsp.endpoint.service import Service
from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Document, Place
from fim_lsp.usage.ledger import Ledger

HOURS = [-30, -13, -1, 1, 13, 30]


class Session:
    """An engine with its record, against an endpoint, in a world where the wall clock may be set."""

    def __init__(self, folder, does, **settings):
        self.folder, self.does, self.settings = folder, does, settings
        self.told = []
        self.pressed = 0

    async def __aenter__(self):
        self.loop = loop = asyncio.get_running_loop()
        self.endpoint = Endpoint(loop)
        self.endpoint.does = self.does
        await self.endpoint.listen()
        settings = Settings(base_url=f"http://127.0.0.1:{self.endpoint.port}", api_key=KEY, **self.settings)
        clocks = {"clock": loop.time, "wall": loop.wall}

        def connect(settings):
            transport = Transport(settings.base_url, **clocks)
            return Service(settings.base_url, settings.api_key, transport=transport, **clocks)

        self.engine = Engine(
            settings, connect, clock=loop.time, random=lambda: 0.9, sleep=asyncio.sleep, tell=self.told.append
        )
        record = self.folder / "usage.sqlite3"
        self.ledger = Ledger(
            record, self.folder / "config.toml", settings, loop.wall, self.told.append, ticks=loop.time
        )
        self.engine.backend.ledger = self.ledger
        self.engine.open(
            Document(URI, "python", 1, TEXT.replace("        result += \n", "        result += \n" * 60))
        )
        return self

    async def __aexit__(self, *_):
        await self.engine.aclose()
        await self.ledger.aclose()
        await self.endpoint.stop()

    async def key(self, text="a"):
        """Press a key; what is offered.

        An "a" is pressed on a line of its own, since what was typed past on a line is not offered there again.
        """
        self.pressed += text == "a"
        document, line = self.engine.document(URI), LINE + self.pressed - 1
        place = Place(line, len(document.lines[line]) - 1)
        self.engine.edited(URI, document.change(place, place, text))
        offers = await self.engine.complete(URI, Place(line, place.column + len(text)))
        return offers[0].text if offers else ""

    async def pause(self, seconds):
        self.loop.idle = True
        await asyncio.sleep(seconds)
        self.loop.idle = False

    def rows(self):
        """How each request ended, and its durations, as the record has them."""
        with sqlite3.connect(self.folder / "usage.sqlite3") as db:
            return db.execute("SELECT ended, first_ms, end_ms FROM rows ORDER BY id").fetchall()


def lived(work):
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(work)


@pytest.mark.parametrize(
    "does",
    [closes_at_the_next_key, closes_once_it_is_asked_again, is_dead_when_used_again],
    ids=lambda does: does.__name__,
)
def test_a_connection_that_ended_meanwhile_costs_one_silent_repeat(tmp_path, does):
    """Closed just before or just after the request's bytes: the text comes, one row of the record, no word."""

    async def life():
        async with Session(tmp_path, does) as session:
            for _ in range(5):
                assert await session.key() == SAID
                await session.pause(1.0)
            assert session.endpoint.asked <= 2 * 5
        assert session.told == []
        assert [ended for ended, *_ in session.rows()] == ["done"] * 5

    lived(life())


@pytest.mark.parametrize("patience", [0.5, 2.0, 10.0])
def test_a_dead_peer_costs_one_deadline(tmp_path, patience):
    """No word and no end: gone after the time-out, and the next ask is on a new connection at once."""

    async def life():
        async with Session(tmp_path, goes_dead(3), timeout_seconds=patience) as session:
            assert [await session.key() for _ in range(3)] == [SAID] * 3
            await session.pause(60.0)
            assert session.endpoint.dead == session.endpoint.accepted > 1
            begun = session.loop.time()
            assert await session.key() == ""
            assert session.loop.time() - begun == pytest.approx(patience, abs=0.05)
            await session.pause(1.0)
            begun = session.loop.time()
            assert await session.key() == SAID
            assert session.loop.time() - begun < 0.2
        assert [problem.cause for problem in session.told] == ["deadline"]

    lived(life())


@pytest.mark.parametrize("hours", HOURS)
def test_a_clock_that_is_set_in_a_stream(tmp_path, hours):
    """The text comes, no duration is negative or of hours, and what was paid for is still known."""

    async def life():
        async with Session(tmp_path, later(0.3, well)) as session:
            asked = asyncio.ensure_future(session.key())
            await asyncio.sleep(0.1)
            session.loop.slept += hours * 3600
            assert await asked == SAID
            assert (
                await session.key(SAID[0]) == SAID[1:]
            )  # typed along: from the cache, whose time is not the wall's
            assert session.endpoint.asked == 1
            assert await session.key(" + ") == SAID
            assert session.endpoint.asked == 2
        assert session.told == []
        rows = session.rows()
        assert [ended for ended, *_ in rows] == ["done", "done"]
        for _, first, end in rows:
            assert 0 <= first <= end < 1500

    lived(life())


@pytest.mark.parametrize("hours", HOURS)
def test_a_clock_that_is_set_in_a_rest(tmp_path, hours):
    """The rest that the service asked for is as long as it was, and no longer."""

    async def life():
        async with Session(tmp_path, status(429, retry_after(7))) as session:
            assert await session.key() == ""
            session.loop.slept += hours * 3600
            session.endpoint.does = well
            for _ in range(6):
                await session.pause(1.0)
                assert await session.key() == ""
            assert session.endpoint.asked == 1
            await session.pause(1.5)
            assert await session.key() == SAID
        assert [problem.cause for problem in session.told] == ["busy"]

    lived(life())


@pytest.mark.parametrize("hours", HOURS)
def test_a_machine_that_slept(tmp_path, hours):
    """The monotonic clock counts sleep or does not; no connection of before is used, and the first key has its text."""

    async def life():
        async with Session(tmp_path, well) as session:
            assert await session.key() == SAID
            before = session.endpoint.accepted
            session.loop.now += abs(hours) * 3600 if hours > 0 else 0
            session.loop.slept += abs(hours) * 3600 if hours < 0 else 0
            assert await session.key() == SAID
            assert session.endpoint.accepted > before
        assert session.told == []

    lived(life())


@pytest.mark.parametrize("hours", HOURS)
def test_requests_a_minute_are_of_no_calendar(tmp_path, hours):
    """A clock that is set opens no gate, and shuts none for hours."""

    async def life():
        async with Session(tmp_path, well, requests_per_minute=2) as session:
            assert [await session.key(), await session.key(), await session.key()] == [SAID, SAID, ""]
            session.loop.slept += hours * 3600
            assert await session.key() == ""
            await session.pause(61.0)
            assert await session.key() == SAID
        assert 1 <= len(session.told) <= 2  # once a day, by the calendar
        assert len(set(session.told)) == 1

    lived(life())
