"""A hostile folder neither hangs the process that surveys it, nor gets more of it than one, nor is it fed."""

import asyncio
import gc
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from lsp import Client

from fim_lsp.context import project
from fim_lsp.context.index import Budget, Index
from fim_lsp.context.limits import Exhausted, Patience, Spent
from fim_lsp.context.survey import Survey
from fim_lsp.context.surveyor import Folder, Workspace
from fim_lsp.context.tree import Tree

FOLDERS = {"workspace": {"configuration": True, "workspaceFolders": True}}
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")


def write(root, files):
    """A folder with files, by their paths."""
    for path, text in files.items():
        place = root / os.fsdecode(path.encode())  # these bytes, whatever the locale
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
    return root


def living(process):
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(process):
    """The processes that a process has begun and that still live."""
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in listed if living(child)]


class Editor:
    """A client with folders open, whose server asks the endpoint."""

    def __init__(self, client, endpoint):
        self.client, self.endpoint = client, endpoint

    async def greet(self, *roots, **options):
        folders = [{"uri": root.as_uri(), "name": root.name} for root in roots]
        given = {"baseUrl": self.endpoint.url, "debounceMs": 0, **options}
        greeting = {"processId": None, "rootUri": None, "workspaceFolders": folders, "capabilities": FOLDERS}
        self.client.settings = {}
        await self.client.call("initialize", {**greeting, "initializationOptions": given})
        self.client.notify("initialized", {})

    def folder(self, root, *, comes):
        entry = [{"uri": root.as_uri(), "name": root.name}]
        event = {"added": entry if comes else [], "removed": [] if comes else entry}
        self.client.notify("workspace/didChangeWorkspaceFolders", {"event": event})

    def changed(self, *files):
        changes = [{"uri": file.as_uri(), "type": 2} for file in files]
        self.client.notify("workspace/didChangeWatchedFiles", {"changes": changes})

    async def explained(self, uri):
        where = {"uri": uri, "position": {"line": 0, "character": 0}}
        told = {"command": "fimLsp.explain", "arguments": [where]}
        return (await self.client.call("workspace/executeCommand", told))["prompt"]

    async def shows(self, uri, word, *, shown=True):
        """Wait until a prompt shows a word, or no more."""
        for _ in range(2000):
            prompt = await self.explained(uri)
            if (word in prompt) == shown:
                return prompt
            await asyncio.sleep(0.01)
        raise AssertionError(f"{word} is {'not ' if shown else ''}shown")


@pytest.fixture
async def edit(tmp_path, endpoint):
    """An editor whose server has begun."""
    clients = []

    async def begin(*roots, **options):
        clients.append(await Client().start(tmp_path, DEEPSEEK_API_KEY="sk-test"))
        editor = Editor(clients[-1], endpoint)
        await editor.greet(*roots, **options)
        return editor

    yield begin
    for client in clients:
        await client.kill()


NAMES = {
    "lib.py": "def shown_function(a): ...\n",
    "private/keys.py": "def undisclosed_function(a): ...\n",
    "names.py": "shown_function(undisclosed_function)\n",
    "use.py": "x = \n",
}


async def test_what_is_excluded_while_the_map_is_begun_is_never_sent(edit, endpoint, tmp_path):
    """The survey of a folder that has just come was told nothing of it; what it draws is not believed."""
    root = write(tmp_path / "root", NAMES)
    editor = await edit(root, exclude=["private/**"])
    uri = (root / "use.py").as_uri()
    editor.client.open(uri, "x = \n")
    for number in range(6):
        await editor.shows(uri, "shown_function")
        editor.folder(root, comes=False)
        editor.client.push({"exclude": []})
        editor.folder(root, comes=True)
        await asyncio.sleep(0.02 * number)  # while it is begun, while it reads, and once it has drawn
        editor.client.push({"exclude": ["private/**"]})
        await editor.client.call("workspace/executeCommand", {"command": "fimLsp.status"})
        await editor.shows(uri, "shown_function")
        before = len(endpoint.bodies)
        editor.client.type(uri, 0, 4, f"{number}")
        await editor.client.texts(uri, 0, 4, explicit=True)
        assert len(endpoint.bodies) > before
        sent = [body["prompt"] for body in endpoint.bodies[before:]]
        assert all("shown_function" in text for text in sent)
        assert not any("undisclosed_function" in text for text in sent)


