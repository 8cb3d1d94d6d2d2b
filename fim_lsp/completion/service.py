"""What completions need of an endpoint's client, whatever it speaks and however it is reached."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from fim_lsp.endpoint.look import Found
from fim_lsp.endpoint.request import Balance, Request, Usage
from fim_lsp.text.confidence import Token


class Reply(Protocol):
    """An answer as it streams: its pieces of text, and what it is billed for once that is known."""

    usage: Usage | None
    finish_reason: str | None

    @property
    def tokens(self) -> Sequence[Token]:
        """Those of which the engine has told the log-probabilities, in order, as far as it was read."""

    def __aiter__(self) -> AsyncIterator[str]:
        """Read the pieces."""


class Service(Protocol):
    """What completions need of the endpoint's client."""

    async def meet(self) -> Found | None:
        """What the endpoint is, looked at where that is not known; None as long as it does not say."""

    def shown(self, request: Request) -> dict[str, Any]:
        """What would be sent for a request, for a person to read."""

    def complete(self, request: Request, *, seconds: float) -> AbstractAsyncContextManager[Reply]:
        """Ask once, streamed; leaving the context closes the stream."""

    async def warm(self) -> None:
        """Connect in advance; never raises."""

    async def balance(self) -> Balance:
        """What is left on the account."""

    async def aclose(self) -> None:
        """Close every connection."""
