"""A service that is sent another layout's prompts in the place of ours; what it answers is read and trimmed as ours is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from fim_lsp.completion.service import Reply, Service
from fim_lsp.context.window import Prompt
from fim_lsp.endpoint.look import Found
from fim_lsp.endpoint.request import Balance, Request, Unavailable
from fim_lsp.replay.answers import Used
from fim_lsp.replay.layouts import Layout
from fim_lsp.words.sentence import Sentence


class Laid:
    """`service` with the prompts of a layout, at the place that it was told of last."""

    def __init__(self, service: Service, layout: Layout) -> None:
        self._service = service
        self._layout = layout
        self._line = ""  # what stands before the cursor on its line
        self._prompt = Prompt("", "")
        self._met: Found | None = None  # what the service is, and, made of it, what it is here
        self._found: Found | None = None

    def at(self, text: str, cursor: int) -> None:
        """From now on it is asked about this place: an offset in a text."""
        self._prompt = self._layout(text, cursor)
        self._line = text[text.rfind("\n", 0, cursor) + 1 : cursor]

    def complete(self, request: Request, *, seconds: float) -> AbstractAsyncContextManager[Reply]:
        """The answer to the layout's prompt.  Raises Unavailable for another place: no peer asks ahead of the cursor."""
        if not request.prefix.endswith(self._line):
            raise Unavailable(Sentence.of("Nothing is asked ahead."), "network", alone=True)
        prefix, suffix = self._prompt
        laid = replace(request, prefix=prefix, suffix=suffix, context=0)
        return self._service.complete(laid, seconds=seconds)

    async def meet(self) -> Found | None:
        """What the service is; a layout's prompts are sent as they are, with nothing left to the model."""
        found = await self._service.meet()
        if found is not None and found is not self._met:
            self._met, self._found = found, replace(found, dialect=replace(found.dialect, own=False))
        return self._found

    def shown(self, request: Request) -> dict[str, Any]:
        """What would be sent for a request."""
        return self._service.shown(request)

    async def warm(self) -> None:
        """Nothing is to be made ready."""

    async def balance(self) -> Balance:
        """What the service knows of the account."""
        return await self._service.balance()

    async def aclose(self) -> None:
        """Whoever made the service closes it."""


def untrimmed(used: Sequence[Used]) -> str:
    """What was answered first, to its end, as it came."""
    return "".join(used[0].answer.pieces) if used else ""
