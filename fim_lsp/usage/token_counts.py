"""Tokens of each request: the service's own count where it came, an estimate where the stream was closed before it.

A stream that has said enough is closed at once, since every further token is paid for; its bill never comes.  The
estimate goes on from the bill of the prompt most like it: what the two share is counted, the rest is taken at the newest
bills' characters a token.  The hit is what the prompt shares with the ones before it, in the service's units of 128 tokens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from fim_lsp.context.window import Prompt
from fim_lsp.endpoint.request import Usage
from fim_lsp.text.beginning import shared

CHARACTERS = 3.6  # a token, until a bill says otherwise
KEPT = 64  # prompts and beginnings of prompts, with which a new one is compared
BILLS = 16  # of the newest, one of which an estimate goes on from
MARKS = 4  # tokens at the end of what two prompts share: marks of the model's template, and a last word cut differently
UNIT = 128  # tokens; all hits in public bills of 2026 are multiples of it


class Spent(NamedTuple):
    """What a request was, or will be, billed for, in tokens."""

    hit: int
    missed: int
    out: int
    estimated: bool


@dataclass(slots=True)
class Sums:
    """The running sums of a server."""

    requests: int = 0
    local_hits: int = 0
    prompt_tokens: int = 0
    cache_hit_tokens: int = 0
    completion_tokens: int = 0


class TokenCounts:
    """The counts of one endpoint, and what its estimates rest on; `sums` may be those of several."""

    def __init__(self, sums: Sums | None = None) -> None:
        self.sums = Sums() if sums is None else sums
        self._characters, self._tokens = 100 * CHARACTERS, 100.0
        self._sent: deque[str] = deque(maxlen=KEPT)
        # Beginnings of prompts, the one used last standing last, with the tokens of a hit where a bill told them.
        self._persisted: dict[str, int | None] = {}
        self._billed: deque[_Billed] = deque([_Billed(Prompt("", ""), 0, 0)], maxlen=BILLS)

    def asked(self, prompt: Prompt) -> str:
        """Count a request that leaves now; what of its prompt the service is likely to have persisted."""
        self.sums.requests += 1
        likely = max(filter(prompt.prefix.startswith, self._persisted), key=len, default="")
        # A prefix is persisted where two requests share it, and hit from the third on.
        common = prompt.prefix[: _longest(prompt.prefix, reversed(self._sent))[1]]
        for used in (likely, common):
            self._persisted[used] = self._persisted.pop(used, None)
        while len(self._persisted) > KEPT:
            del self._persisted[next(iter(self._persisted))]
        self._sent.append(prompt.prefix)
        return likely

    def ended(self, prompt: Prompt, likely: str, text: str, usage: Usage | None) -> Spent:
        """Count what a request has come to: `text` is what was received."""
        if usage is not None:
            self._characters = 0.9 * self._characters + len(prompt.prefix) + len(prompt.suffix)
            self._tokens = 0.9 * self._tokens + usage.prompt_tokens
            self._billed.append(_Billed(prompt, usage.prompt_tokens, usage.cache_hit_tokens))
            hit, missed = usage.cache_hit_tokens, usage.prompt_tokens - usage.cache_hit_tokens
            if likely in self._persisted:
                self._persisted[likely] = hit
            spent = Spent(hit, missed, usage.completion_tokens, estimated=False)
        else:
            rate = self._characters / self._tokens
            newest = list(reversed(self._billed))
            nearest, shared = _longest(prompt.prefix, (one.prompt.prefix for one in newest))
            billed, tokens, hit_then = newest[nearest]
            gone = len(billed.prefix) - shared + len(billed.suffix)
            new = len(prompt.prefix) - shared + len(prompt.suffix)
            total = max(1, round(tokens + (new - gone) / rate))
            told = self._persisted.get(likely)
            if told is None:
                behind = len(prompt.prefix) - len(likely) + len(prompt.suffix)
                hit = max(0, int(total - behind / rate - MARKS)) // UNIT * UNIT
                if tokens - gone / rate - MARKS >= hit_then:
                    hit = max(hit, hit_then)  # what was hit then stands here, too
            else:
                hit = min(told, total)
            spent = Spent(hit, total - hit, -(-len(text) // 4), estimated=True)
        self.sums.prompt_tokens += spent.hit + spent.missed
        self.sums.cache_hit_tokens += spent.hit
        self.sums.completion_tokens += spent.out
        return spent


class _Billed(NamedTuple):
    """A prompt whose bill came, its tokens, and how many of these were hits."""

    prompt: Prompt
    tokens: int
    hit: int


def _longest(text: str, others: Iterable[str]) -> tuple[int, int]:
    """Which of the others begins longest as the text does, the first of equals, and for how many characters."""
    best, length, more = 0, 0, text[:1]
    for number, other in enumerate(others):
        # Most begin no longer than one that was found: a look at the beginning rules them out.
        if other.startswith(more):
            best, length = number, shared(text, other)
            more = text[: length + 1]
            if len(more) == length:
                break
    return best, length