async def test_what_was_about_to_be_sent_is_not_once_it_is_excluded(edit, endpoint, tmp_path):
    """A prompt that waits for its pause was made before."""
    root = write(tmp_path / "root", NAMES)
    editor = await edit(root, debounceMs=1000)
    uri = (root / "use.py").as_uri()
    editor.client.open(uri, "x = \n")
    await editor.shows(uri, "undisclosed_function")
    editor.client.type(uri, 0, 4, "1")
    asked = editor.client.inline(uri, 0, 4)
    editor.client.push({"exclude": ["private/**"], "debounceMs": 0})
    await asyncio.wait_for(asked, 10)
    await editor.shows(uri, "shown_function")
    await editor.client.texts(uri, 0, 4, explicit=True)
    assert endpoint.bodies
    assert not any("undisclosed_function" in body["prompt"] for body in endpoint.bodies)


@LINUX
async def test_two_hundred_folder_changes_breed_one_process(edit, tmp_path):
    """A survey begins once the one before it has ended, and those that are overtaken never do."""
    root, other = write(tmp_path / "root", NAMES), write(tmp_path / "other", NAMES)
    editor = await edit(root)
    uri = (root / "use.py").as_uri()
    editor.client.open(uri, "x = \n")
    await editor.shows(uri, "shown_function")
    most = 0
    for number in range(200):
        editor.folder(other, comes=number % 2 == 0)
    asked = editor.client.request("workspace/executeCommand", {"command": "fimLsp.status"})
    while not asked.done():
        most = max(most, len(children(editor.client.process.pid)))
        await asyncio.sleep(0.005)
    for _ in range(200):
        most = max(most, len(children(editor.client.process.pid)))
        await asyncio.sleep(0.005)
    assert most <= 2
    await editor.shows(uri, "shown_function")
    assert len(children(editor.client.process.pid)) == 1


async def test_a_survey_that_is_closed_before_it_has_begun_says_nothing(tmp_path):
    """Its process ends as soon as it is there."""
    heard = []
    survey = Survey(heard.append, lambda *_: None)
    work = asyncio.ensure_future(survey.run([str(write(tmp_path / "root", NAMES))], [], ["project"]))
    await asyncio.sleep(0)
    survey.close()
    await asyncio.wait_for(work, 20)
    await asyncio.wait_for(survey.over(), 1)
    assert not heard


STARS = ["a*" * 60 + "z", "*" * 200 + "x", "*a" * 30]


@pytest.mark.parametrize("rule", STARS, ids=["a*", "*", "*a"])
async def test_a_rule_of_stars_is_come_to_an_end_with(tmp_path, rule):
    """The map is drawn, of what could be matched."""
    heard = []
    root = write(
        tmp_path / "root", {**NAMES, ".gitignore": f"{rule}\n", f"{'a' * 200}.py": "def long_name(): ...\n"}
    )
    survey = Survey(heard.append, lambda *_: None)
    work = asyncio.ensure_future(survey.run([str(root)], [], ["project"]))
    for _ in range(12000):
        if heard or work.done():
            break
        await asyncio.sleep(0.01)
    survey.close()
    await work
    assert len(heard) == 1


