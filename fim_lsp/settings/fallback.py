"""Endpoints that are asked while the ones before them rest: what an entry of `fallback` may say, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fim_lsp.settings import kinds
from fim_lsp.settings.headers import header_name, header_table
from fim_lsp.settings.kinds import Kind, WrongValueError, camel, snake
from fim_lsp.words.sentence import Sentence

MOST = 8  # entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """One entry; what it leaves out is as by default, and not as the first endpoint has it.

    `api_key_env` names the variable of the environment that holds the key.  `even_if_refused`: asked also where an endpoint
    before it refuses the key or has an empty account, which no time mends.
    """

    base_url: str
    model: str | None = None
    engine: str = "auto"
    template: str | Mapping[str, Any] = "auto"
    api_key_env: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    affinity_header: str | None = None
    even_if_refused: bool = False


def _variable() -> Kind:
    def check(value: Any) -> str:
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", value.strip()):
            return value.strip()
        raise WrongValueError(Sentence("must be the name of an environment variable, such as TEAM_API_KEY"))

    return Kind(check, {"type": "string"})


_KEYS: Mapping[str, Kind] = {
    "base_url": kinds.url(),
    "model": kinds.model(),
    "engine": kinds.choice(*kinds.ENGINES),
    "template": kinds.template(),
    "api_key_env": _variable(),
    "headers": header_table(),
    "affinity_header": header_name(),
    "even_if_refused": kinds.flag(),
}


def fallback() -> Kind:
    """A list of endpoints, in the order in which they are asked."""

    def check(value: Any) -> tuple[Fallback, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(one, Mapping) for one in value):
            raise WrongValueError(
                Sentence('must be a list of endpoints, such as [{"baseUrl": "http://127.0.0.1:8080"}]')
            )
        if len(value) > MOST:
            raise WrongValueError(Sentence("must have {most} entries at most", most=MOST))
        return tuple(_entry(number, one) for number, one in enumerate(value, 1))

    rows = {camel(name): kind.schema for name, kind in _KEYS.items()}
    one = {"type": "object", "properties": rows, "required": ["baseUrl"], "additionalProperties": False}
    return Kind(check, {"type": "array", "items": one})


def _entry(number: int, raw: Mapping[str, Any]) -> Fallback:
    found = {}
    for name, value in raw.items():
        kind = _KEYS.get(snake(str(name)))
        if snake(str(name)) == "api_key":
            raise WrongValueError(
                Sentence(
                    'has an "apiKey" in entry {number}: write into "apiKeyEnv" the name of the variable that holds the key',
                    number=number,
                )
            )
        if kind is None:
            # What is no name might be a key.
            shown = f' "{name}"' if re.fullmatch(r"[A-Za-z_]{1,30}", str(name)) else ""
            raise WrongValueError(
                Sentence(
                    "has an unknown name{name} in entry {number}; known are {known}",
                    name=shown,
                    number=number,
                    known=", ".join(map(camel, _KEYS)),
                )
            )
        if value is None:
            continue
        try:
            found[snake(str(name))] = kind.check(value)
        except WrongValueError as error:
            raise WrongValueError(
                Sentence(
                    'has a wrong "{name}" in entry {number}: it {why}',
                    name=camel(snake(str(name))),
                    number=number,
                    why=error.why,
                )
            ) from None
    if kinds.of_service(str(raw.get("baseUrl", raw.get("base_url")))):
        found.setdefault("engine", "deepseek")
    if "base_url" not in found:
        raise WrongValueError(Sentence('has no "baseUrl" in entry {number}', number=number))
    return Fallback(**found)
