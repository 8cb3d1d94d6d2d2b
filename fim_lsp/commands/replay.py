"""`fim-lsp replay`: what completion would cost on a repository, before a cent is spent."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fim_lsp.commands.progress import progress
from fim_lsp.commands.replay_spending import StoppedError, affordable, agree, live_end
from fim_lsp.commands.terminal import put_json, say
from fim_lsp.context import project
from fim_lsp.replay import history, holes, plot, quality, recall, session
from fim_lsp.replay.bill import Bill, Encoder, Meter, Price
from fim_lsp.replay.drive import Accepting, Driver, Plain, Windows, played
from fim_lsp.replay.history import HistoryError
from fim_lsp.replay.layouts import LAYOUTS
from fim_lsp.replay.library import Library
from fim_lsp.replay.report import Report, Session
from fim_lsp.replay.session import Ask, Change, Event, Open
from fim_lsp.settings import config_file, settings
from fim_lsp.settings.kinds import SERVICE
from fim_lsp.settings.settings import Settings
from fim_lsp.text import filetypes
from fim_lsp.usage import prices

if TYPE_CHECKING:
    from fim_lsp.completion.service import Service

DONE, FAILED, WRONG_USAGE = 0, 1, 2
OURS, WINDOW, LIVE = "fim-lsp", "fim-lsp, no reuse", "fim-lsp, live"
_NOT_CODE = {"json", "yaml", "toml", "xml", "markdown", "latex", "plaintext"}


def run(
    args: argparse.Namespace,
    *,
    connect: Callable[[Settings], Service],
    config: Path,
    environ: Mapping[str, str],
    answers: Path = Path(),
) -> int:
    """Replay and report; the exit code.  `connect` makes the client of the service itself, for `--live` only.

    `answers` is the folder in which those of `--quality --live` are kept.
    """
    if args.quality and (args.live or args.answers):
        return _worth(args, connect if args.live else None, config, environ, answers)
    if args.quality:
        return _quality(args)
    if args.live and getattr(args, "demo", False):
        return _fail("--live and --demo exclude each other.", WRONG_USAGE)
    try:
        chosen = _settings(args, config, environ)
        price, price_name = _price_of(args, chosen, config)
        events, described = _session(args)
        if args.save:
            session.save(events, args.save)
        library = _library(args, described)
        if args.context:
            return _context(args, events, library, chosen, price)
        report = _replayed(args, events, described, chosen, price, price_name, connect, library)
        _print(report, args)
        if args.plot:
            args.plot.write_text(plot.svg(report), "utf-8")
    except (HistoryError, StoppedError) as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(
            f"{error.filename or 'A file'} cannot be written: {error.strerror or type(error).__name__}."
        )
    return DONE


def _library(args: argparse.Namespace, described: Session) -> Library:
    """The project around the session; nothing but its own files where it is a saved one."""
    if not described.first:
        return Library({})
    code = [end for name in filetypes.names() if name not in _NOT_CODE for end in filetypes.endings(name)]
    return Library(history.tree(args.repository, described.first, (*code, *project.manifests())))


def _context(
    args: argparse.Namespace, events: Sequence[Event], library: Library, chosen: Settings, price: Price
) -> int:
    """How many names the prompts show, each way of showing other files on the same session."""
    with progress(8 * sum(isinstance(event, Ask) for event in events)) as step:
        found = recall.scores(events, library, chosen, price, args.rule, step)
    rows = [score.row(found[0]) for score in found]
    if args.plot:
        args.plot.write_text(plot.scatter(rows, args.repository.resolve().name), "utf-8")
    if args.json:
        put_json(rows, indent=1)
        return DONE
    names = ("external %", "signatures %", "back %", "$ over off", "tokens", "head/100", "ms")
    print(f"{'context':18}" + "".join(f"{name:>14}" for name in names))
    for row in rows:
        shares = [row[name] for name in ("external", "signatures", "broughtBack")]
        shown = ["-" if share is None else f"{100 * share:.1f}" for share in shares]
        figures = [
            f"{row['usdOverNone'] or 0:.2f}",
            f"{row['tokens']:,}",
            f"{row['headChangesPer100'] or 0:.1f}",
        ]
        cells = [*shown, *figures, f"{row['milliseconds'] or 0:.3f}"]
        print(f"{row['context']:18}" + "".join(f"{cell:>14}" for cell in cells))
    return DONE


def _quality(args: argparse.Namespace) -> int:
    """How well what is inserted fits, on holes cut in the repository's newest files."""
    try:
        files = history.files(args.repository, tuple(holes.LANGUAGES))
    except HistoryError as error:
        return _fail(str(error))
    table = quality.report(files, seed=args.seed or 0)
    names = ("language", "holes", "exact %", "shorter %", "doubled %", "surplus read %")
    if args.json:
        put_json([dict(zip(names, row, strict=True)) for row in quality.rows(table)])
        return DONE
    print(f"{names[0]:16}" + "".join(f"{name:>16}" for name in names[1:]))
    for name, number, *shares in quality.rows(table):
        print(f"{name:16}{number:16}" + "".join(f"{share:16.1f}" for share in shares))
    return DONE


