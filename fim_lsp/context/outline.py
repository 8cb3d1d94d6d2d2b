"""What a file defines: names, their lines and their signatures, by the patterns of its language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate, islice
from typing import Any, NamedTuple

from fim_lsp.text.language import language as text_of

LONGEST_LINE = 1_000  # characters; what is longer was not written by hand
MOST_DEFINITIONS = 2_000  # of a file
LONGEST_SIGNATURE = 160  # characters
_JOINED = 6  # lines that a signature may take
_WALKED = 60  # lines in which the end of a longer one is looked for, so that they are not taken for members
_DEEPEST = 8  # spaces of indentation that a signature keeps
_TAB = 4  # columns
_TOP = "top"  # what holds the lines of a file that stand in nothing
_BODY = "body"  # what holds the lines below one that holds no definitions
_OPENERS = "([{"
_CLOSERS = ")]}"
_GIVES = frozenset({"=", ":", "\\\\"})  # what a default stands behind


class Definition(NamedTuple):
    """A name that a file defines: the line it stands on, from 0, and one line that shows it.

    `signature` keeps its indentation as at most 8 spaces, has no line end and no body, and is at most
    160 characters; one that goes on over lines is joined.  It shows no value: what is assigned is left out, and `...`
    stands for a string, and for a default that is more than a number or a name.
    """

    name: str
    line: int
    signature: str


def outline(lines: Sequence[str], language: str) -> list[Definition]:
    """The definitions of a file in order, at most 2,000; none for a language (an LSP languageId) without rules.

    Any text will do. What holds a line is the nearest line above it with less indentation: a rule says within
    what it applies and what the lines below it are then held by. Time is linear in the text.
    """
    tongue = _tongue(language.lower())
    if tongue is None:
        return []
    text = [_plain(line) for line in lines]
    if text:
        text[0] = text[0].removeprefix("\ufeff")
    if tongue.scripts:
        text = _scripts(text)
    return list(islice(_definitions(tongue, text), MOST_DEFINITIONS))


def known(language: str) -> bool:
    """Whether a language has rules."""
    return language.lower() in _rows()


class Rule(NamedTuple):
    """What a line that a rule matches is: what holds the lines below it, and where its signature ends."""

    opens: str  # "" if they are held by what holds the line itself
    whole: bool  # whether the signature goes on until its brackets are closed
    cuts: frozenset[str]
    bare: bool = False  # whether it ends behind the name


class Rules(NamedTuple):
    """The rules within one kind of holder: one pattern, whose n-th group is the n-th rule's name."""

    pattern: re.Pattern[str]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Tongue:
    """A row of the table `outlines.toml`, with the patterns made from it and from its row in `languages.toml`."""

    comments: tuple[str, ...]
    long: tuple[str, ...]  # what opens a string or comment that may span lines
    spans: re.Pattern[str]  # a string or comment, to its end or that of the text
    signs: re.Pattern[str]  # the same, or a mark that a signature's end is found by
    values: re.Pattern[str]  # the same, or a mark that a default's ends are found by
    quote: re.Pattern[str]  # what begins a string
    passes: re.Pattern[str] | None  # a line that holds nothing and ends nothing
    joins: re.Pattern[str] | None  # a line that the next belongs to
    carries: re.Pattern[str] | None  # a line that carries a signature on
    scripts: bool
    rules: dict[str, Rules | None]

    def match(self, kind: str, code: str) -> tuple[Rule, str] | None:
        """The first rule for what is held by `kind` that matches a line, and the name in it."""
        rules = self.rules.get(kind)
        match = rules.pattern.match(code) if rules is not None else None
        if rules is None or match is None or match.lastindex is None:
            return None
        return rules.rules[match.lastindex - 1], match[match.lastindex]

    def inside(self, text: Sequence[str]) -> set[int]:
        """The lines that begin inside a string or comment."""
        whole = "\n".join(text) + "\n"
        found: set[int] = set()
        if not any(mark in whole for mark in self.long):
            return found
        line = at = 0
        for span in self.spans.finditer(whole):
            height = span[0].count("\n")
            if height:
                line += whole.count("\n", at, span.start())
                found.update(range(line + 1, line + height + 1))
                line += height
                at = span.end()
        return found


