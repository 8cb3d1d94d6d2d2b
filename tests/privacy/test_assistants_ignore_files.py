"""Ignore files of assistants, and the user's own: what they name is never sent, as the document or as context."""

import asyncio

import pytest
from lsp import CAPABILITIES, Client

from fim_lsp.context.tree import Tree
from fim_lsp.privacy.ignore_files import ASSISTANTS, kept_home_by

HELD = "held_back = 1\nheld_"


async def asked(client, uri):
    """Ask by either door at the end of a document that holds a mark; what explain says of it."""
    client.open(uri, HELD)
    await client.texts(uri, 1, 5, explicit=True)
    place = {"uri": uri, "position": {"line": 1, "character": 5}}
    command = {"command": "fimLsp.explain", "arguments": [place]}
    return await client.call("workspace/executeCommand", command)


@pytest.fixture
def project(tmp_path):
    made = tmp_path / "project"
    (made / "inner").mkdir(parents=True)
    (made / "inner" / "api.py").write_text("def held_back_name(x):\n    return x\n")
    (made / "open.py").write_text("def shown_name(x):\n    return x\n")
    (made / "main.py").write_text("from inner.api import held_back_name\nimport open\n\nx = \n")
    return made


@pytest.mark.parametrize("name", ASSISTANTS)
async def test_a_file_that_one_names_is_never_sent(start, endpoint, project, name):
    """Explain says which file says so; with the rule gone, and told of that, the document is asked about again."""
    rules = project / name
    rules.write_text("inner/\n!open.py\n")
    client = await start()
    uri = (project / "inner" / "api.py").as_uri()
    told = await asked(client, uri)
    assert told["excludedBy"] == str(rules)
    assert endpoint.bodies == []
    rules.write_text("")
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    told = await asked(client, uri)
    assert "held_back" in told["prompt"]
    assert len(endpoint.bodies) == 1


@pytest.mark.parametrize("name", ASSISTANTS)
def test_a_file_that_one_names_is_in_no_map(project, name):
    """What the process beside the server reads; and a rule that comes later takes effect."""
    tree = Tree(project, [])
    assert sorted(tree.files()) == ["inner/api.py", "main.py", "open.py"]
    (project / name).write_text("inner/\n")
    assert tree.forget(name)
    assert sorted(tree.files()) == ["main.py", "open.py"]
    assert tree.text("inner/api.py") is None


async def test_it_is_shown_to_no_other_file(tmp_path, endpoint, project):
    """Neither by the map, nor by imports, nor by the log of edits; the rest is."""
    (project / ".aiignore").write_text("inner/\n")
    client = await Client().start(tmp_path, DEEPSEEK_API_KEY="sk-test")
    options = {"baseUrl": endpoint.url, "debounceMs": 0}
    uri = project.as_uri()
    folders = [{"uri": uri, "name": "project"}]
    greeting = {"processId": None, "rootUri": uri, "capabilities": CAPABILITIES, "workspaceFolders": folders}
    await client.call("initialize", {**greeting, "initializationOptions": options})
    client.notify("initialized", {})
    inner, main = (f"{uri}/{name}" for name in ("inner/api.py", "main.py"))
    client.open(inner, "def held_back_name(x):\n    return x\n")
    client.type(inner, 1, 4, "held_back_edit = 5\n    ")
    await client.texts(inner, 1, 4, explicit=True)
    assert endpoint.bodies == []
    client.open(main, (project / "main.py").read_text())
    place = {"uri": main, "position": {"line": 3, "character": 4}}
    async with asyncio.timeout(60):
        told = {"prompt": ""}
        while "shown_name" not in told["prompt"]:
            await asyncio.sleep(0.1)
            command = {"command": "fimLsp.explain", "arguments": [place]}
            told = await client.call("workspace/executeCommand", command)
    await client.texts(main, 3, 4, explicit=True)
    sent = endpoint.bodies[-1]["prompt"].partition("from inner")[0]
    assert "shown_name" in sent
    assert "held_back" not in sent
    await client.kill()


async def test_they_only_take_away(start, endpoint, project):
    """A `!` brings back what the same file took, and nothing that is excluded otherwise."""
    (project / ".cursorignore").write_text("*.py\n!open.py\n!.env\n!secrets.py\n")
    (project / ".aiignore").write_text("!main.py\n")
    client = await start({"exclude": ["secrets.py"]})
    for name in (".env", "secrets.py", "main.py"):
        assert (await asked(client, (project / name).as_uri()))["excludedBy"], name
    assert endpoint.bodies == []
    await asked(client, (project / "open.py").as_uri())
    assert len(endpoint.bodies) == 1


async def test_the_users_own_ignore_file(start, endpoint, project, tmp_path):
    """Beside `config.toml`; it holds for every project, `!` brings back there, and a change takes effect."""
    folder = tmp_path / ".config" / "fim-lsp"
    folder.mkdir(parents=True)
    rules = folder / "ignore"
    rules.write_text("# mine\n/inner/\n*.tfvars\n!kept.tfvars\n")
    client = await start()
    for name in ("inner/api.py", "x.tfvars"):
        assert "your own ignore file" in (await asked(client, (project / name).as_uri()))["excludedBy"]
    assert endpoint.bodies == []
    await asked(client, (project / "kept.tfvars").as_uri())
    assert len(endpoint.bodies) == 1
    rules.write_text("main.py\n")
    client.open("file:///other.py", "")
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    assert "excludedBy" in await asked(client, (project / "main.py").as_uri())
    assert "prompt" in await asked(client, (project / "inner" / "api.py").as_uri())


async def test_one_that_cannot_be_read_stops_everything(start, endpoint, tmp_path):
    """What it was to hold back would leave in its place."""
    (tmp_path / ".config" / "fim-lsp" / "ignore").mkdir(parents=True)
    client = await start()
    await client.until(client.messages)
    assert "nothing is sent until it is put right" in client.messages()[0]
    await asked(client, "file:///a.py")
    assert endpoint.bodies == []


def test_rules_of_git_count_by_their_words_alone(tmp_path):
    """As before: a file that is ignored by git is sent where it is open; one of an assistant's is not."""
    (tmp_path / ".gitignore").write_text("made.py\n")
    assert kept_home_by(f"{tmp_path}/made.py", {}) == ""
    (tmp_path / ".copilotignore").write_text("made.py\n")
    assert kept_home_by(f"{tmp_path}/made.py", {}) == f"{tmp_path}/.copilotignore"
