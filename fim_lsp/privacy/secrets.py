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

from fim_lsp.privacy import key_blocks
from fim_lsp.text.document import Place, split_lines


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
        elif alone is None and key_blocks.bodied(line):
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
        private = key_blocks.state(lines, number, self._bodied)
        while number < last and self._bodied(line := lines[number]):
            left, then = key_blocks.without(line, private)
            yield left if left != line else cast("str", self._line(line, alone=private is None))
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
    if (
        alone
        and key_blocks.wrapped(line)
        and _random(line.strip())
        and not line.islower()
        and not line.isupper()
    ):
        return key_blocks.blank(line)
    if "---" in line:
        line = key_blocks.without(line)[0]
    data = _data()
    for kind in data.kinds:
        for marker in kind.markers:
            if marker in line:
                line = kind.pattern.sub(kind.replace, line)
                break
    return _without_values(line, data)


def redact_begun(line: str) -> str:
    """The beginning of a line without a key at its end that may not be whole; of the same length."""
    data = _data()
    found = data.begun.search(line)
    if found is None:
        found = _OPEN.search(line)
        if found is None or data.placeholder.search(found["value"]) or not _named(data, line, found.start()):
            return line
        return line[: found.start("value")] + "x" * len(found["value"])
    keep = found.end("keep") if found["keep"] else found.end("url")
    return line[:keep] + "x" * (len(line) - keep)


def _named(data: _Data, line: str, end: int) -> bool:
    """Whether the name before an operator says that a secret follows."""
    head = line[max(0, end - 80) : end].lower()
    return any(
        (found := data.name.match(head, at)) and found["strong"] and not _PLAIN_TAIL.search(found["tail"])
        for stem in data.stems
        for at in _every(stem, head)
    )


def _without_values(line: str, data: _Data) -> str:
    """A line without the values that its names say are secret, where they look it."""
    low = line.lower() if line.isascii() else line.translate(_LOWER)
    gone: list[tuple[int, int]] = []
    at = 0
    for start in sorted({found for stem in data.stems if stem in low for found in _every(stem, low)}):
        name = data.head.match(line, start)
        if name is None or name.end() < at:
            continue
        for found in (
            data.quoted.match(line, name.end()),
            data.bare.match(line, name.end()),
            data.flag.match(line, name.end()),
        ):
            if found is None or (
                found.re is data.flag and not _FLAGGED.search(line[max(0, start - 40) : start])
            ):
                continue
            if spans := _secrets(data, name, found):
                gone += spans
                at = spans[-1][1]
                break
    return _replaced(line, gone)


def _replaced(line: str, gone: Sequence[tuple[int, int]]) -> str:
    out, at = [], 0
    for start, stop in gone:
        out += [line[at:start], "x" * (stop - start)]
        at = stop
    return "".join([*out, line[at:]]) if gone else line


def _secrets(data: _Data, name: re.Match[str], found: re.Match[str]) -> list[tuple[int, int]]:
    """Where a name's values stand that look secret: one, also in several literals, or those of a list."""
    if _PLAIN_TAIL.search(name["tail"]):
        return []
    values = [[found.span("value")]]
    if "quote" in found.re.groupindex:
        more: re.Match[str] | None = found
        while more and not name["weak"] and (more := data.more.match(found.string, more.end())):
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
    if behind[:1] not in ("\"'`\\\r\n" if quoted else " \t\r\n;,&") and (quoted or behind != "</"):
        return False
    if len(value) < 8 or (not quoted and value.isalpha() and len(value) < 20):
        return False
    if _data().placeholder.search(value) or _pathlike(value):
        return False
    if name["weak"]:
        return (
            len(value) >= 16
            and sum(map(str.isdigit, value)) > 2
            and _random(value)
            and _of_three_kinds(value)
        )
    if name["service"]:
        return len(value) >= 14 and _drawn(value)
    return _drawn(value) and not (
        _UUID.fullmatch(value) and _PROGRESS.search(name.string[: name.end("tail")][-90:])
    )


def _drawn(text: str) -> bool:
    """Whether a string looks drawn at random, of letters alone too."""
    return _random(text) or _scrambled(text)


def _of_three_kinds(text: str) -> bool:
    return any(map(str.isdigit, text)) and not text.islower() and not text.isupper()


def _pathlike(text: str) -> bool:
    """Whether a value is a path or several words: none of its parts is of letters of both cases and digits."""
    return ("/" in text or "\\" in text) and not any(
        len(part) > 5 and _mixed(part) and _of_three_kinds(part) for part in _SLASH.split(text)
    )


def _scrambled(text: str) -> bool:
    """Whether letters look drawn at random: both cases mixed as in no name, or consonants as in no word."""
    if not text.isascii() or not text.isalpha() or len(text) < 12 or _CAMEL.fullmatch(text):
        return False
    big = sum(map(str.isupper, text)) / len(text)
    low = text.lower()
    vowels = sum(low.count(vowel) for vowel in "aeiou") / len(low)
    if 0.15 < big < 0.85:
        turns = sum(a.isupper() != b.isupper() for a, b in pairwise(text)) / len(text)
        return turns > (0.25 if vowels < 0.31 else 0.45) and len(set(text)) > 0.4 * len(text)
    return big in (0, 1) and vowels < 0.27 and len(set(low)) > 9 and _CONSONANTS.search(low) is not None


class _Kind(NamedTuple):
    markers: tuple[str, ...]
    pattern: re.Pattern[str]
    replace: Callable[[re.Match[str]], str]