def _definitions(tongue: Tongue, text: Sequence[str]) -> Iterator[Definition]:
    inside = tongue.inside(text)
    passes, joins = tongue.passes, tongue.joins
    holders: list[tuple[int, str, int]] = []  # indentation, what the line holds, its number
    held = ""  # a line that the next belongs to
    after = 0  # the lines before it belong to a signature
    for number, line in enumerate(text):
        if number < after or not line or number in inside:
            continue
        code = line.lstrip()
        if not code or code.startswith(tongue.comments):
            continue
        before, held = held, ""
        indent = _width(line, code)
        if passes is not None and passes.match(code):
            found = tongue.match("#", code)
            if found is not None:
                yield Definition(found[1], number, _signature(tongue, text, number, *found)[0])
            continue
        while holders and holders[-1][0] > indent:
            holders.pop()
        if code[0] in "{})]>":
            found = tongue.match("}", code)
            if found is not None and holders and holders[-1][0] == indent:
                opened = _signature(tongue, text, holders[-1][2], _OPENED, "")[0]
                yield Definition(found[1], number, f"{opened} {found[1]}"[:LONGEST_SIGNATURE])
            continue
        if holders and holders[-1][0] == indent:
            holders.pop()
        kind = holders[-1][1] if holders else _TOP
        if kind not in tongue.rules:
            kind = _BODY
        if tongue.rules[kind] is None:
            continue
        found = tongue.match(kind, code)
        if found is None and before:
            found = tongue.match(kind, f"{before} {code}")
        else:
            before = ""
        if found is None:
            holders.append((indent, _BODY, number))
            if joins is not None and joins.fullmatch(code):
                held = code
            continue
        rule, name = found
        holders.append((indent, rule.opens or kind, number))
        if name:
            signature, after = _signature(tongue, text, number, rule, name, before)
            yield Definition(name, number, signature)


def _signature(
    tongue: Tongue, text: Sequence[str], number: int, rule: Rule, name: str, before: str = ""
) -> tuple[str, int]:
    """The signature that begins on a line, and the number of the line behind it."""
    code = text[number].lstrip()
    indent = _width(text[number], code)
    blank = " " * min(indent, _DEEPEST)
    if rule.bare:
        named = re.match(rf".*?\b{re.escape(name)}\b(?:\([^()]*\))?", code)
        return (blank + (named[0] if named else name))[:LONGEST_SIGNATURE], number + 1
    shown = before
    depth = 0
    generic = closed = False  # within <> that go on over lines
    at = number
    while True:
        piece, depth, ended = _piece(tongue, text[at].strip(), depth, rule.cuts)
        if at - number < _JOINED:
            shown = _joined(shown, piece)
        at += 1
        if ended or at >= len(text) or at - number >= _WALKED:
            break
        code = text[at].lstrip()
        generic = (generic or shown.endswith("<")) and not closed
        closed = code.startswith(">")
        within = bool(code) and (_width(text[at], code) > indent or code[0] in ")]}>")
        carried = depth == 0 and tongue.carries is not None and tongue.carries.match(code) is not None
        if not (carried or (within and (generic or (rule.whole and depth > 0)))):
            break
    shown = shown.rstrip(" ,;=\\" if depth == 0 else " ,;=\\([{") or shown
    shown = _valueless(tongue, shown)
    if name not in shown:
        shown = name
    return (blank + shown)[:LONGEST_SIGNATURE].rstrip(), at


