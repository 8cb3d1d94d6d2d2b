"""Takes the lines of an answer, and says after which of them, or where in one, the text is complete."""

from __future__ import annotations

import re

from fim_lsp.text.above import Above, stands_near
from fim_lsp.text.branches import is_past, is_stuck
from fim_lsp.text.echo import Echo
from fim_lsp.text.extent import WEIGHT, Extent, known
from fim_lsp.text.language import CLOSER_OF, CLOSERS
from fim_lsp.text.marks import FENCES, mark_in, marks_before
from fim_lsp.text.members import among_members, in_last_member
from fim_lsp.text.overlap import opens, repeated
from fim_lsp.text.plain_line import turns
from fim_lsp.text.rest import meets_rest, repeats_rest
from fim_lsp.text.runs import Runs
from fim_lsp.text.surroundings import Surroundings, width, word


class LineReader:
    """Takes lines, and says after which of them, or where in one, the text is complete."""

    def __init__(self, place: Surroundings, extent: Extent) -> None:
        self.start = 0
        self.good = 0  # where the worthwhile text ends, as far as it was read
        self.extra = 0
        self.inside = place.inside
        self.met_rest = False  # the text ends before what its line still holds
        self._site = place
        self._tongue = place.language
        self._kind = extent.kind
        self._following = place.following
        self._spanned = extent.kind == "span"  # ends with the string or comment that the cursor is in
        self._span_closed = self._spanned and place.span_closed
        self._base = place.indent  # columns, of the statement or block
        self._statement = not place.blank  # what was begun before the cursor is to be completed, no more
        self._complete = False  # so it is, as far as its last line tells
        self._first = True  # no line with text was read yet
        self._gap = 0  # blank lines just read
        self._shed = False  # a first line break was left out
        self._nested = False  # a line or bracket deeper than the base was read
        self._open: list[str] = []  # brackets that the text opened
        self._used = 0  # brackets open at the cursor that the text closed
        self._may_close = place.may_close
        self._echo = Echo(self._following, known(place), place.language)
        self._run = Runs(keys=place.language.keys)
        self._above = Above(place)
        self._next = self._following[0].strip() if self._following else ""
        self._next_word = word(self._next)
        # Where lines do not end the text by themselves, most tell nothing.
        self._marked = place.language.marked
        self._plain = self._kind not in {"line", "head"}
        self._fence = place.fence
        self._fenced_in = place.fence != ""  # whether the fenced code is still that of the cursor

    def beginning(self, line: str, at: int) -> int | None:
        """Where the text ends, if the beginning of a line tells."""
        if self._first or self.inside or self._open or self._echo.lines or self._above.held:
            return None
        text = line.strip()
        if not text or text[0] in CLOSERS or text[0] in "<`" or len(word(text)) == len(text):
            return None
        if self._echo.goes_on(line):
            return None
        return self.good if at and self._past(width(line), text) else None

    def take(self, line: str, at: int, *, last: bool = False) -> int | None:
        """Where the text ends, if this line tells; lines that stand above the cursor are held until they are all there."""
        close = self._first or last or self._gap or self._echo.lines or self._above.runs or not self._plain
        if not close and (end := self._at_a_glance(line, at)) is not None:
            return end if end >= 0 else None
        if self._first and at == self.start and stands_near(self._site, line, shed=self._shed):
            self.start = self.good = at + len(line) + 1
            self._shed = True
            return self.good if last else None
        again = self._above.take(line, at, last=last)
        if again is None:
            return None
        if again:
            # What follows on a line with text begins with the line break.
            self._shed = self._site.blank
            self.start = self.good = at + len(line) + self._shed
            return self.good if last else None
        for held, start in self._above.released():
            if (end := self.line(held, start)) is not None:
                return end
        return self.line(line, at, last=last)

    def line(self, line: str, at: int, *, last: bool = False) -> int | None:
        """Where the text ends, if this line tells; `last`: the stream ended in it."""
        if self._first:
            line, at = self._begun(line, at)
        text = line.strip()
        if not text:
            return self._blank(line, at, last=last)
        if (
            text.startswith(FENCES if self._tongue.fences else "```")
            and not self.inside
            and (end := self._fenced(text, line, at)) is not None
        ):
            return end if end >= 0 else None
        if (cut := mark_in(self._site, line, last=last)) is not None:
            self.line(line[:cut].rstrip(), at, last=True)
            return self.good
        first, self._first = self._first, False
        own = first and not self._gap and at == self.start
        if own and not self._site.blank:
            indent = self._base
        else:
            indent = width(self._site.before + line if own else line)
            if first:
                self._base, self._statement = indent, False
        gap, before = self._gap, self.good
        whole = self._site.before * own + line
        alone = None if self._open or self.inside else not self._run.lines
        begun = own and self._statement
        if (end := self._echo.take(whole, before, alone=alone, last=last, begun=begun)) is not None:
            return end
        if (end := self._run.take(indent, text, at)) is not None:
            return end
        if not first and not self._open:
            if indent < self._base and self._echo.is_next(line):
                return before
            if not self.inside and self._past(indent, text):
                return self._echo.before(before)
        self._gap = 0
        if (
            own
            and self._site.rest.strip()
            and (cut := meets_rest(self._site, self._kind, line, last=last)) is not None
        ):
            self.good = at + cut
            self.met_rest = True
            return self.good
        was_open = bool(self._open)
        if (ended := self._site.span_end(line) if self._span_closed else None) is not None:
            if not own or self._tongue.spans[self._site.inside].closing not in self._site.rest:
                return before
            # The mark stands behind the cursor on its line: what comes after it may replace that.
            self.good = at + (len(line.rstrip()) if self._site.closes else ended)
            return self.good
        end = self._brackets(line, at, indent, own=own, last=last)
        if end is not None:
            return self._echo.before(end)
        self.good = at + len(line.rstrip())
        if self._kind == "line" or (self._spanned and not self.inside):
            return self.good
        if indent < self._base and (text.startswith("</") or word(text) in self._tongue.ends):
            return self.good
        if own and (self._kind in {"comment", "head"} or (self._span_closed and self._statement)):
            return self.good
        if not self._open and not self.inside:
            if was_open and not indent and text[0] in CLOSERS and not self._tongue.prose:
                return self.good  # what stands at the top is complete
            self._complete = gap > 0 or not _GOES_ON.search(text)
            self._nested = self._nested or was_open or indent > self._base
        return None

    def _at_a_glance(self, line: str, at: int) -> int | None:
        """Where the text ends, for a line in the middle of a block; -1 to read on, None if it is to be looked at closely."""
        text, inside, was_open = line.strip(), self.inside, bool(self._open)
        if (
            not text
            or line[0] in CLOSERS
            or self._marked.search(line)
            or (text == self._next and (len(text) >= WEIGHT or self._echo.is_next(line)))
        ):
            return None
        indent = width(line)
        past = indent < self._base or (self._statement and not was_open and not inside)
        if past or not (inside or turns(text, self._open, self._tongue)):
            return None
        if (indent, text) not in self._run.seen:
            self._run.new((indent, text), at)
        elif (end := self._run.take(indent, text, at)) is not None:
            return end
        self.good = at + len(line.rstrip())
        if not self._open and not inside:
            self._complete = not (self._statement and _GOES_ON.search(text))
            self._nested = self._nested or was_open or indent > self._base
        return -1

    def _begun(self, line: str, at: int) -> tuple[str, int]:
        """The first line, and where it starts, without what stands before the cursor already."""
        skip = marks_before(self._site, line)
        if at == self.start:
            again = repeated(self._site, line[skip:], shed=self._shed)
            lead = len(line) - len(line[skip:].lstrip(" \t")) - skip
            if self._site.blank and again == lead:
                self.extra = width(line[skip:])
            skip += again
            self.start += skip
        return line[skip:], at + skip

    def _blank(self, line: str, at: int, *, last: bool) -> int | None:
        if last:
            return self._echo.before(self.good, least=1)
        if self._first:
            if self._kind == "line":
                return self.good
            above = self._site.above
            stray = not above or not above[-1].strip() or (self._site.before and opens(above[-1]))
            if self._site.blank and stray:
                # The cursor's line is as good a place to begin as the next.
                self.start = self.good = at + len(line) + 1
                self._shed = True
                return None
            self._gap += 1
            if at == self.start:
                self.start += len(line)  # white space at the end of the cursor's line
            return None
        self._gap += 1
        if self._open or self.inside or self._fence:
            return None
        if self._tongue.prose or self._gap == 2:
            return self.good
        return None

    def _fenced(self, text: str, line: str, at: int) -> int | None:
        """Where the text ends, for a line that is a fence; -1 to read on, None if it is a line like others."""
        if self._tongue.fences:
            if self._fenced_in and self._first and text[3:]:
                self.start = self.good = at + len(line) + 1  # the code's own beginning
                return -1
            if self._fenced_in and self._site.fence_closed:
                return self.good
            self._fenced_in = False
            ends = self._fence != "" and not text.strip("`~")
            self._fence = "" if self._fence else text[:3]
            if ends and self._statement and not self._first:
                self.good = at + len(line.rstrip())
                return self.good
            return None
        opens = self._first or (len(self._run.lines) < 3 and _PROSE.search(self._run.lines[-1][1]))
        if self._fence or not opens or (len(text) > 3 + len(word(text[3:])) and not self._first):
            return self.good
        self._fence = "```"
        self.start = self.good = at + len(line) + 1
        self._first, self._gap = True, 0
        self._run.clear()
        return -1

    def _past(self, indent: int, text: str) -> bool:
        """Whether a line lies past the end, no bracket of the text being open before it."""
        tongue, base = self._tongue, self._base
        if self._spanned or (self._fence and tongue.fences):
            return False
        leads = word(text)
        closing = text[0] in CLOSERS
        if text.startswith("</"):
            closed = bool(self._following) and self._following[0].lstrip().startswith("</")
            if self._statement and indent < base:
                return self._complete or self._gap > 0
            return indent <= base and closed and width(self._following[0]) == indent
        if self._statement:
            if not self._complete and not self._gap:
                return False
            if indent > base:
                return tongue.prose
            if indent == base and not self._gap and in_last_member(self._site, self._following, self._base):
                return False
            if closing:
                return False
            goes_on = leads in tongue.ends or leads in tongue.carries or text[0] in "{."
            return indent < base or not goes_on or self._gap > 0 or leads == self._next_word
        if indent < base:
            return not closing and is_past(text, indent, self._following, tongue, gap=self._gap > 0)
        if not self._gap or indent > base or closing:
            return False
        return tongue.keys or (self._nested and among_members(self._site, self._base))

    def _brackets(self, line: str, at: int, indent: int, *, own: bool, last: bool) -> int | None:
        """Follow the brackets of a line; where the text ends, if it closes what is closed already."""
        found, inside = self._tongue.marks(line, self.inside)
        closed = False
        lent: list[str] = []
        lead = len(line) - len(line.lstrip(CLOSERS + " \t"))
        for sign, offset in found:
            if sign in CLOSER_OF:
                if sign in lent:
                    lent.remove(sign)
                else:
                    self._open.append(sign)
                continue
            if sign not in CLOSERS:
                continue
            leading = offset < lead
            if self._open:
                # So does one that nothing opens: the text's own bracket is for it to close.
                if (
                    leading
                    and self._echo.is_next(line)
                    and (indent < self._base or self._site.spares(len(self._open)))
                ):
                    return self.good
                self._open.pop()
                if leading and not self._open and is_stuck(line[offset + 1 :], self._tongue, top=not indent):
                    return at + offset + 1
                continue
            if leading and CLOSER_OF.get(found[-1].sign) == sign:
                # `} else {`: what closes the first block closes the second instead.
                lent.append(found[-1].sign)
                continue
            if repeats_rest(self._site, line[offset:], last=last):
                return at + offset
            if self._used >= self._may_close:
                return at + len(line[:offset].rstrip()) if line[:offset].strip() else self.good
            if leading and indent == self._base and not own and self._echo.is_next(line):
                return self.good
            self._used += 1
            closed = True
            if leading and is_stuck(line[offset + 1 :], self._tongue, top=not indent):
                return at + offset + 1
        span = self._tongue.spans.get(inside)
        self.inside = inside if span and span.long else ""
        if closed and not self._open and not (own and self._statement):
            self.good = at + len(line.rstrip())
            return self.good
        return None


_GOES_ON = re.compile(r"(?:[\\=+\-*%&|^<?:.({\[]|=>|->|\b(?:and|or|not|in|is|return|then|do|of))$")
_PROSE = re.compile(r"\w+ \w+.*:$")
