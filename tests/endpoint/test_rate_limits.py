"""Thirty keys in five languages against a service that has too many requests: what leaves, what is told, what ends it."""

import asyncio
import functools
import itertools
import time
from dataclasses import replace

import httpx
import pytest
from faults import KEY, LINE, SAID, TEXT, Endpoint, Loop, later, retry_after, status, well

from fim_lsp.completion.engine import Engine
from fim_lsp.endpoint.connection_pool import Transport
from fim_lsp.endpoint.failures import of_status
from fim_lsp.endpoint.service import Service
from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Document, Place

LANGUAGES = ["python", "go", "rust", "java", "typescript"]
FORMS = [
    functools.partial(time.strftime, "%a, %d %b %Y %H:%M:%S GMT"),
    functools.partial(time.strftime, "%A, %d-%b-%y %H:%M:%S GMT"),
    time.asctime,
]
ASKED = [[], ["0"], ["-5"], ["1e9"], ["soon"], [""], ["0", "-5"]]


def lived(work):
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(work)


async def limited(does, chance=0.1):
    """A service that does so, and somebody who types against it."""
    endpoint = Endpoint(asyncio.get_running_loop())
    endpoint.does = does
    await endpoint.listen()
    return endpoint, Typing(endpoint, chance)


def gaps(times):
    """Seconds between one and the next."""
    return [later - earlier for earlier, later in itertools.pairwise(times)]


class Typing:
    """An engine with a document in each language, and when its requests left."""

    def __init__(self, endpoint, chance):
        self.loop = asyncio.get_running_loop()
        self.times = []
        self.told = []
        self.settings = Settings(base_url=f"http://127.0.0.1:{endpoint.port}", api_key=KEY)
        self.engine = Engine(
            self.settings,
            self._connect,
            clock=self.loop.time,
            random=lambda: chance,
            sleep=asyncio.sleep,
            tell=self.told.append,
        )
        for language in LANGUAGES:
            self.engine.open(Document(f"file:///a.{language}", language, 1, TEXT))

    def _connect(self, settings):
        clocks = {"clock": self.loop.time, "wall": self.loop.wall}
        service = Service(
            settings.base_url, settings.api_key, transport=Transport(settings.base_url, **clocks), **clocks
        )
        whole = service.complete

        def noted(request, *, seconds):
            self.times.append(self.loop.time())
            return whole(request, seconds=seconds)

        service.complete = noted
        return service

    async def key(self, number, text="a"):
        """Press a key in one of the languages; what is offered."""
        uri = f"file:///a.{LANGUAGES[number % len(LANGUAGES)]}"
        document = self.engine.document(uri)
        place = Place(LINE, len(document.lines[LINE]) - 1)
        self.engine.edited(uri, document.change(place, place, text))
        return await self.engine.complete(uri, Place(LINE, place.column + len(text.rstrip())))


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("chance", [0.0, 0.1, 0.9])
def test_thirty_keys_in_five_languages(asked, chance):
    """One message, at most one request a second; and a new key of the service is used at once."""

    async def life():
        endpoint = Endpoint(asyncio.get_running_loop())
        endpoint.does = status(429, *map(retry_after, asked))
        await endpoint.listen()
        typing = Typing(endpoint, chance)
        for number in range(30):
            await typing.key(number)
            typing.loop.idle = True
            await asyncio.sleep(0.25)
            typing.loop.idle = False
        assert [problem.cause for problem in typing.told] == ["busy"]
        assert len(typing.times) >= 2
        assert min(gaps(typing.times)) >= 1.0, typing.times
        endpoint.does = well
        await typing.engine.configure(replace(typing.settings, api_key="sk-another"))
        (offer,) = await typing.key(30)
        assert offer.text == SAID
        await typing.engine.aclose()
        await endpoint.stop()

    lived(life())


def test_what_left_together_fails_as_one():
    """Requests of five documents, under way before the first 429 was known: one message, one rest, one a second then."""

    async def life():
        endpoint, typing = await limited(later(0.2, status(429)), chance=0.9)
        await asyncio.gather(*(typing.key(number) for number in range(5)))
        known = typing.loop.time()
        assert len(typing.times) == 5
        assert typing.engine.backend.endpoints.first.breaker.until <= known + 1.0
        for number in range(25):
            await typing.key(number)
            typing.loop.idle = True
            await asyncio.sleep(0.25)
            typing.loop.idle = False
        after = typing.times[5:]
        assert len(after) >= 3
        assert after[0] >= known + 0.999
        assert min(gaps(after)) >= 1.0, after
        assert [problem.cause for problem in typing.told] == ["busy"]
        await typing.engine.aclose()
        await endpoint.stop()

    lived(life())


