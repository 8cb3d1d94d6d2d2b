"""What every prompt of a project opens with: the project's map, and the log of what was edited, oldest first.

Bytes that stay: the map is exchanged as a whole, and the log is only appended to until half of it is given up at once.
A document that is new opens with all of it; one that is at work already is told the news at its next new place.
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple


class Map(NamedTuple):
    """Definitions of a project, as text, and the files that they are from."""

    text: str = ""
    files: tuple[str, ...] = ()


class Mark(NamedTuple):
    """How much of a story has been told."""

    turned: int = 0
    number: int = 0


class Entry(NamedTuple):
    """A finished edit: the document it is of, and the lines as a prompt shows them, under the file's name."""

    uri: str
    name: str
    text: str


class Opening(NamedTuple):
    """What a document's prompts open with, and the files that it is from."""

    map: str = ""
    log: str = ""
    near: str = ""
    mapped: tuple[str, ...] = ()
    logged: tuple[str, ...] = ()
    imported: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it, in order."""
        return self.map + self.log + self.near


_NONE = Map()


class Story:
    """A map and a log of at most `log_chars` characters, both empty at first."""

    NEWS = 3_000  # characters told at a time
    CHANGED = 0.2  # share of a map's lines, from which on a new one is taken over when the log is cut
    ALIKE = 40  # entries among which one that says the same is not told again

    def __init__(self, log_chars: int) -> None:
        self.map = Map()
        self._newer: Map | None = None
        self._log: list[Entry] = []
        self._room = log_chars
        self._turned = 0  # how often the log was cut

    def offer(self, newer: Map) -> None:
        """Learn a newer map: taken over at once where there is none yet, else when the log is cut or at rest."""
        if not self.map.text:
            self.map = newer
        else:
            self._newer = newer if newer != self.map else None

    def rest(self) -> None:
        """Nobody types: what was shown will have to be sent anew anyway, or has time to be."""
        if self._newer is not None:
            self.map, self._newer = self._newer, None

    def add(self, entry: Entry) -> None:
        """Append a finished edit, unless it was told just now; over the bound, the older half goes."""
        if any(entry.text == other.text for other in islice(reversed(self._log), self.ALIKE)):
            return
        self._log.append(entry)
        if sum(len(entry.text) for entry in self._log) > self._room:
            self._cut()

    def opening(self, near: Map = _NONE) -> Opening:
        """All that is to be told to a document that is new; `near` is its own part."""
        names = dict.fromkeys(entry.name for entry in self._log)
        log = "".join(entry.text for entry in self._log)
        return Opening(self.map.text, log, near.text, self.map.files, tuple(names), near.files)

    @property
    def told(self) -> Mark:
        """The mark behind everything."""
        return Mark(self._turned, len(self._log))

    def news(self, since: Mark, uri: str) -> str:
        """What was logged of other documents since a mark: the newest that fit."""
        start = since.number if since.turned == self._turned else 0
        out: list[str] = []
        room = self.NEWS
        for entry in islice(reversed(self._log), len(self._log) - start):
            if entry.uri == uri:
                continue
            room -= len(entry.text)
            if room < 0:
                break
            out.append(entry.text)
        return "".join(reversed(out))

    def _cut(self) -> None:
        kept: list[Entry] = []
        room = self._room / 2
        for entry in reversed(self._log):
            room -= len(entry.text)
            if room < 0:
                break
            kept.append(entry)
        self._log = kept[::-1]
        self._turned += 1
        if self._newer is not None:
            old, new = set(self.map.text.split("\n")), set(self._newer.text.split("\n"))
            if len(old - new) > self.CHANGED * len(old):
                self.rest()
