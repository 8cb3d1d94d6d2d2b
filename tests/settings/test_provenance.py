"""Who may set what: what may be a folder's makes things stricter, and moves neither the key nor the text elsewhere."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from endpoint import Endpoint
from lsp import CAPABILITIES, Client

from fim_lsp.settings import provenance
from fim_lsp.settings.kinds import camel
from fim_lsp.settings.provenance import RULES, restrained
from fim_lsp.settings.settings import NAMES, Settings, merged

ROOT = Path(__file__).parents[2]
URI = "file:///a.py"
OWN = "sk-the-users-own"


@pytest.fixture
async def stranger():
    made = await Endpoint().start()
    yield made
    await made.stop()


def chosen(**settings):
    found, wrong = merged([("here", settings)])
    assert wrong == []
    return found


def held(**section):
    """The user's defaults with a section that may be a folder's."""
    return restrained(Settings(), section, "config.toml")


async def asked(client, stranger, endpoint):
    """Complete twice; how often each of the two endpoints was met."""
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    client.open(URI, "a = \nb = \n")
    for line in range(2):
        await client.texts(URI, line, 4, explicit=True)
    return stranger.connections, len(endpoint.bodies)


async def test_of_several_folders_the_strictest_count(start, endpoint):
    """As an editor tells of them in its options; what is nothing but laxer than another folder's is no matter for a message."""
    folders = [{"maxTokens": 90}, {"maxTokens": 40, "exclude": ["file:///p/lib%20a"]}, {"maxTokens": 60}]
    client = await start({"folderSettings": folders})
    documents = ["file:///p/app/a.py", "file:///p/lib%20a/a.py"]
    for uri in documents:
        client.open(uri, "a = ")
        await client.texts(uri, 0, 4)
    assert [body["max_tokens"] for body in endpoint.bodies] == [40]
    assert client.messages() == []


REDIRECTS = [
    lambda url: {"baseUrl": url},
    lambda url: {"base_url": url},
    lambda url: {"baseUrl": url, "apiKey": "sk-the-strangers"},
    lambda url: {"baseUrl": url, "fallback": [{"baseUrl": url, "evenIfRefused": True}]},
    lambda url: {"baseUrl": url, "statusNotifications": True, "folderSettings": {"baseUrl": url}},
]


@pytest.mark.parametrize("how", ["pull", "push"])
async def test_what_may_be_a_folders_moves_neither_key_nor_text(start, endpoint, stranger, how):
    """Whichever way the editor tells of it, the stranger's endpoint is not even connected to; and that is said."""
    sections = [section(stranger.url) for section in REDIRECTS]
    client = await start(settings=sections[-1] if how == "pull" else None, key=OWN)
    client.open(URI, "a = \n" * 2 * len(sections))
    for number, section in enumerate(sections):
        if how == "push":
            client.push(section)
        else:
            client.settings = section
            client.notify("workspace/didChangeConfiguration", {"settings": None})
            await client.until(lambda: client.pulls > number + 1)  # noqa: B023
        await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
        await client.texts(URI, 2 * number, 4, explicit=True)
        client.notify("workspace/didChangeConfiguration", {"settings": section})  # with no `fimLsp` around it
        await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
        await client.texts(URI, 2 * number + 1, 4)
    assert stranger.connections == 0
    assert len(endpoint.bodies) >= 2 * len(sections)
    assert set(endpoint.keys) == {f"Bearer {OWN}"}
    assert all('"baseUrl"' in said and "config.toml" in said for said in client.messages())
    assert client.messages()
    assert stranger.url not in "".join(client.messages())


async def test_a_key_that_may_be_a_folders_is_not_used(start, endpoint):
    """Its owner would see what is completed; without a key of the user's own nothing is sent."""
    client = await start(key=None, settings={"apiKey": "sk-the-strangers"})
    await client.until(client.messages)
    client.open(URI, "a = \n")
    await client.texts(URI, 0, 4, explicit=True)
    assert endpoint.bodies == []
    assert '"apiKey"' in client.messages()[0]
    assert not any("sk-the-strangers" in message for message in client.messages())


