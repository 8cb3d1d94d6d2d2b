"""The paths that a document's URI may stand for, whatever its scheme and however it is spelled."""

from __future__ import annotations

import os
import posixpath
import re
import sys
from collections.abc import Iterator
from urllib.parse import unquote

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: `c:` is a drive
_DRIVE = re.compile(r"/?([A-Za-z])[:|](?=[/\\]|$)")
# Windows' names without limits: `\\?\C:\p`, `\\?\UNC\host\share\p`, `\\.\C:\p`.
_DEVICE = re.compile(
    r"[/\\]+[?.][/\\]+(?:UNC[/\\]+([^/\\]+)(?=[/\\])|(?=[A-Za-z]:(?:[/\\]|$)))", re.IGNORECASE
)
_WORDS = re.compile(r"""[\s"'{}\[\](),;&=?#<>|]+""")  # what stands between names in a query: JSON, or a form
_UTF_8 = sys.getfilesystemencoding() == "utf-8"
FOLDS = sys.platform in {"win32", "darwin"}  # whether names that differ in case alone are the same file
MOST_LINKS = 40  # followed from one path, as Linux does


def paths(uri: str) -> tuple[str, ...]:
    """Every path that a URI may name, the likeliest first; each begins with `/` and has `/` between its parts.

    A fragment and a query are cut off, and also read: cells of a notebook have the one, revisions of a file the
    other, and a client that escapes too little leaves `#` and `?` in names.  Drives are in lower case
    (`/c:/p/a.py`), a host stands in front as in `//host/share/a.py`.  Links are followed, where the path is one of
    this machine: a document counts under its own name and under that of what it is.
    """
    found: dict[str, None] = {}
    for path in _written(uri):
        for name in (path, *_followed(path)):
            found[name] = None
    return tuple(found)


def path_of(uri: str) -> str | None:
    """The path of a file by its URI, with `/` and without one before a drive; None where the scheme is another."""
    return bare(next(_written(uri))) if uri[:5].lower() == "file:" else None


def bare(path: str) -> str:
    """One of these paths without the `/` before a drive: `/c:/p` as `c:/p`."""
    return path[1:] if _DRIVE.match(path) else path


def native(path: str) -> str:
    """One of these paths as this system's calls take it.

    The bytes of a URI are those of the name, also where the locale is not of UTF-8, and Python takes names to be of
    the locale.  An editor may take them so, too, and write their characters: where there is no such file, that is meant.
    """
    path = bare(path)
    if path.isascii() or _UTF_8:
        return path
    found = os.fsdecode(path.encode("utf-8", "surrogateescape"))
    return path if not _there(found) and _there(path) else found


def _there(path: str) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:  # characters that the locale lacks
        return False


def known(path: str) -> str:
    """What a call of this system has given, as these paths have it."""
    return path if path.isascii() or _UTF_8 else os.fsencode(path).decode("utf-8", "surrogateescape")


def _written(uri: str) -> Iterator[str]:
    scheme = _SCHEME.match(uri)
    rest = uri[scheme.end() :] if scheme else uri
    host = ""
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        rest = slash + rest
    shared = host if scheme and scheme[0].lower() == "file:" and host.lower() != "localhost" else ""
    bare, *more = re.split(r"[?#]", rest, maxsplit=1)
    whole = rest if not scheme or scheme[0].lower() == "file:" else rest.rpartition("#")[0]
    for spelled in dict.fromkeys((bare, whole or bare)):
        once = unquote(spelled, errors="surrogateescape")
        for name in dict.fromkeys((once, unquote(once, errors="surrogateescape"), once.replace("\\", "/"))):
            yield _canonical(name, unquote(shared))
    if scheme and scheme[0].lower() != "file:":
        # A revision (`HEAD:a.py`), an archive (`a.zip::b.py`, `a.jar!/b.py`), or a host in the path's place.
        yield _canonical(re.split(r"[:!]", unquote(bare, errors="surrogateescape"))[-1], "")
        if not bare.strip("/"):
            yield _canonical(unquote(host, errors="surrogateescape"), "")
    for query in more:
        for word in _WORDS.split(unquote(query, errors="surrogateescape")):
            if "/" in word or "\\" in word or "." in word:
                yield _canonical(_SCHEME.sub("", word.strip(":").replace("\\", "/")), "")


def _canonical(path: str, host: str) -> str:
    if device := _DEVICE.match(path):
        path, host = path[device.end() :], device[1] or host
    drive = _DRIVE.match(path)
    if drive or host:
        path = path.replace("\\", "/")
        # Windows opens the same file under a name that ends in dots, blanks or a stream's name.
        head = f"/{drive[1].lower()}:" if drive else f"//{host.lower()}"
        inner = path[drive.end() :] if drive else path
        parts = [part.partition(":")[0].rstrip(". ") or part for part in inner.split("/")]
        return head + posixpath.normpath("/" + "/".join(parts).lstrip("/"))
    return posixpath.normpath("/" + path.lstrip("/"))


def _followed(path: str) -> Iterator[str]:
    """What a path leads to on this machine, link by link."""
    if path.startswith("//"):
        return  # of another machine, which may not answer
    here = native(path)
    try:
        for _ in range(MOST_LINKS):
            folder, name = os.path.split(here)
            here = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - a name may be `.`-like
            yield _canonical(known(here).replace(os.sep, "/"), "")
            here = os.path.join(os.path.dirname(here), os.readlink(here))  # noqa: PTH115, PTH118, PTH120
    except (OSError, ValueError):
        return
