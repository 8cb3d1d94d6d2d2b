"""What a request costs at its moment."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.usage import prices


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


SERVICE = prices.load()
OFF_PEAK = at("2026-11-21T02:00")  # a Saturday
PEAK = at("2026-11-20T02:00")


def rates(model, when, table=SERVICE):
    price = table.price(model, when)
    return price and (str(price.hit), str(price.miss), str(price.output))


@pytest.mark.parametrize(
    ("model", "when", "expected"),
    [
        ("deepseek-flash", OFF_PEAK, ("0.003", "0.15", "0.60")),
        ("deepseek-flash", PEAK, ("0.006", "0.30", "1.20")),
        ("deepseek-v4-pro", OFF_PEAK, ("0.022", "0.66", "1.98")),
        ("deepseek-v4-pro", PEAK, ("0.044", "1.32", "3.96")),
        ("deepseek-v4-flash", at("2026-05-01T02:00"), ("0.0028", "0.14", "0.28")),
        ("deepseek-chat", at("2025-10-01T02:00"), ("0.028", "0.28", "0.42")),
    ],
)
def test_a_request_is_billed_at_the_price_of_its_moment(model, when, expected):
    assert rates(model, when) == expected


@pytest.mark.parametrize(
    ("when", "peak"),
    [
        ("2026-11-20T00:59:59", False),
        ("2026-11-20T01:00:00", True),
        ("2026-11-20T03:59:59", True),
        ("2026-11-20T04:00:00", False),
        ("2026-11-20T05:59:59", False),
        ("2026-11-20T06:00:00", True),
        ("2026-11-20T09:59:59", True),
        ("2026-11-20T10:00:00", False),
        ("2026-11-21T07:00:00", False),  # Saturday
        ("2026-11-22T07:00:00", False),  # Sunday
        ("2026-11-23T07:00:00", True),  # Monday
        ("2026-10-01T07:00:00", False),  # a Thursday, and National Day
        ("2026-10-08T07:00:00", True),  # the Thursday after
    ],
)
def test_peak_hours_begin_and_end_at_the_minute_and_rest_on_holidays(when, peak):
    assert SERVICE.price("deepseek-flash", at(when)).peak is peak


def test_a_moment_counts_in_whatever_time_zone_it_is_given():
    shanghai = timezone(timedelta(hours=8))
    assert SERVICE.price("deepseek-flash", datetime(2026, 11, 20, 9, 30, tzinfo=shanghai)).peak


@pytest.mark.parametrize(
    ("name", "day", "model"),
    [
        ("deepseek-v4-flash", "2026-06-01", "deepseek-v4-flash"),
        ("deepseek-v4-flash", "2026-11-21", "deepseek-flash"),
        ("deepseek-chat", "2026-02-01", "deepseek-v3.2-exp"),
        ("deepseek-chat", "2026-06-01", "deepseek-v4-flash"),
        ("deepseek-chat", "2026-11-21", "deepseek-flash"),
        ("deepseek-reasoner", "2026-11-21", "deepseek-v4-pro"),
    ],
)
def test_a_retired_name_is_billed_as_its_successor(name, day, model):
    assert SERVICE.price(name, at(day)).model == model


def test_an_unknown_model_or_moment_has_no_price():
    assert SERVICE.price("gpt-oss", OFF_PEAK) is None
    assert SERVICE.price("deepseek-flash", at("2026-09-13T12:00")) is None
    assert SERVICE.price("deepseek-v4-flash", at("2026-08-20T12:00")) is None


def test_a_price_names_its_table_and_the_day_since_which_it_holds():
    price = SERVICE.price("deepseek-flash", PEAK)
    assert (price.table, price.since) == ("service", date(2026, 9, 14))


def test_a_price_says_when_nobody_has_checked_it_for_over_90_days():
    price = SERVICE.price("deepseek-flash", PEAK)
    assert prices.stale(price, price.read + timedelta(days=90)) is None
    sentence = prices.stale(price, price.read + timedelta(days=91))
    assert "91 days ago" in sentence
    assert "deepseek-flash" in sentence


def test_a_cost_is_exact():
    price = SERVICE.price("deepseek-flash", OFF_PEAK)
    usd, saved = prices.cost(price, hit=1, missed=1, out=1)
    assert usd == Decimal("0.000000753")
    assert saved == Decimal("0.000000147")


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**5))
def test_any_cost_is_whole_in_picodollars(hit, missed, out):
    price = SERVICE.price("deepseek-v4-flash", at("2026-06-01"))
    usd, saved = prices.cost(price, hit, missed, out)
    assert usd * prices.PICO == hit * 2_800 + missed * 140_000 + out * 280_000
    assert saved * prices.PICO == hit * 137_200


OWN = """
name = "contract"
read = 2026-11-01

