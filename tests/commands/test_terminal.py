"""What commands print: nothing that a terminal obeys, whoever has named it, and nothing private in a report."""

import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from world import Reply

from fim_lsp.commands import complete, doctor
from fim_lsp.commands.terminal import say
from fim_lsp.endpoint.request import LONGEST, Balance, Refused, Unavailable
from fim_lsp.text.characters import hidden
from fim_lsp.usage import page, prices, report, store, wording

EVIL = "a\x1b]52;c;cm0=\x07\x9b31m\u202e\u200b\U000e0041b"
ROOT = Path(__file__).parents[2]


def unseen(text):
    """The hidden characters of a text."""
    return [sign for sign in text if hidden(sign)]


class Service:
    """A service that names its models, its currencies and its answers as it likes."""

    def __init__(self, says="value\n", error=None):
        self.says = says
        self.error = error

    async def meet(self):
        return None

    async def models(self):
        if self.error:
            raise self.error
        return [EVIL, "m" * 100_000]

    @asynccontextmanager
    async def complete(self, request, *, seconds):
        yield Reply(self.says, None)

    async def balance(self):
        return Balance(available=True, amounts=((EVIL, Decimal(7)),))

    async def warm(self):
        pass

    async def aclose(self):
        pass


def checked(tmp_path, environ, service=None, *, as_json=False, config=""):
    """The report of the doctor, who finds what the service names."""
    (tmp_path / "config.toml").write_text(config)
    doctor.run(
        connect=lambda _: service or Service(),
        config=tmp_path / "config.toml",
        environ={"DEEPSEEK_API_KEY": "sk-x", **environ},
        demo=False,
        as_json=as_json,
        report=tmp_path / "report.md",
    )
    return (tmp_path / "report.md").read_text("utf-8")


def test_the_doctor_prints_what_the_service_names(tmp_path, capsys):
    """Models and currencies, in bounds."""
    checked(tmp_path, {})
    shown = capsys.readouterr().out
    assert unseen(shown) == []
    assert r"a\x1b]52;c;cm0=\x07\x9b31m\u202e\u200b\U000e0041b" in shown
    assert max(map(len, shown.splitlines())) < 3_000
    checked(tmp_path, {}, as_json=True)
    shown = capsys.readouterr().out
    assert unseen(shown) == []
    assert any(EVIL in check["found"] for check in json.loads(shown)["checks"])


PRIVATE = {
    "LOGNAME": "jdoe",
    "USER": "o",
    "USERNAME": "jdoe2",
    "USERPROFILE": r"C:\Users\jdoe2",
    "HOME": "/home/jdoe",
    "XDG_CONFIG_HOME": "/srv/acme/cfg",
    "FIM_LSP_BASE_URL": "https://llm.inner.acme.corp/team-x/fim",
    "FIM_LSP_MODEL": "acme-secret-70b",
}
WORDS = ("jdoe", "acme", "inner", "team-x", "project_x", "zebra", "c:\\", "/home", "sk-x", "cm0=")


@pytest.mark.parametrize(
    "error",
    [
        None,
        Refused("llm.inner.acme.corp does not know this path (404): check baseUrl.", "address"),
        Unavailable("llm.inner.acme.corp is busy (503): asking again later.", "busy"),
    ],
)
def test_a_report_names_nothing_of_the_user(tmp_path, capsys, monkeypatch, error):
    """No host, path, model, unknown setting, user or folder, whatever the environment calls them; and no garbled words."""
    for name, value in PRIVATE.items():
        monkeypatch.setenv(name, value)
    config = 'project_x_key = 1\nmax_tokens = "zebra"\nexclude = ["zebra/**"]\ntemperature = 0.5\n'
    text = checked(tmp_path, PRIVATE, Service(error=error), config=config)
    capsys.readouterr()
    assert [word for word in WORDS if word in text.lower()] == []
    assert str(tmp_path) not in text
    assert "What I did, what I expected, and what happened instead:" in text
    assert "- FAIL settings: 2 wrong, among them max_tokens" in text
    assert "- model: another model" in text
    assert "- baseUrl: another endpoint" in text
    assert "- temperature: 0.5" in text
    if error:
        assert f"FAIL endpoint: {error.cause} ({503 if error.cause == 'busy' else 404})" in text


def test_a_completion_is_printed_with_its_controls_shown(tmp_path, capsys):
    """Also those that the file itself holds; as JSON it is what it is."""
    source = tmp_path / "a.txt"
    source.write_text(f"{EVIL}\n\n", "utf-8")
    for as_json in (False, True):
        code = complete.run(
            source,
            2,
            1,
            connect=lambda _: Service(f"one{EVIL}two\n"),
            config=tmp_path / "none.toml",
            environ={"DEEPSEEK_API_KEY": "sk-x"},
            as_json=as_json,
        )
        shown = capsys.readouterr().out
        assert code == 0
        assert unseen(shown) == []
        assert (json.loads(shown)["text"] == f"one{EVIL}two") if as_json else r"\x1b]52" in shown


