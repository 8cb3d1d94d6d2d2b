"""Lines of a document that prompts show, and which of them no longer stand there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fim_lsp.text.document import Edit

REPLACED = "xxx"  # stands in a line of which a part is not shown
FEW = 16  # lines that are looked for one by one; more of them in the set of all lines first


class Standing:
    """Lines as they were shown; one stands where the text holds it, indented otherwise, or within a longer line, too.

    An edit only casts doubt on the lines that it touched: work is O(lines touched) until somebody asks what is lost.
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._whole: set[str] = set()
        self._within: set[str] = set()  # those that have become parts of longer lines
        self._doubted: set[str] = set()
        self.show(lines)

    def show(self, lines: Iterable[str], *, sure: bool = True) -> None:
        """Take in lines that are shown; unless one is `sure`, they may be older than the document."""
        # A line of brackets alone tells nothing.
        new = {bare for line in lines if any(map(str.isalnum, bare := line.strip()))}
        self._whole |= new
        if not sure:
            self._doubted |= new

    def follow(self, edit: Edit) -> None:
        """Doubt the lines that an edit has touched."""
        for line in edit.gone:
            bare = line.strip()
            if bare in self._whole:
                self._doubted.add(bare)
            if self._within:
                self._doubted.update(part for part in self._within if part in bare)

    def doubt(self) -> None:
        """Doubt every line: the document may be another one."""
        self._doubted = self._whole | self._within

    def lost(self, lines: Sequence[str], clean: Iterable[str] = ()) -> set[str]:
        """The lines, without their indentation, that these no longer hold; `clean` are the same as they may be shown."""
        if not self._doubted:
            return set()
        doubted, self._doubted = self._doubted, set()
        if len(doubted) > FEW:
            doubted -= {line.strip() for line in lines}
        text = "".join(lines)
        lost = {bare for bare in doubted if bare not in text}
        if any(REPLACED in bare for bare in lost):
            text = "".join(clean)
            lost = {bare for bare in lost if bare not in text}
        self._whole -= lost
        self._within -= lost
        self._within |= doubted - lost
        return lost
