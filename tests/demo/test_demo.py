"""The demo endpoint answers as the service's documents say."""

import asyncio
import contextlib
import json
import random
import socket

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fim_lsp.demo.endpoint import Demo
from fim_lsp.demo.server import BODY_AT_MOST, run, start
from fim_lsp.demo.transport import DemoTransport

URL = "https://api.deepseek.com/beta/completions"
AUTH = {"Authorization": "Bearer sk-demo"}


class Scripted:
    def __init__(self, text):
        self.text = text

    def complete(self, prefix, suffix, *, temperature, top_p, random):
        return self.text


def demo(text="return value", **changes):
    return Demo(Scripted(text), **{"first_token_s": 0, "token_s": 0, "clock": lambda: 1.0, **changes})


def client(served, **options):
    return httpx.AsyncClient(transport=DemoTransport(served), headers=AUTH, **options)


def body(**changes):
    return {"model": "deepseek-flash", "prompt": "def f(value):\n    ", "suffix": "\n", **changes}


async def post(served, url=URL, headers=None, **changes):
    async with client(served) as http:
        return await http.post(url, json=body(**changes), headers=headers)


def events(text):
    data = [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]
    assert data[-1] == "[DONE]"
    return [json.loads(each) for each in data[:-1]]


async def test_a_completion_has_the_documented_shape():
    answer = await post(demo())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    got = answer.json()
    prompt = got["usage"]["prompt_tokens"]
    assert got == {
        "id": "demo-00000001",
        "object": "text_completion",
        "created": 1,
        "model": "deepseek-flash",
        "system_fingerprint": "fp_demo",
        "choices": [{"index": 0, "text": "return value", "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": 3,
            "total_tokens": prompt + 3,
            "prompt_cache_hit_tokens": 0,
            "prompt_cache_miss_tokens": prompt,
        },
    }


async def test_a_stream_sends_pieces_then_the_reason_then_done():
    answer = await post(demo(), stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith(": keep-alive\n\n")
    sent = events(answer.text)
    assert [each["choices"][0]["text"] for each in sent] == ["retu", "rn v", "alue", ""]
    assert [each["choices"][0]["finish_reason"] for each in sent] == [None, None, None, "stop"]
    assert not any("usage" in each for each in sent)


async def test_usage_comes_in_a_last_event_without_choices_if_asked_for():
    answer = await post(demo(), stream=True, stream_options={"include_usage": True})
    *others, last = events(answer.text)
    assert [each["usage"] for each in others] == [None] * 4
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 3


async def test_a_text_of_any_script_arrives_whole():
    text = "😀 = 'naïve'\u2028\x85\x0b 中文\r\n\t"
    assert (await post(demo(text))).json()["choices"][0]["text"] == text
    sent = events((await post(demo(text), stream=True)).text)
    assert "".join(each["choices"][0]["text"] for each in sent) == text


async def test_half_a_surrogate_pair_in_a_prompt_is_answered():
    async with client(Demo(first_token_s=0, token_s=0)) as http:
        answer = await http.post(
            URL, content=b'{"model":"deepseek-flash","prompt":"ab\\ud800 = 1\\nprint(ab"}'
        )
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["text"]


async def test_max_tokens_ends_an_answer_by_length():
    choice = (await post(demo(), max_tokens=2)).json()["choices"][0]
    assert (choice["text"], choice["finish_reason"]) == ("return v", "length")


@pytest.mark.parametrize("stop", ["\n", ["]", "\n"]])
async def test_a_stop_sequence_ends_the_text_and_is_not_in_it(stop):
    choice = (await post(demo("one\ntwo"), stop=stop)).json()["choices"][0]
    assert (choice["text"], choice["finish_reason"]) == ("one", "stop")


@pytest.mark.parametrize("path", ["/completions", "/v1/completions", "/beta/v1/completions"])
async def test_completions_exist_under_beta_only(path):
    answer = await post(demo(), "https://api.deepseek.com" + path)
    assert answer.status_code == 400
    assert "completions api is only available when using beta api" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"model": "deepseek-chat"}, 400, "Model Not Exist"),
        ({"model": "deepseek-reasoner"}, 400, "Model Not Exist"),
        ({"model": 3}, 422, "model"),
        ({"prompt": None}, 422, "prompt"),
        ({"suffix": ["x"]}, 422, "suffix"),
        ({"max_tokens": 0}, 422, "[1, 4096]"),
        ({"max_tokens": 4097}, 422, "[1, 4096]"),
        ({"max_tokens": True}, 422, "[1, 4096]"),
        ({"stop": ["x"] * 17}, 422, "at most 16"),
        ({"stop": [1]}, 422, "stop"),
        ({"temperature": 2.1}, 422, "[0, 2]"),
        ({"top_p": -0.1}, 422, "[0, 1]"),
        ({"presence_penalty": 3}, 422, "[-2, 2]"),
        ({"logprobs": 21}, 422, "logprobs"),
        ({"stream": "yes"}, 422, "stream"),
        ({"stream_options": {"include_usage": True}}, 400, "stream_options"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name(changes, status, words):
    served = demo()
    answer = await post(served, **changes)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert words in error["message"]
    assert set(error) == {"message", "type", "param", "code"}
    assert not served.requests


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "deepseek-v4-pro"},
        {"model": "deepseek-v4-flash"},
        {"suffix": None},
        {"stop": ["x"] * 16},
        {"max_tokens": 4096},
        {"temperature": 0},
        {"top_p": 1, "max_tokens": None, "stop": None, "stream": None},
    ],
)
async def test_every_documented_value_is_taken(changes):
    assert (await post(demo(), **changes)).status_code == 200


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_object_is_400(content):
    async with client(demo()) as http:
        assert (await http.post(URL, content=content)).status_code == 400


