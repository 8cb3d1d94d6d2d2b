"""Ignore files, wherever git looks for them: what they name as secret is not sent, what they name at all is not shown."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fim_lsp.context.tree import Tree
from fim_lsp.privacy import ignore_files
from fim_lsp.privacy.ignore_files import Ignores, kept_home_by, secret
from fim_lsp.text.document import Document, Place


@pytest.fixture
def environ(tmp_path):
    """Of a user whose home is this folder."""
    return {"HOME": str(tmp_path)}


@pytest.fixture
def repository(tmp_path):
    """A repository with rules in each place that git knows."""
    top = tmp_path / "work" / "top"
    (top / ".git" / "info").mkdir(parents=True)
    (top / ".git" / "info" / "exclude").write_text("/info_secret.py\ninfo_plain.py\n")
    (top / "pkg" / "deep").mkdir(parents=True)
    (top / ".gitignore").write_text(
        "*_secret_top.py\nprivate/\n!private/ok.py\nplain_top.py\n/pkg/creds.py\n"
    )
    (top / "pkg" / ".gitignore").write_text("secret_nested.py\n!told_secret_top.py\nplain_nested.py\n")
    (tmp_path / "globally").write_text("global_secret.py\nglobal_plain.py\n")
    (tmp_path / ".gitconfig").write_text(
        '[user]\n\tname = x\n[core] # of all\n\texcludesFile = "~/globally" ; mine\n'
    )
    return top


SECRET = ["a_secret_top.py", "private/x.py", "private/ok.py", "pkg/creds.py", "pkg/secret_nested.py", "pkg/deep/secret_nested.py",
          "info_secret.py", "global_secret.py", "pkg/deep/global_secret.py", "pkg/deep/b_secret_top.py"]  # fmt: skip
PLAIN = ["plain_top.py", "pkg/plain_nested.py", "info_plain.py", "pkg/global_plain.py"]
SHOWN = ["a.py", "pkg/told_secret_top.py", "pkg/info_secret.py", "creds.py"]


def test_rules_count_wherever_git_finds_them(repository, environ):
    """Nested, above, the repository's own, the user's own; those with words of secrets keep documents home."""
    ignores = Ignores(ignore_files.top(str(repository / "pkg")), environ=environ)
    for path in SECRET + PLAIN:
        assert ignores.ignored(f"{repository}/{path}"), path
        assert secret(f"{repository}/{path}", environ) is (path in SECRET), path
    for path in SHOWN:
        assert not ignores.ignored(f"{repository}/{path}"), path
        assert not secret(f"{repository}/{path}", environ), path


def test_git_agrees_on_where_rules_stand(repository, environ):
    """The same files and the same answers."""
    git = shutil.which("git")
    if git is None:
        assert not os.environ.get("CI"), "git is to be there where all is tested"
        pytest.skip("git is not installed: nobody can be asked")
    shutil.move(repository / ".git", repository / "aside")
    told = {**environ, "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run([git, "init", "-q", repository], check=True, env=told)
    shutil.copy(repository / "aside" / "info" / "exclude", repository / ".git" / "info" / "exclude")
    paths = [*SECRET, *PLAIN, *SHOWN]
    asked = subprocess.run(
        [git, "check-ignore", "--no-index", *paths],
        cwd=repository,
        env=told,
        capture_output=True,
        check=False,
    )
    assert asked.stdout.decode().split() == SECRET + PLAIN


def test_the_map_shows_nothing_ignored(repository, environ, monkeypatch):
    """Also where a folder of the repository is opened, and not the whole."""
    monkeypatch.setenv("HOME", environ["HOME"])
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for path in SECRET + PLAIN + SHOWN:
        (repository / path).parent.mkdir(exist_ok=True)
        (repository / path).write_text("x = 1\n")
    assert list(Tree(repository, []).files()) == [
        "a.py",
        "creds.py",
        "pkg/info_secret.py",
        "pkg/told_secret_top.py",
    ]
    assert list(Tree(repository / "pkg", []).files()) == ["info_secret.py", "told_secret_top.py"]
    assert list(Tree(repository / "pkg", [f"{repository}/pkg/info_*"]).files()) == ["told_secret_top.py"]


def test_a_file_of_rules_that_has_not_changed_is_not_looked_at_again(repository):
    """A checkout that touches it changes nothing; one in a folder that is left out neither."""
    tree = Tree(repository, [])
    tree.shows("pkg/a.py")
    assert not tree.forget("pkg/.gitignore")
    assert not tree.forget("node_modules/x/.gitignore")
    (repository / "pkg" / ".gitignore").write_text("a.py\n")
    assert tree.shows("pkg/a.py")
    assert tree.forget("pkg/.gitignore")
    assert not tree.shows("pkg/a.py")


def test_the_map_reads_nothing_below_a_linked_folder(tmp_path):
    """Though the client tells of a file there."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.py").write_text("x = 1\n")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "link").symlink_to(tmp_path / "outside")
    assert Tree(tmp_path / "p", []).text("link/a.py") is None
    assert Tree(tmp_path / "outside", []).text("a.py") == "x = 1\n"


