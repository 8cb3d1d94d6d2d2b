"""When a stream has said enough: at the end of its line, statement or block, or where it says what already follows."""

from __future__ import annotations

from fim_lsp.text.characters import Holds, Strangers
from fim_lsp.text.document import paired
from fim_lsp.text.extent import Extent
from fim_lsp.text.line_reader import LineReader
from fim_lsp.text.marks import ends_in_mark
from fim_lsp.text.surroundings import surroundings

LOOKED_AT = 80  # characters of a line's beginning that are looked at before the line is complete


class Ending:
    r"""Reads a stream piece by piece and knows where its worthwhile text ends.

    A line is looked at when it is complete, and its beginning as it arrives: what a piece costs does not depend on what
    came before.  `start` and `end` are offsets in `text` with every line end as `\n`; `end` is None until it is known.
    `holds` says whether the document holds a character, which else ends the text (see `Strangers`).
    """

    def __init__(
        self, prefix: str, suffix: str, language: str, extent: Extent, holds: Holds | None = None
    ) -> None:
        known = extent.surroundings
        told_from = prefix, suffix, language
        self.surroundings = (
            known if known and known.told_from == told_from else surroundings(prefix, suffix, language)
        )
        self.end: int | None = None
        self._reader = LineReader(self.surroundings, extent)
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
            if (">" in last or "]" in last) and ends_in_mark(self.surroundings, "".join(self._line)):
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
