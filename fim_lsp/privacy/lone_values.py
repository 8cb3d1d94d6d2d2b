"""Values on a line of their own, and whether what is above them says that they are secret.

`password:` with its value below, an argument below its call, the `default` of a variable, the items of a list of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from fim_lsp.privacy.patterns import drawn, pathlike, placeholder

ITEMS = 100  # lines above a value that are looked at for what they are items of
SHORTEST, LONGEST = 12, 4_000  # characters of a line
FIELDS = 8  # lines between the name of a thing and the field that is its value


class Lone(NamedTuple):
    """Where in its line a value stands (start, stop), and how it is written there."""

    start: int
    stop: int
    indent: int  # columns
    field: bool  # `default = …`, `value: …`: what it is of may stand several lines above
    quoted: bool


def lone(line: str) -> Lone | None:
    """The value that a line holds and nothing else, if it looks drawn at random."""
    if not SHORTEST < len(line) <= LONGEST:
        return None
    found = _LONE.match(line)
    if found is None:
        return None
    value = found["value"]
    if not drawn(value) or pathlike(value) or placeholder(value) or _DIGEST.match(value):
        return None
    return Lone(
        *found.span("value"), found.end("decor"), found["field"] is not None, found["quote"] is not None
    )


def named(
    lines: Sequence[str],
    number: int,
    value: Lone,
    secret: Callable[[str, int], bool],
    known: Mapping[int, bool],
) -> bool:
    """Whether the lines above a value say that it is secret.

    `secret` tells of a line whether a name that ends at a column says so, `known` what was found of values above.
    Time is bounded: at most 100 lines are looked at, and the end of each.
    """
    for above in range(number - 1, max(number - 1 - (FIELDS if value.field else ITEMS), -1), -1):
        if above in known and not value.field:
            return known[above]
        line = lines[above][-400:].rstrip()
        if not line:
            return False
        if value.field:
            if (found := _THING.search(line)) and secret(line, found.start()):
                return True
            if _NEXT_THING.search(line):
                return False
        elif line[-1] in "=:([{>|+-\\@&" and (found := _OPENS.search(line)):
            indent = _DECOR.match(line).end()  # type: ignore[union-attr]  # it matches the empty text
            return (
                (
                    indent < value.indent
                    or (indent == value.indent and line[-1] == "=")
                    or len(lines[above]) > 400
                )
                and (value.quoted or line[-1] in ":>|-")
                and secret(line, found.start())
            )
        elif not _ITEM.fullmatch(line):
            return False
    return False


_DECOR = re.compile(r"[\s#/*;-]*")
_LONE = re.compile(
    r"(?P<decor>[\s#/*;-]*+)"
    r"(?:(?P<field>[\"']?(?i:default|value)[\"']?\s{0,9}[=:]\s{0,4}|return\s|<string>\s?)"
    r"|(?![\"']?\w{0,20}(?i:integrity|resolved|sha\d*|hash|digest|checksum|version|id|url|path|type|name|file)[\"']?\s?[:=])"
    r"[\"'`]?:?[\w.-]{1,40}[\"'`]?\s{0,9}(?:=>|[:=])\s{0,4}(?=[@\w]{0,2}[\"'`]))?"
    r"(?:[@A-Za-z]{0,2}(?=[\"'`]))?(?P<quote>[\"'`])?(?P<value>(?(quote)[^\s\"'`\\]|[\w+/=.~!@#%^*?$&-]){12,400}+)(?(quote)(?P=quote))"
    r"(?:</string>|\.\w{1,20}\(\))?(?(quote)[\s,;)\]}+.\\]*|(?:\s|</\w{1,40}>|,)*)\Z"
)
_DIGEST = re.compile(r"sha\d{1,3}[-:]")
# What a line ends with whose value stands below: `=`, `= (`, `: str = [`, `: >-`, `(`, `= []string{`, `<password>`.
_OPENS = re.compile(
    r"\s{0,4}(?:=>|->|:=|\?=|<-|[=:(\[{>])(?:\s?(?:[\w.&*]{0,20}(?:\[\w{0,4}\])?\w{0,12}!?[(\[{]|[>|][+-]?|\\|@|&))?\Z"
)
# What follows the name of a thing, a field of which is its value; and a line that speaks of another thing.
_THING = re.compile(r"(?:</key>|\s?[{,]|(?<=[\w\"'])|\((?:self)?\)[^\n]{0,60}[:{])\Z")
_NEXT_THING = re.compile(r"^\s*-\s|\bname\b|[{}]\Z|</?key>|^\s*(?i:default|value|return)\b")
_ITEM = re.compile(
    r"[\s#/*;-]*(?:[\"'`]?:?[\w.-]{1,40}[\"'`]?\s{0,9}(?:=>|[:=])\s{0,4})?[@A-Za-z]{0,2}"
    r"(?:[\"'`][^\"'`]{0,200}[\"'`]|[\w+/=.-]{12,})?\s*[,+;]?"
)
