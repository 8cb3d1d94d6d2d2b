"""What a live replay may spend: the question before it, the limit during it, what the service told after it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fim_lsp.commands.terminal import say
from fim_lsp.endpoint.request import Request, Usage
from fim_lsp.replay.answers import Answer
from fim_lsp.replay.bill import Bill, Encoder, Price, Sent
from fim_lsp.settings.kinds import MOST_SUFFIX
from fim_lsp.settings.settings import Settings
from fim_lsp.text.characters import visible

if TYPE_CHECKING:
    from fim_lsp.replay.rehearsal import Rehearsal


class Purse:
    """The limits of a live run: dollars, where there is a price, and requests, where these are limited.

    A request that leaves is counted as what it may cost at most, until its bill comes.
    """

    def __init__(self, price: Price | None, usd: float, requests: int | None, encoder: Encoder) -> None:
        self.over = ""  # why nothing more may leave
        self._price = price
        self._usd = usd
        self._left = requests
        self._encoder = encoder

    def allows(self, request: Request) -> bool:
        """Whether a request may leave; it is paid for, if so."""
        if self._left is not None and self._left < 1:
            self.over = "the limit of --limit-requests is reached"
            return False
        if self._price is not None:
            most = self._most(request, self._price)
            if most > self._usd:
                self.over = f"the next request may cost ${most:.4f}, more than --limit-usd leaves"
                return False
            self._usd -= most
        if self._left is not None:
            self._left -= 1
        return True

    def spent(self, request: Request, answer: Answer) -> None:
        """An answer came: it costs what it was billed for, or, where its bill did not come, what it is likely to be."""
        if self._price is None:
            return
        text = "".join(answer.pieces)
        told = answer.usage or Usage(self._tokens(request.prefix + request.suffix), 0, self._tokens(text))
        sent = Sent(0, 0, {}, 0, (told.prompt_tokens, told.cache_hit_tokens, told.completion_tokens))
        self._usd += self._most(request, self._price) - _spent(sent, self._price)

    def about(self, requests: Iterable[Request]) -> float | None:
        """Dollars that requests may come to, with 40 tokens of answer each and no hits; None where there is no price."""
        price = self._price
        if price is None:
            return None
        tokens = ((self._tokens(one.prefix + one.suffix), min(40, one.max_tokens)) for one in requests)
        return sum((sent * price.miss + out * price.out) / 1e6 for sent, out in tokens)

    def _tokens(self, text: str) -> int:
        """Tokens of a text; where they are not counted exactly, more than there are likely to be."""
        return len(self._encoder.ids(text)) if self._encoder.exact else len(text) // 2

    @staticmethod
    def _most(request: Request, price: Price) -> float:
        """Dollars that a request may cost at most: no character is more than two tokens, and none hits."""
        sent = 2 * (len(request.prefix) + len(request.suffix))
        return (sent * price.miss + request.max_tokens * price.out) / 1e6


class StoppedError(Exception):
    """The replay cannot go on; the message says in a sentence why."""


def agree(args: argparse.Namespace, rehearsed: Bill, chosen: Settings, price: Price) -> None:
    """Have the user agree to spend; raises _StoppedError where they do not."""
    if chosen.halted:
        raise StoppedError(chosen.halted)
    if chosen.api_key is None:
        raise StoppedError("No API key is set: put it into DEEPSEEK_API_KEY or the setting apiKey.")
    if _worst(chosen, price) > args.limit_usd:
        raise StoppedError(
            f"One request may cost ${_worst(chosen, price):.4f}, more than --limit-usd allows: raise it."
        )
    if args.yes:
        return
    if not sys.stdin.isatty():
        raise StoppedError("--live spends money: run it in a terminal, or agree with --yes.")
    about = sum(rehearsed.usd("units", price))
    confirm(
        f"This sends about {len(rehearsed.sent)} requests with text of {visible(str(args.repository))} to {chosen.base_url}.\n"
        f"They cost about ${about:.4f}, and never more than ${args.limit_usd:.2f}."
    )


def confirm(what: str) -> None:
    """Ask whether to go on; raises StoppedError where the answer is not yes."""
    print(f"{what} Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    try:
        said = input()
    except EOFError:
        said = ""
    if said.strip().lower() not in {"y", "yes"}:
        raise StoppedError("Nothing was sent.")


def _worst(chosen: Settings, price: Price) -> float:
    """Dollars that one request may cost at most: no character is more than two tokens, and none hits."""
    return (
        2 * (chosen.prefix_chars + chosen.most_suffix(MOST_SUFFIX)) * price.miss
        + chosen.max_tokens * price.out
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
