"""What a user may set: one definition, from which the README, the editors' schemas and every check are drawn."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SERVICE = "https://api.deepseek.com"
RETIRED_MODELS = {
    "deepseek-chat": "deepseek-flash",
    "deepseek-reasoner": "deepseek-v4-pro",
}  # since 2026-07-24

# Names that editors put beside the settings for their own use.
CLIENT_NAMES = frozenset(
    {"statusNotifications", "paused", "trace", "serverCommand", "pythonPath", "folderSettings"}
)


def snake(name: str) -> str:
    """`maxTokens` as `max_tokens`."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda m: "_" + m[1].lower(), name)


def camel(name: str) -> str:
    """`max_tokens` as `maxTokens`."""
    return re.sub(r"_([a-z])", lambda m: m[1].upper(), name)


# Settings that hold something back: a wrong one stops everything until it is put right, for what it was to hold back
# would leave in its place.
HOLDING = frozenset(
    {
        "enabled",
        "api_key",
        "base_url",
        "languages",
        "context",
        "exclude",
        "daily_budget",
        "monthly_budget",
        "requests_per_minute",
    }
)
UNTIL = "nothing is sent until it is put right"


class Unreadable(dict[str, Any]):
    """The settings of a file that cannot be read: none, and why."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


class WrongValueError(ValueError):
    """A value that a setting cannot have; the message says what it can."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What values a setting takes: how one is checked, and how JSON Schema says the same."""

    check: Callable[[Any], Any]
    schema: Mapping[str, Any]


def _flag() -> Kind:
    def check(value: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise WrongValueError("must be true or false")

    return Kind(check, {"type": "boolean"})


def _number(
    low: float, high: float, *, whole: bool = False, also: str | None = None, optional: bool = False
) -> Kind:
    def check(value: Any) -> float | str:
        if also is not None and value == also:
            return also
        good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if good and low <= value <= high and (not whole or value == int(value)):
            return int(value) if whole else float(value)
        other = f'"{also}" or ' if also is not None else ""
        raise WrongValueError(f"must be {other}a {'whole ' if whole else ''}number from {low:g} to {high:g}")

    one: dict[str, Any] = {"type": "integer" if whole else "number", "minimum": low, "maximum": high}
    if also is not None:
        return Kind(check, {"anyOf": [{"const": also}, one]})
    if optional:
        return Kind(check, {**one, "type": [one["type"], "null"]})
    return Kind(check, one)


def _choice(*names: str) -> Kind:
    def check(value: Any) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise WrongValueError("must be one of " + ", ".join(f'"{name}"' for name in names))

    return Kind(check, {"type": "string", "enum": list(names)})


def _key() -> Kind:
    def check(value: Any) -> str:
        if isinstance(value, str) and re.fullmatch(r"[!-~]+", value.strip()):
            return value.strip()
        raise WrongValueError(
            "must be the key as the service shows it: letters, digits and signs, without spaces"
        )

    return Kind(check, {"type": ["string", "null"]})


def _url() -> Kind:
    def check(value: Any) -> str:
        try:
            parts = urlsplit(value.strip()) if isinstance(value, str) else None
            good = parts and parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
            good = good and parts and not (parts.query or parts.fragment or "@" in parts.netloc)
        except ValueError:
            good = False
        if not good or not parts:
            raise WrongValueError('must be an address such as "https://api.deepseek.com/beta"')
        path = re.sub(r"(/+(beta|v1|completions))*/*$", "", parts.path)
        return f"{parts.scheme}://{parts.netloc}{path}"

    return Kind(check, {"type": "string", "pattern": "^https?://"})


def _model() -> Kind:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"[!-~]{1,200}", value.strip()):
            raise WrongValueError('must be the name of a model, such as "deepseek-flash"')
        name = value.strip()
        if name in RETIRED_MODELS:
            raise WrongValueError(f'names a model that the service has ended; use "{RETIRED_MODELS[name]}"')
        return name

    return Kind(check, {"type": "string", "examples": ["deepseek-flash", "deepseek-v4-pro"]})


