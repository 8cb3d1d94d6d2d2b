"""Whether a text, put in at a cursor, is code there: the last word on it, a parser's.

What is parsed is the statement at the top of the file that the cursor is in, or the whole file.  Where it is not taken with the text, the
text is to blame only if it can be taken at all: if there is something, of a list of things that people write, with which
it is.  A file that is broken elsewhere, or written for another version of its language, holds nothing back.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from fim_lsp.text import grammar
from fim_lsp.text.balance import left_open
from fim_lsp.text.blocks import bare
from fim_lsp.text.fillings import fillings, likely
from fim_lsp.text.language import CLOSER_OF, CLOSERS
from fim_lsp.text.surroundings import Surroundings, on_line

MOST = 100_000  # characters of a statement or a file that is parsed: some 10 ms
AFTER, AFTER_LINES = 50_000, 2_000  # characters and lines behind the cursor that are known
WORK = 2_000_000  # characters that are parsed for one text, at most
SECONDS = 0.1  # of the processor, after which nothing more is parsed: what is no code at all takes a grammar twenty times as long
AGAIN = 8  # as much work is it to parse a text for the first time as to parse it again so many times
FILLINGS = 120  # things that a part may be filled with
TRIES = 12  # line ends at which a text is tried


class Part(NamedTuple):
    """A part of a file around the cursor."""

    before: str
    after: str


def parsed(
    text: str,
    covers: int,
    place: Surroundings,
    *,
    multiline: bool = True,
    behind: str = "",
    clock: Callable[[], float] = time.thread_time,
) -> tuple[str, int]:
    """The longest beginning of a text, in whole lines, with which the file is code, and how much of the line's rest it replaces.

    A line may leave open what a key closes where it had begun, or where no more than one is wanted (`multiline`).  `behind` is what the model
    has said behind the text: where it ended the line, what the line forgets to close is added; where it went on with others, the line leaves
    open no more than a bracket at its end.  A word of code alone is nothing that a parser is asked about.  "" where no line is left; all
    of it where nothing can be told.  `clock`: seconds of the processor.
    """
    word = not (place.inside or re.search(r"\W", text.strip()))
    if word or place.language.prose or not grammar.trusted(place.told_from[2]):
        return text, covers
    work, parts = _Work(place, clock), list(_parts(place))
    span = place.language.spans.get(place.language.marks(text, place.inside)[1])
    if span and span.long:
        # What follows are lines of a string or a comment, among which none begins a statement.
        parts = [part for part in parts if part.after == place.told_from[1]]
    # A line at the left margin may stand within a statement all the same: the whole text is tried in the whole file, too.
    if any(work.takes(part, text, covers) for part in parts):
        return text, covers
    ended = behind.lstrip(" \t").startswith("\n")
    closers = _forgotten(text, place) if ended else ""
    if closers and any(work.takes(part, text + closers, covers) for part in parts):
        return text + closers, covers
    if any(work.takes(part, text + ending, covers) for part in parts for ending in _owed(text, place)):
        return text, covers
    line = text.partition("\n")[0]
    alone = not multiline and not place.rest.strip()
    # What one line leaves open is closed with a key, and asked for anew if it is not shown.
    whole = (ended and behind.strip() != "") or line != text or bool(place.rest.strip() and not place.closes)
    closings = tuple(_closings(line, place, whole=whole)) if alone or not place.blank else ()
    # Looked at first, before all work is done: what is left of the text is only what is taken.
    may = any(work.takes(part, filling, 0) for filling in likely(place) for part in parts)
    for part in parts:
        for beginning in _shorter(text):
            if any(work.takes(part, beginning + ending, 0) for ending in ("", *_owed(beginning, place))):
                return bare(beginning, place), 0
        if any(work.takes(part, line + ending, 0) for ending in closings):
            return line, 0
    if may or any(
        work.fills(part, filling)
        for part in parts
        for filling in islice(fillings(place, part.after), FILLINGS)
    ):
        return "", 0
    return text, covers


class _Work:
    """A language's parser at a cursor, and how much it has been given."""

    def __init__(self, place: Surroundings, clock: Callable[[], float]) -> None:
        self._name = place.told_from[2]
        self._left = WORK
        self._clock = clock
        self._until = clock() + SECONDS
        self._around: dict[Part, grammar.Around] = {}
        in_front = place.blank and place.rest.strip() and not place.closes
        # What is put in front of a line may be a line of its own.
        self._joints = ("\n" + place.before, "") if in_front else ("",)

    def takes(self, part: Part, text: str, covers: int) -> bool:
        """Whether it takes a part of a file with a text at the cursor; False also once it has had enough."""
        return any(self._parses(part, text + joint, covers) for joint in self._joints)

    def fills(self, part: Part, filling: str) -> bool:
        """The same, where a filling is one of many."""
        return any(
            self._parses(part, filling + joint, 0, glance=True)
            and (self._name != "python" or self._parses(part, filling + joint, 0))
            for joint in self._joints
        )

    def _parses(self, part: Part, text: str, covers: int, *, glance: bool = False) -> bool:
        whole = len(part.before) + len(text) + len(part.after)
        known = part in self._around and (glance or self._name != "python")
        self._left -= whole // AGAIN if known else whole
        if self._left < 0 or self._clock() > self._until:
            return False
        head = (
            ""
            if (part.before + text + part.after[covers:]).lstrip().startswith("<")
            else _HEADS.get(self._name, "")
        )
        # A head stands in front of all, and depends on what is first: on the text where that is.
        before, text = (part.before, text) if part.before.strip() else ("", head + part.before + text)
        if part not in self._around:
            self._around[part] = grammar.Around(head + before if before else "", part.after, self._name)
        around = self._around[part]
        return around.may_take(text, covers) if glance else around.takes(text, covers)


