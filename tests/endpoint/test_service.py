"""What the endpoint says, and what comes of it: text, or one of two errors that say who must act."""

import asyncio
import json
import socket
import ssl
import time
from decimal import Decimal
from itertools import pairwise

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from peer import HEAD, Peer, chunk

from fim_lsp.endpoint.connection_pool import Transport
from fim_lsp.endpoint.request import Refused, Request, ServiceError, Unavailable, Usage
from fim_lsp.endpoint.service import Balance, Service

KEY = "sk-0123456789abcdef"
ASK = Request("def f(", "\n", "deepseek-flash", 64, 0.0)
SSE = {"content-type": "text/event-stream; charset=utf-8"}
USED = {"prompt_tokens": 100, "completion_tokens": 3, "prompt_cache_hit_tokens": 64, "total_tokens": 103}


class Body(httpx.AsyncByteStream):
    """A body in given parts; an exception among them is raised there."""

    def __init__(self, parts):
        self.parts = parts
        self.closed = False

    async def __aiter__(self):
        for part in self.parts:
            if isinstance(part, Exception):
                raise part
            yield part

    async def aclose(self):
        self.closed = True


def service(answer, *, key=KEY, url="https://api.example", **how):
    """A service whose answers are a response, or what a function makes of a request."""
    transport = httpx.MockTransport(answer if callable(answer) else lambda _: answer)
    return Service(url, key, transport=transport, **how)


def streamed(*parts, headers=SSE, status=200):
    return httpx.Response(status, headers=headers, stream=Body(parts))


def event(text=None, reason=None, **more):
    choices = [] if text is None else [{"index": 0, "text": text, "finish_reason": reason, "logprobs": None}]
    data = {"id": "1", "object": "text_completion", "model": "deepseek-flash", "choices": choices, **more}
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


async def read(client, request=ASK, seconds=5.0):
    """The text, and the reply."""
    async with client.complete(request, seconds=seconds) as reply:
        text = "".join([piece async for piece in reply])
    return text, reply


async def failed(client, request=ASK, seconds=5.0):
    """What was read before the error, and the error."""
    text = ""

    async def ask():
        nonlocal text
        async with client.complete(request, seconds=seconds) as reply:
            async for piece in reply:
                text += piece

    error = await caught(ask())
    return text, error


def check_message(error):
    """One sentence, without the key or the prompt."""
    assert error.message == str(error)
    assert error.message[-1] == "."
    assert error.message[0].isupper() or error.message.startswith(("api.example", "127.0.0.1", "localhost"))
    assert "\n" not in error.message
    assert len(error.message) < 200
    for secret in (KEY, "cdef", ASK.prefix, "SECRET"):
        assert secret not in error.message


# What is sent


