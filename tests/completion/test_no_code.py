"""What is no code does not come by itself, and is shown to who asks; the witness is the endpoint's record."""

import pytest
from world import World

from fim_lsp.text.document import Document, Place

URI = "file:///a.py"
AT = Place(1, 11)


@pytest.fixture
async def world():
    """An engine with one document, and a model whose answer is no code there."""
    made = World()
    made.service.says = "= 1\n"
    made.engine.open(Document(URI, "python", 1, "def f(a):\n    return \n"))
    yield made
    await made.engine.aclose()


async def test_by_itself_it_does_not_come(world):
    """It is known, and asked for no more at that place."""
    assert await world.engine.complete(URI, AT) == ()
    assert await world.engine.complete(URI, AT) == ()
    assert len(world.service.requests) == 1


async def test_nor_in_a_statement_of_many_lines(world):
    """Of which the prompt shows few."""
    world.engine.open(
        Document(URI, "python", 2, "def f(a):\n    return (\n" + "        1 +\n" * 300 + "        1)\n")
    )
    world.service.says = "= 2 +"
    assert await world.engine.complete(URI, Place(2, 8)) == ()
    assert len(world.service.requests) == 1


async def test_who_asks_is_shown_it(world):
    """From the first on, and where it did not come by itself."""
    assert await world.engine.complete(URI, AT) == ()
    assert [offer.text for offer in await world.engine.complete(URI, AT, explicit=True)] == ["= 1"]
    world.engine.clear()
    assert [offer.text for offer in await world.engine.complete(URI, AT, explicit=True)] == ["= 1"]


async def test_lines_that_are_code_come(world):
    """And not those behind them."""
    world.service.says = "a\n    return = 2\n"
    assert [offer.text for offer in await world.engine.complete(URI, AT)] == ["a"]


async def test_white_space_is_no_reason_to_ask_anew(world):
    """Nobody has said anything by an indentation; a letter behind it is something."""
    world.service.says = "    a = := 1\n"
    world.engine.open(Document(URI, "python", 2, "def f(a):\n\n"))
    assert await world.engine.complete(URI, Place(1, 0)) == ()
    for column in range(4):
        world.key(1, column, " ")
        assert await world.engine.complete(URI, Place(1, column + 1)) == ()
    assert len(world.service.requests) == 1
    world.key(1, 4, "a")
    await world.engine.complete(URI, Place(1, 5))
    assert len(world.service.requests) == 2


async def test_along_it_another_is_asked_for(world):
    """Nothing is shown: in every second case a model goes on otherwise once its own beginning is there."""
    world.service.says = "(a b\n"
    assert await world.engine.complete(URI, AT) == ()
    world.key(1, 11, "(a")
    world.service.says = ", 1)\n"
    assert [offer.text for offer in await world.engine.complete(URI, Place(1, 13))] == [", 1)"]


async def test_who_asks_behind_its_beginning_is_shown_the_rest(world):
    """At once, and for nothing: it is paid for."""
    world.service.says = "= first\n"
    assert await world.engine.complete(URI, AT) == ()
    world.key(1, 11, "= f")
    assert [offer.text for offer in await world.engine.complete(URI, Place(1, 14), explicit=True)] == ["irst"]
    assert len(world.service.requests) == 1


async def test_lines_that_are_left_out_are_not_asked_for_again(world):
    """Behind those that were taken; another beginning is another question."""
    world.service.says = "a = 1\n    b = := 2\n"
    world.engine.open(Document(URI, "python", 2, "def f(a):\n    \n"))
    assert [offer.text for offer in await world.engine.complete(URI, Place(1, 4))] == ["a = 1"]
    world.key(1, 4, "a = 1\n    ")
    assert await world.engine.complete(URI, Place(2, 4)) == ()
    assert len(world.service.requests) == 1
    world.key(2, 4, "c")
    await world.engine.complete(URI, Place(2, 5))
    assert len(world.service.requests) == 2
