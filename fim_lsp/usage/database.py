"""The file of the record: opened as the user's alone, its tables made, its version checked, its failures told apart."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from fim_lsp.words.sentence import Sentence

VERSION = 1


COUNTS = (
    "requests", "local", "hit", "missed", "out", "pico", "saved_pico", "shown", "accepted", "shown_chars",
    "accepted_chars", "estimated", "unpriced", "cut", "failed",
)  # fmt: skip


BUSY_SECONDS = 2.0


BUSY_PAUSE = 0.02  # seconds


COLUMNS = (
    "at", "slot", "model", "language", "project", "hit", "missed", "out", "ended", "first_ms", "end_ms", "shown",
    "accepted", "estimated", "price_table", "pico", "saved_pico",
)  # fmt: skip


_COUNTED = ", ".join(f"{name} INTEGER NOT NULL" for name in COUNTS)


_SCHEMA = (
    """CREATE TABLE rows (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, slot INTEGER NOT NULL, model TEXT NOT NULL,
    language TEXT NOT NULL, project TEXT NOT NULL, hit INTEGER NOT NULL, missed INTEGER NOT NULL, out INTEGER NOT NULL,
    ended TEXT NOT NULL, first_ms REAL, end_ms REAL, shown INTEGER NOT NULL, accepted INTEGER NOT NULL,
    estimated INTEGER NOT NULL, price_table TEXT NOT NULL, pico INTEGER, saved_pico INTEGER)""",
    "CREATE INDEX rows_slot ON rows (slot)",
    f"""CREATE TABLE sums (kind TEXT NOT NULL, slot INTEGER NOT NULL, name TEXT NOT NULL, {_COUNTED},
    first_marks TEXT NOT NULL, end_marks TEXT NOT NULL, PRIMARY KEY (kind, slot, name)) WITHOUT ROWID""",
    f"""CREATE TABLE days (kind TEXT NOT NULL, day TEXT NOT NULL, name TEXT NOT NULL, {_COUNTED},
    first_marks TEXT NOT NULL, end_marks TEXT NOT NULL, PRIMARY KEY (kind, day, name)) WITHOUT ROWID""",
    "CREATE TABLE missing (at INTEGER NOT NULL, requests INTEGER NOT NULL)",
)


class StoreError(Exception):
    """The record cannot be kept or read now; `sentence` says so to the user."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def unreadable(path: Path, why: object) -> StoreError:
    """What cannot be read, and why not."""
    return StoreError(Sentence("The record of usage in {path} cannot be read ({why}).", path=path, why=why))


def unwritable(path: Path, why: object) -> StoreError:
    """What cannot be written, and why not."""
    return StoreError(Sentence("Usage cannot be recorded in {path} ({why}).", path=path, why=why))


def own(path: Path) -> None:
    """Make the record and its folder the user's alone; what belongs to somebody else is left as it is."""
    with contextlib.suppress(OSError):  # what cannot be made is met, and said, when it is opened
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if not hasattr(os, "geteuid"):
        return  # a user's folders are the user's alone there
    for one in (path.parent, *(Path(f"{path}{ending}") for ending in ("", "-wal", "-shm"))):
        with contextlib.suppress(OSError):
            found = one.stat()
            if found.st_uid == os.geteuid() and found.st_mode & 0o077:
                one.chmod(found.st_mode & 0o700)


def connected(path: Path) -> sqlite3.Connection:
    """The file, also where another server begins it just now: SQLite does not wait for a change of the journal's mode."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return connect(path)
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
        time.sleep(BUSY_PAUSE)


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the record; raises `sqlite3.Error`."""
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        # A power cut may lose the last rows, never the file; a kill loses nothing that was committed.
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA cache_size = -2000")
        check_version(db, path)
        if version(db) < VERSION:
            db.execute("BEGIN IMMEDIATE")
            if version(db) < VERSION:  # another server may have been first
                for statement in _SCHEMA:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")
            db.execute("COMMIT")
        db.execute("SELECT count(*) FROM missing").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def version(db: sqlite3.Connection) -> int:
    """The version of the record's tables."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def check_version(db: sqlite3.Connection, path: Path) -> None:
    """Raise `StoreError` where the record is of a newer version."""
    if version(db) > VERSION:
        raise StoreError(
            Sentence(
                "The record of usage in {path} is of a newer version of fim-lsp: it is left alone.", path=path
            )
        )


def damaged(error: sqlite3.Error) -> bool:
    """Whether an error says that the file is not, or no longer, a record."""
    return _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary code, which is the low byte."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
