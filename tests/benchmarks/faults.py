"""Prints what a user sees of every way in which a service fails, and how soon completions come again.

Run it as `python tests/benchmarks/faults.py [WORD]`, to see only rows whose name holds a word.  Each row of `tests/faults.py` is
lived through anew; one that is not as it is written there is marked.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from faults import KEYS, ROWS, live
from rich.console import Console
from rich.table import Table


def main(word):
    table = Table(
        "way of failing", "told", "sentence", "must act", "text", f"requests in {KEYS} keys", "again after s"
    )
    rows = [row for row in ROWS if word in row.name]
    wrong = 0
    for row in rows:
        life = live(row)
        seen = (
            [problem.cause for problem in life.told],
            any(problem.act for problem in life.told),
            life.offered,
            life.requests,
            round(life.again),
        )
        good = seen == ([row.told] if row.told else [], row.act, row.offered, row.requests, row.again)
        wrong += not good
        table.add_row(
            row.name + ("" if good else " (not as written)"),
            row.told or "-",
            " / ".join(problem.message for problem in life.told).replace("127.0.0.1", "HOST"),
            "yes" if row.act else "",
            repr(life.offered) if life.offered else "-",
            str(life.requests),
            f"{life.again:.0f}",
        )
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(table)
    told = sum(bool(row.told) for row in rows)
    console.print(f"{len(rows)} ways of failing, {told} of which the user hears; {wrong} not as written")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
