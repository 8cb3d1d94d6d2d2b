"""The demo endpoint on a loopback socket: HTTP/1.1, as `curl` and any client of the service speak it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

import h11

from fim_lsp.demo.endpoint import KEY, BrokenStreamError, Demo
from fim_lsp.demo.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fim_lsp.demo.endpoint import Reply

HEADERS_AT_MOST: Final = 32 * 1024
BODY_AT_MOST: Final = 8 * 1024 * 1024
_EXAMPLE: Final = "def total(prices):\n    return sum(prices)\n\n\ndef mean(prices):\n    return s"
_READ: Final = 64 * 1024


async def start(demo: Demo, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Serve `demo` on a loopback address; port 0 takes any free one.

    Raises ValueError for an address that others can reach, OSError where the port is taken.
    """
    if not _loopback(host):
        raise ValueError(f"the demo endpoint serves on loopback only, not on {host}")
    server = Server(demo)
    await server.listen(host, port)
    return server


async def run(host: str, port: int, say: Callable[[str], None], folder: Path | None = None) -> None:
    """Serve until cancelled; `say` gets the base URL and three commands to try, a line each.

    `folder` holds source files for the model to learn from. Raises what `start` raises.
    """
    server = await start(Demo(Model(folder)), host, port)
    try:
        root = server.base_url.removesuffix("/beta")
        auth = f"-H 'Authorization: Bearer {KEY}'"
        body = {"model": "deepseek-flash", "prompt": _EXAMPLE, "suffix": "\n"}
        streamed = json.dumps({**body, "stream": True, "stream_options": {"include_usage": True}})
        say(f"The demo endpoint serves at {server.base_url} (any key will do; Ctrl+C ends it). Try:")
        say(f"  curl {server.base_url}/completions {auth} -d '{_shell(json.dumps(body))}'")
        say(f"  curl -N {server.base_url}/completions {auth} -d '{_shell(streamed)}'")
        say(f"  curl {root}/user/balance -H 'Authorization: Bearer {KEY}-402'")
        await asyncio.get_running_loop().create_future()
    finally:
        await server.aclose()


class Server:
    """A listening demo endpoint."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.base_url = ""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> None:
        """Open the socket and set `base_url`, which ends in `/beta`."""
        self._server = await asyncio.start_server(self._serve, host, port)
        name, bound, *_ = self._server.sockets[0].getsockname()
        self.base_url = f"http://{f'[{name}]' if ':' in name else name}:{bound}/beta"

    async def aclose(self) -> None:
        """Close the socket and cut every connection."""
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        connection = _Connection(self.demo, reader, writer)
        try:
            # A cancelled connection ends quietly: asyncio would print the cancellation otherwise.
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await connection.serve()
        finally:
            self._connections.discard(task)
            connection.close()


class _Connection:
    """One client's connection, for one request after another."""

    def __init__(self, demo: Demo, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._demo = demo
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEADERS_AT_MOST)
        self._reading: asyncio.Task[bytes] | None = None

    def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._writer.close()

    async def serve(self) -> None:
        while True:
            try:
                request = await self._request()
            except h11.RemoteProtocolError as error:
                await self._refuse(error.error_status_hint)
                return
            if request is None:
                return
            head, body = request
            if body is None:
                await self._refuse(413)
                return
            # A value may hold any bytes above ASCII, which Latin-1 keeps.
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
            target, method = head.target.decode("latin-1"), head.method.decode("latin-1")
            reply = await self._demo.respond(method, target, headers, body)
            try:
                if not await self._send(reply):
                    return
            finally:
                await reply.aclose()
            if self._http.our_state is h11.MUST_CLOSE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _request(self) -> tuple[h11.Request, bytes | None] | None:
        """Read a request; None where the client has gone, a body of None where it is too long."""
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    await self._write(h11.InformationalResponse(status_code=100, headers=[]))
                self._http.receive_data(await self._read())
            elif isinstance(event, h11.Request):
                head = event
                if int(dict(head.headers).get(b"content-length", b"0")) > BODY_AT_MOST:
                    return head, None
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_AT_MOST:
                    assert head is not None
                    return head, None
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                return head, bytes(body)
            else:
                return None

    async def _send(self, reply: Reply) -> bool:
        """Send an answer while watching the client; False where the connection is over."""
        reason = HTTPStatus(reply.status).phrase.encode("ascii")
        # Without a length h11 sends HTTP/1.1 clients chunks and ends the connection for older ones.
        await self._write(
            h11.Response(status_code=reply.status, headers=list(reply.headers.items()), reason=reason)
        )
        while True:
            step = asyncio.ensure_future(anext(reply.chunks, None))
            try:
                if await self._gone_before(step):
                    return False
                chunk = step.result()
            except BrokenStreamError:
                self._writer.transport.abort()
                return False
            finally:
                if not step.done():
                    step.cancel()
                    await asyncio.gather(step, return_exceptions=True)
            if chunk is None:
                await self._write(h11.EndOfMessage())
                return True
            await self._write(h11.Data(data=chunk))

    async def _gone_before(self, step: asyncio.Future[bytes | None]) -> bool:
        """Wait for `step`; True where the client goes first."""
        while not step.done():
            waiting = self._reading = self._reading or asyncio.ensure_future(self._reader.read(_READ))
            if waiting.done() and waiting.result():
                # The next request came early: it is read once this one is answered.
                await asyncio.wait({step})
                break
            both: set[asyncio.Future[Any]] = {step, waiting}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done() and (waiting.exception() or not waiting.result()):
                return True
        return False

    async def _read(self) -> bytes:
        if self._reading is None:
            return await self._reader.read(_READ)
        reading, self._reading = self._reading, None
        return await reading

    async def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def _refuse(self, status: int) -> None:
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        phrase = HTTPStatus(status).phrase
        error = {
            "message": phrase,
            "type": "invalid_request_error",
            "param": None,
            "code": "invalid_request_error",
        }
        body = json.dumps({"error": error}).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        await self._write(h11.Response(status_code=status, headers=headers, reason=phrase.encode("ascii")))
        await self._write(h11.Data(data=body))
        await self._write(h11.EndOfMessage())


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _shell(text: str) -> str:
    return text.replace("'", "'\\''")
