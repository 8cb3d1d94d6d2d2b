"""A text's indentation made that of the file: its depth, its unit, tabs or spaces."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import gcd
from typing import NamedTuple

from fim_lsp.text.language import CLOSER_OF, CLOSERS
from fim_lsp.text.overlap import opens
from fim_lsp.text.surroundings import TAB, Surroundings, width


class Indent(NamedTuple):
    """What lines are indented with, a level: `tab`, or so many spaces; 0 where that is not known."""

    tab: bool
    size: int


def indented(text: str, extra: int, place: Surroundings, told: Indent | None) -> str:
    """The text as its file indents; its first line stood `extra` columns too far right before it was cut.

    `told` is what the project or the editor says of the file, which counts where its lines show nothing.
    """
    if place.inside or not ("\n " in text or "\n\t" in text or (text[:1] in _SPACE and not place.before)):
        return text
    lines = text.split("\n")
    movable = _movable(text, lines, place)
    moved = _left(lines, movable, extra, place)
    levels = _levels(place, told)
    if levels is not None and movable:
        moved = _levelled(moved, movable, place, levels)
    return text if moved is lines else "\n".join(moved)


def _movable(text: str, lines: list[str], place: Surroundings) -> list[int]:
    """The lines that may move: those that hold something, and do not begin in a string."""
    spans = place.language.spans
    # The first line's indentation is the cursor's, but at a line's beginning.
    first = int(place.before != "")
    whole = [n for n, line in enumerate(lines) if n >= first and line and not line.isspace()]
    if not any(span.long and span.what == "string" and span.opening in text for span in spans.values()):
        return whole
    held = set()
    inside = ""
    for number, line in enumerate(lines):
        if inside and spans[inside].what == "string":
            held.add(number)
        inside = place.language.marks(line + "\n", inside)[1]
        if inside and not spans[inside].long:
            inside = ""
    return [number for number in whole if number not in held]


def _left(lines: list[str], movable: list[int], extra: int, place: Surroundings) -> list[str]:
    """The lines moved left by what the first one had too much, if they have it too."""
    if not movable:
        return lines
    movable = movable[1:] if movable[0] == 0 else movable
    if not movable:
        return lines
    first, base, second = lines[0], place.indent, lines[movable[0]]
    if not place.blank and not first.strip():
        # The first line of a block under the cursor's: one that stands between two levels has too much.
        unit = _unit(place)
        over = width(second) - base - unit
        extra = over if unit and opens(place.before) and 0 < over < unit else 0
        base += unit
    elif place.blank and extra in {0, base} and _ended(first, place) and second.lstrip()[:1].isalpha():
        base = width(place.before + first)
        extra = width(second) - base  # nothing stands deeper than a statement that has ended
    if extra <= 0 or any(width(lines[number]) < base + extra for number in movable):
        return lines
    if place.blank and extra != width(second) - base and not _too_far(first, second, extra, place):
        return lines
    moved = set(movable)
    return [_shifted(line, extra) if number in moved else line for number, line in enumerate(lines)]


def _ended(first: str, place: Surroundings) -> bool:
    """Whether a first line is a whole statement, which no deeper line goes on with."""
    code = first.rstrip()
    if code.endswith((";", "}")):
        return True
    found, inside = place.language.marks(code)
    depth = sum(1 if mark.sign in CLOSER_OF else -1 for mark in found if mark.sign in "()[]{}")
    return (
        place.language.offside
        and not depth
        and not inside
        and code[-1:] not in {"\\", ",", ":"}
        and not opens(code)
    )


def _too_far(first: str, second: str, extra: int, place: Surroundings) -> bool:
    """Whether a second line, too, has what the first one had too much."""
    deeper = width(second) - place.indent
    if not opens(first):
        return deeper == extra or extra != place.indent
    unit = _unit(place) or (2 if extra == 2 else 4)
    return deeper == extra + unit or (deeper > extra and bool(deeper % unit) and not (deeper - extra) % unit)


def _shifted(line: str, columns: int) -> str:
    """A line moved left."""
    lead, rest = _lead(line), line.lstrip(" \t")
    if lead.endswith(" " * columns):
        return lead[:-columns] + rest
    wide = width(lead) - columns
    return "\t" * (wide // TAB) + " " * (wide % TAB) + rest


def _levels(place: Surroundings, told: Indent | None) -> Indent | None:
    """How the file indents: by its own lines, the cursor's first; then by what is told of it; None if nothing is known."""
    own = _lead(place.before)
    around = [_lead(line) for line in (*reversed(place.above), *place.below) if _tells(line)]
    if place.language.tabs and own[:1] != " ":
        return Indent(tab=True, size=TAB)
    if place.language.tabs is False and own[:1] != "\t":
        return Indent(tab=False, size=_unit(place) or (told.size if told and not told.tab else 2))
    tabs = {lead[0] for lead in around}
    if own:
        tab = own[0] == "\t"
    elif len(tabs) == 1:
        tab = tabs == {"\t"}
    elif not tabs and told is not None:
        return told
    else:
        return None
    return Indent(tab, TAB if tab else _unit(place) or (told.size if told and not told.tab else 0))


