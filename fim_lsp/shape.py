"""What kind of completion a place wants: one line or several, where it ends, and what the service itself stops at."""

from __future__ import annotations

from typing import NamedTuple

OPENERS, CLOSERS = "([{", ")]}"
_HASH = frozenset(
    [
        "python",
        "ruby",
        "shellscript",
        "perl",
        "r",
        "julia",
        "elixir",
        "yaml",
        "toml",
        "makefile",
        "dockerfile",
        "cmake",
        "nix",
        "terraform",
        "coffeescript",
    ]
)
_DASHES = frozenset(["lua", "sql", "haskell", "elm", "ada", "vhdl"])
_LINE_TOKENS = 96  # tokens of the longest line worth offering


class Shape(NamedTuple):
    """The kind of a completion: `line` (to the line's end), `block` (to the end of an indented block), `rest` (mid-line)."""

    multiline: bool
    kind: str
    max_tokens: int
    stop: tuple[str, ...]  # at most 16


def shape(prefix: str, suffix: str, language: str, multiline: str, max_tokens: int) -> Shape:
    """The shape for a place; `multiline` is the setting, `max_tokens` its upper bound.

    Mid-line, in a comment and in a string a completion is one line.  Elsewhere it is what the place holds: a statement
    that opens nothing ends with its line, a block with its indentation.
    """
    before = prefix[_line_start(prefix) :]
    rest = first_line(suffix)
    if rest.strip(CLOSERS + " \t\"'`;,:"):
        return Shape(False, "rest", min(max_tokens, _LINE_TOKENS), ("\n",))
    comment = before.lstrip().startswith(comment_of(language))
    if multiline == "never" or (multiline == "auto" and (comment or rest.strip() not in {"", ")", "}", "]"})):
        return Shape(False, "line", min(max_tokens, _LINE_TOKENS), ("\n",) if before.strip() else ())
    return Shape(True, "block", max_tokens, _stops(suffix))


def comment_of(language: str) -> str:
    """What begins a line comment in a language; `//` where it is not known otherwise."""
    if language in _HASH:
        return "#"
    return "--" if language in _DASHES else "//"


def first_line(text: str) -> str:
    """The first line of a text, without its line end."""
    for n, character in enumerate(text):
        if character in "\r\n":
            return text[:n]
    return text


def _line_start(text: str) -> int:
    return max(text.rfind("\n"), text.rfind("\r")) + 1


def _stops(suffix: str) -> tuple[str, ...]:
    """The next line after the cursor's, where it says enough to be none of the answer's own."""
    lines = suffix.replace("\r\n", "\n").split("\n")[1:]
    following = next((line for line in lines if line.strip()), "")
    return ("\n" + following,) if len(following.strip()) >= 12 else ()
