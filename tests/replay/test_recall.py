"""What `fim-lsp replay --context` counts: names that only other files hold, and what shows them."""

import json
from xml.etree import ElementTree as ET

import pytest
from gitrepo import commit, git, lines
from replaying import run

from fim_lsp.replay.library import Library
from fim_lsp.replay.session import Ask, Change, Open
from fim_lsp.replay.snippets import WAYS
from fim_lsp.replay.truth import Signatures, truths

TEXTS = {
    "lib.py": "class Shelf:\n    def put_up(self, height):\n        pass\n",
    "use.py": "from lib import Shelf\nShelf().put_up(3)\nShelf().third_party()\n",
    "main.py": "def main(shelf):\n    own_name = 1\n",
}


def test_truths_are_names_of_code_by_where_they_are_known_from():
    """In the file, only elsewhere, elsewhere defined: words of comments, strings and the language itself are none."""
    before = "def main(shelf):\n    own_name = 1\n"
    rest = "put_up(own_name)  # Shelf\nreturn shelf.third_party('Shelf', unheard_of)\n\n\nShelf\n"
    events = [
        Open("main.py", before),
        Change("main.py", len(before), len(before), "    shelf."),
        Ask("main.py", len(before) + 10, rest),
    ]
    (true,) = truths(events, TEXTS, Signatures())
    assert true.inside == {"own_name", "shelf"}
    assert true.external == {"put_up", "third_party"}
    assert true.defined == {"put_up"}


def test_a_name_that_the_cursor_stands_in_counts_whole():
    """What is typed of it already is a part of it."""
    events = [Open("main.py", "put_"), Ask("main.py", 4, "up(1)\n")]
    (true,) = truths(events, TEXTS, Signatures())
    assert true.external == {"put_up"}


def test_a_signature_is_known_again():
    """As the map shows it, as the source has it, and within a comment; the name alone is none."""
    signatures = Signatures()
    signatures.add("lib.py", TEXTS["lib.py"])
    assert signatures.shown("put_up", frozenset({"def put_up(self, height)"}))
    assert signatures.shown("put_up", frozenset({"def put_up(self, height):"}))
    assert not signatures.shown("put_up", frozenset({"put_up", "also put_up"}))


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A commit that uses, in one file, what another defines and a third names too."""
    folder = tmp_path_factory.mktemp("project")
    git(folder, "init", "-q")
    commit(folder, lib="def far_helper(count, name):\n    pass\n", use="far_helper(1, 2)\n", a=lines(0, 300))
    more = "def more():\n    return far_helper(1, 2)\n\n\ndef again():\n    return far_helper(3, 4)\n"
    commit(folder, a=lines(0, 10) + more + lines(10, 300))
    return folder


def test_each_way_is_scored_on_the_same_session(repository, capsys, tmp_path):
    """The map shows what it is asked for; without context nothing is shown; the picture names each way."""
    picture = tmp_path / "p.svg"
    assert run(repository, "--context", "--json", "--plot", picture) == 0
    rows = {row["context"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == [
        "off",
        *(f"{way}, {n}" if way in WAYS else way for n, ours in (("2,048", "project"), ("4,096", "rich")) for way in (ours, *WAYS)),
    ]  # fmt: skip
    assert rows["off"]["external"] == 0.0
    assert rows["off"]["usdOverNone"] == 1.0
    assert rows["project"]["external"] == rows["project"]["signatures"] == 1.0
    assert rows["project"]["usdOverNone"] > 1
    assert rows["project"]["headChangesPer100"] == 0
    shown = {text.text for text in ET.parse(picture).getroot().iter("{http://www.w3.org/2000/svg}text")}
    assert set(rows) <= shown


def test_the_table_says_the_same(repository, capsys):
    """A row a way; a dash where there was nothing to show."""
    assert run(repository, "--context") == 0
    head, off, project, *_ = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["context", "external", "%"]
    assert off.split()[:4] == ["off", "0.0", "0.0", "-"]
    assert project.split()[:3] == ["project", "100.0", "100.0"]


@pytest.mark.parametrize("name", WAYS)
def test_ways_of_others_keep_to_their_budgets(name):
    """None shows more of other files than it may, and each shows some."""
    way = WAYS[name](4000, 400, 900)
    for path in ("a.py", "b.py"):
        way.open(Open(path, lines(0, 400)))
    way.change(Change("b.py", 0, 0, "line_7 = x\n"))
    way.change(Change("a.py", 0, 0, "line_7 = y\n"))
    prompt = way.prompt(Ask("a.py", 11, ""))
    assert 0 < len(way.head) <= 900 + 64 * 16
    assert prompt.prefix.startswith(way.head)
    assert "line_7 = x" in way.head or name == "llama.vim"


def test_a_library_leaves_out_what_a_folder_does():
    """Vendored and generated files are in no map."""
    library = Library(
        {**TEXTS, "vendor/x.py": "def put_up(): ...\n", "made.py": "# @generated\ndef put_up(): ...\n"}
    )
    assert library.folder.map("python", "", "project").files == ("lib.py",)
