"""A cut stream ends at the service, and the request after it finds a connection that stood ready."""

import asyncio
import gc
import socket
import ssl
import struct

import httpx
import pytest
import trustme
from peer import END, HEAD, Peer, briefly, chunk, without_end

from fim_lsp.endpoint import connection_pool
from fim_lsp.endpoint.connection_pool import Transport


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(params=["plain", "tls"])
async def make(request, authority):
    """Start a peer that answers so, and a transport to it: over plain TCP, and over TLS."""
    peers, transports = [], []

    async def begin(answer, **how):
        served = asked = None
        if request.param == "tls":
            served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("localhost").configure_cert(served)
            asked = ssl.create_default_context()
            authority.configure_trust(asked)
        peer = await Peer(answer).start(served)
        peers.append(peer)
        transports.append(Transport(peer.url, context=asked, **how))
        return peer, transports[-1]

    yield begin
    for transport in transports:
        await transport.aclose()
    for peer in peers:
        await peer.stop()


async def ask(transport, peer):
    request = httpx.Request("POST", peer.url + "/beta/completions", content=b"{}")
    return await transport.handle_async_request(request)


async def whole(transport, peer):
    response = await ask(transport, peer)
    try:
        return b"".join([part async for part in response.aiter_raw()])
    finally:
        await response.aclose()


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


async def test_answers_one_after_the_other_use_one_connection(make):
    """While nothing is cut, the same connection serves, and one more stands ready."""
    peer, transport = await make(briefly)
    for _ in range(5):
        assert b'"ok"' in await whole(transport, peer)
    await until(lambda: peer.accepted == 2)
    assert set(peer.asked_on) == {1}
    assert peer.cut == 0


async def test_ten_cuts_end_ten_streams_and_no_request_waits_for_a_connection(make):
    """The peer sees each stream cut, and each next request on a connection that it had accepted before."""
    peer, transport = await make(without_end)
    await transport.warm()
    accepted = []
    for number in range(10):
        await until(lambda: len(peer.open) >= 1 and transport._ready)
        accepted.append(peer.accepted)
        response = await ask(transport, peer)
        assert await anext(response.aiter_raw())
        await response.aclose()
        await until(lambda number=number: peer.cut == number + 1)
    assert all(used <= before for used, before in zip(peer.asked_on, accepted, strict=True))
    assert len(set(peer.asked_on)) == 10


async def test_the_stream_of_a_cancelled_task_is_cut(make):
    """Cancelling the task that reads, wherever it waits, ends the stream at the peer."""

    async def slow(peer, writer, number):
        if number % 2:
            writer.write(HEAD)
        await asyncio.sleep(30)

    peer, transport = await make(slow)
    for number in range(4):
        task = asyncio.create_task(whole(transport, peer))
        await until(lambda number=number: len(peer.asked_on) == number + 1)
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda number=number: peer.cut == number + 1)


async def test_a_thousand_cuts_leave_nothing_behind(make):
    """A thousand requests cancelled at any moment, many at once, and the next is answered as the first."""
    peer, transport = await make(without_end)
    turns = 0
    for _ in range(100):
        tasks = [asyncio.create_task(whole(transport, peer)) for _ in range(10)]
        for task in tasks:
            for _ in range(turns % 23):
                await asyncio.sleep(0)
            turns += 1
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends)
    peer.answer = briefly
    assert b'"ok"' in await whole(transport, peer)
    await until(lambda: not transport._openings)
    assert len(transport._ready) <= 4
    assert transport._waiting == 0
    await until(lambda: len(peer.open) == len(transport._live) == len(transport._ready))


async def test_after_closing_nothing_is_left(make):
    """No task, no connection, and no request more."""
    peer, transport = await make(without_end)
    before = asyncio.all_tasks()
    running = asyncio.create_task(whole(transport, peer))
    await until(lambda: peer.asked_on)
    await transport.aclose()
    with pytest.raises(httpx.TransportError):
        await running
    assert not transport._live
    assert not transport._openings
    await until(lambda: not peer.open)
    assert not {task for task in asyncio.all_tasks() - before if "Transport" in repr(task)}
    with pytest.raises(httpx.TransportError):
        await ask(transport, peer)
    gc.collect()  # an unclosed socket would say so now


