"""Answers already paid for."""

import pytest

from fim_lsp.completion.answer_cache import AnswerCache, Offer, spot
from fim_lsp.text.document import Place, split_lines


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def at(marked):
    """Lines and place of a text whose cursor is marked with a bar."""
    before, _, after = marked.partition("|")
    lines = split_lines(before + after)
    head = split_lines(before)
    return lines, Place(len(head) - 1, len(head[-1]))


def kept(marked, *texts, size=100, ttl=60, clock=None):
    answers = AnswerCache(size, ttl, clock or Clock())
    answers.put(spot("u", *at(marked)), [Offer(text) for text in texts])
    return answers


def found(answers, marked, uri="u"):
    """The texts found at a place."""
    offers = answers.find(uri, *at(marked))
    return None if offers is None else tuple(offer.text for offer in offers)


ALONG = [
    ("x = |\n", "foo(1)", "x = |\n", ("foo(1)",)),
    ("x = |\n", "foo(1)", "x = fo|\n", ("o(1)",)),
    ("x = |\n", "foo(1)", "x = fa|\n", None),
    ("x = |\n", "foo(1)", "x =|\n", None),
    ("if a:\n|\n", "    b\n    c", "if a:\n    b\n  |\n", ("  c",)),
    ("f|\n", "(a)", "f(|)\n", ("a",)),
    ("x = |\nend\n", "foo", "x = f|\nother\n", None),
    ("a\nx = |\n", "foo", "b\nx = f|\n", None),
    ("x = |\n", "", "x = |\n", ()),
    ("x = |\n", "foo", "x = foo|\n", None),
]


@pytest.mark.parametrize(("asked", "answer", "now", "left"), ALONG)
def test_an_answer_is_found_where_it_still_fits(asked, answer, now, left):
    """At its place, along its text over lines, behind a bracket the editor closed; not where the text differs."""
    assert found(kept(asked, answer), now) == left


def test_an_answer_is_not_found_in_another_document():
    """Equal text in another file is another question."""
    assert found(kept("x = |\n", "foo"), "x = |\n", "v") is None


def test_an_answer_grows_old():
    """After its time an answer is asked for anew."""
    clock = Clock()
    answers = kept("x = |\n", "foo", ttl=60, clock=clock)
    clock.now = 59
    assert found(answers, "x = f|\n") == ("oo",)
    clock.now = 61
    assert found(answers, "x = f|\n") is None


def test_the_store_is_bounded_and_can_be_off():
    """Never more answers than its size; none at all at size 0."""
    answers = AnswerCache(10, 60, Clock())
    for n in range(100):
        answers.put(spot("u", *at(f"{n}\nx = |\n")), [Offer("foo"), Offer("bar")])
    assert 0 < len(answers) <= 10
    off = kept("x = |\n", "foo", size=0)
    assert (len(off), found(off, "x = |\n")) == (0, None)


def test_candidates_keep_their_order_and_only_those_that_fit():
    """Several texts for one place; typing keeps the ones that agree."""
    answers = kept("x = |\n", "foo", "bar", "fob")
    assert found(answers, "x = |\n") == ("foo", "bar", "fob")
    assert found(answers, "x = fo|\n") == ("o", "b")
