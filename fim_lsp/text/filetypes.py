"""The language of a file by its name, as editors call it; for the command line, which no editor tells."""

from __future__ import annotations

import re
from pathlib import PurePath

# LSP's language identifiers (specification 3.18, "Text Document Language Identifiers"), 2026-11.
_BY_ENDING = {
    ".py": "python", ".pyi": "python", ".go": "go", ".rs": "rust", ".ts": "typescript", ".tsx": "typescriptreact",
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascriptreact", ".java": "java",
    ".c": "c", ".h": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hpp": "cpp", ".cs": "csharp", ".rb": "ruby",
    ".php": "php", ".kt": "kotlin", ".kts": "kotlin", ".swift": "swift", ".lua": "lua", ".html": "html",
    ".css": "css", ".scss": "scss", ".md": "markdown", ".json": "json", ".toml": "toml", ".yaml": "yaml",
    ".yml": "yaml", ".sh": "shellscript", ".bash": "shellscript", ".sql": "sql", ".scala": "scala", ".ex": "elixir",
    ".exs": "elixir", ".erl": "erlang", ".hs": "haskell", ".ml": "ocaml", ".clj": "clojure", ".r": "r", ".jl": "julia",
    ".pl": "perl", ".dart": "dart", ".zig": "zig", ".vue": "vue", ".svelte": "svelte", ".xml": "xml", ".tex": "latex",
    ".el": "emacs-lisp", ".vim": "vim", ".mk": "makefile", ".nix": "nix", ".tf": "terraform",
}  # fmt: skip
_BY_NAME = {"makefile": "makefile", "dockerfile": "dockerfile", "cmakelists.txt": "cmake"}


def language_of(name: str) -> str:
    """`python` for `a.py`; `plaintext` for what is not known."""
    path = PurePath(name.lower())
    return _BY_NAME.get(path.name) or _BY_ENDING.get(path.suffix, "plaintext")


def told_by(name: str) -> str:
    """The language that a file's name tells, a notebook's being Python; "" where it tells none."""
    language = "python" if name.endswith(".ipynb") else language_of(name)
    return "" if language == "plaintext" else language


def endings(language: str) -> tuple[str, ...]:
    """`(".ts", ".tsx")` for `typescript`, its dialect for React included; none for what is not known."""
    wanted = language.lower()
    return tuple(end for end, name in _BY_ENDING.items() if wanted in {name, name.removesuffix("react")})


def names() -> tuple[str, ...]:
    """Every language whose files are known by their endings."""
    return tuple(dict.fromkeys(_BY_ENDING.values()))


def comment(name: str) -> str:
    """The sign that begins a comment in a file of that name: `#`, `--` or `//`."""
    language = told_by(name)
    return next((sign for sign, languages in _COMMENTS.items() if language in languages), "//")


def words(text: str) -> frozenset[str]:
    """The different words of a text that may be names: letters, digits and `_`, at least three."""
    return frozenset(_WORD.findall(text))


_COMMENTS = {
    "#": {
        "python", "ruby", "shellscript", "yaml", "toml", "elixir", "r", "julia", "perl", "makefile", "dockerfile",
        "cmake", "nix", "terraform",
    },
    "--": {"lua", "haskell", "sql"},
}  # fmt: skip
_WORD = re.compile(r"[^\W\d]\w{2,}")
