"""The demo model continues a text as the same text goes on elsewhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fim_lsp.demo.model import Model
from fim_lsp.demo.words import FILE_READ

FILE = """\
import logging

log = logging.getLogger(__name__)


class Store:
    def __init__(self, connection_pool):
        self.connection_pool = connection_pool
        self.pending = []

    def read(self, key):
        with self.connection_pool.acquire() as connection:
            row = connection.fetch(key)
            if row is None:
                raise KeyError(key)
            return row

    def write(self, key, value):
        with self.connection_pool.acquire() as connection:
            connection.store(key, value)
            log.info("stored %s", key)
"""


def filled(prefix, suffix="\n", **options):
    return Model(**options).complete(prefix, suffix)


@pytest.mark.parametrize(
    ("begun", "rest"),
    [
        ("    def size(self):\n        return len(self.pend", "ing)"),
        ("    def remove(self, key):\n        with self.connection_pool.acq", "uire() as connection:"),
        ("    def get(self, key):\n        row = connection.", "fetch(key)"),
        ("    def get(self, key):\n        row = connection.fet", "ch(key)"),
    ],
)
def test_a_name_or_statement_that_stands_elsewhere_is_completed(begun, rest):
    assert filled(f"{FILE}\n{begun}").splitlines()[0] == rest


def test_what_stands_behind_is_known_too():
    start = FILE.index("connection_pool.acquire", FILE.index("def write"))
    head, tail = "def first(pool):\n    with pool.conn", "\n" + FILE[start - 60 :]
    assert filled(head, tail).startswith("ection")


def test_a_repeated_line_is_completed_to_its_end():
    assert filled("assert one.value == 1\nassert two.", "\n", folder=None) == "value == 1"


def test_the_indentation_of_the_place_is_kept():
    elsewhere = "for row in rows:\n    total += row.amount\n    print(total)\n\n\n"
    got = filled(f"{elsewhere}class Bill:\n    def show(self):\n        for row in rows:\n", "\n")
    assert got == "            total += row.amount\n            print(total)"


def test_tabs_stay_tabs():
    elsewhere = "func one() {\n\tif err != nil {\n\t\treturn err\n\t}\n}\n\n"
    got = filled(f"{elsewhere}func two() {{\n\tfor {{\n\t\tif err", "\n\t}\n}\n")
    assert got.startswith(" != nil {\n\t\t\treturn err")
    assert "    " not in got


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_are_those_of_the_text(line_end):
    lines = ["if ready:", "    start(engine)", "    report(engine)", "", "x = 1", "if ready:", "    sta"]
    got = filled(line_end.join(lines), line_end)
    assert got == f"rt(engine){line_end}    report(engine)"


def test_nothing_is_said_that_stands_right_behind():
    assert filled("call(first, second)\ncall(first, ", "second)\n") == ""
    assert filled("open(path)\nclose(path)\nopen(path)\n", "close(path)\n") == ""


def test_inside_a_word_only_its_middle_is_said():
    assert filled("connection_pool = 1\nprint(conn", "pool)\n") == "ection_"
    assert filled("connection_pool = 1\nprint(conn", "nothing)\n") == ""


def test_an_open_bracket_is_closed_where_nothing_more_is_known():
    assert filled("total = 1\nprint(to") == "tal)"


@pytest.mark.parametrize("prefix", ["", "\n\n", "zyx", "    ", "\t\t", "😀"])
def test_where_nothing_is_known_nothing_is_said(prefix):
    assert filled(prefix, "") == ""


@pytest.mark.parametrize("line", ["x = 0\n", "0, ", "a a a ", "()", "{\n"])
def test_repetition_does_not_go_on_for_ever(line):
    assert len(filled(line * 300, "")) < 400


def test_the_same_place_has_the_same_answer():
    prefix = FILE + "\n    def get(self, key):\n        "
    model = Model()
    assert {model.complete(prefix, "\n") for _ in range(3)} == {Model().complete(prefix, "\n")}


def test_the_files_beside_are_known(tmp_path):
    (tmp_path / "store.py").write_text(FILE)
    begun = "def other(pool):\n    with self.connection_pool.acq"
    assert filled(begun) == ""
    assert filled(begun, folder=tmp_path).startswith("uire() as connection:")


def test_hidden_binary_foreign_and_linked_files_are_not_read(tmp_path):
    folder = tmp_path / "work"
    (folder / ".git").mkdir(parents=True)
    (folder / "node_modules").mkdir()
    for name in (".secret.py", ".git/a.py", "node_modules/a.js", "keys.env", "data.bin"):
        (folder / name).write_text("confidential_word = 1\n")
    (folder / "null.py").write_bytes(b"confidential_word\0")
    (tmp_path / "out.py").write_text("confidential_word = 1\n")
    (folder / "link.py").symlink_to(tmp_path / "out.py")
    assert filled("print(confid", folder=folder) == ""


def test_of_a_long_file_only_the_beginning_is_read(tmp_path):
    (tmp_path / "long.py").write_text("first_word = 1\n" + "# x\n" * FILE_READ + "last_word = 1\n")
    assert filled("print(first_w", folder=tmp_path).startswith("ord")
    assert filled("print(last_w", folder=tmp_path) == ""


def test_a_missing_folder_is_no_obstacle(tmp_path):
    assert filled("total = 1\nprint(to", folder=tmp_path / "none") == "tal)"


PIECES = st.lists(
    st.sampled_from(
        ["if x:", "\n", "\r\n", "\r", "    ", "\t", "foo(", ")", "bar", " ", "\x0c", "\u2028", "é", "😀", "0"]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(PIECES, PIECES)
def test_any_text_is_answered_within_bounds(prefix, suffix):
    got = filled(prefix, suffix)
    assert len(got) < 3000
    assert got == "" or got.strip()
