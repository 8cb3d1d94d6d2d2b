"""Words of a text and of the files beside it, and where each run of them occurs: what the very small model knows."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PREFIX_READ: Final = 32_000


SUFFIX_READ: Final = 12_000


FILES_READ: Final = 200


BYTES_READ: Final = 600_000


FILE_READ: Final = 64_000


_REACH: Final = 16  # how many words back two contexts are compared


WORD: Final = re.compile(r"\w+|[^\S\n]+|.")


_LAST_WORD: Final = re.compile(r"\w+$")


_SOURCE: Final = re.compile(
    r"\.(bash|cc?|cpp|cs|css|dart|exs?|go|hp*|hs|html|java|jl|[cm]?[jt]sx?|kt|lua|md|mli?|php|p[lm]|pyi?|r|rb|rs"
    r"|scala|scss|sh|sql|svelte|swift|vim|vue|zig)"
)


_NOT_SOURCE: Final = frozenset({"node_modules", "__pycache__", "venv", "dist", "build", "target", "vendor"})


class Hole:
    """The place to fill: the lines above, the line it is in, and what stands behind."""

    def __init__(self, prefix: str, suffix: str) -> None:
        self.line_end = (
            "\r\n" if "\r\n" in prefix else "\r" if "\r" in prefix and "\n" not in prefix else "\n"
        )
        if len(prefix) > PREFIX_READ:
            prefix = prefix[-PREFIX_READ:].partition(self.line_end)[2]
        *self.above, last = normal(prefix).split("\n")
        self.rest, *self.below = normal(suffix[:SUFFIX_READ]).split("\n")
        self.tabs = any(line.startswith("\t") for line in (*self.above, last))
        filled = without_blank_end(self.above)
        self.blanks = len(self.above) - len(filled)
        self.width_above = indent_width(filled[-1]) if filled else 0
        self.width = indent_width(last)
        found = _LAST_WORD.search(last)
        self.partial = found[0] if found else ""
        self.begun = last[: len(last) - len(self.partial)].lstrip()
        self.line = last.strip()
        self.following = next((line.strip() for line in self.below if line.strip()), "")

    def indentation(self, width: int) -> str:
        """Return white space of `width` columns, in tabs where the text is indented by them."""
        return "\t" * (width // 4) + " " * (width % 4) if self.tabs else " " * width


class Text:
    """Words in order, and where each run of one, two or three of them occurs."""

    def __init__(self, words: list[str], centre: int) -> None:
        self.words: Final = words
        self.centre: Final = centre
        self._places: dict[int, dict[tuple[str, ...], list[int]]] = {}
        self._counts: Counter[str] | None = None

    def after(self, run: tuple[str, ...]) -> list[int]:
        """Return the places just behind `run`, at most 200, the nearest to the centre."""
        order = len(run)
        places = self._places.get(order)
        if places is None:
            places = self._places[order] = {}
            shifted = (self.words[skip:] for skip in range(order))
            for place, key in enumerate(zip(*shifted, strict=False), order):
                places.setdefault(key, []).append(place)
        found = places.get(run, [])
        if len(found) <= 200:
            return found
        middle = bisect_left(found, self.centre)
        start = min(max(0, middle - 150), len(found) - 200)
        return found[start : start + 200]

    def agreement(self, place: int, context: Sequence[str]) -> int:
        """Return how many words before `place` are the last ones of `context`, at most 16."""
        count = 0
        for word in reversed(context[-_REACH:]):
            place -= 1
            if place < 0 or self.words[place] != word:
                break
            count += 1
        return count

    @property
    def counts(self) -> Counter[str]:
        """How often each word occurs."""
        if self._counts is None:
            self._counts = Counter(self.words)
        return self._counts


def newline(blanks: int, change: int) -> str:
    r"""Return the word for a line's beginning: `\n`, or `\n\n` for a paragraph's, and the change of indent."""
    return "\n" * (1 + min(blanks, 2)) + f"{change:+d}"


def indent_change(word: str) -> tuple[int, int]:
    """Return the blank lines and the change of indentation, in columns, that `newline` put in `word`."""
    digits = word.lstrip("\n")
    return len(word) - len(digits) - 1, int(digits)


def indent_width(line: str) -> int:
    """Return the width of a line's indentation in columns, a tab counting four."""
    width = 0
    for character in line:
        if character == "\t":
            width += 4 - width % 4
        elif character == " ":
            width += 1
        else:
            break
    return width


def normal(text: str) -> str:
    r"""The text with every line end as `\n`."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def without_blank_end(lines: list[str]) -> list[str]:
    """The lines without the blank ones at their end."""
    count = len(lines)
    while count and not lines[count - 1].strip():
        count -= 1
    return lines[:count]


def sources(folder: Path) -> Iterator[str]:
    """Yield the texts of source files in and below `folder`, in the order of their names."""
    files, left = 0, BYTES_READ
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in _NOT_SOURCE)
        for name in sorted(names):
            path = Path(parent, name)
            if name[0] == "." or not _SOURCE.fullmatch(path.suffix.lower()) or path.is_symlink():
                continue
            if files == FILES_READ or left <= 0:
                return
            try:
                with path.open("rb") as file:
                    raw = file.read(min(FILE_READ, left))
            except OSError:
                continue
            files, left = files + 1, left - len(raw)
            if b"\0" not in raw:
                yield raw.decode("utf-8", "replace")
