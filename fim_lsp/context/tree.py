"""The files of a folder that people write and that may be shown: found by name, read within bounds."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError

from fim_lsp.context import project
from fim_lsp.context.limits import Spent
from fim_lsp.context.outline import known
from fim_lsp.exclude import excluded
from fim_lsp.languages import language_of

IGNORE = ".gitignore"
MOST_RULES = 200_000  # bytes of a .gitignore that are looked at


class Tree:
    """A folder, with what is never shown of it; nothing in it is run, and no link is followed."""

    def __init__(
        self,
        root: Path,
        exclude: Sequence[str],
        off: Sequence[str] = (),
        piece: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`off` are languages whose files are not shown; `piece` bounds what is done for one name: one that takes too
        long is left out.
        """
        self.root = root
        self._piece = piece
        self._exclude = exclude
        self._off = frozenset(off)
        self._rules: dict[str, GitIgnoreSpec | None] = {}  # of each folder, by its path from the root

    def files(self) -> Iterator[str]:
        """Paths from the root with `/`, in order, no more than the bounds allow."""
        left = project.bounds().files
        for path in self._walk(""):
            yield path
            left -= 1
            if left <= 0:
                return

    def text(self, path: str) -> str | None:
        """What a file holds; None if it is not to be shown, or is no text that a person wrote."""
        if not self.shows(path):
            return None
        try:
            held = None if self._linked(path) else _held(self.root / path, project.bounds().file_bytes)
            if held is None:
                return None
            text = held.decode()
        except (OSError, UnicodeDecodeError, ValueError):
            return None
        return None if "\0" in text or project.made(text) else text

    def shows(self, path: str) -> bool:
        """Whether a file may be shown, by its name and those of its folders."""
        folder, _, name = path.rpartition("/")
        return self._looks_into(folder) and self._wanted(path, name)

    def forget(self, path: str) -> bool:
        """Read a .gitignore anew that has changed; whether the file is one that counts, and says something else."""
        folder, slash, name = path.rpartition("/")
        if name != IGNORE or not self._looks_into(folder):
            return False
        before = self._rules.pop(folder + slash, None)
        return self._rules_of(folder + slash) != before

    def _looks_into(self, folder: str) -> bool:
        """Whether what a folder holds may be shown, by its name and those of the folders that it is in."""
        names = folder.split("/") if folder else []
        at = ""
        for name in names:
            at = f"{at}{name}/"
            if project.left_out(name, folder=True) or self._ignored(at):
                return False
        return len(names) <= project.bounds().depth

    def _linked(self, path: str) -> bool:
        """Whether a file, or a folder that it is in, is a link."""
        *folders, _ = (at for at, sign in enumerate(f"{path}/") if sign == "/")
        return any((self.root / path[:at]).is_symlink() for at in (*folders, len(path)))

    def _wanted(self, path: str, name: str) -> bool:
        language = language_of(name)
        return (
            (language not in self._off if known(language) else project.manifest(name))
            and not project.left_out(name, folder=False)
            and not excluded([f"/{path}"], self._exclude)
            and not self._ignored(path)
        )

    def _walk(self, folder: str) -> Iterator[str]:
        if folder.count("/") > project.bounds().depth:
            return
        try:
            with os.scandir(self.root / folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            return
        folders = []
        for entry in entries:
            path = folder + entry.name
            try:
                with self._piece():
                    if entry.is_symlink():
                        continue
                    if entry.is_dir():
                        if not project.left_out(entry.name, folder=True) and not self._ignored(f"{path}/"):
                            folders.append(f"{path}/")
                        continue
                    if not entry.is_file() or not self._wanted(path, entry.name):
                        continue
            except (OSError, Spent):
                continue
            yield path
        for inner in folders:
            yield from self._walk(inner)

    def _ignored(self, path: str) -> bool:
        """Whether git would ignore a path, by the rules of its folders, the innermost that speaks of it deciding."""
        folder = path.rstrip("/")
        while folder:
            folder = folder.rpartition("/")[0]
            at = f"{folder}/" if folder else ""
            rules = self._rules_of(at)
            if rules is not None:
                verdict = rules.check_file(path[len(at) :]).include
                if verdict is not None:
                    return verdict
        return False

    def _rules_of(self, folder: str) -> GitIgnoreSpec | None:
        if folder not in self._rules:
            rules = None
            file = self.root / folder / IGNORE
            try:
                if file.is_file():
                    lines = file.read_bytes()[:MOST_RULES].decode("utf-8", "replace").splitlines()
                    rules = GitIgnoreSpec.from_lines(lines)
            except (OSError, GitIgnorePatternError):
                rules = None
            self._rules[folder] = rules
        return self._rules[folder]


def _held(file: Path, most: int) -> bytes | None:
    """What a file holds; None if it is no plain file, or longer than so many bytes.

    Neither a link is followed nor a pipe waited for, even if the file has become one just now.
    """
    flags = (
        os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    number = os.open(file, flags)
    with os.fdopen(number, "rb") as opened:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            return None
        held = opened.read(most + 1)
    return held if len(held) <= most else None
