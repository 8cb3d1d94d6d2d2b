"""Engines of one's own and of other vendors: one line of settings, and each is asked as it wants to be."""

import asyncio
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_tests
from hypothesis import strategies as st
from standins import DONE, Codestral, Engine, LlamaCpp, LmStudio, Mlx, Ollama, Sglang, Suffixed, Vllm, event

from fim_lsp.commands.main import connector
from fim_lsp.endpoint import look
from fim_lsp.endpoint.look import Said
from fim_lsp.endpoint.request import Refused, Request, Unavailable, Usage
from fim_lsp.endpoint.service import Service
from fim_lsp.settings.settings import merged

ASK = Request("# map\ntotal = 0\n    ", "\nprint(total)\n", "deepseek-flash", 64, 0.0, ("\n\n",), 6, "sum.py")


def client(at, **more):
    """The client of what is in the user's file, which is the address alone unless more is said."""
    chosen, wrong = merged([("config.toml", {"base_url": at.url, **more})])
    assert wrong == []
    return connector(demo=False)(chosen)


async def asked(at, request=ASK, **more):
    """The text that came, the reply, and the client, which is closed."""
    service = client(at, **more)
    try:
        async with service.complete(request, seconds=5.0) as reply:
            text = "".join([piece async for piece in reply])
    finally:
        await service.aclose()
    return text, reply, service.found


async def test_llama_cpp_is_asked_to_infill(served):
    """Its own route, which knows the model's tokens: other text as extra, text read from `content`, the bill from the timings."""
    engine = await served(LlamaCpp())
    text, reply, found = await asked(engine)
    assert text == engine.says
    assert engine.path == "/infill"
    body = engine.body
    assert (body["input_prefix"], body["input_suffix"]) == ("total = 0\n    ", ASK.suffix)
    assert body["input_extra"] == [{"filename": "context", "text": "# map\n"}]
    assert (body["n_predict"], body["stop"], body["cache_prompt"], body["stream"]) == (
        64,
        ["\n\n"],
        True,
        True,
    )
    assert reply.usage == Usage(40, 30, 4)
    assert reply.finish_reason == "stop"
    assert (found.engine, found.model, found.context_tokens, found.version) == (
        "llama.cpp",
        LlamaCpp.model,
        16384,
        "b10068-abcdef",
    )
    assert "authorization" not in engine.heads[-1]


async def test_a_model_without_tokens_of_its_own_is_sent_a_rendered_prompt(served):
    """501 says so once; from then on the prompt is rendered by the family that the model's name tells."""
    engine = await served(LlamaCpp(fim=False))
    service = client(engine)
    for _ in range(2):
        async with service.complete(ASK, seconds=5.0) as reply:
            assert "".join([piece async for piece in reply]) == engine.says
    await service.aclose()
    assert [path for path, _ in engine.asked] == ["/infill", "/completion", "/completion"]
    assert engine.body["prompt"] == (
        "<|repo_name|>project\n<|file_sep|>context\n# map\n<|file_sep|>sum.py\n"
        "<|fim_prefix|>total = 0\n    <|fim_suffix|>\nprint(total)\n<|fim_middle|>"
    )
    assert {"<|fim_prefix|>", "<|endoftext|>", "\n\n"} <= set(engine.body["stop"])


async def test_a_model_that_loads_is_waited_for(served):
    """503 is no fault, and what the endpoint is is looked at again."""
    engine = await served(LlamaCpp(loading=True))
    service = client(engine)
    with pytest.raises(Unavailable) as error:
        async with service.complete(ASK, seconds=5.0):
            pass
    assert error.value.cause == "busy"
    engine.loading = False
    async with service.complete(ASK, seconds=5.0) as reply:
        assert "".join([piece async for piece in reply]) == engine.says
    await service.aclose()


async def test_ollama_is_asked_with_a_suffix(served):
    """Lines of JSON; the context is told, so that it cuts no head off; nothing thinks."""
    engine = await served(Ollama())
    text, reply, found = await asked(engine)
    assert text == engine.says
    body = engine.body
    assert (engine.path, body["model"]) == ("/api/generate", "qwen2.5-coder:1.5b-base")
    assert (body["prompt"], body["suffix"]) == (ASK.prefix, ASK.suffix)
    assert body["options"] == {"num_predict": 64, "temperature": 0.0, "stop": ["\n\n"], "num_ctx": 4096}
    assert body["think"] is False
    assert "raw" not in body
    assert reply.usage == Usage(40, 0, 4)
    assert (found.engine, found.version) == ("ollama", "0.14.1")


