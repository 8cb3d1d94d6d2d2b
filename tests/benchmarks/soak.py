"""An hour of work at once: edits and asks over many documents, with faults at random, and what is left at the end.

Run it as `python tests/benchmarks/soak.py`; `--edits N` (200,000) and `--asks N` (20,000) take others.  Time is the
benchmark's own.  Every ask must come to an answer, every document must be what a naive model says, and memory, tasks and
files must be what they were.  With `--sockets N` so many asks go to a real endpoint that answers every other one, and fails
at the rest in any of the ways of `tests/faults.py`.
"""

import argparse
import asyncio
import os
import random
import sys
from contextlib import asynccontextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

import faults
from world import Reply, Service

from fim_lsp.completion.engine import Engine
from fim_lsp.endpoint.connection_pool import Transport
from fim_lsp.endpoint.request import Refused, Unavailable
from fim_lsp.endpoint.service import Service as Client
from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Document, Place

DOCUMENTS = 50
FAULTS = (
    lambda: Unavailable("busy", "busy", retry_after=2.0),
    lambda: Unavailable("gone", "network"),
    lambda: Unavailable("nonsense", "garbage", alone=True),
    lambda: Refused("no model", "model"),
)


class Faulty(Service):
    """Answers, fails or stalls, as chance will have it."""

    def __init__(self, chance):
        super().__init__()
        self._chance = chance
        self.failed = 0

    @asynccontextmanager
    async def complete(self, request, *, seconds):
        fate = self._chance.random()
        self.requests.append(None)
        self.under_way += 1
        try:
            for _ in range(self._chance.randrange(4)):
                await asyncio.sleep(0)
            if fate < 0.1:
                self.failed += 1
                error = self._chance.choice(FAULTS)()
                raise error
            if fate < 0.15:
                await asyncio.Event().wait()
            yield Reply(
                self._chance.choice(["value_1 + 2\n", "x", "\n    return 1\n", "", "()\nmore\nmore\n"]), None
            )
        finally:
            self.under_way -= 1