async def test_a_missing_field_is_named():
    async with client(demo()) as http:
        answer = await http.post(URL, json={"model": "deepseek-flash"})
    assert answer.status_code == 422
    assert "missing field `prompt`" in answer.json()["error"]["message"]


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic abc", "sk-demo"])
@pytest.mark.parametrize("path", ["/beta/completions", "/models", "/user/balance"])
async def test_without_a_bearer_key_everything_is_401(value, path):
    reply = await demo().respond("GET", path, {"authorization": value}, b"")
    assert reply.status == 401
    assert json.loads(await anext(reply.chunks))["error"]["type"] == "authentication_error"
    await reply.aclose()


async def test_models_and_balance_are_as_documented():
    async with client(demo()) as http:
        models = (await http.get("https://api.deepseek.com/models")).json()
        balance = (await http.get("https://api.deepseek.com/user/balance")).json()
        unknown = await http.get("https://api.deepseek.com/unknown")
    assert models["object"] == "list"
    assert {each["id"] for each in models["data"]} == {
        "deepseek-flash",
        "deepseek-v4-flash",
        "deepseek-v4-pro",
    }
    assert balance["is_available"] is True
    assert balance["balance_infos"][0]["total_balance"] == "10.00"
    assert unknown.status_code == 404


@pytest.mark.parametrize("fault", ["401", "402", "404", "422", "429", "500", "503"])
async def test_a_fault_is_asked_for_by_key_by_header_or_for_all(fault):
    by_key = await post(demo(), headers={"Authorization": f"Bearer sk-demo-{fault}"})
    by_header = await post(demo(), headers={"X-Demo-Fault": fault})
    for_all = await post(demo(fault=fault))
    assert [each.status_code for each in (by_key, by_header, for_all)] == [int(fault)] * 3
    assert by_key.json()["error"]["message"]


async def test_a_fault_goes_away_with_its_cause():
    served = demo(fault="503")
    assert (await post(served)).status_code == 503
    served.fault = None
    assert (await post(served)).status_code == 200


async def test_a_401_shows_only_the_end_of_the_key():
    answer = await post(demo(fault="401"), headers={"Authorization": "Bearer sk-secret-9876"})
    assert "****9876" in answer.text
    assert "secret" not in answer.text


async def test_a_429_may_say_when_to_come_back():
    assert (await post(demo(fault="429:7"))).headers["retry-after"] == "7"
    assert "retry-after" not in (await post(demo(fault="429"))).headers


async def test_without_money_the_balance_is_empty_but_readable():
    async with client(demo(fault="402")) as http:
        answer = await http.get("https://api.deepseek.com/user/balance")
    assert answer.status_code == 200
    assert answer.json()["is_available"] is False


async def test_garbage_is_no_json():
    answer = await post(demo(fault="garbage"))
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()
    assert "<html>" in (await post(demo(fault="garbage"), stream=True)).text


@pytest.mark.parametrize("stream", [True, False])
async def test_a_broken_answer_is_a_protocol_error(stream):
    served = demo(fault="break")
    with pytest.raises(httpx.RemoteProtocolError):
        await post(served, stream=stream)
    assert served.requests[0].state == "broken"