async def test_what_the_peer_closed_is_not_used(make):
    """A connection that stood ready and was closed by the peer is passed over, without a failed attempt."""
    peer, transport = await make(briefly)
    await whole(transport, peer)
    await until(lambda: len(peer.open) == len(transport._ready) == 2)
    peer.close_all()
    await until(lambda: not transport._ready)
    await whole(transport, peer)
    assert len(peer.asked_on) == 2
    assert peer.asked_on[1] > 2


async def test_a_connection_that_died_unnoticed_is_replaced_once_in_silence(make):
    """What was sent over a connection that had died is sent again over a new one, as nothing was received."""

    async def die_if_old(peer, writer, number):
        if number == 1:
            writer.transport.abort()
            return False
        return await briefly(peer, writer, number)

    peer, transport = await make(die_if_old)
    await whole(transport, peer)
    await until(lambda: len(peer.open) == len(transport._ready) == 2)
    assert b'"ok"' in await whole(transport, peer)
    assert len(peer.asked_on) == 3
    assert peer.asked_on[2] > 2, "those that had waited beside it are not trusted either"


async def test_a_new_connection_that_dies_is_not_tried_again(make):
    """Nor is one that dies a second time."""

    async def die(peer, writer, number):
        writer.transport.abort()
        return False

    peer, transport = await make(die)
    with pytest.raises(httpx.TransportError):
        await ask(transport, peer)
    assert len(peer.asked_on) == 1
    await until(lambda: transport._ready)
    with pytest.raises(httpx.TransportError):
        await ask(transport, peer)
    assert len(peer.asked_on) == 3


@pytest.mark.parametrize(
    ("received", "reset"),
    [
        pytest.param(HEAD + chunk(b"data: 1\n\n"), True, id="within an answer"),
        pytest.param(HEAD[:20], False, id="within its head"),
    ],
)
async def test_nothing_is_asked_twice_once_something_was_received(make, received, reset):
    """A connection that dies then is not replaced in silence: the first byte of an answer says that the request had arrived."""

    async def half(peer, writer, number):
        if not number:
            return await briefly(peer, writer, number)
        writer.write(received)
        await writer.drain()
        await asyncio.sleep(0.02)
        if reset:
            writer.transport.abort()
        return False

    peer, transport = await make(half)
    await whole(transport, peer)
    with pytest.raises(httpx.TransportError):
        await whole(transport, peer)
    assert len(peer.asked_on) == 2


async def test_a_reset_is_no_end_of_an_answer(make):
    """Not even of one whose end is that of its connection."""

    async def reset(peer, writer, number):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await writer.drain()
        if not number:
            return False
        await asyncio.sleep(0.02)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.transport.abort()
        return False

    peer, transport = await make(reset)
    assert await whole(transport, peer) == b"data: 1\n\n"
    with pytest.raises(httpx.TransportError):
        await whole(transport, peer)


async def test_connections_of_before_a_long_sleep_are_not_used(make):
    """The machine slept: the monotonic clock stood still, the calendar did not."""
    calendar = [0.0]
    peer, transport = await make(briefly, clock=lambda: 5.0, wall=lambda: calendar[0])
    await whole(transport, peer)
    await until(lambda: len(peer.open) == len(transport._ready) == 2)
    calendar[0] += 3600
    await whole(transport, peer)
    assert peer.asked_on[1] > 2


async def test_nothing_is_reopened_for_a_user_who_is_away(make):
    """A connection that an idle peer closes is replaced while the user works, and not afterwards."""
    now = [0.0]
    peer, transport = await make(briefly, clock=lambda: now[0], wall=lambda: now[0])
    await whole(transport, peer)
    await until(lambda: len(peer.open) == len(transport._ready) == 2)
    now[0] += 30
    peer.close_all()
    await until(lambda: peer.accepted == 3 and transport._ready)
    now[0] += 100
    peer.close_all()
    await until(lambda: not peer.open and not transport._ready)
    await asyncio.sleep(0.02)
    assert peer.accepted == 3
    await transport.warm()
    assert len(transport._ready) == 1


