"""What the .editorconfig files above a file say of its indentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from fim_lsp.text.indentation import Indent
from fim_lsp.text.surroundings import TAB

NAME = ".editorconfig"
LONGEST = 256  # characters of a pattern
STARS = 16  # in a pattern
MOST = 64  # patterns that braces stand for
WIDEST = 16  # columns of a level
HIGHEST = 20  # folders above a file that are looked at


def folders(path: str, home: str) -> list[str]:
    """The folders from a file's own up to `home`, which it lies in, nearest first; both as paths with `/`."""
    home = home.rstrip("/")
    if not path.startswith(home + "/"):
        return []
    parts = path[len(home) + 1 :].split("/")[:-1]
    return ["/".join([home, *parts[:depth]]) for depth in range(len(parts), -1, -1)][:HIGHEST]


def indent(files: Sequence[tuple[str, str]], path: str) -> Indent | None:
    """The indentation of a file by the texts of such files, each with its folder, nearest first; None if none tells."""
    found: dict[str, str] = {}
    for folder, text in files:
        root, own = _told(text, path[len(folder) + 1 :])
        found = own | found
        if root:
            break
    style, size = found.get("indent_style"), found.get("indent_size", "")
    if size == "tab":
        size = found.get("tab_width", "")
    columns = int(size) if size.isdecimal() and len(size) < 3 and 0 < int(size) <= WIDEST else 0
    if style == "tab":
        return Indent(tab=True, size=TAB)
    return Indent(tab=False, size=columns or TAB) if style == "space" or columns else None


def _told(text: str, path: str) -> tuple[bool, dict[str, str]]:
    """Whether nothing above counts, and what one such file says of a path below it; later sections win."""
    root, counts = False, None
    found: dict[str, str] = {}
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            counts = _matches(line[1:-1], path)
            continue
        name, equals, value = line.partition("=")
        name, value = name.strip().lower(), value.strip().lower()
        if not equals:
            continue
        if counts is None:
            root = root or (name == "root" and value == "true")
        elif counts and name in {"indent_style", "indent_size", "tab_width"}:
            found[name] = value
    return root, found


def _matches(pattern: str, path: str) -> bool:
    """Whether a section's pattern names a path; one without `/` names it in any folder."""
    if len(pattern) > LONGEST or pattern.count("*") > STARS:
        return False
    return any(_fits(tuple(_tokens(one)), path) for one in _spelled(pattern))


def _spelled(pattern: str) -> list[str]:
    """A pattern without braces, once for each text that they stand for: `{a,b}`, `{1..3}`."""
    made, done = [pattern], list[str]()
    while made and len(made) + len(done) <= MOST:
        one = made.pop(0)
        brace = _BRACE.search(one)
        if brace is None:
            done.append(one)
            continue
        inner = brace[1]
        numbers = _NUMBERS.fullmatch(inner)
        if numbers:
            first, last = sorted((int(numbers[1]), int(numbers[2])))
            words = [str(number) for number in range(first, min(last, first + MOST) + 1)]
        else:
            words = inner.split(",")
        # Braces with one word in them are text.
        words = words if numbers or len(words) > 1 else [f"\\{{{inner}\\}}"]
        made += [one[: brace.start()] + word + one[brace.end() :] for word in words]
    return done


def _tokens(pattern: str) -> Iterator[str]:
    r"""A pattern in pieces: `*`, `**`, `?`, sets, and other characters with `\` before them."""
    if "/" not in pattern:
        yield "**/"
    for piece in _PIECE.findall(pattern.removeprefix("/")):
        yield piece if piece in {"*", "**", "?", "**/"} or len(piece) > 2 else "\\" + piece[-1]


@lru_cache(256)
def _fits(pieces: tuple[str, ...], path: str) -> bool:
    """Whether pieces make up a path; what each of them can reach is known before the next is looked at."""
    reached = [0]
    for piece in pieces:
        after: list[int] = []
        for at in reached:
            if piece[:1] == "*":
                first = max(at, after[-1] + 1 if after else 0)
                after += [n for n in range(first, _end(piece, path, at) + 1) if _stops(piece, path, n, at)]
            elif at < len(path) and _is(piece, path[at]):
                after.append(at + 1)
        reached = after
    return len(path) in reached


def _end(piece: str, path: str, at: int) -> int:
    """How far a piece of stars can reach."""
    slash = path.find("/", at)
    return slash if piece == "*" and slash >= 0 else len(path)


def _stops(piece: str, path: str, at: int, start: int) -> bool:
    """Whether a piece of stars may end there."""
    return piece != "**/" or at == start or path[at - 1] == "/"


def _is(piece: str, sign: str) -> bool:
    if piece == "?":
        return sign != "/"
    if piece[0] != "[":
        return piece[1] == sign
    inner = piece[1:-1]
    inside = inner.removeprefix("!")
    ranges = any(low <= sign <= high for low, high in _RANGE.findall(inside))
    return (ranges or sign in _RANGE.sub("", inside)) == (inside == inner)


_BRACE = re.compile(r"(?<!\\)\{([^{}\\]*)\}")
_NUMBERS = re.compile(r"(-?\d{1,6})\.\.(-?\d{1,6})")
_PIECE = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]|\\.|[^\\]")
_RANGE = re.compile(r"(.)-(.)")
