"""What stands beside a document's own text in its prompts: the cells above a notebook's cell, git's account of a commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from fim_lsp.completion import commit_message, notebooks
from fim_lsp.context.window import Prompt
from fim_lsp.privacy.secrets import Redactor
from fim_lsp.text.document import Document, Edit, Place

if TYPE_CHECKING:
    from fim_lsp.completion.never_sent import NeverSent
    from fim_lsp.completion.open_document import OpenDocument
    from fim_lsp.settings.settings import Settings


class Beside(NamedTuple):
    """Lines, and a name for the document with them: its URI, and more that is another where the lines are."""

    lines: Sequence[str]
    name: str

    def with_(self, lines: Sequence[str], place: Place) -> tuple[Sequence[str], Place]:
        """A document's lines below these, and a place in them."""
        if not self.lines:
            return lines, place
        return [*self.lines, *lines], Place(place.line + len(self.lines), place.column)

    def shifted(self, edit: Edit) -> Edit:
        """A change of a document that stands below these lines."""
        lines = len(self.lines)
        if not lines:
            return edit
        start, end = (Place(at.line + lines, at.column) for at in (edit.start, edit.end))
        return edit._replace(start=start, end=end, first=edit.first + lines)


class Besides:
    """Looks up what stands beside each of the open documents, by URI; what was found is kept with the document."""

    def __init__(
        self,
        documents: Mapping[str, OpenDocument],
        books: notebooks.Notebooks,
        never_sent: NeverSent,
        settings: Callable[[], Settings],
    ) -> None:
        self._documents = documents
        self._books = books
        self._never_sent = never_sent
        self._settings = settings

    def of(self, opened: OpenDocument) -> Beside:
        """What stands beside a document's text; nothing beside most."""
        uri = opened.document.uri
        if opened.beside is not None:
            return opened.beside
        if opened.message:
            room = min(self._settings().prefix_chars // commit_message.SHARE, commit_message.LONGEST)
            secret = self._never_sent.path_in(uri)
            opened.beside = _named(uri, commit_message.changes(opened.document.lines, secret, room))
        elif opened.notebook:
            cells = notebooks.shown(self._books.above(uri), self._cell, opened.document.language)
            opened.beside = _named(uri, cells)
        return opened.beside or Beside((), uri)

    def _cell(self, uri: str) -> Document | None:
        """The document of a cell, where something is offered in its language."""
        opened = self._documents.get(uri)
        if opened is None or opened.secret or not self._settings().of(opened.document.language).enabled:
            return None
        return opened.document


def message(
    redactor: Redactor, beside: Beside, buffer: commit_message.Buffer, lines: Sequence[str], place: Place
) -> tuple[Prompt, str]:
    """What is asked at a place of a commit message, and what stands behind it; `lines` are those above the scissors.

    The changes come first, since they stay while it is written.
    """
    before, after = buffer.message(redactor.lines(lines, 0, len(lines)), place)
    told = "".join(redactor.lines(beside.lines, 0, len(beside.lines)))
    if told:
        told += f"\n{buffer.mark} The message of this commit:\n"
    return Prompt(told + redactor.typed(before), after), after


def _named(uri: str, lines: list[str]) -> Beside:
    if not lines:
        return Beside((), uri)
    sign = blake2b("".join(lines).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return Beside(lines, f"{uri}\n{sign}")
