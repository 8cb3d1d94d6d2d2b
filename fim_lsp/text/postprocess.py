"""From the model's words to text worth inserting."""

from __future__ import annotations

import re
from typing import NamedTuple

from fim_lsp.text import closing
from fim_lsp.text.balance import balanced
from fim_lsp.text.blocks import bare, ended
from fim_lsp.text.characters import Holds, without_strangers
from fim_lsp.text.document import paired
from fim_lsp.text.early_stop import Ending
from fim_lsp.text.echo import without_copy
from fim_lsp.text.extent import Extent
from fim_lsp.text.indentation import Indent, indented
from fim_lsp.text.language import CLOSER_OF, CLOSERS
from fim_lsp.text.lines import standing
from fim_lsp.text.runs import without_loop
from fim_lsp.text.surroundings import Surroundings, on_line, unified
from fim_lsp.text.syntax import parsed


class Insertion(NamedTuple):
    """What to insert at the cursor, and how many characters right of it, on its line, the text replaces."""

    text: str
    covers: int


NOTHING = Insertion("", 0)


class Tidied(NamedTuple):
    """What of an answer is inserted: by itself; where a person asks, from whom no parser keeps it; and all that was said.

    The last, with what breaks brackets, is for nobody's eyes: it tells what need not be asked again.
    """

    shown: Insertion
    asked: Insertion
    said: Insertion


def tidy(
    text: str,
    prefix: str,
    suffix: str,
    language: str,
    extent: Extent,
    line_end: str = "\n",
    *,
    cut: bool = False,
    holds: Holds | None = None,
    indent: Indent | None = None,
) -> Tidied:
    """The parts of a model's answer that are worth inserting between two texts; "" for nothing.

    `cut`: the answer was ended by its length or by the clock, so that its last line may be half a line.
    `holds`: whether the document holds a character; without it, the two texts are all that there is of it.
    `indent`: what the file is indented with where its own lines do not show it.
    """
    holds = holds or (lambda sign: sign in prefix or sign in suffix)
    ending = Ending(prefix, suffix, language, extent, holds)
    place = ending.surroundings
    text = without_strangers(unified(paired(text)), holds)
    complete = ending.feed(text)
    end = ending.close()
    if cut and not complete and "\n" in text[ending.start : end].strip() and "\n" not in text[end:].rstrip():
        end = text.rfind("\n", ending.start, end)
    said, text = text, text[ending.start : max(end, ending.start)]
    text = indented(_bare(text, place), ending.extra, place, indent)
    text = _spoken(without_loop(text), place)
    text, covers = (text, 0) if ending.met_rest else _fitted(text, place)
    # What is put in front of the cursor's line, as lines of their own, takes in nothing of it.
    in_front = place.blank and not place.closes
    if place.rest[covers:].strip() and not place.inside and not (in_front and said[end : end + 1] == "\n"):
        text = _without_remark(text, place)
    all_ = text
    if not covers:
        text = without_copy(text, place.below)

    def whole(text: str, covers: int) -> tuple[str, int]:
        return bare(standing(ended(text, place), place, extent.kind), place) if not covers else text, covers

    def insertion(text: str, covers: int) -> Insertion:
        rest = place.rest[covers:].strip()
        if rest and text and not covers and text == all_:
            text += _between(said[end:], text, place)
        if not rest:
            text = text.rstrip()
        elif in_front and text.strip() and (said[end : end + 1] == "\n" or text != all_):
            text = text.rstrip() + "\n" + place.before
        if not text.strip():
            return NOTHING
        return Insertion(text.replace("\n", line_end) if line_end != "\n" else text, covers)

    asked = whole(*balanced(text, covers, place))
    line = asked[0].rstrip()
    behind = said[ending.start + len(line) :] if said.startswith(line, ending.start) else ""
    shown = parsed(*asked, place, multiline=extent.multiline, behind=behind if line else "")
    return Tidied(insertion(*shown), insertion(*asked), insertion(*whole(text, covers)))


def _between(tail: str, text: str, place: Surroundings) -> str:
    """The white space at an answer's end that belongs between it and what the line still holds."""
    lines = int("\n" in text and place.closes)
    return tail if tail.isspace() and tail.count("\n") <= lines else ""