async def test_what_is_sent_unasked_is_never_taken_for_an_answer(make):
    """A second answer behind the first one, or one before it is asked for, ends the connection."""

    async def twice(peer, writer, number):
        data = HEAD + chunk(b"data: %d\n\n" % number) + END
        writer.write(data + data if number == 0 else data)
        await writer.drain()
        if number == 1:
            await asyncio.sleep(0.02)
            writer.write(data)
        return True

    peer, transport = await make(twice)
    for number in range(4):
        assert b"data: %d" % number in await whole(transport, peer)
        await asyncio.sleep(0.2)
    assert len(set(peer.asked_on)) == 3


async def test_an_answer_that_was_there_whole_keeps_its_connection_though_cut(make):
    """Leaving at the last word costs no connection."""
    peer, transport = await make(briefly)
    for _ in range(3):
        response = await ask(transport, peer)
        await asyncio.sleep(0.02)
        await response.aclose()
    assert set(peer.asked_on) == {1}


async def test_a_slow_reader_makes_the_peer_wait(make):
    """Nothing piles up in memory while nobody reads."""
    sent = [0]

    async def flood(peer, writer, number):
        writer.write(HEAD)
        while sent[0] < 64 << 20:
            writer.write(chunk(b"x" * 65536))
            sent[0] += 65536
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        return True

    peer, transport = await make(flood)
    response = await ask(transport, peer)
    before = -1
    while before != sent[0]:
        before = sent[0]
        await asyncio.sleep(0.1)
    assert sent[0] < 32 << 20
    (held,) = [it for it in transport._live if it not in transport._ready]
    assert held._held < 1 << 20
    total = 0
    async for part in response.aiter_raw():
        total += len(part)
    await response.aclose()
    assert total == sent[0] == 64 << 20


async def test_requests_at_once_each_have_a_connection(make):
    """Requests do not wait for each other."""
    gate = asyncio.Event()

    async def together(peer, writer, number):
        if len(peer.asked_on) == 20:
            gate.set()
        await gate.wait()
        return await briefly(peer, writer, number)

    peer, transport = await make(together)
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(whole(transport, peer) for _ in range(20)))
    assert len(answers) == 20
    assert len(set(peer.asked_on)) == 20
    await until(lambda: len(peer.open) <= 4)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        b"HTTP/2 200\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_an_error_and_ends_the_connection(make, answer):
    """Whatever is wrong with the answer, it comes out as an error of the transport."""

    async def wrong(peer, writer, number):
        writer.write(answer)
        await writer.drain()
        return False

    peer, transport = await make(wrong)
    with pytest.raises(httpx.TransportError):
        await whole(transport, peer)
    await until(lambda: len(transport._live) == len(transport._ready))


async def test_a_certificate_of_nobody_is_refused(authority):
    """TLS is verified."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(served)
    peer = await Peer(briefly).start(served)
    transport = Transport(peer.url)
    with pytest.raises(httpx.ConnectError) as error:
        await ask(transport, peer)
    assert isinstance(error.value.__cause__, ssl.SSLCertVerificationError)
    assert peer.bodies == []
    await transport.aclose()
    await peer.stop()


async def test_a_peer_that_is_not_there_is_an_error_for_all_who_wait():
    """And for the next one again, without a rest: that is for others to keep."""
    peer = await Peer(briefly).start()
    await peer.stop()
    transport = Transport(peer.url)
    await transport.warm()
    ends = await asyncio.gather(*(ask(transport, peer) for _ in range(3)), return_exceptions=True)
    assert [type(end) for end in ends] == [httpx.ConnectError] * 3
    await transport.aclose()


async def test_an_address_that_refuses_is_left_for_the_next(monkeypatch):
    """A host of several addresses is reached by any of them."""
    peer = await Peer(briefly).start()

    async def found(host, port, **_):
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, ("127.0.0.2", port)), (*kind, ("127.0.0.3", port)), (*kind, ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
    transport = Transport(f"http://many.example:{peer.port}")
    assert b'"ok"' in await whole(transport, peer)
    await transport.aclose()
    await peer.stop()


@pytest.mark.parametrize(
    ("environment", "url", "proxied"),
    [
        ({}, "https://api.deepseek.com", False),
        ({"https_proxy": "http://127.0.0.1:3128"}, "https://api.deepseek.com", True),
        ({"https_proxy": "127.0.0.1:3128"}, "https://api.deepseek.com", True),
        ({"http_proxy": "http://127.0.0.1:3128"}, "https://api.deepseek.com", False),
        ({"all_proxy": "http://127.0.0.1:3128"}, "https://api.deepseek.com", True),
        (
            {"https_proxy": "http://127.0.0.1:1", "no_proxy": "deepseek.com"},
            "https://api.deepseek.com",
            False,
        ),
        ({"http_proxy": "http://127.0.0.1:3128"}, "http://127.0.0.1:8000", False),
        ({"http_proxy": "http://127.0.0.1:3128"}, "http://box.example", True),
    ],
)
async def test_proxies_of_the_environment_are_respected(monkeypatch, environment, url, proxied):
    """As curl reads them, except that this machine needs none to reach itself."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made = connection_pool.transport(url)
    assert isinstance(made, Transport) is not proxied
    await made.aclose()