async def test_equal_parts_are_sent_as_equal_bytes():
    """The body's order is fixed, the text first and unescaped, so that what stays the same is the same."""
    sent = []

    def note(request):
        sent.append(request)
        return streamed(event("x", "stop"), DONE)

    client = service(note)
    await read(client, Request("né\u2028", "x", "deepseek-flash", 64, 0.2, ("\n\n",)))
    await read(client, Request("né\u2028m", "", "deepseek-flash", 64, 0.2))
    assert (
        sent[0].content
        == (
            '{"model":"deepseek-flash","prompt":"né\u2028","suffix":"x","max_tokens":64,"temperature":0.2,'
            '"stop":["\\n\\n"],"stream":true,"stream_options":{"include_usage":true}}'
        ).encode()
    )
    assert json.loads(sent[1].content) == {
        "model": "deepseek-flash",
        "prompt": "né\u2028m",
        "max_tokens": 64,
        "temperature": 0.2,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert str(sent[0].url) == "https://api.example/beta/completions"
    assert sent[0].headers["authorization"] == f"Bearer {KEY}"
    assert sent[0].headers["content-type"] == "application/json"
    assert sent[0].headers["accept-encoding"] == "identity"
    assert "cookie" not in sent[1].headers


@pytest.mark.parametrize(
    ("text", "sent"), [("a\ud83d", "a\ufffd"), ("\ude00b", "\ufffdb"), ("\ud83d\ude00", "😀"), ("\0", "\0")]
)
async def test_any_text_can_be_sent(text, sent):
    """Half a character does not keep the rest from being sent."""
    bodies = []

    def note(request):
        bodies.append(json.loads(request.content))
        return streamed(event("x", "stop"), DONE)

    await read(service(note), Request(text, text, "m", 1, 0.0))
    assert bodies[0]["prompt"] == bodies[0]["suffix"] == sent


@pytest.mark.parametrize("key", [None, "", "sk 1", "sk-\n1", "schlüssel", "sk-\x00"])
async def test_without_a_usable_key_nothing_is_sent(key):
    """The reader is told before anything leaves the machine."""

    def never(request):
        raise AssertionError

    client = service(never, key=key)
    for asked in (failed(client), caught(client.models()), caught(client.balance())):
        error = await asked
        error = error[1] if isinstance(error, tuple) else error
        assert isinstance(error, Refused)
        assert error.cause == "key"


async def caught(awaitable):
    with pytest.raises(ServiceError) as error:
        await awaitable
    check_message(error.value)
    return error.value


# What is answered


async def test_text_comes_in_pieces_as_it_is_sent():
    """Each piece is given on before the next is there; none is empty."""
    gate = asyncio.Event()

    class Slow(Body):
        async def __aiter__(self):
            yield event("") + event("de")
            await gate.wait()
            yield event("f") + event("", "stop") + DONE

    client = service(httpx.Response(200, headers=SSE, stream=Slow(())))
    async with client.complete(ASK, seconds=5) as reply:
        assert await anext(reply) == "de"
        assert reply.finish_reason is None
        gate.set()
        assert [piece async for piece in reply] == ["f"]
    assert (reply.finish_reason, reply.model, reply.usage) == ("stop", "deepseek-flash", None)


@pytest.mark.parametrize(
    "parts",
    [
        [event("ab"), event("c", "stop"), event(usage=USED), DONE],
        [event("ab"), event("c", "stop", usage=USED), DONE],
        [event("ab", usage=None), event("c", "stop", usage=None), event(usage=USED), DONE],
        [event("ab"), event("c", "stop"), b'data: {"usage":' + json.dumps(USED).encode() + b"}\n\n", DONE],
        [event("ab"), event("c", "stop", usage=USED)],
    ],
)
async def test_usage_is_read_wherever_it_comes(parts):
    """In a chunk of its own, on the last one, in one without choices."""
    text, reply = await read(service(streamed(*parts)))
    assert text == "abc"
    assert reply.usage == Usage(100, 64, 3)


@pytest.mark.parametrize(
    "usage", [None, 5, {}, {"prompt_tokens": "1"}, {"prompt_tokens": -1}, {"prompt_tokens": True}]
)
async def test_usage_that_makes_no_sense_is_no_usage(usage):
    """And nothing is lost by it."""
    text, reply = await read(service(streamed(event("a", "stop", usage=usage), DONE)))
    assert (text, reply.usage) == ("a", None)


@pytest.mark.parametrize("space", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
async def test_signs_that_are_line_ends_elsewhere_stay_text(space):
    """An event ends at a line feed, and what else Python takes for one may stand raw in its JSON."""
    data = f'data: {{"choices":[{{"text":"a{space}b","finish_reason":"stop"}}]}}\n\n'.encode()
    text, _ = await read(service(streamed(data, DONE)))
    assert text == f"a{space}b"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["\\ud83d", "\\ude00"], "😀"),
        (["a\\ud83d", "b"], "a\ufffdb"),
        (["a\\ud83d"], "a\ufffd"),
        (["\\ude00\\ud83d"], "\ufffd\ufffd"),
    ],
)
async def test_a_character_in_two_pieces_is_one(pieces, text):
    """And half of one never leaves the module."""
    parts = [b'data: {"choices":[{"text":"%s"}]}\n\n' % piece.encode() for piece in pieces]
    assert (await read(service(streamed(*parts, event("", "stop"), DONE))))[0] == text


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + event("a", "stop") + DONE,
        event("a", "stop").replace(b"\n", b"\r\n") + DONE,
        event("a", "stop").replace(b"\n", b"\r") + DONE,
        b": keep-alive\n\n" * 50 + event("a", "stop") + b": keep-alive\n\n" + DONE,
        b"event: completion\nid: 7\nretry: 10\n" + event("a", "stop") + DONE,
        event("a", "stop").replace(b"data: ", b"data:") + b"data:[DONE]\n\n",
        event("a", "stop") + DONE + DONE + event("never") + b"data: garbage\n\n",
        event("a", "stop") + b"data: \n\n" + DONE,
        event("a", "stop") + b"data: [DONE]",
        event("a") + DONE,
        b'data: {"choices":[{"text":"a"}],\ndata: "model":"m"}\n\n' + DONE,
        event("a", "stop", surprise=[1, {"x": None}]) + DONE,
        event("a", "") + event(None) + event("", "length") + DONE,
    ],
)
async def test_every_shape_of_stream_is_read(data):
    """Byte order mark, other line ends, comments, fields, duplicate ends, an end without one, unknown fields."""
    assert (await read(service(streamed(data))))[0] == "a"


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
async def test_an_answer_that_is_no_stream_is_taken(kind):
    """With the empty lines that keep its connection alive before it."""
    data = {"choices": [{"text": "abc", "finish_reason": "length"}], "model": "m", "usage": USED}
    answer = streamed(b"\n\n\n", json.dumps(data).encode(), headers={"content-type": kind})
    text, reply = await read(service(answer))
    assert (text, reply.finish_reason, reply.model, reply.usage) == ("abc", "length", "m", Usage(100, 64, 3))


