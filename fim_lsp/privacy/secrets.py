"""What never leaves the machine: files that hold secrets, and strings in other files that look like keys.

Both lists are data, in `secrets.toml`.  A key-like string is replaced by as many `x` as it has characters, after the
part that tells its kind: places in the text stay where they are, the bytes stay the same from request to request, and a
key that is being typed only grows.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from fim_lsp.privacy import key_blocks
from fim_lsp.privacy.lone_values import Lone, lone, named
from fim_lsp.privacy.patterns import (
    LOWER,
    UUID,
    Data,
    drawn,
    of_three_kinds,
    pathlike,
    patterns,
    placeholder,
    random,
    table,
)
from fim_lsp.text.document import Place, split_lines


def files() -> list[str]:
    """Patterns of files that usually hold secrets, in lower case."""
    return list(table()["files"])


def telling(rule: str) -> bool:
    """Whether a rule of a .gitignore, by its words, names secrets."""
    return re.search(table()["rules"], rule) is not None


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
        self._lones: dict[str, Lone | None] = {}  # of lines that depend on those about them
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
        judged: dict[int, bool] = {}
        while (number := first + len(clean)) < last:
            known = found[len(clean)]
            if known is None and (known := self._line(lines[number])) is None:
                clean += self._block(lines, number, last, judged)
            else:
                clean.append(known)
        return clean

    def typed(self, text: str) -> str:
        """A text that ends at the cursor, without a key at its end of which only the beginning is there yet."""
        start = max(text.rfind("\n", len(text) - 500 if len(text) > 500 else 0) + 1, len(text) - 500)
        return text[:start] + redact_begun(text[start:])

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
        if key_blocks.long(line[first:start]):
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
        elif alone is None and (key_blocks.bodied(line) or lone(line)):
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

    def _lone(self, line: str) -> Lone | None:
        if line not in self._lones:
            if len(self._lones) > 10_000:
                self._lones.clear()
            self._lones[line] = lone(line)
        return self._lones[line]

    def _bodied(self, line: str) -> bool:
        return self._line(line) is None

    def _block(self, lines: Sequence[str], number: int, last: int, judged: dict[int, bool]) -> Iterator[str]:
        """What becomes of a line that may be of a key of many lines, and of those that follow in it, up to the last.

        `judged` keeps of the lines of a call which are a value that what is above them says is secret.
        """
        private = key_blocks.state(lines, number, self._bodied)
        while number < last and self._bodied(line := lines[number]):
            left, then = key_blocks.without(line, private)
            if left == line:
                left = cast("str", self._line(line, alone=private is None))
                if left == line and private is None and (value := self._lone(line)):
                    secret = named(lines, number, value, _named_before, judged)
                    if not value.field:
                        judged[number] = secret
                    if secret:
                        left = line[: value.start] + "x" * (value.stop - value.start) + line[value.stop :]
            yield left
            if then is None and key_blocks.marked(line):
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

    def after(self, place: Place, room: int, most: int) -> str:
        """So many characters behind a place, or fewer; no more than of `most` lines."""
        number, stop = place.line, place.column
        start, last = stop, min(place.line + most, len(self._lines) - 1)
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
    if (
        alone
        and key_blocks.wrapped(line)
        and random(line.strip())
        and not line.islower()
        and not line.isupper()
    ):
        return key_blocks.blank(line)
    if "---" in line:
        line = key_blocks.without(line)[0]
    data = patterns()
    for kind in data.kinds:
        for marker in kind.markers:
            if marker in line:
                line = kind.pattern.sub(kind.replace, line)
                break
    return _without_values(line, data)


def redact_begun(line: str) -> str:
    """The beginning of a line without a key at its end that may not be whole; of the same length."""
    data = patterns()
    found = data.begun.search(line)
    if found is None:
        found = _OPEN.search(line)
        if found is None or placeholder(found["value"]) or not _named(data, line, found.start()):
            return line
        return line[: found.start("value")] + "x" * len(found["value"])
    keep = found.end("keep") if found["keep"] else found.end("url")
    return line[:keep] + "x" * (len(line) - keep)


def _named(data: Data, line: str, end: int) -> bool:
    """Whether the name before an operator says that a secret follows."""
    head = line[max(0, end - 80) : end].lower()
    return any(
        (found := data.name.match(head, at)) and found["strong"] and not _PLAIN_TAIL.search(found["tail"])
        for stem in data.stems
        if stem in head
        for at in _every(stem, head)
    )


def _named_before(line: str, end: int) -> bool:
    return _named(patterns(), line, end)


def _without_values(line: str, data: Data) -> str:
    """A line without the values that its names say are secret, where they look it."""
    low = line.lower() if line.isascii() else line.translate(LOWER)
    gone: list[tuple[int, int]] = []
    at = 0
    for start in sorted({found for stem in data.stems if stem in low for found in _every(stem, low)}):
        if start < at:
            continue
        name = data.head.match(line, start)
        if name is None or name.end() < at:
            continue
        for found in _values(data, line, name):
            if spans := _secrets(name, found, data):
                gone += spans
                at = spans[-1][1]
                break
            if len(found["value"]) > 100 and found.re is data.bare:
                at = found.end("value") - 4  # else each name within it has all that follows as its value
    return _replaced(line, gone)


def _values(data: Data, line: str, name: re.Match[str]) -> Iterator[re.Match[str]]:
    """What may be the value of a name, in each way to write it."""
    end = name.end()
    if data.operator.match(line, end):
        if found := data.quoted.match(line, end):
            yield found
        if found := data.bare.match(line, end):
            yield found
    if line[end : end + 1].isspace() and (found := data.flag.match(line, end)):
        before = line[max(0, name.start() - 40) : name.start()]
        if _FLAGGED.search(before):
            yield found


def _replaced(line: str, gone: Sequence[tuple[int, int]]) -> str:
    out, at = [], 0
    for start, stop in gone:
        out += [line[at:start], "x" * (stop - start)]
        at = stop
    return "".join([*out, line[at:]]) if gone else line


def _secrets(name: re.Match[str], found: re.Match[str], data: Data) -> list[tuple[int, int]]:
    """Where a name's values stand that look secret: one, also in several literals, or those of a list."""
    if _PLAIN_TAIL.search(name["tail"]):
        return []
    values = [[found.span("value")]]
    if found.re is data.quoted:
        more: re.Match[str] | None = found
        while more and (more := data.more.match(found.string, more.end())):
            if found.string[more.end() : more.end() + 1].isspace():
                break  # a sentence, not a part of a key
            if more["apart"]:
                values.append([])
            values[-1].append(more.span("value"))
    return [
        span
        for spans in values
        if _is_secret(name, found, "".join(found.string[a:b] for a, b in spans), spans[-1][1])
        for span in spans
    ]


