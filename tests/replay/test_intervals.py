"""Intervals: the same each time, wide where little is known, and paired where both were measured on the same holes."""

import random

import pytest

from fim_lsp.replay.intervals import Draws, Figure, mean, median, ratio


def coins(number, share, seed=0):
    chance = random.Random(seed)
    return [float(chance.random() < share) for _ in range(number)]


def test_the_same_figures_have_the_same_intervals():
    values = coins(50, 0.3)
    assert Draws(50).figure(mean, (values,)) == Draws(50).figure(mean, (values,))


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    """Of 200 samples of a coin, 95 % hold its share: between 90 and 99 here."""
    draws = Draws(60)
    held = 0
    for seed in range(200):
        values = coins(60, 0.3, seed)
        found = draws.share(values, [1.0] * 60)
        held += found.low <= 0.3 <= found.high
    assert 180 <= held <= 198


def test_what_was_never_seen_may_still_be():
    """The exact bound: 0 of 20 is up to 16.8 %, 20 of 20 down to 83.2 %; among none nothing is known."""
    never, always = Draws(20).share([0.0] * 20, [1.0] * 20), Draws(20).share([1.0] * 20, [1.0] * 20)
    assert never == pytest.approx((0, 0, 1 - 0.025 ** (1 / 20)))
    assert always == pytest.approx((1, 0.025 ** (1 / 20), 1))
    assert Draws(3).share([0.0] * 3, [0.0] * 3) == (0, 0, 0)


def test_one_hole_tells_nothing_of_others():
    found = Draws(1).figure(mean, ([1.0],))
    assert found == Figure(1, float("-inf"), float("inf"))
    assert not found.telling
    assert Draws(0).figure(mean, ([],)).value == 0


def test_pairs_tell_what_two_samples_do_not():
    """Of holes that differ much among each other, a small difference that is always there is told."""
    theirs = [float(n * 10) for n in range(40)]
    ours = [value + 1 for value in theirs]
    draws = Draws(40)
    assert draws.difference(mean, (ours,), (theirs,)) == pytest.approx((1, 1, 1))
    mine, other = draws.figure(mean, (ours,)), draws.figure(mean, (theirs,))
    assert mine.low < other.high
    assert draws.difference(mean, (ours,), (ours,)) == (0, 0, 0)


def test_statistics():
    assert ratio([1, 2], [2, 4]) == 0.5
    assert ratio([], []) == ratio([1], [0]) == mean([]) == median([]) == 0
    assert median([1, 9, 2]) == 2
