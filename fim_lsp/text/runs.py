"""An answer that repeats itself: runs of lines that stand there several times in a row."""

from __future__ import annotations

import re

LOOP = 3  # times that a run of lines stands in a row before it is a loop
LONGEST_RUN = 8  # lines
WORDY = 60  # characters of a line in which words that come again are a loop

Line = tuple[int, str]  # indentation in columns, and text


class Runs:
    """The lines read so far, and which runs of the last ones stand just before them, too."""

    def __init__(self, *, keys: bool) -> None:
        """With `keys`, a line stands once in its place."""
        self.lines: list[Line] = []
        self.seen: set[Line] = set()
        self._keys = keys
        self._starts: list[int] = []
        self._runs = [0] * (LONGEST_RUN + 1)  # of each period, for how many lines it holds
        self._running = False

    def clear(self) -> None:
        """Begin anew."""
        self.lines, self._starts = [], []

    def new(self, line: Line, at: int) -> None:
        """Take in a line that was not read before."""
        self.seen.add(line)
        self.lines.append(line)
        self._starts.append(at)
        if self._running:
            self._runs = [0] * (LONGEST_RUN + 1)
            self._running = False

    def take(self, indent: int, text: str, at: int) -> int | None:
        """Take in a line; where the text ends, if its last lines are a run that stands there before."""
        line = indent, text
        if line not in self.seen:
            self.new(line, at)
            return None
        lines = self.lines
        lines.append(line)
        self._starts.append(at)
        for period in range(1, min(LONGEST_RUN, len(lines) - 1) + 1):
            if lines[-1 - period] != line:
                self._runs[period] = 0
                continue
            self._runs[period] += 1
            self._running = True
            if self._runs[period] < period * (1 if self._keys else LOOP - 1):
                continue
            signs = "".join(_SIGN.sub("", each) for _, each in lines[-period:])
            times = 2 if self._keys else LOOP if len(signs) >= 4 else LOOP + 1
            if self._runs[period] >= (times - 1) * period and not (signs.isdigit() or not signs):
                return self._starts[-(times - 1) * period] - 1
        return None


def without_loop(text: str) -> str:
    """The text up to a line that says the same words over and over, or one letter or digit; one that repeats numbers or signs is left."""
    start = 0
    for line in text.split("\n"):
        if len(line) >= WORDY and _LOOP_IN_LINE.search(line):
            return text[:start]
        start += len(line) + 1
    return text


_SIGN = re.compile(r"\W+")
# Hashes that are nothing have 64 times the same digit.
_LOOP_IN_LINE = re.compile(r"(?=.{0,20}[^\W\d_]{2})(?:(.{3,40}?)\1{7,}|(.{41,120}?)\2{3,})|(\w)\3{99,}")
