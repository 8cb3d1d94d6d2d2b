"""The address of what is asked, from a base as people write it and a path as an engine has it."""

from __future__ import annotations

import re


def joined(base_url: str, path: str) -> str:
    """The address of a path: what the base ends in and the path begins with is there once; a version of its own stays."""
    base, steps = base_url.split("/"), path.split("/")[1:]
    if len(base) > 3 and re.fullmatch(r"v\d+", base[-1]) and re.fullmatch(r"v\d+", steps[0]):
        steps = steps[1:]
    for size in range(min(len(base) - 3, len(steps)), 0, -1):
        if base[-size:] == steps[:size]:
            steps = steps[size:]
            break
    return "/".join([*base, *steps])
