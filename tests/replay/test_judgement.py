"""What an offer is worth, told by cases where anyone can tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.replay.holes import Hole
from fim_lsp.replay.judgement import judged, right_lines, similarity
from fim_lsp.text import grammar

PREFIX = "def area(self):\n    "
TRUTH = "width = self.width\n    return width * self.height"
SUFFIX = "\n\n\ndef other(self):\n    return self.width + 1\n"


def hole(truth=TRUTH, suffix=SUFFIX, prefix=PREFIX, language="python"):
    return Hole("box.py", language, "block", prefix, truth, suffix)


def test_the_truth_is_whole_and_saves_all():
    """White space at the end does not count."""
    found = judged(hole(), TRUTH + "\n")
    assert found.first
    assert found.whole
    assert found.similarity == 1
    assert found.saved == found.typed == found.shown == len(TRUTH)
    assert found.wrong == 0
    assert (found.nothing, found.harm, found.broken, found.unparsed) == (False, False, False, False)


def test_a_right_line_before_wrong_ones_is_saved():
    found = judged(hole(), "width = self.width\n    return 0")
    assert found.first
    assert not found.whole
    assert found.saved == len("width = self.width")
    assert found.wrong == len("0")
    assert not found.harm


def test_half_a_line_that_is_right_is_neither_saved_nor_wrong():
    found = judged(hole(), "width = self")
    assert (found.first, found.saved, found.wrong, found.shown) == (False, 0, 0, 12)


def test_nothing_is_neither_exact_nor_harm():
    found = judged(hole(), "")
    assert found.nothing
    assert (found.first, found.whole, found.similarity, found.harm) == (False, False, 0, False)
    assert (found.broken, found.unparsed) == (False, False)


def test_text_that_stands_below_comes_again():
    """Also behind the truth, and cut within; not where the truth says it too."""
    again = "\n\n\ndef other(self):\n    return self.width + 1"
    assert judged(hole(), TRUTH + again).doubled
    assert judged(hole(), again.lstrip()).doubled
    assert judged(hole(), TRUTH + again + "\n\nmore = 1").doubled
    assert not judged(hole(), TRUTH).doubled
    below = "\n    return 1\n\n\nx = 0\n    return 1\n"
    assert not judged(hole(truth="call()\n    return 1", suffix=below), "called()\n    return 1").doubled


def test_lines_that_stand_further_below_are_no_doubling():
    """Code repeats itself: two lines in a row count among the next three alone."""
    said = "first = load(1)\n    check(first)\n    more = 2"
    near = "\n    again = 1\n    first = load(1)\n    check(first)\n    other = 3\n"
    far = "\n    again = 1\n    other = 3\n    first = load(1)\n    check(first)\n"
    assert judged(hole(truth="pass", suffix=near), said).doubled
    assert not judged(hole(truth="pass", suffix=far), said).doubled


def test_a_bracket_line_alone_that_comes_next_is_no_text():
    assert not judged(hole(truth="f(\n        1", suffix="\n    )\n"), "g(\n        2\n    )").doubled


def test_brackets_are_broken_where_the_truths_are_whole():
    found = judged(hole(), "width = (self.width\n    return width * self.height")
    assert found.broken
    assert found.unparsed
    assert found.harm
    lone = judged(hole(prefix="x = ]\n" + PREFIX), "width = (1\n    return 2")
    assert lone.broken is None
    assert lone.unparsed is None
    assert not lone.harm


def test_who_offers_less_is_not_blamed_for_what_that_leaves_open():
    """`for ... {` of several lines to be written leaves a bracket open, whichever loop it is."""
    go = hole(
        truth="for i := range a {\n\t\tuse(i)\n\t}",
        prefix="package a\n\nfunc f(a []int) {\n\t",
        suffix="\n}\n",
        language="go",
    )
    assert not judged(go, "for _, i := range a {").broken
    assert judged(go, "for _, i := range a {\n\t\tuse(i)\n\t\tmore()").broken


def test_brackets_in_strings_are_none():
    assert not judged(hole(), 'width = "(["\n    return width * 2').broken


def test_closers_that_are_replaced_count_once():
    """What an offer says again of what stands behind the cursor is no news."""
    call = hole(truth="a, b", prefix="x = f(", suffix=")\ny = 1\n")
    found = judged(call, "a, b)", 1)
    assert found.whole
    assert not found.harm
    assert judged(call, "a, b)", 0).broken
    assert judged(call, "a, c)", 1).wrong == 1


def test_other_languages_are_parsed_where_there_is_a_parser():
    """Of a language without one nothing is said."""
    script = hole(truth="let a = 1;", prefix="function f() {\n  ", suffix="\n}\n", language="javascript")
    assert judged(script, "let b = 1;").unparsed is False
    assert judged(script, "let let = = 1;").unparsed is True
    vue = hole(truth="let a = 1;", prefix="<script>\n", suffix="\n</script>\n", language="vue")
    assert judged(vue, "let let = = 1;").unparsed is None


def test_what_the_parser_gives_up_on_is_not_looked_at():
    assert grammar.parses("(" * 5000 + ")" * 5000, "python") in {None, False}
    assert grammar.parses("x = '\\d'", "python") is True
    assert grammar.parses("a\0", "python") is False


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("a\nb", "a\nb"),
        ("a \nb\nc\nd", "a\nb\nc"),
        ("a\nx\nc", "a"),
        ("b", ""),
        ("", ""),
    ],
)
def test_lines_are_right_up_to_the_first_that_is_not(said, right):
    assert right_lines(said, "a\nb\nc") == right


def plain(one, other):
    row = list(range(len(other) + 1))
    for at, sign in enumerate(one, 1):
        new = [at]
        for there, their in enumerate(other, 1):
            new.append(min(row[there] + 1, new[-1] + 1, row[there - 1] + (sign != their)))
        row = new
    return row[-1]


@given(st.text("abc", max_size=30), st.text("abcd", max_size=30))
def test_similarity_is_that_of_the_table(one, other):
    """The quick way gives what the textbook's gives."""
    longest = max(len(one), len(other))
    assert similarity(one, other) == (1 - plain(one, other) / longest if longest else 1)
