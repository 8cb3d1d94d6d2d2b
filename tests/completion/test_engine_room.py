"""Prompts that fit the engine: what it would cut is not sent, and what was sent stays where it was."""

import asyncio
import json
import random
from itertools import pairwise, takewhile
from operator import eq

import pytest
from standins import LlamaCpp, Ollama, Vllm

from fim_lsp.commands.main import connector
from fim_lsp.completion.engine import Engine
from fim_lsp.endpoint.body import BYTES, body_of
from fim_lsp.endpoint.dialect import dialects
from fim_lsp.endpoint.request import Request
from fim_lsp.settings.settings import merged
from fim_lsp.text.document import Document, Place

URI = "file:///long.py"
TEXT = "".join(f"def function_{n}(argument):\n    return argument + {n}\n\n" for n in range(700))


@pytest.fixture
async def session():
    """An engine of ours at a stand-in, with a long file open at its middle."""
    open_ = []

    async def start(at, text=TEXT, **more):
        await at.start()
        chosen, wrong = merged([("config.toml", {"base_url": at.url, "debounce_ms": 0, **more})])
        assert wrong == []
        ours = Engine(
            chosen,
            connector(demo=False),
            clock=asyncio.get_running_loop().time,
            random=random.random,
            sleep=asyncio.sleep,
        )
        open_.extend([ours.aclose, at.stop])
        await ours.warm()
        ours.open(Document(URI, "python", 0, text))
        return ours

    yield start
    for close in open_:
        await close()


async def typed(ours, text, line=1200):
    """Type it at the line's end, and ask at each key."""
    document = ours.document(URI)
    column = len(document.lines[line]) - 1
    for sign in text:
        place = Place(line, column)
        ours.edited(URI, document.change(place, place, sign))
        column += 1
        await ours.complete(URI, Place(line, column), explicit=True)


def prompt_of(body):
    return body.get("prompt") or body["input_prefix"]


@pytest.mark.parametrize(("context", "most"), [(2048, 2048), (4096, 4096), (32768, 32768)])
async def test_prompts_fit_the_context(session, context, most):
    """Prompt and answer together have room, by the fewest characters that a token of code has."""
    at = Vllm(says="x")
    at.context = context
    ours = await session(at, suffixChars=400)
    await typed(ours, "ab")
    assert at.asked
    for _, body in at.asked:
        assert len(prompt_of(body).encode()) // BYTES + body["max_tokens"] <= most
        assert "function_399" in prompt_of(body)


@pytest.mark.parametrize(
    ("more", "most"), [({}, 2_500), ({"suffixChars": 300}, 300), ({"suffixChars": 4_000}, 4_000)]
)
async def test_where_no_token_is_paid_more_of_the_file_is_shown(session, more, most):
    """Behind the cursor no more than the user allows."""
    at = Vllm(says="x")
    ours = await session(at, context="off", **more)
    await typed(ours, "ab")
    for _, body in at.asked:
        before, _, behind = prompt_of(body).partition("<|fim_suffix|>")
        assert 6_000 < len(before) < 9_000  # half of what its window takes before the cursor
        assert most / 2 < len(behind.removesuffix("<|fim_middle|>")) <= most


async def test_llama_cpp_is_shown_the_rest_as_another_text_of_the_file(session):
    """What it would cut off goes beside it, from the first prompt at a place on."""
    at = LlamaCpp(says="x")
    ours = await session(at, context="off")
    await typed(ours, "ab")
    await typed(ours, "cd", line=1500)
    texts = ["".join(one["text"] for one in body.get("input_extra", ())) for _, body in at.asked]
    assert len(texts[-1]) > 3_000
    assert texts[-2] == texts[-1]
    assert all(500 < len(body["input_prefix"]) <= 1536 * BYTES for _, body in at.asked)


async def test_a_short_file_is_no_context_of_itself(session):
    """The prompt begins with the family's mark, and the file's name stands within."""
    at = Vllm(says="x")
    ours = await session(at, "def add(a, b):\n    return a\n", context="off")
    await typed(ours, " + b", line=1)
    assert prompt_of(at.body) == (
        "<|fim_prefix|># long.py\ndef add(a, b):\n    return a + <|fim_suffix|>\n<|fim_middle|>"
    )
    assert at.held() == "b"  # which the model is to say again
    at = LlamaCpp(says="x")
    ours = await session(at, "def add(a, b):\n    return a\n", context="off")
    await typed(ours, " + b", line=1)
    assert at.body["input_prefix"] == "# long.py\ndef add(a, b):\n    return a + "
    assert at.held() == "b"
    assert "input_extra" not in at.body


