"""Limits, by themselves and in ledgers that share a record: random orders of events, clocks that jump, records that fail."""

import asyncio
import os
import random
import sqlite3
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fim_lsp.completion.ask_floor import AT_ONCE, EVERY, Floor
from fim_lsp.context.window import Prompt
from fim_lsp.endpoint.request import Usage
from fim_lsp.settings.settings import Settings
from fim_lsp.usage import database, store
from fim_lsp.usage.bill import bounded, most
from fim_lsp.usage.early import Early
from fim_lsp.usage.ledger import Ledger
from fim_lsp.usage.limits import Budget, Limits

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
FLAT = (
    'name = "flat"\nread = 2026-11-20\n[[prices]]\nmodel = "deepseek-flash"\nhit = 1\nmiss = 1\noutput = 0\n'
)
PROMPT = Prompt("x" * 44, "")  # 300 tokens at most: $0.0003
MODEL = "deepseek-flash"


class Time:
    """The time that passes, which nobody sets, and the calendar's, which is set."""

    def __init__(self):
        self.real = 5000.0
        self.set = NOON - 5000.0

    def clock(self):
        return self.real + self.set

    def ticks(self):
        return self.real

    async def sleep(self, seconds):
        self.real += seconds
        await asyncio.sleep(0)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
async def opened(tmp_path, time):
    """Ledgers that share a record, at a flat price, with these settings."""
    (tmp_path / "prices.toml").write_text(FLAT)
    ledgers = []

    def begin(*, told=None, record=None, **settings):
        ledger = Ledger(
            record or tmp_path / "state" / store.FILE,
            tmp_path / "config.toml",
            Settings(**settings),
            time.clock,
            (told if told is not None else []).append,
            ticks=time.ticks,
            sleep=time.sleep,
        )
        ledgers.append(ledger)
        return ledger

    yield begin
    for ledger in ledgers:
        await ledger.aclose()


def ended(ledger, number, tokens=100, model=MODEL):
    ledger.ended(number, "file:///a.py", model=model, language="python", ended="done", missed=tokens)


async def asks(ledger, number, tokens=100, model=MODEL):
    """How many of so many asks, one after the other, are let through; what they came to is written then."""
    let = 0
    for _ in range(number):
        leave = await ledger.reserve(model, PROMPT, 0)
        if leave is not None:
            let += 1
            ended(ledger, leave, tokens, model)
    await ledger._recorder.flush()
    return let


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_no_minute_sees_more_requests_than_are_allowed(opened, time, seed):
    """Two servers ask, are cancelled, hear answers late; clocks jump; one is killed and another takes its place."""
    rnd = random.Random(seed)
    allowed = rnd.choice([1, 3, 5])
    servers = [opened(requests_per_minute=allowed) for _ in range(2)]
    sent, under_way = [], []
    for _ in range(150):
        match rnd.choice(["ask", "ask", "ask", "cancel", "end", "end", "wait", "jump", "kill"]):
            case "ask":
                asking = [
                    (one, asyncio.create_task(one.reserve(MODEL, PROMPT, 0)))
                    for one in rnd.choices(servers, k=rnd.randrange(1, 4))
                ]
                for one, task in asking:
                    if (number := await task) is not None:
                        time.real += rnd.random()
                        sent.append(time.real)  # as late as it can be after its leave
                        under_way.append((one, number))
            case "cancel":
                task = asyncio.create_task(rnd.choice(servers).reserve(MODEL, PROMPT, 0))
                for _ in range(rnd.randrange(3)):
                    await asyncio.sleep(0)
                task.cancel()
                done = await asyncio.gather(task, return_exceptions=True)
                assert done[0] is None or isinstance(done[0], asyncio.CancelledError)
            case "end" if under_way:
                one, number = under_way.pop(rnd.randrange(len(under_way)))
                ended(one, number)
            case "wait":
                time.real += rnd.choice([0.1, 10.0, 59.0, 61.0])
            case "jump":
                time.set += rnd.choice([-90_000, -3600, -60, 60, 3600, 90_000])
            case "kill" if rnd.random() < 0.2:
                dead = servers.pop(0)
                kill(dead)
                under_way = [(one, number) for one, number in under_way if one is not dead]
                servers.append(opened(requests_per_minute=allowed))
    for moment in sent:
        assert sum(moment - 60 < other <= moment for other in sent) <= allowed, seed
    assert len(sent) > allowed


def kill(ledger):
    """What the system does when a process ends: its lock is let go of."""
    underway = ledger._recorder._underway
    underway._cells.close()
    os.close(underway._file)
    ledger._recorder._underway = ledger._recorder._writer._underway = None


