"""Whether a text is code of its language: brackets that match, and a parser that takes it."""

from __future__ import annotations

import ast
import importlib
import warnings
from functools import cache
from typing import Any

from fim_lsp.text.language import CLOSER_OF, CLOSERS, language

# Grammars of the package tree-sitter-language-pack, by the LSP languageId; where a name is not here, it is the same.
_GRAMMARS = {"javascriptreact": "javascript", "typescriptreact": "tsx", "shellscript": "bash"}
# Whose parser takes anything, or whose files are templates of something else.
_NO_GRAMMAR = frozenset({"vue", "html", "plaintext"})


def parses(text: str, name: str) -> bool | None:
    """Whether the parser of a language (an LSP languageId) takes a text; None where there is none, or it gives up.

    Python's is `ast`; the others need the extra `measure`.
    """
    if name == "python":
        return _python(text)
    parser = _parser(_GRAMMARS.get(name, name)) if name not in _NO_GRAMMAR else None
    return None if parser is None else not parser.parse(text.encode("utf-8", "replace")).root_node.has_error


def unmatched(text: str, name: str) -> int:
    """How many brackets of a text have no mate; those in strings and comments do not count."""
    stack: list[str] = []
    lone = 0
    for sign, _ in language(name).marks(text)[0]:
        if sign in CLOSER_OF:
            stack.append(CLOSER_OF[sign])
        elif sign in CLOSERS:
            if sign in stack:
                while stack.pop() != sign:
                    lone += 1
            else:
                lone += 1
    return lone + len(stack)


def _python(text: str) -> bool | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape that is none is the file's affair
            ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    except (RecursionError, MemoryError):
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
