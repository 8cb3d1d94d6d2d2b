"""Rules in the language of .gitignore, matched as git does, in time that grows with the length of rule and path alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

# Regular expressions that do not backtrack: what a star has passed is never looked at again, as the first place that
# fits leaves most to what follows.  https://git-scm.com/docs/gitignore; what it leaves open is as in git's wildmatch.c.
_NAME = "[^/]"
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`{-~", "space": r" \t-\r", "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_UNUSUAL = re.compile(r"[?[\\]|\*\*")
_STAR, _SLASH, _DEEP, _DEEPER, _REST = "*", "/", "**/", "**\\/", "**"


class Rule:
    """One rule, made of single characters, sets and stars; `back` where it begins with `!`."""

    __slots__ = ("_matches", "_parts", "_tokens", "back", "bare", "end", "folder", "plain", "start")

    def __init__(self, tokens: Sequence[str], *, back: bool, folder: bool, bare: bool) -> None:
        self.back = back
        self.folder = folder  # names folders only
        self.bare = bare  # compared with a name alone, wherever it stands
        self._tokens = tokens
        self._matches: re.Pattern[str] | None = None
        if isinstance(tokens, str) and "*" not in tokens:
            parts = [tokens]
        elif bare and isinstance(tokens, str):
            parts = tokens.split("*")
        else:
            parts = "".join(token if len(token) == 1 and token != _STAR else "\0" for token in tokens).split(
                "\0"
            )
        self.start, *between, self.end = parts if len(parts) > 1 else (parts[0], "")
        self.plain = self.start if len(parts) == 1 else None
        # `*secret*.py`, as most are, needs no expression, which takes longer to make than a thousand looks.
        simple = bare and len(parts) == 1 + sum(token == _STAR for token in tokens)
        self._parts = between if simple else None

    @property
    def costly(self) -> bool:
        """Whether it needs an expression."""
        return self._parts is None

    def matches(self, text: str, fold: int) -> bool:
        """Whether it names a path, or a name where it is `bare`; in lower case where case does not count."""
        at, end = len(self.start), len(text) - len(self.end)
        if at > end or not text.startswith(self.start) or not text.endswith(self.end):
            return False
        if self._parts is not None:
            for part in self._parts:
                at = text.find(part, at, end) + len(part)
                if at < len(part):
                    return False
            return True
        if self._matches is None:
            self._matches = re.compile(_expression(self._tokens), re.DOTALL | fold)
        return self._matches.fullmatch(text) is not None


class Rules:
    """Rules in their order, the last that names a path deciding."""

    def __init__(self, lines: Iterable[str], *, fold: bool = False) -> None:
        """Take the lines of an ignore file; those that can name nothing are left out.  `fold`: case does not count."""
        self._fold = fold
        self._names: dict[tuple[bool, str], int] = {}  # rules that are a name, by whether they want a folder
        self._paths: dict[tuple[bool, str], int] = {}
        self._globs: list[tuple[int, Rule]] = []
        self._rules: list[Rule] = []
        for line in lines:
            rule = parsed(_folded(line, fold))
            if rule is None:
                continue
            number = len(self._rules)
            self._rules.append(rule)
            if rule.plain is None:
                self._globs.append((number, rule))
            else:
                (self._names if rule.bare else self._paths)[rule.folder, rule.plain] = number
        self._globs.reverse()

    def __len__(self) -> int:
        return len(self._rules)

    @property
    def costly(self) -> int:
        """How many need an expression of their own: they are more than names, paths, and stars in these."""
        return sum(rule.costly for _, rule in self._globs)

    def verdict(self, path: str, *, folder: bool) -> bool | None:
        """What the last rule that names a path says: True ignored, False brought back; None where none does.

        The path is relative to where the rules hold, with `/`.  Its folders are the caller's matter.
        """
        path = _folded(path, self._fold)
        name = path.rpartition("/")[2]
        last = max(self._names.get((False, name), -1), self._paths.get((False, path), -1))
        if folder:
            last = max(last, self._names.get((True, name), -1), self._paths.get((True, path), -1))
        fold = re.IGNORECASE if self._fold else 0
        for number, rule in self._globs:
            if number < last:
                break
            if (folder or not rule.folder) and rule.matches(name if rule.bare else path, fold):
                last = number
                break
        return None if last < 0 else not self._rules[last].back


def lines_of(data: bytes) -> list[str]:
    """The lines of an ignore file as git takes them: they end at line feeds only, and a byte order mark is none of it.

    What PowerShell writes is UTF-16, of which git makes nothing: whoever wrote it meant it.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    return [line.removesuffix("\r") for line in text.split("\n")]


def parsed(line: str) -> Rule | None:
    """The rule of a line; None for a comment, an empty line, and what can name nothing."""
    if line.startswith("#"):
        return None
    pattern = _trimmed(line)
    back = pattern.startswith("!")
    pattern = pattern[back:]
    folder = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    bare = "/" not in pattern
    pattern = pattern.removeprefix("/")
    # Most rules hold nothing but characters and single stars: they are their own parts.
    usual = _UNUSUAL.search(pattern) is None
    tokens = pattern if usual else _tokens(pattern, bare=bare)
    return Rule(tokens, back=back, folder=folder, bare=bare) if tokens else None