@pytest.mark.parametrize("jump", [-3600, 3600, -86_400, 86_400])
async def test_a_clock_that_is_set_neither_stops_nor_loosens_the_requests_a_minute(opened, time, jump):
    """In one server, and in another that begins after it."""
    one = opened(requests_per_minute=3)
    assert await asks(one, 5) == 3
    time.set += jump
    time.real += 30
    assert await asks(one, 5) == 0
    other = opened(requests_per_minute=3)
    assert await asks(other, 5) == 0
    time.set -= jump
    assert await asks(one, 5) + await asks(other, 5) == 0
    time.real += 30.1
    assert await asks(other, 5) == 3
    assert await asks(one, 5) == 0


async def test_after_a_restart_of_the_machine_the_record_holds_nothing_up(opened, time):
    """The monotonic clock begins anew: what lies ahead counts as of now, for a minute."""
    assert await asks(opened(requests_per_minute=3), 3) == 3
    time.real = 10.0
    after = opened(requests_per_minute=3)
    assert await asks(after, 3) == 0
    time.real += 60.1
    assert await asks(after, 5) == 3


@pytest.mark.parametrize("spoilt", [False, True])
async def test_hopping_over_midnight_gives_one_day_more_and_not_one_each_time(opened, time, tmp_path, spoilt):
    """With a record, and where there can be none."""
    (tmp_path / "file").write_text("")
    record = tmp_path / "file" / store.FILE if spoilt else None
    one = opened(daily_budget=0.0007, record=record)
    found = []
    for _ in range(4):
        found.append(await asks(one, 20))
        time.set += 86_400 if len(found) % 2 else -86_400
        await one.seed()
    assert found == [7, 7, 0, 0]


async def test_a_record_that_cannot_be_read_keeps_what_was_known(opened, time, tmp_path):
    """A day's budget is not a minute's."""
    (tmp_path / "file").write_text("")
    one = opened(daily_budget=0.0008, record=tmp_path / "file" / store.FILE)
    found = []
    for _ in range(4):
        found.append(await asks(one, 20))
        time.real += 60
        await one.seed()
    assert found == [8, 0, 0, 0]


