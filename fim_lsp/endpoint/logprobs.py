"""How sure a model was of each token of its answer, as engines tell it, and where in the text each token ends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from fim_lsp.endpoint.dialect import at
from fim_lsp.text.confidence import Token
from fim_lsp.words.sentence import Sentence

if TYPE_CHECKING:
    from fim_lsp.endpoint.dialect import Dialect

UNSURE = Sentence(
    "This engine does not tell how sure its model is: the setting confidence has no effect with it."
)
MOST = 10_000  # tokens of one event that are looked at
ROUNDING = 1e-3  # above 0, where an engine counts roughly
LAG = 1_000  # characters by which tokens and text may be apart: an engine holds back what may be a stop


class Told(NamedTuple):
    """A token as an event tells it: its text, and its log-probability; None where that is no text or no such number."""

    text: str | None
    logprob: float | None


def told(dialect: Dialect, holder: Any) -> list[Told]:
    """The tokens of an event, or of the first of its choices, in order; none where it tells none that can be made out.

    Two shapes are known: lists side by side, `{"tokens": [...], "token_logprobs": [...]}`, and rows of
    `{"token": ..., "logprob": ...}`, which may stand in `content`.
    """
    for place in dialect.logprobs:
        found = at(holder, place)
        if isinstance(found, dict) and isinstance(found.get("token_logprobs"), list):
            numbers, texts = found["token_logprobs"], found.get("tokens")
            if not isinstance(texts, list) or len(texts) != len(numbers):
                texts = [None] * len(numbers)
            return [Told(_text(one), _number(other)) for one, other in zip(texts, numbers, strict=True)][
                :MOST
            ]
        rows = found.get("content") if isinstance(found, dict) else found
        if isinstance(rows, list):
            rows = [row if isinstance(row, dict) else {} for row in rows[:MOST]]
            return [Told(_text(row.get("token")), _number(row.get("logprob"))) for row in rows]
    return []


class Spelling:
    """Where each token stands in a text, as both come in pieces, and neither need come with the other.

    As long as the tokens spell the text, they say it themselves.  Where they do not (half a character, a mark that is no text,
    another alphabet) those of an event are spread evenly over its text, and spelling begins anew behind it.
    """

    def __init__(self) -> None:
        self._length = 0  # characters of the text
        self._spelt = 0  # of these, how many are spelt
        self._text = ""  # the rest of them
        self._ahead = ""  # what is spelt beyond the text

    def take(self, text: str, tokens: list[Told]) -> list[Token]:
        """The tokens of a piece of text of which a number is known, with their places in characters of the whole."""
        begun = self._length
        self._length += len(text)
        rest = self._text + text
        if not tokens:
            self._text = rest
            if len(rest) > LAG:
                self._anew()
            return []
        ahead = self._ahead + "".join(token.text or "" for token in tokens)
        size = min(len(rest), len(ahead))
        found = []
        apart = len(rest) + len(ahead) - 2 * size > LAG
        if rest[:size] == ahead[:size] and not apart and all(token.text is not None for token in tokens):
            end = self._spelt + len(self._ahead)
            for token in tokens:
                start, end = end, end + len(token.text or "")
                if token.logprob is not None:
                    found.append(Token(start, end, token.logprob))
            self._spelt += size
            self._text, self._ahead = rest[size:], ahead[size:]
            return found
        places = [begun + round(len(text) * number / len(tokens)) for number in range(len(tokens) + 1)]
        for token, start, end in zip(tokens, places, places[1:], strict=False):
            if token.logprob is not None:
                found.append(Token(start, end, token.logprob))
        self._anew()
        return found

    def _anew(self) -> None:
        self._spelt, self._text, self._ahead = self._length, "", ""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    """A log-probability; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number) or number > ROUNDING:
        return None
    return min(number, 0.0)