@pytest.mark.parametrize(("insert", "suffix"), [(False, ASK.suffix), (True, "")])
async def test_ollama_is_sent_a_rendered_prompt_where_it_would_chat(served, insert, suffix):
    """A model without an insert template, and a place that nothing follows: raw, by the family's template."""
    engine = await served(Ollama())
    engine.insert = insert
    text, _, _ = await asked(engine, Request("a = ", suffix, "deepseek-flash", 9, 0.0))
    assert text == engine.says
    assert engine.body["raw"] is True
    assert "suffix" not in engine.body
    assert engine.body["prompt"] == f"<|fim_prefix|>a = <|fim_suffix|>{suffix}<|fim_middle|>"


async def test_a_loaded_model_is_not_loaded_anew(served):
    """The context that it has is the one that is asked for."""
    engine = await served(Ollama())
    engine.loaded = 16384
    await asked(engine)
    assert engine.body["options"]["num_ctx"] == 16384


async def test_vllm_is_sent_a_rendered_prompt(served):
    """No suffix, the listed model, its family's template and stops; what was cached is in the bill."""
    engine = await served(Vllm())
    text, reply, found = await asked(engine)
    assert text == engine.says
    body = engine.body
    assert (engine.path, body["model"]) == ("/v1/completions", "Qwen/Qwen2.5-Coder-7B")
    assert body["prompt"].endswith(
        "<|fim_prefix|>total = 0\n    <|fim_suffix|>\nprint(total)\n<|fim_middle|>"
    )
    assert "suffix" not in body
    assert body["stop"][0] == "\n\n"
    assert len(body["stop"]) == 4
    assert reply.usage == Usage(40, 32, 4)
    assert (found.engine, found.context_tokens) == ("vllm", 8192)


async def test_an_answer_ends_at_a_mark_that_vllm_would_leave_out(served):
    """Without a word to it, the server drops marks of the family from the text, and goes on behind them."""
    engine = await served(Vllm(says="total\n"))
    engine.pieces = lambda: ["total\n", "<|file_sep|>", "import os\n"]
    text, _, _ = await asked(engine)
    assert text == "total\n"


async def test_a_name_that_tells_nothing_is_known_by_what_it_stands_for(served):
    """`--served-model-name` hides the family; the root does not."""
    engine = await served(Vllm())
    engine.names, engine.root = ("coder",), "bigcode/starcoder2-15b"
    await asked(engine)
    assert engine.body["model"] == "coder"
    assert engine.body["prompt"] == (
        "<file_sep>context\n# map\n<file_sep><fim_prefix><fim_suffix>\nprint(total)\n<fim_middle>total = 0\n    "
    )


async def test_sglang_puts_no_none_into_prompts(served):
    """With a template of its own it would: an empty suffix keeps it from that."""
    engine = await served(Sglang())
    text, _, found = await asked(engine)
    assert text == engine.says
    assert engine.body["suffix"] == ""
    assert "None" not in engine.body["prompt"]
    assert engine.body["prompt"].startswith("<file_sep>context\n# map\n<file_sep><fim_prefix><fim_suffix>")
    assert found.engine == "sglang"


@pytest.mark.parametrize(("make", "name"), [(Mlx, "mlx"), (LmStudio, "lmstudio")])
async def test_an_engine_on_the_desk_is_sent_a_rendered_prompt(served, make, name):
    """By the model that it lists, which is not one for embeddings."""
    engine = await served(make())
    text, reply, found = await asked(engine)
    assert text == engine.says
    assert (found.engine, engine.path, engine.body["model"]) == (name, "/v1/completions", make.names[0])
    assert engine.body["prompt"].endswith(
        "<|fim_prefix|>total = 0\n    <|fim_suffix|>\nprint(total)\n<|fim_middle|>"
    )
    assert "suffix" not in engine.body
    assert reply.usage == Usage(40, 32, 4)


async def test_codestral_is_sent_no_field_that_it_does_not_know(served):
    """Strict fields, `delta.content`, and a cache by a key of this server's own."""
    engine = await served(Codestral())
    engine.key = "sk-mistral"
    text, reply, found = await asked(engine, apiKey="sk-mistral")
    assert text == engine.says
    body = engine.body
    assert (engine.path, body["model"]) == ("/v1/fim/completions", "codestral-latest")
    assert (body["prompt"], body["suffix"]) == (ASK.prefix, ASK.suffix)
    assert body["prompt_cache_key"].startswith("fim-lsp-")
    assert reply.usage == Usage(40, 24, 4)
    assert found.engine == "mistral"


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "/v1/completions", "/beta"])
@pytest.mark.parametrize("make", [LlamaCpp, Ollama, Vllm, Codestral])
async def test_every_form_of_an_address_is_understood(served, make, tail):
    """With a version, a path and a slash at its end, or without."""
    engine = await served(make())
    engine.url += tail
    how = {"engine": {LlamaCpp: "llama.cpp", Ollama: "ollama", Vllm: "vllm", Codestral: "mistral"}[make]}
    text, _, _ = await asked(engine, **(how if tail == "/beta" else {}))
    assert text == engine.says


