"""The process beside the server that reads a workspace's files and draws its maps, at a low priority.

It is told on stdin, one JSON object a line, and answers so on stdout; it ends with the server, when stdin closes.  First
comes `{"folders", "exclude", "levels", "off"}`, then `{"changed": [paths]}` and `{"about": path, "level"}`; out go
`{"maps": [...], "files", "left", "seconds"}`, `{"about": path, "text", "files"}`, signatures of what a file imports, and
`{"withdrawn": true}` as soon as something that may have been shown is to stay home.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

from fim_lsp.context import imports, project
from fim_lsp.context.index import Budget, Index
from fim_lsp.context.limits import Exhausted, Guard, Patience, Spent, bind
from fim_lsp.context.outline import known, outline
from fim_lsp.context.project_context import Map
from fim_lsp.context.project_files import ProjectFiles, module_of
from fim_lsp.context.tree import Tree
from fim_lsp.text.document import split_lines
from fim_lsp.text.filetypes import language_of

SETTLED = 2.0  # seconds without a change, after which maps are drawn again


class Files(Protocol):
    """Where the files of a folder are: paths are relative to it, with `/`."""

    def files(self) -> Iterator[str]:
        """The files that may be shown."""

    def text(self, path: str) -> str | None:
        """What one holds; None if it is not to be shown."""

    def shows(self, path: str) -> bool:
        """Whether one may be shown, by its name."""

    def forget(self, path: str) -> bool:
        """Take note that a file has changed; whether it is one that says what may be shown, and says something else."""


class Folder:
    """A folder of the workspace: its files that may be shown, and an index for each family of languages."""

    def __init__(self, tree: Files, piece: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """`piece` bounds what is done for one file: one that takes too long is left out."""
        self._tree = tree
        self._piece = piece
        self._left = project.bounds().bytes
        self._unlooked = False  # whether files may be shown now that were not
        self._withdrawn = False
        self._indexes: dict[str, Index] = defaultdict(Index)
        self._modules: dict[str, str] = {}  # folders by the names under which they are imported
        self._files: ProjectFiles | None = None  # None: to be made anew
        self._packages: set[str] = set()  # paths that end with `/`, without the folder itself
        self._maps: dict[
            tuple[str, str, str], Map
        ] = {}  # since the last change, by family, package and level

    def survey(self) -> Iterator[str]:
        """Read every file that is not known yet, within the bounds; yields each path that was read."""
        self._unlooked = False
        for path in self._tree.files():
            if any(path in index for index in self._indexes.values()):
                continue
            outline((), language_of(path))  # the language's patterns are made outside of the file's time
            try:
                with self._piece():
                    text = self._tree.text(path)
                    if text is None:
                        continue
                    self._left -= len(text)
                    if self._left < 0:
                        return
                    self._put(path, text)
            except (Spent, MemoryError):
                continue
            self._maps.clear()
            yield path

    def changed(self, path: str) -> bool:
        """Read a file anew that has changed, come or gone; whether a map may be another now.

        What an ignore file names from now on is left out at once; what it names no longer waits for `look`.
        """
        try:
            with self._piece():
                if not self._tree.forget(path):
                    other = self._read_anew(path)
                    if other:
                        self._maps.clear()
                    return other
        except (Spent, MemoryError):
            return self._drop(path)
        self._unlooked = True
        folder, slash, _ = path.rpartition("/")
        for inner in self._known():
            if inner.startswith(folder + slash) and not self._shown(inner):
                self._withdrawn = self._drop(inner) or self._withdrawn
        return True

    def look(self) -> None:
        """Look for files that may be shown now, where an ignore file has changed; all at once for any number of these."""
        if self._unlooked:
            for _ in self.survey():
                pass

    def withdrawn(self) -> bool:
        """Whether something that was shown is to stay home since the last such question."""
        told, self._withdrawn = self._withdrawn, False
        return told

    def _known(self) -> list[str]:
        """The files that were taken in."""
        return [path for index in self._indexes.values() for path in index.paths]

    def _shown(self, path: str) -> bool:
        try:
            with self._piece():
                return self._tree.shows(path)
        except (Spent, Exhausted):
            return False

    def _read_anew(self, path: str) -> bool:
        text = self._tree.text(path)
        return self._put(path, text) if text is not None else self._drop(path)

    def _drop(self, path: str) -> bool:
        gone = sum(index.drop(path) for index in self._indexes.values()) > 0
        if gone:
            self._files = None
            self._maps.clear()
        return gone

    def near(self, path: str, level: str) -> Map:
        """Signatures of what a file imports and the map does not show; none for a file that is not to be shown."""
        with self._piece():
            text = self._tree.text(path)
        if text is None:
            return Map()
        if self._files is None:
            self._files = ProjectFiles(sorted(self._known()), self._modules)
        language = language_of(path)
        with self._piece():
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
            module = module_of(path, text)
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


class Workspace:
    """The folders that a process looks at, by their paths, and what it answers when it is told of them."""

    def __init__(self, folders: Mapping[str, Folder], levels: Iterable[str], patience: Patience) -> None:
        self.stale = False  # whether maps are to be drawn again, once changes have settled
        self._folders = folders
        self._levels = list(levels)
        self._patience = patience

    def survey(self) -> None:
        """Read all files."""
        self._look(lambda folder: [None for _ in folder.survey()])

    def take(self, messages: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Take in what has been said since the last time, each file once, however often it was named."""
        told = list(messages)
        self._patience.begin()
        for file in dict.fromkeys(file for message in told for file in message.get("changed", ())):
            for folder, path in self._within(file):
                try:
                    self.stale = folder.changed(path) or self.stale
                except Exhausted:
                    continue
        if sum(folder.withdrawn() for folder in self._folders.values()):
            yield {"withdrawn": True}
            yield self.drawn(0.0)
        for message in told:
            if "about" in message:
                yield from self._about(message["about"], message["level"])

    def settle(self) -> dict[str, Any]:
        """Nothing has changed for a while: look for what may be shown now, and draw the maps again."""
        self._look(Folder.look)
        self.stale = False
        return self.drawn(0.0)

    def drawn(self, seconds: float) -> dict[str, Any]:
        """The maps, of how many files, how many took too long to read, and the seconds that reading them took."""
        maps = [
            {
                "folder": root,
                "package": package,
                "family": family,
                "level": level,
                "text": found.text,
                "files": found.files,
            }
            for root, folder in self._folders.items()
            for level in self._levels
            for family in folder.families
            for package in folder.packages(family)
            if (found := folder.map(family, package, level)).text
        ]
        files = sum(map(len, self._folders.values()))
        return {"maps": maps, "files": files, "left": self._patience.spent, "seconds": round(seconds, 2)}

    def _look(self, how: Callable[[Folder], object]) -> None:
        self._patience.begin()
        for folder in self._folders.values():
            try:
                how(folder)
            except Exhausted:
                return

    def _about(self, file: str, level: str) -> Iterator[dict[str, Any]]:
        for folder, path in self._within(file):
            try:
                found = folder.near(path, level)
            except (Spent, Exhausted):
                found = Map()
            yield {"about": file, "text": found.text, "files": found.files}

    def _within(self, file: str) -> Iterator[tuple[Folder, str]]:
        """The innermost folder that a file is in, and its path there."""
        homes = [root for root in self._folders if Path(file).is_relative_to(root)]
        if homes:
            root = max(homes, key=len)
            yield self._folders[root], Path(file).relative_to(root).as_posix()


def main() -> None:
    """Serve stdin until it closes."""
    bind()
    guard = Guard()
    patience = Patience(refresh=guard.refresh)
    told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(told,), daemon=True).start()
    first = told.get()
    trees = {
        root: Tree(Path(root), first["exclude"], first["off"], patience.piece) for root in first["folders"]
    }
    folders = {root: Folder(tree, patience.piece) for root, tree in trees.items()}
    workspace = Workspace(folders, first["levels"], patience)
    begun = time.monotonic()
    workspace.survey()
    _write(workspace.drawn(time.monotonic() - begun))
    while True:
        guard.rest()
        try:
            messages = [told.get(timeout=SETTLED if workspace.stale else None)]
        except queue.Empty:
            guard.refresh()
            _write(workspace.settle())
            continue
        guard.refresh()
        while not told.empty():
            messages.append(told.get())
        for answer in workspace.take(messages):
            _write(answer)


def _write(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _listen(told: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin:
        told.put(json.loads(line))
    os._exit(0)  # the server has gone: whatever is under way is for nobody
