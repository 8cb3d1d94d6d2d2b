"""What kind of completion a place wants: one line or several, how long, and what the service shall stop at."""

from __future__ import annotations

import re
from typing import NamedTuple

from fim_lsp.text.surroundings import Surroundings, surroundings, width

LINE_TOKENS = 128  # more than any line that a person writes
STATEMENT_TOKENS = 192
MOST_STOPS = 16  # the service refuses more
WEIGHT = 14  # characters of rare text that tell what follows from what is new


class Extent(NamedTuple):
    """How a completion is asked for.

    `kind` is "line" (what is left of the line), "comment", "head" (a line whose body stands below), "statement" (to its
    end, with the block that it opens), "block" (lines, until their block ends) or "span" (a long string or comment);
    `max_tokens` is in tokens; `stop` holds at most 16 strings at which the service ends its answer; `surroundings` are what the
    extent was told from, so that who reads the answer need not look again.
    """

    multiline: bool
    kind: str
    max_tokens: int
    stop: tuple[str, ...]
    surroundings: Surroundings | None = None


def extent(prefix: str, suffix: str, language: str, multiline: str, max_tokens: int) -> Extent:
    """The extent of a completion between two texts; `multiline` is the setting: "auto", "always" or "never"."""
    place = surroundings(prefix, suffix, language)
    kind = _kind(place, multiline)
    line_end = _line_end(prefix) or _line_end(suffix) or "\n"
    if kind == "line":
        stops = ["\n" if line_end != "\r" else "\r"] if not place.blank else []
        return Extent(False, kind, min(max_tokens, LINE_TOKENS), tuple(stops), place)
    stops = [stop.replace("\n", line_end) for stop in _stops(place, kind)]
    most = max_tokens if kind in {"block", "span"} else min(max_tokens, STATEMENT_TOKENS)
    return Extent(True, kind, most, tuple(dict.fromkeys(stops))[:MOST_STOPS], place)


def anchor(lines: tuple[str, ...], known: frozenset[str]) -> int:
    """How many of the lines that follow it takes to tell them from new text; 0 if all of them do not suffice."""
    weight = 0.0
    for count, line in enumerate(lines[:12], 1):
        weight += weigh(line, known)
        if weight >= WEIGHT:
            return count
    return 0


def weigh(line: str, known: frozenset[str]) -> float:
    """How much a line tells: its length, less if it is all signs or stands elsewhere too."""
    text = line.strip()
    signs = len(_SIGNS.sub("", text))
    return signs / 10 if text in known else float(signs)


def _kind(place: Surroundings, multiline: str) -> str:
    spans = place.language.spans
    if multiline == "never":
        return "line"
    if place.rest.strip() and not place.closes and not place.blank:
        return "line"
    if place.inside:
        span = spans[place.inside]
        if span.closing == "\n":
            return "comment"
        if span.what == "comment" or len(span.closing) > 1 or span.closing == "`":
            return "span"
    if multiline == "auto" and not place.rest.strip() and _body_below(place):
        return "head"
    return "block" if place.blank else "statement"


def _body_below(place: Surroundings) -> bool:
    """Whether the lines below are deeper than the cursor's, which is to open what they are the body of."""
    gap = next((number for number, line in enumerate(place.below) if line.strip()), -1)
    if gap < 0 or width(place.below[gap]) <= place.indent:
        return False
    if not place.blank:
        return not gap or not place.language.prose
    # A blank line's own depth says little: that of the line above it, which opens nothing, is to be the same.
    above = place.above[-1] if place.above else ""
    return not gap and bool(above.strip()) and width(above) == place.indent and not _OPENS.search(above)


def _stops(place: Surroundings, kind: str) -> list[str]:
    stops = [] if place.speaks_of_marks else ["<|endoftext|>"]
    following = place.following
    count = anchor(following, known(place))
    if count and not (place.blank and place.rest.strip()):
        joined = _upto(place, count)
        if joined:
            stops.insert(0, joined)
    if kind in {"block", "statement"} and place.indent and not place.inside:
        stops += ["\n" + top for top in place.language.tops]
        stops.append("\n\n\n\n")
    return stops


def known(place: Surroundings) -> frozenset[str]:
    """The lines that stand before the cursor: what they say is no sign of what follows."""
    return frozenset(line.strip() for line in place.above)


def _upto(place: Surroundings, count: int) -> str:
    """What follows, to the end of the line with the `count`th text in it, if the cursor ends its line."""
    if place.rest.strip():
        return ""
    parts = [place.rest.rstrip()]
    for line in place.below:
        parts.append(line)
        count -= bool(line.strip())
        if not count:
            return "\n".join(parts) + "\n"
    return ""


def _line_end(text: str) -> str:
    found = _LINE_END.search(text)
    return found[0] if found else ""


_SIGNS = re.compile(r"[^\w]+")
_OPENS = re.compile(r"(?:[({\[:,]|=>|->|=|\b(?:do|then|else|begin)|\|)\s*$")
_LINE_END = re.compile(r"\r\n?|\n")
