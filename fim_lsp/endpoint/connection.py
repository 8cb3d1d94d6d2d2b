"""One connection over HTTP/1.1, for one request after the other: h11 speaks, asyncio carries."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

import h11
import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

_NEXT = 0.5  # seconds for one of several addresses to answer
_MOST_HELD = 256 << 10  # bytes received and not yet read before the peer is told to wait
_MOST_CHUNKS = 20_000  # of one answer; real ones have about one a token
_AT_ONCE = 16 << 10  # bytes given on, or
_CHUNKS_AT_ONCE = 1_000  # chunks taken in, before others have a turn of the loop


class Connection(asyncio.Protocol):
    """One connection, from being opened to its end."""

    def __init__(self, lost: Callable[[Connection], None]) -> None:
        self.since = self.since_wall = 0.0
        self.heard = False  # whether anything of the present answer was received
        self.ended = False  # whether it is of no more use
        self.spurned = False  # whether the peer spoke or left before it was asked
        self.gone = asyncio.Event()
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=64 << 10)
        self._expiry: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._busy = False
        self._chunks = 0  # of the present answer
        self._held = 0
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection alive through a person's pauses, and notice when it is not."""
        self._transport = cast("asyncio.Transport", transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            for level, option, value in _socket_options():
                with suppress(OSError):
                    sock.setsockopt(level, option, value)

    def data_received(self, data: bytes) -> None:
        """Take in a part of an answer; what comes unasked ends the connection."""
        if not self._busy or self.ended:
            self.spurned = self.spurned or not self.ended
            self.abort()
            return
        self.heard = True
        self._http.receive_data(data)
        self._held += len(data)
        if self._held > _MOST_HELD and self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Nothing more comes from the peer."""
        if not self.ended:
            self.ended, self.spurned = True, not self._busy
            self._http.receive_data(b"")
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes or goes."""
        if exc is None:
            self.eof_received()
        elif not self.ended:
            self.ended, self.spurned = True, not self._busy  # a reset is no proper end of an answer
        self._wake()
        if self._expiry is not None:
            self._expiry.cancel()
        self.gone.set()
        self._lost(self)

    def rest(self, seconds: float, now: float, wall: float) -> None:
        """Stand ready, for so long at most."""
        self._busy = False
        self.since, self.since_wall = now, wall
        self._expiry = asyncio.get_running_loop().call_later(seconds, self.abort)

    def take(self) -> None:
        """Stand ready no longer."""
        self._busy, self.heard, self._chunks = True, False, 0
        if self._expiry is not None:
            self._expiry.cancel()

    def abort(self) -> None:
        """Close at once, without a word to the peer."""
        self.ended = True
        if self._transport is not None:
            self._transport.abort()

    async def ask(self, request: httpx.Request, body: bytes) -> h11.Response:
        """Send a request and return the head of its answer; whatever keeps it from that ends the connection."""
        try:
            with _named():
                self._send(request, body)
                while True:
                    event = self._http.next_event()
                    if isinstance(event, h11.Response):
                        return event
                    if isinstance(event, h11.ConnectionClosed):
                        self.ended = True
                    if not isinstance(event, h11.InformationalResponse):
                        await self._more()
        except BaseException:
            self.abort()
            raise

    def _send(self, request: httpx.Request, body: bytes) -> None:
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        parts = [
            self._http.send(head),
            self._http.send(h11.Data(data=body)),
            self._http.send(h11.EndOfMessage()),
        ]
        assert self._transport is not None
        self._transport.write(b"".join(part for part in parts if part))

    async def read(self) -> bytes:
        """What there is of the body, at least one byte; nothing at its end."""
        chunks: list[bytes] = []
        with _named():
            while self._http.their_state is h11.SEND_BODY and len(chunks) < _CHUNKS_AT_ONCE:
                try:
                    event = self._http.next_event()
                except h11.RemoteProtocolError:
                    if chunks:
                        break  # it is raised when asked for more
                    raise
                if isinstance(event, h11.Data):
                    chunks.append(bytes(event.data))
                elif event is h11.NEED_DATA:
                    if chunks:
                        break
                    await self._more()
        if not chunks and self._http.their_state is h11.ERROR:
            raise httpx.RemoteProtocolError("not HTTP")
        self._chunks += len(chunks)
        if self._chunks > _MOST_CHUNKS:
            raise httpx.DecodingError("too many chunks")
        return b"".join(chunks)

    def renewed(self) -> bool:
        """Whether it can take another request: the answer has come to its end, and nothing came after it."""
        try:
            for _ in range(_CHUNKS_AT_ONCE):  # the end may be here, though nobody read so far
                if self._http.their_state is not h11.SEND_BODY or self._http.next_event() is h11.NEED_DATA:
                    break
        except h11.RemoteProtocolError:
            return False
        over = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if self.ended or not over or self._http.trailing_data[0]:
            return False
        self._http.start_next_cycle()
        return True

    async def _more(self) -> None:
        """Wait until there is more to read."""
        if self.ended:
            raise httpx.ReadError("broke off")
        self._held = 0
        assert self._transport is not None
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Body(httpx.AsyncByteStream):
    """The body of an answer."""

    def __init__(self, connection: Connection, give_back: Callable[[Connection], None]) -> None:
        self._connection = connection
        self._give_back = give_back
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self._connection.read():
            for start in range(0, len(data), _AT_ONCE):
                yield data[start : start + _AT_ONCE]
                await asyncio.sleep(0)  # what came in a flood is not read in one go

    async def aclose(self) -> None:
        """Give the connection back."""
        if not self._closed:
            self._closed = True
            self._give_back(self._connection)


async def connected_socket(host: str, port: int) -> socket.socket:
    """A socket connected to one of a host's addresses; an address that keeps silent is soon left for the next.

    Not asyncio's own race of addresses, which in Python 3.11 loses a socket when it is cancelled.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    first = {info[0]: info for info in reversed(found)}
    error: OSError | None = None
    # The first address of each family comes before all others: often one whole family leads nowhere.
    addresses = sorted(found, key=lambda info: info is not first[info[0]])
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            async with asyncio.timeout(None if address is addresses[-1][4] else _NEXT):
                await loop.sock_connect(sock, address)
        except OSError as failed:  # a TimeoutError, too
            sock.close()
            error = failed
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise error or OSError("no address")


@contextmanager
def _named() -> Iterator[None]:
    """h11's errors as httpx's."""
    try:
        yield
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError("not HTTP") from error
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError("not HTTP") from error


def _socket_options() -> Iterator[tuple[int, int, int]]:
    yield socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1
    # Seconds of silence before the first probe, between probes, and how many may go unanswered.
    for name, value in (
        ("TCP_KEEPIDLE", 45),
        ("TCP_KEEPALIVE", 45),
        ("TCP_KEEPINTVL", 10),
        ("TCP_KEEPCNT", 3),
    ):
        if hasattr(socket, name):
            yield socket.IPPROTO_TCP, getattr(socket, name), value
