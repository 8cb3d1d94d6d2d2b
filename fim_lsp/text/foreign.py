"""Marks by which models tell parts of a prompt or the end of an answer: no text for a document that holds none."""

from __future__ import annotations

import re

# What each of them begins with, or holds.
TELLING = (
    "<|", "<｜", "fim_", "fim-", "fim▁", "<EO", "<PRE>", "<SUF>", "<MID>", "<END>", "[PREFIX", "[SUFFIX", "[MIDDLE",
    "[INST", "[TOOL", "[/", "</", "<s>", "<eos>", "<bos>", "<unk>", "<end", "<start_", "<repo", "<file", "<gh_",
    "<jupyter_", "<extra_id_", "<commit_", "<issue_",
)  # fmt: skip


def first(line: str, *, tags: bool, start: int = 0) -> re.Match[str] | None:
    """The first mark in a line from an offset on; `tags`: where the language has tags, fewer are told from text."""
    if "<" not in line and "[" not in line:
        return None
    found = _MARK.search(line, start)
    while found is not None and tags and _TAG.fullmatch(found[0]):
        found = _MARK.search(line, found.end())
    return found


def begun(line: str) -> int | None:
    """Where a mark begins that the end of the text cuts; None if none does."""
    found = _BEGUN.search(line)
    return found.start() if found else None


def spoken_of(text: str) -> bool:
    """Whether a text speaks of such marks itself: then they are text."""
    return any(mark in text for mark in _SPOKEN)


_MARK = re.compile(
    r"""<\|[a-zA-Z_][\w :\u2581]{1,30}\|> | <｜[^｜<>\n]{2,30}｜>
    | </?fim[_▁-]\w+> | \u2581?<(?:EOT|PRE|SUF|MID|EOM|END)> | \[/?(?:PREFIX|SUFFIX|MIDDLE|INST|TOOL_CALLS)\]
    | </?s>(?=\s*$) | <(?:eos|bos|unk|endoftext|end_of_turn|start_of_turn|end_of_text|repo_name|reponame|file_sep|gh_stars
    | extra_id_\d+ | jupyter_\w+|commit_\w+|issue_\w+|filename)>""",
    re.VERBOSE,
)
_TAG = re.compile(r"</?[A-Za-z]+>")
_BEGUN = re.compile(r"(?:<\|(?:fim|end|eot|im_|file)\w*\|?|<｜[^｜<>\n]*｜?|</?fim_\w*)$")
_SPOKEN = (
    "<|", "<｜", "<fim_", "<fim-", "</fim_", "</fim-", "<EOT>", "<PRE>", "<SUF>", "<MID>", "<EOM>", "[PREFIX]", "[/PREFIX]",
    "[SUFFIX]", "[/SUFFIX]", "[MIDDLE]", "[/MIDDLE]", "[INST]", "[/INST]", "</s>", "endoftext", "file_sep",
)  # fmt: skip