def chopped(data, cuts):
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(places)]


VALID = (
    b"\xef\xbb\xbf: keep-alive\n\n"
    + event("dé\u2028f ")
    + b": keep-alive\r\n\r\n"
    + event("😀\n\tx").replace(b"\n", b"\r\n")
    + event("\\", "stop").replace(b"\n", b"\r")
    + event(usage=USED)
    + DONE
)


@given(st.lists(st.integers(0, len(VALID))))
@example(range(len(VALID)))
def test_however_the_bytes_are_cut_the_answer_is_the_same(cuts):
    """Chunks of the network mean nothing."""
    text, reply = asyncio.run(read(service(streamed(*chopped(VALID, cuts)))))
    assert text == "dé\u2028f 😀\n\tx\\"
    assert (reply.usage, reply.finish_reason) == (Usage(100, 64, 3), "stop")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "text", "finish_reason", "usage", "model", "error", "prompt_tokens", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
CHOICE = st.fixed_dictionaries({}, optional={"text": JSON, "finish_reason": JSON, "index": JSON})
PARTS = st.lists(
    st.binary(max_size=40)
    | st.sampled_from(
        [DONE, b"data: ", b"\n\n", b"data: {}\n\n", event("a"), event("b", "stop"), event(usage=USED)]
    )
    | JSON.map(lambda value: b"data: " + json.dumps(value).encode() + b"\n\n")
    | CHOICE.map(lambda value: b"data: " + json.dumps({"choices": [value]}).encode() + b"\n\n")
    | st.sampled_from(
        [httpx.ReadError("x"), httpx.RemoteProtocolError("x"), ConnectionResetError(), OSError()]
    ),
    max_size=8,
)


