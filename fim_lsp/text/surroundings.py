"""What stands around a cursor: its line, the lines above and below, and which brackets are open there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from fim_lsp.text import foreign
from fim_lsp.text.language import CLOSER_OF, CLOSERS, Language, language

TAB = 4  # columns, where indentations are compared
BEFORE, AFTER, NEAR = 2_000, 1_500, 300  # characters looked at
FARTHEST = 100_000  # characters that are looked at for what the nearer ones stand in


class Opening(NamedTuple):
    """A bracket open at the cursor: its sign, and the indentation of its line in columns."""

    sign: str
    indent: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    r"""The surroundings of a cursor, every line end as `\n`.

    `before` and `rest` are the cursor's line left and right of it; `above` and `below` the other lines, nearest last
    and nearest first; `inside` is the span of the language that the cursor is in, or ""; `open` the brackets open there,
    innermost last; `owed` how many of these, from the innermost, nothing after the cursor closes.
    """

    language: Language
    before: str
    rest: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    inside: str
    open: tuple[Opening, ...]
    owed: int
    owed_behind: (
        int  # the same, where the closers right behind the cursor are the editor's and have closed some
    )
    told_from: tuple[str, str, str]  # prefix, suffix and language

    @property
    def blank(self) -> bool:
        """Whether nothing but indentation stands before the cursor on its line."""
        return not self.before.strip()

    @property
    def indent(self) -> int:
        """The indentation of the cursor's line, in columns."""
        return width(self.before)

    @property
    def closes(self) -> bool:
        """Whether the line goes on after the cursor with nothing but what closes: brackets, quotes, tags, `;` and `,`.

        A bracket or tag that begins its line closes lines above it, and not what is written in front of it.
        """
        if self.blank and any(sign in self.rest for sign in (*CLOSERS, "</")):
            return False
        return _CLOSING_REST.fullmatch(self.rest) is not None

    @property
    def following(self) -> tuple[str, ...]:
        """The lines that follow what is inserted, blank ones left out; the cursor's own where only indentation precedes."""
        own = (self.before + self.rest,) if self.blank and self.rest.strip() and not self.closes else ()
        return own + tuple(line for line in self.below if line.strip())

    @property
    def may_close(self) -> int:
        """How many brackets that it did not open a text may close here."""
        behind = sum(map(self.rest.count, CLOSERS)) if self.closes else 0
        return behind + max(self.owed, self.owed_behind if behind else 0)

    def spares(self, opened: int) -> bool:
        """Whether what follows closes so many brackets though nothing opens them."""
        return opened <= len(self.surplus)

    @property
    def surplus(self) -> str:
        """The brackets that what follows closes first though nothing opens them; "" if there are none or it is not known."""
        after = "\n".join((self.rest, *self.below))
        closers = ""
        for sign, at in unopened(self.language, after, self.inside):
            start = after.rfind("\n", 0, at) + 1
            own = start and not after[start:at].strip()
            if (
                own
                and self.open
                and (CLOSER_OF[self.open[-1].sign], self.open[-1].indent)
                == (
                    sign,
                    width(after[start:]),
                )
            ):
                return closers  # what is open is closed by this one
            closers += sign
        if len(self.told_from[0]) > BEFORE:
            return ""
        opened = "".join(CLOSER_OF[opening.sign] for opening in reversed(self.open))
        return closers[: len(closers) - len(opened)] if closers.endswith(opened) else ""

    @property
    def speaks_of_marks(self) -> bool:
        """Whether marks such as a model's own stand in the document: then they are text."""
        prefix, suffix, _ = self.told_from
        return foreign.spoken_of(prefix) or foreign.spoken_of(suffix)

    @property
    def span_closed(self) -> bool:
        """Whether what follows closes the long string or comment that the cursor is in."""
        if not self.inside:
            return False
        span = self.language.spans[self.inside]
        if span.opening == span.closing:
            # Those of other strings come in pairs, if all that follows is counted.
            return span.closed_in(self.told_from[1])
        return span.closed_in("\n".join((self.rest, *self.below)))

    @property
    def fence(self) -> str:
        """The mark of the fenced code that the cursor is in, in a language that has it."""
        if not self.language.fences:
            return ""
        open_ = ""
        for line in (*self.above, self.before):
            mark = line.strip()[:3]
            if mark in {"```", "~~~"} and (not open_ or mark == open_):
                # A mark with words begins code wherever it stands.
                open_ = "" if open_ and line.strip().strip("`~") == "" else mark
        return open_

    @property
    def fence_closed(self) -> bool:
        """Whether what follows closes the fenced code that the cursor is in."""
        fences = (line.strip() for line in self.below if line.strip()[:3] == self.fence)
        return next(fences, "?").strip("`~") == ""

    def span_end(self, line: str) -> int | None:
        """Where a line closes the string or comment that the cursor is in."""
        span = self.language.spans[self.inside]
        end = span.to_end.match(line)
        return end.end() - len(span.closing) if end else None

    def head(self, indent: int) -> str:
        """The line under which a block of this indentation stands, "" at the top."""
        for line in reversed(self.above):
            if line.strip() and width(line) < indent and not _NO_HEAD.match(line):
                return line
        return ""