def _choice_by_name(*names: str) -> Kind:
    one, words = _choice(*names), ", ".join(f'"{name}"' for name in names)

    def check(value: Any) -> str | dict[str, str]:
        if not isinstance(value, Mapping):
            return str(one.check(value))
        if all(isinstance(v, str) and v in names for v in value.values()):
            return {str(k).lower(): v for k, v in value.items()}
        raise WrongValueError(f'must be one of {words}, or name languages with these, "*" for the others')

    by_name = {"type": "object", "additionalProperties": one.schema}
    return Kind(check, {"anyOf": [one.schema, by_name]})


# What one language may have of its own.
_OWN = {
    "enabled": _flag(),
    "debounce_ms": _number(0, 10_000, also="auto"),
    "max_tokens": _number(1, 4096, whole=True),
    "temperature": _number(0, 2),
    "multiline": _choice("auto", "always", "never"),
    "context": _choice("off", "project", "rich"),
}


def _languages() -> Kind:
    def check(value: Any) -> dict[str, bool | dict[str, Any]]:
        if isinstance(value, Mapping) and all(isinstance(v, bool | Mapping) for v in value.values()):
            return {str(k).lower(): v if isinstance(v, bool) else own(v) for k, v in value.items()}
        raise WrongValueError(
            "must name languages with true, false or settings of their own, "
            'such as {"markdown": false, "go": {"multiline": "never"}}'
        )

    def own(value: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for name, one in value.items():
            kind = _OWN.get(snake(str(name)))
            if kind is None:
                raise WrongValueError(
                    f"may set for a language {', '.join(map(camel, _OWN))} and nothing else"
                )
            if one is None:
                continue
            try:
                found[snake(str(name))] = kind.check(one)
            except WrongValueError as error:
                raise WrongValueError(f'has a wrong "{name}": it {error}') from None
        return found

    rows = {camel(name): kind.schema for name, kind in _OWN.items()}
    one = {"type": "object", "properties": rows, "additionalProperties": False}
    return Kind(check, {"type": "object", "additionalProperties": {"anyOf": [{"type": "boolean"}, one]}})


def _globs() -> Kind:
    def check(value: Any) -> tuple[str, ...]:
        if isinstance(value, list | tuple) and all(isinstance(v, str) and v.strip() for v in value):
            return tuple(value)
        raise WrongValueError('must be a list of patterns, such as ["secrets/**", "*.tfvars"]')

    return Kind(check, {"type": "array", "items": {"type": "string"}})


def _setting(default: Any, kind: Kind, doc: str) -> Any:
    metadata = {"kind": kind, "doc": doc}
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, with its default; a value is never changed, a new one takes its place."""

    enabled: bool = _setting(True, _OWN["enabled"], "Whether completions are offered at all.")
    api_key: str | None = field(
        default=None,
        repr=False,
        metadata={
            "kind": _key(),
            "doc": "The service's key; better kept in `DEEPSEEK_API_KEY` or the editor's secret store.",
        },
    )
    base_url: str = _setting(
        SERVICE, _url(), "The endpoint; with or without `/beta`, `/v1` or a `/` at its end."
    )
    model: str = _setting("deepseek-flash", _model(), "The model that completes.")
    debounce_ms: float | str = _setting(
        "auto", _OWN["debounce_ms"], "Milliseconds to wait after a key; 0 asks at once."
    )
    max_tokens: int = _setting(256, _OWN["max_tokens"], "Most tokens of one completion.")
    temperature: float = _setting(0.0, _OWN["temperature"], "0 for the likeliest text, up to 2 for variety.")
    prefix_chars: int = _setting(
        48_000, _number(200, 1_000_000, whole=True), "Most characters sent from before the cursor."
    )
    suffix_chars: int = _setting(
        400, _number(0, 100_000, whole=True), "Most characters sent from after the cursor."
    )
    multiline: str = _setting("auto", _OWN["multiline"], "Whether a completion may span several lines.")
    languages: Mapping[str, bool | Mapping[str, Any]] = _setting(
        {},
        _languages(),
        'Languages on or off, or with settings of their own: `{"markdown": false, "go": {"multiline": "never"}}`;'
        f" these are {', '.join(f'`{camel(name)}`' for name in _OWN)}.",
    )
    context: str | Mapping[str, str] = _setting(
        "project",
        _choice_by_name("off", "project", "rich"),
        'What is sent besides the file: nothing (`"off"`), about 2,000 tokens of the project, or 4,000 (`"rich"`);'
        ' by language: `{"*": "project", "markdown": "off"}`.',
    )
    exclude: tuple[str, ...] = _setting(
        (),
        _globs(),
        "Files never sent, as globs, besides those that usually hold secrets; `!glob` brings one back.",
    )
    cache_size: int = _setting(
        1000, _number(0, 100_000, whole=True), "Answers kept on this machine, in memory."
    )
    cache_ttl_seconds: float = _setting(3600.0, _number(0, 604_800), "Seconds for which an answer is kept.")
    timeout_seconds: float = _setting(
        10.0, _number(0.1, 600), "Seconds that one completion may take, all told."
    )
    daily_budget: float | None = _setting(
        None,
        _number(0, 1_000_000, optional=True),
        "US dollars that completions may cost a day; they pause when it is used. None: no limit.",
    )
    monthly_budget: float | None = _setting(
        None, _number(0, 1_000_000, optional=True), "The same for a month, in your time zone. None: no limit."
    )
    requests_per_minute: int | None = _setting(
        None,
        _number(1, 100_000, whole=True, optional=True),
        "Requests to the service in any minute. None: no limit.",
    )
    usage_project_names: bool = _setting(
        True, _flag(), "Whether the record of usage keeps the name of a project's folder."
    )
    usage_keep_days: int = _setting(
        90,
        _number(1, 3650, whole=True),
        "Days for which each request is kept in the record; older ones become one sum a day.",
    )
    spare_peak_hours: bool = _setting(
        False,
        _flag(),
        "Whether fewer completions come by themselves while the service charges its peak price.",
    )

    # No setting: why nothing may be sent until the settings are put right; empty where they are.
    halted: str = ""

    @property
    def off(self) -> bool:
        """Whether nothing is offered in any language."""
        return bool(self.halted) or (not self.enabled and not any(self.own("enabled").values()))

    @property
    def budgeted(self) -> bool:
        """Whether dollars are limited."""
        return self.daily_budget is not None or self.monthly_budget is not None

    @property
    def limited(self) -> bool:
        """Whether dollars or requests are limited."""
        return self.budgeted or self.requests_per_minute is not None

    def own(self, name: str) -> dict[str, Any]:
        """The languages that have a value of their own for a setting, and the values."""
        rows = self.languages.items()
        return {language: own[name] for language, own in rows if isinstance(own, Mapping) and name in own}

    def of(self, language: str) -> Settings:
        """The settings for a language: what it has of its own in the place of what holds for all."""
        own = self.languages.get(language.lower(), True)
        if self.halted:
            return replace(self, enabled=False)
        if isinstance(own, bool):
            return self if own else replace(self, enabled=False)
        return replace(self, **own)

    def context_of(self, language: str) -> str:
        """The value of `context` for a language."""
        context = self.of(language).context
        return (
            context
            if isinstance(context, str)
            else context.get(language.lower(), context.get("*", "project"))
        )

    def shown(self, language: str) -> str:
        """The value of `context` for a language; "off" where nothing is offered in it: then it is not shown to others."""
        return self.context_of(language) if self.of(language).enabled else "off"

    def levels(self) -> set[str]:
        """The values of `context` that some language may have."""
        held = {self.context} if isinstance(self.context, str) else {*self.context.values(), "project"}
        return held | set(self.own("context").values())


_FIELDS = {f.name: f for f in fields(Settings) if f.metadata}
NAMES = tuple(_FIELDS)


def schema() -> dict[str, dict[str, Any]]:
    """Every setting by its name in editors: JSON Schema with default and description."""
    defaults = Settings()
    out = {}
    for name, spec in _FIELDS.items():
        default = getattr(defaults, name)
        if isinstance(default, tuple):
            default = list(default)
        out[camel(name)] = {
            **spec.metadata["kind"].schema,
            "default": default,
            "description": spec.metadata["doc"],
        }
    return out


def merged(layers: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Settings, list[str]]:
    """The settings from layers of `(where it stands, names to values)`, later ones winning, and what was wrong in them.

    Names are taken in camelCase or snake_case; a null means not set.  A wrong value leaves in force what stood before;
    one of a setting that holds something back halts all.  No message repeats a wrong value, nor any value of the key:
    both might be a key.
    """
    settings, wrong, halted = Settings(), [], ""
    for where, layer in layers:
        if isinstance(layer, Unreadable):
            halted = halted or layer.why
        for name, value in layer.items():
            if name in CLIENT_NAMES or value is None:
                continue
            try:
                inner, found = taken(name, value)
            except WrongValueError as error:
                wrong.append(explained(name, where, error, getattr(settings, snake(name), None)))
                if halts(name):
                    halted = halted or wrong[-1]
            else:
                settings = replace(settings, **{inner: found})
    return replace(settings, halted=halted), wrong


def taken(name: str, value: Any) -> tuple[str, Any]:
    """A setting's name in snake_case and its value as it is held; else a WrongValueError."""
    inner = snake(name)
    if inner not in _FIELDS:
        raise WrongValueError("is not known")
    return inner, _FIELDS[inner].metadata["kind"].check(value)


def halts(name: str) -> bool:
    """Whether a setting of that name, with a wrong value or misspelt, may have been to hold something back."""
    inner = snake(name)
    return inner in HOLDING or (inner not in _FIELDS and bool(_meant(name)))


def explained(name: str, where: str, error: WrongValueError, before: object) -> str:
    """What is said of a wrong setting, with `before` the value that stays in force.

    What cannot be a name might be a key, and is not repeated.
    """
    inner = snake(name)
    if inner in HOLDING:
        return f'Setting "{name}" in {where} {error}; {UNTIL}.'
    if inner in _FIELDS:
        return f'Setting "{name}" in {where} {error}; {_shown(before)} stays in force.'
    shown = f' "{name}"' if re.fullmatch(r"[A-Za-z_.-]{1,60}", name) else ""
    if meant := _meant(name):
        return f"Unknown setting{shown} in {where}: write {meant}; {UNTIL}."
    return f"Unknown setting{shown} in {where}: it is ignored."


def _meant(name: str) -> str:
    """What to write in the place of a name that is none, where a setting that holds something back may be meant."""
    bare = re.sub(r"[^a-z]", "", name.lower())
    if bare == "fimlsp":
        return "what stands in it without this table"
    from difflib import get_close_matches  # noqa: PLC0415 - rarely wanted, and no client waits for it

    close = get_close_matches(bare, [one.replace("_", "") for one in NAMES], 1, 0.8)
    found = next((one for one in NAMES if close and one.replace("_", "") == close[0]), "")
    return f'"{camel(found)}"' if found in HOLDING else ""


def _shown(value: object) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return f'"{value}"' if isinstance(value, str) else f"{value:g}"
    return "what was set before"


def from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings that stand in the environment."""
    names = {"DEEPSEEK_API_KEY": "apiKey", "FIM_LSP_BASE_URL": "baseUrl", "FIM_LSP_MODEL": "model"}
    return {names[k]: environ[k] for k in names if environ.get(k, "").strip()}


def from_file(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The settings in a TOML file, and what is wrong with it; no file is no settings."""
    try:
        return tomllib.loads(path.read_text("utf-8")), []
    except (FileNotFoundError, NotADirectoryError):
        return {}, []
    except (OSError, UnicodeDecodeError) as error:
        why = f"{path} cannot be read ({type(error).__name__}): {UNTIL}."
    except tomllib.TOMLDecodeError as error:
        # The parser's own sentence may quote the file, and the file may hold the key.
        at = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
        why = f"{path} is not valid TOML{f' at {at[1]}' if at else ''}: {UNTIL}."
    return Unreadable(why), [why]
