"""What an engine speaks, as a row of `engines.toml`: the path, the names of fields, where an answer's parts stand."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from fim_lsp.endpoint.beginning import Form
from fim_lsp.endpoint.request import Usage

TABLE = Path(__file__).with_name("engines.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """An answer by which an engine is known: a path that has an object with this field."""

    path: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One engine's way of asking and answering; the table says what each field means."""

    name: str
    source: str
    path: str
    list: str
    framing: Literal["sse", "lines"]
    choices: bool
    prompt: str
    max_tokens: str
    text: tuple[str, ...]
    ends: Mapping[str, str]
    more: Mapping[str, Any]
    prompt_tokens: tuple[str, ...]
    cached_tokens: tuple[str, ...]
    output_tokens: tuple[str, ...]
    most_stops: int
    key: bool
    whole: bool
    own: bool
    model: str = ""
    temperature: str = ""
    stop: str = ""
    suffix: str = ""
    empty_suffix: Literal["send", "omit", "template"] = "send"
    extra: str = ""
    context: str = ""
    finish: str = ""
    end: str = ""
    hosts: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    tells: Tell | None = None
    models: str = ""
    default_model: str = ""
    template: str = ""
    alone: str = ""
    templated: str = ""
    balance: str = ""
    hidden: bool = False
    base: str = ""
    vendor: str = ""
    chat: str = ""
    echoes: bool = False
    prefix_tokens: int = 0
    suffix_tokens: int = 0
    context_tokens: int = 0
    first_chars: int = 0
    begin: str = ""
    begin_as: Form = "regex"
    ask_logprobs: Mapping[str, Any] = field(default_factory=dict)
    logprobs: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it can be held to what an answer begins with."""
        return self.begin != ""

    @property
    def sure(self) -> bool:
        """Whether it tells how sure the model is of each token."""
        return bool(self.ask_logprobs and self.logprobs)


@cache
def dialects() -> Mapping[str, Dialect]:
    """Every row of the table, by name; read when it is first needed."""
    table = tomllib.loads(TABLE.read_text("utf-8"))
    return {name: _dialect(name, {**table["common"], **row}) for name, row in table["engines"].items()}


def of_host(host: str) -> Dialect | None:
    """The vendor that a host is known to be."""
    host = host.rstrip(".").lower()
    return next((one for one in dialects().values() if host in one.hosts and not one.hidden), None)


def at(event: Any, place: str) -> Any:
    """What stands at a place such as `usage.prompt_tokens` or `choices.0.text`; None where nothing does."""
    for step in place.split("."):
        if isinstance(event, Mapping):
            event = event.get(step)
        elif isinstance(event, Sequence) and not isinstance(event, str) and step.isdecimal():
            event = event[int(step)] if int(step) < len(event) else None
        else:
            return None
    return event


def usage_in(dialect: Dialect, event: Mapping[str, Any]) -> Usage | None:
    """The bill that an event holds; None where it holds none.  A ValueError where it is no bill."""
    prompt = _count(event, dialect.prompt_tokens)
    if prompt is None:
        return None
    return Usage(prompt, _count(event, dialect.cached_tokens) or 0, _count(event, dialect.output_tokens) or 0)


def _count(event: Mapping[str, Any], places: tuple[str, ...]) -> int | None:
    """The tokens at the first place that is there; a place may be a sum."""
    for place in places:
        parts = [at(event, part) for part in place.split(" + ")]
        if all(part is None for part in parts):
            continue
        numbers = [0 if part is None else part for part in parts]
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError
        return sum(numbers)
    return None


def put_at(body: dict[str, Any], place: str, value: Any) -> None:
    """Set a field; a dot leads into a table, which is made where there is none."""
    *tables, last = place.split(".")
    for name in tables:
        body = body.setdefault(name, {})
    body[last] = value


def _dialect(name: str, row: dict[str, Any]) -> Dialect:
    lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    if "tells" in row:
        row = {**row, "tells": Tell(**row["tells"])}
    return Dialect(name=name, **{**row, **lists})
