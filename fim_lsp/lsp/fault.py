"""A fault of our own, named by its kind and place alone: its words may hold the user's text."""

from __future__ import annotations

import os.path


def place_of(error: BaseException) -> str:
    """`file.py:line` of the innermost frame of an error."""
    place, trace = "?", error.__traceback__
    while trace is not None:
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"  # noqa: PTH119
        trace = trace.tb_next
    return place
