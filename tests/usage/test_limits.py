"""Limits that the user sets hold, and say so once."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from fim_lsp.usage.limits import Budget, Limits, low_balance


class Clock:
    def __init__(self, text="2026-11-20T12:00"):
        self.at(text)

    def at(self, text):
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def limits(clock, *, zone=UTC, **budget):
    return Limits(
        Budget(**{k: Decimal(v) if isinstance(v, str) else v for k, v in budget.items()}), clock, clock, zone
    )


def asked(one, number):
    """A request that was allowed, and has ended."""
    assert one.take(number, Decimal(0)).state != "stop"
    one.spend(Decimal(0), number)


def test_without_a_budget_nothing_is_limited(clock):
    one = limits(clock)
    one.spend(Decimal(1000))
    for number in range(1000):
        assert one.take(number, Decimal(1)).state == "ok"
    assert one.verdict() == ("ok", None, None)


def test_at_80_percent_a_word_is_said_once(clock):
    one = limits(clock, day="1")
    one.spend(Decimal("0.799999999999"))
    assert one.verdict() == ("ok", None, None)
    one.spend(Decimal("0.000000000001"))
    first, second = one.verdict(), one.verdict()
    assert first.state == second.state == "warn"
    assert "$0.80 of this day's budget of $1.00" in first.sentence
    assert second.sentence is None


def test_at_100_percent_completions_pause_until_tomorrow_with_one_message(clock):
    one = limits(clock, day="0.05")
    one.spend(Decimal("0.05"))
    first, second = one.verdict(), one.verdict()
    assert first.state == second.state == "stop"
    assert "paused" in first.sentence
    assert "00:00 on 2026-11-21" in first.sentence
    assert "$0.0500" in first.sentence
    assert second.sentence is None
    assert datetime.fromtimestamp(first.until, UTC).isoformat() == "2026-11-21T00:00:00+00:00"
    clock.at("2026-11-21T00:00")
    assert one.verdict() == ("ok", None, None)


def test_a_month_is_used_up_until_the_next_one_begins(clock):
    clock.at("2026-12-31T23:00")
    one = limits(clock, month="10")
    one.spend(Decimal(10))
    verdict = one.verdict()
    assert verdict.state == "stop"
    assert datetime.fromtimestamp(verdict.until, UTC).isoformat() == "2027-01-01T00:00:00+00:00"
    clock.at("2027-01-01T00:00")
    assert one.verdict().state == "ok"


def test_a_new_day_keeps_what_the_month_has_cost(clock):
    one = limits(clock, day="1", month="1.5")
    one.spend(Decimal(1))
    assert one.verdict().state == "stop"
    clock.at("2026-11-21T00:00")
    assert one.spent == (Decimal(0), Decimal(1))
    assert one.verdict().state == "ok"
    one.spend(Decimal("0.5"))
    assert "month" in one.verdict().sentence


def test_days_are_those_of_the_users_time_zone(clock):
    clock.at("2026-11-20T15:30")
    one = limits(clock, day="1", zone=timezone(timedelta(hours=8, minutes=30)))
    one.spend(Decimal(1))
    assert one.spent == (Decimal(1), Decimal(1))
    clock.at("2026-11-20T15:31")
    assert one.spent == (Decimal(1), Decimal(1))
    one = limits(clock, day="1", zone=timezone(timedelta(hours=8, minutes=29)))
    assert one.starts()[0] == datetime(2026, 11, 20, 15, 31, tzinfo=UTC).timestamp()


def test_the_user_can_go_on_for_today_or_until_a_moment(clock):
    one = limits(clock, day="1")
    one.spend(Decimal(2))
    assert one.verdict().state == "stop"
    assert "$1.00 is used ($2.00)" in one.over()
    assert one.go_on() == datetime(2026, 11, 21, tzinfo=UTC).timestamp()
    assert one.verdict() == ("warn", None, None)
    assert one.over() is None
    one.go_on(clock.now + 60)
    clock.now += 59
    assert one.verdict().state == "warn"
    clock.now += 1
    assert one.verdict().state == "stop"


@pytest.mark.parametrize("wrong", ["2052-01-01T09:00", "2026-11-21T03:00", "2026-11-19T22:00"])
def test_to_go_on_is_said_of_one_day_whatever_is_done_to_the_clock(clock, wrong):
    """Said while the clock was wrong it lifts nothing once it is right again, nor on a day that is come back to."""
    one = limits(clock, day="0.05")
    right = clock.now
    one.spend(Decimal("0.05"))
    clock.at(wrong)
    one.spend(Decimal("0.05"))
    assert one.verdict().state == "stop"
    one.go_on()
    assert one.verdict().state != "stop"
    clock.now = right
    assert one.verdict().state == "stop"


@pytest.mark.parametrize("hours", [-30, -13, -5, -1, 1, 5, 13, 30])
def test_a_clock_that_is_set_loses_nothing_of_a_budget(clock, hours):
    """Each day has what was spent by its own calendar, the month has all; come back, nothing was forgotten."""
    one = limits(clock, day="5", month="9")
    one.spend(Decimal(2))
    day = datetime.fromtimestamp(clock.now, UTC).date()
    clock.now += hours * 3600
    there = datetime.fromtimestamp(clock.now, UTC).date()
    one.spend(Decimal(1))
    both = Decimal(3) if there <= day else Decimal(1)  # what lies ahead counts as spent already
    assert one.spent == (both, Decimal(3))
    clock.now -= hours * 3600
    assert one.spent == (Decimal(2) if there < day else Decimal(3), Decimal(3))


def test_a_raised_budget_lets_completions_go_on_and_speaks_again_when_used(clock):
    one = limits(clock, day="1")
    one.spend(Decimal(1))
    assert one.verdict().sentence
    one.set(Budget(day=Decimal(2)))
    assert one.verdict().state == "ok"
    one.spend(Decimal(1))
    assert "$2.00" in one.verdict().sentence
    one.set(Budget(day=Decimal(2)))
    assert one.verdict().sentence is None


def test_a_budget_of_nothing_stops_at_once(clock):
    assert limits(clock, day="0").verdict().state == "stop"


def test_what_the_record_says_takes_the_place_of_what_was_counted_here(clock):
    one = limits(clock, day="1")
    one.spend(Decimal("0.1"))
    mark = one.fed
    one.spend(Decimal("0.2"))  # while the record was being read
    one.seed(one.starts(), (Decimal("0.5"), Decimal(3)), mark)
    assert one.spent == (Decimal("0.7"), Decimal("3.2"))


def test_today_and_this_month_begin_where_the_record_is_to_be_read(clock):
    day, month = limits(clock).starts()
    assert datetime.fromtimestamp(day, UTC).isoformat() == "2026-11-20T00:00:00+00:00"
    assert datetime.fromtimestamp(month, UTC).isoformat() == "2026-11-01T00:00:00+00:00"


def test_requests_a_minute_are_counted_over_the_last_sixty_seconds(clock):
    one = limits(clock, requests_a_minute=2)
    start = clock.now
    asked(one, 1)
    clock.now += 10
    assert one.verdict().state == "ok"
    asked(one, 2)
    verdict = one.verdict()
    assert verdict.state == "stop"
    assert "2 requests a minute" in verdict.sentence
    assert verdict.until == start + 60
    assert one.verdict().sentence is None
    clock.now = start + 60
    assert one.verdict().state == "ok"


def test_to_go_on_over_a_budget_does_not_lift_the_requests_a_minute(clock):
    one = limits(clock, day="1", requests_a_minute=1)
    one.spend(Decimal(1))
    one.go_on()
    asked(one, 1)
    assert "minute" in one.verdict().sentence


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ([("USD", "0.99")], "The account's balance is low: 0.99 USD left."),
        ([("USD", "1.00")], None),
        ([("CNY", "6.5"), ("USD", "0")], "The account's balance is low: 6.5 CNY and 0 USD left."),
        ([("CNY", "7"), ("USD", "0")], None),
        ([("EUR", "0.1")], None),
        ([], None),
    ],
)
def test_a_balance_is_low_when_under_a_dollar_is_left_in_any_currency(amounts, said):
    assert low_balance([(currency, Decimal(amount)) for currency, amount in amounts]) == said
