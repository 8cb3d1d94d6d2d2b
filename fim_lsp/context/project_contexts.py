"""The project contexts of one server: one for each folder, family of languages, and amount that is shown.

Files outside of the workspace's folders share one only with those in the same folder as they.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

from fim_lsp.context.project import family, level
from fim_lsp.context.project_context import Map, ProjectContext


class Key(NamedTuple):
    """What a project context is of: a folder of the workspace or a package (its URI), a family of languages, and a level."""

    folder: str
    family: str
    level: str


class ProjectContexts:
    """Each made when it is first asked for; maps may come before or after."""

    def __init__(self) -> None:
        self._project_contexts: dict[Key, ProjectContext] = {}
        self._maps: dict[Key, Map] = {}
        self._roots: list[str] = []
        self._packages: list[str] = []

    def folders(self, uris: Iterable[str]) -> None:
        """Learn the workspace's folders."""
        self._roots = _innermost_first(uris)

    def packages(self, uris: Iterable[str]) -> bool:
        """Learn the packages in them that have maps of their own; whether they are others than before."""
        before, self._packages = self._packages, _innermost_first(uris)
        return self._packages != before

    def of(self, uri: str, language: str, how: str) -> ProjectContext | None:
        """The project context that a document's prompts open with; None where nothing of other files is shown."""
        if how == "off":
            return None
        key = self._key(uri, family(language), how)
        project_context = self._project_contexts.get(key)
        if project_context is None:
            project_context = self._project_contexts[key] = ProjectContext(level(how).log)
            if key in self._maps:
                project_context.offer(self._maps[key])
        return project_context

    def _key(self, uri: str, spoken: str, how: str) -> Key:
        """The innermost package with a map of that family; the workspace's folder where none has."""
        root = next((folder for folder in self._roots if uri.startswith(folder)), _alone(uri))
        keys = (Key(folder, spoken, how) for folder in self._packages if uri.startswith(folder))
        return next((key for key in keys if key in self._maps), Key(root, spoken, how))

    def learn(self, key: Key, newer: Map) -> ProjectContext | None:
        """Take in a map; the project context that had none until now, if there is one."""
        self._maps[key] = newer
        project_context = self._project_contexts.get(key)
        if project_context is None:
            return None
        first = not project_context.map.text
        project_context.offer(newer)
        return project_context if first and newer.text else None

    def forget(self, *, maps: bool) -> None:
        """Begin all project contexts anew, without the maps known so far where what these show may have to stay home now."""
        self._project_contexts.clear()
        if maps:
            self._maps.clear()

    def documents(self) -> set[str]:
        """The documents of which something was logged."""
        return {
            uri for project_context in self._project_contexts.values() for uri in project_context.documents()
        }

    def doubt(self, uri: str) -> None:
        """Doubt what was logged of a document: it may be another one now."""
        for project_context in self._project_contexts.values():
            project_context.doubt(uri)

    def settle(self, uri: str, lines: Sequence[str], clean: Iterable[str]) -> bool:
        """Drop what was logged of a document, is doubted, and stands no longer in it; whether there was any."""
        dropped = [
            project_context.settle(uri, lines, clean) for project_context in self._project_contexts.values()
        ]
        return any(dropped)

    def recall(self, lines: Sequence[str], but: Container[str]) -> set[str]:
        """The documents of which an entry stands in these lines, `but` for some."""
        return {
            uri
            for project_context in self._project_contexts.values()
            for uri in project_context.recall(lines, but)
        }

    def rest(self) -> None:
        """Take newer maps over: nobody types."""
        for project_context in self._project_contexts.values():
            project_context.rest()


def _innermost_first(uris: Iterable[str]) -> list[str]:
    return sorted({uri.rstrip("/") + "/" for uri in uris}, key=lambda uri: (-len(uri), uri))


def _alone(uri: str) -> str:
    """Where a file outside of the workspace lies: its folder; for what lies nowhere, such as `untitled:`, itself alone."""
    folder, slash, _ = re.split("[?#]", uri, maxsplit=1)[0].rpartition("/")
    return uri if uri.startswith("untitled:") or not slash else folder + slash
