"""What was written, commit by commit, in a git repository: read by git's plumbing, which runs nothing of its own.

A repository may come from anywhere, so no hook, filter, driver, pager, helper or remote that its configuration names is
ever run: only `rev-parse`, `rev-list`, `diff-tree` and `cat-file` are asked, without the system's and the user's
configuration, and with external diffs, text conversion and transport switched off.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

LOOK_BACK = 5000  # commits looked through for some that were typed by hand
FEWEST_LINES, MOST_LINES, MOST_FILES = 3, 200, 6  # of a commit: beyond, it was moved, generated or merged
LARGEST_FILE = 2_000_000  # bytes
LONGEST_LINE = 5_000  # characters; a file with a longer one is minified or data


class HistoryError(Exception):
    """No session can be made of what was named; the message says in a sentence why."""


class Hunk(NamedTuple):
    """`removed` lines, from line `first` (from 0) of the text before, became `text`."""

    first: int
    removed: int
    text: str


class Change(NamedTuple):
    """What a commit did to one file: its whole text before, and the hunks in order; their lines count in that text."""

    path: str
    before: str
    hunks: tuple[Hunk, ...]


class Commit(NamedTuple):
    """A commit, by its full name, and the files that it changed."""

    name: str
    changes: tuple[Change, ...]


def commits(
    repository: Path, extensions: Sequence[str], number: int, *, revision: str = "HEAD", seed: int = 0
) -> list[Commit]:
    """At most `number` commits in a row, oldest first, that look typed by hand in files with these extensions.

    They are the newest ones of a revision or range (`v1..main`); with a seed other than 0, a run of them that begins at a
    place drawn from it.  Raises HistoryError where there are none.
    """
    git = _Git(repository)
    names = _names(git, repository, revision)
    try:
        found: list[_Typed] = []
        for start in range(0, len(names), 500):
            found += _by_hand(git, names[start : start + 500], tuple(extensions))
            if not seed and len(found) >= 2 * number:
                break
        if seed and len(found) > number:
            del found[: random.Random(seed).randrange(len(found) - number + 1)]  # noqa: S311
        while found:
            if chosen := list(_read(git, found[:number][::-1])):
                return chosen
            del found[:number]
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
        raise HistoryError(f"git could not read {repository}: {reason}") from None
    raise HistoryError(
        f"Nothing to replay in {repository}: none of its last {len(names)} commits adds {FEWEST_LINES} to"
        f" {MOST_LINES} lines in 1 to {MOST_FILES} files named {_listed(extensions)}."
    )


def files(path: Path, endings: tuple[str, ...], most: int = 400) -> list[tuple[str, str]]:
    """The newest commit's files with these endings, as path and text, evenly drawn where there are more than `most`.

    Raises HistoryError where there is no repository, no commit or no such file.
    """
    git = _Git(path)
    blobs = _blobs(git, _names(git, path, "HEAD")[0], endings)
    if not blobs:
        raise HistoryError(f"{path} has no files that end in {_listed(endings)}.")
    names = sorted(blobs)[:: -(-len(blobs) // most)]
    texts = _texts(git, [blobs[name] for name in names])
    return [(name, texts[blobs[name]]) for name in names if blobs[name] in texts]


def newest(path: Path, endings: tuple[str, ...]) -> dict[str, str]:
    """The files with these endings as they are in HEAD, by their paths.  Raises HistoryError where there is no commit."""
    git = _Git(path)
    _names(git, path, "HEAD")
    blobs = _blobs(git, "HEAD", endings)
    texts = _texts(git, sorted(set(blobs.values())))
    return {name: texts[blob] for name, blob in blobs.items() if blob in texts}


def tree(path: Path, before: str, endings: tuple[str, ...]) -> dict[str, str]:
    """The files with these endings as they were before a commit, by their paths; none before the first one."""
    git = _Git(path)
    try:
        blobs = _blobs(git, f"{before}^", endings)
    except subprocess.CalledProcessError:
        return {}
    texts = _texts(git, sorted(set(blobs.values())))
    return {name: texts[blob] for name, blob in blobs.items() if blob in texts}


def _blobs(git: _Git, commit: str, endings: tuple[str, ...]) -> dict[str, str]:
    """The names of the contents of a commit's files with these endings, by their paths."""
    listing = git.ask("ls-tree", "-r", "-z", commit).decode("utf-8", "surrogateescape").split("\0")
    blobs: dict[str, str] = {}
    for entry in filter(None, listing):
        about, _, name = entry.partition("\t")
        mode, _, blob = about.split(" ")
        if name.endswith(endings) and mode.startswith("100"):
            blobs[name] = blob
    return blobs


class _Typed(NamedTuple):
    """A commit that looks typed by hand: each of its files' path, and the names of its contents before and after."""

    name: str
    files: tuple[tuple[str, str, str], ...]


class _Git:
    """The git command on one repository, with nothing of any configuration that could run a program."""

    def __init__(self, repository: Path) -> None:
        if not repository.is_dir():
            what = "is a file, not a git repository" if repository.exists() else "does not exist"
            raise HistoryError(f"{repository} {what}.")
        self._command = ["git", "-C", str(repository)]
        for setting in (
            "core.fsmonitor=false",
            "core.hooksPath=/dev/null",
            "core.quotePath=false",
            "protocol.allow=never",  # a partial clone would fetch what it lacks
            "safe.directory=*",  # whose repository it is does not matter where nothing in it is run
        ):
            self._command += ["-c", setting]
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }

    def ask(self, *arguments: str, given: Sequence[str] = ()) -> bytes:
        """What git prints, given some lines; raises CalledProcessError where it fails."""
        try:
            return subprocess.run(  # noqa: S603
                [*self._command, *arguments],
                input="".join(line + "\n" for line in given).encode(),
                capture_output=True,
                check=True,
                env=self._environment,
            ).stdout
        except FileNotFoundError:
            raise HistoryError("The git command was not found: install git, or put it on the PATH.") from None

    def differences(self, names: Sequence[str], *options: str) -> bytes:
        """What commits changed and added, without merges' and renames' shares."""
        safe = ("--no-ext-diff", "--no-textconv", "--no-color", "--full-index", "-M", "--diff-filter=AM")
        return self.ask("diff-tree", "--stdin", "--root", "-r", *safe, *options, given=names)


