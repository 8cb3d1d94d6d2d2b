"""Every way in which a service fails, as one table: what the endpoint does, and what the user sees of it.

A row is lived through by a real engine and a real client over real sockets, in a loop whose clock jumps over waiting: twenty
keys, one a second or as soon as the last is answered, while the endpoint fails as the row says; then keys until a text
comes again, with an endpoint that is well.  Chance is fixed at nine tenths, so a rest is as good as its longest.
"""

import asyncio
import dataclasses
import gzip
import json
import os
import selectors
import socket
import ssl
import struct
import tempfile
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import formatdate
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import trustme

from fim_lsp.completion.engine import Engine
from fim_lsp.endpoint.connection_pool import Transport
from fim_lsp.endpoint.service import Service
from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Document, Place

KEY = "sk-" + "0123456789abcdefghijklmn"
SECRET = "SECRET-ECHO"
URI = "file:///home/user/project/sums.py"
OPEN = "        result += \n"
TEXT = f"def total(items):\n    result = 0\n    for item in items:\n{OPEN}    return result\n"
LINE = 3
SAID = "item.value"
KEYS = 20
MORE = "".join(f"        result{n} += \n" for n in range(2 * KEYS))
CHANCE = 0.9
PATIENT = 700  # keys, after which nothing more is hoped for

GRACE = 0.003  # real seconds for which a socket is waited for, while an answer is, before the clock jumps


class Loop(asyncio.SelectorEventLoop):
    """An event loop in which waiting takes no time; `names` are the hosts it can resolve."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.idle = False  # whether nobody waits for an answer
        self.slept = 0.0  # seconds for which the machine slept, unseen by the monotonic clock
        self.names = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1"}
        super().__init__(_Selector(self))

    def time(self):
        return self.now

    def wall(self):
        """The calendar's seconds."""
        return 1_800_000_000.0 + self.now - 1000.0 + self.slept

    async def getaddrinfo(self, host, port, **_):
        address = self.names.get(host)
        if address is None:
            raise socket.gaierror(socket.EAI_NONAME, SECRET)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))]


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop):
        super().__init__()
        self._loop = loop

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and (timeout is None or timeout > 0):
            ready = [] if self._loop.idle and timeout is not None else super().select(GRACE)
            if not ready and timeout is not None:
                self._loop.now += timeout
        return ready


