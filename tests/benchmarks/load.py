"""Measures the server under load: many documents at once, an endpoint that takes its time, bursts of keys.

Run it as `python tests/benchmarks/load.py`.  Three things are done to one server: 8 documents are typed in at once, 200 keys
at 5 ms each, with an endpoint that answers after 5 s; then that again, to see what memory does; then answers that are known
are asked for 500 times a second from 40 documents for 10 s.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from endpoint import Endpoint
from lsp import Client
from rich.console import Console
from rich.table import Table

DOCUMENTS, KEYS, EVERY, FIRST = 8, 200, 0.005, 5.0
MANY, RATE, SECONDS = 40, 500, 10
TEXT = "".join(f"value_{n} = compute(value_{n - 1}, {n})\n" for n in range(1, 400)) + "\n"
LAST = TEXT.count("\n") - 1


def seconds_of(client):
    """CPU time of the server's process."""
    fields = Path(f"/proc/{client.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def megabytes(client):
    """Resident."""
    return int(Path(f"/proc/{client.process.pid}/statm").read_text().split()[1]) * 4096 / 2**20


async def burst(client, uris):
    """Type in all documents at once, each key followed by its request; how many were answered, and when the last."""
    answers = []

    async def typist(uri):
        for n in range(KEYS):
            client.type(uri, LAST, n, "x")
            answers.append(client.inline(uri, LAST, n + 1))
            await asyncio.sleep(EVERY)

    await asyncio.gather(*(typist(uri) for uri in uris))
    typed = time.perf_counter()
    cpu = seconds_of(client)
    await asyncio.sleep(FIRST / 2)
    share = (seconds_of(client) - cpu) / (time.perf_counter() - typed)
    done, left = await asyncio.wait(answers, timeout=FIRST * 3)
    for uri in uris:
        client.type(uri, LAST, 0, "", end={"line": LAST, "character": KEYS})
    return len(done), len(done) + len(left), share


async def known(client, uris):
    """Milliseconds to answers that are known, and the longest silence of a second request beside them."""
    taken, late = [], []

    async def one(uri):
        begun = time.perf_counter()
        await client.inline(uri, LAST, 0)
        taken.append(1000 * (time.perf_counter() - begun))

    async def pulse():
        while True:
            begun = time.perf_counter()
            await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
            late.append(1000 * (time.perf_counter() - begun))
            await asyncio.sleep(0.02)

    beside = asyncio.create_task(pulse())
    begun, tasks = time.perf_counter(), []
    for n in range(RATE * SECONDS):
        tasks.append(asyncio.create_task(one(uris[n % len(uris)])))
        await asyncio.sleep(max(0.0, begun + (n + 1) / RATE - time.perf_counter()))
    await asyncio.wait(tasks, timeout=10)
    beside.cancel()
    return taken, len(tasks), max(late)


async def main():
    home = Path(tempfile.mkdtemp(prefix="fim-lsp-load-"))
    endpoint = await Endpoint().start()
    client = await Client().start(home, DEEPSEEK_API_KEY="sk-test", FIM_LSP_BASE_URL=endpoint.url)
    await client.initialize({"timeoutSeconds": 20})
    uris = [f"file:///{n}.py" for n in range(MANY)]
    for uri in uris:
        client.open(uri, TEXT)
    await client.texts(uris[0], LAST, 0)
    table = Table("measure", "", "")
    endpoint.first = FIRST
    for turn in ("first", "second", "third"):
        answered, asked, share = await burst(client, uris[:DOCUMENTS])
        table.add_row(
            f"{DOCUMENTS} documents, {KEYS} keys each, {turn} time",
            f"{answered} of {asked} answered",
            f"{100 * share:.1f} % of a core while waiting, {megabytes(client):.1f} MB after",
        )
    endpoint.first = 0.0
    for uri in uris:
        await client.texts(uri, LAST, 0)
    taken, asked, silence = await known(client, uris)
    table.add_row(
        f"{RATE} known answers a second, {MANY} documents",
        f"{len(taken)} of {asked} answered",
        f"median {statistics.median(taken):.1f} ms, p99 {sorted(taken)[int(0.99 * len(taken))]:.1f} ms, "
        f"longest wait of another request {silence:.1f} ms",
    )
    table.add_row(
        "streams at the endpoint",
        f"{len(endpoint.bodies)} asked",
        f"{endpoint.cut} cut, {endpoint.done} done",
    )
    await client.stop()
    await endpoint.stop()
    Console(width=140).print(table)


if __name__ == "__main__":
    asyncio.run(main())
