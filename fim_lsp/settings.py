"""What a user may set: one definition, from which the README, the editors' schemas and every check are drawn."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SERVICE = "https://api.deepseek.com/beta"


class Wrong(ValueError):
    """A value that a setting cannot have; the message says what it can."""


def _setting(
    default: Any, check: Callable[[Any], Any], doc: str, *, schema: Mapping[str, Any], secret: bool = False
) -> Any:
    meta = {"check": check, "doc": doc, "schema": schema, "secret": secret}
    if isinstance(default, dict | list):
        return field(default_factory=lambda: default.copy(), metadata=meta)
    return field(default=default, metadata=meta, repr=not secret)
