"""The whole engine, driven by a session: against the demo endpoint in process, or against the service itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from random import Random
from typing import Any

from fim_lsp.completion.engine import Engine
from fim_lsp.completion.problems import Problem
from fim_lsp.completion.service import Reply
from fim_lsp.completion.service import Service as Asked
from fim_lsp.context.project_contexts import Key
from fim_lsp.context.window import Prompt
from fim_lsp.demo.endpoint import Demo
from fim_lsp.demo.transport import DemoTransport
from fim_lsp.endpoint.look import Found
from fim_lsp.endpoint.request import Balance, Usage
from fim_lsp.endpoint.request import Request as Question
from fim_lsp.endpoint.service import Service
from fim_lsp.replay.drive import Documents, Outcome, Request, said, uri_of
from fim_lsp.replay.library import Library
from fim_lsp.replay.session import Ask, Change, Open
from fim_lsp.settings.settings import Settings
from fim_lsp.text.confidence import Token

KEY_SECONDS = 0.2  # of typing time, that a key takes
DEMO_KEY = "sk-demo"


class Rehearsal:
    """The engine on a session; `problems` are what it would have told the user."""

    def __init__(
        self,
        settings: Settings,
        connect: Callable[[Settings], Asked] | None = None,
        library: Library | None = None,
        *,
        typing: bool = False,
    ) -> None:
        """`connect` makes the service's client; None plays against the demo endpoint, in typing time.

        `library` is the project around the session.  `typing`: in typing time also where there is a service.
        """
        live = connect is not None
        self.problems: list[Problem] = []
        self._typed = 0.0
        self._typing = typing
        self._answer = _Answer()
        self._calls: list[Request] = []
        self._documents = Documents()
        settings = eager(settings)
        if not live:
            settings = replace(settings, api_key=DEMO_KEY, model="deepseek-flash")
        self._engine = Engine(
            settings,
            lambda settings: _Recorded(
                connect(settings) if connect else self._demo(), self._calls, told=live
            ),
            clock=time.monotonic if live and not typing else lambda: self._typed,
            random=lambda: 1.0,
            sleep=asyncio.sleep if live else lambda _: asyncio.sleep(0),
            tell=self.problems.append,
        )
        self._settings = settings
        self._library = library
        if library is not None:
            folder, root = library.folder, uri_of("")
            self._engine.documents.folders({root: ()})
            self._engine.documents.draw(
                {
                    Key(root + package, family, how): folder.map(family, package, how)
                    for family in folder.families
                    for package in folder.packages(family)
                    for how in ("project", "rich")
                }
            )

    def open(self, event: Open) -> None:
        """Take in a file."""
        document = self._documents.open(event)
        self._engine.open(document)
        level = self._settings.context_of(document.language)
        if self._library is not None and level != "off":
            self._engine.documents.near(document.uri, self._library.folder.near(event.path, level))

    def change(self, event: Change) -> None:
        """Take in a change."""
        self._typed += KEY_SECONDS
        self._engine.edited(uri_of(event.path), self._documents.change(event))

    async def ask(self, event: Ask) -> Outcome:
        """Ask as an editor does at a pause."""
        self._answer.text = said(event)
        known = self._engine.backend.counts.local_hits
        if self._typing:
            await self._engine.backend.meet(self._engine.backend.endpoints.first)
        offers = await self._engine.complete(
            uri_of(event.path), self._documents.place(event.path, event.offset)
        )
        await self._engine.backend.settled()
        opened = self._engine.documents.get(uri_of(event.path))
        if self._typing and opened is not None and opened.ahead is not None:
            await opened.ahead.wait()  # what is asked in advance is there by the next key: no clock decides
        calls = tuple(self._calls)
        self._calls.clear()
        return Outcome(
            calls, offers[0].text if offers else "", self._engine.backend.counts.local_hits > known
        )

    async def aclose(self) -> None:
        """End what is under way."""
        await self._engine.aclose()

    def _demo(self) -> Asked:
        demo = Demo(
            self._answer,
            first_token_s=0,
            token_s=0,
            sleep=lambda _: asyncio.sleep(0),
            clock=lambda: self._typed,
            keep=1,
        )
        return Service("http://demo.invalid", DEMO_KEY, transport=DemoTransport(demo))


def eager(settings: Settings) -> Settings:
    """The settings of who asks at every stop, whatever is switched off while typing."""
    rows = {
        language: {**row, "enabled": True, "debounce_ms": 0, "trigger": "auto", "quiet_in": ()}
        for language, row in settings.languages.items()
        if not isinstance(row, bool)
    }
    return replace(settings, enabled=True, languages=rows, debounce_ms=0, trigger="auto", quiet_in=())


class _Answer:
    """A model that says what it is told to."""

    text = ""

    def complete(
        self, prefix: str, suffix: str, *, temperature: float, top_p: float, random: Random | None
    ) -> str:
        del prefix, suffix, temperature, top_p, random
        return self.text


class _Recorded:
    """A client whose requests are written down, each with what was generated until its stream was closed."""

    def __init__(self, service: Asked, calls: list[Request], *, told: bool) -> None:
        self._service = service
        self._calls = calls
        self._told = told

    def complete(self, request: Question, *, seconds: float) -> AbstractAsyncContextManager[Reply]:
        return self._complete(request, seconds)

    @asynccontextmanager
    async def _complete(self, request: Question, seconds: float) -> AsyncGenerator[Reply, None]:
        heard: _Heard | None = None
        try:
            async with self._service.complete(request, seconds=seconds) as reply:
                heard = _Heard(reply)
                yield heard
        finally:
            if heard is not None:
                usage = heard.usage if self._told else None
                told = usage and (usage.prompt_tokens, usage.cache_hit_tokens, usage.completion_tokens)
                self._calls.append(Request(Prompt(request.prefix, request.suffix), heard.text, told))

    async def meet(self) -> Found | None:
        return await self._service.meet()

    def shown(self, request: Question) -> dict[str, Any]:
        return self._service.shown(request)

    async def warm(self) -> None:
        await self._service.warm()

    async def balance(self) -> Balance:
        return await self._service.balance()

    async def aclose(self) -> None:
        await self._service.aclose()


class _Heard:
    """An answer as it streams, its text kept."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.text = ""
        self.usage: Usage | None = None
        self.finish_reason: str | None = None

    @property
    def tokens(self) -> Sequence[Token]:
        """Those of what was heard."""
        return self._reply.tokens

    async def __aiter__(self) -> AsyncIterator[str]:
        async for piece in self._reply:
            self.text += piece
            yield piece
        self.usage = self._reply.usage
        self.finish_reason = self._reply.finish_reason
