"""The endpoint: a request, its answer as it streams, and two errors, named for who must act.

`Refused` asks something of the reader (the key, the balance, a setting), `Unavailable` asks for patience.  What the
service writes about an error is never repeated: it may quote the key or the user's text.  Facts about the service are
from its API documentation, autumn 2026.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import ssl
import time
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import httpx_sse

from fim_lsp import __version__
from fim_lsp.endpoint import connection_pool
from fim_lsp.endpoint.request import Balance, Refused, Request, ServiceError, Unavailable, Usage
from fim_lsp.privacy.secrets import redact_line
from fim_lsp.settings.settings import RETIRED_MODELS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

log = logging.getLogger(__name__)


class Reply:
    """An answer as it streams: iterate over its pieces of text, none of them empty.

    `finish_reason` ("stop" or "length"), `usage` and `model` are known once the service has sent them, the first two
    usually with the last piece or after it.  Raises `Unavailable` out of the iteration; what was read stays good.
    """

    def __init__(self, response: httpx.Response, limit: _Limit, most: int) -> None:
        self.usage: Usage | None = None
        self.finish_reason: str | None = None
        self.model: str | None = None
        self._response = response
        self._limit = limit
        self._room = most  # characters
        self._begun = self._done = False
        self._pieces = self._read_pieces()

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        with self._limit.named(alone=self._begun):
            async with asyncio.timeout(self._limit.left()):
                piece = await anext(self._pieces)
        self._begun = True
        return piece

    async def aclose(self) -> None:
        """Stop reading."""
        await self._pieces.aclose()

    async def _read_pieces(self) -> AsyncGenerator[str, None]:
        half, empty = "", True
        events = self._events()
        try:
            async for event in events:
                empty = False
                text = half + self._noted(event)
                half = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
                text = _whole(text[:-1] if half else text)
                self._room -= len(text)
                if self._room < 0:
                    raise _garbage(self._limit.host)
                if text:
                    yield text
        finally:
            await events.aclose()
        if half:
            yield "\ufffd"
        if empty:
            raise _garbage(self._limit.host)
        self._judge()

    async def _events(self) -> AsyncGenerator[dict[str, Any], None]:
        """The objects of an event stream up to its end, or the one object of an answer that is no stream."""
        response, host = self._response, self._limit.host
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _garbage(host)
        if kind == "application/json":
            yield _object(await _read(response), host)
            self._done = True
            return
        response.encoding = "utf-8-sig"  # whatever the header says: an event stream has no other
        events = httpx_sse.EventSource(response).aiter_sse()
        try:
            async for event in events:
                data = event.data.strip()
                if data == "[DONE]":
                    self._done = True
                    break
                if data:
                    yield _object(data, host)
            if self._done:
                # What follows is the end of the body; once it is read, the connection serves again.
                with suppress(TimeoutError, httpx.HTTPError, OSError):
                    async with asyncio.timeout(_AFTERWORD):
                        async for _ in events:
                            pass
        finally:
            await events.aclose()

    def _noted(self, event: dict[str, Any]) -> str:
        """The text of an event; what else it says is noted."""
        host = self._limit.host
        if event.get("error") is not None:
            raise Unavailable(f"{host} broke off with an error of its own: asking again later.", "down")
        if isinstance(event.get("model"), str):
            self.model = event["model"][:200]
        self.usage = _usage(event.get("usage")) or self.usage
        choices = event.get("choices")
        if not choices and (choices == [] or "usage" in event):
            return ""
        choice = choices[0] if isinstance(choices, list) else None
        if not isinstance(choice, dict):
            raise _garbage(host)
        text, reason = choice.get("text"), choice.get("finish_reason")
        if not isinstance(text, str | None) or not isinstance(reason, str | None):
            raise _garbage(host)
        self.finish_reason = reason or self.finish_reason
        return text or ""

    def _judge(self) -> None:
        """Raise where an answer that has ended was not a whole one."""
        host = self._limit.host
        match self.finish_reason:
            case "stop" | "length":
                return
            case None:
                if not self._done:
                    raise Unavailable(f"The connection to {host} {_BROKE_OFF}", "network")
            case "insufficient_system_resource":
                raise Unavailable(f"{host} lacked the means to finish: asking again later.", "busy")
            case "aborted":
                raise Unavailable(f"{host} gave up on this completion.", "busy", alone=True)
            case "content_filter":
                raise Unavailable(f"{host} withheld this completion.", "garbage", alone=True)
            case _:
                raise Unavailable(
                    f"{host} ended this completion for an unknown reason.", "garbage", alone=True
                )


class Service:
    """A client of one endpoint with one key; one connection kept, and another ready for when a request is cut.

    `base_url` as settings hold it: without `/beta` and without `/` at its end.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._base_url = base_url
        self._host = urlsplit(base_url).hostname or "the service"
        self._api_key = api_key
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
            raise _garbage(self._host)
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
            raise _garbage(self._host) from None
        if not all(amount.is_finite() for _, amount in amounts):
            raise _garbage(self._host)
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
        limit = _Limit(self._clock, self._clock() + seconds, self._host)
        async with self._answer("POST", "/beta/completions", _body(request), limit) as response:
            if response.status_code != 200:
                raise await self._error(response, limit, request.model)
            response.stream = _Bounded(response.stream, limit, _ROOM + _ROOM_PER_TOKEN * request.max_tokens)
            reply = Reply(response, limit, _CHARACTERS_PER_TOKEN * request.max_tokens)
            try:
                yield reply
            finally:
                await reply.aclose()

    async def _get(self, path: str) -> dict[str, Any]:
        limit = _Limit(self._clock, self._clock() + _PATIENCE, self._host)
        async with self._answer("GET", path, None, limit) as response:
            if response.status_code != 200:
                raise await self._error(response, limit, None)
            response.stream = _Bounded(response.stream, limit, _ROOM)
            with limit.named():
                async with asyncio.timeout(limit.left()):
                    return _object(await _read(response), self._host)

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, body: bytes | None, limit: _Limit
    ) -> AsyncIterator[httpx.Response]:
        """The head of an answer; whatever of its body was not read is cut off at the end of the context."""
        if self._api_key is None:
            raise Refused("No API key is set: put it into DEEPSEEK_API_KEY or the setting apiKey.", "key")
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
                self._transport = connection_pool.transport(self._base_url)
            except (ImportError, ValueError, OSError, httpx.InvalidURL):
                raise Refused(_BAD_ADDRESS, "address") from None
        return self._transport

    async def _error(self, response: httpx.Response, limit: _Limit, model: str | None) -> ServiceError:
        """What a status other than 200 means for the user; the status alone decides."""
        status, host = response.status_code, self._host
        if model in RETIRED_MODELS and status in {400, 404, 422}:
            return Refused(
                f'The service has ended the model "{model}": set model to "{RETIRED_MODELS[model]}".', "model"
            )
        if status in {429, 503, 529}:
            after = _retry_after(response.headers.get("retry-after"), self._wall())
            words = "has too many requests at once" if status == 429 else "is overloaded"
            return Unavailable(f"{host} {words} ({status}): asking again later.", "busy", retry_after=after)
        if status >= 500:
            after = _retry_after(response.headers.get("retry-after"), self._wall())
            words = "has a fault of its own"
            return Unavailable(f"{host} {words} ({status}): asking again later.", "down", retry_after=after)
        if status == 408:
            return Unavailable(
                f"{host} waited too long for the request (408): asking again later.", "network"
            )
        if 300 <= status < 400:
            where = _redirected(response.headers.get("location", ""), self._api_key or "")
            return Refused(
                f"{host} redirects{where} ({status}), which is not followed: correct baseUrl.", "address"
            )
        if status < 300:
            return _garbage(host)
        if status in {401, 403}:
            return Refused(
                f"{host} does not accept the API key ({status}): check DEEPSEEK_API_KEY or apiKey.", "key"
            )
        if status == 402:
            return Refused(f"The balance of the account at {host} is used up (402): top it up.", "balance")
        if status == 407:
            return Refused(_PROXY_KEY, "address")
        if status == 404 and model is not None:
            return Refused(
                f'{host} knows no model "{redact_line(model)}" at this address (404): check model and baseUrl.',
                "model",
            )
        if status in {404, 405, 410, 451}:
            words = "does not offer what was asked for at this address"
            return Refused(f"{host} {words} ({status}): check baseUrl.", "address")
        named = await _named_parameter(response, limit)
        return Refused(
            f"{host} does not accept {named or 'the request'} ({status}): check the settings.", "parameter"
        )


