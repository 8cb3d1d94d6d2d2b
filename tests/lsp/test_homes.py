"""Strange homes: none, one that is read-only, one that is no folder.  It starts, completes, and says once what it cannot keep."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest
from lsp import Client

pytestmark = pytest.mark.skipif(os.name != "posix", reason="homes of POSIX, whose superuser can be anybody")

STRANGER = 54_321  # a number that no user has
BECOMES = ["setpriv", "--reuid", str(STRANGER), "--regid", str(STRANGER), "--clear-groups"]
# Where only the superuser can be somebody else: the table of users knows nobody.
NOBODY = """
import pwd, sys
def nobody(number):
    raise KeyError(number)
pwd.getpwuid = nobody
"""
RUN = """
from fim_lsp.commands.main import run
sys.exit(run(sys.argv[1:]))
"""
URI = "file:///project/a.py"


@cache
def stranger():
    """Code that starts the command as somebody of whom this system knows nothing but a number, and whether he is bound."""
    if os.geteuid() == 0 and shutil.which(BECOMES[0]):
        tried = [*BECOMES, sys.executable, "-c", "import fim_lsp.lsp.server, httpx"]
        if not subprocess.run(tried, capture_output=True, check=False).returncode:
            run = [*BECOMES, sys.executable, "-m", "fim_lsp"]
            return f"import os; os.execvp({run[0]!r}, {run!r})", True
    return NOBODY + RUN, os.geteuid() != 0


def none(_):
    """No HOME, and no entry in the table of users."""
    return


def empty(_):
    return ""


def missing(folder):
    return folder / "not" / "there"


def read_only(folder):
    folder.chmod(0o555)
    return folder


def closed(folder):
    """Not even to be looked into."""
    folder.chmod(0)
    return folder


def a_file(folder):
    (folder / "home").write_text("")
    return folder / "home"


def state_is_a_file(folder):
    (folder / ".local").mkdir()
    (folder / ".local" / "state").write_text("")
    folder.chmod(0o777)
    return folder


def device(_):
    return "/dev/full"


@pytest.fixture
def folder():
    """A folder that anybody can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as made:
        os.chmod(made, 0o755)
        yield Path(made)
        os.chmod(made, 0o755)


@pytest.mark.parametrize(
    "home",
    [none, empty, missing, read_only, closed, a_file, state_is_a_file, device],
    ids=lambda home: home.__name__,
)
@pytest.mark.parametrize("budget", [None, 5], ids=["no budget", "a budget"])
async def test_a_home_in_which_nothing_can_be_kept(folder, endpoint, home, budget):
    """Text is offered for each ask, and one sentence says that, and where, usage is not recorded."""
    client = Client()
    code, bound = stranger()
    value = home(folder)
    environ = {"HOME": value if value is None else str(value), "DEEPSEEK_API_KEY": "sk-test"}
    if not bound and home in {read_only, closed}:
        environ["XDG_STATE_HOME"] = "/proc/self"  # nothing else is closed to the superuser
    await client.run("", ["-c", code], **environ)
    try:
        await client.initialize({"baseUrl": endpoint.url, "debounceMs": 0, "dailyBudget": budget})
        client.open(URI, "x = \ny = \nz = \n")
        for line, says in enumerate(("1", "2", "3")):
            endpoint.says = f"{says}\n"
            assert await client.texts(URI, line, 4) == [says]
        await client.until(client.messages, 30)
        assert await client.stop() == 0
        (said,) = client.messages()
        assert said.startswith("fim-lsp: Usage cannot be recorded")
        assert said.endswith(".")
        assert said.count("/") <= len(str(value).split("/")) + 6  # the place is named once
        if home in {none, empty}:
            assert said == "fim-lsp: Usage cannot be recorded: no home folder is known, set HOME."
        assert b"Traceback" not in client.stderr
    finally:
        await client.kill()


@pytest.mark.parametrize("variable", ["HOME", "XDG_CONFIG_HOME"])
@pytest.mark.parametrize("value", [".", "home", "./home", "../project/home"])
async def test_a_relative_home_is_none(tmp_path, endpoint, variable, value):
    """It would name a folder of the project that is open, whose author would set the endpoint that gets the key."""
    project = tmp_path / "project"
    for folder in (project, project / "home"):
        for config in (folder / "fim-lsp", folder / ".config" / "fim-lsp"):
            config.mkdir(parents=True)
            (config / "config.toml").write_text(f"base_url = {json.dumps(endpoint.url)}\n")
    client = Client()
    client.how = {"cwd": project}
    await client.run(tmp_path, ["-m", "fim_lsp"], **{"DEEPSEEK_API_KEY": "sk-test", variable: value})
    try:
        await client.initialize({"debounceMs": 0})
        status = await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
        assert status["baseUrl"] != endpoint.url
        assert endpoint.connections == 0
        assert await client.stop() == 0
    finally:
        await client.kill()
    made = {path.relative_to(project).parts[-1] for path in project.rglob("*")}
    assert made <= {"home", "fim-lsp", ".config", "config.toml"}