@settings(max_examples=400, deadline=1000)
@given(PARTS, st.sampled_from(["text/event-stream", "application/json", "text/html", ""]))
def test_whatever_is_answered_there_is_text_or_one_of_two_errors(parts, kind):
    """Random streams raise nothing else, and none goes on for ever; the text can always be written."""

    async def once():
        answer = streamed(*parts, headers={"content-type": kind})
        text = ""
        try:
            async with service(answer).complete(ASK, seconds=5) as reply:
                async for piece in reply:
                    assert piece
                    text += piece
        except (Refused, Unavailable) as error:
            check_message(error)
        assert answer.stream._stream.closed
        text.encode()

    asyncio.run(once())


# What goes wrong


STATUSES = [
    (400, Refused, "parameter"),
    (401, Refused, "key"),
    (402, Refused, "balance"),
    (403, Refused, "key"),
    (404, Refused, "model"),
    (405, Refused, "address"),
    (407, Refused, "address"),
    (408, Unavailable, "network"),
    (410, Refused, "address"),
    (413, Refused, "parameter"),
    (418, Refused, "parameter"),
    (422, Refused, "parameter"),
    (429, Unavailable, "busy"),
    (451, Refused, "address"),
    (500, Unavailable, "down"),
    (502, Unavailable, "down"),
    (503, Unavailable, "busy"),
    (504, Unavailable, "down"),
    (529, Unavailable, "busy"),
    (599, Unavailable, "down"),
    (301, Refused, "address"),
    (302, Refused, "address"),
    (304, Refused, "address"),
    (307, Refused, "address"),
    (201, Unavailable, "garbage"),
    (204, Unavailable, "garbage"),
    (206, Unavailable, "garbage"),
]
BODIES = [
    json.dumps(
        {"error": {"message": f"SECRET key ****cdef in {ASK.prefix}", "type": KEY, "param": KEY, "code": KEY}}
    ),
    json.dumps({"detail": f"SECRET {KEY}"}),
    f"<html>{KEY}</html>",
    "",
    "[" * 10_000,
]


@pytest.mark.parametrize("body", BODIES, ids=["error", "detail", "html", "empty", "deep"])
@pytest.mark.parametrize(("status", "kind", "cause"), STATUSES)
async def test_the_status_alone_says_who_must_act(status, kind, cause, body):
    """Whatever the body says; and nothing of the body is repeated."""
    answer = streamed(body.encode(), status=status, headers={"content-type": "application/json"})
    text, error = await failed(service(answer))
    assert text == ""
    assert type(error) is kind
    assert error.cause == cause
    if not 200 <= status < 300:
        assert str(status) in error.message


@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize(
    ("model", "successor"), [("deepseek-chat", "deepseek-flash"), ("deepseek-reasoner", "deepseek-v4-pro")]
)
async def test_a_retired_model_is_answered_with_its_successor(status, model, successor):
    """Its name is in the sentence."""
    _, error = await failed(service(streamed(b"{}", status=status)), Request("a", "", model, 9, 0.0))
    assert isinstance(error, Refused)
    assert error.cause == "model"
    assert f'"{model}"' in error.message
    assert f'set model to "{successor}"' in error.message


async def test_a_parameter_that_the_service_names_is_named():
    """If it is one of ours."""
    body = json.dumps({"error": {"message": "SECRET", "param": "max_tokens"}}).encode()
    _, error = await failed(service(streamed(body, status=422)))
    assert "max_tokens (422)" in error.message


NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("86400", 600.0),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("Fri, 15 Jan 2038 07:00:00 GMT", 600.0),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("nan", None),
        ("٣", None),
        ("", None),
        ("9" * 400, None),
        ("Fri, 99 Jan 2027 08:00:30 GMT", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_the_service_asks_for_as_a_rest_is_known(status, value, seconds):
    """In seconds or as a date, and never more than ten minutes."""
    headers = [] if value is None else [(b"retry-after", value.encode())]
    answer = httpx.Response(status, headers=headers, stream=Body([]))
    _, error = await failed(service(answer, wall=lambda: NOW))
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://elsewhere.example/x", " to elsewhere.example "),
        ("/relative", ""),
        ("https://user:pass@evil.example", " to evil.example "),
        (f"https://{KEY}.evil.example", ""),
        ("http://[broken", ""),
        ("https://" + "a" * 300, ""),
    ],
)
async def test_a_redirect_is_named_and_not_followed(location, named):
    """The key goes nowhere else."""
    hosts = []

    def away(request):
        hosts.append(request.url.host)
        return httpx.Response(307, headers={"location": location}, stream=Body([]))

    _, error = await failed(service(away))
    assert hosts == ["api.example"]
    assert f"redirects{named or ' '}".strip() in error.message
    assert "None" not in error.message


GARBAGE = [
    (b"<html>" + KEY.encode(), "text/html"),
    (event("a", "stop"), "text/plain"),
    (event("a", "stop"), ""),
    (b"", "text/event-stream"),
    (b"\n\n\n", "text/event-stream"),
    (DONE, "text/event-stream"),
    (b"data: nonsense\n\n", "text/event-stream"),
    (b"data: []\n\n", "text/event-stream"),
    (b"data: 1\n\n", "text/event-stream"),
    (b"data: " + b"[" * 100_000 + b"\n\n", "text/event-stream"),
    (b"data: " + b"1" * 10_000 + b"\n\n", "text/event-stream"),
    (b"data: {}\n\n", "text/event-stream"),
    (b'data: {"choices":{}}\n\n', "text/event-stream"),
    (b'data: {"choices":[1]}\n\n', "text/event-stream"),
    (b'data: {"choices":[{"text":1}]}\n\n', "text/event-stream"),
    (b'data: {"choices":[{"text":"a","finish_reason":1}]}\n\n', "text/event-stream"),
    (b"nonsense", "application/json"),
    (b"", "application/json"),
    (b"[]", "application/json"),
    (b"\xff\xfe\x00", "application/json"),
]


@pytest.mark.parametrize(("body", "kind"), GARBAGE)
async def test_what_is_no_completion_is_named_so(body, kind):
    """A page of a hotel's network, half a proxy, another service."""
    _, error = await failed(service(streamed(body, headers={"content-type": kind})))
    assert isinstance(error, Unavailable)
    assert error.cause == "garbage"


async def test_a_compressed_answer_is_not_unpacked():
    """None was asked for, and it may unfold without end."""
    headers = {**SSE, "content-encoding": "gzip"}
    assert (await failed(service(streamed(event("a", "stop"), headers=headers))))[1].cause == "garbage"


