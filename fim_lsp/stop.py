"""When a stream has said enough: at the end of its line, statement or block, or where it says what already follows."""

from __future__ import annotations

import re
from typing import NamedTuple

from fim_lsp.language import CLOSER_OF, CLOSERS
from fim_lsp.shape import WEIGHT, Shape, known, weigh
from fim_lsp.site import Site, site, width, word

LOOP = 3  # times that a run of lines comes before it is a loop
LONGEST_LOOP = 8  # lines
UNDECIDED = 400  # characters of a line's beginning that may be looked at again


class _Line(NamedTuple):
    text: str
    start: int  # offset in the text


class Ending:
    r"""Reads a stream piece by piece and knows where its worthwhile text ends.

    Lines are looked at once, when they are complete, and their beginnings once more: what a piece costs does not depend
    on what came before.  `end` and `start` are offsets in `text` with every line end as `\n`; `end` is None until the text
    is complete.
    """

    def __init__(self, prefix: str, suffix: str, language: str, shape: Shape) -> None:
        self.site = site(prefix, suffix, language)
        self.start = 0
        self.end: int | None = None
        self._reader = _Reader(self.site, shape)
        self._pieces: list[str] = []
        self._line: list[str] = []
        self._length = 0  # of the unfinished line
        self._at = 0  # where the unfinished line starts
        self._held = ""  # a line end that may go on
        self._looked = False

    @property
    def text(self) -> str:
        """What was read so far, as it came."""
        return "".join(self._pieces)

    def feed(self, piece: str) -> bool:
        """Take the next piece; True as soon as the text read so far is complete."""
        self._pieces.append(piece)
        if self.end is not None:
            return True
        piece = self._held + piece
        self._held = ""
        if "\r" in piece:
            if piece.endswith("\r"):
                piece, self._held = piece[:-1], "\r"
            piece = piece.replace("\r\n", "\n").replace("\r", "\n")
        *whole, last = piece.split("\n")
        for part in whole:
            line = "".join(self._line) + part
            self._line, self._length, self._looked = [], 0, False
            if self._settled(self._reader.line(line, self._at)):
                return True
            self._at += len(line) + 1
        if last:
            self._line.append(last)
            self._length += len(last)
        if not self._looked and self._length:
            beginning = "".join(self._line)
            if beginning.strip():
                self._looked = self._length > UNDECIDED or self._reader.told(beginning)
                return self._settled(self._reader.beginning(beginning, self._at))
        return False

    def close(self) -> int:
        """The stream has ended: where the worthwhile text ends."""
        if self.end is None:
            line = "".join(self._line)
            if not self._settled(self._reader.line(line, self._at, last=True)):
                self.end = self._reader.good
            self.start = self._reader.start
        assert self.end is not None
        return self.end

    def _settled(self, end: int | None) -> bool:
        self.end = end
        self.start = self._reader.start
        return end is not None