_LEFT_OUT = "..."
_MAY_HOLD_A_VALUE = re.compile(
    r"[\"'`=\\/<]|:\s|\[\["
)  # most signatures hold none, and are shown as they are
_MANY_LEFT_OUT = re.compile(r"\.\.\.(?:(?:,| \|) \.\.\.)+")
_PLAIN = re.compile(r"[-+!&*]?(?:new )?[\w.:$@]{1,40}(?:\(\))?|\[\]|\{\}|\(\)")  # defaults that tell nothing
_ABI = r'\bextern "[\w-]{1,12}"'  # the one string that is no value


def _valueless(tongue: Tongue, shown: str) -> str:
    """A signature without the strings in it, and without the defaults that are more than a number or a name."""
    if not _MAY_HOLD_A_VALUE.search(shown):
        return shown
    parts: list[str] = []
    start = depth = within = 0
    given = -1  # where a default begins, `within` so many brackets
    for sign in (*tongue.values.finditer(shown), None):
        mark, at = (sign[0], sign.start()) if sign is not None else ("", len(shown))
        if given >= 0 and (not mark or (depth == within and mark in {*_CLOSERS, ",", ";"})):
            value = shown[given:at].strip()
            if not _PLAIN.fullmatch(value):
                parts += [shown[start:given], " " * shown.startswith(" ", given), _LEFT_OUT]
                start = at
            given = -1
        if sign is None or mark in {",", ";"} or mark.startswith("extern"):
            continue
        if mark in _OPENERS:
            depth += 1
        elif mark in _CLOSERS:
            depth = max(depth - 1, 0)
        elif given >= 0:
            continue
        elif mark in _GIVES:
            if depth or mark != "=":
                given, within = sign.end(), depth
        elif not mark.startswith((*tongue.comments, "\\")):
            parts += [shown[start:at], _LEFT_OUT]
            start = sign.end()
    found = _MANY_LEFT_OUT.sub(_LEFT_OUT, "".join([*parts, shown[start:]])) if parts else shown
    # A string that was not seen as a whole: what is behind its mark may be a part of it.
    rest = next((quote for quote in tongue.quote.finditer(found) if not quote[0].startswith("extern")), None)
    return found if rest is None else found[: rest.start()].rstrip(" ,=([{")


def _piece(tongue: Tongue, code: str, depth: int, cuts: frozenset[str]) -> tuple[str, int, bool]:
    """A line of a signature without its comments, the brackets open behind it, and whether it is the last."""
    parts: list[str] = []
    start = 0
    ended = False
    for sign in tongue.signs.finditer(code + "\n"):  # a comment ends at a line's end
        mark = sign[0]
        if mark in _OPENERS:
            if depth == 0 and mark in cuts and code[: sign.start()].rstrip()[-1:] not in {*":|&<,=("}:
                code, ended = code[: sign.start()], True
                break
            depth += 1
        elif mark in _CLOSERS:
            depth = max(depth - 1, 0)
        elif mark in cuts:
            if depth == 0:
                code, ended = code[: sign.start()], True
                break
        elif mark.startswith(tongue.comments):
            parts.append(code[start : sign.start()])
            start = sign.end()
    parts.append(code[start:])
    return " ".join("".join(parts).split()), depth, ended


def _joined(shown: str, piece: str) -> str:
    if not shown or not piece:
        return shown or piece
    if piece[0] in ")]>":
        return shown.rstrip(", ") + piece
    return shown + piece if shown[-1] in "([<" else f"{shown} {piece}"


def _plain(line: str) -> str:
    """A line without its end; nothing for one that is not looked at."""
    line = line.rstrip("\r\n")
    return "" if len(line) > LONGEST_LINE or "\n" in line else line


def _width(line: str, code: str) -> int:
    """The columns before the code of a line."""
    blank = len(line) - len(code)
    return len(line[:blank].expandtabs(_TAB)) if "\t" in line[:blank] else blank


_SCRIPT = re.compile(r"<script\b[^>]*>\s*$", re.IGNORECASE)


def _scripts(text: Sequence[str]) -> list[str]:
    """The lines of a page that are script, the others empty."""

    def step(within: bool, line: str) -> bool:
        return "</script" not in line if within else _SCRIPT.match(line) is not None

    within = list(accumulate(text, step, initial=False))
    return [line if was and now else "" for line, was, now in zip(text, within, within[1:], strict=False)]