@pytest.mark.parametrize(
    ("parts", "text", "cause", "alone"),
    [
        ([event("ab")], "ab", "network", False),
        ([event("ab"), b"data: {"], "ab", "network", False),
        ([event("ab"), event("c", "stop")[:-1]], "ab", "network", False),
        ([event("ab"), httpx.ReadError("x")], "ab", "network", False),
        ([event("ab"), httpx.RemoteProtocolError("x")], "ab", "network", False),
        ([event("ab"), b"data: garbage\n\n"], "ab", "garbage", False),
        ([event("ab"), b'data: {"error":{"message":"SECRET","code":429}}\n\n'], "ab", "down", False),
        ([b'data: {"error":"SECRET"}\n\n', DONE], "", "down", False),
        ([event("ab"), event("", "insufficient_system_resource"), DONE], "ab", "busy", False),
        ([event("ab"), event("", "aborted"), DONE], "ab", "busy", True),
        ([event("ab"), event("", "content_filter"), DONE], "ab", "garbage", True),
        ([event("ab"), event("", "SECRET"), DONE], "ab", "garbage", True),
    ],
)
async def test_what_was_read_before_an_answer_failed_is_kept(parts, text, cause, alone):
    """The text is the caller's; the error says whether the next request is in doubt, too."""
    got, error = await failed(service(streamed(*parts)))
    assert got == text
    assert isinstance(error, Unavailable)
    assert (error.cause, error.alone) == (cause, alone)


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("raised", "kind", "cause", "says"),
    [
        (httpx.ConnectError("x"), Unavailable, "network", "cannot be reached"),
        (caused(httpx.ConnectError("x"), socket.gaierror(-2, "SECRET")), Unavailable, "network", "by name"),
        (
            caused(httpx.ConnectError("x"), ssl.SSLCertVerificationError("SECRET")),
            Unavailable,
            "network",
            "certificate",
        ),
        (caused(httpx.ConnectError("x"), ssl.SSLError("SECRET")), Unavailable, "network", "secure"),
        (httpx.ConnectTimeout("x"), Unavailable, "network", "cannot be reached"),
        (httpx.ReadError("x"), Unavailable, "network", "broke off"),
        (httpx.WriteError("x"), Unavailable, "network", "broke off"),
        (httpx.RemoteProtocolError("x"), Unavailable, "network", "broke off"),
        (httpx.PoolTimeout("x"), Unavailable, "network", "broke off"),
        (ConnectionResetError("SECRET"), Unavailable, "network", "broke off"),
        (httpx.LocalProtocolError("SECRET"), Refused, "address", "baseUrl"),
        (httpx.UnsupportedProtocol("SECRET"), Refused, "address", "baseUrl"),
        (httpx.InvalidURL("SECRET"), Refused, "address", "baseUrl"),
        (UnicodeError("SECRET"), Refused, "address", "baseUrl"),
        (httpx.ProxyError("407 Proxy Authentication Required"), Refused, "address", "proxy asks"),
        (httpx.ProxyError("502 SECRET"), Unavailable, "network", "proxy"),
        (httpx.DecodingError("SECRET"), Unavailable, "garbage", "no completion"),
        (TimeoutError(), Unavailable, "deadline", "too long"),
    ],
    ids=str,
)
async def test_every_way_in_which_a_connection_fails_has_its_sentence(raised, kind, cause, says):
    """And no error of a layer below leaves the module."""

    def fail(request):
        raise raised

    for error in ((await failed(service(fail)))[1], await caught(service(fail).models())):
        assert type(error) is kind
        assert error.cause == cause
        assert says in error.message


# Bounds


async def test_an_endless_text_is_cut():
    """A service that ignores `max_tokens` does not fill the memory."""

    class Endless(Body):
        async def __aiter__(self):
            while True:
                yield event("x" * 1000)

    body = Endless(())
    text, error = await failed(service(httpx.Response(200, headers=SSE, stream=body)))
    assert error.cause == "garbage"
    assert len(text) <= 128 * ASK.max_tokens
    assert body.closed


@pytest.mark.parametrize(
    "part", [b"data: " + b"x" * 65536, b": keep-alive\n" * 5000, b"x" * 65536, b"\n" * 65536]
)
async def test_bytes_without_end_are_cut(part):
    """Neither one huge event nor comments without end."""

    class Endless(Body):
        given = 0

        async def __aiter__(self):
            while True:
                Endless.given += len(part)
                yield part

    _, error = await failed(service(httpx.Response(200, headers=SSE, stream=Endless(()))))
    assert error.cause == "garbage"
    assert Endless.given < 4 << 20


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
async def test_keep_alives_do_not_extend_the_deadline(kind):
    """The wall clock decides, also where data comes so fast that no timer runs."""
    now = [0.0]

    class Patient(Body):
        async def __aiter__(self):
            if kind == "text/event-stream":
                yield event("ab")
            while True:
                now[0] += 1
                yield b": keep-alive\n\n" if kind == "text/event-stream" else b"\n"

    answer = httpx.Response(200, headers={"content-type": kind}, stream=Patient(()))
    text, error = await failed(service(answer, clock=lambda: now[0]), seconds=20)
    assert error.cause == "deadline"
    assert 19 <= now[0] <= 22
    assert error.alone == bool(text), "an answer that had begun says nothing against the next request"


