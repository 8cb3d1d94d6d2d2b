"""What has been edited in a document and not yet been logged, in runs of lines."""

from __future__ import annotations

from typing import Protocol

from fim_lsp.text.document import Edit

LINES = 24  # of a run, that are logged; a formatter's run over more lines is no edit
LEAST = 8  # characters that are worth a line in a log


class Lines(Protocol):
    """The lines of a document, or what is to be told of them."""

    def __getitem__(self, which: slice, /) -> list[str]:
        """Some of them, with their line ends."""


class Hunks:
    """Runs of edited lines, which stay with their lines while others come and go above them."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int]] = []  # first line and the one behind the last, in order, apart

    def follow(self, edit: Edit, *, typed: bool = True) -> None:
        """Take note of an edit; one that nobody typed only moves the runs."""
        more = edit.added - edit.removed
        # A line that was only pushed down, or broken off, was not edited.
        first = edit.first + edit.text.startswith(("\n", "\r"))
        last = edit.first + edit.added - edit.text.endswith(("\n", "\r"))
        if max(edit.removed, edit.added) > LINES < edit.removed:
            typed = False
        worth = typed and bool(edit.text.strip() or edit.removed > 1)
        apart: list[tuple[int, int]] = []
        for start, end in self._runs:
            if end <= edit.first:
                apart.append((start, end))
            elif start >= edit.first + edit.removed:
                apart.append((start + more, end + more))
            else:
                worth = True
                first, last = min(first, start), max(last, end + more)
        if worth:
            apart.append((min(first, last), last))
        self._runs = sorted(apart)

    def take(self, lines: Lines, here: int | None = None) -> list[str]:
        """The text of the runs that are finished, each at most 24 lines without blank ones; they are gone then.

        A run that holds line `here`, the cursor's, is not finished.
        """
        texts, left = [], []
        for start, end in self._runs:
            if here is not None and start <= here < max(end, start + 1):
                left.append((start, end))
                continue
            shown = [line.rstrip("\r\n") for line in lines[start : min(end, start + LINES)]]
            text = "".join(f"{line}\n" for line in shown if line.strip())
            if len(text.strip()) > LEAST:
                texts.append(text)
        self._runs = left
        return texts

    def clear(self) -> None:
        """Forget every run."""
        self._runs.clear()
