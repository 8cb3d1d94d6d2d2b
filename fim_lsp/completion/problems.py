"""What a user was told: each problem once, until it changes or has been away for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fim_lsp.words.sentence import Sentence

QUIET = 600.0  # seconds in which a passing problem that comes back is not shown again


class Problem(NamedTuple):
    """Something in the way of completions: what it is, the sentence for the reader, and whether the reader must act."""

    cause: str
    message: Sentence
    act: bool


class Problems:
    """The problem in force, if any, and when each was last shown."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._shown: dict[str, float] = {}
        self.current: Problem | None = None

    def met(self, problem: Problem) -> bool:
        """Note a problem; whether it is to be shown now."""
        known = self.current is not None and self.current.cause == problem.cause
        self.current = problem
        now = self._clock()
        last = self._shown.get(problem.cause)
        if known or (last is not None and not problem.act and now - last < QUIET):
            return False
        self._shown[problem.cause] = now
        return True

    def over(self) -> bool:
        """Note that completions work; whether that ends a problem."""
        had = self.current is not None
        self.current = None
        return had

    def passes(self, cause: str, after: str = "") -> bool:
        """Note what is in the way of nothing; whether it is to be shown now, which what ends `after` only is if that was."""
        now = self._clock()
        last = self._shown.get(cause)
        if after:
            began = self._shown.get(after)
            if began is None or (last is not None and last >= began):
                return False
        elif last is not None and now - last < QUIET:
            return False
        self._shown[cause] = now
        return True
