"""What engines tell of how sure their model is: asked for where it is wanted, read whatever it is."""

import itertools
import json
import math
from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standins import Codestral, LlamaCpp, Mlx, Ollama, Sglang, Suffixed, Vllm

from fim_lsp.commands.main import connector
from fim_lsp.endpoint.body import body_of
from fim_lsp.endpoint.dialect import dialects
from fim_lsp.endpoint.filters import Echo, Fence, Until
from fim_lsp.endpoint.logprobs import LAG, Spelling, Told, told
from fim_lsp.endpoint.look import Found
from fim_lsp.endpoint.request import Refused, Request
from fim_lsp.endpoint.service import Service
from fim_lsp.endpoint.template import families
from fim_lsp.settings.settings import merged
from fim_lsp.text.confidence import Token

ASK = Request("# map\ntotal = 0\n    ", "\nprint(total)\n", "deepseek-flash", 64, 0.0, ("\n\n",), 6, "sum.py")
DOUBT = {"prefix": "a = ", "suffix": "\n", "model": "m", "max_tokens": 9, "temperature": 0.0}


def client(at, **more):
    """The client of what is in the user's file."""
    chosen, wrong = merged([("config.toml", {"base_url": at.url, **more})])
    assert wrong == []
    return connector(demo=False)(chosen)


async def asked(at, request, **more):
    """The text that came, and the reply."""
    service = client(at, **more)
    try:
        async with service.complete(request, seconds=5.0) as reply:
            return "".join([piece async for piece in reply]), reply
    finally:
        await service.aclose()


@pytest.mark.parametrize("make", [LlamaCpp, Ollama, Vllm, Sglang, Suffixed])
async def test_an_engine_that_tells_is_asked_and_read(make, served):
    """Each by its own field; every token comes, with its end in the text."""
    engine = await served(make())
    engine.unsure = {"rn t": -1.5}
    text, reply = await asked(engine, replace(ASK, logprobs=True), **how(make))
    assert text == engine.says == "return total\n"
    assert reply.tokens == [Token(0, 4, -0.01), Token(4, 8, -1.5), Token(8, 12, -0.01), Token(12, 13, -0.01)]
    wanted = {LlamaCpp: ("n_probs", 1), Ollama: ("logprobs", True)}.get(make, ("logprobs", 1))
    assert engine.body[wanted[0]] == wanted[1]


@pytest.mark.parametrize("make", [Codestral, Mlx])
async def test_an_engine_that_tells_nothing_is_not_asked(make, served):
    """Its request is the same, and the text is whole."""
    engine = await served(make())
    for logprobs in (False, True):
        request = replace(ASK, logprobs=logprobs)
        text, reply = await asked(engine, request, **how(make))
        assert (text, reply.tokens) == (engine.says, [])
    (_, one), (_, other) = engine.asked
    one.pop("prompt_cache_key", None)
    other.pop("prompt_cache_key", None)
    assert one == other


def how(make):
    return {"engine": "openai-suffix"} if make is Suffixed else {}


@pytest.mark.parametrize("name", dialects())
def test_nothing_is_asked_for_where_nothing_is_wanted(name):
    """The bytes of a request do not depend on the row; what is asked for comes behind them."""
    dialect = dialects()[name]
    template = None if dialect.suffix or dialect.chat else families()["qwen"]
    bare = json.loads(body_of(dialect, template, Request(**DOUBT)))
    more = json.loads(body_of(dialect, template, Request(**DOUBT, logprobs=True)))
    assert not {"logprobs", "n_probs"} & set(bare)
    assert list(more)[: len(bare)] == list(bare)
    assert {key: one for key, one in more.items() if key not in bare} == dict(dialect.ask_logprobs)
    assert bool(dialect.ask_logprobs) == bool(dialect.logprobs) == dialect.sure


async def test_an_engine_that_refuses_to_tell_is_asked_once(served):
    """The answer comes all the same, and from then on nothing is asked for; the words are mlx-lm's (0.32.2)."""

    class Mute(Suffixed):
        def wrong(self, body):
            return "logprobs must be of type bool" if "logprobs" in body else ""

    engine = await served(Mute())
    service = client(engine, engine="openai-suffix")
    request = replace(ASK, logprobs=True)
    try:
        for _ in range(2):
            async with service.complete(request, seconds=5.0) as reply:
                assert "".join([piece async for piece in reply]) == engine.says
            assert reply.tokens == []
        assert ["logprobs" in body for _, body in engine.asked] == [True, False, False]
        assert "problem" in service.shown(request)["confidence"]
    finally:
        await service.aclose()


async def test_another_refusal_is_told_as_ever(served):
    """What has nothing to do with it is asked once, and fails as it would without."""
    engine = await served(Vllm())
    with pytest.raises(Refused, match=r"\((404|400)\)"):
        await asked(engine, replace(ASK, logprobs=True, model="other"), model="other", template="qwen")
    assert len(engine.asked) == 1


