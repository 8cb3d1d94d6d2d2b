"""What every prompt of a project opens with: the project's map, and the log of what was edited, oldest first.

Bytes that stay: the map is exchanged as a whole, and the log is only appended to until half of it is given up at once.
A document that is new opens with all of it; one that is at work already is told the news at its next new place.  One thing
comes before that: lines that no longer stand in their document are dropped from the log, and from what shows them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple
from weakref import WeakSet

from fim_lsp.context.standing import Standing
from fim_lsp.text.document import Edit, split_lines


class Map(NamedTuple):
    """Definitions of a project, as text, and the files that they are from."""

    text: str = ""
    files: tuple[str, ...] = ()


class Mark(NamedTuple):
    """How much of a project context has been told."""

    turned: int = 0
    number: int = 0


@dataclass(eq=False, slots=True, weakref_slot=True)
class Entry:
    """A finished edit: the document it is of, and the lines as a prompt shows them, under the file's name.

    `mark` is the line with the name at the beginning of `text`, where there is one.
    """

    uri: str
    name: str
    text: str
    mark: str = ""
    gone: bool = False  # whether some of it was taken back: what shows it is to be shown no longer
    standing: Standing = field(init=False)

    def __post_init__(self) -> None:
        """Every line of it stands at first."""
        self.standing = Standing(self.lines)

    @property
    def lines(self) -> list[str]:
        """The lines of the document, with their ends."""
        return split_lines(self.text[len(self.mark) :])

    def without(self, lost: set[str]) -> Entry:
        """What is left of it; no text where nothing is."""
        kept = [line for line in self.lines if line.strip() not in lost]
        if not any(map(str.isalnum, "".join(kept))):
            return Entry(self.uri, self.name, "")
        return Entry(self.uri, self.name, self.mark + "".join(kept), self.mark)


class Opening(NamedTuple):
    """What a document's prompts open with, and the files that it is from."""

    map: str = ""
    log: str = ""
    near: str = ""
    mapped: tuple[str, ...] = ()
    logged: tuple[str, ...] = ()
    imported: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()

    @property
    def text(self) -> str:
        """All of it, in order."""
        return self.map + self.log + self.near


_NONE = Map()


class ProjectContext:
    """A map and a log of at most `log_chars` characters, both empty at first."""

    NEWS = 3_000  # characters told at a time
    CHANGED = 0.2  # share of a map's lines, from which on a new one is taken over when the log is cut
    ALIKE = 40  # entries among which one that says the same is not told again

    def __init__(self, log_chars: int) -> None:
        self.map = Map()
        self._newer: Map | None = None
        self._log: list[Entry] = []
        self._told: dict[str, WeakSet[Entry]] = {}  # of each document, what the log or a prompt may show
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
        self._told.setdefault(entry.uri, WeakSet()).add(entry)
        if sum(len(entry.text) for entry in self._log) > self._room:
            self._cut()

    def follow(self, uri: str, edit: Edit) -> None:
        """Doubt the logged lines that an edit of their document has touched."""
        for entry in self._told.get(uri, ()):
            entry.standing.follow(edit)

    def documents(self) -> set[str]:
        """The documents of which the log, or a prompt, may show something."""
        return {uri for uri, told in self._told.items() if told}

    def doubt(self, uri: str) -> None:
        """Doubt all logged lines of a document: it may be another one now."""
        for entry in self._told.get(uri, ()):
            entry.standing.doubt()

    def settle(self, uri: str, lines: Sequence[str], clean: Iterable[str] = ()) -> bool:
        """Drop the doubted lines that a document no longer holds, as it is or `clean`; whether there were any."""
        dropped = False
        for entry in list(self._told.get(uri, ())):
            lost = entry.standing.lost(lines, clean)
            if lost and not entry.gone:
                self._drop(entry, lost)
                dropped = True
        return dropped

    def recall(self, lines: Sequence[str], but: Container[str]) -> set[str]:
        """The documents with an entry of which every line stands in these; `but` are left out."""
        held = {"", *map(str.strip, lines)}
        return {
            entry.uri
            for told in self._told.values()
            for entry in told
            if entry.uri not in but and entry.text and held.issuperset(map(str.strip, entry.lines))
        }

    def _drop(self, entry: Entry, lost: set[str]) -> None:
        entry.gone = True
        if entry in self._log:
            # What is left takes its place, be it nothing: marks count entries.
            left = self._log[self._log.index(entry)] = entry.without(lost)
            self._told[entry.uri].add(left)

    def opening(self, near: Map = _NONE) -> Opening:
        """All that is to be told to a document that is new; `near` is its own part."""
        told = tuple(entry for entry in self._log if entry.text)
        names = dict.fromkeys(entry.name for entry in told)
        log = "".join(entry.text for entry in told)
        return Opening(self.map.text, log, near.text, self.map.files, tuple(names), near.files, told)

    @property
    def told(self) -> Mark:
        """The mark behind everything."""
        return Mark(self._turned, len(self._log))

    def news(self, since: Mark, uri: str) -> tuple[Entry, ...]:
        """What was logged of other documents since a mark: the newest that fit, oldest first."""
        start = since.number if since.turned == self._turned else 0
        out: list[Entry] = []
        room = self.NEWS
        for entry in islice(reversed(self._log), len(self._log) - start):
            if entry.uri == uri or not entry.text:
                continue
            room -= len(entry.text)
            if room < 0:
                break
            out.append(entry)
        return tuple(reversed(out))

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
