"""What an answer says once more of what stands before the cursor on its line."""

from __future__ import annotations

import re

from fim_lsp.text.language import Language
from fim_lsp.text.surroundings import Surroundings, width

LONGEST = 80  # characters that are compared
WORD = 3  # letters of a word that is begun again
PHRASE = 4  # letters of two words or more, in prose
CODE_PHRASE = 6  # the same in code
UNSPACED = 2  # letters of scripts that put no spaces between words


def repeated(place: Surroundings, line: str, *, shed: bool) -> int:
    """How many characters a first line begins with that stand before the cursor already."""
    before = place.before
    space = len(line) - len(line.lstrip(" \t"))
    if space == len(line):
        return 0
    if not before:
        return space if space and _ended(place, line) else 0
    if place.blank:
        return len(before) if shed and line.startswith(before) else _indented(place, line, space)
    if size := _lead(place, line, space) or _again(place, line):
        return size
    said = before.strip()
    if len(said) > 1 and line.startswith(said, space) and _WORDS.search(said):
        end = space + len(said)
        return end + (line[end : end + 1] == " " and before[-1] == " ")
    # More than one space is alignment.
    return 1 if space == 1 and before[-1] in " \t" else 0


def _lead(place: Surroundings, line: str, space: int) -> int:
    """The same for the mark just typed: of a comment, a list, a variable."""
    bare = place.before.rstrip()
    for lead in (*_longer(bare), *place.language.leads):
        if not bare.endswith(lead) or not line.startswith(lead, space):
            continue
        front, end = bare[: -len(lead)], space + len(lead)
        more = line[end : end + 1]
        if lead in place.language.openings or (lead == "#" and place.language.prose):
            run = _run(bare, line[space:], lead)
            front, end = bare[:-run], space + run
            fits = _comments(place, front) or not front.strip()
        elif lead in _VARIABLES:
            fits = more.isalpha() or more in {"_", "{"}
        elif lead in _LISTED or lead[-1] in "].)":
            fits = not front.strip() and more in {"", " ", "\t"}
        else:
            fits = not front.strip() or place.language.tags
        if fits:
            return end + (line[end : end + 1] == " " and place.before[-1:] == " ")
    # A line of a comment that began above.
    if place.inside and line[space : space + 2] == "* " and not bare.rstrip("*").strip() and bare:
        return space + 1 + (place.before[-1:] == " ")
    return 0


def _run(bare: str, line: str, lead: str) -> int:
    """How long the mark is on both sides: longer ones repeat their sign, as `///` and `;;` do."""
    size = len(lead)
    while (
        len(set(lead)) == 1 and bare.endswith(lead[0] * (size + 1)) and line.startswith(lead[0] * (size + 1))
    ):
        size += 1
    return size


def _comments(place: Surroundings, front: str) -> bool:
    """Whether the mark just typed begins a comment, behind code or not."""
    return place.inside != "" and place.language.spans[place.inside].what == "comment" and front[-1:] in " \t"


def _ended(place: Surroundings, line: str) -> bool:
    """Whether the line above has ended its statement, so that one at the left edge is no deeper."""
    above = next((line for line in reversed(place.above) if line.strip()), "").rstrip()
    if (
        not above
        or above[0].isspace()
        or place.open
        or opens(above)
        or not _wordy(line.lstrip()[0], place.language)
    ):
        return False
    return above.endswith((";", "}")) or (place.language.offside and not above.endswith(("\\", ",")))


def _longer(bare: str) -> list[str]:
    """The marks that are longer than those of the language, or not the same in each entry of a list: its number, its box."""
    if bare.endswith("/**"):
        return ["/**"]
    found = _ENTRY.fullmatch(bare)
    return [found[1]] if found else []


def _again(place: Surroundings, line: str) -> int:
    """The same for a word, a name or some words."""
    before, tongue = place.before, place.language
    prose = tongue.prose or place.inside != ""
    for size in range(min(len(before), len(line), LONGEST), 0, -1):
        part = line[:size]
        if before.endswith(part) and _tells(before[:-size], part, line[size:], tongue, prose=prose):
            return size
    return 0


def _tells(front: str, part: str, more: str, tongue: Language, *, prose: bool) -> bool:
    """Whether a part that stands on both sides of the cursor stands there by mistake."""
    letters = sum(map(str.isalpha, part))
    if not letters or part[0].isspace():
        return False
    if _UNSPACED.search(part):
        return len(_UNSPACED.findall(part)) >= UNSPACED
    if front and _wordy(front[-1], tongue) and _wordy(part[0], tongue):
        return False
    goes_on = bool(more) and _wordy(more[0], tongue)
    if _CHAIN.fullmatch(part) and (letters >= WORD or goes_on):
        return True
    if _WORD.fullmatch(part) or (tongue.word and all(_wordy(sign, tongue) or sign in ".#" for sign in part)):
        if letters == WORD - 1:
            return _begun(part, more, tongue) or (prose and more[:1] == " " and part.islower())
        return letters >= WORD - (goes_on and not part[0].isalpha())
    words = _WORDS_OF.findall(part)
    if len(words) == 1:
        return part.rstrip() == words[0] and letters >= WORD and not prose
    return (
        not part.strip(words[-1])[-1:].isdigit()
        and _PHRASE.fullmatch(part) is not None
        and letters >= (PHRASE if prose else CODE_PHRASE)
    )


def _begun(part: str, more: str, tongue: Language) -> bool:
    """Whether a word goes on so far behind its first two letters that it is told from one that begins with these twice."""
    return not part[0].isalpha() or (
        len(more) >= WORD and all(_wordy(sign, tongue) for sign in more[:WORD]) and not more.startswith(part)
    )


def _wordy(sign: str, tongue: Language) -> bool:
    return sign.isalnum() or sign == "_" or sign in tongue.word


def _indented(place: Surroundings, line: str, space: int) -> int:
    """How much of a first line's indentation is in front of the cursor already."""
    above = next((line for line in reversed(place.above) if line.strip()), "")
    if not space:
        return 0
    least = width(above) + opens(above)
    if place.indent >= least:
        return space
    return len(place.before) if width(line) >= least and line.startswith(place.before) else 0


def opens(line: str) -> bool:
    """Whether a line opens a block, or something that its next line is in."""
    return line.rstrip().endswith(("{", "(", "[", ":", ">", "do", "then"))


_WORDS = re.compile(r"\w\s|\s\w|=|^\w+$")
_WORD = re.compile(r"[@$#]?[^\W\d]\w*")
_WORDS_OF = re.compile(r"\w+")
_PHRASE = re.compile(r"[^\W\d][\w'-]*(?:[.,;:!?]?[ \t]+[\w'-]+)+[ \t]?")
_CHAIN = re.compile(r"[@$]?[^\W\d]\w*(?:(?:\.|::|->|\?\.|/(?=\w))\w*)+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_ENTRY = re.compile(r"\s*(\d+[.)]|[-*+] \[[ xX]\])")
_VARIABLES = frozenset(("$", "${", "@", "%"))
_LISTED = frozenset(("-", "*", "+", ">", ">>>", "|", "•"))
