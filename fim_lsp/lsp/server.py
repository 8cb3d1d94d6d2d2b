"""LSP in, LSP out: each handler translates in, makes one call, and translates out."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import random
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import quote

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from fim_lsp import __version__
from fim_lsp.completion.selected import Selected
from fim_lsp.lsp import disk, menu, process
from fim_lsp.lsp.fault import place_of
from fim_lsp.lsp.framing import begins
from fim_lsp.lsp.jsonrpc import CHUNK, OPTIONS, FileWriter, JsonRpc, LoopWriter, listen, protected, stdio
from fim_lsp.text.characters import visible
from fim_lsp.text.document import Document, Encoding, Place, body, split_lines, to_units

if TYPE_CHECKING:
    from fim_lsp.completion.answer_cache import Offer
    from fim_lsp.completion.backend import Service
    from fim_lsp.completion.engine import Engine
    from fim_lsp.completion.problems import Problem
    from fim_lsp.context.survey import Survey
    from fim_lsp.settings.settings import Settings
    from fim_lsp.usage.early import Early
    from fim_lsp.usage.ledger import Ledger

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
SEED = 60.0  # seconds between looks at what other servers have spent
YEAR = 366  # most days that a report for an editor covers
SELDOM = 6 * 3600.0  # seconds between looks at the account's balance and the usual hit rate
BY_HAND = 8  # changes in one message; a formatter makes more
LONGEST = 1_000  # characters of a message
TERMINATED = 128 + signal.SIGTERM  # the exit code, as shells have it
FAREWELL = 1.0  # seconds for the client to read the last answers
NEWS = ("state", "message", "model", "enabled")  # of the status, that a client is told of


class Server(LanguageServer):
    """The language server: pygls' plumbing, an engine, and what this client is and wants."""

    protocol: JsonRpc

    def __init__(
        self,
        connect: Callable[[Settings], Service],
        config: Path,
        record: Path | None,
        environ: Mapping[str, str],
    ) -> None:
        super().__init__(
            "fim-lsp",
            __version__,
            types.TextDocumentSyncKind.Incremental,
            types.NotebookDocumentSyncOptions(
                [types.NotebookDocumentFilterWithNotebook(notebook="*")], save=False
            ),
            protocol_cls=JsonRpc,
        )
        self._connect = connect
        self._config = config
        self._environ = environ
        self._record = record
        self._file: tuple[Mapping[str, Any], list[str]] | None = None  # what it holds, what is wrong with it
        self._options: Mapping[str, Any] = {}
        self._pushed: Mapping[str, Any] = {}
        self.ledger: Ledger | None = None
        self._early: Early | None = None  # what stands for the ledger until it is there
        self._told: set[str] = set()
        self._told_too_large: set[str] = set()
        self._status: dict[str, Any] | None = None
        self._wants_status = False
        self.encoding: Encoding = "utf-16"
        self.client = menu.Client("", snippets=False)
        self.folders: list[tuple[str, str]] = []  # of the workspace: URI and name
        self.tasks: set[asyncio.Task[Any]] = set()
        self._survey: Survey | None = None
        self._near: dict[str, str] = {}  # documents whose imports are looked up, by their paths
        self._kept_home: Mapping[str, Any] | None = None  # by folder, what its ignore file says
        self._surveyed: tuple[Any, ...] = ()  # the folders and settings that it is for
        self.watch_every: float | None = (
            None  # seconds between looks at the client's process; None: it is not watched
        )
        self.deserted = asyncio.Event()  # set once that process has ended

    @functools.cached_property
    def engine(self) -> Engine:
        """The engine, loaded once the client has been greeted."""
        from fim_lsp.completion.engine import Engine  # noqa: PLC0415 - 40 ms that no client need wait for
        from fim_lsp.privacy.ignore_files import secret  # noqa: PLC0415
        from fim_lsp.settings.settings import Settings  # noqa: PLC0415
        from fim_lsp.usage.early import Early  # noqa: PLC0415

        engine = Engine(
            Settings(),
            self._connect,
            clock=time.monotonic,
            random=random.random,
            sleep=asyncio.sleep,
            changed=self.send_status,
            tell=self._tell,
            ignored=functools.partial(secret, environ=self._environ, over=self._too_large),
        )
        if self._record is not None:
            engine.backend.ledger = self._early = Early(lambda: engine.settings.limited)
        return engine

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong, without its words: they may hold the user's text."""
        log.error("%s in %s", type(error).__name__, getattr(source, "__name__", source))

    def begin(self, params: types.InitializeParams) -> None:
        """Learn who the client is and what it wants."""
        options = params.initialization_options
        if isinstance(options, Mapping):
            self._options, self._pushed = _section(options), _table(options.get("folderSettings"))
            self._wants_status = bool(options.get("statusNotifications"))
            if options.get("paused") is True:
                self.engine.documents.paused = True
        self.client = _client(params)
        root = [(params.root_uri, params.root_uri.rstrip("/").rsplit("/", 1)[-1])] if params.root_uri else []
        self.folders = [(folder.uri, folder.name) for folder in params.workspace_folders or []] or root
        general = params.capabilities.general
        offered = (general and general.position_encodings) or []
        self.encoding = _encoding(offered)
        self.run(self.apply())
        self.run(self.fetch_key())
        if params.process_id is not None and self.watch_every is not None:
            self.run(self._watch(params.process_id, self.watch_every))

    async def apply(self) -> None:
        """Put the settings of all layers in force, and say what is wrong with them."""
        new, wrong = self._settings()
        for message in wrong:
            if message not in self._told:
                self._told.add(message)
                self.say(message, types.MessageType.Warning)
        self._told.intersection_update(wrong)
        await self.engine.configure(new)
        if self.ledger is not None:
            self.ledger.configure(new)
            self.send_status()
        if self._surveyed:
            self.survey()

    async def fetch_key(self) -> None:
        """Fetch the key from where the user's file says, beside the messages: a command may take its time."""
        from fim_lsp.settings import keys  # noqa: PLC0415

        if keys.elsewhere(self._config):
            self._file = await asyncio.to_thread(keys.from_file, self._config)
            await self.apply()

    def _settings(self) -> tuple[Settings, list[str]]:
        """The settings of all layers, and what is wrong with them."""
        from fim_lsp.privacy import exclude  # noqa: PLC0415
        from fim_lsp.settings import keys, provenance, settings  # noqa: PLC0415

        if self._file is None:
            self._file = keys.from_file(self._config, fetch=False)
        file, wrong = self._file
        layers = {
            str(self._config): file,
            "the environment": settings.from_environment(self._environ),
            "initializationOptions": self._options,
        }
        own, more = settings.merged(layers.items())
        new, refused = provenance.restrained(own, self._pushed, self._config)
        exposed = keys.exposed(new.base_url, new.api_key)
        return new, [*wrong, *more, *refused, *exclude.senseless(new.exclude), *exposed]

    async def keep_accounts(self) -> None:
        """Open the record of usage, where there is one, and look at what other servers have spent now and then."""
        if self._record is None:
            return
        try:
            ledger = self._begun()
            await ledger.seed()
        except Exception:
            if self._early is not None:
                self._early.give_up()
            raise
        self._adopt(ledger)
        self.send_status()
        looked = float("-inf")
        while True:
            await asyncio.sleep(SEED)
            await ledger.seed()
            self.send_status()
            if self.engine.backend.counts.requests and time.monotonic() - looked > SELDOM:
                looked = time.monotonic()
                await self.engine.backend.weigh()
                for sentence in await ledger.fallen():
                    log.warning("%s", sentence)

    def _begun(self) -> Ledger:
        """The ledger of the record of usage, which has not looked into it yet."""
        from fim_lsp.usage.ledger import Ledger  # noqa: PLC0415 - SQLite is not needed to greet a client

        def tell(sentence: str) -> None:
            self.say(sentence, types.MessageType.Warning)

        assert self._record is not None
        self.ledger = Ledger(self._record, self._config, self.engine.settings, time.time, tell)
        self.ledger.folders(self.folders)
        return self.ledger

    def _adopt(self, ledger: Ledger) -> None:
        """Let the ledger know what has been asked before it was there, and be the engine's."""
        if self._early is not None:
            self._early.adopt(ledger)
        self.engine.backend.ledger = ledger

    async def close_accounts(self) -> None:
        """Write what is left, also where the record is not open yet."""
        if self.ledger is None and self._early is not None and self._early.waiting:
            self._begun()
        if self.ledger is not None:
            self._adopt(self.ledger)
            await self.ledger.aclose()

    def survey(self) -> None:
        """Have the workspace's maps drawn by a process beside this one, anew where folders or settings have changed."""
        from fim_lsp.context.project_context import Map  # noqa: PLC0415
        from fim_lsp.context.project_contexts import Key  # noqa: PLC0415 - no client waits for it
        from fim_lsp.context.survey import Survey  # noqa: PLC0415
        from fim_lsp.text.filetypes import names  # noqa: PLC0415

        chosen = self.engine.settings
        levels = chosen.levels() - {"off"}
        roots = {path: uri for uri, _ in self.folders if (path := _project(uri))} if not chosen.off else {}
        off = tuple(sorted(name for name in names() if chosen.shown(name) == "off"))
        wanted = (tuple(roots.items()), chosen.exclude, tuple(sorted(levels)), off)
        if wanted == self._surveyed:
            return
        self._surveyed = wanted
        before = self._survey
        if before is not None:
            before.close()
            self._survey = None
        if not roots or not levels:
            return

        def drawn(maps: Sequence[Mapping[str, Any]]) -> None:
            if chosen.exclude != self.engine.settings.exclude:
                return  # drawn before these were in force
            found: dict[Key, Map] = {}
            for one in maps:
                folder = roots[one["folder"]].rstrip("/") + "/" + quote(one["package"])
                found[Key(folder, one["family"], one["level"])] = Map(one["text"], tuple(one["files"]))
            self.engine.documents.draw(found)

        def near(path: str, found: Map) -> None:
            if path in self._near:
                self.engine.documents.near(self._near.pop(path), found)

        def withdrawn() -> None:
            self.engine.documents.begin_anew(maps=True)
            self._study_all()

        self._survey = Survey(drawn, near, withdrawn, before)
        self.run(self._survey.run(list(roots), chosen.exclude, wanted[2], off))
        self._study_all()

    def settle_in(self) -> None:
        """Tell the engine of the workspace's folders, where these or their ignore files are not as they were."""
        from fim_lsp.privacy import ignore_files  # noqa: PLC0415 - no client waits for it

        paths = {uri: _path(uri) for uri, _ in self.folders}
        found = {
            uri: path and ignore_files.read(f"{path}/{ignore_files.NAME}", ignore_files.MOST_BYTES)
            for uri, path in paths.items()
        }
        if found != self._kept_home:
            self._kept_home = found
            self.engine.documents.folders(found)
            self._study_all()

    def _too_large(self, file: str) -> None:
        message = (
            f"{file} has more rules than are read: nothing that it may name is sent until it is shorter."
        )
        if message not in self._told_too_large:
            self._told_too_large.add(message)
            self.say(message, types.MessageType.Warning)

    def _study_all(self) -> None:
        for uri in self.engine.documents:
            self.study(uri)

    def study(self, uri: str) -> None:
        """Have the imports of a document looked up, where its prompts show other files."""
        document, path = self.engine.document(uri), _path(uri)
        how = self.engine.settings.shown(document.language) if document else "off"
        if self._survey is not None and path and how != "off":
            self._near[path] = uri
            self._survey.about(path, how)

    def touched(self, uris: Iterable[str]) -> None:
        """Files of the workspace were saved, made, renamed or removed: those in folders that are left out do not count."""
        uris = list(uris)
        kept = self.engine.documents.kept()
        for uri in _among(kept, uris) if kept else ():
            self.look_again(uri)
        paths = [path for uri in uris if (path := _path(uri)) and self._counts(Path(path))]
        if self._survey is not None and paths:
            self._survey.changed(paths)
        if any(path.endswith(".gitignore") for path in paths):
            self.settle_in()
            self.engine.documents.recheck()

    def _counts(self, file: Path) -> bool:
        """Whether a file is in the workspace, and not in a folder that is left out."""
        from fim_lsp.context import project  # noqa: PLC0415 - no client waits for it

        roots = (root for uri, _ in self.folders if (root := _path(uri)) and file.is_relative_to(root))
        return any(not project.apart(file.relative_to(root).as_posix()) for root in roots)

    def close(self, uri: str) -> None:
        """A document was closed: changes that were not saved are taken back, but for what its file holds."""
        if self.engine.close(uri):
            self.look_again(uri)

    def look_again(self, uri: str) -> None:
        """See what is left of a document that is not open."""
        path = _path(uri)
        self.engine.documents.rest(uri, disk.text(path) if path else None)

    def gone(self, uris: Iterable[str]) -> None:
        """Files or folders were removed: of those that are open, nothing is shown to others."""
        for uri in _among(self.engine.documents, uris):
            path = _path(uri)
            if path and not Path(path).exists():
                self.engine.documents.forget(uri)

    def leave(self) -> None:
        """End what goes on beside the messages."""
        for task in self.tasks:
            task.cancel()
        if self._survey is not None:
            self._survey.close()

    async def pull_settings(self) -> None:
        """Ask the client for its settings."""
        item = types.ConfigurationItem(section="fimLsp")
        try:
            answer = await self.workspace_configuration_async(types.ConfigurationParams([item]))
        except Exception as error:  # noqa: BLE001 - a client that cannot say has none
            log.info("no settings from the client (%s)", type(error).__name__)
            return
        self.push_settings(answer[0] if answer else None)

    def set_options(self, options: Any) -> None:
        """Take over other options in the place of those of the greeting: the user's settings, and the folder's."""
        if isinstance(options, Mapping):
            self._options, self._pushed = _section(options), _table(options.get("folderSettings"))
            self.run(self.apply())

    def push_settings(self, section: Any) -> None:
        """Take over the settings that the client has sent; some may be those of the folder."""
        if isinstance(section, Mapping):
            self._pushed = section
            self.run(self.apply())

    def run(self, work: Any) -> None:
        """Do something beside the messages; held until it is done."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._ran)

    async def _watch(self, pid: int, every: float) -> None:
        if await process.ended(pid, every, asyncio.sleep):
            log.warning("The editor's process has ended: so does its server.")
            self.deserted.set()

    def say(self, message: str, kind: types.MessageType) -> None:
        """Show a message to the user, in one line without hidden characters, and log it."""
        message = visible(message, most=LONGEST)
        log.warning("%s", message)
        self.window_show_message(types.ShowMessageParams(kind, f"fim-lsp: {message}"))

    def status(self) -> dict[str, Any]:
        """What `fimLsp.status` returns."""
        engine = self.engine
        problem = engine.backend.problems.current
        over = engine.over_budget
        return {
            "state": engine.state,
            "message": engine.settings.halted or (problem.message if problem else over or ""),
            "model": engine.settings.model,
            "requests": engine.backend.counts.requests,
            "promptTokens": engine.backend.counts.prompt_tokens,
            "cacheHitTokens": engine.backend.counts.cache_hit_tokens,
            "completionTokens": engine.backend.counts.completion_tokens,
            "localHits": engine.backend.counts.local_hits,
            "acceptance": engine.acceptance.counted(),
            "usd": self.ledger.usd if self.ledger is not None else None,
            "overBudget": over is not None,
            "enabled": bool(engine.settings.halted) or not engine.settings.off,
            "baseUrl": engine.settings.base_url,
        }

    def _tell(self, problem: Problem) -> None:
        self.say(problem.message, types.MessageType.Error if problem.act else types.MessageType.Warning)
        if problem.cause == "balance":
            self.run(self.engine.backend.weigh())

    def send_status(self) -> None:
        """Tell a client that wants to hear of it what has changed in the status."""
        if self._wants_status:
            now = self.status()
            if self._status is None or any(self._status[name] != now[name] for name in NEWS):
                self._status = now
                self.protocol.notify("fimLsp/status", now)

    def _ran(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s beside the messages", type(error).__name__)


_ANY_FILE = types.FileOperationRegistrationOptions(
    [
        types.FileOperationFilter(
            types.FileOperationPattern("**/*", types.FileOperationPatternKind.File), scheme="file"
        )
    ]
)


def create(
    connect: Callable[[Settings], Service], config: Path, record: Path | None, environ: Mapping[str, str]
) -> Server:
    """A server with all its handlers."""
    server = Server(connect, config, record, environ)

    @server.feature(types.INITIALIZE)
    def _initialize(params: types.InitializeParams) -> None:
        server.begin(params)

    @server.feature(types.INITIALIZED)
    def _initialized(_: types.InitializedParams) -> None:
        server.run(_settle(server))

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def _configuration(params: types.DidChangeConfigurationParams) -> None:
        pushed = params.settings
        section = _section(pushed) if isinstance(pushed, Mapping) else None
        if section:
            server.push_settings(section)
        elif (workspace := server.client_capabilities.workspace) and workspace.configuration:
            server.run(server.pull_settings())

    @server.feature(OPTIONS)
    def _options(options: Any) -> None:
        server.set_options(options)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def _folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        gone = {folder.uri for folder in params.event.removed}
        added = [(folder.uri, folder.name) for folder in params.event.added]
        server.folders = [folder for folder in server.folders if folder[0] not in gone] + added
        server.settle_in()
        server.survey()
        if server.ledger is not None:
            server.ledger.folders(server.folders)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def _open(params: types.DidOpenTextDocumentParams) -> None:
        _take(server.engine, params.text_document)
        server.study(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def _change(params: types.DidChangeTextDocumentParams) -> None:
        _edit(server, params.text_document, params.content_changes)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def _close(params: types.DidCloseTextDocumentParams) -> None:
        server.close(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def _save(params: types.DidSaveTextDocumentParams) -> None:
        server.engine.documents.saved(params.text_document.uri)
        server.touched([params.text_document.uri])

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def _watched(params: types.DidChangeWatchedFilesParams) -> None:
        server.gone(change.uri for change in params.changes if change.type == types.FileChangeType.Deleted)
        server.touched(change.uri for change in params.changes)

    @server.feature(types.WORKSPACE_DID_CREATE_FILES, _ANY_FILE)
    def _created(params: types.CreateFilesParams) -> None:
        server.touched(file.uri for file in params.files)

    @server.feature(types.WORKSPACE_DID_RENAME_FILES, _ANY_FILE)
    def _renamed(params: types.RenameFilesParams) -> None:
        for file in params.files:
            server.engine.documents.renamed(file.old_uri, file.new_uri)
        server.touched(uri for file in params.files for uri in (file.old_uri, file.new_uri))

    @server.feature(types.WORKSPACE_DID_DELETE_FILES, _ANY_FILE)
    def _deleted(params: types.DeleteFilesParams) -> None:
        server.gone(file.uri for file in params.files)
        server.touched(file.uri for file in params.files)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def _open_notebook(params: types.DidOpenNotebookDocumentParams) -> None:
        for cell in params.cell_text_documents:
            _take(server.engine, cell, params.notebook_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def _change_notebook(params: types.DidChangeNotebookDocumentParams) -> None:
        cells = params.change.cells
        if cells and cells.structure:
            for cell in cells.structure.did_open or []:
                _take(server.engine, cell, params.notebook_document.uri)
            for closed in cells.structure.did_close or []:
                server.close(closed.uri)
        for changed in (cells and cells.text_content) or []:
            _edit(server, changed.document, changed.changes)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def _close_notebook(params: types.DidCloseNotebookDocumentParams) -> None:
        for cell in params.cell_text_documents:
            server.close(cell.uri)

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    @_never_fails(default=[])
    async def _inline(params: types.InlineCompletionParams) -> list[types.InlineCompletionItem] | None:
        found = _find(server, params.text_document.uri, params.position)
        if found is None:
            return []
        document, place = found
        explicit = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
        selected, span = _selection(server, document, place, params.context.selected_completion_info)
        line = document.lines[place.line]  # as it was asked about: it may be gone before the answer
        offers = await server.engine.complete(document.uri, place, explicit=explicit, selected=selected)
        if offers is None:
            return None
        before = selected.text if selected else ""
        return [
            types.InlineCompletionItem(
                insert_text=menu.lines(before + offer.text, server.client),
                range=_covering(server, line, place, span, offer.covers),
            )
            for offer in offers
        ]

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions())
    @_never_fails(default=types.CompletionList(is_incomplete=True, items=[]))
    async def _complete(params: types.CompletionParams) -> types.CompletionList:
        found = _find(server, params.text_document.uri, params.position)
        offers = server.engine.glance(found[0].uri, found[1]) if found else ()
        items = [_menu_item(server, *found, offer) for offer in offers[:1]] if found else []
        return types.CompletionList(is_incomplete=True, items=items)

    @server.command("fimLsp.status")
    def _status() -> dict[str, Any]:
        return server.status()

    @server.command("fimLsp.toggle")
    def _toggle(*arguments: Any) -> dict[str, Any]:
        # A client that knows what it wants says whether to pause.
        told = arguments[0] if arguments else None
        server.engine.pause(told if isinstance(told, bool) else not server.engine.documents.paused)
        return server.status()

    @server.command("fimLsp.clearCache")
    def _clear() -> None:
        server.engine.clear()

    @server.command("fimLsp.resume")
    def _resume() -> dict[str, Any]:
        if server.ledger is not None:
            server.ledger.resume()
            server.send_status()
        return server.status()

    @server.command("fimLsp.usage")
    async def _usage(*arguments: Any) -> dict[str, Any]:
        if server.ledger is None:
            return {}
        asked = _fields(arguments[0] if arguments else None)
        days = asked.get("days")
        by_day = asked.get("by") == "day"
        return await server.ledger.usage(
            "day" if by_day else "model", days if isinstance(days, int) and 1 <= days <= YEAR else 1
        )

    @server.command("fimLsp.explain")
    def _explain(*arguments: Any) -> dict[str, Any]:
        found = _asked(server, arguments)
        return (
            server.engine.explain(found[0].uri, found[1])
            if found
            else {"problem": "This document is not open."}
        )

    return server


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


def _path(uri: str) -> str | None:
    """The path of a file on this machine."""
    return to_fs_path(uri) if uri.startswith("file:") else None


def _among(known: Iterable[str], changed: Iterable[str]) -> list[str]:
    """The documents whose files are among those, or in folders that are."""
    paths = {path.rstrip("/\\") for uri in changed if (path := _path(uri))}
    found = []
    for uri in known:
        path = _path(uri)
        if path and not paths.isdisjoint((path, *map(str, Path(path).parents))):
            found.append(uri)
    return found


def _project(uri: str) -> str | None:
    """The path of a folder that may be a project: not the user's home, nor the whole disk."""
    path = _path(uri)
    try:
        home = Path.home()
    except RuntimeError:
        home = Path()  # nobody's
    return path if path and Path(path).parent != Path(path) and Path(path) != home else None


