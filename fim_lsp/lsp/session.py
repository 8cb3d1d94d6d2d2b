"""What the server knows of its one client, and does for it beside the messages: settings, accounts, workspace, status."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from fim_lsp import __version__
from fim_lsp.lsp import process
from fim_lsp.lsp.accounts import Accounts
from fim_lsp.lsp.configuration import Configuration
from fim_lsp.lsp.convert import Conversion, conversion
from fim_lsp.lsp.jsonrpc import JsonRpc
from fim_lsp.lsp.status import StatusNews, status
from fim_lsp.lsp.workspace import Workspace
from fim_lsp.text.characters import visible
from fim_lsp.words.language import Language
from fim_lsp.words.sentence import Sentence

if TYPE_CHECKING:
    from fim_lsp.completion.engine import Engine
    from fim_lsp.completion.problems import Problem
    from fim_lsp.completion.service import Service
    from fim_lsp.completion.snooze import Scope
    from fim_lsp.settings.settings import Settings

log = logging.getLogger(__name__)

LONGEST = 1_000  # characters of a message


class Server(LanguageServer):
    """The language server: pygls' plumbing, an engine, and what this client is and wants."""

    protocol: JsonRpc

    def __init__(
        self,
        connect: Callable[[Settings], Service],
        config: Path,
        record: Path | None,
        environ: Mapping[str, str],
        *,
        demo: bool = False,
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
        self.demo = demo  # whether the embedded demo answers
        self.configuration = Configuration(config, environ)
        self.workspace_folders = Workspace(lambda: self.engine, self.run)
        self.accounts = Accounts(
            record, config, lambda: self.workspace_folders.folders, self._warn_of_usage, self.send_status
        )
        self.conversion = Conversion()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.watch_every: float | None = (
            None  # seconds between looks at the client's process; None: it is not watched
        )
        self.deserted = asyncio.Event()  # set once that process, or the one that started this, has ended
        self._named = ""  # the folders that the client was started with
        self._told: set[str] = set()  # what is wrong with the settings
        self._too_large: set[str] = set()  # ignore files that the user was told of
        self._passing: asyncio.Task[Any] | None = None  # tells of what is left of silence on demand
        self._news: StatusNews | None = None  # where the client wants to hear of the status
        self._words: bool = False  # whether the client shows messages itself, in words of its own

    @functools.cached_property
    def engine(self) -> Engine:
        """The engine, loaded once the client has been greeted."""
        from fim_lsp.completion.engine import Engine  # noqa: PLC0415 - 40 ms that no client need wait for
        from fim_lsp.privacy.ignore_files import kept_home_by  # noqa: PLC0415
        from fim_lsp.settings.settings import Settings  # noqa: PLC0415

        engine = Engine(
            Settings(),
            self._connect,
            clock=time.monotonic,
            random=random.random,
            sleep=asyncio.sleep,
            changed=self.send_status,
            tell=self._tell,
            ignored=functools.partial(kept_home_by, environ=self.configuration.environ, over=self._over),
        )
        self.accounts.stand_for(engine)
        return engine

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong, without its words: they may hold the user's text."""
        log.error("%s in %s", type(error).__name__, getattr(source, "__name__", source))

    def begin(self, params: types.InitializeParams) -> None:
        """Learn who the client is and what it wants."""
        options = params.initialization_options
        if isinstance(options, Mapping):
            self.configuration.set_options(options)
            if options.get("statusNotifications"):
                self._news = StatusNews(functools.partial(self.protocol.notify, "fimLsp/status"))
            self._words = options.get("messageNotifications") is True
            if options.get("paused") is True:
                self.engine.documents.paused = True
        root = [(params.root_uri, params.root_uri.rstrip("/").rsplit("/", 1)[-1])] if params.root_uri else []
        folders = [(folder.uri, folder.name) for folder in params.workspace_folders or []]
        self.workspace_folders.folders = folders or root
        self._named = "\n".join(sorted(uri for uri, _ in folders or root))
        self.conversion = conversion(params)
        self.run(self.apply())
        self.run(self.fetch_key())
        if params.process_id is not None and self.watch_every is not None:
            self.run(self._watch(params.process_id, self.watch_every))

    async def apply(self) -> None:
        """Put the settings of all layers in force, and say what is wrong with them."""
        new, wrong = self.configuration.merged(self._named)
        for message in wrong:
            if message not in self._told:
                self._told.add(message)
                self.warn(message, "settings")
        self._told.intersection_update(wrong)
        await self.engine.configure(new)
        self.accounts.configure(new)
        self.send_status()
        self.workspace_folders.configured()

    def look_at_own_rules(self) -> None:
        """Put the settings in force anew where the user's own ignore file says something else now."""
        if self.configuration.ignores_otherwise():
            self.run(self.apply())

    async def fetch_key(self) -> None:
        """Fetch the key beside the messages, where the user's file says how: a command may take its time."""
        if await self.configuration.fetch_key():
            await self.apply()

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
        """Take over other options in the place of those of the greeting."""
        if isinstance(options, Mapping):
            self.configuration.set_options(options)
            self.run(self.apply())

    def push_settings(self, pushed: Any) -> None:
        """Take over the settings that the client has sent; some may be those of the folder."""
        if isinstance(pushed, Mapping):
            self.configuration.push(pushed)
            self.run(self.apply())

    async def settle(self) -> None:
        """After the greetings: the client's settings, its promise to tell of changes, and a warm connection."""
        self.workspace_folders.settle_in()
        workspace = self.client_capabilities.workspace
        if workspace and workspace.configuration:
            await self.pull_settings()
        self.run(self.accounts.keep(self.engine))
        self.protocol.rehearse()
        await self.engine.warm()
        self.workspace_folders.survey()
        # What was loaded stays: looking for garbage in it takes 10 ms, at a moment when somebody waits.
        gc.freeze()
        for registration in _registrations(workspace, folders=bool(self.workspace_folders.folders)):
            try:
                await self.client_register_capability_async(types.RegistrationParams([registration]))
            except Exception as error:  # noqa: BLE001 - then the client tells of changes in its own way, or not
                log.info("not registered for %s (%s)", registration.method, type(error).__name__)

    def run(self, work: Any) -> asyncio.Task[Any]:
        """Do something beside the messages; held until it is done."""
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._ran)
        return task

    @property
    def language(self) -> Language:
        """The client's language."""
        return self.conversion.language

    def warn(self, message: Sentence, cause: str) -> None:
        """Show the user a sentence."""
        self.say(message, types.MessageType.Warning, cause)

    def say(self, message: Sentence, kind: types.MessageType, cause: str) -> None:
        """Show a message to the user, in one line without hidden characters, and log it in English.

        A client that shows messages itself is told what it is about as well, by the word that the status has for it.
        """
        log.warning("%s", visible(message, most=LONGEST))
        said = visible(self.language.say(message), most=LONGEST)
        if self._words:
            self.protocol.notify("fimLsp/message", {"type": kind.value, "cause": cause, "message": said})
            return
        self.window_show_message(types.ShowMessageParams(kind, f"fim-lsp: {said}"))

    def snooze(self, minutes: float, scope: Scope, name: str) -> None:
        """Let nothing come by itself for a while, and tell of the time left as it passes."""
        self.engine.pause_for(minutes, scope, name)
        if self._passing is not None:
            self._passing.cancel()
        self._passing = self.run(self._pass())

    async def _pass(self) -> None:
        while (seconds := self.engine.snooze.next()) is not None:
            await asyncio.sleep(seconds + 0.05)
            self.send_status()

    def status(self) -> dict[str, Any]:
        """What `fimLsp.status` returns."""
        fetching = self.configuration.fetching
        return status(self.engine, self.accounts.usd, self.language, fetching=fetching, demo=self.demo)

    def send_status(self) -> None:
        """Tell a client that wants to hear of it what has changed in the status."""
        if self._news is not None:
            self._news.tell(self.status())

    async def aclose(self) -> None:
        """End what goes on beside the messages, and write what is left."""
        await self.engine.aclose()
        for task in self.tasks:
            task.cancel()
        self.workspace_folders.leave()
        await self.accounts.close(self.engine)

    def _tell(self, problem: Problem) -> None:
        self.say(
            problem.message,
            types.MessageType.Error if problem.act else types.MessageType.Warning,
            problem.cause,
        )
        if problem.cause == "balance":
            self.run(self.engine.backend.weigh())

    def _over(self, file: str) -> None:
        if file not in self._too_large:
            self._too_large.add(file)
            words = Sentence(
                "{file} has more rules than are read: nothing that it may name is sent until it is shorter.",
                file=file,
            )
            self.warn(words, "exclude")

    def _warn_of_usage(self, sentence: Sentence) -> None:
        self.warn(sentence, "budget" if sentence == self.engine.over_budget else "usage")

    async def watch_starter(self, starter: process.Starter, every: float) -> None:
        """Leave once the process that started this one has ended: an editor's wrapper, or the editor itself."""
        await process.orphaned(starter, every, asyncio.sleep)
        log.warning("The process that started this server has ended: so does the server.")
        self.deserted.set()

    async def _watch(self, pid: int, every: float) -> None:
        if await process.ended(pid, every, asyncio.sleep):
            log.warning("The editor's process has ended: so does its server.")
            self.deserted.set()

    def _ran(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s beside the messages", type(error).__name__)


def _registrations(
    workspace: types.WorkspaceClientCapabilities | None, *, folders: bool
) -> list[types.Registration]:
    """What a client is asked to tell of, as far as it can: changed settings, and changed files where there are folders."""
    asked = []
    settings = workspace and workspace.did_change_configuration
    files = workspace and workspace.did_change_watched_files
    if settings and settings.dynamic_registration:
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        asked.append(types.Registration("fim-lsp-settings", method, {"section": "fimLsp"}))
    if files and files.dynamic_registration and folders:
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        asked.append(types.Registration("fim-lsp-files", method, {"watchers": [{"globPattern": "**/*"}]}))
    return asked
