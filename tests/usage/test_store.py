"""The record of requests: nothing lost, nothing in the way, nothing kept for ever."""

import sqlite3
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import DEAREST, NOON, numbers, row

from fim_lsp.usage import database, latency, store, underway
from fim_lsp.usage.database import StoreError
from fim_lsp.usage.store import Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / store.FILE


def test_a_row_holds_its_exact_cost_and_the_table_that_says_so():
    one = row()
    assert one.cost == Decimal(128 * 3 + 10 * 150 + 5 * 600) / 10**9
    assert one.saved == Decimal(128 * 147) / 10**9
    assert one.table == "service deepseek-flash 2026-09-14"
    assert row(NOON - timedelta(hours=4)).table.endswith(" peak")


def test_an_answer_found_here_is_free_and_an_unknown_model_has_no_cost():
    assert row(ended="local", hit=0, missed=0, out=0).cost == 0
    assert row(model="house-model").cost is None


def test_rows_and_their_sums_are_stored_together(path):
    one = Store(path)
    assert one.write([row(), row(NOON + timedelta(minutes=14)), row(NOON + timedelta(minutes=15))], {}) == [
        1,
        2,
        3,
    ]
    one.close()
    assert numbers(path, "SELECT count(*), sum(hit), sum(pico) FROM rows") == [(3, 384, 3 * 4_884_000)]
    assert numbers(path, "SELECT requests, hit, pico FROM sums WHERE kind = 'all' ORDER BY slot") == [
        (2, 256, 2 * 4_884_000),
        (1, 128, 4_884_000),
    ]


def test_no_text_and_no_path_is_kept_of_a_request(path):
    one = Store(path)
    columns = {name for (name,) in one._db.execute("SELECT name FROM pragma_table_info('rows')")}
    one.close()
    assert columns == {
        "id", "at", "slot", "model", "language", "project", "hit", "missed", "out", "ended", "first_ms", "end_ms", "shown",
        "accepted", "estimated", "price_table", "pico", "saved_pico",
    }  # fmt: skip


def test_accepted_characters_are_added_to_a_row_that_is_stored(path):
    one = Store(path)
    (number,) = one.write([row(shown=40)], {})
    one.write([], {number: 12})
    one.write([], {number: 40})
    one.write([], {number: 30})  # an older word that came late
    one.write([], {999: 5})
    one.close()
    assert numbers(path, "SELECT shown, accepted FROM rows") == [(40, 40)]
    assert numbers(
        path, "SELECT requests, shown, shown_chars, accepted, accepted_chars FROM sums WHERE kind = 'model'"
    ) == [(1, 1, 40, 1, 40)]


def test_what_was_spent_is_summed_from_a_moment_on(path):
    one = Store(path)
    one.write([row(NOON - timedelta(days=1)), row()], {})
    assert one.spent(store.start_of(NOON.date(), UTC), DEAREST) == row().cost
    assert one.spent(0, DEAREST) == 2 * row().cost
    one.close()


def test_days_past_are_folded_into_one_sum_each_and_their_rows_go(path):
    one = Store(path)
    one.write([row(NOON - timedelta(days=3), first_ms=300, end_ms=900) for _ in range(30)], {})
    one.write([row(NOON - timedelta(days=3), language="go"), row(NOON - timedelta(days=2)), row()], {})
    assert one.fold(NOON.date() - timedelta(days=1), UTC) == 2
    one.write([row(NOON - timedelta(days=3))], {})  # a late one
    assert one.fold(NOON.date() - timedelta(days=1), UTC) == 1
    assert one.fold(NOON.date() - timedelta(days=1), UTC) == 0
    one.close()
    assert numbers(path, "SELECT count(*) FROM rows") == [(1,)]
    assert numbers(path, "SELECT sum(requests) FROM sums WHERE kind = 'all'") == [(1,)]
    assert numbers(path, "SELECT day, requests, pico FROM days WHERE kind = 'all' ORDER BY day") == [
        ("2026-11-17", 32, 32 * 4_884_000),
        ("2026-11-18", 1, 4_884_000),
    ]
    assert numbers(
        path, "SELECT name, requests FROM days WHERE kind = 'language' AND day = '2026-11-17'"
    ) == [
        ("go", 1),
        ("python", 31),
    ]
    marks = numbers(path, "SELECT first_marks FROM days WHERE kind = 'all' AND day = '2026-11-17'")[0][0]
    assert len(marks) < 5
    assert latency.counted(marks).total() == 30


def test_folded_days_are_those_of_the_users_time_zone(path):
    zone = timezone(timedelta(hours=5, minutes=45))
    one = Store(path)
    one.write(
        [row(datetime(2026, 11, 10, 18, 14, tzinfo=UTC)), row(datetime(2026, 11, 10, 18, 15, tzinfo=UTC))], {}
    )
    one.fold(date(2026, 11, 20), zone)
    one.close()
    assert numbers(path, "SELECT day, requests FROM days WHERE kind = 'all'") == [
        ("2026-11-10", 1),
        ("2026-11-11", 1),
    ]


@pytest.mark.parametrize("damage", [b"this is not a database" * 500, None])
def test_a_damaged_record_is_set_aside_with_one_sentence_and_a_new_one_begun(path, damage):
    one = Store(path)
    one.write([row() for _ in range(500)], {})
    one.close()
    if damage is None:
        data = bytearray(path.read_bytes())
        data[100:4096] = b"\xff" * 3996
        damage = bytes(data)
    path.write_bytes(damage)
    two = Store(path)
    assert two.said.startswith("The record of usage was damaged: it was set aside as ")
    two.write([row()], {})
    two.close()
    (aside,) = path.parent.glob("*.damaged-*")
    assert aside.read_bytes() == damage
    assert str(aside) in two.said
    assert numbers(path, "SELECT count(*) FROM rows") == [(1,)]


