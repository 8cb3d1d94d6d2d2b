"""Whatever a service does, the user is told at most once, in words that help, and completions come back by themselves."""

import pytest
from faults import KEY, KEYS, ROWS, SAID, SECRET, TEXT, live

RESTING = [row for row in ROWS if row.requests < KEYS]
KINDS = {(row.told, row.requests): row for row in RESTING}  # one of each way of resting


def test_the_table_is_long_enough():
    """At least sixty ways of failing, no two of one name."""
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert sum(bool(row.told) for row in ROWS) >= 60


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_way_of_failing(row):
    """Text, what is told and how often, requests, recovery: as the row says."""
    life = live(row)
    assert [problem.cause for problem in life.told] == ([row.told] if row.told else [])
    for problem in life.told:
        assert problem.act == row.act
        assert row.says in problem.message
        assert problem.message.endswith(".")
        assert "\n" not in problem.message
        for private in (KEY, KEY[-6:], SECRET, "result +=", *TEXT.split("\n")[:3]):
            assert private not in problem.message
    assert life.offered == row.offered
    assert life.requests == row.requests
    assert life.again == pytest.approx(row.again, abs=1e-3)
    assert life.state == "ready"
    # A request is repeated once at most, and connections are no more than that takes.
    assert life.received <= 2 * life.requests
    assert life.connections <= 3 * life.requests
    assert life.left == []


@pytest.mark.parametrize("row", [row for row in RESTING if row.act], ids=lambda row: row.name)
def test_new_settings_end_every_rest(row):
    """Whoever has mended something need not wait."""
    life = live(row, keys=3, then="settings")
    assert life.again == 0
    assert life.state == "ready"


@pytest.mark.parametrize("row", KINDS.values(), ids=lambda row: row.name)
def test_a_person_who_asks_ends_every_rest(row):
    """The first explicit ask goes out, and what it finds is offered."""
    life = live(row, keys=3, then="explicit")
    assert life.again == 0
    assert life.state == "ready"


def test_what_comes_back_soon_is_told_once():
    """A problem that passes and comes back within ten minutes is not told again; one that asks something is."""
    passing = next(row for row in ROWS if row.name == "503 overloaded")
    asking = next(row for row in ROWS if row.name == "400 bad request")
    assert len(live(passing, keys=3, back=True).told) == 1
    assert len(live(asking, keys=3, back=True).told) == 2


def test_a_service_that_is_well_is_not_spoken_of():
    """The measure of all rows: a text at every key, one request each, two connections in all."""
    row = next(row for row in ROWS if row.name == "HTTP/1.1 as it should be")
    life = live(row)
    assert (life.offered, life.requests, life.told, life.connections) == (SAID, KEYS, [], 2)