def _names(git: _Git, repository: Path, revision: str) -> list[str]:
    """The names of the newest commits of a revision, newest first, without merges."""
    try:
        git.ask("rev-parse", "--git-dir")
    except subprocess.CalledProcessError:
        raise HistoryError(f"{repository} is not a git repository.") from None
    options = ("--no-merges", f"--max-count={LOOK_BACK}", "--end-of-options")
    try:
        names = git.ask("rev-list", *options, revision, "--").decode().split()
    except subprocess.CalledProcessError:
        missing = "no commits" if revision == "HEAD" else f'no revision or range "{revision}"'
        raise HistoryError(f"{repository} has {missing}.") from None
    if not names:
        raise HistoryError(f'{repository} has no commits in "{revision}".')
    return names


def _by_hand(git: _Git, names: Sequence[str], extensions: tuple[str, ...]) -> Iterator[_Typed]:
    """Those commits, in the order of `names`, that add a few lines to a few files with these extensions."""
    for name, fields in _listings(git, names):
        files: dict[str, tuple[str, str]] = {}
        added = 0
        for field in fields:
            if field.startswith(":"):  # ":mode mode before after A", and the path next
                _, mode, before, after, _ = field.split(" ")
                path = next(fields)
                if path.endswith(extensions) and mode.startswith(
                    "100"
                ):  # neither a link nor another repository
                    files[path] = (before, after)
            else:  # "added\tremoved\tpath", with "-" for what is no text
                lines, _, path = field.split("\t", 2)
                if path in files and lines.isdigit():
                    added += int(lines)
                else:
                    files.pop(path, None)
        if FEWEST_LINES <= added <= MOST_LINES and 0 < len(files) <= MOST_FILES:
            yield _Typed(name, tuple((path, *both) for path, both in files.items()))


def _listings(git: _Git, names: Sequence[str]) -> Iterator[tuple[str, Iterator[str]]]:
    """Each commit that changed something, and what git lists of it, field by field."""
    listing = git.differences(names, "-z", "--raw", "--numstat").decode("utf-8", "surrogateescape")
    known, name, fields = set(names), "", list[str]()
    for field in listing.split("\0"):
        if field in known:
            if name:
                yield name, iter(fields)
            name, fields = field, []
        elif field:
            fields.append(field)
    if name:
        yield name, iter(fields)


def _read(git: _Git, typed: Sequence[_Typed]) -> Iterator[Commit]:
    """The commits with the texts and hunks of their files; files that are no text, or not there, are left out."""
    spans = _spans(git, [commit.name for commit in typed])
    texts = _texts(git, sorted({blob for commit in typed for _, *both in commit.files for blob in both}))
    for commit in typed:
        changes = []
        for path, before, after in commit.files:
            old, new = texts.get(before), texts.get(after)
            if old is not None and new is not None and (before, after) in spans:
                lines = _lines(new)
                hunks = [Hunk(i, n, "".join(lines[j:k])) for i, n, j, k in spans[before, after]]
                changes.append(Change(path, old, tuple(hunks)))
        if changes:
            yield Commit(commit.name, tuple(changes))


def _spans(git: _Git, names: Sequence[str]) -> dict[tuple[str, str], list[tuple[int, int, int, int]]]:
    """Of each pair of contents: where lines went (first, how many) and where lines came (from, to), counted from 0."""
    spans: dict[tuple[str, str], list[tuple[int, int, int, int]]] = {}
    for line in git.differences(names, "-p", "-U0").split(b"\n"):
        if index := re.match(rb"index ([0-9a-f]+)\.\.([0-9a-f]+)", line):
            current = spans[index[1].decode(), index[2].decode()] = []
        elif counts := re.match(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line):
            first, removed, start, added = (1 if count is None else int(count) for count in counts.groups())
            # git counts lines from 1, and names the line before where there is none.
            start -= added > 0
            current.append((first - (removed > 0), removed, start, start + added))
    return spans


def _texts(git: _Git, blobs: Sequence[str]) -> dict[str, str]:
    r"""The contents by their names, as text with `\n`; without those that no person typed, or that are not there."""
    texts = {blob: "" for blob in blobs if not blob.strip("0")}  # of a file that is not there yet
    listed = git.ask("cat-file", "--batch-check", given=[blob for blob in blobs if blob not in texts])
    sizes = (line.split() for line in listed.decode().splitlines())
    wanted = [name for name, kind, *size in sizes if kind == "blob" and int(size[0]) <= LARGEST_FILE]
    out, at = git.ask("cat-file", "--batch", given=wanted), 0
    for blob in wanted:
        head = out.index(b"\n", at)
        size = int(out[at:head].split()[-1])
        raw, at = out[head + 1 : head + 1 + size], head + size + 2
        try:
            text = raw.decode().replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
        if not re.search(rf"[\0\r]|[^\n]{{{LONGEST_LINE}}}", text):
            texts[blob] = text
    return texts


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _listed(extensions: Sequence[str]) -> str:
    shown = [f"*{end}" for end in extensions[:8]]
    return ", ".join(shown) + (f" and {len(extensions) - 8} more" if len(extensions) > 8 else "")