async def test_a_proxy_carries_the_request_and_its_cut(monkeypatch):
    """Through a proxy, too, a cut stream ends."""
    peer = await Peer(without_end).start()
    monkeypatch.setenv("http_proxy", peer.url)
    monkeypatch.delenv("no_proxy", raising=False)
    made = connection_pool.transport("http://box.example")
    for _ in range(10):
        response = await made.handle_async_request(
            httpx.Request("POST", "http://box.example/x", content=b"{}")
        )
        assert await anext(response.aiter_raw())
        await response.aclose()
    await until(lambda: peer.cut == 10)
    await made.aclose()
    await peer.stop()


async def test_a_peer_that_speaks_or_leaves_before_it_is_asked_is_not_called_again_and_again():
    """One connection for one request, and then an error."""

    async def greet(reader, writer):
        accepted.append(writer)
        writer.write(b"220 welcome\r\n")
        if len(accepted) % 2:
            writer.close()

    accepted = []
    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    transport = Transport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    for number in range(1, 5):
        with pytest.raises(httpx.TransportError):
            await transport.handle_async_request(httpx.Request("POST", "http://127.0.0.1/", content=b"{}"))
        assert len(accepted) <= 2 * number
    await transport.aclose()
    server.close()
    for writer in accepted:
        writer.close()


@pytest.mark.parametrize("piece", [b"1\r\nx\r\n" * 15_000, chunk(b"\n" * 200_000)], ids=["chunks", "bytes"])
async def test_a_flood_leaves_the_loop_to_others(make, piece):
    """However much has come at once, others have their turns while it is read."""

    async def flood(peer, writer, number):
        writer.write(HEAD + piece + b"0\r\n\r\n")
        await writer.drain()
        return True

    peer, transport = await make(flood)
    response = await ask(transport, peer)
    (serving,) = (it for it in transport._live if it not in transport._ready)
    await until(lambda: serving._held >= min(len(piece), 90_000))
    turns = 0

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    async for _ in response.aiter_raw():
        pass
    beside.cancel()
    await response.aclose()
    assert turns >= 12


async def test_chunks_without_end_are_cut(make):
    """A body in ever so many pieces is no answer, though it be short."""

    async def crumbs(peer, writer, number):
        writer.write(HEAD)
        while True:
            writer.write(b"1\r\nx\r\n" * 5_000)
            await writer.drain()

    peer, transport = await make(crumbs)
    with pytest.raises(httpx.DecodingError):
        await whole(transport, peer)
    await until(lambda: len(transport._live) == len(transport._ready))


async def test_what_is_wrong_behind_a_good_piece_is_not_taken_for_an_end(make):
    """The piece is given on, and then the error."""

    async def half(peer, writer, number):
        writer.write(HEAD + chunk(b"data: 1\n\n") + b"zz\r\n")
        await writer.drain()
        await asyncio.sleep(30)

    peer, transport = await make(half)
    response = await ask(transport, peer)
    parts = response.aiter_raw()
    assert await anext(parts) == b"data: 1\n\n"
    with pytest.raises(httpx.RemoteProtocolError):
        await anext(parts)
    await response.aclose()
