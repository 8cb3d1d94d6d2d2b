"""From the model's words to text worth inserting."""

from __future__ import annotations

import re
from typing import NamedTuple

from fim_lsp.language import CLOSER_OF, CLOSERS
from fim_lsp.shape import Shape
from fim_lsp.site import Site, unified
from fim_lsp.stop import Ending


class Insertion(NamedTuple):
    """What to insert at the cursor, and how many characters right of it, on its line, the text replaces."""

    text: str
    covers: int


NOTHING = Insertion("", 0)


def tidy(text: str, prefix: str, suffix: str, language: str, shape: Shape, line_end: str = "\n") -> Insertion:
    """The part of a model's answer that is worth inserting between two texts; "" for nothing."""
    text = unified(_whole(text))
    ending = Ending(prefix, suffix, language, shape)
    ending.feed(text)
    end = ending.close()
    place = ending.site
    text = text[ending.start : end]
    text = _begun(text, place)
    text, covers = _fitted(text, place)
    if not place.rest.strip() or covers == len(place.rest):
        text = text.rstrip()
    if not text.strip():
        return NOTHING
    return Insertion(text.replace("\n", line_end) if line_end != "\n" else text, covers)


def _whole(text: str) -> str:
    """The text without halves of characters."""
    return _HALF.sub("", text) if _HALF.search(text) else text


def _begun(text: str, place: Site) -> str:
    """The text without a beginning that stands before the cursor already."""
    before = place.before
    if before.strip():
        if before[-1:] in {" ", "\t"}:
            head = text.lstrip(" \t")
            if head and head[0] != "\n":
                text = head
        return text
    line = text.split("\n", 1)[0]
    if before and line.strip() and line.startswith(before) and "\n" not in text:
        return text.lstrip(" \t")
    return text


def _fitted(text: str, place: Site) -> tuple[str, int]:
    """The text and how much of the line's rest it replaces, so that nothing stands twice on that line."""
    rest = place.rest.rstrip()
    if not rest or place.blank and not place.closes:
        return text, 0
    first, _, more = text.rpartition("\n")
    bare = more.rstrip()
    if bare.endswith(rest) and _surplus(text, place):
        return text[: len(text) - len(more) + len(bare) - len(rest)], 0
    return text, 0


def _surplus(text: str, place: Site) -> bool:
    """Whether the text closes more than it opens."""
    return True


_HALF = re.compile(r"[\ud800-\udfff]")