[peaks.evenings]
zone = "UTC"
days = ["fri"]
hours = ["17:00-24:00"]

[[prices]]
model = "deepseek-flash"
from = 2026-11-01
to = 2026-11-20
hit = 0.001
miss = 0.1
output = 1
peak = "evenings"
at_peak = { hit = 0.002, miss = 0.2, output = 2 }

[[names]]
name = "house-model"
model = "deepseek-flash"
"""


def own(tmp_path, text=OWN):
    path = tmp_path / "prices.toml"
    path.write_text(text, "utf-8")
    return prices.load(path)


def test_the_users_own_table_overrides_for_as_long_as_it_is_valid(tmp_path):
    table = own(tmp_path)
    assert table.wrong == ()
    assert rates("deepseek-flash", at("2026-11-20T16:59"), table) == ("0.001", "0.1", "1")
    assert rates("deepseek-flash", at("2026-11-20T17:00"), table) == ("0.002", "0.2", "2")
    assert table.price("house-model", at("2026-11-20T17:00")).table == "contract"
    assert rates("deepseek-flash", at("2026-11-21T00:00"), table) == ("0.003", "0.15", "0.60")
    assert rates("deepseek-v4-pro", OFF_PEAK, table) == ("0.022", "0.66", "1.98")


@pytest.mark.skipif("Europe/Berlin" not in available_timezones(), reason="this system has no time zones")
def test_peak_hours_of_another_time_zone_move_with_its_summer_time(tmp_path):
    table = own(tmp_path, OWN.replace('"UTC"', '"Europe/Berlin"').replace("2026-11-01\nto", "2026-06-01\nto"))
    assert not table.price("deepseek-flash", at("2026-06-05T14:59")).peak
    assert table.price("deepseek-flash", at("2026-06-05T15:00")).peak
    assert not table.price("deepseek-flash", at("2026-11-20T15:59")).peak
    assert table.price("deepseek-flash", at("2026-11-20T16:00")).peak


def test_without_a_file_of_the_users_own_the_services_prices_hold(tmp_path):
    table = prices.load(tmp_path / "none.toml")
    assert table.wrong == ()
    assert rates("deepseek-flash", OFF_PEAK, table) == ("0.003", "0.15", "0.60")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("hit = 0.001", "hit = -1", '"hit" must be'),
        ("hit = 0.001", "hit = 0.0000001", "six decimals"),
        ("hit = 0.001", "hit = nan", '"hit" must be'),
        ("hit = 0.001", "hit = true", '"hit" must be'),
        ("hit = 0.001", "", '"hit" must be'),
        ("hit = 0.001", "hits = 0.001", 'unknown "hits"'),
        ('"17:00-24:00"', '"22:00-02:00"', "within one day"),
        ('"17:00-24:00"', "18", "within one day"),
        ('"fri"', '"friday"', "must be of mon"),
        ('["fri"]', '"fri"', "must be a list"),
        ('"UTC"', '"Europe/Atlantis"', "not a time zone"),
        ('peak = "evenings"', 'peak = "mornings"', "[peaks.NAME]"),
        ('peak = "evenings"', "", "[peaks.NAME]"),
        ("[[prices]]", "[prices]", "[[prices]]"),
        ("[peaks.evenings]", "[peaks]", '"zone" must be a table'),
        ("from = 2026-11-01", 'from = "2026-11-01"', '"from" must be a day'),
        ('model = "deepseek-flash"\nfrom', "from", '"model" must be'),
        (OWN, "", "holds no"),
        (OWN, "\x00", "Invalid"),
    ],
)
def test_a_wrong_table_of_the_users_own_is_left_out_with_one_sentence(tmp_path, old, new, said):
    assert old in OWN
    table = own(tmp_path, OWN.replace(old, new, 1))
    assert len(table.wrong) == 1
    assert said in table.wrong[0]
    assert rates("deepseek-flash", at("2026-11-18T12:00"), table) == ("0.003", "0.15", "0.60")


def test_a_table_that_cannot_be_read_is_left_out_with_one_sentence(tmp_path):
    table = prices.load(tmp_path)
    assert "it is ignored" in table.wrong[0]
    assert rates("deepseek-flash", OFF_PEAK, table) == ("0.003", "0.15", "0.60")
