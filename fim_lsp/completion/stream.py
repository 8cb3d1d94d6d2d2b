"""The running stream of one document: begun at a place, followed while what is typed agrees with it, cut when not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fim_lsp.completion.answer_cache import KeptBack, Offer, Spot, tail_of
from fim_lsp.text import closing
from fim_lsp.text.document import Edit, Place


class Stream:
    """One request under way.  Its work runs as a task of its own; whoever waits for it may come and go."""

    def __init__(self, place: Place, spot: Spot, work: Callable[[Stream], Coroutine[Any, Any, None]]) -> None:
        self.place = place
        self.spot = spot
        self.raw = ""  # what the model has said so far
        self.tail = spot.tail  # what that document has behind its cursor
        self.typed = ""  # what the newest waiter's document has between the place and its cursor
        self.edited = False  # whether the document has changed since, in agreement
        self.waiters = 0
        self.disagreed = False  # whether it was cut because the person typed something else
        self.kept_back: KeptBack | None = None
        self.number: int | None = None  # in the record of usage
        self.offers: tuple[Offer, ...] | None = None  # what it came to; None until then, and if it failed
        self._task = asyncio.create_task(work(self))
        # A stream that nobody waits for may fail unseen: its problem has been reported by the work itself.
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    @property
    def over(self) -> bool:
        """Whether the stream has ended, in whatever way, or is about to: cut, it serves nobody any more."""
        return self._task.done() or self._task.cancelling() > 0

    def cancel(self) -> None:
        """End the stream at once, so that the service stops generating."""
        self._task.cancel()

    async def wait(self) -> None:
        """Wait for the end of the work, whatever it was; being cancelled while waiting leaves the work alone."""
        self.waiters += 1
        try:
            await asyncio.wait({self._task})
        finally:
            self.waiters -= 1

    def agrees(self, raw: str) -> bool:
        """Whether what the model says can still be what the person types."""
        return raw.startswith(self.typed) or self.typed.startswith(raw)

    def follow(self, edit: Edit) -> bool:
        """Take an edit of the document into account; False if the stream has lost its sense by it."""
        self.edited = True
        if edit.start >= self.place:
            # At or behind the cursor: typing, or an editor's own bracket; the next request says what it came to.
            return edit.start.line <= self.place.line + self.raw.count("\n") + 1
        if edit.end >= self.place and edit.start.line == self.place.line:
            # A menu's entry puts a word in anew, with brackets behind it; the next request says what it came to.
            return len(edit.text) >= self.place.column - edit.start.column
        if edit.end.line < self.place.line:
            self.place = Place(self.place.line + edit.added - edit.removed, self.place.column)
            return True
        return False

    def serves(self, lines: Sequence[str], place: Place) -> bool:
        """Whether a place lies along this stream: what was typed since agrees with what the model has said so far."""
        if self.over or place < self.place or self.place.line >= len(lines):
            return False
        start = lines[self.place.line]
        if start[: self.place.column] != self.spot.head:
            return False
        if place.line == self.place.line:
            typed = start[self.place.column : place.column]
        else:
            between = "".join(lines[self.place.line + 1 : place.line])
            typed = start[self.place.column :] + between + lines[place.line][: place.column]
        tail = tail_of(lines, place)
        change = closing.behind(self.spot.tail, tail)
        if change is None or (change.added and not typed and not closing.opens(self.spot.head, change.added)):
            return False
        before, self.typed = self.typed, typed
        if self.agrees(self.raw):
            self.tail = tail
            return True
        self.typed = before
        return False
