"""By which proxy the service is reached, and by none; what is said where one cannot be used; and after a pause."""

import asyncio
import sys
from contextlib import suppress

import httpcore  # noqa: F401 - looks for its extra once, when it is loaded
import pytest
from peer import HEAD, Peer, briefly, chunk

from fim_lsp.endpoint import proxies
from fim_lsp.endpoint.connection_pool import Transport, transport
from fim_lsp.endpoint.proxied import Proxied
from fim_lsp.endpoint.proxies import Proxy, System, proxy_for
from fim_lsp.endpoint.request import Refused, Request, ServiceError
from fim_lsp.endpoint.service import Service
from fim_lsp.settings import kinds

ASK = Request("x = ", "", "m", 8, 0.0)
HTTP = "http://127.0.0.1:7890"
SOCKS = "socks5://127.0.0.1:7891"
NONE = System(dict, lambda _: False)


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """No variable of the machine's own."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, None),
        ({"HTTPS_PROXY": HTTP}, Proxy(HTTP, "HTTPS_PROXY")),
        ({"https_proxy": HTTP, "HTTPS_PROXY": SOCKS}, Proxy(HTTP, "https_proxy")),
        ({"https_proxy": "", "HTTPS_PROXY": HTTP}, None),
        ({"HTTP_PROXY": HTTP}, None),
        ({"ALL_PROXY": SOCKS}, Proxy(SOCKS, "ALL_PROXY")),
        ({"ALL_PROXY": SOCKS, "HTTPS_PROXY": HTTP, "HTTP_PROXY": HTTP}, Proxy(HTTP, "HTTPS_PROXY")),
        ({"all_proxy": "socks5h://u:p@h:1/"}, Proxy("socks5://u:p@h:1", "all_proxy")),
        ({"all_proxy": "socks://127.0.0.1:7891/"}, Proxy(SOCKS, "all_proxy")),
        ({"HTTPS_PROXY": "127.0.0.1:7890"}, Proxy(HTTP, "HTTPS_PROXY")),
        ({"HTTPS_PROXY": " http://127.0.0.1:7890/ "}, Proxy(HTTP, "HTTPS_PROXY")),
        ({"HTTPS_PROXY": HTTP, "NO_PROXY": "*"}, None),
    ],
)
def test_the_variables(environ, found):
    """As curl reads them."""
    assert proxy_for("https://api.deepseek.com", environ, NONE) == found


def test_a_web_servers_variable_is_no_proxy():
    """A page's header "Proxy" arrives in HTTP_PROXY (httpoxy)."""
    environ = {"HTTP_PROXY": HTTP, "REQUEST_METHOD": "GET"}
    assert proxy_for("http://api.example", environ, NONE) is None


BYPASSED = [
    ("api.example.com", "https://api.example.com"),
    ("API.example.com.", "https://api.EXAMPLE.com"),
    ("example.com", "https://api.example.com"),
    (".example.com", "https://api.example.com"),
    (".example.com", "https://example.com"),
    ("*.example.com", "https://api.example.com"),
    ("*.example.com", "https://a.b.example.com"),
    ("localhost, example.com ,x", "https://example.com"),
    ("a b\texample.com", "https://example.com"),
    ("a;example.com", "https://example.com"),
    ("example.com:443", "https://example.com"),
    ("example.com:8443", "https://example.com:8443"),
    ("https://example.com", "https://example.com"),
    ("10.0.0.0/8", "http://10.1.2.3:8000"),
    ("10.1.2.3", "http://10.1.2.3:8000"),
    ("10.1.2.3:8000", "http://10.1.2.3:8000"),
    ("10.*", "http://10.1.2.3"),
    ("192.168.1.7/24", "http://192.168.1.200"),
    ("fd00::/8", "http://[fd12::1]:8000"),
    ("[fd12::1]", "http://[fd12::1]:8000"),
    ("fd12::1", "http://[fd12:0::1]:8000"),
    ("[fd12::1]:8000", "http://[fd12::1]:8000"),
    ("[fd00::]/8", "http://[fd12::1]"),
    ("10.0.0.0/8", "http://[::ffff:10.1.2.3]"),
    ("", "http://localhost:1"),
    ("", "http://127.0.0.7:1"),
    ("", "http://[::1]:1"),
    ("", "http://fim.localhost:1"),
]
PROXIED = [
    ("", "https://example.com"),
    (" , ,", "https://example.com"),
    (".", "https://example.com"),
    ("ample.com", "https://example.com"),
    ("*.example.com", "https://example.com"),
    ("xexample.com", "https://example.com"),
    ("example.com", "https://example.com.evil.net"),
    ("example.com:80", "https://example.com"),
    ("10.0.0.0/8", "http://11.1.2.3"),
    ("10.0.0.0/8", "http://ten.example"),
    ("0.1.2.3", "http://10.1.2.3"),
    ("[fd12::1]:8001", "http://[fd12::1]:8000"),
    ("fd12::2", "http://[fd12::1]:8000"),
    ("10.0.0.0/99", "http://10.0.0.1"),
    ("[", "https://example.com"),
]


