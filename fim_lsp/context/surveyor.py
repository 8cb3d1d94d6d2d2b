"""The process beside the server that reads a workspace's files and draws its maps, at a low priority.

It is told on stdin, one JSON object a line, and answers so on stdout; it ends with the server, when stdin closes.  First
comes `{"folders", "exclude", "levels"}`, then `{"changed": [paths]}`; out go `{"maps": [...], "files", "seconds"}`.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fim_lsp.context import project
from fim_lsp.context.index import Budget, Index
from fim_lsp.context.story import Map
from fim_lsp.context.tree import Tree
from fim_lsp.languages import language_of

SETTLED = 2.0  # seconds without a change, after which maps are drawn again
NICE = 19  # the lowest priority


class Folder:
    """A folder of the workspace: its files that may be shown, and an index for each family of languages."""

    def __init__(self, root: Path, exclude: Sequence[str]) -> None:
        self._tree = Tree(root, exclude)
        self._indexes: dict[str, Index] = defaultdict(Index)

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
            self._index(path).put(path, text, aside=project.aside(path))
            yield path

    def changed(self, file: Path) -> bool:
        """Read a file anew that has changed, come or gone; whether a map may be another now."""
        try:
            path = file.relative_to(self._tree.root).as_posix()
        except ValueError:
            return False
        if self._tree.forget(path):
            for known in [known for index in self._indexes.values() for known in index.paths]:
                if not self._tree.shows(known):
                    self._index(known).drop(known)
            return True
        text = self._tree.text(path)
        if text is None:
            gone = [index.drop(path) for index in self._indexes.values()]
            return any(gone)
        return self._index(path).put(path, text, aside=project.aside(path))

    def maps(self, budget: Budget) -> Iterator[tuple[str, Map]]:
        """The map of each family of languages."""
        for family, index in sorted(self._indexes.items()):
            yield family, index.map(budget)

    def __len__(self) -> int:
        return sum(map(len, self._indexes.values()))

    def _index(self, path: str) -> Index:
        return self._indexes[project.family(language_of(path))]


def main() -> None:
    """Serve stdin until it closes."""
    _step_back()
    told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(told,), daemon=True).start()
    first = told.get()
    folders = {root: Folder(Path(root), first["exclude"]) for root in first["folders"]}
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
        for file in map(Path, message["changed"]):
            for folder in folders.values():
                stale = folder.changed(file) or stale


def _say(folders: dict[str, Folder], levels: Iterable[str], seconds: float) -> None:
    maps = [
        {"folder": root, "family": family, "level": name, "text": found.text, "files": found.files}
        for root, folder in folders.items()
        for name in levels
        for family, found in folder.maps(Budget(*project.level(name)[:2]))
    ]
    answer = {"maps": maps, "files": sum(map(len, folders.values())), "seconds": round(seconds, 2)}
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
