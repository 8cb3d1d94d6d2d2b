"""Serving one client, on stdin and stdout or on a TCP port, until it is gone; then everything is left in order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fim_lsp.lsp import process
from fim_lsp.lsp.framing import begins
from fim_lsp.lsp.jsonrpc import CHUNK, FileWriter, LoopWriter, listen, protected, stdio

if TYPE_CHECKING:
    from fim_lsp.lsp.session import Server

log = logging.getLogger(__name__)

TERMINATED = 128  # and the signal's number: the exit code, as shells have it
FAREWELL = 1.0  # seconds for the client to read the last answers


def serve_stdio(server: Server, watch_every: float = process.EVERY) -> int:
    """Serve on stdin and stdout until the client leaves, or its process or the one that started this has ended.

    Returns the exit code.
    """
    starter = process.starter()
    stdin, stdout = protected()
    server.watch_every = watch_every

    async def main() -> int:
        server.run(server.watch_starter(starter, watch_every))
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


async def _until_terminated(work: Coroutine[Any, Any, int]) -> int:
    """The exit code of what is done, which a signal ends early, so that all the rest is left in order."""
    task = asyncio.ensure_future(work)
    code = TERMINATED

    def terminate(number: int) -> None:
        nonlocal code
        code = TERMINATED + number
        task.cancel()

    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        with suppress(
            AttributeError, NotImplementedError, RuntimeError
        ):  # on Windows; beside the main thread
            number = getattr(signal, name)
            asyncio.get_running_loop().add_signal_handler(number, terminate, number)
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
    return code if task.cancelled() else task.result()


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
    await server.aclose()
    await writer.drained(FAREWELL)
    return code


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
