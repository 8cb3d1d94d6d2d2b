"""A server on loopback, plain or TLS, that answers as a test tells it and notes what becomes of each connection."""

import asyncio
from contextlib import suppress

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


def chunk(data):
    """Bytes as one chunk of a body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


class Peer:
    """`answer(peer, writer, number)` writes the answer to the request of that number; true keeps the connection."""

    def __init__(self, answer):
        self.answer = answer
        self.accepted = 0  # connections, from 1
        self.asked_on = []  # the connection of each request
        self.ready_at = []  # how many connections had been accepted when each request came
        self.bodies = []
        self.cut = 0  # requests whose client left before the end of the answer
        self.open = {}

    async def start(self, context=None):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context, limit=1 << 26)
        self.port = self._server.sockets[0].getsockname()[1]
        scheme = "https" if context else "http"
        self.url = f"{scheme}://{'localhost' if context else '127.0.0.1'}:{self.port}"
        return self

    async def stop(self):
        self._server.close()
        for writer in list(self.open.values()):
            writer.transport.abort()
        while self.open:
            await asyncio.sleep(0.001)

    def close_all(self):
        """Close every connection, as a service does with those that are idle for long."""
        for writer in self.open.values():
            writer.close()

    async def _serve(self, reader, writer):
        self.accepted += 1
        me = self.accepted
        self.open[me] = writer
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._one(reader, writer, me):
                    pass
        finally:
            del self.open[me]
            writer.close()

    async def _one(self, reader, writer, me):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        self.bodies.append(await reader.readexactly(length))
        self.asked_on.append(me)
        self.ready_at.append(self.accepted)
        answer = asyncio.ensure_future(self.answer(self, writer, len(self.asked_on) - 1))
        gone = asyncio.ensure_future(reader.read(1))
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        over = answer.done()
        for task in (answer, gone):
            task.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await gone
        with suppress(asyncio.CancelledError, ConnectionError):
            await answer
        self.cut += not over
        return over and answer.result()


async def briefly(peer, writer, number):
    """A short whole answer."""
    writer.write(HEAD + chunk(b'data: {"choices":[{"text":"ok","finish_reason":"stop"}]}\n\n') + END)
    return True


async def without_end(peer, writer, number):
    """An answer that goes on until it is cut."""
    writer.write(HEAD)
    while True:
        writer.write(chunk(b'data: {"choices":[{"text":"x","finish_reason":null}]}\n\n'))
        await asyncio.sleep(0.005)
