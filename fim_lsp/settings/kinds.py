"""What values a setting takes: how one is checked, and how JSON Schema says the same."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fim_lsp.words.sentence import Sentence

SERVICE = "https://api.deepseek.com"
DEFAULT_MODEL = "deepseek-flash"
SUFFIX = 500  # characters behind the cursor that `"suffixChars": "auto"` sends where they are paid for at every key
MOST_SUFFIX = 2_500  # characters that it sends at most
ENGINES = (
    "auto", "deepseek", "llama.cpp", "ollama", "vllm", "sglang", "mlx", "lmstudio", "mistral", "siliconflow",
    "dashscope", "inception", "openai-suffix", "openai-template", "chat-prefix",
)  # fmt: skip
FAMILIES = (
    "auto", "qwen", "deepseek", "starcoder", "codellama", "codegemma", "codestral", "granite", "granite-4", "seed-coder",
    "mellum", "stable-code", "aixcoder", "codegeex", "glm",
)  # fmt: skip

RETIRED_MODELS = {
    "deepseek-chat": "deepseek-flash",
    "deepseek-reasoner": "deepseek-v4-pro",
}  # since 2026-07-24

# Names that editors put beside the settings for their own use.
CLIENT_NAMES = frozenset(
    {
        "statusNotifications",
        "messageNotifications",
        "paused",
        "trace",
        "serverCommand",
        "pythonPath",
        "folderSettings",
    }
)


def snake(name: str) -> str:
    """`maxTokens` as `max_tokens`."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda m: "_" + m[1].lower(), name)


def camel(name: str) -> str:
    """`max_tokens` as `maxTokens`."""
    return re.sub(r"_([a-z])", lambda m: m[1].upper(), name)


class WrongValueError(ValueError):
    """A value that a setting cannot have; `why` says what it can, as a sentence goes on after the setting's name."""

    def __init__(self, why: Sentence) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Kind:
    """What values a setting takes: how one is checked, and how JSON Schema says the same."""

    check: Callable[[Any], Any]
    schema: Mapping[str, Any]