def napping():
    """A sleep that takes no time, and the list of what it was asked for."""
    naps = []

    async def sleep(seconds):
        naps.append(seconds)
        await asyncio.sleep(0)

    return naps, sleep


async def test_a_slow_stream_shows_signs_of_life_before_it_answers():
    naps, sleep = napping()
    served = demo(fault="slow", slow_s=3.5, keep_alive_s=1, sleep=sleep)
    answer = await post(served, stream=True)
    assert answer.text.partition("data: ")[0] == ": keep-alive\n\n" * 4
    assert naps[:4] == [1, 1, 1, 0.5]


async def test_a_slow_whole_answer_begins_with_empty_lines():
    _, sleep = napping()
    answer = await post(demo(fault="slow", slow_s=3.5, keep_alive_s=1, sleep=sleep))
    assert answer.content.startswith(b"\n\n\n{")
    assert answer.json()["choices"][0]["text"] == "return value"


async def test_a_stalled_stream_is_kept_alive_for_ten_minutes_and_closed():
    naps, sleep = napping()
    with pytest.raises(httpx.RemoteProtocolError):
        await post(demo(fault="stall", keep_alive_s=10, sleep=sleep), stream=True)
    assert sum(naps) == 600


async def test_pieces_take_their_time():
    naps, sleep = napping()
    await post(demo(first_token_s=0.2, token_s=0.03, sleep=sleep), stream=True)
    assert naps == [0.2, 0.03, 0.03]


async def test_a_read_timeout_holds_in_process():
    async with client(demo(first_token_s=60, keep_alive_s=60), timeout=0.01) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.post(URL, json=body())


def halting():
    """A sleep that never ends where it is asked for any time."""

    async def sleep(seconds):
        await (asyncio.Event().wait() if seconds else asyncio.sleep(0))

    return sleep


async def test_closing_a_response_in_process_cuts_the_completion():
    served = demo("x" * 4000, token_s=1, sleep=halting())
    async with client(served) as http, http.stream("POST", URL, json=body(stream=True)) as answer:
        async for chunk in answer.aiter_text():
            if "data:" in chunk:
                break
    (asked,) = served.requests
    assert asked.cut
    assert asked.output_tokens == served.totals.output_tokens == 1
    assert served.totals.cut == 1


async def test_a_response_closed_before_its_first_byte_counts_as_cut():
    served = demo()
    async with client(served) as http, http.stream("POST", URL, json=body(stream=True)):
        pass
    assert served.requests[0].cut


async def test_an_answer_read_to_its_end_is_not_cut():
    served = demo()
    await post(served, stream=True)
    await post(served)
    assert [each.state for each in served.requests] == ["done", "done"]
    assert served.totals.cut == 0
    assert served.totals.output_tokens == 6


async def test_records_are_bounded_and_totals_are_not():
    served = demo(keep=3)
    for _ in range(5):
        await post(served)
    assert len(served.requests) == 3
    assert served.totals.requests == 5
    assert served.totals.prompt_tokens == 5 * served.requests[0].prompt_tokens


async def test_a_shared_head_is_billed_as_hits_from_the_third_request_on():
    served = demo()
    head = "".join(f"value_{number} = compute({number})\n" for number in range(100))
    hits = []
    for tail in ("alpha", "beta", "gamma"):
        usage = (await post(served, prompt=head + tail)).json()["usage"]
        assert usage["prompt_cache_hit_tokens"] + usage["prompt_cache_miss_tokens"] == usage["prompt_tokens"]
        hits.append(usage["prompt_cache_hit_tokens"])
    assert hits[:2] == [0, 0]
    assert hits[2] >= usage["prompt_tokens"] - 2 * 128
    assert hits[2] % 128 == 0
    assert [each.hit_tokens for each in served.requests] == hits


async def test_over_a_socket_the_answers_are_the_same():
    async with serving(demo()) as server, httpx.AsyncClient(headers=AUTH) as http:
        whole = await http.post(f"{server.base_url}/completions", json=body())
        stream = await http.post(f"{server.base_url}/completions", json=body(stream=True))
        models = await http.get(server.base_url.removesuffix("/beta") + "/models")
        refused = await http.post(f"{server.base_url}/completions", json=body(model="none"))
    assert whole.json()["choices"][0]["text"] == "return value"
    assert "".join(each["choices"][0]["text"] for each in events(stream.text)) == "return value"
    assert stream.headers["transfer-encoding"] == "chunked"
    assert models.json()["object"] == "list"
    assert refused.status_code == 400