@pytest.mark.parametrize(
    ("found", "tokens"),
    [
        ({"tokens": ["a", "b"], "token_logprobs": [-1, -0.5]}, [("a", -1.0), ("b", -0.5)]),
        ({"tokens": ["a"], "token_logprobs": [-1, -0.5]}, [(None, -1.0), (None, -0.5)]),
        ({"token_logprobs": [-1, None]}, [(None, -1.0), (None, None)]),
        ({"tokens": "ab", "token_logprobs": [-1, -2]}, [(None, -1.0), (None, -2.0)]),
        ({"tokens": [1], "token_logprobs": [-1]}, [(None, -1.0)]),
        ({"content": [{"token": "a", "logprob": -1}]}, [("a", -1.0)]),
        ([{"token": "a", "logprob": -1, "top_logprobs": []}, "b", {}], [("a", -1.0), (None, None), (None, None)]),
        ([{"token": "a", "logprob": number} for number in (1e-6, 0.5, True, "0", [], 10**400, -(10**400))],
         [("a", 0.0), *[("a", None)] * 6]),
        ([{"token": "a", "logprob": number} for number in (math.nan, math.inf, -math.inf, -1e308)],
         [("a", None), ("a", None), ("a", None), ("a", -1e308)]),
        (None, []), ({}, []), ("abc", []), (7, []), ({"token_logprobs": 1}, []), ({"content": {}}, []), ([], []),
    ],
)  # fmt: skip
def test_what_is_told_in_each_shape(found, tokens):
    """Lists side by side, rows, rows in `content`; what is no number is none."""
    assert told(dialects()["vllm"], {"logprobs": found}) == [Told(*token) for token in tokens]


def spell(*pieces):
    """The tokens of pieces of text with theirs, each with -1."""
    spelling = Spelling()
    return [
        token.end
        for text, tokens in pieces
        for token in spelling.take(text, [Told(said, -1.0) for said in tokens])
    ]


@pytest.mark.parametrize(
    ("pieces", "ends"),
    [
        ([("ab", ["ab"]), ("c", ["c"])], [2, 3]),
        ([("abc", ["ab", "c"])], [2, 3]),
        # Text that is held back, as it may be a stop, and tokens that come late.
        ([("", ["ab"]), ("", ["c"]), ("abcd", ["d"])], [2, 3, 4]),
        ([("ab", []), ("cd", ["ab", "cd"])], [2, 4]),
        # Half a character each.
        ([("", ["\\xc3"]), ("é", ["\\xa9"]), ("f", ["f"])], [4, 1, 2]),
        # Another alphabet: spread over the text of the event, and exact again behind it.
        ([("ab c", ["Ġab", "Ġc"]), ("d", ["d"])], [2, 4, 5]),
        ([("ab", [None]), ("c", ["c"])], [2, 3]),
        # What was told without text never comes.
        ([("a", ["a"]), ("", ["<|end|>"]), ("b", ["b"])], [1, 8, 2]),
        # A piece of which nothing is told.
        ([("ab", []), ("c", ["c"]), ("d", ["d"])], [3, 4]),
    ],
)
def test_where_tokens_end(pieces, ends):
    """In characters of the whole text, whatever comes with what."""
    assert spell(*pieces) == ends


@given(
    st.lists(st.text(alphabet="ab \né😀", min_size=1, max_size=4), min_size=1, max_size=20),
    st.lists(st.integers(0, 60)),
    st.lists(st.integers(0, 19)),
)
def test_tokens_that_spell_the_text_are_exact_however_both_are_cut(said, places, breaks):
    """As long as text and tokens are not far apart."""
    text = "".join(said)
    cuts = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    texts = [text[a:b] for a, b in itertools.pairwise(cuts)] or [text]
    marks = sorted({min(place, len(said)) for place in breaks} | {0, len(said)})
    groups = [said[a:b] for a, b in itertools.pairwise(marks)]
    rounds = max(len(texts), len(groups))
    texts += [""] * (rounds - len(texts))
    groups += [[]] * (rounds - len(groups))
    ends, at = [], 0
    for token in said:
        at += len(token)
        ends.append(at)
    assert spell(*zip(texts, groups, strict=True)) == ends


def test_what_runs_far_ahead_is_let_go():
    """No more than so much is held, and each piece costs the same."""
    spelling = Spelling()
    for _ in range(50):
        spelling.take("a", [Told("x" * LAG, -1.0)])
        spelling.take("b" * LAG, [])
    at = 50 * (LAG + 1)
    assert spelling.take("c", [Told("c", -1.0)]) == [Token(at, at + 1, -1.0)]


def filtered(one, *pieces):
    """What a filter gives of pieces, and how many characters it has left out at their beginning."""
    text = "".join(one.feed(piece) for piece in pieces) + ("" if one.met else one.rest())
    return text, one.skipped


def test_what_filters_leave_out_at_the_beginning_is_known():
    """So that tokens still stand where their text does."""
    assert filtered(Echo("abc"), "a", "bcd", "e") == ("de", 3)
    assert filtered(Echo("abc"), "a", "bd") == ("abd", 0)
    assert filtered(Echo("abc"), "ab") == ("ab", 0)
    assert filtered(Echo(""), "ab") == ("ab", 0)
    assert filtered(Fence(), "``", "`py\na", "\nb\n```\n") == ("a\nb", 6)
    assert filtered(Fence(), "a\n", "b") == ("a\nb", 0)
    assert filtered(Until(["<|x"]), "a<", "|", "xb") == ("a", 0)


async def test_marks_that_are_no_text_move_no_token():
    """Two events cut a mark of the template; what stood before it keeps its confidence."""
    said = [("ret", -0.1), ("urn<|fim", -0.2), ("_pad|>", -3.0), ("junk", -4.0)]
    events = [
        {"choices": [{"text": text, "logprobs": {"tokens": [text], "token_logprobs": [logprob]}}]}
        for text, logprob in said
    ]
    body = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in events) + b"data: [DONE]\n\n"
    answer = httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=body)
    service = Service("http://test.invalid", None, transport=httpx.MockTransport(lambda _: answer))
    service.found = Found(dialects()["vllm"], "m", families()["qwen"])
    async with service.complete(Request(**DOUBT, logprobs=True), seconds=5.0) as reply:
        text = "".join([piece async for piece in reply])
    await service.aclose()
    assert text == "return"
    assert reply.tokens[:2] == [Token(0, 3, -0.1), Token(3, 11, -0.2)]
