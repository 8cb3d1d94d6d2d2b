"""Languages by the names that editors give them, and the ends of their files' names."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath


class UnknownLanguageError(ValueError):
    """A language whose files are not known here; the message says what to name instead."""


def extensions(languages: Iterable[str]) -> tuple[str, ...]:
    """The file name ends of languages, each named as editors do (`python`) or by an end itself (`.py`); of none, all."""
    ends: list[str] = []
    for language in languages:
        if language.startswith("."):
            ends.append(language)
        elif language.lower() in _table():
            ends += _table()[language.lower()]
        else:
            raise UnknownLanguageError(f'"{language}" is not a language known here: name the end of its files, such as ".py".')
    return tuple(ends or (end for some in _table().values() for end in some))


def language(path: str) -> str:
    """The language of a file by the end of its name; `plaintext` where it is not known."""
    end = PurePosixPath(path).suffix
    return next((name for name, ends in _table().items() if end in ends), "plaintext")


@functools.cache
def _table() -> Mapping[str, tuple[str, ...]]:
    source = Path(__file__).with_name("languages.toml").read_text("utf-8")
    return {name: tuple(ends) for name, ends in tomllib.loads(source)["extensions"].items()}
