"""How well what is inserted fits, measured on real code: holes cut in files, and a model that does not know when to stop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from fim_lsp.replay.holes import Hole, holes
from fim_lsp.text.early_stop import Ending
from fim_lsp.text.extent import extent
from fim_lsp.text.postprocess import Insertion, tidy
from fim_lsp.text.syntax import AFTER

SURPLUS = 400  # characters that the model goes on with after the truth
PIECE = 4  # characters of a streamed piece, about a token


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
    inserted = tidy(said, prefix, suffix, hole.language, form, cut=cut).shown
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


def rows(table: dict[str, Row]) -> Iterator[tuple[str, int, float, float, float, float]]:
    """The table's rows as language, holes, and in percent: exact, shorter, doubled, surplus read."""
    for name, row in table.items():
        each = 100 / max(1, row.holes)
        read = 100 * row.read / max(1, row.surplus)
        yield name, row.holes, row.exact * each, row.shorter * each, row.doubled * each, read
