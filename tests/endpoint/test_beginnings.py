"""Engines that can be held to what an answer begins with: the word at the cursor is left to them; the witness is what they were sent."""

import asyncio
import json
import re
from dataclasses import replace

import pytest
from standins import LlamaCpp, Sglang, Vllm

from fim_lsp.commands.main import connector
from fim_lsp.completion.engine import Engine
from fim_lsp.endpoint.body import body_of
from fim_lsp.endpoint.dialect import dialects
from fim_lsp.endpoint.request import Refused, Request
from fim_lsp.endpoint.template import families
from fim_lsp.settings.settings import merged
from fim_lsp.text.document import Document, Place

URI = "file:///a.py"
TEXT = "total = 1\nretu\n"
AT_WORD = Place(1, 4)


class Held(Vllm):
    """Says the first of `could` that the pattern lets through; without a pattern, the first, cut as it would go on with the prompt."""

    could = ("quest = 1\n", "return total\n")
    heeds = True

    def pieces(self):
        pattern = self.body.get("structured_outputs", {}).get("regex") if self.heeds else None
        said = next(one for one in self.could if pattern is None or re.fullmatch(pattern, one))
        return [said[at : at + 3] for at in range(0, len(said), 3)]


async def engine_of(at, **more):
    chosen, wrong = merged([("file", {"base_url": at.url, "debounce_ms": 0, "context": "off", **more})])
    assert wrong == []
    one = Engine(chosen, connector(demo=False), clock=lambda: 0.0, random=lambda: 0.5, sleep=asyncio.sleep)
    await one.backend.meet(one.backend.endpoints.first)
    return one


async def shown(engine, text=TEXT, place=AT_WORD):
    engine.open(Document(URI, "python", 1, text))
    return [offer.text for offer in await engine.complete(URI, place)]


def prompts(at):
    return [body["prompt"].partition("<|fim_suffix|>")[0] for _, body in at.asked]


async def test_the_word_at_the_cursor_is_left_to_the_model(served):
    """Held to its letters, it begins with them: one request, without them in the prompt, and no letter is shown twice."""
    at = await served(Held())
    engine = await engine_of(at)
    try:
        assert await shown(engine) == ["rn total"]
        assert [prompt.endswith("total = 1\n") for prompt in prompts(at)] == [True]
        assert at.body["structured_outputs"] == {"regex": r"retu[\s\S]*"}
        explained = engine.explain(URI, AT_WORD)["body"]
        assert explained["structured_outputs"] == at.body["structured_outputs"]
        assert explained["prompt"] == at.body["prompt"]
    finally:
        await engine.aclose()


@pytest.mark.parametrize("typed", [20, 33, 43])
async def test_a_key_at_the_cursor_stays_home(served, typed):
    """What an answer is held to is of the prompt, in which keys are replaced: no part of one leaves."""
    secret = "sk-9fQ2vX7bLm4Tz8RkW1pYc6Nd3HgJ5sAa0EuGoiBw"[:typed]
    text = f'total = 1\nAPI_KEY = "{secret}\n'
    at = await served(Held())
    at.could = ("x" * 30 + "\n",)
    at.heeds = False
    engine = await engine_of(at)
    try:
        await shown(engine, text, Place(1, 11 + typed))
        sent = json.dumps(at.asked)
        assert at.asked
        assert not [secret[at_:] for at_ in range(3, typed - 4) if secret[at_ : at_ + 5] in sent]
    finally:
        await engine.aclose()


async def test_what_passes_over_it_is_found_out(served):
    """Its first words are no answer: it is asked with all of the prompt, and after two of these always."""
    at = await served(Held())
    at.heeds = False
    engine = await engine_of(at)
    try:
        for word in ("retu", "retur", "ret"):
            text = f"total = 1\n{word}\n"
            assert await shown(engine, text, Place(1, len(word))) == ["quest = 1"]
        held = ["structured_outputs" in body for _, body in at.asked]
        assert held == [True, False, True, False, False]
        ends = [prompt.rpartition("\n")[2] for prompt in prompts(at)]
        assert ends == ["", "retu", "", "retur", "ret"]
    finally:
        await engine.aclose()


async def test_what_refuses_it_is_asked_without(served):
    """A server whose grammars are off; the person is shown text, and told nothing."""

    class Refusing(Held):
        def wrong(self, body):
            return "No structured outputs backend" if "structured_outputs" in body else super().wrong(body)

    at = await served(Refusing())
    engine = await engine_of(at)
    try:
        assert await shown(engine) == ["quest = 1"]
        assert await shown(engine, "total = 1\nretur\n", Place(1, 5)) == ["quest = 1"]
        assert ["structured_outputs" in body for _, body in at.asked] == [True, *[False] * 4]
        assert engine.backend.problems.current is None
    finally:
        await engine.aclose()


async def test_another_refusal_is_told_as_ever(served):
    """What has nothing to do with it is asked once."""
    at = await served(Held())
    chosen, _ = merged([("file", {"base_url": at.url, "model": "other", "template": "qwen"})])
    service = connector(demo=False)(chosen)
    try:
        with pytest.raises(Refused):
            async with service.complete(ASK, seconds=5.0):
                pass
        assert len(at.asked) == 1
    finally:
        await service.aclose()


ASK = Request("# map\ntotal = 0\n", "\n", "deepseek-flash", 64, 0.0, ("\n\n",), 6, "sum.py", begins="re(")


@pytest.mark.parametrize(
    ("make", "path", "pattern"),
    [
        (LlamaCpp, ("grammar",), r'root ::= "re\x28" [^\x00]*'),
        (Vllm, ("structured_outputs", "regex"), r"re\x28[\s\S]*"),
        (Sglang, ("regex",), r"re\x28[\s\S]*"),
    ],
)
async def test_each_engine_has_its_own_way(served, make, path, pattern):
    """A field of its own, and nothing else."""
    at = await served(make())
    chosen, _ = merged([("file", {"base_url": at.url})])
    service = connector(demo=False)(chosen)
    try:
        async with service.complete(ASK, seconds=5.0) as reply:
            assert "".join([piece async for piece in reply]) == "re(" + at.says
    finally:
        await service.aclose()
    found = at.body
    for name in path:
        found = found[name]
    assert found == pattern


@pytest.mark.parametrize("name", dialects())
def test_nothing_is_sent_where_nothing_is_held(name):
    """The bytes of a request are those that they were."""
    dialect = dialects()[name]
    template = None if dialect.suffix or dialect.chat else families()["qwen"]
    bare = json.loads(body_of(dialect, template, replace(ASK, begins="")))
    more = json.loads(body_of(dialect, template, ASK))
    assert {key for key in more if key not in bare} == (
        {dialect.begin.partition(".")[0]} if dialect.holds else set()
    )
