"""Names of languages that mean the same in the settings, and the languages that are off until they are switched on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COMMITS = "git-commit"  # the language of commit messages, by its name in VS Code and Helix
# Neovim's and Emacs' name, that of the file, and that of VS Code's commit box, 2026-11.
_SAME = (
    (COMMITS, "gitcommit", "commit_editmsg", "scminput"),
    ("plaintext", "text", ""),
)


def row(rows: Mapping[str, Any], language: str) -> Any:
    """What these rows, by language in lower case, say of a language; None where they say nothing."""
    name = language.lower()
    if name in rows:
        return rows[name]
    return next((rows[one] for one in same(name) if one in rows), None)


def same(language: str) -> tuple[str, ...]:
    """All names of a language, in lower case."""
    name = language.lower()
    return next((names for names in _SAME if name in names), (name,))


def off(language: str) -> bool:
    """Whether a language is off unless the settings switch it on by its name."""
    return COMMITS in same(language)
