"""Requests by way of a proxy, over httpx's own connections: one that died while it was unused is no failure."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from fim_lsp.endpoint.proxies import Proxy
from fim_lsp.endpoint.trust import UnusableError, verifying
from fim_lsp.words.sentence import Sentence

_NO_WORD = (
    "without sending a response"  # httpcore's words for a connection that closed before its answer began
)


class Pool:
    """Connections through the proxy, and how many answers are being read over them."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.reading = 0
        self.left = False  # whether nothing more is asked over it

    async def done(self) -> None:
        """An answer was read, or cut."""
        self.reading -= 1
        await self.tidied()

    async def tidied(self) -> None:
        """Close it, if it was left and nobody reads."""
        if self.left and not self.reading:
            await self.inner.aclose()


class Proxied(httpx.AsyncBaseTransport):
    """Sends requests through a proxy, and asks once more over a new connection where an old one turns out to be dead.

    `make` gives a transport of httpx's that goes through the proxy.
    """

    def __init__(
        self,
        make: Callable[[], httpx.AsyncBaseTransport],
        *,
        keep: float,
        silence: float,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`keep`: seconds for which an unused connection is trusted; `silence`: those after which none is."""
        self._make = make
        self._keep = keep
        self._silence = silence
        self._clock = clock
        self._wall = wall
        self._pool = Pool(make())
        self._used = wall()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the response's stream must be closed."""
        # The monotonic clock, by which httpx lets connections go, may have stood still while the machine slept.
        if self._wall() - self._used > self._keep:
            await self._leave()
        asked, fresh = self._clock(), False

        async def trace(name: str, _: Mapping[str, Any]) -> None:
            nonlocal fresh
            fresh = fresh or "connect" in name.rpartition(".")[0].rpartition(".")[2]

        request.extensions = {**request.extensions, "trace": trace}
        try:
            return await self._ask(request)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
            if fresh or (isinstance(error, httpx.RemoteProtocolError) and _NO_WORD not in str(error)):
                raise
            await self._leave()
            return await self._ask(request)
        except asyncio.CancelledError:
            if not fresh and self._clock() - asked >= silence_of(request, self._silence):
                await self._leave()
            raise
        finally:
            self._used = self._wall()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.inner.aclose()

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        pool = self._pool
        pool.reading += 1
        try:
            response = await pool.inner.handle_async_request(request)
        except BaseException:
            await pool.done()
            raise
        response.stream = _Stream(cast("httpx.AsyncByteStream", response.stream), pool)
        return response

    async def _leave(self) -> None:
        """Trust none of the connections that stand unused; those that are being read from go on."""
        pool, self._pool = self._pool, Pool(self._make())
        pool.left = True
        await pool.tidied()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, pool: Pool) -> None:
        self._inner = inner
        self._pool: Pool | None = pool

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._inner:
            yield data

    async def aclose(self) -> None:
        """Give the connection back, or close it where something of the answer was not read."""
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                await self._inner.aclose()
            finally:
                await pool.done()


def silence_of(request: httpx.Request, most: float) -> float:
    """Seconds without a byte after which a connection is taken for dead: nearly all that the request has, `most` at most.

    The extension `patience` of a request says how many seconds it has.
    """
    return min(most, 0.9 * float(request.extensions.get("patience", most)))


def proxied(base_url: str, proxy: Proxy, ca_file: str | None, *, keep: float, silence: float) -> Proxied:
    """A transport through a proxy; UnusableError where the proxy is of a kind that cannot be used."""
    secure = "https" in {urlsplit(base_url).scheme, urlsplit(proxy.url).scheme}
    # Where nothing is encrypted nobody need be believed.
    context = verifying(ca_file, os.environ) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        way = httpx.Proxy(proxy.url, ssl_context=context if proxy.url.startswith("https:") else None)
        limits = httpx.Limits(keepalive_expiry=keep)
        return Proxied(
            lambda: httpx.AsyncHTTPTransport(verify=context, proxy=way, limits=limits),
            keep=keep,
            silence=silence,
        )
    except (ImportError, RuntimeError):  # httpx's word for it, and httpcore's
        why = Sentence(
            "{name} names a SOCKS proxy, which needs an extra: pip install 'fim-lsp[socks]'",
            name=proxy.named_by,
        )
    except (ValueError, httpx.InvalidURL):
        why = Sentence(
            "{name} names a proxy of a kind that cannot be used: it must begin with http://, https:// or socks5://",
            name=proxy.named_by,
        )
    raise UnusableError(why)
