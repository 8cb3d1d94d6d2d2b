"""Holes: pieces taken out of files as they are, where a person would have typed them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import PurePath
from typing import NamedTuple

from fim_lsp.context.outline import outline
from fim_lsp.text.language import CLOSER_OF, CLOSERS, language
from fim_lsp.text.surroundings import unified, width

MOST_LINES = 24  # of a hole
MOST_ARGUMENTS = 200  # characters between the brackets of a call
KINDS = ("inside", "rest", "block", "body", "lines")  # for a scripted model
LIVE = ("rest", "block", "call", "definition")  # for a model that is asked
TRIES = 24  # at a kind of hole in a file

LANGUAGES = {
    ".c": "c",
    ".cc": "cpp",
    ".cpp": "cpp",
    ".cs": "csharp",
    ".css": "css",
    ".go": "go",
    ".h": "c",
    ".hpp": "cpp",
    ".htm": "html",
    ".html": "html",
    ".java": "java",
    ".js": "javascript",
    ".jsx": "javascriptreact",
    ".kt": "kotlin",
    ".lua": "lua",
    ".php": "php",
    ".py": "python",
    ".rb": "ruby",
    ".rs": "rust",
    ".scala": "scala",
    ".sh": "shellscript",
    ".swift": "swift",
    ".ts": "typescript",
    ".tsx": "typescriptreact",
    ".vue": "vue",
}


class Hole(NamedTuple):
    """A piece of a file taken out; `kind` is one of `KINDS` or of `LIVE`."""

    path: str
    language: str
    kind: str
    prefix: str
    truth: str
    suffix: str


def language_of(path: str) -> str | None:
    """The LSP languageId that a file's name tells."""
    return LANGUAGES.get(PurePath(path).suffix.lower())


def holes(path: str, text: str, seed: int, n: int) -> list[Hole]:
    """Up to `n` holes in a file, of each kind in turn: inside a line, to its end, to a block's end, a body, lines."""
    rng = random.Random(f"{seed} {path}")  # noqa: S311
    name = language_of(path)
    found: list[Hole] = []
    if name is None:
        return found
    source = _Source(unified(text), name)
    for attempt in range(n * 8):
        if len(found) == n:
            break
        kind = KINDS[len(found) % len(KINDS)] if attempt < n * 6 else rng.choice(KINDS)
        if hole := source.cut(path, kind, rng):
            found.append(hole)
    return found


def drawn(files: Sequence[tuple[str, str]], n: int, seed: int = 0) -> list[Hole]:
    """Up to `n` holes for a model that is asked, one a file in turn and of each kind in turn; more begin with the same.

    `files` are paths and texts in any order.
    """
    order = sorted(files)
    random.Random(f"{seed}").shuffle(order)  # noqa: S311
    sources = [(path, _Source(unified(text), name)) for path, text in order if (name := language_of(path))]
    found: dict[tuple[str, int, int], Hole] = {}
    left = dict.fromkeys(range(len(sources)))  # the files that may have more
    for turn in range(n):
        for at in list(left):
            if len(found) == n:
                return list(found.values())
            path, source = sources[at]
            rng = random.Random(f"{seed} {path} {turn}")  # noqa: S311
            tried = _tried(path, source, rng, len(found))
            hole = next((one for one in tried if _where(one) not in found), None)
            if hole is None:
                del left[at]
            else:
                found[_where(hole)] = hole
    return list(found.values())


def _where(hole: Hole) -> tuple[str, int, int]:
    """What two holes that are the same have in common."""
    return hole.path, len(hole.prefix), len(hole.truth)


def _tried(path: str, source: _Source, rng: random.Random, first: int) -> Iterator[Hole]:
    """Holes in a file, of the kind whose turn it is, or else of the next ones."""
    for kind in (LIVE[(first + more) % len(LIVE)] for more in range(len(LIVE))):
        yield from filter(None, (source.cut(path, kind, rng) for _ in range(TRIES)))


