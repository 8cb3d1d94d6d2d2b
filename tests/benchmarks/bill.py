"""Compares what the record of usage says with what the endpoint counted, over a peak boundary and a change of prices.

Run it as `python tests/benchmarks/bill.py SESSION`, SESSION being a repository or a file that `fim-lsp replay --save` wrote;
`--asks N` takes another number than 2,000.  Time is that of the typing: the session begins ten minutes before midnight UTC,
when the prices change, and the peak begins ten minutes after it.
"""

import argparse
import asyncio
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from fim_lsp import languages
from fim_lsp.demo.endpoint import Demo
from fim_lsp.demo.transport import DemoTransport
from fim_lsp.engine import Engine
from fim_lsp.ledger import Ledger
from fim_lsp.replay import history, session
from fim_lsp.replay.drive import Documents, said, uri_of
from fim_lsp.replay.session import Change, Open
from fim_lsp.service import Service
from fim_lsp.settings import Settings
from fim_lsp.usage import prices, report, store

BEGIN = datetime(2026, 11, 23, 23, 50, tzinfo=UTC).timestamp()
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


class World:
    """The engine on a session, with the endpoint's own count beside the record."""

    def __init__(self, folder):
        self.now = BEGIN
        self.text = ""
        self.demo = Demo(
            self, first_token_s=0, token_s=0, sleep=self.sleep, clock=lambda: self.now, keep=100_000
        )
        self.times = []
        respond = self.demo.respond

        async def noted(*arguments):
            self.times.append(datetime.fromtimestamp(self.now, UTC))
            return await respond(*arguments)

        self.demo.respond = noted
        (folder / "prices.toml").write_text(PRICES)
        self.record = folder / "usage.sqlite3"
        self.prices = prices.load(folder / "prices.toml")
        settings = Settings(api_key="sk-demo", debounce_ms=0)
        self.ledger = Ledger(self.record, folder / "config.toml", settings, lambda: self.now, print)
        self.engine = Engine(
            settings,
            lambda _: Service("http://demo.invalid", "sk-demo", transport=DemoTransport(self.demo)),
            clock=lambda: self.now,
            random=lambda: 1.0,
            sleep=self.sleep,
        )
        self.engine.ledger = self.ledger

    def complete(self, *_, **__):
        """What the model says."""
        return self.text

    async def sleep(self, seconds):
        await asyncio.sleep(0)

    async def play(self, events, asks):
        documents = Documents()
        for event in events:
            if isinstance(event, Open):
                self.engine.open(documents.open(event))
            elif isinstance(event, Change):
                self.now += 0.2
                self.engine.edited(uri_of(event.path), documents.change(event))
            else:
                if not asks:
                    break
                asks -= 1
                self.text = said(event)
                place = documents.place(event.path, event.offset)
                await self.engine.complete(uri_of(event.path), place)
                await self.engine.settled()
        await self.engine.aclose()
        await self.ledger.aclose()

    def truth(self):
        """Dollars by the endpoint's own count, each request at the price of its moment."""
        total = Decimal(0)
        for asked, when in zip(self.demo.requests, self.times, strict=True):
            price = self.prices.price(asked.model, when)
            missed = asked.prompt_tokens - asked.hit_tokens
            total += prices.cost(price, asked.hit_tokens, missed, asked.output_tokens).usd
        return total


def events_of(source, asks):
    if source.is_file():
        return session.first_asks(session.load(source), asks)
    ends = tuple(dict.fromkeys(end for name in languages.names() for end in languages.endings(name)))
    return session.first_asks(session.typed(history.commits(source, ends, 400, seed=0), seed=0), asks)


async def measure(source, asks):
    """The world after the session, and the report on it."""
    folder = Path(tempfile.mkdtemp(prefix="fim-lsp-bill-"))
    world = World(folder)
    await world.play(events_of(source, asks), asks)
    with store.reading(world.record) as db:
        first, last = (datetime.fromtimestamp(when, UTC).date() for when in (BEGIN, world.now))
        return world, report.report(db, first, last, "table", UTC)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("source", type=Path)
    options.add_argument("--asks", type=int, default=2000)
    chosen = options.parse_args()
    world, found = asyncio.run(measure(chosen.source, chosen.asks))
    truth, counts = world.truth(), found.total.counts
    print(
        f"{counts['requests']} requests, {counts['estimated']} of them estimated; tables: {', '.join(found.tables)}"
    )
    print(f"the endpoint counted ${truth:.6f}, the record says ${found.total.usd:.6f}")
    print(f"difference ${found.total.usd - truth:+.6f}, {100 * (found.total.usd / truth - 1):+.2f} %")
    sums = [
        sum(getattr(asked, name) for asked in world.demo.requests)
        for name in ("prompt_tokens", "hit_tokens", "output_tokens")
    ]
    print(
        f"tokens: prompt {sums[0]} / {found.total.prompt}, hit {sums[1]} / {counts['hit']}, out {sums[2]} / {counts['out']}"
    )


if __name__ == "__main__":
    main()
