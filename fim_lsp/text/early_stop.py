"""When a stream has said enough: at the end of its line, statement or block, or where it says what already follows."""

from __future__ import annotations

import re

from fim_lsp.text import foreign
from fim_lsp.text.characters import Holds, Strangers
from fim_lsp.text.document import paired
from fim_lsp.text.extent import WEIGHT, Extent, known, weigh
from fim_lsp.text.language import CLOSER_OF, CLOSERS
from fim_lsp.text.overlap import opens, repeated
from fim_lsp.text.surroundings import Surroundings, suits, surroundings, width, word

LOOP = 3  # times that a run of lines stands in a row before it is a loop
LONGEST_RUN = 8  # lines
MOST_REPEATED = 24  # lines from above the cursor that an answer is searched for
FIRST_ECHO = 8  # letters of a first line that stands below
LEAST = 4  # characters of a line that may stand beside the cursor already
LOOKED_AT = 80  # characters of a line's beginning that are looked at before the line is complete


class Ending:
    r"""Reads a stream piece by piece and knows where its worthwhile text ends.

    A line is looked at when it is complete, and its beginning as it arrives: what a piece costs does not depend on what
    came before.  `start` and `end` are offsets in `text` with every line end as `\n`; `end` is None until it is known.
    `holds` says whether the document holds a character, which else ends the text (see `Strangers`).
    """

    def __init__(
        self, prefix: str, suffix: str, language: str, shape: Extent, holds: Holds | None = None
    ) -> None:
        known = shape.site
        told_from = prefix, suffix, language
        self.site = (
            known if known and known.told_from == told_from else surroundings(prefix, suffix, language)
        )
        self.end: int | None = None
        self._reader = _Reader(self.site, shape)
        self._strangers = Strangers(holds or (lambda text: text in prefix or text in suffix))
        self._pieces: list[str] = []
        self._line: list[str] = []  # the unfinished line, in pieces
        self._length = 0
        self._at = 0  # where it starts
        self._held = ""  # half of a line end, or of a character

    @property
    def text(self) -> str:
        """What was read so far, as it came."""
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    @property
    def start(self) -> int:
        """Where the worthwhile text starts."""
        return self._reader.start

    def feed(self, piece: str) -> bool:
        """Take the next piece; True as soon as the text read so far is complete."""
        self._pieces.append(piece)
        if self.end is not None:
            return True
        if self._held or not piece.isascii() or "\r" in piece:
            piece, self._held = self._held + piece, ""
            if piece.endswith("\r") or "\ud800" <= piece[-1:] <= "\udbff":
                piece, self._held = piece[:-1], piece[-1]
            piece = paired(piece.replace("\r\n", "\n").replace("\r", "\n"))
        until = self._strangers.first(piece)
        if until is None:
            return self._take(piece)
        if until < 0:
            line = "".join(self._line)
            self._line = [line[:until]]
        if not self._take(piece[: max(until, 0)]):
            self.close()
        return True

    def _take(self, piece: str) -> bool:
        *whole, last = piece.split("\n")
        for part in whole:
            line = part
            if self._line:
                line = "".join(self._line) + part
                self._line, self._length = [], 0
            self.end = self._reader.take(line, self._at)
            if self.end is not None:
                return True
            self._at += len(line) + 1
        if last:
            self._line.append(last)
            if (">" in last or "]" in last) and self._reader.ends_in_mark("".join(self._line)):
                self.close()
                return True
            if self._length < LOOKED_AT:
                self._length += len(last)
                self.end = self._reader.beginning("".join(self._line), self._at)
        return self.end is not None

    @property
    def extra(self) -> int:
        """Columns by which its first line stands further right than the cursor, where nothing but those precedes it."""
        return self._reader.extra

    @property
    def inside(self) -> str:
        """The span that the text read ends in, "" for code."""
        return self._reader.inside

    @property
    def met_rest(self) -> bool:
        """Whether the text went on with what the cursor's line still holds, and ends before it."""
        return self._reader.met_rest

    @property
    def bare(self) -> bool:
        """Whether nothing but white space was read behind the worthwhile text: the model may end there, too."""
        return self.end is not None and not self.text[self.end :].strip()

    def close(self) -> int:
        """The stream has ended: where the worthwhile text ends."""
        if self.end is None:
            self.end = self._reader.take("".join(self._line), self._at, last=True)
        if self.end is None:
            self.end = self._reader.good
        return self.end


