"""The editor's process, watched: a server whose editor was killed leaves, though another process holds its pipes."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

EVERY = 15.0  # seconds between two looks


def identity(pid: int) -> str | None:
    """What tells a living process from a later one of the same number; None where there is none, or it cannot be told.

    The time of its start where Linux tells it (proc(5), field 22), else only that it lives.  A process that has ended and
    was not waited for (state Z) lives no more.
    """
    if os.name != "posix" or pid <= 0:
        return None  # elsewhere looking at a process may end it; 0 and less are groups of them
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass
    except (OSError, OverflowError):
        return None
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (OSError, ValueError):
        return ""
    return None if state in {b"Z", b"X"} else fields[18].decode()


async def ended(
    pid: int,
    every: float,
    sleep: Callable[[float], Awaitable[None]],
    look: Callable[[int], str | None] = identity,
) -> bool:
    """Wait until a process has ended; False at once where it is not seen from here, as from within a container."""
    first = look(pid)
    if first is None:
        return False
    while look(pid) == first:
        await sleep(every)
    return True