async def test_a_folder_adds_neither_headers_nor_a_second_endpoint(start, endpoint, stranger):
    """Also where the user's own endpoint fails, and a fallback would be asked in its place."""
    sections = [
        {"fallback": [{"baseUrl": stranger.url}]},
        {"headers": {"X-Spy": "1"}, "affinityHeader": "X-Spy-Too"},
        {"fallback": [{"baseUrl": stranger.url, "evenIfRefused": True}], "headers": {"Authorization": "b"}},
        {"fallback": 5, "headers": {"a b": "SECRET"}},
    ]
    client = await start({"headers": {"X-Own": "1"}}, key=OWN)
    client.open(URI, "a = \n" * 9)
    endpoint.fault = 503
    for number, section in enumerate(sections):
        client.push(section)
        await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
        assert await client.texts(URI, number, 4, explicit=True) == []
    assert stranger.connections == 0
    assert {head["authorization"] for head in endpoint.heads} == {f"Bearer {OWN}"}
    assert all(head["x-own"] == "1" and not head.keys() & {"x-spy", "x-spy-too"} for head in endpoint.heads)
    said = [message for message in client.messages() if "left out" in message]
    assert len(said) == 3  # the second and the third say the same words of two settings
    assert "SECRET" not in "".join(client.messages()) + client.stderr.decode()


async def test_the_key_of_the_users_file_goes_to_the_users_endpoint(tmp_path, endpoint, stranger):
    """Also where both stand in config.toml, and where the editor says nothing but the folder's."""
    folder = tmp_path / ".config" / "fim-lsp"
    folder.mkdir(parents=True)
    config = folder / "config.toml"
    config.write_text(f'api_key = "{OWN}"\nbase_url = "{endpoint.url}"\n')
    config.chmod(0o600)
    client = await Client().start(tmp_path)
    await client.initialize(settings={"baseUrl": stranger.url})
    assert (await asked(client, stranger, endpoint))[0] == 0
    assert set(endpoint.keys) == {f"Bearer {OWN}"}
    await client.kill()


async def test_the_users_editor_may_change_everything_while_it_runs(start, endpoint, stranger):
    """`fimLsp/options` takes the place of the options of the greeting: what is left out is what it was before."""
    client = await start(key=OWN)
    client.open(URI, "a = \nb = \nc = \n")
    await client.texts(URI, 0, 4)
    options = {"baseUrl": stranger.url, "model": "other", "debounceMs": 0, "languages": {"c++": False}}
    client.notify("fimLsp/options", {"fimLsp": options, "folderSettings": {"prefixChars": 200}})
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    await client.texts(URI, 1, 4)
    client.notify("fimLsp/options", {"fimLsp": {"baseUrl": endpoint.url, "debounceMs": 0}})
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    await client.texts(URI, 2, 4)
    assert [body["model"] for body in stranger.bodies] == ["other"]
    assert [body["model"] for body in endpoint.bodies] == ["deepseek-flash", "deepseek-flash"]
    client.open("file:///a.cc", "int a = \n", "c++")
    client.notify("fimLsp/options", {"fimLsp": options})
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    assert await client.texts("file:///a.cc", 0, 8, explicit=True) == []
    for wrong in (None, 5, []):
        client.notify("fimLsp/options", wrong)
    assert await client.texts(URI, 0, 4, explicit=True) is not None
    assert client.messages() == []


async def test_the_folders_settings_hold_from_the_first_moment(start, endpoint):
    """An editor that tells them apart gives both at once, before a document is opened."""
    client = await start(
        {"folderSettings": {"enabled": False}}, capabilities={**CAPABILITIES, "workspace": {}}
    )
    client.open(URI, "a = \n")
    assert await client.texts(URI, 0, 4, explicit=True) == []
    assert endpoint.bodies == []


