"""Text and names as machines have them: other encodings, other locales, marks at the head, names that are no text."""

import asyncio
import os
import sqlite3
import sys
from datetime import UTC, datetime

import pytest
from lsp import Client

from fim_lsp.context.surveyor import Folder
from fim_lsp.context.tree import Tree
from fim_lsp.privacy.ignore_files import Ignores
from fim_lsp.settings import config_file
from fim_lsp.usage import prices

BOM = b"\xef\xbb\xbf"
SOURCE = "def total(items: list) -> int:\n    return sum(items)\n"


def test_a_mark_at_the_head_of_the_settings_is_passed_over(tmp_path):
    """As Windows' own editors write it."""
    path = tmp_path / "config.toml"
    path.write_bytes(BOM + 'max_tokens = 99\nexclude = ["客户/**"]\r\n'.encode())
    assert config_file.from_file(path) == ({"max_tokens": 99, "exclude": ["客户/**"]}, [])


@pytest.mark.parametrize("encoding", ["gbk", "utf-16", "latin-1"])
def test_settings_in_another_encoding_are_not_guessed(tmp_path, encoding):
    """One sentence says in which they are read; nothing is sent until then."""
    path = tmp_path / "config.toml"
    path.write_bytes('exclude = ["é/**"]'.encode(encoding))
    layer, (said,) = config_file.from_file(path)
    assert isinstance(layer, config_file.Unreadable)
    assert said == f"{path} is not UTF-8: save it in that encoding; {config_file.UNTIL}."


def test_a_mark_at_the_head_of_prices_is_passed_over(tmp_path):
    """As with the settings."""
    path = tmp_path / "prices.toml"
    path.write_bytes(BOM + b'[[prices]]\nmodel = "mine"\nfrom = 2026-01-01\nhit = 1\nmiss = 2\noutput = 3\n')
    table = prices.load(path)
    assert not table.wrong
    assert table.price("mine", datetime(2026, 9, 20, tzinfo=UTC)) is not None


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (BOM + b"private_notes.py\n", b"private_notes.py"),
        ("private_notes.py\r\n".encode("utf-16"), b"private_notes.py"),
        (b"\xfe\xff" + "private_notes.py\r\n".encode("utf-16-be"), b"private_notes.py"),
        ("私密_private.py\n".encode("gbk"), "私密_private.py".encode("gbk")),
        ("sécret_private.py\n".encode("latin-1"), "sécret_private.py".encode("latin-1")),
        ("私密_private.py\n".encode(), "私密_private.py".encode()),
    ],
)
@pytest.mark.parametrize("secret", [False, True])
def test_an_ignore_file_holds_in_its_encoding(tmp_path, data, name, secret):
    """Its bytes name the bytes of names, as for git; what PowerShell writes is read, too."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_bytes(data)
    ignores = Ignores(tmp_path.as_posix(), secret=secret, environ={})
    assert ignores.ignored(f"{tmp_path.as_posix()}/{name.decode('utf-8', 'surrogateescape')}")


def test_a_mark_at_the_head_of_gits_configuration(tmp_path):
    """Git passes over it, too."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_bytes(BOM + b"[core]\nexcludesFile = ~/mine\n")
    (tmp_path / "home" / "mine").write_bytes(BOM + b"notes.py\n")
    ignores = Ignores(tmp_path.as_posix(), environ={"HOME": str(tmp_path / "home")})
    assert ignores.ignored(f"{tmp_path.as_posix()}/notes.py")


@pytest.mark.parametrize("encoding", ["gbk", "utf-16", "utf-16-le", "latin-1"])
def test_a_source_in_another_encoding_is_left_out_of_the_map(tmp_path, encoding):
    """It is not guessed, so no garbled name is shown; what stands beside it is, and it is shown once it is UTF-8."""
    text = "def größe_客(x): ...\n" if encoding.startswith(("gbk", "utf")) else "def größe(x): ...\n"
    text = text.replace("ö", "o").replace("ß", "s") if encoding == "gbk" else text
    (tmp_path / "other.py").write_bytes(text.encode(encoding))
    (tmp_path / "sums.py").write_text(SOURCE, "utf-8")
    name = text.partition("(")[0].removeprefix("def ")
    (tmp_path / "use.py").write_text(f"total([{name}(1)])\n", "utf-8")
    folder = Folder(Tree(tmp_path, []))
    assert sorted(folder.survey()) == ["sums.py", "use.py"]
    shown = folder.map("python", "", "project").text
    assert "def total" in shown
    assert "other.py" not in shown
    (tmp_path / "other.py").write_bytes(BOM + text.encode())
    assert folder.changed("other.py")
    assert f"def {name}" in folder.map("python", "", "project").text


def project(home, name):
    """A folder of that name, with a file of definitions, one whose name is no text, and one that is to stay home."""
    folder = home + b"/" + name.encode("utf-8", "surrogateescape")
    os.mkdir(folder)
    os.mkdir(folder + b"/.git")
    files = {
        b"sums.py": SOURCE,
        b"names.py": "total(hidden())\n",
        b"private_\xff.py": "def hidden(): ...\n",
        b"\xfe.py": SOURCE,
        b".gitignore": "private_*\n",
    }
    for file, text in files.items():
        with open(folder + b"/" + file, "wb") as made:
            made.write(text.encode())
    return folder


LOCALES = [
    {},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "POSIX"},
    {"LC_ALL": "zh_CN.GBK", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "gbk"},
]
NAMES = ["plain", "中文", "gbk\udcd6\udcd0", "\udcff\udcfe", "e\u0301 blank"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is text")
@pytest.mark.parametrize("environ", LOCALES, ids=str)
@pytest.mark.parametrize("name", NAMES, ids=ascii)
async def test_folders_of_every_name_under_every_locale(tmp_path, endpoint, environ, name):
    """Text is offered, the project's map is drawn, the ignore file holds, the record is kept."""
    folder = project(os.fsencode(tmp_path), name)
    quoted = "".join(chr(byte) if 45 < byte < 123 else f"%{byte:02X}" for byte in folder)
    client = await Client().start(tmp_path, DEEPSEEK_API_KEY="sk-test", **environ)
    await client.call(
        "initialize",
        {
            "processId": None,
            "rootUri": f"file://{quoted}",
            "capabilities": {},
            "initializationOptions": {"baseUrl": endpoint.url, "debounceMs": 0},
        },
    )
    client.notify("initialized", {})
    uri = f"file://{quoted}/%E4%B8%AD.py"
    client.open(uri, "x = \n")
    where = {"uri": uri, "position": {"line": 0, "character": 0}}
    for _ in range(1000):
        told = {"command": "fimLsp.explain", "arguments": [where]}
        if "def total" in (await client.call("workspace/executeCommand", told))["prompt"]:
            break
        await asyncio.sleep(0.01)
    assert await client.texts(uri, 0, 4, explicit=True)
    assert "def total" in endpoint.bodies[-1]["prompt"]
    assert not any("def hidden" in body["prompt"] for body in endpoint.bodies)
    hidden = f"file://{quoted}/private_%FF.py"
    client.open(hidden, "x = \n")
    asked = len(endpoint.bodies)
    assert (await client.inline(hidden, 0, 4, explicit=True))["result"] == []
    assert len(endpoint.bodies) == asked
    assert await client.stop() == 0
    assert client.messages() == []
    assert b"Error" not in client.stderr
    (record,) = tmp_path.glob(".local/state/fim-lsp/usage.sqlite3")
    with sqlite3.connect(record) as db:
        assert db.execute("SELECT count(*) FROM rows").fetchone()[0] == asked
