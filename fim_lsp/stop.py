"""When a stream has said enough: the end of its line, of its block, or the beginning of what the file has already."""

from __future__ import annotations

from fim_lsp.shape import CLOSERS, OPENERS, Shape, comment_of, first_line

_PAIRS = dict(zip(CLOSERS, OPENERS, strict=True))
_QUOTES = "\"'`"
_CONTINUE = ("end", "else", "elif", "except", "finally", "catch")  # lines that go on with a block
_REPEATS = 3  # equal lines in a row that make a loop


class Ending:
    """Reads a completion piece by piece; each character is looked at once, whatever came before."""

    def __init__(self, prefix: str, suffix: str, language: str, shape: Shape) -> None:
        self._shape = shape
        self._comment = comment_of(language)
        before = prefix.replace("\r\n", "\n").replace("\r", "\n").rpartition("\n")[2]
        self._rest = first_line(suffix).strip()
        following = suffix.replace("\r\n", "\n").replace("\r", "\n").split("\n")[1:]
        self._next = next((line for line in following if line.strip()), "")
        self._blank = not before.strip()
        self._base = (
            len(before.expandtabs(4)) - len(before.expandtabs(4).lstrip()) if before.strip() else len(before)
        )
        self._opens = before.rstrip().endswith((*OPENERS, ":", "=>", "->"))
        self._quote = _open_quote(before, self._comment)
        self._raw: list[str] = []
        self._line = ""  # the line being read
        self._read = 0  # characters up to the beginning of that line
        self._stack: list[str] = []
        self._lines: list[str] = []  # the last few, stripped
        self._begun = False  # whether a line with something on it has been read
        self._block = self._opens  # whether the statement being read owns an indented block
        self._end: int | None = None

    @property
    def text(self) -> str:
        """What was read so far, up to its end where that is known."""
        raw = "".join(self._raw)
        return raw if self._end is None else raw[: self._end]

    def feed(self, piece: str) -> bool:
        """Read on; True as soon as the text is complete."""
        if self._end is not None:
            return True
        self._raw.append(piece)
        for character in piece:
            if character == "\r":
                self._line += character
            elif character == "\n":
                if self._line_done():
                    return True
            else:
                self._line += character
                if self._bracket(character):
                    return True
        return False

    def finish(self) -> None:
        """The model has stopped by itself: look at its last line as well."""
        if self._end is None and self._line.strip():
            self._starts(self._line)

    def _bracket(self, character: str) -> bool:
        """Follow brackets and quotes; True where one closes that was not opened and the file closes itself."""
        at = self._read + len(self._line) - 1
        if self._quote:
            if character == self._quote and not self._line.endswith("\\" + character):
                self._quote = ""
                if self._rest.startswith(character) and not self._lines and not self._stack:
                    return self._stop(at)
        elif self._line.lstrip().startswith(self._comment):
            return False
        elif character in _QUOTES:
            self._quote = character
        elif character in OPENERS:
            self._stack.append(character)
        elif character in CLOSERS:
            if self._stack and self._stack[-1] == _PAIRS[character]:
                self._stack.pop()
            elif not self._stack:
                return self._closes(character, at)
        return False

    def _closes(self, character: str, at: int) -> bool:
        first = not self._lines and not self._begun
        if first and self._rest.startswith(character):
            return self._stop(at)
        if not self._line[:-1].strip():
            if self._rest.startswith(character) or self._next.strip().startswith(character):
                return self._stop(self._read)
            return False
        return False

    def _line_done(self) -> bool:
        line, start = self._line, self._read
        self._read += len(line) + 1
        self._line = ""
        if self._quote in {"'", '"'}:
            self._quote = ""
        end = start + len(line.rstrip("\r"))
        if not line.strip():
            self._lines.append("")
            return False if not self._begun or self._stack else self._gap(start)
        if self._starts(line, start):
            return True
        self._begun = True
        self._lines.append(line.strip())
        if len(self._lines) >= _REPEATS and len(set(self._lines[-_REPEATS:])) == 1 and len(line.strip()) > 1:
            return self._stop(start - 1 - sum(len(x) + 1 for x in self._lines[-_REPEATS + 1 : -1]))
        if not self._shape.multiline:
            return self._stop(end)
        stripped = line.split(" " + self._comment)[0].rstrip()
        opens = stripped.endswith((*OPENERS, ":", "\\", ",", "=>", "->", "=")) or bool(self._stack)
        if not self._blank and not self._block and not opens:
            return self._stop(end)
        self._block = self._block or opens
        return False

    def _gap(self, start: int) -> bool:
        """A blank line: it ends what stands at the margin, and nothing else."""
        if self._base == 0 and self._blank and not self._opens:
            return self._stop(max(start - 1, 0))
        return False

    def _starts(self, line: str, start: int | None = None) -> bool:
        """Whether a line read whole, or as far as it goes, belongs to what follows rather than to the answer."""
        start = self._read if start is None else start
        if start == 0:
            return False
        if self._repeats_next(line):
            return self._stop(start - 1)
        if not self._begun and not self._opens and not self._block:
            return False
        width = _width(line)
        inside = self._base + (1 if self._opens or (not self._blank and self._block) else 0)
        if self._stack or width >= inside:
            return False
        # The block's own closing line belongs to it, unless the file has it already.
        closing = line.strip()[0] in CLOSERS or line.strip().startswith(_CONTINUE)
        there = self._next.strip().startswith(line.strip()[0])
        if closing and not there and width == self._base and (self._opens or self._block):
            return False
        return self._stop(start - 1)

    def _repeats_next(self, line: str) -> bool:
        bare, following = line.strip(), self._next.strip()
        if not following or bare != following or (len(bare) <= 2 and self._stack):
            return False
        return _width(line) == _width(self._next) or len(bare) > 8

    def _stop(self, end: int) -> bool:
        self._end = max(end, 0)
        return True


def _width(line: str) -> int:
    wide = line.expandtabs(4)
    return len(wide) - len(wide.lstrip())


def _open_quote(line: str, comment: str) -> str:
    """The quote in which a line ends, if any."""
    quote = ""
    for n, character in enumerate(line):
        if quote:
            if character == quote and line[n - 1 : n] != "\\":
                quote = ""
        elif line.startswith(comment, n):
            return ""
        elif character in _QUOTES:
            # An apostrophe inside a word opens nothing.
            if character == "'" and n and line[n - 1].isalnum():
                continue
            quote = character
    return quote
