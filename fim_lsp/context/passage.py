"""A passage of a document as prompts show it: its lines, where they stand now, and what was shown before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fim_lsp.context.project_context import Entry
from fim_lsp.context.standing import Standing
from fim_lsp.text.document import Edit


@dataclass(slots=True)
class Passage:
    """Lines as they were shown, behind a line that names the file, and where they stand now.

    `news`, of other documents, and `header`, the file's first lines, are parts of `mark`.
    """

    mark: str
    lines: list[str]
    first: int
    last: int  # the line behind them
    fresh: int  # the first line that may no longer be as it was shown
    news: tuple[Entry, ...] = ()
    header: Sequence[str] = ()
    standing: Standing = field(init=False)  # of the lines that stay as they were shown

    def __post_init__(self) -> None:
        """The lines are live until it is frozen."""
        self.standing = Standing(self.header)

    def follow(self, edit: Edit) -> None:
        """Stay on the same lines when others above them come or go."""
        if edit.first + edit.removed <= self.first:
            more = edit.added - edit.removed
            self.first, self.last, self.fresh = self.first + more, self.last + more, self.fresh + more
        elif edit.first < self.last:
            self.first = min(self.first, edit.first)
            self.fresh = max(self.first, min(self.fresh, edit.first))
            self.last = max(edit.first + edit.added, self.last + edit.added - edit.removed)
        self.standing.follow(edit)

    def freeze(self) -> None:
        """Be shown as it is from now on."""
        sure = max(self.fresh - self.first, 0)
        self.standing.show(self.lines[:sure])
        self.standing.show(self.lines[sure:], sure=False)

    def without(self, lost: set[str]) -> Passage | None:
        """What stands before the first of these lines; None if they, or news that are gone, stand before all of it."""
        if any(entry.gone for entry in self.news) or not lost.isdisjoint(map(str.strip, self.header)):
            return None
        same = 0
        while same < self.fresh - self.first and self.lines[same].strip() not in lost:
            same += 1
        return self.cut(same) if same else None

    def cut(self, same: int) -> Passage:
        """So many of its first lines, frozen; they are as they were shown."""
        end = self.first + same
        cut = Passage(self.mark, self.lines[:same], self.first, end, end, self.news, self.header)
        cut.freeze()
        return cut
