"""The endpoint's client: a request, its answer as it streams, and two errors, named for who must act."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import httpx

from fim_lsp.endpoint import look
from fim_lsp.endpoint.body import body_of
from fim_lsp.endpoint.channel import Channel, complaint
from fim_lsp.endpoint.dialect import Dialect
from fim_lsp.endpoint.failures import Limit, garbage
from fim_lsp.endpoint.filters import filters_of
from fim_lsp.endpoint.logprobs import UNSURE
from fim_lsp.endpoint.look import Found, Said
from fim_lsp.endpoint.reply import Bounded, Reply, json_object, read
from fim_lsp.endpoint.request import Balance, Refused, Request, ServiceError
from fim_lsp.settings.keys import PLACES, private
from fim_lsp.settings.kinds import DEFAULT_MODEL
from fim_lsp.words.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

log = logging.getLogger(__name__)

_ROOM = 1 << 20  # bytes of an answer besides its text: keep-alives, usage
_ROOM_PER_TOKEN = 4 << 10  # bytes of an event; real ones have about 300
_CHARACTERS_PER_TOKEN = 128  # the longest tokens are runs of blanks
_PATIENCE = 10.0  # seconds, for what is not a completion
_HOLDING = ("structured", "guided", "regex", "grammar")  # words for what holds an answer to a form
_LOOK = 3.0  # seconds, for a look at what the endpoint is


class Service:
    """A client of one endpoint with one key; one connection kept, and another ready for when a request is cut.

    `base_url` as settings hold it: without `/beta` and without `/` at its end.  `ca_file` names certificates that are
    believed besides those of the system.  `engine`, `model` and `template` are the settings of these names; with "auto"
    the endpoint is looked at once, unless its host is that of a known vendor.  `session` is a random value, the same for
    all requests of a server.  `headers` are sent along with every request; one named Authorization takes the key's place.
    `key_named` says where the key is to be put.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        engine: str = "deepseek",
        model: str = DEFAULT_MODEL,
        template: str | Mapping[str, Any] = "auto",
        session: str = "fim-lsp",
        ca_file: str | None = None,
        headers: Mapping[str, str] | None = None,
        key_named: Sentence = PLACES,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._channel = Channel(
            base_url,
            api_key,
            ca_file=ca_file,
            headers=headers,
            key_named=key_named,
            transport=transport,
            clock=clock,
            wall=wall,
        )
        self._host = self._channel.host
        self._engine, self._model, self._template = engine, model, template
        self._session = session
        self.found: Found | None = look.at_once(self._host, engine, model, template)
        self._looking: asyncio.Task[None] | None = None
        self._silent = False  # whether the last look met nobody who could answer
        self._untold = False  # whether one was answered with nothing that tells what answers
        self._unsure = False  # whether it has refused to tell log-probabilities
        self._unheld = False  # whether it has refused to be held to what an answer begins with

    async def meet(self) -> Found | None:
        """What the endpoint is, looked at where that is not known; None as long as it does not say."""
        if self.found is None and not self._untold:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            await asyncio.shield(self._looking)  # whoever waits for it may be overtaken
        return self.found

    def complete(self, request: Request, *, seconds: float) -> AbstractAsyncContextManager[Reply]:
        """Ask for a completion, and hold its stream while the context is open; leaving it ends the stream at once.

        `seconds` bound the whole by the wall clock, however much the service keeps the connection alive: past them,
        `Unavailable("deadline")` comes out of the iteration.
        """
        return self._complete(request, seconds)

    async def models(self) -> list[str]:
        """The names of the models that the service offers."""
        dialect = (await self._met()).dialect
        body = await self._get(dialect.list, dialect)
        data = body.get("data", body.get("models"))
        if not isinstance(data, list):
            raise garbage(self._host)
        names = [item.get("id", item.get("name")) for item in data if isinstance(item, dict)]
        return [name for name in names if isinstance(name, str)]

    async def balance(self) -> Balance:
        """What is left on the account; no amounts where the engine tells none."""
        dialect = (await self._met()).dialect
        if not dialect.balance:
            return Balance(True, ())
        body = await self._get(dialect.balance, dialect)
        try:
            amounts = tuple(
                (str(info["currency"]), Decimal(str(info["total_balance"]))) for info in body["balance_infos"]
            )
        except (TypeError, KeyError, InvalidOperation):
            raise garbage(self._host) from None
        if not all(amount.is_finite() for _, amount in amounts):
            raise garbage(self._host)
        return Balance(body.get("is_available") is True, amounts)

    def shown(self, request: Request) -> dict[str, Any]:
        """What would be sent for a request, for a person to read: engine, model, template, address, body."""
        found = self.found or look.for_now(self._host, self._engine, self._model, self._template)
        request = replace(request, model=found.model_of(request.model))
        body = body_of(
            found.dialect, found.template, request, session=self._session, context_tokens=found.context_tokens
        )
        shown: dict[str, Any] = {
            "engine": found.engine,
            "version": found.version,
            "toldBy": found.by,
            "template": found.template.name if found.template else None,
            "url": self._channel.address(found.dialect.path),
            "model": request.model,
        }
        if request.logprobs:
            asked = dict(found.dialect.ask_logprobs) if found.dialect.sure and not self._unsure else {}
            shown["confidence"] = {"asked": asked} if asked else {"problem": UNSURE}
        if found.dialect.chat:
            shown["chat"] = Sentence(
                "The model's own turn has begun with the prompt; what follows it is told before."
            )
        # With the service, prompt and suffix are the body's.
        return shown if found.engine == "deepseek" else {**shown, "body": json.loads(body)}

    async def warm(self) -> None:
        """Open the connection in advance, and go once through reading an answer; never raises."""
        with suppress(ServiceError):
            if not self._channel.begun:
                await _rehearse()
            await self._channel.warm()
            await self.meet()

    async def aclose(self) -> None:
        """Close every connection."""
        if self._looking is not None:
            self._looking.cancel()
        await self._channel.aclose()

    @asynccontextmanager
    async def _complete(self, request: Request, seconds: float) -> AsyncGenerator[Reply, None]:
        limit = self._channel.limit(seconds)
        with limit.named():
            async with asyncio.timeout(limit.left()):
                found = await self._met()
        async with AsyncExitStack() as stack:
            found, response = await self._asked(stack, found, request, limit)
            if response.status_code != 200 and await self._renders_now(response, limit, found):
                found, response = await self._asked(stack, await self._met(), request, limit)
            if response.status_code != 200 and await self._refuses_logprobs(response, limit, request):
                found, response = await self._asked(stack, found, request, limit)
            if response.status_code != 200 and await self._refuses_beginning(response, limit, request):
                found, response = await self._asked(stack, found, request, limit)
            if response.status_code != 200:
                raise await self._error(response, limit, request.model)
            echoed = len(request.prefix) if found.dialect.echoes else 0
            response.stream = Bounded(
                response.stream, limit, _ROOM + _ROOM_PER_TOKEN * request.max_tokens + 8 * echoed
            )
            most = _CHARACTERS_PER_TOKEN * request.max_tokens + echoed
            reply = Reply(
                response, limit, most, found.dialect, filters_of(found.dialect, found.template, request)
            )
            try:
                yield reply
            finally:
                await reply.aclose()

    async def _asked(
        self, stack: AsyncExitStack, found: Found, request: Request, limit: Limit
    ) -> tuple[Found, httpx.Response]:
        """How a request was asked, and the head of the answer."""
        if not request.suffix:
            found = look.without_suffix(found, self._template)
        dialect = found.dialect
        if found.problem:
            raise Refused(found.problem, "parameter")
        request = replace(
            request,
            model=found.model_of(request.model),
            logprobs=request.logprobs and not self._unsure,
            begins="" if self._unheld else request.begins,
        )
        context = found.context_tokens
        body = body_of(dialect, found.template, request, session=self._session, context_tokens=context)
        needed = self._key_needed(dialect)
        answer = self._channel.answer("POST", dialect.path, body, limit, key_needed=needed)
        return found, await stack.enter_async_context(answer)

    async def _refuses_logprobs(self, response: httpx.Response, limit: Limit, request: Request) -> bool:
        """Whether an engine that refuses to tell log-probabilities is from now on not asked for them."""
        if not request.logprobs or self._unsure or response.status_code not in {400, 422, 501}:
            return False
        self._unsure = "prob" in await complaint(response, limit)
        return self._unsure

    async def _refuses_beginning(self, response: httpx.Response, limit: Limit, request: Request) -> bool:
        """Whether an engine that refuses to be held to a beginning is from now on asked without."""
        if not request.begins or self._unheld or response.status_code not in {400, 422, 501}:
            return False
        words = await complaint(response, limit)
        self._unheld = any(word in words for word in _HOLDING)
        return self._unheld

    async def _renders_now(self, response: httpx.Response, limit: Limit, found: Found) -> bool:
        """Whether an engine that refuses a suffix is from now on sent prompts that were rendered here."""
        if found.template is not None or response.status_code not in {400, 422, 501}:
            return False
        other = look.with_template(found, self._template)
        if other is None:
            return False
        if response.status_code != 501 and "suffix" not in await complaint(response, limit):
            return False
        log.info("%s takes no suffix: prompts are rendered here", found.engine)
        self.found = other
        return True

    async def _met(self) -> Found:
        """What the endpoint is; the service itself where it does not say, so that what is wrong is said as ever."""
        found = await self.meet()
        if found is None:
            found = look.for_now(self._host, self._engine, self._model, self._template)
            if self._engine == "auto" and (self._silent or self._channel.api_key is None):
                # No prompt is sent to what did not answer: what keeps it from answering is said.
                await self._get("/v1/models", None)
        return found

    async def _look(self) -> None:
        """Look at the endpoint; nothing is kept where it did not answer."""
        limit = self._channel.limit(_LOOK)
        self._silent = False

        def ask(path: str, body: Mapping[str, Any] | None) -> Awaitable[Said]:
            return self._say(path, body, limit)

        found = self.found = await look.look(ask, self._engine, self._model, self._template)
        self._untold = found is None and not self._silent
        if found is not None:
            how = found.template.name if found.template else "none"
            log.info(
                "%s %s by %s, model %s, template %s", found.engine, found.version, found.by, found.model, how
            )

    async def _say(self, path: str, body: Mapping[str, Any] | None, limit: Limit) -> Said:
        """The endpoint's answer to a look; status 0 where there is none."""
        try:
            sent = None if body is None else json.dumps(body).encode()
            async with self._channel.answer("GET" if body is None else "POST", path, sent, limit) as response:
                response.stream = Bounded(response.stream, limit, _ROOM)
                with limit.named():
                    async with asyncio.timeout(limit.left()):
                        data = await read(response)
        except ServiceError:
            self._silent = True
            return Said(0, {})
        self._silent = self._silent or response.status_code >= 500
        try:
            return Said(response.status_code, json_object(data, self._host))
        except ServiceError:
            return Said(response.status_code, {})

    async def _get(self, path: str, dialect: Dialect | None) -> dict[str, Any]:
        limit = self._channel.limit(_PATIENCE)
        needed = self._key_needed(dialect)
        async with self._channel.answer("GET", path, None, limit, key_needed=needed) as response:
            if response.status_code != 200:
                raise await self._error(response, limit, None)
            response.stream = Bounded(response.stream, limit, _ROOM)
            with limit.named():
                async with asyncio.timeout(limit.left()):
                    return json_object(await read(response), self._host)

    def _key_needed(self, dialect: Dialect | None) -> bool:
        """Whether nothing is asked without a key; a look needs none.

        On this machine and in its networks others than the service may do without: they say so if not.  So does one that
        did not answer a look: what is wrong with it first of all is that.
        """
        known = self.found if dialect is not None and dialect.key else None
        return known is not None and (known.engine == "deepseek" or not private(self._host))

    async def _error(self, response: httpx.Response, limit: Limit, model: str | None) -> ServiceError:
        """What a status other than 200 means for the user."""
        self._untold = False  # what answers may be another the next time
        if self.found is None and self._engine == "auto" and response.status_code in {404, 405, 501}:
            words = Sentence(
                "{host} does not say which engine it is ({status}): write what it speaks into the setting "
                'engine, such as "openai-template", and check baseUrl.',
                host=self._host,
                status=response.status_code,
            )
            return Refused(words, "address")
        return await self._channel.error(response, limit, model)


async def _rehearse() -> None:
    """Read an answer that nobody sent: what the first one would load is loaded."""
    event = b'data: {"choices": [{"index": 0, "text": "1", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    headers = {"Content-Type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=event))
    service = Service("http://rehearsal.invalid", "-", transport=transport)
    async with service.complete(Request("", "", "-", 1, 0.0), seconds=1.0) as reply:
        async for _ in reply:
            pass
    await service.aclose()
