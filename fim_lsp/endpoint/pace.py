"""How fast an engine reads, and so how long a prompt may be for a person to wait for it: for engines that are paid in time."""

from __future__ import annotations

from math import log2
from typing import NamedTuple

from fim_lsp.settings.kinds import MOST_SUFFIX, SUFFIX
from fim_lsp.text.beginning import shared

SECONDS = 3.0  # in which a prompt is to be read that the engine has not seen
SAMPLE = 600  # characters read anew, from which on the time tells the speed and not the way there
LEAST = 1_000  # characters of a prefix below which it tells too little
MOST = 64_000  # characters above which no window goes
MOST_ARRIVAL = 10_000  # characters before the cursor at a new place, at most


class Shown(NamedTuple):
    """How much of the file a prompt shows around the cursor, in characters: before it at a new place, and behind it."""

    arrival: int = 0  # 0: as ever
    suffix: int = SUFFIX


class Pace:
    """What one engine has shown of its speed; `room` is the most characters of a prefix, 0 where there is no bound.

    A room changes by powers of two, and seldom: every prompt begins anew behind a change.  What is read anew is what the
    prompt does not share with the one before it, as engines keep it that cache token by token.
    """

    def __init__(self, first_chars: int = 0) -> None:
        """`first_chars` are the room until a speed is known."""
        self.room = first_chars
        self._last = ""  # the prefix that was sent last

    def shown(self) -> Shown:
        """What prompts show where no token is paid: at a new place what it reads in half a second, behind the cursor in an eighth."""
        room = self.room or MOST  # servers for many people, whose speed is not measured
        return Shown(min(room // 6, MOST_ARRIVAL), min(max(room // 24, SUFFIX), MOST_SUFFIX))

    def sent(self, prefix: str, suffix: str) -> int:
        """A prompt leaves; the characters of it that are read anew."""
        last, self._last = self._last, prefix
        return len(prefix) - shared(last, prefix) + len(suffix) if self.room else 0

    def heard(self, anew: int, seconds: float) -> bool:
        """The first text came after so many seconds; whether there is more room now, or less."""
        return self._learn(anew, seconds, grows=True)

    def unheard(self, anew: int, seconds: float) -> bool:
        """None came for so many seconds, and then it was given up: it reads no faster than this."""
        return seconds >= SECONDS and self._learn(anew, seconds, grows=False)

    def _learn(self, anew: int, seconds: float, *, grows: bool) -> bool:
        if not self.room or anew < SAMPLE:
            return False
        steps = int(log2(SECONDS * anew / max(seconds, 0.001) / self.room) // 1)
        # Less room only where the whole of it takes twice the time.
        if steps == -1 or (steps > 0 and not grows):
            return False
        before, self.room = self.room, round(min(max(self.room * 2.0**steps, LEAST), MOST))
        return self.room != before