def _tells(line: str) -> bool:
    """Whether a line's indentation is its own, and not that of a comment's star."""
    return line[:1] in {" ", "\t"} and line.strip()[:1] not in {"*", ""}


def _unit(place: Surroundings) -> int:
    """The columns of a level, where all blocks around agree on them; else 0."""
    found = set(_steps((*place.above, place.before + "x" if place.blank else place.before)))
    found |= set(_steps(place.below))
    return found.pop() if len(found) == 1 else 0


def _steps(lines: Sequence[str]) -> list[int]:
    """By how much the first lines of blocks stand deeper than the lines that open them."""
    texts = [line for line in lines if line.strip()]
    return [
        step
        for one, next_ in pairwise(texts)
        if one.rstrip().endswith(_BLOCK) and (step := width(next_) - width(one)) > 0
    ]


def _opens_block(line: str) -> bool:
    return line.rstrip().endswith(_BLOCK)


def _levelled(lines: list[str], movable: list[int], place: Surroundings, levels: Indent) -> list[str]:
    """The lines with the file's levels in place of the text's own."""
    leads = {number: _lead(lines[number]) for number in movable}
    recipes = levels.tab and place.language.keys
    if recipes:
        # In a makefile, lines that go on are aligned as one likes.
        before = [place.before + lines[0], *lines[1:]]
        leads = {number: lead for number, lead in leads.items() if not before[number - 1].endswith("\\")}
    used = set("".join(leads.values()))
    if used == {"\t"} if levels.tab else used == {"\t", " "}:
        return lines
    if not levels.tab and used == {"\t"}:
        return _with(
            lines, {number: lead.replace("\t", " " * (levels.size or TAB)) for number, lead in leads.items()}
        )
    if used != {" "} or not (levels.tab or levels.size):
        return (
            lines if not levels.tab else _with(lines, {n: _as_tabs(lead, TAB) for n, lead in leads.items()})
        )
    head = place.before + lines[0]
    steps = set(_steps([head, *(lines[number] for number in leads)]))
    if not levels.tab and steps == {levels.size}:
        return lines
    unit, base = _told_by(head, [lines[number] for number in leads], steps, levels, recipes=recipes)
    if not unit:
        return lines
    if levels.tab:
        return _with(lines, {number: _as_tabs(lead, unit) for number, lead in leads.items()})
    if unit == levels.size or any((len(lead) - base) % unit or len(lead) < base for lead in leads.values()):
        return lines
    new = {n: " " * (base + (len(lead) - base) // unit * levels.size) for n, lead in leads.items()}
    return _with(lines, new)


def _told_by(
    head: str, lines: list[str], steps: set[int], levels: Indent, *, recipes: bool
) -> tuple[int, int]:
    """The columns of a text's own level, and from where they count: the cursor's line, or the left edge.  0: unknown."""
    own = width(head)
    deep = [width(line) for line in lines if _lead(line)]
    if not deep:
        return 0, 0
    # What begins with a closer stands as deep as what it closes.
    level = (
        own // levels.size + (_opens_block(head) and lines[0].strip()[0] not in CLOSERS) if levels.size else 0
    )
    if levels.tab:
        # Where the cursor's line has tabs, the text takes them for some spaces each.
        if not level:
            narrow = deep[0] < TAB and not any(wide % deep[0] for wide in deep)
            return deep[0] if recipes or narrow else TAB, 0
        unit = 0 if deep[0] % level else deep[0] // level
        # A line less deep than that level: the first of them stands in a block that the text opens.
        return (gcd(*deep) if min(deep) < unit else unit), 0
    step = next(iter(steps)) if len(steps) == 1 else 0
    if step and all(wide >= own and not (wide - own) % step for wide in deep):
        return step, own
    if (
        level
        and _opens_block(head)
        and not deep[0] % level
        and not any(wide % (deep[0] // level) for wide in deep)
    ):
        return deep[0] // level, 0
    return 0, 0


def _as_tabs(lead: str, unit: int) -> str:
    if "\t" in lead:
        return lead
    tabs, spaces = divmod(len(lead), unit)
    return "\t" * tabs + " " * spaces


def _with(lines: list[str], leads: dict[int, str]) -> list[str]:
    """The lines with other indentations, by their numbers."""
    return [leads[n] + line.lstrip(" \t") if n in leads else line for n, line in enumerate(lines)]


def _lead(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


_BLOCK = ("{", ":", "then", "do")
_SPACE = frozenset((" ", "\t"))