async def test_ollama_cuts_no_head_off(session):
    """What it is sent fits the context that it is told to have."""
    at = Ollama(says="x")
    ours = await session(at)
    await typed(ours, "ab")
    for _, body in at.asked:
        size = len((body["prompt"] + body.get("suffix", "")).encode())
        assert size // BYTES + body["options"]["num_predict"] <= body["options"]["num_ctx"]


async def test_infill_has_no_more_at_the_cursor_than_the_server_takes(session):
    """Three quarters of a batch before the cursor and a quarter behind it; what is further up goes as extra, which stays."""
    at = LlamaCpp(says="x")
    ours = await session(at, suffixChars=9000)
    ours.backend.clock = lambda: 0.0  # however slow this machine is
    await typed(ours, "a = function_3(1) " * 3)
    bodies = [body for _, body in at.asked]
    assert len(bodies) > 20
    for body in bodies:
        assert len(body["input_prefix"].encode()) <= 1536 * BYTES
        assert len(body["input_suffix"].encode()) <= 512 * BYTES
    # After the first answer the engine is known to be quick, and prompts begin anew, once.
    for before, after in pairwise(bodies[2:]):
        assert before.get("input_extra") == after.get("input_extra")
        assert after["input_prefix"].startswith(before["input_prefix"][:-1])


def test_one_that_does_not_fit_begins_at_a_line_that_stays():
    """A prompt made before the engine was known is cut by us, at the same line while it grows a little."""
    lines = "".join(f"line {n} = {n}\n" for n in range(3000))
    starts = set()
    for more in range(60):
        request = Request(lines + "x" * more, "\n", "m", 100, 0.0)
        body = body_of(dialects()["ollama"], None, request, context_tokens=4096)
        assert len(body) < 4096 * 2
        starts.add(body.partition(b'"prompt":"')[2][:12])
    assert len(starts) == 1
    assert next(iter(starts)).startswith(b"line ")


@pytest.mark.parametrize("context", [1024, 2048, 4096, 16384])
def test_nothing_is_left_for_the_server_to_cut(context):
    """Extra, prefix and suffix by its own rule: 3/4 of a batch, 1/4 of it, and what a context has besides; of dense text, too."""
    request = Request("é = 1\n" * 9000, "ü\n" * 900, "m", 64, 0.0, (), 40_000)
    body = json.loads(body_of(dialects()["llama.cpp"], None, request, context_tokens=context))
    prefix, suffix = (len(body[name].encode()) // BYTES for name in ("input_prefix", "input_suffix"))
    extra = sum(len(one["text"].encode()) // BYTES for one in body.get("input_extra", ()))
    assert prefix <= 1536
    assert suffix <= 512
    assert extra <= max(0, context - 2048 - 2 * 64)
    assert prefix + suffix + extra + 64 <= context
    assert prefix > 100


def test_one_line_that_does_not_fit_is_cut_within():
    request = Request("é" * 50_000, "", "m", 100, 0.0)
    body = body_of(dialects()["llama.cpp"], None, request, context_tokens=8192)
    assert len(body.partition(b'"input_prefix":"')[2].partition(b'"')[0]) <= 1536 * BYTES


class Paced(LlamaCpp):
    """One that reads so many characters a second of what it has not read yet, by a clock of its own."""

    speed = 1.0
    late = 0.0  # seconds by which its clock is ahead of ours
    read = ""

    async def answer(self, method, path, body):
        if path == "/infill":
            text = whole(body)
            same = sum(takewhile(bool, map(eq, text, self.read)))
            self.read = text
            self.late += (len(text) - same + len(body["input_suffix"])) / self.speed
        await super().answer(method, path, body)


def whole(body):
    """All that stands before the cursor in a prompt."""
    return "".join(one["text"] for one in body.get("input_extra", ())) + body["input_prefix"]


@pytest.mark.parametrize(
    ("speed", "least", "most"), [(120, 800, 1_000), (700, 2_000, 3_000), (50_000, 28_000, 48_000)]
)
async def test_an_engine_of_ones_own_is_sent_what_it_reads_in_time(session, speed, least, most):
    """Little at first; then what it reads in three seconds, less or more; and rarely from the beginning again."""
    at = Paced(says="x")
    at.n_ctx, at.speed = 65_536, speed
    ours = await session(at, context="off", timeoutSeconds=600)
    ours.backend.clock = lambda: at.late
    texts = []
    for line in range(3, 2_000, 9):
        await typed(ours, "a", line=line)
        texts.append(whole(at.body))
    assert len(texts[0]) <= 3_000
    assert least <= max(map(len, texts[20:])) <= most
    anew = sum(not after.startswith(before[:200]) for before, after in pairwise(texts))
    assert anew <= 2_000 * 27 / most * 4
