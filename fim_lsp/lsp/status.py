"""The status as `fimLsp.status` returns it, and which of its news a client is told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from fim_lsp.completion.engine import Engine
    from fim_lsp.words.language import Language
    from fim_lsp.words.sentence import Sentence

NEWS = (
    "state",
    "message",
    "cause",
    "model",
    "enabled",
    "snoozed",
    "apiKey",
)  # what a client is told of as soon as it changes


def status(
    engine: Engine, usd: float | None, language: Language, *, fetching: bool, demo: bool
) -> dict[str, Any]:
    """The state of an engine, its sums, and what the session has cost in dollars, where that is known.

    `cause` names what the message is about, for editors that say it in words of their own: "settings", "key", "budget",
    or the cause of a failed request.  `fetching` says whether the key is being fetched, `demo` whether the embedded demo
    answers: then none is missed.
    """
    counts, over, settings = engine.backend.counts, engine.over_budget, engine.settings
    state, lacks = engine.state, not (fetching or demo) and keyless(engine)
    cause, message = _said(engine, lacks=lacks)
    return {
        "state": "error" if lacks and state in {"ready", "busy"} else state,
        "message": language.say(message),
        "cause": cause,
        "model": engine.backend.endpoints.answering.model,
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
        "apiKey": not lacks,
        "demo": demo,
    }


def _said(engine: Engine, *, lacks: bool) -> tuple[str, Sentence]:
    """What stands in the way of completions, by its cause and in a sentence; two empty texts where nothing does."""
    problem, over = engine.backend.problems.current, engine.over_budget
    if engine.settings.halted:
        return "settings", engine.settings.halted
    if problem is not None:
        return problem.cause, problem.message
    if lacks:
        from fim_lsp.settings import keys  # noqa: PLC0415 - no client need wait for it

        return "key", keys.lacking(keys.named(engine.settings))
    if over is not None:
        return "budget", over
    return "", engine.backend.endpoints.standing() or engine.snooze.sentence()


def keyless(engine: Engine) -> bool:
    """Whether no key is set where one is needed: by a service, by what asks for one, or by what has refused to do without."""
    from fim_lsp.settings import keys  # noqa: PLC0415 - no client need wait for it

    settings, problem = engine.settings, engine.backend.problems.current
    if settings.api_key is not None or any(name.lower() == "authorization" for name in settings.headers):
        return False
    if problem is not None and problem.cause == "key":
        return True
    found = engine.backend.endpoints.first.found
    if "deepseek" in {settings.engine, found.engine if found is not None else ""}:
        return True
    return not keys.private(urlsplit(settings.base_url).hostname or "")


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
