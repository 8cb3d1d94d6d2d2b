"""What may come behind a block: a further branch of its statement, or nothing more of it."""

from __future__ import annotations

from collections.abc import Sequence

from fim_lsp.text.language import Language
from fim_lsp.text.surroundings import width, word


def is_past(text: str, indent: int, following: Sequence[str], language: Language, *, gap: bool) -> bool:
    """Whether a line that stands less deep than the block, and closes no bracket, is none of its statement any more."""
    leads, below = word(text), word(following[0]) if following else ""
    if leads in language.ends:
        return leads == below
    if gap or leads not in language.carries or leads == below:
        return True
    # A branch of the inner statement stands below: what carries an outer one on comes after it.
    return below in language.carries and width(following[0]) > indent


def is_stuck(tail: str, language: Language, *, top: bool) -> bool:
    """Whether something stands right behind the bracket that closes a block which does not go on with its statement.

    At the `top` of a file, that is a word or a tag as well.
    """
    if tail.startswith(("**", "```")):
        return True
    return top and (tail[:1].isalpha() or tail[:1] == "<") and word(tail) not in language.carries
