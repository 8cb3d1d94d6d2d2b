"""What an editor has closed by itself behind the cursor, and how much of that a text closes too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from fim_lsp.text.language import CLOSER_OF, CLOSERS, Language, language

LONGEST = 48  # characters that an editor adds at once
TRUNCATED = 150  # characters of a text's beginning that tell that it goes on alike
LINES = 3  # line ends that tell the same


class Behind(NamedTuple):
    """How the text right of a cursor has changed while what is left of it grew."""

    added: str  # what stands there newly
    over: int  # characters that stood there and have been typed over


class Context(NamedTuple):
    """What a text at a place is read in."""

    head: str  # what its line has before it
    language: str  # the LSP languageId
    inside: str  # the span of the language that the place is in, "" for code


class _Pair(NamedTuple):
    opened: int  # offset of what opens
    closed: int | None  # offset of what closes it; None if nothing does
    closer: str


def behind(then: str, now: str) -> Behind | None:
    """The change from what stood behind a cursor to what stands there; None if it is not one of an editor's closing."""
    if then == now:
        return Behind("", 0)
    most = len(found[0]) if (found := _RUN.match(now[:LONGEST])) else 0
    sizes = [0, *(size for size in range(1, most + 1) if _RUN.fullmatch(now, 0, size))]
    typed_over = len(then) - len(then[:8].lstrip(_SIGNS)) - len(then[8:])
    for over in range(typed_over + 1):
        for size in sizes:
            if _alike(then[over:], now[size:]):
                return Behind(now[:size], over)
    return None


def closers(text: str) -> bool:
    """Whether a text is nothing but what editors add behind a cursor."""
    return _RUN.fullmatch(text) is not None


def pair(text: str) -> bool:
    """Whether a text is what one key inserts where editors close what it opens."""
    return len(text) > 1 and opens(text[0], text[1:]) and closers(text[1:])


def run(rest: str) -> str:
    """The closers that a line's rest begins with."""
    found = _LINE_RUN.match(rest)
    return found[0] if found else ""


def opens(head: str, added: str) -> bool:
    """Whether a line's beginning ends in what an editor would close so."""
    sign = added[:1]
    return bool(sign) and head.endswith(_OPENER_OF.get(sign, sign))


def left(text: str, covers: int, typed: int, change: Behind, context: Context) -> tuple[str, int] | None:
    """What is left of a text after its first `typed` characters, and how many characters behind the cursor it covers.

    `covers` is that number before anything was typed.  What was closed in advance is covered as far as the text closes
    it as well, so that with it the document becomes what it would have been without; what the text leaves open stays
    closed.  None if what was added does not come from what was typed.
    """
    if change.over > covers:
        return None
    rest, covers = text[typed:], covers - change.over
    if not change.added:
        return rest, covers
    if change.added.strip().isalpha():
        end = re.compile(re.escape(change.added.lstrip(" \t\r")) + r"\b").search(rest)
        return None if covers else (rest[: end.start()] if end else rest, 0)
    whole, at = context.head + text, len(context.head) + typed
    matched = _read(whole, at, change.added, context)
    if matched is None:
        return None
    if "\n" in change.added:
        return (_above(whole, at, matched.first), 0) if not covers else None
    if covers and matched.size < len(change.added):
        return None
    covered = change.added[: matched.size]
    if not covers and not matched.spent and matched.end == len(whole) and rest.endswith(covered):
        return rest[: len(rest) - len(covered)], 0
    return rest, matched.size + covers


def fitted(text: str, there: str, context: Context) -> tuple[str, int] | None:
    """A text before closers, and how many of their characters it covers; None if it does not tell.

    One line that leaves a bracket of its own open in front of what stays closed ends where it closes the first.
    """
    at = len(context.head)
    matched = _read(context.head + text, at, there, context)
    if (
        matched
        and matched.first is not None
        and matched.hangs
        and matched.size < len(there)
        and "\n" not in text
    ):
        return text[: matched.first - at], 0
    return left(text, 0, 0, Behind(there, 0), context)


def _read(whole: str, at: int, added: str, context: Context) -> _Matched | None:
    """How far the text closes what was added, as code or as text of no language."""
    tongue = language(context.language)
    tags = _tags(whole) if "</" in added else []
    for pairs in (_pairs(whole, tongue, _start(context, tongue)), _loose(whole, 0, len(whole))):
        try:
            return _matched(whole, at, added, pairs + tags, len(context.head))
        except LookupError:
            continue
    return None