class Endpoint:
    """A server on loopback; `does` is what it does with a request, or with a connection if it is marked as early."""

    def __init__(self, loop):
        self.loop = loop
        self.does = well
        self.context = None
        self.asked = 0  # requests
        self.accepted = 0  # connections
        self.dead = 0  # so many of the first of them lead nowhere
        self.port = 0
        self._server = None
        self._wires = set()

    async def listen(self):
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self.context, limit=1 << 26
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def deaf(self):
        """Listen no longer."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def stop(self):
        self.deaf()
        for wire in list(self._wires):
            wire.writer.transport.abort()
        while self._wires:
            await asyncio.sleep(0)

    async def _serve(self, reader, writer):
        self.accepted += 1
        wire = JsonRpc(self, reader, writer)
        self._wires.add(wire)
        try:
            while True:
                if getattr(self.does, "early", False):
                    keep = await self.does(wire)
                else:
                    await wire.asked()
                    keep = await self.does(wire)
                if not keep:
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client has left
        finally:
            self._wires.discard(wire)
            with suppress(OSError):
                writer.close()


class JsonRpc:
    """One connection, from the endpoint's side."""

    def __init__(self, endpoint, reader, writer):
        self.endpoint = endpoint
        self.reader = reader
        self.writer = writer
        self.number = endpoint.accepted  # the first is 1
        self.turns = 0  # requests on this connection

    async def asked(self):
        """Read one request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            (line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        await self.reader.readexactly(int(length))
        self.turns += 1
        self.endpoint.asked += 1

    async def say(self, *parts):
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def wait(self, seconds=None):
        """Wait for so long, or until the client has left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                if not await self.reader.read(1):
                    raise ConnectionResetError

    def reset(self):
        """Leave without a goodbye."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Does = Callable[[JsonRpc], Awaitable[Any]]


# What an endpoint does: true keeps the connection.


def event(text=None, reason=None, **more):
    choices = [] if text is None else [{"index": 0, "text": text, "finish_reason": reason, "logprobs": None}]
    return b"data: " + json.dumps({"model": "deepseek-flash", "choices": choices, **more}).encode() + b"\n\n"


USED = {"prompt_tokens": 100, "completion_tokens": 3, "prompt_cache_hit_tokens": 64}
DONE = b"data: [DONE]\n\n"
FIRST = event("item.va")  # a beginning that is no whole text
WHOLE = event("item") + event(".value") + event("\n", "stop", usage=USED) + DONE
ERROR = {"error": {"message": f"{SECRET} {KEY} result +=", "type": KEY, "param": None, "code": KEY}}


def head(*fields, status="200 OK", kind="text/event-stream", chunked=True):
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {kind}"] if kind else []), *fields]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    return "\r\n".join([*lines, "", ""]).encode()


HEAD = head()


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


END = b"0\r\n\r\n"


async def well(wire):
    await wire.say(HEAD, chunk(WHOLE), END)
    return True


def streams(*parts, **how) -> Does:
    """A whole answer whose body has these parts, each a chunk."""

    async def does(wire):
        await wire.say(head(**how), *map(chunk, parts), END)
        return True

    return does


def raw(*parts, then="close") -> Does:
    """Bytes as they are; and then the connection is closed, kept, reset, or left alone until the client goes."""

    async def does(wire):
        await wire.say(*parts)
        if then == "reset":
            await wire.wait(0.05)  # a reset overtakes what was not yet read
            wire.reset()
        elif then == "wait":
            await wire.wait()
        return then == "keep"

    return does


def status(code, *fields, body=None, kind="application/json") -> Does:
    """A status with headers, and a body that repeats what must not be repeated."""
    data = json.dumps(ERROR).encode() if body is None else body

    async def does(wire):
        more = [field(wire.endpoint.loop.wall()) if callable(field) else field for field in fields]
        if code not in {204, 304}:
            more.append(f"Content-Length: {len(data)}")
        await wire.say(head(*more, status=f"{code} {SECRET}", kind=kind, chunked=False))
        if code not in {204, 304}:
            await wire.say(data)
        return True

    return does


def drips(piece, every, *first) -> Does:
    """A beginning, and then the same piece every so many seconds, for ever."""

    async def does(wire):
        await wire.say(*first)
        while True:
            await wire.wait(every)
            await wire.say(piece)

    return does


def floods(piece, *first) -> Does:
    """The same piece again and again, as fast as it is read."""

    async def does(wire):
        await wire.say(*first)
        while True:
            await wire.say(piece)

    return does


def early(does: Does) -> Does:
    """Done as soon as a client connects, before its request is read."""

    async def at_once(wire):
        return await does(wire)

    at_once.early = True
    return at_once


def later(seconds, does: Does) -> Does:
    """Done after so many seconds."""

    async def late(wire):
        await wire.wait(seconds)
        return await does(wire)

    return late


def first(times, does: Does) -> Does:
    """Done with so many requests; the others are answered."""

    async def sometimes(wire):
        return await (does if wire.endpoint.asked <= times else well)(wire)

    return sometimes


async def dribbles_its_head(wire):
    for byte in HEAD * 100:
        await wire.say(bytes([byte]))
        await wire.wait(0.5)


async def says_nothing_more_after_a_sleep(wire):
    """The machine sleeps for an hour, and the connection does not outlive it."""
    await wire.say(HEAD, chunk(b": keep-alive\n\n"))
    await wire.wait(0.01)
    wire.endpoint.loop.now += 3600
    await wire.wait()


async def sleeps_with_a_clock_that_stands_still(wire):
    """The same where the monotonic clock does not count sleep: every connection of before is a black hole."""
    await wire.say(HEAD, chunk(b": keep-alive\n\n"))
    await wire.wait(0.01)
    wire.endpoint.loop.slept += 3600
    while True:
        await wire.wait()


async def comes_late(wire):
    await wire.say(HEAD)
    for _ in range(4):
        await wire.wait(2.25)
        await wire.say(chunk(b": keep-alive\n\n"))
    await wire.say(chunk(WHOLE), END)
    return True


async def closes_what_is_idle(wire):
    await well(wire)
    await wire.wait(0.5)
    return False


async def closes_at_the_next_key(wire):
    """The service's patience with idle connections is just the pause between two keys."""
    await well(wire)
    await wire.wait(1.0)
    return False


async def closes_once_it_is_asked_again(wire):
    """The request's bytes are there, and the connection is closed in good order without a word."""
    return wire.turns == 1 and await well(wire)


def goes_dead(times) -> Does:
    """After so many requests every connection that there is leads nowhere: no word, no end (as after a VPN's)."""

    async def does(wire):
        endpoint = wire.endpoint
        if wire.number <= endpoint.dead:
            await wire.wait()
            return False
        await well(wire)
        if endpoint.asked == times:
            await wire.wait(0.5)
            endpoint.dead = endpoint.accepted
        return True

    return does


def jumps(seconds, does: Does) -> Does:
    """The wall clock is set by so many seconds at each request."""

    async def jumped(wire):
        wire.endpoint.loop.slept += seconds
        return await does(wire)

    return jumped


async def is_dead_when_used_again(wire):
    if wire.turns > 1:
        wire.reset()
        return False
    return await well(wire)


async def answers_twice(wire):
    await wire.say((HEAD + chunk(WHOLE) + END) * 2)
    return True


async def takes_no_request(wire):
    """Answers while the request is still on its way, and reads none of it."""
    data = json.dumps(ERROR).encode()
    await wire.say(head(f"Content-Length: {len(data)}", status="503 X", chunked=False), data)
    await wire.wait(1.0)
    return False


