"""Endpoints that are asked while the first one rests: who is asked when, what is told, and what never happens."""

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from world import URI, Reply

from fim_lsp.completion.engine import Engine
from fim_lsp.completion.problems import QUIET
from fim_lsp.endpoint.breaker import REFUSED_LONGEST
from fim_lsp.endpoint.request import Refused, Unavailable, Usage
from fim_lsp.settings.settings import Settings, merged
from fim_lsp.text.document import Document, Place

FIRST, SECOND, THIRD = "http://first.example", "http://127.0.0.1:8080", "http://third.example"
BUSY = Unavailable("first.example has too many requests at once (429): asking again later.", "busy")
LOST = Unavailable("first.example cannot be reached: check the network and baseUrl.", "network")
SLOW = Unavailable("first.example took too long: asking again later.", "deadline")
KEY = Refused("first.example does not accept the API key (401): check apiKey.", "key")
EMPTY = Refused("The balance of the account at first.example is used up (402): top it up.", "balance")
MODEL = Refused('first.example knows no model "x" at this address (404): check model and baseUrl.', "model")
CUT = Unavailable("The connection to first.example broke off.", "network", alone=True)


class Asked:
    """One endpoint: it says its text, or fails with `error`; `takes` are seconds of the world's clock."""

    def __init__(self, world, settings):
        self.world = world
        self.settings = settings
        self.error = None
        self.says = "1\n"
        self.takes = 0.0
        self.gate = None
        self.requests = []
        self.cut = 0
        self.closed = False

    @asynccontextmanager
    async def complete(self, request, *, seconds):
        self.requests.append(request)
        self.world.now += min(self.takes, seconds)
        if self.gate is not None:
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cut += 1
                raise
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        yield Reply(self.says, Usage(10, 0, 1))

    async def meet(self):
        return None

    def shown(self, request):
        return {"url": self.settings.base_url, "model": request.model}

    async def warm(self):
        pass

    async def aclose(self):
        self.closed = True


class Several:
    """An engine with a first endpoint and fallbacks, a clock that stands still, and what it told."""

    def __init__(self, *entries, **chosen):
        self.now = 0.0
        self.asked = {}
        self.told = []
        settings, wrong = merged(
            [("here", {"baseUrl": FIRST, "debounceMs": 0, "fallback": list(entries), **chosen})]
        )
        assert wrong == []
        self.engine = Engine(
            settings,
            self.connect,
            clock=lambda: self.now,
            random=lambda: 1.0,
            sleep=self.sleep,
            tell=lambda problem: self.told.append(problem.message),
        )
        self.engine.open(Document(URI, "python", 1, "".join(f"x{n:03} = \n" for n in range(200))))
        for one in settings.endpoints():
            self.connect(one)
        self.line = 0

    def connect(self, settings):
        made = self.asked.get(settings.base_url + settings.model)
        if made is None:
            made = self.asked[settings.base_url + settings.model] = Asked(self, settings)
        return made

    def __getitem__(self, number):
        return list(self.asked.values())[number]

    async def sleep(self, seconds):
        self.now += seconds
        await asyncio.sleep(0)

    def key(self):
        """A key is struck far away: without one, only a few places are asked about."""
        end = Place(199, 0)
        self.engine.edited(URI, self.engine.document(URI).change(end, end, "y"))

    async def stop(self, *, explicit=False):
        """A person stops at a place where nothing is known; the texts that are offered."""
        self.line += 1
        self.key()
        offers = await self.engine.complete(URI, Place(self.line, 7), explicit=explicit)
        await self.engine.backend.settled()
        return [offer.text for offer in offers or ()]

    def counts(self):
        return [len(one.requests) for one in self.asked.values()]


@pytest.fixture
async def several():
    made = []

    def make(*entries, **chosen):
        made.append(Several(*(entries or ({"baseUrl": SECOND, "model": "qwen"},)), **chosen))
        return made[-1]

    yield make
    for one in made:
        await one.engine.aclose()


TOOK_OVER = "first.example rests, since {}: 127.0.0.1:8080 answers in its place until it is well."
BACK = "first.example is well again, and answers."


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (BUSY, "it has too many requests"),
        (LOST, "it is not reached"),
        (Unavailable("first.example has a fault of its own (500).", "down"), "it has a fault of its own"),
        (Unavailable("No completion.", "garbage"), "it answers with no completions"),
    ],
)
async def test_the_next_one_answers_the_same_stop(several, error, why):
    """Nobody waits for another key; one message each way, and the status says it as long as it lasts."""
    world = several()
    world[0].error, world[1].says = error, "2\n"
    assert await world.stop() == ["2"]
    assert world.told == [TOOK_OVER.format(why)]
    backend = world.engine.backend
    assert (backend.endpoints.standing(), world.engine.state) == (world.told[0], "ready")
    world[0].error = None
    world.now += 61
    for _ in range(3):
        assert await world.stop()
    assert world.told == [TOOK_OVER.format(why), BACK]
    assert backend.endpoints.standing() == ""
    assert world[0].requests[-1].model == "deepseek-flash"
    assert world[1].requests[-1].model == "qwen"


