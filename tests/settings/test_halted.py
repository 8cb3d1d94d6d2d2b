"""A slip in a setting that holds something back: nothing leaves until it is put right, and one sentence says where."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest

from fim_lsp.settings import keys
from fim_lsp.settings.config_file import Unreadable, from_file
from fim_lsp.settings.provenance import restrained
from fim_lsp.settings.settings import HOLDING, Settings, merged

URI = "file:///a.py"
SLIPS = [
    ("exclude", "private/**"),
    ("exclude", ["private/**", " "]),
    ("excludes", ["private/**"]),
    ("Exclude", ["private/**"]),
    ("enabled", "false"),
    ("languages", {"python": False, "go": {"bad": 1}}),
    ("dailyBudget", "0"),
    ("dailyBudget", -1),
    ("daily_budgets", 0),
    ("monthlyBudget", "1"),
    ("requestsPerMinute", 0),
    ("context", "of"),
    ("baseUrl", "htp://private-gateway"),
    ("baseURL", "http://127.0.0.1:9"),
    ("apiKey", "two words"),
]
FILES = [
    'exclude = ["private/**"\n',
    'exclude = "private/**"\n',
    '[fimLsp]\nexclude = ["private/**"]\n',
    "[fim-lsp]\nenabled = false\n",
    "enabled = 'false'\n",
    'base_url = "htp://private-gateway"\n',
    "\xff",
]


def config(home, text):
    path = home / ".config" / "fim-lsp" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o600)
    return path


async def test_nothing_leaves_until_it_is_put_right(start, endpoint):
    """Neither text nor key goes to the layer below; the status says what the message says, and right is right again."""
    client = await start({"exclude": "private/**"})
    client.open(URI, "a = \n")
    right = {"baseUrl": endpoint.url, "debounceMs": 0}
    for name, value in SLIPS:
        client.notify("fimLsp/options", {**right, name: value})
        status = {"state": ""}
        while status["state"] != "error" or f'"{name}"' not in status["message"]:
            status = await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
        for explicit in (False, True):
            assert await client.texts(URI, 0, 4, explicit=explicit) == []
        assert (endpoint.connections, endpoint.bodies) == (0, [])
        assert client.messages().count(f"fim-lsp: {status['message']}") == 1
        assert "nothing is sent until it is put right" in status["message"]
        assert not re.search("private|htp|two words", status["message"])
    client.notify("fimLsp/options", right)
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    assert await client.texts(URI, 0, 4, explicit=True) == ["None"]


@pytest.mark.parametrize(("name", "value"), SLIPS)
def test_a_slip_in_what_may_be_a_folders_holds_too(name, value):
    """But for what is not taken from there at all, which cannot be wrong there."""
    found, (said,) = restrained(Settings(), {name: value}, "config.toml")
    assert found.off == (name not in {"baseUrl", "apiKey"})
    assert found.halted == (said if found.off else "")
    assert f'"{name}"' in said


@pytest.mark.parametrize("text", FILES)
def test_a_file_that_cannot_be_read_holds_everything(tmp_path, text):
    """The other places do not take over: what it was to hold back is not known."""
    path = config(tmp_path, text)
    file, wrong = keys.from_file(path)
    found, more = merged(
        [(str(path), file), ("the environment", {"apiKey": "k", "baseUrl": "http://127.0.0.1:9"})]
    )
    assert [found.halted] == [*wrong, *more]
    assert str(path) in found.halted
    assert found.off
    assert not found.of("python").enabled
    assert "private" not in found.halted


async def test_a_server_with_such_a_file_sends_nothing(start, endpoint, tmp_path):
    config(tmp_path, FILES[0])
    client = await start()
    await client.until(client.messages)
    client.open(URI, "a = \n")
    assert await client.texts(URI, 0, 4, explicit=True) == []
    assert endpoint.connections == 0
    assert len(client.messages()) == 1


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser reads everything")
def test_a_file_without_permission_is_unreadable(tmp_path):
    path = config(tmp_path, "enabled = true")
    path.chmod(0)
    assert isinstance(from_file(path)[0], Unreadable)


async def test_the_command_says_it_and_sends_nothing(tmp_path, endpoint):
    """`fim-lsp complete` exits with 1; `fim-lsp doctor` too, and asks nothing of any endpoint."""
    config(tmp_path, 'exclude = "private/**"\n')
    source = tmp_path / "a.py"
    source.write_text("a = \n")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DEEPSEEK_", "FIM_LSP_", "XDG_"))}
    env = {**clean, "HOME": str(tmp_path), "DEEPSEEK_API_KEY": "sk-test", "FIM_LSP_BASE_URL": endpoint.url}
    for words in (["complete", f"{source}:1:5"], ["doctor"]):
        run = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "fim_lsp",
            *words,
            env={**env, "PYTHONPATH": str(Path.cwd())},
            stdout=-1,
            stderr=-1,
        )
        out, err = await run.communicate()
        assert run.returncode == 1
        assert b'"exclude"' in out + err
        assert b"Traceback" not in err
    assert endpoint.connections == 0


def test_what_holds_nothing_back_keeps_its_default():
    """One message each, and completions go on."""
    found, wrong = merged([("here", {"maxTokens": "x", "debounceMs": "x", "modle": "x", "model": 5})])
    assert found.halted == ""
    assert len(wrong) == 4
    assert {"base_url", "exclude", "enabled", "languages", "daily_budget"} <= HOLDING


def test_languages_are_the_same_in_capitals():
    found, wrong = merged(
        [("here", {"languages": {"Python": False}, "context": {"Go": "off", "*": "project"}})]
    )
    assert wrong == []
    assert not found.of("python").enabled
    assert (found.context_of("go"), found.context_of("c")) == ("off", "project")
    assert not merged([("here", {"languages": {"fsharp": False}})])[0].of("FSharp").enabled


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("http://gateway.example.com", True),
        ("http://8.8.8.8:80", True),
        ("http://[2001:4860:4860::8888]", True),
        ("http://example.com.", True),
        ("https://gateway.example.com", False),
        ("http://127.0.0.1:8080", False),
        ("http://[::1]:8080", False),
        ("http://10.1.2.3", False),
        ("http://192.168.1.9", False),
        ("http://box.local", False),
        ("http://gpu:8000", False),
        ("http://localhost:1", False),
    ],
)
def test_a_key_in_the_clear_is_said(url, public):
    """On a public network; a private one is the user's own."""
    said = keys.exposed(url, "sk-secret")
    assert bool(said) == public
    assert "sk-secret" not in "".join(said)
    assert keys.exposed(url, None) == []