@pytest.mark.parametrize("make", [LlamaCpp, Ollama, Vllm, Sglang])
async def test_an_engine_of_ones_own_wants_no_key(served, make):
    """None is asked for, and none is sent."""
    engine = await served(make())
    await asked(engine)
    assert not any("authorization" in head for head in engine.heads)


@pytest.mark.parametrize("make", [LlamaCpp, Vllm])
async def test_an_engine_that_wants_a_key_says_so(served, make):
    """The sentence names where to put it; with it everything works."""
    engine = await served(make())
    engine.key = "sk-own"
    with pytest.raises(Refused) as error:
        await asked(engine)
    assert error.value.cause == "key"
    assert "DEEPSEEK_API_KEY" in error.value.message
    text, _, _ = await asked(engine, api_key="sk-own")
    assert text == engine.says


async def test_a_refused_suffix_is_sent_once(served):
    """400 that names it: from then on the prompt is rendered here."""
    engine = await served(Suffixed())
    engine.takes, engine.names = False, ("qwen-coder",)
    service = client(engine, engine="openai-suffix")
    for _ in range(2):
        async with service.complete(ASK, seconds=5.0) as reply:
            assert "".join([piece async for piece in reply]) == engine.says
    await service.aclose()
    assert ["suffix" in body for _, body in engine.asked] == [True, False, False]


async def test_a_gateway_may_take_a_suffix(served):
    """The model behind it need not be known."""
    engine = await served(Suffixed())
    text, _, _ = await asked(engine, engine="openai-suffix")
    assert text == engine.says
    assert (engine.body["prompt"], engine.body["suffix"]) == (ASK.prefix, ASK.suffix)
    assert engine.body["model"] == "team-coder"


async def test_where_nothing_fits_the_setting_is_named(served):
    """A model of no known family, several models of none, an endpoint that says nothing."""
    engine = await served(Suffixed())
    with pytest.raises(Refused, match='into the setting template, such as "qwen"'):
        await asked(engine)
    engine.names = ("a", "b")
    with pytest.raises(Refused, match=r"known to fill in the middle \(a, b\): name one in the setting model"):
        await asked(engine)
    engine.names = ()
    with pytest.raises(
        Refused, match='write what it speaks into the setting engine, such as "openai-template"'
    ):
        await asked(engine)
    assert engine.asked == []


async def test_of_several_models_one_for_code_is_asked(served):
    """One that was not tuned to chat comes first."""
    engine = await served(Vllm())
    engine.names = (
        "nomic-embed-text",
        "llama3.3",
        "qwen3:8b",
        "qwen2.5-coder:7b-instruct",
        "qwen2.5-coder:7b-base",
    )
    await asked(engine)
    assert engine.body["model"] == "qwen2.5-coder:7b-base"


async def test_a_template_of_ones_own(served):
    """Its marks are taken out of the text, and end an answer."""
    engine = await served(Vllm())
    engine.says = "a + b<MID>c"
    own = {"prompt": "<PRE>{prefix}<SUF>{suffix}<MID>", "stop": ["<EOT>"]}
    text, reply, _ = await asked(
        engine, Request("x<PRE>y", "<SUF>z", engine.names[0], 9, 0.0), template=own, model=engine.names[0]
    )
    assert engine.body["prompt"] == "<PRE>xy<SUF>z<MID>"
    assert engine.body["stop"] == ["<EOT>", "<PRE>", "<SUF>", "<MID>"]
    assert text == "a + b"
    assert reply.finish_reason == "stop"


# Quirks, one by one


class Odd(Ollama):
    """Ollama, with lines of a stream as they are given."""

    def __init__(self, *lines):
        super().__init__()
        self.given = lines

    def lines(self, instead):
        return (json.dumps(line).encode() + b"\n" for line in self.given)


async def test_a_stream_may_end_without_its_last_line(served):
    """Ollama ends one in which a token came thirty times: what was read is offered, as cut."""
    text, reply, _ = await asked(await served(Odd({"response": "aaa", "done": False})))
    assert (text, reply.finish_reason, reply.usage) == ("aaa", "length", None)


