"""What people write at a place, likeliest first: whatever of it a parser takes shows that the place can be filled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from fim_lsp.text.language import CLOSER_OF
from fim_lsp.text.surroundings import Surroundings, unopened, width

SAME = 8  # lines that begin as the cursor's does, or stand beside it
TAILS = 24  # ends of such lines
NEAR = 400  # lines above, and below, that are looked at


def likely(place: Surroundings) -> tuple[str, ...]:
    """What they write nearly always: nothing, or something, and what closes the string."""
    quote = _quote(place)
    return quote, f"x{quote}"


def fillings(place: Surroundings, after: str) -> Iterator[str]:
    """How other lines go on; what opens what follows; something, and what closes the string and the brackets.

    `after` is what follows in the part of the file that is parsed.
    """
    if span := place.language.spans.get(place.inside):
        yield span.closing
    same, found = _tails(place)
    if place.rest.strip():
        # A comment would take in what the line still holds, whatever that is.
        same, found = (
            [one for one in each if not any(mark in one for mark in place.language.openings)]
            for each in (same, found)
        )
    yield from same
    opens = _opens(place, after)
    wanted = [tail for tail in found if tail.rstrip().endswith(_OPENING) == opens]
    yield from _grid(place, ("", "x"), _BEGIN[:4] if opens else _ENDS[:4])
    if place.before.count("<") > place.before.count(">"):
        yield from _grid(place, ("x>",), _ENDS)
    yield from wanted
    yield from _openers(place, after)
    yield from _keywords(place)
    yield from _OTHERS
    yield from _grid(place, _WORDS, _BEGIN if opens else _ENDS)
    yield from (tail for tail in found if tail not in wanted)
    yield from _grid(place, _WORDS, _ENDS if opens else _BEGIN)


def _quote(place: Surroundings) -> str:
    """What closes the string that the cursor is in; "" where it is in none."""
    span = place.language.spans.get(place.inside)
    return span.closing if span and span.what == "string" else ""


def _opens(place: Surroundings, after: str) -> bool:
    """Whether the next line is deeper than the cursor's."""
    below = next((line for line in after.split("\n")[1:] if line.strip()), "")
    return width(below) > place.indent


def _tails(place: Surroundings) -> tuple[list[str], list[str]]:
    """How lines go on that begin as the cursor's does; and those that begin with the same word, or stand beside it: the whole of these."""
    begun, depth = place.before.strip(), place.indent
    prefix, suffix, _ = place.told_from
    above = prefix.rsplit("\n", NEAR + 1)[-2 : -NEAR - 2 : -1]
    below = suffix.split("\n", NEAR + 1)[1 : NEAR + 1]
    near = [line for pair in zip_longest(above, below, fillvalue="") for line in pair if line.strip()]
    beside = [line.strip() for line in near if width(line) == depth]
    if not begun:
        return [], list(dict.fromkeys(beside))[:SAME]
    same = [line.strip() for line in near if line.lstrip().startswith(begun)]
    goes_on = sorted({line[len(begun) :] for line in same} - {""}, key=len)[:SAME]
    word = _FIRST.match(begun)
    first = word[0] if word else begun[:1]
    alike = [line.strip() for line in near if line.lstrip().startswith(first)]
    found: list[str] = []
    for line in (*alike[:SAME], *beside[:SAME]):
        found += [line[at.start() :] for at in _JOINTS.finditer(line) if at.start()]
    return goes_on, list(dict.fromkeys(found))[: SAME + TAILS]


def _openers(place: Surroundings, after: str) -> Iterator[str]:
    """What opens the brackets that follow with nothing that opens them, and the long string or comment that they stand behind."""
    inside = "" if place.inside and place.language.spans[place.inside].long else place.inside
    spans = [span for span in place.language.spans.values() if span.long and not place.inside]
    for span in (None, *spans):
        start = 0
        if span is not None:
            if not span.closed_in(after):
                continue
            start = after.find(span.closing) + len(span.closing)
        text = after[start:]
        closers = "".join(sign for sign, _ in unopened(place.language, text, "" if span else inside))
        own = "".join(CLOSER_OF[opening.sign] for opening in reversed(place.open))
        extra = closers[: len(closers) - len(own)] if closers.endswith(own) else closers
        if not extra and span is None:
            continue
        opened = "".join(_OPENED[sign] for sign in reversed(extra))
        opening = span.opening if span else ""
        for lead in ("", "x = ", " = ", "() ", "(x)"):
            yield f"{lead}{opened}{opening}"
        if place.language.offside:
            inner = next((line for line in text.split("\n")[1:] if line.strip()), "")
            yield f"():\n{inner[: len(inner) - len(inner.lstrip())]}x = {opened}{opening}"


def _keywords(place: Surroundings) -> Iterator[str]:
    """What goes on with the word that the cursor is in; where it is in none, all of it."""
    word = _LAST.search(place.before)
    begun = word[0] if word else ""
    for keyword in _KEYWORDS:
        if keyword.startswith(begun):
            yield keyword[len(begun) :]


def _grid(place: Surroundings, words: Sequence[str], ends: Sequence[str]) -> Iterator[str]:
    """Words, what closes the string and some of the brackets, and what ends a line so."""
    closers = "".join(CLOSER_OF[opening.sign] for opening in reversed(place.open))
    quote = _quote(place)
    for size in range(min(place.owed, len(closers)) + 1):
        for word in words if not quote else ("", "x"):
            for end in ends:
                yield f"{word}{quote}{closers[:size]}{end}"


_FIRST = re.compile(r"\w+")
_LAST = re.compile(r"\w+$")
_JOINTS = re.compile(r"\W")
_OPENING = ("{", "(", "[", ":", ">")
_OPENED = {"}": "{", ")": "x(", "]": "["}
_WORDS = ("", "x", "()", " = x", "pass", "x: x", "x()", "(): pass", "() {}")
_ENDS = ("", ",", ";", ":", " {", " {}")
_BEGIN = (" {", ":", ": {", ", () => {", " => {", " = {", "(", ": [", " in x {", " := range x {")
_OTHERS = (
    "(",
    "((",
    "{",
    "() {",
    "x({",
    "x(() => {",
    "x => {",
    ", () => {",
    "(x",
    "<x",
    " = x<x",
    "[",
    " x",
    " do",
    "\n",
    "<",
    ": x<",
    "<x> = x<",
    "<x> = x",
    "x from 'x'",
    "x import x",
)
# What begins with a word that a letter of it may stand for.
_KEYWORDS = (
    "import x",
    "import x from 'x'",
    "import (",
    "from 'x'",
    "export const x = (",
    "export default [",
    "default [",
    "async def x():",
    "def x():",
    "class x:",
    "class x {",
    "struct {",
    "interface {",
    "crate) mod x;",
    "crate",
    "func x() {",
    "function x() {",
    "var (",
    "module 'x' {",
    "package x;",
)
