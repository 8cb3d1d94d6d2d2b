"""A report adds up what the record holds, in the user's days."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records import NOON, row

from fim_lsp.usage import report, store
from fim_lsp.usage.store import Store

TODAY = NOON.date()


@pytest.fixture
def record(tmp_path):
    one = Store(tmp_path / store.FILE)
    yield one
    one.close()


def made(record, by="model", first=TODAY, last=TODAY, zone=UTC):
    return report.report(record._db, first, last, by, zone)


def test_the_total_has_the_names_of_the_contract(record):
    record.write(
        [
            row(shown=40, accepted=40, first_ms=250, end_ms=400),
            row(shown=60, hit=0, missed=100),
            row(ended="local", hit=0, missed=0, out=0, shown=9, accepted=9, first_ms=0, end_ms=0),
            row(ended="cut", estimated=True, shown=0),
            row(ended="failed", hit=0, missed=0, out=0),
        ],
        {},
    )
    total = made(record).json()["total"]
    usd = (2 * (128 * 3 + 10 * 150 + 5 * 600) + 100 * 150 + 5 * 600) / 1e9
    assert total == {
        "requests": 4,
        "localHits": 1,
        "promptTokens": 376,
        "cacheHitTokens": 256,
        "completionTokens": 15,
        "usd": pytest.approx(usd, abs=1e-15),
        "savedUsd": pytest.approx(256 * 147 / 1e9, abs=1e-15),
        "shown": 3,
        "accepted": 2,
        "shownChars": 109,
        "acceptedChars": 49,
        "cut": 1,
        "failed": 1,
        "estimated": 1,
        "unpriced": 0,
        "hitRate": 0.6809,
        "acceptance": 0.6667,
        "firstMs": {"p50": 235, "p90": 235, "p99": 235},
        "endMs": {"p50": 395, "p90": 395, "p99": 395},
    }


def test_an_empty_report_is_all_zero_and_has_no_rates(record):
    for db in (None, record._db):
        one = report.report(db, TODAY, TODAY, "day", UTC).json()
        assert one["groups"] == []
        assert one["total"]["usd"] == 0
        assert one["total"]["hitRate"] is None
        assert one["total"]["firstMs"] == {"p50": None, "p90": None, "p99": None}


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("model", ["deepseek-v4-pro", "deepseek-flash"]),
        ("language", ["go", "python"]),
        ("project", ["shop", ""]),
        ("hour", ["00:00", "12:00"]),
        ("day", ["2026-11-20"]),
        ("table", ["service deepseek-v4-pro 2026-09-14", "service deepseek-flash 2026-09-14"]),
    ],
)
def test_groups_are_dearest_first_and_times_in_their_order(record, by, names):
    record.write(
        [
            row(),
            row(NOON - timedelta(hours=12), model="deepseek-v4-pro", language="go", project="shop"),
            row(NOON - timedelta(days=1), language="rust"),
        ],
        {},
    )
    one = made(record, by)
    assert list(one.groups) == names
    assert sum(figures.usd for figures in one.groups.values()) == one.total.usd


def test_days_begin_at_midnight_of_the_users_time_zone(record):
    zone = timezone(timedelta(hours=5, minutes=45))
    record.write(
        [row(datetime(2026, 11, 19, 18, 14, tzinfo=UTC)), row(datetime(2026, 11, 19, 18, 15, tzinfo=UTC))], {}
    )
    assert made(record, zone=zone).total.counts["requests"] == 1
    assert list(made(record, "hour", zone=zone).groups) == ["00:00"]
    assert list(made(record, "day", first=TODAY - timedelta(days=1), zone=zone).groups) == [
        "2026-11-19",
        "2026-11-20",
    ]


def test_folding_days_changes_no_figure(record):
    for day in range(5):
        for n in range(20):
            at = NOON - timedelta(days=day, minutes=37 * n)
            record.write([row(at, language=("go", "python")[n % 2], first_ms=100 + 31 * n, end_ms=900)], {})
    first = TODAY - timedelta(days=6)
    before = {by: made(record, by, first).json() for by in report.BYS}
    record.fold(TODAY - timedelta(days=1), UTC)
    after = {by: made(record, by, first).json() for by in report.BYS}
    hours = [after.pop("hour"), before.pop("hour")]
    assert after == before
    assert hours[0]["total"] == hours[1]["total"]
    assert hours[0]["groups"][0]["name"] == report.FOLDED
    assert report.first_day(record._db, UTC) == TODAY - timedelta(days=4)


def test_a_model_without_a_price_is_counted_as_unpriced(record):
    record.write(
        [row(model="house-model"), row(model="house-model", hit=0, missed=0, out=0, ended="failed")], {}
    )
    one = made(record)
    assert one.total.counts["unpriced"] == 1
    assert one.total.usd == 0
    assert one.tables == ()
    assert list(made(record, "table").groups) == []


def test_a_report_names_the_prices_it_used_and_what_is_missing(record):
    record.write([row(), row(NOON - timedelta(hours=4))], {})
    record._db.execute("INSERT INTO missing VALUES (?, 3)", (int(NOON.timestamp()),))
    record._db.execute("INSERT INTO missing VALUES (?, 4)", (int(NOON.timestamp()) - 86400,))
    one = made(record).json()
    assert one["priceTables"] == [
        "service deepseek-flash 2026-09-14",
        "service deepseek-flash 2026-09-14 peak",
    ]
    assert one["missing"] == 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 4096)), max_size=20))
def test_the_cost_of_a_report_is_exactly_that_of_its_rows(record, tokens):
    record._db.execute("DELETE FROM sums")
    rows = [row(hit=hit, missed=missed, out=out) for hit, missed, out in tokens]
    record.write(rows, {})
    assert made(record).total.usd == sum((one.cost for one in rows), Decimal(0))


def test_a_hit_rate_far_below_what_is_usual_is_told_with_its_likely_causes(record):
    for project, hit_before, hit_now in (("shop", 900, 100), ("bank", 900, 850), ("new", 0, 0)):
        day = NOON - timedelta(days=3)
        if project != "new":
            record.write(
                [row(day, project=project, hit=hit_before, missed=1000 - hit_before) for _ in range(200)], {}
            )
        record.write([row(project=project, hit=hit_now, missed=1000 - hit_now) for _ in range(50)], {})
    (sentence,) = report.fallen(record._db, TODAY, UTC)
    assert sentence.startswith("In shop, 10% of the prompt")
    assert "90% is usual" in sentence
    assert report.fallen(None, TODAY, UTC) == []


def test_the_first_day_of_an_empty_record_is_none(record):
    assert report.first_day(record._db, UTC) is None
    assert report.first_day(None, UTC) is None
    record.write([row()], {})
    assert report.first_day(record._db, UTC) == date(2026, 11, 20)
