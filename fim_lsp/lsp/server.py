"""LSP in, LSP out: each handler translates in, makes one call, and translates out."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from lsprotocol import types

from fim_lsp.lsp import menu
from fim_lsp.lsp.configuration import section
from fim_lsp.lsp.convert import fields, nap_asked, place_asked
from fim_lsp.lsp.fault import place_of
from fim_lsp.lsp.held import held, patient
from fim_lsp.lsp.jsonrpc import OPTIONS
from fim_lsp.lsp.session import Server
from fim_lsp.text.document import Document, Place
from fim_lsp.words.sentence import Sentence

if TYPE_CHECKING:
    from fim_lsp.completion.answer_cache import Offer
    from fim_lsp.completion.engine import Engine
    from fim_lsp.completion.notebooks import Cell
    from fim_lsp.completion.service import Service
    from fim_lsp.settings.settings import Settings

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
YEAR = 366  # most days that a report for an editor covers
BY_HAND = 8  # changes in one message; a formatter makes more


_ANY_FILE = types.FileOperationRegistrationOptions(
    [
        types.FileOperationFilter(
            types.FileOperationPattern("**/*", types.FileOperationPatternKind.File), scheme="file"
        )
    ]
)


def create(
    connect: Callable[[Settings], Service],
    config: Path,
    record: Path | None,
    environ: Mapping[str, str],
    *,
    demo: bool = False,
) -> Server:
    """A server with all its handlers; `demo` says whether what it connects to is the embedded demo."""
    server = Server(connect, config, record, environ, demo=demo)
    _handle_life(server)
    _handle_files(server)
    _handle_documents(server)
    _handle_completion(server)
    _handle_commands(server)
    return server


def _handle_life(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def _initialize(params: types.InitializeParams) -> None:
        server.begin(params)

    @server.feature(types.INITIALIZED)
    def _initialized(_: types.InitializedParams) -> None:
        server.run(server.settle())

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def _configuration(params: types.DidChangeConfigurationParams) -> None:
        pushed = section(params.settings) if isinstance(params.settings, Mapping) else None
        if pushed:
            server.push_settings(pushed)
        elif (workspace := server.client_capabilities.workspace) and workspace.configuration:
            server.run(server.pull_settings())

    @server.feature(OPTIONS)
    def _options(options: Any) -> None:
        server.set_options(options)


def _handle_files(server: Server) -> None:
    workspace = server.workspace_folders

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def _folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        added = [(folder.uri, folder.name) for folder in params.event.added]
        workspace.change(added, {folder.uri for folder in params.event.removed})
        if server.accounts.ledger is not None:
            server.accounts.ledger.folders(workspace.folders)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def _save(params: types.DidSaveTextDocumentParams) -> None:
        server.look_at_own_rules()
        server.engine.documents.saved(params.text_document.uri)
        workspace.touched([params.text_document.uri])

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def _watched(params: types.DidChangeWatchedFilesParams) -> None:
        workspace.gone(c.uri for c in params.changes if c.type == types.FileChangeType.Deleted)
        workspace.touched(change.uri for change in params.changes)

    @server.feature(types.WORKSPACE_DID_CREATE_FILES, _ANY_FILE)
    def _created(params: types.CreateFilesParams) -> None:
        workspace.touched(file.uri for file in params.files)

    @server.feature(types.WORKSPACE_DID_RENAME_FILES, _ANY_FILE)
    def _renamed(params: types.RenameFilesParams) -> None:
        for file in params.files:
            server.engine.documents.renamed(file.old_uri, file.new_uri)
        workspace.touched(uri for file in params.files for uri in (file.old_uri, file.new_uri))

    @server.feature(types.WORKSPACE_DID_DELETE_FILES, _ANY_FILE)
    def _deleted(params: types.DeleteFilesParams) -> None:
        workspace.gone(file.uri for file in params.files)
        workspace.touched(file.uri for file in params.files)


def _handle_documents(server: Server) -> None:
    workspace = server.workspace_folders

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def _open(params: types.DidOpenTextDocumentParams) -> None:
        server.look_at_own_rules()
        _take(server.engine, params.text_document)
        workspace.learn_indents([params.text_document.uri])
        workspace.study(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def _change(params: types.DidChangeTextDocumentParams) -> None:
        _edit(server, params.text_document, params.content_changes)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def _close(params: types.DidCloseTextDocumentParams) -> None:
        workspace.closed(params.text_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def _open_notebook(params: types.DidOpenNotebookDocumentParams) -> None:
        notebook = params.notebook_document
        server.engine.documents.notebooks.open(notebook.uri, _cells(notebook.cells))
        for cell in params.cell_text_documents:
            _take(server.engine, cell, notebook.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def _change_notebook(params: types.DidChangeNotebookDocumentParams) -> None:
        cells, notebook = params.change.cells, params.notebook_document.uri
        if cells and cells.structure:
            moved = cells.structure.array
            server.engine.documents.arrange(notebook, moved.start, moved.delete_count, _cells(moved.cells))
            for cell in cells.structure.did_open or []:
                _take(server.engine, cell, notebook)
            for closed in cells.structure.did_close or []:
                workspace.closed(closed.uri)
        for changed in (cells and cells.text_content) or []:
            _edit(server, changed.document, changed.changes)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def _close_notebook(params: types.DidCloseNotebookDocumentParams) -> None:
        for cell in params.cell_text_documents:
            workspace.closed(cell.uri)
        server.engine.documents.notebooks.close(params.notebook_document.uri)


def _handle_completion(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    @_never_fails(default=[])
    async def _inline(params: types.InlineCompletionParams) -> list[types.InlineCompletionItem] | None:
        found = _find(server, params.text_document.uri, params.position)
        if found is None:
            return []
        document, place = found
        explicit = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
        convert = server.conversion
        selected, span = convert.selection(document, place, params.context.selected_completion_info)
        line = document.lines[place.line]  # as it was asked about: it may be gone before the answer
        offers = await server.engine.complete(document.uri, place, explicit=explicit, selected=selected)
        return None if offers is None else convert.ghost_texts(line, place, offers, selected, span)

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions())
    @_never_fails(default=types.CompletionList(is_incomplete=True, items=[]))
    async def _complete(params: types.CompletionParams) -> types.CompletionList:
        found = _find(server, params.text_document.uri, params.position)
        if found is None:
            return types.CompletionList(is_incomplete=True, items=[])
        document, place = found
        convert = server.conversion
        line = document.lines[place.line]  # as it was asked about: it may be gone before the answer
        typed = ""
        offers: Sequence[Offer]
        if menu.takes_late_entries(convert.client):
            typed, offers = await held(server.engine.complete, document, place)
        elif menu.ends_its_wait_with_a_key(convert.client):
            offers = await patient(server.engine.complete(document.uri, place))
        else:
            offers = server.engine.glance(document.uri, place)
        items = [convert.menu_item(line, place, offer, typed) for offer in offers[:1]]
        return types.CompletionList(is_incomplete=True, items=items)


def _handle_commands(server: Server) -> None:
    @server.command("fimLsp.status")
    def _status(*arguments: Any) -> dict[str, Any]:
        # A client may name a document: then it hears as well why nothing is offered there.
        uri = fields(arguments[0] if arguments else None).get("uri")
        asked = {"withheld": server.engine.documents.withheld(uri)} if isinstance(uri, str) else {}
        return server.status() | asked

    @server.command("fimLsp.toggle")
    def _toggle(*arguments: Any) -> dict[str, Any]:
        # A client that knows what it wants says whether to pause.
        told = arguments[0] if arguments else None
        server.engine.pause(told if isinstance(told, bool) else not server.engine.documents.paused)
        return server.status()

    @server.command("fimLsp.snooze")
    def _snooze(*arguments: Any) -> dict[str, Any]:
        server.snooze(*nap_asked(arguments))
        return server.status()

    @server.command("fimLsp.clearCache")
    def _clear() -> None:
        server.engine.clear()

    @server.command("fimLsp.resume")
    def _resume() -> dict[str, Any]:
        if server.accounts.ledger is not None:
            server.accounts.ledger.resume()
            server.send_status()
        return server.status()

    @server.command("fimLsp.usage")
    async def _usage(*arguments: Any) -> dict[str, Any]:
        if server.accounts.ledger is None:
            return {}
        asked = fields(arguments[0] if arguments else None)
        days = asked.get("days")
        few = days if isinstance(days, int) and 1 <= days <= YEAR else 1
        return await server.accounts.ledger.usage("day" if asked.get("by") == "day" else "model", few)

    @server.command("fimLsp.explain")
    async def _explain(*arguments: Any) -> dict[str, Any]:
        await server.accounts.opened()
        asked = place_asked(arguments[0] if arguments else None)
        found = _find(server, *asked) if asked else None
        if found is None:
            return {"problem": server.language.say(Sentence("This document is not open."))}
        explained = server.language.say_in(server.engine.explain(found[0].uri, found[1]))
        return explained | {"url": "", "demo": True} if server.demo and "url" in explained else explained


def _never_fails(default: Any) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """A fault of ours is logged by its kind and place, and answered with nothing: editors show errors per key."""

    def decorate(handler: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(handler)
        async def safe(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return await handler(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - see above
                log.error("%s at %s", type(error).__name__, place_of(error))
                return default  # type: ignore[no-any-return]

        return safe

    return decorate


def _take(engine: Engine, item: types.TextDocumentItem, notebook: str = "") -> None:
    engine.open(Document(item.uri, str(item.language_id), item.version, item.text), notebook)


def _cells(cells: Sequence[types.NotebookCell] | None) -> list[Cell]:
    from fim_lsp.completion.notebooks import Cell  # noqa: PLC0415 - few have notebooks

    return [Cell(one.document, one.kind == types.NotebookCellKind.Markup) for one in cells or []]


def _edit(
    server: Server,
    name: types.VersionedTextDocumentIdentifier,
    changes: Sequence[types.TextDocumentContentChangeEvent],
) -> None:
    document = server.engine.document(name.uri)
    if document is None:
        log.warning("a change of a document that is not open")
        return
    by_hand = len(changes) <= BY_HAND
    for number, change in enumerate(changes):
        edit, part = server.conversion.edit(document, change)
        typed = part and by_hand
        server.engine.edited(name.uri, edit, typed=typed, by_hand=by_hand, first=not number)
    document.version = name.version


def _find(server: Server, uri: str, position: types.Position) -> tuple[Document, Place] | None:
    document = server.engine.document(uri)
    return None if document is None else (document, server.conversion.place(document, position))