def test_a_worktree_has_the_rules_of_its_repository(repository, tmp_path, environ):
    """Its `.git` is a file that says where."""
    aside = repository / ".git" / "worktrees" / "w"
    aside.mkdir(parents=True)
    (aside / "commondir").write_text("../..\n")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".git").write_text(f"gitdir: {aside}\n")
    assert secret(f"{tmp_path}/w/info_secret.py", environ)
    assert not secret(f"{tmp_path}/w/info_plain.py", environ)


def test_a_folder_named_for_secrets_speaks_for_its_rules(tmp_path, environ):
    """`keys/.gitignore` that says `*` means secrets; the name of the whole project says nothing."""
    top = tmp_path / "private-project"
    (top / ".git").mkdir(parents=True)
    (top / "keys").mkdir()
    (top / "keys" / ".gitignore").write_text("*\n!README.md\n")
    (top / ".gitignore").write_text("*.log\n")
    assert secret(f"{top}/keys/x.py", environ)
    assert not secret(f"{top}/keys/README.md", environ)
    assert not secret(f"{top}/x.log", environ)


@pytest.mark.parametrize("kind", ["pipe", "device", "link", "folder", "socket"])
def test_what_is_no_plain_file_is_not_read(tmp_path, environ, kind):
    """It would hang, or fill the memory."""
    file = tmp_path / ".gitignore"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    elif kind == "socket":
        import socket

        with socket.socket(socket.AF_UNIX) as made:
            os.chdir(tmp_path)
            made.bind(".gitignore")
    else:
        (tmp_path / "rules").write_text("secret.py\n")
        file.symlink_to("/dev/zero" if kind == "device" else "rules")
    assert not secret(f"{tmp_path}/secret.py", environ)


def test_a_file_over_the_bounds_keeps_all_home_and_is_told(tmp_path, environ):
    """Rules that are not read might name anything."""
    told = []
    for data in (
        b"#" * ignore_files.MOST_BYTES + b"\nx\n",
        b"#\n" * 50_001,
        b"".join(b"secret[%d]\n" % n for n in range(6_000)),
    ):
        (tmp_path / ".gitignore").write_bytes(data)
        assert secret(f"{tmp_path}/a.py", environ, told.append)
    assert set(told) == {f"{tmp_path}/.gitignore"}
    (tmp_path / ".gitignore").write_bytes(b"#" * (ignore_files.MOST_BYTES - 10) + b"\nsecret\n")
    assert not secret(f"{tmp_path}/a.py", environ, told.append)
    assert secret(f"{tmp_path}/secret", environ, told.append)


def test_many_rules_are_made_once(tmp_path, environ, monkeypatch):
    """For all documents, as long as the file says the same."""
    (tmp_path / ".gitignore").write_text("".join(f"*secret_{n}*.py\n" for n in range(16_000)))
    assert secret(f"{tmp_path}/a_secret_15999_b.py", environ)
    monkeypatch.setattr(ignore_files, "Rules", None)
    assert not secret(f"{tmp_path}/other.py", environ)


async def test_a_document_that_an_ignore_file_names_asks_for_nothing(world, tmp_path):
    """The user's own `exclude` has the last word; with the rule gone it is asked about again."""
    from dataclasses import replace

    made = type(world)()
    made.engine.documents.never_sent._ignored = kept_home_by
    (tmp_path / ".gitignore").write_text("local_secrets.py\n")
    uri = (tmp_path / "local_secrets.py").as_uri()
    made.engine.open(Document(uri, "python", 1, "x = \n"))
    assert await made.engine.complete(uri, Place(0, 4), explicit=True) == ()
    assert made.service.requests == []
    await made.engine.configure(replace(made.engine.settings, exclude=("!local_secrets.py",)))
    assert await made.engine.complete(uri, Place(0, 4), explicit=True) != ()
    await made.engine.configure(replace(made.engine.settings, exclude=()))
    made.engine.clear()
    assert await made.engine.complete(uri, Place(0, 4), explicit=True) == ()
    (tmp_path / ".gitignore").write_text("")
    made.engine.documents.folders([tmp_path.as_uri()])
    assert await made.engine.complete(uri, Place(0, 4), explicit=True) != ()
    await made.engine.aclose()


async def test_over_the_protocol_too(start, endpoint, repository):
    """Without a folder, with a part of the repository, after a rename; a pattern without sense is told once."""
    client = await start({"exclude": ["!"]})
    for path in SECRET:
        uri = (repository / path).as_uri()
        client.open(uri, "held_back = 1\nheld_")
        await client.texts(uri, 1, 5, explicit=True)
    change = {"event": {"added": [{"uri": (repository / "pkg").as_uri(), "name": "pkg"}], "removed": []}}
    client.notify("workspace/didChangeWorkspaceFolders", change)
    for path in SECRET:
        await client.texts((repository / path).as_uri(), 1, 5, explicit=True)
    assert endpoint.bodies == []
    ordinary, renamed = ((repository / name).as_uri() for name in ("a.py", "pkg/creds.py"))
    client.open(ordinary, "held_back = 1\nheld_")
    await client.texts(ordinary, 1, 5, explicit=True)
    assert endpoint.bodies
    asked = len(endpoint.bodies)
    client.notify("workspace/didRenameFiles", {"files": [{"oldUri": ordinary, "newUri": renamed}]})
    client.notify("textDocument/didClose", {"textDocument": {"uri": ordinary}})
    client.open(renamed, "held_back = 1\nheld_")
    await client.texts(renamed, 1, 5, explicit=True)
    assert len(endpoint.bodies) == asked
    client.push({"debounceMs": 1})
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    assert len([told for told in client.messages() if "names no file" in told]) == 1


