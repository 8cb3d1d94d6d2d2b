"""What stands just above the cursor, said again at the beginning of an answer."""

from __future__ import annotations

import re

from fim_lsp.text.extent import WEIGHT
from fim_lsp.text.surroundings import Surroundings, width

MOST_REPEATED = 24  # lines from above the cursor that an answer is searched for
BLOCK = 3  # lines of the shortest block
LEAST = 4  # characters of a line that may stand beside the cursor already


class Above:
    """The lines just above the cursor, as far as an answer begins with them: held until they are all there."""

    def __init__(self, place: Surroundings) -> None:
        self.held: list[tuple[str, int]] = []  # and where they start
        self.runs = runs_above(place)  # what may still be said of them

    def take(self, line: str, at: int, *, last: bool) -> bool | None:
        """Whether the lines are all there with this one; None while they may be."""
        text = line.strip()
        if not self.runs or not (text or self.held):
            return False
        if text:
            self.runs = [rest[1:] for rest in self.runs if rest[0] == text]
        if [] in self.runs:
            self.runs, self.held = [], []
            return True
        if self.runs and not last:
            self.held.append((line, at))
            return None
        self.runs = []
        return False

    def released(self) -> list[tuple[str, int]]:
        """The lines that were held for nothing."""
        held, self.held = self.held, []
        return held


def runs_above(place: Surroundings) -> list[list[str]]:
    """The lines just above the cursor that an answer may begin with once more: two of them, three, and so on."""
    if place.rest.strip():
        return []
    own = () if place.blank else (place.before,)
    lines = [line.strip() for line in (*place.above, *own) if line.strip()][-MOST_REPEATED:]
    fewest = 1 if place.language.prose else 2
    return [lines[-n:] for n in range(fewest, len(lines) + 1) if _tell(lines[-n:])]


def _tell(lines: list[str]) -> bool:
    """Whether lines are too much for an answer to begin with them by chance: long ones, or three that differ, a short block."""
    size = sum(map(len, lines))
    return size >= WEIGHT or (len(lines) >= BLOCK and size >= BLOCK**2 and len({*lines}) == len(lines))


def stands_near(place: Surroundings, line: str, *, shed: bool) -> bool:
    """Whether a line, which imports or declares something, stands beside the cursor as it is.

    `shed`: it is not the cursor's own line, since a first line break was left out.
    """
    text = line.strip()
    if not place.blank or len(text) < LEAST:
        return False
    whole = (place.before + line if not shed else line).rstrip()
    indent = width(whole)
    if _IMPORTS.match(text) and not indent:
        near: list[str] = [*place.above, *place.below]
    elif _IMPORTS.match(place.head(indent)) or (_DECLARES.match(text) and not _HEAD.search(text)):
        near = []
        for other in reversed(place.above):
            if other.strip() and width(other) < indent:
                break
            near.append(other)
    else:
        return False
    return any(whole == other.rstrip() for other in near)


_DECLARES = re.compile(r"(?:export\s+)?(?:const|class|def|function|interface|type|enum|struct)\s")
_HEAD = re.compile(r"[{:(\[]$|^(?:async )?(?:def|class|module)\s[^{;=]*$")  # what stands below belongs to it
_IMPORTS = re.compile(
    r"(?:(?:import|use|using|require|require_relative|@import|@use|@forward|alias|library|extern crate)[\s(]"
    r"|from\s+\S+\s+import\b|#\s*(?:include|import)\b|local\s+\w+\s*=\s*require\b)"
)
