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
    text = unified(_HALF.sub("", text))
    ending = Ending(prefix, suffix, language, shape)
    ending.feed(text)
    end = ending.close()
    place = ending.site
    said, text = text, text[ending.start : max(end, ending.start)]
    text = _bare(text, place)
    text, covers = _fitted(text, place)
    before_rest = place.rest.strip() and covers < len(place.rest.rstrip())
    if not before_rest:
        text = text.rstrip()
    elif place.blank and not place.closes and text.strip() and said[end : end + 1] == "\n":
        text = text.rstrip() + "\n" + place.before
    if not text.strip():
        return NOTHING
    return Insertion(text.replace("\n", line_end) if line_end != "\n" else text, covers)


def _bare(text: str, place: Site) -> str:
    """The text without white space at its lines' ends, unless the file has such lines."""
    if place.language.prose or not _TRAILING.search(text) or place.inside:
        return text
    if any(line != line.rstrip() for line in (*place.above, *place.below[:-1])):
        return text
    return _TRAILING.sub("", text)


def _fitted(text: str, place: Site) -> tuple[str, int]:
    """The text and how much of the line's rest it replaces, so that nothing is closed twice."""
    rest = place.rest
    if not rest.strip() or not place.closes:
        return text, 0
    found, inside = place.language.marks(text, place.inside)
    depth, outer = 0, []
    for mark in found:
        if mark.sign in CLOSER_OF:
            depth += 1
        elif mark.sign in CLOSERS and depth:
            depth -= 1
        elif mark.sign.strip():
            outer.append(mark)
    signs = [at for at, sign in enumerate(rest) if sign in CLOSERS or (place.inside and sign in _QUOTES)]
    if not signs:
        bare, stop = text.rstrip(), rest.strip()
        return (bare[: -len(stop)], 0) if not depth and bare.endswith(stop) else (text, 0)
    # What the line has open is for its rest to close; the text may close no more than that and what it opens.
    here = _open_on_line(place)
    surplus = len(signs) + len(outer) - here - depth - (inside != "") + min(0, here - len(signs))
    matched = 0
    for mark, at in zip(outer[len(outer) - surplus :] if 0 < surplus <= len(outer) else [], signs, strict=False):
        if mark.sign[-1] != rest[at]:
            break
        matched += 1
    if not matched:
        return text, 0
    first, covered = outer[len(outer) - surplus].at, signs[matched - 1] + 1
    if text[first:].strip() == rest[:covered].strip():
        return text[:first], 0
    more = rest[covered:].strip()
    return text, len(rest.rstrip()) if more and text.rstrip().endswith(more) else covered


def _open_on_line(place: Site) -> int:
    """How many brackets and quotes the cursor's line opens before the cursor and leaves open there."""
    found, inside = place.language.marks(place.before)
    stack: list[str] = []
    for sign, _ in found:
        if sign in CLOSER_OF:
            stack.append(sign)
        elif stack:
            stack.pop()
    return len(stack) + (inside != "")


_QUOTES = "\"'`"
_HALF = re.compile(r"[\ud800-\udfff]")
_TRAILING = re.compile(r"[ \t]+(?=\n)")
