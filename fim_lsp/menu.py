<<<<<<< HEAD
"""One entry of an editor's completion menu, shaped so that the editor at hand inserts the whole text."""
=======
r"""The form in which an editor's menu inserts a whole text: editors differ, and some take its first line only.

Neovim 0.12 inserts the first line of a plain text and all of a snippet, to whose lines it adds the indentation of the
current one; Neovim 0.10 offers no snippets and garbles line breaks (each observed in the real program).
"""
>>>>>>> main

from __future__ import annotations

import re
<<<<<<< HEAD
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
=======
from typing import Literal, NamedTuple

from fim_lsp.document import body, split_lines


class Client(NamedTuple):
    """What the form depends on: the editor's name and whether its menu takes snippets."""

    name: str
    snippets: bool


def lines(text: str, client: Client) -> str:
    r"""A text as ghost text: Neovim splits it at `\n` alone, and puts the file's own line ends there when it saves."""
    return text.replace("\r\n", "\n") if client.name.startswith("Neovim") else text


def form(text: str, line: str, client: Client) -> tuple[Literal["plain", "snippet"], str]:
    """The form for a text that is to stand on a line, and the text in that form."""
    first, *more = split_lines(text)
    if not more or not client.name.startswith("Neovim"):
        return "plain", text
    if not client.snippets:
        return "plain", body(first)
    indentation = line[: len(line) - len(line.lstrip(" \t"))]
    kept = [first]
    for one in more:
        bare = one.removeprefix(indentation)
        if body(one).strip() and bare == one and indentation:
            # The editor would indent a line that stands further left.
            kept[-1] = body(kept[-1])
            break
        kept.append(bare)
    return "snippet", re.sub(r"[\\$}]", lambda sign: "\\" + sign[0], "".join(kept).replace("\r\n", "\n"))
>>>>>>> main
