"""Which names a typist is about to type at each stop, and where the project knows them from."""

from __future__ import annotations

import builtins
import keyword
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from fim_lsp.context import project
from fim_lsp.context.outline import outline
from fim_lsp.replay.session import Ask, Change, Event, Open
from fim_lsp.text.document import split_lines
from fim_lsp.text.filetypes import language_of, words
from fim_lsp.text.language import language

LINES = 4  # of what is typed next, that are looked at: the rest of the line and three more


class Truth(NamedTuple):
    """The names about to be typed: those that the file holds, those that only others hold, those of these that one defines."""

    inside: frozenset[str]
    external: frozenset[str]
    defined: frozenset[str]


class Signatures:
    """The lines by which a project's definitions can be known again, by the name that they define."""

    def __init__(self) -> None:
        self._lines: dict[str, set[str]] = defaultdict(set)

    def add(self, path: str, text: str) -> frozenset[str]:
        """Take in a file; the names that it defines."""
        lines = split_lines(text)
        found = outline(lines, language_of(path))
        for one in found:
            self._lines[one.name].update(
                line.strip().lstrip("#/- ") for line in (one.signature, lines[one.line])
            )
        return frozenset(one.name for one in found)

    def shown(self, name: str, lines: frozenset[str]) -> bool:
        """Whether one of these lines, without blanks and signs of comments around, defines a name."""
        return not self._lines[name].isdisjoint(lines)


def truths(events: Iterable[Event], texts: Mapping[str, str], signatures: Signatures) -> list[Truth]:
    """What is true at each ask of a session in a project with these files; `signatures` takes in all of them."""
    project_ = _Project(signatures)
    for path, text in texts.items():
        project_.put(path, text)
    current: dict[str, str] = {}
    out = []
    for event in events:
        if isinstance(event, Open):
            current[event.path] = event.text
            project_.put(event.path, event.text)
        elif isinstance(event, Change):
            text = current[event.path]
            current[event.path] = text[: event.start] + event.text + text[event.end :]
        else:
            out.append(project_.truth(event, current[event.path]))
    return out


class _Project:
    """How many files hold, and define, each name; the files as they were when they were opened."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures
        self._files: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
        self._holding: dict[str, Counter[str]] = defaultdict(Counter)
        self._defining: dict[str, Counter[str]] = defaultdict(Counter)

    def put(self, path: str, text: str) -> None:
        family = project.family(language_of(path))
        if path in self._files:
            held, defined = self._files[path]
            self._holding[family].subtract(held)
            self._defining[family].subtract(defined)
        self._files[path] = held, defined = words(text), self._signatures.add(path, text)
        self._holding[family].update(held)
        self._defining[family].update(defined)

    def truth(self, ask: Ask, text: str) -> Truth:
        family = project.family(language_of(ask.path))
        names = _names(ask, text) - _own(family)
        inside = names & words(text)
        held, defined = self._files[ask.path]
        external = frozenset(name for name in names - inside if self._holding[family][name] > (name in held))
        known = frozenset(name for name in external if self._defining[family][name] > (name in defined))
        return Truth(inside, external, known)


def _names(ask: Ask, text: str) -> frozenset[str]:
    """The names in the code that is typed next, with that which the cursor stands in."""
    before = text[: ask.offset]
    typed = _code("\n".join(ask.truth.split("\n")[:LINES]), before, language_of(ask.path))
    rest = _WORD.match(typed)
    begun = _BEGUN.search(before)
    word = rest[0] if rest else ""
    names = words(typed[len(word) :])
    if word:
        names |= words((begun[0] if begun else "") + word)
    return names


def _code(text: str, before: str, name: str) -> str:
    """A text without its strings and comments; what stands before it tells what its beginning is inside of."""
    spoken = language(name)
    inside = spoken.marks(before)[1]
    at = 0
    if inside:
        span = spoken.spans[inside]
        end = span.to_end.match(text)
        at = end.end() if end else -1 if span.long else text.find("\n")
        if at < 0:
            return ""
    out = []
    for token in spoken.token.finditer(text, at):
        if len(token[0]) > 1:
            out.append(text[at : token.start()])
            at = token.end()
    return " ".join([*out, text[at:]])


@cache
def _own(family: str) -> frozenset[str]:
    """The words that are a language's own."""
    if family == "python":
        return frozenset([*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "self", "cls"])
    table = tomllib.loads(files("fim_lsp").joinpath("replay", "keywords.toml").read_text("utf-8"))
    return frozenset(table["words"].get(family, "").split())


_WORD = re.compile(r"\w*")
_BEGUN = re.compile(r"\w*$")
