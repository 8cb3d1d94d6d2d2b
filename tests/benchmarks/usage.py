"""Measures the record of usage: two writers at once, the cost of adding a row, a report over a million rows.

Run it as `python tests/benchmarks/usage.py`; `--rows N` takes another number than a million.
"""

import argparse
import asyncio
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from fim_lsp.usage import prices, report, store
from fim_lsp.usage.recorder import Recorder

FIRST = datetime(2026, 9, 14, tzinfo=UTC)
DAYS = 90


def rows(number, seed):
    """Rows spread at random over 90 days: 2 models, 8 languages, 5 projects."""
    rnd, table = random.Random(seed), prices.load()
    for n in range(number):
        out = rnd.randrange(60)
        first = rnd.lognormvariate(5.6, 0.5)
        yield store.billed(
            store.Row(
                at=FIRST + timedelta(seconds=n * DAYS * 86400 / number),
                model=rnd.choice(("deepseek-flash", "deepseek-v4-pro")),
                language=rnd.choice(
                    ("python", "typescript", "go", "rust", "c", "java", "markdown", "shellscript")
                ),
                project=rnd.choice(("shop", "bank", "notes", "site", None)),
                ended=rnd.choice(("done", "cut", "local", "done")),
                hit=128 * rnd.randrange(50),
                missed=rnd.randrange(800),
                out=out,
                first_ms=first,
                end_ms=first + 8 * out,
                shown=rnd.randrange(80),
                accepted=rnd.choice((0, 0, 20)),
            ),
            table,
        )


def recorder(path, token):
    return Recorder(
        path,
        keep_days=3650,
        token=token,
        clock=time.time,
        ticks=time.monotonic,
        tell=print,
        dearest=prices.load().dearest(),
        zone=UTC,
    )


async def write(path, token, number):
    """One server's rows, added one by one while its loop goes on; the microseconds that each `add` took."""
    one, took = recorder(Path(path), token), []
    for row in rows(number, token):
        start = time.perf_counter_ns()
        one.add(row)
        took.append((time.perf_counter_ns() - start) / 1000)
        if len(took) % 10 == 0:
            await asyncio.sleep(0)
    await one.aclose()
    print(
        f"add: median {statistics.median(took):.2f} us, 99 % under {sorted(took)[number * 99 // 100]:.2f} us"
    )
    print(f"unwritten at the end: {one.unwritten}")


async def answers(path, number):
    """How late a loop wakes that records a row at each turn, and one that does not; medians in ms."""
    (row,) = rows(1, 0)
    found = {}
    for name in ("without", "with", "without again", "with again"):
        one, late = recorder(path, name.replace(" ", "-")), []
        for _ in range(number):
            start = time.perf_counter()
            await asyncio.sleep(0.002)
            if name.startswith("with") and "out" not in name:
                one.add(row)
            late.append((time.perf_counter() - start) * 1000)
        await one.aclose()
        found[name] = statistics.median(late)
    print("a turn of 2 ms, median ms:", ", ".join(f"{name} recording {ms:.3f}" for name, ms in found.items()))


def two_writers(folder, number):
    path = folder / "two" / store.FILE
    both = [
        subprocess.Popen([sys.executable, __file__, "--write", path, str(n), str(number)]) for n in range(2)
    ]
    assert [one.wait() for one in both] == [0, 0]
    with store.reading(path) as db:
        total = report.report(db, FIRST.date(), date(2027, 1, 1), "model", UTC).total
        stored = db.execute("SELECT count(*) FROM rows").fetchone()[0]
    counted = total.counts["requests"] + total.counts["local"]
    print(f"two writers of {number} rows at once: {stored} rows stored, {counted} counted in the sums")


def million(folder, number):
    path, start = folder / "million" / store.FILE, time.perf_counter()
    one, batch = store.Store(path), []
    for row in rows(number, 1):
        batch.append(row)
        if len(batch) == 5000:
            one.write(batch, {})
            batch.clear()
    one.write(batch, {})
    one.close()
    size = path.stat().st_size / 1e6
    print(f"{number} rows written in {time.perf_counter() - start:.1f} s, {size:.0f} MB on disk")
    for by in report.BYS:
        subprocess.run([sys.executable, __file__, "--report", path, by], check=True)


def one_report(path, by):
    start = time.perf_counter()
    with store.reading(path) as db:
        found = report.report(db, FIRST.date(), (FIRST + timedelta(days=DAYS)).date(), by, UTC).json()
    took, memory = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    requests = found["total"]["requests"] + found["total"]["localHits"]
    print(
        f"report by {by}: {requests} rows, {len(found['groups'])} groups, {took:.2f} s, {memory:.0f} MiB in all"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--write", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--report", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.write:
        path, token, number = args.write
        asyncio.run(write(path, token, int(number)))
    elif args.report:
        one_report(Path(args.report[0]), args.report[1])
    else:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            two_writers(folder, 10_000)
            asyncio.run(answers(folder / "answers" / store.FILE, 1000))
            million(folder, args.rows)


if __name__ == "__main__":
    main()
