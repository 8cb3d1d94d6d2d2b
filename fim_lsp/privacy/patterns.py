"""The patterns of secrets, from dated data, and what a string drawn at random looks like."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, NamedTuple


def drawn(text: str) -> bool:
    """Whether a string looks drawn at random, of letters alone too."""
    return random(text) or _scrambled(text)


def of_three_kinds(text: str) -> bool:
    """Whether a string has digits, and letters of both cases."""
    return any(map(str.isdigit, text)) and not text.islower() and not text.isupper()


def pathlike(text: str) -> bool:
    """Whether a value is a path or several words: none of its parts is of letters of both cases and digits."""
    return ("/" in text or "\\" in text) and not any(
        len(part) > 5 and _mixed(part) and of_three_kinds(part) for part in _SLASH.split(text)
    )


def placeholder(text: str) -> bool:
    """Whether a value stands where a secret would, and is none."""
    low, data = text.lower(), patterns()
    return any(word in low for word in data.placeholder_words) or data.placeholder.search(text) is not None


def _scrambled(text: str) -> bool:
    """Whether letters look drawn at random: both cases mixed as in no name, or consonants as in no word."""
    if not text.isascii() or not text.isalpha() or len(text) < 12 or _CAMEL.fullmatch(text):
        return False
    big = sum(map(str.isupper, text)) / len(text)
    low = text.lower()
    vowels = sum(low.count(vowel) for vowel in "aeiou") / len(low)
    if 0.15 < big < 0.85:
        turns = sum(a.isupper() != b.isupper() for a, b in pairwise(text)) / len(text)
        return turns > (0.25 if vowels < 0.31 else 0.45) and len(set(text)) > 0.4 * len(text)
    return big in (0, 1) and vowels < 0.27 and len(set(low)) > 9 and _CONSONANTS.search(low) is not None


class _Kind(NamedTuple):
    markers: tuple[str, ...]
    pattern: re.Pattern[str]
    replace: Callable[[re.Match[str]], str]


class Data(NamedTuple):
    """Patterns of strings that are secret whatever stands beside them, and of names that say so of a value."""

    placeholder: re.Pattern[str]
    placeholder_words: tuple[str, ...]
    kinds: tuple[_Kind, ...]
    stems: tuple[str, ...]  # what the names begin with
    operator: re.Pattern[str]  # what a value, quoted or bare, is led in by
    quoted: re.Pattern[str]
    more: re.Pattern[str]
    bare: re.Pattern[str]
    flag: re.Pattern[str]
    begun: re.Pattern[str]
    head: re.Pattern[str]
    name: re.Pattern[str]


@cache
def table() -> dict[str, Any]:
    """The data as it stands in the file."""
    return tomllib.loads(resources.files("fim_lsp").joinpath("privacy", "secrets.toml").read_text("utf-8"))


@cache
def patterns() -> Data:
    """The patterns, compiled once."""
    raw = table()
    checks: dict[str | None, Callable[[str], bool]] = {
        None: lambda _: True,
        "mixed": lambda value: _mixed(value) or _scrambled(value),
        "random": random,
        "drawn": drawn,
        "value": lambda value: not placeholder(value),
    }
    kinds = tuple(
        _Kind(tuple(row["marker"]), re.compile(row["pattern"]), _replacing(checks[row.get("check")]))
        for row in raw["strings"]
    )
    names = {kind: re.sub(r"\n\s*", "", raw[kind]) for kind in ("names", "services", "weak")}
    # The name's end, and its type: `secret_key`, `"api-key"]`, `key: Final[str]`, `--api-key", default=`
    name = (
        rf"(?i)(?:(?P<strong>{names['names']})|(?P<service>(?<![a-z]){names['services']})|(?P<weak>(?<![a-z])(?:{names['weak']})(?![a-z])))"
        r"(?P<tail>[\w.\]-]{0,60}+)\\?[\"'`]?[\])]?"
    )
    return Data(
        placeholder=re.compile(raw["placeholders"]),
        placeholder_words=tuple(raw["placeholder_words"]),
        kinds=kinds,
        head=re.compile(name),
        name=re.compile(name + r"(?:\s?:\s{0,3}[^=\"`\n:,]{1,40})?$"),
        begun=re.compile(re.sub(r"\n\s*", "", raw["begun"])),
        stems=tuple(
            sorted(
                {
                    stem[0]
                    for kind in names.values()
                    for name in kind.split("|")
                    if (stem := _STEM.match(name))
                }
            )
        ),
        operator=re.compile(r"\s{0,8}(?:[^\w\s.;)\]}/%&#]|(?<=\s)(?:is|was|or|for|of|value)[\s=])"),
        quoted=re.compile(
            r"(?i)(?:\s?:\s{0,3}[^=\"`\n:,]{1,40}?(?=\s?=))?\s{0,8}"
            r"(?:value\s?=|=>|->|<-|:=|\|\||\?[?:]|=\s?\(\w{0,12}\)\s?=>|[!=]={1,2}|[?+]?=|\(\)\s?(?:=>|\{)|[:,(>]|(?=\{)|(?<=\s)(?:is|or)(?=\s)|(?<=\s))\s{0,8}"
            r"(?:\w{1,12}\s?=\s?|return\s|new\s)?(?:\[\]\w{1,12}\{|(?:[\[({&*@$]\s?){0,3})(?:[\"'`]?[\w-]{1,30}[\"'`]?\s?(?::|=>)\s?)?"
            r"(?:[\w&]{0,8}|[\w:.]{1,30}(?=\())[!(]?\\?(?P<quote>[\"'`]{1,3})(?P<value>[^\s\"'`\\]{2,}+)"
        ),
        more=re.compile(
            r"\\?[\"'`]\s{0,4}(?:(?P<apart>,)|[+.&]?)\s{0,4}(?:[\"'`]?[\w-]{1,30}[\"'`]?\s{0,2}(?::|=>)\s{0,2})?\\?[\"'`]"
            r"(?P<value>[^\s\"'`\\]{4,}+)"
        ),
        bare=re.compile(
            r"(?i)(?:\s(?:for|of)\s[\w.@-]{1,30})?\s{0,8}(?:[!=]={1,2}|:=|\?=|=>|<-|=|:|>|(?<=\s)(?:is|was)\s)\s{0,6}"
            r"(?:(?:basic|bearer|token)\s|base64:)?(?P<value>[\w+/=.~!@#%^*?$-]{12,}+)"
        ),
        flag=re.compile(r"\s{1,3}(?P<value>[\w+/=.~!@#%^*?$-]{8,}+)"),
    )


def _replacing(check: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    def replace(found: re.Match[str]) -> str:
        groups = found.groupdict()
        keep = groups.get("keep") or groups.get("keep_") or ""
        secret = found[0][len(keep) :]
        return keep + "x" * len(secret) if check(secret) and not _DOCUMENTED.search(found[0]) else found[0]

    return replace


def _mixed(text: str) -> bool:
    return any(c.isdigit() for c in text) and any(c.isalpha() for c in text)


def random(text: str) -> bool:
    """Whether a string looks drawn at random: letters and digits mixed within its words, few of them repeated.

    A name in code (`utf_8_decode`, `HTTP2Server`) has its digits apart or alone.
    """
    if not _mixed(text):
        return False
    bits = -sum(n / len(text) * math.log2(n / len(text)) for n in map(text.count, set(text)))
    if bits < 2.7 + min(0.8, len(text) / 60):
        return False
    # Changes between kinds of character within a word: more in a random string than in a name.
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" if c.islower() else "-" for c in text]
    turns = sum(a != b and "-" not in (a, b) and (a, b) != ("u", "l") for a, b in pairwise(kinds))
    return turns >= max(2, len(text) // 10)


LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


_DOCUMENTED = re.compile("EXAMPLE|1234-abcdefgh|T0{8}/|X{8}|x{16}")


_STEM = re.compile("[a-z]+")


_CAMEL = re.compile("[A-Z]?[a-z]+(?:[A-Z][a-z]+)+[A-Z]{0,3}")


_SLASH = re.compile(r"[/\\]")


_CONSONANTS = re.compile("[bcdfghjklmnpqrstvwxz]{5}")


UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
