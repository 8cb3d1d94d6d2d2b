"""The files of a folder that people write and that may be shown: found by name, read within bounds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from fim_lsp.context import project
from fim_lsp.context.limits import Spent
from fim_lsp.context.outline import known
from fim_lsp.privacy import ignore_files
from fim_lsp.privacy.exclude import excluded
from fim_lsp.privacy.location import FOLDS, paths
from fim_lsp.text.filetypes import language_of


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
        self._off = frozenset(off)
        self._exclude = tuple(exclude)
        # As it was opened, and where it is.
        self._homes = [home.rstrip("/") for home in paths(root.absolute().as_uri())]
        self._here = self._homes[-1]
        top = ignore_files.top(self._here)
        self._ignores = {
            name: ignore_files.Ignores(top if name == ignore_files.NAME else "", name=name)
            for name in ignore_files.NAMES
        }

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
            most = project.bounds().file_bytes
            held = None if self._linked(path) else ignore_files.read(f"{self._here}/{path}", most)
            if held is None or len(held) > most:
                return None
            text = held.decode("utf-8-sig")
        except (OSError, UnicodeDecodeError, ValueError):
            return None
        return None if "\0" in text or project.made(text) else text

    def shows(self, path: str) -> bool:
        """Whether a file may be shown, by its name and those of its folders."""
        folder, _, name = path.rpartition("/")
        return self._looks_into(folder) and self._wanted(path, name)

    def forget(self, path: str) -> bool:
        """Read an ignore file anew that has changed; whether the file is one that counts, and says something else."""
        folder, slash, name = path.rpartition("/")
        ignores = self._ignores.get(name)
        return (
            ignores is not None
            and self._looks_into(folder)
            and ignores.changed(f"{self._here}{slash}{folder}")
        )

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
            and not excluded((f"{home}/{path}" for home in self._homes), self._exclude, fold=FOLDS)
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
        where, folder = f"{self._here}/{path.rstrip('/')}", path.endswith("/")
        return any(ignores.ignored(where, folder=folder) for ignores in self._ignores.values())
