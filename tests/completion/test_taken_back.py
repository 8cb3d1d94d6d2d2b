"""What a person takes back is in no later prompt: the endpoint's record of what was sent is the witness."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsp import CAPABILITIES
from world import World

from fim_lsp.context.project_context import ProjectContext
from fim_lsp.context.project_contexts import ProjectContexts
from fim_lsp.context.surveyor import Folder
from fim_lsp.context.tree import Tree
from fim_lsp.context.window import Window
from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Document, Place

SECRET = "tulip-anchor-granite"
LINE = f'motto = "{SECRET}"\n'
CHANGED, DELETED = 2, 3


class Person:
    """Somebody who types in two files of a project."""

    def __init__(self, client, endpoint, root):
        self.client, self.endpoint, self.root = client, endpoint, root
        self.one, self.two = (root / name for name in ("one.py", "two.py"))
        for path in (self.one, self.two):
            path.write_text("".join(f"{path.stem}_{number} = {number}\n" for number in range(30)))
        self.asked = 0

    def open(self, path, text=None, language="python", uri=None):
        uri = uri or path.as_uri()
        self.client.open(uri, path.read_text() if text is None else text, language)
        return uri

    def close(self, uri):
        self.client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    async def ask(self, uri, line=5):
        """What is sent at the end of a line that nobody has asked at: all of it, as text."""
        before, self.asked = len(self.endpoint.bodies), self.asked + 1
        self.client.type(uri, line, 0, f"asked_{self.asked} = \n")
        await self.client.texts(uri, line, len(f"asked_{self.asked} = "))
        sent = self.endpoint.bodies[before:]
        assert sent
        return "".join(body["prompt"] + body.get("suffix", "") for body in sent)

    async def tell(self):
        """Type the secret in the first file, and ask in the second: it is news there, as it should be."""
        one, two = self.open(self.one), self.open(self.two)
        await self.ask(one)
        self.client.type(one, 20, 0, LINE)
        await self.client.texts(one, 20, 0)
        assert SECRET in await self.ask(two)
        return one, two

    def watched(self, path, kind):
        self.client.notify(
            "workspace/didChangeWatchedFiles", {"changes": [{"uri": path.as_uri(), "type": kind}]}
        )

    async def command(self, name):
        await self.client.call("workspace/executeCommand", {"command": name, "arguments": []})


@pytest.fixture
async def person(start, endpoint, tmp_path):
    """A person whose editor has one folder open."""
    root = tmp_path / "work"
    root.mkdir()
    client = await start(capabilities={**CAPABILITIES, "workspace": {}})
    folders = {"added": [{"uri": root.as_uri(), "name": "work"}], "removed": []}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": folders})
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    return Person(client, endpoint, root)


async def delete(person, one):
    """The whole line."""
    person.client.type(one, 20, 0, "", {"line": 21, "character": 0})


async def shorten(person, one):
    """Take out but the words."""
    person.client.type(one, 20, 0, 'motto = ""\n', {"line": 21, "character": 0})


async def keys(person, one):
    """Backspace, key by key."""
    for column in range(len(LINE) - 1, 8, -1):
        person.client.type(one, 20, column - 1, "", {"line": 20, "character": column})


async def undo(person, one):
    """The whole text as it was."""
    person.client._versions[one] += 1
    version = {"uri": one, "version": person.client._versions[one]}
    changes = [{"text": person.one.read_text()}]
    person.client.notify("textDocument/didChange", {"textDocument": version, "contentChanges": changes})


async def reopen(person, one):
    """Closed, and opened again with the text of the disk."""
    person.close(one)
    person.open(person.one)


async def discard(person, one):
    """Closed without saving."""
    person.close(one)


async def remove(person, one):
    """Removed on the disk, while it is closed."""
    person.one.write_text(LINE)
    person.client.notify("textDocument/didSave", {"textDocument": {"uri": one}})
    person.close(one)
    person.one.unlink()
    person.watched(person.one, DELETED)


async def check_out(person, one):
    """Saved, closed, and put back to another state on the disk."""
    before = person.one.read_text()
    person.one.write_text(before + LINE)
    person.client.notify("textDocument/didSave", {"textDocument": {"uri": one}})
    person.close(one)
    person.one.write_text(before)
    person.watched(person.one, CHANGED)


async def remove_open(person, one):
    """Removed on the disk while it is open."""
    person.one.unlink()
    person.client.notify("workspace/didDeleteFiles", {"files": [{"uri": one}]})


async def clear(person, one):
    """The command."""
    del one
    await person.command("fimLsp.clearCache")


async def rename(person, one):
    """The file is called .env from now on, and the editor says so."""
    new = person.root / ".env"
    person.one.rename(new)
    files = [{"oldUri": one, "newUri": new.as_uri()}]
    person.client.notify("workspace/didRenameFiles", {"files": files})


async def rename_by_opening(person, one):
    """Closed under one name, opened under the other; nothing is heard of the disk."""
    person.client.notify("textDocument/didSave", {"textDocument": {"uri": one}})
    person.close(one)
    person.open(person.one, person.one.read_text() + LINE, uri=(person.root / ".env").as_uri())


async def rename_before_closing(person, one):
    """Likewise, in the other order."""
    person.client.notify("textDocument/didSave", {"textDocument": {"uri": one}})
    person.open(person.one, person.one.read_text() + LINE, uri=(person.root / ".env").as_uri())
    person.close(one)


async def exclude(person, one):
    """By the settings."""
    del one
    person.client.push({"exclude": ["one.py"]})


WAYS = [
    delete, shorten, keys, undo, reopen, discard, remove, check_out, remove_open, clear, rename, rename_by_opening,
    rename_before_closing, exclude,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_what_was_taken_back_is_sent_no_more(person, way):
    """Neither in the other file's prompts, nor in a third one's, nor after the file was closed."""
    one, two = await person.tell()
    await way(person, one)
    assert SECRET not in await person.ask(two)
    assert SECRET not in await person.ask(two, 12)
    person.close(one)
    person.close(two)
    three = person.open(person.two, "x = 1\n" * 9, uri=(person.root / "three.py").as_uri())
    assert SECRET not in await person.ask(three)
    assert SECRET not in await person.ask(person.open(person.two))


async def test_what_stands_stays(person):
    """Typing further on a line, and edits of others, take nothing back: not a byte before the cursor changes."""
    one, two = await person.tell()
    person.client.type(one, 20, len(LINE) - 1, "  # to be continued")
    person.client.type(one, 2, 0, "", {"line": 3, "character": 0})
    before = person.endpoint.bodies[-1]["prompt"]
    assert SECRET in await person.ask(two, 6)
    assert person.endpoint.bodies[-1]["prompt"].startswith(before[: before.index("asked_")])


async def test_what_is_saved_is_kept_when_the_file_is_closed(person):
    """A closed file that holds what was typed in it is still told of."""
    one, two = await person.tell()
    person.one.write_text(person.one.read_text() + LINE)
    person.close(one)
    assert SECRET in await person.ask(two, 12)
    person.close(two)
    three = person.open(person.two, "x = 1\n" * 9, uri=(person.root / "three.py").as_uri())
    assert SECRET in await person.ask(three)


@pytest.mark.parametrize("how", ["delete", "exclude", "clear", "off", "here"])
async def test_a_question_that_waits_is_not_asked_with_what_is_taken_back_meanwhile(world: World, how):
    """The prompt was made before the pause: it is not sent after it."""
    engine, one, two = world.engine, "file:///p/one.py", "file:///p/two.py"
    for uri in (one, two):
        engine.open(Document(uri, "python", 1, "y = 1\n" * 9 + "z = \n"))
    engine.edited(one, engine.document(one).change(Place(4, 0), Place(4, 0), LINE))
    await engine.complete(one, Place(2, 0))
    await engine.configure(replace(engine.settings, debounce_ms=100))

    async def sleep(_):
        uri, line = (one, 4) if how != "here" else (two, 2)
        if how in {"delete", "here"}:
            engine.edited(uri, engine.document(uri).change(Place(line, 0), Place(line + 1, 0), ""))
        elif how == "exclude":
            await engine.configure(replace(engine.settings, exclude=("one.py",)))
        elif how == "off":
            await engine.configure(replace(engine.settings, languages={"go": False}))
        else:
            engine.clear()

    engine.backend.sleep = sleep
    before = len(world.service.requests)
    assert not await engine.complete(two, Place(9, 4))
    assert len(world.service.requests) == before


async def test_an_answer_of_a_secret_document_is_not_offered(person):
    """Nor is one in a language that was switched off; back on, it is still known."""
    one = person.open(person.one)
    await person.ask(one)
    at = one, 5, len("asked_1 = ")
    assert await person.client.texts(*at)
    for settings in ({"exclude": ["one.py"]}, {"languages": {"python": False}}):
        person.client.push(settings)
        assert not await person.client.texts(*at)
        person.client.push({"exclude": []})
    assert await person.client.texts(*at)


@pytest.mark.parametrize(
    "settings",
    [
        {"languages": {"javascript": False}},
        {"languages": {"javascript": {"enabled": False}}},
        {"languages": {"javascript": {"context": "off"}}},
        {"context": {"javascript": "off"}},
        {"enabled": False, "languages": {"typescript": {"enabled": True}}},
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("live", [True, False])
async def test_a_language_that_is_off_is_not_shown_to_others(person, settings, live):
    """Neither what was edited before it was switched off, nor what is edited after."""
    if not live:
        person.client.push(settings)
    script = person.open(person.one, language="javascript", uri=(person.root / "one.js").as_uri())
    typed = person.open(person.two, language="typescript", uri=(person.root / "two.ts").as_uri())
    person.client.type(script, 20, 0, LINE)
    await person.client.texts(script, 20, 8)
    if live:
        assert SECRET in await person.ask(typed)
        person.client.push(settings)
    person.client.type(script, 10, 0, LINE)
    assert SECRET not in await person.ask(typed)
    person.close(script)
    assert SECRET not in await person.ask(typed, 12)


def test_files_of_a_language_that_is_off_are_in_no_map(tmp_path):
    """Those of its family that are on still are; a manifest in such a language makes a package all the same."""
    (tmp_path / "a.js").write_text("export function ofScript() {}\n")
    (tmp_path / "b.ts").write_text("export function ofType() {}\nofScript()\n")
    (tmp_path / "c.ts").write_text("ofType()\n")
    (tmp_path / "package.json").write_text("{}")
    folder = Folder(Tree(tmp_path, [], ["javascript", "json"]))
    assert "package.json" in list(folder.survey())
    drawn = folder.map("typescript", "", "project").text
    assert "ofType" in drawn
    assert "ofScript" not in drawn


def test_a_language_is_shown_where_something_is_offered_in_it():
    """What the settings say of each."""
    settings = Settings(languages={"go": False, "lua": {"enabled": False}, "c": {"context": "off"}})
    assert [settings.shown(name) for name in ("go", "lua", "c", "rust")] == ["off", "off", "off", "project"]


OUTSIDE = [
    ("file:///w/one/a.py", "file:///w/two/a.py"),
    ("file:///w/one/a.py", "file:///elsewhere/a.py"),
    ("untitled:Untitled-1", "untitled:Untitled-2"),
    ("untitled:Untitled-1", "file:///w/one/a.py"),
    ("file:///elsewhere/a.py", "file:///other/a.py"),
    ("file:///elsewhere/a.py", "file:///elsewhere/deeper/a.py"),
    ("file:///a.py", "untitled:Untitled-1"),
    ("vscode-notebook-cell:/p/a.ipynb#W0", "vscode-notebook-cell:/q/b.ipynb#W0"),
    ("git:/p/a.py?%7B%22path%22:%22/p/a.py%22%7D", "git:/q/a.py?%7B%22path%22:%22/q/a.py%22%7D"),
]


@pytest.mark.parametrize("folders", [[], ["file:///w/one", "file:///w/two"]], ids=["none", "two"])
@pytest.mark.parametrize(("first", "second"), OUTSIDE)
def test_no_project_is_shown_in_another(folders, first, second):
    """Each folder of the workspace is one; so is the folder of a file outside of them, and each untitled text."""
    project_contexts = ProjectContexts()
    project_contexts.folders(folders)
    one, two = (project_contexts.of(uri, "python", "project") for uri in (first, second))
    assert one is not two
    assert one is project_contexts.of(first, "python", "project")


def test_files_outside_in_the_same_folder_are_shown_to_each_other():
    """Single files that lie side by side are one project."""
    project_contexts = ProjectContexts()
    assert project_contexts.of("file:///p/a.py", "python", "project") is project_contexts.of(
        "file:///p/b.py", "python", "project"
    )


# The window of one document.


def source(lines):
    return "".join(f"name_{number} = value_{number}\n" for number in range(lines))


@pytest.fixture
def page():
    """A document of 2,000 lines and its window."""
    document = Document("a", "python", 1, source(2000))
    return document, Window(48_000, 400)


def put(page, line, text, lines=0):
    document, window = page
    window.edited(document.change(Place(line, 0), Place(line + lines, 0), text))


def shown(page, line):
    document, window = page
    return "".join(window.prompt(document.lines, Place(line, 0), "a.py"))


def test_a_passage_shown_before_is_cut_where_it_was_taken_back(page):
    """What stands above stays, byte for byte."""
    put(page, 500, LINE)
    first = shown(page, 501)
    assert SECRET in shown(page, 1500)
    put(page, 500, "", 1)
    after = shown(page, 1499)
    assert SECRET not in after
    assert after.startswith(first[: first.index("motto")])


def test_what_was_taken_back_before_a_jump_is_not_in_the_trail(page):
    """Deleted in the live passage, with no prompt in between."""
    put(page, 500, LINE)
    assert SECRET in shown(page, 501)
    put(page, 500, "", 1)
    assert SECRET not in shown(page, 1500)


def test_the_frozen_half_of_a_long_passage_is_cut(page):
    """A change far above the cursor in the passage that is shown."""
    put(page, 500, LINE)
    for line in range(501, 1000, 20):
        assert SECRET in shown(page, line)
    put(page, 500, "", 1)
    assert SECRET not in shown(page, 998)


def test_the_first_lines_are_shown_as_they_are(page):
    """A secret among the imports, deleted while the cursor is far below."""
    put(page, 0, LINE)
    assert SECRET in shown(page, 1500)
    put(page, 0, "", 1)
    assert SECRET not in shown(page, 1499)
    assert SECRET not in shown(page, 400)


@pytest.mark.parametrize("line", [500, 0], ids=["passage", "header"])
def test_a_window_that_comes_back_shows_what_stands(page, line):
    """Closed, changed elsewhere, opened again."""
    put(page, line, LINE)
    shown(page, 501)
    assert SECRET in shown(page, 1500)
    document, window = page
    again = Document("a", "python", 1, document.text.replace(LINE, ""))
    window.reopened(again.lines)
    assert SECRET not in shown((again, window), 1499)


EVENT = st.one_of(
    st.tuples(st.just("go"), st.integers(0, 400)),
    st.tuples(st.just("put"), st.integers(0, 400), st.integers(0, 12), st.integers(0, 4)),
    st.tuples(st.just("type"), st.text("ab(\n ", min_size=1, max_size=30)),
    st.tuples(st.just("swap"), st.integers(0, 1)),
    st.tuples(st.just("all"), st.integers(0, 300)),
    st.tuples(st.just("reopen"), st.integers(0, 300)),
)


@given(st.lists(EVENT, max_size=40), st.sampled_from([1500, 48_000]))
def test_every_line_that_is_shown_stands(events, bound):
    """Whatever is edited, in whichever file: the prompt holds no line that its document does not."""
    project_context, number, line, at = ProjectContext(800), 0, 200, 0
    documents = [Document(uri, "python", 1, source(300)) for uri in "ab"]
    windows = [Window(bound, 400, project_context, uri) for uri in "ab"]
    for kind, *what in events:
        document, window = documents[at], windows[at]
        if kind == "go":
            line = what[0]
        elif kind == "swap":
            window.left(document.lines, f"{document.uri}.py")
            at = what[0]
        elif kind == "put":
            # In either file, whichever is asked in.
            other = number % 2
            number += 1
            first = min(what[0], len(documents[other].lines) - 1)
            last = min(first + what[1], len(documents[other].lines) - 1)
            text = "".join(f"put_{number}_{index} = 1\n" for index in range(what[2]))
            windows[other].edited(documents[other].change(Place(first, 0), Place(last, 0), text))
            project_context.settle(documents[other].uri, documents[other].lines)
        elif kind == "type":
            place = Place(min(line, len(document.lines) - 1), 0)
            window.edited(document.change(place, place, what[0]))
        elif kind == "all":
            window.edited(document.replace(source(what[0])))
        else:
            project_context.doubt(document.uri)
            document = documents[at] = Document(document.uri, "python", 1, document.text[what[0] :])
            window.reopened(document.lines)
        document, window = documents[at], windows[at]
        place = Place(min(line, len(document.lines) - 1), 0)
        texts = ["".join(each.lines) for each in documents]
        for shown_line in window.prompt(document.lines, place, f"{document.uri}.py").prefix.split("\n"):
            bare = shown_line.strip()
            if any(map(str.isalnum, bare)) and bare not in {"# a.py", "# b.py"}:
                assert any(bare in text for text in texts), shown_line


async def test_a_document_in_another_language_begins_anew(world: World):
    """Its window told the project context of its old family of languages."""
    for number, language in enumerate(["python", "go", "python"]):
        world.engine.open(Document("file:///p/b", language, number, "y = 1\n" * 9))
        world.engine.edited(
            "file:///p/b", world.engine.document("file:///p/b").change(Place(4, 0), Place(4, 0), LINE)
        )
        world.engine.close("file:///p/b")
    world.engine.open(Document("file:///p/c", "go", 1, "z = \n"))
    await world.engine.complete("file:///p/c", Place(0, 4))
    assert world.service.requests[-1].prefix.count(SECRET) == 1
