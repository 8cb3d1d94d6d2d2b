"""The way in and out: broken frames, and strangers at the port."""

import asyncio
import json
import os
import sys
from itertools import chain

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fim_lsp.lsp.framing import BrokenError, Frames, begins

STATUS = "workspace/executeCommand"


def framed(body, length=None):
    return b"Content-Length: %d\r\n\r\n%s" % (len(body) if length is None else length, body)


def request(number):
    params = {"command": "fimLsp.status", "text": 'Content-Length: 9\r\n\r\n{"id": 0}'}
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": STATUS, "params": params}).encode()


def numbers(stream, size):
    """The ids of the messages that a stream holds, in pieces of a size."""
    frames, found = Frames(), []
    for at in range(0, len(stream), size):
        for message in frames.feed(stream[at : at + size]):
            try:
                found.append(json.loads(message)["id"])
            except ValueError:
                found.append(None)
    return found


BROKEN = {
    "digits": framed(request(1), 0).replace(b": 0", b": " + b"9" * 5000),
    "too long by one": framed(request(1), len(request(1)) + 1),
    "too long by nine": framed(request(1), len(request(1)) + 9),
    "too long by a head": framed(request(1), len(request(1)) + 21),
    "too long by much": framed(request(1), 100_000),
    "too short by one": framed(request(1), len(request(1)) - 1),
    "too short by much": framed(request(1), 10),
    "nothing": framed(request(1), 0),
    "no number": framed(request(1)).replace(b"Length: ", b"Length: x"),
    "negative": framed(request(1)).replace(b"Length: ", b"Length: -"),
    "no head": request(1),
    "no head, with an end": request(1) + b"\n",
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes": bytes(range(256)) * 3,
    "lines": b"warning: something\r\n\r\n" * 3,
    "only the end of a head": b"\r\n\r\n",
}


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_comes_behind_a_broken_frame_is_read(broken, size):
    """Whatever stands there, the next valid messages are found."""
    stream = framed(request(0)) + broken + framed(request(7)) + framed(request(8)) + framed(request(9))
    found = numbers(stream, size)
    assert found[0] == 0
    assert [number for number in found if number not in (0, 1, None)] == [7, 8, 9]


@given(st.lists(st.text(), max_size=5), st.integers(1, 50))
@example(["Content-Length: 5\r\n\r\n{}"], 3)
@example(["}Content-"], 1)
def test_frames_that_are_right_are_read_as_they_are(texts, size):
    """Whatever a message holds, however it arrives."""
    bodies = [json.dumps([text], ensure_ascii=False).encode("utf-8", "replace") for text in texts]
    stream = b"".join(b"Content-Type: x; charset=utf-8\r\n" + framed(body) for body in bodies)
    frames = Frames()
    read = [one for at in range(0, len(stream), size) for one in frames.feed(stream[at : at + size])]
    assert read == bodies


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([*BROKEN.values(), b"Content-Length: "]))))
def test_no_bytes_are_too_much(pieces):
    """Messages, or one sentence."""
    frames, said = Frames(), ""
    try:
        for piece in pieces:
            list(frames.feed(piece))
    except BrokenError as error:
        said = str(error)
    assert said == "" or said.endswith(".")


@pytest.mark.parametrize("line", [b"x", b"line\n", framed(b"", 10**12)])
def test_a_stream_without_end_ends(line):
    """No more is held of what can be no message."""
    frames = Frames()
    with pytest.raises(BrokenError):
        list(chain.from_iterable(frames.feed(line) for _ in range(2_000_000 // len(line))))


@pytest.mark.parametrize(
    "name", ["digits", "too long by nine", "too long by much", "too short by much", "bytes"]
)
async def test_the_server_is_never_deaf(start, name):
    """It answers what comes behind, or has ended with one sentence."""
    client = await start()
    client.raw(BROKEN[name])
    assert (await client.call(STATUS, {"command": "fimLsp.status"}))["state"] == "ready"
    assert await client.stop() == 0


async def test_a_length_beyond_all_bounds_ends_the_server(start):
    """One sentence, and 1."""
    client = await start()
    client.raw(framed(b"", 10**14))
    assert await client.ended() == 1
    assert client.stderr.count(b"the largest is") == 1


def test_who_speaks_the_protocol():
    """By the first bytes, as far as they are there."""
    assert all(begins(first) for first in (b"", b"C", b"content-", b"Content-Length: 1", b"Content-Type: x"))
    assert not any(begins(first) for first in (b"P", b"POST / HTTP/1.1", b"\x16\x03\x01", b"Conx", b"\r\n"))


KNOCKS = [
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
    b"GET / HTTP/1.1\r\nContent-Length: 58\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
    b"{}",
    b"",
]


async def test_a_web_page_does_not_take_the_place_of_the_client(tmp_path):
    """It is turned away, as is who says nothing, and the real client is served after it."""
    run = [sys.executable, "-m", "fim_lsp", "--tcp", "0"]
    environ = {**os.environ, "HOME": str(tmp_path), "DEEPSEEK_API_KEY": "sk-test"}
    served = await asyncio.create_subprocess_exec(*run, stdin=-3, stdout=-3, stderr=-1, env=environ)
    try:
        port = int((await served.stderr.readline()).rsplit(b":", 1)[1])
        silent = await asyncio.open_connection("127.0.0.1", port)
        begin = json.dumps(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "initialize",
                "params": {"capabilities": {}, "processId": None},
            }
        ).encode()
        for knock in (*KNOCKS, KNOCKS[0].replace(b"{}", begin)):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(knock)
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 10) == b""
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for byte in framed(begin)[:5]:
            writer.write(bytes([byte]))
            await writer.drain()
        writer.write(framed(begin)[5:])
        assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"Content-Length")
        other, late = await asyncio.open_connection("127.0.0.1", port)
        late.write(framed(begin))
        assert await asyncio.wait_for(other.read(), 10) == b""
        writer.write(framed(b'{"jsonrpc": "2.0", "id": 2, "method": "shutdown"}'))
        writer.write(framed(b'{"jsonrpc": "2.0", "method": "exit"}'))
        assert await asyncio.wait_for(served.wait(), 10) == 0
        for one in (writer, late, silent[1]):
            one.close()
    finally:
        if served.returncode is None:
            served.kill()
            await served.wait()
