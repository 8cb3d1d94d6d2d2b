"""The account of one request: begun when it leaves, closed once, in the running sums and in the record of usage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from fim_lsp.prompt import Prompt
from fim_lsp.request import Balance, Usage
from fim_lsp.tally import Tally


class Ledger(Protocol):
    """What the engine needs of the record of usage."""

    def allows(self) -> bool:
        """Whether the budget leaves room for a request."""

    def over(self) -> str | None:
        """What is to be said while the budget is used up; None while it is not."""

    def peak(self) -> bool:
        """Whether the service charges its peak price now."""

    def price(self) -> tuple[float, float] | None:
        """Dollars for a million prompt tokens that hit, and that missed; None where the model has no known price."""

    def begin(self) -> int:
        """A request leaves now; its number."""

    def ended(self, number: int | None, uri: str, **what: Any) -> int:
        """A request for a document has ended, or an answer was found here; its number."""

    def accepted(self, number: int, characters: int) -> None:
        """So many characters of that request's text are in the document now."""

    def weigh(self, balance: Balance) -> None:
        """What is left on the account."""


class Account:
    """One request, from its leaving to its end; `number` is its row's in the record, None without one."""

    def __init__(
        self,
        prompt: Prompt,
        *,
        uri: str,
        model: str,
        language: str,
        counts: Tally,
        ledger: Ledger | None,
        clock: Callable[[], float],
    ) -> None:
        self.number = ledger.begin() if ledger is not None else None
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

    def done(self) -> float:
        """The answer is complete; the milliseconds that it took."""
        self._end = self._clock()
        return 1000 * (self._end - self._begun)

    def close(self, ended: str, text: str, usage: Usage | None, shown: int = 0) -> None:
        """Count it as `done`, `cut` or `failed`, with what was received of it and the bill, if one came."""
        what: dict[str, Any] = {**self._what, "ended": ended}
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
