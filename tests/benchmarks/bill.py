"""Compares what the record of usage says with what the endpoint counted, over a peak boundary, a change of prices and a kill.

Run it as `python tests/benchmarks/bill.py SESSION`, SESSION being a repository or a file that `fim-lsp replay --save` wrote;
`--asks N` takes another number than 2,000.  Time is that of the typing: the session begins ten minutes before midnight UTC,
when the prices change, and the peak begins ten minutes after it.  Half way the process that asks and records is killed
(SIGKILL) in the middle of an answer, and another goes on.  One ask in five is given up while its answer streams, as by a
person who types on.  The endpoint serves on a socket and knows the true count of every stream, also of those that were cut.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from fim_lsp.completion.engine import Engine
from fim_lsp.demo import server
from fim_lsp.demo.endpoint import Demo
from fim_lsp.endpoint.service import Service
from fim_lsp.replay import history, session
from fim_lsp.replay.drive import Documents, said, uri_of
from fim_lsp.replay.session import Change, Open
from fim_lsp.settings.settings import Settings
from fim_lsp.text import early_stop, filetypes
from fim_lsp.usage import prices, report, store
from fim_lsp.usage.ledger import Ledger
from fim_lsp.usage.underway import DEAD_SECONDS

BEGIN = datetime(2026, 11, 23, 23, 50, tzinfo=UTC).timestamp()
GIVEN_UP = 5  # one ask in so many
PRICES = """
name = "two days"
source = "this benchmark"
read = 2026-11-20
[peaks.night]
zone = "UTC"
days = ["tue"]
hours = ["00:10-04:00"]
[[prices]]
model = "deepseek-flash"
from = 2026-11-01
to = 2026-11-23
hit = 0.003
miss = 0.15
output = 0.60
[[prices]]
model = "deepseek-flash"
from = 2026-11-24
hit = 0.004
miss = 0.20
output = 0.80
peak = "night"
at_peak = { hit = 0.008, miss = 0.40, output = 1.60 }
"""


class Side(NamedTuple):
    """Some requests: what the endpoint counted and what the record says, in dollars."""

    requests: int
    counted: Decimal
    recorded: Decimal

    @property
    def off(self):
        """The difference in percent."""
        return 100 * (self.recorded / self.counted - 1) if self.counted else Decimal(0)


class Outcome(NamedTuple):
    """Requests whose bill came, those estimated, those that a kill took, what the report says of these, and its tables."""

    exact: Side
    estimated: Side
    killed: int
    missing: int
    tables: tuple[str, ...]
    out: int  # tokens, by the endpoint's count


async def typist(folder, address, first, step, hasty):
    """Plays the session from its ask number `first` on; what comes before is typed without asking."""
    if hasty:
        early_stop.Ending.bare = False
    now = BEGIN
    settings = Settings(api_key="sk-demo", debounce_ms=0)
    ledger = Ledger(folder / store.FILE, folder / "config.toml", settings, lambda: now, print)
    engine = Engine(
        settings,
        lambda _: Service(address, "sk-demo"),
        clock=lambda: now,
        random=lambda: 1.0,
        sleep=asyncio.sleep,
    )
    engine.backend.ledger, documents, asks = ledger, Documents(), 0

    def tell(**what):
        print(json.dumps(what), flush=True)

    for event in session.load(folder / "session"):
        if isinstance(event, Open):
            engine.open(documents.open(event))
        elif isinstance(event, Change):
            now += step
            engine.edited(uri_of(event.path), documents.change(event))
        else:
            asks += 1
            if asks <= first:
                continue
            tell(now=now, text=said(event))
            await asyncio.to_thread(sys.stdin.readline)
            place = documents.place(event.path, event.offset)
            asking = asyncio.create_task(engine.complete(uri_of(event.path), place))
            given_up = asks % GIVEN_UP == 0
            while not asking.done() and not (given_up and streams(engine, uri_of(event.path))):
                await asyncio.wait({asking}, timeout=0.001 if given_up else None)
            asking.cancel()
            await asyncio.wait({asking})
            await engine.backend.settled()
    await engine.aclose()
    await ledger.aclose()
    tell(now=now, end=True)


def streams(engine, uri):
    """Whether an answer for a document has begun to come."""
    flight = engine.documents.get(uri).stream
    return flight is not None and not flight.over and bool(flight.raw)


class Endpoint:
    """The demo endpoint, each request with its moment, and the process that asks it."""

    def __init__(self, folder, step, hasty):
        self.now, self.text, self.times = BEGIN, "", []
        self.demo = Demo(self, first_token_s=0.004, token_s=0.002, keep=100_000)
        self.killed = []
        self._folder, self._how = folder, [str(step), *(["--hasty"] if hasty else [])]
        respond = self.demo.respond

        async def noted(method, path, *rest):
            if path.endswith("/completions"):
                self.times.append(datetime.fromtimestamp(self.now, UTC))
            return await respond(method, path, *rest)

        self.demo.respond = noted

    def complete(self, *_, **__):
        """What the model says."""
        return self.text

    async def serve(self, kill_at):
        """The whole session, with a kill at that ask or the next that is streaming."""
        serving = await server.start(self.demo)
        address = serving.base_url.removesuffix("/beta")
        begun = await self._life(address, 0, kill_at)
        if begun is not None:
            await self._life(address, begun, None)
        await serving.aclose()

    async def _life(self, address, first, kill_at):
        """One process; the asks it began if it was killed, None if it came to the session's end."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--typist", self._folder, address, str(first), *self._how,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 24,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        asks = first
        while True:
            line = asyncio.ensure_future(process.stdout.readline())
            while not line.done():
                await asyncio.wait({line}, timeout=0.1)
                if self.demo.fault and not line.done() and (left := self._running()):
                    await asyncio.sleep(0.3)
                    process.kill()
                    await asyncio.wait({line})
                    await process.wait()
                    self.killed, self.demo.fault = left, None
                    return asks
            told = json.loads(line.result())
            self.now = told["now"]
            if told.get("end"):
                await process.wait()
                return None
            asks += 1
            self.text = told["text"]
            if kill_at is not None and asks >= kill_at and asks % GIVEN_UP:
                self.demo.fault = "stall"
            process.stdin.write(b"go\n")

    def _running(self):
        return [n for n, asked in enumerate(self.demo.requests) if asked.state == "running"]


