"""What is excluded is excluded under every name: the witness is what the endpoint was sent."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from fim_lsp.privacy.location import paths

BACKSLASH = "\\"


async def asks(client, uri, *, explicit=True):
    """Ask in the menu and as ghost text, at the end of a document that holds a mark."""
    client.open(uri, "held_back = 1\nheld_")
    await client.texts(uri, 1, 5, explicit=explicit)
    place = {"textDocument": {"uri": uri}, "position": {"line": 1, "character": 5}}
    await client.call("textDocument/completion", place)


EXCLUDE = ["notes.ipynb", "client[?].py", "my file.py", "inner/deep/*.py"]
SECRET = [
    # Cells of notebooks, as VS Code and others name them.
    "vscode-notebook-cell:/p/notes.ipynb#W0sZmlsZQ%3D%3D",
    "vscode-notebook-cell:///p/notes.ipynb#W0sZmlsZQ%3D%3D",
    "vscode-notebook-cell:/p/client%3F.py#W0s",
    "vscode-notebook-cell:/p/my%20file.py#W0s",
    "vscode-notebook-cell:/p/secrets.json#W0s",
    "vscode-notebook-cell:/p/c#/notes.ipynb#W0s",
    "vscode-interactive-input:/p/notes.ipynb?1#W1",
    # Documents that no file holds yet.
    "untitled:.npmrc",
    "untitled:credentials",
    "untitled:secrets.yaml",
    "untitled:/p/secrets.yaml",
    "untitled:c:%5Cp%5C.env",
    # Revisions, differences, archives.
    "git:/p/server.pem?%7B%22path%22%3A%22%2Fp%2Fserver.pem%22%2C%22ref%22%3A%22~%22%7D",
    "git:/p/credentials?ref=HEAD",
    "git:/p/a.py?%7B%22path%22%3A%22%2Fp%2Fsecrets.yaml%22%7D",
    "gitlens://0123/p/secrets.yaml?%7B%22ref%22%3A%22HEAD%22%7D",
    "review:/p/a.txt?path=/p/.env",
    "fugitive:///p/.git//0/secrets.yaml",
    "gitsigns:///p/.git/HEAD~:secrets.yaml",
    "zipfile:///p/a.zip::.env",
    "jar:file:///p/a.jar!/secrets.yaml",
    "vscode-vfs://github/owner/name/.env",
    "vscode-remote://wsl%2Bubuntu/home/u/.netrc",
    "scp://host//home/u/.netrc",
    # Files spelled otherwise.
    "file:///p/%2Eenv",
    "file:///p/%252Eenv",
    "FILE:///p/.env",
    "file:/p/.env",
    "file://localhost/p/.env",
    "file:///p/my%20file.py",
    "file:///p/my file.py",
    "file:///p/x/../.npmrc",
    "file:///p/inner/%64eep/a.py",
    "file:///p//inner//./deep/a.py",
    "/p/.env",
    # Windows' drives and shares.
    "file:///c:/p/.env",
    "file:///C%3A/p/secrets.yaml",
    "file:///c%3a/p/inner/deep/a.py",
    "file:///c%3A%5Cp%5Cinner%5Cdeep%5Ca.py",
    "file://server/share/p/.netrc",
    "file:///C:/p/credentials.",
    "file:///C:/p/credentials::$DATA",
]


OTHERS = [
    "file:///p/a.py",
    "vscode-notebook-cell:/p/other.ipynb#W0sZmlsZQ%3D%3D",
    "untitled:Untitled-1",
    "git:/p/a.py?%7B%22path%22%3A%22%2Fp%2Fa.py%22%2C%22ref%22%3A%22%22%7D",
    "file:///C%3A/p/a.py",
    "file://server/share/a.py",
    "inmemory://model/1",
    "jdtls://contents/a.jar/x/A.class?=p",
]


async def test_no_spelling_of_an_excluded_document_is_sent(start, endpoint):
    """By the list of files that hold secrets, or by the user's own, whatever the scheme; `explain` says so."""
    client = await start({"exclude": EXCLUDE})
    for uri in SECRET:
        await asks(client, uri)
        assert endpoint.bodies == [], uri
        place = {"uri": uri, "position": {"line": 1, "character": 5}}
        asked = {"command": "fimLsp.explain", "arguments": [place]}
        told = await client.call("workspace/executeCommand", asked)
        assert told["excludedBy"], uri
        assert told["problem"] == f"This document is never sent: it is excluded by {told['excludedBy']}."
    for uri in OTHERS:
        endpoint.bodies.clear()
        await asks(client, uri)
        assert "held_back" in str(endpoint.bodies), uri


