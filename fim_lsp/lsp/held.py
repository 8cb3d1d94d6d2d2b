"""A menu's request that is held until there is text, wherever on its line the typing has gone by then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from fim_lsp.text.document import Document, Place

if TYPE_CHECKING:
    from fim_lsp.completion.answer_cache import Offer

PATIENCE = 8.0  # seconds; Emacs shows an error for a request that takes ten


async def patient(complete: Awaitable[Sequence[Offer] | None]) -> Sequence[Offer]:
    """The texts to offer once they are there; none if that takes longer than one is made to wait."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await complete or ()
    except TimeoutError:
        return ()


async def held(
    complete: Callable[[str, Place], Awaitable[Sequence[Offer] | None]], document: Document, place: Place
) -> tuple[str, Sequence[Offer]]:
    """What was typed behind a place while its request was held, and the texts to offer behind that.

    Helix 25.07 asks no more while it waits: each key falls to the request under way, whose entries it matches against
    what stands there when they come.  So where typing went on, the question is put again behind it; what agrees with
    the typing is known already.
    """
    line = document.lines[place.line]  # as it was asked about
    before, after = line[: place.column], line[place.column :]
    typed = ""
    while True:
        offers = await complete(document.uri, Place(place.line, place.column + len(typed)))
        now = document.lines[place.line] if place.line < len(document.lines) else ""
        grown = now[len(before) : len(now) - len(after)]
        if offers is None or len(grown) <= len(typed) or now != before + grown + after:
            return typed, offers or ()
        typed = grown
