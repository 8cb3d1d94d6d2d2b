"""Lines that cannot stand where they would, whatever else is typed: those of a text go, with all that comes behind them."""

from __future__ import annotations

import re

from fim_lsp.text.balance import left_open, patterns
from fim_lsp.text.language import CLOSER_OF, CLOSERS
from fim_lsp.text.surroundings import Surroundings, width, word


def standing(text: str, place: Surroundings, kind: str) -> str:
    """The longest beginning of a text, in whole lines, of which each can stand; "" where its first one cannot.

    A line cannot if it leaves a string open that ends on its line, begins or ends a statement within a bracket, closes
    another bracket than the innermost, or is one that its language has not.  `kind` is that of the extent: a line whose body
    stands below ("head") has to open it.
    """
    if place.inside or place.language.prose or not text or patterns(text, place):
        return text
    lines = _Lines(place)
    at = 0
    *whole, last = text.split("\n")
    for line in whole:
        if not lines.take(line):
            return text[: max(0, at - 1)]
        at += len(line) + 1
    if not lines.take(last, rest=place.rest):
        return text[: max(0, at - 1)]
    head = kind == "head" and not (whole or lines.inside or place.blank)
    return "" if head and not _is_head(text, place) else text


class _Lines:
    """The lines of a text one after the other, with the brackets that are open at the end of the last."""

    def __init__(self, place: Surroundings) -> None:
        self.inside = ""  # the span that the last one ends in, "" for code
        self._language = place.language
        self._open = [opening.sign for opening in place.open]
        self._lead = place.before  # what precedes the line
        self._patterns = "esac" in place.language.ends  # of which a bracket is no one's mate

    def take(self, line: str, rest: str | None = None) -> bool:
        """Whether a line can stand; with a `rest`, as the last one, which what the cursor's line still holds goes on with."""
        lead, self._lead = self._lead, ""
        statement = word(line) in self._language.statements and not (lead.strip() or self.inside)
        if (self._open and statement) or (not self.inside and self._language.never.match(lead + line)):
            return False
        whole = line + (rest or "")
        marks, self.inside = self._language.marks(whole, self.inside)
        own = [mark.sign for mark in marks if mark.at < len(line)]
        if self._stray(whole, last=rest is not None) or not (_pairs(self._open, own) or self._patterns):
            return False
        if self.inside or not line.rstrip().endswith(";") or _LOOP.match(lead + line):
            return True
        return self._open[-1:] not in (["("], ["["]) or ";" in self._language.openings

    def _stray(self, line: str, *, last: bool) -> bool:
        """Whether a line leaves a string open that ends on its line; the last one may, where it holds a word."""
        span = self._language.spans.get(self.inside)
        if span is None or span.long or span.what != "string":
            return False
        said = line[line.rfind(span.closing) + 1 :]
        return not last or (said != "" and not any(map(str.isalnum, said)))


def _pairs(stack: list[str], signs: list[str]) -> bool:
    """Whether each bracket that closes has the innermost open one for its mate; the stack is brought up to date."""
    for sign in signs:
        if sign in CLOSER_OF:
            stack.append(sign)
        elif sign in CLOSERS and stack and CLOSER_OF[stack.pop()] != sign:
            return False
    return True


def _is_head(text: str, place: Surroundings) -> bool:
    """Whether a line may stand over the deeper ones below: it opens what they are the body of, where that can be told."""
    left = left_open(place.language.marks(text)[0])
    if text.rstrip().endswith("\\"):
        return True
    if place.language.offside:
        return bool(left or place.open) or text.rstrip().endswith(":") or text.lstrip().startswith("#")
    body: list[str] = []
    closer = ""
    for line in place.below:
        if line.strip() and width(line) <= place.indent:
            closer = line.strip()[0] if width(line) == place.indent else ""
            break
        body.append(line)
    if closer not in CLOSERS or not closer or not _even("\n".join(body), place):
        return True
    return bool(left) and CLOSER_OF[left[-1].sign] == closer


def _even(text: str, place: Surroundings) -> bool:
    """Whether as many brackets close in a text as open, none before one opens."""
    depth = 0
    for sign, _ in place.language.marks(text)[0]:
        depth += 1 if sign in CLOSER_OF else -1
        if depth < 0:
            return False
    return not depth


_LOOP = re.compile(r"\s*for\b")
