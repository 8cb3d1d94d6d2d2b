"""Notebooks over stdio: what a cell knows of the others, in their order, and what it is not to know."""

import pytest

BOOK = "file:///project/book.ipynb"


def cell(name):
    return f"vscode-notebook-cell:/project/book.ipynb#{name}"


class Book:
    """A notebook as a client syncs it: its cells by name, each with its language and text."""

    def __init__(self, client, cells):
        self.client = client
        self.version = 1
        self.cells = [name for name, _, _ in cells]
        self.languages = {name: language for name, language, _ in cells}
        notebook = {"uri": BOOK, "notebookType": "jupyter-notebook", "version": 1}
        notebook["cells"] = [self._cell(name) for name in self.cells]
        texts = [self._text(name, text) for name, _, text in cells]
        client.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": texts})

    def _cell(self, name):
        kind = 1 if self.languages[name] == "markdown" else 2
        return {"kind": kind, "document": cell(name), "executionSummary": {"executionOrder": 1}}

    def _text(self, name, text):
        return {"uri": cell(name), "languageId": self.languages[name], "version": 1, "text": text}

    def _tell(self, change):
        self.version += 1
        notebook = {"uri": BOOK, "version": self.version}
        self.client.notify(
            "notebookDocument/didChange", {"notebookDocument": notebook, "change": {"cells": change}}
        )

    def splice(self, start, gone, new=(), opened=(), closed=()):
        for name, language, _ in opened:
            self.languages[name] = language
        array = {"start": start, "deleteCount": gone, "cells": [self._cell(name) for name in new]}
        structure = {"array": array, "didOpen": [self._text(name, text) for name, _, text in opened]}
        structure["didClose"] = [{"uri": cell(name)} for name in closed]
        self._tell({"structure": structure})

    def type(self, name, line, character, text, end=None):
        start = {"line": line, "character": character}
        change = {"range": {"start": start, "end": end or start}, "text": text}
        content = {"document": {"uri": cell(name), "version": self.version + 1}, "changes": [change]}
        self._tell({"textContent": [content]})


CELLS = [
    ("one", "python", "import os"),
    ("two", "markdown", "# Title\n\nSome words."),
    ("three", "python", "x = os.getcwd()\n"),
    ("four", "python", "y ="),
    ("five", "python", "below = 1\n"),
]


async def test_a_cell_knows_the_cells_above(start, endpoint):
    """Code as it is, Markdown as comments, nothing from below; the file is named as the notebook."""
    client = await start()
    book = Book(client, CELLS)
    book.type("four", 0, 3, " ")
    assert await client.texts(cell("four"), 0, 4) == ["None"]
    body = endpoint.bodies[0]
    assert body["prompt"] == (
        "# book.ipynb\nimport os\n\n# # Title\n#\n# Some words.\n\nx = os.getcwd()\n\ny = "
    )
    assert "below" not in body["prompt"] + body.get("suffix", "")


async def test_cells_moved_added_and_deleted(start, endpoint):
    """The order is the notebook's, as it is now; what is gone is sent no more."""
    client = await start()
    book = Book(client, CELLS)

    async def above():
        book.type("four", 0, 3, " ")
        client.notify("$/cancelRequest", {"id": 0})
        await client.texts(cell("four"), 0, 4, explicit=True)
        book.type("four", 0, 3, "", end={"line": 0, "character": 4})
        return endpoint.bodies[-1]["prompt"].removeprefix("# book.ipynb\n").removesuffix("y = ")

    assert (await above()).index("import os") < (await above()).index("getcwd")
    book.splice(0, 3, ["three", "one"], closed=["two"])
    moved = await above()
    assert moved == "x = os.getcwd()\n\nimport os\n\n"
    book.splice(1, 0, ["new"], opened=[("new", "python", "added = 1")])
    assert await above() == "x = os.getcwd()\n\nadded = 1\n\nimport os\n\n"
    book.splice(0, 1, closed=["three"])
    assert await above() == "added = 1\n\nimport os\n\n"
    book.type("new", 0, 0, "changed", end={"line": 0, "character": 5})
    assert await above() == "changed = 1\n\nimport os\n\n"
    assert "getcwd" not in endpoint.bodies[-1]["prompt"]


async def test_an_answer_is_not_shown_where_other_cells_stand_above(start, endpoint):
    """A cell that is moved below another one, and one of the same text, ask anew; back where it was, it is known."""
    client = await start()
    book = Book(client, [("one", "python", "a = 1"), ("two", "python", "y = ")])
    assert await client.texts(cell("two"), 0, 4) == ["None"]
    endpoint.says = "other\n"
    book.type("one", 0, 5, "2")
    assert await client.texts(cell("two"), 0, 4) == ["other"]
    book.type("one", 0, 5, "", end={"line": 0, "character": 6})
    assert await client.texts(cell("two"), 0, 4) == ["None"]
    assert len(endpoint.bodies) == 2


async def test_typing_in_a_cell_below_others(start, endpoint):
    """The prompt's lines stay in step with the cell while lines come and go in it."""
    client = await start()
    book = Book(client, CELLS)
    text = ["y ="]
    for number in range(5):
        column = len(text[-1])
        book.type("four", len(text) - 1, column, "\nz =")
        text += ["z ="]
        await client.texts(cell("four"), len(text) - 1, 3)
        assert endpoint.bodies[-1]["prompt"].endswith("x = os.getcwd()\n\n" + "\n".join(text)), number


async def test_what_is_never_sent(start, endpoint):
    """A notebook that is excluded, and Markdown where it is off."""
    client = await start({"exclude": ["*.ipynb"]})
    Book(client, CELLS)
    assert await client.texts(cell("four"), 0, 3, explicit=True) == []
    assert endpoint.bodies == []
    client = await start({"languages": {"markdown": False}})
    Book(client, CELLS)
    await client.texts(cell("four"), 0, 3)
    assert "words" not in endpoint.bodies[-1]["prompt"]


@pytest.mark.parametrize(
    ("last", "above"), [("markdown", "```python\nimport os\n```\n\n"), ("r", "# import os\n\n")]
)
async def test_cells_of_other_languages(start, endpoint, last, above):
    """Code in Markdown is fenced; code of another language is a comment."""
    client = await start()
    book = Book(client, [("one", "python", "import os"), ("two", last, "y =")])
    book.type("two", 0, 3, " ")
    await client.texts(cell("two"), 0, 4)
    assert endpoint.bodies[0]["prompt"] == f"# book.ipynb\n{above}y = "
