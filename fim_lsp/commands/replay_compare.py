"""What `--compare NAME=VALUE,VALUE` names: the settings that each value makes of the user's own."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import replace
from typing import Any, NamedTuple

from fim_lsp.replay.layouts import Layout
from fim_lsp.settings import settings
from fim_lsp.settings.kinds import WrongValueError, camel, snake
from fim_lsp.settings.settings import Settings

# Settings that make no difference to an answer, as everything is asked at once, or that say what may be asked at all.
_APART = re.compile(
    r"enabled|debounce_ms|trigger|quiet_in|exclude|cache_\w+|\w+_budget|requests_per_minute|usage_\w+|spare_\w+"
)
_SECRET = frozenset({"api_key", "headers", "fallback"})  # whose values are never shown
# Settings that are not seen in a request, and that change who answers it, or how long it may take.
_UNSEEN = frozenset({"base_url", "ca_file", "timeout_seconds", "engine", "template", "affinity_header"})


class Variant(NamedTuple):
    """A value of a setting; `name` is as in `context=off`, empty where nothing is compared.

    With a `layout`, the user's settings as they are, and that layout's prompts.
    """

    name: str
    setting: str = ""
    value: Any = None
    layout: Layout | None = None

    def of(self, chosen: Settings) -> Settings:
        """The user's settings with this value; languages that have one of their own get it as well."""
        if not self.setting:
            return chosen
        rows = {
            language: {key: one for key, one in row.items() if key != self.setting}
            if not isinstance(row, bool)
            else row
            for language, row in chosen.languages.items()
        }
        return replace(chosen, **{"languages": rows, self.setting: self.value})

    @property
    def salt(self) -> str:
        """What tells its requests from equal ones of another value."""
        return self.name if self.setting in _UNSEEN else ""


def variants(text: str) -> tuple[Variant, ...]:
    """The values of one setting, as `context=off,project,rich`: each as in JSON, words with or without quotes."""
    name, equals, listed = text.partition("=")
    inner = snake(name.strip())
    if not equals or inner not in settings.NAMES or inner in _SECRET:
        raise argparse.ArgumentTypeError(
            f"must name a setting and its values, such as context=off,project,rich; not {name.strip()!r}"
        )
    if _APART.fullmatch(inner):
        raise argparse.ArgumentTypeError(f'"{camel(inner)}" makes no difference to what is measured')
    found: list[Variant] = []
    for variant in (_value(inner, word) for word in _split(listed)):
        if variant.value not in [one.value for one in found]:
            found.append(variant)
    if len(found) < 2:
        raise argparse.ArgumentTypeError(
            f'needs two values of "{camel(inner)}" at least, with commas between them'
        )
    return tuple(found)


def _value(inner: str, word: str) -> Variant:
    try:
        value = json.loads(word)
    except ValueError:
        value = word
    try:
        _, held = settings.taken(inner, value)
    except WrongValueError as error:
        raise argparse.ArgumentTypeError(f'"{camel(inner)}" {error}') from None
    return Variant(f"{camel(inner)}={word}", inner, held)


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no brackets and no quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, sign in enumerate(text):
        quoted ^= sign == '"'
        depth += not quoted and (sign in "[{") - (sign in "]}")
        if sign == "," and not depth and not quoted:
            parts.append(text[start:at])
            start = at + 1
    return [part.strip() for part in (*parts, text[start:]) if part.strip()]
