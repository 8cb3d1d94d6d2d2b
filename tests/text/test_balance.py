"""Texts that would leave brackets without a mate: what of them is offered, as whole lines."""

import pytest

from fim_lsp.text import balance
from fim_lsp.text.balance import balanced
from fim_lsp.text.extent import extent
from fim_lsp.text.postprocess import tidy
from fim_lsp.text.surroundings import surroundings

BODY = "def f(a):\n    ‸\n\n\nprint(f(1))\n"


def kept(document, text, language="python", covers=0):
    prefix, suffix = document.split("‸")
    return balanced(text, covers, surroundings(prefix, suffix, language))


@pytest.mark.parametrize(
    ("document", "text", "left", "language"),
    [
        (BODY, "x = (1\n    return x", "x = (1", "python"),
        (BODY, "x = 1\n    y = [x, (2\n    z = 3", "x = 1", "python"),
        (BODY, "if a:\n        g(a)\n    return [\n        a,", "if a:\n        g(a)", "python"),
        ("func f() {\n\t‸\n}\n", "if a {\n\t\tb()\n\t}\n\tfor {\n\t\tc()", "if a {\n\t\tb()\n\t}", "go"),
        ("int main() {\n  ‸\n}\n", "int n = sizeof(a;\n  n++;", "int n = sizeof(a;", "c"),
        ("x = ‸\nlog();\n", "f(1))", "", "javascript"),
    ],
)
def test_what_leaves_brackets_open_ends_before(document, text, left, language):
    assert kept(document, text, language) == (left, 0)


@pytest.mark.parametrize(
    ("document", "text", "language"),
    [
        (BODY, "return (a + [1, {2: 3}][0])", "python"),
        (BODY, "call(", "python"),
        (BODY, "call(a", "python"),  # one line: a key closes it
        (BODY, "call(a,", "python"),
        ("if (‸\n  b();\n}\n", "a) {", "javascript"),  # what it leaves open stands there closed
        ("x = f(a, ‸\n", "b)", "python"),
        ("x = f(a, ‸\n", "g(b)", "python"),  # no worse than it is
        ("# see ‸\n", "(or not", "python"),
        ("Words ‸\n", "(and more", "markdown"),
        ("x = ‸\n", '"(" + y', "python"),
        ("s = s.‸\n", "replace(/[(]/g, x)", "javascript"),
        ("case $1 in\n‸\nesac\n", "  a) echo b ;;", "shellscript"),
        ("x = ‸\n", '"""(one\ntwo', "python"),  # a string that goes on
    ],
)
def test_what_breaks_nothing_is_kept(document, text, language):
    assert kept(document, text, language) == (text, 0)


def test_what_stands_out_of_sight_is_not_missed():
    """A bracket that is closed may have been opened further up than is looked."""
    body = "    work();\n" * 400
    assert kept(f"void f() {{\n{body}‸\n", "}", "c") == ("}", 0)
    assert kept(f"{body[:800]}‸\n", "}", "c") == ("", 0)


def test_what_replaces_closers_counts_with_them():
    """The editor's bracket is replaced by the text's own, and stays where that has none."""
    assert kept("x = f(‸)\n", "a) + 1", covers=1) == ("a) + 1", 1)
    assert kept("x = f(‸)\n", "a, (b) + 1", covers=1) == ("a, (b) + 1", 0)


def test_lines_are_cut_and_nothing_is_put_behind_them():
    """As inserted: the lines before, without the white space that the answer went on with."""
    prefix, suffix = BODY.split("‸")
    form = extent(prefix, suffix, "python", "auto", 256)
    said = "x = 1\n    y = g(x, [\n        2,\n"
    assert tidy(said, prefix, suffix, "python", form, cut=True).shown == ("x = 1", 0)


def test_many_open_lines_cost_little(monkeypatch):
    """A long answer that closes what nothing opens is looked at a few times, not once a line."""
    looked = []
    fits = balance._Around.fits
    monkeypatch.setattr(balance._Around, "fits", lambda *args: looked.append(args) or fits(*args))
    assert kept("x = ‸\nprint()\n", "1))\n" + "h(1)\n" * 2000 + "e = (") == ("", 0)
    assert len(looked) == balance.TRIES + 2


def test_what_closes_at_a_lesser_depth_is_the_mate_of_another():
    """Where much follows, of which not all is in sight, depth tells what a bracket below closes."""
    below = "}\n\n" + "func g() {\n\tif a {\n\t\tb()\n\t}\n" * 100
    document = f"func f() {{\n\t‸\n{below}"
    assert kept(document, "a()\n\tif b {\n\t\tc()", "go") == ("a()", 0)
    document = f"func f() {{\n\tif a {{\n\t\t‸\n\t}}\n{below}"
    assert kept(document, "a()\n\t} else {\n\t\tc()", "go") == ("a()\n\t} else {\n\t\tc()", 0)
