"""What a language's text is made of, as far as brackets, strings, comments and indentation go."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from fim_lsp.text import filetypes, foreign

CLOSER_OF = {"(": ")", "[": "]", "{": "}"}
CLOSERS = ")]}"
_BRACKETS = frozenset("()[]{}")


class Mark(NamedTuple):
    """A bracket in code, or the mark that closes a string or comment begun earlier: its characters and its offset."""

    sign: str
    at: int


class Span(NamedTuple):
    """A kind of string or comment: what it is, its two marks, and the pattern from within to its end."""

    what: str  # "string" or "comment"
    opening: str
    closing: str
    to_end: re.Pattern[str]
    long: bool  # whether it may span lines

    def closed_in(self, text: str) -> bool:
        """Whether a text that follows it closes it before it opens another; marks that open and close alike come in pairs but for one."""
        if self.opening == self.closing:
            return text.count(self.closing) % 2 == 1
        closing, opening = text.find(self.closing), text.find(self.opening)
        return closing >= 0 and not 0 <= opening < closing


@dataclass(frozen=True, slots=True)
class Language:
    """A row of the table `languages.toml`, with the patterns made from it."""

    openings: tuple[str, ...]  # of comments, the longest first
    ends: frozenset[str]
    carries: frozenset[str]
    tops: tuple[str, ...]
    prose: bool
    fences: bool
    tags: bool
    keys: bool
    tabs: bool | None
    offside: bool
    chars: bool
    slashes: bool
    spaced: bool  # whether # begins a comment only behind a space
    code: tuple[tuple[str, str, str], ...]  # of code in strings: their mark, what opens it, what closes it
    statements: frozenset[str]
    never: re.Pattern[str]
    word: str
    leads: tuple[
        str, ...
    ]  # what comes before the words of a line: comments' openings and others, the longest first
    container: re.Pattern[str]
    spans: dict[str, Span]
    token: re.Pattern[str]
    telling: re.Pattern[str]
    spanning: re.Pattern[str]  # what strings and comments begin with
    marked: re.Pattern[str]  # where a long span begins or ends, a tag closes, a model's own mark stands

    def marks(self, text: str, inside: str = "") -> tuple[list[Mark], str]:
        """The brackets of a text that are code, and what its end is inside of.

        `inside` is a key of `spans`, or "" for code; what closes a span that began before the text is a mark too.
        """
        found: list[Mark] = []
        at = 0
        if inside:
            span = self.spans[inside]
            rest = span.to_end.match(text)
            if rest is not None:
                at = rest.end()
                found.append(Mark(span.closing, at - len(span.closing)))
            elif span.long or "\n" not in text:
                return found, inside
            else:
                at = text.index("\n")
        if not self.telling.search(text, at):
            return found, ""
        for token in self.token.finditer(text, at):
            if token.lastgroup is not None:  # a span that the end of the text leaves open
                return found, token.lastgroup
            sign = token[0]
            if sign in _BRACKETS:
                found.append(Mark(sign, token.start()))
        return found, ""


@cache
def language(name: str) -> Language:
    """The row for an LSP languageId; that of `*` for one that the table does not know."""
    rows = _rows()
    row = rows.get(name.lower(), rows["*"])
    spans: dict[str, Span] = {}
    parts: list[str] = []
    first = {"'"} if row.get("chars") else set()
    guard = r"(?!\{)" if row.get("interpolates") else r"(?<![^\s;(]#)" if row.get("spaced") else ""

    def add(what: str, opening: str, closing: str, within: str, *, long: bool) -> None:
        key = f"span{len(spans)}"
        unlike = guard if opening == "#" else ""
        end = re.escape(closing) if closing != "\n" else r"(?=\n)"
        spans[key] = Span(what, opening, closing, re.compile(f"{within}{end}", re.DOTALL), long)
        parts.append(rf"{re.escape(opening)}{unlike}{within}(?:{end}|(?P<{key}>\Z))")
        first.add(opening[0])

    for opening, closing in row.get("long", ()):
        add("string", opening, closing, r"(?:[^\\]|\\.)*?", long=True)
    for opening, closing in row.get("block", ()):
        add("comment", opening, closing, r".*?", long=True)
    for mark in row.get("line", ()):
        add("comment", mark, "\n", r"[^\n]*", long=False)
    for quote in row.get("quotes", ()):
        add("string", quote, quote, rf"(?:\\.|[^{quote}\\\n])*", long=False)
    if row.get("chars"):
        parts.append(r"'(?:\\[^\n']{1,8}|[^'\\\n])'")
    marks = {"</", "```", "~~~", *foreign.TELLING}
    marks.update(mark for span in spans.values() if span.long for mark in (span.opening, span.closing))
    comments = [span for span in spans.values() if span.what == "comment"]
    # Each alternative begins with a plain character, so that the pattern's search skips to the next of them.
    parts.extend(map(re.escape, _BRACKETS))
    return Language(
        openings=tuple(sorted((s.opening for s in comments), key=len)[::-1]),
        ends=frozenset(row.get("ends", ())),
        carries=frozenset(row.get("carries", ())),
        tops=tuple(row.get("tops", ())),
        prose=row.get("prose", False),
        fences=row.get("fences", False),
        tags=row.get("tags", False),
        keys=row.get("keys", False),
        tabs=row.get("tabs"),
        offside=row.get("offside", False),
        chars=row.get("chars", False),
        slashes=row.get("slashes", False),
        spaced=row.get("spaced", False),
        code=tuple((mark, opens, closes) for mark, opens, closes in row.get("code", ())),
        statements=frozenset(row.get("statements", ())),
        never=re.compile(row.get("never", "(?!)")),
        word=row.get("word", ""),
        leads=tuple(sorted({*row.get("marks", ()), *(s.opening for s in comments)}, key=len)[::-1]),
        container=_container(),
        spans=spans,
        token=re.compile("|".join(parts), re.DOTALL),
        telling=re.compile(_any_of(first | _BRACKETS)),
        spanning=re.compile(_any_of(first)),
        marked=re.compile("|".join(map(re.escape, sorted(marks)))),
    )


def comment_mark(name: str) -> str:
    """What begins a comment to the end of the line in a language; nothing where there are none."""
    spans = language(name).spans.values()
    return next((span.opening for span in spans if span.what == "comment" and span.closing == "\n"), "")


def naming_line(name: str, spoken: str) -> str:
    """The line that names a file to the model: a comment, by the name's ending, else by `spoken`; in plain text the name alone.

    `spoken` is an LSP languageId, "" where the editor tells none.
    """
    told = filetypes.told_by(name) or spoken
    sign = comment_mark(told) or ("" if language(told).prose else "//")
    return f"{sign} {name}\n" if sign else f"{name}\n"


def _any_of(signs: set[str] | frozenset[str]) -> str:
    return "[" + "".join(map(re.escape, sorted(signs))) + "]" if signs else "(?!)"


@cache
def _container() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(_table()['containers'])})\b")


@cache
def _rows() -> dict[str, dict[str, Any]]:
    return {name: row for row in _table()["language"] for name in row["ids"]}


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("fim_lsp").joinpath("text", "languages.toml").read_text("utf-8"))