async def test_a_notebook_counts_for_its_cells(start, endpoint):
    """The notebook's own URI, where those of the cells say nothing: as it opens, and for cells added later."""
    client = await start({"exclude": ["notes.ipynb"]})

    def cell(number):
        return {"uri": f"cell:{number}", "languageId": "python", "version": 1, "text": "held_back = 1\nheld_"}

    def notebook(uri):
        cells = [{"kind": 2, "document": "cell:1"}]
        return {"uri": uri, "notebookType": "jupyter-notebook", "version": 1, "cells": cells}

    uri = "file:///p/notes.ipynb"
    opened = {"notebookDocument": notebook(uri), "cellTextDocuments": [cell(1)]}
    client.notify("notebookDocument/didOpen", opened)
    splice = {"start": 1, "deleteCount": 0, "cells": [{"kind": 2, "document": "cell:2"}]}
    structure = {"array": splice, "didOpen": [cell(2)]}
    client.notify(
        "notebookDocument/didChange",
        {"notebookDocument": {"uri": uri, "version": 2}, "change": {"cells": {"structure": structure}}},
    )
    for number in (1, 2):
        await client.texts(f"cell:{number}", 1, 5, explicit=True)
    # Told of again as a mere document, it is a cell still.
    await asks(client, "cell:2")
    assert endpoint.bodies == []
    other = {"notebookDocument": notebook("file:///p/other.ipynb"), "cellTextDocuments": [cell(3)]}
    client.notify("notebookDocument/didOpen", other)
    await client.texts("cell:3", 1, 5, explicit=True)
    assert endpoint.bodies


@pytest.fixture
def project(tmp_path):
    """A folder whose .gitignore keeps files home, with a name that can be spelled in several ways."""
    folder = tmp_path / "real" / "ur +é"
    (folder / "inner").mkdir(parents=True)
    (folder / ".gitignore").write_text("secret_*.py\n/private/\n")
    return folder


async def opened(start, folder):
    """A client with that folder, by its URI."""
    client = await start()
    change = {"event": {"added": [{"uri": folder, "name": "p"}], "removed": []}}
    client.notify("workspace/didChangeWorkspaceFolders", change)
    return client


@pytest.mark.parametrize("folder", ["plain", "encoded", "linked"])
async def test_a_folder_keeps_its_secrets_however_it_is_spelled(start, endpoint, project, tmp_path, folder):
    """Encoded in another way than its documents, or opened through a link."""
    (tmp_path / "link").symlink_to(project)
    spelled = {
        "plain": f"file://{quote(str(project), safe='/+')}",
        "encoded": f"file://{quote(str(project))}".replace("r", "%72"),
        "linked": (tmp_path / "link").as_uri(),
        "cell": f"vscode-notebook-cell:{quote(str(project))}",
    }
    client = await opened(start, spelled[folder])
    for document, home in spelled.items():
        fragment = "#W0s" if document == "cell" else ""
        for name in ("secret_a.py", "private/b.py"):
            await asks(client, f"{home}/{name}{fragment}")
        assert endpoint.bodies == [], document
        await asks(client, f"{home}/c.py{fragment}")
        assert endpoint.bodies, document
        endpoint.bodies.clear()


async def test_a_link_counts_under_its_own_name_and_its_targets(start, endpoint, tmp_path):
    """`deploy.txt` that leads to a private key is one, in one step or two; so is a link that is named as one."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_rsa").write_text("held_back = 1\nheld_")
    (tmp_path / "plain.txt").write_text("held_back = 1\nheld_")
    (tmp_path / "middle.pem").symlink_to(tmp_path / "plain.txt")
    links = {
        "deploy.txt": ".ssh/id_rsa",
        "twice.txt": "deploy.txt",
        "prod.env": "plain.txt",
        "through.txt": "middle.pem",
    }
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    client = await start()
    for name in links:
        await asks(client, (tmp_path / name).as_uri())
    assert endpoint.bodies == []
    (tmp_path / "other.txt").symlink_to("plain.txt")
    await asks(client, (tmp_path / "other.txt").as_uri())
    assert endpoint.bodies


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a/b.py", "/a/b.py"), ("file:///C:/a/b.py", "/c:/a/b.py"), ("file:///c%3A/a/b.py", "/c:/a/b.py"),
        ("file:///c|/a/b.py", "/c:/a/b.py"), (f"C:{BACKSLASH}a{BACKSLASH}b.py", "/c:/a/b.py"), ("file://Host/s/b.py", "//host/s/b.py"),
        ("vscode-notebook-cell:/a/b.ipynb#x", "/a/b.ipynb"), ("untitled:Untitled-1", "/Untitled-1"), ("git:/a/b.py?x", "/a/b.py"),
        ("file:///a/b%23c.py", "/a/b#c.py"), ("", "/"), ("file:", "/"), (":", "/:"), ("file:///a/%00", "/a/\0"),
    ],
)  # fmt: skip
def test_the_first_path_is_the_canonical_one(uri, path):
    """One spelling for all, with `/` in front and between the parts."""
    assert paths(uri)[0] == path


def test_links_that_lead_in_circles_end(tmp_path):
    """And what is too long for a path is a name like any other."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert str(tmp_path / "b") in {str(Path(path)) for path in paths((tmp_path / "a").as_uri())}
    assert paths("file:///" + "x" * 5000)
    assert paths("file:///" + "a%ff")[0] == os.fsdecode(b"/a\xff")