async def until(holds):
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def raw(server, sent):
    port = int(server.base_url.split(":")[2].partition("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        yield reader
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def serving(served):
    server = await start(served)
    try:
        yield server
    finally:
        await server.aclose()


def request(content, extra=""):
    text = json.dumps(content).encode()
    head = f"POST /beta/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n{extra}Content-Length: {len(text)}"
    return head.encode() + b"\r\n\r\n" + text


async def test_a_connection_serves_one_request_after_another_even_if_they_come_at_once():
    sent = request(body()) * 2 + request(body(), "Connection: close\r\n")
    async with serving(demo()) as server, raw(server, sent) as reader:
        got = await asyncio.wait_for(reader.read(), 5)
    assert got.count(b"HTTP/1.1 200 OK") == 3
    assert got.count(b"return value") == 3


async def test_a_client_that_goes_away_cuts_the_completion_before_the_next_token():
    served = demo("x" * 4000, token_s=1, sleep=halting())
    async with serving(served) as server:
        for _ in range(10):
            async with raw(server, request(body(stream=True))) as reader:
                await asyncio.wait_for(reader.readuntil(b"data: "), 5)
        await until(lambda: served.totals.cut == 10)
    assert [each.output_tokens for each in served.requests] == [1] * 10


async def test_a_fault_breaks_the_stream_over_a_socket():
    async with serving(demo(fault="break")) as server, httpx.AsyncClient(headers=AUTH) as http:
        with pytest.raises(httpx.TransportError):
            await http.post(f"{server.base_url}/completions", json=body(stream=True))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"NONSENSE\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40_000, b"431"),
    ],
)
async def test_a_malformed_request_is_refused(sent, status):
    async with serving(demo()) as server, raw(server, sent) as reader:
        assert (await asyncio.wait_for(reader.readline(), 5)).split()[1] == status


async def test_a_body_beyond_bounds_is_413_before_it_is_read():
    head = (
        b"POST /beta/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nContent-Length: %d\r\n\r\n"
    )
    async with serving(demo()) as server, raw(server, head % (BODY_AT_MOST + 1)) as reader:
        assert b" 413 " in await asyncio.wait_for(reader.readline(), 5)


async def test_closing_the_server_ends_running_streams_and_frees_the_port():
    served = demo("x" * 400, token_s=1, sleep=halting())
    server = await start(served)
    async with raw(server, request(body(stream=True))) as reader:
        await asyncio.wait_for(reader.readuntil(b"data: "), 5)
        await server.aclose()
        assert served.requests[0].cut
    with pytest.raises(OSError):
        async with raw(server, b""):
            pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.com", "::"])
async def test_others_cannot_reach_it(host):
    with pytest.raises(ValueError, match="loopback"):
        await start(demo(), host)


async def test_run_says_where_it_serves_and_what_to_try_until_cancelled():
    said = []
    task = asyncio.create_task(run("127.0.0.1", 0, said.append))
    await until(lambda: len(said) == 4)
    port = int(said[0].split("127.0.0.1:")[1].partition("/")[0])
    assert all("curl" in line and f":{port}/" in line for line in said[1:])
    with socket.create_connection(("127.0.0.1", port)):
        pass
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_equal_seeds_draw_equal_answers_and_temperature_zero_always_the_same():
    lines = "".join(f"value_{number} = compute_{number}(value)\n" for number in range(30))

    async def drawn(seed, temperature):
        served = Demo(first_token_s=0, token_s=0, random=random.Random(seed))
        answers = [
            (await post(served, prompt=lines + "value", suffix="\n", temperature=temperature)).json()
            for _ in range(8)
        ]
        return [each["choices"][0]["text"] for each in answers]

    assert await drawn(1, 1.5) == await drawn(1, 1.5)
    assert len(set(await drawn(1, 1.5))) > 1
    assert len(set(await drawn(1, 0) + await drawn(2, 0))) == 1


fields = st.dictionaries(
    st.sampled_from(
        ["model", "prompt", "suffix", "max_tokens", "stop", "temperature", "stream", "stream_options"]
    ),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
)


@settings(max_examples=200, deadline=None)
@given(fields)
def test_no_body_brings_it_down(changes):
    async def ask():
        content = json.dumps({**body(), **changes}).encode()
        reply = await demo().respond("POST", "/beta/completions", AUTH, content)
        sent = [chunk async for chunk in reply.chunks]
        await reply.aclose()
        return reply.status, sent

    status, sent = asyncio.run(ask())
    assert status in (200, 400, 422)
    assert sent
