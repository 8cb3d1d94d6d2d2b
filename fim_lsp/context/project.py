"""What is known of projects as such: families of languages, what of a folder is looked at, how much is shown of it."""

from __future__ import annotations

import re
import tomllib
from fnmatch import translate
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple


class Level(NamedTuple):
    """How much of a project a prompt shows, in characters."""

    signatures: int
    names: int
    log: int
    near: int


class Bounds(NamedTuple):
    """How much of a folder is looked at: files, bytes of all and of one, characters of a line, folders in each other."""

    files: int
    bytes: int
    file_bytes: int
    line: int
    depth: int


def family(language: str) -> str:
    """The languages that use each other's definitions, by the name of one: `typescript` for `javascript`."""
    return _families().get(language.lower(), language.lower())


def level(name: str) -> Level:
    """What a value of the setting `context` other than "off" stands for."""
    return Level(**_table()["levels"][name])


def bounds() -> Bounds:
    """How much of a folder is looked at."""
    return Bounds(**_table()["bounds"])


def manifest(name: str) -> bool:
    """Whether a file of that name makes its folder a package."""
    return name in _table()["packages"]["files"]


def manifests() -> tuple[str, ...]:
    """The names of all such files."""
    return tuple(_table()["packages"]["files"])


def least() -> int:
    """Files of a family of languages, from which on a package has a map of its own."""
    return int(_table()["packages"]["least"])


def left_out(name: str, *, folder: bool) -> bool:
    """Whether a file or folder of that name is nothing that people of the project write.

    Nor is one whose name would break the line that shows it, or show it otherwise than it is.
    """
    if not name.isprintable():
        return True
    if folder:
        return name.startswith(".") or name in _folders("left_out")
    return _files("left_out").match(name) is not None


def apart(path: str) -> bool:
    """Whether a file is in a folder that is left out; `path` is relative, with `/`."""
    return any(left_out(name, folder=True) for name in path.split("/")[:-1])


def aside(path: str) -> bool:
    """Whether a file is a test, an example or documentation; `path` is relative, with `/`."""
    *folders, name = path.split("/")
    return not _folders("aside").isdisjoint(folders) or _files("aside").match(name) is not None


def made(text: str) -> bool:
    """Whether a program has written a text: it says so at its top, or has lines that nobody writes."""
    top = text[:1_000]
    if any(mark in top for mark in _table()["left_out"]["marks"]):
        return True
    longest = bounds().line
    return len(text) > longest and max(map(len, text.split("\n"))) > longest


@cache
def _families() -> dict[str, str]:
    return {one: name for name, all_ in _table()["families"].items() for one in all_}


@cache
def _folders(part: str) -> frozenset[str]:
    return frozenset(_table()[part]["folders"])


@cache
def _files(part: str) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in _table()[part]["files"]))


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("fim_lsp").joinpath("context", "project.toml").read_text("utf-8"))