async def test_the_first_is_tried_beside_and_nobody_waits_for_it(several):
    """Its rest over, it is asked for one token; it takes its ten seconds, while the other one has answered."""
    world = several()
    world[0].error, world[1].says = LOST, "2\n"
    assert await world.stop() == ["2"]
    world.now += 5
    world[0].gate = asyncio.Event()
    world.line += 1
    offers = await world.engine.complete(URI, Place(world.line, 7))
    assert [offer.text for offer in offers] == ["2"]
    assert [request.max_tokens for request in world[0].requests][1:] == [1]
    for _ in range(3):  # no second trial while one is under way
        world.line += 1
        world.key()
        assert [offer.text for offer in await world.engine.complete(URI, Place(world.line, 7))] == ["2"]
    assert world.counts() == [2, 5]
    world[0].error, world[0].says = None, "1\n"
    world[0].gate.set()
    await world.engine.backend.settled()
    assert await world.stop() == ["1"]
    assert world.told[1:] == [BACK]


async def test_a_rest_that_the_service_asks_for_is_kept(several):
    """Retry-After: not one request to it before, although the other one is asked at every stop."""
    world = several()
    world[0].error = Unavailable("first.example is busy (429).", "busy", retry_after=90.0)
    for _ in range(9):
        await world.stop()
        world.now += 9.9
    assert world.counts() == [1, 9]
    world[0].error = None
    world.now += 1
    await world.stop()
    await world.stop()
    assert world.counts() == [3, 10]


@pytest.mark.parametrize("error", [KEY, EMPTY])
async def test_a_refused_key_and_an_empty_account_are_not_passed_over(several, error):
    """What the reader must mend is said, and nothing goes elsewhere."""
    world = several()
    world[0].error = error
    assert await world.stop() == []
    assert await world.stop(explicit=True) == []
    assert world.counts()[1] == 0
    assert world.told == [error.message]
    assert world.engine.state == "error"


@pytest.mark.parametrize("error", [KEY, EMPTY])
async def test_unless_the_user_says_so(several, error):
    """In the entry itself; the first is tried again when its rest is over."""
    world = several({"baseUrl": THIRD}, {"baseUrl": SECOND, "model": "qwen", "evenIfRefused": True})
    world[0].error, world[2].says = error, "2\n"
    assert await world.stop() == ["2"]
    assert world.counts() == [1, 0, 1]
    (said,) = world.told
    assert "127.0.0.1:8080 answers in its place" in said
    world[0].error = None
    world.now += REFUSED_LONGEST + 1
    await world.stop()
    assert await world.stop() == ["1"]


async def test_a_wrong_model_or_parameter_is_not_passed_over(several):
    """Whatever the entry says: it would hide a slip in the settings for good."""
    world = several({"baseUrl": SECOND, "evenIfRefused": True})
    world[0].error = MODEL
    assert await world.stop() == []
    assert world.counts() == [1, 0]
    assert world.told == [MODEL.message]


async def test_an_answer_that_broke_off_is_no_rest(several):
    """Nothing is known to be wrong with the next request: no other endpoint is asked."""
    world = several()
    world[0].error = CUT
    assert await world.stop() == []
    world[0].error = None
    assert await world.stop() == ["1"]
    assert world.counts() == [2, 0]


async def test_all_of_them_down(several):
    """One message, no storm of requests; an explicit ask tries all; the first that is well again is back."""
    world = several({"baseUrl": SECOND, "model": "qwen"}, {"baseUrl": THIRD, "model": "m"})
    for number in range(3):
        world[number].error = Unavailable("It cannot be reached.", "network")
    assert await world.stop() == []
    assert world.counts() == [1, 1, 1]
    assert world.told == ["It cannot be reached. Nor does third.example answer (network)."]
    assert world.engine.state == "error"
    for _ in range(20):
        await world.stop()
    assert world.counts() == [1, 1, 1]
    await world.stop(explicit=True)
    assert world.counts() == [2, 2, 2]
    assert len(world.told) == 1
    world[1].error = None
    world.now += 61
    assert await world.stop() == ["1"]
    assert (world.engine.state, len(world.told)) == ("ready", 2)
    world[0].error = None
    world.now += 61
    await world.stop()
    assert world.told[-1] == BACK


async def test_a_first_that_hangs_costs_one_stop(several):
    """It takes all the time that a completion has; from the next stop on the other one answers, also at each trial."""
    world = several()
    world[0].error, world[0].takes, world[1].says = SLOW, 60.0, "2\n"
    assert await world.stop() == []
    empty = 0
    for _ in range(30):
        world.now += 10
        empty += not await world.stop()
    assert empty == 0
    assert [request.max_tokens for request in world[0].requests[1:]] == [1] * (len(world[0].requests) - 1)
    assert len(world[0].requests) > 3


