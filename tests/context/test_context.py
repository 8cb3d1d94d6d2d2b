"""What prompts show of the project: bytes that stay, drawn by a process of its own, without what is to stay home."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsp import CAPABILITIES, Client

from fim_lsp.context import project
from fim_lsp.context.hunks import Hunks
from fim_lsp.context.index import Budget, Index
from fim_lsp.context.project_context import Entry, Map, ProjectContext
from fim_lsp.context.project_contexts import Key, ProjectContexts
from fim_lsp.context.survey import Survey
from fim_lsp.context.surveyor import Folder
from fim_lsp.context.tree import Tree
from fim_lsp.text.document import Document, Place


def entry(number, size=20, uri="u"):
    """A logged edit of so many characters."""
    return Entry(uri, f"{uri}.py", f"{number:04d}".ljust(size - 1, ".") + "\n")


def test_a_typed_hunk_is_one_entry_of_the_log():
    """What is typed key by key over several lines, and moved by a line put in above, is told as it stands."""
    document, hunks = Document("u", "python", 1, "a = 1\nb = 2\n"), Hunks()
    place = Place(0, 5)
    for key in "\ndef found(x):\n    return x":
        hunks.follow(document.change(place, place, key))
        place = Place(place.line + 1, 0) if key == "\n" else Place(place.line, place.column + 1)
    hunks.follow(document.change(Place(0, 0), Place(0, 0), "\n"))
    assert hunks.take(document.lines, here=3) == []
    assert hunks.take(document.lines) == ["def found(x):\n    return x\n"]
    assert hunks.take(document.lines) == []


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6), st.text("ab\n ", max_size=12)), max_size=30))
def test_runs_lie_within_the_text(edits):
    """Whatever is edited, what is logged are lines of the document as it is."""
    document, hunks = Document("u", "python", 1, "line of text\n" * 20), Hunks()
    for line, lines, text in edits:
        start, end = (document.place(at, 3, "utf-32") for at in (line, line + lines))
        hunks.follow(document.change(start, end, text))
    held = {line.rstrip("\r\n") for line in document.lines}
    for text in hunks.take(document.lines):
        assert {line for line in text.split("\n") if line} <= held


def test_the_log_is_only_appended_to_until_half_of_it_goes_at_once():
    """Each opening begins with the one before, but for once in a while."""
    project_context, cuts, before = ProjectContext(1000), 0, ""
    for number in range(500):
        project_context.add(entry(number))
        now = project_context.opening().log
        assert len(now) <= 1000
        cuts += not now.startswith(before)
        before = now
    assert before.endswith(entry(499).text)
    assert 15 <= cuts <= 25


def test_what_was_told_just_now_is_not_told_again():
    """The same lines, edited twice, stand in the log once."""
    project_context = ProjectContext(1000)
    for _ in range(3):
        project_context.add(entry(1))
    assert project_context.opening().log == entry(1).text


def test_a_map_stays_until_the_log_is_cut_or_nobody_types():
    """The first map is taken over at once; another one only when the opening changes anyway."""
    project_context = ProjectContext(100)
    project_context.offer(Map("a\nb\n"))
    project_context.offer(Map("c\nd\n"))
    assert project_context.opening().map == "a\nb\n"
    for number in range(6):
        project_context.add(entry(number))
    assert project_context.opening().map == "c\nd\n"
    project_context.offer(Map("e\n"))
    project_context.rest()
    assert project_context.opening().map == "e\n"


def test_news_are_those_of_others_since_a_mark():
    """What a document has edited itself is no news to it."""
    project_context = ProjectContext(1000)
    project_context.add(entry(1, uri="a"))
    mark = project_context.told
    other = entry(2, uri="b")
    project_context.add(other)
    project_context.add(entry(3, uri="a"))
    assert project_context.news(mark, "a") == (other,)
    assert project_context.news(project_context.told, "a") == ()


def test_folders_families_and_levels_have_stories_of_their_own():
    """The innermost folder counts; TypeScript and JavaScript share, Go does not."""
    project_contexts = ProjectContexts()
    project_contexts.folders(["file:///w", "file:///w/inner"])
    one = project_contexts.of("file:///w/a.ts", "typescript", "project")
    assert one is project_contexts.of("file:///w/b.js", "javascriptreact", "project")
    assert one is not project_contexts.of("file:///w/b.go", "go", "project")
    assert one is not project_contexts.of("file:///w/inner/a.ts", "typescript", "project")
    assert one is not project_contexts.of("file:///w/a.ts", "typescript", "rich")
    assert project_contexts.of("file:///w/a.ts", "typescript", "off") is None
    assert project_contexts.learn(Key("file:///w/", "typescript", "project"), Map("m\n")) is one
    assert one.opening().map == "m\n"
    assert project_contexts.learn(Key("file:///w/", "typescript", "project"), Map("n\n")) is None


def test_a_package_with_a_map_has_a_story_of_its_own():
    """For the families that it has a map of; for others, the folder's."""
    project_contexts = ProjectContexts()
    project_contexts.folders(["file:///w"])
    assert project_contexts.packages(["file:///w/pkg/"])
    project_contexts.learn(Key("file:///w/pkg/", "go", "project"), Map("m\n"))
    assert project_contexts.of("file:///w/pkg/a.go", "go", "project").map.text == "m\n"
    assert project_contexts.of("file:///w/b.go", "go", "project").map.text == ""
    assert project_contexts.of("file:///w/pkg/a.py", "python", "project") is project_contexts.of(
        "file:///w/b.py", "python", "project"
    )
    assert not project_contexts.packages(["file:///w/pkg"])


