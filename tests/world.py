"""An engine in a world of its own: a clock that stands still unless it is moved, a service that says what it is told."""

import asyncio
from contextlib import asynccontextmanager

from fim_lsp.completion.engine import Engine
from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Place

URI = "file:///a.py"


class Reply:
    """One piece, and then the bill, if there is to be one."""

    finish_reason = None

    def __init__(self, text, bill):
        self.usage = None
        self._bill = bill
        self._pieces = iter([text])

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return next(self._pieces)
        except StopIteration:
            self.usage = self._bill
            raise StopAsyncIteration from None


class Service:
    """Answers at once with what it is told."""

    def __init__(self):
        self.says = "1\n"
        self.usage = None
        self.stalls = False
        self.under_way = 0
        self.found = None
        self.warmed = 0
        self.requests = []

    @asynccontextmanager
    async def complete(self, request, *, seconds):
        self.requests.append(request)
        self.under_way += 1
        try:
            if self.stalls:
                await asyncio.Event().wait()
            yield Reply(self.says, self.usage)
        finally:
            self.under_way -= 1

    async def warm(self):
        self.warmed += 1

    async def meet(self):
        return self.found

    def shown(self, request):
        return {"url": "http://world.invalid", "model": request.model}

    async def aclose(self):
        pass


class World:
    """The engine, its service and its clock."""

    uri = URI

    def __init__(self):
        self.now = 0.0
        self.service = Service()
        self.connected = lambda settings: None  # hears of each new client
        self.engine = Engine(
            Settings(),
            self.connect,
            clock=lambda: self.now,
            random=lambda: 0.5,
            sleep=self.sleep,
        )

    def connect(self, settings):
        self.connected(settings)
        return self.service

    async def sleep(self, seconds):
        self.now += seconds
        await asyncio.sleep(0)

    def key(self, line, column, text):
        document = self.engine.document(URI)
        self.engine.edited(URI, document.change(Place(line, column), Place(line, column), text))
