"""What is shown, asked and kept where the model is unsure; the witness is the endpoint's record."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.commands.main import connector
from fim_lsp.completion.engine import Engine
from fim_lsp.settings.settings import Settings, merged
from fim_lsp.text.document import Document, Place

URI = "file:///a.py"
TEXT = "def f(total):\n    \n\n\nx = 1\n"
AT = Place(1, 4)
SAYS = (
    "a = total\n    b = total\n    return a\n"  # in pieces of four characters: "a = ", "tota", "l\n  ", ...
)


def unsure(**pieces):
    """What the endpoint tells of its pieces: the probability of those that hold a word, 0.99 of all others."""

    def told(piece):
        found = [probability for word, probability in pieces.items() if word in piece]
        return {"tokens": [piece], "token_logprobs": [math.log(found[0] if found else 0.99)]}

    return told


class Desk:
    """An engine at an endpoint, with a document open."""

    def __init__(self, endpoint, **settings):
        self.endpoint = endpoint
        chosen, wrong = merged(
            [
                (
                    "file",
                    {
                        "base_url": endpoint.url,
                        "engine": "deepseek",
                        "debounce_ms": 0,
                        "api_key": "sk-t",
                        **settings,
                    },
                )
            ]
        )
        assert wrong == []
        self.now = 0.0
        self.engine = Engine(
            chosen, connector(demo=False), clock=lambda: self.now, random=lambda: 0.5, sleep=asyncio.sleep
        )
        self.engine.open(Document(URI, "python", 1, TEXT))

    async def shown(self, place=AT, *, explicit=False):
        offers = await self.engine.complete(URI, place, explicit=explicit)
        return [offer.text for offer in offers]


@pytest.fixture
async def desk(endpoint):
    made = []

    def sit(**settings):
        made.append(Desk(endpoint, **settings))
        return made[-1]

    endpoint.says = SAYS
    yield sit
    for one in made:
        await one.engine.aclose()


WHOLE = "a = total\n    b = total\n    return a"


@pytest.mark.parametrize("setting", ["off", 0])
async def test_where_it_is_off_nothing_is_asked_for(desk, endpoint, setting):
    """The request has no field more, and whatever came with the text is passed over."""
    endpoint.logprobs = unsure(a=0.001)
    assert await desk(confidence=setting).shown() == [WHOLE]
    assert "logprobs" not in endpoint.bodies[0]


async def test_the_request_is_the_same_but_for_the_field(desk, endpoint):
    """What it costs and what the cache knows of it stay as they are."""
    await desk().shown()
    await desk(confidence=0.5).shown()
    bare, more = endpoint.bodies
    assert more == {**bare, "logprobs": 1}


async def test_a_sure_answer_is_shown_whole(desk, endpoint):
    """With its bill, as ever."""
    endpoint.logprobs = unsure()
    one = desk(confidence=0.5)
    assert await one.shown() == [WHOLE]


async def test_it_ends_before_the_line_where_confidence_falls(desk, endpoint):
    """What was sure is shown; the stream is closed at once, long before its end."""
    endpoint.every = 0.05
    endpoint.says = SAYS + "    more = total\n" * 40
    endpoint.logprobs = unsure(retu=0.05)
    assert await desk(confidence=0.3).shown() == ["a = total\n    b = total"]
    async with asyncio.timeout(10):
        while not endpoint.ends:
            await asyncio.sleep(0.01)
    assert endpoint.ends == {0: "cut"}


async def test_of_a_guess_nothing_is_shown_until_the_person_asks(desk, endpoint):
    """The stream ends with its first words; the place is known, and asked about no more, until the person asks."""
    endpoint.every = 0.05
    endpoint.logprobs = unsure(**{"a = ": 0.05})
    one = desk(confidence=0.3)
    assert await one.shown() == []
    async with asyncio.timeout(10):
        while not endpoint.ends:
            await asyncio.sleep(0.01)
    assert endpoint.ends == {0: "cut"}
    assert await one.shown() == []
    assert len(endpoint.bodies) == 1
    endpoint.every = 0.0
    assert await one.shown(explicit=True) == [WHOLE]
    assert len(endpoint.bodies) == 2
    assert endpoint.bodies[1] == endpoint.bodies[0]  # the likeliest text, not another
    assert await one.shown() == [WHOLE]
    assert len(endpoint.bodies) == 2


async def test_of_the_first_line_the_expression_that_is_sure_is_shown(desk, endpoint):
    """The rest of the line is not, nor what would follow; nothing more is known of the place, and typing past it asks."""
    endpoint.says = "first = total + amount\n    return first\n"
    endpoint.logprobs = unsure(amou=0.05)
    one = desk(confidence=0.3)
    assert await one.shown() == ["first = total"]
    assert await one.shown() == ["first = total"]
    assert len(endpoint.bodies) == 1
    document = one.engine.document(URI)
    one.engine.edited(URI, document.change(AT, AT, "first = total"))
    endpoint.says = " + tax\n"
    assert await one.shown(Place(1, 17)) == [" + tax"]


async def test_who_asks_is_shown_the_first_line_and_what_is_sure_behind_it(desk, endpoint):
    """The lines that follow are as sure as they have to be."""
    endpoint.logprobs = unsure(**{"a = ": 0.05, "retu": 0.05})
    assert await desk(confidence=0.3).shown(explicit=True) == ["a = total\n    b = total"]


async def test_who_asks_while_an_unsure_answer_comes_is_shown_it(desk, endpoint):
    """The stream that runs ends with nothing; it is asked once more, and shown."""
    endpoint.gate = asyncio.Event()
    endpoint.logprobs = unsure(**{"a = ": 0.05})
    one = desk(confidence=0.3)
    first = asyncio.create_task(one.engine.complete(URI, AT))
    async with asyncio.timeout(10):
        while not endpoint.bodies:
            await asyncio.sleep(0.01)
    second = asyncio.create_task(one.shown(explicit=True))
    await asyncio.sleep(0)
    endpoint.gate.set()
    assert await second == [WHOLE]
    assert await first is None
    assert len(endpoint.bodies) == 2


async def test_another_threshold_asks_anew(desk, endpoint):
    """What was cut is not shown for whole, nor what was whole for cut."""
    endpoint.logprobs = unsure(retu=0.05)
    one = desk(confidence=0.3)
    cut, whole = ["a = total\n    b = total"], [WHOLE]
    for setting, texts in ((0.3, cut), (0.01, whole), (0.3, cut)):
        settings = one.engine.settings
        if settings.confidence != setting:
            await one.engine.configure(Settings(**{**held(settings), "confidence": setting}))
        assert await one.shown() == texts
    assert len(endpoint.bodies) == 3


def held(settings):
    return {name: getattr(settings, name) for name in settings.__slots__}


async def test_a_language_may_have_its_own(desk, endpoint):
    """A row goes before what holds for all, and a change of it counts."""
    endpoint.logprobs = unsure(retu=0.05)
    one = desk(confidence=0.3, languages={"python": {"confidence": "off"}})
    assert await one.shown() == [WHOLE]
    assert "logprobs" not in endpoint.bodies[0]
    await one.engine.configure(Settings(**{**held(one.engine.settings), "languages": {}}))
    assert await one.shown() == ["a = total\n    b = total"]


@pytest.mark.parametrize(
    "told",
    [
        None, 7, "x", [], {}, {"tokens": None}, {"token_logprobs": None}, {"token_logprobs": "abc"},
        {"token_logprobs": [None]}, {"token_logprobs": [float("nan")]}, {"token_logprobs": [float("-inf")]},
        {"token_logprobs": [3.5]}, {"token_logprobs": [True]}, {"token_logprobs": ["-9"]}, {"token_logprobs": []},
        {"token_logprobs": [[-9]]}, {"token_logprobs": [10**400]}, {"content": [{"token": "a", "logprob": None}]},
        {"content": [None, 1, [], {}]}, [[[]]], {"tokens": ["a"] * 3, "token_logprobs": [None, None]},
    ],
)  # fmt: skip
async def test_what_tells_nothing_hides_nothing(desk, endpoint, told):
    """Whatever an engine says there, the text is taken as without it."""
    endpoint.logprobs = lambda _: told
    assert await desk(confidence=0.9).shown() == [WHOLE]


async def test_pieces_of_which_nothing_is_told_count_as_sure(desk, endpoint):
    """What is told of the others still counts."""
    sure = unsure(retu=0.05)
    endpoint.logprobs = lambda piece: sure(piece) if "retu" in piece else None
    assert await desk(confidence=0.3).shown() == ["a = total\n    b = total"]
    endpoint.logprobs = lambda piece: None if "retu" in piece else sure(piece)
    assert await desk(confidence=0.3).shown() != []


async def test_an_engine_that_tells_nothing_is_shown_as_ever(desk, endpoint):
    """No field comes back; explain still says what was asked."""
    one = desk(confidence=0.9)
    assert await one.shown() == [WHOLE]
    found = one.engine.explain(URI, AT)
    assert found["confidence"] == {"threshold": 0.9, "asked": {"logprobs": 1}}
    assert "confidence" not in desk().engine.explain(URI, AT)
    mute = desk(confidence=0.9, engine="mistral").engine.explain(URI, AT)
    assert "no effect" in mute["confidence"]["problem"]


@given(st.lists(st.floats(allow_nan=True), min_size=9, max_size=9), st.floats(0.001, 1))
def test_whatever_is_told_what_is_shown_begins_what_would_be(told, least):
    """Nothing else than lines of it, whatever the numbers are."""

    async def run():
        from endpoint import Endpoint

        endpoint = await Endpoint().start()
        endpoint.says = SAYS
        numbers = iter(told)
        endpoint.logprobs = lambda piece: {"tokens": [piece], "token_logprobs": [next(numbers, None)]}
        one = Desk(endpoint, confidence=least)
        try:
            (text,) = await one.shown() or [""]
        finally:
            await one.engine.aclose()
            await endpoint.stop()
        assert WHOLE.startswith(text)
        assert text in {WHOLE, ""} or WHOLE[len(text)] == "\n"

    asyncio.run(run())
