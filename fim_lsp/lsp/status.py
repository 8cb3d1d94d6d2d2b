"""The status as `fimLsp.status` returns it, and which of its news a client is told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fim_lsp.completion.engine import Engine

NEWS = (
    "state",
    "message",
    "cause",
    "model",
    "enabled",
    "apiKey",
)  # what a client is told of as soon as it changes


def status(engine: Engine, usd: float | None, *, keyless: bool, demo: bool) -> dict[str, Any]:
    """The state of an engine, its sums, and what the session has cost in dollars, where that is known.

    `cause` names what the message is about, for editors that say it in words of their own: "settings", "key", "budget",
    or the cause of a failed request.  `keyless` says whether a key is needed and none is known, `demo` whether the
    embedded demo answers.
    """
    counts, over, settings = engine.backend.counts, engine.over_budget, engine.settings
    state = engine.state
    cause, message = _said(engine, keyless=keyless)
    return {
        "state": "error" if keyless and state in {"ready", "busy"} else state,
        "message": message,
        "cause": cause,
        "model": settings.model,
        "requests": counts.requests,
        "promptTokens": counts.prompt_tokens,
        "cacheHitTokens": counts.cache_hit_tokens,
        "completionTokens": counts.completion_tokens,
        "localHits": counts.local_hits,
        "acceptance": engine.acceptance.counted(),
        "usd": usd,
        "overBudget": over is not None,
        "enabled": bool(settings.halted) or not settings.off,
        "baseUrl": settings.base_url,
        "apiKey": not keyless,
        "demo": demo,
    }


def _said(engine: Engine, *, keyless: bool) -> tuple[str, str]:
    """What stands in the way of completions, by its cause and in a sentence; two empty texts where nothing does."""
    problem, over = engine.backend.problems.current, engine.over_budget
    if engine.settings.halted:
        return "settings", engine.settings.halted
    if problem is not None:
        return problem.cause, problem.message
    if keyless:
        from fim_lsp.settings import keys  # noqa: PLC0415 - no client need wait for it

        return "key", keys.NONE
    return ("budget", over) if over is not None else ("", "")


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