class _Reader:
    """Takes lines, and says after which of them, or where in one, the text is complete."""

    def __init__(self, place: Surroundings, shape: Extent) -> None:
        self.start = 0
        self.good = 0  # where the worthwhile text ends, as far as it was read
        self.extra = 0
        self.inside = place.inside
        self.met_rest = False  # the text ends before what its line still holds
        self._site = place
        self._tongue = place.language
        self._kind = shape.kind
        self._known = known(place)
        self._following = place.following
        self._spanned = shape.kind == "span"  # ends with the string or comment that the cursor is in
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
        behind = sum(map(place.rest.count, CLOSERS)) if place.closes else 0
        self._may_close = behind + max(place.owed, place.owed_behind if behind else 0)
        self._echo = 0  # lines in a row that are those that follow
        self._echo_weight = 0.0
        self._echo_from = 0
        self._lines: list[tuple[int, str]] = []  # indentation and text
        self._starts: list[int] = []
        self._above = _above(place)
        self._doubtful: list[tuple[str, int]] = []  # lines that may stand above, and where they start
        self._seen: set[tuple[int, str]] = set()
        self._runs = [0] * (LONGEST_RUN + 1)
        self._running = False
        self._next = self._following[0].strip() if self._following else ""
        # Where lines do not end the text by themselves, most tell nothing.
        self._marked = place.language.marked
        self._plain = not (self._spanned or self._kind in {"line", "head"} or place.language.prose)
        self._fence = place.fence
        self._fenced_in = place.fence != ""  # whether the fenced code is still that of the cursor

    def beginning(self, line: str, at: int) -> int | None:
        """Where the text ends, if the beginning of a line tells."""
        if self._first or self.inside or self._open or self._echo or self._doubtful:
            return None
        text = line.strip()
        if not text or text[0] in CLOSERS or text[0] in "<`" or len(word(text)) == len(text):
            return None
        if self._echo < len(self._following) and self._following[self._echo].startswith(line):
            return None
        return self.good if at and self._past(width(line), text) else None

    def take(self, line: str, at: int, *, last: bool = False) -> int | None:
        """Where the text ends, if this line tells; lines that stand above the cursor are held until they are all there."""
        if self._first and at == self.start and self._stands_near(line):
            self.start = self.good = at + len(line) + 1
            self._shed = True
            return self.good if last else None
        if self._above and (line.strip() or self._doubtful):
            text = line.strip()
            if text:
                self._above = [rest[1:] for rest in self._above if rest[0] == text]
            if [] in self._above:
                # What follows on a line with text begins with the line break.
                self._shed = self._site.blank
                self.start = self.good = at + len(line) + self._shed
                self._above, self._doubtful = [], []
                return self.good if last else None
            if self._above and not last:
                self._doubtful.append((line, at))
                return None
            self._above = []
        if self._doubtful:
            doubtful, self._doubtful = self._doubtful, []
            for held, start in doubtful:
                if (end := self.line(held, start)) is not None:
                    return end
        return self.line(line, at, last=last)

    def _stands_near(self, line: str) -> bool:
        """Whether a line, which imports or declares something, stands beside the cursor as it is."""
        place, text = self._site, line.strip()
        if not place.blank or len(text) < LEAST:
            return False
        whole = (place.before + line if not self._shed else line).rstrip()
        indent = width(whole)
        if _IMPORTS.match(text) and not indent:
            near: list[str] = [*place.above, *place.below]
        elif _IMPORTS.match(place.head(indent)) or _DECLARES.match(text):
            near = []
            for other in reversed(place.above):
                if other.strip() and width(other) < indent:
                    break
                near.append(other)
        else:
            return False
        return any(whole == other.rstrip() for other in near)

    def line(self, line: str, at: int, *, last: bool = False) -> int | None:
        """Where the text ends, if this line tells; `last`: the stream ended in it."""
        if self._plain and not (self._first or last) and self._tells_nothing(line, at):
            return None
        if self._first:
            line, at = self._begun(line, at)
        text = line.strip()
        if not text:
            return self._blank(line, at, last=last)
        if (
            text.startswith(_FENCES if self._tongue.fences else "```")
            and not self.inside
            and (end := self._fenced(text, line, at)) is not None
        ):
            return end if end >= 0 else None
        if (cut := self._foreign(line, last=last)) is not None:
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
        if not (own and self._statement):
            whole = self._site.before + line if own else line
            if (end := self._echoes(whole, before, last=last)) is not None:
                return end
        if (end := self._loops(indent, text, at)) is not None:
            return end
        if not first and not self._open:
            if indent < self._base and self._is_next(line):
                return before
            if not self.inside and self._past(indent, text):
                return self._unechoed(before)
        self._gap = 0
        if own and self._site.rest.strip() and (cut := self._meets_rest(line, last=last)) is not None:
            self.good = at + cut
            self.met_rest = True
            return self.good
        was_open = bool(self._open)
        if (ended := self._ends_span(line)) is not None:
            if not own or self._tongue.spans[self._site.inside].closing not in self._site.rest:
                return before
            # The mark stands behind the cursor on its line: what comes after it may replace that.
            self.good = at + (len(line.rstrip()) if self._site.closes else ended)
            return self.good
        end = self._brackets(line, at, indent, own=own, last=last)
        if end is not None:
            return self._unechoed(end)
        self.good = at + len(line.rstrip())
        if self._kind == "line" or (self._spanned and not self.inside):
            return self.good
        if indent < self._base and (text.startswith("</") or word(text) in self._tongue.ends):
            return self.good
        if own and (self._kind in {"comment", "head"} or (self._span_closed and self._statement)):
            return self.good
        if not self._open and not self.inside:
            self._complete = gap > 0 or not _GOES_ON.search(text)
            self._nested = self._nested or was_open or indent > self._base
        return None

    def ends_in_mark(self, line: str) -> bool:
        """Whether a line that has begun ends in a model's own mark, behind text."""
        mark = foreign.first(line, tags=self._tongue.tags)
        before = line[: mark.start()].strip() if mark else ""
        return bool(before) and not before.startswith(_FENCES) and not self._site.speaks_of_marks

    def _foreign(self, line: str, *, last: bool) -> int | None:
        """Where in a line a model's own mark stands, or begins at the end of the stream."""
        mark = foreign.first(line, tags=self._tongue.tags)
        cut = mark.start() if mark else foreign.begun(line) if last else None
        return None if cut is None or self._site.speaks_of_marks else cut

    def _tells_nothing(self, line: str, at: int) -> bool:
        """Whether a line stands in the middle of a block and brings nothing that any rule asks for; if so, it is taken."""
        text = line.strip()
        if not text or self.inside or self._gap or self._echo or text == self._next:
            return False
        indent = width(line)
        same = indent, text
        if same in self._seen:
            return False
        if not (self._open or (indent >= self._base and not self._statement)) or self._marked.search(line):
            return False
        for opening, closing in CLOSER_OF.items():
            if opening not in text:
                if closing in text:
                    return False
            elif text.count(opening) != text.count(closing) or text.find(closing) < text.find(opening):
                return False
        self._seen.add(same)
        self._lines.append(same)
        self._starts.append(at)
        if self._running:
            self._runs = [0] * (LONGEST_RUN + 1)
            self._running = False
        self.good = at + len(line.rstrip())
        self._nested = self._nested or indent > self._base
        return True

    def _begun(self, line: str, at: int) -> tuple[str, int]:
        """The first line, and where it starts, without what stands before the cursor already."""
        skip = 0
        tags = self._tongue.tags
        while (mark := foreign.first(line, tags=tags, start=skip)) and mark.start() == skip:
            if self._site.speaks_of_marks:
                break
            skip = mark.end()
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
            return self._echo_from if self._echo and self._echo_weight >= 1 else self.good
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
            self._fence = "" if self._fence else text[:3]
            return None
        if self._fence or not (self._first or (len(self._lines) < 3 and _PROSE.search(self._lines[-1][1]))):
            return self.good
        if len(text) > 3 + len(word(text[3:])) and not self._first:
            return self.good
        self._fence = "```"
        self.start = self.good = at + len(line) + 1
        self._first, self._gap = True, 0
        self._lines, self._starts = [], []
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
            if indent == base and not self._gap and self._in_last_member():
                return False
            if closing:
                return False
            goes_on = leads in tongue.ends or leads in tongue.carries or text[0] in "{."
            return indent < base or not goes_on or self._gap > 0 or self._follows(text)
        if indent < base:
            if closing:
                return False
            if leads in tongue.ends:
                return self._follows(text)
            return not (leads in tongue.carries and not self._gap and not self._follows(text))
        if not self._gap or indent > base or closing:
            return False
        return tongue.keys or (self._nested and self._among_members())

    def _follows(self, text: str) -> bool:
        return bool(self._following) and word(self._following[0]) == word(text)

    def _in_last_member(self) -> bool:
        """Whether the cursor is in the last member of a struct or the like: others may follow, up to its end."""
        site, following = self._site, self._following
        closed = bool(following) and following[0].strip()[0] in CLOSERS and width(following[0]) < self._base
        return closed and _DATA.search(site.head(self._base)) is not None

    def _among_members(self) -> bool:
        if self._base > self._site.indent and not self._site.blank:
            return self._tongue.container.search(self._site.before) is not None
        return self._base == 0 or self._tongue.container.search(self._site.head(self._base)) is not None

    def _meets_rest(self, line: str, *, last: bool) -> int | None:
        """Where the text on the cursor's line ends, if it says what the line still holds."""
        place = self._site
        rest = place.rest.strip()
        if place.blank and rest[0] in CLOSERS and not _OPENS.search(rest):
            return None  # lines are inserted before the one that closes
        bare = line.rstrip()
        cut: int | None = None
        if bare.endswith(rest):
            cut = len(bare) - len(rest)
        elif last and len(rest) > 3:
            cut = next((len(bare) - n for n in range(len(rest) - 1, 2, -1) if bare.endswith(rest[:n])), None)
        untagged = (
            cut is None
            or not rest.startswith("</")
            or len(_TAG.findall(line[:cut])) <= line[:cut].count("</")
        )
        if cut is not None and untagged:
            # Within a word, what the line still holds begins nowhere else.
            within = len(rest) > 3 and bool(_NAME.match(rest)) and bool(_NAME.match(line[cut - 1 : cut]))
            plain = self._tongue.tags or within or not _CLOSES.search(rest)
            if plain or suits(place, line[:cut]) or not suits(place, line):
                return self._spaced(line, cut)
            cut = None
        if self._kind == "line" and len(rest) > 3 and _NAME.search(rest):
            at = line.find(rest)
            if at >= 0 and suits(place, line[:at]):
                return self._spaced(line, at)
        return None

    def _spaced(self, line: str, cut: int) -> int:
        """The cut, before white space that the rest of the line begins with too."""
        return len(line[:cut].rstrip()) if self._site.rest[:1].isspace() else cut

    def _brackets(self, line: str, at: int, indent: int, *, own: bool, last: bool) -> int | None:
        """Follow the brackets of a line; where the text ends, if it closes what is closed already."""
        found, inside = self._tongue.marks(line, self.inside)
        closed = False
        lent: list[str] = []
        for sign, offset in found:
            if sign in CLOSER_OF:
                if sign in lent:
                    lent.remove(sign)
                else:
                    self._open.append(sign)
                continue
            if sign not in CLOSERS:
                continue
            leading = not line[:offset].strip(CLOSERS + " \t")
            if self._open:
                if leading and indent < self._base and self._is_next(line):
                    return self.good
                self._open.pop()
                continue
            if leading and CLOSER_OF.get(found[-1].sign) == sign:
                # `} else {`: what closes the first block closes the second instead.
                lent.append(found[-1].sign)
                continue
            if self._repeats_rest(line[offset:], last=last):
                return at + offset
            if self._used >= self._may_close:
                return at + len(line[:offset].rstrip()) if line[:offset].strip() else self.good
            if leading and indent == self._base and not own and self._is_next(line):
                return self.good
            self._used += 1
            closed = True
        span = self._tongue.spans.get(inside)
        self.inside = inside if span and span.long else ""
        if closed and not self._open and not (own and self._statement):
            self.good = at + len(line.rstrip())
            return self.good
        return None

    def _ends_span(self, line: str) -> int | None:
        """Where a line closes the string or comment of the cursor, which what follows closes."""
        if not self._span_closed:
            return None
        span = self._tongue.spans[self._site.inside]
        end = span.to_end.match(line)
        return end.end() - len(span.closing) if end else None

    def _is_next(self, line: str) -> bool:
        return bool(self._following) and self._following[0].rstrip() == line.rstrip()

    def _repeats_rest(self, text: str, *, last: bool) -> bool:
        rest, text = self._site.rest.strip(), text.strip()
        return bool(rest) and self._site.closes and (text == rest or (last and rest.startswith(text)))

    def _echoes(self, line: str, before: int, *, last: bool) -> int | None:
        """Where the text ends, if this line and those just before it are the lines that follow."""
        following = self._following
        for _ in range(2):
            expected = following[self._echo] if self._echo < len(following) else None
            if expected is not None and (same := self._same(line, expected, last=last)):
                if not self._echo:
                    self._echo_from = before
                self._echo_weight += self._weight(line, same)
                self._echo += 1
                if self._echo_weight >= WEIGHT or (last and self._echo_weight >= 1):
                    return self._echo_from
                return None
            self._echo, self._echo_weight = 0, 0.0
        return None

    def _weight(self, line: str, same: str) -> float:
        """How much a line tells that is one of those that follow; WEIGHT if it alone tells all."""
        if same == "part":
            return 1
        letters = len(_SIGN.sub("", line))
        # The same key stands in one place.  Behind a jump nothing of its block is reached; a first line that stands below is no new one.
        first = not self._echo and not self._lines and letters >= FIRST_ECHO
        if (
            same == "all"
            and not self._open
            and not self.inside
            and (first or word(line) in _JUMPS or self._is_key(line))
        ):
            return WEIGHT
        # In their order, lines tell as much where they are common.
        return max(weigh(line, self._known), letters / 3 if self._echo else 0)

    def _is_key(self, line: str) -> bool:
        return self._tongue.keys and _KEY.match(line) is not None

    def _unechoed(self, end: int) -> int:
        """The end, or where the lines that follow began, if the text came to it through them."""
        return min(end, self._echo_from) if self._echo and self._echo_weight > 0 else end

    def _same(self, line: str, expected: str, *, last: bool) -> str:
        line, expected = line.rstrip(), expected.rstrip()
        if line == expected:
            return "all"
        if line.strip() == expected.strip() and weigh(line, self._known) >= WEIGHT:
            return "text"
        if last and expected.startswith(line) and (self._echo or len(_SIGN.sub("", line)) >= 8):
            return "part"
        return ""

    def _loops(self, indent: int, text: str, at: int) -> int | None:
        """Where the text ends, if its last lines are a run that stands there before."""
        lines, line = self._lines, (indent, text)
        lines.append(line)
        self._starts.append(at)
        self._seen.add(line)
        for period in range(1, LONGEST_RUN + 1):
            if len(lines) <= period or lines[-1 - period] != line:
                self._runs[period] = 0
                continue
            self._runs[period] += 1
            self._running = True
            signs = "".join(_SIGN.sub("", each) for _, each in lines[-period:])
            times = 2 if self._tongue.keys else LOOP if len(signs) >= 4 else LOOP + 1
            if self._runs[period] >= (times - 1) * period and not (signs.isdigit() or not signs):
                return self._starts[-(times - 1) * period] - 1
        return None