async def test_an_error_within_an_answer_of_status_200_is_one(served):
    """A line or an event with an error ends the answer; its words are repeated nowhere."""
    engine = await served(Odd({"response": "a", "done": False}, {"error": "SECRET llama runner died"}))
    with pytest.raises(Unavailable) as error:
        await asked(engine)
    assert error.value.cause == "down"
    assert "SECRET" not in error.value.message


async def test_an_error_amid_events_is_one(served):
    """vLLM says it in an event, and then that it is done."""
    engine = await served(Vllm())
    engine.events = lambda _: [
        event({"choices": [{"index": 0, "text": "a", "finish_reason": None}]}),
        event({"error": {"message": "SECRET", "type": "InternalServerError", "code": 500}}),
        DONE,
    ]
    with pytest.raises(Unavailable) as error:
        await asked(engine)
    assert error.value.cause == "down"


async def test_lines_are_read_however_they_are_cut(served):
    """One byte at a time, with signs of several bytes."""
    engine = await served(Ollama(says="é→𝄞\n"))
    whole = [bytes([byte]) for line in engine.lines(None) for byte in line]
    engine.lines = lambda _: whole
    text, reply, _ = await asked(engine)
    assert (text, reply.finish_reason, reply.usage) == ("é→𝄞\n", "stop", Usage(40, 0, 4))


async def test_a_prompt_is_never_empty(served):
    """vLLM and SGLang refuse one; at the beginning of an empty file there are still the marks."""
    for make in (Vllm, Sglang):
        engine = await served(make())
        text, _, _ = await asked(engine, Request("", "", "deepseek-flash", 9, 0.0))
        assert text == engine.says
        assert engine.body["prompt"]


async def test_a_refused_field_is_named_by_the_status_alone(served):
    """422 of strict fields is the reader's to mend; the answer's words may quote the text, and are not repeated."""
    engine = await served(Codestral())
    engine.known = frozenset({"model"})
    with pytest.raises(Refused) as error:
        await asked(engine)
    assert error.value.cause == "parameter"
    assert "422" in error.value.message


async def test_an_answer_ends_at_a_mark_that_two_events_cut(served):
    """No part of it is text, and the stream is left there."""
    engine = await served(Vllm(says="a + b<|fim_suffix|>c = 1" + "x" * 4000))
    engine.every = 0.001
    text, reply, _ = await asked(engine)
    assert (text, reply.finish_reason) == ("a + b", "stop")


async def test_leaving_a_stream_closes_it(served):
    """The engine stops, so that it is free for the next request."""
    for make in (LlamaCpp, Ollama, Vllm, Codestral):
        engine = await served(make(says="x\n" * 5000))
        engine.every = 0.001
        service = client(engine)
        async with service.complete(ASK, seconds=5.0) as reply:
            await anext(reply)
        for _ in range(200):
            if engine.cut:
                break
            await asyncio.sleep(0.01)
        assert engine.cut == 1, make
        await service.aclose()


# The look


async def test_the_look_sends_no_text_and_is_taken_once(served):
    """Requests that come together share one; the next ones need none."""
    engine = await served(LlamaCpp())
    service = client(engine)

    async def ask():
        async with service.complete(ASK, seconds=5.0) as reply:
            return "".join([piece async for piece in reply])

    assert await asyncio.gather(ask(), ask(), ask()) == [engine.says] * 3
    looks = [path for path in engine.paths if path != "/infill"]
    assert looks == ["/v1/models", "/props"]
    await ask()
    assert [path for path in engine.paths if path != "/infill"] == looks
    await service.aclose()


async def test_who_is_overtaken_ends_no_look(served):
    """A key that takes another's place finds it under way."""
    engine = await served(LlamaCpp())
    service = client(engine)
    first = asyncio.create_task(service.meet())
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await service.meet()).engine == "llama.cpp"
    assert engine.paths.count("/v1/models") == 1
    await service.aclose()


async def test_an_engine_that_is_down_is_sent_no_prompt_and_looked_at_again(served):
    """What is in the way is said; once it answers, it is found."""
    engine = await served(LlamaCpp())
    address, port = engine.url, int(engine.url.rpartition(":")[2])
    await engine.stop()
    service = client(engine)
    with pytest.raises(Unavailable) as error:
        async with service.complete(ASK, seconds=5.0):
            pass
    assert error.value.cause == "network"
    again = LlamaCpp()
    again._server = await asyncio.start_server(again._serve, "127.0.0.1", port, limit=1 << 24)
    again.url = address
    async with service.complete(ASK, seconds=5.0) as reply:
        assert "".join([piece async for piece in reply]) == again.says
    await service.aclose()
    await again.stop()


