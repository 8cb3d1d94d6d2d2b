"""Real answers of a model: those that came out right stay right, and no filter harms more of them than it mends."""

from pathlib import Path

import pytest
from benchmarks import filters

ANSWERS = filters.read(Path(__file__).parents[1] / "corpus" / "answers" / "answers.jsonl")
EXACT = [row for row in ANSWERS if row.get("exact")]


def test_right_answers_stay_right():
    """Whatever is changed about the filters, these documents come out as their authors wrote them."""
    assert len(EXACT) >= 25
    wrong = [(row["repository"], row["truth"]) for row in EXACT if filters.keys(row, filters.trimmed(row))]
    assert wrong == []


def test_what_is_inserted_of_real_answers():
    """It is as it was found to be right, or to be no harm."""
    held = [row for row in ANSWERS if "inserted" in row]
    assert len(held) >= 150
    wrong = []
    for row in held:
        found = filters.trimmed(row)
        if found != (row["inserted"], row.get("covers", 0)):
            wrong.append((row["repository"], row["inserted"], found))
    assert wrong == []


def test_no_filter_harms_more_than_it_mends():
    """Of the answers that a filter changes, more come nearer to the truth than leave it."""
    found = filters.tallies(ANSWERS)
    assert found["end of the block"].fires > found["loops"].fires > 0
    assert {name: tally for name, tally in found.items() if tally.wrongly > tally.rightly} == {}


@pytest.mark.parametrize("name", filters.FILTERS)
def test_every_filter_can_be_taken_away_and_is_put_back(name):
    """What stands in the table stands in the code."""
    holder, attribute, _ = filters.FILTERS[name]
    kept = getattr(holder, attribute)
    with filters.without(name):
        assert getattr(holder, attribute) is not kept
    assert getattr(holder, attribute) is kept
