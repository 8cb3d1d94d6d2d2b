"""How far an answer is shown, by the log-probabilities of its tokens."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.text.confidence import LEAST, RULES, Doubt, Token, kept, threshold
from fim_lsp.text.surroundings import surroundings


def spelt(*tokens):
    """A text and its tokens, from pairs of a token's text and its probability."""
    text, found = "", []
    for said, probability in tokens:
        found.append(Token(len(text), len(text) + len(said), math.log(probability)))
        text += said
    return text, found


def shown(tokens, least, *, rule="joint", granted=False, language="python", prefix="x = 1\n", until=None):
    """What is left of an answer whose tokens come one by one, and how many of them were read."""
    text, found = spelt(*tokens)
    doubt = Doubt(least, granted=granted, rule=rule)
    for read, token in enumerate(found, 1):
        if doubt.read(text[: token.end], found[:read], until=until):
            break
    if not doubt.close(text[: found[read - 1].end], found[:read], until=until):
        return text, read
    return text[: kept(text, doubt, surroundings(prefix, "", language))], read


SURE = [("a", 0.9), (" = 1", 0.9), ("\nb", 0.9), (" = 2", 0.9)]
GUESS = [("a", 0.2), (" = 1", 0.9), ("\nb", 0.9), (" = 2", 0.9)]
FALLS = [("a", 0.9), (" = 1", 0.9), ("\n", 0.9), ("b", 0.2), (" = 2", 0.9), ("\nc", 0.9)]


@pytest.mark.parametrize("rule", RULES)
def test_a_sure_answer_is_shown_whole(rule):
    """By every rule."""
    assert shown(SURE, 0.5, rule=rule) == ("a = 1\nb = 2", 4)


@pytest.mark.parametrize("rule", ["joint", "line", "least"])
def test_of_a_guess_nothing_is_shown_and_no_more_is_read(rule):
    """Its first token is enough."""
    assert shown(GUESS, 0.5, rule=rule) == ("", 1)


@pytest.mark.parametrize("rule", ["joint", "line", "least"])
def test_it_ends_before_the_line_where_confidence_falls(rule):
    """What was sure stays; no more is read."""
    assert shown(FALLS, 0.5, rule=rule) == ("a = 1\n", 4)


def test_a_mean_is_known_at_the_end_of_a_line():
    """One token may be a guess among sure ones."""
    assert shown(FALLS, 0.3, rule="mean") == ("a = 1\nb = 2\nc", 6)
    assert shown(FALLS, 0.6, rule="mean") == ("a = 1\n", 6)
    assert shown([("a", 0.9), ("b", 0.1)], 0.5, rule="mean") == ("", 2)


def test_a_joint_probability_falls_with_every_token():
    """0.9 to the fourth is 0.66."""
    assert shown(SURE, 0.65)[0] == "a = 1\nb = 2"
    assert shown(SURE, 0.7)[0] == "a = 1\n"
    assert shown(SURE, 0.7, rule="line")[0] == "a = 1\nb = 2"


def test_a_line_break_tells_of_the_line_that_it_begins():
    """That a line might have gone on is no reason to hide it."""
    assert shown([("a = 1", 0.9), ("\n", 0.1), ("b", 0.9)], 0.5)[0] == "a = 1\n"
    assert shown([("a = 1", 0.9), ("\n    b", 0.1)], 0.5)[0] == "a = 1\n"
    assert shown([("a = 1\n", 0.1), ("b", 0.9)], 0.5)[0] == ""


def test_who_asks_is_shown_the_first_line_whatever_it_is():
    """Blank lines before it are none; what follows is shown as far as it is sure."""
    assert shown(GUESS, 0.5, granted=True)[0] == "a = 1\nb = 2"
    assert shown([("a", 0.1)], 0.5, granted=True)[0] == "a"
    assert shown([("\n", 0.1), ("a", 0.1), ("\n", 0.9), ("b", 0.1)], 0.5, granted=True)[0] == "\na\n"
    assert shown(FALLS, 0.5, granted=True)[0] == "a = 1\n"


