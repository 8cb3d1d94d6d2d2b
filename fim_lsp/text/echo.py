"""An answer that goes on with the lines that stand below the cursor already: told from their weight, not from one line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from fim_lsp.text.extent import WEIGHT, weigh
from fim_lsp.text.language import Language
from fim_lsp.text.surroundings import width, word

FIRST_ECHO = 8  # letters of a first line that stands below
NEXT = 3  # lines below, of which two in a row are no chance


class Echo:
    """How many of the lines just read are those that follow, and from where on."""

    def __init__(self, following: Sequence[str], known: frozenset[str], language: Language) -> None:
        """`known` are lines that stand above the cursor, too: what they say is no sign of what follows."""
        self.lines = 0  # in a row that are those that follow
        self._following = following
        self._known = known
        self._language = language
        self._weight = 0.0
        self._from = 0
        self._shift = 0  # columns by which they stand further right than those that follow

    def goes_on(self, line: str) -> bool:
        """Whether the beginning of a line may be that of the next line that follows."""
        return self.lines < len(self._following) and self._following[self.lines].startswith(line)

    def is_next(self, line: str) -> bool:
        """Whether a line is the next one that follows."""
        return bool(self._following) and self._following[0].rstrip() == line.rstrip()

    def before(self, end: int, least: float = 0.0) -> int:
        """The end, or where the lines that follow began, if the text came to it through more than `least` of them."""
        if self._shift:
            return end
        found = self.lines and (self._weight >= least if least else self._weight > 0)
        return min(end, self._from) if found else end

    def take(
        self, line: str, before: int, *, alone: bool | None, last: bool, begun: bool = False
    ) -> int | None:
        """Where the text ends, if this line and those just before it are the lines that follow.

        `begun`: the line is to complete one that was begun before the cursor.  `alone` says whether no line was read before
        it; None within brackets or a string, where one line tells nothing.
        """
        if begun:
            return before if self._said_again(line) else None
        for _ in range(2 if self.lines else 1):
            expected = self._following[self.lines] if self.lines < len(self._following) else None
            if expected is not None and (same := self._same(line, expected, last=last)):
                if not self.lines:
                    self._from = before
                self._weight += self._weighed(line, same, alone)
                self.lines += 1
                if self._weight >= WEIGHT or (last and self._weight >= 1):
                    return self._from
                return None
            self.lines, self._weight = 0, 0.0
        return None

    def _said_again(self, line: str) -> bool:
        """Whether a line ends in the whole of the next one that follows."""
        text = self._following[0].strip() if self._following else ""
        return line.rstrip().endswith(text) and weigh(text, self._known) >= WEIGHT

    def _weighed(self, line: str, same: str, alone: bool | None) -> float:
        """How much a line tells that is one of those that follow; WEIGHT if it alone tells all."""
        if same == "part":
            return 1
        letters = len(_SIGN.sub("", line))
        # The same key stands in one place.  Behind a jump nothing of its block is reached; a first line that stands
        # below is no new one.
        first = not self.lines and alone is True and letters >= FIRST_ECHO
        key = self._language.keys and _KEY.match(line) is not None
        if first and alone is not None:
            return WEIGHT
        if same == "all" and alone is not None and (key or word(line) in _JUMPS):
            return WEIGHT
        # In their order, lines tell as much where they are common.
        return max(weigh(line, self._known), letters / 3 if self.lines else 0)

    def _same(self, line: str, expected: str, *, last: bool) -> str:
        line, expected = line.rstrip(), expected.rstrip()
        if line == expected:
            self._shift = self._shift if self.lines else 0
            return "all"
        if line.strip() == expected.strip():
            shift = width(line) - width(expected)
            letters = len(_SIGN.sub("", line))
            if (
                letters >= FIRST_ECHO
                if not self.lines
                else shift == self._shift or weigh(line, self._known) >= WEIGHT
            ):
                self._shift = self._shift if self.lines else shift
                return "text"
        if last and expected.startswith(line) and (self.lines or len(_SIGN.sub("", line)) >= 8):
            return "part"
        return ""


def without_copy(text: str, below: Sequence[str]) -> str:
    """A text up to two lines in a row that stand in a row among the next ones: it has become a copy of these.

    What people write has such lines in 0.7 % of all cases (1,537 holes of several lines, five repositories).
    """
    said = [line.strip() for line in below if line.strip()][:NEXT]
    pairs = {pair for pair in pairwise(said) if all(len(_SIGN.sub("", line)) >= 4 for line in pair)}
    if not pairs or "\n" not in text:
        return text
    lines = text.split("\n")
    filled = [number for number, line in enumerate(lines) if line.strip()]
    for number, after in pairwise(filled):
        if (lines[number].strip(), lines[after].strip()) in pairs:
            return "\n".join(lines[:number])
    return text


_KEY = re.compile(r"\s*[\w.-]+\s*[:=]")
_JUMPS = frozenset(("break", "continue", "return", "raise", "throw", "goto", "next", "redo", "exit"))
_SIGN = re.compile(r"\W+")
