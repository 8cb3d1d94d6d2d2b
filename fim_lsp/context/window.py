"""What the model is shown around a cursor: bytes that stay, then the lines before the cursor, then a little of what follows.

A prompt is what the project context opens with, then passages as they were when last shown, then the live passage that
ends at the cursor.  Nothing before the live passage changes from prompt to prompt; a place far away begins a new live
passage behind the old one, and behind what was edited elsewhere in the meantime.  What was shown and then taken out of its
document is shown no more: from there on, the prompt is made anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fim_lsp.context.hunks import Hunks
from fim_lsp.context.passage import Passage
from fim_lsp.context.project_context import Entry, Map, Mark, Opening, ProjectContext
from fim_lsp.context.standing import Standing
from fim_lsp.privacy.secrets import Redactor, Shown
from fim_lsp.text.document import Edit, Place, body
from fim_lsp.text.language import naming_line


class Prompt(NamedTuple):
    """A request's two texts; `prefix` ends, and `suffix` begins, at the cursor."""

    prefix: str
    suffix: str


class Parts(NamedTuple):
    """Of what a prefix was made, in characters, and the lines (from 0) on which the live passage begins and ends."""

    opening: Opening
    before: int  # passages of this document, older copies where it was edited since, and news of others
    live: int
    first: int
    last: int


