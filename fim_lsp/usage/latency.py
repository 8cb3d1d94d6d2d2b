"""Latencies as marks: one character for each on a scale of steps of a quarter octave, 4 ms to over 10 minutes.

Marks are counted by joining strings, which SQLite does at once for a million; a percentile read from them is within
10 % of the true one.  A packed string writes a count before its character: `3A` is `AAA`.
"""

from __future__ import annotations

import math
import re
from collections import Counter

_LOWEST, _STEPS = 4.0, 4  # ms; steps to the doubling
_FIRST, _LAST = ord(":"), ord("~")  # printable, and no digits


def mark(ms: float | None) -> str:
    """The mark of a latency in ms; none for None."""
    if ms is None:
        return ""
    step = math.floor(_STEPS * math.log2(ms / _LOWEST)) if ms > _LOWEST else 0
    return chr(min(_FIRST + step, _LAST))


def packed(marks: str) -> str:
    """The same marks, sorted and counted: no longer than a few hundred characters for however many."""
    return "".join(f"{count}{one}" for one, count in sorted(counted(marks).items()))


def counted(marks: str) -> Counter[str]:
    """How often each mark stands in a string, packed in parts or not."""
    counts: Counter[str] = Counter()
    for number, one in re.findall(r"([0-9]+)(.)", marks):
        counts[one] += int(number)
    counts.update(re.sub(r"[0-9]+.", "", marks) if counts else marks)
    return counts


def percentile(counts: Counter[str], percent: float) -> int | None:
    """The latency in whole ms under which so many percent of the marks lie; None without marks."""
    left = math.ceil(counts.total() * percent / 100)
    for one, count in sorted(counts.items()):
        left -= count
        if left <= 0:
            return round(_LOWEST * 2 ** ((ord(one) - _FIRST + 0.5) / _STEPS))
    return None
