"""What commands print: lines without hidden characters, wherever their words come from, and sentences on stderr."""

from __future__ import annotations

import os
import sys
from typing import Any

from fim_lsp.text.characters import as_json, visible


def put(text: str, end: str = "\n") -> None:
    r"""Print a text on stdout, with controls and other hidden characters shown as `\x1b`."""
    print(visible(text, kept="\n\t"), end=end, flush=True)


def put_json(value: Any, indent: int | None = None) -> None:
    """Print a value as JSON."""
    print(as_json(value, indent), flush=True)


def say(message: str) -> None:
    """Tell the user something, in one line on stderr."""
    print(f"fim-lsp: {visible(message)}", file=sys.stderr)


def complete_streams() -> None:
    """Give a process without stderr one that leads nowhere: nothing else is to get its number, or what it would say."""
    if sys.stderr is None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process lives
