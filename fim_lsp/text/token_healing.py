"""Token healing: the end of a prefix is left to the model to say again, and its answer read without it.

A tokenizer joins a space with the word behind it (DeepSeek's own does so for 76 % of the white space in front of words, in 204 files
of sixteen repositories), and the letters of a word.  A prefix that ends between the two shows a model a token that it has seldom seen there,
and it goes on with what seldom follows.  An engine that can be held to what an answer begins with is left the word that the cursor is in, or a
sign; of the others, which may say something else, white space at most.  `context/README.md` has what this is worth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fim_lsp.text.confidence import Token

LONGEST = 16  # characters of a word that are said again: some five tokens

_WORD = re.compile(r"(?<!\w)[A-Za-z0-9_]+\Z")
_HUMP = re.compile(r"[A-Z]*[a-z0-9]*\Z|_+\Z")  # the last part of a long name
_SIGN = re.compile(r"[!-/:;=-@\\-^`{-~]\Z")  # not < and [: tokens that are no text of the model's begin so


def lead_of(prefix: str, *, held: bool = False) -> str:
    """The end of a prefix that the model is to say again: one space or tab; "" where it is best sent as it is.

    `held`: of a model that can be held to it, the word at the end, or one sign.  It is never all of the prefix.
    """
    found = prefix[-1:] if prefix[-1:] in (" ", "\t") else ""
    end = prefix[-4 * LONGEST :]
    if held and (word := _WORD.search(end)):
        part = word[0] if len(word[0]) <= LONGEST else (_HUMP.search(word[0]) or word)[0]
        found = part[-LONGEST:]
    elif held and _SIGN.search(end):
        found = prefix[-1]
    return found if len(found) < len(prefix) else ""


class Heard:
    """Reads an answer that has to begin with a lead, and leaves that out.

    With `strict` false, an answer without it is taken for one that goes on behind it.  `held`: the model was held to it.
    """

    def __init__(self, lead: str, *, strict: bool = True, held: bool = False) -> None:
        self.said = ""  # all that was heard
        self.parted = False  # whether it begins with something else, and is no answer
        self.agreed: bool | None = None  # whether it begins with the lead; None as long as that is not known
        self._lead = lead
        self._strict = strict
        self._held = held

    def take(self, piece: str) -> str:
        """The part of a piece that belongs behind the lead."""
        self.said += piece
        if self.parted:
            return ""
        if self.agreed is not None or not self._lead:
            return piece
        if len(self.said) < len(self._lead) and self._lead.startswith(self.said):
            return ""
        self.agreed = self.said.startswith(self._lead)
        if self.agreed:
            return self.said[len(self._lead) :]
        self.parted = self._strict
        self._lead = ""
        return "" if self.parted else self.said

    def close(self) -> None:
        """The answer has ended: none, or a part of the lead, is no answer to a prompt without it."""
        self.parted = self.parted or (self._strict and self._lead != "" and self.agreed is None)

    def tokens(self, tokens: Sequence[Token]) -> Sequence[Token]:
        """The tokens of an answer by their places in what is left of it.

        One that begins in a lead that the model was held to was no choice of its: it counts as sure.
        """
        size = len(self._lead)
        return [
            Token(max(0, start - size), end - size, 0.0 if self._held and start < size else logprob)
            for start, end, logprob in tokens
            if end > size
        ]