def test_an_answer_to_what_left_before_takes_no_limit_back():
    """A 429 is known, and then a request that left before it is answered: for a second nothing leaves all the same."""

    async def life():
        async def does(wire):
            if wire.endpoint.asked % 2:
                return await later(0.1, status(429))(wire)
            return await later(0.4, well)(wire)

        endpoint, typing = await limited(does)
        both = asyncio.gather(typing.key(0), typing.key(1))
        first, second = await both
        assert (first, second[0].text) == ((), SAID)
        known = typing.times[0] + 0.1
        for number in range(2, 8):
            await typing.key(number)
            typing.loop.idle = True
            await asyncio.sleep(0.05)
            typing.loop.idle = False
        assert all(time >= known + 1.0 for time in typing.times[2:]), typing.times
        assert [problem.cause for problem in typing.told] == ["busy"]
        await typing.engine.aclose()
        await endpoint.stop()

    lived(life())


def test_a_trial_that_is_cut_is_not_followed_by_another_at_once():
    """The editor cancels at each key, before the 429 has come: one request a second all the same."""

    async def life():
        endpoint, typing = await limited(status(429))
        await typing.key(0)
        endpoint.does = later(0.5, status(429))
        asked = []
        for _ in range(40):
            typing.loop.idle = True
            await asyncio.sleep(0.2)
            typing.loop.idle = False
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
            asked = [asyncio.ensure_future(typing.key(0))]
            await asyncio.sleep(0.05)
        assert len(typing.times) >= 5
        assert min(gaps(typing.times)) >= 1.0, typing.times
        assert [problem.cause for problem in typing.told] == ["busy"]
        await asyncio.gather(*asked)
        await typing.engine.aclose()
        await endpoint.stop()

    lived(life())


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/St_Johns"])
@pytest.mark.parametrize("ahead", [-86_400, -3600, 0, 7200, 86_400 * 365])
@pytest.mark.parametrize("form", FORMS, ids=["IMF", "RFC 850", "asctime"])
def test_a_date_is_judged_by_the_clock_of_who_wrote_it(monkeypatch, zone, ahead, form):
    """In each of HTTP's three forms, all of them UTC, however wrong this machine's clock and in whatever zone it is."""
    monkeypatch.setenv("TZ", zone)
    if hasattr(time, "tzset"):
        time.tzset()
    try:
        theirs = 1_800_000_000
        spelled = (form(time.gmtime(theirs + more)) for more in (0, 7))
        headers = list(zip(("Date", "Retry-After"), spelled, strict=True))
        answer = httpx.Response(429, headers=headers)
        assert of_status(answer, "host", None, KEY, theirs + ahead).retry_after == 7.0
    finally:
        monkeypatch.undo()
        if hasattr(time, "tzset"):
            time.tzset()


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"Retry-After": "Fri, 15 Jan 2027 08:00:07 GMT"}, 7.0),
        ({"Retry-After": "Fri, 15 Jan 2027 08:00:07 GMT", "Date": "today"}, 7.0),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "Fri, 31 Dec 1999 23:59:50 GMT"}, 9.0),
        ({"Retry-After": "Mon, 01 Jan 2052 00:00:00 GMT", "Date": "Mon, 01 Jan 2052 00:00:07 GMT"}, 0.0),
        ({"Retry-After": "Mon, 01 Jan 2052 00:00:00 GMT"}, 600.0),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0.0),
        ({"Retry-After": "Fri, 99 Foo 2026 08:00:00 GMT"}, None),
        ({"Retry-After": "1e9"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "0"}, 0.0),
    ],
)
def test_every_form_of_a_time(fields, seconds):
    """Seconds, a date, or nothing that is one."""
    answer = httpx.Response(429, headers=fields)
    assert of_status(answer, "host", None, KEY, 1_800_000_000.0).retry_after == seconds
