"""What a replay says: a table, JSON or CSV, the same figures in each."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fim_lsp.replay.bill import RULES, Bill, Price
from fim_lsp.text.characters import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

NAMES_OF_RULES: Mapping[str, str] = {
    "blocks": "blocks of 64",
    "units": "units of 128",
    "intervals": "units and every 1,024",
}


@dataclass(frozen=True, slots=True)
class Session:
    """What was replayed, for the record."""

    source: str
    commits: int
    first: str
    last: str
    files: int
    keys: int
    asks: int
    seed: int
    accept: float


@dataclass(frozen=True, slots=True)
class Report:
    """The bills of one session, ours first, and what they are read with.

    `rule` is the model of the cache by which dollars are counted; `price_name` says whose price it is and of when.
    """

    session: Session
    bills: Sequence[Bill]
    price: Price
    price_name: str
    rule: str
    exact: bool

    def rows(self) -> list[dict[str, Any]]:
        """One object a bill: shares from 0 to 1, dollars as named, tokens as means."""
        return [self._row(bill) for bill in self.bills]

    def as_json(self) -> dict[str, Any]:
        """Everything, with names as in the tables of rows."""
        session = self.session
        return {
            "session": {
                "source": session.source,
                "commits": session.commits,
                "first": session.first,
                "last": session.last,
                "files": session.files,
                "keys": session.keys,
                "asks": session.asks,
                "seed": session.seed,
                "accept": session.accept,
            },
            "price": {"name": self.price_name, **self.price._asdict()},
            "rule": self.rule,
            "tokens": "exact" if self.exact else "approximate",
            "layouts": self.rows(),
        }

    def as_csv(self) -> str:
        """The rows as CSV, with a line of names."""
        out = io.StringIO()
        rows = self.rows()
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()

    def as_table(self) -> RenderableType:
        """The rows for a terminal.  Raises ImportError without the `cli` extra."""
        from rich import box  # noqa: PLC0415 - an extra
        from rich.table import Table  # noqa: PLC0415

        # 80 columns hold it.
        table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
        table.title, table.caption = self._title(), self._caption()
        table.title_justify = table.caption_justify = "left"
        table.add_column("", no_wrap=True)
        for heading in (
            "tokens/\nrequest",
            "% hits\nblocks",
            "% hits\nunits",
            "% hits\nevery\n1,024",
            "input $\n/ 1,000\nrequests",
            "$\n/ 1,000\nasks",
            "requests\n/ 100\nasks",
            "local\nhits",
        ):
            table.add_column(heading, justify="right", vertical="bottom", no_wrap=True)
        for place, row in enumerate(self.rows()):
            table.add_row(
                row["layout"],
                f"{row['tokensPerRequest']:,.0f}",
                *(f"{100 * row[f'hits_{rule}']:.1f}" for rule in RULES),
                f"{row['inputUsdPer1000Requests']:.4f}",
                f"{row['usdPer1000Asks']:.4f}",
                f"{row['requestsPer100Asks']:.0f}",
                f"{row['localHits']:,}",
                style="bold" if place == 0 else "",
            )
        return table

    def _row(self, bill: Bill) -> dict[str, Any]:
        return {
            "layout": bill.name,
            "asks": bill.asks,
            "requests": len(bill.sent),
            "localHits": bill.local_hits,
            "shown": bill.shown,
            "requestsPer100Asks": round(bill.requests_per_100_asks, 2),
            "tokensPerRequest": round(bill.tokens_a_request, 1),
            "outputTokensPerAsk": round(bill.output_tokens / bill.asks, 2) if bill.asks else 0.0,
            **{f"hits_{rule}": round(bill.hit_share(rule), 4) for rule in RULES},
            "inputUsdPer1000Requests": round(bill.input_usd_per_1000_requests(self.rule, self.price), 6),
            "usdPer1000Asks": round(bill.usd_per_1000_asks(self.rule, self.price), 6),
        }

    def _title(self) -> str:
        session = self.session
        commits = (
            f"{_many(session.commits, 'commit')}, " if session.commits else ""
        )  # a saved session names none
        return f"{visible(session.source)}: {session.asks:,} asks in {session.keys:,} keys, {commits}{_many(session.files, 'file')}"

    def _caption(self) -> str:
        hit, miss, out = self.price
        tokens = "exact" if self.exact else 'approximate (exact with the "replay" extra)'
        rules = "; ".join(f"{rule}: {NAMES_OF_RULES[rule]}" for rule in RULES)
        return (
            "An ask is a stop of the typist.  The layouts send a request at each and read at most 128 tokens of the answer; how"
            " their makers' programs choose when to ask is left out.  naive: the whole file before the cursor, and 400 characters.\n"
            f"Hits as the service's context cache would bill them: {rules} tokens.  Dollars by {self.rule}.\n"
            f"${hit:.3f}, ${miss:.2f}, ${out:.2f} for a million tokens that hit, missed, came out ({visible(self.price_name)}).  Tokens are"
            f" {tokens}."
        )


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("s" if number != 1 else "")
