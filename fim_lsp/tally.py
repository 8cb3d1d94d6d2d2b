"""Tokens of each request: the service's own count where it came, an estimate where the stream was closed before it.

A stream that has said enough is closed at once, since every further token is paid for; its bill never comes.  The
estimate goes on from the last bill that did come: what the prompt shares with that one is counted, the rest is taken at
that bill's characters a token.  The hit is what the prompt shares with the ones before it, in the service's units of 128 tokens.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from fim_lsp.prompt import Prompt
from fim_lsp.request import Usage

CHARACTERS = 3.6  # a token, until a bill says otherwise
KEPT = 16  # prompts, with which a new one is compared
UNIT = 128  # tokens; all hits in public bills of 2026 are multiples of it


class Spent(NamedTuple):
    """What a request was, or will be, billed for, in tokens."""

    hit: int
    missed: int
    out: int
    estimated: bool


class Tally:
    """The running sums of a server, and what the estimates rest on."""

    def __init__(self) -> None:
        self.requests = 0
        self.local_hits = 0
        self.prompt_tokens = 0
        self.cache_hit_tokens = 0
        self.completion_tokens = 0
        self._characters, self._tokens = 100 * CHARACTERS, 100.0
        self._sent: deque[str] = deque(maxlen=KEPT)
        self._persisted: deque[str] = deque(maxlen=KEPT)
        self._billed = Prompt("", ""), 0, 0  # the last one that was, its tokens, and of these hits

    def asked(self, prompt: Prompt) -> str:
        """Count a request that leaves now; what of its prompt the service is likely to have persisted."""
        self.requests += 1
        likely = max(filter(prompt.prefix.startswith, self._persisted), key=len, default="")
        # A prefix is persisted where two requests share it, and hit from the third on.
        common = max((_shared(sent, prompt.prefix) for sent in self._sent), key=len, default="")
        if common not in self._persisted:
            self._persisted.append(common)
        self._sent.append(prompt.prefix)
        return likely

    def ended(self, prompt: Prompt, likely: str, text: str, usage: Usage | None) -> Spent:
        """Count what a request has come to: `text` is what was received."""
        if usage is not None:
            self._characters = 0.9 * self._characters + len(prompt.prefix) + len(prompt.suffix)
            self._tokens = 0.9 * self._tokens + usage.prompt_tokens
            self._billed = prompt, usage.prompt_tokens, usage.cache_hit_tokens
            hit, missed = usage.cache_hit_tokens, usage.prompt_tokens - usage.cache_hit_tokens
            spent = Spent(hit, missed, usage.completion_tokens, estimated=False)
        else:
            rate = self._characters / self._tokens
            billed, tokens, hit_then = self._billed
            shared = len(_shared(billed.prefix, prompt.prefix))
            gone = len(billed.prefix) - shared + len(billed.suffix)
            new = len(prompt.prefix) - shared + len(prompt.suffix)
            total = max(1, round(tokens + (new - gone) / rate))
            behind = len(prompt.prefix) - len(likely) + len(prompt.suffix)
            hit = max(0, int(total - behind / rate) // UNIT * UNIT)
            if tokens - gone / rate >= hit_then:
                hit = max(hit, hit_then)  # what was hit then stands here, too
            spent = Spent(hit, total - hit, -(-len(text) // 4), estimated=True)
        self.prompt_tokens += spent.hit + spent.missed
        self.cache_hit_tokens += spent.hit
        self.completion_tokens += spent.out
        return spent


def _shared(one: str, other: str) -> str:
    """The text with which both begin, by halving: a comparison of slices is quick, one of characters is not."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return one[:low]