async def test_a_folder_sends_no_secret_files_and_costs_no_more(start, endpoint):
    """What a trusted folder's settings could do: bring back excluded files, and make every request dearer."""
    hostile = {
        "exclude": ["!.env", "!*.pem", "!secrets/**"],
        "enabled": True,
        "model": "deepseek-v4-pro",
        "prefixChars": 1_000_000,
        "suffixChars": 100_000,
        "maxTokens": 4096,
        "context": "rich",
        "debounceMs": 0,
        "cacheSize": 0,
        "languages": {"python": {"maxTokens": 4096, "enabled": True}, "go": True},
    }
    client = await start(
        {"exclude": ["secrets/**"], "maxTokens": 99, "languages": {"go": False}}, settings=hostile
    )
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    for uri in ("file:///p/.env", "file:///p/a.pem", "file:///p/secrets/a.py", "file:///p/a.go"):
        client.open(uri, "a = \n", "go" if uri.endswith("go") else "python")
        assert await client.texts(uri, 0, 4, explicit=True) == []
    client.open(URI, "x" * 60_000 + "\na = \n" + "y" * 1000)
    await client.texts(URI, 1, 4)
    (body,) = endpoint.bodies
    assert (body["model"], body["max_tokens"]) == ("deepseek-flash", 99)
    assert len(body["prompt"]) <= 48_000
    assert len(body["suffix"]) <= 500
    (said,) = client.messages()
    assert all(f'"{name}"' in said for name in ("exclude", "model", "prefixChars", "maxTokens", "languages"))
    assert "temperature" not in said


@pytest.mark.parametrize(
    ("own", "wanted", "found"),
    [
        ({"enabled": False}, {"enabled": True}, {}),
        ({}, {"enabled": False}, {"enabled": False}),
        ({"maxTokens": 100}, {"maxTokens": 300}, {}),
        ({"maxTokens": 100}, {"maxTokens": 50}, {"max_tokens": 50}),
        ({"dailyBudget": 1.0}, {"dailyBudget": 2}, {}),
        ({}, {"dailyBudget": 2, "requestsPerMinute": 3}, {"daily_budget": 2.0, "requests_per_minute": 3}),
        ({"exclude": ["a", "!b"]}, {"exclude": ["c", "!a", "a"]}, {"exclude": ("a", "!b", "c")}),
        ({}, {"debounceMs": 0}, {}),
        ({}, {"debounceMs": 500}, {"debounce_ms": 500.0}),
        ({"debounceMs": 500}, {"debounceMs": "auto"}, {}),
        ({"debounceMs": 0}, {"debounceMs": "auto"}, {"debounce_ms": "auto"}),
        ({"debounceMs": 500}, {"debounceMs": 499}, {}),
        ({"cacheSize": 10}, {"cacheSize": 9, "cacheTtlSeconds": 1}, {}),
        ({}, {"temperature": 1.5, "multiline": "always"}, {"temperature": 1.5, "multiline": "always"}),
        (
            {},
            {"sparePeakHours": True, "usageProjectNames": False, "usageKeepDays": 1},
            {"spare_peak_hours": True},
        ),
        ({"context": "rich"}, {"context": "project"}, {"context": "project"}),
        ({"context": "off"}, {"context": "rich"}, {}),
        ({}, {"context": {"go": "off", "*": "rich"}}, {"context": {"go": "off", "*": "project"}}),
        (
            {"context": {"go": "rich", "*": "off"}},
            {"context": "project"},
            {"context": {"go": "project", "*": "off"}},
        ),
    ],
)
def test_stricter_counts_and_laxer_does_not(own, wanted, found):
    user = chosen(**own)
    new, wrong = restrained(user, wanted, "config.toml")
    assert {
        f.name: getattr(new, f.name) for f in fields(new) if getattr(new, f.name) != getattr(user, f.name)
    } == found
    laxer = [name for name, value in chosen_values(wanted).items() if getattr(new, name) != value]
    assert bool(wrong) == bool(laxer)
    assert all(f'"{camel(name)}"' in wrong[0] for name in laxer)


