"""Whether a block is that of a struct or a class, whose members follow each other with blank lines between them or none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fim_lsp.text.language import CLOSERS
from fim_lsp.text.surroundings import Surroundings, width


def in_last_member(place: Surroundings, following: Sequence[str], base: int) -> bool:
    """Whether the cursor is in the last member of a struct or the like: others may follow, up to its end.

    `base` is the indentation of its members, in columns; `following` the lines that follow, without blank ones.
    """
    closed = bool(following) and following[0].strip()[0] in CLOSERS and width(following[0]) < base
    return closed and _DATA.search(place.head(base)) is not None


def among_members(place: Surroundings, base: int) -> bool:
    """Whether a block of that indentation holds members."""
    container = place.language.container
    if base > place.indent and not place.blank:
        return container.search(place.before) is not None
    return base == 0 or container.search(place.head(base)) is not None


_DATA = re.compile(r"\b(?:struct|interface|enum|record|message|union)\b")
