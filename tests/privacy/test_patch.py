"""Commit messages and patches: what they show of files that are never sent stays home."""

import pytest
from lsp import Client

from fim_lsp.privacy import patch

SECRET = "tulip-anchor-granite"
OPEN = "open-to-all"


def secret(path):
    """The files that are secret here."""
    return path.rpartition("/")[2] in {".env", "my secret.pem", "schlüssel.pem"}


def hunk(word, lines=2):
    return f"@@ -1,{lines} +1,{lines} @@\n" + f"+{word}\n" * lines


def git(path, word, old=None, header=""):
    old = old or path
    return f"diff --git a/{old} b/{path}\n{header}--- a/{old}\n+++ b/{path}\n{hunk(word)}"


PARTS = {
    "git": git(".env", SECRET),
    "in a folder": git("deploy/.env", SECRET),
    "new": f"diff --git a/.env b/.env\nnew file mode 100644\n--- /dev/null\n+++ b/.env\n{hunk(SECRET)}",
    "deleted": f"diff --git a/.env b/.env\ndeleted file mode 100644\n--- a/.env\n+++ /dev/null\n{hunk(SECRET)}",
    "renamed away": git("config.txt", SECRET, ".env", "rename from .env\nrename to config.txt\n"),
    "renamed to": git(".env", SECRET, "config.txt", "rename from config.txt\nrename to .env\n"),
    "no prefix": f"diff --git .env .env\n--- .env\n+++ .env\n{hunk(SECRET)}",
    "mnemonic": f"diff --git c/.env i/.env\n--- c/.env\n+++ i/.env\n{hunk(SECRET)}",
    "blank": git("my secret.pem", SECRET),
    "quoted": f'diff --git "a/schl\\303\\274ssel.pem" "b/schl\\303\\274ssel.pem"\n{hunk(SECRET)}',
    "merge": f"diff --cc .env\nindex 1,2..3\n--- a/.env\n+++ b/.env\n@@@ -1,2 -1,2 +1,3 @@@\n++{SECRET}\n",
    "combined": f"diff --combined deploy/.env\n@@@ -1,2 -1,2 +1,3 @@@\n++{SECRET}\n",
    "plain": f"--- .env\t2026-01-01\n+++ .env\t2026-01-02\n{hunk(SECRET)}",
    "context": f"*** .env\t2026\n--- .env\t2026\n***************\n*** 1,2 ****\n! {SECRET}\n--- 1,2 ----\n! {SECRET}\n",
    "svn": f"Index: .env\n{'=' * 67}\n--- .env\t(revision 1)\n+++ .env\t(working copy)\n{hunk(SECRET)}",
    "mercurial": f"diff -r 0123456789ab .env\n--- a/.env\n+++ b/.env\n{hunk(SECRET)}",
    "two dashes within": f"diff --git a/.env b/.env\n--- a/.env\n+++ b/.env\n{hunk(f'{SECRET}')}--- {SECRET}\n++++ {SECRET}\n",
    "of no file": hunk(SECRET),
}  # fmt: skip
MESSAGE = "Say more\n\n# modified: .env\n# ------------------------ >8 ------------------------\n"


def split(text):
    return text.splitlines(keepends=True)


@pytest.mark.parametrize("before", ["", MESSAGE], ids=["patch", "message"])
@pytest.mark.parametrize("kind", PARTS)
def test_a_secret_files_part_is_blank(kind, before):
    """Whoever wrote the patch; the other files' parts, and the places of all lines, stay."""
    around = git("readme.md", OPEN)
    lines = split(before + PARTS[kind] if kind == "of no file" else before + around + PARTS[kind] + around)
    left = patch.without(lines, secret)
    assert SECRET not in "".join(left)
    assert [line[-1:] for line in left] == [line[-1:] for line in lines]
    if kind != "of no file":
        assert "".join(left).count(OPEN) == 4
    assert "".join(left).startswith(before if kind == "of no file" else before + around)


@pytest.mark.parametrize(
    "text",
    [
        "", "One line", MESSAGE, git("readme.md", OPEN) * 2,
        "A message that says --- a and\n--- a\n@@ nothing\n" , "* one\n* two\n\ndiff -u is a command\n",
    ],
)  # fmt: skip
def test_what_is_no_secret_files_part_stays(text):
    """Prose and other files' parts are sent as they are."""
    assert "".join(patch.without(split(text), secret)) == text


@pytest.mark.parametrize(
    ("uri", "language", "holds"),
    [
        ("file:///p/.git/COMMIT_EDITMSG", "plaintext", True), ("file:///p/.git/MERGE_MSG", "plaintext", True),
        ("file:///p/.git/ADD_EDIT.patch", "plaintext", True), ("file:///p/x.diff", "plaintext", True),
        ("file:///p/.git/addp-hunk-edit.diff", "diff", True), ("file:///p/x", "git-commit", True),
        ("file:///p/x", "gitcommit", True), ("file:///p/x.py", "python", False), ("untitled:a", "plaintext", False),
    ],
)  # fmt: skip
def test_which_documents_may_hold_a_patch(uri, language, holds):
    """By their language, or by their names where the editor knows no such language."""
    assert patch.may_hold(uri, language) is holds


def test_paths_lead_from_the_repository():
    """A message lies in its .git folder, any other patch where it lies."""
    assert patch.root("file:///p/.git/COMMIT_EDITMSG") == "file:///p/"
    assert patch.root("file:///p/.git/worktrees/w/COMMIT_EDITMSG") == "file:///p/"
    assert patch.root("file:///p/out/x.diff") == "file:///p/out/"


@pytest.mark.parametrize(("name", "language"), [("COMMIT_EDITMSG", "git-commit"), ("ADD_EDIT.patch", "diff")])
async def test_a_commit_message_is_completed_without_the_secret_files_hunks(start, endpoint, name, language):
    """What is excluded by the list of secrets and by the settings is not in the request; the rest is."""
    client: Client = await start({"exclude": ["inner/**"], "languages": {"gitcommit": True}})
    uri, other = f"file:///p/.git/{name}", "file:///p/.git/other.txt"
    body = git("readme.md", OPEN, header="") + git(".env", SECRET) + git("inner/a.py", SECRET)
    client.open(uri, "Say \n" + body + git("readme.md", OPEN), language)
    for line in (0, 7):
        client.type(uri, line, 0, "more = \n")
        await client.texts(uri, line, 7, explicit=True)
    assert OPEN in endpoint.bodies[-1]["prompt"]
    at = 2 + body.split("\n").index(f"+{SECRET}")
    before = len(endpoint.bodies)
    for explicit in (False, True):
        assert not await client.texts(uri, at + 1, len(SECRET) + 1, explicit=explicit)
    assert len(endpoint.bodies) == before
    client.open(other, "x = \n", language)
    await client.texts(other, 0, 4, explicit=True)
    end = len(("Say \nmore = \nmore = \n" + body + git("readme.md", OPEN)).split("\n")) - 1
    client.type(uri, end, 0, "last = ")
    await client.texts(uri, end, 7, explicit=True)
    sent = "".join(body["prompt"] + body.get("suffix", "") for body in endpoint.bodies)
    assert SECRET not in sent
    assert "last = " in sent
