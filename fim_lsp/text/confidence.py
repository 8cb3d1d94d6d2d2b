"""How far a model's answer is shown, by how sure the model was of it: to the end of the last line before its confidence fell."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from fim_lsp.text.language import CLOSER_OF, CLOSERS
from fim_lsp.text.surroundings import Surroundings, on_line


class Token(NamedTuple):
    """A token of an answer: where it stands, in characters of the text, and its natural log-probability, 0 or less."""

    start: int
    end: int
    logprob: float


class Tally(NamedTuple):
    """The log-probabilities read: the sum of all, and of the line its sum, the least, and how many tokens it has."""

    total: float = 0.0
    line: float = 0.0
    least: float = 0.0
    tokens: int = 0

    def with_(self, logprob: float) -> Tally:
        """With one token more."""
        return Tally(self.total + logprob, self.line + logprob, min(self.least, logprob), self.tokens + 1)


class Rule(NamedTuple):
    """What a line is worth, from 0 to 1; `falling`: no further token makes it more, so that it is judged at once.

    Any other is judged at the line's end.
    """

    worth: Callable[[Tally], float]
    falling: bool


# Statistics of token probabilities, to be compared on kept answers; RULE is the one by which the server goes.
RULES: Mapping[str, Rule] = {
    # That all of the text up to here is what the model says in one case of so many.
    "joint": Rule(lambda tally: math.exp(tally.total), falling=True),
    # That of this line, those before it taken for granted.
    "line": Rule(lambda tally: math.exp(tally.line), falling=True),
    # The least sure token of the line.
    "least": Rule(lambda tally: math.exp(tally.least), falling=True),
    # The geometric mean of the line's tokens.
    "mean": Rule(lambda tally: math.exp(tally.line / max(tally.tokens, 1)), falling=False),
}
RULE = "joint"
LEAST = 4  # characters of a part of a line: fewer are typed sooner than read
TRIES = 20  # ends of words that are looked at


def threshold(setting: str | float) -> float | None:
    """The threshold that a value of the setting `confidence` stands for; None where all is shown, and nothing need be known."""
    if setting in {"off", 0}:
        return None
    return float(setting) if not isinstance(setting, str) else _auto()


@cache
def _auto() -> float:
    return float(
        tomllib.loads(files("fim_lsp").joinpath("text", "confidence.toml").read_text("utf-8"))["auto"]
    )


class Doubt:
    """Reads an answer and the confidence in it as they come, and says from where on it is not to be shown.

    `threshold` is from 0 to 1.  With `granted`, the first line with text is not doubted, as where a person asks for a text: who
    asks wants to see what there is, and judges it; what follows is shown as far as it is sure.  What has no token is sure.
    """

    def __init__(self, threshold: float, *, granted: bool = False, rule: str = RULE) -> None:
        self.start: int | None = None  # of the line in which confidence fell; None as long as it has not
        self.at: int | None = None  # where the token begins with which it fell
        self._threshold = threshold
        self._rule = RULES[rule]
        self._granted = granted
        self._read = 0  # tokens
        self._held = 0  # start of the line that is read
        self._tally = Tally()

    def read(self, text: str, tokens: Sequence[Token], *, until: int | None = None) -> bool:
        """Take all that was said so far; whether confidence has fallen.  What is said from `until` on does not count."""
        while self.start is None and self._read < len(tokens) and tokens[self._read].end <= len(text):
            begin, end, logprob = tokens[self._read]
            self._read += 1
            said = text[begin:end]
            # A line break tells of the line that it begins: the one before it is as good without.
            begin += len(said) - len(said.lstrip())
            if until is not None and begin >= until:
                break
            self._take(text, begin, logprob)
        return self.start is not None

    def close(self, text: str, tokens: Sequence[Token], *, until: int | None = None) -> bool:
        """The answer has ended; whether confidence has fallen."""
        if not self.read(text, tokens, until=until) and self._tally.tokens:
            self._judge(len(text))
        return self.start is not None

    def _take(self, text: str, begin: int, logprob: float) -> None:
        start = text.rfind("\n", 0, begin) + 1
        if start > self._held:
            if self._tally.tokens and not self._rule.falling:
                self._judge(start)
                if self.start is not None:
                    return
            self._held = start
            self._tally = Tally(self._tally.total)
        if self._granted and not text[:start].strip():
            return
        self._tally = self._tally.with_(logprob)
        if self._rule.falling:
            self._judge(begin)

    def _judge(self, at: int) -> None:
        if self._rule.worth(self._tally) < self._threshold:
            self.start, self.at = self._held, at


def kept(text: str, doubt: Doubt, place: Surroundings) -> int:
    """How many characters of an answer are shown, in which confidence has fallen: what leaves open nothing that it opens.

    The lines before the one in which it fell, back to the last that closes what the text has opened.  Of the first line
    with text, the expression before the token with which it fell: brackets closed, those of the cursor's line as well where
    nothing behind it does, no word cut, nothing in front of an opening bracket, `LEAST` characters or more; what stands behind
    the cursor has to leave room for a part of a line.
    """
    assert doubt.start is not None
    if not text[: doubt.start].strip():
        return _expression(text[: doubt.at], text, place)
    ended, end, at = _Open(place), 0, 0
    for line in text[: doubt.start].split("\n")[:-1]:
        at += len(line) + 1
        if ended.take(line):
            end = at
    return end


def _expression(sure: str, text: str, place: Surroundings) -> int:
    """Where the last expression of a part of a line ends; 0 where none does."""
    if place.rest.strip() and not place.closes:
        return 0
    tries = 0
    for end in range(len(sure), 0, -1):
        last, following = sure[end - 1], text[end : end + 1]
        if not (_wordly(last) or last in _LAST) or following in CLOSER_OF:
            continue
        if _wordly(last) and _wordly(following):
            continue
        tries += 1
        if tries > TRIES or len(sure[:end].strip()) < LEAST:
            return 0
        if _Open(place, whole=not place.rest.strip()).take(sure[:end]):
            return end
    return 0


class _Open:
    """Reads lines of a text, and says after each whether all that it has opened is closed; with `whole`, its own line has, too."""

    def __init__(self, place: Surroundings, *, whole: bool = False) -> None:
        self._place = place
        self._inside = place.inside
        self._depth = on_line(place) if whole else 0
        span = place.language.spans.get(place.inside)
        quoted = whole and span is not None and not span.long and span.closing != "\n"
        self._may_end_in = {""} if quoted else {"", place.inside}

    def take(self, line: str) -> bool:
        language = self._place.language
        marks, self._inside = language.marks(line, self._inside)
        for mark in marks:
            if mark.sign in CLOSER_OF:
                self._depth += 1
            elif mark.sign in CLOSERS and self._depth:
                self._depth -= 1
        span = language.spans.get(self._inside)
        ended = not self._depth and self._inside in self._may_end_in
        if span is not None and not span.long:
            ended = ended or (not self._depth and span.closing == "\n")
            self._inside = ""
        return ended


def _wordly(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


_LAST = frozenset(")]}\"'`")  # with which an expression may end, besides words
