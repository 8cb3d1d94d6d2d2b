"""What the user allows holds for every request that reaches the endpoint, whoever asks and however many servers there are."""

import asyncio
import sqlite3
import stat

import pytest

from fim_lsp.usage import store

FLAT = (
    'name = "flat"\nread = 2026-11-20\n[[prices]]\nmodel = "deepseek-flash"\nhit = 1\nmiss = 1\noutput = 0\n'
)
ONE = 0.0001  # dollars of a request that the endpoint bills 100 tokens for


@pytest.fixture
def flat(tmp_path):
    """A price that is the same at every hour, for hits as well."""
    folder = tmp_path / ".config" / "fim-lsp"
    folder.mkdir(parents=True)
    (folder / "prices.toml").write_text(FLAT)


def record(home):
    return home / ".local" / "state" / "fim-lsp" / store.FILE


def rows(home, sql="SELECT count(*) FROM rows WHERE ended != 'local'"):
    with store.reading(record(home)) as db:
        return db.execute(sql).fetchall()


def documents(client, number):
    uris = [f"file:///p/{n}.py" for n in range(number)]
    for n, uri in enumerate(uris):
        client.open(uri, f"x{n} =\n")
        client.type(uri, 0, len(f"x{n} ="), " ")
    return uris


async def at_once(client, number, **how):
    """An ask in each of so many documents, without waiting for one another."""
    asked = [client.inline(uri, 0, 4, **how) for uri in documents(client, number)]
    async with asyncio.timeout(20):
        return [answer for answer in await asyncio.gather(*asked) if answer["result"]]


async def in_turn(client, number):
    """The same, each after the last is answered."""
    for uri in documents(client, number):
        await client.texts(uri, 0, 4)


async def test_candidates_count_as_requests(start, endpoint):
    """An explicit ask that could be three requests is as many as are allowed, and still answered."""
    client = await start({"requestsPerMinute": 1})
    client.open("file:///a.py", "x = ")
    assert await client.texts("file:///a.py", 0, 4, explicit=True) == ["None"]
    assert len(endpoint.bodies) == 1
    client = await start({"requestsPerMinute": 4})
    await at_once(client, 3, explicit=True)
    assert len(endpoint.bodies) == 4


async def test_documents_at_once_are_as_many_requests_as_are_allowed(start, endpoint):
    """Of forty five are answered; the user is told once."""
    client = await start({"requestsPerMinute": 5})
    assert len(await at_once(client, 40)) == 5
    assert len(endpoint.bodies) == 5
    assert ["5 requests a minute" in message for message in client.messages()] == [True]


async def test_servers_that_share_the_record_share_the_requests_a_minute(start, endpoint):
    """Asked of both at once, and of a third after the first two have ended."""
    one, two = await start({"requestsPerMinute": 3}), await start({"requestsPerMinute": 3})
    await asyncio.gather(at_once(one, 10), at_once(two, 10, explicit=True))
    assert len(endpoint.bodies) == 3
    assert [await one.stop(), await two.stop()] == [0, 0]
    await at_once(await start({"requestsPerMinute": 3}), 3)
    assert len(endpoint.bodies) == 3


@pytest.mark.usefixtures("flat")
async def test_a_budget_is_used_to_its_end_and_no_further(start, endpoint):
    """One ask after the other: eight fit, eight are sent."""
    client = await start({"dailyBudget": 8 * ONE})
    await in_turn(client, 20)
    assert len(endpoint.bodies) == 8
    assert [message for message in client.messages() if "budget of" in message and "paused" in message]


@pytest.mark.usefixtures("flat")
@pytest.mark.parametrize("explicit", [False, True])
async def test_a_budget_holds_for_documents_at_once(start, endpoint, explicit):
    """Each reserves what it may cost; some are sent all the same."""
    client = await start({"dailyBudget": 8 * ONE})
    await at_once(client, 40, explicit=explicit)
    assert 2 <= len(endpoint.bodies) <= 8
    await in_turn(client, 40)
    assert len(endpoint.bodies) == 8


@pytest.mark.usefixtures("flat")
async def test_a_budget_holds_for_servers_at_once(start, endpoint):
    """Three of them, whose asks overlap; none waits for a minute to see what the others spend."""
    clients = [await start({"monthlyBudget": 8 * ONE}) for _ in range(3)]
    await asyncio.gather(*(at_once(client, 10) for client in clients))
    await asyncio.gather(*(in_turn(client, 20) for client in clients))
    assert len(endpoint.bodies) == 8


@pytest.mark.usefixtures("flat")
@pytest.mark.parametrize("bill", [
    {"prompt_cache_hit_tokens": 10**6}, {"prompt_tokens": 10**24}, {"prompt_tokens": -5}, {"prompt_tokens": 1.5},
    {"prompt_tokens": "100"}, {"completion_tokens": 10**24}, {"prompt_cache_hit_tokens": -(10**9)},
])  # fmt: skip
async def test_a_senseless_bill_lowers_nothing_and_stops_nothing(start, endpoint, tmp_path, bill):
    """It counts for at most what the request can have cost, its row is stored, and the log says so."""
    endpoint.bill = bill
    client = await start({"dailyBudget": 1})
    await in_turn(client, 3)
    assert await client.stop() == 0
    assert rows(tmp_path) == [(3,)]
    ((least, most),) = rows(tmp_path, "SELECT min(pico), max(pico) FROM rows")
    assert 0 < least <= most < 300 * 10**6
    assert b"bill" in client.stderr


