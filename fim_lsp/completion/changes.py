"""What the last changes of one document were: text typed, taken away, put back, or replaced in place by an input method.

A message of the editor may hold several changes; they count as one, and text typed counts before text taken away.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from fim_lsp.text.beginning import shared
from fim_lsp.text.document import Edit, Place, body

STANDS = 0.5  # seconds without a change after which what an input method has put in is taken to stand
STEP = 2  # characters at most that an input method adds with a key: a letter, and a mark between syllables
MOST = 16  # texts taken away, or put in at once, that are remembered
TIMES = 2  # that a text is shown on a line and typed past, after which it is not offered there again
LONGEST = 4_000  # characters of a text taken away that is remembered
HEAD = 200  # characters before a place on its line by which it is known again


class Change(NamedTuple):
    """What stood at a place, and what stands there in its stead; `head` is what stands before it, `HEAD` characters."""

    start: Place
    gone: str
    come: str
    head: str


class Taken(NamedTuple):
    """A text that was taken away, the line that it stood on, and what stands before the place there."""

    line: int
    head: str
    text: str


class Changes:
    """Told of each change; says whether anything may come by itself, and what is not to be offered."""

    def __init__(self) -> None:
        self.quiet = False  # text was taken away or put back, and nothing typed since
        self.fresh = False  # something was typed, and nothing asked since
        self.corrected: Place | None = None  # where characters of a word were taken away just now
        # "letters" while an input method replaces them, "standing" for what may stand, "perhaps" for a first letter
        self.composing = ""
        self._method = False  # whether a letter typed may be an input method's
        self._last: Change | None = None
        self._run: Change | None = None  # what was typed in one go; `gone` is of no account
        self._pieces: deque[tuple[int, str]] = deque(maxlen=MOST)  # what came at once, and its column
        self._taken: deque[Taken] = deque(maxlen=MOST)
        self._piece: Taken | None = None  # of a text taken away piece by piece, the last
        self._past: dict[tuple[int, str], int] = {}  # how often a text was typed past, by line
        self._typed = False  # whether the message under way has typed something

    def begin(self) -> None:
        """A message with changes begins."""
        self._typed = False

    def take(self, edit: Edit, lines: Sequence[str]) -> None:
        """Take in a change that the document, which is `lines` now, has gone through."""
        self._move(edit)
        change = told(edit, lines)
        if change is None or _indents(change, lines):
            return
        last, self._last = self._last, change
        replaces = last is not None and change.start == last.start and change.gone == last.come != ""
        # An entry of a menu takes the place of a word as well, and is as long as it likes at once.
        composes = replaces and len(change.come) <= len(change.gone) + STEP
        back = replaces and last is not None and change.come == last.gone != ""
        back = back or self._restores(change)
        before, self.composing = self.composing, ""
        if change.gone:
            self._take_away(change, last)
        if back:
            self._silence()
        elif composes and change.come and "\n" not in change.come and change.gone.strip():
            self._method = True
            self.composing = "letters" if _letters(change.come) else "standing"
            self._type(change)
        elif change.come:
            if before == "perhaps":
                self._method = False  # it was a letter, and this is another
            elif self._may_compose(change):
                self.composing = "perhaps"
            self._type(change)
        elif not self._typed:
            self._delete(change)

    def asked(self) -> None:
        """A request has left because of what was typed."""
        self.fresh = False

    def keeps_back(self, place: Place, head: str, text: str) -> bool:
        """Whether a text is exactly what was just taken away there; `head` is what stands before it on its line."""
        bare = text.rstrip()
        return any(
            (one.line, one.head) == (place.line, head[-HEAD:]) and one.text.rstrip() == bare
            for one in (*self._taken, self._piece)
            if one is not None
        )

    def typed_past(self, line: int, text: str) -> None:
        """A text that was shown on a line has gone, and something else was typed there."""
        key = line, text
        self._past[key] = self._past.get(key, 0) + 1

    def tired(self, line: int, text: str) -> bool:
        """Whether a text was typed past so often on a line that it is not offered there again."""
        return self._past.get((line, text), 0) >= TIMES

    def _type(self, change: Change) -> None:
        self._typed = self.fresh = True
        self.quiet = False
        self.corrected = None
        if len(change.come) > 1:
            self._pieces.append((change.start.column, change.come))
        run = self._run
        if run is not None and _end(run) == change.start and not change.gone and len(run.come) < LONGEST:
            self._run = run._replace(come=run.come + change.come)
        else:
            self._run = change

    def _silence(self) -> None:
        """Text was put back as it was."""
        self.quiet = True
        self.fresh = False
        self.corrected = self._run = None

    def _delete(self, change: Change) -> None:
        run, self._run = self._run, None
        # What is put back to before it was typed, or taken over, is no correction.
        undone = (change.start.column, change.gone) in self._pieces
        undone = undone or (len(change.gone) > 1 and run is not None and run.start == change.start)
        self.quiet = True
        self.fresh = False
        word = change.head[-1:].isalnum() or change.head.endswith("_")
        word = word and re.fullmatch(r"\w+", change.gone) is not None
        self.corrected = change.start if word and not undone else None

    def _take_away(self, change: Change, last: Change | None) -> None:
        """Remember what was taken away; taken away piece by piece it is also one text."""
        if len(change.gone) > LONGEST or change.come.startswith(change.gone):
            return
        line, _ = change.start
        before, head = self._taken[-1] if self._taken else None, change.head
        self._piece = Taken(line, head, change.gone)
        whole = None
        if before is not None and before.line == line and last is not None and not (last.come or change.come):
            if before.head == (head + change.gone)[-HEAD:]:
                whole = change.gone + before.text
            elif (before.head, last.start) == (head, change.start):
                whole = before.text + change.gone
        if whole is None:
            self._taken.append(self._piece)
        else:
            self._taken[-1] = Taken(line, head, whole)

    def _restores(self, change: Change) -> bool:
        """Whether a change puts back what was taken away there; one character may be typed again."""
        if len(change.come) < 2 or change.gone:
            return False
        where = change.start.line, change.head
        return any((one.line, one.head) == where and one.text == change.come for one in self._taken)

    def _may_compose(self, change: Change) -> bool:
        """Whether one letter may be the first that an input method replaces: after its characters, it mostly is."""
        letter = not change.gone and len(change.come) == 1 and _letters(change.come)
        return letter and (self._method or _of_method(change.head[-1:]))

    def _move(self, edit: Edit) -> None:
        """What is remembered of lines stays with them."""
        if edit.added == edit.removed == 1:
            return
        last, more = edit.first + edit.removed, edit.added - edit.removed
        self._past = {
            (line + more * (line >= last), text): times
            for (line, text), times in self._past.items()
            if not edit.first < line < last
        }
        if self._piece is not None and self._piece.line >= last:
            self._piece = self._piece._replace(line=self._piece.line + more)
        for number, one in enumerate(self._taken):
            if one.line >= last:
                self._taken[number] = one._replace(line=one.line + more)


def told(edit: Edit, lines: Sequence[str]) -> Change | None:
    """What a change was, without what it has left as it was at both its ends; None if it changed nothing."""
    before = "".join(edit.gone)
    after = "".join(lines[edit.first : edit.first + edit.added])
    if edit.start.line == edit.first and edit.removed == edit.end.line - edit.first + 1:
        lead = edit.start.column
        rest = len(edit.gone[-1]) - edit.end.column if edit.gone else 0
        gone, come = before[lead : len(before) - rest], after[lead : len(after) - rest]
    else:
        lead, gone, come = 0, before, after
    if gone == come:
        return None
    if edit.removed > 1 and gone and come:
        # Some editors send the whole text each time.
        same = shared(gone, come)
        behind = shared(gone[same:][::-1], come[same:][::-1])
        lead += same
        gone, come = gone[same : len(gone) - behind], come[same : len(come) - behind]
    line, column = edit.first, lead
    if edit.removed > 1:
        line, column = edit.first + after.count("\n", 0, lead), lead - (after.rfind("\n", 0, lead) + 1)
    head = lines[line][max(column - HEAD, 0) : column] if line < len(lines) else ""
    return Change(Place(line, column), gone, come, head)


def _indents(change: Change, lines: Sequence[str]) -> bool:
    """Whether a change is only one of the white space before what stands on a line, which editors do by themselves."""
    if (change.gone + change.come).strip(" \t") or change.head.strip() or not change.gone:
        return False
    line = lines[change.start.line] if change.start.line < len(lines) else ""
    return bool(body(line)[change.start.column :].strip())


def _end(change: Change) -> Place:
    lines = change.come.count("\n")
    column = (
        len(change.come) - change.come.rfind("\n") - 1 if lines else change.start.column + len(change.come)
    )
    return Place(change.start.line + lines, column)


def _letters(text: str) -> bool:
    """Whether a text ends in what input methods still turn into something else: Latin letters, kana, single jamo."""
    last = text[-1:]
    if not last or not (last.isalpha() or last in "'’ー"):
        return False
    return last.isascii() or any(
        mark in unicodedata.name(last, "")
        for mark in ("LATIN", "HIRAGANA", "KATAKANA", "HANGUL LETTER", "HANGUL CHOSEONG", "BOPOMOFO")
    )


def _of_method(sign: str) -> bool:
    """Whether a character is one that only an input method puts in."""
    name = unicodedata.name(sign, "") if sign and not sign.isascii() else ""
    return name.startswith(("CJK UNIFIED", "HIRAGANA", "KATAKANA", "HANGUL"))
