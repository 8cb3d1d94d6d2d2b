"""The account of one request: begun when it leaves, closed once, in the running sums and in the record of usage."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from fim_lsp.context.window import Prompt
from fim_lsp.endpoint.request import Balance, Usage
from fim_lsp.usage.bill import bounded
from fim_lsp.usage.token_counts import TokenCounts
from fim_lsp.words.sentence import Sentence

log = logging.getLogger(__name__)


class Ledger(Protocol):
    """What the engine needs of the record of usage."""

    def allows(self) -> bool:
        """Whether the budget leaves room for a request."""

    def over(self) -> Sentence | None:
        """What is to be said while the budget is used up; None while it is not."""

    def peak(self, model: str | None = None) -> bool:
        """Whether the service charges its peak price now."""

    def price(self, model: str | None = None) -> tuple[float, float] | None:
        """Dollars for a million prompt tokens that hit, and that missed; None where the model has no known price."""

    async def reserve(self, model: str, prompt: Prompt, max_tokens: int) -> int | None:
        """The number of a request that may leave now; None where a limit does not let it."""

    def ended(self, number: int | None, uri: str, **what: Any) -> int:
        """A request for a document has ended, or an answer was found here; its number."""

    def accepted(self, number: int, characters: int) -> None:
        """So many characters of that request's text are in the document now."""

    def weigh(self, balance: Balance) -> None:
        """What is left on the account."""


class Account:
    """One request, from its leaving to its end; `number` is its row's in the record, None without one.

    `max_tokens` are the most that it asks for.
    """

    def __init__(
        self,
        prompt: Prompt,
        *,
        number: int | None,
        max_tokens: int,
        uri: str,
        model: str,
        language: str,
        counts: TokenCounts,
        ledger: Ledger | None,
        clock: Callable[[], float],
    ) -> None:
        self.number = number
        self._max_tokens = max_tokens
        self._prompt = prompt
        self._uri = uri
        self._what = {"model": model, "language": language}
        self._counts = counts
        self._ledger = ledger
        self._clock = clock
        self._begun = clock()
        self._first: float | None = None
        self._end: float | None = None
        self._likely = counts.asked(prompt)

    def heard(self) -> None:
        """A piece of the answer has come."""
        self._first = self._first or self._clock()

    @property
    def waited(self) -> float | None:
        """Seconds to the first piece; None while there is none."""
        return None if self._first is None else self._first - self._begun

    def done(self) -> float:
        """The answer is complete; the milliseconds that it took."""
        self._end = self._clock()
        return 1000 * (self._end - self._begun)

    def close(self, ended: str, text: str, usage: Usage | None, shown: int = 0) -> None:
        """Count it as `done`, `cut` or `failed`, with what was received of it and the bill, if one came."""
        what: dict[str, Any] = {**self._what, "ended": ended}
        if usage is not None:
            told, usage = usage, bounded(usage, self._prompt, self._max_tokens)
            if usage != told:
                log.warning("A bill for more than a request can cost is counted as the most that it can.")
        if ended != "failed":
            spent = self._counts.ended(self._prompt, self._likely, text, usage)
            what |= {
                **spent._asdict(),
                "first_ms": None if self._first is None else 1000 * (self._first - self._begun),
                "end_ms": 1000 * ((self._end or self._clock()) - self._begun),
                "shown": shown,
            }
        if self._ledger is not None:
            self._ledger.ended(self.number, self._uri, **what)
