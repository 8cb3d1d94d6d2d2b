"""The project's own order: lint, types, formatting, who may import whom, and documents that agree with the code."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fim_lsp.settings import settings

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "fim_lsp"


@pytest.mark.parametrize(
    "command", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=["lint", "format", "types"]
)
def test_the_tools_have_nothing_to_say(command):
    """Lint, formatting and strict types are clean."""
    run = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def imports(path):
    """Every module that a file names in an import, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


MAY = {
    "pygls": {"lsp/session.py", "lsp/jsonrpc.py"},
    "lsprotocol": {"lsp/server.py", "lsp/session.py", "lsp/convert.py", "lsp/jsonrpc.py"},
    "httpx": {
        "endpoint/channel.py",
        "endpoint/service.py",
        "endpoint/reply.py",
        "endpoint/failures.py",
        "endpoint/connection.py",
        "endpoint/connection_pool.py",
        "endpoint/proxied.py",
        "endpoint/trust.py",
        "demo/transport.py",
    },
    "certifi": {"endpoint/trust.py"},
    "truststore": {"endpoint/trust.py"},
    "httpx_sse": {"endpoint/reply.py", "endpoint/failures.py"},
    "h11": {"endpoint/connection.py", "demo/server.py"},
    "cachetools": {"completion/answer_cache.py"},
    "platformdirs": {"commands/main.py"},
    "sqlite3": {"usage/database.py", "usage/store.py", "usage/report.py", "usage/permits.py"},
    "argparse": {
        "commands/main.py",
        "commands/replay.py",
        "commands/replay_arguments.py",
        "commands/replay_compare.py",
        "commands/replay_quality.py",
        "commands/replay_spending.py",
        "commands/usage.py",
    },
}


@pytest.mark.parametrize("module", MAY)
def test_who_may_import_whom(module):
    """Protocol types stop at the server, HTTP at the client, the cache's library at the answers."""
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(name == module or name.startswith(module + ".") for name in imports(path))
    }
    assert users <= MAY[module], users - MAY[module]


# Room by room, whom it may import.  A new arrow is drawn here on purpose, and never back up.
ROOMS = {
    "text": set(),
    "demo": set(),
    "words": set(),
    "settings": {"words"},
    "privacy": {"text", "words"},
    "context": {"privacy", "text"},
    "endpoint": {"privacy", "settings", "text", "words"},
    "usage": {"context", "endpoint", "privacy", "settings", "text", "words"},
    "completion": {"context", "endpoint", "privacy", "settings", "text", "usage", "words"},
    "lsp": {"completion", "context", "privacy", "settings", "text", "usage", "words"},
    "replay": {"completion", "context", "demo", "endpoint", "privacy", "settings", "text", "words"},
    "commands": {
        "completion",
        "context",
        "demo",
        "endpoint",
        "lsp",
        "privacy",
        "replay",
        "settings",
        "text",
        "usage",
    },
}


def test_rooms_import_whom_the_table_says():
    """Who may import whom, from the code: no arrow that the table lacks, and none in it that the code does not draw."""
    drawn = {room: set() for room in ROOMS}
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0]
        if room in ROOMS:
            named = {name.split(".")[1] for name in imports(path) if name.startswith("fim_lsp.")}
            drawn[room] |= (named & set(ROOMS)) - {room}
    assert drawn == ROOMS


def test_no_room_is_reached_from_itself():
    """The table of rooms has floors: each stands on those below it."""
    standing = set()
    while standing < set(ROOMS):
        next_floor = {room for room, below in ROOMS.items() if room not in standing and below <= standing}
        assert next_floor, set(ROOMS) - standing
        standing |= next_floor


def test_no_module_is_a_hall():
    """At most 400 lines a module and 300 a class."""
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= 400, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                assert node.end_lineno - node.lineno < 300, (path, node.name)


PURE = [
    "text/document",
    "text/language",
    "text/inside",
    "text/surroundings",
    "text/extent",
    "text/early_stop",
    "text/postprocess",
    "completion/answer_cache",
    "completion/beside",
    "completion/changes",
    "completion/commit_message",
    "completion/never_sent",
    "completion/notebooks",
    "completion/snooze",
    "completion/wanted",
    "completion/debounce",
    "completion/ghost",
    "completion/problems",
    "context/hunks",
    "context/imports",
    "context/index",
    "context/outline",
    "context/project",
    "context/project_context",
    "context/project_contexts",
    "context/window",
    "endpoint/breaker",
    "endpoint/body",
    "endpoint/filters",
    "endpoint/logprobs",
    "endpoint/proxies",
    "endpoint/request",
    "context/standing",
    "privacy/exclude",
    "privacy/ignore_rules",
    "privacy/key_blocks",
    "privacy/lone_values",
    "privacy/patch",
    "privacy/secrets",
    "text/characters",
    "text/closing",
    "text/confidence",
    "text/editorconfig",
    "text/foreign",
    "text/indentation",
    "text/overlap",
    "usage/bill",
    "completion/ask_floor",
    "usage/token_counts",
    "words/sentence",
]


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_reach_for_nothing(name):
    """No clock, no loop, no network, no file: what they need is passed in."""
    names = set(imports(PACKAGE / f"{name}.py"))
    beyond = {"asyncio", "time", "random", "os", "pathlib", "socket", "logging", "fim_lsp.completion.engine"}
    assert not names & beyond


def test_the_server_starts_without_the_network_client():
    """What is not needed to answer `initialize` is not loaded before it."""
    code = """
import asyncio, sys
from pathlib import Path
import fim_lsp.commands.main, fim_lsp.lsp.server
from lsprotocol import types

async def greet():
    server = fim_lsp.lsp.server.create(None, Path("config.toml"), Path("record"), {})
    options = {"maxTokens": 9, "statusNotifications": True}
    server.begin(types.InitializeParams(types.ClientCapabilities(), initialization_options=options))
    heavy = {"httpx", "rich", "sqlite3", "argparse", "tomllib", "fim_lsp.completion.engine"} & set(sys.modules)
    assert not heavy, heavy
    for task in server.tasks:
        task.cancel()

asyncio.run(greet())
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_every_module_opens_with_a_sentence():
    """A module says what it is."""
    for path in PACKAGE.rglob("*.py"):
        text = ast.get_docstring(ast.parse(path.read_text("utf-8")))
        assert text, path
        assert text.split("\n\n")[0].rstrip().endswith("."), path


def test_the_table_of_settings_is_that_of_the_code():
    """README names every setting with its default and its sentence, and no other."""
    rows = re.findall(
        r"^\| `(\w+)` \| (.*?) \| (.*) \|$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    import json

    expected = [
        (name, f"`{json.dumps(spec['default'])}`", spec["description"])
        for name, spec in settings.schema().items()
    ]
    assert rows == expected
