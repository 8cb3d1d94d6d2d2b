"""Documents as their editors have them, in every encoding and with every line end."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fim_lsp.text.document import Document, Place, before_place, body, split_lines, to_column, to_units

ENCODINGS = ["utf-8", "utf-16", "utf-32"]
ALPHABET = "ab \t\n\r\f\x0b\x1c\x85\u2028\u2029é漢😀\U0010ffff"
texts = st.text(ALPHABET, max_size=60)


def units(text, encoding):
    """The length of a text in an encoding, the slow and certain way."""
    size = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    return len(text.encode(encoding if size == 1 else encoding + "-le")) // size


def naive_offset(text, line, character, encoding):
    """A position as an offset, straight from the specification, for a whole text."""
    starts = [0] + [m.end() for m in re.finditer(r"\r\n|\n|\r", text)]
    if line >= len(starts):
        return len(text)
    end = starts[line + 1] if line + 1 < len(starts) else len(text)
    content = text[starts[line] : end].rstrip("\r\n")
    best = 0
    for n in range(len(content) + 1):
        if units(content[:n], encoding) <= character:
            best = n
    return starts[line] + best


positions = st.tuples(st.integers(0, 12), st.integers(0, 30))


@given(texts, st.lists(st.tuples(positions, positions, texts), max_size=8), st.sampled_from(ENCODINGS))
@settings(max_examples=600, deadline=None)
def test_edits_agree_with_a_naive_model(text, edits, encoding):
    """Any edits, in any encoding, leave the text that the specification says."""
    document, model = Document("file:///a", "x", 1, text), text
    for one, other, new in edits:
        offsets = sorted(naive_offset(model, *position, encoding) for position in (one, other))
        places = sorted(document.place(*position, encoding) for position in (one, other))
        before = list(document.lines)
        edit = document.change(*places, new)
        model = model[: offsets[0]] + new + model[offsets[1] :]
        assert document.text == model
        assert document.lines == split_lines(model)
        assert edit.added - edit.removed == len(document.lines) - len(before)
        assert before[: edit.first] == document.lines[: edit.first]
        assert before[edit.first + edit.removed :] == document.lines[edit.first + edit.added :]


@given(texts)
def test_lines_are_those_of_the_protocol(text):
    """Only the three line ends of the protocol make lines, and nothing of the text is lost."""
    lines = split_lines(text)
    assert "".join(lines) == text
    assert len(lines) == 1 + len(re.findall(r"\r\n|\n|\r", text))
    assert not any(re.search(r"[\r\n]", body(line)) for line in lines)


@given(
    st.text(ALPHABET.replace("\n", "").replace("\r", ""), max_size=30), st.sampled_from(ENCODINGS), st.data()
)
def test_columns_and_units_are_each_others_inverse(line, encoding, data):
    """A column turned into units and back is the same column, and half a character falls back to its start."""
    column = data.draw(st.integers(0, len(line)))
    there = to_units(line, column, encoding)
    assert there == units(line[:column], encoding)
    assert to_column(line + "\n", there, encoding) == column
    if column < len(line):
        wide = to_units(line, column + 1, encoding) - there
        assert all(to_column(line, there + n, encoding) == column for n in range(wide))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_positions_outside_fall_back_to_the_nearest_end(encoding):
    """Past a line's end is its length without the line end; past the last line is the end of the text."""
    document = Document("file:///a", "x", 1, "é😀\r\nlast")
    assert document.place(0, 99, encoding) == Place(0, 2)
    assert document.place(7, 0, encoding) == Place(1, 4)
    assert document.place(-1, 3, encoding) == Place(0, 0)
    assert document.place(1, -5, encoding) == Place(1, 0)


def test_a_form_feed_shifts_no_line():
    """A change on the line after a form feed lands where it should."""
    document = Document("file:///a", "c", 1, "int a;\f\nint b;")
    at = document.place(1, 0, "utf-16")
    document.change(at, at, "X")
    assert document.text == "int a;\f\nXint b;"


def test_a_pair_of_surrogates_in_two_edits_becomes_one_character():
    """Half a character, and its other half in the next change, are one character in the end."""
    document = Document("file:///a", "x", 1, "a\ud83d")
    end = document.place(0, 2, "utf-16")
    document.change(end, end, "\ude00b")
    assert document.text == "a😀b"
    assert document.place(0, 3, "utf-16") == Place(0, 2)


def test_a_lone_surrogate_counts_one_unit():
    """A half that stays alone is kept, and positions behind it are right."""
    document = Document("file:///a", "x", 1, "\ude00x😀y")
    assert document.place(0, 2, "utf-16") == Place(0, 2)
    assert document.place(0, 4, "utf-16") == Place(0, 3)
    assert to_units(document.lines[0], 3, "utf-16") == 4


def test_replacing_the_whole_text_counts_every_line():
    """A full change is an edit of every line."""
    document = Document("file:///a", "x", 1, "a\nb\n")
    edit = document.replace("c")
    assert (document.text, edit.first, edit.removed, edit.added) == ("c", 0, 3, 1)


@pytest.mark.parametrize(
    ("text", "end"), [("a\r\nb", "\r\n"), ("a\rb", "\r"), ("a\nb\r\n", "\n"), ("a", "\n")]
)
def test_the_line_end_of_a_document_is_that_of_its_first_line(text, end):
    """A document says which line end it uses."""
    assert Document("file:///a", "x", 1, text).line_end == end


def test_what_stands_before_a_place():
    """So many characters before it, or all there are; of one endless line a part."""
    lines = ["one\n", "two\r\n", "three"]
    assert before_place(lines, Place(2, 3), 100) == "one\ntwo\r\nthr"
    assert before_place(lines, Place(2, 3), 5) == "\r\nthr"
    assert before_place(lines, Place(1, 0), 3) == "ne\n"
    assert before_place(["x" * 1_000], Place(0, 900), 10) == "x" * 10
    assert before_place(lines, Place(0, 0), 10) == ""