class Window:
    """The window of one document: which passages its prompts show, kept from request to request.

    `prefix_chars` bounds the prefix, and `suffix_chars` the suffix, both in characters.  With a project context, prompts open with
    it, and it is told what is edited in this document (`uri` is its name there); without one, files are kept apart.
    `live_chars` bound the live passage, where an engine takes no more at the cursor; 0 is no bound of its own.  `arrival` are
    the characters shown at a new place, where they are more than `ARRIVAL`.  `language` is an LSP languageId, for files whose name
    does not tell theirs.
    Nothing is kept, logged or shown but what `redactor` has let through.
    """

    ARRIVAL = 2000  # characters before the cursor, shown at a new place
    LIVE = 1500  # characters before the cursor that are always as they are now
    LONG = 8000  # characters of a live passage, from which on its upper half is left as it was shown
    HEADER = 1000  # characters of the file's first lines
    FULL = 0.8  # share of the bound, from which on a new place begins from nothing
    SUFFIX = 0.625  # share of the bound, past which the suffix ends with its line

    def __init__(
        self,
        prefix_chars: int,
        suffix_chars: int,
        project_context: ProjectContext | None = None,
        uri: str = "",
        redactor: Redactor | None = None,
        *,
        live_chars: int = 0,
        arrival: int = 0,
        language: str = "",
    ) -> None:
        self.moves = 0
        self.openings = 0
        self.parts = Parts(Opening(), 0, 0, 0, 0)
        self.here = (
            0  # characters at the prefix's end that are of the place: the live passage, under its file's name
        )
        self._bound = prefix_chars
        self._suffix_chars = suffix_chars
        arrival = max(arrival, self.ARRIVAL)
        long = max(self.LONG, 2 * arrival)
        self._long = min(long, 2 * live_chars // 3) if live_chars else long
        self._arrival = min(arrival, prefix_chars // 2)
        self._live = min(self.LIVE, self._arrival, live_chars // 3 if live_chars else self.LIVE)
        self.project_context = project_context
        self._uri = uri
        self._language = language
        self._redactor = redactor or Redactor()
        self._near = Map()  # of what the document imports
        self._told = Mark()
        self._hunks = Hunks()
        self._opening = Opening()
        self._open = ""  # its text
        self._before: list[Passage] = []
        self._frozen = ""  # the text of all passages before the live one
        self._now: Passage | None = None  # the live one, as it was last shown
        self._column = 0  # where it begins in its first line; not 0 only inside a very long one

    def edited(self, edit: Edit, *, typed: bool = True) -> None:
        """Follow a change of the document: passages keep their lines, and what was shown of them stays.

        What nobody typed is not logged.
        """
        # What was shown of the lines that are gone was clean.
        edit = edit._replace(gone=[self._clean(line) for line in edit.gone])
        if self.project_context is not None:
            self._hunks.follow(edit, typed=typed)
            self.project_context.follow(self._uri, edit)
        for passage in self._before:
            passage.follow(edit)
        now = self._now
        if now is None:
            return
        start = Place(now.first, self._column)
        if self._column and edit.first <= now.first and edit.start < start:
            if edit.end > start or not edit.removed == edit.added == 1:
                self._forget()
                return
            self._column += len(edit.text) - (edit.end.column - edit.start.column)
        now.follow(edit)

    def reopened(self, lines: Sequence[str]) -> None:
        """Take the window up again for a document that was closed: what is no longer as shown counts as changed."""
        self._hunks.clear()
        passages = [*self._before, self._now] if self._now else self._before
        for passage in passages:
            same = 0
            where = slice(passage.first, passage.first + len(passage.lines))
            cut = self._column and passage is self._now
            now = lines[where] if cut else self._redactor.shown(lines)[where]
            for shown, line in zip(passage.lines, now, strict=False):
                if shown != line:
                    break
                same += 1
            passage.fresh = passage.first + same
            passage.standing.doubt()
        if self._column and self._now and self._now.first >= len(lines):
            self._forget()

    def disown(self) -> None:
        """Log nothing of what was edited so far."""
        self._hunks.clear()

    def renew(self, project_context: ProjectContext) -> None:
        """Open anew if the prompts open with this project context: there is much more to it now than what was shown."""
        if self.project_context is project_context:
            self._forget()

    def imports(self, near: Map) -> None:
        """Open with signatures of what the document imports: now, where little was shown so far, else the next time."""
        if near != self._near and not self._before:
            self._forget()
        self._near = near

    def left(self, lines: Sequence[str], path: str, here: int | None = None) -> None:
        """Log what was edited, but for the cursor's own run where it is still `here`."""
        if self.project_context is None:
            return
        for text in self._hunks.take(self._redactor.shown(lines), here):
            mark = self._mark(path, len(path) + 8)
            self.project_context.add(Entry(self._uri, path, mark + text, mark))

    def prompt(self, lines: Sequence[str], place: Place, path: str) -> Prompt:
        """The prompt at a place of these lines; `path` names the file to the model."""
        self._take_back(lines)
        now = self._now
        if now is None or not self._goes_on(now, lines, place):
            now = self._arrive(lines, place, path)
        clean = self._redactor.shown(lines)
        if self._column:
            live = _between(clean, Place(now.first, self._column), place)
            now.lines = list(lines[now.first : place.line])
        else:
            now.lines = clean[now.first : place.line]
            live = "".join(now.lines) + clean.part(place.line, 0, place.column)
        live = self._redactor.typed(live)
        shown = self._open + self._frozen + now.mark + live
        before = len(shown) - len(self._open) - len(live)
        self.parts = Parts(self._opening, before, len(live), now.first, place.line)
        now.last = now.fresh = place.line
        if len(live) > self._long:
            live = live[self._settle(now) :]
        self.here = len(live) + (0 if now.news or now.header else len(now.mark))
        return Prompt(
            shown, _behind(lines, clean, place, self._suffix_chars, int(self._suffix_chars * self.SUFFIX))
        )

    def _goes_on(self, now: Passage, lines: Sequence[str], place: Place) -> bool:
        """Whether the live passage reaches this place: enough of it above, little of it new, all of it fitting."""
        start = Place(now.first, self._column)
        if place < start:
            return False
        room = self._bound - len(self._open) - len(self._frozen) - len(now.mark)
        room = min(room, self._long + self._arrival)
        size = _size(lines, start, place, room)
        if size > room or (size < self._live and start > (0, 0)):
            return False
        return self._little(lines, max(now.fresh, now.first), place)

    def _little(self, lines: Sequence[str], fresh: int, place: Place) -> bool:
        """Whether less has changed in the lines above the cursor's than a new place would show."""
        return (
            fresh >= place.line
            or _size(lines, Place(fresh, 0), Place(place.line, 0), self._arrival) <= self._arrival
        )

    def _arrive(self, lines: Sequence[str], place: Place, path: str) -> Passage:
        """Begin a live passage at a new place, behind what was shown before."""
        self.moves += 1
        self.left(lines, path, place.line)
        if self._now is not None and not self._column:
            self._now.freeze()
            self._before.append(self._now)
            self._now = None
            self._take_back(lines)
        if not self._before:
            self._begin()
        start = _back(lines, place, self._arrival, self._live)
        mark = self._mark(path, self._bound // 8)
        top = min(self.HEADER, self._bound // 8)
        header: Sequence[str] = ()
        news: tuple[Entry, ...] = ()
        if start.line and _size(lines, Place(0, 0), start, top) <= top and not start.column:
            start = Place(0, 0)
        again = self._cut(lines, start, place)
        if again is not None:
            start, mark, news, header = Place(again.first, 0), again.mark, again.news, again.header
        elif self._before:
            news = self._news()
            mark = self._redactor.text("".join(entry.text for entry in news)) + mark
        elif start > (0, 0):
            header = self._top(lines, start.line, top)
            mark += "".join(header)
        self._frozen = "".join(p.mark + "".join(p.lines) for p in self._before)
        kept = len(self._open) + len(self._frozen)
        if kept and kept + len(mark) + _size(lines, start, place, self._bound) > self._bound * self.FULL:
            self._forget()
            self._begin()
            start = _back(lines, place, self._arrival, self._live)
            mark, news = self._mark(path, self._bound // 8), ()
            header = self._top(lines, start.line, top) if start > (0, 0) else ()
            mark += "".join(header)
        self._column = start.column
        self._now = Passage(mark, [], start.line, start.line, start.line, news, header)
        return self._now

    def _begin(self) -> None:
        """Open with the project context as it is now."""
        if self.project_context is None:
            return
        opening = self.project_context.opening(self._near)
        self._told = self.project_context.told
        if len(opening.text) <= self._bound // 4:
            self._opening, self._open = opening, self._redactor.text(opening.text)
            self.openings += 1

    def _news(self) -> tuple[Entry, ...]:
        if self.project_context is None:
            return ()
        since, self._told = self._told, self.project_context.told
        return self.project_context.news(since, self._uri) if since != self._told else ()

    def _take_back(self, lines: Sequence[str]) -> None:
        """Leave out, from where it stands on, what was shown and is no longer in its document."""
        clean = self._redactor.shown(lines)
        if self.project_context is not None:
            self.project_context.settle(self._uri, lines, clean)
        if any(entry.gone for entry in self._opening.entries):
            self._forget()
        for index, passage in enumerate([*self._before, self._now] if self._now else self._before):
            lost = passage.standing.lost(lines, clean)
            if lost or any(entry.gone for entry in passage.news):
                kept = passage.without(lost) if passage is not self._now else None
                self._before[index:] = [kept] if kept else []
                self._now, self._column = None, 0
                return

    def _cut(self, lines: Sequence[str], start: Place, place: Place) -> Passage | None:
        """Leave out what would be shown twice; a passage to go on from, if the place lies in one or just below."""
        for index, passage in enumerate(self._before):
            if place.line < passage.first or passage.last < start.line:
                continue
            del self._before[index:]
            long = min(self._long, self._bound // 2)
            size = _size(lines, Place(passage.first, 0), place, long)
            if self._live <= size <= long and self._little(lines, max(passage.fresh, passage.first), place):
                return passage
            same = min(passage.fresh, start.line) - passage.first
            if same > 0:
                self._before.append(passage.cut(same))
            return None
        return None

    def _settle(self, now: Passage) -> int:
        """Leave all but the last of a long live passage as it is shown; no byte of a prompt changes.  How many characters."""
        number, left = len(now.lines), self._long // 2
        while number and len(now.lines[number - 1]) <= left:
            number -= 1
            left -= len(now.lines[number])
        if number == 0 or self._column:
            return 0
        upper = now.cut(number)
        self._before.append(upper)
        self._frozen += upper.mark + "".join(upper.lines)
        now.mark, now.first = "", now.first + number
        now.news, now.header, now.standing = (), (), Standing()
        now.lines = now.lines[number:]
        return sum(map(len, upper.lines))

    def _forget(self) -> None:
        self._opening, self._open, self._frozen = Opening(), "", ""
        self._before.clear()
        self._now = None
        self._column = 0

    def _clean(self, line: str) -> str:
        """A line as it may have been shown; a very long one is never shown whole."""
        return self._redactor.lines([line], 0, 1)[0] if len(line) <= self._redactor.LONG else line

    def _mark(self, path: str, room: int) -> str:
        """The line that names a file, as a comment of its language where that has any; no line if it is too long."""
        line = naming_line(path, self._language)
        return self._redactor.text(line) if len(line) <= room and path.isprintable() else ""

    def _top(self, lines: Sequence[str], before: int, room: int) -> Sequence[str]:
        """The file's first lines, no further than a line, in so many characters."""
        number = 0
        while number < before and len(lines[number]) <= room:
            room -= len(lines[number])
            number += 1
        return self._redactor.shown(lines)[:number]


def _behind(lines: Sequence[str], clean: Shown, place: Place, bound: int, least: int) -> str:
    """What follows the cursor, to the first line end past the least, and no further than the bound; within a line only if need be."""
    number, stop = place.line, 0
    size = -place.column
    while number < len(lines) and size < least:
        if size + len(lines[number]) > bound:
            column = place.column if number == place.line else 0
            stop = column + len(body(lines[number][column : least - size]))
            break
        size += len(lines[number])
        number += 1
    if number == place.line:
        return clean.part(number, place.column, stop)
    whole = "".join(clean[place.line + 1 : number])
    return clean.part(place.line, place.column) + whole + (clean.part(number, 0, stop) if stop else "")


def _between(lines: Shown, start: Place, end: Place) -> str:
    if start.line == end.line:
        return lines.part(start.line, start.column, end.column)
    first = lines.part(start.line, start.column)
    return first + "".join(lines[start.line + 1 : end.line]) + lines.part(end.line, 0, end.column)


def _size(lines: Sequence[str], start: Place, end: Place, bound: int) -> int:
    """Characters between two places, counted no further than past a bound."""
    size = end.column - start.column
    for number in range(end.line - 1, start.line - 1, -1):
        size += len(lines[number])
        if size > bound:
            break
    return size


def _back(lines: Sequence[str], place: Place, room: int, least: int) -> Place:
    """The line start about so many characters before a place; a place inside a line if need be."""
    if place.column > room:
        return Place(place.line, place.column - room)
    number, left = place.line, room - place.column
    while number and len(lines[number - 1]) <= left:
        number -= 1
        left -= len(lines[number])
    if number and room - left < least:
        return Place(number - 1, len(lines[number - 1]) - left)
    return Place(number, 0)