def test_a_package_names_what_its_own_files_name(tmp_path):
    """In a workspace of several packages, each map ranks by the package's files; definitions may be anywhere."""
    for name, word in (("one", "alpha_thing"), ("two", "beta_thing")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text("")
        for number in range(project.least()):
            (tmp_path / name / f"f{number}.py").write_text(f"{word}()\n")
    (tmp_path / "lib.py").write_text("def alpha_thing(): ...\ndef beta_thing(): ...\n")
    folder = Folder(Tree(tmp_path, []))
    list(folder.survey())
    assert folder.packages("python") == ["", "one/", "two/"]
    assert folder.package("two/f1.py", "python") == "two/"
    assert folder.map("python", "two/", "project").text == "# lib.py\ndef beta_thing()\n"
    assert folder.map("python", "", "project").text == "# lib.py\ndef alpha_thing()\ndef beta_thing()\n"


FILES = {
    "lib/base.py": "class Base:\n    def load_all(self, path: str) -> None:\n        pass\n\ndef seldom(): ...\n",
    "lib/more.py": "from base import Base\n\ndef made(x):\n    return Base().load_all(x)\n",
    "app.py": "from lib.more import made\n\nmade(1)\nBase.load_all\n",
    "tests/test_app.py": "from app import made\n\ndef helper_of_tests(): ...\n\nmade(2)\nhelper_of_tests()\n",
}
ENOUGH = Budget(1000, 300)


def index_of(files):
    """An index of these files."""
    index = Index()
    for path, text in files.items():
        index.put(path, text, aside=project.aside(path))
    return index


def test_a_map_shows_what_other_files_name():
    """Signatures under their files' names, in the files' order; nothing that nobody else names."""
    drawn = index_of(FILES).map(ENOUGH)
    assert drawn == Map(
        "# lib/base.py\nclass Base\n    def load_all(self, path: str) -> None\n# lib/more.py\ndef made(x)\n",
        ("lib/base.py", "lib/more.py"),
    )


def test_what_finds_no_room_is_named():
    """Behind the signatures of a file stand names of what else it defines, each once."""
    drawn = index_of(FILES).map(Budget(30, 60)).text
    assert drawn == "# lib/base.py\nclass Base\n# also load_all\n# lib/more.py\n# also made\n"


TEXTS = st.dictionaries(
    st.sampled_from([f"{name}.py" for name in "abcdef"]),
    st.lists(
        st.sampled_from(["def one(x):", "def two(y):", "class Three:", "one(two)", "Three()", "four = one"])
    ).map("\n".join),
)


@given(TEXTS, TEXTS, st.randoms())
def test_a_map_depends_on_the_files_alone(now, before, random):
    """Whatever was there before, and in whatever order it came: the same files, the same bytes."""
    index = index_of(before)
    paths = list({**before, **now})
    random.shuffle(paths)
    for path in paths:
        if path in now:
            index.put(path, now[path])
        else:
            index.drop(path)
    assert index.map(ENOUGH) == index_of(dict(sorted(now.items()))).map(ENOUGH)


def test_near_are_signatures_of_what_is_imported():
    """Not those that the map shows already."""
    index = index_of(FILES)
    near = index.near(["lib/base.py"], 500, "class Base\n")
    assert near.files == ("lib/base.py",)
    assert near.text == "# lib/base.py\n    def load_all(self, path: str) -> None\ndef seldom()\n"


def planted(root, number):
    """A secret in a file that is to stay home."""
    places = [
        ".env", ".env.local", "id_rsa", "config/credentials.json", "certs/server.key", "private/keys.py", "ignored/deep.py",
        "node_modules/x/index.js", "vendor/lib.go", ".hidden/notes.py", "secret_stuff.py", "nested/mine/only.py",
    ]  # fmt: skip
    path = root / places[number % len(places)]
    path = path.with_name(
        f"{number}{path.name}"
        if number >= len(places) and path.suffix in {".py", ".go", ".js"}
        else path.name
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"def PLANTED_{number}(PLANTED): ...\nPLANTED_{number} = 'sk-PLANTED{number}'\n")


@pytest.fixture
def workspace(tmp_path):
    """A project with 40 files that are to stay home, beside some that may be shown."""
    root = tmp_path / "workspace"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for number in range(40):
        planted(root, number)
    (root / "names.py").write_text("".join(f"PLANTED_{number}\n" for number in range(40)) * 3)
    (root / "more_names.py").write_text("".join(f"PLANTED_{number}\n" for number in range(40)))
    (root / ".gitignore").write_text("ignored/\n*secret_stuff.py\nprivate\n")
    (root / "nested" / ".gitignore").write_text("mine/*\n!mine/shown.py\n")
    (root / "nested" / "mine" / "shown.py").write_text("def shown_again(): ...\n")
    (root / "use.py").write_text("shown_again()\n")
    return root


def test_what_is_to_stay_home_is_in_no_map(workspace, tmp_path):
    """Ignored, excluded, hidden, vendored, linked, generated, minified, huge, binary: left out by name or by looks."""
    outside = tmp_path / "outside.py"
    outside.write_text("def PLANTED_OUTSIDE(): ...\n")
    (workspace / "link.py").symlink_to(outside)
    (workspace / "linked").symlink_to(tmp_path, target_is_directory=True)
    (workspace / "made.py").write_text("# Code generated by PLANTED. DO NOT EDIT.\ndef PLANTED_MADE(): ...\n")
    (workspace / "flat.js").write_text("function PLANTED_FLAT() {}" + "x" * 9_000)
    (workspace / "huge.py").write_text("def PLANTED_HUGE(): ...\n" * 20_000)
    (workspace / "binary.py").write_bytes(b"def PLANTED_BINARY(): ...\n\0\xff")
    (workspace / "chosen.py").write_text("def PLANTED_CHOSEN(): ...\n")
    (workspace / "use.py").write_text(
        "shown_again()\n"
        + "".join(f"PLANTED_{n}\n" for n in ("MADE", "FLAT", "HUGE", "BINARY", "CHOSEN", "OUTSIDE"))
    )
    folder = Folder(Tree(workspace, ["chosen.py"]))
    read = list(folder.survey())
    shown = "".join(
        folder.map(family, "", level).text for family in folder.families for level in ("project", "rich")
    )
    assert "PLANTED" not in shown
    assert {"class Base", "def made(x)", "def shown_again()"} <= set(shown.split("\n"))
    assert read == [
        "app.py", "more_names.py", "names.py", "use.py", "lib/base.py", "lib/more.py", "nested/mine/shown.py",
        "tests/test_app.py",
    ]  # fmt: skip


def test_a_changed_gitignore_takes_effect(workspace):
    """A file that is ignored from now on is in no further map."""
    folder = Folder(Tree(workspace, []))
    list(folder.survey())
    assert "def made(x)" in folder.map("python", "", "project").text
    (workspace / ".gitignore").write_text("lib\n")
    assert folder.changed(".gitignore")
    assert "def made(x)" not in folder.map("python", "", "project").text


def test_a_file_that_comes_changes_and_goes(workspace):
    """Each is seen in the next map; a change that defines nothing else asks for none."""
    folder = Folder(Tree(workspace, []))
    list(folder.survey())
    new = workspace / "lib" / "new.py"
    new.write_text("def arrived(): ...\n")
    (workspace / "use.py").write_text("arrived()\n")
    assert folder.changed("lib/new.py")
    folder.changed("use.py")
    assert "def arrived()" in folder.map("python", "", "project").text
    new.write_text("def arrived(): ...\n# and a remark\n")
    assert not folder.changed("lib/new.py")
    new.unlink()
    assert folder.changed("lib/new.py")
    assert "def arrived()" not in folder.map("python", "", "project").text


class Heard:
    """A real process that surveys a folder, and what it says."""

    def __init__(self, root):
        self.maps = []
        self.nears = {}
        self.survey = Survey(self.maps.extend, self.nears.__setitem__)
        self.task = asyncio.ensure_future(self.survey.run([str(root)], [], ["project"]))

    async def until(self, condition):
        for _ in range(1000):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it did not happen")

    async def end(self):
        self.survey.close()
        await self.task


async def test_a_process_draws_maps_and_answers(workspace):
    """The map comes by itself; what is saved is seen in the next one; what a file imports is told."""
    heard = Heard(workspace)
    await heard.until(lambda: heard.maps)
    assert "class Base" in heard.maps[0]["text"]
    assert heard.maps[0]["folder"] == str(workspace)
    (workspace / "lib" / "base.py").write_text("class Renamed:\n    pass\n")
    (workspace / "use.py").write_text("Renamed()\n")
    (workspace / "near.py").write_text("import lib.base\n")
    heard.survey.changed(str(workspace / name) for name in ("lib/base.py", "use.py", "near.py"))
    heard.survey.about(str(workspace / "near.py"), "project")
    await heard.until(lambda: heard.nears)
    await heard.until(lambda: len(heard.maps) > 1)
    assert "class Renamed" in heard.maps[-1]["text"]
    assert "class Base" not in heard.maps[-1]["text"]
    await heard.end()


async def test_a_process_that_cannot_begin_is_no_trouble(workspace, monkeypatch, caplog):
    """No map then, and one sentence in the log."""
    monkeypatch.setattr(sys, "executable", str(workspace / "none"))
    heard = Heard(workspace)
    await heard.task
    assert not heard.maps
    assert "its process does not start" in caplog.text


FOLDERS = {**CAPABILITIES, "workspace": {"configuration": True, "workspaceFolders": True}}


class Editor:
    """A client with a folder, and a document of it open."""

    def __init__(self, client, root):
        self.client, self.uri = client, (root / "use.py").as_uri()

    async def explained(self):
        where = {"uri": self.uri, "position": {"line": 0, "character": 0}}
        return await self.client.call(
            "workspace/executeCommand", {"command": "fimLsp.explain", "arguments": [where]}
        )

    async def mapped(self):
        """What is explained once there is a map."""
        for _ in range(1000):
            told = await self.explained()
            if told["parts"] and told["parts"][0]["what"] == "map":
                return told
            await asyncio.sleep(0.01)
        raise AssertionError("no map came")


@pytest.fixture
async def edit(tmp_path, workspace):
    """Start a server on the workspace, in the demo, with a document open."""
    clients = []

    async def begin(**options):
        client = await Client().start(tmp_path, "--demo")
        clients.append(client)
        folders = [{"uri": workspace.as_uri(), "name": "workspace"}]
        await client.call(
            "initialize",
            {
                "processId": None,
                "rootUri": None,
                "workspaceFolders": folders,
                "capabilities": FOLDERS,
                "initializationOptions": options,
            },
        )
        client.notify("initialized", {})
        editor = Editor(client, workspace)
        client.open(editor.uri, (workspace / "use.py").read_text())
        return editor

    yield begin
    for client in clients:
        await client.kill()


async def test_the_prompt_opens_with_the_map(edit):
    """What is explained names each part, its files and its price; the parts are the prompt."""
    told = await (await edit()).mapped()
    part = told["parts"][0]
    assert told["prompt"].startswith("# lib/base.py\nclass Base\n")
    assert part["files"] == ["lib/base.py", "lib/more.py", "nested/mine/shown.py"]
    assert sum(part["characters"] for part in told["parts"]) == len(told["prompt"])
    assert part["tokens"] == round(part["characters"] / 3.6)
    assert "PLANTED" not in told["prompt"]


async def test_a_file_that_was_open_first_shows_its_imports(edit, workspace):
    """What is asked before the process has begun is asked once it has."""
    (workspace / "use.py").write_text("from lib import base\nshown_again()\n")
    editor = await edit()
    for _ in range(1000):
        parts = {part["what"]: part for part in (await editor.explained())["parts"]}
        if "near this file" in parts:
            break
        await asyncio.sleep(0.01)
    assert parts["near this file"]["files"] == ["lib/base.py"]
    prompt = (await editor.explained())["prompt"]
    assert "def seldom()" in prompt
    assert prompt.index("class Base") < prompt.index("def seldom()") < prompt.index("# use.py")


@pytest.mark.parametrize("how", ["exclude", "gitignore"])
async def test_what_is_to_stay_home_from_now_on_is_shown_no_more(edit, workspace, how):
    """At once, and not when a newer map happens to be taken over."""
    editor = await edit()
    assert "class Base" in (await editor.mapped())["prompt"]
    if how == "exclude":
        editor.client.push({"exclude": ["lib/"]})
    else:
        (workspace / ".gitignore").write_text("lib/\nprivate\n*secret_stuff.py\nignored/\n")
        uri = (workspace / ".gitignore").as_uri()
        editor.client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 2}]})
    for _ in range(1000):
        prompt = (await editor.explained())["prompt"]
        if "class Base" not in prompt and "def shown_again()" in prompt:
            break
        await asyncio.sleep(0.01)
    assert "class Base" not in prompt
    assert "def shown_again()" in prompt


