"""Figures over many holes, and what one way has over another."""

from xml.etree import ElementTree as ET

import pytest

from fim_lsp.endpoint.request import Request, Usage
from fim_lsp.replay import plot, worth
from fim_lsp.replay.answers import Answer, Used, _Told
from fim_lsp.replay.assessment import Assessment, Way
from fim_lsp.replay.bill import Encoder, Price
from fim_lsp.replay.holes import Hole
from fim_lsp.replay.intervals import Figure
from fim_lsp.replay.judgement import judged
from fim_lsp.replay.typist import Typed

ENCODER = Encoder(exact=False)
HOLES = [Hole(f"{n}.py", "python", "rest", "x = ", f"value_{n} + 1", "\n") for n in range(40)]


def used(text, usage=None, read=None, error=""):
    pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
    answer = Answer("k", "http://x", "m", pieces, list(range(100, 100 + len(pieces))), "stop", usage, error)
    told = _Told(answer)
    told.pieces = len(pieces) if read is None else read
    return Used(Request("x = ", "\n", "m", 9, 0.0), answer, told)


def seen(says, price=None):
    return [
        worth.seen(hole, judged(hole, text), [used(text, Usage(100, 60, 5))] if text else [], ENCODER, price)
        for hole, text in ((hole, says(n)) for n, hole in enumerate(HOLES))
    ]


def half(n):
    return f"value_{n} + 1" if n % 2 else "other"


def all_right(n):
    return f"value_{n} + 1"


def test_figures_are_of_what_was_seen():
    found = worth.figures(seen(half, Price(1, 2, 3)))
    assert found["firstLine"].value == found["whole"].value == 0.5
    assert found["firstLine"].low < 0.5 < found["firstLine"].high
    assert found["harm"] == pytest.approx((0, 0, 1 - 0.025 ** (1 / 40)))
    assert found["milliseconds"] == (100, 100, 100)
    assert found["usd"].value == pytest.approx(1000 * (60 * 1 + 40 * 2 + 5 * 3) / 1e6)
    assert found["nothing"].value == 0
    assert worth.figures([])["firstLine"] is None


def test_where_no_price_is_known_there_are_no_dollars():
    assert worth.figures(seen(half))["usd"] is None


def test_where_nothing_came_nobody_waited():
    """Nothing offered is counted as such, and has no share in the waits."""
    found = worth.figures(seen(lambda n: "" if n < 30 else "other"))
    assert found["nothing"].value == 0.75
    assert found["milliseconds"].value == 100
    assert worth.figures(seen(lambda _: ""))["milliseconds"] is None


def test_what_was_read_is_what_is_counted():
    """Of an answer that is kept whole, the rest is nobody's output; without a bill, tokens are counted here."""
    hole, judgement = HOLES[0], judged(HOLES[0], "other")
    whole = worth.seen(hole, judgement, [used("word " * 40, Usage(100, 0, 50))], ENCODER, None)
    part = worth.seen(hole, judgement, [used("word " * 40, Usage(100, 0, 50), read=2)], ENCODER, None)
    untold = worth.seen(hole, judgement, [used("word " * 40)], ENCODER, None)
    assert (whole.output, whole.prompt) == (50, 100)
    assert 0 < part.output < 10
    assert 0 < untold.prompt < 9
    assert worth.seen(hole, judgement, [used("x", error="deadline")], ENCODER, None).late


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        (all_right, half, "better"),
        (half, all_right, "worse"),
        (half, half, "same"),
        (half, lambda n: half(n + (n == 3)), "open"),
    ],
)
def test_which_is_better_or_that_nothing_can_be_said(ours, theirs, verdict):
    """One hole that differs among forty says nothing."""
    assert worth.verdict(worth.differences(seen(ours), seen(theirs))) == verdict


def test_what_is_better_and_worse_is_neither():
    told = {"firstLine": Figure(0.1, 0.05, 0.2), "wrong": Figure(5, 2, 9), "usd": Figure(-1, -2, -0.5)}
    assert worth.verdict(told) == "mixed"
    assert worth.verdict({"usd": Figure(-1, -2, -0.5), "whole": Figure(0.1, -0.1, 0.2)}) == "open"


def test_sentences_and_picture_say_the_same():
    ways = [Way("context=<off>", seen(half)), Way("context=project", seen(all_right))]
    found = Assessment("p", "http://x", "m", "none", False, 40, 0, ways)
    assert found.verdicts()[0].startswith(
        "context=project is better than context=<off> (first line exact % +50.0 (+"
    )
    ET.fromstring(plot.worth(found))
    assert found.as_json()["differences"][0]["verdict"] == "better"
    ways[1] = Way("context=project", seen(lambda n: half(n + (n == 3))))
    assert "nothing can be said of quality on 40 holes" in found.verdicts()[0]


def test_one_hole_has_no_interval():
    """JSON knows no infinity."""
    way = Way("", seen(half)[:1])
    told = Assessment("p", "http://x", "m", "none", False, 1, 0, [way]).as_json()["ways"][0]["figures"]
    assert told["similarity"]["low"] is None


def test_keys_saved_are_of_all_that_was_to_be_typed():
    found = worth.keys_saved(Typed(taken={"a": 30, "b": 0}, typed={"a": 60, "b": 40, "c": 0}))
    assert found.value == 0.3
    assert (found.low, found.high) == (0, 0.5)
