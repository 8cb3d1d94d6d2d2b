"""The process beside the server that reads a workspace's files and draws its maps, at a low priority.

It is told on stdin, one JSON object a line, and answers so on stdout; it ends with the server, when stdin closes.  First
comes `{"folders", "exclude", "levels", "off"}`, then `{"changed": [paths]}` and `{"about": path, "level"}`; out go
`{"maps": [...], "files", "seconds"}` and `{"about": path, "text", "files"}`, signatures of what a file imports.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from fim_lsp.context import imports, project
from fim_lsp.context.index import Budget, Index
from fim_lsp.context.outline import known
from fim_lsp.context.story import Map
from fim_lsp.context.tree import Tree
from fim_lsp.document import split_lines
from fim_lsp.languages import language_of

SETTLED = 2.0  # seconds without a change, after which maps are drawn again
NICE = 19  # the lowest priority


class Files(Protocol):
    """Where the files of a folder are: paths are relative to it, with `/`."""

    def files(self) -> Iterator[str]:
        """The files that may be shown."""

    def text(self, path: str) -> str | None:
        """What one holds; None if it is not to be shown."""

    def forget(self, path: str) -> bool:
        """Take note that a file says now what may be shown; whether it is such a file."""


class Folder:
    """A folder of the workspace: its files that may be shown, and an index for each family of languages."""

    def __init__(self, tree: Files) -> None:
        self._tree = tree
        self._indexes: dict[str, Index] = defaultdict(Index)
        self._modules: dict[str, str] = {}  # folders by the names under which they are imported
        self._files: imports.Files | None = None  # None: to be made anew
        self._packages: set[str] = set()  # paths that end with `/`, without the folder itself
        self._maps: dict[
            tuple[str, str, str], Map
        ] = {}  # since the last change, by family, package and level

    def survey(self) -> Iterator[str]:
        """Read every file, within the bounds; yields each path that was read."""
        left = project.bounds().bytes
        for path in self._tree.files():
            text = self._tree.text(path)
            if text is None:
                continue
            left -= len(text)
            if left < 0:
                return
            self._put(path, text)
            yield path

    def changed(self, path: str) -> bool:
        """Read a file anew that has changed, come or gone; whether a map may be another now."""
        other = self._read_anew(path)
        if other:
            self._maps.clear()
        return other

    def _read_anew(self, path: str) -> bool:
        if self._tree.forget(path):  # other files may be shown now: all are looked at anew
            self._indexes.clear()
            self._files = None
            for _ in self.survey():
                pass
            return True
        text = self._tree.text(path)
        if text is not None:
            return self._put(path, text)
        gone = [index.drop(path) for index in self._indexes.values()]
        if any(gone):
            self._files = None
        return any(gone)

    def near(self, path: str, level: str) -> Map:
        """Signatures of what a file imports and the map does not show; none for a file that is not to be shown."""
        text = self._tree.text(path)
        if text is None:
            return Map()
        if self._files is None:
            known = [known for index in self._indexes.values() for known in index.paths]
            self._files = imports.Files(sorted(known), self._modules)
        language = language_of(path)
        paths = imports.imported(split_lines(text), language, path, self._files)
        family = project.family(language)
        shown = self.map(family, self.package(path, family), level).text
        return self._index(path).near(paths, project.level(level).near, shown)

    @property
    def families(self) -> list[str]:
        """The families of languages that have files here."""
        return sorted(self._indexes)

    def packages(self, family: str) -> list[str]:
        """The packages that have a map of their own, and "" for all else."""
        files = Counter(self._innermost(path) for path in self._indexes[family].paths)
        return ["", *sorted(name for name, number in files.items() if name and number >= project.least())]

    def package(self, path: str, family: str) -> str:
        """The package whose map a file's prompts show."""
        return max((name for name in self.packages(family) if path.startswith(name)), key=len)

    def map(self, family: str, package: str, level: str) -> Map:
        """The map of a family of languages, for a package."""
        key = family, package, level
        if key not in self._maps:
            how = project.level(level)
            self._maps[key] = self._indexes[family].map(Budget(how.signatures, how.names), package)
        return self._maps[key]

    def __len__(self) -> int:
        return sum(map(len, self._indexes.values()))

    def _put(self, path: str, text: str) -> bool:
        folder, slash, name = path.rpartition("/")
        if project.manifest(name):
            if folder:
                self._packages.add(folder + slash)
            module = imports.module_of(path, text)
            if module is not None:
                self._modules[module[0]] = module[1]
                self._files = None
            if not known(language_of(name)):
                return False
        index = self._index(path)
        if path not in index:
            self._files = None
        return index.put(path, text, aside=project.aside(path))

    def _innermost(self, path: str) -> str:
        while path:
            folder, slash, _ = path.rstrip("/").rpartition("/")
            path = folder + slash
            if path in self._packages:
                return path
        return ""

    def _index(self, path: str) -> Index:
        return self._indexes[project.family(language_of(path))]


def main() -> None:
    """Serve stdin until it closes."""
    _step_back()
    told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(told,), daemon=True).start()
    first = told.get()
    folders = {root: Folder(Tree(Path(root), first["exclude"], first["off"])) for root in first["folders"]}
    begun = time.monotonic()
    for folder in folders.values():
        for _ in folder.survey():
            pass
    _say(folders, first["levels"], time.monotonic() - begun)
    stale = False
    while True:
        try:
            message = told.get(timeout=SETTLED if stale else None)
        except queue.Empty:
            _say(folders, first["levels"], 0.0)
            stale = False
            continue
        if "about" in message:
            for folder, path in _within(folders, message["about"]):
                found = folder.near(path, message["level"])
                _write({"about": message["about"], "text": found.text, "files": found.files})
        for file in message.get("changed", ()):
            for folder, path in _within(folders, file):
                stale = folder.changed(path) or stale


def _within(folders: dict[str, Folder], file: str) -> Iterator[tuple[Folder, str]]:
    """The innermost folder that a file is in, and its path there."""
    homes = [root for root in folders if Path(file).is_relative_to(root)]
    if homes:
        root = max(homes, key=len)
        yield folders[root], Path(file).relative_to(root).as_posix()


def _say(folders: dict[str, Folder], levels: Iterable[str], seconds: float) -> None:
    maps = [
        {
            "folder": root,
            "package": package,
            "family": family,
            "level": level,
            "text": found.text,
            "files": found.files,
        }
        for root, folder in folders.items()
        for level in levels
        for family in folder.families
        for package in folder.packages(family)
        if (found := folder.map(family, package, level)).text
    ]
    answer = {"maps": maps, "files": sum(map(len, folders.values())), "seconds": round(seconds, 2)}
    _write(answer)


def _write(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _listen(told: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin:
        told.put(json.loads(line))
    os._exit(0)  # the server has gone: whatever is under way is for nobody


def _step_back() -> None:
    """Let everything else go first; Windows is asked for the same when the process is made."""
    if hasattr(os, "nice"):
        os.nice(NICE)
