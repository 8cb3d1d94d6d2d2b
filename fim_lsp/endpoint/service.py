"""The endpoint's client: a request, its answer as it streams, and two errors, named for who must act."""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from fim_lsp import __version__
from fim_lsp.endpoint import connection_pool
from fim_lsp.endpoint.failures import BAD_ADDRESS, Limit, garbage, of_status, unusable
from fim_lsp.endpoint.reply import Bounded, Reply, json_object, read, whole
from fim_lsp.endpoint.request import Balance, Refused, Request, ServiceError, Unavailable
from fim_lsp.endpoint.trust import UnusableError
from fim_lsp.settings import keys

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

_ROOM = 1 << 20  # bytes of an answer besides its text: keep-alives, usage
_ROOM_PER_TOKEN = 4 << 10  # bytes of an event; real ones have about 300
_CHARACTERS_PER_TOKEN = 128  # the longest tokens are runs of blanks
_PATIENCE = 10.0  # seconds, for what is not a completion
_PARAMETERS = frozenset({"max_tokens", "temperature", "stop", "prompt", "suffix", "model"})


class Service:
    """A client of one endpoint with one key; one connection kept, and another ready for when a request is cut.

    `base_url` as settings hold it: without `/beta` and without `/` at its end.  `ca_file` names certificates that are
    believed besides those of the system.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        ca_file: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._base_url = base_url
        self._host = urlsplit(base_url).hostname or "the service"
        self._api_key = api_key
        self._ca_file = ca_file
        self._transport = transport
        self._clock = clock
        self._wall = wall
        self._closed = False

    def complete(self, request: Request, *, seconds: float) -> AbstractAsyncContextManager[Reply]:
        """Ask for a completion, and hold its stream while the context is open; leaving it ends the stream at once.

        `seconds` bound the whole by the wall clock, however much the service keeps the connection alive: past them,
        `Unavailable("deadline")` comes out of the iteration.
        """
        return self._complete(request, seconds)

    async def models(self) -> list[str]:
        """The names of the models that the service offers."""
        data = (await self._get("/models")).get("data")
        if not isinstance(data, list):
            raise garbage(self._host)
        names = [item.get("id") for item in data if isinstance(item, dict)]
        return [name for name in names if isinstance(name, str)]

    async def balance(self) -> Balance:
        """What is left on the account."""
        body = await self._get("/user/balance")
        try:
            amounts = tuple(
                (str(info["currency"]), Decimal(str(info["total_balance"]))) for info in body["balance_infos"]
            )
        except (TypeError, KeyError, InvalidOperation):
            raise garbage(self._host) from None
        if not all(amount.is_finite() for _, amount in amounts):
            raise garbage(self._host)
        return Balance(body.get("is_available") is True, amounts)

    async def warm(self) -> None:
        """Open the connection in advance, and go once through reading an answer; never raises."""
        with suppress(ServiceError):
            if self._transport is None:
                await _rehearse()
            transport = self._opened()
            if isinstance(transport, connection_pool.Transport):
                await transport.warm()

    async def aclose(self) -> None:
        """Close every connection."""
        self._closed = True
        if self._transport is not None:
            await self._transport.aclose()

    @asynccontextmanager
    async def _complete(self, request: Request, seconds: float) -> AsyncGenerator[Reply, None]:
        limit = Limit(self._clock, self._clock() + seconds, self._host)
        async with self._answer("POST", "/beta/completions", _body(request), limit) as response:
            if response.status_code != 200:
                raise await self._error(response, limit, request.model)
            response.stream = Bounded(response.stream, limit, _ROOM + _ROOM_PER_TOKEN * request.max_tokens)
            reply = Reply(response, limit, _CHARACTERS_PER_TOKEN * request.max_tokens)
            try:
                yield reply
            finally:
                await reply.aclose()

    async def _get(self, path: str) -> dict[str, Any]:
        limit = Limit(self._clock, self._clock() + _PATIENCE, self._host)
        async with self._answer("GET", path, None, limit) as response:
            if response.status_code != 200:
                raise await self._error(response, limit, None)
            response.stream = Bounded(response.stream, limit, _ROOM)
            with limit.named():
                async with asyncio.timeout(limit.left()):
                    return json_object(await read(response), self._host)

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, body: bytes | None, limit: Limit
    ) -> AsyncIterator[httpx.Response]:
        """The head of an answer; whatever of its body was not read is cut off at the end of the context."""
        if self._api_key is None:
            raise Refused(keys.NONE, "key")
        if not re.fullmatch(r"[!-~]+", self._api_key):
            raise Refused(
                "The API key holds characters that no key has: copy it again from the service.", "key"
            )
        headers = {
            "Authorization": f"Bearer {self._api_key}",
            "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity",  # a few bytes at a time: nothing to gain, and no bombs
            "User-Agent": f"fim-lsp/{__version__}",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        transport = self._opened()
        with limit.named():
            request = httpx.Request(method, self._base_url + path, headers=headers, content=body)
            async with asyncio.timeout(limit.left()):
                response = await transport.handle_async_request(request)
        try:
            yield response
        finally:
            await response.aclose()

    def _opened(self) -> httpx.AsyncBaseTransport:
        if self._closed:
            raise Unavailable("The connection to the service was closed.", "network", alone=True)
        if self._transport is None:
            try:
                self._transport = connection_pool.transport(self._base_url, self._ca_file)
            except UnusableError as error:
                raise unusable(error, self._host) from None
            except (ValueError, httpx.InvalidURL):
                raise Refused(BAD_ADDRESS, "address") from None
        return self._transport

    async def _error(self, response: httpx.Response, limit: Limit, model: str | None) -> ServiceError:
        """What a status other than 200 means for the user."""
        known = of_status(response, self._host, model, self._api_key or "", self._wall())
        if known is not None:
            return known
        named = await _named_parameter(response, limit)
        words = f"does not accept {named or 'the request'} ({response.status_code})"
        return Refused(f"{self._host} {words}: check the settings.", "parameter")


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


def _body(request: Request) -> bytes:
    """The request as JSON, always in one order, so that equal parts are equal bytes."""
    body: dict[str, Any] = {"model": request.model, "prompt": request.prefix}
    if request.suffix:
        body["suffix"] = request.suffix
    body |= {"max_tokens": request.max_tokens, "temperature": request.temperature}
    if request.stop:
        body["stop"] = list(request.stop)
    body |= {"stream": True, "stream_options": {"include_usage": True}}
    return whole(json.dumps(body, ensure_ascii=False, separators=(",", ":"))).encode()


async def _named_parameter(response: httpx.Response, limit: Limit) -> str | None:
    """The one of our own parameters that an error names, if it does."""
    response.stream = Bounded(response.stream, limit, 64 << 10)
    try:
        with limit.named():
            async with asyncio.timeout(min(1.0, limit.left())):
                param = json_object(await read(response), limit.host)["error"]["param"]
    except (ServiceError, KeyError, TypeError):
        return None
    return param if isinstance(param, str) and param in _PARAMETERS else None