def surroundings(prefix: str, suffix: str, name: str) -> Surroundings:
    """The surroundings of the cursor between two texts, in the language of that LSP languageId."""
    tongue = language(name)
    window, start = prefix[-BEFORE:], ""
    if len(prefix) > BEFORE and (end := _LINE_END.search(window)):
        first = len(prefix) - BEFORE + end.end()
        start = _inside(name, prefix[max(0, first - FARTHEST) : first])
        window = window[end.end() :]
    window = unified(window)
    after = unified(suffix[:AFTER])
    *above, before = window.split("\n")
    rest, *below = after.split("\n")
    found, inside = tongue.marks(window, start)
    stack: list[tuple[str, int]] = []
    for sign, at in found:
        if sign in CLOSER_OF:
            stack.append((sign, at))
        elif stack:
            _close(stack, sign)
    openings = tuple(Opening(sign, width(window[window.rfind("\n", 0, at) + 1 :])) for sign, at in stack)
    owed = _owed(tongue, openings, after, inside, 1_000 if before.strip() else width(before))
    behind = _owed_behind(tongue, openings, after)
    told_from = prefix, suffix, name
    return Surroundings(
        tongue, before, rest, tuple(above[-60:]), tuple(below), inside, openings, owed, behind, told_from
    )


def suits(place: Surroundings, text: str) -> bool:
    """Whether a text opens and closes as many brackets and strings as its line leaves to it."""
    found, inside = place.language.marks(text + place.rest, place.inside)
    if inside and place.language.spans[inside].what == "string" and not place.language.spans[inside].long:
        return False
    net = sum((sign in CLOSER_OF) - (sign in CLOSERS) for sign, at in found if at < len(text))
    stack = [sign for sign, _ in place.open]
    here = on_line(place)
    outer = max(0, len(stack) - here)
    opened, wanted, left = 0, 0, here
    surplus = "" if here else place.surplus
    for sign, at in found:
        if at < len(text):
            continue
        if sign in CLOSER_OF:
            opened += 1
        elif sign in CLOSERS and opened:
            opened -= 1
        elif sign == surplus[:1]:
            surplus = surplus[1:]
            wanted += 1
        elif sign in CLOSERS and stack and CLOSER_OF[stack[-1]] == sign:
            stack.pop()
            left -= len(stack) >= outer
        elif sign in CLOSERS:
            wanted += 1
    return -left <= net <= wanted


