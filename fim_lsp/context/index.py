"""What the files of a project define, and how many of them name it: the source of the project's map."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from fim_lsp.context.outline import Definition, outline
from fim_lsp.context.project_context import Map
from fim_lsp.text.document import split_lines
from fim_lsp.text.filetypes import comment, language_of, words

SHORTEST = 3  # characters of a name; shorter ones are everywhere
ASIDE = 0.2  # what a definition in a test or an example counts
SHORT_WORD, WORD, LONG_WORD = (
    0.5,
    0.8,
    8,
)  # what a name counts that is a plain word, shorter or longer than that
MOST = 400  # definitions kept of a file


class Budget(NamedTuple):
    """Characters of a map: for signatures, and for the names of what else there is."""

    signatures: int
    names: int


class _File(NamedTuple):
    definitions: tuple[Definition, ...]
    named: array[int]
    aside: bool


_At = tuple[str, Definition]  # a definition, and the path of its file
_Ranked = tuple[float, str, int, Definition]  # by worth, the greatest first, then by file and line


class Index:
    """The files of one family of languages in one folder, by their paths in it.

    A path or a signature with a character that is not printable is not taken in: it could pass for lines of its own.
    """

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._numbers: dict[str, int] = {}  # of each word
        self._naming = array("I")  # files that name a word, by its number
        self._defined: dict[str, list[_At]] = {}  # what is defined, by name; empty: to be gathered anew

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, path: str) -> bool:
        return path in self._files

    @property
    def paths(self) -> list[str]:
        """The files that were taken in."""
        return list(self._files)

    def put(self, path: str, text: str, *, aside: bool = False) -> bool:
        """Take in a file, or what has become of it; whether its definitions are others than before."""
        if not path.isprintable():
            return False
        before = self._files.get(path)
        lines = split_lines(text)
        found = outline(lines, language_of(path))
        kept = tuple(one for one in found if _shows(one))[:MOST]
        named = array("I", sorted(map(self._number, words(text))))
        # What may be ended in its midst stands above.
        self.drop(path)
        self._defined.clear()
        for number in named:
            self._naming[number] += 1
        self._files[path] = _File(kept, named, aside)
        signatures = [one.signature for one in kept]
        return before is None or [one.signature for one in before.definitions] != signatures

    def drop(self, path: str) -> bool:
        """Forget a file; whether it was there."""
        file = self._files.pop(path, None)
        if file is None:
            return False
        self._defined.clear()
        for number in file.named:
            self._naming[number] -= 1
        return True

    def map(self, budget: Budget, package: str = "") -> Map:
        """The definitions that most files name for each character that showing them takes, by file, in the files' order.

        Behind the signatures of a file stand the names of others that it defines.  The same files give the same bytes.
        With a package, a folder whose path ends with `/`, only its files count; what they name may be defined anywhere.
        """
        naming = self._naming if not package else self._naming_within(package)
        signatures: list[_Ranked] = []
        names: list[_Ranked] = []
        for name, found in self._definitions().items():
            number = self._numbers.get(name)
            times = 0 if number is None else naming[number]
            others = times and times - len({path for path, _ in found if path.startswith(package)})
            if others <= 0:
                continue
            for path, one in found:
                worth = others * (ASIDE if self._files[path].aside else 1) * _telling(name)
                signatures.append((-worth / len(found) / (10 + len(one.signature)), path, one.line, one))
                names.append((-worth / (3 + len(name)), path, one.line, one))
        shown = self._chosen(signatures, lambda one: one.signature.strip(), budget.signatures)
        told = {one.name for chosen in shown.values() for one in chosen}
        left = (row for row in names if row[3].name not in told)
        also = self._chosen(left, lambda one: one.name, budget.names, once=True)
        files = tuple(sorted({*shown, *also}))
        return Map("".join(_section(path, shown[path], also[path]) for path in files), files)

    def near(self, paths: Iterable[str], chars: int, but: str) -> Map:
        """Signatures of these files that most others name, in so many characters, but for lines of a text."""
        wanted = dict.fromkeys(paths)
        told = {line.strip() for line in but.split("\n")}

        ranked: list[_Ranked] = []
        for path, file in ((path, self._files[path]) for path in wanted if path in self._files):
            for one in file.definitions:
                worth = (
                    self._files_naming(one.name) / (10 + len(one.signature)) * (ASIDE if file.aside else 1)
                )
                if worth and one.signature.strip() not in told:
                    ranked.append((-worth, path, one.line, one))
        chosen = self._chosen(ranked, lambda one: one.signature.strip(), chars)
        files = tuple(sorted(chosen))
        return Map("".join(_section(path, chosen[path], ()) for path in files), files)

    def _definitions(self) -> dict[str, list[_At]]:
        """What is defined, by name."""
        if not self._defined:
            for path, file in self._files.items():
                for one in file.definitions:
                    self._defined.setdefault(one.name, []).append((path, one))
        return self._defined

    @staticmethod
    def _chosen(
        ranked: Iterable[_Ranked], shown: Callable[[Definition], str], room: int, *, once: bool = False
    ) -> defaultdict[str, list[Definition]]:
        """The first definitions that fit together with their files' names, by file.

        None is shown twice for a file, nor, with `once`, for any.
        """
        chosen: defaultdict[str, list[Definition]] = defaultdict(list)
        taken: set[tuple[str, str]] = set()
        for _, path, _, one in sorted(ranked):
            text = shown(one)
            size = len(text) + 2 + (0 if path in chosen else len(path) + 4)
            if room < SHORTEST:
                break
            key = ("" if once else path, text)
            if size > room or key in taken:
                continue
            taken.add(key)
            chosen[path].append(one)
            room -= size
        return chosen

    def _number(self, word: str) -> int:
        number = self._numbers.setdefault(word, len(self._numbers))
        if number == len(self._naming):
            self._naming.append(0)
        return number

    def _naming_within(self, package: str) -> array[int]:
        naming = array("I", bytes(4 * len(self._naming)))
        for path, file in self._files.items():
            if path.startswith(package):
                for number in file.named:
                    naming[number] += 1
        return naming

    def _files_naming(self, word: str) -> int:
        number = self._numbers.get(word)
        return 0 if number is None else self._naming[number]


def _shows(one: Definition) -> bool:
    """Whether a definition may stand in a map."""
    return len(one.name) >= SHORTEST and not one.name.startswith("__") and one.signature.isprintable()


def _telling(name: str) -> float:
    """How much a name's being named says: one that is a plain word may be named by prose."""
    if not (name.isalpha() and name.islower()):
        return 1.0
    return SHORT_WORD if len(name) < LONG_WORD else WORD


def _section(path: str, signatures: Iterable[Definition], names: Iterable[Definition]) -> str:
    """A file's part of a map: its name, its signatures in order, and the names of what else it defines."""
    sign = comment(path)
    lines = [f"{sign} {path}", *(one.signature for one in sorted(signatures, key=lambda one: one.line))]
    also = ", ".join(dict.fromkeys(one.name for one in sorted(names, key=lambda one: one.line)))
    return "".join(f"{line}\n" for line in [*lines, *([f"{sign} also {also}"] if also else [])])