async def test_what_flickers_is_not_told_each_time(several):
    """A service that is busy every minute is told of once in ten, each way; the status follows."""
    world = several()
    for _ in range(8):
        world[0].error = BUSY
        await world.stop()
        assert world.engine.backend.endpoints.standing()
        world[0].error = None
        world.now += 61
        await world.stop()
        assert not world.engine.backend.endpoints.standing()
    assert world.told == [TOOK_OVER.format("it has too many requests"), BACK]
    world.now += QUIET
    world[0].error = BUSY
    await world.stop()
    assert len(world.told) == 3


async def test_a_cancel_while_the_other_one_is_asked(several):
    """Its stream is closed, and the next stop has its answer."""
    world = several()
    world[0].error, world[1].says = LOST, "2\n"
    world[1].gate = asyncio.Event()
    ask = asyncio.create_task(world.engine.complete(URI, Place(1, 7)))
    while not world[1].requests:
        await asyncio.sleep(0)
    ask.cancel()
    await asyncio.gather(ask, return_exceptions=True)
    while not world[1].cut:
        await asyncio.sleep(0)
    world[1].gate.set()
    assert await world.stop() == ["2"]
    assert world.told == [TOOK_OVER.format("it is not reached")]


async def test_prompts_begin_for_each_with_what_it_has_seen(several):
    """What the first was sent last is the beginning of what it is sent when it is back, and so for the other."""
    world = several()
    for switch in range(6):
        world[0].error = LOST if switch % 2 else None
        world.now += 61
        for key in "abcd":
            document = world.engine.document(URI)
            column = len(document.lines[0].rstrip("\n"))
            world.engine.edited(URI, document.change(Place(0, column), Place(0, column), key + " "))
            await world.engine.complete(URI, Place(0, column + 2))
            await world.engine.backend.settled()
    for number in range(2):
        sent = [request.prefix for request in world[number].requests]
        assert len(sent) > 8
        assert all(later.startswith(earlier) for earlier, later in pairwise(sent))


async def test_an_answer_of_the_other_one_is_kept_as_any(several):
    """It is offered again at its place without a request, also when the first is well."""
    world = several()
    world[0].error, world[1].says = LOST, "2\n"
    assert await world.stop() == ["2"]
    world[0].error = None
    world.now += 61
    await world.stop()
    asked = world.counts()
    world.line = 0
    assert await world.stop() == ["2"]
    assert world.counts() == asked


async def test_other_settings_close_what_is_asked_no_longer(several):
    """And an endpoint that stays the same keeps its client."""
    world = several()
    await world.stop()
    chosen, _ = merged(
        [("here", {"baseUrl": FIRST, "fallback": [{"baseUrl": SECOND, "model": "qwen"}], "maxTokens": 9})]
    )
    await world.engine.configure(chosen)
    assert not world[0].closed
    await world.engine.configure(Settings(base_url=FIRST))
    assert world[0].closed
    world[0].error = LOST
    assert await world.stop() == []


async def test_an_entry_like_the_first_is_left_out(several):
    """It would be asked for the same right after it has failed."""
    world = several({"baseUrl": f"{FIRST}/v1/"}, {"baseUrl": FIRST, "model": "other"}, apiKey="sk-own")
    world[0].error = BUSY
    await world.stop()
    assert [one.settings.model for one in world.asked.values()] == ["deepseek-flash", "other"]
    assert [one.settings.api_key for one in world.asked.values()] == ["sk-own", "sk-own"]
    assert world.told == [
        "deepseek-flash rests, since it has too many requests: other answers in its place until it is well."
    ]


async def test_the_first_ones_key_goes_to_no_other(several):
    """Nor its headers: an entry has what it names."""
    world = several(apiKey="sk-own", headers={"X-Team": "blue"}, affinityHeader="X-Session")
    second = world[1].settings
    assert (second.api_key, second.headers, second.affinity_header) == (None, {}, None)


async def test_explain_shows_who_is_asked(several):
    """Where to, with which model, the headers' names, and who else may be."""
    world = several(headers={"X-Team": "SECRET"}, affinityHeader="X-Session")
    found = world.engine.explain(URI, Place(1, 7))
    assert (found["url"], found["headers"]) == (FIRST, ["X-Session", "X-Team"])
    assert found["otherwise"] == [{"url": SECOND, "model": "qwen"}]
    assert "SECRET" not in str(found)
    world[0].error = LOST
    await world.stop()
    found = world.engine.explain(URI, Place(1, 7))
    assert (found["url"], found["model"]) == (SECOND, "qwen")
    assert found["otherwise"] == [{"url": FIRST, "model": "deepseek-flash"}]
