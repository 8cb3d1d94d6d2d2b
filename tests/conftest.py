"""What the tests share: a scripted endpoint, a client with a real server process, an engine in a world of its own."""

import pytest
from endpoint import Endpoint
from hypothesis import settings
from lsp import Client
from world import URI, World
from xdist.scheduler import LoadScopeScheduling

from fim_lsp.text.document import Document

settings.register_profile("fim_lsp", deadline=None)  # a test never measures speed
settings.load_profile("fim_lsp")


def pytest_xdist_make_scheduler(config, log):
    """Where two processes share the tests (`-n 2`), those of a file stay together."""
    return Files(config, log)


class Files(LoadScopeScheduling):
    """Whole files to each; to one, all that pack VS Code's extension in its folder, and that look at all that is here."""

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return "tests" if file.count("/") == 1 or "/test_vs" in file else file


@pytest.fixture
async def endpoint():
    made = await Endpoint().start()
    yield made
    await made.stop()


@pytest.fixture
async def world():
    """An engine with one document open, and nothing real beneath it."""
    made = World()
    made.engine.open(Document(URI, "python", 1, "x = \n\n"))
    yield made
    await made.engine.aclose()


@pytest.fixture
async def start(tmp_path, endpoint):
    """Start a server that talks to the endpoint; its client, initialized."""
    clients = []

    async def begin(options=None, *arguments, key="sk-test", **more):
        environ = {"DEEPSEEK_API_KEY": key} if key else {}
        client = await Client().start(tmp_path, *arguments, **environ)
        clients.append(client)
        options = {"baseUrl": endpoint.url, "debounceMs": 0, **(options or {})}
        await client.initialize(options, **more)
        return client

    yield begin
    for client in clients:
        await client.kill()
