"""What the process that draws maps may use: memory, processor time for each piece of work, and no day more than the server."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

MEMORY = 2 << 30  # bytes of addresses; 20,000 files take a quarter of it
PIECE = 2.0  # seconds of the processor, for one file or one name
LOOK = 60.0  # the same, for all pieces of a look at the workspace
STILL = 60.0  # seconds by the clock without a piece, after which the process is ended from outside of Python
NICE = 19  # the lowest priority
_PDEATHSIG = 1  # PR_SET_PDEATHSIG in linux/prctl.h


class Spent(Exception):  # noqa: N818 - no error: it is what limits are for
    """A piece of work has taken all the time that it had."""


class Exhausted(Exception):  # noqa: N818 - as above
    """All pieces together have: what is left is not looked at."""


class Patience:
    """Processor time, so that no file and no rule of a workspace keeps the process for good.

    Where the system has no such timer, only `Exhausted` and `guard` end what takes too long.
    """

    def __init__(
        self,
        piece: float = PIECE,
        look: float = LOOK,
        *,
        clock: Callable[[], float] = time.process_time,
        refresh: Callable[[], None] = lambda: None,
    ) -> None:
        """Seconds of `clock`; `refresh` is called with each piece."""
        self.spent = 0  # pieces that were ended, since the look began
        self._piece = piece
        self._look = look
        self._left = look
        self._clock = clock
        self._refresh = refresh
        self._under_way = False
        self._timer = hasattr(signal, "setitimer")
        if self._timer:
            signal.signal(signal.SIGPROF, self._ring)

    def begin(self) -> None:
        """Begin another look."""
        self._left = self._look
        self.spent = 0

    @contextmanager
    def piece(self) -> Iterator[None]:
        """A piece of work, in the main thread; raises Spent in the midst of it, or Exhausted before it."""
        if self._left <= 0:
            raise Exhausted
        self._refresh()
        begun = self._clock()
        self._under_way = True
        self._set(min(self._piece, self._left))
        try:
            yield
        except Spent:
            self.spent += 1
            raise
        finally:
            self._under_way = False
            self._set(0)
            self._left -= self._clock() - begun

    def _set(self, seconds: float) -> None:
        if self._timer:
            signal.setitimer(signal.ITIMER_PROF, seconds, self._piece if seconds else 0)

    def _ring(self, *_: Any) -> None:
        # `re` asks for signals while it searches, so that this ends what it does, too. Rung again and again until
        # the piece is left: what is raised while the collector calls somebody back is lost.
        if self._under_way:
            raise Spent


class Guard:
    """Ends the process where nothing has gone on for a while, whatever holds the interpreter."""

    EVERY = 5.0  # seconds between refreshes, each of which starts a thread

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refreshed = float("-inf")

    def refresh(self) -> None:
        """Something goes on."""
        now = self._clock()
        if now - self._refreshed > self.EVERY:
            self._refreshed = now
            faulthandler.dump_traceback_later(STILL, exit=True)

    def rest(self) -> None:
        """Nothing is to be done."""
        self._refreshed = float("-inf")
        faulthandler.cancel_dump_traceback_later()


def bind() -> None:
    """Let everything else go first, take no more memory than there is for it, and end with the server.

    Windows is asked for the low priority when the process is made, and knows no such limits.
    """
    if hasattr(os, "nice"):
        os.nice(NICE)
    if sys.platform == "linux":
        # Where stdin's end is not seen, since the interpreter is busy within one call, the kernel sees to it.
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not there on Windows

        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        bound = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
        resource.setrlimit(resource.RLIMIT_AS, (bound, most))
