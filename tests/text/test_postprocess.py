"""Properties that hold for every text: nothing is made up, nothing depends on how the stream was cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fim_lsp.text.early_stop import Ending
from fim_lsp.text.extent import MOST_STOPS, extent
from fim_lsp.text.postprocess import NOTHING, tidy

WORDS = [
    "return",
    "if x:",
    "else:",
    "foo(",
    ")",
    "{",
    "}",
    "});",
    "a = 1",
    "b",
    "# note",
    "//",
    '"',
    "'",
    "/*",
    "*/",
]
WORDS += [
    "\n",
    "\n    ",
    "\n\n",
    "\n\t",
    " ",
    ";",
    ",",
    "```",
    "<|endoftext|>",
    "</div>",
    "<p>",
    "é",
    "😀",
    "\r\n",
    "end",
]
code = st.lists(st.sampled_from(WORDS), max_size=25).map("".join)
language = st.sampled_from(
    ["python", "go", "typescript", "html", "yaml", "ruby", "markdown", "clojure", "nonsense"]
)
asked = settings(max_examples=150, deadline=None)


def whole(text, prefix, suffix, name):
    return tidy(text, prefix, suffix, name, extent(prefix, suffix, name, "auto", 256)).shown


def ended(text, pieces, prefix, suffix, name):
    ending = Ending(prefix, suffix, name, extent(prefix, suffix, name, "auto", 256))
    at = 0
    for size in [*pieces, len(text)]:
        if ending.feed(text[at : at + size]):
            break
        at += size
    return ending


@asked
@given(code, code, code, language)
def test_nothing_is_made_up(text, prefix, suffix, name):
    """What is inserted is made of the answer's own characters, in their order, but for line ends and indentation."""
    inserted, covers = whole(text, prefix, suffix, name)
    said = iter("".join(text.split()))
    assert all(sign in said for sign in "".join(inserted.split()))
    assert 0 <= covers <= len(suffix.replace("\r", "\n").split("\n")[0])


@asked
@given(code, code, code, language)
def test_what_is_covered_is_said_again(text, prefix, suffix, name):
    """Characters after the cursor are only replaced by a text that holds them, in their order."""
    inserted, covers = whole(text, prefix, suffix, name)
    signs = iter(inserted)
    assert all(sign in signs for sign in suffix[:covers] if not sign.isspace())


@asked
@given(code, code, code, language, st.lists(st.integers(1, 9), max_size=20))
def test_pieces_do_not_matter(text, prefix, suffix, name, pieces):
    """However a stream is cut into pieces, the same is inserted, once it is complete."""
    ending = ended(text, pieces, prefix, suffix, name)
    once = ended(text, [], prefix, suffix, name)
    assert whole(ending.text, prefix, suffix, name) == whole(once.text, prefix, suffix, name)


@asked
@given(code, code, code, language)
def test_closing_early_loses_nothing(text, prefix, suffix, name):
    """What was read when the stream was closed gives what the whole answer would have given, but for white space after it."""
    ending = ended(text, [1] * len(text), prefix, suffix, name)
    early, late = whole(ending.text, prefix, suffix, name), whole(text, prefix, suffix, name)
    assert (early.text.rstrip(), early.covers) == (late.text.rstrip(), late.covers)


@asked
@given(code, code, language, st.sampled_from(["auto", "always", "never"]), st.integers(1, 4096))
def test_what_the_service_accepts(prefix, suffix, name, multiline, most):
    """At most sixteen stop strings, none of them empty, and never more tokens than are allowed."""
    form = extent(prefix, suffix, name, multiline, most)
    assert len(form.stop) <= MOST_STOPS
    assert all(form.stop)
    assert len(set(form.stop)) == len(form.stop)
    assert 1 <= form.max_tokens <= most