def speaks_http_2(*frames):
    def frame(kind, flags, payload):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags, 0, 0, 0, 0]) + payload

    return b"".join(frame(*each) for each in frames)


SETTINGS = speaks_http_2((4, 0, b"\x00\x03\x00\x00\x00\x64"))
GOAWAY = speaks_http_2((4, 0, b""), (7, 0, b"\x00\x00\x00\x00\x00\x00\x00\x0b" + SECRET.encode()))
BOMB = gzip.compress(b"data: " + b"x" * 50_000_000)


class Row(NamedTuple):
    """One way of failing and what comes of it.

    `told`: the cause of the problem of which the user is told, once; none if it is empty.  `act`: whether it asks something of
    the user.  `says`: words of the sentence.  `offered`: the text at the first key.  `requests`: how many are sent over twenty
    keys.  `again`: seconds until a text is offered again, once the endpoint is well.
    """

    name: str
    does: Does
    told: str = ""
    says: str = ""
    act: bool = False
    offered: str = ""
    requests: int = 6
    again: int = 11
    at: str = "plain"  # how the endpoint is reached
    settings: dict[str, Any] = {}  # noqa: RUF012 - never changed


def passes(name, does, told, says, **more):
    """Time mends it: rests of 0.45 s, 0.9 s and so on, so requests at the seconds 0, 1, 2, 4, 8 and 16, and then at 31."""
    return Row(name, does, told, says, **more)


def asks(name, does, told, says, **more):
    """The user must mend it: rests of 1.8 s and so on, so requests at the seconds 0, 2, 6 and 14, and then at 29."""
    return Row(name, does, told, says, act=True, **{"requests": 4, "again": 9, **more})


def shuts(name, does, told, says, **more):
    """Neither time nor a request mends it: one trial in five minutes."""
    return asks(name, does, told, says, requests=1, again=280, **more)


def alone(name, does, told, says, **more):
    """It says nothing about the next request, which goes out as if nothing had been."""
    return Row(name, does, told, says, **{"requests": KEYS, "again": 0, **more})


def harmless(name, does, **more):
    """The text comes, and nobody hears of it."""
    return Row(name, does, **{"offered": SAID, "requests": KEYS, "again": 0, **more})


def retry_after(value):
    return f"Retry-After: {value}"


def retry_at(seconds):
    return lambda wall: retry_after(formatdate(wall + seconds, usegmt=True))


def dated(seconds):
    return lambda wall: f"Date: {formatdate(wall + seconds, usegmt=True)}"


BUSY, DOWN, NETWORK, DEADLINE, GARBAGE = "busy", "down", "network", "deadline", "garbage"
LOOK = "check baseUrl"
NO_COMPLETION = "no completion: check baseUrl and the proxy"
BROKE = "broke off: asking again later"
LATE = "took too long: asking again later"

