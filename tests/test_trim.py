"""Text worth inserting: cases with the cursor marked, what the model says, and what is inserted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fim_lsp.shape import shape
from fim_lsp.stop import Ending
from fim_lsp.trim import tidy

CASES = [
    ("def f(a):\n    return |\n", "a + 1\n\n\ndef g():\n", "a + 1", "a statement ends with its line"),
    (
        "def f(a):|\n\nx = 1\n",
        "\n    b = a\n    return b\n\nx = 1\n",
        "\n    b = a\n    return b",
        "a block ends with it",
    ),
    (
        "def f(a):\n    |\n",
        "b = a\n    return b\n\n\ndef g():\n    pass\n",
        "b = a\n    return b",
        "at the dedent",
    ),
    ("x = foo(|)\n", "a, b)\n", "a, b", "the bracket that the line has is not closed twice"),
    ("x = foo(|\n", "a, b)\ny = 2\n", "a, b)", "a bracket that nobody closed is"),
    (
        "x = foo(|\n",
        "\n    a,\n    b,\n)\ny = 2\n",
        "\n    a,\n    b,\n)",
        "a call over several lines is whole",
    ),
    ('s = "|"\n', 'hello"\n', "hello", "nor is the quote"),
    ("a = 1\n|\nb = 2\n", "c = 3\nb = 2\n", "c = 3", "the next line is not doubled"),
    ("x |\n", " = 1\n", "= 1", "one space is enough"),
    ("x = |\n", "1<｜fim▁end｜>junk", "1", "no token of the template"),
    ("x = |\n", "1<|endoftext|>", "1", "nor of another"),
    ("|\n", "```python\nx = 1\n```\nHere is", "x = 1", "no fence"),
    ("    |\n", "\n    return 1\n", "return 1", "no stray line break on an empty line"),
    ("    |\n", "    return 1\n", "return 1", "indentation once"),
    ("x = |\n", "   \n", "", "white space is nothing"),
    ("    |\n", "go()\n    go()\n    go()\n    go()\n", "go()", "no loops"),
    ("for x in y:\n    |\n", "f(x)\n    g(x)  \n", "f(x)\n    g(x)", "no trailing space"),
    ("foo(|, b)\n", "a, b)\n", "a", "what the line goes on with is not doubled"),
    ("x = 1  # the |\n", "first\ny = 2\n", "first", "a comment is one line"),
    ("function f() {\n  |\n}\n", "return 1;\n}\n", "return 1;", "the file's own closing line stays its own"),
    ("func main() {|\n", "\n\tx := 1\n}\n\nfunc b() {}\n", "\n\tx := 1\n}", "a block that nobody closed is"),
]


def parts(marked):
    before, _, after = marked.partition("|")
    return before, after


def language(marked):
    return "python" if "function" not in marked and "func" not in marked else "javascript"


@pytest.mark.parametrize(("marked", "model", "inserted", "why"), CASES, ids=[case[3] for case in CASES])
def test_what_is_inserted(marked, model, inserted, why):
    """Each case says why."""
    before, after = parts(marked)
    form = shape(before, after, language(marked), "auto", 256)
    assert tidy(model, before, after, language(marked), form).text == inserted


@pytest.mark.parametrize(("marked", "model", "inserted", "why"), CASES, ids=[case[3] for case in CASES])
def test_pieces_make_no_difference(marked, model, inserted, why):
    """Read piece by piece and closed early, a stream comes to the same text."""
    before, after = parts(marked)
    form = shape(before, after, language(marked), "auto", 256)
    for size in (1, 3, 7):
        ending = Ending(before, after, language(marked), form)
        for n in range(0, len(model), size):
            if ending.feed(model[n : n + size]):
                break
        assert tidy(ending.text, before, after, language(marked), form).text == inserted


def test_crlf_stays_crlf():
    """A file's line ends are its own."""
    form = shape("def f():\r\n    ", "\r\n", "python", "auto", 256)
    assert tidy("a\n    b\n", "def f():\r\n    ", "\r\n", "python", form, "\r\n").text == "a\r\n    b"


def test_never_and_always():
    """`multiline` decides where `auto` would not."""
    form = shape("def f():\n    ", "\n", "python", "never", 256)
    assert tidy("a\n    b\n", "def f():\n    ", "\n", "python", form).text == "a"
    assert not form.multiline
    assert shape("# a", "\n", "python", "always", 256).multiline


def test_stops_are_drawn_from_what_follows():
    """The service itself stops at the next line, if that line says enough; never more than 16 stops."""
    assert shape("def f():\n    ", "\n\ndef another(x):\n", "python", "auto", 256).stop == (
        "\ndef another(x):",
    )
    assert shape("def f():\n    ", "\n}\n", "python", "auto", 256).stop == ()


text = st.text("ab ()[]{}\n\t\"':#x=,", max_size=80)


@given(text, text, text)
@settings(max_examples=400, deadline=None)
def test_nothing_is_added(model, before, after):
    """What is inserted is made of the model's own words, in their order, and tidying it again changes nothing of one line."""
    form = shape(before, after, "python", "auto", 256)
    out = tidy(model, before, after, "python", form).text
    rest = iter(model)
    assert all(character in rest for character in out)
    assert out == "" or out.strip()