class _Reader:
    """Reads lines and says after which of them, or where in one, the text is complete."""

    def __init__(self, place: Site, shape: Shape) -> None:
        self.start = 0  # of the worthwhile text
        self.good = 0  # where the worthwhile text ends so far
        self._site = place
        self._kind = shape.kind
        self._known = known(place)
        self._following = place.following
        self._inside = place.inside
        self._spanned = shape.kind == "span"
        self._open: list[str] = []  # brackets that the text opened
        self._used = 0  # brackets open at the cursor that the text closed
        self._allowed = place.owed + (sum(place.rest.count(sign) for sign in CLOSERS) if place.closes else 0)
        self._base: int | None = None if place.blank else place.indent
        self._first = True  # no line with text was seen yet
        self._statement = not place.blank
        self._complete = False  # the statement at the base is
        self._gap = 0  # blank lines just seen
        self._block_done = False
        self._echo = 0  # lines in a row that are those that follow
        self._echo_weight = 0.0
        self._echo_from = 0
        self._lines: list[str] = []
        self._starts: list[int] = []
        self._runs = [0] * (LONGEST_LOOP + 1)
        self._fenced = False

    def told(self, beginning: str) -> bool:
        """Whether the beginning of a line tells all that it can before the line is complete."""
        return len(beginning) > len(beginning) - len(beginning.lstrip()) + 8

    def beginning(self, beginning: str, at: int) -> int | None:
        """Where the text ends, if the beginning of a line tells; it has text besides indentation."""
        if self._first or self._inside or self._open or self._echo or self._base is None or at == 0:
            return None
        text = beginning.lstrip()
        indent = width(beginning)
        closing = text[0] in CLOSERS
        if closing and self._used >= self._allowed and not self._may_reopen(text):
            return None if len(text) < 8 and "\n" not in text else self.good
        if closing or not self.told(beginning):
            return None
        if self._past(indent, text):
            return self.good
        return None

    def line(self, line: str, at: int, *, last: bool = False) -> int | None:
        """Where the text ends, if this line tells; `last`: the stream ended in it."""
        text = line.strip()
        if not text:
            return self._empty(at, last=last)
        if text.startswith("```") and not self._site.language.fences and not self._inside:
            if self._fenced or not (self._first or _PROSE.search(self._lines[-1] if self._lines else "")):
                return self.good
            self._fenced = True
            self.start = self.good = at + len(line) + 1
            self._first, self._lines, self._starts = True, [], []
            return None
        special = _SPECIAL.search(line)
        if special and special.start() + at > self.start:
            cut = line[: special.start()]
            end = self.line(cut, at, last=True) if cut.strip() else None
            return self.good if end is None else end
        indent = width(line)
        first, self._first = self._first, False
        on_line = first and at == self.start and not self._site.blank
        if on_line:
            indent = self._site.indent
        elif first:
            if self._base is None or not self._site.blank:
                # What begins on the next line is a block of its own, unless it only closes.
                if not self._site.blank:
                    self._statement = False
                indent += self._site.indent if at == self.start else 0
                self._base = indent
                if not self._site.blank and indent < self._site.indent and text[0] not in CLOSERS and self._site.indent:
                    self._base = indent
        if self._inside and not on_line and not first:
            pass
        assert self._base is not None
        before = self.good
        if not first:
            echo = self._echoes(line, at, before)
            if echo is not None:
                return echo
            loop = self._loops(text, at)
            if loop is not None:
                return loop
        elif self._echoes(line, at, before) is not None and not on_line:
            return before
        if not self._open and not self._inside and not first and self._past(indent, text):
            return before
        outcome = self._brackets(line, at, indent, on_line=on_line, last=last)
        self._gap = 0
        if outcome is not None:
            return outcome
        self.good = at + len(line.rstrip()) if not (on_line and self._site.rest.strip()) else at + len(line)
        if self._spanned and not self._inside:
            return self.good
        if self._kind == "line" and not self._inside_long():
            return self.good
        if on_line and self._kind in {"comment", "head"}:
            return self.good
        if not self._open and not self._inside_long():
            self._complete = not _GOES_ON.search(text)
            if indent > self._base:
                self._block_done = True
        return None

    def _inside_long(self) -> bool:
        return bool(self._inside) and len(self._site.language.spans[self._inside].closing) > 1

    def _empty(self, at: int, *, last: bool) -> int | None:
        if last:
            return self.good
        self._gap += 1
        if self._first:
            if self._kind == "line" and not self._site.blank:
                return self.good
            return None
        if self._site.language.prose and not self._open:
            return self.good
        if self._gap >= 2 and not self._open and not self._inside_long() and self._block_done:
            return self.good
        return None

    def _past(self, indent: int, text: str) -> bool:
        """Whether a line at this indentation, no bracket of the text being open, lies past the end."""
        assert self._base is not None
        tongue = self._site.language
        leads = word(text)
        closing = text[0] in CLOSERS or text.startswith("</")
        if self._statement:
            if not self._complete and self._gap == 0:
                return False
            if indent > self._base:
                return tongue.prose or self._kind in {"comment", "head"}
            if indent == self._base and (closing or leads in tongue.ends or leads in tongue.carries or text[0] in "{.?"):
                return self._gap > 0 and not closing
            return not closing
        if indent < self._base:
            if closing or leads in tongue.ends:
                return self._closed(text)
            return not (leads in tongue.carries and self._gap == 0)
        return indent == self._base and self._gap > 0 and self._block_done and self._members()

    def _closed(self, text: str) -> bool:
        """Whether what follows closes what this line would."""
        if text[0] in CLOSERS:
            return False  # the brackets tell
        following = self._following
        return bool(following) and (word(following[0]) == word(text))

    def _members(self) -> bool:
        assert self._base is not None
        if self._base == 0:
            return True
        return _CONTAINER.search(self._site.head(self._base)) is not None

    def _may_reopen(self, text: str) -> bool:
        found, _ = self._site.language.marks(text)
        return bool(found) and found[-1].sign in CLOSER_OF

    def _brackets(self, line: str, at: int, indent: int, *, on_line: bool, last: bool) -> int | None:
        """Follow the brackets of a line; where the text ends, if one closes what is closed already."""
        found, inside = self._site.language.marks(line, self._inside)
        popped = False
        for n, (sign, offset) in enumerate(found):
            if sign in CLOSER_OF:
                self._open.append(sign)
            elif sign not in CLOSERS:
                continue
            elif self._open:
                self._open.pop()
            elif self._used < self._allowed:
                if self._repeats_rest(line[offset:], last=last):
                    return at + offset
                self._used += 1
                popped = True
            elif n + 1 < len(found) and any(s in CLOSER_OF for s, _ in found[n + 1 :]) and not line[:offset].strip():
                # `} else {`: the closing bracket that follows closes what this line opens.
                continue
            elif self._repeats_rest(line[offset:], last=last):
                return at + offset
            else:
                return at + offset if line[:offset].strip() else self.good
        self._inside = inside if inside and (self._site.language.spans[inside].closing not in {"\n", '"', "'"}) else ""
        assert self._base is not None
        if popped and not self._open and not on_line and indent <= self._base:
            self.good = at + len(line.rstrip())
            return self.good
        return None

    def _repeats_rest(self, text: str, *, last: bool) -> bool:
        rest = self._site.rest.strip()
        text = text.strip()
        return bool(rest) and (text == rest or (last and rest.startswith(text)))

    def _echoes(self, line: str, at: int, before: int) -> int | None:
        """Where the text ends, if this line and those just before it are what follows."""
        following = self._following
        while True:
            if self._echo < len(following) and _same(line, following[self._echo], self._known):
                if self._echo == 0:
                    self._echo_from = before
                self._echo += 1
                self._echo_weight += weigh(line, self._known)
                if self._echo_weight >= WEIGHT or (self._echo == len(following) and self._echo_weight >= 6):
                    return self._echo_from
                return None
            if not self._echo:
                return None
            self._echo, self._echo_weight = 0, 0.0

    def _loops(self, text: str, at: int) -> int | None:
        """Where the text ends, if its last lines are a run that came before, and again."""
        lines = self._lines
        lines.append(text)
        self._starts.append(at)
        for period in range(1, LONGEST_LOOP + 1):
            if len(lines) > period and lines[-1 - period] == text:
                self._runs[period] += 1
                if self._runs[period] >= (LOOP - 1) * period:
                    run = lines[-period:]
                    if sum(len(_SIGNS.sub("", each)) for each in run) >= 4:
                        return self._starts[-(LOOP - 1) * period] - 1
            else:
                self._runs[period] = 0
        return None


def _same(line: str, following: str, seen: frozenset[str]) -> bool:
    if line.rstrip() == following.rstrip():
        return True
    return line.strip() == following.strip() and weigh(line, seen) >= WEIGHT


_SIGNS = re.compile(r"[^\w]+")
_GOES_ON = re.compile(r"(?:[,\\=+\-*/%&|^<>?:.({\[]|\b(?:and|or|not|in|is|return|then|do|of))$")
_CONTAINER = re.compile(
    r"\b(?:class|struct|interface|impl|trait|namespace|module|object|enum|extension|protocol|contract|mod|union|record"
    r"|service|describe|export default)\b"
)
_SPECIAL = re.compile(r"<[|｜][a-zA-Z_▁ ]+[|｜]>")
_PROSE = re.compile(r"\w+ \w+.*:$")
