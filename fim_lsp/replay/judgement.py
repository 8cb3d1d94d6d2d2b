"""What an offer was worth at a hole: how much of it is what was written there, and what harm it would do."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from fim_lsp.replay.holes import Hole
from fim_lsp.text import grammar
from fim_lsp.text.beginning import shared
from fim_lsp.text.language import CLOSER_OF, CLOSERS, language

BELOW = 40  # lines behind the cursor, among which the end of a text is looked for
# Two lines that come again are doubled among so many that follow. What people write has two that stand somewhere in the next
# forty in 10 % of all cases (248 of 2,757 holes of several lines, 7 repositories), in the next three in 1 % (11 of 1,537, 5).
NEXT = 3
SUBSTANCE = 4  # letters and digits of a line that says something


class Judgement(NamedTuple):
    """An offer compared with the truth, characters counted without white space at the end of either.

    `first`, `whole`: the first line, or all, is the truth's.  `similarity` is 1 less the share of characters to be
    changed to make the one of the other.  `typed`: characters of the truth, of which `saved` need not be typed by who
    takes whole lines that are right, from the first on.  `shown`: characters of the offer, of which `wrong` stand behind
    the place where it and the truth part.  `doubled`: text that stands below comes again.  `broken`, `unparsed`: brackets
    have no mate, or the language's parser does not take the file, where with as many lines of the truth they have
    and it does; None where that could not be looked at.
    """

    first: bool
    whole: bool
    similarity: float
    typed: int
    saved: int
    shown: int
    wrong: int
    doubled: bool
    broken: bool | None
    unparsed: bool | None

    @property
    def nothing(self) -> bool:
        """Whether nothing was offered."""
        return not self.shown

    @property
    def harm(self) -> bool:
        """Whether any harm was seen."""
        return self.doubled or bool(self.broken) or bool(self.unparsed)


def judged(hole: Hole, text: str, covers: int = 0) -> Judgement:
    """An offer at a hole, which replaces `covers` characters behind it; no text is no offer."""
    full = text + hole.suffix[covers:]
    # What replaces closers says them again: of that, only what comes in front of them is news.
    said = (full.removesuffix(hole.suffix) if full.endswith(hole.suffix) else text).rstrip()
    truth = hole.truth.rstrip()
    right = shared(said, truth)
    broken, unparsed = _harm(hole, said, full)
    return Judgement(
        first=bool(said) and said.split("\n")[0].rstrip() == truth.split("\n")[0].rstrip(),
        whole=bool(said) and said == truth,
        similarity=similarity(said, truth),
        typed=len(truth),
        saved=len(right_lines(said, truth)),
        shown=len(said),
        wrong=len(said) - right,
        doubled=_doubled(said, hole),
        broken=broken,
        unparsed=unparsed,
    )


def _harm(hole: Hole, said: str, full: str) -> tuple[bool | None, bool | None]:
    """Whether brackets are broken, and whether the code no longer parses; `full` is what would stand behind the prefix."""
    name, truth = hole.language, hole.prefix + hole.truth + hole.suffix
    broken = None if unmatched(truth, name) else False
    unparsed = False if grammar.parses(truth, name) else None
    if not said or hole.truth.startswith(said):
        return broken, unparsed
    # Who offers fewer lines than were written leaves open what these leave open, and is not to blame for it.
    lines = hole.truth.split("\n")[: said.count("\n") + 1]
    then, now = hole.prefix + "\n".join(lines) + hole.suffix, hole.prefix + full
    if broken is not None:
        broken = unmatched(now, name) > unmatched(then, name)
    if unparsed is not None:
        taken = grammar.parses(now, name) if grammar.parses(then, name) else None
        unparsed = None if taken is None else not taken
    return broken, unparsed


def unmatched(text: str, name: str) -> int:
    """How many brackets of a text have no mate; those in strings and comments do not count."""
    stack: list[str] = []
    lone = 0
    for sign, _ in language(name).marks(text)[0]:
        if sign in CLOSER_OF:
            stack.append(CLOSER_OF[sign])
        elif sign in CLOSERS:
            if sign in stack:
                while stack.pop() != sign:
                    lone += 1
            else:
                lone += 1
    return lone + len(stack)


def right_lines(said: str, truth: str) -> str:
    """The lines of a text, from its first on, that are those of the truth to their ends; as the truth has them."""
    theirs = truth.split("\n")
    same = 0
    for line, other in zip(said.split("\n"), theirs, strict=False):
        if line.rstrip() != other.rstrip():
            break
        same += 1
    return "\n".join(theirs[:same])


def similarity(one: str, other: str) -> float:
    """1 less the edit distance of two texts as a share of the longer one; 1 for two empty ones."""
    longest = max(len(one), len(other))
    return 1 - _distance(one, other) / longest if longest else 1.0


def _distance(one: str, other: str) -> int:
    """Characters to be inserted, left out or replaced to make one text of another (Myers 1999, bits in place of a table)."""
    if not one or not other:
        return len(one) or len(other)
    places: dict[str, int] = {}
    for at, sign in enumerate(one):
        places[sign] = places.get(sign, 0) | 1 << at
    full, top = (1 << len(one)) - 1, 1 << (len(one) - 1)
    up, down, distance = full, 0, len(one)
    for sign in other:
        match = places.get(sign, 0)
        same = match | down
        across = (((match & up) + up) ^ up) | match
        rises, falls = down | ~(across | up) & full, up & across
        distance += bool(rises & top) - bool(falls & top)
        rises = rises << 1 | 1
        up = (falls << 1 | ~(same | rises)) & full
        down = same & rises & full
    return distance


def _doubled(said: str, hole: Hole) -> bool:
    """Whether a text ends in lines that come next anyway, or holds two in a row that come next; the truth does neither."""
    below = _lines(hole.suffix.partition("\n")[2])[:BELOW]
    return _again(_lines(said), below) and not _again(_lines(hole.truth), below)


def _again(lines: list[str], below: list[str]) -> bool:
    for size in range(1, min(len(lines), len(below)) + 1):
        if lines[-size:] == below[:size] and any(map(_says, lines[-size:])):
            return True
    pairs = set(pairwise(below[:NEXT]))
    return any(_says(pair[0]) and _says(pair[1]) and pair in pairs for pair in pairwise(lines))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _says(line: str) -> bool:
    return sum(map(str.isalnum, line)) >= SUBSTANCE
