"""Whether the parser of a language takes a text: Python's own, and tree-sitter's grammars where they are installed."""

from __future__ import annotations

import ast
import importlib
import warnings
from functools import cache
from typing import Any

# Grammars of the package tree-sitter-language-pack, by the LSP languageId; where a name is not here, it is the same.
_GRAMMARS = {"javascriptreact": "javascript", "typescriptreact": "tsx", "shellscript": "bash"}
# Whose grammars take what authors wrote, in real files and in halves of them.  Not those of C and C++, which know no macros.
TRUSTED = frozenset(
    [
        "csharp",
        "go",
        "java",
        "javascript",
        "javascriptreact",
        "kotlin",
        "lua",
        "php",
        "python",
        "ruby",
        "rust",
        "shellscript",
        "typescript",
        "typescriptreact",
    ]
)
# Whose parser takes anything, or whose files are templates of something else.
_NO_GRAMMAR = frozenset({"vue", "html", "plaintext"})


def parses(text: str, name: str) -> bool | None:
    """Whether the parser of a language (an LSP languageId) takes a text; None where there is none, or it gives up.

    Python's is `ast`; the others need the extra `syntax`.
    """
    if name == "python":
        return _python(text)
    parser = _parser(_GRAMMARS.get(name, name)) if name not in _NO_GRAMMAR else None
    return None if parser is None else not parser.parse(_bytes(text)).root_node.has_error


class Around:
    """What stands around a place, parsed with one text after another there: tree-sitter parses no more than what changes."""

    def __init__(self, before: str, after: str, name: str) -> None:
        """`name` is an LSP languageId whose parser is there."""
        self._before = before
        self._after = after
        self._name = name
        self._parser = _parser(_GRAMMARS.get(name, name))
        self._tree: Any = None
        self._last = ("", 0)  # what the tree has at the place

    def takes(self, text: str, covers: int) -> bool:
        """Whether the parser takes it all with a text in the place of the next so many characters."""
        if self._name == "python":
            return bool(parses(self._before + text + self._after[covers:], self._name))
        return self.may_take(text, covers)

    def may_take(self, text: str, covers: int) -> bool:
        """The same, but for Python at a glance: False is the last word, where its grammar takes whatever `ast` does."""
        if self._parser is None:
            return True
        if self._tree is not None:
            self._edit(text, covers)
        whole = _bytes(self._before + text + self._after[covers:])
        known = () if self._tree is None else (self._tree,)
        self._tree, self._last = self._parser.parse(whole, *known), (text, covers)
        return not self._tree.root_node.has_error

    def _edit(self, text: str, covers: int) -> None:
        last, covered = self._last
        most = max(covered, covers)
        before = _bytes(self._before)
        old, new = (
            before + _bytes(one + self._after[n:most]) for one, n in ((last, covered), (text, covers))
        )
        self._tree.edit(len(before), len(old), len(new), _point(before), _point(old), _point(new))


def trusted(name: str) -> bool:
    """Whether there is a parser of a language, and one that takes what people write (`TRUSTED`)."""
    return name == "python" or (name in TRUSTED and _parser(_GRAMMARS.get(name, name)) is not None)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _point(text: bytes) -> tuple[int, int]:
    """The row and the column, in bytes, of a text's end."""
    return text.count(b"\n"), len(text) - text.rfind(b"\n") - 1


def _python(text: str) -> bool | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape that is none is the file's affair
            ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    except (
        RecursionError,
        MemoryError,
        SystemError,
    ):  # the last where Python's own count of its depth went wrong
        return None
    return True


@cache
def _parser(grammar: str) -> Any:
    """A parser of tree-sitter's; None where the package or the grammar is not there."""
    try:
        pack = importlib.import_module("tree_sitter_language_pack")
        return pack.get_parser(grammar)
    except (ImportError, LookupError):
        return None
