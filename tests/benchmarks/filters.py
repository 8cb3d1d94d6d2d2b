"""What each filter of `fim_lsp/text` does to real answers of a model: how often it fires, rightly and wrongly.

usage: filters.py ANSWERS.jsonl [--show FILTER]

A line of the file is an object: `language`, `prefix`, `suffix`, `truth` (what stood between them), `answer` (what a model
said, raw), `closed` (what an editor had closed at the suffix's beginning, which the truth closes too), `cut` (ended by its
length).  Each answer is trimmed with all filters, and once without each of them.  Where that makes a difference the filter
fires: rightly if fewer keys lead from the document to the true one than without it, wrongly if more do; *beside* if more do
where nothing of the answer is true, so that there was only more or less of it to take back.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from fim_lsp.text import above, early_stop, indentation, line_reader, overlap, postprocess
from fim_lsp.text import extent as extents
from fim_lsp.text.echo import Echo
from fim_lsp.text.extent import extent
from fim_lsp.text.line_reader import LineReader
from fim_lsp.text.postprocess import Insertion, tidy
from fim_lsp.text.runs import Runs

PIECE = 4  # characters of a streamed piece, about a token


class Tally(NamedTuple):
    """How many answers a filter changed, how many of them towards the truth and away from it, and how many false ones."""

    fires: int
    rightly: int
    wrongly: int
    beside: int


def _without(value: Any) -> Any:
    return lambda *args, **kwargs: value


# By name: where each stands, and what does nothing in its place.
FILTERS: dict[str, tuple[Any, str, Any]] = {
    "every line too far right": (indentation, "_left", lambda lines, *_: lines),
    "levels of the file": (indentation, "_levelled", lambda lines, *_: lines),
    "indentation of the first line": (overlap, "_indented", _without(0)),
    "mark just typed": (overlap, "_lead", _without(0)),
    "last words": (overlap, "_again", _without(0)),
    "lines above": (above, "runs_above", _without([])),
    "what stands near": (line_reader, "stands_near", _without(False)),
    "lines below": (Echo, "take", _without(None)),
    "rest of the line": (line_reader, "meets_rest", _without(None)),
    "loops": (Runs, "take", lambda self, indent, text, at: self.new((indent, text), at)),
    "end of the block": (LineReader, "_past", _without(False)),
    "brackets closed below": (LineReader, "_brackets", _without(None)),
    "brackets left open": (postprocess, "balanced", lambda text, covers, _: (text, covers)),
    "blocks left open": (postprocess, "ended", lambda text, _: text),
    "lines that cannot stand": (postprocess, "standing", lambda text, *_: text),
    "body below": (extents, "_body_below", _without(False)),
    "words behind the last bracket": (line_reader, "is_stuck", _without(False)),
    "loops within a line": (postprocess, "without_loop", lambda text: text),
    "copy of what comes next": (postprocess, "without_copy", lambda text, _: text),
    "a parser's last word": (postprocess, "parsed", lambda text, covers, *_, **__: (text, covers)),
    "comment before the rest": (postprocess, "_without_remark", lambda text, _: text),
    "what the editor closed": (postprocess, "_fitted", lambda text, _: (text, 0)),
    "fences": (LineReader, "_fenced", _without(None)),
    "marks of models": (line_reader, "mark_in", _without(None)),
    "strangers": (postprocess, "without_strangers", lambda text, _: text),
    "comment that only begins": (postprocess, "_spoken", lambda text, *_: text),
    "white space at line ends": (postprocess, "_bare", lambda text, _: text),
}


@contextmanager
def without(name: str) -> Iterator[None]:
    """Everything but one filter."""
    holder, attribute, nothing = FILTERS[name]
    kept = getattr(holder, attribute)
    setattr(holder, attribute, nothing)
    try:
        yield
    finally:
        setattr(holder, attribute, kept)


def trimmed(row: dict[str, Any]) -> Insertion:
    """What is inserted of an answer that arrives piece by piece."""
    prefix, suffix, language, said = row["prefix"], row["suffix"], row["language"], row["answer"]
    form = extent(prefix, suffix, language, "auto", 256)
    stop = min((at for at in map(said.find, form.stop) if at >= 0), default=None)
    cut, said = bool(row.get("cut")) and stop is None, said[:stop]
    ending = early_stop.Ending(prefix, suffix, language, form)
    ended = any(ending.feed(said[at : at + PIECE]) for at in range(0, len(said), PIECE))
    return tidy(ending.text, prefix, suffix, language, form, cut=cut and not ended).shown


def keys(row: dict[str, Any], inserted: Insertion) -> int:
    """How many characters are to be typed or removed to come from the document with an insertion to the true one."""
    suffix = row["suffix"]
    is_, true = inserted.text + suffix[inserted.covers :], row["truth"] + suffix[len(row.get("closed", "")) :]
    same = _alike(is_, true)
    is_, true = is_[same:], true[same:]
    tail = _alike(is_[::-1], true[::-1])
    return _distance(is_[: len(is_) - tail], true[: len(true) - tail])


def begins_true(row: dict[str, Any], inserted: Insertion) -> bool:
    """Whether an insertion begins as the truth does."""
    return bool(row["truth"]) and inserted.text[:3] == row["truth"][:3]


def _alike(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _distance(one: str, other: str) -> int:
    costs = list(range(len(other) + 1))
    for row, sign in enumerate(one, 1):
        before, costs[0] = costs[0], row
        for column, its in enumerate(other, 1):
            best = before if sign == its else min(before, costs[column], costs[column - 1]) + 1
            before, costs[column] = costs[column], best
    return costs[-1]


def tallies(rows: list[dict[str, Any]], show: str = "") -> dict[str, Tally]:
    """What each filter does to answers; the cases of one are printed."""
    found = {name: [0, 0, 0, 0] for name in FILTERS}
    for row in rows:
        whole = trimmed(row)
        for name, counts in found.items():
            with without(name):
                bare = trimmed(row)
            if bare == whole:
                continue
            gain = keys(row, bare) - keys(row, whole)
            counts[0] += 1
            counts[1] += gain > 0
            true = begins_true(row, bare) or begins_true(row, whole)
            counts[2] += gain < 0 and true
            counts[3] += gain < 0 and not true
            if name == show:
                _print(row, whole, bare, gain)
    return {name: Tally(*counts) for name, counts in found.items()}


def _print(row: dict[str, Any], whole: Insertion, bare: Insertion, gain: int) -> None:
    print(f"--- {row['language']} {gain:+} keys\n{row['prefix'][-160:]}‸{row['suffix'][:100]}")
    for name, text in (("truth", row["truth"]), ("said", row["answer"]), ("with", whole), ("without", bare)):
        print(f"  {name}: {text!r}")


def read(path: Path) -> list[dict[str, Any]]:
    """The answers of a file."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]


def table(rows: list[dict[str, Any]], show: str = "") -> str:
    """The table in Markdown, by 1,000 answers."""
    each = 1000 / max(1, len(rows))
    lines = ["| filter | fires | rightly | wrongly | beside |", "|---|---|---|---|---|"]
    for name, tally in tallies(rows, show).items():
        lines.append(f"| {name} | " + " | ".join(f"{count * each:.0f}" for count in tally) + " |")
    exact = sum(keys(row, trimmed(row)) == 0 for row in rows)
    return "\n".join([*lines, f"{len(rows)} answers, {exact} of them exact"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("answers", type=Path)
    parser.add_argument("--show", default="", choices=["", *FILTERS])
    chosen = parser.parse_args()
    print(table(read(chosen.answers), chosen.show))
