"""The engine with a clock that stands still unless it is moved."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from fim_lsp.document import Document, Place
from fim_lsp.engine import PAUSE, Engine
from fim_lsp.settings import Settings

URI = "file:///a.py"


class Reply:
    usage = None
    finish_reason = None

    def __init__(self, text):
        self._pieces = iter([text])

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return next(self._pieces)
        except StopIteration:
            raise StopAsyncIteration from None


class Service:
    """Answers at once with what it is told."""

    def __init__(self):
        self.says = "1\n"
        self.warmed = 0
        self.requests = []

    @asynccontextmanager
    async def complete(self, request, *, seconds):
        self.requests.append(request)
        yield Reply(self.says)

    async def warm(self):
        self.warmed += 1

    async def aclose(self):
        pass


class World:
    def __init__(self):
        self.now = 0.0
        self.service = Service()
        self.engine = Engine(
            Settings(),
            lambda _: self.service,
            clock=lambda: self.now,
            random=lambda: 0.5,
            sleep=self.sleep,
        )

    async def sleep(self, seconds):
        self.now += seconds
        await asyncio.sleep(0)

    def key(self, line, column, text):
        document = self.engine.document(URI)
        self.engine.edited(URI, document.change(Place(line, column), Place(line, column), text))


@pytest.fixture
async def world():
    made = World()
    made.engine.open(Document(URI, "python", 1, "x = \n\n"))
    yield made
    await made.engine.aclose()


async def test_the_first_key_after_a_pause_sees_to_the_connection(world):
    """Once for a pause, not for each key."""
    await world.engine.warm()
    world.key(0, 4, "a")
    await asyncio.sleep(0)
    assert world.service.warmed == 1
    world.now += PAUSE + 1
    world.key(0, 5, "b")
    world.key(0, 6, "c")
    await asyncio.sleep(0)
    assert world.service.warmed == 2


async def test_the_rehearsal_asks_for_nothing_and_counts_nothing(world):
    """Warming up leaves no trace."""
    await world.engine.warm()
    assert world.service.requests == []
    assert world.engine.counts.requests == world.engine.counts.prompt_tokens == 0


async def test_a_menus_entry_and_what_follows_it(world):
    """The ghost text behind a selected entry counts as taken only where ours is."""
    from fim_lsp.menu import Selected

    world.service.says = ".join(a)\n"
    world.key(0, 4, "os.pa")
    offers = await world.engine.complete(URI, Place(0, 9), selected=Selected(7, "path"))
    assert [offer.text for offer in offers] == [".join(a)"]
    document = world.engine.document(URI)
    world.engine.edited(URI, document.change(Place(0, 7), Place(0, 9), "path"))
    assert world.engine.acceptance.fates["word"] == 0
    world.key(0, 11, ".join(a)")
    assert world.engine.acceptance.counted() == {
        "shown": 1, "all": 1, "line": 0, "word": 0, "typed": 0, "dismissed": 0
    }  # fmt: skip
