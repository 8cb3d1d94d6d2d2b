"""What the cursor's line still holds, met again in an answer."""

from __future__ import annotations

import re

from fim_lsp.text.language import CLOSERS
from fim_lsp.text.surroundings import Surroundings, suits

TELLING = 8  # letters of a line's rest that no text brings a second time


def repeats_rest(place: Surroundings, text: str, *, last: bool) -> bool:
    """Whether a text is what the line still holds: brackets, quotes and the like, or their beginning at its end."""
    rest, text = place.rest.strip(), text.strip()
    return bool(rest) and place.closes and (text == rest or (last and rest.startswith(text)))


def meets_rest(place: Surroundings, kind: str, line: str, *, last: bool) -> int | None:
    """Where the text on the cursor's line ends, if it says what the line still holds; `kind` is that of the extent."""
    rest = place.rest.strip()
    if place.blank and rest[0] in CLOSERS and not _OPENS.search(rest) and not place.surplus:
        return None  # lines are inserted before the one that closes
    bare = line.rstrip()
    cut: int | None = None
    if bare.endswith(rest):
        cut = len(bare) - len(rest)
    elif last and len(rest) > 3:
        cut = next((len(bare) - n for n in range(len(rest) - 1, 2, -1) if bare.endswith(rest[:n])), None)
    untagged = (
        cut is None or not rest.startswith("</") or len(_TAG.findall(line[:cut])) <= line[:cut].count("</")
    )
    if cut is not None and untagged:
        # Within a word, what the line still holds begins nowhere else.
        within = len(rest) > 3 and bool(_NAME.match(rest)) and bool(_NAME.match(line[cut - 1 : cut]))
        told = len(_SIGNS.sub("", rest)) >= TELLING
        plain = place.language.tags or within or told or not _CLOSES.search(rest)
        if plain or suits(place, line[:cut]) or not suits(place, line):
            return _spaced(place, line, cut)
        cut = None
    if kind == "line" and len(rest) > 3 and _NAME.search(rest):
        at = line.find(rest)
        if at >= 0 and suits(place, line[:at]):
            return _spaced(place, line, at)
    return None


def _spaced(place: Surroundings, line: str, cut: int) -> int:
    """The cut, before white space that the rest of the line begins with too."""
    return len(line[:cut].rstrip()) if place.rest[:1].isspace() else cut


_SIGNS = re.compile(r"\W+")
_CLOSES = re.compile(r"""[)\]}"'`]""")
_OPENS = re.compile(r"[\w({\[]")
_TAG = re.compile(r"<\w")
_NAME = re.compile(r"\w")
