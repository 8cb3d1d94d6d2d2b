"""Headers of the user's own in requests: which names and values may be, and which names are never theirs to set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fim_lsp.settings.kinds import Kind, WrongValueError
from fim_lsp.words.sentence import Sentence

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"  # a token of RFC 9110, 5.6.2
_VALUE = r"[!-~]([ -~]{0,4094}[!-~])?"
# What frames a message or says how it is written; a second one beside ours would make two messages of one.
_OURS = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def header_table() -> Kind:
    """Names and values of headers; no message repeats any of them."""

    def check(value: Any) -> dict[str, str]:
        if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in value.values()):
            raise WrongValueError(Sentence('must name headers with their values, such as {"X-Team": "blue"}'))
        if not all(_named(name) for name in value):
            raise WrongValueError(Sentence("must name headers as HTTP does, and none that frames a message"))
        if len({name.lower() for name in value}) < len(value):
            raise WrongValueError(Sentence("must name each header once"))
        if not all(re.fullmatch(_VALUE, one.strip()) for one in value.values()):
            raise WrongValueError(Sentence("must have values of visible ASCII characters in one line"))
        return {name: one.strip() for name, one in value.items()}

    return Kind(check, {"type": "object", "additionalProperties": {"type": "string"}})


def header_name() -> Kind:
    """The name of a header, or null."""

    def check(value: Any) -> str:
        if isinstance(value, str) and _named(value.strip()) and value.strip().lower() != "authorization":
            return value.strip()
        raise WrongValueError(Sentence('must be the name of a header, such as "X-Session-Id"'))

    return Kind(check, {"type": ["string", "null"]})


def authorizes(named: Mapping[str, str]) -> bool:
    """Whether one of these headers takes the key's place."""
    return any(name.lower() == "authorization" for name in named)


def _named(name: Any) -> bool:
    return isinstance(name, str) and re.fullmatch(_NAME, name) is not None and name.lower() not in _OURS