class _Data(NamedTuple):
    placeholder: re.Pattern[str]
    kinds: tuple[_Kind, ...]
    stems: tuple[str, ...]  # what the names begin with
    quoted: re.Pattern[str]
    more: re.Pattern[str]
    bare: re.Pattern[str]
    flag: re.Pattern[str]
    begun: re.Pattern[str]
    head: re.Pattern[str]
    name: re.Pattern[str]


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(resources.files("fim_lsp").joinpath("privacy", "secrets.toml").read_text("utf-8"))


@cache
def _data() -> _Data:
    raw = _table()
    checks: dict[str | None, Callable[[str], bool]] = {
        None: lambda _: True,
        "mixed": lambda value: _mixed(value) or _scrambled(value),
        "random": _random,
        "drawn": _drawn,
        "value": lambda value: not _data().placeholder.search(value),
    }
    kinds = tuple(
        _Kind(tuple(row["marker"]), re.compile(row["pattern"]), _replacing(checks[row.get("check")]))
        for row in raw["strings"]
    )
    names = {kind: re.sub(r"\n\s*", "", raw[kind]) for kind in ("names", "services", "weak")}
    # The name's end, and its type: `secret_key`, `"api-key"]`, `key: Final[str]`, `--api-key", default=`
    name = (
        rf"(?i)(?:(?P<strong>{names['names']})|(?P<service>(?<![a-z]){names['services']})|(?P<weak>(?<![a-z])(?:{names['weak']})(?![a-z])))"
        r"(?P<tail>[\w.\]-]{0,60}+)\\?[\"'`]?[\])]?"
    )
    return _Data(
        placeholder=re.compile(raw["placeholders"]),
        kinds=kinds,
        head=re.compile(name),
        name=re.compile(name + r"(?:\s?:\s{0,3}[^=\"`\n:,]{1,40})?$"),
        begun=re.compile(re.sub(r"\n\s*", "", raw["begun"])),
        stems=tuple(
            sorted(
                {
                    stem[0]
                    for kind in names.values()
                    for name in kind.split("|")
                    if (stem := _STEM.match(name))
                }
            )
        ),
        quoted=re.compile(
            r"(?i)(?:\s?:\s{0,3}[^=\"`\n:,]{1,40}?(?=\s?=))?\s{0,8}"
            r"(?:value\s?=|=>|->|:=|[!=]={1,2}|[?+]?=|[:,(>]|(?=\{)|(?<=\s))\s{0,8}(?:\w{1,12}\s?=\s?)?"
            r"(?:[\[({&*@$]\s?){0,3}(?:[\"'`]?[\w-]{1,30}[\"'`]?\s?(?::|=>)\s?)?[\w&]{0,8}[!(]?\\?(?P<quote>[\"'`])(?P<value>[^\s\"'`\\]{4,}+)"
        ),
        more=re.compile(
            r"\\?[\"'`]\s{0,4}(?:(?P<apart>,)|[+.&]?)\s{0,4}(?:[\"'`]?[\w-]{1,30}[\"'`]?\s{0,2}(?::|=>)\s{0,2})?\\?[\"'`]"
            r"(?P<value>[^\s\"'`\\]{4,}+)"
        ),
        bare=re.compile(
            r"(?i)\s{0,8}(?:[!=]={1,2}|:=|\?=|=>|=|:|>|(?<=\s)(?:is|was)\s)\s{0,6}(?:(?:basic|bearer|token)\s|base64:)?"
            r"(?P<value>[\w+/=.~!@#%^*?$-]{12,}+)"
        ),
        flag=re.compile(r"\s{1,3}(?P<value>[\w+/=.~!@#%^*?$-]{8,}+)"),
    )


def _replacing(check: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    def replace(found: re.Match[str]) -> str:
        keep = found.groupdict().get("keep") or ""
        secret = found[0][len(keep) :]
        return keep + "x" * len(secret) if check(secret) and not _DOCUMENTED.search(found[0]) else found[0]

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
# One of these stands in nearly every key, and in few lines of code.
_TELLING = re.compile(r"\d|://|[A-Za-z_+/-]{12}")
# At the end of a line: `= "value`, of which nothing says yet how it ends.
_OPEN = re.compile(r"\s{0,4}(?:=>|:=|={1,3}|:)\s{0,4}[\w@]{0,2}[\"'`](?P<value>[^\s\"'`]{3,})$")
_DOCUMENTED = re.compile("EXAMPLE|1234-abcdefgh|T0{8}/|X{8}|x{16}")
_STEM = re.compile("[a-z]+")
_CAMEL = re.compile("[A-Z]?[a-z]+(?:[A-Z][a-z]+)+[A-Z]{0,3}")
_SLASH = re.compile(r"[/\\]")
_CONSONANTS = re.compile("[bcdfghjklmnpqrstvwxz]{5}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PROGRESS = re.compile(r"(?i)(?:partialresult|workdone|progress|cancell?ation)[-_]?token[\w.\]-]*$")
_PLAIN_TAIL = re.compile(
    r"(?i)(?:type|_id|count|length|limit|url|uri|name|file|path|regex|pattern|version|class|weight|bias|json|map)s?$"
)
_FLAGGED = re.compile(r"(?i)(?:--?[\w-]*|\bset(?:env)?\s+(?:-\w+\s+){0,3}\w*|\b(?:env|arg)\s+\w*)$")