def test_damage_found_while_writing_sets_the_file_aside_and_the_rows_can_be_written_again(path):
    one = Store(path)
    one.write([row() for _ in range(2000)], {})
    one._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    one.close()
    data = bytearray(path.read_bytes())
    pages = len(data) // 4096
    for page in range(2, pages):  # the schema is whole, all else is not
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)
    two = Store(path)
    if two.said is None:
        with pytest.raises(StoreError):
            two.write([row()], {})
    assert "set aside" in two.said
    two.write([row()], {})
    two.close()
    assert numbers(path, "SELECT count(*) FROM rows") == [(1,)]


def test_a_record_of_a_newer_version_is_left_alone(path):
    Store(path).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {database.VERSION + 1}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        Store(path)
    with pytest.raises(StoreError, match="newer version"), store.reading(path):
        pass
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be recorded"):
        Store(tmp_path / "file" / store.FILE)


def test_a_record_that_does_not_exist_reads_as_none_and_is_not_made(path):
    with store.reading(path) as db:
        assert db is None
    assert not path.parent.exists()


def test_a_record_that_is_locked_is_one_sentence(path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    one, two = Store(path), Store(path)
    one._db.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        two.write([row()], {})
    one._db.execute("COMMIT")
    two.write([row()], {})
    one.close()
    two.close()


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
sys.path.insert(0, {tests!r})
from records import row
from fim_lsp.usage.store import Store
one = Store(Path({path!r}))
print("ready", flush=True)
sys.stdin.readline()
for n in range({batches}):
    while True:
        try:
            one.write([row()] * {batch}, {{}})
            break
        except Exception as error:
            if "locked" not in str(error):
                raise
    print("wrote", flush=True)
"""


def writer(path, batches, batch):
    root, tests = Path(store.__file__).parents[2], Path(__file__).parents[1]
    code = WRITER.format(root=str(root), tests=str(tests), path=str(path), batches=batches, batch=batch)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_servers_write_at_once_and_no_row_is_lost(path):
    both = [writer(path, 100, 5) for _ in range(2)]
    for one in both:
        one.stdin.write("\n")
        one.stdin.flush()
    for one in both:
        one.communicate()
        assert one.returncode == 0
    assert numbers(path, "SELECT count(*), sum(pico) FROM rows") == [(1000, 1000 * 4_884_000)]
    assert numbers(path, "SELECT sum(requests), sum(pico) FROM sums WHERE kind = 'all'") == [
        (1000, 1000 * 4_884_000)
    ]


def test_a_kill_leaves_every_batch_that_was_written_and_none_by_half(path):
    one = writer(path, 100_000, 7)
    one.stdin.write("\n")
    one.stdin.flush()
    for _ in range(20):
        assert one.stdout.readline() == "wrote\n"
    one.kill()
    wrote = 20 + one.stdout.read().count("wrote\n")
    one.wait()
    one.stdin.close()
    one.stdout.close()
    ((seen,),) = numbers(path, "SELECT count(*) FROM rows")  # a reader may be the first after the kill
    assert seen in {wrote * 7, wrote * 7 + 7}
    after = Store(path)
    assert after.said is None
    after.close()
    ((rows,),) = numbers(path, "SELECT count(*) FROM rows")
    assert rows in {wrote * 7, wrote * 7 + 7}
    assert numbers(path, "SELECT sum(requests) FROM sums WHERE kind = 'all'") == [(rows,)]


def test_what_a_killed_server_had_begun_is_counted_as_missing(tmp_path):
    clock = time.time
    code = (
        f"import sys, os; sys.path.insert(0, {str(Path(store.__file__).parents[2])!r})\n"
        "from pathlib import Path\nfrom fim_lsp.usage.underway import Underway\n"
        f"one = Underway(Path({str(tmp_path)!r}), 'a', lambda: 1000.0)\n"
        "for _ in range(5): one.begin()\none.written(2)\nprint('ready', flush=True)\nsys.stdin.readline()"
    )
    killed = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    killed.stdout.readline()
    killed.kill()
    killed.communicate()
    alive = underway.Underway(tmp_path, "b", clock)
    alive.begin()
    assert [one.requests for one in underway.opened(tmp_path)] == [3, 1]
    one = Store(tmp_path / store.FILE)
    one.claim(1000.0)
    one.claim(1000.0)
    assert one._db.execute("SELECT * FROM missing").fetchall() == [(1000, 3)]
    one.close()
    alive.written(1)
    alive.close()
    assert underway.opened(tmp_path) == []


def test_a_server_that_ends_with_requests_unwritten_leaves_their_number(tmp_path):
    one = underway.Underway(tmp_path, "a", lambda: 5.0)
    one.begin()
    one.close()
    assert [(left.requests, left.since) for left in underway.opened(tmp_path)] == [(1, 5.0)]
    (tmp_path / "underway-b.bin").write_bytes(b"half")
    assert len(underway.opened(tmp_path)) == 1


@given(st.lists(st.floats(0, 700_000), min_size=1, max_size=50), st.sampled_from([50, 90, 99]))
def test_a_percentile_read_from_marks_is_within_ten_percent(times, percent):
    joined = "".join(latency.mark(one) for one in times)
    read = latency.percentile(latency.counted(joined), percent)
    assert read == latency.percentile(latency.counted(latency.packed(joined[:20]) + joined[20:]), percent)
    true = sorted(times)[-(-len(times) * percent // 100) - 1]
    if 4 <= true <= 600_000:
        assert abs(read - true) <= 0.1 * true + 0.5


def test_no_latency_has_no_mark_and_no_marks_have_no_percentile():
    assert latency.mark(None) == ""
    assert latency.percentile(latency.counted(""), 50) is None