def _worth(
    args: argparse.Namespace,
    connect: Callable[[Settings], Service] | None,
    config: Path,
    environ: Mapping[str, str],
    answers: Path,
) -> int:
    """What suggestions are worth, by a model that is asked, or was asked before."""
    from fim_lsp.commands import replay_quality  # noqa: PLC0415 - httpx costs 50 ms, wrong usage none

    if args.csv or args.save or args.context:
        return _fail("--quality goes with neither --csv nor --save nor --context.", WRONG_USAGE)
    try:
        chosen = _settings(args, config, environ)
        told = replay_quality.Told(*_known_price(args, chosen, config))
        replay_quality.run(args, chosen, told, connect=connect, folder=answers)
    except (HistoryError, StoppedError) as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(
            f"{error.filename or 'A file'} cannot be written: {error.strerror or type(error).__name__}."
        )
    return DONE


def _known_price(args: argparse.Namespace, chosen: Settings, config: Path) -> tuple[Price | None, str]:
    """The price to count with, or that there is none: another model's, or the service's for a model elsewhere, is none."""
    unknown = f'No price of "{chosen.model}" at {urlsplit(chosen.base_url).hostname} is known'
    try:
        price, name = _price_of(args, chosen, config)
    except StoppedError:
        return None, unknown
    if args.price or chosen.base_url == SERVICE:
        return price, name
    now = datetime.now(UTC)
    own, built_in = prices.load(config.with_name("prices.toml")), prices.load()
    return (
        (price, name)
        if own.price(chosen.model, now) != built_in.price(chosen.model, now)
        else (None, unknown)
    )


def _settings(args: argparse.Namespace, config: Path, environ: Mapping[str, str]) -> Settings:
    file, wrong = config_file.from_file(config)
    chosen, more = settings.merged(
        [(str(config), file), ("the environment", settings.from_environment(environ))]
    )
    for message in [*wrong, *more]:
        say(message)
    bounds = {
        name: value
        for name in ("prefix_chars", "suffix_chars", "model")
        if (value := getattr(args, name)) is not None
    }
    # What is measured is one endpoint's: none answers in its place.
    return replace(chosen, fallback=(), **bounds)


def _price_of(args: argparse.Namespace, chosen: Settings, config: Path) -> tuple[Price, str]:
    """The price to count with, and whose it is."""
    if args.price:
        return args.price, "as given"
    day: date = args.date or datetime.now(UTC).date()
    tables = prices.load(config.with_name("prices.toml"))
    for message in tables.wrong:
        say(message)
    # A day may have no peak, and nobody knows its hours but the table: the next fortnight has one.
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    moments = (midnight + timedelta(minutes=30 * half) for half in range(14 * 48))
    found = [tables.price(chosen.model, moment) for moment in moments]
    if found[0] is None:
        raise StoppedError(
            f'No price of "{chosen.model}" on {day} is known: give one with --price HIT,MISS,OUT.'
        )
    wanted = next((price for price in found if price is not None and price.peak == args.peak), found[0])
    hours = "peak" if wanted.peak else "off-peak"
    price = Price(float(wanted.hit), float(wanted.miss), float(wanted.output))
    return price, f"{wanted.model}, {hours}, since {wanted.since}"


