"""Processes that a server is not to outlive, though others hold its pipes: the editor's, and the one that started it."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

EVERY = 5.0  # seconds between two looks

# By Microsoft's documentation of OpenProcess and WaitForSingleObject.
_SYNCHRONIZE, _QUERY_LIMITED_INFORMATION = 0x0010_0000, 0x1000
_WAIT_TIMEOUT = 0x102  # the process has not ended


class Starter(NamedTuple):
    """The process that has started this one, as it was then."""

    pid: int
    identity: str | None


def identity(pid: int) -> str | None:
    """What tells a living process from a later one of the same number; None where there is none, or it cannot be told."""
    if pid <= 0:
        return None  # groups of processes
    if sys.platform == "win32":
        return _of_windows(pid, _kernel())
    return _of_posix(pid)


def starter() -> Starter:
    """The process that has started this one."""
    pid = os.getppid()
    return Starter(pid, identity(pid))


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


async def orphaned(
    first: Starter,
    every: float,
    sleep: Callable[[float], Awaitable[None]],
    parent: Callable[[], int] = os.getppid,
    look: Callable[[int], str | None] = identity,
) -> None:
    """Wait until the process that started this one has ended.

    Another takes its place as the parent then; on Windows none does, and the number stays.
    """
    while parent() == first.pid and (first.identity is None or look(first.pid) == first.identity):
        await sleep(every)


def _of_posix(pid: int) -> str | None:
    """The time of its start where Linux tells it (proc(5), field 22), else only that it lives.

    A process that has ended and was not waited for (state Z) lives no more.
    """
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


def _of_windows(pid: int, kernel: Any) -> str | None:
    """The time of its start, by what `kernel32` tells; looking with a signal would end it there."""
    handle = kernel.OpenProcess(_SYNCHRONIZE | _QUERY_LIMITED_INFORMATION, False, pid)
    if not handle:
        return None
    try:
        if kernel.WaitForSingleObject(handle, 0) != _WAIT_TIMEOUT:
            return None
        times = [ctypes.c_uint64() for _ in range(4)]
        known = kernel.GetProcessTimes(handle, *map(ctypes.byref, times))
        return str(times[0].value) if known else ""
    finally:
        kernel.CloseHandle(handle)


def _kernel() -> Any:
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    kernel.OpenProcess.restype = ctypes.c_void_p
    kernel.OpenProcess.argtypes = [ctypes.c_uint32, ctypes.c_int, ctypes.c_uint32]
    kernel.WaitForSingleObject.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    kernel.GetProcessTimes.argtypes = [ctypes.c_void_p] * 5
    kernel.CloseHandle.argtypes = [ctypes.c_void_p]
    return kernel
