"""The bill of a session: a short run of `benchmarks/bill.py`, with a change of prices, a peak and a kill in it."""

from benchmarks import bill

from fim_lsp.replay.session import Ask, Change, Open

BEFORE = "".join(f"def function_{n}(argument):\n    return argument + {n}\n\n\n" for n in range(120))
LINES = [f"total_{n} = function_{n}(total_{n - 1})\n" for n in range(1, 13)]


def typing():
    """Some lines typed at the end of a file, with a stop in each word."""
    events, at = [Open("a.py", BEFORE)], len(BEFORE)
    for line in LINES:
        for column, character in enumerate(line):
            if column in {3, 14, 25}:
                events.append(Ask("a.py", at, line[column:]))
            events.append(Change("a.py", at, at, character))
            at += 1
    return events


async def test_the_record_says_what_the_endpoint_counted():
    """Every bill that came is kept token for token; what a kill took is said; estimates are marked and near the truth."""
    found = await bill.measure(typing(), step=5, kill_at=18)
    assert found.exact.requests > 10
    assert found.exact.recorded == found.exact.counted
    assert found.estimated.requests > 0
    assert abs(found.estimated.off) < 25
    assert found.killed == 1
    assert found.missing == 1
    assert len(found.tables) == 3