@pytest.fixture
def uncollected():
    """The collector has much to go through beside a thousand tests, and may take a piece's time with it."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Slow(Tree):
    """A folder with a file whose rules are never matched to their end."""

    def _wanted(self, path, name):
        if "slow" in path:
            re.match("(a*)*b", "a" * 60)
        return super()._wanted(path, name)


@pytest.mark.usefixtures("uncollected")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no such timer")
def test_a_file_that_takes_too_long_is_left_out(tmp_path):
    """Whatever it is that takes long, and also when it changes; of the others there is a map."""
    root = write(tmp_path, {**NAMES, "slow.py": "def slow_function(): ...\n", "use.py": "slow_function\n"})
    patience = Patience(piece=0.5)
    folder = Folder(Slow(root, [], piece=patience.piece), patience.piece)
    read = list(folder.survey())
    assert "lib.py" in read
    assert "slow.py" not in read
    assert not folder.changed("slow.py")
    assert "slow_function" not in folder.map("python", "", "project").text
    assert patience.spent == 2


@pytest.mark.usefixtures("uncollected")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no such timer")
def test_many_that_take_long_end_the_look(tmp_path):
    """What was read until then is in the map, the process answers, and it says how many it has left out."""
    root = write(tmp_path, {**NAMES, **{f"slow{number}.py": "" for number in range(50)}})
    patience = Patience(piece=0.3, look=1.8)
    folder = Folder(Slow(root, [], piece=patience.piece), patience.piece)
    workspace = Workspace({str(root): folder}, ["project"], patience)
    workspace.survey()
    answer = workspace.drawn(0.0)
    assert 0 < answer["left"] < 10
    assert answer["files"] == 2  # in the order of their names
    assert list(workspace.take([{"about": str(root / "lib.py"), "level": "project"}]))


def test_time_that_is_used_up_is_told_from_time_that_is_left():
    """Each look has its own; nothing rings behind a piece."""
    now = [0.0]
    patience = Patience(piece=1, look=5, clock=lambda: now[0])
    for _ in range(5):
        with patience.piece():
            now[0] += 1
    with pytest.raises(Exhausted), patience.piece():
        raise AssertionError
    patience.begin()
    with patience.piece():
        pass
    patience._ring()
    with pytest.raises(Spent), patience.piece():
        patience._ring()
    assert patience.spent == 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no such timer")
def test_a_piece_is_ended_though_the_first_ring_is_lost():
    """What is raised while the collector calls somebody back is dropped by the interpreter: it rings again."""

    def work():
        with suppress(Spent):
            re.match("(a*)*b", "a" * 60)
        re.match("(a*)*b", "a" * 60)

    patience = Patience(piece=0.02)
    with pytest.raises(Spent), patience.piece():
        work()
    assert patience.spent == 1


BUSY = """
import re, sys
sys.path[:0] = {path!r}
from fim_lsp.context import limits
limits.bind()
print("ready", flush=True)
{work}
"""


def busy(work):
    """A process with the surveyor's limits, at work."""
    code = BUSY.format(path=[path for path in sys.path if path], work=work)
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_memory_has_a_bound():
    """What is asked for beyond it is refused, and nothing else in the machine suffers."""
    work = "try: bytearray(1 << 33)\nexcept MemoryError: print('refused')"
    with busy(work) as process:
        assert process.communicate(timeout=60)[0].split() == ["ready", "refused"]


@LINUX
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_nobody_outlives_the_server_whatever_it_is_at(tmp_path, how):
    """A process that is within one endless call when the server dies, dies too."""
    code = BUSY.format(path=[path for path in sys.path if path], work="re.match('(a*)*b', 'a' * 60)")
    parent = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {code!r}], stdout=subprocess.PIPE)\n"
        "print(child.pid, child.stdout.readline().decode(), flush=True)\ntime.sleep(600)\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent, stdout=subprocess.PIPE)
    child = int((await asyncio.wait_for(process.stdout.readline(), 60)).split()[0])
    assert living(child)
    process.send_signal(how)
    await process.wait()
    try:
        for _ in range(1000):
            if not living(child):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it goes on alone")
    finally:
        if living(child):
            os.kill(child, signal.SIGKILL)


@LINUX
async def test_a_server_that_is_asked_to_end_leaves_in_order(edit, endpoint, tmp_path):
    """SIGTERM is a goodbye: what was counted is in the record, and nobody is left behind."""
    root = write(tmp_path / "root", NAMES)
    editor = await edit(root)
    uri = (root / "use.py").as_uri()
    editor.client.open(uri, "x = \n")
    await editor.shows(uri, "shown_function")
    await editor.client.texts(uri, 0, 4, explicit=True)
    assert endpoint.bodies
    (beside,) = children(editor.client.process.pid)
    editor.client.process.send_signal(signal.SIGTERM)
    assert await editor.client.ended() == 128 + signal.SIGTERM
    assert not editor.client.stderr.count(b"Traceback")
    for _ in range(500):
        if not living(beside):
            break
        await asyncio.sleep(0.01)
    assert not living(beside)


class Counted(Tree):
    """A folder that counts how often it is looked at as a whole."""

    looks = 0

    def files(self):
        self.looks += 1
        return super().files()


def workspace_of(root):
    """A folder that was surveyed, as the process beside the server has it."""
    tree = Counted(root, [])
    workspace = Workspace({str(root): Folder(tree)}, ["project"], Patience())
    workspace.survey()
    return tree, workspace


def checkout(root, count=20):
    """Ignore files in folders of their own, and the messages that tell of their change."""
    return [{"changed": [str(root / f"p{number}" / ".gitignore")]} for number in range(count)]


def test_a_checkout_of_many_ignore_files_is_one_look(tmp_path):
    """However many have changed, and in however many messages; what comes back is found."""
    files = {f"p{number}/.gitignore": f"gone{number}.py\n" for number in range(20)}
    files |= {f"p{number}/gone{number}.py": f"def back_{number}(): ...\n" for number in range(20)}
    names = "\n".join(f"back_{number}" for number in range(20))
    root = write(tmp_path, {**NAMES, **files, "names2.py": names})
    tree, workspace = workspace_of(root)
    assert tree.looks == 1
    assert "back_3" not in workspace.drawn(0)["maps"][0]["text"]
    write(root, {f"p{number}/.gitignore": "nothing\n" for number in range(20)})
    assert list(workspace.take(checkout(root, 10))) == []
    assert list(workspace.take(checkout(root))) == []
    assert workspace.stale
    assert tree.looks == 1
    assert "def back_3()" in workspace.settle()["maps"][0]["text"]
    assert tree.looks == 2
    assert not workspace.stale


