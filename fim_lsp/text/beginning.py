"""What two texts begin with in common."""

from __future__ import annotations


def shared(one: str, other: str) -> int:
    """The characters with which both begin, by halving: a comparison of slices is quick, one of characters is not."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
