"""The prompts that other completion plug-ins would send: their published layouts, each a function of text and cursor.

They are built from formulae that were read in the projects' public sources in November 2026.  None keeps state; cross-file
snippets, which some add, are left out, so that only the order and the bounds of the file's own text are compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from fim_lsp.context.window import Prompt

Layout = Callable[[str, int], Prompt]  # (text, offset of the cursor in code points)

CHARACTERS_A_TOKEN = 3.5  # where a layout counts tokens with a tokenizer of its own


def minuet(text: str, cursor: int) -> Prompt:
    """16,000 characters, three quarters of them before the cursor, under two comment lines."""
    before, after, window, most = text[:cursor], text[cursor:], 16_000, 12_000
    if len(text) > window:
        if len(before) < most:
            after = after[: window - len(before)]
        elif len(after) < window - most:
            before = before[len(text) - window :]
        else:
            before, after = before[-most:], after[: window - most]
    return Prompt("# language: plain\n# indentation: use 4 spaces for a tab\n" + before, after)


def llama_vim(text: str, cursor: int) -> Prompt:
    """256 lines above and 64 below the cursor's; a line with nothing but blanks before the cursor is left out."""
    above, line = _lines_before(text, cursor, 256)
    rest, below = _lines_after(text, cursor, 64)
    return Prompt("\n".join([*above, line if line.strip() else ""]), "\n".join([rest, *below, ""]))


def continue_dev(text: str, cursor: int) -> Prompt:
    """1,024 tokens, at most 0.3 of them before and 0.2 after the cursor, under a line that names the file."""
    budget = 1024
    before, used = _within(text[:cursor].split("\n")[::-1], 0.3 * budget)
    after, _ = _within(text[cursor:].split("\n"), min(budget - used, 0.2 * budget))
    return Prompt("\n# folder/file\n" + "\n".join(before[::-1]), "\n".join(after) or "\n")


def cody(text: str, cursor: int) -> Prompt:
    """4,300 characters before the cursor and 716 after it, in whole lines, without the rest of the cursor's line."""
    return _cody(text, cursor, 4300, 716)


def cody_ollama(text: str, cursor: int) -> Prompt:
    """As Cody, with 10,000 and 100 characters: larger in front, since local servers keep a common prefix."""
    return _cody(text, cursor, 10_000, 100)


def tabby(text: str, cursor: int) -> Prompt:
    """20 lines up to and 20 from the cursor, without a rest of the cursor's line that is but signs."""
    after = text[cursor:].splitlines(keepends=True)[:20]
    if after and not any(c.isalnum() or c == "_" for c in after[0]):
        after[0] = "\n" if after[0].endswith("\n") else ""
    return Prompt("".join(text[:cursor].splitlines(keepends=True)[-20:]), "".join(after))


def lsp_ai(text: str, cursor: int) -> Prompt:
    """4,096 characters, half of them before the cursor."""
    start = max(0, cursor - 2048)
    return Prompt(text[start:cursor], text[cursor : cursor + 4096 - (cursor - start)])


def twinny(text: str, cursor: int) -> Prompt:
    """100 lines, 85 of them above the cursor's, fewer where the file ends before, under two comment lines."""
    row, lines = text.count("\n", 0, cursor), text.count("\n") + 1
    above, below = 85, 15
    if above > row:
        above, below = row, below + above - row
    if below > lines - row:
        above, below = above + below - (lines - row), lines - row
    before, line = _lines_before(text, cursor, above)
    rest, after = _lines_after(text, cursor, below - 1)
    return Prompt(
        "\n".join(["", "# Language: plain", "# File uri: file:///file", *before, line]),
        "\n".join([rest, *after, ""]),
    )


def whole_file(text: str, cursor: int) -> Prompt:
    """All that stands before the cursor, and all that stands after it."""
    return Prompt(text[:cursor], text[cursor:])


def naive(text: str, cursor: int) -> Prompt:
    """All that stands before the cursor, and the 400 characters after it: what one writes first."""
    return Prompt(text[:cursor], text[cursor : cursor + 400])


LAYOUTS: Mapping[str, Layout] = {
    "minuet": minuet,
    "llama.vim": llama_vim,
    "Continue": continue_dev,
    "Cody": cody,
    "Cody with Ollama": cody_ollama,
    "tabby": tabby,
    "lsp-ai": lsp_ai,
    "twinny": twinny,
    "whole file": whole_file,
    "naive": naive,
}


def _lines_before(text: str, cursor: int, number: int) -> tuple[list[str], str]:
    """At most `number` lines above the cursor's, and the cursor's up to it."""
    *above, line = text[:cursor].rsplit("\n", number + 1)[-number - 1 :]
    return above, line


def _lines_after(text: str, cursor: int, number: int) -> tuple[str, list[str]]:
    """The cursor's line from it on, and at most `number` lines below."""
    rest, *below = text[cursor:].split("\n", number + 1)[: number + 1]
    return rest, below


def _tokens(line: str) -> int:
    return math.ceil(len(line) / CHARACTERS_A_TOKEN)


def _within(lines: list[str], budget: float) -> tuple[list[str], float]:
    """As many of the first lines as a budget of tokens holds, line ends counted, and the tokens that they take."""
    used = 0
    for number, line in enumerate(lines):
        more = _tokens(line) + (number > 0)
        if used + more > budget:
            return lines[:number], used
        used += more
    return lines, used


def _cody(text: str, cursor: int, most_before: int, most_after: int) -> Prompt:
    before = text[:cursor]
    if cursor > most_before:
        before = "\n".join(_while_short(before.split("\n")[::-1], most_before)[::-1])
    after = "\n".join(_while_short(text[cursor:].split("\n"), most_after))
    end_of_line = after.find("\n")
    return Prompt("\n\n#file\n" + before, after[end_of_line:] if end_of_line >= 0 else "")


def _while_short(lines: list[str], most: int) -> list[str]:
    """The first lines whose lengths, without line ends, come to at most so many characters."""
    for number, line in enumerate(lines):
        most -= len(line)
        if most < 0:
            return lines[:number]
    return lines