@pytest.mark.parametrize(("listed", "url"), BYPASSED)
def test_what_no_proxy_names_is_reached_without_one(listed, url):
    """Names, domains with a star or a dot, networks, addresses of both kinds, ports, whatever parts them."""
    environ = {"HTTPS_PROXY": HTTP, "HTTP_PROXY": HTTP, "NO_PROXY": listed}
    assert proxy_for(url, environ, NONE) is None


@pytest.mark.parametrize(("listed", "url"), PROXIED)
def test_what_no_proxy_does_not_name_goes_through_one(listed, url):
    """No more than what was written."""
    environ = {"HTTPS_PROXY": HTTP, "HTTP_PROXY": HTTP, "NO_PROXY": listed}
    assert proxy_for(url, environ, NONE) is not None


def test_the_systems_proxy_where_no_variable_is_set():
    """NO_PROXY alone is none; the system's own exceptions count."""
    system = System(lambda: {"https": HTTP, "http": HTTP}, lambda host: host == "inner.example")
    assert proxy_for("https://a.example", {}, system) == Proxy(HTTP, "the system")
    assert proxy_for("https://a.example", {"NO_PROXY": "b.example"}, system) == Proxy(HTTP, "the system")
    assert proxy_for("https://a.example", {"NO_PROXY": "a.example"}, system) is None
    assert proxy_for("https://inner.example", {}, system) is None
    assert proxy_for("https://a.example", {"HTTP_PROXY": HTTP}, system) is None
    socks = System(lambda: {"socks": "socks://127.0.0.1:7891"}, lambda _: False)
    assert proxy_for("https://a.example", {}, socks) == Proxy(SOCKS, "the system")


@pytest.mark.parametrize("name", ["macosx_sysconf", "registry"])
def test_macos_and_windows_are_asked_by_urllib(monkeypatch, name):
    """By the functions that it has on each."""
    monkeypatch.setattr(f"urllib.request.getproxies_{name}", lambda: {"https": HTTP}, raising=False)
    monkeypatch.setattr(
        f"urllib.request.proxy_bypass_{name}", lambda host: host == "b.example", raising=False
    )
    assert proxy_for("https://a.example", {}) == Proxy(HTTP, "the system")
    assert proxy_for("https://b.example", {}) is None
    assert proxies.of_system().proxies() == {"https": HTTP}


async def asked(url):
    """The text of an answer, or the error."""
    client = Service(url, "sk-test")
    await client.warm()
    try:
        async with client.complete(ASK, seconds=5) as reply:
            return "".join([piece async for piece in reply])
    except ServiceError as error:
        return error
    finally:
        await client.aclose()


async def test_socks_without_its_extra_is_named(monkeypatch):
    """Never an ImportError, also in advance; a variable beside it that speaks HTTP is used in its place."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:9")
    error = await asked("https://fim.example")
    assert isinstance(error, Refused)
    assert error.message == (
        "fim.example is not asked: ALL_PROXY names a SOCKS proxy, which needs an extra: pip install 'fim-lsp[socks]'."
    )
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert (await asked("https://fim.example")).cause == "network"


class Socks:
    """A SOCKS 5 proxy without a password, which leads every name to one port (RFC 1928)."""

    def __init__(self, port):
        self.names = []
        self._port = port

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()

    async def _serve(self, reader, writer):
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\x05\x00")
        assert (await reader.readexactly(4))[3] == 3, (
            "the proxy resolves names, as they may be known to it alone"
        )
        (length,) = await reader.readexactly(1)
        self.names.append((await reader.readexactly(length)).decode())
        await reader.readexactly(2)
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, source, sink):
        with suppress(ConnectionError):
            while data := await source.read(65536):
                sink.write(data)
        sink.close()


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks"])
async def test_socks_works_by_its_extra(monkeypatch, scheme):
    """The text arrives, and the name goes to the proxy."""
    pytest.importorskip("socksio", reason="comes with the extra socks, which dev holds")
    peer = await Peer(briefly).start()
    socks = Socks(peer.port)
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{await socks.start()}")
    assert await asked("http://fim.example") == "ok"
    assert socks.names == ["fim.example"]
    await socks.stop()
    await peer.stop()


async def test_an_address_of_version_6_is_reached():
    """As a local engine may have it; the setting takes it as it is."""
    peer = Peer(briefly)
    server = await asyncio.start_server(peer._serve, "::1", 0)
    url = f"http://[::1]:{server.sockets[0].getsockname()[1]}"
    assert kinds.url().check(f"{url}/v1/") == url
    assert await asked(url) == "ok"
    server.close()
    assert "::1 cannot be reached" in (await asked(url)).message


def test_no_proxy_is_our_own_connections(monkeypatch):
    """And one is httpx's."""
    assert isinstance(transport("http://fim.example"), Transport)
    monkeypatch.setenv("http_proxy", HTTP)
    assert isinstance(transport("http://fim.example"), Proxied)


