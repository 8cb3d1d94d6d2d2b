"""What never leaves the machine: files that hold secrets, and strings in other files that look like keys.

Both lists are data, in `secrets.toml`.  A key-like string is replaced by as many `x` as it has characters, after the
part that tells its kind: places in the text stay where they are, the bytes stay the same from request to request, and a
key that is being typed only grows.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, NamedTuple, cast

from fim_lsp import blocks
from fim_lsp.document import Place, split_lines


def files() -> list[str]:
    """Patterns of files that usually hold secrets, in lower case."""
    return list(_table()["files"])


def telling(rule: str) -> bool:
    """Whether a rule of a .gitignore, by its words, names secrets."""
    return re.search(_table()["rules"], rule) is not None


class Redactor:
    """Replaces key-like strings in the lines of documents; a line that it has seen costs one look into a map."""

    KEPT = 1_000_000  # characters in each of two halves of the map; the older half goes at once
    LARGE = 16_384  # characters of a line that is looked at anew each time
    LONG = 4_000  # characters; of a longer line, only what is asked for is looked at, and what is about it
    NEAR = 2_048  # characters before a part of a long line in which a key may begin that reaches into it
    FAR = 65_536  # as many, if nothing in those says that no longer key is under way
    AHEAD = 4_096  # characters behind such a part that are looked at with it: what follows a cursor is asked for next
    END = 512  # of these, characters that only show where a key ends that begins before them

    def __init__(self) -> None:
        self._young: dict[str, str | None] = {}  # None: what becomes of the line depends on those about it
        self._old: dict[str, str | None] = {}
        self._size = 0  # characters in the younger half
        self._parts: deque[_Part] = deque(maxlen=4)  # of long lines, the newest last
        self._heads: deque[tuple[str, str]] = deque(
            maxlen=4
        )  # where such parts begin, and what becomes of it

    def text(self, text: str) -> str:
        """A whole text with every key-like string replaced, of the same length."""
        lines = split_lines(text)
        return "".join(self.lines(lines, 0, len(lines)))

    def lines(self, lines: Sequence[str], first: int, last: int) -> list[str]:
        """Some lines of a document with every key-like string replaced, of the same lengths.

        A key of many lines is known where these lines show neither its beginning nor its end.
        """
        found = list(map(self._young.get, lines[first:last]))
        if None not in found:
            return cast("list[str]", found)
        clean: list[str] = []
        while (number := first + len(clean)) < last:
            known = found[len(clean)]
            if known is None and (known := self._line(lines[number])) is None:
                clean += self._block(lines, number, last)
            else:
                clean.append(known)
        return clean

    def shown(self, lines: Sequence[str]) -> Shown:
        """The lines of a document as they may be shown."""
        return Shown(lines, self)

    def part(self, lines: Sequence[str], number: int, start: int, stop: int | None = None) -> str:
        """What stands between two columns of a line, or behind one, clean also of a key that is cut there."""
        line = lines[number]
        stop = len(line) if stop is None else stop
        if start == stop:
            return ""
        if len(line) <= self.LONG:
            return self.lines(lines, number, number + 1)[0][start:stop]
        for part in self._parts:
            if part.line is line and part.start <= start and stop <= part.stop:
                return part.clean[start - part.start : stop - part.start]
        end = min(stop + self.AHEAD + self.END, len(line))
        head = self._head(line, start, end)
        clean = redact_line(head + line[start + len(head) : end])
        self._parts.append(_Part(line, start, end if end == len(line) else stop + self.AHEAD, clean))
        return clean[: stop - start]

    def _head(self, line: str, start: int, end: int) -> str:
        """How a part of a long line begins, if a key before it does not end there: as long as that key is."""
        first, size = max(0, start - self.NEAR), 1_000
        if blocks.long(line[first:start]):
            first = max(0, start - self.FAR)
        while True:
            text = line[first : min(start + size, end)]
            clean = next((clean for known, clean in self._heads if known == text), None)
            if clean is None:
                clean = redact_line(text)
                self._heads.append((text, clean))
            if start + size >= end or clean[-8:] == text[-8:]:
                return clean[start - first :]
            size *= 4

    def _line(self, line: str, *, alone: bool | None = None) -> str | None:
        """What becomes of a line; None if that depends on the lines about it, until it is known to be `alone` or not."""
        key = line if alone is None else f"{line}{alone}"
        if key in self._young:
            return self._young[key]
        clean: str | None
        if key in self._old:
            clean = self._old[key]
        elif alone is None and blocks.bodied(line):
            clean = None
        else:
            clean = redact_line(line, alone=alone is not False)
        if clean == line:
            clean = line  # one string kept, not two
        if len(line) <= self.LARGE:
            self._size += len(line)
            if self._size > self.KEPT:
                self._old, self._young, self._size = self._young, {}, len(line)
            self._young[key] = clean
        return clean

    def _bodied(self, line: str) -> bool:
        return self._line(line) is None

    def _block(self, lines: Sequence[str], number: int, last: int) -> Iterator[str]:
        """What becomes of a line that may be of a key of many lines, and of those that follow in it, up to the last."""
        private = blocks.state(lines, number, self._bodied)
        while number < last and self._bodied(line := lines[number]):
            left, then = blocks.without(line, private)
            yield redact_line(left) if private else cast("str", self._line(line, alone=private is None))
            if then is None and blocks.marked(line):
                return  # the state of what follows is not told by what is above
            private, number = then, number + 1


class Shown:
    """The lines of a document as they may be shown; nothing is looked at before it is asked for."""

    def __init__(self, lines: Sequence[str], redactor: Redactor) -> None:
        self._lines = lines
        self._redactor = redactor

    def __getitem__(self, which: slice) -> list[str]:
        first, last, _ = which.indices(len(self._lines))
        return self._redactor.lines(self._lines, first, last)

    def __iter__(self) -> Iterator[str]:
        return iter(self[:])

    def part(self, number: int, start: int, stop: int | None = None) -> str:
        """What stands between two columns of a line, or behind one, clean also of a key that is cut there."""
        return self._redactor.part(self._lines, number, start, stop)

    def after(self, place: Place, room: int) -> str:
        """So many characters behind a place, or fewer; no more than of 200 lines."""
        number, stop = place.line, place.column
        start, last = stop, min(place.line + 200, len(self._lines) - 1)
        room += stop
        while room > (size := len(self._lines[number])) and number < last:
            room -= size
            number += 1
        stop = min(room, len(self._lines[number]))
        if number == place.line:
            return self.part(number, start, stop)
        whole = "".join(self[place.line + 1 : number])
        return self.part(place.line, start) + whole + self.part(number, 0, stop)


class _Part(NamedTuple):
    """Columns of a long line, and what becomes of them."""

    line: str
    start: int
    stop: int
    clean: str


def redact_line(line: str, *, alone: bool = True) -> str:
    """One line with every key-like string replaced, of the same length; time grows with the length of the line.

    A line that stands `alone` may be one of a private key of which nothing else is known.
    """
    if not _TELLING.search(line):
        return line
    if alone and blocks.wrapped(line) and _random(line.strip()) and not line.islower() and not line.isupper():
        return blocks.blank(line)
    if "---" in line:
        line = blocks.without(line)[0]
    data = _data()
    for kind in data.kinds:
        for marker in kind.markers:
            if marker in line:
                line = kind.pattern.sub(kind.replace, line)
                break
    return _without_values(line, data)


def _without_values(line: str, data: _Data) -> str:
    """A line without the values that its names say are secret, where they look it."""
    low = line.lower() if line.isascii() else line.translate(_LOWER)
    out, at = [], 0
    for start in sorted({found for stem in data.stems if stem in low for found in _every(stem, low)}):
        for pattern, ends in ((data.quoted, "\"'`\r\n"), (data.bare, " \t\r\n;,")):
            found = pattern.match(line, start)
            if found and found.start("value") >= at and _is_secret(found, ends):
                out += [line[at : found.start("value")], "x" * len(found["value"])]
                at = found.end("value")
    return "".join([*out, line[at:]]) if at else line


def _every(word: str, text: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _is_secret(found: re.Match[str], ends: str) -> bool:
    """Whether a value looks drawn at random, and one of these ends it, or nothing: the line may have been cut."""
    value, behind = found["value"], found.string[found.end() : found.end() + 1]
    return behind in ends and not _data().placeholder.search(value) and _random(value)


class _Kind(NamedTuple):
    markers: tuple[str, ...]
    pattern: re.Pattern[str]
    replace: Callable[[re.Match[str]], str]


class _Data(NamedTuple):
    placeholder: re.Pattern[str]
    kinds: tuple[_Kind, ...]
    stems: tuple[str, ...]  # what the names begin with
    quoted: re.Pattern[str]
    bare: re.Pattern[str]


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(resources.files("fim_lsp").joinpath("secrets.toml").read_text("utf-8"))


@cache
def _data() -> _Data:
    raw = _table()
    checks: dict[str | None, Callable[[str], bool]] = {
        None: lambda _: True,
        "mixed": _mixed,
        "random": _random,
        "value": lambda value: not _data().placeholder.search(value),
    }
    kinds = tuple(
        _Kind(tuple(row["marker"]), re.compile(row["pattern"]), _replacing(checks[row.get("check")]))
        for row in raw["strings"]
    )
    names = re.sub(r"\s+", "", raw["names"])
    # `name = "value"`, `"name": "value"`, `name => 'value'`, `name: type = "value"`, `setName("value")`, `define NAME "value"`
    start = (
        rf"(?i)(?P<keep>(?:{names})[\w\]-]{{0,30}}+[\"'`]?(?:\s{{0,4}}:\s{{0,2}}[\w.|&]{{1,30}}+)?\s{{0,8}}"
    )
    return _Data(
        placeholder=re.compile(raw["placeholders"]),
        kinds=kinds,
        stems=tuple(sorted({stem[0] for name in names.split("|") if (stem := re.match("[a-z]+", name))})),
        quoted=re.compile(
            start + r"(?::=|=>|==|[=:,(]|(?<=\s))\s{0,4}[\w&]{0,4}[\"'`])(?P<value>[^\s\"'`]{8,}+)"
        ),
        bare=re.compile(start + r"[=:]\s{0,4})(?P<value>[\w+/=.~!@#%^&*?-]{12,}+)"),
    )


def _replacing(check: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    def replace(found: re.Match[str]) -> str:
        keep = found.groupdict().get("keep") or ""
        secret = found[0][len(keep) :]
        return keep + "x" * len(secret) if check(secret) else found[0]

    return replace


def _mixed(text: str) -> bool:
    return any(c.isdigit() for c in text) and any(c.isalpha() for c in text)


def _random(text: str) -> bool:
    """Whether a string looks drawn at random: letters and digits mixed within its words, few of them repeated.

    A name in code (`utf_8_decode`, `HTTP2Server`) has its digits apart or alone.
    """
    if not _mixed(text):
        return False
    bits = -sum(n / len(text) * math.log2(n / len(text)) for n in map(text.count, set(text)))
    if bits < 2.7 + min(0.8, len(text) / 60):
        return False
    # Changes between kinds of character within a word: more in a random string than in a name.
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" if c.islower() else "-" for c in text]
    turns = sum(a != b and "-" not in (a, b) and (a, b) != ("u", "l") for a, b in pairwise(kinds))
    return turns >= max(2, len(text) // 10)


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_TELLING = re.compile(
    r"\d|://|AKIA|ASIA"
)  # one of these stands in nearly every key, and in few lines of code