async def test_the_bytes_are_the_same_after_a_restart(edit):
    """The same files, another process: the same prompt, so that the service still knows it."""
    first = await (await edit()).mapped()
    assert (await (await edit()).mapped())["prompt"] == first["prompt"]


async def test_without_context_nothing_is_looked_at(edit):
    """`"off"`, for all or for the language: no map, and no process."""
    for how in ("off", {"*": "off"}, {"python": "off", "*": "off"}):
        editor = await edit(context=how)
        told = await editor.explained()
        assert {part["what"] for part in told["parts"]} <= {"earlier", "live"}
        assert not children(editor.client.process.pid)


async def test_a_language_can_have_more_of_the_project_than_others(edit):
    """By language, `"*"` for the others."""
    told = await (await edit(context={"python": "rich", "*": "off"})).mapped()
    assert "class Base" in told["prompt"]


def children(process):
    """The processes that a process has begun."""
    listed = Path(f"/proc/{process}/task/{process}/children")
    return listed.read_text().split() if listed.exists() else []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are counted in /proc")
async def test_a_server_that_is_killed_leaves_nobody_behind(edit):
    """The process beside it ends when nobody speaks to it any more."""
    editor = await edit()
    await editor.mapped()
    (beside,) = children(editor.client.process.pid)
    editor.client.process.send_signal(signal.SIGKILL)
    for _ in range(500):
        if not Path(f"/proc/{beside}/cmdline").exists() or not Path(f"/proc/{beside}/cmdline").read_bytes():
            break
        await asyncio.sleep(0.01)
    else:
        os.kill(int(beside), signal.SIGKILL)
        raise AssertionError("it goes on alone")


def test_the_tables_are_sound():
    """Each level shows more than the one before; the families do not overlap."""
    less, more = project.level("project"), project.level("rich")
    assert all(a < b for a, b in zip(less, more, strict=True))
    assert project.family("javascriptreact") == project.family("vue") == "typescript"
    assert project.family("python") == "python"
    assert json.dumps(less)
