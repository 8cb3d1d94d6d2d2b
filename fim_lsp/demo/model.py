"""A very small model: it continues a text as the same text, or a file beside it, went on elsewhere.

Words are predicted from the longest run of words before them that occurs elsewhere (n-grams with back-off,
up to sixteen words). It knows no language and reasons about nothing: where nothing similar stands in what
it was given, it says little or nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from fim_lsp.demo.words import (
    WORD,
    Hole,
    Text,
    indent_change,
    indent_width,
    newline,
    normal,
    sources,
    without_blank_end,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random


_WORDS_AT_MOST: Final = 240
_LINES_AT_MOST: Final = 10
_SURE: Final = 8  # words of agreement from which on the model dares another line
_LINES_CACHED: Final = 20_000
_HOLE: Final = "\0"
_OPENERS: Final = {"(": ")", "[": "]", "{": "}"}
_CLOSERS: Final = {")": "(", "]": "[", "}": "{"}
_FIRST_WORD: Final = re.compile(r"\w+")


class Model:
    """What completes: the prompt it is given, and the source files of `folder` where there is one.

    The folder is read at the first completion, at most 200 files and 600,000 bytes of it; hidden files and
    links are left out.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._beside: Text | None = None
        self._lines: dict[str, tuple[int, list[str]]] = {}

    def complete(
        self,
        prefix: str,
        suffix: str,
        *,
        temperature: float = 0.0,
        top_p: float = 1.0,
        random: Random | None = None,
    ) -> str:
        """Return what may stand between `prefix` and `suffix`; empty where nothing similar is known.

        The answer is the same every time at `temperature` 0 or without `random`.
        """
        hole = Hole(prefix, suffix)
        before = self._words(hole.above, 0)
        if before and hole.line:
            before.append(newline(hole.blanks, hole.width - hole.width_above))
        before += WORD.findall(hole.begun)
        behind = WORD.findall(hole.rest.strip()) + self._words(hole.below, hole.width)
        text = Text([*before, _HOLE, *behind, _HOLE], len(before))
        choose = _chooser(temperature, top_p, random)
        return _Answer(hole, [text, self._learned()], before, choose).text()

    def _learned(self) -> Text:
        if self._beside is None:
            words: list[str] = []
            for text in sources(self._folder) if self._folder else ():
                words += [*self._words(normal(text).split("\n"), 0), _HOLE]
            self._beside = Text(words, len(words))
            for order in (3, 2):
                self._beside.after(("",) * order)  # the index now, not in the middle of an answer
        return self._beside

    def _words(self, lines: Sequence[str], width: int) -> list[str]:
        """Cut whole lines into words; `width` is that of the line before them.

        A line's beginning is a word of its own, which holds how its indentation changed.
        """
        if len(self._lines) > _LINES_CACHED:
            self._lines.clear()
        words: list[str] = []
        blanks = 0
        for line in lines:
            cut = self._lines.get(line)
            if cut is None:
                cut = self._lines[line] = (indent_width(line), WORD.findall(line.strip()))
            if not cut[1]:
                blanks += 1
                continue
            words.append(newline(blanks, cut[0] - width))
            words += cut[1]
            width, blanks = cut[0], 0
        return words


class _Candidate(NamedTuple):
    word: str
    weight: float
    agreement: int


