"""Asks that the text has moved on under: none fails, each is answered, and nothing is sent for a place that is gone."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import URI, World

from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Document, Place

LONG = "x = 1\n" * 30


def put(engine, text):
    """Replace a document's whole text."""
    engine.edited(URI, engine.document(URI).replace(text), typed=False)


@pytest.mark.parametrize("explicit", [False, True])
async def test_an_ask_with_its_lines_deleted_in_the_same_packet(world, explicit):
    """It is overtaken; the next one is answered."""
    put(world.engine, LONG)
    ask = asyncio.create_task(world.engine.complete(URI, Place(29, 2), explicit=explicit))
    await asyncio.sleep(0)
    put(world.engine, "y")
    assert await ask is None
    assert world.service.requests == []
    assert await world.engine.complete(URI, Place(0, 1)) is not None


async def test_a_glance_with_its_lines_deleted_in_the_same_packet(world):
    """The menu's question is dropped, and the next glance asks anew."""
    put(world.engine, LONG)
    assert world.engine.glance(URI, Place(29, 2)) == ()
    put(world.engine, "y")
    for _ in range(5):
        await asyncio.sleep(0)
    assert world.service.requests == []
    world.engine.glance(URI, Place(0, 1))
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(world.service.requests) == 1


async def test_a_line_that_an_answer_covers_is_gone_before_it_comes(start, endpoint):
    """The answer is told of the line as it was asked about, and no fault is logged."""
    endpoint.first = 0.2
    endpoint.says = 'a" + b\n'
    client = await start()
    client.open("file:///a.py", "1\n" * 20 + 'x = ""\n')
    asked = client.inline("file:///a.py", 20, 5)
    await client.until(lambda: endpoint.bodies)
    end = {"line": 15, "character": 0}
    client.type("file:///a.py", 0, 0, "", end=end)
    message = await asyncio.wait_for(asked, 10)
    assert [item["range"]["end"]["character"] for item in message["result"]] == [6]
    assert b"Error" not in client.stderr


STEP = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 12), st.integers(0, 8), st.booleans()),
    st.tuples(st.just("glance"), st.integers(0, 12), st.integers(0, 8)),
    st.tuples(
        st.just("type"), st.integers(0, 12), st.integers(0, 8), st.sampled_from(["x", "\n", "ab\ncd\n"])
    ),
    st.tuples(st.just("delete"), st.integers(0, 12), st.integers(0, 12)),
    st.tuples(st.just("replace"), st.sampled_from(["", "x", "a\n" * 40, LONG])),
    st.tuples(st.just("wait"), st.integers(1, 8)),
)


@given(st.lists(STEP, max_size=30))
@settings(max_examples=150, deadline=None)
def test_any_order_of_edits_and_asks(steps):
    """Every ask comes to texts, to none or to being overtaken; none to an error."""
    assert asyncio.run(played(steps)) == []


async def played(steps):
    """What went wrong."""
    world, asks, wrong = World(), [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: wrong.append(what))
    engine = world.engine
    engine.backend.settings = engine.documents.settings = Settings(prefix_chars=200, suffix_chars=20)
    engine.open(Document(URI, "python", 1, LONG))
    for name, *rest in steps:
        document = engine.document(URI)
        if name == "replace":
            put(engine, *rest)
        elif name == "wait":
            for _ in range(*rest):
                await asyncio.sleep(0)
        else:
            place = document.place(rest[0], rest[1], "utf-32")
            if name == "ask":
                asks.append(asyncio.create_task(engine.complete(URI, place, explicit=rest[2])))
                await asyncio.sleep(0)  # the handler has begun, and its turn has not
            elif name == "glance":
                engine.glance(URI, place)
            elif name == "type":
                engine.edited(URI, document.change(place, place, rest[2]))
            else:
                other = document.place(rest[1], 0, "utf-32")
                engine.edited(URI, document.change(place, other, ""))
        turn = engine.documents.get(URI).turn
        if turn is not None and turn.done() and not turn.cancelled() and turn.exception():
            wrong.append(turn.exception())
    answers = await asyncio.wait_for(asyncio.gather(*asks, return_exceptions=True), 5)
    await engine.aclose()
    return wrong + [answer for answer in answers if isinstance(answer, BaseException)]


@pytest.mark.parametrize("moments", range(6))
async def test_a_stream_that_is_being_cut_serves_nobody(moments):
    """Who asks again right behind a cancel is answered, however far the stream's end has come."""
    world = World()
    gate, complete = asyncio.Event(), world.service.complete

    @asynccontextmanager
    async def slowly(request, *, seconds):
        async with complete(request, seconds=seconds) as reply:
            await gate.wait()
            yield reply

    world.service.complete = slowly
    world.engine.open(Document(URI, "python", 1, "x = \n"))
    first = asyncio.create_task(world.engine.complete(URI, Place(0, 4), explicit=True))
    while not world.service.under_way:
        await asyncio.sleep(0)
    first.cancel()
    for _ in range(moments):
        await asyncio.sleep(0)
    again = asyncio.create_task(world.engine.complete(URI, Place(0, 4), explicit=True))
    await asyncio.sleep(0)
    gate.set()
    assert [offer.text for offer in await again] == ["1"]
    await world.engine.aclose()
