"""Ignore files as git reads them: those of each folder, of the repository, and of the user; read within bounds, never run."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from fim_lsp.privacy.ignore_rules import Rules, lines_of
from fim_lsp.privacy.location import FOLDS, bare, native
from fim_lsp.privacy.secrets import telling
from fim_lsp.words.sentence import Sentence

NAME = ".gitignore"
# Of assistants (JetBrains AI Assistant and others, Cursor, Copilot), which name what none of them is to see, 2026-11.
ASSISTANTS = (".aiignore", ".cursorignore", ".copilotignore")
NAMES = (NAME, *ASSISTANTS)
MOST_BYTES = 1_000_000  # of an ignore file; a larger one counts as if it named everything
MOST_RULES = 50_000  # lines of one; likewise
MOST_COSTLY = 5_000  # rules of one that need an expression each; likewise
MOST_CONFIG = 1_000_000  # bytes of git's configuration
_EVERYTHING = Rules(["*"])


class Ignores:
    """What is ignored below `top`, by the rules that stand there; what was read once is believed until `changed`.

    Paths are as `location.paths` gives them.  Rules of outer folders hold in repositories within, too.
    """

    def __init__(
        self,
        top: str,
        *,
        name: str = NAME,
        secret: bool = False,
        environ: Mapping[str, str] | None = None,
        fold: bool = FOLDS,
        over: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Of the files of one name; those of git's own name are followed by git's others.

        With `secret`, only rules by whose words secrets are known count; `over` hears of files over the bounds.
        """
        self._top = top.rstrip("/")
        self._name = name
        self._secret = secret
        self._environ = os.environ if environ is None else environ
        self._fold = fold
        self._over = over
        self._read: dict[str, tuple[bytes | None, Rules | None]] = {}  # by folder, its ignore file
        self._repositories: dict[str, Rules | None] = {}  # by folder, what its repository's own file says
        self._folders: dict[str, str] = {}  # by which file those are ignored that are
        self._user: Rules | None = None
        self._user_read = False

    def ignored(self, path: str, *, folder: bool = False) -> bool:
        """Whether git would ignore a path, for itself or for one of its folders."""
        return bool(self.by(path, folder=folder))

    def by(self, path: str, *, folder: bool = False) -> str:
        """The file by which a path is ignored; nothing where it is not."""
        if not path.startswith(f"{self._top}/"):
            return ""
        at = len(self._top)
        while (stop := path.find("/", at + 1)) > 0:
            outer = path[:stop]
            if outer not in self._folders:
                self._folders[outer] = self._last(outer, folder=True)
            if self._folders[outer]:
                return self._folders[outer]
            at = stop
        return self._last(path, folder=folder)

    def changed(self, folder: str) -> bool:
        """Read the ignore file of a folder anew; whether it says something else than when it was looked at."""
        before = self._read.pop(folder, None)
        if before is None:
            return False
        self._rules_of(folder)
        if before[0] == self._read[folder][0]:
            return False
        self._folders.clear()
        return True

    def _last(self, path: str, *, folder: bool) -> str:
        """The file with the innermost rule that names a path, if that ignores it; the user's own come last."""
        outer = path.rpartition("/")[0]
        homes = [outer]
        while len(outer) > len(self._top):
            outer = outer.rpartition("/")[0]
            homes.append(outer)
        for home in homes:
            rules = self._rules_of(home)
            verdict = rules.verdict(path[len(home) + 1 :], folder=folder) if rules else None
            if verdict is not None:
                return f"{home}/{self._name}" if verdict else ""
        if self._name != NAME:
            return ""
        repositories = [home for home in homes if self._repository(home) is not None]
        for home in repositories:
            rules = self._repositories[home]
            verdict = rules.verdict(path[len(home) + 1 :], folder=folder) if rules else None
            if verdict is not None:
                return f"{home}/.git/info/exclude" if verdict else ""
        if not self._user_read:
            self._user, self._user_read = self._users(), True
        if self._user:
            home = repositories[0] if repositories else homes[-1]
            if self._user.verdict(path[len(home) + 1 :], folder=folder):
                return Sentence("your own ignore file of git")
        return ""

    def _rules_of(self, folder: str) -> Rules | None:
        if folder not in self._read:
            file = f"{folder}/{self._name}"
            data = read(file, MOST_BYTES)
            self._read[folder] = data, self._rules(data, file, folder)
        return self._read[folder][1]

    def _repository(self, folder: str) -> Rules | None:
        """The rules of the repository that a folder is the top of, none perhaps; None if it is none."""
        if folder not in self._repositories:
            self._repositories[folder] = None
            home = _git(folder)
            if home is not None:
                file = f"{home}/info/exclude"
                self._repositories[folder] = self._rules(read(file, MOST_BYTES), file, "") or Rules([])
        return self._repositories[folder]

    def _users(self) -> Rules | None:
        file = _users_file(self._environ)
        return self._rules(read(file, MOST_BYTES, follow=True), file, "") if file else None

    def _rules(self, data: bytes | None, file: str, folder: str) -> Rules | None:
        if not data:
            return None
        within = self._within(folder) if self._secret and folder else ""
        over = len(data) > MOST_BYTES or data.count(b"\n") > MOST_RULES
        rules = _EVERYTHING if over else _compiled(data, within, self._secret, self._fold)
        if rules.costly > MOST_COSTLY:
            rules = _EVERYTHING
        if rules is _EVERYTHING:
            self._over(file)
        return rules if len(rules) else None

    def _within(self, folder: str) -> str:
        """The folders between a repository and an ignore file, by whose names its rules may be those of secrets."""
        outer = folder
        while outer and self._repository(outer) is None:
            outer = outer.rpartition("/")[0] if len(outer) > len(self._top) else ""
        return folder[len(outer) + 1 :] + "/" if outer and outer != folder else ""


