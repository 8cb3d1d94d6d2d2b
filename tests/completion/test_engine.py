"""The engine with a clock that stands still unless it is moved."""

import asyncio

from world import URI

from fim_lsp.completion import debounce
from fim_lsp.completion.engine import PAUSE
from fim_lsp.endpoint.request import Usage
from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Document, Place


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
    assert world.engine.backend.counts.requests == world.engine.backend.counts.prompt_tokens == 0


async def test_a_menus_entry_and_what_follows_it(world):
    """The ghost text behind a selected entry counts as taken only where ours is."""
    from fim_lsp.completion.selected import Selected

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


async def test_what_follows_a_text_is_asked_for_before_it_is_typed_out(world):
    """With three characters left; the answer is there when the last one is typed."""
    world.service.says = "abcdef\n"
    assert [offer.text for offer in await world.engine.complete(URI, Place(0, 4))] == ["abcdef"]
    world.service.says = "(g)\n"
    for n, key in enumerate("abcdef"):
        world.key(0, 4 + n, key)
        await world.engine.complete(URI, Place(0, 5 + n))
        await asyncio.sleep(0)
        assert len(world.service.requests) == (1 if n < 2 else 2)
    offers = await world.engine.complete(URI, Place(0, 10))
    assert [offer.text for offer in offers] == ["(g)"]
    assert len(world.service.requests) == 2
    assert world.service.requests[1].prefix.endswith("x = abcdef")


async def test_what_was_asked_for_ahead_is_cut_when_something_else_is_typed(world):
    """The stream for a place that will not come is closed."""
    world.service.says = "abcd\n"
    await world.engine.complete(URI, Place(0, 4))
    world.service.stalls = True
    world.key(0, 4, "a")
    await world.engine.complete(URI, Place(0, 5))
    await asyncio.sleep(0)
    assert (len(world.service.requests), world.service.under_way) == (2, 1)
    world.key(0, 5, "?")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert world.service.under_way == 0


async def test_the_bill_behind_a_complete_text_is_waited_for(world):
    """The answer is given at once; where the model ends there too, the count is the service's own."""
    world.service.says = "1\n"
    world.service.usage = Usage(prompt_tokens=50, cache_hit_tokens=20, completion_tokens=2)
    await world.engine.complete(URI, Place(0, 4))
    await world.engine.backend.settled()
    counts = world.engine.backend.counts
    assert (counts.prompt_tokens, counts.cache_hit_tokens, counts.completion_tokens) == (50, 20, 2)
    assert world.service.under_way == 0


async def test_a_stream_that_says_more_is_not_waited_for(world):
    """Its count is an estimate."""
    world.service.says = "1\nmore\n"
    world.service.usage = Usage(prompt_tokens=50, cache_hit_tokens=20, completion_tokens=2)
    await world.engine.complete(URI, Place(0, 4))
    assert world.service.under_way == 0
    assert world.engine.backend.counts.prompt_tokens not in {0, 50}


class Ledger:
    """A record that keeps what it is told."""

    def __init__(self):
        self.at_peak = False
        self.rows = []

    def allows(self):
        return True

    def over(self):
        return None

    def peak(self, model=None):
        return self.at_peak

    async def reserve(self, model, prompt, max_tokens):
        return len(self.rows)

    def ended(self, number, uri, **what):
        self.rows.append((number, uri, what))
        return len(self.rows)


async def test_peak_hours_can_mean_fewer_requests(world):
    """Where the user wants it, a key is followed by a longer wait while the service charges more."""
    world.engine.backend.ledger = Ledger()
    await world.engine.configure(Settings(spare_peak_hours=True))
    await world.engine.complete(URI, Place(0, 4))
    assert world.now == 0.0
    world.engine.backend.ledger.at_peak = True
    world.key(0, 4, "a")
    await world.engine.complete(URI, Place(0, 5))
    assert world.now == debounce.SPARE
    assert [uri for _, uri, _ in world.engine.backend.ledger.rows] == [URI, URI]


async def test_a_passage_that_begins_within_a_docstring(world):
    """A prompt shows a part of a file; what the cursor is in is told from all of it."""
    text = '"""What it is for.\n' + "So much is said of it.\n" * 150 + '"""\n\n\ndef f(a):\n    '
    world.engine.open(Document("file:///b.py", "python", 0, text + "\n\n\nf(1)\n"))
    world.service.says = "return g(a)\n\n\ndef g(a):\n    return a\n"
    place = Place(text.count("\n"), 4)
    assert [offer.text for offer in await world.engine.complete("file:///b.py", place)] == ["return g(a)"]