class _Matched(NamedTuple):
    size: int  # characters of what was added that the text closes as well
    end: int  # where in the text it has done so
    first: int | None  # where it begins to
    spent: bool  # whether some of it is closed in what was typed already
    hangs: bool  # whether the text leaves a bracket of its own open


def _matched(whole: str, at: int, added: str, pairs: list[_Pair], start: int) -> _Matched:
    """How far the text closes what was added; LookupError if something of it has nothing that opens it."""
    tokens = list(_TOKEN.finditer(added))
    left_open = _parted(pairs, len(whole) + 1, at)[0]
    if tokens and left_open and left_open[0].opened >= at and left_open[0].closer == tokens[0][0].strip():
        return _Matched(0, at, None, spent=False, hangs=True)  # what the text opens last is what is closed so
    still, spent = _parted(pairs, at, start)
    size, end, first, used = 0, at, None, False
    for token in tokens:
        sign = token[0].strip()
        found = next((n for n, pair in enumerate(still) if pair.closer == sign), None)
        if sign in spent and found != 0:
            # Typed though it was there: the text has gone past it.
            spent.remove(sign)
            size, used = token.end(), True
            continue
        if found is not None:
            mate = still[found].closed
            del still[: found + 1]
        else:
            mate = _mate(whole, at, end, sign)
        if mate is not None:
            size, end = token.end(), mate + len(sign)
            first = mate if first is None else first
    return _Matched(size, end, first, used, bool(left_open) and left_open[0].opened >= at)


def _parted(pairs: list[_Pair], at: int, start: int) -> tuple[list[_Pair], list[str]]:
    """The pairs that are open at a place, innermost first, and the closers of those typed to their end before it."""
    still: list[_Pair] = []
    spent: list[str] = []
    over = -1.0  # where the outermost pair before the place ends
    for pair in sorted((pair for pair in pairs if pair.opened < at), key=lambda pair: pair.opened):
        end = pair.opened if pair.closed is None and pair.opened < over else _end(pair)
        if end > at:
            still.append(pair)
        else:
            over = max(over, end)
            if pair.opened >= start:
                spent.append(pair.closer)
    return still[::-1], spent


def _end(pair: _Pair) -> float:
    return float("inf") if pair.closed is None else pair.closed + len(pair.closer)


def _mate(whole: str, at: int, end: int, sign: str) -> int | None:
    """Where a text closes a comment or the like; None if it does not.  LookupError if none is open."""
    opener = _LITERAL.get(sign)
    if opener is None or opener not in whole[:at]:
        raise LookupError(sign)
    if opener == "<":
        depth = 0
        for angle in _ANGLE.finditer(whole, end):
            depth += 1 if angle[0] == "<" else -1
            if depth < 0:
                return angle.start()
        return None
    found = whole.find(sign, end if end > at else at - len(sign) + 1)
    return found if found >= 0 else None


def _tags(text: str) -> list[_Pair]:
    """What opens and closes by tags."""
    found: list[_Pair] = []
    stack: list[tuple[str, int]] = []
    for tag in _TAG.finditer(text):
        if not tag[1]:
            stack.append((tag[2], tag.start()))
            continue
        depth = next((n for n in range(len(stack), 0, -1) if stack[n - 1][0] == tag[2]), 0)
        if depth:
            found.append(_Pair(stack[depth - 1][1], tag.start(), f"</{tag[2]}>"))
            del stack[depth - 1 :]
    return found + [_Pair(at, None, f"</{name}>") for name, at in stack]


def _above(whole: str, at: int, mate: int | None) -> str:
    """What is left of a text before the line that an editor has closed it with."""
    return whole[at:] if mate is None else whole[at:mate].rstrip()


def _start(context: Context, tongue: Language) -> str:
    """The span in which the line begins."""
    return "" if tongue.marks(context.head)[1] == context.inside else context.inside