def _folded(text: str, fold: bool) -> str:
    """Text as it is compared: composed, as macOS decomposes names."""
    text = text if text.isascii() else unicodedata.normalize("NFC", text)
    return text.lower() if fold else text


def _trimmed(line: str) -> str:
    """A line without the blanks at its end, but for those behind a backslash."""
    end = len(line.rstrip(" "))
    escapes = len(line[:end]) - len(line[:end].rstrip("\\"))
    return line[: end + 1] if escapes % 2 and end < len(line) else line[:end]


def _tokens(pattern: str, *, bare: bool) -> list[str] | None:
    """A pattern's parts: single characters, sets as regular expressions, stars; None if it can match nothing."""
    out: list[str] = []
    at, end = 0, len(pattern)
    # git compares what precedes the first sign apart: stars right behind it count as if they opened the pattern.
    first = next((i for i, sign in enumerate(pattern) if sign in "*?[\\"), end)
    while at < end:
        sign = pattern[at]
        if sign == "*":
            stop = at
            while stop < end and pattern[stop] == "*":
                stop += 1
            deep = not bare and stop - at > 1 and (at in (0, first) or pattern[at - 1] == "/")
            if deep and stop == end:
                out.append(_REST)
            elif deep and pattern[stop] == "/":
                if out[-1:] != [_DEEP]:
                    out.append(_DEEP)
                stop += 1
            elif deep and pattern.startswith("\\/", stop):
                out.append(_DEEPER)
                stop += 2
            else:
                out.append(_STAR)
            at = stop
        elif sign == "[":
            found = _set(pattern, at + 1)
            if found is None:
                return None
            out.append(found[0])
            at = found[1]
        elif sign == "?":
            out.append(_NAME)
            at += 1
        else:
            at += sign == "\\"
            if at == end:
                return None
            # An escaped star is a character like any other, which is told from one by being a set.
            out.append(r"[*]" if pattern[at] == "*" else pattern[at])
            at += 1
    return out


def _set(pattern: str, at: int) -> tuple[str, int] | None:
    """A set in brackets as a regular expression, and where it ends; None if nothing is in it, or it has no end."""
    out: list[str] = []
    negated = pattern[at : at + 1] in {"!", "^"}
    at += negated
    before = ""
    opens = True
    while opens or pattern[at : at + 1] != "]":
        opens = False
        sign = pattern[at : at + 1]
        if not sign:
            return None
        if sign == "-" and before and pattern[at + 1 : at + 2] not in {"", "]"}:
            at += 1 + (pattern[at + 1] == "\\")
            if at >= len(pattern):
                return None
            if before <= pattern[at]:
                out.append(f"{re.escape(before)}-{re.escape(pattern[at])}")
            before = ""
        elif pattern.startswith("[:", at) and (stop := pattern.find("]", at + 2)) >= 0:
            if stop > at + 2 and pattern[stop - 1] == ":":
                if pattern[at + 2 : stop - 1] not in _CLASSES:
                    return None
                out.append(_CLASSES[pattern[at + 2 : stop - 1]])
                at, before = stop, ""
            else:
                out.append(r"\[")
                before = "["
        elif pattern.startswith("[:", at):
            return None
        else:
            at += sign == "\\"
            if at >= len(pattern):
                return None
            out.append(re.escape(pattern[at]))
            before = pattern[at]
        at += 1
    if not out and not negated:
        return None
    return (f"[^/{''.join(out)}]" if negated else f"(?!/)[{''.join(out)}]"), at + 1


def _expression(tokens: Sequence[str]) -> str:
    """The whole as a regular expression: runs of parts between `**`, each where it first fits."""
    runs: list[list[str]] = [[]]
    leads: list[str] = [""]
    rest = False
    for token in tokens:
        if token in {_DEEP, _DEEPER}:
            leads.append("(?:[^/]*/)*?" if token == _DEEP else "[^/]*/(?:[^/]*/)*?")
            runs.append([])
        elif token == _REST:
            rest = True
        else:
            runs[-1].append(token)
    out = []
    for number, (lead, run) in enumerate(zip(leads, runs, strict=True)):
        last = number == len(runs) - 1 and not rest
        ends = "\\Z" if last else ""
        out.append(f"(?>{lead}{_run(run)}{ends})")
    return "".join(out) + (".*" if rest else "")


def _run(tokens: Sequence[str]) -> str:
    """Parts without `**`, name by name."""
    names: list[list[list[str]]] = [[[]]]  # of each name, the parts between its stars
    for token in tokens:
        if token == _SLASH:
            names.append([[]])
        elif token == _STAR:
            names[-1].append([])
        else:
            names[-1][-1].append(token if len(token) > 1 else re.escape(token))
    out = []
    for first, *more in names:
        name = "".join(first)
        for part in more[:-1]:
            name += f"(?>[^/]*?{''.join(part)})"
        if more:
            name += f"[^/]*{''.join(more[-1])}(?=/|\\Z)"
        out.append(f"(?>{name})")
    return "/".join(out)
