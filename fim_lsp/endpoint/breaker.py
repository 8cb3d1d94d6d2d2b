"""Kindness to the service: after a failure automatic requests rest, longer each time, and one of them tries again.

ready -> resting until a moment -> one trial -> ready, or resting for twice as long.  A wrong key or an empty account shuts it
at once for as long as it can be: until settings change, a person asks, or the trial of every five minutes gets through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from fim_lsp.endpoint.request import Refused, ServiceError, Unavailable

State = Literal["ready", "resting", "open", "trial"]

FIRST = 0.5  # seconds of the first rest at most; a person's next pause may be the retry
BUSY_LEAST = 1.0  # seconds of any rest where the service has too many requests
REFUSED_FIRST = 2.0  # the same where the reader must act
LONGEST = 60.0  # seconds of any rest, but for what the service asks for
REFUSED_LONGEST = 300.0
TRIAL = 30.0  # seconds in which one request tries alone; without a verdict by then, the next may try


class Breaker:
    """Whether the service may be asked now; `random` gives 0 to 1, times are clock seconds."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0
        self.until = float("-inf")
        self._trial_until = float("-inf")  # so long the one request that tries again is waited for
        self._failed_at = float("-inf")  # when the last failure became known
        self._busy = False  # whether the service said that there are too many requests, or when to come again

    def state(self, now: float) -> State:
        """`ready`, `resting`, `open` for one trial, or `trial` while that is under way."""
        if not self._failures:
            return "ready"
        if now < self.until:
            return "resting"
        return "trial" if now < self._trial_until else "open"

    def allows(self, now: float, *, explicit: bool) -> bool:
        """Whether a request may go out; a person who asks explicitly need not wait."""
        state = self.state(now)
        if state == "ready" or explicit:
            return True
        if state != "open":
            return False
        self._trial_until = now + TRIAL
        if self._busy:
            # Also where the trial is cut before its answer comes, as by the next key.
            self.until = max(self.until, now + BUSY_LEAST)
        return True

    def succeeded(self, left: float | None = None) -> bool:
        """An answer came to a request that left at that moment; whether that ends the rest.

        One that left before the service said that it has too many takes nothing of that back.
        """
        if self._busy and left is not None and left < self._failed_at:
            return False
        self.reset()
        return True

    def failed(self, error: ServiceError, now: float, left: float | None = None) -> None:
        """No answer came: full jitter on a rest that doubles, never less than the service asks for.

        `left` is when the request did: those that were under way together fail together, as one.
        """
        self.given_up()
        if isinstance(error, Unavailable) and error.alone:
            return
        beside = left is not None and left < self._failed_at
        first, longest = (REFUSED_FIRST, REFUSED_LONGEST) if isinstance(error, Refused) else (FIRST, LONGEST)
        rest = 0.0 if beside else min(longest, first * 2**self._failures) * self._random()
        if isinstance(error, Refused) and error.cause in {"key", "balance"}:
            rest = REFUSED_LONGEST  # time alone mends neither
        if not beside:
            self._failures = min(self._failures + 1, 20)
        self._failed_at = now
        asked = error.retry_after if isinstance(error, Unavailable) else None
        self._busy = error.cause == "busy" or asked is not None or (beside and self._busy)
        least = BUSY_LEAST if error.cause == "busy" else 0.0
        # What was under way beside the first failure may fail of the same, and makes no rest shorter.
        self.until = max(self.until, now + max(rest, least, asked or 0.0))

    def given_up(self) -> None:
        """A request ended without a verdict: the next may be the trial."""
        self._trial_until = float("-inf")

    def reset(self) -> None:
        """Forget every failure: something has changed."""
        self._failures, self.until = 0, float("-inf")
        self._failed_at, self._busy = float("-inf"), False
        self.given_up()
