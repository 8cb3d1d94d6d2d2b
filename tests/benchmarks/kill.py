"""Kills the server, its editor or the endpoint at random moments, and looks at what is left.

Run it as `python tests/benchmarks/kill.py`; `--times N` takes another number than 1,000.  After each kill no process of ours
may be left, and at the end the record of usage must be whole, its rows no fewer than the requests that had ended, and the
next start as any other.
"""

import argparse
import asyncio
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from endpoint import Endpoint
from lsp import Client

URI = "file:///a.py"


async def life(home, endpoint, chance):
    """One server's life, ended at a random moment; the seconds until its process was gone."""
    client = await Client().start(home, DEEPSEEK_API_KEY="sk-test", FIM_LSP_BASE_URL=endpoint.url)

    async def work():
        await client.initialize({"debounceMs": 0})
        client.open(URI, "x = 1\n" * 50 + "\n")
        for n in range(1000):
            client.type(URI, 50, n, "y")
            await client.inline(URI, 50, n + 1)

    working = asyncio.create_task(work())
    await asyncio.sleep(chance.uniform(0.0, 1.6))
    victim = chance.choice(["server", "server", "editor", "endpoint"])
    begun = time.perf_counter()
    if victim == "server":
        client.process.send_signal(signal.SIGKILL)
    elif victim == "editor":
        client.process.stdin.transport.abort()
        client.process._transport.get_pipe_transport(1).close()
    else:
        for writer in list(endpoint._writers):
            writer.transport.abort()
        await asyncio.sleep(0.1)
        begun = time.perf_counter()
        client.process.stdin.close()
    await asyncio.wait_for(client.process.wait(), 10)
    taken = time.perf_counter() - begun
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    for task in client._tasks:
        task.cancel()
    return victim, taken


def environment(number):
    """That of a process, if it is there and ours to see."""
    try:
        return (Path("/proc") / number / "environ").read_bytes()
    except OSError:
        return b""


async def main(times, seed):
    chance = random.Random(seed)
    home = Path(tempfile.mkdtemp(prefix="fim-lsp-kill-"))
    endpoint = await Endpoint().start()
    slowest = {}
    for _ in range(times):
        victim, taken = await life(home, endpoint, chance)
        slowest[victim] = max(slowest.get(victim, 0.0), taken)
    client = await Client().start(home, DEEPSEEK_API_KEY="sk-test", FIM_LSP_BASE_URL=endpoint.url)
    await client.initialize({"debounceMs": 0})
    client.open(URI, "x = \n")
    answer = await client.inline(URI, 0, 4)
    await client.stop()
    await endpoint.stop()
    (record,) = home.rglob("usage.sqlite3")
    with sqlite3.connect(record) as db:
        whole = db.execute("PRAGMA integrity_check").fetchone()[0]
        rows = db.execute("SELECT count(*) FROM rows WHERE ended != 'local'").fetchone()[0]
        missing = db.execute("SELECT coalesce(sum(requests), 0) FROM missing").fetchone()[0]
    left = [
        name for name in os.listdir("/proc") if name.isdigit() and str(home).encode() in environment(name)
    ]
    print(
        f"{times} lives; slowest ends in s: {', '.join(f'{k} {v:.2f}' for k, v in sorted(slowest.items()))}"
    )
    print(
        f"record: {whole}; {rows} rows, {missing} known to be missing, {len(endpoint.bodies)} requests at the endpoint"
    )
    print(f"processes left: {len(left)}; the next start answered: {bool(answer['result'])}")
    sys.exit(whole != "ok" or bool(left) or not answer["result"])


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    asyncio.run(main(chosen.times, chosen.seed))