_BAD_ADDRESS = (
    "The address of the service or of its proxy cannot be used: check baseUrl, HTTPS_PROXY and SSL_CERT_FILE."
)
_BROKE_OFF = "broke off: asking again later."
_PROXY_KEY = "The proxy asks for a user name and password (407): put them into HTTPS_PROXY."
_ROOM = 1 << 20  # bytes of an answer besides its text: keep-alives, usage
_ROOM_PER_TOKEN = 4 << 10  # bytes of an event; real ones have about 300
_CHARACTERS_PER_TOKEN = 128  # the longest tokens are runs of blanks
_PATIENCE = 10.0  # seconds, for what is not a completion
_AFTERWORD = 0.02  # seconds for the end of a body after the end of its text
_LONGEST_REST = 600.0  # seconds: the most that Retry-After is believed
_PARAMETERS = frozenset({"max_tokens", "temperature", "stop", "prompt", "suffix", "model"})


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
    return _whole(json.dumps(body, ensure_ascii=False, separators=(",", ":"))).encode()


def _whole(text: str) -> str:
    """The text with halves of characters joined where they meet, and replaced where they stand alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


@dataclass(frozen=True, slots=True)
class _Limit:
    """How long a request may take, and what any way of failing means for the user."""

    clock: Callable[[], float]
    end: float
    host: str

    def left(self) -> float:
        return max(0.0, self.end - self.clock())

    @contextmanager
    def named(self, *, alone: bool = False) -> Iterator[None]:
        """Every error of the layers below as one of the two that leave this module.

        `alone`: text was received, so that running out of time says nothing about the next request.
        """
        try:
            yield
        except TimeoutError:
            raise Unavailable(
                f"{self.host} took too long: asking again later.", "deadline", alone=alone
            ) from None
        except (httpx.DecodingError, httpx.StreamError, httpx_sse.SSEError):
            raise _garbage(self.host) from None
        except (httpx.InvalidURL, UnicodeError):
            raise Refused(_BAD_ADDRESS, "address") from None
        except (httpx.HTTPError, OSError) as error:
            raise _lost(error, self.host) from None


def _lost(error: Exception, host: str) -> ServiceError:
    """What a failed connection means for the user."""
    causes = list(_causes(error))
    if isinstance(error, httpx.ProxyError):
        if str(error).startswith("407"):
            return Refused(_PROXY_KEY, "address")
        return Unavailable(
            f"The proxy does not let the request through to {host}: check HTTPS_PROXY.", "network"
        )
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return Refused(_BAD_ADDRESS, "address")
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        words = "shows a certificate that is not trusted: check the clock, the proxy and SSL_CERT_FILE"
        return Unavailable(f"{host} {words}.", "network")
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Unavailable(f"{host} is not found by name: check the network and baseUrl.", "network")
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Unavailable(
            f"{host} does not agree on a secure connection: check baseUrl and the proxy.", "network"
        )
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | ConnectionRefusedError):
        return Unavailable(f"{host} cannot be reached: check the network and baseUrl.", "network")
    return Unavailable(f"The connection to {host} {_BROKE_OFF}", "network")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _garbage(host: str) -> Unavailable:
    return Unavailable(
        f"{host} answers with something that is no completion: check baseUrl and the proxy.", "garbage"
    )


def _retry_after(value: str | None, now: float) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3); None if it holds neither."""
    if value is None:
        return None
    if re.fullmatch(r"\s*\d{1,9}(\.\d{0,9})?\s*", value, re.ASCII):
        return min(float(value), _LONGEST_REST)
    try:
        return min(max(0.0, parsedate_to_datetime(value).timestamp() - now), _LONGEST_REST)
    except (ValueError, OverflowError, OSError):
        return None


