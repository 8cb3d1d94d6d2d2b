r"""The text of one open document, as whole lines, changed as its editor changes it.

LSP knows three line ends, `\n`, `\r\n` and `\r`; `str.splitlines` knows eight more, and a server that splits there puts
every later edit on the wrong line.  A key costs the same in a file of 20 lines and of 20,000: only the lines that it
touches are rebuilt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from fim_lsp.text.indentation import Indent

Encoding = Literal["utf-8", "utf-16", "utf-32"]


class Place(NamedTuple):
    """A place in a document: line from 0, column in code points from 0."""

    line: int
    column: int


class Edit(NamedTuple):
    """One change: what stood between two places became `text`; in lines, `removed` at `first` became `added`."""

    start: Place
    end: Place
    text: str
    first: int
    removed: int
    added: int
    gone: Sequence[str] = ()  # the lines as they were


class Document:
    """An open document: its lines, each with its line end; the last has none and may be empty."""

    def __init__(self, uri: str, language: str, version: int, text: str) -> None:
        self.uri = uri
        self.language = language
        self.version = version
        self.lines = split_lines(paired(text))
        self.indent: Indent | None = None  # what the project says that it is indented with

    @property
    def text(self) -> str:
        """The whole text, built anew."""
        return "".join(self.lines)

    @property
    def line_end(self) -> str:
        r"""The line end that the document uses: that of its first line, `\n` where there is none."""
        first = self.lines[0]
        return first[len(body(first)) :] or "\n"

    def holds(self, text: str) -> bool:
        r"""Whether the document holds a text, its line ends as `\n`."""
        if "\n" in text:
            return text in self.text.replace("\r\n", "\n").replace("\r", "\n")
        return any(text in line for line in self.lines)

    def place(self, line: int, units: int, encoding: Encoding) -> Place:
        """A position of the protocol as a place; outside the text it falls back to the nearest end."""
        if line < 0:
            return Place(0, 0)
        if line >= len(self.lines):
            return Place(len(self.lines) - 1, len(self.lines[-1]))
        return Place(line, to_column(self.lines[line], units, encoding))

    def replace(self, text: str) -> Edit:
        """Replace the whole text."""
        gone = self.lines
        end = Place(len(gone) - 1, len(gone[-1]))
        self.lines = split_lines(paired(text))
        return Edit(Place(0, 0), end, text, 0, len(gone), len(self.lines), gone)

    def change(self, start: Place, end: Place, text: str) -> Edit:
        """Replace what stands between two places of this document."""
        if end < start:
            start, end = end, start
        lines = self.lines
        first, last = start.line, end.line
        head = lines[first][: start.column]
        block = paired(head + text + lines[last][end.column :])
        if first and block.startswith("\n") and lines[first - 1].endswith("\r"):
            first -= 1
            block = lines[first] + block
        added = split_lines(block)
        if last + 1 < len(lines):
            added.pop()
        gone = lines[first : last + 1]
        lines[first : last + 1] = added
        return Edit(start, end, text, first, len(gone), len(added), gone)


def split_lines(text: str) -> list[str]:
    """The lines of a text, each with its line end; the last has none, and may be empty."""
    if "\r" not in text:
        lines = [line + "\n" for line in text.split("\n")]
        lines[-1] = lines[-1][:-1]
        return lines
    ends = [0, *(end.end() for end in _END.finditer(text))]
    return [text[start:end] for start, end in pairwise([*ends, len(text)])]


def before_place(lines: Sequence[str], place: Place, room: int) -> str:
    """The last so many characters before a place, or fewer."""
    number, at = place.line, place.column
    parts: list[str] = []
    while room > 0 and number >= 0:
        line = lines[number]
        end = len(line) if number < place.line else at
        parts.append(line[max(0, end - room) : end])
        room -= end
        number -= 1
    return "".join(reversed(parts))


def body(line: str) -> str:
    """A line without its line end."""
    if line.endswith("\n"):
        return line[:-2] if line.endswith("\r\n") else line[:-1]
    return line.removesuffix("\r")


def to_column(line: str, units: int, encoding: Encoding) -> int:
    """Code points before `units` of an encoding in a line; past its end, the length of the line without its line end.

    Half a character (the second unit of a surrogate pair, the middle of a UTF-8 sequence) falls back to its start.
    """
    limit = len(body(line))
    if units <= 0:
        return 0
    if encoding == "utf-32" or line.isascii():
        return min(units, limit)
    head = line[: min(units, limit)]
    if encoding == "utf-8":
        raw = head.encode("utf-8", "surrogatepass")
        cut = min(units, len(raw))
        while cut < len(raw) and raw[cut] & 0xC0 == 0x80:
            cut -= 1
        return len(raw[:cut].decode("utf-8", "surrogatepass"))
    raw = head.encode("utf-16-le", "surrogatepass")
    if len(raw) == 2 * len(head):
        return len(head)
    cut = min(2 * units, len(raw))
    if cut < len(raw) and raw[cut + 1] & 0xFC == 0xDC and raw[cut - 1] & 0xFC == 0xD8:
        cut -= 2
    return len(raw[:cut].decode("utf-16-le", "surrogatepass"))


def to_units(line: str, column: int, encoding: Encoding) -> int:
    """Units of an encoding before a column of code points."""
    head = line[:column]
    if encoding == "utf-32" or head.isascii():
        return len(head)
    if encoding == "utf-8":
        return len(head.encode("utf-8", "surrogatepass"))
    return len(head.encode("utf-16-le", "surrogatepass")) // 2


def paired(text: str) -> str:
    """The text with every high surrogate joined to a low one that follows: two edits may bring one character."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


_END = re.compile(r"\r\n?|\n")
