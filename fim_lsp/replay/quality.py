"""How well what is inserted fits, measured on real code: holes cut in files, and a model that does not know when to stop."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple

from fim_lsp.text.early_stop import Ending
from fim_lsp.text.extent import extent
from fim_lsp.text.postprocess import Insertion, tidy
from fim_lsp.text.surroundings import unified, width

SURPLUS = 400  # characters that the model goes on with after the truth
PIECE = 4  # characters of a streamed piece, about a token
AFTER = 4_000  # characters after the cursor that are known
MOST_LINES = 24  # of a hole
KINDS = ("inside", "rest", "block", "body", "lines")

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
    """A piece of a file taken out; `kind` is one of `KINDS`."""

    path: str
    language: str
    kind: str
    prefix: str
    truth: str
    suffix: str


class Verdict(NamedTuple):
    """What became of the truth and its surplus.

    `exact`: what is inserted is the truth, but for white space at its end; `shorter`: it is some whole lines of the
    truth; `doubled`: text after the cursor stands twice; `read`: characters of the surplus read before the stream was
    closed, of `surplus`.
    """

    inserted: Insertion
    exact: bool
    shorter: bool
    doubled: bool
    read: int
    surplus: int


@dataclass(slots=True)
class Row:
    """The verdicts on one language, counted."""

    holes: int = 0
    exact: int = 0
    shorter: int = 0
    doubled: int = 0
    read: int = 0
    surplus: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count one more."""
        self.holes += 1
        self.exact += verdict.exact
        self.shorter += verdict.shorter
        self.doubled += verdict.doubled
        self.read += verdict.read
        self.surplus += verdict.surplus


def language_of(path: str) -> str | None:
    """The LSP languageId that a file's name tells."""
    return LANGUAGES.get(PurePath(path).suffix.lower())


def holes(path: str, text: str, seed: int, n: int) -> list[Hole]:
    """Up to `n` holes in a file, of each kind in turn: inside a line, to its end, to a block's end, a body, lines."""
    rng = random.Random(f"{seed} {path}")  # noqa: S311
    name = language_of(path)
    text = unified(text)
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found: list[Hole] = []
    if name is None:
        return found
    for attempt in range(n * 8):
        if len(found) == n:
            break
        kind = KINDS[len(found) % len(KINDS)] if attempt < n * 6 else rng.choice(KINDS)
        span = _CUTS[kind](rng, lines, starts)
        if span and text[span[0] : span[1]].strip():
            found.append(Hole(path, name, kind, text[: span[0]], text[span[0] : span[1]], text[span[1] :]))
    return found


def judge(
    hole: Hole, *, surplus: int = SURPLUS, piece: int = PIECE, max_tokens: int = 256, heeds_stop: bool = True
) -> Verdict:
    """What is inserted when the model says the truth and goes on with what follows; `heeds_stop`: at a stop string."""
    prefix, suffix = hole.prefix, hole.suffix[:AFTER]
    form = extent(prefix, suffix, hole.language, "auto", max_tokens)
    answer = hole.truth + hole.suffix[:surplus]
    limit = form.max_tokens * PIECE
    cut, answer = len(answer) > limit, answer[:limit]
    surplus = max(0, len(answer) - len(hole.truth))
    if heeds_stop:
        stop = min((at for at in map(answer.find, form.stop) if at >= 0), default=None)
        cut, answer = cut and stop is None, answer[:stop]
    ending = Ending(prefix, suffix, hole.language, form)
    for at in range(0, len(answer), piece):
        if ending.feed(answer[at : at + piece]):
            break
    said = ending.text
    inserted = tidy(said, prefix, suffix, hole.language, form, cut=cut)
    text = inserted.text
    full = text + hole.suffix[inserted.covers :]
    exact = full == hole.truth + hole.suffix or (not inserted.covers and text.rstrip() == hole.truth.rstrip())
    shorter = not exact and not inserted.covers and _lines_of(text, hole)
    more = text[len(hole.truth) :] if text.startswith(hole.truth) else ""
    doubled = not exact and bool(more.strip()) and not inserted.covers
    return Verdict(inserted, exact, shorter, doubled, max(0, len(said) - len(hole.truth)), surplus)


def report(
    files: Iterable[tuple[str, str]],
    *,
    seed: int = 0,
    n: int = 10,
    see: Callable[[Hole, Verdict], None] | None = None,
) -> dict[str, Row]:
    """The verdicts on `n` holes of each `(path, text)`, by language and then `all`; `see` is shown each of them."""
    rows: dict[str, Row] = defaultdict(Row)
    for path, text in files:
        for hole in holes(path, text, seed, n):
            verdict = judge(hole)
            rows[hole.language].add(verdict)
            rows["all"].add(verdict)
            if see:
                see(hole, verdict)
    return {name: rows[name] for name in [*sorted(rows.keys() - {"all"}), "all"] if name in rows}


def _lines_of(text: str, hole: Hole) -> bool:
    return bool(text.strip()) and (hole.truth + "\n").startswith(text.rstrip() + "\n")


def _inside(rng: random.Random, lines: list[str], starts: list[int]) -> tuple[int, int] | None:
    line = rng.randrange(len(lines))
    indent = len(lines[line]) - len(lines[line].lstrip())
    if len(lines[line]) - indent < 8:
        return None
    first = rng.randrange(indent, len(lines[line]) - 4)
    last = rng.randrange(first + 1, len(lines[line]))
    return starts[line] + first, starts[line] + last


def _rest(rng: random.Random, lines: list[str], starts: list[int]) -> tuple[int, int] | None:
    line = rng.randrange(len(lines))
    indent = len(lines[line]) - len(lines[line].lstrip())
    if len(lines[line]) - indent < 4:
        return None
    return starts[line] + rng.randrange(indent, len(lines[line]) - 1), starts[line] + len(lines[line])


def _block(rng: random.Random, lines: list[str], starts: list[int]) -> tuple[int, int] | None:
    """From where a line's text begins to the end of the block that it stands in."""
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


def _body(rng: random.Random, lines: list[str], starts: list[int]) -> tuple[int, int] | None:
    """All that stands deeper under a line."""
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


def _lines(rng: random.Random, lines: list[str], starts: list[int]) -> tuple[int, int] | None:
    """Whole lines with their line ends, to the end of a block."""
    found = _block(rng, lines, starts)
    if found is None:
        return None
    first = max(start for start in starts if start <= found[0])
    return (first, found[1] + 1) if found[1] + 1 < starts[-1] - 1 else None


_CUTS: dict[str, Callable[[random.Random, list[str], list[int]], tuple[int, int] | None]] = {
    "inside": _inside,
    "rest": _rest,
    "block": _block,
    "body": _body,
    "lines": _lines,
}


def rows(table: dict[str, Row]) -> Iterator[tuple[str, int, float, float, float, float]]:
    """The table's rows as language, holes, and in percent: exact, shorter, doubled, surplus read."""
    for name, row in table.items():
        each = 100 / max(1, row.holes)
        read = 100 * row.read / max(1, row.surplus)
        yield name, row.holes, row.exact * each, row.shorter * each, row.doubled * each, read
