"""What of an answer is no text of its own: marks of the model at its end, the prefix said again, a fence around it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fim_lsp.endpoint.dialect import Dialect
    from fim_lsp.endpoint.request import Request
    from fim_lsp.endpoint.template import Template


class Filter(Protocol):
    """Reads an answer piece by piece, however it is cut."""

    met: bool  # whether the answer has ended
    skipped: int  # characters at its beginning that were left out; known once text was given

    def feed(self, piece: str) -> str:
        """What of the text read so far, and not given before, is sure to be text."""

    def rest(self) -> str:
        """What was held back, once nothing more comes."""


def filters_of(dialect: Dialect, template: Template | None, request: Request) -> list[Filter]:
    """What leaves out of an answer to a request what is no text of its own."""
    filters: list[Filter] = []
    if dialect.echoes:
        filters.append(Echo(request.prefix))
    if dialect.chat:
        filters.append(Fence())
    if template is not None:
        filters.append(Until(template.stop))
    return filters


class Until:
    """Reads an answer piece by piece, up to the first of some texts, be it cut over several pieces."""

    def __init__(self, ends: Sequence[str]) -> None:
        self.met = False
        self.skipped = 0
        self._ends = tuple(ends)
        self._held = ""  # what may be the beginning of one
        self._longest = max(map(len, ends), default=1) - 1

    def feed(self, piece: str) -> str:
        """What of the text read so far is sure to stand before any of them."""
        if self.met or not self._ends:
            return "" if self.met else piece
        text = self._held + piece
        found = any_of(self._ends).search(text)
        if found:
            self.met, self._held = True, ""
            return text[: found.start()]
        size = next((n for n in range(min(len(text), self._longest), 0, -1) if self._begins(text[-n:])), 0)
        self._held = text[len(text) - size :]
        return text[: len(text) - size]

    def rest(self) -> str:
        """What was held back, once nothing more comes."""
        held, self._held = self._held, ""
        return held

    def _begins(self, text: str) -> bool:
        return any(end.startswith(text) for end in self._ends)


class Echo:
    """Passes over a text that the answer may begin with."""

    def __init__(self, said: str) -> None:
        self.met = False
        self.skipped = 0
        self._left = said
        self._said = len(said)
        self._held = ""

    def feed(self, piece: str) -> str:
        """What stands behind the text; the whole where the answer begins otherwise."""
        if not self._left:
            return piece
        size = min(len(piece), len(self._left))
        if piece[:size] != self._left[:size]:
            piece, self._held, self._left = self._held + piece, "", ""
            return piece
        self._held += piece[:size]
        self._left = self._left[size:]
        if not self._left:
            self._held = ""
            self.skipped = self._said
        return piece[size:]

    def rest(self) -> str:
        """An answer that ended within the text has said something of its own."""
        held, self._held = self._held, ""
        return held


class Fence:
    """Leaves out the line of a fence that the answer begins with, and ends it at the line that closes it."""

    def __init__(self) -> None:
        self.met = False
        self.skipped = 0
        self._held = ""
        self._begun = self._fenced = False

    def feed(self, piece: str) -> str:
        """The text within the fence, or all of it where there is none."""
        if self.met:
            return ""
        text, self._held = self._held + piece, ""
        if not self._begun:
            bare = text.lstrip()
            if "```".startswith(bare[:3]) and (len(bare) < 3 or "\n" not in bare) and len(bare) < 40:
                self._held = text
                return ""
            self._begun = True
            if bare.startswith("```") and "\n" in bare:
                whole = len(text)
                self._fenced, text = True, bare.partition("\n")[2]
                self.skipped = whole - len(text)
        if not self._fenced:
            return text
        found = _CLOSING.search(text)
        if found:
            self.met = True
            return text[: found.start()]
        cut = max(text.rfind("\n"), 0)
        if text[cut:].strip(" \t\n`") == "":
            text, self._held = text[:cut], text[cut:]
        return text

    def rest(self) -> str:
        """What may have been a fence and was none."""
        held, self._held = self._held, ""
        return "" if held.strip().startswith("```") else held


@cache
def any_of(texts: tuple[str, ...]) -> re.Pattern[str]:
    """The first of some texts, the longest where several begin there."""
    return re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))))


_CLOSING = re.compile(r"(?:\A|\n)[ \t]*```")
