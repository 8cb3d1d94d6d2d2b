"""Connections to the endpoint that stand ready before they are needed, so that cutting a stream costs nothing.

A stream that is no longer wanted must end at the service, too.  Over HTTP/1.1 that takes closing its connection, which
is sure; what it costs is a new connection for the next request, three round trips instead of one.  So another one is
always opened, TLS and all, as soon as the last one that stood ready is taken.  (HTTP/2 resets a stream without losing
the connection, but no client library for asyncio does so reliably.)
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import cached_property
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httpx

from fim_lsp.endpoint.connection import Body, Connection, connected_socket
from fim_lsp.endpoint.proxied import proxied, silence_of
from fim_lsp.endpoint.proxies import proxy_for
from fim_lsp.endpoint.trust import verifying

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

# Seconds.
_KEEP = 300.0  # a connection is kept unused for this long: a person's pauses
_RECENT = 60.0  # the user counts as active for this long after a request
_STEADY = 5.0  # what the peer closes sooner is not replaced at once
_SILENCE = 5.0  # after so long without a byte, or all the time there was, connections of the same age are not trusted
_PATIENCE = 10.0  # for opening a connection

_MOST_READY = 3


def transport(base_url: str, ca_file: str | None = None) -> httpx.AsyncBaseTransport:
    """A transport for the endpoint: `Transport`, or one through the proxy that the environment or the system names.

    Raises `UnusableError` where the proxy is of a kind that cannot be used, and, with a proxy, where certificates
    cannot be read.
    """
    proxy = proxy_for(base_url, os.environ)
    if proxy is None:
        return Transport(base_url, ca_file=ca_file)
    return proxied(base_url, proxy, ca_file, keep=_KEEP, silence=_SILENCE)


class Transport(httpx.AsyncBaseTransport):
    """Sends requests to one origin, each over a connection that stood ready, and asks once more over a new one where
    the old one turns out to have died while it was unused.

    `context` verifies certificates; without it, `trust.verifying` makes it of `ca_file` when it is first needed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        context: ssl.SSLContext | None = None,
        ca_file: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or ""
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        if context is not None:
            self._context = context
        self._ca_file = ca_file
        self._clock = clock
        self._wall = wall
        self._ready: list[Connection] = []  # the one used last stands last, and serves next
        self._live: set[Connection] = set()
        self._openings: set[asyncio.Task[Connection]] = set()
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
            silent = silence_of(request, _SILENCE)
            if rested and not connection.heard and self._clock() - asked >= silent:
                self._forget()
            raise
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            stream=Body(connection, self._give_back),
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

    async def _take(self) -> tuple[Connection, bool]:
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

    def _opened(self, opening: asyncio.Task[Connection]) -> None:
        self._openings.discard(opening)
        if not opening.cancelled():
            opening.exception()  # nobody need have waited for it

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        connection = Connection(self._lost)
        context = self._context if self._tls else None
        try:
            async with asyncio.timeout(_PATIENCE):
                await loop.create_connection(
                    lambda: connection,
                    sock=await connected_socket(self._host, self._port),
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
        return verifying(self._ca_file)

    def _rest(self, connection: Connection, index: int) -> None:
        connection.rest(_KEEP, self._clock(), self._wall())
        self._ready.insert(index, connection)

    def _give_back(self, connection: Connection) -> None:
        """What becomes of a connection after its answer was read, or cut."""
        if not self._closed and connection.renewed() and len(self._ready) < _MOST_READY:
            self._rest(connection, len(self._ready))
            return
        connection.abort()
        if not self._closed:
            self._cut = self._clock()
            if not self._ready and not self._openings:
                self._open()

    def _lost(self, connection: Connection) -> None:
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