def _bare(text: str, place: Surroundings) -> str:
    """The text without white space at its lines' ends, unless the file has such lines."""
    if not (" \n" in text or "\t\n" in text) or place.language.prose or place.inside:
        return text
    if any(line != line.rstrip() for line in (*place.above, *place.below[:-1])):
        return text
    return _TRAILING.sub("", text)


def _spoken(text: str, place: Surroundings) -> str:
    """The text without a comment at its end that only begins; of one that nothing ends, its first line."""
    span = place.language.spans.get(place.inside)
    if span and span.long and not place.span_closed and span.closing not in text:
        line = text.partition("\n")[0]
        quote = span.closing[0]
        # Three of them are needed to close it, and one alone was meant to.
        stray = span.closing == 3 * quote and (place.before + line).replace(span.closing, "").count(quote) % 2
        return "" if stray else line
    if place.inside or place.rest.strip():
        return text
    bare = text.rstrip()
    last = bare[bare.rfind("\n") + 1 :]
    for mark in place.language.openings:
        if last.endswith(mark) and not last[: -len(mark)].rstrip().endswith((mark, '"', "'")):
            before = place.before if last == bare else ""
            if (before + last)[: -len(mark)].strip() or last != bare:
                return bare[: -len(mark)].rstrip()
            return ""
    span = place.language.spans.get(place.language.marks(text)[1])
    if span and span.long and span.what == "comment" and not span.closed_in("\n".join(place.below)):
        return bare[: bare.rfind(span.opening)].rstrip()
    return text


def _without_remark(text: str, place: Surroundings) -> str:
    """The text without a comment at its end that would take in what the line still holds."""
    span = place.language.spans.get(place.language.marks(text)[1])
    if not span or span.closing != "\n":
        return text
    at = text.find(span.opening, text.rfind("\n") + 1)
    while at >= 0 and place.language.marks(text[:at])[1]:
        at = text.find(span.opening, at + 1)
    return text[:at].rstrip() if at >= 0 else text


def _fitted(text: str, place: Surroundings) -> tuple[str, int]:
    """The text and how much of the line's rest it replaces, so that nothing is closed twice."""
    rest = place.rest
    if not rest.strip() or not place.closes:
        return text, 0
    if there := closing.run(rest):
        context = closing.Context(place.before, place.told_from[2], place.inside)
        fitted = closing.fitted(text, there, context)
        if fitted is not None:
            return _replaced(*fitted, rest)
    found, inside = place.language.marks(text, place.inside)
    depth, outer = 0, []
    for mark in found:
        if mark.sign in CLOSER_OF:
            depth += 1
        elif mark.sign in CLOSERS and depth:
            depth -= 1
        elif mark.sign.strip():
            outer.append(mark)
    stop, bare = rest.lstrip()[:1], text.rstrip()
    if stop in _STOPS and bare.endswith(stop) and not depth and "\n" not in bare:
        return bare[:-1], 0
    signs = [at for at, sign in enumerate(rest) if sign in CLOSERS or (place.inside and sign in _QUOTES)]
    if not signs:
        stop = rest.strip()
        return (
            (bare[: -len(stop)], 0)
            if not depth and not stop.strip(";,") and bare.endswith(stop)
            else (text, 0)
        )
    # What the line has open is for its rest to close; the text may close no more than that and what it opens.
    here = on_line(place) + bool(place.inside)
    surplus = len(signs) + len(outer) - here - depth - (inside != "") + min(0, here - len(signs))
    matched = 0
    last = outer[len(outer) - surplus :] if 0 < surplus <= len(outer) else []
    for mark, at in zip(last, signs, strict=False):
        if mark.sign[-1] != rest[at]:
            break
        matched += 1
    if not matched:
        return text, 0
    first, covered = last[0].at, signs[matched - 1] + 1
    if text[first:].strip() == rest[:covered].strip():
        return text[:first], 0
    return _replaced(text, covered, rest)


def _replaced(text: str, covered: int, rest: str) -> tuple[str, int]:
    """The text and how much of the line's rest it replaces, with what it says of that rest besides."""
    more = rest[covered:].strip()
    if covered and more and not more.strip(";,") and text.rstrip().endswith(more):
        covered = len(rest.rstrip())
    # An editor shows what replaces text only if it holds that text.
    said = iter(text)
    return text, covered if all(sign in said for sign in rest[:covered]) else 0


_QUOTES = "\"'`"
_STOPS = frozenset(";,")
_TRAILING = re.compile(r"[ \t]+(?=\n)")
