"""Requests begun and not yet in the store, counted in a small file that outlives its process, however that ends.

A record in memory is lost when a server is killed; what was written into a shared mapping is not.  So a report can say
how many requests it does not hold, even after a kill, and beginning a request costs a few hundred nanoseconds.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

# No request lives for so long: the service closes a connection after 10 minutes (its API guide on rate limits), and
# `timeoutSeconds` is at most 600.  What is open for longer belonged to a server that was killed.
DEAD_SECONDS = 900.0

_BEGUN, _WRITTEN = (
    struct.Struct("<qd"),
    struct.Struct("<q"),
)  # requests and the time of the last one (s); requests
_SIZE = _BEGUN.size + _WRITTEN.size
_PATTERN = "underway-*.bin"


class Open(NamedTuple):
    """One server's file: requests begun and not stored, and when the last of them began (seconds since 1970)."""

    path: Path
    requests: int
    since: float


class Underway:
    """This server's file; `begin` is called by one thread and `written` by one, which may be another."""

    def __init__(self, folder: Path, token: str, clock: Callable[[], float]) -> None:
        """Makes the file `underway-TOKEN.bin`; OSError where that cannot be."""
        self._path = folder / f"underway-{token}.bin"
        self._clock = clock
        self._begun = self._written = 0
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            os.ftruncate(file, _SIZE)
            self._cells = mmap.mmap(file, _SIZE)
        finally:
            os.close(file)

    def begin(self) -> None:
        """One more request that the store does not hold."""
        self._begun += 1
        _BEGUN.pack_into(self._cells, 0, self._begun, self._clock())

    def written(self, requests: int) -> None:
        """So many of them are in the store now."""
        self._written += requests
        _WRITTEN.pack_into(self._cells, _BEGUN.size, self._written)

    def close(self) -> None:
        """The end of this server: the file stays only where requests are missing from the store."""
        self._cells.close()
        if self._begun <= self._written:
            self._path.unlink(missing_ok=True)


def opened(folder: Path) -> list[Open]:
    """What every server that lives, and every one that was killed, has begun and not stored."""
    found = []
    for path in sorted(folder.glob(_PATTERN)):
        with contextlib.suppress(OSError, struct.error):
            data = path.read_bytes()
            begun, since = _BEGUN.unpack_from(data)
            (written,) = _WRITTEN.unpack_from(data, _BEGUN.size)
            found.append(Open(path, max(0, begun - written), since))
    return found


def claim(folder: Path, now: float) -> list[Open]:
    """What servers left that were killed, each told once: its file is gone afterwards."""
    claimed = []
    for one in opened(folder):
        if one.requests and now - one.since > DEAD_SECONDS:
            with contextlib.suppress(OSError):  # another server was first
                one.path.unlink()
                claimed.append(one)
    return claimed