STATUSES = [
    harmless("HTTP/1.1 as it should be", well),
    asks("400 bad request", status(400), "parameter", "does not accept the request (400): check the settings"),
    shuts("401 wrong key", status(401), "key", "does not accept the API key (401): check DEEPSEEK_API_KEY or apiKey"),
    shuts("402 nothing left", status(402), "balance", "used up (402): top it up"),
    shuts("403 forbidden", status(403), "key", "does not accept the API key (403)"),
    asks("404 no such model", status(404), "model", "(404): check model and baseUrl"),
    asks("404 for a model that was ended", status(404), "model", 'set model to "deepseek-flash"',
         settings={"model": "deepseek-chat"}),
    asks("405 method not allowed", status(405), "address", "(405): check baseUrl"),
    asks("407 from the address itself", status(407), "address", "HTTPS_PROXY"),
    passes("408 request time-out", status(408), NETWORK, "(408)"),
    asks("409 conflict", status(409), "parameter", "(409): check the settings"),
    asks("410 gone", status(410), "address", "(410): check baseUrl"),
    asks("413 too large", status(413), "parameter", "(413): check the settings"),
    asks("415 wrong type", status(415), "parameter", "(415): check the settings"),
    asks("418 teapot", status(418), "parameter", "(418): check the settings"),
    asks("422 a parameter", status(422), "parameter", "the request (422): check the settings"),
    asks("422 a parameter by name", status(422, body=b'{"error":{"message":"x","param":"max_tokens"}}'), "parameter",
         "max_tokens (422): check the settings"),
    asks("422 with a body without end", floods(chunk(b"x" * 65536), head(status="422 X")), "parameter", "(422)"),
    passes("429 too many", status(429), BUSY, "too many requests at once (429): asking again later"),
    passes("429, 7 s", status(429, retry_after(7)), BUSY, "(429)", requests=3, again=1),
    passes("429, a date 7 s away", status(429, retry_at(7)), BUSY, "(429)", requests=3, again=1),
    passes("429, a date gone by", status(429, retry_at(-3600)), BUSY, "(429)"),
    passes("429, a day", status(429, retry_after(86400)), BUSY, "(429)", requests=1, again=580),
    passes("429, a date in ten years", status(429, retry_at(3e8)), BUSY, "(429)", requests=1, again=580),
    passes("429, at once", status(429, retry_after(0)), BUSY, "(429)"),
    passes("429, a word", status(429, retry_after("soon")), BUSY, "(429)"),
    passes("429, less than nothing", status(429, retry_after(-5)), BUSY, "(429)"),
    passes("429, a number of 400 digits", status(429, retry_after("9" * 400)), BUSY, "(429)"),
    passes("429, a date of 1999", status(429, retry_after("Fri, 31 Dec 1999 23:59:59 GMT")), BUSY, "(429)"),
    passes("429, a date of 2052", status(429, retry_after("Mon, 01 Jan 2052 00:00:00 GMT")), BUSY, "(429)", requests=1,
           again=580),
    passes("429, a date 7 s away by a clock that is a day ahead", status(429, retry_at(86_407), dated(86_400)), BUSY,
           "(429)", requests=3, again=1),
    passes("429, a date 7 s away by a clock that is a day behind", status(429, retry_at(-86_393), dated(-86_400)), BUSY,
           "(429)", requests=3, again=1),
    passes("429, a power of ten", status(429, retry_after("1e9")), BUSY, "(429)"),
    passes("429, nothing where a time should be", status(429, "Retry-After:"), BUSY, "(429)"),
    passes("429, twice", status(429, retry_after(1), retry_after(7)), BUSY, "(429)", requests=3, again=1),
    passes("429, twice, joined on the way", status(429, retry_after("7, 1")), BUSY, "(429)", requests=3, again=1),
    passes("429, twice, one of them garbage", status(429, retry_after("soon"), retry_after(7)), BUSY, "(429)",
           requests=3, again=1),
    asks("451 for legal reasons", status(451), "address", "(451): check baseUrl"),
    passes("500", status(500), DOWN, "fault of its own (500): asking again later"),
    passes("500 with a page", status(500, body=b"<html>" + KEY.encode(), kind="text/html"), DOWN, "(500)"),
    passes("500, 7 s", status(500, retry_after(7)), DOWN, "(500)", requests=3, again=1),
    passes("500 with a body that never comes", raw(head("Content-Length: 9", status="500 X", chunked=False), then="wait"),
           DOWN, "(500)"),
    passes("501", status(501), DOWN, "(501)"),
    passes("502", status(502, body=b"<html>", kind="text/html"), DOWN, "(502)"),
    passes("503 overloaded", status(503), BUSY, "overloaded (503): asking again later"),
    passes("503, 7 s", status(503, retry_after(7)), BUSY, "(503)", requests=3, again=1),
    passes("504", status(504), DOWN, "(504)"),
    passes("520", status(520), DOWN, "(520)"),
    passes("529", status(529), BUSY, "overloaded (529)"),
    passes("599", status(599), DOWN, "(599)"),
    asks("301 elsewhere", status(301, "Location: https://elsewhere.example/x"), "address",
         "redirects to elsewhere.example (301), which is not followed: correct baseUrl"),
    asks("302 to where the key would be in the name", status(302, f"Location: https://{KEY}.example/"), "address",
         "redirects (302)"),
    asks("304", status(304), "address", "(304)"),
    asks("307 to itself", status(307, "Location: /beta/completions"), "address", "redirects (307)"),
    asks("308 without a place", status(308), "address", "redirects (308)"),
    harmless("100 and then the answer", raw(b"HTTP/1.1 100 Continue\r\n\r\n", HEAD, chunk(WHOLE), END, then="keep")),
    harmless("103 twenty times and then the answer",
             raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 20, HEAD, chunk(WHOLE), END, then="keep")),
    passes("103 for ever", drips(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.5), DEADLINE, LATE),
    passes("101 switching protocols", raw(b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", SETTINGS),
           NETWORK, BROKE),
    passes("201", status(201), GARBAGE, NO_COMPLETION),
    passes("204", status(204), GARBAGE, NO_COMPLETION),
    passes("206", status(206), GARBAGE, NO_COMPLETION),
]  # fmt: skip

SLOW = [
    passes("nothing at all", raw(then="wait"), DEADLINE, LATE),
    passes("a head byte by byte", dribbles_its_head, DEADLINE, LATE),
    passes("a head and nothing more", raw(HEAD, then="wait"), DEADLINE, LATE),
    passes("keep-alives for ever", drips(chunk(b": keep-alive\n\n"), 2.0, HEAD), DEADLINE, LATE),
    passes("empty lines for ever before an object",
           drips(chunk(b"\n"), 2.0, head(kind="application/json")), DEADLINE, LATE),
    passes("half an event, and the rest never", raw(HEAD, chunk(FIRST[:20]), then="wait"), DEADLINE, LATE),
    harmless("a first piece and nothing more", raw(HEAD, chunk(FIRST), then="wait"), offered="item.va"),
    harmless("a first piece and keep-alives for ever", drips(chunk(b": keep-alive\n\n"), 2.0, HEAD, chunk(FIRST)),
             offered="item.va"),
    harmless("nine seconds of keep-alives, and then the answer", comes_late),
    harmless("nine seconds of nothing, and then the answer", later(9.0, well)),
    harmless("the end of the body never comes", raw(HEAD, chunk(WHOLE), then="wait")),
]  # fmt: skip