async def drip(peer, writer, number):
    """A comment every few milliseconds, for ever."""
    writer.write(HEAD + (chunk(event("ab")) if number % 2 else b""))
    while True:
        writer.write(chunk(b": keep-alive\n\n"))
        await asyncio.sleep(0.005)


async def silent(peer, writer, number):
    """Nothing at all."""
    await asyncio.sleep(60)


async def slow_head(peer, writer, number):
    """One byte of the head at a time."""
    for byte in HEAD * 100:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.02)


async def stall(peer, writer, number):
    """A first piece, and then nothing."""
    writer.write(HEAD + chunk(event("ab")))
    await asyncio.sleep(60)


@pytest.mark.parametrize("answer", [drip, silent, slow_head, stall])
async def test_the_deadline_holds_over_a_real_connection(answer):
    """However the endpoint dawdles; and its stream is cut then."""
    peer = await Peer(answer).start()
    client = Service(peer.url, KEY)
    for turn in range(2):
        begun = time.monotonic()
        text, error = await failed(client, seconds=0.1)
        assert error.cause == "deadline"
        assert time.monotonic() - begun < 2
        assert text == ("ab" if answer is stall or (answer is drip and turn) else "")
    async with asyncio.timeout(5):
        while peer.cut < 2:
            await asyncio.sleep(0.002)
    await client.aclose()
    await peer.stop()


# Leaving


@pytest.mark.parametrize("way", ["break", "exception", "cancel", "end"])
async def test_leaving_closes_the_stream_at_once(way):
    """In whatever way: by then the endpoint's connection is closed, and no error of our own covers the caller's."""
    peer = await Peer(drip_text).start()
    client = Service(peer.url, KEY)
    inside = asyncio.Event()

    async def reader():
        async with client.complete(ASK, seconds=5) as reply:
            async for _ in reply:
                inside.set()
                if way == "break":
                    break
                if way == "exception":
                    raise KeyError
                if way == "end":
                    return

    task = asyncio.create_task(reader())
    await inside.wait()
    if way == "cancel":
        task.cancel()
    ends = await asyncio.gather(task, return_exceptions=True)
    assert [type(end) for end in ends] == [
        {"exception": KeyError, "cancel": asyncio.CancelledError}.get(way, type(None))
    ]
    async with asyncio.timeout(5):
        while not peer.cut:
            await asyncio.sleep(0.002)
    await client.aclose()
    await peer.stop()


async def drip_text(peer, writer, number):
    writer.write(HEAD)
    while True:
        writer.write(chunk(event("x")))
        await asyncio.sleep(0.005)


async def test_an_answer_read_to_its_end_leaves_its_connection_for_the_next():
    """Nothing is cut that has ended."""

    async def whole(peer, writer, number):
        writer.write(HEAD + chunk(event("ab", "stop")) + chunk(DONE) + b"0\r\n\r\n")
        return True

    peer = await Peer(whole).start()
    client = Service(peer.url, KEY)
    await client.warm()
    for _ in range(5):
        assert (await read(client))[0] == "ab"
    assert set(peer.asked_on) == {1}
    assert peer.cut == 0
    await client.aclose()
    await peer.stop()


async def test_after_closing_nothing_is_asked():
    """And closing twice, or before anything was asked, does no harm."""
    client = Service("http://127.0.0.1:9", KEY)
    await client.aclose()
    await client.aclose()
    _, error = await failed(client)
    assert isinstance(error, Unavailable)
    await client.warm()


