"""Keys that take many lines: which lines of a document are of one, and what is left of these.

A private key in armour (RFC 7468, RFC 4880, OpenSSH, PuTTY) or without it, as a file holds it or as strings in code.
What stands in the same armour and is public (a certificate, a request for one, a signature) is told apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

REACH = 65_536  # characters above and below a line, in which the ends of its key are looked for
HEADERS = 6  # lines such as `Proc-Type: 4,ENCRYPTED` between a key's beginning and its body


def bodied(line: str) -> bool:
    """Whether a line looks like one of such a key: a mark of its ends, or nothing but a piece in base64."""
    return _BODIED.match(line) is not None or _LONG.search(line) is not None or _MARK.search(line) is not None


def marked(line: str) -> bool:
    """Whether a key, or what is in the same armour, begins or ends in a line."""
    return _last_mark(line) is not None


def long(text: str) -> bool:
    """Whether a piece of a line may be of a key that is longer."""
    return not any(quote in text for quote in "\"'`") and _LONG.search(text) is not None


def wrapped(line: str) -> bool:
    """Whether a line is as long as those of keys usually are, and holds nothing else."""
    return _WRAPPED.fullmatch(line) is not None


def state(lines: Sequence[str], number: int, body: Callable[[str], bool]) -> bool | None:
    """Whether a private key (True), or something public (False), is under way where a line begins; None if neither.

    `body` is `bodied`, or what is remembered of it.  Time grows with the lines of the key.
    """
    first, room = number, REACH
    while first and room > 0 and body(lines[first - 1]) and not (mark := _last_mark(lines[first - 1])):
        first -= 1
        room -= len(lines[first])
    for above in range(first - 1, max(first - 2 - HEADERS, -1), -1):
        if mark := _last_mark(lines[above]):
            if not _ends(mark):
                return _private(mark)
            break
        if not _HEADER.fullmatch(lines[above]):
            break
    if _PRIVATE.search(lines[first]):
        return True
    if _PUBLIC.search(lines[first]):
        return False
    last, room = number, REACH
    while last < len(lines) - 1 and room > 0 and body(lines[last]) and not _MARK.search(lines[last]):
        room -= len(lines[last])
        last += 1
    # The last line of a key may be so short that it looks like a word.
    for below in range(last, min(last + 2, len(lines))):
        if mark := _MARK.search(lines[below]):
            return _private(mark) if _ends(mark) else None
    return None


def without(line: str, private: bool | None = None) -> tuple[str, bool | None]:
    """A line without what it holds of private keys, and the state behind it; `private` is the state before it.

    The text stays as long as it is; time grows with its length.
    """
    out: list[str] = []
    at = 0
    if private and not _MARK.search(line):
        return (blank(line) if _BODIED.match(line) else _crossed(line)), True
    for mark in _MARK.finditer(line):
        between = line[at : mark.start()]
        if private is None and _ends(mark):
            private = _private(mark)
        out += (_crossed(between) if private else between), mark[0]
        private, at = (None if _ends(mark) else _private(mark)), mark.end()
    out.append(_crossed(line[at:]) if private else line[at:])
    return "".join(out), private


def blank(line: str) -> str:
    """A line of a key with its letters and digits replaced; its quotes and escaped line ends stay."""
    start = _DECOR.match(line).end()  # type: ignore[union-attr]  # it matches the empty text
    return line[:start] + _CHAR.sub("x", line[start:])


def _crossed(text: str) -> str:
    """A part of a line in which a key is under way: what it begins with, and all that is long."""
    found = _BODY.match(text)
    end = found.end() if found else 0
    return _CHAR.sub("x", text[:end]) + _RUN.sub(lambda run: "x" * len(run[0]), text[end:])


def _last_mark(line: str) -> re.Match[str] | None:
    if "----" not in line and "Private-" not in line and "Public-" not in line:
        return None
    return next(reversed(list(_MARK.finditer(line))), None)


def _ends(mark: re.Match[str]) -> bool:
    return (mark["end"] or mark["mac"]) is not None


def _private(mark: re.Match[str]) -> bool:
    return "PRIVATE" in mark[0].upper() or "Static key" in mark[0]


# `-----BEGIN RSA PRIVATE KEY-----`, `---- BEGIN SSH2 PUBLIC KEY ----`, `Private-Lines: 14`
_MARK = re.compile(
    r"-{4,5} ?(?:BEGIN|(?P<end>END)) [A-Za-z0-9 ]{2,50}+-{4,5}|(?:Private|Public)-Lines: \d|(?P<mac>Private-MAC: )"
)
_HEADER = re.compile(r"[\s\"'`+#*/|]*(?:(?:[A-Z][A-Za-z]+(?:-[A-Za-z]+)*: |[\w+/=,.-]+(?:\\[nr])+).*)?\s*")
# Nothing but a piece of a key, in quotes or a comment or not: so long, or not a mere word.
_DECOR = re.compile(r"[\s\"'`+.,;:#*|>(\\-]*+(?:/{2,}\s)?[\s\"'`]*+")
_BODIED = re.compile(
    _DECOR.pattern
    + r"(?=[A-Za-z+/]*+[\d=]|[a-z]*+[A-Z]++[A-Za-z]*[a-z])[A-Za-z0-9+/]{4,}+={0,2}(?:\\+[nr])*+[\"'`\s,;+.)\\|&_*/-]*+\Z"
)
_LONG = re.compile(r"(?<![A-Za-z0-9+/])(?=[a-z0-9+/]{0,40}+[A-Z])(?=[A-Z0-9+/]{0,40}+[a-z])[A-Za-z0-9+/]{40}")
# A line of a key of which nothing else is known: of 64, 70 (OpenSSH) or 76 characters.
_WRAPPED = re.compile(r"[\s\"'`+#*|]*[A-Za-z0-9+/]{64}(?:[A-Za-z0-9+/]{6}){0,2}(?:\\[nr])*[\"'`\s,;+\\]*")
# What a key's lines consist of where several are one line of the text, with their ends escaped or as blanks.
_BODY = re.compile(
    r"(?=[\s\"'`+.,;:#*|\\nr-]*+[A-Za-z+/=]{0,64}[\d+/=])"
    r"(?:[\s\"'`+.,;:#*|\\-]*+(?:\\[nr])*+[A-Za-z0-9+/=]{12,}+)++[\s\"'`\\nr]*+[A-Za-z0-9+/=]{0,76}"
)
_RUN = re.compile(r"(?<![\\A-Za-z0-9+/=])[A-Za-z0-9+/=]{40,}+|(?<=\\[nr])[A-Za-z0-9+/=]{40,}+")
_CHAR = re.compile(r"(?<!\\)[A-Za-z0-9+/=]")
# Without armour, by their first bytes (RFC 5208, RFC 8017, RFC 5915, RFC 8410, OpenSSH's PROTOCOL.key; RFC 5280); a
# picture or an archive, by its own.
_PRIVATE = re.compile(
    r"(?<![A-Za-z0-9+/])(?:MII[A-Za-z0-9+/]{3}IBADANBgkqhkiG9w0BAQEFAASC|MII[A-Za-z0-9+/]{3}IBAAK[BC]"
    r"|MII[A-Za-z0-9+/]{4,6}BgkqhkiG9w0BBQ0|MI(?:GH|G2|Hu)AgEAMBAGByqGSM49|MIGHAgEAMBMGByqGSM49"
    r"|MHcCAQEEI|MIGkAgEBBD|MIHcAgEBBE|MC4CAQAwBQYDK2VwBCIEI|b3BlbnNzaC1rZXktdjE)"
)
_PUBLIC = re.compile(
    r"(?<![A-Za-z0-9+/])(?:MII[A-Za-z0-9+/]{2}[TDjz]CCA|MI(?:GfMA0|IBIjAN|ICIjAN|IEIjAN)Bgkqhki|MFkwEwYHKoZIzj0C"
    r"|MCowBQYDK2Vw|iVBORw0KGgo|/9j/4|R0lGOD|JVBERi0|UEsDB|H4sI|PHN2Z)"
)