GARBLED = [
    passes("a broken length of a chunk", raw(HEAD, chunk(FIRST), b"zz\r\n", then="wait"), NETWORK, BROKE),
    passes("a chunk longer than it says", raw(HEAD, b"3\r\n" + FIRST + b"\r\n", then="wait"), NETWORK, BROKE),
    passes("half an event, and the end", streams(FIRST, event(".value")[:30]), NETWORK, BROKE),
    passes("an event of 4 MB", streams(event("x" * (4 << 20), "stop"), DONE), GARBAGE, NO_COMPLETION),
    passes("one line without end", floods(chunk(b"x" * 65536), HEAD, chunk(b"data: ")), GARBAGE, NO_COMPLETION),
    passes("keep-alives without end", floods(chunk(b": keep-alive\n\n" * 5000), HEAD), GARBAGE, NO_COMPLETION),
    passes("empty events without end", floods(chunk(event(more="x" * 2000) * 20), HEAD), GARBAGE, NO_COMPLETION),
    passes("chunks of one byte without end", floods(b"1\r\n\n\r\n" * 5000, HEAD), GARBAGE, NO_COMPLETION),
    passes("a page", streams(b"<html>" + KEY.encode(), kind="text/html"), GARBAGE, NO_COMPLETION),
    passes("a page that says it is a stream", streams(b"<html>\n" + KEY.encode() + b"\n\n"), GARBAGE, NO_COMPLETION),
    passes("a stream that says it is text", streams(WHOLE, kind="text/plain"), GARBAGE, NO_COMPLETION),
    passes("no type at all", streams(WHOLE, kind=None), GARBAGE, NO_COMPLETION),
    harmless("an object instead of a stream", streams(
        json.dumps({"choices": [{"text": SAID + "\n", "finish_reason": "stop"}]}).encode(), kind="application/json")),
    passes("an object that is half", streams(b'{"choices":[{"te', kind="application/json"), GARBAGE, NO_COMPLETION),
    passes("an object of another service", streams(b'{"ok":true}', kind="application/json"), GARBAGE, NO_COMPLETION),
    passes("an error in a 200", streams(json.dumps(ERROR).encode(), kind="application/json"), DOWN, "error of its own"),
    passes("an error in a stream", streams(b"data: " + json.dumps(ERROR).encode() + b"\n\n", DONE), DOWN,
           "error of its own"),
    passes("an error after a first piece", streams(FIRST, b"data: " + json.dumps(ERROR).encode() + b"\n\n"), DOWN,
           "error of its own"),
    passes("an empty body", streams(), GARBAGE, NO_COMPLETION),
    passes("nothing but its end", streams(DONE), GARBAGE, NO_COMPLETION),
    harmless("no end, but a reason to have ended", streams(event(SAID), event("", "stop"))),
    passes("no end, and no reason", streams(event("item"), event(".value")), NETWORK, BROKE),
    harmless("two ends", streams(event(SAID, "stop"), DONE, DONE)),
    harmless("more text after its end", streams(event(SAID, "stop"), DONE, event(SECRET), b"data: nonsense\n\n")),
    harmless("another model than was asked", streams(event(SAID, "stop", model="other-model"), DONE)),
    passes("no choices", streams(b'data: {"id":"1"}\n\n', DONE), GARBAGE, NO_COMPLETION),
    passes("choices that are null", streams(b'data: {"choices":null}\n\n', DONE), GARBAGE, NO_COMPLETION),
    passes("choices that are no list", streams(b'data: {"choices":{"0":{"text":"a"}}}\n\n', DONE), GARBAGE, NO_COMPLETION),
    harmless("no choice, ever", streams(b'data: {"choices":[]}\n\n', DONE), offered=""),
    harmless("text that is null", streams(b'data: {"choices":[{"text":null}]}\n\n', WHOLE)),
    passes("text that is a number", streams(b'data: {"choices":[{"text":7}]}\n\n', DONE), GARBAGE, NO_COMPLETION),
    passes("a reason that is a number", streams(b'data: {"choices":[{"text":"a","finish_reason":7}]}\n\n', DONE),
           GARBAGE, NO_COMPLETION),
    passes("events that are no JSON", streams(b"data: nonsense\n\n", DONE), GARBAGE, NO_COMPLETION),
    passes("events that are lists", streams(b"data: [1]\n\n", DONE), GARBAGE, NO_COMPLETION),
    passes("events nested 100,000 deep", streams(b"data: " + b"[" * 100_000 + b"\n\n", DONE), GARBAGE, NO_COMPLETION),
    harmless("bytes that are no UTF-8", streams(
        b'data: {"choices":[{"text":"item.v\xff","finish_reason":"stop"}]}\n\n', DONE), offered="item.v\ufffd"),
    harmless("half of a character", streams(
        b'data: {"choices":[{"text":"item.v\\ud83d","finish_reason":"stop"}]}\n\n', DONE), offered="item.v\ufffd"),
    harmless("a byte order mark", streams(b"\xef\xbb\xbf" + WHOLE)),
    harmless("line ends of another system", streams(WHOLE.replace(b"\n", b"\r\n"))),
    harmless("pieces of one byte", streams(*(bytes([byte]) for byte in WHOLE))),
    harmless("fields that nobody knows", streams(b"event: x\nid: 7\nretry: 1\n", WHOLE.replace(b'"index": 0', b'"x": [{}]'))),
    passes("a bomb of gzip", raw(head("Content-Encoding: gzip", f"Content-Length: {len(BOMB)}", chunked=False), BOMB),
           GARBAGE, NO_COMPLETION),
    passes("a deflated answer that does not say so", streams(zlib.compress(WHOLE)), GARBAGE, NO_COMPLETION),
    passes("an encoding that nobody knows",
           raw(head("Content-Encoding: x-none"), chunk(WHOLE), END, then="keep"), GARBAGE, NO_COMPLETION),
    alone("content_filter", streams(FIRST, event("", "content_filter"), DONE), GARBAGE, "withheld this completion"),
    alone("aborted", streams(FIRST, event("", "aborted"), DONE), BUSY, "gave up on this completion"),
    alone("a reason that nobody knows", streams(FIRST, event("", SECRET), DONE), GARBAGE, "unknown reason"),
    passes("insufficient_system_resource", streams(FIRST, event("", "insufficient_system_resource"), DONE), BUSY,
           "lacked the means"),
    harmless("length", streams(event(SAID, "length", usage=USED), DONE)),
    harmless("nothing to say", streams(event("", "stop", usage=USED), DONE), offered=""),
]  # fmt: skip