async def test_warming_never_raises():
    """Neither with nobody there, nor with an address that cannot be used."""
    for url in ("http://127.0.0.1:9", "https://127.0.0.1:9", "http://a..b", "http://host.invalid"):
        client = Service(url, KEY)
        async with asyncio.timeout(10):
            await client.warm()
        await client.aclose()


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1:1", "socks9://x"])
async def test_a_proxy_that_cannot_be_used_is_named(monkeypatch, proxy):
    """The reader has set it."""
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    client = Service("https://api.example", KEY)
    await client.warm()
    _, error = await failed(client)
    assert isinstance(error, Refused)
    assert error.cause == "address"
    assert "https_proxy names" in error.message


async def test_certificates_that_cannot_be_read_are_named(monkeypatch, tmp_path):
    """SSL_CERT_FILE is honoured, also where it is wrong."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    for name in ("https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    client = Service("https://localhost:9", KEY)
    await client.warm()
    _, error = await failed(client)
    assert isinstance(error, Refused)
    assert "SSL_CERT_FILE" in error.message
    await client.aclose()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.binary(max_size=60) | st.sampled_from([HEAD, chunk(event("a")), b"0\r\n\r\n", b"\r\n"]), max_size=6
    )
)
def test_whatever_comes_over_a_real_connection_is_an_answer_or_an_error(parts):
    """Bytes that are no HTTP, or half of it."""

    async def scripted(peer, writer, number):
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0)
        return False

    async def once():
        peer = await Peer(scripted).start()
        client = Service(peer.url, KEY)
        (end,) = await asyncio.gather(read(client, seconds=5), return_exceptions=True)
        if isinstance(end, Exception):
            check_message(end)
            assert end.cause != "deadline"
        await client.aclose()
        await peer.stop()

    asyncio.run(once())


# Models and balance


async def test_the_models_are_listed():
    """From the address without `/beta`."""

    def models(request):
        assert (request.method, str(request.url)) == ("GET", "https://api.example/models")
        data = [{"id": "deepseek-flash", "object": "model"}, {"id": 5}, 7, {"id": "deepseek-v4-pro"}]
        return streamed(json.dumps({"object": "list", "data": data}).encode())

    assert await service(models).models() == ["deepseek-flash", "deepseek-v4-pro"]


async def test_the_balance_is_read_exactly():
    """Amounts are decimal numbers, as the service writes them."""

    def balance(request):
        assert (request.method, str(request.url)) == ("GET", "https://api.example/user/balance")
        infos = [{"currency": "USD", "total_balance": "10.10"}, {"currency": "CNY", "total_balance": "0"}]
        return streamed(json.dumps({"is_available": True, "balance_infos": infos}).encode())

    assert await service(balance).balance() == Balance(True, (("USD", Decimal("10.10")), ("CNY", Decimal(0))))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "nonsense",
        "{}",
        '{"data":5,"balance_infos":5}',
        '{"data":{},"balance_infos":[5]}',
        '{"data":null,"balance_infos":[{"currency":"USD"}]}',
        '{"balance_infos":[{"currency":"USD","total_balance":"much"}]}',
        '{"balance_infos":[{"currency":"USD","total_balance":"NaN"}]}',
    ],
)
async def test_models_and_balance_that_make_no_sense_are_named_so(body):
    """As with completions."""
    for ask in (Service.models, Service.balance):
        error = await caught(ask(service(streamed(body.encode()))))
        assert (type(error), error.cause) == (Unavailable, "garbage")


@pytest.mark.parametrize(
    ("status", "kind", "cause"), [(*row[:2], row[2]) for row in STATUSES if row[0] != 404]
)
async def test_models_and_balance_fail_as_completions_do(status, kind, cause):
    """By the same statuses."""
    for ask in (Service.models, Service.balance):
        error = await caught(ask(service(streamed(b"", status=status))))
        assert (type(error), error.cause) == (kind, cause)
    error = await caught(service(streamed(b"", status=404)).models())
    assert (type(error), error.cause) == (Refused, "address")


def test_the_transport_is_our_own_where_no_proxy_is_named():
    """So that a cut stream costs nothing."""
    client = Service("http://127.0.0.1:9", KEY)
    assert isinstance(client._channel.opened(), Transport)
