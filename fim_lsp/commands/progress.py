"""A bar for work that takes its time, with the time that is left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar on stderr, where that is a terminal and the work takes over a second; call it for each step, with what it is."""
    bar: Any = None
    begun, done = time.monotonic(), 0
    seen = sys.stderr.isatty()

    def step(what: str) -> None:
        nonlocal bar, seen, done
        done += 1
        if bar is None and seen and time.monotonic() - begun > 1:
            try:
                from rich.console import Console  # noqa: PLC0415 - an extra
                from rich.progress import Progress  # noqa: PLC0415
            except ImportError:
                seen = False
                return
            bar = Progress(console=Console(stderr=True), transient=True)
            bar.start()
            bar.add_task(what, total=total)
        if bar is not None:
            bar.update(bar.task_ids[0], description=what, completed=done)

    try:
        yield step
    finally:
        if bar is not None:
            bar.stop()
