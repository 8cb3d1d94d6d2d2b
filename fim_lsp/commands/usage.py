"""`fim-lsp usage`: what completions cost, in the terminal, as JSON or CSV, or as a page."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from fim_lsp.commands.terminal import put, put_json, say
from fim_lsp.settings import config_file, settings
from fim_lsp.text.characters import visible
from fim_lsp.usage import database, prices, report, store, wording

PERIODS = ("today", "week", "month", "all")

_T = TypeVar("_T")
_BAR = 24
_HEADS = (
    "",
    "requests",
    "found here",
    "prompt tokens",
    "hit rate",
    "cost",
    "saved",
    "shown",
    "accepted",
    "p50",
    "p90",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `fim-lsp usage` takes."""
    parser.add_argument(
        "period",
        nargs="?",
        choices=PERIODS,
        default="today",
        help="today (if none is given), the last seven days, this month, or all that is recorded",
    )
    parser.add_argument("--by", choices=report.BYS, default="model", help="what to group by (model)")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print one object")
    shape.add_argument(
        "--csv", action="store_true", help="print the groups and the total as comma-separated values"
    )
    shape.add_argument(
        "--html", metavar="FILE", type=Path, help="write a page with charts, complete in one file"
    )


def run(
    args: argparse.Namespace,
    *,
    config: Path,
    record: Path,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    zone: tzinfo | None = None,
) -> int:
    """Runs the command; 0, or 1 with a message on stderr.

    `config` is the user's `config.toml`, beside which a `prices.toml` may stand; `record` is the record's file.  A zone of None is the system's own.
    """
    moment = now()
    table = prices.load(config.with_name("prices.toml"))
    try:
        found = _patiently(lambda: _read(record, args, moment, zone))
    except database.StoreError as error:
        say(str(error))
        return 1
    one = found[args.by]
    notes = wording.notes(one, table, found["model"].groups, moment)
    if args.json:
        put_json(one.json())
    elif args.csv:
        _csv(one)
    elif args.html is not None:
        return _page(args.html, found, notes)
    else:
        limits = _limits(record, config, moment, zone)
        _print(one, [*limits, *notes])
    return 0


def _read(
    record: Path, args: argparse.Namespace, moment: datetime, zone: tzinfo | None
) -> dict[report.By, report.Report]:
    last = datetime.fromtimestamp(moment.timestamp(), zone).date()
    with store.reading(record) as db:
        start = report.first_day(db, zone)
    first = _first(args.period, last, start)
    every = report.BYS if args.html is not None else tuple(dict.fromkeys((args.by, "model")))
    return {by: report.read(record, first, last, by, zone=zone, now=moment.timestamp()) for by in every}


def _first(period: str, today: date, start: date | None) -> date:
    if period == "week":
        return today - timedelta(days=6)
    if period == "month":
        return today.replace(day=1)
    return min(start or today, today) if period == "all" else today


def _patiently(work: Callable[[], _T]) -> _T:
    """The work's result; a bar on stderr where it takes longer than a second."""
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(work)
        if not wait([future], timeout=1).done and sys.stderr.isatty():
            try:
                from rich.console import Console  # noqa: PLC0415
                from rich.progress import Progress  # noqa: PLC0415
            except ImportError:
                say("reading the record of usage ...")
            else:
                with Progress(console=Console(stderr=True), transient=True) as bar:
                    bar.add_task("Reading the record of usage", total=None)
                    wait([future])
        return future.result()


def _limits(record: Path, config: Path, moment: datetime, zone: tzinfo | None) -> list[str]:
    values, _ = config_file.from_file(config)
    chosen, _ = settings.merged([("config.toml", values)])
    today = datetime.fromtimestamp(moment.timestamp(), zone).date()
    said = []
    for name, budget, first in (
        ("today", chosen.daily_budget, today),
        ("this month", chosen.monthly_budget, today.replace(day=1)),
    ):
        if budget is not None:
            usd = report.read(record, first, today, "model", zone=zone, now=moment.timestamp()).total.usd
            share = f" ({usd / Decimal(str(budget)):.0%})" if budget else ""
            said.append(f"Budget of {name}: {wording.dollars(usd)} of {wording.dollars(budget)}{share}.")
    if chosen.requests_per_minute is not None:
        said.append(f"At most {wording.number(chosen.requests_per_minute)} requests a minute.")
    return said