def chosen_values(wanted):
    found = chosen(**wanted)
    return {name: getattr(found, name) for name in NAMES if camel(name) in wanted}


def test_what_a_language_has_of_its_own_is_no_way_around():
    """Neither the folder's rows around the user's settings, nor the user's rows around what the folder forbids."""
    user = chosen(
        maxTokens=100, languages={"go": {"maxTokens": 500, "enabled": True, "context": "rich"}, "c": False}
    )
    rows = {"go": {"maxTokens": 900}, "python": {"maxTokens": 900, "context": "rich"}, "c": {"enabled": True}}
    new, (said,) = restrained(user, {"languages": rows}, "config.toml")
    assert [new.of(name).max_tokens for name in ("go", "python", "rust")] == [500, 100, 100]
    assert not new.of("c").enabled
    assert new.context_of("python") == "project"
    assert '"languages"' in said
    new, wrong = restrained(user, {"enabled": False, "context": "off", "maxTokens": 50}, "config.toml")
    assert new.off
    assert [new.of(name).max_tokens for name in ("go", "python")] == [50, 50]
    assert new.levels() <= {"off", "project"}
    assert (new.context_of("go"), wrong) == ("off", [])
    new, wrong = restrained(user, {"languages": {"python": False, "go": {"maxTokens": 9}}}, "config.toml")
    assert (new.of("python").enabled, new.of("go").max_tokens, wrong) == (False, 9, [])
    assert restrained(user, {"languages": {"c": True}}, "config.toml")[0] == user


def test_the_same_as_the_user_says_is_no_news():
    """Clients send the user's own settings a second time: at the greeting, and when they are asked."""
    own = {
        "baseUrl": "http://h/beta/",
        "apiKey": "k",
        "model": "m",
        "maxTokens": 512,
        "exclude": ["!a"],
        "context": {"go": "off"},
    }
    user = chosen(**own)
    assert restrained(user, own, "config.toml") == (user, [])


def test_every_setting_has_its_rule():
    """Also those that are added later; one that has none is the user's alone."""
    assert set(RULES) == set(NAMES)
    for name in ("base_url", "api_key", "headers", "affinity_header", "fallback"):
        assert RULES[name] is provenance.NOTHING


def test_the_readme_says_what_a_folder_may_do():
    """Its table is that of the code."""
    for page in ("README.md", "ARCHITECTURE.md"):
        text = (ROOT / page).read_text("utf-8")
        rows = re.findall(r"^\| a folder may (.*?) \| (.*) \|$", text, re.MULTILINE)
        assert rows == [
            (may, ", ".join(f"`{name}`" for name in names)) for may, names in provenance.table().items()
        ]


def test_the_extensions_scopes_are_those_of_the_table():
    """What a folder cannot set, VS Code does not take from one; nor budgets, which are of all folders together."""
    manifest = json.loads((ROOT / "editors" / "vscode" / "package.json").read_text("utf-8"))
    groups = manifest["contributes"]["configuration"]
    listed = {name: row for group in groups for name, row in group["properties"].items()}
    for name, rule in RULES.items():
        if name != "api_key":
            scope = listed[f"fimLsp.{camel(name)}"]["scope"]
            assert scope in {"machine", "application"} or rule is not provenance.NOTHING, name


@pytest.mark.parametrize(
    ("held", "wanted", "left"),
    [
        ("auto", 500, 500),
        ("auto", 501, "auto"),
        (2_500, "auto", "auto"),
        (1_999, "auto", 1_999),
        (900, 300, 300),
        (300, 900, 300),
    ],
)
def test_a_folder_only_shortens_the_suffix(held, wanted, left):
    """`"auto"` may come to as little as a service is sent, and to as much as a quick engine is."""
    own = Settings(suffix_chars=held)
    assert restrained(own, {"suffixChars": wanted}, "config.toml")[0].suffix_chars == left