def _shorter(text: str) -> Iterator[str]:
    """What is left of a text without its last lines."""
    for _ in range(TRIES):
        text = text[: max(text.rfind("\n"), 0)]
        if not text.strip():
            return
        yield text


def _parts(place: Surroundings) -> Iterator[Part]:
    """The statement at the top of the file that the cursor is in, then the file, as far as they are short and known."""
    prefix, suffix, _ = place.told_from
    before, after = prefix.split("\n"), suffix.split("\n")
    first = next((at for at in range(len(before) - 1, 0, -1) if _TOP.match(before[at])), 0)
    while first and before[first - 1].startswith("@"):
        first -= 1
    last = next((at for at in range(1, len(after)) if _TOP.match(after[at])), len(after))
    part = Part("\n".join(before[first:]), "\n".join(after[:last]))
    # What is cut off has no end, and is no code whatever comes; keys that were replaced may have made it shorter.
    cut = 10 * len(suffix) >= 9 * AFTER or 10 * len(after) >= 9 * AFTER_LINES
    if len(part.before) + len(part.after) <= MOST and (last < len(after) or not cut):
        yield part
    if len(prefix) + len(suffix) <= MOST and (first or last < len(after)) and not cut:
        yield Part(prefix, suffix)


def _owed(text: str, place: Surroundings) -> Iterator[str]:
    """What closes brackets that stand open before the cursor and that nothing behind it closes yet."""
    stack = [opening.sign for opening in place.open]
    own = 0  # that the text opens, and has not closed
    for mark in place.language.marks(text, place.inside)[0]:
        if mark.sign in CLOSER_OF:
            own += 1
        elif mark.sign in CLOSERS and own:
            own -= 1
        elif mark.sign in CLOSERS and stack:
            stack.pop()
    if own:
        return
    if place.inside and place.language.spans[place.inside].long and not place.span_closed:
        yield place.language.spans[place.inside].closing
    if _ends(place):
        yield ";"
    for size in range(1, min(len(stack), place.owed) + 1):
        closers = "".join(CLOSER_OF[sign] for sign in stack[: -size - 1 : -1])
        yield f"\n{closers}"
        if _ends(place):
            yield f"{closers};"


def _forgotten(text: str, place: Surroundings) -> str:
    """What closes the string that the cursor is in, or the brackets that its line has opened, where a text ends in closing only some of them."""
    if "\n" in text or place.rest.strip():
        return ""
    if place.inside:
        span = place.language.spans[place.inside]
        open_ = (
            span.what == "string"
            and not span.long
            and place.language.marks(text, place.inside)[1] == place.inside
        )
        return span.closing if open_ else ""
    if text.rstrip()[-1:] not in CLOSERS:
        return ""
    depth = closed = 0
    for mark in place.language.marks(text)[0]:
        if mark.sign in CLOSER_OF:
            depth += 1
        elif depth:
            depth -= 1
        else:
            closed += 1
    here = min(on_line(place), place.owed)
    if depth or not 0 < closed < here:
        return ""
    return "".join(CLOSER_OF[opening.sign] for opening in reversed(place.open[-here:-closed]))


def _closings(line: str, place: Surroundings, *, whole: bool) -> Iterator[str]:
    """What closes the block, the brackets and the string that a line opens; of a `whole` line, no more than a bracket at its end."""
    marks, inside = place.language.marks(line, place.inside)
    opened = left_open(marks)
    if whole and (len(opened) > 1 or (opened and not line.rstrip().endswith(opened[0].sign))):
        return
    closers = "".join(CLOSER_OF[mark.sign] for mark in reversed(opened))
    quote = place.language.spans[inside].closing if inside else ""
    if whole and quote and not place.language.spans[inside].long:
        return
    if place.language.offside and line.rstrip().endswith(":"):
        yield f"\n{_indentation(place.before + line)}  pass"
    outer = "".join(CLOSER_OF[opening.sign] for opening in reversed(place.open))
    for size in range(min(place.owed, len(outer)) + 1):
        yield f"{quote}{closers}{outer[:size]}"
        yield f"{quote}{closers}{outer[:size]};"
        yield f"{quote}\n{closers}{outer[:size]}"
    if "end" in place.language.ends:
        yield "\nend"


def _ends(place: Surroundings) -> bool:
    """Whether the file ends at the cursor."""
    return not place.told_from[1].strip()


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


# Lines at the left margin that begin something, and neither close what stands above nor go on with it.
_TOP = re.compile(r"(?!(?:else|elif|except|finally|catch|case|end|where)\b|\w+:$)[\w@#\[<(/]")
# Without which a grammar takes a part of a file for text.
_HEADS = {"php": "<?php\n"}
