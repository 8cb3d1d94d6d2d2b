"""What leaves, and what is shown, where the last character before the cursor is left to the model; the witness is the endpoint."""

import asyncio

import pytest

from fim_lsp.commands.main import connector
from fim_lsp.completion.engine import Engine
from fim_lsp.endpoint.healing import Healing
from fim_lsp.settings.settings import merged
from fim_lsp.text.document import Document, Place

URI = "file:///a.py"
TEXT = "def total(items):\n    return sum(items)\n\n\ndef mean(items):\n    return \n"
AFTER_SPACE = Place(5, 11)
FULL = "# a.py\n" + TEXT.rstrip("\n")


class Model:
    """Goes on with `text` where the prompt ends in it, as a model does; with anything else where it does not."""

    def __init__(self, text, otherwise="zz\n"):
        self.text = text
        self.otherwise = otherwise

    def __call__(self, body):
        for size in range(len(self.text), 0, -1):
            if body["prompt"].endswith(self.text[:size]):
                return self.text[size:]
        return self.otherwise


@pytest.fixture
async def engine(endpoint):
    table = {"base_url": endpoint.url, "engine": "deepseek", "debounce_ms": 0, "api_key": "sk-t"}
    chosen, wrong = merged([("file", table)])
    assert wrong == []
    one = Engine(chosen, connector(demo=False), clock=lambda: 0.0, random=lambda: 0.5, sleep=asyncio.sleep)
    one.open(Document(URI, "python", 1, TEXT))
    first = one.backend.endpoints.first
    await one.backend.meet(first)
    first.healing = Healing(on=True)
    yield one
    await one.aclose()


async def shown(engine, place=AFTER_SPACE, text=TEXT):
    engine.open(Document(URI, "python", 1, text))
    return [offer.text for offer in await engine.complete(URI, place, explicit=True)]


async def proven(engine, endpoint):
    """Let the engine learn that the endpoint says white space again."""
    for name in ("alpha", "beta", "gamma", "delta"):
        endpoint.says = f" mean({name})\n"
        text = f"{TEXT}{name} = \n"
        assert await shown(engine, Place(6, len(name) + 3), text) == [f"mean({name})"]
    endpoint.bodies.clear()


async def test_the_model_says_the_space_again_and_it_is_not_shown(engine, endpoint):
    """One request, without the space; what is inserted stands behind it."""
    endpoint.says = Model("    return sum(items) / len(items)\n")
    assert await shown(engine) == ["sum(items) / len(items)"]
    assert [body["prompt"] for body in endpoint.bodies] == [FULL.removesuffix(" ")]


async def test_an_endpoint_that_takes_white_space_off_is_asked_once(engine, endpoint):
    """What it says stands behind the space; after six of these, prompts end at the cursor."""
    for name in "abcdefgh":
        endpoint.says = f"mean({name})\n"
        assert await shown(engine, Place(6, 4), f"{TEXT}{name} = \n") == [f"mean({name})"]
    prompts = [body["prompt"] for body in endpoint.bodies]
    assert len(prompts) == 8
    assert [prompt.endswith(" ") for prompt in prompts] == [False] * 6 + [True] * 2


async def test_a_model_that_goes_on_otherwise_is_asked_with_all_of_it(engine, endpoint):
    """Its first words are no answer: nothing of them is shown, and the second request ends at the cursor."""
    await proven(engine, endpoint)
    endpoint.says = lambda body: "1\n" if body["prompt"].endswith(" ") else "ed = 2\n"
    assert await shown(engine) == ["1"]
    assert [body["prompt"][-5:] for body in endpoint.bodies] == ["eturn", "turn "]


async def test_what_is_said_again_is_billed(engine, endpoint):
    """The record counts both requests, and what was read of the first."""
    await proven(engine, endpoint)
    asked = engine.backend.counts.requests
    endpoint.says = lambda body: "1\n" if body["prompt"].endswith(" ") else "ed = 2\n"
    await shown(engine)
    assert engine.backend.counts.requests == asked + 2


async def test_explain_tells_what_would_leave(engine, endpoint):
    """The prompt as it would be sent."""
    endpoint.says = Model("    return sum(items) / len(items)\n")
    await shown(engine)
    assert engine.explain(URI, AFTER_SPACE)["prompt"] == endpoint.bodies[-1]["prompt"]
