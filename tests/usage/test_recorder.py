"""Writing usage down never delays an answer, and what is not written is not hidden."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from records import NOON, numbers, recorder, row

from fim_lsp.usage import database, store, underway


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / store.FILE


class Sleep:
    """Time that passes when the test says so."""

    def __init__(self):
        self.until = asyncio.Event()

    async def __call__(self, seconds):
        await self.until.wait()


async def test_rows_wait_in_memory_and_are_written_together_a_moment_later(path):
    sleep = Sleep()
    one = recorder(path, sleep=sleep)
    for _ in range(5):
        one.add(row())
    assert one.unwritten == 5
    assert not path.exists()
    sleep.until.set()
    await one._later
    assert one.unwritten == 0
    assert numbers(path, "SELECT count(*) FROM rows") == [(5,)]
    await one.aclose()


async def test_closing_writes_what_is_left_and_leaves_no_file_behind(path):
    one = recorder(path, sleep=Sleep())
    one.add(row())
    await one.aclose()
    assert numbers(path, "SELECT count(*) FROM rows") == [(1,)]
    assert underway.opened(path.parent) == []


async def test_closing_without_a_single_row_begins_no_record(path):
    one = recorder(path)
    await one.aclose()
    assert list(path.parent.iterdir()) == []


async def test_acceptance_is_noted_before_and_after_the_row_is_written(path):
    one = recorder(path, sleep=Sleep())
    first, second, third = one.add(row(shown=10)), one.add(row(shown=20)), one.add(row(shown=30))
    one.accepted(first, 10)
    await one.flush()
    one.accepted(second, 5)
    one.accepted(second, 8)
    one.accepted(999, 8)
    await one.flush()
    assert numbers(path, "SELECT shown, accepted FROM rows ORDER BY id") == [(10, 10), (20, 8), (30, 0)]
    assert third == 3
    await one.aclose()


async def test_a_request_counts_as_open_from_its_beginning_to_its_writing(path):
    one = recorder(path, sleep=Sleep())
    number = one.begin()
    assert [left.requests for left in underway.opened(path.parent)] == [1]
    assert one.unwritten == 0
    assert one.add(row(), number) == number
    assert [left.requests for left in underway.opened(path.parent)] == [1]
    await one.flush()
    assert [left.requests for left in underway.opened(path.parent)] == [0]
    await one.aclose()


async def test_a_record_that_takes_nothing_keeps_rows_waiting_and_says_so_once(path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    told = []
    one = recorder(path, told=told, sleep=Sleep())
    one.add(row())
    await one.flush()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        number = one.add(row(shown=4))
        one.accepted(number, 4)
        await one.flush()
    assert one.unwritten == 2
    assert len(told) == 1
    assert "locked" in told[0]
    other.execute("COMMIT")
    other.close()
    await one.flush()
    assert one.unwritten == 0
    assert numbers(path, "SELECT count(*), sum(accepted) FROM rows") == [(3, 8)]
    await one.aclose()


async def test_a_folder_that_cannot_be_made_costs_no_more_than_one_message(tmp_path):
    (tmp_path / "file").write_text("")
    told = []
    one = recorder(tmp_path / "file" / store.FILE, told=told, sleep=Sleep())
    one.add(row())
    await one.flush()
    one.add(row())
    await one.aclose()
    assert len(told) == 1
    assert one.unwritten == 2
    assert [left.name for left in tmp_path.iterdir()] == ["file"]


async def test_a_damaged_record_is_told_and_writing_goes_on(path):
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 1000)
    told = []
    one = recorder(path, told=told, sleep=Sleep())
    one.add(row())
    await one.flush()
    assert ["set aside" in sentence for sentence in told] == [True]
    assert numbers(path, "SELECT count(*) FROM rows") == [(1,)]
    await one.aclose()


async def test_a_flush_that_is_given_up_still_writes_its_rows_once(path):
    one = recorder(path, sleep=Sleep())
    one.add(row())
    task = asyncio.create_task(one.flush())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await one.aclose()
    assert numbers(path, "SELECT count(*) FROM rows") == [(1,)]


async def test_the_loop_goes_on_while_the_record_is_locked(path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.3)
    one = recorder(path, sleep=Sleep())
    one.add(row())
    await one.flush()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    one.add(row())
    flush = asyncio.create_task(one.flush())
    turns = 0
    while not flush.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 5
    other.execute("COMMIT")
    other.close()
    await one.aclose()
    assert numbers(path, "SELECT count(*) FROM rows") == [(2,)]


async def test_rows_older_than_the_setting_are_folded_into_days(path):
    one = recorder(path, keep_days=30, sleep=Sleep())
    one.add(row(NOON - timedelta(days=31)))
    one.add(row(NOON - timedelta(days=30)))
    await one.aclose()
    assert numbers(path, "SELECT count(*) FROM rows") == [(1,)]
    assert numbers(path, "SELECT day FROM days WHERE kind = 'all'") == [("2026-10-20",)]


async def test_what_all_servers_spent_is_read_with_what_was_just_added(path):
    one, two = recorder(path, sleep=Sleep()), recorder(path, sleep=Sleep(), token="b")
    one.add(row())
    two.add(row())
    await two.flush()
    assert await one.spent(store.start_of(NOON.date(), UTC)) == 2 * row().cost
    assert await one.spent(NOON.timestamp() + 900) == Decimal(0)
    await one.aclose()
    await two.aclose()


async def test_a_killed_servers_open_requests_are_noted_by_the_next(path):
    killed = underway.Underway(path.parent, "killed", lambda: NOON.timestamp() - 1)
    killed.begin()
    killed._cells.close()
    os.close(killed._file)  # as the system does when a process ends
    one = recorder(path, sleep=Sleep())
    one.add(row())
    await one.aclose()
    assert numbers(path, "SELECT requests FROM missing") == [(1,)]


SERVER = """
import asyncio, sys, time
sys.path[:0] = {paths!r}
from pathlib import Path
from records import recorder, row

async def main():
    one = recorder(Path({path!r}))
    one_row = row()
    for n in range(100_000):
        number = one.begin()
        print(number, flush=True)
        await asyncio.sleep(0.001)
        one.add(one_row, number)

asyncio.run(main())
"""


def test_after_a_kill_every_request_is_in_the_record_or_known_to_be_missing(path):
    paths = [str(Path(store.__file__).parents[2]), str(Path(__file__).parents[1])]
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER.format(paths=paths, path=str(path))], stdout=subprocess.PIPE, text=True
    )
    for line in server.stdout:
        if int(line) >= 300:
            break
    server.kill()
    begun = int([line, *server.stdout.read().split()][-1])
    server.wait()
    server.stdout.close()
    ((stored,),) = numbers(path, "SELECT count(*) FROM rows")
    (left,) = underway.opened(path.parent)
    assert begun - stored <= left.requests < 200
    assert stored >= 100
