"""Requests begun and not yet in the store, counted in a small file that outlives its process, however that ends.

A record in memory is lost when a server is killed; what was written into a shared mapping is not.  So a report can say
how many requests it does not hold, even after a kill, and beginning a request costs a few hundred nanoseconds.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# No request lives for so long: the service closes a connection after 10 minutes (its API guide on rate limits), and
# `timeoutSeconds` is at most 600.  What is open for longer belonged to a server that was killed.  This is for reports;
# a server that lives holds a lock on its file, which the system lets go of however its process ends.
DEAD_SECONDS = 900.0

_BEGUN, _WRITTEN = (
    struct.Struct("<qd"),
    struct.Struct("<q"),
)  # requests and the time of the last one (s); requests
_SIZE = _BEGUN.size + _WRITTEN.size
_LOCKED_SIZE = _SIZE + 1  # tells a file that its server locks from those of versions that locked none
_DAY = 86_400.0
_PATTERN = "underway-*.bin"
_BINARY = getattr(os, "O_BINARY", 0)


class Open(NamedTuple):
    """One server's file: requests begun and not stored, and when the last of them began (seconds since 1970)."""

    path: Path
    requests: int
    since: float


class Underway:
    """This server's file; `begin` is called by one thread and `written` by one, which may be another."""

    def __init__(self, folder: Path, token: str, clock: Callable[[], float]) -> None:
        """Makes the file `underway-TOKEN.bin`, locked for as long as this process lives; OSError where that cannot be."""
        self._path = _file(folder, token)
        self._clock = clock
        self._begun = self._written = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Under another name until it is locked: a server that looks for what the dead have left must not find it before.
        new = self._path.with_suffix(".new") if sys.platform != "win32" else self._path
        self._file = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        try:
            with contextlib.suppress(OSError):  # a file system without locks
                _lock(self._file)
            os.ftruncate(self._file, _LOCKED_SIZE)
            self._cells = mmap.mmap(self._file, _SIZE)
            if new != self._path:
                new.rename(self._path)
        except BaseException:
            os.close(self._file)
            raise

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
        os.close(self._file)
        if self._begun <= self._written:
            self._path.unlink(missing_ok=True)


def opened(folder: Path) -> list[Open]:
    """What every server that lives, and every one that was killed, has begun and not stored."""
    found = []
    for path in sorted(folder.glob(_PATTERN)):
        with contextlib.suppress(OSError, struct.error):
            found.append(_read(path))
    return found


def claim(folder: Path, now: float) -> list[Open]:
    """What servers left that were killed, each told once; no file of theirs is there afterwards."""
    claimed = []
    for path in sorted(folder.glob(_PATTERN)):
        with contextlib.suppress(OSError), _dead(path) as dead:  # OSError: another server was first
            try:
                one = _read(path)
            except struct.error:
                one = Open(path, 0, 0.0)  # killed before the first request
            if dead or (dead is None and _old(one, now)):
                path.unlink()
                if one.requests:
                    claimed.append(one)
    return claimed


def alive(folder: Path, token: str) -> bool:
    """Whether the server of that name lives, as far as can be told."""
    try:
        with _dead(_file(folder, token)) as dead:
            return not dead
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _read(path: Path) -> Open:
    """A server's file; struct.error where it is cut short."""
    data = path.read_bytes()
    begun, since = _BEGUN.unpack_from(data)
    (written,) = _WRITTEN.unpack_from(data, _BEGUN.size)
    return Open(path, max(0, begun - written), since)


def _old(one: Open, now: float) -> bool:
    """Whether a server that locks nothing has been quiet for so long that it must have been killed."""
    if one.requests:
        return now - one.since > DEAD_SECONDS
    return now - max(one.since, one.path.stat().st_mtime) > _DAY


def _file(folder: Path, token: str) -> Path:
    return folder / f"underway-{token}.bin"


@contextlib.contextmanager
def _dead(path: Path) -> Iterator[bool | None]:
    """Whether the server of a file lives no longer; None where its file cannot say so.  The lock is held meanwhile."""
    file = os.open(path, os.O_RDWR | _BINARY)
    try:
        dead: bool | None = None
        if os.fstat(file).st_size == _LOCKED_SIZE:
            try:
                _lock(file)
                dead = True
            except (BlockingIOError, PermissionError):
                dead = False
            except OSError:
                dead = None
        if sys.platform == "win32":
            os.close(file)  # an open file cannot be removed there
            file = -1
        yield dead
    finally:
        if file >= 0:
            os.close(file)


def _lock(file: int) -> None:
    """Lock a file without waiting; BlockingIOError or PermissionError where another has it."""
    if sys.platform == "win32":
        os.lseek(file, _SIZE, os.SEEK_SET)  # what is counted stays readable
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