def _csv(one: report.Report) -> None:
    lines = [_flat({"name": visible(name), **figures.json()}) for name, figures in one.groups.items()]
    lines.append(_flat({"name": "total", **one.total.json()}))
    out = csv.DictWriter(sys.stdout, list(lines[0]), lineterminator="\n")
    out.writeheader()
    out.writerows(lines)


def _flat(figures: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in figures.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": one for inner, one in value.items()}
        else:
            # A figure is never written as 1e-06, and a name never as a formula of a spreadsheet.
            flat[name] = f"{value:.12f}" if name in {"usd", "savedUsd"} else value
            if name == "name" and value[:1] in {"=", "+", "-", "@"}:
                flat[name] = f"'{value}"
    return flat


def _page(file: Path, found: dict[report.By, report.Report], notes: list[str]) -> int:
    from fim_lsp.usage import page  # noqa: PLC0415

    try:
        file.write_text(page.render(found, notes), "utf-8")
    except OSError as error:
        say(f"{file} cannot be written ({error.strerror or type(error).__name__}).")
        return 1
    put(str(file))
    return 0


def _print(one: report.Report, notes: list[str]) -> None:
    total = one.total
    head = (
        f"{wording.title(one)}: {wording.dollars(total.usd)} for {wording.number(total.counts['requests'])} requests; "
        f"the context cache saved {wording.dollars(total.saved)}, and {wording.number(total.counts['local'])} answers were "
        "found on this machine."
    )
    most = max((figures.usd for figures in one.groups.values()), default=Decimal(0))
    lines = [
        (wording.name(name, one.by), *_cells(figures), _bar(figures.usd, most))
        for name, figures in one.groups.items()
    ]
    heads = (one.by, *_HEADS[1:], "")
    try:
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415
    except ImportError:
        _plain(head, heads, lines, ("total", *_cells(total), ""), notes)
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)
    console.print(Text(head, style="bold"))
    if lines:
        table = Table(show_footer=True)
        for heading, footer in zip(heads, ("total", *_cells(total), ""), strict=True):
            left = heading in {one.by, ""}
            table.add_column(heading, footer, justify="left" if left else "right", no_wrap=heading == "cost")
        for line in lines:
            table.add_row(*(Text(cell) for cell in line[:-1]), Text(line[-1], style="cyan"))
        console.print(table)
    for note in notes:
        console.print(Text(visible(note)))


def _plain(
    head: str, heads: tuple[str, ...], lines: list[tuple[str, ...]], total: tuple[str, ...], notes: list[str]
) -> None:
    put(head)
    if lines:
        cells = [heads, *lines, total]
        widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
        for line in cells:
            first, *rest = (cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            put("  ".join([first.strip().ljust(widths[0]), *rest[:-1], line[-1]]).rstrip())
    for note in notes:
        put(note)


def _cells(figures: report.Figures) -> tuple[str, ...]:
    shown = figures.json()
    return (
        wording.number(shown["requests"]),
        wording.number(shown["localHits"]),
        wording.number(shown["promptTokens"]),
        wording.percent(shown["hitRate"]),
        wording.dollars(figures.usd),
        wording.dollars(figures.saved),
        wording.number(shown["shown"]),
        wording.percent(shown["acceptance"]),
        wording.milliseconds(shown["firstMs"]["p50"]),
        wording.milliseconds(shown["firstMs"]["p90"]),
    )


def _bar(usd: Decimal, most: Decimal) -> str:
    sign = "█" if (sys.stdout.encoding or "").lower().startswith("utf") else "#"
    return sign * round(_BAR * usd / most) if most else ""
