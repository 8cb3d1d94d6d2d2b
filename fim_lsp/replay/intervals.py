"""Intervals of 95 %: what a figure may be on other holes of the same kind, by drawing the holes anew from themselves."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

DRAWS = 1_000
SEED = 20_261_126
SHARE = 0.95

Columns = Sequence[Sequence[float]]  # one value a hole in each
Statistic = Callable[..., float]  # of such columns


class Figure(NamedTuple):
    """A value, and from where to where it may be; infinite where one hole alone tells nothing."""

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
        # Two at least, so that an itemgetter gives a tuple.
        several = range(DRAWS if size > 1 else 0)
        self._chosen = [itemgetter(*chance.choices(range(size), k=size)) for _ in several]

    def figure(self, of: Statistic, columns: Columns) -> Figure:
        """A statistic of columns."""
        return _figure(of(*columns), [of(*map(drawn, columns)) for drawn in self._chosen])

    def share(self, seen: Sequence[float], of: Sequence[float]) -> Figure:
        """How often something was seen, 0 or 1 a hole, among the holes where `of` is 1."""
        value, number = ratio(seen, of), round(sum(of))
        if 0 < value < 1 or not number:
            return self.figure(ratio, (seen, of))
        # Never or always seen: drawing anew tells nothing, and the exact bound is taken.
        bound = 1 - ((1 - SHARE) / 2) ** (1 / number)
        return Figure(value, max(0.0, value - bound), min(1.0, value + bound))

    def difference(self, of: Statistic, ours: Columns, theirs: Columns) -> Figure:
        """A statistic of our columns less that of theirs, hole by hole the same."""
        drawn = [of(*map(one, ours)) - of(*map(one, theirs)) for one in self._chosen]
        return _figure(of(*ours) - of(*theirs), drawn)


def ratio(parts: Sequence[float], wholes: Sequence[float]) -> float:
    """The sum of parts over the sum of wholes; 0 over nothing."""
    whole = sum(wholes)
    return sum(parts) / whole if whole else 0.0


def mean(values: Sequence[float]) -> float:
    """The mean; 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def median(values: Sequence[float]) -> float:
    """The median; 0 of nothing."""
    return statistics.median(values) if values else 0.0


def _figure(value: float, drawn: list[float]) -> Figure:
    if not drawn:
        return Figure(value, float("-inf"), float("inf"))
    drawn.sort()
    cut = round(len(drawn) * (1 - SHARE) / 2)
    return Figure(value, drawn[cut], drawn[-1 - cut])
