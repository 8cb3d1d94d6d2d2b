"""Thirty keys in five languages against a service that has too many requests: what leaves, what is told, what ends it."""

import asyncio
from dataclasses import replace

import pytest
from faults import KEY, LINE, SAID, TEXT, Endpoint, Loop, retry_after, status, well

from fim_lsp.completion.engine import Engine
from fim_lsp.endpoint.connection_pool import Transport
from fim_lsp.endpoint.service import Service
from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Document, Place

LANGUAGES = ["python", "go", "rust", "java", "typescript"]
ASKED = [[], ["0"], ["-5"], ["1e9"], ["soon"], [""], ["0", "-5"]]


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

    async def key(self, number):
        """Press a key in one of the languages; what is offered."""
        uri = f"file:///a.{LANGUAGES[number % len(LANGUAGES)]}"
        document = self.engine.document(uri)
        place = Place(LINE, len(document.lines[LINE]) - 1)
        self.engine.edited(uri, document.change(place, place, "a"))
        return await self.engine.complete(uri, Place(LINE, place.column + 1))


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("chance", [0.0, 0.1, 0.9])
def test_thirty_keys_in_five_languages(asked, chance):
    """One message, at most one request a second; and a new key of the service is used at once."""

    async def lived():
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
        gaps = [later - earlier for earlier, later in zip(typing.times, typing.times[1:], strict=False)]
        assert min(gaps) >= 1.0, gaps
        endpoint.does = well
        await typing.engine.configure(replace(typing.settings, api_key="sk-another"))
        (offer,) = await typing.key(30)
        assert offer.text == SAID
        await typing.engine.aclose()
        await endpoint.stop()

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(lived())