def _pairs(text: str, tongue: Language, inside: str) -> list[_Pair]:
    """What opens and closes in code, and within its strings and comments."""
    found: list[_Pair] = []
    stack: list[tuple[int, str]] = []
    at = 0
    if inside:
        span = tongue.spans[inside]
        end = span.to_end.match(text)
        at = end.end() if end else len(text)
        found += _loose(text, 0, at - len(span.closing) if end else at)
    for token in tongue.token.finditer(text, at):
        start, sign = token.start(), token[0]
        if sign in CLOSER_OF:
            stack.append((start, CLOSER_OF[sign]))
        elif sign in CLOSERS:
            depth = next((n for n in range(len(stack), 0, -1) if stack[n - 1][1] == sign), 0)
            if depth:
                found.append(_Pair(stack[depth - 1][0], start, sign))
                found += [_Pair(opened, None, closer) for opened, closer in stack[depth:]]
                del stack[depth - 1 :]
        else:
            found += _spanned(text, token, tongue)
    return found + [_Pair(opened, None, closer) for opened, closer in stack]


def _spanned(text: str, token: re.Match[str], tongue: Language) -> Iterator[_Pair]:
    """A string or comment, and what opens and closes in it."""
    start, end = token.span()
    matching = (span for span in tongue.spans.values() if token[0].startswith(span.opening))
    span = max(matching, key=lambda span: len(span.opening), default=None)
    if span is None:  # one character
        yield _Pair(start, end - 1, "'")
        return
    within, closed = start + len(span.opening), None if token.lastgroup else end - len(span.closing)
    if span.closing != "\n":
        yield _Pair(start, closed, span.closing)
    yield from _loose(text, within, end if closed is None else closed)


def _loose(text: str, start: int, end: int) -> list[_Pair]:
    """What opens and closes in a text of no language: brackets and quotes, and no apostrophes."""
    found: list[_Pair] = []
    stack: list[tuple[int, str]] = []

    def close(depth: int, at: int | None) -> None:
        opened, closer = stack[depth]
        found.append(_Pair(opened, at, closer))
        found.extend(_Pair(opened, None, closer) for opened, closer in stack[depth + 1 :])
        del stack[depth:]

    for match in _MARK.finditer(text, start, end):
        at, sign = match.start(), match[0]
        if sign in CLOSER_OF:
            stack.append((at, CLOSER_OF[sign]))
        elif sign in CLOSERS:
            for depth in range(len(stack) - 1, -1, -1):
                if stack[depth][1] == sign:
                    close(depth, at)
                    break
                if stack[depth][1] in _QUOTES:
                    break
        elif sign == "\n" or sign in _QUOTES:
            ends = "\"'" if sign == "\n" else sign
            quoted = next((n for n, (_, closer) in enumerate(stack) if closer in ends), None)
            if quoted is not None:
                close(quoted, None if sign == "\n" else at)
            elif sign in _QUOTES and not (sign == "'" and text[at - 1 : at].isalnum()):
                stack.append((at, sign))
    return found + [_Pair(opened, None, closer) for opened, closer in stack]


def _alike(then: str, now: str) -> bool:
    """Whether two texts, each of which may be cut, begin alike as far as is known."""
    short, long = sorted((then, now), key=len)
    if not long.startswith(short):
        return False
    return short == long or len(short) >= TRUNCATED or short.count("\n") >= LINES


_QUOTES = "\"'`"
_SIGNS = ")]}>\"'`$"
_OPENER_OF = {closer: opener for opener, closer in CLOSER_OF.items()} | {">": "<"}
_LITERAL = {
    "*/": "/*", "-->": "<!--", "%}": "{%", "#}": "{#", "%>": "<%", "?>": "<?", "*)": "(*", "-}": "{-",
    "|]": "[|", '"""': '"""', "'''": "'''", "```": "```", "$": "$", ">": "<",
}  # fmt: skip
_ONE = r""" ?(?:</[\w:.-]*>|\"{3}|'{3}|`{3}|\*/|-->|[%#]\}|[%?]>|\*\)|-\}|\|\]|[)\]}>"'`$])"""
_TOKEN = re.compile(rf"{_ONE}|\b(?:end\w*|fi|done|esac)\b")
# On the cursor's line, or on the next where a line break was typed between two brackets or after a word.
_RUN = re.compile(rf"(?:[ \t]*\r?\n[ \t]*(?:(?:{_ONE})+|(?:end\w*|fi|done|esac)\b)|(?:{_ONE})+)")
_LINE_RUN = re.compile(rf"(?:{_ONE})+")
_MARK = re.compile(r"""\\[\\"'`]|[()\[\]{}"'`\n]""", re.DOTALL)
_TAG = re.compile(r"<(/?)([\w:.-]*)")
_ANGLE = re.compile(r"(?<![-=])[<>](?!=)")
