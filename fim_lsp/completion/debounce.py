"""When to ask: how long to wait after a key, and where automatic asking rests."""

from __future__ import annotations

from fim_lsp.settings.settings import AUTO_DEBOUNCE

FIRST = 0.5  # seconds without a request after which a key is the first of a burst
SPARE = 0.5  # seconds to wait where requests are to be few: most keys follow sooner


def delay(setting: float | str, since_last: float, *, spare: bool = False) -> float:
    """Seconds to wait before asking; `since_last` is the time since the document's last automatic request."""
    wait = setting / 1000 if not isinstance(setting, str) else 0.0 if since_last >= FIRST else AUTO_DEBOUNCE
    return max(wait, SPARE) if spare else wait


def rests(before: str, after: str) -> bool:
    """Whether automatic asking rests at a place, from its line before and after the cursor: inside a word."""
    return bool(before) and bool(after) and _word(before[-1]) and _word(after[0])


def _word(character: str) -> bool:
    return character.isalnum() or character == "_"