async def test_a_key_in_the_clear_is_said_once(start):
    client = await start({"baseUrl": "http://gateway.invalid"})
    await client.until(client.messages)
    client.push({"temperature": 1})
    client.push({"temperature": 0})
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    assert [message for message in client.messages() if "unencrypted" in message] == [
        'fim-lsp: The key goes to gateway.invalid unencrypted: write "https://" into "baseUrl".'
    ]


def test_the_keys_command_runs_in_the_users_folder(tmp_path, monkeypatch):
    """Not in that of the editor, which is a stranger's repository."""
    hostile = tmp_path / "repository"
    hostile.mkdir()
    monkeypatch.chdir(hostile)
    path = config(
        tmp_path, f"api_key_command = [{json.dumps(sys.executable)}, '-c', 'import os; print(os.getcwd())']"
    )
    assert keys.from_file(path)[0] == {"api_key": str(path.parent)}


def test_on_windows_the_keys_command_is_not_looked_for_in_the_editors_folder(tmp_path, monkeypatch):
    """By its whole path, or in an absolute folder of PATH."""
    monkeypatch.chdir(tmp_path)
    good = tmp_path / "good"
    good.mkdir()
    for folder in (tmp_path, good):
        (folder / "pass.EXE").write_text("")
    environ = {"PATH": os.pathsep.join([".", "", str(good)]), "PATHEXT": ".COM;.EXE"}
    assert keys.program("pass", environ, "nt") == str(good / "pass.EXE")
    assert keys.program(r"C:\tools\pass.exe", environ, "nt") == r"C:\tools\pass.exe"
    assert keys.program("pass", environ, "posix") == "pass"
    for word in ("none", r".\pass.EXE", "./pass.EXE", "C:pass.EXE"):
        with pytest.raises(FileNotFoundError):
            keys.program(word, environ, "nt")