async def test_a_model_without_a_price_counts_at_the_dearest(start, endpoint):
    """It is said once; a budget that the dearest would use up stops it."""
    client = await start({"model": "other-model", "dailyBudget": 0.001})
    await in_turn(client, 60)
    assert 3 <= len(endpoint.bodies) < 20
    assert ["other-model" in message for message in client.messages()].count(True) == 1


@pytest.mark.usefixtures("flat")
@pytest.mark.parametrize("broken", ["file", "newer"])
async def test_a_budget_holds_where_the_record_cannot_be_kept(start, endpoint, tmp_path, broken):
    """Over what this server knows of itself."""
    folder = record(tmp_path).parent
    folder.parent.mkdir(parents=True)
    if broken == "file":
        folder.write_text("")
    else:
        folder.mkdir()
        newer = sqlite3.connect(record(tmp_path))
        newer.execute("PRAGMA user_version = 99")
        newer.close()
    client = await start({"dailyBudget": 8 * ONE, "requestsPerMinute": 100})
    await at_once(client, 40)
    assert len(endpoint.bodies) <= 8
    await in_turn(client, 20)
    assert len(endpoint.bodies) == 8


@pytest.mark.parametrize("pause", [0.0, 0.05])
async def test_the_first_asks_are_in_the_record(start, endpoint, tmp_path, pause):
    """Also where the server ends at once after."""
    client = await start()
    await asyncio.sleep(pause)
    client.open("file:///a.py", "x = \n")
    assert await client.texts("file:///a.py", 0, 4) == ["None"]
    assert await client.stop() == 0
    assert rows(tmp_path, "SELECT ended, hit, missed, out, shown FROM rows") == [("done", 64, 36, 2, 4)]
    assert len(endpoint.bodies) == 1


async def test_an_ask_that_is_under_way_at_the_end_is_in_the_record(start, endpoint, tmp_path):
    """Nothing has come of it yet."""
    endpoint.fault = "stall"
    client = await start()
    client.open("file:///a.py", "x = \n")
    answer = client.inline("file:///a.py", 0, 4)
    await client.until(lambda: endpoint.bodies)
    assert await client.stop() == 0
    answer.cancel()
    assert rows(tmp_path, "SELECT ended FROM rows") == [("cut",)]


async def test_the_record_is_the_users_alone(start, tmp_path):
    """Also one that was there before, open to others."""
    folder = record(tmp_path).parent
    folder.mkdir(parents=True, mode=0o755)
    folder.chmod(0o755)
    store.Store(record(tmp_path)).close()
    folder.chmod(0o755)
    record(tmp_path).chmod(0o644)
    client = await start()
    client.open("file:///a.py", "x = \n")
    await client.texts("file:///a.py", 0, 4)
    await client.until(lambda: record(tmp_path).with_name(store.FILE + "-wal").exists())
    for path in (folder, *folder.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    await client.stop()


async def test_what_killed_servers_left_is_cleared_up(start, endpoint, tmp_path):
    """Files of servers that live stay, also of one that has asked for nothing."""
    folder = record(tmp_path).parent
    killed = await start()
    await killed.until(lambda: list(folder.glob("underway-*.bin")))
    (left,) = folder.glob("underway-*.bin")
    await killed.kill()
    idle = await start()
    await idle.until(lambda: not left.exists())
    (own,) = folder.glob("underway-*.bin")
    other = await start()
    other.open("file:///a.py", "x = \n")
    await other.texts("file:///a.py", 0, 4)
    await other.until(lambda: rows(tmp_path) == [(1,)])
    assert own.exists()
    assert len(list(folder.glob("underway-*.bin"))) == 2


@pytest.mark.parametrize(("fault", "patience"), [(402, 0.05), (500, 0.05), ("stall", 0.003)])
async def test_explicit_asks_that_come_to_nothing_have_a_floor(start, endpoint, fault, patience):
    """In a loop they are a few requests a second; one ask alone is never refused."""
    endpoint.fault = fault
    client = await start()
    client.open("file:///a.py", "x = \n")
    loop = asyncio.get_running_loop()
    begun, asked = loop.time(), 0
    while asked < 100:
        answer = client.inline("file:///a.py", 0, 4, explicit=True)
        await asyncio.wait({answer}, timeout=patience)
        client.cancel(answer)
        asked += 1
    seconds = loop.time() - begun
    assert len(endpoint.bodies) <= 12 + 3 * seconds
    endpoint.fault = None
    assert await client.texts("file:///a.py", 0, 4, explicit=True) == ["None"]
