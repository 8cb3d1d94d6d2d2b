"""One line or several, how long, and where the service shall stop."""

from __future__ import annotations

import pytest

from fim_lsp.text.extent import LINE_TOKENS, extent


def form(document, name="python", multiline="auto", most=256):
    prefix, suffix = document.split("‸")
    return extent(prefix, suffix, name, multiline, most)


@pytest.mark.parametrize(
    ("document", "name", "kind"),
    [
        ("def f():\n    ‸\n", "python", "block"),
        ("x = ‸\ny = 2\n", "python", "statement"),
        ("f(‸)\n", "python", "statement"),
        ("f(‸, b)\n", "python", "line"),
        ("# so ‸\n", "python", "comment"),
        ('def f():\n    """‸\n', "python", "span"),
        ("def f(‸\n    return 1\n", "python", "head"),
        ("@route\n‸\n    return 1\n", "python", "head"),
        ("def f():\n‸\n    return 1\n", "python", "block"),
        ("    x = 1\n‸\n    return 1\n", "python", "block"),
        ("class A‸\n\n  int b;\n}\n", "java", "head"),
        ("so ‸\n\n    x = 1\n", "markdown", "statement"),
        ("/* ‸\n", "c", "span"),
        ("const s = '‸'\n", "javascript", "statement"),
        ("const s = `‸\n", "javascript", "span"),
        ("<p>‸</p>\n", "html", "statement"),
        ("<p>‸ and </p>\n", "html", "line"),
        ("‸return x\n", "python", "block"),
        ("whatever ‸\n", "a language nobody knows", "statement"),
    ],
)
def test_the_place_tells_the_kind(document, name, kind):
    """A blank line wants a block, a begun line its statement, the middle of a line no more than that line."""
    assert form(document, name).kind == kind


def test_never_is_one_line():
    """Under `never` every place is a line, and the service stops at its end."""
    asked = form("def f(‸\n", multiline="never")
    assert (asked.multiline, asked.kind, asked.stop) == (False, "line", ("\n",))


def test_a_line_is_short():
    """One line is not given the tokens of a block, and a block no more than the settings allow."""
    assert form("f(‸, b)\n").max_tokens == LINE_TOKENS
    assert form("‸\n", most=40).max_tokens == 40
    assert form("f(‸, b)\n", most=40).max_tokens == 40


def test_stops_are_drawn_from_what_follows():
    """The service stops where the answer would go on with the next line, if that line can be told from new text."""
    assert (
        "\n    self.is_ready = True\n"
        in form("def f(self):\n    ‸\n    self.is_ready = True\n    return\n").stop
    )


def test_a_line_that_stands_everywhere_stops_nothing():
    """A line that was written before may be meant again: it is no stop string by itself."""
    asked = form(
        "def f():\n    do_something_else_first()\n\ndef g():\n    ‸\n    do_something_else_first()\n    return\n"
    )
    assert "\n    do_something_else_first()\n" not in asked.stop


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_stops_have_the_files_line_ends(line_end):
    """Stop strings are written with the line ends that the prompt has."""
    document = "def f(self):\n    ‸\n    self.is_ready = True\n    return\n".replace("\n", line_end)
    assert f"{line_end}    self.is_ready = True{line_end}" in form(document).stop
