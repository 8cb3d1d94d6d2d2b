"""A line in the middle of a text, as far as it can be told at a glance which brackets it leaves open."""

from __future__ import annotations

import re

from fim_lsp.text.language import CLOSER_OF, Language


def turns(text: str, opened: list[str], language: Language) -> bool:
    """Whether a line closes no more than what the text has `opened`, innermost last; if so, that list is brought up to date.

    A line whose brackets may stand in a string or comment is not told at a glance, unless they come in pairs.
    """
    signs = _BRACKET.findall(text)
    if not signs:
        return True
    more: list[str] = []
    closed = 0
    for sign in signs:
        if sign in CLOSER_OF:
            more.append(sign)
        elif more:
            more.pop()
        else:
            closed += 1
    if not closed and not more:
        return True
    if closed > len(opened) or language.spanning.search(text):
        return False
    opened[len(opened) - closed :] = more
    return True


_BRACKET = re.compile(r"[()\[\]{}]")
