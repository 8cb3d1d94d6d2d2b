"""Commit messages: what of the buffer is the message, and what git has put there tells of the changes.

Git puts comments below the message, and with `commit.verbose` the staged difference below its scissors line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from fim_lsp.privacy import patch
from fim_lsp.settings import language_names
from fim_lsp.text.document import Edit, Place, body, split_lines

# Of git, by which editors tell the language (git-commit(1), git-merge(1), git-tag(1)), 2026-11.
_NAMES = {"COMMIT_EDITMSG", "MERGE_MSG", "SQUASH_MSG", "TAG_EDITMSG"}
_SCISSORS = re.compile(r"(?P<mark>\S{1,8}) -{8,} >8 -{8,}\s*")
_CHANGED = re.compile(r"\s+(?:modified|new file|deleted|renamed|copied|typechange):\s+(?P<path>.+)")
SHARE = 4  # of the bound of a prompt's prefix, the part that changes may take
LONGEST = 12_000  # characters of changes


class Buffer(NamedTuple):
    """A buffer with a message: the mark that begins comments, and the line behind the message and its comments."""

    mark: str
    end: int

    def writes(self, lines: Sequence[str], place: Place) -> bool:
        """Whether a place is in the message: not in a comment, nor below the scissors."""
        return place.line < self.end and not lines[place.line].startswith(self.mark)

    def message(self, lines: Sequence[str], place: Place) -> tuple[str, str]:
        """What the message holds before a place and behind it, comments left out."""
        before = [line for line in lines[: place.line] if not line.startswith(self.mark)]
        behind = [line for line in lines[place.line + 1 : self.end] if not line.startswith(self.mark)]
        line = lines[place.line]
        return "".join(before) + line[: place.column], (line[place.column :] + "".join(behind)).rstrip()


def written(uri: str, language: str) -> bool:
    """Whether a document is a commit message, by its language or its name."""
    name = unquote(uri).rsplit("/", 1)[-1]
    return language_names.off(language) or name in _NAMES


def buffer(lines: Sequence[str]) -> Buffer:
    """What is what in a buffer; a `#` begins comments where git does not show another mark."""
    mark = "#"
    for number, line in enumerate(lines):
        if found := _SCISSORS.fullmatch(body(line)):
            return Buffer(found["mark"], number)
    return Buffer(mark, len(lines))


def changes(lines: Sequence[str], secret: Callable[[str], bool], room: int) -> list[str]:
    """What git tells in a buffer of the changes to be committed, in so many characters, as whole lines.

    Names and hunks of files that are never sent are left out; `secret` is asked for each path.
    """
    mark, end = buffer(lines)
    found = []
    for line in lines[:end]:
        told = _CHANGED.match(line.removeprefix(mark)) if line.startswith(mark) else None
        if told and not any(secret(one.strip()) for one in (told["path"], *told["path"].split(" -> "))):
            found.append(line.removeprefix(mark).lstrip())
    difference = [line for line in lines[end + 1 :] if not line.startswith(mark)]
    found += [line for line in patch.without(difference, secret) if line.strip()]
    kept = 0
    for line in found:
        room -= len(line)
        if room < 0:
            break
        kept += 1
    return found[:kept]


def tells(edit: Edit, lines: Sequence[str]) -> bool:
    """Whether a change is one of what git has put into a buffer, which is `lines` now, rather than of the message."""
    mark = buffer(lines).mark
    first = next((number for number, line in enumerate(lines) if line.startswith(mark)), len(lines))
    return edit.first + edit.added > first or any(line.startswith(mark) for line in edit.gone)


def without_comments(text: str, head: str, mark: str) -> str:
    """A text for a place behind `head` of its line, to the first line that would be a comment."""
    lines = split_lines(text)
    for number, line in enumerate(lines):
        if line.startswith(mark) and (number or not head):
            return "".join(lines[:number]).rstrip("\r\n")
    return text