def test_what_is_said_behind_the_end_does_not_count():
    """Where the text is known to end, the model may be unsure of what comes next."""
    assert shown(FALLS, 0.5, until=5)[0] == "a = 1\nb = 2\nc"


@pytest.mark.parametrize(
    ("language", "tokens", "left"),
    [
        # Brackets that are opened are closed in what is shown.
        ("go", [("if a {", 0.9), ("\n\tb()", 0.9), ("\n}", 0.2)], ""),
        ("go", [("a()\nif a {", 0.9), ("\n\tb()", 0.9), ("\n}", 0.2)], "a()\n"),
        ("go", [("if a {\n\tb()\n}\n", 0.9), ("c", 0.2)], "if a {\n\tb()\n}\n"),
        ("python", [("f(", 0.9), ("\n    a,", 0.9), ("\n    b", 0.2)], ""),
        # In a string they are none; one that the text closes may stand further up.
        ("python", [('a = "("', 0.9), ("\nb", 0.2)], 'a = "("\n'),
        ("python", [("a)", 0.9), ("\nb", 0.2)], "a)\n"),
        # A string or comment of several lines ends where it began.
        ("python", [('"""Says', 0.9), ("\nmore", 0.9), ("\nand more", 0.2)], ""),
        ("python", [('"""Says\nmore."""', 0.9), ("\nreturn", 0.2)], '"""Says\nmore."""\n'),
        ("css", [("/* a\n */\n", 0.9), ("b", 0.2)], "/* a\n */\n"),
        ("python", [("# (a\n", 0.9), ("b", 0.2)], "# (a\n"),
        # A carriage return belongs to the line.
        ("go", [("a()\r\n", 0.9), ("b", 0.2)], "a()\r\n"),
    ],
)
def test_no_bracket_is_left_open(language, tokens, left):
    """It goes back to the last line that closes all that the text has opened."""
    assert shown(tokens, 0.5, language=language)[0] == left


def test_within_a_long_string_its_lines_are_lines():
    """The cursor's own string need not end."""
    prefix = '"""One.\n\n'
    assert shown([("Two", 0.9), ("\nThree", 0.2)], 0.5, prefix=prefix)[0] == "Two\n"


@pytest.mark.parametrize(
    ("before", "tokens", "rest", "left"),
    [
        # The expression before the token with which it fell.
        ("x = ", [("total", 0.9), (" + ", 0.9), ("tax", 0.2)], "", "total"),
        ("x = ", [("sum(a)", 0.9), (".real", 0.2)], "", "sum(a)"),
        ("x = ", [("self.items[0]", 0.9), (" if", 0.2)], "", "self.items[0]"),
        ("x = ", [('"some words"', 0.9), (" % a", 0.2)], "", '"some words"'),
        ("", [("\n", 0.9), ("    total", 0.9), (" += 1", 0.2)], "", "\n    total"),
        # No half of a word, no name of a call without its brackets, no bracket or string left open.
        ("x = ", [("total", 0.9), ("_amount", 0.2)], "", ""),
        ("x = ", [("total + sum", 0.9), ("(a)", 0.2)], "", "total"),
        ("x = ", [("total + sum(a", 0.9), (", b)", 0.2)], "", "total"),
        ("x = ", [('total + "some', 0.9), (" words", 0.2)], "", "total"),
        ("x = ", [("[total, amount", 0.9), ("]", 0.2)], "", ""),
        # What is typed sooner than it is read.
        ("x = ", [("a", 0.9), (" + b", 0.2)], "", ""),
        ("x = ", [("a, b", 0.9), (" + c", 0.2)], "", "a, b"),
        # Within what an editor has closed; not in front of other text.
        ("f(", [("total", 0.9), (" + 1", 0.2)], ")", "total"),
        ("x = ", [("total", 0.9), (" + 1", 0.2)], " + y", ""),
        # What is open on the cursor's line is closed, where nothing behind it does that.
        ("f(", [("total", 0.9), (", tax)", 0.2)], "", ""),
        ("f(", [("total)", 0.9), (" + 1", 0.2)], "", "total)"),
        ('x = {"na', [('me": "some', 0.9), (' words"}', 0.2)], "", ""),
        ('x = "It ', [("says how", 0.9), (' often"', 0.2)], "", ""),
        # Words of a comment or a text.
        ("# It ", [("says how", 0.9), (" often", 0.2)], "", "says how"),
        ('x = "It ', [("says how", 0.9), (" often", 0.2)], '"', "says how"),
    ],
)
def test_of_the_first_line_an_expression_may_stay(before, tokens, rest, left):
    """The part of it that is sure, if it is whole by itself."""
    text, found = spelt(*tokens)
    doubt = Doubt(0.5)
    assert doubt.close(text, found)
    assert text[: kept(text, doubt, surroundings(before, f"{rest}\n", "python"))] == left


