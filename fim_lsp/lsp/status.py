"""The status as `fimLsp.status` returns it, and which of its news a client is told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fim_lsp.completion.engine import Engine

NEWS = ("state", "message", "model", "enabled", "snoozed")  # what a client is told of as soon as it changes


def status(engine: Engine, usd: float | None) -> dict[str, Any]:
    """The state of an engine, its sums, and what the session has cost in dollars, where that is known."""
    counts, problem, over = engine.backend.counts, engine.backend.problems.current, engine.over_budget
    settings, endpoints = engine.settings, engine.backend.endpoints
    return {
        "state": engine.state,
        "message": settings.halted
        or (problem.message if problem else over or endpoints.standing() or engine.snooze.sentence()),
        "model": endpoints.answering.model,
        "requests": counts.requests,
        "promptTokens": counts.prompt_tokens,
        "cacheHitTokens": counts.cache_hit_tokens,
        "completionTokens": counts.completion_tokens,
        "localHits": counts.local_hits,
        "acceptance": engine.acceptance.counted(),
        "usd": usd,
        "overBudget": over is not None,
        "snoozed": engine.snooze.left(),
        "enabled": bool(settings.halted) or not settings.off,
        "baseUrl": settings.base_url,
    }


class StatusNews:
    """Tells of a status what has changed since it was last told."""

    def __init__(self, notify: Callable[[dict[str, Any]], None]) -> None:
        self._notify = notify
        self._told: dict[str, Any] | None = None

    def tell(self, now: dict[str, Any]) -> None:
        """Tell of the status as it is now, if there is news."""
        if self._told is None or any(self._told[name] != now[name] for name in NEWS):
            self._told = now
            self._notify(now)