async def test_a_record_that_takes_nothing_holds_nothing_up_and_the_budget_holds(
    opened, tmp_path, monkeypatch
):
    """Locked by another program after some requests: rows that wait count, with what was read before."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    one, told = opened(daily_budget=0.0008), []
    assert await asks(one, 3) == 3
    await one.seed()
    other = sqlite3.connect(tmp_path / "state" / store.FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    two = opened(daily_budget=0.0008, told=told)
    await two.seed()
    assert await asks(two, 20) == 5
    await two.seed()
    assert await asks(two, 20) == 0
    assert len([sentence for sentence in told if "locked" in sentence]) == 1
    other.execute("COMMIT")
    other.close()
    await one.seed()
    await two.usage()
    await one.seed()
    assert await asks(one, 20) == 0


async def test_what_was_reserved_by_a_killed_server_stays_spent(opened):
    """Nobody knows its bill; and it holds nobody up."""
    dead, one = opened(daily_budget=0.0008), opened(daily_budget=0.0008)
    assert await dead.reserve(MODEL, PROMPT, 0)
    assert await dead.reserve(MODEL, PROMPT, 0)
    kill(dead)
    assert await asks(one, 20) == 2


async def test_a_request_that_is_given_up_before_it_leaves_costs_nothing(opened):
    """Its leave is taken back here and in the record."""
    one, other = opened(requests_per_minute=2), opened(requests_per_minute=2)
    for _ in range(5):
        task = asyncio.create_task(one.reserve(MODEL, PROMPT, 0))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await asks(one, 1) == 1
    assert await asks(other, 2) == 1


@pytest.mark.parametrize(
    ("model", "when"), [("other", NOON), ("deepseek-chat", datetime(2020, 1, 1, tzinfo=UTC).timestamp())]
)
async def test_what_has_no_price_counts_at_the_dearest_and_is_told_once(opened, time, tmp_path, model, when):
    """Also after a restart, from the record; never where nothing is limited."""
    (tmp_path / "prices.toml").write_text(FLAT.replace("= 1\n", "= 10\n"))
    time.set = when - time.real
    told = []
    assert await asks(opened(told=told), 3, model=model) == 3
    assert told == []
    one = opened(daily_budget=0.01, told=told)
    await one.seed()
    assert await asks(one, 20, model=model) == 7
    assert len([sentence for sentence in told if "No price is known" in sentence]) == 1
    assert one.usd == 0
    again = opened(daily_budget=0.01)
    assert await asks(again, 20, model=model) == 0


async def test_without_limits_a_request_waits_for_nothing(opened):
    """Not for one turn of the loop."""
    one = opened()
    asking = one.reserve(MODEL, PROMPT, 0)
    with pytest.raises(StopIteration) as let:
        asking.send(None)
    assert let.value.value == 1


async def test_two_servers_see_each_others_spending_at_once(opened):
    """Not only after a minute."""
    one, other = opened(monthly_budget=0.0008), opened(monthly_budget=0.0008)
    assert await asks(one, 5) == 5
    assert await asks(other, 20) == 3
    assert await asks(one, 20) == 0


def test_a_budget_has_room_for_what_is_under_way(time):
    """A request alone leaves as long as the budget is not used; another only where both fit whole."""
    one = Limits(Budget(day=Decimal(1)), time.clock, time.ticks, UTC)
    assert one.take(1, Decimal("0.6")).state == "ok"
    assert one.take(2, Decimal("0.5")).state == "wait"
    assert one.take(3, Decimal("0.4")).state == "ok"
    one.spend(Decimal("0.1"), 1)
    assert one.take(4, Decimal("0.5")).state == "ok"
    for number in (3, 4):
        one.spend(Decimal("0.4"), number)
    assert one.take(5, Decimal(9)).state == "warn"
    one.spend(Decimal("0.2"), 5)
    assert one.take(6, Decimal(0)).state == "stop"


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        (Usage(100, 64, 5), Usage(100, 64, 5)),
        (Usage(100, 101, 5), Usage(100, 0, 5)),
        (Usage(10**24, 10**23, 10**9), Usage(300, 300, 60)),
        (Usage(0, 0, 0), Usage(0, 0, 0)),
    ],
)
def test_a_bill_is_at_most_what_its_request_can_cost(told, counted):
    """By its bytes, and by the tokens that were asked for."""
    assert bounded(told, PROMPT, 60) == counted


def test_a_token_is_never_less_than_a_byte():
    """Half a character counts like a whole one."""
    assert most(Prompt("é漢", "\ud800")) - most(Prompt("", "")) == 8


def test_explicit_asks_that_come_to_nothing_are_followed_by_fewer():
    """Some at once, then one each half second; a while later as at first."""
    floor, now = Floor(), 100.0
    for _ in range(int(AT_ONCE / EVERY)):
        assert floor.wait(now) == 0
        floor.came_to_nothing(now)
    for _ in range(5):
        floor.came_to_nothing(now)
        wait = floor.wait(now)
        assert wait == pytest.approx(EVERY)
        now += wait
    assert floor.wait(now + AT_ONCE) == 0


async def test_what_is_asked_before_the_record_is_open_is_told_to_it(opened, tmp_path):
    """With the same numbers, also what ends and is accepted afterwards."""
    early, ledger = Early(lambda: False), opened()
    first, second = [await early.reserve(MODEL, PROMPT, 0) for _ in range(2)]
    what = {"model": MODEL, "language": "python", "shown": 9}
    early.ended(first, "file:///a.py", ended="done", **what)
    early.accepted(first, 4)
    local = early.ended(None, "file:///a.py", ended="local", **what)
    early.adopt(ledger)
    early.ended(second, "file:///a.py", ended="cut", **what)
    ledger.accepted(local, 5)
    early.accepted(second, 6)
    await ledger.usage()
    with store.reading(tmp_path / "state" / store.FILE) as db:
        found = db.execute("SELECT ended, accepted FROM rows ORDER BY id").fetchall()
    assert found == [("done", 4), ("local", 5), ("cut", 6)]


async def test_what_is_limited_waits_until_it_is_known_what_was_spent(opened):
    """And never leaves where that cannot be."""
    early = Early(lambda: True)
    asking = asyncio.create_task(early.reserve(MODEL, PROMPT, 0))
    await asyncio.sleep(0)
    assert not asking.done()
    early.adopt(opened(requests_per_minute=1))
    assert await asking == 1
    assert await early.reserve(MODEL, PROMPT, 0) is None
    lost = Early(lambda: True)
    lost.give_up()
    assert await lost.reserve(MODEL, PROMPT, 0) is None


def test_a_record_that_another_server_begins_just_now_is_waited_for(tmp_path, monkeypatch):
    """SQLite says at once that it is locked while the mode of its journal changes."""
    connect, locked = database.connect, sqlite3.OperationalError("database is locked")
    locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
    left = [locked, locked]

    def busy(path):
        if left:
            raise left.pop()
        return connect(path)

    monkeypatch.setattr(database, "connect", busy)
    monkeypatch.setattr(database, "BUSY_PAUSE", 0.0)
    store.Store(tmp_path / store.FILE).close()
    assert not left