def flag() -> Kind:
    """True or false."""

    def check(value: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise WrongValueError(Sentence("must be true or false"))

    return Kind(check, {"type": "boolean"})


def number(
    low: float, high: float, *, whole: bool = False, also: Sequence[str] = (), optional: bool = False
) -> Kind:
    """A number between bounds, one of the words `also` in its place, or null where it is `optional`."""

    def check(value: Any) -> float | str:
        if isinstance(value, str) and value in also:
            return value
        good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if good and low <= value <= high and (not whole or value == int(value)):
            return int(value) if whole else float(value)
        bounds = {"low": f"{low:.15g}", "high": f"{high:.15g}"}
        if len(also) == 1:
            raise WrongValueError(
                Sentence('must be "{word}" or a number from {low} to {high}', word=also[0], **bounds)
            )
        if also:
            word, other = also
            raise WrongValueError(
                Sentence(
                    'must be "{word}", "{other}" or a number from {low} to {high}',
                    word=word,
                    other=other,
                    **bounds,
                )
            )
        if whole:
            raise WrongValueError(Sentence("must be a whole number from {low} to {high}", **bounds))
        raise WrongValueError(Sentence("must be a number from {low} to {high}", **bounds))

    one: dict[str, Any] = {"type": "integer" if whole else "number", "minimum": low, "maximum": high}
    if also:
        words = {"enum": list(also)} if len(also) > 1 else {"const": also[0]}
        return Kind(check, {"anyOf": [words, one]})
    if optional:
        return Kind(check, {**one, "type": [one["type"], "null"]})
    return Kind(check, one)


def choice(*names: str) -> Kind:
    """One of some words."""

    def check(value: Any) -> str:
        if isinstance(value, str) and value in names:
            return value
        words = ", ".join(f'"{name}"' for name in names)
        raise WrongValueError(Sentence("must be one of {words}", words=words))

    return Kind(check, {"type": "string", "enum": list(names)})


def key() -> Kind:
    """A key of the service."""

    def check(value: Any) -> str:
        if isinstance(value, str) and re.fullmatch(r"[!-~]+", value.strip()):
            return value.strip()
        raise WrongValueError(
            Sentence("must be the key as the service shows it: letters, digits and signs, without spaces")
        )

    return Kind(check, {"type": ["string", "null"]})


def url() -> Kind:
    """An address, taken without what it may end in."""

    def check(value: Any) -> str:
        try:
            parts = urlsplit(value.strip()) if isinstance(value, str) else None
            good = parts and parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
            good = good and parts and not (parts.query or parts.fragment or "@" in parts.netloc)
        except ValueError:
            good = False
        if not good or not parts:
            raise WrongValueError(Sentence('must be an address such as "https://api.deepseek.com/beta"'))
        path = re.sub(_TAIL, "", parts.path)
        return f"{parts.scheme}://{parts.netloc}{path}"

    return Kind(check, {"type": "string", "pattern": "^https?://"})


def of_service(address: str) -> bool:
    """Whether an address is written as only the service's own is."""
    return re.search(r"[^/:]/+beta(/+completions)?/*\s*$", address) is not None


def model() -> Kind:
    """The name of a model that the service has not ended."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"[!-~]{1,200}", value.strip()):
            raise WrongValueError(Sentence('must be the name of a model, such as "deepseek-flash"'))
        name = value.strip()
        if name in RETIRED_MODELS:
            raise WrongValueError(
                Sentence(
                    'names a model that the service has ended; use "{successor}"',
                    successor=RETIRED_MODELS[name],
                )
            )
        return name

    return Kind(check, {"type": "string", "examples": ["deepseek-flash", "deepseek-v4-pro"]})


def path() -> Kind:
    """The absolute path of a file, or null; `~` stands for the user's home."""

    def check(value: Any) -> str:
        if isinstance(value, str) and "\0" not in value:
            found = os.path.expanduser(value.strip())  # noqa: PTH111 - without a home it stays as it is
            if os.path.isabs(found):  # noqa: PTH117 - a string
                return found
        raise WrongValueError(Sentence('must be the whole path of a file, such as "/etc/company/ca.pem"'))

    return Kind(check, {"type": ["string", "null"]})


def choice_by_name(*names: str) -> Kind:
    """One of some words, for all languages or by language."""
    one, words = choice(*names), ", ".join(f'"{name}"' for name in names)

    def check(value: Any) -> str | dict[str, str]:
        if not isinstance(value, Mapping):
            return str(one.check(value))
        if all(isinstance(v, str) and v in names for v in value.values()):
            return {str(k).lower(): v for k, v in value.items()}
        raise WrongValueError(
            Sentence('must be one of {words}, or name languages with these, "*" for the others', words=words)
        )

    by_name = {"type": "object", "additionalProperties": one.schema}
    return Kind(check, {"anyOf": [one.schema, by_name]})


def places() -> Kind:
    """A list of kinds of places: comments, strings."""
    names = ("comment", "string")

    def check(value: Any) -> tuple[str, ...]:
        if isinstance(value, list | tuple) and all(one in names for one in value):
            return tuple(dict.fromkeys(value))
        raise WrongValueError(Sentence('must be a list of "comment" and "string"'))

    return Kind(check, {"type": "array", "items": {"type": "string", "enum": list(names)}})


# What one language may have of its own.
OWN = {
    "enabled": flag(),
    "debounce_ms": number(0, 10_000, also=["auto"]),
    "max_tokens": number(1, 4096, whole=True),
    "temperature": number(0, 2),
    "multiline": choice("auto", "always", "never"),
    "context": choice("off", "project", "rich"),
    "trigger": choice("auto", "manual"),
    "quiet_in": places(),
    "confidence": number(0, 1, also=["off", "auto"]),
}


def languages() -> Kind:
    """Languages on or off, or with settings of their own."""

    def check(value: Any) -> dict[str, bool | dict[str, Any]]:
        if isinstance(value, Mapping) and all(isinstance(v, bool | Mapping) for v in value.values()):
            return {str(k).lower(): v if isinstance(v, bool) else own(v) for k, v in value.items()}
        raise WrongValueError(
            Sentence(
                "must name languages with true, false or settings of their own, "
                'such as {"markdown": false, "go": {"multiline": "never"}}'
            )
        )

    def own(value: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for name, one in value.items():
            kind = OWN.get(snake(str(name)))
            if kind is None:
                raise WrongValueError(
                    Sentence(
                        "may set for a language {names} and nothing else", names=", ".join(map(camel, OWN))
                    )
                )
            if one is None:
                continue
            try:
                found[snake(str(name))] = kind.check(one)
            except WrongValueError as error:
                raise WrongValueError(
                    Sentence('has a wrong "{name}": it {why}', name=name, why=error.why)
                ) from None
        return found

    rows = {camel(name): kind.schema for name, kind in OWN.items()}
    one = {"type": "object", "properties": rows, "additionalProperties": False}
    return Kind(check, {"type": "object", "additionalProperties": {"anyOf": [{"type": "boolean"}, one]}})


def template() -> Kind:
    """A family of models, or a template of the user's own."""
    families = choice(*FAMILIES)

    def check(value: Any) -> str | dict[str, Any]:
        if not isinstance(value, Mapping):
            return str(families.check(value))
        prompt, stop = value.get("prompt"), value.get("stop", [])
        good = isinstance(prompt, str) and "{prefix}" in prompt and set(value) <= {"prompt", "stop"}
        if good and isinstance(stop, list | tuple) and all(isinstance(one, str) and one for one in stop):
            return {"prompt": prompt, "stop": tuple(stop)}
        raise WrongValueError(
            Sentence(
                "must be the name of a family, or a prompt and what it ends at, such as "
                '{"prompt": "<PRE>{prefix}<SUF>{suffix}<MID>", "stop": []}'
            )
        )

    texts = {"type": "array", "items": {"type": "string"}}
    rows = {"prompt": {"type": "string"}, "stop": texts}
    one = {"type": "object", "properties": rows, "required": ["prompt"], "additionalProperties": False}
    return Kind(check, {"anyOf": [families.schema, one]})


def globs() -> Kind:
    """A list of patterns."""

    def check(value: Any) -> tuple[str, ...]:
        if isinstance(value, list | tuple) and all(isinstance(v, str) and v.strip() for v in value):
            return tuple(value)
        raise WrongValueError(Sentence('must be a list of patterns, such as ["secrets/**", "*.tfvars"]'))

    return Kind(check, {"type": "array", "items": {"type": "string"}})


# What an address may end in besides: paths that engines' documents give.
_TAIL = r"(/+(beta|v1|v1/fim|(v1/fim/|v1/|beta/)?(chat/)?completions?|infill|api/generate|api/tags))*/*$"