@pytest.mark.parametrize(
    ("host", "engine", "path"),
    [
        ("api.deepseek.com", "deepseek", "/beta/completions"),
        ("api.mistral.ai", "mistral", "/v1/fim/completions"),
        ("codestral.mistral.ai", "mistral", "/v1/fim/completions"),
        ("api.siliconflow.cn", "siliconflow", "/v1/completions"),
        ("dashscope.aliyuncs.com", "dashscope", "/compatible-mode/v1/completions"),
        ("api.inceptionlabs.ai", "inception", "/v1/fim/completions"),
    ],
)
@pytest.mark.parametrize(
    "form", ["", "/", "/v1", "/v1/", "/v1/completions", "/compatible-mode/v1", "/v1/fim/completions"]
)
async def test_a_known_host_is_never_looked_at(host, engine, path, form):
    """Its address means the same in every form that its documents give."""
    if form == "/compatible-mode/v1" and engine != "dashscope":
        return
    sent = []

    def answer(request):
        sent.append(request)
        last = {"text": "x", "delta": {"content": "x"}, "finish_reason": "stop"}
        kind = {"content-type": "text/event-stream"}
        body = event({"choices": [last]}) + DONE
        return httpx.Response(200, headers=kind, stream=httpx.ByteStream(body))

    chosen, wrong = merged([("config.toml", {"base_url": f"https://{host}{form}"})])
    assert wrong == []
    service = Service(chosen.base_url, "sk-x", engine=chosen.engine, transport=httpx.MockTransport(answer))
    async with service.complete(ASK, seconds=5.0) as reply:
        assert [piece async for piece in reply] == ["x"]
    await service.aclose()
    assert [request.method for request in sent] == ["POST"]
    assert (service.found.engine, sent[0].url.path) == (engine, path)


async def test_a_prompt_that_nothing_follows_has_its_own_form_at_dashscope():
    """Its documents give one without a suffix."""
    service = Service(
        "https://dashscope.aliyuncs.com", "sk-x", engine="auto", model="qwen2.5-coder-7b-instruct"
    )
    shown = service.shown(Request("a", "", "qwen2.5-coder-7b-instruct", 9, 0.0))
    assert shown["body"]["prompt"] == "<|fim_prefix|>a<|fim_suffix|>"
    shown = service.shown(Request("a", "b", "qwen2.5-coder-7b-instruct", 9, 0.0))
    assert shown["body"]["prompt"] == "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>"
    await service.aclose()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "data",
                    "models",
                    "id",
                    "name",
                    "owned_by",
                    "root",
                    "max_model_len",
                    "capabilities",
                    "details",
                    "family",
                    "version",
                    "model_info",
                    "default_generation_settings",
                    "n_ctx",
                    "parameters",
                    "model_path",
                    "context_length",
                    "completion_fim",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, min_size=1, max_size=6), st.sampled_from([200, 200, 200, 401, 404, 500]))
@settings_of_tests(max_examples=300, deadline=None)
def test_a_look_at_anything_comes_to_something(answers, status):
    """Whatever the endpoint says of itself, a look raises nothing, and numbers that are none are none."""
    turn = iter(range(10**6))

    async def ask(_path, _body):
        body = answers[next(turn) % len(answers)]
        return Said(status, body if isinstance(body, dict) else {})

    for engine in ("auto", "ollama", "llama.cpp", "sglang", "vllm", "chat-prefix"):
        found = asyncio.run(look.look(ask, engine, "deepseek-flash", "auto"))
        assert found is None or (0 <= found.context_tokens <= 10**8 and found.version.isprintable())


class Silent(Engine):
    """A gateway that has the service's one path, and 404 for whatever else it is asked."""

    async def answer(self, method, path, body):
        if (method, path) != ("POST", "/beta/completions"):
            self.refuse(404, {"error": {"message": "Not Found"}})
            return
        self.asked.append((path, body))
        said = {"choices": [{"index": 0, "text": self.says, "finish_reason": "stop"}]}
        await self.stream([event(said), DONE])


async def test_what_tells_nothing_is_looked_at_once(served):
    """It is taken for the service, and no request has the look before it again."""
    engine = await served(Silent())
    service = client(engine, api_key="sk-1")
    try:
        for _ in range(3):
            async with service.complete(ASK, seconds=5.0) as reply:
                assert "".join([piece async for piece in reply]) == engine.says
    finally:
        await service.aclose()
    assert len(engine.asked) == 3
    assert engine.paths.count("/v1/models") == 1
    assert engine.paths[-3:] == ["/beta/completions"] * 3
