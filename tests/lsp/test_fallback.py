"""Two endpoints behind a real server: the first is killed and brought back while somebody types."""

import asyncio

import pytest
from endpoint import Endpoint
from lsp import Client

URI = "file:///project/a.py"
STATUS = {"command": "fimLsp.status"}


@pytest.fixture
async def second():
    made = await Endpoint().start()
    made.says = "second\n"
    yield made
    await made.stop()


@pytest.fixture
async def typist(tmp_path, endpoint, second):
    """Begin a session in which the second endpoint stands behind the first."""
    clients = []

    async def begin(entry=None, environ=None, **options):
        client = await Client().start(
            tmp_path, DEEPSEEK_API_KEY="sk-first", TEAM_KEY="sk-team", **(environ or {})
        )
        clients.append(client)
        own = {"baseUrl": second.url, "model": "qwen", "apiKeyEnv": "TEAM_KEY", **(entry or {})}
        await client.initialize({"baseUrl": endpoint.url, "debounceMs": 0, "fallback": [own], **options})
        client.open(URI, "".join(f"x{n:03} = \n" for n in range(200)))
        return client

    endpoint.says = "first\n"
    yield begin
    for client in clients:
        await client.kill()


async def stops(client, lines):
    """A person strikes a key, and stops at the end of each of these lines; what is offered at each."""
    found = []
    for line in lines:
        client.type(URI, 200, 0, "y")
        found.append((await client.texts(URI, line, 7) or [""])[0])
    return found


async def test_killed_and_brought_back_under_typing(typist, endpoint, second):
    """At most one stop without a suggestion each way, one message each way, and the key of each goes to it alone."""
    client = await typist()
    assert set(await stops(client, range(5))) == {"first"}
    await endpoint.stop()
    found = await stops(client, range(5, 25))
    assert found.count("") <= 1
    assert set(found[1:]) == {"second"}
    status = await client.call("workspace/executeCommand", STATUS)
    assert (status["state"], status["model"]) == ("ready", "qwen")
    assert status["message"] == client.messages()[0].removeprefix("fim-lsp: ")
    assert status["baseUrl"] == endpoint.url  # where a key that is typed in is tried
    again = await Endpoint().start(int(endpoint.url.rsplit(":", 1)[1]))
    again.says = "first\n"
    line, found = 25, []
    async with asyncio.timeout(60):
        while "first" not in found:
            found += await stops(client, [line])
            line += 1
            await asyncio.sleep(0.05)
    found += await stops(client, range(line, line + 5))
    assert found.count("") <= 1
    assert set(found[found.index("first") :]) == {"first"}
    first, other = endpoint.url.removeprefix("http://"), second.url.removeprefix("http://")
    assert client.messages() == [
        f"fim-lsp: {first} rests, since it is not reached: {other} answers in its place until it is well.",
        f"fim-lsp: {first} is well again, and answers.",
    ]
    assert {*endpoint.keys, *again.keys} == {"Bearer sk-first"}
    assert set(second.keys) == {"Bearer sk-team"}
    await again.stop()


async def test_the_first_is_down_at_start(typist, endpoint, second):
    """Nobody waits for it, and the record says which model was paid."""
    await endpoint.stop()
    client = await typist()
    assert await stops(client, range(3)) == ["second"] * 3
    assert len(client.messages()) == 1
    usage = {"command": "fimLsp.usage", "arguments": [{"by": "model", "days": 1}]}
    async with asyncio.timeout(10):
        while not (told := await client.call("workspace/executeCommand", usage)).get("groups"):
            await asyncio.sleep(0.02)
    assert {group["name"] for group in told["groups"] if group["requests"] and group["promptTokens"]} == {
        "qwen"
    }


async def test_one_that_is_busy_for_a_while(typist, endpoint, second):
    """429 with Retry-After: it is left alone for that long, and nobody notices."""
    client = await typist()
    endpoint.fault, endpoint.headers = 429, {"Retry-After": "600"}
    assert await stops(client, range(10)) == ["second"] * 10
    assert len(endpoint.bodies) == 1
    assert len(client.messages()) == 1


async def test_a_refused_key_moves_no_text(typist, endpoint, second):
    """401 and 402 are the reader's; nothing goes to the other endpoint without their word."""
    client = await typist()
    for fault in (401, 402):
        endpoint.fault = fault
        assert await client.texts(URI, 0, 7, explicit=True) == []
    assert second.connections == 0
    client = await typist({"evenIfRefused": True})
    assert await stops(client, range(3)) == ["second"] * 3


async def test_what_is_never_sent_is_sent_to_none(typist, endpoint, second):
    """Neither an excluded file nor a secret goes to the other endpoint."""
    client = await typist(exclude=["own/**"])
    endpoint.fault = 503
    token = "ghp_" + "a1B2c3D4e5" * 3 + "F6a7b8"
    client.open("file:///project/own/b.py", "x = \n")
    client.open("file:///project/.env", "TOKEN=\n")
    client.open("file:///project/c.py", f'token = "{token}"\nx = \n')
    for uri, line in (
        ("file:///project/own/b.py", 0),
        ("file:///project/.env", 0),
        ("file:///project/c.py", 1),
    ):
        await client.texts(uri, line, 4, explicit=True)
    assert len(second.bodies) >= 1
    assert all(token not in str(body) and "c.py" in str(body) for body in second.bodies)


async def test_headers_go_along_and_their_values_are_never_shown(typist, endpoint, second):
    """To the endpoint that they are set for, each its own; a failing one quotes them back in vain."""
    client = await typist(
        {"headers": {"X-Lab": "lab-SECRET"}, "affinityHeader": "X-Lab-Session"},
        headers={"X-Team": "team-SECRET", "User-Agent": "agent-SECRET"},
        affinityHeader="X-Session",
    )
    await stops(client, range(2))
    endpoint.fault, endpoint.headers = 302, {"Location": "https://team-secret.example/x"}
    await stops(client, [2])
    endpoint.fault = 503
    await client.texts(URI, 3, 7, explicit=True)
    for head in endpoint.heads:
        assert (head["x-team"], head["user-agent"]) == ("team-SECRET", "agent-SECRET")
        assert "x-lab" not in head
    assert len({head["x-session"] for head in endpoint.heads}) == 1
    assert {head["x-lab"] for head in second.heads} == {"lab-SECRET"}
    assert all("x-team" not in head and "x-session" not in head for head in second.heads)
    explained = await client.call(
        "workspace/executeCommand",
        {"command": "fimLsp.explain", "arguments": [{"uri": URI, "position": {"line": 4, "character": 7}}]},
    )
    status = await client.call("workspace/executeCommand", STATUS)
    await client.stop()
    shown = str(explained) + str(status) + str(client.messages()) + client.stderr.decode()
    assert "secret" not in shown.lower()


async def test_the_affinitys_value_is_the_same_after_a_restart(typist, endpoint):
    """For the same workspace, and it holds nothing of its path."""
    for _ in range(2):
        client = await typist(affinityHeader="X-Session")
        await stops(client, [0])
        await client.stop()
    assert len({head["x-session"] for head in endpoint.heads}) == 1
    assert len(endpoint.heads) == 2
