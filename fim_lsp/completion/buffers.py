"""What an editor's buffers are: files, unnamed ones, commit messages, or views in which nothing comes by itself."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from fim_lsp.completion import commit_message
from fim_lsp.text.document import Document

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two letters at least: `c:` is a drive
_UNNAMED = re.compile(r"(?:untitled|buffer|scratch|new):|file:/*$|$", re.IGNORECASE)


def silent(uri: str, language: str) -> bool:
    """Whether nothing comes by itself in a buffer: it shows an earlier version, a difference, a log, a terminal."""
    schemes, languages = _silent()
    scheme = _SCHEME.match(uri)
    if commit_message.written(uri, language):
        return False
    return (scheme is not None and scheme[1].lower() in schemes) or language.lower() in languages


def unnamed(uri: str) -> bool:
    """Whether a buffer has no file yet: one that is saved to a name comes back under that."""
    return _UNNAMED.match(uri) is not None


def saved_as(document: Document, held: Sequence[tuple[str, str]]) -> str | None:
    """Of buffers without a name, by URI and text, the one that a document has the text of."""
    if unnamed(document.uri) or not held:
        return None
    text = document.text
    return next((uri for uri, kept in held if text.strip() and kept == text), None)


@cache
def _silent() -> tuple[frozenset[str], frozenset[str]]:
    table = tomllib.loads(files("fim_lsp").joinpath("completion", "buffers.toml").read_text("utf-8"))
    names = (frozenset(name.lower() for name in table[part]) for part in ("schemes", "languages"))
    schemes, languages = names
    return schemes, languages