def test_usage_shows_the_names_of_folders_and_languages(tmp_path):
    """In the terminal, as CSV, as JSON and on the page."""
    record = tmp_path / "usage.sqlite3"
    now = datetime.now(UTC)
    kept = store.Store(record)
    kept.write([store.Row(at=now, model=EVIL, language=EVIL, ended="done", project=EVIL)], {})
    kept.close()
    today = now.astimezone().date()
    found = {by: report.read(record, today, today, by, zone=None, now=now.timestamp()) for by in report.BYS}
    assert unseen(page.render(found, wording.notes(found["model"], prices.load(), {}, now))) == []
    environ = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    (tmp_path / "fim-lsp").mkdir()
    record.rename(tmp_path / "fim-lsp" / "usage.sqlite3")
    for arguments in (["--by", "project"], ["--by", "language", "--csv"], ["--by", "project", "--json"]):
        run = subprocess.run(
            [sys.executable, "-m", "fim_lsp", "usage", *arguments],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert unseen(run.stdout + run.stderr) == []
        assert "cm0=" in run.stdout


def given(argument):
    """As a shell gives it: the bytes of a name are no locale's business."""
    return argument.encode() if os.name == "posix" else argument


def test_names_of_files_in_messages(tmp_path):
    """Whether a command or the parser of arguments complains."""
    for arguments in (["complete", f"{EVIL}:1:1"], ["complete", EVIL], [EVIL]):
        run = subprocess.run(
            [sys.executable, "-m", "fim_lsp", *map(given, arguments)],
            env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert run.returncode in (1, 2)
        assert unseen(run.stderr + run.stdout) == []


def test_a_message_is_bounded(capsys):
    """One line, of a person's length."""
    assert len(Refused("long " * 1000, "key").message) == LONGEST
    assert Refused("two\nlines\x1b", "key").message == r"two\x0alines\x1b"
    say("a\nb\udce9")
    assert capsys.readouterr().err == "fim-lsp: a\\x0ab\\udce9\n"


NOBODY = """
import os, pwd, sys
def nobody(number):
    raise KeyError(number)
pwd.getpwuid = nobody
from fim_lsp.commands.main import run
sys.exit(run(sys.argv[1:]))
"""


def homes(tmp_path):
    """Environments without a home, and with one that is a file."""
    (tmp_path / "file").write_text("")
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return [bare, {**bare, "HOME": str(tmp_path / "file")}, {**bare, "HOME": str(tmp_path / "none" / "x")}]


@pytest.mark.skipif(os.name != "posix", reason="the table of users")
@pytest.mark.parametrize("number", range(3))
def test_commands_run_without_a_home(tmp_path, number):
    """Nothing is read from elsewhere in its stead."""
    environ = homes(tmp_path)[number]
    (tmp_path / "fim-lsp").mkdir()
    (tmp_path / "fim-lsp" / "config.toml").write_text("enabled = false\n")
    (tmp_path / "a.py").write_text("import collections\ncounter = collections.Counter()\nother = collec")
    for arguments, words in (
        (["complete", "--demo", "a.py:3:15"], "Counter"),
        (["doctor", "--demo"], "none yet"),
        (["usage"], "0 requests"),
    ):
        run = subprocess.run(
            [sys.executable, "-c", NOBODY, *arguments],
            env=environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (run.returncode, run.stderr) == (0, "")
        assert words in run.stdout


@pytest.mark.skipif(os.name != "posix", reason="the table of users")
@pytest.mark.parametrize("number", range(2))
async def test_the_server_completes_without_a_home(tmp_path, endpoint, number):
    """It says once that it cannot keep a record."""
    from lsp import Client

    client = Client()
    gone = {"HOME": ""} if number == 0 else homes(tmp_path)[number]
    environ = {**gone, "DEEPSEEK_API_KEY": "sk-test", "FIM_LSP_BASE_URL": endpoint.url}
    code = NOBODY.replace(
        "import os", "import os; os.environ.get('HOME') or os.environ.pop('HOME', 0)\nimport os"
    )
    await client.run(environ.pop("HOME", ""), ["-c", code], **environ)
    try:
        await client.initialize({"debounceMs": 0})
        client.open("file:///a.py", "x = \n\n")
        endpoint.says = "1\n"
        assert await client.texts("file:///a.py", 0, 4) == ["1"]
        endpoint.says = "2\n"
        client.open("file:///b.py", "y = \n\n")
        assert await client.texts("file:///b.py", 0, 4) == ["2"]
        await client.until(client.messages)
        assert ["cannot be recorded" in message for message in client.messages()] == [True]
        assert await client.stop() == 0
    finally:
        await client.kill()
