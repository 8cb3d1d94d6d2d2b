"""Intervals of 95 %: what a figure may be on other holes of the same kind, by drawing the holes anew from themselves."""

from __future__ import annotations

import random
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

DRAWS = 1_000
SEED = 20_261_126
SHARE = 0.95


class Figure(NamedTuple):
    """A value, and from where to where it may be."""

    value: float
    low: float
    high: float

    @property
    def telling(self) -> bool:
        """Whether zero is not in the interval: for a difference, whether anything can be said."""
        return self.low > 0 or self.high < 0


class Draws:
    """The same draws for all figures on the same `size` holes, so that differences are paired; always the same ones."""

    def __init__(self, size: int) -> None:
        chance = random.Random(SEED)  # noqa: S311
        # Two at least, so that an itemgetter gives a tuple: a single hole tells of no other.
        self._chosen = (
            [itemgetter(*chance.choices(range(size), k=size)) for _ in range(DRAWS)] if size > 1 else []
        )

    def ratio(self, parts: Sequence[float], wholes: Sequence[float]) -> Figure:
        """The sum of parts over the sum of wholes, hole by hole: a mean where each whole is 1."""
        value = _ratio(sum(parts), sum(wholes))
        if set(parts) <= {0} or (set(wholes) == {1} and set(parts) == {1}):
            return _constant(value, sum(1 for one in wholes if one))
        return _figure(value, [_ratio(sum(of(parts)), sum(of(wholes))) for of in self._chosen])

    def difference(
        self, ours: tuple[Sequence[float], Sequence[float]], theirs: tuple[Sequence[float], Sequence[float]]
    ) -> Figure:
        """The ratio of ours less that of theirs, on the same holes."""
        value = _ratio(*map(sum, ours)) - _ratio(*map(sum, theirs))
        if ours == theirs:
            return Figure(0.0, 0.0, 0.0)
        drawn = [
            _ratio(sum(of(ours[0])), sum(of(ours[1]))) - _ratio(sum(of(theirs[0])), sum(of(theirs[1])))
            for of in self._chosen
        ]
        return _figure(value, drawn)


def _figure(value: float, drawn: list[float]) -> Figure:
    if not drawn:
        return Figure(value, float("-inf"), float("inf"))
    drawn.sort()
    cut = round(len(drawn) * (1 - SHARE) / 2)
    return Figure(value, drawn[cut], drawn[-1 - cut])


def _constant(value: float, number: int) -> Figure:
    """What was never, or always, seen in so many holes: drawing anew tells nothing, and the exact bound is taken."""
    bound = 1 - ((1 - SHARE) / 2) ** (1 / number) if number else 1.0
    return Figure(value, max(0.0, value - bound), value) if value else Figure(value, 0.0, bound)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
