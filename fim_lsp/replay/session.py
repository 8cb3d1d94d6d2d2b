"""A typing session: commits typed again key by key in several open files, with stops at which a completion is asked for."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fim_lsp.replay.history import Change as FileChange
from fim_lsp.replay.history import Commit, HistoryError
from fim_lsp.text.beginning import shared


class Open(NamedTuple):
    """A file is opened, or opened anew with another text."""

    path: str
    text: str


class Change(NamedTuple):
    """What stood between two offsets of a file becomes `text`; offsets count code points in the text before."""

    path: str
    start: int
    end: int
    text: str


class Ask(NamedTuple):
    """The typist stops at an offset; `truth` is what they will type next without moving away, to its end."""

    path: str
    offset: int
    truth: str


Event = Open | Change | Ask


def typed(commits: Iterable[Commit], *, seed: int = 0) -> Iterator[Event]:
    """The events of commits typed one after the other, the same for the same seed.

    A commit's files are open together; hunks of a file are typed from its top down, and after a hunk the typist goes on in
    another file three times out of ten.  Files stay open from commit to commit.
    """
    chance = random.Random(seed)  # noqa: S311
    texts: dict[str, str] = {}
    for commit in commits:
        left = []
        for change in commit.changes:
            if texts.get(change.path) != change.before:
                yield Open(change.path, change.before)
            texts[change.path] = change.before
            left.append(_Hunks(change))
        while left:
            hunks = left[0]
            for event in hunks.type_next(chance):
                if isinstance(event, Change):
                    text = texts[event.path]
                    texts[event.path] = text[: event.start] + event.text + text[event.end :]
                yield event
            if not hunks.left:
                left.pop(0)
            elif len(left) > 1 and chance.random() < 0.3:
                left.append(left.pop(0))


def first_asks(events: Iterable[Event], number: int) -> Iterator[Event]:
    """The session up to its `number`th stop."""
    for event in events:
        yield event
        if isinstance(event, Ask):
            number -= 1
            if not number:
                return


class _Hunks:
    """The hunks of one file that are still to be typed."""

    def __init__(self, change: FileChange) -> None:
        self.path = change.path
        self.left = list(change.hunks)
        self._starts = [0]
        for line in change.before.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._starts[-1] -= 1  # the last line has no end
        self._before = change.before
        self._shift = 0

    def type_next(self, chance: random.Random) -> Iterator[Event]:
        hunk = self.left.pop(0)
        start, end = self._starts[hunk.first], self._starts[hunk.first + hunk.removed]
        removed, added = self._before[start:end], hunk.text
        # A person changes the words that differ, not the lines that hold them.
        same = shared(removed, added)
        alike = shared(removed[same:][::-1], added[same:][::-1])
        removed, added = removed[same : len(removed) - alike], added[same : len(added) - alike]
        at = start + same + self._shift
        self._shift += len(added) - len(removed)
        if removed:
            yield Change(self.path, at, at + len(removed), "")
        yield from _keys(self.path, at, added, chance)


def _keys(path: str, at: int, text: str, chance: random.Random) -> Iterator[Event]:
    """A text typed key by key from an offset, with its stops."""
    if text.endswith(
        "\n"
    ):  # whole lines are typed on a line opened for them: nothing stands right of the cursor
        yield Change(path, at, at, "\n")
        text = text[:-1]
    done = 0
    while done < len(text):
        keys = 1
        if text[done] == "\n":  # the editor indents the line that it opens
            while done + keys < len(text) and text[done + keys] in " \t":
                keys += 1
        yield Change(path, at + done, at + done, text[done : done + keys])
        done += keys
        last, rest = text[done - 1], text[done:]
        if rest.strip() and chance.random() < _stop(last, keys):
            yield Ask(path, at + done, rest)


def _stop(last: str, keys: int) -> float:
    """How likely a typist stops after a key: at the start of a line always, after signs that open something often."""
    if keys > 1:
        return 1.0
    return 0.55 if last in "\n(.=: " else 0.12


def save(events: Sequence[Event], file: Path) -> None:
    """Write a session as JSON, gzipped where the name ends so: `["open", path, text]`, `["edit", path, start, end, text]`
    and `["ask", path, offset, truth]`.  Raises OSError.
    """
    names = {Open: "open", Change: "edit", Ask: "ask"}
    raw = json.dumps([[names[type(event)], *event] for event in events], ensure_ascii=False).encode()
    file.write_bytes(gzip.compress(raw, mtime=0) if file.suffix == ".gz" else raw)


def load(file: Path) -> list[Event]:
    """A session as `save` wrote it.  Raises HistoryError where the file holds none."""
    try:
        raw = file.read_bytes()
        return list(_checked(json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)))
    except (OSError, EOFError, ValueError, TypeError, KeyError, RecursionError, zlib.error) as error:
        raise HistoryError(f"{file} holds no saved session ({type(error).__name__}).") from None


def _checked(raw: list[list[Any]]) -> Iterator[Event]:
    """The events of a saved session, each possible in the text that those before it left."""
    lengths: dict[str, int] = {}
    for name, path, *rest in raw:
        match [name, path, *rest]:
            case ["open", str(), str(text)]:
                lengths[path] = len(text)
                yield Open(path, text)
            case ["edit", str(), int(start), int(end), str(text)] if 0 <= start <= end <= lengths[path]:
                lengths[path] += len(text) - (end - start)
                yield Change(path, start, end, text)
            case ["ask", str(), int(offset), str(truth)] if 0 <= offset <= lengths[path]:
                yield Ask(path, offset, truth)
            case _:
                raise ValueError(name)
