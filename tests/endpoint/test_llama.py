"""llama.cpp's own server at the other end: completions by one line of settings, cancels that end the generation, its caches."""

import asyncio
import time

import gguf
import pytest
from llama import Llama, installed
from lsp import Client

from fim_lsp.commands.main import connector
from fim_lsp.endpoint.request import Request
from fim_lsp.settings.settings import merged

URI = "file:///project/a.py"
STATUS = {"command": "fimLsp.status"}
PROGRAM, LACKING = installed()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason=LACKING)

LINE = "abcdefghij\n"  # what one model says for ever
ENDLESS = "abcdefghijklmnopqrstuvwxyz"  # and the other, which takes its time


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A model that says a line."""
    return gguf.write(tmp_path_factory.mktemp("model") / "qwen2.5-coder-line.gguf", LINE)


@pytest.fixture(scope="session")
def endless(tmp_path_factory):
    """A model that never ends, and is slow enough to be caught at it."""
    path = tmp_path_factory.mktemp("model") / "qwen2.5-coder-endless.gguf"
    return gguf.write(path, ENDLESS, layers=2, inner=4096)


@pytest.fixture
async def serve():
    """Start llama.cpp's server with a model."""
    made = []

    async def begin(model, *more, **how):
        made.append(await Llama(PROGRAM, model).start(*more, **how))
        return made[-1]

    yield begin
    for one in made:
        await one.stop()


@pytest.fixture
async def client(tmp_path):
    """Start a server whose settings are one line and what keeps a test quick."""
    made = []

    async def begin(url, **more):
        folder = tmp_path / ".config" / "fim-lsp"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.toml").write_text(f'base_url = "{url}"\n')
        one = await Client().start(tmp_path)
        made.append(one)
        await one.initialize({"debounceMs": 0, **more})
        return one

    yield begin
    for one in made:
        await one.kill()


@pytest.mark.parametrize("end", ["", "/", "/v1", "/infill"])
async def test_one_line_of_settings(serve, client, model, end):
    """No engine, no model, no template and no key is named; the status says which model it is."""
    llama = await serve(model)
    typist = await client(llama.url + end)
    typist.open(URI, "def f():\n    return \n")
    assert await typist.texts(URI, 1, 11) == ["abcdefghij"]
    status = await typist.call("workspace/executeCommand", STATUS)
    assert "qwen2.5-coder-line" in status["model"]
    assert (status["state"], typist.messages()) == ("ready", [])


@pytest.mark.parametrize("template", ["auto", "qwen"])
async def test_how_sure_the_model_is_is_told(serve, model, template):
    """By both of its routes: each token with its place, and the text is as it is without."""
    llama = await serve(model)
    chosen, _ = merged([("file", {"base_url": llama.url, "template": template})])
    service = connector(demo=False)(chosen)
    try:
        for logprobs in (False, True):
            asked = Request("x = ", "\n", "deepseek-flash", 30, 0.0, ("\n",), logprobs=logprobs)
            async with service.complete(asked, seconds=30) as reply:
                assert "".join([piece async for piece in reply]) == "abcdefghij"
            places = [(token.start, token.end) for token in reply.tokens if token.end > token.start]
            assert places == ([(n, n + 1) for n in range(10)] if logprobs else [])
            assert all(-0.001 < token.logprob <= 0 for token in reply.tokens)
    finally:
        await service.aclose()


async def test_what_the_engine_has_kept_is_told(serve, client, model):
    """The second request reads anew what is new and what stands behind it; both numbers are the engine's."""
    llama = await serve(model)
    typist = await client(llama.url)
    text = "".join(f"name_{n} = {n}\n" for n in range(60))
    typist.open(URI, text + "x = \n")
    await typist.texts(URI, 60, 4)
    before = await typist.call("workspace/executeCommand", STATUS)
    typist.type(URI, 60, 4, "zz + ")
    await typist.texts(URI, 60, 9)
    await asyncio.sleep(0.1)
    after = await typist.call("workspace/executeCommand", STATUS)
    asked = after["promptTokens"] - before["promptTokens"]
    kept = after["cacheHitTokens"] - before["cacheHitTokens"]
    assert asked > 400
    assert 0 < asked - kept < 60


async def test_a_cancel_ends_the_generation(serve, client, endless):
    """Twenty of twenty: half of them cancelled by the editor, half by what was asked about being deleted."""
    llama = await serve(endless)
    typist = await client(llama.url, maxTokens=4096, timeoutSeconds=60)
    typist.open(URI, "x = \n" * 30)
    took = []
    for line in range(20):
        ask = typist.inline(URI, line, 4)
        async with asyncio.timeout(30):
            while await llama.said_so_far() < 5:
                await asyncio.sleep(0.002)
        begun = time.monotonic()
        if line % 2:
            typist.type(URI, line, 0, "y", end={"line": line, "character": 4})
        else:
            typist.cancel(ask)
        async with asyncio.timeout(30):
            while await llama.busy():
                await asyncio.sleep(0.002)
        took.append(time.monotonic() - begun)
        await ask
    print("\nslot idle after a cancel, ms:", [round(1000 * one) for one in took])
    assert (
        max(took) < 5.0
    )  # of 4,096 tokens, which take longer; the figure is printed, and is the machine's where it is busy


async def test_a_server_that_is_killed_has_its_fallback(serve, client, model, endless):
    """Two engines: the other one answers, and the first is asked again once it is back."""
    first, second = await serve(model), await serve(model)
    typist = await client(first.url, fallback=[{"baseUrl": second.url}])
    typist.open(URI, "x10 = \n" + "".join(f"x{n} =\n" for n in range(11, 30)))
    assert await typist.texts(URI, 0, 6) == ["abcdefghij"]
    await first.stop()
    found = []
    for line in range(1, 6):
        typist.type(URI, line, 5, " ")
        found.append(await typist.texts(URI, line, 6))
    assert found.count([]) <= 1
    assert found[1:] == [["abcdefghij"]] * 4
    assert len(typist.messages()) == 1