class _Source:
    """A file to be cut; offsets count characters, lines count from 0."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.lines = text.split("\n")
        self.starts = list(accumulate((len(line) + 1 for line in self.lines), initial=0))

    def cut(self, path: str, kind: str, rng: random.Random) -> Hole | None:
        """A hole of a kind, drawn; None where the place that was drawn has none."""
        span = _CUTS[kind](rng, self)
        if span is None or not self.text[span[0] : span[1]].strip():
            return None
        text = self.text
        return Hole(path, self.name, kind, text[: span[0]], text[span[0] : span[1]], text[span[1] :])

    @cached_property
    def definitions(self) -> list[tuple[int, int]]:
        """The line of each definition, and the column behind its name."""
        found = [
            (one.line, self.lines[one.line].find(one.name), one) for one in outline(self.lines, self.name)
        ]
        return [(line, at + len(one.name)) for line, at, one in found if at >= 0]

    @cached_property
    def calls(self) -> list[tuple[int, int]]:
        """From where to where the arguments of each call reach, brackets and strings in code told apart."""
        heads = {self.starts[line] + column for line, column in self.definitions}
        found: list[tuple[int, int]] = []
        stack: list[tuple[str, int]] = []
        for sign, at in language(self.name).marks(self.text)[0]:
            if sign in CLOSER_OF:
                stack.append((sign, at))
            elif sign in CLOSERS and stack and CLOSER_OF[stack[-1][0]] == sign:
                opener, start = stack.pop()
                named = opener == "(" and re.match(r"\w", self.text[max(0, start - 1) : start])
                fits = 0 < at - start - 1 <= MOST_ARGUMENTS
                if named and fits and start not in heads:
                    found.append((start + 1, at))
        return found


Cut = Callable[[random.Random, _Source], tuple[int, int] | None]


def _inside(rng: random.Random, source: _Source) -> tuple[int, int] | None:
    lines, starts = source.lines, source.starts
    line = rng.randrange(len(lines))
    indent = len(lines[line]) - len(lines[line].lstrip())
    if len(lines[line]) - indent < 8:
        return None
    first = rng.randrange(indent, len(lines[line]) - 4)
    last = rng.randrange(first + 1, len(lines[line]))
    return starts[line] + first, starts[line] + last


def _rest(rng: random.Random, source: _Source) -> tuple[int, int] | None:
    lines, starts = source.lines, source.starts
    line = rng.randrange(len(lines))
    indent = len(lines[line]) - len(lines[line].lstrip())
    if len(lines[line]) - indent < 4:
        return None
    return starts[line] + rng.randrange(indent, len(lines[line]) - 1), starts[line] + len(lines[line])


def _block(rng: random.Random, source: _Source) -> tuple[int, int] | None:
    """From where a line's text begins to the end of the block that it stands in."""
    lines, starts = source.lines, source.starts
    line = rng.randrange(len(lines))
    if not lines[line].strip():
        return None
    indent = width(lines[line])
    last = line
    for below in range(line + 1, len(lines)):
        if lines[below].strip():
            if width(lines[below]) < indent:
                break
            last = below
    else:
        if indent == 0:
            return None
    if last - line >= MOST_LINES:
        return None
    return starts[line] + len(lines[line]) - len(lines[line].lstrip()), starts[last] + len(lines[last])


def _body(rng: random.Random, source: _Source) -> tuple[int, int] | None:
    """All that stands deeper under a line."""
    lines, starts = source.lines, source.starts
    heads = [
        i
        for i in range(len(lines) - 1)
        if lines[i].strip() and lines[i + 1].strip() and width(lines[i]) < width(lines[i + 1])
    ]
    if not heads:
        return None
    head = rng.choice(heads)
    last = head
    for below in range(head + 1, len(lines)):
        if lines[below].strip():
            if width(lines[below]) <= width(lines[head]):
                break
            last = below
    if last - head > MOST_LINES:
        return None
    first = starts[head] + len(lines[head])
    if rng.random() < 0.5:
        first = starts[head + 1] + len(lines[head + 1]) - len(lines[head + 1].lstrip())
    return first, starts[last] + len(lines[last])


def _lines(rng: random.Random, source: _Source) -> tuple[int, int] | None:
    """Whole lines with their line ends, to the end of a block."""
    found = _block(rng, source)
    if found is None:
        return None
    first = max(start for start in source.starts if start <= found[0])
    return (first, found[1] + 1) if found[1] + 1 < len(source.text) else None


def _call(rng: random.Random, source: _Source) -> tuple[int, int] | None:
    """What stands between the brackets of a call."""
    return rng.choice(source.calls) if source.calls else None


def _definition(rng: random.Random, source: _Source) -> tuple[int, int] | None:
    """What follows the name of a definition, to the end of its body."""
    if not source.definitions:
        return None
    head, column = rng.choice(source.definitions)
    lines, deep = source.lines, width(source.lines[head])
    last = head
    for below in range(head + 1, min(head + MOST_LINES + 1, len(lines))):
        if not lines[below].strip():
            continue
        closes = width(lines[below]) == deep and _closes(lines[below])
        if width(lines[below]) <= deep and not closes:
            break
        last = below
        if closes and not lines[below].rstrip().endswith((":", "{")):
            break
    else:
        return None
    return (source.starts[head] + column, source.starts[last] + len(lines[last])) if last > head else None


def _closes(line: str) -> bool:
    """Whether a line does nothing but end what stands above it, or begin the body of its head."""
    word = line.strip()
    return word[0] in CLOSERS or word in {"{", "end"}


_CUTS: dict[str, Cut] = {
    "inside": _inside,
    "rest": _rest,
    "block": _block,
    "body": _body,
    "lines": _lines,
    "call": _call,
    "definition": _definition,
}
