"""What never leaves the machine: files that hold secrets, and strings in other files that look like keys.

Both lists are data, in `secrets.toml`.  A key-like string is replaced by as many `x` as it has characters, after the
part that tells its kind: places in the text stay where they are, the bytes stay the same from request to request, and a
key that is being typed only grows.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, NamedTuple


def files() -> list[str]:
    """Patterns of files that usually hold secrets, in lower case."""
    return list(_table()["files"])


def telling(rule: str) -> bool:
    """Whether a rule of a .gitignore, by its words, names secrets."""
    return re.search(_table()["rules"], rule) is not None


class Redactor:
    """Replaces key-like strings; a line that it has seen costs one look into a map, and those with which the last text began,
    too, cost nothing: at a key, all but the last few.
    """

    LINES = 8_192  # kept in each of two halves; the older half goes at once
    LINE_CHARS = 1_000  # a longer line is looked at anew each time

    def __init__(self) -> None:
        self._young: dict[str, str] = {}
        self._old: dict[str, str] = {}
        self._last = self._clean = ""  # the last text, and what became of it

    def text(self, text: str) -> str:
        """The text with every key-like string replaced, of the same length."""
        if _PEM in text:  # what becomes of a line depends on others
            return self._lines(_without_keys(text))
        same = text.rfind("\n", 0, _common(self._last, text)) + 1
        self._clean = self._clean[:same] + self._lines(text[same:])
        self._last = text
        return self._clean

    def around(self, prefix: str, suffix: str) -> tuple[str, str]:
        """Both sides of a cursor, with a key that the cursor stands in replaced too."""
        whole = self.text(prefix + suffix)
        return whole[: len(prefix)], whole[len(prefix) :]

    def _lines(self, text: str) -> str:
        young = self._young
        out = []
        for line in text.split("\n"):
            clean = young.get(line)
            out.append(self._line(line) if clean is None else clean)
        return "\n".join(out)

    def _line(self, line: str) -> str:
        if len(line) > self.LINE_CHARS:
            return redact_line(line)
        clean = self._old.get(line)
        if clean is None:
            clean = redact_line(line)
            if clean == line:
                clean = line  # one string kept, not two
        if len(self._young) >= self.LINES:
            self._old, self._young = self._young, {}
        self._young[line] = clean
        return clean


def redact_line(line: str) -> str:
    """One line with every key-like string replaced, of the same length; time grows with the length of the line."""
    if not _TELLING.search(line):
        return line
    if _WRAPPED.fullmatch(line) and _random(line.strip()) and not line.islower() and not line.isupper():
        return _BODY_CHAR.sub("x", line)
    data = _data()
    for kind in data.kinds:
        for marker in kind.markers:
            if marker in line:
                line = kind.pattern.sub(kind.replace, line)
                break
    if data.named.search(line):
        line = data.quoted.sub(_value_replaced("\"'`"), line)
        line = data.bare.sub(_value_replaced(" \t\r;,"), line)
    return line


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    same, most = 0, min(len(one), len(other))
    if one[:most] == other[:most]:
        return most
    while same < most:
        half = (same + most + 1) // 2
        if one[same:half] == other[same:half]:
            same = half
        else:
            most = half - 1
    return same


class _Kind(NamedTuple):
    markers: tuple[str, ...]
    pattern: re.Pattern[str]
    replace: Callable[[re.Match[str]], str]


class _Data(NamedTuple):
    placeholder: re.Pattern[str]
    kinds: tuple[_Kind, ...]
    named: re.Pattern[str]
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
        named=re.compile(rf"(?i){names}"),
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


def _value_replaced(ends: str) -> Callable[[re.Match[str]], str]:
    """Replaces a value behind which one of these stands, or nothing: the line may have been cut."""

    def replace(found: re.Match[str]) -> str:
        value, behind = found["value"], found.string[found.end() : found.end() + 1]
        if behind not in ends or _data().placeholder.search(value) or not _random(value):
            return found[0]
        return found["keep"] + "x" * len(value)

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


_TELLING = re.compile(
    r"\d|://|AKIA|ASIA"
)  # one of these stands in nearly every key, and in few lines of code
# A line of a key of which a window shows neither the beginning nor the end: 64 or 76 characters, and nothing else.
_WRAPPED = re.compile(r"[\s\"'`+#*|]*[A-Za-z0-9+/]{64}(?:[A-Za-z0-9+/]{12})?(?:\\[nr])*[\"'`\s,;+\\]*")
_PEM = "PRIVATE KEY"
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
# What a key's lines consist of, in a file of its own or as a string in code, with its line ends escaped or not.
_BODY = re.compile(
    r"(?:[\s\"'`+.,;:#*|\\-]*+(?:\\[nr])*+[A-Za-z0-9+/=]{12,}+)*+[\s\"'`\\nr]*+[A-Za-z0-9+/=]{0,76}"
)
_BODY_BACK = re.compile(r"[A-Za-z0-9+/=\s\"'`.,;:#*|\\-]*+")
_BODY_CHAR = re.compile(r"(?<!\\)[A-Za-z0-9+/=]")


def _without_keys(text: str) -> str:
    """The text with the bodies of private keys replaced, also where a window has cut off one end."""
    out, at = [], 0
    while True:
        begin, end = _BEGIN.search(text, at), _END.search(text, at)
        if end and (not begin or end.start() < begin.start()):
            # The beginning is cut off: what precedes the end is the key, back to the first line that is none.
            head = text[at : end.start()].split("\n")
            first = len(head)
            while first and _BODY_BACK.fullmatch(head[first - 1]):
                first -= 1
            body = "\n".join(head[first:])
            out.append(text[at : end.start() - len(body)])
            out.append(_BODY_CHAR.sub("x", body) + end[0])
            at = end.end()
        elif begin:
            following = _BEGIN.search(text, begin.end())
            if end and not (following and following.start() < end.start()):
                stop = end.start()
            else:
                body_match = _BODY.match(text, begin.end())
                stop = body_match.end() if body_match else begin.end()
            out.append(text[at : begin.end()] + _BODY_CHAR.sub("x", text[begin.end() : stop]))
            at = stop
            if end and stop == end.start():
                out.append(end[0])
                at = end.end()
        else:
            out.append(text[at:])
            return "".join(out)
