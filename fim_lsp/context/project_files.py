"""The paths of a project as imports look for them, what its manifests call its folders, and names in braces spelled out."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from posixpath import basename, dirname, join, normpath

_MOST_NAMES = 200  # of one statement
_MOST_IN_FOLDER = 40  # files, where a whole folder is imported


class ProjectFiles:
    """The paths of a project, relative to its root and with `/`, as imports look for them.

    `modules` names folders by what manifests call them, as `module_of` tells: {"github.com/gin-gonic/gin": ""}.
    """

    def __init__(self, paths: Iterable[str], modules: Mapping[str, str] | None = None) -> None:
        self._paths = frozenset(paths)
        self._modules = dict(modules or {})
        self._named: dict[str, list[str]] = {}
        self._folders: dict[str, list[str]] = {}
        self._folders_named: dict[str, list[str]] = {}
        for path in sorted(self._paths):
            self._named.setdefault(basename(path), []).append(path)
            self._folders.setdefault(dirname(path), []).append(path)
        for folder in self._folders:
            self._folders_named.setdefault(basename(_dotless(folder)), []).append(folder)

    def __contains__(self, path: str) -> bool:
        return path in self._paths

    def first(self, paths: Iterable[str]) -> str | None:
        """The first of some paths that there is."""
        return next((path for path in paths if path in self._paths), None)

    def within(self, folder: str, *endings: str) -> list[str]:
        """The files that stand in a folder itself and end in one of some ways, by name; at most 40."""
        found = (path for path in self._folders.get(folder, ()) if path.endswith(endings))
        return [path for path, _ in zip(found, range(_MOST_IN_FOLDER), strict=False)]

    def ending(self, tail: str, near: str) -> str | None:
        """The file whose last parts are those of `tail`; of several the one that shares most folders with `near`."""
        return _nearest((path for path in self._named.get(basename(tail), ()) if _ends(path, tail)), near)

    def only(self, name: str) -> str | None:
        """The file of a name, if there is one alone."""
        found = self._named.get(name, ())
        return found[0] if len(found) == 1 else None

    def folder(self, tail: str, near: str) -> str | None:
        """The folder with files whose last parts are those of `tail`, a dot in its name read as a slash."""
        folders = self._folders_named.get(basename(tail), ())
        return _nearest((folder for folder in folders if _ends(_dotless(folder), tail)), near)

    def module(self, name: str) -> tuple[str, str] | None:
        """The folder of the module that `name` is or lies in, and what is left of the name behind it."""
        whole = name
        while True:
            if name in self._modules:
                return self._modules[name], whole[len(name) :].lstrip("/")
            if "/" not in name:
                return None
            name = name.rpartition("/")[0]


def module_of(path: str, text: str) -> tuple[str, str] | None:
    """What a manifest (go.mod, package.json, Cargo.toml) calls its folder, and the folder; None for any other text."""
    try:
        match basename(path):
            case "go.mod":
                found = re.search(r"^module\s+\"?([^\s\"]+)", text, re.MULTILINE)
                name = found[1] if found else None
            case "package.json":
                name = json.loads(text)["name"]
            case "Cargo.toml":
                table = tomllib.loads(text)
                name = (table.get("lib") or {}).get("name") or table["package"]["name"].replace("-", "_")
            case _:
                return None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return (name, dirname(path)) if isinstance(name, str) and name else None


def _nearest(paths: Iterable[str], near: str) -> str | None:
    own = near.split("/")[:-1]

    def far(path: str) -> tuple[int, int, str]:
        parts = path.split("/")
        shared = next((n for n, (a, b) in enumerate(zip(own, parts, strict=False)) if a != b), len(own))
        return -min(shared, len(parts)), len(parts), path

    return min(paths, key=far, default=None)


def _ends(path: str, tail: str) -> bool:
    return path == tail or path.endswith(f"/{tail}")


def _dotless(folder: str) -> str:
    return folder.replace(".", "/")


def up(folder: str) -> Iterator[str]:
    """A folder and all that it lies in, the project's root the last."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def beside(path: str, name: str) -> str:
    """What a relative name means in a file; a path that begins with `..` is outside of the project."""
    return normpath(join(dirname(path), name)).removeprefix("./")


def _expanded(tree: str, depth: int = 0) -> Iterator[str]:
    start, brace, rest = tree.partition("{")
    if not brace or depth > 8:
        yield re.split(r"\s+as\s|=>", start)[0].strip()
        return
    inner = rest.rpartition("}")[0]
    depths = begin = 0
    for at, sign in enumerate(f"{inner},"):
        if sign == "," and depths == 0:
            if inner[begin:at].strip():
                for leaf in _expanded(inner[begin:at], depth + 1):
                    yield start.strip() + leaf
            begin = at + 1
        depths += {"{": 1, "}": -1}.get(sign, 0)


def leaves(tree: str) -> list[str]:
    """`a::b` and `a::c::d` of `a::{b, c::{d}}`; a name given with `as` is dropped."""
    return [name for name, _ in zip(_expanded(tree), range(_MOST_NAMES), strict=False)]
