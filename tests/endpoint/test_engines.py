"""Engines of one's own and of other vendors: one line of settings, and each is asked as it wants to be."""

import pytest
from standins import Codestral, LlamaCpp, Ollama, Sglang, Suffixed, Vllm

from fim_lsp.commands.main import connector
from fim_lsp.endpoint.request import Refused, Request, Unavailable, Usage
from fim_lsp.settings.settings import merged

ASK = Request("# map\ntotal = 0\n    ", "\nprint(total)\n", "deepseek-flash", 64, 0.0, ("\n\n",), 6, "sum.py")


@pytest.fixture
async def served(request):
    """Starts engines, and ends them."""
    started = []

    async def start(engine):
        started.append(engine)
        return await engine.start()

    yield start
    for engine in started:
        await engine.stop()


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
    assert {"<|fim_middle|>", "<|file_sep|>", "<|endoftext|>", "\n\n"} <= set(body["stop"])
    assert reply.usage == Usage(40, 32, 4)
    assert (found.engine, found.context_tokens) == ("vllm", 8192)


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
