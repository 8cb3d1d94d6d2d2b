"""What `fim-lsp replay` takes: its arguments, each checked as it is read."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from fim_lsp.commands.replay_compare import variants
from fim_lsp.replay.bill import RULES, Price
from fim_lsp.replay.layouts import LAYOUTS
from fim_lsp.text import filetypes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes; `--demo`, the default, is the caller's."""
    add = parser.add_argument
    add(
        "repository",
        metavar="REPOSITORY",
        type=Path,
        help="a git repository, bare or not, or a session saved with --save",
    )
    add(
        "--language",
        metavar="NAME",
        type=_language,
        action="extend",
        help="only files of it, such as python or .py; may be repeated",
    )
    add("--commits", metavar="N", type=_whole, default=60, help="how many commits to type again (60)")
    add(
        "--range",
        metavar="REVISIONS",
        default="HEAD",
        help="the newest of which: a revision or range, such as v1..main (HEAD)",
    )
    add(
        "--quality",
        action="store_true",
        help="cut holes in the newest files instead, let a model answer that does not know when to stop, and report what is"
        " inserted; with --live the endpoint that is configured answers, and what its suggestions are worth is reported",
    )
    add(
        "--context",
        action="store_true",
        help="report how many of the project's names the prompts show, at what cost, beside other ways",
    )
    add("--asks", metavar="N", type=_whole, default=600, help="how many stops at most (600)")
    add(
        "--seed",
        metavar="N",
        type=int,
        default=0,
        help="another number, another session (0: the newest commits)",
    )
    add(
        "--accept",
        metavar="SHARE",
        type=_share,
        default=0.0,
        help="share of right suggestions accepted, 0 to 1 (0: all is typed)",
    )
    add(
        "--prefix-chars",
        metavar="N",
        type=_whole,
        help="most characters sent from before the cursor (the setting)",
    )
    add(
        "--suffix-chars",
        metavar="N",
        type=_count,
        help="most characters sent from after the cursor (the setting)",
    )
    add("--model", help="whose price to take (the setting)")
    add("--peak", action="store_true", help="prices of peak hours")
    add("--date", metavar="DAY", type=_day, help="prices of that day, such as 2026-11-20 (today)")
    add(
        "--price",
        metavar="HIT,MISS,OUT",
        type=_price,
        help="these prices instead: dollars per million tokens",
    )
    add(
        "--layouts",
        metavar="NAMES",
        type=_layouts,
        help=f"only some, or none: {', '.join(LAYOUTS)}; with --quality, the same holes with the prompts of these, too",
    )
    add(
        "--rule",
        choices=tuple(RULES),
        default="units",
        help="model of the cache by which dollars are counted (units, the strictest)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one object instead of a table")
    form.add_argument("--csv", action="store_true", help="print CSV instead of a table")
    add(
        "--plot",
        metavar="FILE.svg",
        type=Path,
        help="also draw the cost by layout, and the hits over the session",
    )
    add(
        "--save",
        metavar="FILE.json",
        type=Path,
        help="also save the session, to be replayed or measured elsewhere",
    )
    add(
        "--live",
        action="store_true",
        help="ask the service itself, which costs money and sends text of the repository",
    )
    add(
        "--limit-requests",
        metavar="N",
        type=_whole,
        help="with --quality --live, the most requests in one run; needed where the model has no price",
    )
    add(
        "--holes",
        metavar="N",
        type=_count,
        default=60,
        help="with --quality --live, how many holes to cut (60)",
    )
    add(
        "--stops",
        metavar="N",
        type=_count,
        default=40,
        help="with --quality --live, how many stops of a typed session to ask at (40; 0: none)",
    )
    add(
        "--compare",
        metavar="SETTING=VALUES",
        type=variants,
        help="with --quality, the same holes with each value of a setting, such as context=off,project,rich",
    )
    add(
        "--answers",
        metavar="FILE",
        type=Path,
        help="with --quality, keep the answers there and ask only for those it lacks; without --live, nothing is asked",
    )
    add(
        "--whole-answers",
        action="store_true",
        help="with --quality --live, read every answer to its end, at its cost, so that other filters can be tried on it",
    )
    add(
        "--untrimmed",
        action="store_true",
        help="with --quality, also what each answer would be worth as it came, untrimmed; with --live, reads every answer to"
        " its end",
    )
    add(
        "--limit-usd",
        metavar="DOLLARS",
        type=_dollars,
        default=0.05,
        help="with --live, the most that may be spent (0.05)",
    )
    add("--yes", action="store_true", help="with --live, do not ask before spending")


def _language(text: str) -> list[str]:
    ends: list[str] = []
    for name in filter(None, (one.strip() for one in text.split(","))):
        found = (name,) if name.startswith(".") else filetypes.endings(name)
        if not found:
            raise argparse.ArgumentTypeError(
                f'"{name}" is not a language known here: name the end of its files, such as .py'
            )
        ends += found
    return ends


def _layouts(text: str) -> tuple[str, ...]:
    if text.strip().lower() == "none":
        return ()
    known = {name.lower(): name for name in LAYOUTS}
    wanted = [name.strip().lower() for name in text.split(",")]
    if unknown := next((name for name in wanted if name not in known), None):
        raise argparse.ArgumentTypeError(f'"{unknown}" is none of {", ".join(LAYOUTS)}')
    return tuple(dict.fromkeys(known[name] for name in wanted))


def _price(text: str) -> Price:
    try:
        price = Price(*(float(part) for part in text.split(",")))
    except (TypeError, ValueError):
        price = Price(-1, -1, -1)
    if not all(0 <= one < 1e6 for one in price):
        raise argparse.ArgumentTypeError(
            "must be three prices in dollars per million tokens, such as 0.003,0.15,0.60"
        )
    return price


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a day such as 2026-11-20") from None


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError("must be a whole number of 1 or more")
    return int(text)


def _count(text: str) -> int:
    return 0 if text == "0" else _whole(text)


def _share(text: str) -> float:
    return _between(text, 1.0, "must be a number from 0 to 1")


def _dollars(text: str) -> float:
    return _between(text, 1000.0, "must be a number of dollars from 0 to 1000")


def _between(text: str, most: float, otherwise: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise argparse.ArgumentTypeError(otherwise)
    return number