def _session(args: argparse.Namespace) -> tuple[list[Event], Session]:
    """The events to play, and what they are."""
    typed: list[history.Commit] = []  # those that the session comes to
    if args.repository.is_file() and args.repository.suffix in {".json", ".gz"}:
        found: Iterable[Event] = session.load(args.repository)
    else:
        code = [end for name in filetypes.names() if name not in _NOT_CODE for end in filetypes.endings(name)]
        ends = tuple(dict.fromkeys(args.language or code))
        commits = history.commits(args.repository, ends, args.commits, revision=args.range, seed=args.seed)
        found = session.typed(_noted(commits, typed), seed=args.seed)
    events = list(session.first_asks(found, args.asks))
    if not any(isinstance(event, Ask) for event in events):
        raise StoppedError(f"Nothing to replay in {args.repository}: nowhere in it would a typist stop.")
    paths = {event.path for event in events if not isinstance(event, Open)}
    described = Session(
        source=args.repository.resolve().name,
        commits=len(typed),
        first=typed[0].name if typed else "",
        last=typed[-1].name if typed else "",
        files=len(paths),
        keys=sum(isinstance(event, Change) and bool(event.text) for event in events),
        asks=sum(isinstance(event, Ask) for event in events),
        seed=args.seed,
        accept=args.accept,
    )
    return events, described


def _noted(commits: Iterable[history.Commit], seen: list[history.Commit]) -> Iterator[history.Commit]:
    for commit in commits:
        seen.append(commit)
        yield commit


def _replayed(
    args: argparse.Namespace,
    events: Sequence[Event],
    described: Session,
    chosen: Settings,
    price: Price,
    price_name: str,
    connect: Callable[[Settings], Service],
    library: Library,
) -> Report:
    from fim_lsp.replay.rehearsal import Rehearsal  # noqa: PLC0415 - httpx costs 50 ms, wrong usage none

    encoder = Encoder()
    bills: list[Bill] = []
    asks = args.asks
    layouts = tuple(LAYOUTS) if args.layouts is None else args.layouts
    rows = 2 + len(layouts)
    with progress((rows + args.live) * min(asks, described.asks)) as step:

        def bill(name: str, driver: Driver, go_on: Callable[[Bill], bool] = lambda _: True) -> Bill:
            def next_one(bill: Bill) -> bool:
                step(name)
                return bill.asks < asks and go_on(bill)

            typist = Accepting(driver, args.accept) if args.accept else driver
            return asyncio.run(played(events, typist, Meter(name, encoder), next_one))

        ours = Rehearsal(chosen, library=library)
        bills.append(bill(OURS, ours))
        if ours.problems:
            raise StoppedError(ours.problems[0].message)
    if args.live:
        agree(args, bills[0], chosen, price)
    with progress((rows - 1 + args.live) * min(asks, described.asks)) as step:
        if args.live:
            live = Rehearsal(chosen, connect, library)
            spent = bill(LIVE, live, lambda bill: not live.problems and affordable(bill, args, chosen, price))
            live_end(live, spent)
            # What follows is compared on the same asks.
            asks = spent.asks
            bills[:] = [spent, bill(OURS, Rehearsal(chosen, library=library))]
        project_contexts = library.project_contexts(chosen.context_of)
        bills.append(bill(WINDOW, Windows(chosen.prefix_chars, chosen.most_suffix(), project_contexts)))
        bills += [bill(name, Plain(LAYOUTS[name])) for name in layouts]
    return Report(
        replace(described, asks=min(asks, described.asks)), bills, price, price_name, args.rule, encoder.exact
    )


def _print(report: Report, args: argparse.Namespace) -> None:
    if args.json:
        put_json(report.as_json(), indent=1)
        return
    if args.csv:
        sys.stdout.write(report.as_csv())
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra

        Console().print(report.as_table())
    except ImportError:
        raise StoppedError(
            'The table needs rich: pip install "fim-lsp[replay]", or use --json or --csv.'
        ) from None


def _fail(message: str, code: int = FAILED) -> int:
    say(message)
    return code