def test_a_long_line_costs_no_more_than_some_looks():
    """A model may go on without end."""
    text = "(" + "a b " * 20_000
    doubt = Doubt(0.5)
    assert doubt.close(text + "c", [Token(len(text), len(text) + 1, -9.0)])
    begun = time.thread_time()
    assert kept(text + "c", doubt, surroundings("x = ", "\n", "python")) == 0
    assert time.thread_time() - begun < 2


def test_what_the_setting_stands_for():
    """Nothing is asked where nothing can be hidden; `auto` is data."""
    assert threshold("off") is threshold(0) is threshold(0.0) is None
    assert threshold(0.4) == 0.4
    assert 0 < threshold("auto") < 1


TOKENS = st.lists(
    st.tuples(
        st.text(alphabet="ab(){}\"'# \n\r\t\u2028é😀", max_size=6),
        st.floats(max_value=0.0, allow_nan=False, allow_infinity=False),
    ),
    max_size=30,
)


@given(
    TOKENS,
    st.floats(0, 1),
    st.sampled_from(list(RULES)),
    st.booleans(),
    st.sampled_from(["python", "go", "css", "text"]),
)
def test_whatever_comes_it_is_the_beginning_of_what_was_said(said, least, rule, granted, language):
    """Up to a line's end, however it is read; what falls at once falls as well where all is read at the end."""
    text, tokens = "", []
    for piece, logprob in said:
        tokens.append(Token(len(text), len(text) + len(piece), logprob))
        text += piece
    place = surroundings("x = 1\n", "y", language)
    ends = []
    for pieces in ([*(token.end for token in tokens), len(text)], [len(text)]):
        doubt = Doubt(least, rule=rule, granted=granted)
        fallen = any(doubt.read(text[:end], tokens) for end in pieces)
        assert fallen == (doubt.start is not None)
        doubt.close(text, tokens)
        ends.append(None if doubt.start is None else kept(text, doubt, place))
    assert ends[0] == ends[1]
    if ends[0] is not None:
        left = text[: ends[0]]
        assert left[-1:] in {"", "\n"} or (len(left.strip()) >= LEAST and "\n" not in left.strip())


@given(TOKENS, st.floats(0, 1), st.floats(0, 1), st.sampled_from(["joint", "line", "least"]))
def test_a_higher_threshold_shows_no_more(said, one, other, rule):
    """The stricter setting is the stricter one."""
    text, tokens = "", []
    for piece, logprob in said:
        tokens.append(Token(len(text), len(text) + len(piece), logprob))
        text += piece
    starts = []
    for least in sorted((one, other)):
        doubt = Doubt(least, rule=rule)
        doubt.close(text, tokens)
        starts.append(len(text) + 1 if doubt.start is None else doubt.start)
    assert starts[1] <= starts[0]