def secret(
    path: str, environ: Mapping[str, str] | None = None, over: Callable[[str], None] = lambda _: None
) -> bool:
    """Whether an ignore file names a file by a rule whose words are those of secrets; read anew each time."""
    if path.startswith("//") and os.name != "nt":
        return False
    return Ignores("", secret=True, environ=environ, over=over).ignored(path)


def kept_home_by(
    path: str, environ: Mapping[str, str] | None = None, over: Callable[[str], None] = lambda _: None
) -> str:
    """The ignore file that keeps a file home: one of assistants that names it, or one as `secret` has it; or nothing."""
    if path.startswith("//") and os.name != "nt":
        return ""
    for name in ASSISTANTS:
        if file := Ignores("", name=name, environ=environ, over=over).by(path):
            return bare(file)
    return bare(Ignores("", secret=True, environ=environ, over=over).by(path))


def rules_in(path: str) -> list[str] | None:
    """The lines of the user's own ignore file that are rules, none where there is no file; None where it cannot be read."""
    data = read(path, MOST_BYTES, follow=True)
    if data is None:
        return None if os.path.lexists(native(path)) else []
    lines = lines_of(data)
    if len(data) > MOST_BYTES or len(lines) > MOST_RULES:
        return None
    return [line for line in lines if line.strip() and not line.startswith("#")]


def top(folder: str) -> str:
    """The repository that a folder is in; the folder itself where it is in none."""
    outer = folder
    while outer:
        if _git(outer) is not None:
            return outer
        outer = outer.rpartition("/")[0]
    return folder


def read(path: str, most: int, *, follow: bool = False) -> bytes | None:
    """A file's first bytes, one more than `most` where it is larger; None if it is no regular file, or a link.

    Nothing else is opened: devices, pipes and sockets would hang, or do what they are for.
    """
    name = native(path)
    flags = os.O_RDONLY
    for flag in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY", *(() if follow else ("O_NOFOLLOW",))):
        flags |= getattr(os, flag, 0)
    try:
        if not stat.S_ISREG(os.stat(name, follow_symlinks=follow).st_mode):  # noqa: PTH116 - no Path is made for each
            return None
        with open(os.open(name, flags), "rb") as file:  # noqa: PTH123 - a descriptor
            return file.read(most + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=64)
def _compiled(data: bytes, within: str, secret: bool, fold: bool) -> Rules:
    lines = lines_of(data)
    if secret:
        lines = [line for line in lines if line.startswith("!") or telling(within + line)]
    return Rules(lines, fold=fold)


def _git(folder: str) -> str | None:
    """The folder where a repository keeps what all its worktrees share; None if this folder is not the top of one."""
    home = f"{folder}/.git"
    try:
        mode = os.stat(native(home)).st_mode  # noqa: PTH116 - no Path is made for each
    except (OSError, ValueError):
        return None
    if stat.S_ISDIR(mode):
        return home
    told = re.fullmatch(rb"gitdir: ([^\n]+)\n*", read(home, MOST_CONFIG) or b"")
    if told is None:
        return None
    home = _joined(folder, told[1].decode("utf-8", "surrogateescape"))
    if home.startswith("//") and not folder.startswith("//"):
        return f"{folder}/.git"  # of a machine that a file in the folder names: it is not asked
    common = read(f"{home}/commondir", MOST_CONFIG)
    return _joined(home, common.decode("utf-8", "surrogateescape").strip()) if common else home


def _joined(folder: str, path: str) -> str:
    return os.path.join(bare(folder), path).replace(os.sep, "/")  # noqa: PTH118 - a string


def _users_file(environ: Mapping[str, str]) -> str | None:
    """The ignore file of the user's own, which git's configuration may name; no `include` in it is followed."""
    home = environ.get("HOME") or environ.get("USERPROFILE") or ""
    folder = environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    named = f"{folder}/git/ignore" if folder else None
    for file in ("/etc/gitconfig", f"{folder}/git/config", f"{home}/.gitconfig"):
        if not file.startswith("/git") and not file.startswith("/."):
            for value in _excludes_files(
                (read(file, MOST_CONFIG, follow=True) or b"").decode("utf-8-sig", "replace")
            ):
                named = f"{home}{value[1:]}" if value.startswith("~/") else value
    return named.replace("\\", "/") if named and (named.startswith("/") or named[1:2] == ":") else None


def _excludes_files(config: str) -> Iterator[str]:
    """The values of `core.excludesFile` in a file of git's configuration."""
    section = ""
    for line in config.replace("\\\n", "").split("\n"):
        head = re.match(r"\s*\[\s*([\w.-]+)\s*(\".*\")?\s*\]", line)
        if head:
            section = "" if head[2] else head[1].lower()
            line = line[head.end() :]  # noqa: PLW2901 - a variable may stand behind its section
        found = re.match(r"\s*excludesfile\s*=\s*(?:\"((?:\\.|[^\"\\])*)\"|([^#;]*))", line, re.IGNORECASE)
        if section == "core" and found:
            yield re.sub(r"\\(.)", r"\1", found[1] if found[1] is not None else found[2].strip())