def test_an_ignore_file_that_says_the_same_is_no_change(tmp_path):
    """Bytes are compared: touched, or written anew, it asks for nothing."""
    root = write(tmp_path, {**NAMES, **{f"p{n}/.gitignore": "gone.py\n" for n in range(20)}, "p1/a.py": ""})
    tree, workspace = workspace_of(root)
    list(workspace.take(checkout(root)))  # of folders without files, whose rules nobody has read
    workspace.settle()
    looks = tree.looks
    write(root, {f"p{number}/.gitignore": "gone.py\n" for number in range(20)})
    assert list(workspace.take(checkout(root))) == []
    assert not workspace.stale
    assert tree.looks == looks


def test_an_ignore_file_where_nothing_is_looked_at_does_not_count(tmp_path):
    """Of packages, of what is ignored, of git's own folder."""
    root = write(tmp_path, {**NAMES, ".gitignore": "mine/\n"})
    tree, workspace = workspace_of(root)
    places = ["node_modules/x", "mine", ".git", "vendor/y/z"]
    write(root, {f"{place}/.gitignore": "*.py\n" for place in places})
    told = [{"changed": [str(root / place / ".gitignore")]} for place in places]
    assert list(workspace.take(told)) == []
    assert not workspace.stale
    assert tree.looks == 1


def test_what_is_ignored_from_now_on_is_withdrawn_at_once(tmp_path):
    """Before the look that finds what may be shown instead."""
    root = write(
        tmp_path,
        {**NAMES, "p0/.gitignore": "", "p0/lib.py": "def inner_function(): ...\n", "z.py": "inner_function"},
    )
    tree, workspace = workspace_of(root)
    assert "inner_function" in workspace.drawn(0)["maps"][0]["text"]
    write(root, {"p0/.gitignore": "lib.py\n"})
    first, second = workspace.take(checkout(root, 1))
    assert first == {"withdrawn": True}
    assert "inner_function" not in second["maps"][0]["text"]
    assert "shown_function" in second["maps"][0]["text"]
    assert tree.looks == 1


async def test_a_checkout_leaves_the_prompt_as_it_is(edit, endpoint, tmp_path):
    """Where nothing that is shown has to stay home, the bytes that were paid for are sent again; else none of it is."""
    files = {f"p{number}/.gitignore": "other.py\n" for number in range(20)}
    root = write(
        tmp_path / "root",
        {**NAMES, **files, ".gitignore": "build\n", "p1/inner.py": "def inner_function(): ...\n"},
    )
    write(root, {"more.py": "inner_function\n"})
    editor = await edit(root)
    uri = (root / "use.py").as_uri()
    editor.client.open(uri, "x = \n")
    await editor.shows(uri, "inner_function")
    before = await editor.explained(uri)
    write(root, {f"p{number}/.gitignore": "nothing.py\n" for number in range(20)})
    write(root, {"node_modules/a/.gitignore": "*\n"})
    editor.changed(*(root / f"p{number}" / ".gitignore" for number in range(20)))
    for number in range(20):
        editor.changed(
            root / f"p{number}" / ".gitignore", root / "node_modules/a/.gitignore", root / ".gitignore"
        )
    assert await editor.explained(uri) == before
    await editor.client.texts(uri, 0, 4, explicit=True)
    assert "inner_function" in endpoint.bodies[0]["prompt"]
    write(root, {"p1/.gitignore": "inner.py\n"})
    editor.changed(root / "p1" / ".gitignore")
    await editor.shows(uri, "inner_function", shown=False)
    sent = len(endpoint.bodies)
    await editor.shows(uri, "shown_function")
    await editor.client.texts(uri, 0, 4, explicit=True)
    editor.client.type(uri, 0, 4, "1")
    await editor.client.texts(uri, 0, 5, explicit=True)
    assert len(endpoint.bodies) > sent
    assert not any("inner_function" in body["prompt"] for body in endpoint.bodies[sent:])


