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
    return None if parser is None else not parser.parse(text.encode("utf-8", "replace")).root_node.has_error


def trusted(name: str) -> bool:
    """Whether there is a parser of a language, and one that takes what people write (`TRUSTED`)."""
    return name == "python" or (name in TRUSTED and _parser(_GRAMMARS.get(name, name)) is not None)


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