def _above(place: Surroundings) -> list[list[str]]:
    """The lines just above the cursor that an answer may begin with once more: two of them, three, and so on."""
    if place.rest.strip():
        return []
    own = () if place.blank else (place.before,)
    lines = [line.strip() for line in (*place.above, *own) if line.strip()][-MOST_REPEATED:]
    return [lines[-n:] for n in range(2, len(lines) + 1) if sum(map(len, lines[-n:])) >= WEIGHT]


_DECLARES = re.compile(r"(?:export\s+)?(?:const|class|def|function|interface|type|enum|struct)\s")
_DATA = re.compile(r"\b(?:struct|interface|enum|record|message|union)\b")
_IMPORTS = re.compile(
    r"(?:(?:import|use|using|require|require_relative|@import)[\s(]|from\s+\S+\s+import\b|#\s*(?:include|import)\b)"
)
_KEY = re.compile(r"\s*[\w.-]+\s*[:=]")
_FENCES = ("```", "~~~")
_JUMPS = frozenset(("break", "continue", "return", "raise", "throw", "goto", "next", "redo", "exit"))
_SIGN = re.compile(r"\W+")
_CLOSES = re.compile(r"""[)\]}"'`]""")
_OPENS = re.compile(r"[\w({\[]")
_TAG = re.compile(r"<\w")
_NAME = re.compile(r"\w")
_GOES_ON = re.compile(r"(?:[\\=+\-*%&|^<?:.({\[]|=>|->|\b(?:and|or|not|in|is|return|then|do|of))$")
_PROSE = re.compile(r"\w+ \w+.*:$")
