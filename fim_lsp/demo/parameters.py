"""The parameters of a request to the demo endpoint, checked as the service checks them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, cast

MODELS: Final = ("deepseek-flash", "deepseek-v4-flash", "deepseek-v4-pro")


@dataclass(slots=True)
class Wanted:
    """The checked parameters of a completion."""

    model: str
    prompt: str
    suffix: str
    max_tokens: int
    stop: list[str]
    temperature: float
    top_p: float
    stream: bool
    include_usage: bool
    echo: bool


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """The service's answer to a request that it does not take: a status and an error of a kind."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


def checked(body: bytes) -> Wanted:
    """The parameters in a request's body; raises `Refused` where the service would."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "Failed to parse the request body as JSON") from None
    if not isinstance(fields, dict):
        raise Refused(400, "Failed to parse the request body as JSON: expected an object")
    for name in ("model", "prompt"):
        if name not in fields:
            raise Refused(
                422, f"Failed to deserialize the JSON body into the target type: missing field `{name}`"
            )
        _expect(isinstance(fields[name], str), name, "expected a string")
    if fields["model"] not in MODELS:
        raise Refused(400, "Model Not Exist")
    suffix = fields.get("suffix")
    _expect(suffix is None or isinstance(suffix, str), "suffix", "expected a string or null")
    limit = fields.get("max_tokens")
    limit = 4096 if limit is None else limit
    if not _whole_number(limit) or not 1 <= limit <= 4096:
        raise Refused(422, "Invalid max_tokens value, the valid range of max_tokens is [1, 4096]")
    logprobs = fields.get("logprobs")
    _expect(
        logprobs is None or (_whole_number(logprobs) and 0 <= logprobs <= 20), "logprobs", "expected 0 to 20"
    )
    for name in ("presence_penalty", "frequency_penalty"):
        _number(fields, name, 0.0, -2.0, 2.0)
    stream = _flag(fields, "stream")
    options = fields.get("stream_options")
    _expect(options is None or isinstance(options, dict), "stream_options", "expected an object or null")
    if options is not None and not stream:
        raise Refused(400, "stream_options should be set along with stream = true")
    return Wanted(
        model=fields["model"],
        prompt=fields["prompt"],
        suffix=suffix or "",
        max_tokens=limit,
        stop=_stops(fields.get("stop")),
        temperature=_number(fields, "temperature", 1.0, 0.0, 2.0),
        top_p=_number(fields, "top_p", 1.0, 0.0, 1.0),
        stream=stream,
        include_usage=_flag(options or {}, "include_usage"),
        echo=_flag(fields, "echo"),
    )


def _stops(value: object) -> list[str]:
    stops = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise Refused(422, "Invalid stop value, expected a string or a list of strings")
    if len(stops) > 16:
        raise Refused(422, "Invalid stop value, at most 16 sequences are allowed")
    return [stop for stop in cast("list[str]", stops) if stop]


def _number(fields: dict[str, Any], name: str, default: float, least: float, most: float) -> float:
    value = fields.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise Refused(422, f"Invalid {name} value, the valid range of {name} is [{least:g}, {most:g}]")
    return float(value)


def _flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    _expect(value is None or isinstance(value, bool), name, "expected a boolean")
    return bool(value)


def _expect(holds: bool, name: str, what: str) -> None:
    if not holds:
        raise Refused(422, f"Failed to deserialize the JSON body into the target type: {name}: {what}")


def _whole_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
