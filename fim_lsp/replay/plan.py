"""What is measured with live answers: holes in a commit's files and a session from its history, of what may be sent."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from fim_lsp.context import project
from fim_lsp.privacy import ignore_files
from fim_lsp.replay import history, holes, session
from fim_lsp.replay.holes import Hole
from fim_lsp.replay.library import Library
from fim_lsp.replay.session import Event
from fim_lsp.replay.withheld import allowed
from fim_lsp.settings.settings import Settings
from fim_lsp.text import filetypes
from fim_lsp.text.filetypes import language_of

COMMITS = 60  # of which a session is made, as long as it lasts


class Plan(NamedTuple):
    """Holes with the project around them, and a session with the project as it was before it.

    `withheld` counts the files of which nothing is sent.
    """

    holes: list[Hole]
    library: Library
    events: list[Event]
    before: Library
    withheld: int


class Extent(NamedTuple):
    """How much is to be measured: `endings` of files, numbers of holes and of stops, the revision, the seed."""

    endings: tuple[str, ...]
    holes: int
    stops: int
    revision: str = "HEAD"
    seed: int = 0


def planned(repository: Path, extent: Extent, settings: Settings) -> Plan:
    """Draw holes and a session, the same ones for the same commit.  Raises HistoryError where there is no repository."""
    source = _Source(repository, settings)
    texts = history.newest(repository, _endings())
    sent, shown = source.allowed(list(texts))
    cut = [
        (path, text)
        for path, text in texts.items()
        if path in sent and path.endswith(extent.endings) and _written(path, text)
    ]
    events, first = source.session(extent) if extent.stops else ([], "")
    before = history.tree(repository, first, _endings()) if first else {}
    _, shown_before = source.allowed(list(before))
    return Plan(
        holes.drawn(cut, extent.holes, extent.seed),
        Library({path: texts[path] for path in shown}),
        events,
        Library({path: before[path] for path in shown_before}),
        len(texts) - len(sent),
    )


class _Source:
    """A repository, and what the rules and settings let out of it."""

    def __init__(self, repository: Path, settings: Settings) -> None:
        self._repository = repository
        self._settings = replace(
            settings, enabled=True
        )  # who measures asks, whatever is switched off while typing
        self._ignores = history.newest(repository, (ignore_files.NAME,))

    def allowed(self, paths: Sequence[str]) -> tuple[set[str], set[str]]:
        """Those that may be sent as documents, and those that may be shown to others."""
        may = allowed(self._repository, paths, self._ignores, self._settings.exclude)
        sent = {path for path in may.sent if self._settings.of(language_of(path)).enabled}
        shown = {path for path in may.shown if self._settings.shown(language_of(path)) != "off"}
        return sent, shown

    def session(self, extent: Extent) -> tuple[list[Event], str]:
        """A typing session in what may be sent, and the commit that it begins with; none where there is no history for it."""
        with suppress(history.HistoryError):
            found = history.commits(
                self._repository, extent.endings, COMMITS, revision=extent.revision, seed=extent.seed
            )
            sent, _ = self.allowed(list({change.path for commit in found for change in commit.changes}))
            kept = [
                commit._replace(changes=tuple(one for one in commit.changes if one.path in sent))
                for commit in found
            ]
            kept = [commit for commit in kept if commit.changes]
            if kept:
                events = session.first_asks(session.typed(kept, seed=extent.seed), extent.stops)
                return list(events), kept[0].name
        return [], ""


def _endings() -> tuple[str, ...]:
    """Those of all files of which something may be shown."""
    code = [end for name in filetypes.names() for end in filetypes.endings(name)]
    return tuple(dict.fromkeys((*code, *holes.LANGUAGES, *project.manifests())))


def _written(path: str, text: str) -> bool:
    """Whether a person of the project has written a file."""
    return (
        not project.apart(path)
        and not project.left_out(path.rpartition("/")[2], folder=False)
        and not project.made(text)
    )
