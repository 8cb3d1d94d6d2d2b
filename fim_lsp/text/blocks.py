"""Blocks that end with a word, such as `do` ... `end`, and attributes: those that a text of several lines would leave open, or without what they are of."""

from __future__ import annotations

import re

from fim_lsp.text.language import CLOSERS
from fim_lsp.text.surroundings import Surroundings, width, word


def ended(text: str, place: Surroundings) -> str:
    """The longest beginning of a text, in whole lines, at whose end no block is open that a word is to end.

    A block is told from its depth: lines at the text's end that are deeper than others are one's that is open, unless what
    follows goes on with it or ends it.  The first line may open one, which a key closes.
    """
    if not place.language.ends or place.inside or place.rest.strip() or "\n" not in text.rstrip():
        return text
    lines = text.split("\n")
    depths = [width(place.before + lines[0]) if place.blank else place.indent, *map(width, lines[1:])]
    said = [number for number, line in enumerate(lines) if line.strip()]
    whole = len(said)
    while len(said) > 1:
        base = min(depths[number] for number in said)
        opener = next(number for number in reversed(said) if depths[number] == base)
        if opener == said[-1] or _goes_on(lines[opener], lines[opener + 1]):
            break
        if _is_below(place, base, depths[said[-1]]):
            break
        said = said[: max(1, said.index(opener))]
    return text if len(said) == whole else "\n".join(lines[: said[-1] + 1])


def bare(text: str, place: Surroundings) -> str:
    """A text of several lines without attributes or decorators at its end, unless what follows may be what they are of."""
    line = place.following[0] if place.following else ""
    if width(line) >= place.indent and line.strip()[:1] not in {"", *CLOSERS}:
        return text
    end = text.rstrip()
    while "\n" in end and _ATTRIBUTE.fullmatch(end, end.rfind("\n") + 1):
        text = end = end[: end.rfind("\n")].rstrip()
    return text


def _goes_on(line: str, following: str) -> bool:
    """Whether the second line is a part of the first one, and no block."""
    return bool(_UNFINISHED.search(line)) or following.strip()[:1] in _JOINS


def _is_below(place: Surroundings, base: int, depth: int) -> bool:
    """Whether what follows goes on with a block of that depth, or ends it where its base is."""
    line = place.following[0] if place.following else ""
    words = place.language.ends | place.language.carries
    return bool(line) and (width(line) >= depth or (width(line) == base and word(line) in words))


_ATTRIBUTE = re.compile(r"\s*(?:#\[[^\]\n]*\]|@[A-Za-z][\w.]*(?:\([^()\n]*\))?)\s*")
_UNFINISHED = re.compile(r"[,(\[{\\=+\-*/&.]\s*$")
_JOINS = frozenset(".,&|+-*/?)]}")
