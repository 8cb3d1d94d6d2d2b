import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.replay import session
from fim_lsp.replay.history import Change as FileChange
from fim_lsp.replay.history import Commit, HistoryError, Hunk
from fim_lsp.replay.session import Ask, Change, Open

BEFORE = "def a():\n    pass\n\n\ndef b():\n    return 1\n"
COMMITS = [
    Commit(
        "1",
        (
            FileChange(
                "a.py", BEFORE, (Hunk(1, 1, "    if x:\n        go()\n"), Hunk(5, 1, "    return 2\n"))
            ),
            FileChange("new.py", "", (Hunk(0, 0, "import os\n\nprint(os)\n"),)),
        ),
    ),
    Commit("2", (FileChange("new.py", "import os\n\nprint(os)\n", (Hunk(0, 1, "import sys\n"),)),)),
]


def played(events):
    """The texts at the end; every ask must be told what is typed next, at the place where it is typed."""
    texts, asked = {}, None
    for event in events:
        if isinstance(event, Open):
            texts[event.path] = event.text
        elif isinstance(event, Change):
            text = texts[event.path]
            assert 0 <= event.start <= event.end <= len(text)
            if asked is not None:
                assert (event.path, event.start, event.end) == (asked.path, asked.offset, asked.offset)
                assert asked.truth.startswith(event.text)
                asked = None
            texts[event.path] = text[: event.start] + event.text + text[event.end :]
        else:
            asked = event
    return texts


def test_a_session_ends_in_what_was_committed():
    """Typed to its end, a session leaves every file as its last commit did."""
    texts = played(session.typed(COMMITS))
    assert texts == {
        "a.py": "def a():\n    if x:\n        go()\n\n\ndef b():\n    return 2\n",
        "new.py": "import sys\n\nprint(os)\n",
    }


def test_the_same_seed_types_the_same():
    assert list(session.typed(COMMITS, seed=3)) == list(session.typed(COMMITS, seed=3))
    assert any(
        list(session.typed(COMMITS, seed=3)) != list(session.typed(COMMITS, seed=seed))
        for seed in range(4, 9)
    )


def test_an_editor_indents_the_line_it_opens():
    """A line end and the indentation behind it come at once, and the typist stops there."""
    events = list(session.typed(COMMITS[:1]))
    place = next(i for i, e in enumerate(events) if isinstance(e, Change) and e.text == "\n        ")
    assert events[place + 1] == Ask("a.py", events[place].start + 9, "go()")


def test_only_the_words_that_differ_are_typed():
    changes = [e for e in session.typed(COMMITS[1:]) if isinstance(e, Change)]
    assert changes[0] == Change("new.py", 7, 8, "")
    assert "".join(e.text for e in changes) == "sy"


def test_files_of_a_commit_are_open_together():
    """A file that is as it was left is not opened again."""
    events = list(session.typed(COMMITS))
    assert [e.path for e in events if isinstance(e, Open)] == ["a.py", "new.py"]


def test_a_file_that_changed_elsewhere_is_opened_anew():
    other = Commit("3", (FileChange("new.py", "else\n", (Hunk(1, 0, "more\n"),)),))
    assert list(session.typed([*COMMITS, other])).count(Open("new.py", "else\n")) == 1


def test_a_session_can_be_cut_after_some_asks():
    events = list(session.first_asks(session.typed(COMMITS), 3))
    assert isinstance(events[-1], Ask)
    assert sum(isinstance(e, Ask) for e in events) == 3


@given(st.lists(st.sampled_from(["a", "b\n", "  c(\n", "\n", "x.y"]), max_size=12), st.data())
def test_any_hunks_lead_to_the_text_after(parts, data):
    """Whatever lines go and come, the session ends in the text that is wanted."""
    before = "".join(parts)
    lines = [line + "\n" for line in before.split("\n")]
    lines = [*lines[:-1], lines[-1][:-1]]
    first = data.draw(st.integers(0, len(lines) - 1))
    removed = data.draw(st.integers(0, len(lines) - 1 - first))
    text = data.draw(st.sampled_from(["", "new\n", "  two\n\tlines\n", lines[first] + "more\n"]))
    after = [*lines[:first], text, *lines[first + removed :]]
    commit = Commit("1", (FileChange("f", before, (Hunk(first, removed, text),)),))
    assert played(session.typed([commit]))["f"] == "".join(after)


@pytest.mark.parametrize("name", ["s.json", "s.json.gz"])
def test_a_saved_session_loads_as_it_was(tmp_path, name):
    events = list(session.typed(COMMITS))
    session.save(events, tmp_path / name)
    assert session.load(tmp_path / name) == events


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\x1f\x8bnot",
        b'[["go", 1]]',
        b'[["open", "a"]]',
        b"3",
        b'{"a": 1}',
        b'[["edit", "a", 0, 0, ""]]',
        b'[["open", "a", ""], ["edit", "a", 0, 1, ""]]',
        b'[["edit", "a", "0", 0, ""]]',
        b'[["ask", "a", 0, ""]]',
    ],
)
def test_a_file_without_a_session_is_a_sentence(tmp_path, raw):
    file = tmp_path / "x.json"
    file.write_bytes(raw)
    with pytest.raises(HistoryError, match="holds no saved session"):
        session.load(file)
