"""The demo endpoint in process: an httpx transport without a socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from fim_lsp.demo.endpoint import BrokenStreamError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fim_lsp.demo.endpoint import Demo, Reply


class DemoTransport(httpx.AsyncBaseTransport):
    """Answers every request of an `httpx.AsyncClient` from `demo`, whatever host it names.

    Streams as it generates; closing the response cuts the completion. The client's read time-out holds
    between two chunks and raises `httpx.ReadTimeout`; a stream that breaks off raises
    `httpx.RemoteProtocolError`, as over a socket.
    """

    def __init__(self, demo: Demo) -> None:
        self.demo = demo

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand the request to the demo endpoint."""
        body = await request.aread()
        path = request.url.raw_path.decode("ascii")
        reply = await self.demo.respond(request.method, path, dict(request.headers), body)
        read_s = request.extensions.get("timeout", {}).get("read")
        return httpx.Response(reply.status, headers=reply.headers, stream=_Stream(reply, request, read_s))


class _Stream(httpx.AsyncByteStream):
    def __init__(self, reply: Reply, request: httpx.Request, read_s: float | None) -> None:
        self._reply = reply
        self._request = request
        self._read_s = read_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(self._read_s):
                    chunk = await anext(self._reply.chunks)
            except StopAsyncIteration:
                return
            except BrokenStreamError:
                message = "peer closed connection without sending complete message body"
                raise httpx.RemoteProtocolError(message, request=self._request) from None
            except TimeoutError:
                raise httpx.ReadTimeout("no byte in time", request=self._request) from None
            yield chunk

    async def aclose(self) -> None:
        await self._reply.aclose()
