"""Notebooks: the order of their cells, and the text that a cell knows of those above it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from fim_lsp.text.document import Document, body
from fim_lsp.text.language import comment_mark, language


class Cell(NamedTuple):
    """A cell by the URI of its document; `markup` where it is text to read rather than code."""

    uri: str
    markup: bool


class Notebooks:
    """The open notebooks, by URI."""

    def __init__(self) -> None:
        self._cells: dict[str, list[Cell]] = {}
        self._notebooks: dict[str, str] = {}  # by the cells' URIs

    def open(self, notebook: str, cells: Iterable[Cell]) -> None:
        """Learn of a notebook and its cells, in order."""
        self.close(notebook)
        self._cells[notebook] = []
        self.splice(notebook, 0, 0, cells)

    def splice(self, notebook: str, start: int, gone: int, cells: Iterable[Cell]) -> None:
        """So many cells from `start` on are gone, and others stand there."""
        held, new = self._cells.setdefault(notebook, []), list(cells)
        for cell in held[start : start + gone]:
            self._notebooks.pop(cell.uri, None)
        held[start : start + gone] = new
        self._notebooks.update((cell.uri, notebook) for cell in held)

    def close(self, notebook: str) -> None:
        """Forget a notebook."""
        for cell in self._cells.pop(notebook, ()):
            self._notebooks.pop(cell.uri, None)

    def held(self, notebook: str) -> Sequence[Cell]:
        """The cells of a notebook, in order."""
        return self._cells.get(notebook, ())

    def cells(self, uri: str) -> Sequence[Cell]:
        """The cells of the notebook that this cell is of, in order; none for what is no cell."""
        return self._cells.get(self._notebooks.get(uri, ""), ())

    def above(self, uri: str) -> Iterator[Cell]:
        """The cells above a cell, in order."""
        for cell in self.cells(uri):
            if cell.uri == uri:
                return
            yield cell


def shown(cells: Iterable[Cell], document: Callable[[str], Document | None], spoken: str) -> list[str]:
    """The lines of cells as they stand above one in this language: code as it is, what is none as comments.

    `document` gives a cell's document, None for one that is not to be shown.
    """
    mark, prose = comment_mark(spoken), language(spoken).prose
    lines: list[str] = []
    for cell in cells:
        found = document(cell.uri)
        if found is None or not any(map(str.strip, found.lines)):
            continue
        text = [*found.lines[:-1], f"{found.lines[-1]}\n" if found.lines[-1] else ""]
        text = [line for line in text if line]
        if not cell.markup and prose:
            text = [f"```{found.language}\n", *text, "```\n"]
        elif cell.markup != prose or (not prose and found.language.lower() != spoken.lower()):
            if not mark:
                continue
            text = [f"{mark} {line}" if body(line) else f"{mark}{line}" for line in text]
        lines += [*text, "\n"]
    return lines
