"""Silence on demand: for a while nothing comes by itself, in one file, one language, or everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from fim_lsp.settings import language_names
from fim_lsp.words.sentence import NOTHING, Sentence, listed

Scope = Literal["file", "language", "everything"]
LONGEST = 24 * 60.0  # minutes
USUAL = 5.0  # minutes, where none are named


class _Nap(NamedTuple):
    scope: Scope
    name: str  # a URI, a language, or nothing


class Snooze:
    """What is silent, and until when; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[_Nap, float] = {}

    def begin(self, minutes: float, scope: Scope, name: str = "") -> None:
        """Be silent for so many minutes from now on, in the place of what was said before; 0 ends it."""
        nap = _Nap(scope, "" if scope == "everything" else _language(name) if scope == "language" else name)
        self._until.pop(nap, None)
        if scope == "everything" and minutes <= 0:
            self._until.clear()
        elif minutes > 0:
            self._until[nap] = self._clock() + 60 * min(minutes, LONGEST)

    def holds(self, uri: str, language: str) -> bool:
        """Whether nothing comes by itself in a document."""
        if not self._until:
            return False
        naps = (_Nap("everything", ""), _Nap("file", uri), _Nap("language", _language(language)))
        now = self._clock()
        return any(self._until.get(nap, now) > now for nap in naps)

    def left(self) -> list[dict[str, Any]]:
        """What is silent: its scope, its name, and the minutes left, a part of one as a whole."""
        now = self._clock()
        self._until = {nap: until for nap, until in self._until.items() if until > now}
        return [
            {"scope": nap.scope, "name": nap.name, "minutes": math.ceil((until - now) / 60)}
            for nap, until in self._until.items()
        ]

    def next(self) -> float | None:
        """Seconds until the minutes left are others; None where nothing is silent."""
        now = self._clock()
        left = [until - now for until in self._until.values() if until > now]
        return min((seconds % 60 or 60 for seconds in left), default=None)

    def sentence(self) -> Sentence:
        """What is silent and for how long, for a person; empty where nothing is."""
        naps = [
            Sentence(
                "{where} for {minutes} min", where=_where(nap["scope"], nap["name"]), minutes=nap["minutes"]
            )
            for nap in self.left()
        ]
        return Sentence("Snoozed {naps}.", naps=listed(naps)) if naps else NOTHING


def _where(scope: Scope, name: str) -> Sentence:
    if scope == "everything":
        return Sentence("everywhere")
    named = name.rsplit("/", 1)[-1] if scope == "file" else name
    return Sentence("in {name}", name=named) if named or scope == "language" else Sentence("in this file")


def _language(name: str) -> str:
    """One of a language's names, the same for all of them."""
    return language_names.same(name)[0]
