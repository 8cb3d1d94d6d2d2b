"""From the model's words to text worth inserting: nothing that stands there already, nothing that must be cleaned up."""

from __future__ import annotations

import re
from typing import NamedTuple

from fim_lsp.shape import Shape, comment_of, first_line
from fim_lsp.stop import Ending

_SPECIAL = re.compile(r"<[|｜](?:fim|end|file|im|begin|EOT|endoftext)[^|｜>]{0,40}[|｜]>|</s>")
_FENCE = re.compile(r"\A\s*```[\w+-]*\n(.*?)(?:\n```.*)?\Z", re.DOTALL)
_OVERLAP = 400  # characters of an answer's end that may repeat what follows


class Insertion(NamedTuple):
    """Text for the cursor, "" for nothing; `covers` characters right of the cursor on its line are replaced by it."""

    text: str
    covers: int


def tidy(text: str, prefix: str, suffix: str, language: str, shape: Shape, line_end: str = "\n") -> Insertion:
    """What of an answer is worth inserting between `prefix` and `suffix`, with the document's own line ends."""
    if special := _SPECIAL.search(text):
        text = text[: special.start()]
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    prefix = prefix[-2000:].replace("\r\n", "\n").replace("\r", "\n")
    suffix = suffix.replace("\r\n", "\n").replace("\r", "\n")
    if language != "markdown" and "```" not in prefix and (fenced := _FENCE.match(text)):
        text = fenced[1]
    text = _without_start(text, prefix.rpartition("\n")[2], suffix)
    text = _ended(text, prefix, suffix, language, shape)
    text = _without_end(text, suffix)
    text = _without_bare_comment(text, comment_of(language))
    rest = first_line(suffix)
    if not rest.strip() or rest[:1].isspace():
        text = text.rstrip()
    if text and "\ud800" <= text[-1] <= "\udfff":
        text = text[:-1]
    if not text.strip():
        return Insertion("", 0)
    text = re.sub(r"[ \t]+(?=\n)", "", text)
    return Insertion(text if line_end == "\n" else text.replace("\n", line_end), 0)


def _without_start(text: str, before: str, suffix: str) -> str:
    """Without a beginning that the line has already: its indentation, a space, or all of it."""
    if not before.strip():
        bare = text.lstrip("\n")
        if (bare != text and first_line(suffix).strip()) or (before and bare != text):
            text = bare
        if before and text.startswith(before):
            return text[len(before) :]
        return text
    if before.endswith((" ", "\t")) and text[:1] == " ":
        return text.lstrip(" ")
    line = before.strip()
    if len(line) >= 6 and text.lstrip().startswith(line):
        return text.lstrip()[len(line) :]
    return text


def _ended(text: str, prefix: str, suffix: str, language: str, shape: Shape) -> str:
    ending = Ending(prefix, suffix, language, shape)
    if not ending.feed(text):
        ending.finish()
    return ending.text


def _without_end(text: str, suffix: str) -> str:
    """Without an end that repeats what follows the cursor: to the byte, or line by line but for white space."""
    rest = first_line(suffix).strip()
    if rest and "\n" not in text:
        bare = text.rstrip()
        if bare.endswith(rest) and (len(rest) > 1 or rest not in ")]}>\"'`" or not _needs(bare, rest)):
            return bare[: -len(rest)]
    for size in range(min(len(text), len(suffix), _OVERLAP), 7, -1):
        if text.endswith(suffix[:size]) and suffix[:size].strip():
            return text[:-size]
    following = [line.strip() for line in suffix.split("\n")[1:] if line.strip()]
    lines = text.split("\n")
    for size in range(min(len(lines) - 1, len(following)), 0, -1):
        tail = [line.strip() for line in lines[-size:]]
        if tail == following[:size] and any(len(line) > 2 for line in tail):
            return "\n".join(lines[:-size])
    return text


def _needs(text: str, closer: str) -> bool:
    """Whether a text opens what its last character closes."""
    opener = {")": "(", "]": "[", "}": "{", ">": "<"}.get(closer, closer)
    if opener == closer:
        return text.count(closer) % 2 == 0
    return text.count(opener) >= text.count(closer)


def _without_bare_comment(text: str, comment: str) -> str:
    head, line_break, last = text.rpartition("\n")
    return head if line_break and last.strip() == comment else text
