"""Lines that cannot stand where they would, whatever else is typed: those of a text go, with all that comes behind them."""

from __future__ import annotations

import re

from fim_lsp.text.balance import patterns
from fim_lsp.text.language import CLOSER_OF, CLOSERS
from fim_lsp.text.surroundings import Surroundings, width, word


def standing(text: str, place: Surroundings, kind: str) -> str:
    """The longest beginning of a text, in whole lines, of which each can stand; "" where its first one cannot.

    A line cannot if it leaves a string open that ends on its line, begins or ends a statement within a bracket, or closes
    another bracket than the innermost.  `kind` is that of the extent: a line whose body stands below ("head") has to open it.
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
    return "" if head and not _opens(text, place) and _is_to_open(text, place) else text


class _Lines:
    """The lines of a text one after the other, with the brackets that are open at the end of the last."""

    def __init__(self, place: Surroundings) -> None:
        self.inside = ""  # the span that the last one ends in, "" for code
        self._place = place
        self._language = place.language
        self._open = [opening.sign for opening in place.open]
        self._lead = place.before  # what precedes the line
        self._patterns = "esac" in place.language.ends  # of which a bracket is no one's mate

    def take(self, line: str, rest: str | None = None) -> bool:
        """Whether a line can stand; with a `rest`, as the last one, which what the cursor's line still holds goes on with."""
        lead, self._lead = self._lead, ""
        statement = word(line) in self._language.statements and not (lead.strip() or self.inside)
        if self._open and statement:
            return False
        whole = line + (rest or "")
        marks, self.inside = self._language.marks(whole, self.inside)
        own = [mark.sign for mark in marks if mark.at < len(line)]
        if self._stray(whole, last=rest is not None) or not (_pairs(self._open, own) or self._patterns):
            return False
        if (rest or "").strip() or self.inside or not line.rstrip().endswith(";") or _LOOP.match(lead + line):
            return True
        return self._open[-1:] not in (["("], ["["]) or ";" in self._language.openings

    def _stray(self, line: str, *, last: bool) -> bool:
        """Whether a line leaves a string open that ends on its line; the last one may, where it holds a word."""
        span = self._language.spans.get(self.inside)
        if span is None or span.long or span.what != "string":
            return False
        said = line[line.rfind(span.closing) + 1 :]
        return not last or (said != "" and not any(map(str.isalnum, said)))


def _opens(text: str, place: Surroundings) -> bool:
    """Whether a line leaves a bracket open that it has opened."""
    depth = 0
    for sign, _ in place.language.marks(text)[0]:
        depth = depth + 1 if sign in CLOSER_OF else max(0, depth - 1)
    return depth > 0


def _pairs(stack: list[str], signs: list[str]) -> bool:
    """Whether each bracket that closes has the innermost open one for its mate; the stack is brought up to date."""
    for sign in signs:
        if sign in CLOSER_OF:
            stack.append(sign)
        elif sign in CLOSERS and stack and CLOSER_OF[stack.pop()] != sign:
            return False
    return True


def _is_to_open(text: str, place: Surroundings) -> bool:
    """Whether the lines below are a block that a line has to open, and does not."""
    if text.rstrip().endswith("\\"):
        return False
    if place.language.offside:
        return not (place.open or text.rstrip().endswith(":") or text.lstrip().startswith("#"))
    body: list[str] = []
    closer = ""
    for line in place.below:
        if line.strip() and width(line) <= place.indent:
            closer = line
            break
        body.append(line)
    if not closer or width(closer) != place.indent or closer.strip()[0] not in CLOSERS:
        return False
    depth = 0
    for sign, _ in place.language.marks("\n".join(body))[0]:
        depth += 1 if sign in CLOSER_OF else -1
        if depth < 0:
            return False
    return not depth


_LOOP = re.compile(r"\s*for\b")