_OPENED = Rule(opens=_BODY, whole=False, cuts=frozenset("{"))


_CHARS = r"'(?:\\.|[^'\\])*'"


@cache
def _tongue(name: str) -> Tongue | None:
    row = _rows().get(name)
    if row is None:
        return None
    like = _rows()[row["like"]] if "like" in row else row
    tongue = text_of(like["ids"][0])
    spans = [f"(?:{like['skips']})"] if "skips" in like else []
    spans.append(r"\\[^\n]")  # what a backslash takes its meaning from, outside of strings
    for span in tongue.spans.values():
        rest = f"(?:{span.to_end.pattern}|.*)" if span.long else span.to_end.pattern
        spans.append(re.escape(span.opening) + rest)
    if not any(span.opening == "'" for span in tongue.spans.values()):
        spans.append(r"'(?:\\[^\n']{1,8}|[^'\\\n])'")
    # Other than where ' begins a lifetime, it may begin a string of any length.
    signs = "\"'" if like["ids"] != ["rust"] else '"'
    signs += "".join(span.opening for span in tongue.spans.values() if span.opening == "`")
    values = [like.get("gives", "(?<![=!<>:+*/|&^%~-])=(?![=>~])"), _ABI]
    cuts = like.get("cuts", ["{"])
    rules = [(rule, _rule(rule, cuts)) for rule in like["rule"]]
    marks = sorted({mark for _, rule in rules for mark in rule.cuts} - {*_OPENERS}, key=len, reverse=True)
    kinds = {kind for rule in like["rule"] for kind in rule.get("in", ())}
    within = {kind: _within(kind, rules, like.get("parts", {})) for kind in (*kinds, _BODY)}
    return Tongue(
        comments=tuple(tongue.openings),
        long=tuple(span.opening for span in tongue.spans.values() if span.long) + tuple(like.get("long", ())),
        spans=re.compile("|".join(spans), re.DOTALL),
        signs=re.compile("|".join([*map(re.escape, marks), *spans, r"[(\[{}\])]"]), re.DOTALL),
        values=re.compile(
            "|".join([*values, *spans, *([_CHARS] if "'" in signs else []), r"[(\[{}\]),;]"]), re.DOTALL
        ),
        quote=re.compile(f"{_ABI}|[{signs}]"),
        passes=_optional(like, "passes"),
        joins=_optional(like, "joins"),
        carries=_optional(like, "carries"),
        scripts=row.get("scripts", False),
        rules=within,
    )


def _rule(row: dict[str, Any], cuts: Sequence[str]) -> Rule:
    return Rule(
        opens=row.get("opens", _BODY),
        whole=row.get("whole", True),
        bare=row.get("bare", False),
        cuts=frozenset(row.get("cuts", cuts)),
    )


def _within(kind: str, rules: Sequence[tuple[dict[str, Any], Rule]], parts: dict[str, str]) -> Rules | None:
    everywhere = () if kind in {"}", "#"} else (kind,)
    fitting = [(row, rule) for row, rule in rules if kind in row.get("in", everywhere)]
    if not fitting:
        return None
    patterns: list[str] = []
    for row, _ in fitting:
        pattern = row["is"].replace("(?P<name>", "(")
        for name, part in parts.items():
            pattern = pattern.replace(f"<{name}>", part)
        patterns.append(pattern if "(?P<name>" in row["is"] else f"{pattern}()")
    return Rules(re.compile("|".join(patterns)), tuple(rule for _, rule in fitting))


def _optional(row: dict[str, Any], key: str) -> re.Pattern[str] | None:
    return re.compile(row[key]) if key in row else None


@cache
def _rows() -> dict[str, dict[str, Any]]:
    table = tomllib.loads(files("fim_lsp").joinpath("context", "outlines.toml").read_text("utf-8"))
    return {name: row for row in table["language"] for name in row["ids"]}