async def test_the_command_reads_the_ignore_files(endpoint, repository, tmp_path):
    """`fim-lsp complete` on the way up from its file, as the server does."""
    file = repository / "pkg" / "creds.py"
    file.write_text("held_back = 1\nheld_")
    shutil.copy(file, file.with_name("other.py"))
    import asyncio

    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())}
    environ |= {"FIM_LSP_BASE_URL": endpoint.url, "DEEPSEEK_API_KEY": "sk-test"}
    for name, sent in (("creds.py", 0), ("other.py", 1)):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fim_lsp", "complete", "--json", f"{file.with_name(name)}:2:6"),
            env=environ, stdout=-1, stderr=-1,
        )  # fmt: skip
        out, err = await process.communicate()
        assert len(endpoint.bodies) == sent, err
        assert process.returncode == 1 - sent
        assert not sent or json.loads(out)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ("[core]\nexcludesfile=~/x", "/h/x"), ('[CORE]\n\tExcludesFile = "/a b"  # c\n', "/a b"), ("[core]excludesfile = /x", "/x"),
        ("[core]\nexcludesfile = /x\n[other]\nexcludesfile = /y", "/x"), ('[core "sub"]\nexcludesfile = /y', "/h/.config/git/ignore"),
        ("[core]\nexcludesfile = /x\\\ny", "/xy"), ("", "/h/.config/git/ignore"), ("[core]\n# excludesfile = /y", "/h/.config/git/ignore"),
    ],
)  # fmt: skip
def test_the_users_own_file_is_where_git_is_told(monkeypatch, config, named):
    """In its configuration, read without git."""
    files = {"/h/.gitconfig": config.encode()}
    monkeypatch.setattr(ignore_files, "read", lambda path, _, **__: files.get(path))
    assert ignore_files._users_file({"HOME": "/h"}) == named
    assert ignore_files._users_file({}) is None or named


def test_random_bytes_are_rules_like_any_other(tmp_path, environ):
    """Nothing in a file makes it fail."""
    dice = random.Random(5)
    for _ in range(300):
        (tmp_path / ".gitignore").write_bytes(dice.randbytes(dice.randint(0, 300)))
        Ignores("", environ=environ).ignored(f"{tmp_path}/a/secret.py")
        secret(f"{tmp_path}/\udcff/secret.py", environ)


async def test_hostile_ignore_files_stop_nothing(start, endpoint, tmp_path):
    """A pipe, endless zeros, rules of stars: the document in the same folder is completed."""
    client = await start()
    for kind in ("pipe", "zeros", "stars"):
        folder = tmp_path / kind
        folder.mkdir()
        if kind == "pipe":
            os.mkfifo(folder / ".gitignore")
        elif kind == "zeros":
            (folder / ".gitignore").symlink_to("/dev/zero")
        else:
            (folder / ".gitignore").write_text("secret*" + "a*" * 60 + "z\n" + "*" * 200 + "token\n")
        change = {"event": {"added": [{"uri": folder.as_uri(), "name": kind}], "removed": []}}
        client.notify("workspace/didChangeWorkspaceFolders", change)
        uri = (folder / ("secret" + "a" * 200 + ".py")).as_uri()
        client.open(uri, "held_back = 1\nheld_")
        assert await client.texts(uri, 1, 5, explicit=True)
    assert len(endpoint.bodies) >= 3


async def test_a_rule_that_comes_later_holds_at_once(start, endpoint, repository):
    """For a document that is open, as soon as the client tells of it; one that says the same as before ends nothing."""
    client = await start()
    change = {"event": {"added": [{"uri": repository.as_uri(), "name": "top"}], "removed": []}}
    client.notify("workspace/didChangeWorkspaceFolders", change)
    uri, rules = (repository / "tokens.py").as_uri(), (repository / "%2Egitignore").as_uri()
    rules = rules.replace("%252E", "%2E")
    client.open(uri, "held_back = 1\nheld_")
    await client.texts(uri, 1, 5, explicit=True)
    asked = len(endpoint.bodies)
    assert asked
    (repository / ".gitignore").write_text("tokens.py\n")
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": rules, "type": 2}]})
    client.type(uri, 1, 5, "b")
    assert await client.texts(uri, 1, 6, explicit=True) == []
    assert len(endpoint.bodies) == asked
    (repository / ".gitignore").write_text("")
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": rules, "type": 2}]})
    await client.texts(uri, 1, 6, explicit=True)
    assert len(endpoint.bodies) > asked
