"""The way to one endpoint: its address, the key and headers that go along, connections, and what a refusal means."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from fim_lsp import __version__
from fim_lsp.endpoint import connection_pool
from fim_lsp.endpoint.body import address_of
from fim_lsp.endpoint.failures import BAD_ADDRESS, Limit, of_status, unusable
from fim_lsp.endpoint.reply import Bounded, json_object, read
from fim_lsp.endpoint.request import Refused, ServiceError, Unavailable
from fim_lsp.endpoint.trust import UnusableError
from fim_lsp.settings import keys
from fim_lsp.words.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

_COMPLAINT = 64 << 10  # bytes of an error that are looked at
_PARAMETERS = frozenset({"max_tokens", "temperature", "stop", "prompt", "suffix", "model"})


class Channel:
    """Requests to one endpoint, with one key; one connection kept, and another ready for when a request is cut.

    `headers` are sent along with every request; one named Authorization takes the key's place.  `key_named` says where the
    key is to be put.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        ca_file: str | None,
        headers: Mapping[str, str] | None,
        key_named: Sentence,
        transport: httpx.AsyncBaseTransport | None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.host = urlsplit(base_url).hostname or "the service"
        self.api_key = api_key
        self._base_url = base_url
        self._ca_file = ca_file
        self._more = {name.lower(): value for name, value in (headers or {}).items()}
        self._key_named = key_named
        self._transport = transport
        self._clock = clock
        self._wall = wall
        self._closed = False

    @property
    def begun(self) -> bool:
        """Whether anything was sent, or made ready to be."""
        return self._transport is not None

    def address(self, path: str) -> str:
        """Where a path is."""
        return address_of(self._base_url, path)

    def limit(self, seconds: float) -> Limit:
        """The limit of what may take so long from now on."""
        return Limit(self._clock, self._clock() + seconds, self.host)

    async def warm(self) -> None:
        """Have a connection ready."""
        transport = self.opened()
        if isinstance(transport, connection_pool.Transport):
            await transport.warm()

    async def aclose(self) -> None:
        """Close every connection."""
        self._closed = True
        if self._transport is not None:
            await self._transport.aclose()

    @asynccontextmanager
    async def answer(
        self, method: str, path: str, body: bytes | None, limit: Limit, *, key_needed: bool = False
    ) -> AsyncIterator[httpx.Response]:
        """The head of an answer; whatever of its body was not read is cut off at the end of the context."""
        headers = self._headers(key_needed=key_needed)
        if body is not None:
            headers["Content-Type"] = "application/json"
        transport = self.opened()
        with limit.named():
            request = httpx.Request(
                method,
                self.address(path),
                headers=headers,
                content=body,
                extensions={"patience": limit.left()},
            )
            async with asyncio.timeout(limit.left()):
                response = await transport.handle_async_request(request)
        try:
            yield response
        finally:
            await response.aclose()

    def opened(self) -> httpx.AsyncBaseTransport:
        """The transport, made when it is first needed."""
        if self._closed:
            raise Unavailable(Sentence("The connection to the service was closed."), "network", alone=True)
        if self._transport is None:
            try:
                self._transport = connection_pool.transport(self._base_url, self._ca_file)
            except UnusableError as error:
                raise unusable(error, self.host) from None
            except (ValueError, httpx.InvalidURL):
                raise Refused(BAD_ADDRESS, "address") from None
        return self._transport

    async def error(self, response: httpx.Response, limit: Limit, model: str | None) -> ServiceError:
        """What a status other than 200 means for the user."""
        if self.api_key is None and response.status_code in {401, 403}:
            return self._lacks_key()
        secrets = [self.api_key or "", *self._more.values()]
        known = of_status(response, self.host, model, secrets, self._wall(), key_named=self._key_named)
        if known is not None:
            return known
        named = await _named_parameter(response, limit)
        at = {"host": self.host, "status": response.status_code}
        if named is None:
            words = Sentence("{host} does not accept the request ({status}): check the settings.", **at)
        else:
            words = Sentence(
                "{host} does not accept {parameter} ({status}): check the settings.", **at, parameter=named
            )
        return Refused(words, "parameter")

    def _headers(self, *, key_needed: bool) -> dict[str, str]:
        """The headers of a request, the user's own last."""
        key = None if "authorization" in self._more else self._key(needed=key_needed)
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        headers["Accept"] = "text/event-stream, application/json"
        headers["Accept-Encoding"] = "identity"  # a few bytes at a time: nothing to gain, and no bombs
        headers["User-Agent"] = f"fim-lsp/{__version__}"
        for name in [name for name in headers if name.lower() in self._more]:
            del headers[name]
        return headers | self._more

    def _key(self, *, needed: bool) -> str | None:
        """The key to send, where there is one."""
        if self.api_key is None:
            if needed:
                raise self._lacks_key()
            return None
        if not re.fullmatch(r"[!-~]+", self.api_key):
            words = Sentence("The API key holds characters that no key has: copy it again from the service.")
            raise Refused(words, "key")
        return self.api_key

    def _lacks_key(self) -> Refused:
        return Refused(keys.lacking(self._key_named), "key")


async def complaint(response: httpx.Response, limit: Limit) -> str:
    """What an error says, in small letters, for being looked at only; it is kept, so that it can be read again."""
    response.stream = Bounded(response.stream, limit, _COMPLAINT)
    try:
        with limit.named():
            async with asyncio.timeout(min(1.0, limit.left())):
                data = await read(response)
    except ServiceError:
        return ""
    response.stream = httpx.ByteStream(data)
    response.is_stream_consumed = response.is_closed = False
    return data.decode("utf-8", "replace").lower()


async def _named_parameter(response: httpx.Response, limit: Limit) -> str | None:
    """The one of our own parameters that an error names, if it does."""
    response.stream = Bounded(response.stream, limit, _COMPLAINT)
    try:
        with limit.named():
            async with asyncio.timeout(min(1.0, limit.left())):
                param = json_object(await read(response), limit.host)["error"]["param"]
    except (ServiceError, KeyError, TypeError):
        return None
    return param if isinstance(param, str) and param in _PARAMETERS else None
