"""One entry of an editor's completion menu, shaped so that the editor at hand inserts the whole text."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """What decides how an editor inserts an entry: its name, and whether it says that it expands snippets."""

    name: str = ""
    snippets: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `start` is the column, in characters, from which it replaces the line up to the cursor."""

    start: int
    label: str
    lines: int  # that it inserts
    filter_text: str
    new_text: str
    snippet: bool  # whether `new_text` is in snippet syntax
    text: str  # what will stand in the document


def entry(client: Client, line: str, column: int, text: str) -> Entry:
    """The entry for a text at a column of a line.

    Editors insert a plain text edit as it is, with one exception: Neovim takes the first line alone, unless the entry
    is a snippet, which it expands with the line's own indentation before every further line.  Where Neovim says that
    it expands none (0.10), one line is offered.
    """
    start = column
    while start and (line[start - 1].isalnum() or line[start - 1] == "_"):
        start -= 1
    word = line[start:column]
    snippet = False
    if client.name == "Neovim":
        text = text.replace("\r\n", "\n")
        text = _indented(text, _indent(line)) if client.snippets else _first(text)
        snippet = "\n" in text
    full = word + text
    first, *more = full.splitlines() or [""]
    return Entry(
        start=start,
        label=first.strip() or "…",
        lines=1 + len(more),
        # What stands in the range already: every editor keeps an entry that matches it exactly.
        filter_text=word or first.strip() or full,
        new_text=_snippet(full, _indent(line)) if snippet else full,
        snippet=snippet,
        text=full,
    )


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _first(text: str) -> str:
    return text.partition("\n")[0]


def _indented(text: str, indent: str) -> str:
    """A text as far as its lines have at least this indentation: a snippet can say no less."""
    first, *more = text.split("\n")
    kept = [first]
    for line in more:
        if not line.startswith(indent):
            break
        kept.append(line)
    return "\n".join(kept)


def _snippet(text: str, indent: str) -> str:
    first, *more = text.split("\n")
    bare = "\n".join([first, *(line.removeprefix(indent) for line in more)])
    return re.sub(r"([\\$}])", r"\\\1", bare)
