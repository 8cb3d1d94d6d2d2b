"""Commit messages over stdio: off unless switched on, told by what git has put into the buffer, without its comments."""

import pytest

URI = "file:///project/.git/COMMIT_EDITMSG"
SCISSORS = "# ------------------------ >8 ------------------------\n"
BUFFER = (
    "\n"
    "# Please enter the commit message for your changes.\n"
    "# Changes to be committed:\n"
    "#\tmodified:   a.py\n"
    "#\tnew file:   .env\n"
    "#\n" + SCISSORS + "# Do not modify or remove the line above.\n"
    "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-old = 1\n+renamed = 1\n"
    "diff --git a/.env b/.env\n--- /dev/null\n+++ b/.env\n@@ -0,0 +1 @@\n+HELD_BACK=1\n"
)
NAMES = [
    (URI, "git-commit"),
    (URI, "gitcommit"),
    (URI, "plaintext"),
    (URI, ""),
    ("vscode-scm:git/scm0/input?rootUri%3Dfile", "scminput"),
]


@pytest.mark.parametrize(("uri", "language"), NAMES)
async def test_off_unless_switched_on(start, endpoint, uri, language):
    """Under each name of the language and of the file, asked for as well."""
    client = await start()
    client.open(uri, BUFFER, language)
    client.type(uri, 0, 0, "Re")
    assert await client.texts(uri, 0, 2) == []
    assert await client.texts(uri, 0, 2, explicit=True) == []
    assert endpoint.bodies == []


@pytest.mark.parametrize("word", ["gitcommit", "git-commit", "COMMIT_EDITMSG"])
@pytest.mark.parametrize(("uri", "language"), NAMES)
async def test_one_word_switches_them_on(start, endpoint, uri, language, word):
    """Any of the names, for all of them."""
    endpoint.says = "name old\n"
    client = await start({"languages": {word: True}})
    client.open(uri, BUFFER, language)
    client.type(uri, 0, 0, "Re")
    assert await client.texts(uri, 0, 2) == ["name old"]


async def test_what_git_tells_is_the_context(start, endpoint):
    """The changes come first and stay; of files that are never sent neither hunks nor names; no comment of git's."""
    client = await start({"languages": {"gitcommit": True}})
    client.open(URI, BUFFER, "gitcommit")
    client.type(URI, 0, 0, "Rename")
    await client.texts(URI, 0, 6)
    client.type(URI, 0, 6, " ")
    await client.texts(URI, 0, 7, explicit=True)
    first, second = endpoint.bodies
    assert "modified:   a.py\n" in first["prompt"]
    assert "+renamed = 1\n" in first["prompt"]
    assert first["prompt"].endswith("\nRename")
    assert second["prompt"] == first["prompt"] + " "
    sent = str(endpoint.bodies)
    assert ".env" not in sent
    assert "HELD_BACK" not in sent
    assert "Please enter" not in sent
    assert "Do not modify" not in sent
    assert "COMMIT_EDITMSG" not in sent


async def test_comment_lines_are_never_offered(start, endpoint):
    """Nor is anything offered in them, or below the scissors; whatever mark git uses."""
    endpoint.says = "name it\n\nBody of it.\n# Please enter more\nmore\n"
    client = await start({"languages": {"gitcommit": True}, "multiline": "always"})
    for number, mark in enumerate("#;"):
        uri = f"file:///project{number}/.git/COMMIT_EDITMSG"
        text = "".join(
            mark + line[1:] if line.startswith("#") else line for line in BUFFER.splitlines(keepends=True)
        )
        endpoint.says = f"name it\n\nBody of it.\n{mark} Please enter more\nmore\n"
        client.open(uri, text, "gitcommit")
        client.type(uri, 0, 0, "Re")
        (offered,) = await client.texts(uri, 0, 2)
        assert mark not in offered
        assert offered.startswith("name it")
        asked = len(endpoint.bodies)
        for line in (1, 3, 9, 12):
            assert await client.texts(uri, line, 3, explicit=True) == []
        assert len(endpoint.bodies) == asked


async def test_another_commits_answer_is_not_shown(start, endpoint):
    """The buffer of the next commit has the same name and the same empty message."""
    client = await start({"languages": {"gitcommit": True}})
    client.open(URI, BUFFER, "gitcommit")
    assert await client.texts(URI, 0, 0, explicit=True) == ["None"]
    client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    endpoint.says = "other\n"
    client.open(URI, BUFFER.replace("renamed", "dropped"), "gitcommit")
    assert await client.texts(URI, 0, 0, explicit=True) == ["other"]


async def test_a_folder_does_not_switch_them_on(start, endpoint):
    """What an editor sends while it runs may be a folder's."""
    client = await start()
    client.push({"languages": {"gitcommit": True, "git-commit": {"enabled": True}}})
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    client.open(URI, BUFFER, "gitcommit")
    client.type(URI, 0, 0, "Re")
    assert await client.texts(URI, 0, 2, explicit=True) == []
    assert endpoint.bodies == []
