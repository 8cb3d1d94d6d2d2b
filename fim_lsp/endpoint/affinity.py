"""The value of `affinityHeader`: random for whoever sees it, the same for a user's workspace, another at each endpoint.

A router in front of several replicas sends equal values to one of them, whose cache then knows what was sent before.  The value
is made of a secret of the user's, kept in their state folder, and of what names the workspace: it tells nothing of either.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

_BYTES = 32


def value(secret: bytes, workspace: str, base_url: str) -> str:
    """32 hexadecimal digits."""
    named = f"{base_url}\n{workspace}".encode("utf-8", "surrogatepass")
    return hmac.new(secret, named, hashlib.sha256).hexdigest()[:32]


def secret(file: Path) -> bytes:
    """The user's secret, made at first; one that cannot be kept lasts as long as the process."""
    try:
        return _kept(file)
    except OSError:
        return _UNKEPT


_UNKEPT = os.urandom(_BYTES)


def _kept(file: Path) -> bytes:
    found = _read(file)
    if found is None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = file.with_name(f"{file.name}.{os.getpid()}")
        own.unlink(missing_ok=True)
        with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(os.urandom(_BYTES))
        own.replace(
            file
        )  # of several servers that begin at once the last wins, and all of them read what is there then
        found = _read(file)
    return found or _UNKEPT


def _read(file: Path) -> bytes | None:
    try:
        with file.open("rb") as kept:
            found = kept.read(_BYTES)
    except FileNotFoundError:
        return None
    return found if len(found) == _BYTES else None