async def measure(events, step=0.2, kill_at=None, hasty=False):
    """What a session comes to by the endpoint's count and by the record."""
    with tempfile.TemporaryDirectory(prefix="fim-lsp-bill-") as name:
        folder = Path(name)
        (folder / "prices.toml").write_text(PRICES)
        session.save(events, folder / "session")
        endpoint = Endpoint(folder, step, hasty)
        await endpoint.serve(kill_at)
        return compared(endpoint, folder)


def compared(endpoint, folder):
    """The endpoint's count beside the record: a row whose bill came must equal a request, token for token."""
    table = prices.load(folder / "prices.toml")
    left = [
        (when, asked)
        for n, (when, asked) in enumerate(zip(endpoint.times, endpoint.demo.requests, strict=True))
        if n not in endpoint.killed
    ]

    def counted(requests):
        return sum(
            (
                prices.cost(
                    table.price(one.model, when),
                    one.hit_tokens,
                    one.prompt_tokens - one.hit_tokens,
                    one.output_tokens,
                ).usd
                for when, one in requests
            ),
            Decimal(0),
        )

    with store.reading(folder / store.FILE) as db:
        rows = db.execute(
            "SELECT at, hit, missed, out, estimated, pico FROM rows WHERE ended != 'local' ORDER BY id"
        ).fetchall()
    billed = []
    for at, hit, missed, out, estimated, _ in rows:
        if not estimated:
            same = [
                pair
                for pair in left
                if (pair[1].hit_tokens, pair[1].prompt_tokens, pair[1].output_tokens)
                == (hit, hit + missed, out)
            ]
            assert same, f"the record has a bill of {hit} + {missed} and {out} tokens that was never made"
            billed.append(min(same, key=lambda pair: abs(1000 * pair[0].timestamp() - at)))
            left.remove(billed[-1])
    dollars = [
        Decimal(sum(pico for *_, estimated, pico in rows if bool(estimated) is kind)) / prices.PICO
        for kind in (False, True)
    ]
    first, last = (datetime.fromtimestamp(when, UTC).date() for when in (BEGIN, endpoint.now))
    found = report.read(
        folder / store.FILE, first, last, "table", zone=UTC, now=endpoint.now + DEAD_SECONDS + 1
    )
    return Outcome(
        Side(len(billed), counted(billed), dollars[0]),
        Side(len(rows) - len(billed), counted(left), dollars[1]),
        len(endpoint.killed),
        found.missing + found.underway,
        found.tables,
        sum(one.output_tokens for one in endpoint.demo.requests),
    )


def events_of(source, asks):
    if source.is_file():
        return session.first_asks(session.load(source), asks)
    ends = tuple(dict.fromkeys(end for name in filetypes.names() for end in filetypes.endings(name)))
    return session.first_asks(session.typed(history.commits(source, ends, 400, seed=0), seed=0), asks)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("source", type=Path, nargs="?")
    options.add_argument("--asks", type=int, default=2000)
    options.add_argument("--hasty", action="store_true", help="never wait for a bill behind a complete text")
    options.add_argument("--typist", nargs=4, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.typist:
        folder, address, first, step = chosen.typist
        asyncio.run(typist(Path(folder), address, int(first), float(step), chosen.hasty))
        return
    if chosen.source is None:
        options.error("a SESSION is needed")
    found = asyncio.run(measure(events_of(chosen.source, chosen.asks), 0.2, chosen.asks // 2, chosen.hasty))
    for name, side in (("billed", found.exact), ("estimated", found.estimated)):
        print(
            f"{side.requests} requests {name}: the endpoint counted ${side.counted:.9f}, the record says "
            f"${side.recorded:.9f} ({side.off:+.3f} %)"
        )
    off = found.exact.recorded + found.estimated.recorded - found.exact.counted - found.estimated.counted
    print(f"in all ${off:+.9f} off; {found.out} tokens of output")
    print(f"under way at the kill: {found.killed}; the report says that {found.missing} are missing")
    print(f"prices: {', '.join(found.tables)}")


if __name__ == "__main__":
    main()