def _section(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings in what a client sends: its section, where it names one, else all of it."""
    if "fimLsp" not in options:
        return options
    return _table(options["fimLsp"])


def _table(value: Any) -> Mapping[str, Any]:
    """A table of a client's; an empty one of Lua arrives as an empty list."""
    return value if isinstance(value, Mapping) else {}


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


async def _settle(server: Server) -> None:
    """After the greetings: the client's settings, its promise to tell of changes, and a warm connection."""
    server.settle_in()
    workspace = server.client_capabilities.workspace
    if workspace and workspace.configuration:
        await server.pull_settings()
    server.run(server.keep_accounts())
    server.protocol.rehearse()
    await server.engine.warm()
    server.survey()
    # What was loaded stays: looking for garbage in it takes 10 ms, at a moment when somebody waits.
    gc.freeze()
    if workspace is None:
        return
    asked = []
    settings, files = workspace.did_change_configuration, workspace.did_change_watched_files
    if settings and settings.dynamic_registration:
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        asked.append(types.Registration("fim-lsp-settings", method, {"section": "fimLsp"}))
    if files and files.dynamic_registration and server.folders:
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        asked.append(types.Registration("fim-lsp-files", method, {"watchers": [{"globPattern": "**/*"}]}))
    for registration in asked:
        try:
            await server.client_register_capability_async(types.RegistrationParams([registration]))
        except Exception as error:  # noqa: BLE001 - then the client tells of changes in its own way, or not
            log.info("not registered for %s (%s)", registration.method, type(error).__name__)


def _take(engine: Engine, item: types.TextDocumentItem, notebook: str = "") -> None:
    engine.open(Document(item.uri, str(item.language_id), item.version, item.text), notebook)


def _edit(
    server: Server,
    name: types.VersionedTextDocumentIdentifier,
    changes: Sequence[types.TextDocumentContentChangeEvent],
) -> None:
    document = server.engine.document(name.uri)
    if document is None:
        log.warning("a change of a document that is not open")
        return
    typed = len(changes) <= BY_HAND
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            start, end = (
                document.place(at.line, at.character, server.encoding)
                for at in (change.range.start, change.range.end)
            )
            server.engine.edited(name.uri, document.change(start, end, change.text), typed=typed)
        else:
            server.engine.edited(name.uri, document.replace(change.text), typed=False)
    document.version = name.version


def _find(server: Server, uri: str, position: types.Position) -> tuple[Document, Place] | None:
    document = server.engine.document(uri)
    if document is None:
        return None
    return document, document.place(position.line, position.character, server.encoding)


def _asked(server: Server, arguments: Sequence[Any]) -> tuple[Document, Place] | None:
    """The document and place that a command's `{uri, position}` names."""
    first = _fields(arguments[0] if arguments else None)
    uri, position = first.get("uri"), _fields(first.get("position"))
    line, character = position.get("line"), position.get("character")
    if not isinstance(uri, str) or not isinstance(line, int) or not isinstance(character, int):
        return None
    return _find(server, uri, types.Position(line, character))


def _fields(given: Any) -> Mapping[str, Any]:
    """An untyped object of a client by its names: pygls hands it over as a named tuple."""
    if isinstance(given, Mapping):
        return given
    return getattr(given, "_asdict", dict)()


def _span(server: Server, line: str, number: int, start: int, end: int) -> types.Range:
    units = [to_units(line, column, server.encoding) for column in (start, end)]
    return types.Range(*(types.Position(number, unit) for unit in units))


def _selection(
    server: Server, document: Document, place: Place, info: types.SelectedCompletionInfo | None
) -> tuple[Selected | None, types.Range]:
    """The menu's selected entry, and the range that an item replaces: an empty one at the cursor without it."""
    line = document.lines[place.line]
    if info is None:
        return None, _span(server, line, place.line, place.column, place.column)
    start = document.place(info.range.start.line, info.range.start.character, server.encoding)
    if start.line != place.line or start > place:
        return None, _span(server, line, place.line, place.column, place.column)
    return Selected(start.column, info.text), info.range


def _covering(server: Server, line: str, place: Place, span: types.Range, covers: int) -> types.Range:
    """A range that goes on over so many characters right of the cursor."""
    if not covers:
        return span
    end = to_units(line, place.column + covers, server.encoding)
    return types.Range(span.start, types.Position(place.line, end))


def _menu_item(server: Server, document: Document, place: Place, offer: Offer) -> types.CompletionItem:
    """One entry for an editor's menu, shaped so that this editor inserts the whole text."""
    line = document.lines[place.line]
    start = place.column
    while start and (line[start - 1].isalnum() or line[start - 1] == "_"):
        start -= 1
    word = line[start : place.column]
    whole = word + offer.text
    first, *more = split_lines(whole)
    form, inserted = menu.form(whole, line, server.client)
    return types.CompletionItem(
        label=body(first).strip() or "…",
        label_details=types.CompletionItemLabelDetails(
            description="fim-lsp" if not more else f"fim-lsp, {1 + len(more)} lines"
        ),
        kind=types.CompletionItemKind.Text,
        sort_text="\x00",
        filter_text=word or body(first).strip(),
        preselect=True,
        insert_text_format=types.InsertTextFormat.Snippet
        if form == "snippet"
        else types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=types.TextEdit(
            _span(server, line, place.line, start, place.column + offer.covers), inserted
        ),
        documentation=whole,
    )


async def _until_terminated(work: Coroutine[Any, Any, int]) -> int:
    """The exit code of what is done, which a SIGTERM ends early, so that all the rest is left in order."""
    task = asyncio.ensure_future(work)
    with suppress(NotImplementedError, RuntimeError):  # on Windows; beside the main thread
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
    return TERMINATED if task.cancelled() else task.result()


async def _serve(
    server: Server, reader: asyncio.StreamReader, writer: LoopWriter | FileWriter, first: bytes = b""
) -> int:
    """Serve until the client says so, is gone, or reads no more; the exit code.  `first` was read already."""
    server.protocol.set_writer(writer)
    listening = asyncio.ensure_future(_until_terminated(listen(server.protocol, reader, first)))
    others = [asyncio.ensure_future(event.wait()) for event in (writer.gone, server.deserted)]
    await asyncio.wait({listening, *others}, return_when=asyncio.FIRST_COMPLETED)
    for waiting in (listening, *others):
        waiting.cancel()
    await asyncio.wait({listening, *others})
    code = 1 if listening.cancelled() else listening.result()
    await server.engine.aclose()
    server.leave()
    await server.close_accounts()
    await writer.drained(FAREWELL)
    return code


def serve_stdio(server: Server, watch_every: float = process.EVERY) -> int:
    """Serve on stdin and stdout until the client leaves, or its process has ended; the exit code."""
    stdin, stdout = protected()
    server.watch_every = watch_every

    async def main() -> int:
        return await _serve(server, *await stdio(stdin, stdout))

    return asyncio.run(main())


def serve_tcp(server: Server, host: str, port: int) -> int:
    """Serve one client on a TCP port; the exit code.

    The client is the first one that speaks the protocol: what else knocks, as a web page's request, is turned away.
    """

    async def main() -> int:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        knocking: set[asyncio.StreamWriter] = set()

        async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            knocking.add(writer)
            try:
                first = await _first(reader)
                if not first or server.protocol.writer is not None:
                    return
                knocking.discard(writer)
                done.set_result(
                    await _serve(server, reader, LoopWriter(writer.transport, asyncio.Event()), first)
                )
            finally:
                knocking.discard(writer)
                writer.close()

        listener = await asyncio.start_server(client, host, port)
        address = listener.sockets[0].getsockname()
        log.warning("listening on %s:%d", address[0], address[1])
        async with listener:
            code = await done
            for writer in knocking:
                writer.transport.abort()
            return code

    return asyncio.run(main())


async def _first(reader: asyncio.StreamReader) -> bytes:
    """A client's first bytes; none if they are not those of the protocol."""
    first = b""
    while len(first) < len(b"Content-") and begins(first):
        try:
            more = await reader.read(CHUNK)
        except OSError:
            more = b""
        if not more:
            return b""
        first += more
    return first if begins(first) else b""
