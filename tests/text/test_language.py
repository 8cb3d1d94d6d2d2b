"""Brackets in code, and nowhere else."""

from __future__ import annotations

import pytest

from fim_lsp.text.language import language
from fim_lsp.text.surroundings import surroundings


def signs(text, name, inside=""):
    return "".join(mark.sign for mark in language(name).marks(text, inside)[0])


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("python", "f(x[1], {'a': ')'})  # (", "([]{})"),
        ("python", '"""\n(\n""" + (1)', "()"),
        ("javascript", "`${(` + f(1) // (", "()"),
        ("rust", "fn f<'a>(x: &'a str) -> ('a', ')')", "()()"),
        ("c", "/* ( */ f('(', \"(\");", "()"),
        ("html", "<p>It's (so) and it's fine</p>", "()"),
        ("sql", "-- (\nSELECT (1)", "()"),
        ("nobody's", "f('x(') // (", "(()"),
    ],
)
def test_brackets(name, text, found):
    """Brackets in strings and comments do not count."""
    assert signs(text, name) == found


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("python", "x = 'a", "string"),
        ("python", "x = 'a\n", None),
        ("python", '"""a\n', "string"),
        ("python", "# a", "comment"),
        ("go", "/* a\n", "comment"),
        ("html", "<!-- a\n", "comment"),
        ("plaintext", "it's (", None),
    ],
)
def test_what_the_end_is_inside_of(name, text, what):
    """A string or comment that the text leaves open is known, and one that ended with its line is over."""
    tongue = language(name)
    inside = tongue.marks(text)[1]
    assert (tongue.spans[inside].what if inside else None) == what


def test_a_string_begun_before():
    """What closes a string begun before the text is told, and the brackets behind it."""
    tongue = language("python")
    inside = tongue.marks("f('a(")[1]
    assert signs("b(') + g(1)", "python", inside) == "')()"


def test_names_know_no_case():
    """A languageId is known however it is written, and an unknown one is not an error."""
    assert language("Python") is language("PYTHON") or language("Python") == language("python")
    assert language("").marks("(")[0]


@pytest.mark.parametrize(
    ("name", "mark", "line"),
    [("go", "`", "  say 'it'\n"), ("python", '"""', "    What it's for.\n"), ("c", "/*", " * It is so.\n")],
)
def test_a_long_string_may_begin_far_above(name, mark, line):
    """What the cursor is in is told from the whole text before it, not from the nearest lines."""
    closing = mark[::-1]
    within = f"x = {mark}\n" + line * 400
    assert surroundings(within, "\n", name).inside
    behind = within + f"{closing}\n" + "f(1)\n" * 20
    assert surroundings(behind, "\n", name).inside == ""
    assert surroundings(behind + f"y = {mark} in", "\n", name).inside
    assert surroundings("f(1)\n" * 900 + "g(", "\n", name).inside == ""


def test_what_closes_a_long_string_is_told_from_all_that_follows():
    """Strings further below come in pairs, and are told from the end of the one that the cursor is in."""
    other = 'def f():\n    """Say it."""\n' + "    return 1\n" * 200
    assert surroundings('"""So ', ' it is."""\n' + other * 2, "python").span_closed
    assert not surroundings('"""So ', "\n" + other * 2, "python").span_closed
