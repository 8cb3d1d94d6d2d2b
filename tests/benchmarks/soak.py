"""An hour of work at once: edits and asks over many documents, with faults at random, and what is left at the end.

Run it as `python tests/benchmarks/soak.py`; `--edits N` (200,000) and `--asks N` (20,000) take others.  Time is the
benchmark's own.  Every ask must come to an answer, every document must be what a naive model says, and memory, tasks and
files must be what they were.
"""

import argparse
import asyncio
import os
import random
import sys
from contextlib import asynccontextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from world import Reply, Service

from fim_lsp.document import Document, Place
from fim_lsp.engine import Engine
from fim_lsp.request import Refused, Unavailable
from fim_lsp.settings import Settings

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


def place(text, offset):
    """An offset as a place."""
    return Place(text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset) - 1)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--edits", type=int, default=200_000)
    options.add_argument("--asks", type=int, default=20_000)
    chosen = options.parse_args()
    asyncio.run(main(chosen.edits, chosen.asks))
