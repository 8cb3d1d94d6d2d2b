"""What a place of a document is inside of: a comment, a string, or code, by the table of its language.

Code in a string (an f-string's, a template literal's) is code, and so is what stands between Markdown's fences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from fim_lsp.text.document import Place
from fim_lsp.text.language import CLOSER_OF, Language, Span, language

LONGEST = 20_000  # characters of a line that are looked at, the last ones before the place
_OPENER_OF = {closing: opening for opening, closing in CLOSER_OF.items()}


class _Frame(NamedTuple):
    """One level of what a place is in: a span, code in a string, or a fence of Markdown."""

    span: Span | None = None
    code: tuple[tuple[str, str], ...] = ()  # of a string: what opens code in it, and what closes that
    closing: str = ""  # of code in a string, or of a fence
    depth: int = 0  # brackets of the kind of `closing` that are open in such code


_Stack = tuple[_Frame, ...]


class Inside:
    """What each line of one document begins inside of, looked at no further than it was asked for."""

    def __init__(self, name: str) -> None:
        """`name` is the LSP languageId."""
        self._name = name.lower()
        self._starts: list[_Stack] = [()]

    def edited(self, first: int) -> None:
        """The lines behind this one may begin otherwise now."""
        del self._starts[first + 1 :]

    def at(self, lines: Sequence[str], place: Place) -> str:
        """`comment`, `string`, or nothing for code; only what stands before the place counts."""
        starts = self._starts
        while len(starts) <= place.line:
            starts.append(_after(self._name, starts[-1], lines[len(starts) - 1]))
        stack = _after(self._name, starts[place.line], lines[place.line][: place.column])
        span = stack[-1].span if stack else None
        return span.what if span else ""


def _after(name: str, stack: _Stack, text: str) -> _Stack:
    """What the end of a line, or of its beginning, is inside of."""
    tongue = language(name)
    if tongue.fences and not (stack and stack[-1].span):
        mark = text.strip()[:3]
        if stack:
            return () if mark == stack[-1].closing and not text.strip().strip("`~") else stack
        if mark in {"```", "~~~"}:
            return (_Frame(closing=mark),)
    at = max(len(text) - LONGEST, 0)
    while True:
        top = stack[-1] if stack else _Frame()
        found = (_within(top.span, top.code) if top.span else _outside(name)).search(text, at)
        if found is None:
            return stack
        at = found.end()
        if found[0] == "\n":
            cut = (number for number, frame in enumerate(stack) if frame.span and not frame.span.long)
            stack = stack[: next(cut, len(stack))]
        elif top.span:
            stack = _in_span(stack, found[0])
        else:
            stack = _in_code(tongue, stack, text, found)


def _in_span(stack: _Stack, sign: str) -> _Stack:
    top = stack[-1]
    assert top.span is not None
    if sign == top.span.closing:
        return stack[:-1]
    closing = dict(top.code).get(sign)
    return stack if closing is None else (*stack, _Frame(closing=closing))


def _in_code(tongue: Language, stack: _Stack, text: str, found: re.Match[str]) -> _Stack:
    sign = found[0]
    if stack and sign in {stack[-1].closing, _OPENER_OF.get(stack[-1].closing)}:
        depth = stack[-1].depth + (1 if sign != stack[-1].closing else -1)
        return stack[:-1] if depth < 0 else (*stack[:-1], stack[-1]._replace(depth=depth))
    span = next((one for one in tongue.spans.values() if one.opening == sign), None)
    if span is None:
        return stack
    if span.what == "comment" and span.closing == "\n":
        before = text[: found.start()]
        # A format may hold the mark, and so may a word.
        if stack or (tongue.spaced and before and not (before[-1].isspace() or before[-1] in ";(")):
            return stack
    letters = _PREFIX.search(text[max(found.start() - 4, 0) : found.start()])
    before = letters[0].lower() if letters else ""
    code = tuple((opens, closes) for mark, opens, closes in tongue.code if mark == sign or mark in before)
    return (*stack, _Frame(span, code if span.what == "string" else ()))


@cache
def _outside(name: str) -> re.Pattern[str]:
    tongue = language(name)
    openings = sorted({span.opening for span in tongue.spans.values()}, key=len)[::-1]
    one = [r"'(?:\\[^\n']{1,8}|[^'\\\n])'"] if tongue.chars else []
    return re.compile("|".join([*one, *map(re.escape, openings), r"[(){}\[\]\n]"]))


@cache
def _within(span: Span, code: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    # A code's opening bracket said twice is the sign itself.
    parts = [re.escape(opens) * 2 for opens, _ in code if opens == "{"]
    if span.what == "string":
        parts += [re.escape(opens) for opens, _ in code if opens.startswith("\\")] + [r"\\."]
    parts += [re.escape(span.closing), *(re.escape(opens) for opens, _ in code), r"\n"]
    return re.compile("|".join(parts), re.DOTALL)


_PREFIX = re.compile(r"(?:(?<![A-Za-z0-9_])[A-Za-z]{1,3}|[$@]{1,2})\Z")
