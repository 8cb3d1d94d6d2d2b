"""An approximate tokenizer: counts and boundaries near the real one's, without its vocabulary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN: Final = (-1, -2)
HOLE: Final = -3
END: Final = -4

# Only a token's own characters and at most one behind it decide where it ends, so equal beginnings of two
# texts are cut alike up to the last token or two.
_TOKEN: Final = re.compile(
    r" ?[A-Z]?[a-z]{1,10}"  # a word's beginning, or a part of a camelCase or snake_case name
    r"| ?_{1,2}[a-z]{0,10}"
    r"| ?[A-Z]{1,4}"
    r"|\d{1,3}"
    r"|[\u0100-\u2dff]{1,2}|[\u2e80-\ud7ff\uf900-\ufaff]{1,2}"  # other alphabets; Chinese, Japanese, Korean
    r"|\n+|[ \t]{1,16}(?=[ \t])|\s"
    r"| ?[^\w\s]{1,3}\n?"
    r"|.",
    re.DOTALL,
)


def tokens(text: str) -> list[int]:
    """Return approximate token ids (unsigned 32 bits, the same in every process) of `text`.

    The number is within about a tenth of the real tokenizer's for source code. Two texts that begin alike
    have ids that begin alike, apart from the last two of the common part.
    """
    return [crc32(piece.encode("utf-8", "surrogatepass")) for piece in _TOKEN.findall(text)]


def rendered(prompt: str, suffix: str) -> Sequence[int]:
    """Return the ids of a whole request, in the order of the model's template.

    The template is begin of text, begin of prompt, prompt, hole, suffix, end; its marks are negative ids.
    """
    return (*BEGIN, *tokens(prompt), HOLE, *tokens(suffix), END)