# After a pause, through a proxy


class World:
    """A client behind a proxy, with clocks of ours."""

    def __init__(self, peer, monkeypatch):
        self.now = self.slept = 0.0
        monkeypatch.setenv("http_proxy", peer.url)
        self.transport = transport("http://fim.example")
        self.transport._clock = lambda: self.now
        self.transport._wall = lambda: self.now + self.slept
        self.client = Service(
            "http://fim.example", "sk-test", transport=self.transport, clock=lambda: self.now
        )

    async def ask(self, seconds=5.0):
        try:
            async with self.client.complete(ASK, seconds=seconds) as reply:
                return "".join([piece async for piece in reply])
        except ServiceError as error:
            return error


async def first_of_each(peer, writer, number):
    """Answers the first request of a connection, and closes without a word at its second."""
    if peer.asked_on.count(peer.asked_on[-1]) > 1:
        return False
    return await briefly(peer, writer, number)


async def test_a_connection_that_closes_at_the_request_is_asked_once_more(monkeypatch):
    """Silently, over a new one."""
    peer = await Peer(first_of_each).start()
    world = World(peer, monkeypatch)
    assert [await world.ask() for _ in range(3)] == ["ok"] * 3
    assert peer.asked_on == [1, 1, 2, 2, 3]
    await world.client.aclose()
    await peer.stop()


async def test_a_connection_that_closed_before_the_request_is_not_asked(monkeypatch):
    """What was closed while nobody asked costs nothing."""
    peer = await Peer(briefly).start()
    world = World(peer, monkeypatch)
    assert await world.ask() == "ok"
    peer.close_all()
    while peer.open:
        await asyncio.sleep(0.001)
    assert await world.ask() == "ok"
    assert peer.asked_on == [1, 2]
    await world.client.aclose()
    await peer.stop()


async def test_what_was_answered_in_part_is_not_asked_again(monkeypatch):
    """It may be billed: one request, one message."""

    async def half(peer, writer, number):
        if number:
            writer.write(HEAD + chunk(b'data: {"choices":[{"text":"o"}]}\n\n'))
            return False
        return await briefly(peer, writer, number)

    peer = await Peer(half).start()
    world = World(peer, monkeypatch)
    assert await world.ask() == "ok"
    assert (await world.ask()).cause == "network"
    assert len(peer.bodies) == 2
    await world.client.aclose()
    await peer.stop()


async def test_a_fresh_connection_that_closes_is_a_failure(monkeypatch):
    """A proxy that answers nobody is not asked for ever."""

    async def never(peer, writer, number):
        return False

    peer = await Peer(never).start()
    world = World(peer, monkeypatch)
    assert (await world.ask()).cause == "network"
    assert len(peer.bodies) == 1
    await world.client.aclose()
    await peer.stop()


async def test_after_a_sleep_none_of_before_is_asked(monkeypatch):
    """By the wall clock, since the other one may have stood still; a clock set back changes nothing."""
    peer = await Peer(briefly).start()
    world = World(peer, monkeypatch)
    for slept, connection in ((0, 1), (-7200, 1), (0, 2), (3600, 3)):
        world.slept = slept
        assert await world.ask() == "ok"
        assert peer.asked_on[-1] == connection
    await world.client.aclose()
    await peer.stop()


async def test_a_dead_peer_costs_one_deadline(monkeypatch):
    """Silence on an old connection: given up at the deadline, and the next ask goes over a new one at once."""

    async def dead(peer, writer, number):
        if peer.asked_on[-1] == 1 and number:
            await asyncio.sleep(60)
        return await briefly(peer, writer, number)

    peer = await Peer(dead).start()
    world = World(peer, monkeypatch)
    assert await world.ask() == "ok"
    waiting = asyncio.ensure_future(world.ask(0.3))
    while len(peer.bodies) < 2:
        await asyncio.sleep(0.001)
    world.now += 6
    assert (await waiting).cause == "deadline"
    assert await world.ask() == "ok"
    assert peer.asked_on == [1, 1, 2]
    await world.client.aclose()
    await peer.stop()
