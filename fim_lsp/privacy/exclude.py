"""Files that are never sent: those that usually hold secrets, and those the user names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from fim_lsp.privacy.ignore_rules import Rules, parsed
from fim_lsp.privacy.location import paths as paths_of
from fim_lsp.privacy.secrets import files
from fim_lsp.words.sentence import Sentence

MOST_ALTERNATIVES = 256  # that the braces of one pattern may stand for
# What people put before a path; patterns hold in any folder, so it says nothing more.
_HOME = re.compile(r"(?:~|\$HOME|\$\{HOME\}|%USERPROFILE%|\$\{workspaceFolder\})[/\\]+")
# `netrc~`, `netrc.bak.2`, `.netrc.swp`, and what packages and merges leave behind.
_BACKUP = re.compile(
    r"(?:~(?:\d+~)?|[._-](?:bak|backup|old|orig|save|saved|copy|prev|tmp|temp|rej|sw[a-p]|un~|~\d+~|dpkg-\w+|rpm\w+|pacnew"
    r"|pacsave)|(?:[._-]\(?|\()\d{1,14}\)?|\s\(?copy\)?)+$"
)
# chezmoi's `private_dot_netrc.tmpl`, yadm's `.netrc##os.Linux`.
_KEPT = re.compile(
    r"(?<=/)(?:(?:encrypted|private|readonly|exact|empty|executable|create|modify|symlink|once|remove|external)_)*dot_"
)
_TEMPLATE = re.compile(r"(?:\.tmpl|\.age)+$")
OWN = Sentence('the setting "exclude" or your own ignore file')
USUAL = Sentence("the list of files that usually hold secrets")
LONGEST_NAME = 255  # of a file, on the systems that there are
_ALL = frozenset({"*", "**", "**/*", "/**", "*/**"})
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_PLAIN_ESCAPES = re.compile(r"\\(?=[\w.~$@+-])")


def excluded(
    paths: Iterable[str],
    patterns: Sequence[str],
    *,
    fold: bool = False,
    ignored: Callable[[str], str] = lambda _: "",
) -> bool:
    """Whether a document with these paths is never to be sent: one of them that is excluded is enough.

    The user's patterns have the last word; where none names a path, the list of secret files and `ignored` decide.
    `fold`: whether case does not count in the patterns; in the list it never does.
    """
    return bool(reason(paths, patterns, fold=fold, ignored=ignored))


def reason(
    paths: Iterable[str],
    patterns: Sequence[str],
    *,
    fold: bool = False,
    ignored: Callable[[str], str] = lambda _: "",
) -> str:
    """What says that a document with these paths is never to be sent, as `excluded` has it: an ignore file's path, or words.

    `ignored` gives the ignore file that names a path.
    """
    usual, own = _usual(), _own(tuple(patterns), fold)
    for path in paths:
        said = own.verdict(path)
        if said:
            return OWN
        if said is None:
            if any(map(usual.verdict, _spellings(path))):
                return USUAL
            if file := ignored(path):
                return file
    return ""


def senseless(patterns: Sequence[str]) -> list[Sentence]:
    """A sentence for each pattern that can name no file; by its number, as it might be anything."""
    return [
        Sentence(
            'Pattern {number} in "exclude" names no file: write it as in a .gitignore, such as "secrets/**".',
            number=number,
        )
        for number, pattern in enumerate(patterns, 1)
        if not any(map(parsed, _understood(pattern)))
    ]


def _spellings(path: str) -> Iterator[str]:
    """A path, and what it would be if it were no backup, nor kept by a manager of dotfiles."""
    yield path
    folder, _, name = path.lower().rpartition("/")
    if len(name) > LONGEST_NAME:
        return
    kept = _KEPT.sub(".", f"{folder}/{_TEMPLATE.sub('', name.partition('##')[0])}")
    if kept != path.lower():
        yield kept
    folder, _, name = kept.rpartition("/")
    plain = _BACKUP.sub("", name)
    if plain.startswith("#") and plain.endswith("#"):
        plain = plain.strip("#")
    if plain and plain != name:
        yield f"{folder}/{plain}"
    if plain.startswith(".") and (plain != name or plain.startswith(".#")):  # Vim's swap files, Emacs' locks
        yield f"{folder}/{plain[1:].removeprefix('#')}"


class _Layer:
    """Patterns that hold in any folder: what is said of a folder is said of all in it."""

    def __init__(self, lines: Iterable[str], *, fold: bool, otherwise: bool | None = None) -> None:
        self._rules = Rules(lines, fold=fold)
        self._otherwise = otherwise  # what is said where no pattern names a path
        self._folder = lru_cache(maxsize=1024)(self._folder_verdict)

    def verdict(self, path: str) -> bool | None:
        """True: excluded; False: brought back; None: no pattern names it or a folder of it."""
        if not len(self._rules):
            return self._otherwise
        outer = self._folder(path.rpartition("/")[0])
        own = None if outer else self._rules.verdict(path[1:], folder=False)
        said = outer if own is None else own
        return self._otherwise if said is None else said

    def _folder_verdict(self, folder: str) -> bool | None:
        said = None
        stop = folder.find("/", 1)
        while folder and said is not True:
            name = folder if stop < 0 else folder[:stop]
            own = self._rules.verdict(name.lstrip("/"), folder=True)
            said = said if own is None else own
            if stop < 0:
                break
            stop = folder.find("/", stop + 1)
        return said


@lru_cache(maxsize=1)
def _usual() -> _Layer:
    return _Layer((line for pattern in files() for line in _understood(pattern)), fold=True)


@lru_cache(maxsize=8)
def _own(patterns: tuple[str, ...], fold: bool) -> _Layer:
    # What names everything names no folder, so that `["*", "!*.py"]` leaves the sources in all of them.
    last = max((number for number, pattern in enumerate(patterns) if pattern.strip() in _ALL), default=-1)
    held = [one for number, one in enumerate(patterns) if number > last or not one.strip().startswith("!")]
    lines = [line for one in held if one.strip() not in _ALL for line in _understood(one)]
    return _Layer(lines, fold=fold, otherwise=True if last >= 0 else None)


def _understood(pattern: str) -> Iterator[str]:
    """A pattern as people write it, in the language of .gitignore: in any folder, each brace's alternatives apart."""
    written = pattern.strip() + (" " if re.search(r"(?<!\\)(?:\\\\)*\\ +$", pattern) else "")
    back = "!" if written.startswith("!") else ""
    written = written.removeprefix("!").lstrip()
    if re.match(r"(?i)file:", written):
        # Its signs are stars and braces still.
        written = paths_of(re.sub(r"[?#\[\]{}*!]", lambda sign: f"%{ord(sign[0]):02x}", written))[0]
    written = re.sub(
        r"^(?:\.[/\\]+)+", "", _HOME.sub("", written, count=1) if _HOME.match(written) else written
    )
    drive = re.match(r"([A-Za-z]):[/\\]", written)
    if drive:
        written = f"{drive[1].lower()}:{written[2:]}"
    written = _PLAIN_ESCAPES.sub("/", written)
    spelled = [written]
    if not back and "\\" in written:
        # Backslashes before signs may be those of Windows or of .gitignore: what either means stays home.
        spelled.append(written.replace("\\", "/"))
    for one in spelled:
        for line in _alternatives(one):
            inner = line.lstrip("/")
            if not inner or re.search(r"(?:^|/)\.\.?(?:/|$)", inner):
                continue
            bare = "/" not in inner.removesuffix("/")
            first = "\\" if bare and inner[0] in "!#" else ""
            yield f"{back}{first}{inner}" if bare else f"{back}**/{inner}"


def _alternatives(pattern: str) -> list[str]:
    """What the braces of a pattern stand for, the innermost first; too many stand for anything."""
    done, left = [], [pattern]
    while left:
        one = left.pop()
        found = _BRACES.search(one)
        if found is None:
            done.append(one)
        else:
            left += [one[: found.start()] + part + one[found.end() :] for part in found[1].split(",")]
        if len(done) + len(left) > MOST_ALTERNATIVES:
            return [_BRACES.sub("*", pattern)]
    return done