BROKEN = [
    passes("reset before the head", raw(then="reset"), NETWORK, BROKE),
    passes("reset in the head", raw(HEAD[:30], then="reset"), NETWORK, BROKE),
    passes("reset in the stream", raw(HEAD, chunk(FIRST), then="reset"), NETWORK, BROKE),
    passes("closed before the head", raw(), NETWORK, BROKE),
    passes("closed in the head", raw(HEAD[:30]), NETWORK, BROKE),
    passes("closed in the stream", raw(HEAD, chunk(FIRST)), NETWORK, BROKE),
    passes("closed in a chunk", raw(HEAD, chunk(FIRST)[:25]), NETWORK, BROKE),
    passes("closed as soon as it is open", early(raw()), NETWORK, BROKE),
    passes("reset as soon as it is open", early(raw(then="reset")), NETWORK, BROKE),
    passes("nobody listens", well, NETWORK, "cannot be reached: check the network and baseUrl", at="nobody"),
    passes("a name that nobody knows", well, NETWORK, "not found by name: check the network and baseUrl", at="no name"),
    passes("a certificate of nobody", well, NETWORK, "not trusted: if it is your company's, set caFile", at="strange certificate"),
    passes("a certificate of another", well, NETWORK, "not trusted, since it is that of another host: check baseUrl", at="other name"),
    passes("a certificate of last year", well, NETWORK, "not trusted, since it has expired: check the clock", at="old certificate"),
    passes("no TLS where TLS should be", early(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n", then="wait")), NETWORK,
           "secure connection: check baseUrl", at="no TLS"),
    passes("TLS where none should be", early(raw(b"\x15\x03\x03\x00\x02\x02\x0a")), NETWORK, "cannot be reached"),
    passes("a listener that never shakes hands", early(raw(then="wait")), NETWORK, "cannot be reached", at="no TLS",
           settings={"timeout_seconds": 30.0}),
    asks("certificates that cannot be read", well, "address", "is not asked: SSL_CERT_FILE names", at="TLS"),
    asks("a proxy that asks for a password", status(407), "address", "HTTPS_PROXY", at="proxy"),
    asks("a proxy that asks for a password before TLS", raw(b"HTTP/1.1 407 X\r\nContent-Length: 0\r\n\r\n"), "address",
         "HTTPS_PROXY", at="TLS proxy"),
    passes("a proxy that reaches nobody", raw(b"HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n"), NETWORK,
           "check HTTPS_PROXY", at="TLS proxy"),
    passes("a proxy that is not there", well, NETWORK, "cannot be reached", at="no proxy"),
    asks("a proxy of a kind that nobody knows", well, "address", "http_proxy names a proxy of a kind that cannot", at="strange proxy"),
    passes("HTTP/2 without being asked", raw(SETTINGS, then="wait"), NETWORK, BROKE),
    passes("GOAWAY", raw(GOAWAY), NETWORK, BROKE),
    passes("GOAWAY in a stream", raw(HEAD, chunk(FIRST), GOAWAY), NETWORK, BROKE),
    passes("a head of 200 kB", raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, then="wait"), NETWORK, BROKE),
    passes("a head without end", floods(b"X: " + b"x" * 65536 + b"\r\n", b"HTTP/1.1 200 OK\r\n"), NETWORK, BROKE),
    passes("a bad status line", raw(b"HTTP/1.1 twohundred OK\r\n\r\n"), NETWORK, BROKE),
    passes("an answer of 1991", raw(b"<html>hello\r\n\r\n"), NETWORK, BROKE),
    passes("another protocol", raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), NETWORK, BROKE),
    harmless("HTTP/1.0 that ends with its connection",
             raw(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", WHOLE)),
    passes("a length that is no number", raw(head("Content-Length: many", chunked=False), WHOLE), NETWORK, BROKE),
    passes("a length and then another",
           raw(head("Content-Length: 5", "Content-Length: 7", chunked=False), WHOLE), NETWORK, BROKE),
    passes("shorter than its length", raw(head("Content-Length: 9999", chunked=False), FIRST), NETWORK, BROKE),
    passes("longer than its length",
           raw(head(f"Content-Length: {len(FIRST)}", chunked=False), FIRST + event(".value", "stop")), NETWORK, BROKE),
    harmless("two answers in one", answers_twice),
    harmless("an answer and then nonsense", raw(HEAD, chunk(WHOLE), END, b"nonsense" * 100, then="wait")),
    passes("an answer before the question", early(takes_no_request), NETWORK, "cannot be reached"),
    harmless("idle connections are cut", closes_what_is_idle),
    harmless("a connection is dead when it is used again", is_dead_when_used_again),
    harmless("idle connections are cut at the moment of the next key", closes_at_the_next_key),
    harmless("a connection is closed as soon as it is asked again", closes_once_it_is_asked_again),
    harmless("every connection goes dead without a word", goes_dead(2), told=DEADLINE, says=LATE),
    harmless("the same, with little patience", goes_dead(2), told=DEADLINE, says=LATE, settings={"timeout_seconds": 2.0}),
    harmless("the clock is set ahead by an hour at each request", jumps(3600, well)),
    harmless("the clock is set back by an hour at each request", jumps(-3600, well)),
    passes("503, 7 s, while the clock is set ahead by hours", jumps(18_000, status(503, retry_after(7))), BUSY, "(503)",
           requests=3, again=1),
    passes("503, a date 7 s away, while the clock is set back by hours", jumps(-18_000, status(503, retry_at(7))), BUSY,
           "(503)", requests=3, again=1),
    harmless("the first request is lost, the others are not", first(1, raw(HEAD[:30], then="reset")), told=NETWORK,
             says=BROKE, offered=""),
    harmless("the machine sleeps for an hour in a stream", first(1, says_nothing_more_after_a_sleep), told=DEADLINE,
             says=LATE, offered=""),
    harmless("the same, with a clock that stands still", first(1, sleeps_with_a_clock_that_stands_still), told=DEADLINE,
             says=LATE, offered=""),
]  # fmt: skip

ROWS = [*STATUSES, *SLOW, *GARBLED, *BROKEN]


# Living through a row


class Way:
    """How the client reaches the endpoint: at what address, trusting whom; and how that is mended where it is at fault."""

    def __init__(self, row, loop, folder):
        self._at, self._loop = row.at, loop
        self._trusted, stranger = authorities()
        self.secure = row.at in SECURE
        self.good = served(self._trusted, "localhost") if self.secure else None
        self.endpoint = Endpoint(loop)
        self.endpoint.does = row.does
        self.endpoint.context = {
            "strange certificate": lambda: served(stranger, "localhost"),
            "other name": lambda: served(self._trusted, "elsewhere.example"),
            "old certificate": lambda: served(
                self._trusted, "localhost", not_after=datetime(2026, 1, 1, tzinfo=UTC)
            ),
            "TLS": lambda: self.good,
        }.get(row.at, lambda: None)()
        self._pem = Path(folder) / "trusted.pem"
        self._trusted.cert_pem.write_to_path(str(self._pem))

    async def open(self):
        """Begin to listen; the environment that the client is to have."""
        await self.endpoint.listen()
        if self._at in {"nobody", "no proxy"}:
            self.endpoint.deaf()
        port = self.endpoint.port
        self.proxied = "proxy" in self._at
        host = (
            "fim.example"
            if self._at == "no name" or self.proxied
            else "localhost"
            if self.secure
            else "127.0.0.1"
        )
        self.address = f"{'https' if self.secure else 'http'}://{host}:{port}"
        clean = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "no_proxy"), "")
        environ = {**clean, **{name.upper(): "" for name in clean}, "SSL_CERT_FILE": str(self._pem)}
        if self.proxied:
            scheme = "gopher" if self._at == "strange proxy" else "http"
            environ[f"{'https' if self.secure else 'http'}_proxy"] = f"{scheme}://127.0.0.1:{port}"
        if self._at == "TLS":
            environ["SSL_CERT_FILE"] = str(self._pem.with_name("none.pem"))
        return environ

    def transport(self):
        """The client's own choice where that is what is at fault; else the same with a clock of ours."""
        if self.proxied or self._at == "TLS":
            return None
        context = None
        if self.secure:
            context = ssl.create_default_context()
            self._trusted.configure_trust(context)
        return Transport(self.address, context=context, clock=self._loop.time, wall=self._loop.wall)

    async def mend(self):
        """From now on the endpoint is well, and the way to it is as it should be."""
        self.endpoint.does = (
            tunnels(served(self._trusted, "fim.example")) if self._at == "TLS proxy" else well
        )
        if self.secure or self._at in {"nobody", "no proxy"}:
            self.endpoint.deaf()
            self.endpoint.context = None if self.proxied else self.good
            await self.endpoint.listen()
        self._loop.names["fim.example"] = "127.0.0.1"
        os.environ["SSL_CERT_FILE"] = str(self._pem)
        if self._at == "strange proxy":
            del os.environ["http_proxy"]


