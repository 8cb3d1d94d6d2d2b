"""The record of usage before it is open: what happens meanwhile is kept here, and told to the ledger once there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from fim_lsp.context.window import Prompt
from fim_lsp.endpoint.request import Balance
from fim_lsp.usage import account
from fim_lsp.words.sentence import Sentence


class Opened(account.Ledger, Protocol):
    """A ledger whose record is open."""

    def begin(self) -> int:
        """A request has left; its number, which is one more than the last."""


class Early:
    """A ledger whose requests leave at once; those that a limit is set for wait until what was spent is known."""

    def __init__(self, limited: Callable[[], bool]) -> None:
        self._limited = limited
        self._ledger: Opened | None = None
        self._settled = asyncio.Event()
        self._begun = 0
        self._rows: list[tuple[int, str, dict[str, Any]]] = []
        self._accepted: dict[int, int] = {}
        self._balance: Balance | None = None

    @property
    def waiting(self) -> bool:
        """Whether requests have left of which no ledger knows."""
        return self._begun > 0 and not self._settled.is_set()

    def adopt(self, ledger: Opened) -> None:
        """Tell the ledger what has happened; from here on it is told of what is still under way."""
        if self._settled.is_set():
            return
        self._ledger = ledger
        for _ in range(self._begun):
            ledger.begin()  # gives the numbers that were given here
        for number, uri, what in self._rows:
            ledger.ended(number, uri, **what)
        for number, characters in self._accepted.items():
            ledger.accepted(number, characters)
        if self._balance is not None:
            ledger.weigh(self._balance)
        self.give_up()

    def give_up(self) -> None:
        """Nothing is kept any longer, and without a ledger no request leaves that a limit is set for."""
        self._rows, self._accepted = [], {}
        self._settled.set()

    def allows(self) -> bool:
        """Whether the budget leaves room, as far as is known: `reserve` waits until it is."""
        return self._ledger is None or self._ledger.allows()

    def over(self) -> Sentence | None:
        """What is to be said while the budget is used up."""
        return self._ledger.over() if self._ledger is not None else None

    def peak(self, model: str | None = None) -> bool:
        """Whether the service charges its peak price now."""
        return self._ledger is not None and self._ledger.peak(model)

    def price(self, model: str | None = None) -> tuple[float, float] | None:
        """Dollars for a million prompt tokens that hit, and that missed."""
        return self._ledger.price(model) if self._ledger is not None else None

    async def reserve(self, model: str, prompt: Prompt, max_tokens: int) -> int | None:
        """The number of a request that may leave now, or None."""
        if self._limited():
            await self._settled.wait()
            return await self._ledger.reserve(model, prompt, max_tokens) if self._ledger is not None else None
        if self._ledger is not None:
            return self._ledger.begin()
        self._begun += 1
        return self._begun

    def ended(self, number: int | None, uri: str, **what: Any) -> int:
        """A request has ended, or an answer was found here."""
        if self._ledger is not None:
            return self._ledger.ended(number, uri, **what)
        if number is None:
            self._begun += 1
            number = self._begun
        if not self._settled.is_set():
            self._rows.append((number, uri, what))
        return number

    def accepted(self, number: int, characters: int) -> None:
        """So many characters of that request's text are in the document now."""
        if self._ledger is not None:
            self._ledger.accepted(number, characters)
        elif not self._settled.is_set():
            self._accepted[number] = characters

    def weigh(self, balance: Balance) -> None:
        """What is left on the account."""
        if self._ledger is not None:
            self._ledger.weigh(balance)
        else:
            self._balance = balance
