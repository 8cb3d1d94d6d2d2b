"""Commit messages and patches: which of their lines belong to files that are never sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import unquote

from fim_lsp.text.document import body

# Language identifiers of editors (VS Code, Neovim, Helix and Emacs' clients), 2026-11.
_LANGUAGES = {
    "git-commit",
    "gitcommit",
    "commit",
    "git-rebase",
    "gitrebase",
    "diff",
    "patch",
    "gitdiff",
    "git",
}
_NAMES = re.compile(
    r"(?:(?:COMMIT_EDIT|MERGE_|TAG_EDIT|SQUASH_)MSG|.*\.(?:diff|patch|rej))(?:\.txt)?", re.IGNORECASE
)
# `git diff` with and without prefixes, for merges, and what `diff -u`, `diff -c`, Subversion and Mercurial write.
_BEGINS = re.compile(r"diff (?P<rest>.+)|Index: (?P<index>.+)|Only in .+")
_NAMED = re.compile(r"(?:---|\+\+\+|\*\*\*|rename (?:from|to)|copy (?:from|to)) (?P<path>.+)")
_HUNK = re.compile(r"@@+ -\d|\*{15}\s*$|Binary files |GIT binary patch")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)")
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def may_hold(uri: str, language: str) -> bool:
    """Whether a document may hold a patch, by its name and language."""
    name = unquote(uri).rsplit("/", 1)[-1]
    return language.lower() in _LANGUAGES or _NAMES.fullmatch(name) is not None


def root(uri: str) -> str:
    """The URI of the folder, with `/` at its end, from which the paths in a patch lead."""
    outer, inside, _ = uri.partition("/.git/")
    return (outer if inside else uri.rpartition("/")[0]) + "/"


def without(lines: Sequence[str], secret: Callable[[str], bool]) -> list[str]:
    """The lines, those that a patch has for a secret file blank; so are those of a hunk that names no file.

    `secret` is asked for each path that a file's part names, as it is written and without its first folder, which is
    `a/` or `b/` in git.
    """
    out: list[str] = []
    for part in _parts(lines):
        paths = set(_paths(part))
        hides = any(map(secret, paths)) if paths else any(map(_HUNK.match, part))
        out += (line[len(body(line)) :] for line in part) if hides else part
    return out


def _parts(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    """The lines, cut where the part of another file begins."""
    start, headed, named = 0, False, False
    for number, line in enumerate(lines):
        begins = _BEGINS.match(line) is not None
        # Without a line of its own, a part begins with the first of its two names.
        first = line.startswith(("--- ", "*** ")) and not line.rstrip().endswith((" ----", " ****"))
        hunk = _HUNK.match(line) is not None
        if begins or (first and _second(lines, number) and not named) or (hunk and not headed):
            yield lines[start:number]
            start, headed, named = number, not hunk, begins
        elif hunk:
            named = False
    yield lines[start:]


def _second(lines: Sequence[str], number: int) -> bool:
    """Whether the line behind this one names the file, too."""
    return number + 1 < len(lines) and lines[number + 1].startswith(("+++ ", "--- "))


def _paths(part: Sequence[str]) -> Iterator[str]:
    """Every path that the head of a part may name."""
    for line in part:
        text = body(line)
        if _HUNK.match(text):
            return
        begins, named = _BEGINS.match(text), _NAMED.match(text)
        if begins is not None:
            yield from _ways(begins["rest"] or begins["index"] or text)
        elif named is not None:
            yield from _ways(named["path"].split("\t")[0])


def _ways(written: str) -> Iterator[str]:
    """The paths that a text may stand for: all of it, and each end of it behind a blank."""
    for quoted in _QUOTED.findall(written):
        yield from _stripped(_unquoted(quoted))
    words = written.split(" ")
    for number in range(len(words)):
        yield from _stripped(" ".join(words[number:]).strip('"'))
        yield from _stripped(" ".join(words[: number + 1]).strip('"'))
        yield from _stripped(words[number].strip('"'))


def _stripped(path: str) -> Iterator[str]:
    if path and path != "/dev/null" and not path.startswith("--"):
        yield path.lstrip("/")
        if "/" in path:
            yield path.partition("/")[2].lstrip("/")


def _unquoted(text: str) -> str:
    """A path as git quotes it: C's escapes, bytes in octal."""

    def one(found: re.Match[bytes]) -> bytes:
        sign = found[1]
        return bytes([int(sign, 8) & 255]) if sign[:1].isdigit() else _LETTERS.get(sign, sign)

    return _ESCAPED.sub(one, text.encode()).decode("utf-8", "replace")
