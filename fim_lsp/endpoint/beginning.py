"""How an engine is held to the first characters of an answer: a pattern or a grammar of it, as its dialect takes one."""

from __future__ import annotations

import re
from typing import Literal

Form = Literal["regex", "gbnf"]


def beginning(text: str, form: Form) -> str:
    """What lets through the text with anything behind it; `text` is ASCII, without line ends."""
    if form == "regex":
        return re.sub(r"[^A-Za-z0-9_]", _code, text) + r"[\s\S]*"
    return f'root ::= "{re.sub(r"[^A-Za-z0-9_]", _code, text)}" [^\\x00]*'


def _code(sign: re.Match[str]) -> str:
    return f"\\x{ord(sign[0]):02x}"