class _Answer:
    """One completion, grown word by word."""

    def __init__(
        self,
        hole: Hole,
        texts: Sequence[Text],
        context: list[str],
        choose: Callable[[list[_Candidate]], _Candidate],
    ) -> None:
        self._hole = hole
        self._texts = texts
        self._context = list(context)
        self._choose = choose
        self._rest = WORD.findall(hole.rest.strip())
        self._said: list[str] = []  # pieces of the answer, as text
        self._runs: set[tuple[str, ...]] = set()
        self._width = self._base = hole.width
        self._lines = [line.strip() for line in without_blank_end(hole.above)[-3:]]
        self._vague_words = 0  # the last so many words had less than two words of agreement
        self._above = len(self._lines)
        self._line = hole.line
        self._line_starts = 0  # where in what was said the present line begins

    def text(self) -> str:
        """Say all of it."""
        hole = self._hole
        tail = _FIRST_WORD.match(hole.rest)
        if tail:
            return self._middle_of_word(hole.partial, tail[0])
        if hole.partial:
            self._finish_word(hole.partial)
        elif not hole.line and self._context:
            self._indent()
        for _ in range(_WORDS_AT_MOST):
            candidates = self._candidates()
            chosen = self._choose(candidates) if candidates else None
            later_line = len(self._lines) > self._above
            if later_line and (chosen is None or chosen.agreement < _SURE // 2):
                del self._said[self._line_starts :]  # better a whole line less than half a line more
                break
            if chosen is None or self._vague(chosen):
                self._close_brackets()
                break
            if not self._say(chosen):
                break
        answer = "".join(self._said)
        if not hole.rest.strip():
            answer = self._without_following(answer).rstrip()
        return answer if answer.strip() else ""

    def _vague(self, candidate: _Candidate) -> bool:
        """Whether to stop rather than go on with a word for which little speaks."""
        word = candidate.word
        self._vague_words = self._vague_words + 1 if candidate.agreement < 2 else 0
        if word in _CLOSERS and candidate.agreement < _SURE // 2:
            return bool(self._line.strip()) and not self._open_brackets(self._line)
        if word == "=" and self._said[-1:] == [" "] and candidate.agreement < _SURE:
            if self._open_brackets(self._line):  # an assignment elsewhere, an argument here
                self._said.pop()
                return True
            return False
        return bool(self._said) and (self._vague_words > 3 or (self._vague_words > 0 and word == " "))

    def _finish_word(self, partial: str) -> None:
        candidates = self._candidates(lambda word: word.startswith(partial))
        if not candidates:
            candidates = self._by_count(partial, "")
        word = self._choose(candidates).word if candidates else partial
        self._append(word, word[len(partial) :])
        self._line += word[len(partial) :]

    def _middle_of_word(self, partial: str, tail: str) -> str:
        def accept(word: str) -> bool:
            return word.startswith(partial) and word.endswith(tail) and len(word) >= len(partial + tail)

        if not partial:
            return ""
        candidates = self._candidates(accept) or self._by_count(partial, tail)
        return self._choose(candidates).word[len(partial) : -len(tail)] if candidates else ""

    def _by_count(self, start: str, end: str) -> list[_Candidate]:
        """Weigh the words of that start and end, wherever they stand; those nearby much, `start` itself little."""
        totals: Counter[str] = Counter()
        for text, factor in zip(self._texts, (20, 1), strict=True):
            for word, count in text.counts.items():
                if word.startswith(start) and word.endswith(end) and len(word) >= len(start + end):
                    totals[word] += count * factor * (1 if word == start else 5)
        return [_Candidate(word, float(count), 0) for word, count in totals.items()]

    def _indent(self) -> None:
        """Begin a line: keep the indentation typed so far, or deepen it to one seen in such a place."""
        hole = self._hole

        def accept(word: str) -> bool:
            return word.startswith("\n") and hole.width_above + indent_change(word)[1] >= hole.width

        candidates = self._candidates(accept)
        typed = [c for c in candidates if hole.width_above + indent_change(c.word)[1] == hole.width]
        change = hole.width - hole.width_above
        if hole.width and typed:
            candidates = []
        if candidates:
            change = indent_change(self._choose(candidates).word)[1]
        self._width = self._base = hole.width_above + change
        self._append(
            newline(hole.blanks, change), hole.indentation(self._width)[len(hole.indentation(hole.width)) :]
        )

    def _candidates(self, accept: Callable[[str], bool] | None = None) -> list[_Candidate]:
        context = self._context
        for order in (3, 2, 1):
            if len(context) < order:
                continue
            found = self._weigh(tuple(context[-order:]), 0, context, accept)
            if found:
                return found
        if len(context) > 2 and context[-1][0].isalnum() and accept is None:
            # The last word occurs nowhere else: what followed other words in its place?
            return self._weigh(tuple(context[-3:-1]), 1, context[:-1], None)
        return []

    def _weigh(
        self, run: tuple[str, ...], skip: int, context: list[str], accept: Callable[[str], bool] | None
    ) -> list[_Candidate]:
        weights: dict[str, float] = {}
        agreements: dict[str, int] = {}
        # One word of agreement with another file says nothing.
        for text, factor in zip(self._texts, (2.0, 1.0 if len(run) > 1 else 0.0), strict=True):
            if not factor:
                break
            for place in text.after(run):
                if place + skip >= len(text.words):
                    continue
                word = text.words[place + skip]
                if word == _HOLE or (skip and text.words[place] == _HOLE) or (accept and not accept(word)):
                    continue
                if self._said and (*self._context[-5:], word) in self._runs:
                    continue
                agreement = text.agreement(place, context)
                near = 1 + 1 / (1 + abs(place - text.centre) / 300)
                weights[word] = weights.get(word, 0.0) + factor * near * 3.0 ** min(agreement, 12)
                agreements[word] = max(agreements.get(word, 0), 0 if skip else agreement)
        return [_Candidate(word, weight, agreements[word]) for word, weight in weights.items()]

    def _say(self, candidate: _Candidate) -> bool:
        """Add a word; False where the answer ends before it."""
        word = candidate.word
        if word.startswith("\n"):
            return self._start_line(word, candidate.agreement)
        if self._rest and word == self._rest[0] and not self._open_brackets("".join(self._said)):
            return False
        self._append(word, word)
        self._line += word
        return True

    def _start_line(self, word: str, agreement: int) -> bool:
        hole = self._hole
        blanks, change = indent_change(word)
        width = max(0, self._width + change)
        line = self._line.strip()
        if hole.rest.strip() or width < self._base or (blanks and width <= self._base and line):
            return False
        if self._said and (line in self._lines or len(self._lines) > self._above + _LINES_AT_MOST):
            return False
        if agreement < _SURE and not line.endswith((":", "{", "(", "[", ",")):
            self._close_brackets()
            return False
        self._lines.append(line)
        self._line = ""
        self._line_starts = len(self._said)
        self._width = width
        self._append(word, hole.line_end * (1 + blanks) + hole.indentation(width))
        return True

    def _append(self, word: str, said: str) -> None:
        self._context.append(word)
        self._said.append(said)
        self._runs.add(tuple(self._context[-6:]))

    def _close_brackets(self) -> None:
        if not self._hole.rest.strip() and any(self._said):
            self._said += [_OPENERS[bracket] for bracket in reversed(self._open_brackets(self._line))]

    @staticmethod
    def _open_brackets(line: str) -> list[str]:
        stack: list[str] = []
        for character in line:
            if character in _OPENERS:
                stack.append(character)
            elif character in _CLOSERS and stack and stack[-1] == _CLOSERS[character]:
                stack.pop()
        return stack

    def _without_following(self, answer: str) -> str:
        """Cut the answer where it starts to repeat the line that already stands below."""
        following = self._hole.following
        lines = answer.split(self._hole.line_end)
        for index, line in enumerate(lines):
            whole = (self._hole.line + line if index == 0 else line).strip()
            if len(following) > 1 and whole == following and (index or not self._hole.line):
                return self._hole.line_end.join(lines[:index])
        return answer


def _chooser(
    temperature: float, top_p: float, random: Random | None
) -> Callable[[list[_Candidate]], _Candidate]:
    def best(candidates: list[_Candidate]) -> _Candidate:
        return max(candidates, key=lambda candidate: candidate.weight)

    def drawn(candidates: list[_Candidate]) -> _Candidate:
        assert random is not None
        ranked = sorted(candidates, key=lambda candidate: -candidate.weight)
        top = ranked[0].weight
        weights = [(candidate.weight / top) ** (2 / temperature) for candidate in ranked]
        left = top_p * sum(weights)
        kept = 0
        while kept < len(weights) and (left > 0 or not kept):
            left -= weights[kept]
            kept += 1
        return random.choices(ranked[:kept], weights[:kept])[0]

    return best if random is None or temperature < 0.01 else drawn