def _redirected(location: str, api_key: str) -> str:
    """Where a redirect leads, as far as it is safe to repeat."""
    try:
        host = urlsplit(location).hostname or ""
    except ValueError:
        return ""
    safe = re.fullmatch(r"[a-z0-9.-]{1,100}", host) and not (api_key and api_key.lower() in host)
    return f" to {host}" if safe else ""


async def _named_parameter(response: httpx.Response, limit: _Limit) -> str | None:
    """The one of our own parameters that an error names, if it does."""
    response.stream = _Bounded(response.stream, limit, 64 << 10)
    try:
        with limit.named():
            async with asyncio.timeout(min(1.0, limit.left())):
                param = _object(await _read(response), limit.host)["error"]["param"]
    except (ServiceError, KeyError, TypeError):
        return None
    return param if isinstance(param, str) and param in _PARAMETERS else None


class _Bounded(httpx.AsyncByteStream):
    """A body that ends in an error after so many bytes, or past the deadline."""

    def __init__(self, stream: Any, limit: _Limit, most: int) -> None:
        self._stream = stream
        self._limit = limit
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._most
        async for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise httpx.DecodingError("too long")
            if not self._limit.left():  # a peer that always has more to say lets no timer run
                raise TimeoutError
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _read(response: httpx.Response) -> bytes:
    return b"".join([chunk async for chunk in response.aiter_raw()])


def _object(data: str | bytes, host: str) -> dict[str, Any]:
    try:
        value = json.loads(data, strict=False)  # the service leaves some control characters as they are
    except (ValueError, RecursionError):
        raise _garbage(host) from None
    if not isinstance(value, dict):
        raise _garbage(host)
    return value


def _usage(value: Any) -> Usage | None:
    if not isinstance(value, dict) or "prompt_tokens" not in value:
        return None
    numbers = [
        value.get(name) or 0 for name in ("prompt_tokens", "prompt_cache_hit_tokens", "completion_tokens")
    ]
    if all(type(number) is int and number >= 0 for number in numbers):
        return Usage(*numbers)
    log.warning("A bill that holds no numbers of tokens is taken as none.")
    return None
