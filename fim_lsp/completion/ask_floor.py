"""The floor under explicit asks: those that came to nothing are followed by others only so often, whoever asks."""

from __future__ import annotations

EVERY = 0.5  # seconds that an ask which came to nothing counts for
AT_ONCE = 2.0  # seconds of these that may have gathered before the next ask waits: four in a row


class Floor:
    """How long the next explicit ask waits, by what became of the ones before; times are clock seconds."""

    def __init__(self) -> None:
        self._until = float("-inf")

    def wait(self, now: float) -> float:
        """Seconds that an ask waits, `EVERY` at most where each of them waits: it is never refused."""
        return max(0.0, self._until - AT_ONCE - now)

    def came_to_nothing(self, now: float) -> None:
        """An ask was given up by whoever asked, or the service did not answer it."""
        self._until = max(self._until, now) + EVERY