def _every(word: str, text: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _is_secret(name: re.Match[str], found: re.Match[str], value: str, end: int) -> bool:
    """Whether a value looks drawn at random, and is ended by what ends one, or by nothing: the line may have been cut."""
    quoted = "quote" in found.re.groupindex
    behind = found.string[end : end + 2]
    if behind[:1] not in ("\"'`\\\r\n" if quoted else " \t\r\n;,&\"'") and (quoted or behind != "</"):
        return False
    if len(value) < 8 or (not quoted and value.isalpha() and len(value) < 20):
        return False
    if placeholder(value) or pathlike(value):
        return False
    if name["weak"]:
        return (
            len(value) >= 16 and sum(map(str.isdigit, value)) > 2 and random(value) and of_three_kinds(value)
        )
    if name["service"]:
        return len(value) >= 14 and drawn(value)
    if _MODEL.search(name.string[: name.start()][-60:]):
        return False
    return drawn(value) and not (
        UUID.fullmatch(value) and _PROGRESS.search(name.string[: name.end("tail")][-90:])
    )


# One of these stands in nearly every key, and in few lines of code.
_TELLING = re.compile(r"\d|://|[A-Za-z_+/-]{12}")
# At the end of a line: `= "value`, of which nothing says yet how it ends.
_OPEN = re.compile(r"\s{0,4}(?:=>|:=|={1,3}|:)\s{0,4}[\w@]{0,2}[\"'`](?P<value>[^\s\"'`]{3,})$")
_PROGRESS = re.compile(r"(?i)(?:partialresult|workdone|progress|cancell?ation)[-_]?token[\w.\]-]*$")
_MODEL = re.compile(r"(?i)tokeni[sz]\w*\.[\w.-]*$")  # a table of what a model's tokens are
_PLAIN_TAIL = re.compile(
    r"(?i)(?:type|_id|count|length|limit|url|uri|name|file|path|regex|pattern|version|class|weight|bias|json|map|slug|label|title|kind|status|hash|digest|checksum)s?$"
)
_FLAGGED = re.compile(
    r"(?i)(?:--?[\w-]*|\bset(?:env|x)?\s+(?:-\w+\s+){0,3}\w*|\b(?:env|arg)\s+\w*|^[\s#/*;-]*|(?:#|//)\s*)$"
)
