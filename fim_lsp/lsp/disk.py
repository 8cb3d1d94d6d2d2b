"""What a file on this machine holds, read within bounds: nothing that hangs, or never ends, is read."""

from __future__ import annotations

import os
import stat

LARGEST = 1 << 22  # bytes of a file that is read


def text(path: str) -> str | None:
    """The text of a regular file, bytes that are no UTF-8 replaced; None where there is none, or it is too large."""
    try:
        with open(path, "rb", opener=_opener) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
                return None
            return file.read(LARGEST).decode("utf-8-sig", "replace")
    except (OSError, ValueError):
        return None


def _opener(path: str, flags: int) -> int:
    # A pipe that nobody writes to opens at once.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