SECURE = {"TLS", "no TLS", "strange certificate", "other name", "old certificate", "TLS proxy"}


@cache
def authorities():
    """One that is trusted here, and one that is not."""
    return trustme.CA(), trustme.CA()


def served(authority, name, **how):
    """What a server of that name shows, issued by that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **how).configure_cert(context)
    return context


def tunnels(context) -> Does:
    """A proxy that answers in the name of the host behind it."""

    async def does(wire):
        await wire.say(b"HTTP/1.1 200 OK\r\n\r\n")
        await wire.writer.start_tls(context)
        while True:
            await wire.asked()
            await well(wire)

    return does


@dataclasses.dataclass
class Life:
    """What was seen of a row."""

    told: list = dataclasses.field(default_factory=list)  # every problem that was shown
    offered: str = ""  # at the first key
    requests: int = 0  # over all keys while the endpoint failed
    again: float = -1.0  # seconds until a text came, once it was well
    received: int = 0  # requests that the endpoint saw in that time, silent repeats among them
    connections: int = 0  # that it saw in that time
    state: str = ""  # at the end
    left: list = dataclasses.field(default_factory=list)  # tasks that were not ended


def live(row, *, keys=KEYS, then="time", back=False):
    """Live through a row.  What ends the rest: `time`, new `settings`, or a person who asks (`explicit`).

    `back`: the endpoint fails once more after that.
    """
    with asyncio.Runner(loop_factory=Loop) as runner, tempfile.TemporaryDirectory() as folder:
        return runner.run(_live(row, keys, then, back, folder))


async def _live(row, keys, then, back, folder):
    loop, life = asyncio.get_running_loop(), Life()
    way = Way(row, loop, folder)
    environ = await way.open()

    def connect(settings):
        service = Service(
            settings.base_url, settings.api_key, transport=way.transport(), clock=loop.time, wall=loop.wall
        )
        whole = service.complete

        def counted(request, *, seconds):
            life.requests += 1
            return whole(request, seconds=seconds)

        service.complete = counted
        return service

    settings = Settings(base_url=way.address, api_key=KEY, **row.settings)
    with mock.patch.dict(os.environ, environ):
        engine = Engine(
            settings,
            connect,
            clock=loop.time,
            random=lambda: CHANCE,
            sleep=asyncio.sleep,
            tell=life.told.append,
        )
        engine.open(Document(URI, "python", 1, TEXT.replace(OPEN, OPEN + MORE)))
        line = LINE
        begun, others = loop.time(), asyncio.all_tasks()

        async def key(*, explicit=False):
            """Press a key; the text that is offered for it, which is not offered again where it was typed past."""
            nonlocal line
            document = engine.document(URI)
            place = Place(line, len(document.lines[line]) - 1)
            engine.edited(URI, document.change(place, place, "a"))
            offers = await engine.complete(URI, Place(line, place.column + 1), explicit=explicit)
            line += bool(offers)
            return offers[0].text if offers else ""

        async def second():
            """Wait for the next whole second."""
            since = loop.time() - begun
            loop.idle = True
            await asyncio.sleep(int(since + 1e-6) + 1 - since)
            loop.idle = False

        life.offered = await key()
        await second()
        for _ in range(keys - 1):
            await key()
            await second()
        requests = life.requests
        life.received, life.connections = way.endpoint.asked, way.endpoint.accepted
        await way.mend()
        if then == "settings":
            await engine.configure(dataclasses.replace(settings, temperature=0.5))
        mended = loop.time()
        for _ in range(PATIENT):
            asked = loop.time()
            if await key(explicit=then == "explicit"):
                life.again = asked - mended
                break
            await second()
        life.requests, life.state = requests, engine.state
        if back:
            way.endpoint.does = row.does
            await key()
        await engine.aclose()
        await way.endpoint.stop()
        await asyncio.sleep(1)
        life.left = [repr(task) for task in asyncio.all_tasks() - others]
    return life
