"""Files that are never sent: those that usually hold secrets, and those the user names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from fim_lsp.secrets import files, telling


def excluded(paths: Iterable[str], patterns: Sequence[str]) -> bool:
    """Whether a document with these paths is never to be sent: one of them that is excluded is enough.

    The last pattern that names a path decides, `!` brings it back.  A pattern without `/` names files anywhere,
    `dir/` or `dir/**` everything below any such folder.
    """
    return any(_last(patterns, path, usual=_last(files(), path.lower())) for path in paths)


def ignored(rules: str) -> tuple[str, ...]:
    """The patterns of a .gitignore that name secrets, as `excluded` takes them; what else it names may be asked about."""
    out: list[str] = []
    for line in rules.splitlines():
        rule = line.strip().removesuffix("/**")
        back = "!" if rule.startswith("!") else ""
        rule = rule.removeprefix("!").lstrip("/").removeprefix("**/")
        if rule and not rule.startswith("#") and telling(rule):
            bare = rule.rstrip("/")
            # A name may be that of a folder, as which it names everything below.
            out += [f"{back}{bare}/"] if rule.endswith("/") else [f"{back}{bare}", f"{back}{bare}/"]
    return tuple(out)


def _last(patterns: Sequence[str], path: str, *, usual: bool = False) -> bool:
    out = usual
    for pattern in patterns:
        back = pattern.startswith("!")
        if back == out and _names(pattern.removeprefix("!"), path):
            out = not back
    return out


def _names(pattern: str, path: str) -> bool:
    if "/" not in pattern:
        return fnmatchcase(path.rsplit("/", 1)[-1], pattern)
    if pattern.endswith("/"):
        pattern += "**"
    pattern = pattern.removeprefix("**/").lstrip("/")
    return fnmatchcase(path, f"*/{pattern}") or fnmatchcase(path, f"*/{pattern.replace('**', '*')}")