def test_deep_folders_are_left_out_and_the_rest_is_mapped(tmp_path):
    """1,200 folders within each other are nobody's work; what is above them is."""
    root = write(tmp_path, NAMES)
    here = os.open(root, os.O_RDONLY)
    try:
        for depth in range(1200):
            os.mkdir("d", dir_fd=here)
            inner = os.open("d", os.O_RDONLY, dir_fd=here)
            if depth in {3, 1000}:
                number = os.open(f"at{depth}.py", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=inner)
                os.close(number)
            os.close(here)
            here = inner
        read = list(Folder(Tree(root, [])).survey())
    finally:
        os.close(here)
        subprocess.run(["rm", "-rf", str(root / "d")], check=True)
    assert [path for path in read if "/at" in path] == ["d/d/d/d/at3.py"]
    assert not Tree(root, []).shows("d/" * 1000 + "a.py")


ODD = [
    "a\nb.py",
    "a\rb.py",
    "a\x1b[31m.py",
    "a\u202eb.py",
    "a\u2028b.py",
    "a\x85b.py",
    "a\u200bb.py",
    "a\u2066.py",
]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such names")
@pytest.mark.skipif(
    sys.getfilesystemencoding() != "utf-8", reason="the process that looks at names takes all as UTF-8"
)
@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_a_name_that_is_not_printable_is_no_line_of_a_prompt(tmp_path, name):
    """Neither of a file nor of a folder."""
    hostile = "def hostile_function(): ...\n"
    root = write(
        tmp_path, {**NAMES, name: hostile, f"{name}.d/x.py": hostile, "use.py": "hostile_function\n"}
    )
    folder = Folder(Tree(root, []))
    read = list(folder.survey())
    assert set(read) == set(NAMES)
    assert not folder.changed(name)
    assert "hostile_function" not in folder.map("python", "", "project").text
    index = Index()
    index.put(name, hostile)
    index.put("use.py", "hostile_function")
    assert index.map(Budget(1000, 1000)).text == ""


@pytest.mark.parametrize("sign", ["\x1b[31m", "\u202e", "\u2066", "\x00", "\u200b"], ids=ascii)
def test_a_signature_that_is_not_printable_is_left_out(sign):
    """What is written in it would be shown otherwise than it is."""
    index = Index()
    index.put("lib.py", f"def first_function(a, {sign}b): ...\ndef second_function(): ...\n")
    index.put("use.py", "first_function(second_function)")
    assert index.map(Budget(1000, 1000)).text == "# lib.py\ndef second_function()\n"


def test_what_is_no_plain_file_is_not_read(tmp_path):
    """Links, also to folders, pipes and devices, at the start and where the client says that they have changed."""
    root = write(tmp_path / "root", NAMES)
    write(tmp_path / "outside", {"lib.py": "def linked_function(): ...\n"})
    (root / "linked").symlink_to(tmp_path / "outside", target_is_directory=True)
    (root / "link.py").symlink_to(tmp_path / "outside" / "lib.py")
    (root / "device.py").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.py")
    (root / "names2.py").write_text("linked_function\n")
    folder = Folder(Tree(root, []))
    list(folder.survey())
    for path in ("linked/lib.py", "link.py", "device.py", "pipe.py"):
        assert not folder.changed(path)
    assert "linked_function" not in folder.map("python", "", "project").text


def test_what_is_left_out_is_apart():
    """Events of such folders do not count; nor does anything in them."""
    assert project.apart("node_modules/a/b.js")
    assert project.apart(".git/index")
    assert project.apart("a\nb/c.py")
    assert not project.apart("src/a.py")


async def test_no_value_of_a_file_that_was_never_opened_is_sent(edit, endpoint, tmp_path):
    """Of its constants, its attributes and its defaults only the names."""
    conf = (
        'DB_PASSWORD = "Kx9!vanguard"\nADMIN_PASS = "summer2024"\nSALARY = "412000 EUR"\nclass Client:\n'
        '    def login(self, user="root", password="hunter2hunter", retries=3): ...\n'
    )
    names = "DB_PASSWORD, ADMIN_PASS, SALARY, Client.login\n"
    root = write(
        tmp_path / "root", {"conf.py": conf, "a.py": names, "b.py": names, "use.py": "import conf\nx = \n"}
    )
    editor = await edit(root)
    uri = (root / "use.py").as_uri()
    editor.client.open(uri, "import conf\nx = \n")
    await editor.shows(uri, "DB_PASSWORD")
    await editor.client.texts(uri, 1, 4, explicit=True)
    sent = "".join(body["prompt"] for body in endpoint.bodies)
    assert "DB_PASSWORD" in sent
    assert "def login(self, user=..., password=..., retries=3)" in sent
    assert not re.search("vanguard|summer|412000|root|hunter2", sent)
