"""Which files of a repository may be asked about, and which may be shown to others: the server's own rules, for a commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import NamedTuple

from fim_lsp.privacy import ignore_files
from fim_lsp.privacy.exclude import excluded
from fim_lsp.privacy.location import FOLDS, paths


class Allowed(NamedTuple):
    """Paths within the repository: documents that may be sent, and files of which prompts of others may show something."""

    sent: frozenset[str]
    shown: frozenset[str]


def allowed(
    repository: Path, files: Iterable[str], ignores: Mapping[str, str], exclude: Sequence[str]
) -> Allowed:
    """Those of the files that no rule keeps home: the list of secret files, the setting `exclude`, and ignore files.

    `ignores` are the texts of the commit's own ignore files by their paths; those on the disk count as well, if there are any.
    """
    here = repository.absolute()
    home = paths(here.as_uri())[0].rstrip("/")
    with TemporaryDirectory(prefix="fim-lsp-") as folder:
        committed = paths(Path(folder).as_uri())[0].rstrip("/")
        Path(folder, ".git").mkdir()
        for name, text in ignores.items():
            _put(Path(folder), name, text)
        tops = (ignore_files.top(home), committed)
        telling = [ignore_files.Ignores(top, secret=True) for top in tops]
        every = [ignore_files.Ignores(top) for top in tops]

        def named(rules: list[ignore_files.Ignores], path: str) -> bool:
            there = path.removeprefix(home) if path.startswith(f"{home}/") else path
            return rules[0].ignored(path) or rules[1].ignored(committed + there)

        def secret(path: str) -> str:
            return ignore_files.NAME if named(telling, path) else ""

        own = {path: paths((here / path).as_uri()) for path in files}
        sent = {p for p, names in own.items() if not excluded(names, exclude, fold=FOLDS, ignored=secret)}
        return Allowed(frozenset(sent), frozenset(p for p in sent if not named(every, f"{home}/{p}")))


def _put(folder: Path, name: str, text: str) -> None:
    """Write an ignore file where it stands in its commit; a name that leads elsewhere is none that git would write."""
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/") or "\\" in name or ".git" in parts:
        return
    file = folder.joinpath(*parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
