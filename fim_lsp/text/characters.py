r"""Which characters an answer may bring into a document, and how others are shown to a person.

A *stranger* is what an eye does not see or a terminal obeys: controls, formats (among them those that turn the reading
direction), halves of characters, private and unassigned ones, separators of lines, blanks that are no spaces, letters
without ink, tags and selectors of variants; also more marks on one letter than any script has, and so many blanks that
what follows them is out of sight.  What the document itself holds is no stranger there: joiners in Persian text, the
signs of an icon font, a table with wide gaps.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

MARKS = 4  # on one letter (UTS #39, 5.4: "more than 4 nonspacing marks")
COLUMNS = 100  # blank ones in one line, before text
BLANK_LINES = 8  # in a row
TAB = 4  # columns
_REACH = 8  # characters before a piece that what begins it can hang on
_FAR = 1_000  # blanks before a piece, likewise

Holds = Callable[[str], bool]


class Strangers:
    """Reads a text piece by piece and finds its first stranger; `holds` says whether the document holds a text."""

    def __init__(self, holds: Holds) -> None:
        self._holds = holds
        self._tail = ""  # what was read last, as far as the next piece can hang on it
        self._open = 0  # characters at its end about which the next piece may have the last word
        self._begun = False

    def first(self, piece: str) -> int | None:
        r"""Where the text has to end, counted from the piece's beginning, and less than 0 where that lies before it.

        None if it may go on.  Line ends are `\n` in all pieces; a character is never split between two.
        """
        skipped = 0
        if not self._begun:
            bare = piece.lstrip(LEADING)
            skipped, piece, self._begun = len(piece) - len(bare), bare, bool(bare)
        known, look = len(self._tail), self._tail + piece
        for found in () if _plain(look) else _LOOKED_AT.finditer(look, known - self._open):
            start = self._stranger(look, found)
            if start is not None:
                return start - known + skipped
        blanks = len(look) - len(look.rstrip(" \t\n"))
        self._tail = look[-min(max(blanks, _REACH), _FAR) :]
        self._open = min(max(blanks, 1), len(self._tail))
        return None

    def close(self) -> int:
        """How many characters at the end only make sense with what would have followed: a joiner, half a keycap."""
        end = len(self._tail)
        while _UNFINISHED.search(self._tail, 0, end) and not self._holds(self._tail[end - 1]):
            end -= 1
        return len(self._tail) - end

    def _stranger(self, look: str, found: re.Match[str]) -> int | None:
        """Where a text has to end because of what was found in it; None if that is no stranger."""
        at, sign = found.start(), found[0]
        if len(sign) > 1:
            wide = sign.count("\n") > BLANK_LINES or (
                "\n" not in sign and len(sign.expandtabs(TAB)) > COLUMNS
            )
            return at if wide and not self._holds(sign) else None
        if _is_mark(sign):
            while at and _is_mark(look[at - 1]):
                at -= 1
            if found.end() - at > MARKS and not self._holds(look[at : found.end()]):
                return at
        if not hidden(sign) or _in_emoji(look, found.start()) or self._holds(sign):
            return None
        return found.start()


def without_strangers(text: str, holds: Holds) -> str:
    r"""A text up to its first stranger, its line ends as `\n`; marks of byte order at its beginning are left out."""
    text = text.lstrip(LEADING)
    if _plain(text) or not _LOOKED_AT.search(text):
        return text
    strangers = Strangers(holds)
    end = strangers.first(text)
    return text[:end] if end is not None else text[: len(text) - strangers.close()]


def _plain(text: str) -> bool:
    """Whether a text holds nothing that is looked at, told at once and not sign by sign."""
    if not text.isascii():
        return False
    spaced = text.expandtabs(1)
    return (
        spaced.replace("\n", "").isprintable()
        and _WIDE not in spaced
        and _DEEP not in spaced.replace(" ", "")
    )


def hidden(sign: str) -> bool:
    r"""Whether a character is not to be seen, or is no character of a text; spaces, `\n` and `\t` are."""
    return (
        sign not in "\n\t"
        and (not sign.isprintable() or _INKLESS.match(sign) is not None)
        and not _is_new(sign)
    )


def visible(text: str, kept: str = "", most: int | None = None) -> str:
    r"""A text for a terminal or a message, hidden characters as `\x1b`, `\u202e`, `\U000e0041`, but for those `kept`.

    It is cut, with an ellipsis, at so many characters as are the `most`.
    """
    if most is not None and len(text) > most:
        text = text[: most - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        sign if sign in kept or not (sign in "\n\t" or hidden(sign)) or _in_emoji(text, at) else _named(sign)
        for at, sign in enumerate(text)
    )


def as_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON that a person can read in a terminal: letters as they are, hidden characters by their numbers."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(_numbered(sign) if hidden(sign) else sign for sign in text)


def _numbered(sign: str) -> str:
    """A character as JSON writes one by its number."""
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _named(sign: str) -> str:
    number = ord(sign)
    return (
        f"\\x{number:02x}"
        if number < 0x100
        else f"\\u{number:04x}"
        if number < 0x10000
        else f"\\U{number:08x}"
    )


def _in_emoji(text: str, at: int) -> bool:
    """Whether a selector or joiner only gives an emoji its shape, which hides nothing: ❤️, 1️⃣, 👩‍🔬.

    One that text could follow unseen, as a joiner at the end, is allowed while nothing follows it.
    """
    before = text[at - 1] if at else ""
    after = text[at + 1] if at + 1 < len(text) else ""
    if text[at] == _SELECTOR:
        return _is_emoji(before) or (before != "" and before in _KEYS and after in {"", _KEYCAP})
    if text[at] == _JOINER:
        return (_is_emoji(before) or before == _SELECTOR) and (not after or _is_emoji(after))
    return False


def _is_emoji(sign: str) -> bool:
    """Whether a character is one that emoji begin or go on with (by category: Python knows no property of emoji)."""
    if not sign or "\u2800" <= sign <= "\u28ff":
        return False
    return (
        unicodedata.category(sign) == "So"
        or sign in _OTHER_EMOJI
        or _SKIN[0] <= sign <= _SKIN[1]
        or _is_new(sign)
    )


def _is_new(sign: str) -> bool:
    """Whether a character stands among the emoji, though this Python's table is older than it (UTS #51, 1.4.6)."""
    return "\U0001f000" <= sign <= "\U0001faff" and unicodedata.category(sign) == "Cn"


def _is_mark(sign: str) -> bool:
    return unicodedata.combining(sign) != 0 or unicodedata.category(sign) in {"Mn", "Me"}


LEADING = "\ufeff\u200b"  # with which some streams begin
_JOINER, _SELECTOR, _KEYCAP, _KEYS = "\u200d", "\ufe0f", "\u20e3", "0123456789#*"
_SKIN = "\U0001f3fb\U0001f3ff"
_OTHER_EMOJI = "‼⁉ℹ↔⤴⤵〰"
_UNFINISHED = re.compile(rf"(?:{_JOINER}|[{_KEYS}]{_SELECTOR})\Z")
_WIDE, _DEEP = " " * (COLUMNS // TAB + 1), "\n" * (BLANK_LINES + 1)
_LOOKED_AT = re.compile(rf"[^\n\t -~]|[ \t]{{{COLUMNS // TAB + 1},}}|\n(?:[ \t]*\n){{{BLANK_LINES},}}")
# Printable to Python, and without ink: joiners and fillers (Default_Ignorable_Code_Point), selectors, blank signs.
_INKLESS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffc"
    "\U00013441\U00013442\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