def on_line(place: Surroundings) -> int:
    """How many brackets the cursor's line opens before the cursor and leaves open there."""
    depth = 0
    for sign, _ in place.language.marks(place.before)[0]:
        depth = depth + 1 if sign in CLOSER_OF else max(0, depth - 1)
    return depth


def unified(text: str) -> str:
    r"""A text with every line end as `\n`."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def width(line: str) -> int:
    """The indentation of a line in columns."""
    space = len(line) - len(line.lstrip(" \t"))
    tabs = line.count("\t", 0, space)
    if not tabs or tabs == space:
        return space * TAB if tabs else space
    return len(line[:space].expandtabs(TAB))


def word(line: str) -> str:
    """The first word of a line, or the sign that it begins with."""
    found = _WORD.match(line)
    return found[1] if found else ""


@lru_cache(maxsize=8)
def _inside(name: str, text: str) -> str:
    """The long string or comment that a text ends in, "" for code; the text is taken to begin in code."""
    tongue = language(name)
    if not any(span.long and span.opening in text for span in tongue.spans.values()):
        return ""
    inside = tongue.marks(unified(text))[1]
    return inside if inside and tongue.spans[inside].long else ""


def _close(stack: list[tuple[str, int]], sign: str) -> None:
    for depth in range(len(stack) - 1, -1, -1):
        if CLOSER_OF[stack[depth][0]] == sign:
            del stack[depth:]
            return


def _owed(tongue: Language, openings: tuple[Opening, ...], after: str, inside: str, own: int) -> int:
    """How many brackets, from the innermost, what follows leaves open; indentation tells where brackets alone do not."""
    closer = first_closer(tongue, after[:NEAR], inside, own) or first_closer(tongue, after, inside, own)
    first = next((line for line in after.split("\n")[1:] if line.strip()), "")
    for depth, opening in enumerate(reversed(openings)):
        if closer is None:
            # Much follows, and all of it deeper: the block ends where it is not seen any more.
            if opening.sign == "{" and len(after) >= AFTER and width(first) > opening.indent:
                return depth
        elif CLOSER_OF[opening.sign] == closer[0] and closer[1] >= opening.indent:
            return depth
    return len(openings) if openings or closer else 9  # nothing is known of brackets: what closes may stand


def _owed_behind(tongue: Language, openings: tuple[Opening, ...], after: str) -> int:
    """How many brackets nothing closes behind the closers that stand right of the cursor."""
    size = len(after) - len(after.lstrip(_CLOSERS))
    left = list(openings)
    for sign in after[:size]:
        if left and CLOSER_OF[left[-1].sign] == sign:
            left.pop()
    if not left or not size:
        return 0
    return _owed(tongue, tuple(left), after[size:], "", 1_000)


def first_closer(tongue: Language, after: str, inside: str, own: int) -> tuple[str, int] | None:
    """The first bracket after the cursor that closes one before it, and the indentation of its line."""
    for sign, at in unopened(tongue, after, inside):
        start = after.rfind("\n", 0, at) + 1
        return sign, width(after[start:]) if start else own
    return None


def unopened(tongue: Language, after: str, inside: str) -> Iterator[tuple[str, int]]:
    """The brackets of a text that nothing in it opens, and their offsets."""
    depth = 0
    for sign, at in tongue.marks(after, inside)[0]:
        if sign in CLOSER_OF:
            depth += 1
        elif depth and sign in CLOSERS:
            depth -= 1
        elif sign in CLOSERS:
            yield sign, at


_LINE_END = re.compile(r"\r\n?|\n")
_CLOSERS = ")]}\"'`"
_NO_HEAD = re.compile(r"\s*(?:[)\]}{]|\w+:$)")  # brackets, labels
_WORD = re.compile(r"\s*(#?\w+|</?[\w:.-]*|\S)")
_CLOSING_REST = re.compile(r"""\s*(?:[)\]}"'`>/;,]|</[\w:.-]*>)(?:[)\]}"'`>/;,\s]|</[\w:.-]*>)*""")