def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def main(edits, asks):
    chance = random.Random(1)
    now = 0.0

    async def sleep(seconds):
        await asyncio.sleep(0)

    service = Faulty(chance)
    engine = Engine(Settings(), lambda _: service, clock=lambda: now, random=chance.random, sleep=sleep)
    models = {}
    for n in range(DOCUMENTS):
        models[f"file:///{n}.py"] = "".join(f"value_{i} = {i}\n" for i in range(chance.randrange(5, 200)))
        engine.open(Document(f"file:///{n}.py", "python", 1, models[f"file:///{n}.py"]))
    uris = list(models)
    under_way, answered, asked, uri = set(), 0, 0, uris[0]
    offset, marks = 0, []
    for n in range(edits):
        now += 0.02
        if n % 40 == 0:
            uri = chance.choice(uris)
            offset = chance.randrange(len(models[uri]) + 1)
        model = models[uri]
        start = min(offset, len(model))
        end = min(len(model), start + (chance.randrange(1, 30) if chance.random() < 0.1 else 0))
        text = (
            ""
            if len(model) > 20_000
            else chance.choice(["a", "b", "(", ")", "\n", " ", "x = 1\n", "é", "\U0001f600"])
        )
        models[uri] = model[:start] + text + model[end:]
        offset = start + len(text)
        document = engine.document(uri)
        engine.edited(uri, document.change(place(model, start), place(model, end), text))
        if n % 997 == 0:
            engine.close(uri)
            engine.open(Document(uri, "python", n, models[uri]))
        if n * asks // edits != (n + 1) * asks // edits:
            asked += 1
            ask = engine.complete(uri, place(models[uri], offset), explicit=chance.random() < 0.05)
            task = asyncio.create_task(ask)
            under_way.add(task)
            await asyncio.sleep(0)
            if chance.random() < 0.3:
                task.cancel()
        if n % 10 == 0:
            await asyncio.sleep(0)
        if n % 200 == 0:
            done = {task for task in under_way if task.done()}
            answered += len(done)
            under_way -= done
        if n % (edits // 8) == 0:
            marks.append(megabytes())
    wrong = sum(engine.document(uri).text != text for uri, text in models.items())
    for uri in uris:
        engine.close(uri)
    await asyncio.wait(under_way, timeout=5) if under_way else None
    answered += sum(task.done() for task in under_way)
    await engine.aclose()
    await asyncio.sleep(0)
    left = len(asyncio.all_tasks()) - 1
    print(
        f"{edits} edits, {asked} asks, {answered} answered, {len(service.requests)} requests, {service.failed} failed"
    )
    print(f"documents wrong: {wrong}; tasks left: {left}; streams left: {service.under_way}")
    marks.append(megabytes())
    by_eighths = ", ".join(f"{mark:.1f}" for mark in marks)
    print(f"memory in MB, by eighths: {by_eighths}; since half: {marks[-1] - marks[4]:+.1f}")
    print(f"files open: {len(os.listdir('/proc/self/fd'))}")
    sys.exit(bool(wrong or left or service.under_way or answered != asked))


async def over_sockets(asks):
    """So many asks, some cancelled, over real connections."""
    chance, loop = random.Random(2), asyncio.get_running_loop()
    ways = [row.does for row in faults.ROWS if row.at == "plain" and not hasattr(row.does, "early")]

    async def any_way(wire):
        return await (faults.well if chance.random() < 0.5 else chance.choice(ways))(wire)

    endpoint = faults.Endpoint(loop)
    endpoint.does = any_way
    await endpoint.listen()
    files, told, marks = len(os.listdir("/proc/self/fd")), [], []

    def connect(settings):
        transport = Transport(settings.base_url, clock=loop.time, wall=loop.wall)
        return Client(settings.base_url, "sk-test", transport=transport, clock=loop.time, wall=loop.wall)

    settings = Settings(base_url=f"http://127.0.0.1:{endpoint.port}", api_key="sk-test")
    engine = Engine(
        settings, connect, clock=loop.time, random=chance.random, sleep=asyncio.sleep, tell=told.append
    )
    uris = [f"file:///{n}.py" for n in range(DOCUMENTS)]
    for uri in uris:
        engine.open(Document(uri, "python", 1, "x = 1\n" * 40 + "y = \n"))
    tasks, ends = set(), []

    def ended(task):
        tasks.discard(task)
        ends.append(not task.cancelled() and bool(task.result()))

    for n in range(asks):
        uri = chance.choice(uris)
        document = engine.document(uri)
        end = Place(40, len(document.lines[40]) - 1)
        if end.column > 100:
            engine.edited(uri, document.change(Place(40, 4), end, ""))
            end = Place(40, 4)
        engine.edited(uri, document.change(end, end, "a"))
        task = asyncio.create_task(
            engine.complete(uri, Place(40, end.column + 1), explicit=chance.random() < 0.3)
        )
        tasks.add(task)
        task.add_done_callback(ended)
        await asyncio.sleep(chance.choice([0, 0, 0.01, 0.2, 1.0]))
        if chance.random() < 0.2:
            task.cancel()
        if n % (asks // 8) == 0:
            marks.append(megabytes())
    if tasks:
        await asyncio.wait(tasks, timeout=60)
    await asyncio.sleep(0)
    await engine.aclose()
    await endpoint.stop()
    await asyncio.sleep(1)
    more = len(os.listdir("/proc/self/fd")) - files + 1  # the endpoint's own is closed by now
    others = len(asyncio.all_tasks()) - 1
    print(
        f"{asks} asks over sockets, {len(ends)} ended, {sum(ends)} with a text, {endpoint.asked} requests on"
        f" {endpoint.accepted} connections, {len(told)} problems told"
    )
    print(f"asks left: {len(tasks)}; tasks left: {others}; files and sockets left: {more}")
    print(f"memory in MB, by eighths: {', '.join(f'{mark:.1f}' for mark in [*marks, megabytes()])}")
    sys.exit(bool(tasks or len(ends) != asks or others or more))


def place(text, offset):
    """An offset as a place."""
    return Place(text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset) - 1)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--edits", type=int, default=200_000)
    options.add_argument("--asks", type=int, default=20_000)
    options.add_argument("--sockets", type=int)
    chosen = options.parse_args()
    if chosen.sockets:
        with asyncio.Runner(loop_factory=faults.Loop) as runner:
            runner.run(over_sockets(chosen.sockets))
    else:
        asyncio.run(main(chosen.edits, chosen.asks))
