"""Prompts as long as an engine reads in the time that a person waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.endpoint.dialect import dialects
from fim_lsp.endpoint.pace import LEAST, MOST, SAMPLE, SECONDS, Pace

FIRST = 3_000


@pytest.mark.parametrize(
    ("speed", "room"),
    [
        (100, 1_000),  # characters a second; not less than a prompt needs
        (490, 1_000),
        (600, 3_000),  # not yet twice as long
        (1_000, 3_000),
        (1_900, 3_000),
        (2_100, 6_000),
        (9_000, 24_000),
        (1_000_000, MOST),
    ],
)
def test_room_is_what_is_read_in_three_seconds(speed, room):
    pace = Pace(FIRST)
    anew = pace.sent("x" * 2_000, "y" * 400)
    assert anew == 2_400
    pace.heard(anew, anew / speed)
    assert pace.room == room


def test_room_is_less_only_where_all_of_it_takes_twice_the_time():
    pace = Pace(FIRST)
    assert not pace.heard(1_000, 1.9)  # the whole in 5.7 s
    assert pace.heard(1_000, 2.1)  # in 6.3 s
    assert pace.room < FIRST


def test_what_was_given_up_makes_no_room_and_may_take_some():
    pace = Pace(FIRST)
    assert not pace.unheard(2_400, 0.1)
    assert not pace.unheard(2_400, SECONDS - 0.1)
    assert not pace.unheard(60_000, SECONDS)
    assert pace.room == FIRST
    assert pace.unheard(2_400, 10.0)
    assert pace.room == LEAST


def test_a_little_that_is_new_tells_nothing():
    """The next key's prompt shares nearly all with the last one; its time is the way there, and the suffix."""
    pace = Pace(FIRST)
    pace.sent("x" * 2_000, "")
    anew = pace.sent("x" * 2_000 + "ab", "y" * 400)
    assert anew == 402
    assert not pace.heard(anew, 60.0)
    assert pace.room == FIRST


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (1_000, (166, 500)),
        (3_000, (500, 500)),
        (24_000, (4_000, 1_000)),
        (MOST, (10_000, 2_500)),
        (0, (10_000, 2_500)),
    ],
)
def test_a_quick_one_is_shown_more_of_the_file(room, shown):
    """Before the cursor at a new place, and behind it; of one whose speed nobody measures, as much."""
    assert Pace(room).shown() == shown


def test_an_engine_that_is_paid_in_money_has_no_such_bound():
    for name in ("deepseek", "mistral", "vllm", "sglang", "siliconflow", "openai-suffix"):
        assert dialects()[name].first_chars == 0
    pace = Pace(0)
    assert pace.sent("x" * 9_000, "") == 0
    assert not pace.heard(9_000, 60.0)
    assert not pace.unheard(9_000, 60.0)
    assert pace.room == 0


@given(
    st.lists(st.tuples(st.integers(0, 100_000), st.floats(0, 1e6), st.booleans())),
    st.integers(1, MOST),
)
def test_room_stays_within_bounds(samples, first):
    """Whatever the clock says: also a time of nothing, and one of days."""
    pace = Pace(first)
    for anew, seconds, heard in samples:
        before = pace.room
        changed = (pace.heard if heard else pace.unheard)(anew, seconds)
        assert changed == (pace.room != before)
        assert min(first, LEAST) <= pace.room <= MOST
        assert anew >= SAMPLE or not changed
