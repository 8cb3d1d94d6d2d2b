"""Connections to the endpoint that stand ready before they are needed, so that cutting a stream costs nothing.

A stream that is no longer wanted must end at the service, too.  Over HTTP/1.1 that takes closing its connection, which
is sure; what it costs is a new connection for the next request, three round trips instead of one.  So another one is
always opened, TLS and all, as soon as the last one that stood ready is taken.  (HTTP/2 resets a stream without losing
the connection, but no client library for asyncio does so reliably.)
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import h11
import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator

# Seconds.
_KEEP = 300.0  # a connection is kept unused for this long: a person's pauses
_RECENT = 60.0  # the user counts as active for this long after a request
_STEADY = 5.0  # what the peer closes sooner is not replaced at once
_SILENCE = 5.0  # after so long without a byte, connections of the same age are not trusted
_NEXT = 0.5  # for one of several addresses to answer
_PATIENCE = 10.0  # for opening a connection

_MOST_READY = 3
_MOST_HELD = 256 << 10  # bytes received and not yet read before the peer is told to wait
_MOST_CHUNKS = 20_000  # of one answer; real ones have about one a token
_AT_ONCE = 16 << 10  # bytes given on, or
_CHUNKS_AT_ONCE = 1_000  # chunks taken in, before others have a turn of the loop


def transport(base_url: str) -> httpx.AsyncBaseTransport:
    """A transport for the endpoint: `Transport`, or httpx's own where the environment names a proxy for it.

    Raises `ValueError` or `ImportError` where the proxy is of a kind that cannot be used, and, with a proxy, `OSError`
    where SSL_CERT_FILE cannot be read.
    """
    proxy = _proxy(base_url)
    if proxy is None:
        return Transport(base_url)
    return httpx.AsyncHTTPTransport(proxy=proxy, limits=httpx.Limits(keepalive_expiry=_KEEP))


class Transport(httpx.AsyncBaseTransport):
    """Sends requests to one origin, each over a connection that stood ready, and asks once more over a new one where
    the old one turns out to have died while it was unused.

    `context` verifies certificates; without it, it is made from SSL_CERT_FILE or certifi when first needed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or ""
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        if context is not None:
            self._context = context
        self._clock = clock
        self._wall = wall
        self._ready: list[_Connection] = []  # the one used last stands last, and serves next
        self._live: set[_Connection] = set()
        self._openings: set[asyncio.Task[_Connection]] = set()
        self._waiting = 0
        self._asked = self._cut = -_RECENT  # when a request was last sent, when a stream was last cut
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the response's stream must be closed, and closing it early closes its connection."""
        asked = self._asked = self._clock()
        body = b"".join([chunk async for chunk in cast("httpx.AsyncByteStream", request.stream)])
        connection, rested = await self._take()
        try:
            head = await connection.ask(request, body)
        except httpx.TransportError:
            if not rested or connection.heard:
                raise
            # It died unnoticed, and those that waited beside it are no better.
            self._forget()
            connection, _ = await self._take()
            head = await connection.ask(request, body)
        except asyncio.CancelledError:
            self._cut = self._clock()
            if rested and not connection.heard and self._clock() - asked > _SILENCE:
                self._forget()
            raise
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            stream=_Body(connection, self._give_back),
            extensions={"http_version": b"HTTP/" + head.http_version, "reason_phrase": bytes(head.reason)},
        )

    async def warm(self) -> None:
        """Have a connection ready; cheap if there is one, and never raises."""
        if not self._closed and not self._standing() and not self._openings:
            self._open()
        if self._openings and not self._ready:
            await asyncio.wait(self._openings)

    async def aclose(self) -> None:
        """Close every connection, and wait until the last is gone."""
        self._closed = True
        openings = list(self._openings)
        for opening in openings:
            opening.cancel()
        await asyncio.gather(*openings, return_exceptions=True)
        for connection in list(self._live):
            connection.abort()
            await connection.gone.wait()

    async def _take(self) -> tuple[_Connection, bool]:
        """A connection, and whether it had stood unused before this was called."""
        rested = True
        while not self._standing():
            rested = False
            if self._closed:
                raise httpx.ConnectError("closed")
            if self._waiting >= len(self._openings):
                self._open()
            self._waiting += 1
            try:
                done, _ = await asyncio.wait(self._openings, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._waiting -= 1
            if not self._standing() and not self._closed:
                for opening in done:
                    if opening.result().spurned:
                        raise httpx.ConnectError("closed at once")
        connection = self._ready.pop()
        connection.take()
        wanted = 2 if self._clock() - self._cut < _RECENT / 2 else 1
        while len(self._ready) + len(self._openings) - self._waiting < wanted:
            self._open()
        return connection, rested

    def _standing(self) -> bool:
        """Whether a connection stands ready; those that are too old for trust are closed."""
        now, wall = self._clock(), self._wall()
        for connection in list(self._ready):
            # The monotonic clock may have stood still while the machine slept.
            if connection.ended or max(now - connection.since, wall - connection.since_wall) > _KEEP:
                self._ready.remove(connection)
                connection.abort()
        return bool(self._ready)

    def _open(self) -> None:
        """Begin to open a connection, which will stand ready; what it fails of is known to those who wait for it."""
        opening = asyncio.create_task(self._connect())
        self._openings.add(opening)
        opening.add_done_callback(self._opened)

    def _opened(self, opening: asyncio.Task[_Connection]) -> None:
        self._openings.discard(opening)
        if not opening.cancelled():
            opening.exception()  # nobody need have waited for it

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        connection = _Connection(self._lost)
        context = self._context if self._tls else None
        try:
            async with asyncio.timeout(_PATIENCE):
                await loop.create_connection(
                    lambda: connection,
                    sock=await _connected(self._host, self._port),
                    ssl=context,
                    server_hostname=self._host if self._tls else None,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("took too long to connect") from error
        except OSError as error:
            raise httpx.ConnectError("cannot connect") from error
        if connection.ended:
            raise httpx.ConnectError("closed at once")
        self._live.add(connection)
        if len(self._ready) >= _MOST_READY + self._waiting:
            # Whoever it was opened for has gone.
            connection.abort()
        else:
            self._rest(connection, 0)
        return connection

    @cached_property
    def _context(self) -> ssl.SSLContext:
        try:
            context = httpx.create_ssl_context()
        except OSError as error:
            raise httpx.UnsupportedProtocol("SSL_CERT_FILE or SSL_CERT_DIR cannot be read") from error
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _rest(self, connection: _Connection, index: int) -> None:
        connection.rest(_KEEP, self._clock(), self._wall())
        self._ready.insert(index, connection)

    def _give_back(self, connection: _Connection) -> None:
        """What becomes of a connection after its answer was read, or cut."""
        if not self._closed and connection.renewed() and len(self._ready) < _MOST_READY:
            self._rest(connection, len(self._ready))
            return
        connection.abort()
        if not self._closed:
            self._cut = self._clock()
            if not self._ready and not self._openings:
                self._open()

    def _lost(self, connection: _Connection) -> None:
        """Called by every connection at its end."""
        self._live.discard(connection)
        if connection not in self._ready:
            return
        self._ready.remove(connection)
        now = self._clock()
        active = now - self._asked < _RECENT and now - connection.since > _STEADY
        if active and not self._closed and not self._ready and not self._openings:
            self._open()

    def _forget(self) -> None:
        while self._ready:
            self._ready.pop().abort()


class _Connection(asyncio.Protocol):
    """One connection, for one request after the other: h11 speaks, asyncio carries."""

    def __init__(self, lost: Callable[[_Connection], None]) -> None:
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


class _Body(httpx.AsyncByteStream):
    """The body of an answer."""

    def __init__(self, connection: _Connection, give_back: Callable[[_Connection], None]) -> None:
        self._connection = connection
        self._give_back = give_back
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self._connection.read():
            for start in range(0, len(data), _AT_ONCE):
                yield data[start : start + _AT_ONCE]
                await asyncio.sleep(0)  # what came in a flood is not read in one go

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._give_back(self._connection)


async def _connected(host: str, port: int) -> socket.socket:
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


def _proxy(base_url: str) -> str | None:
    """The proxy that the environment names for an address."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if host in {"localhost", "::1"} or host.startswith("127.") or proxy_bypass(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"