@pytest.mark.parametrize(
    "name", ["python", "go", "typescript", "c", "ruby", "yaml", "css", "sql", "unheard-of"]
)
@given(text=st.from_regex(r"[A-Z][A-Za-z0-9_]{0,9}(\.[A-Z][A-Za-z0-9_]{0,9}){0,2}", fullmatch=True))
@settings(max_examples=25, deadline=None)
def test_a_plain_word_is_left_alone(name, text):
    """A word where nothing follows comes through to the byte."""
    assert whole(text, "x = ", "", name) == (text, 0)


@pytest.mark.parametrize(
    ("name", "prefix", "text", "suffix"),
    [
        ("python", "def f(x):\n    ", "if x:\n        return 1\n\n    return 2", ""),
        ("python", "class A:\n    ", "x: int\n    y: int = 0", "\n\n    def f(self): ...\n"),
        ("go", "func f() {\n\t", "a := []int{1, 2}\n\treturn a[0]", "\n}\n"),
        ("typescript", "const a = ", "{ b: [1, 2], c: '}' }", "\n"),
        ("typescript", "", "import a from 'a'\nimport b from 'b'\n\nconst c = a + b", ""),
        ("rust", "let x = ", "match y {\n    Some(z) => z,\n    None => 0,\n};", "\n"),
        ("html", "<ul>\n  ", "<li>\n    <b>one</b>\n  </li>", "\n</ul>\n"),
        ("ruby", "", "def f\n  yield\nend", "\n"),
    ],
)
def test_what_is_right_is_left_alone(name, prefix, text, suffix):
    """An answer that fits comes through to the byte, and comes through again."""
    assert whole(text, prefix, suffix, name) == (text, 0)
    assert whole(whole(text, prefix, suffix, name).text, prefix, suffix, name) == (text, 0)


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "\n\n   \n", "<|endoftext|>", "```\n```", "\ud83d", "\ufeff"]
)
def test_nothing_to_say(text):
    """White space, marks and halves of characters are nothing."""
    assert whole(text, "def f():\n    ", "", "python") == NOTHING


def test_both_halves_of_a_character():
    """A character that came in two halves is one."""
    assert whole("'\ud83d\ude00'", "x = ", "", "python").text == "'😀'"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends(line_end):
    """Whatever line ends the model used, the file's own are inserted, and the same text is read as complete."""
    prefix, suffix = "def f():\n    ".replace("\n", line_end), "\n\nx = 1\n".replace("\n", line_end)
    form = extent(prefix, suffix, "python", "auto", 256)
    for said in ("a = 1\n    b = 2\n", "a = 1\r\n    b = 2\r\n", "a = 1\r    b = 2\r"):
        assert tidy(said, prefix, suffix, "python", form, line_end).shown.text == f"a = 1{line_end}    b = 2"


def test_a_stream_is_closed_at_the_dedent():
    """The first word that stands outside the block closes the stream."""
    ending = Ending("def f():\n    ", "", "python", extent("def f():\n    ", "", "python", "auto", 256))
    said = "return 1\n\nprint(f())\nprint(f())\n"
    for sign in said:
        if ending.feed(sign):
            break
    assert ending.text == "return 1\n\nprint("


def test_a_stream_that_was_closed_stays_closed():
    """What comes after the end is not taken for text."""
    ending = Ending("x = ", "\n", "python", extent("x = ", "\n", "python", "never", 256))
    assert ending.feed("1\n")
    assert ending.feed("y = 2\n")
    assert ending.close() == 1


@pytest.mark.parametrize("mark", ["<|endoftext|>", "<｜fim▁hole｜>"])
def test_a_file_about_models_keeps_its_marks(mark):
    """Where the file itself holds such marks, they are text like other text."""
    prefix = f'END = "{mark}"\n\ndef is_end(token):\n    '
    assert mark not in extent(prefix, "", "python", "auto", 256).stop
    assert whole(f'return token == "{mark}"', prefix, "", "python").text == f'return token == "{mark}"'
