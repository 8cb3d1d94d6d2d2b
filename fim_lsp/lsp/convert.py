"""LSP's types to ours and back, for one client: its encoding of positions, its language, and how its menu inserts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from fim_lsp.completion.selected import Selected
from fim_lsp.completion.snooze import USUAL, Scope
from fim_lsp.lsp import menu
from fim_lsp.text.document import Document, Edit, Encoding, Place, body, split_lines, to_units
from fim_lsp.words.language import Language
from fim_lsp.words.sentence import Sentence

if TYPE_CHECKING:
    from fim_lsp.completion.answer_cache import Offer


class Conversion:
    """What a client and its server mean by a position, and the forms in which texts are offered to it."""

    def __init__(
        self,
        encoding: Encoding = "utf-16",
        client: menu.Client | None = None,
        language: Language | None = None,
    ) -> None:
        self.encoding = encoding
        self.client = client or menu.Client("", snippets=False)
        self.language = language or Language()

    def place(self, document: Document, position: types.Position) -> Place:
        """A position in a document."""
        return document.place(position.line, position.character, self.encoding)

    def edit(self, document: Document, change: types.TextDocumentContentChangeEvent) -> tuple[Edit, bool]:
        """A change, carried out; and whether it is one of a part."""
        if isinstance(change, types.TextDocumentContentChangePartial):
            start, end = (self.place(document, at) for at in (change.range.start, change.range.end))
            return document.change(start, end, change.text), True
        return document.replace(change.text), False

    def selection(
        self, document: Document, place: Place, info: types.SelectedCompletionInfo | None
    ) -> tuple[Selected | None, types.Range]:
        """The menu's selected entry, and the range that an item replaces: an empty one at the cursor without it."""
        line = document.lines[place.line]
        if info is None:
            return None, self._span(line, place.line, place.column, place.column)
        start = self.place(document, info.range.start)
        if start.line != place.line or start > place:
            return None, self._span(line, place.line, place.column, place.column)
        return Selected(start.column, info.text), info.range

    def ghost_texts(
        self, line: str, place: Place, offers: Iterable[Offer], selected: Selected | None, span: types.Range
    ) -> list[types.InlineCompletionItem]:
        """Texts for a place of a line, as ghost text that replaces a range."""
        before = selected.text if selected else ""
        return [
            types.InlineCompletionItem(
                insert_text=menu.lines(before + offer.text, self.client),
                range=self._covering(line, place, span, offer.covers),
            )
            for offer in offers
        ]

    def menu_item(self, line: str, place: Place, offer: Offer, typed: str = "") -> types.CompletionItem:
        """One entry at a place of a line for an editor's menu, shaped so that this editor inserts the whole text.

        `typed` has come behind the place since it was asked about, where the editor puts the entry in the place of it.
        """
        start = place.column
        while start and (line[start - 1].isalnum() or line[start - 1] == "_"):
            start -= 1
        word = line[start : place.column]
        whole = word + typed + offer.text
        first, *more = split_lines(whole)
        form, inserted = menu.form(whole, line, self.client)
        size = Sentence("fim-lsp, {lines} lines", lines=1 + len(more)) if more else "fim-lsp"
        return types.CompletionItem(
            label=body(first).strip() or "…",
            label_details=types.CompletionItemLabelDetails(description=self.language.say(size)),
            kind=types.CompletionItemKind.Text,
            sort_text="\x00",
            filter_text=word + typed or body(first).strip(),
            preselect=True,
            insert_text_format=types.InsertTextFormat.Snippet
            if form == "snippet"
            else types.InsertTextFormat.PlainText,
            insert_text_mode=types.InsertTextMode.AsIs,
            text_edit=types.TextEdit(
                self._span(line, place.line, start, place.column + offer.covers), inserted
            ),
            documentation=whole,
        )

    def _covering(self, line: str, place: Place, span: types.Range, covers: int) -> types.Range:
        """A range that goes on over so many characters right of the cursor."""
        if not covers:
            return span
        end = to_units(line, place.column + covers, self.encoding)
        return types.Range(span.start, types.Position(place.line, end))

    def _span(self, line: str, number: int, start: int, end: int) -> types.Range:
        units = [to_units(line, column, self.encoding) for column in (start, end)]
        return types.Range(*(types.Position(number, unit) for unit in units))


def conversion(params: types.InitializeParams) -> Conversion:
    """What the client has told of itself."""
    general = params.capabilities.general
    offered = (general and general.position_encodings) or []
    return Conversion(_encoding(offered), _client(params), Language(params.locale))


def place_asked(given: Any) -> tuple[str, types.Position] | None:
    """The document and position that a command's `{uri, position}` names."""
    first = fields(given)
    uri, position = first.get("uri"), fields(first.get("position"))
    line, character = position.get("line"), position.get("character")
    if not isinstance(uri, str) or not isinstance(line, int) or not isinstance(character, int):
        return None
    return uri, types.Position(line, character)


def nap_asked(given: Sequence[Any]) -> tuple[float, Scope, str]:
    """The minutes, and of what a command wants silence: `{minutes, scope, uri, language}`, or the minutes alone.

    The scope is what is named where it is not said: a language, a file by its `uri`, else everything.
    """
    first = given[0] if given else None
    asked = fields(first)
    minutes = first if isinstance(first, int | float) else asked.get("minutes", USUAL)
    good = isinstance(minutes, int | float) and not isinstance(minutes, bool) and math.isfinite(minutes)
    named: dict[Any, Any] = {"language": asked.get("language"), "file": asked.get("uri")}
    usual = next((scope for scope, name in named.items() if isinstance(name, str)), "everything")
    scope = asked.get("scope", usual)
    name = named.get(scope)
    if scope not in {"language", "file"} or not isinstance(name, str):
        scope, name = "everything", ""
    return float(minutes) if good else USUAL, scope, name


def fields(given: Any) -> Mapping[str, Any]:
    """An untyped object of a client by its names: pygls hands it over as a named tuple."""
    if isinstance(given, Mapping):
        return given
    return getattr(given, "_asdict", dict)()


def _client(params: types.InitializeParams) -> menu.Client:
    completion = params.capabilities.text_document and params.capabilities.text_document.completion
    item = completion and completion.completion_item
    name = params.client_info.name if params.client_info else ""
    return menu.Client(name, snippets=bool(item and item.snippet_support))


def _encoding(offered: Sequence[Any]) -> Encoding:
    # pygls answers `initialize` with the client's first known one; the two must agree.
    for name in offered:
        value = getattr(name, "value", name)
        if value in {"utf-8", "utf-16", "utf-32"}:
            return value  # type: ignore[no-any-return]
    return "utf-16"
