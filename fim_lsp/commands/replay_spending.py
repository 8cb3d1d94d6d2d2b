"""What a live replay may spend: the question before it, the limit during it, what the service told after it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from fim_lsp.commands.terminal import say
from fim_lsp.replay.bill import Bill, Price, Sent
from fim_lsp.settings import keys
from fim_lsp.settings.settings import Settings
from fim_lsp.text.characters import visible

if TYPE_CHECKING:
    from fim_lsp.replay.rehearsal import Rehearsal


class StoppedError(Exception):
    """The replay cannot go on; the message says in a sentence why."""


def agree(args: argparse.Namespace, rehearsed: Bill, chosen: Settings, price: Price) -> None:
    """Have the user agree to spend; raises _StoppedError where they do not."""
    if chosen.halted:
        raise StoppedError(chosen.halted)
    if chosen.api_key is None:
        raise StoppedError(keys.NONE)
    if _worst(chosen, price) > args.limit_usd:
        raise StoppedError(
            f"One request may cost ${_worst(chosen, price):.4f}, more than --limit-usd allows: raise it."
        )
    if args.yes:
        return
    if not sys.stdin.isatty():
        raise StoppedError("--live spends money: run it in a terminal, or agree with --yes.")
    about = sum(rehearsed.usd("units", price))
    print(
        f"This sends about {len(rehearsed.sent)} requests with text of {visible(str(args.repository))} to {chosen.base_url}.\n"
        f"They cost about ${about:.4f}, and never more than ${args.limit_usd:.2f}. Go on? [y/N] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    if input().strip().lower() not in {"y", "yes"}:
        raise StoppedError("Nothing was sent.")


def _worst(chosen: Settings, price: Price) -> float:
    """Dollars that one request may cost at most: no character is more than two tokens, and none hits."""
    return (
        2 * (chosen.prefix_chars + chosen.suffix_chars) * price.miss + chosen.max_tokens * price.out
    ) / 1e6


def affordable(bill: Bill, args: argparse.Namespace, chosen: Settings, price: Price) -> bool:
    """Whether the limit holds whatever the next request costs."""
    left: float = args.limit_usd - sum(_spent(sent, price) for sent in bill.sent)
    return _worst(chosen, price) <= left


def _spent(sent: Sent, price: Price) -> float:
    """Dollars of a live request: as the service told, or, where its stream was closed before it could, at most."""
    prompt, hits, output = sent.told or (sent.prompt, 0, sent.output)
    return (hits * price.hit + (prompt - hits) * price.miss + output * price.out) / 1e6


def live_end(live: Rehearsal, bill: Bill) -> None:
    """Say what the service told; raises _StoppedError where it answered nothing."""
    if live.problems and not bill.sent:
        raise StoppedError(live.problems[0].message)
    for problem in live.problems[:1]:
        say(f"the service was asked no further: {problem.message}")
    told = [sent.told for sent in bill.sent if sent.told]
    if told:
        share = sum(hits for _, hits, _ in told) / max(1, sum(prompt for prompt, _, _ in told))
        print(
            f"The service billed {100 * share:.1f} % of {len(told)} prompts' tokens as hits.", file=sys.stderr
        )
