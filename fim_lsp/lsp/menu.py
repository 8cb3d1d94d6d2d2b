r"""The form in which an editor's menu inserts a whole text: editors differ, and some take its first line only.

Neovim 0.12 inserts the first line of a plain text and all of a snippet, to whose lines it adds the indentation of the
current one; Neovim 0.10 offers no snippets and garbles line breaks, as Vim does with vim-lsp (each observed in the real
program).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from fim_lsp.text.document import body, split_lines


class Client(NamedTuple):
    """What the form depends on: the editor's name and whether its menu takes snippets."""

    name: str
    snippets: bool


def takes_late_entries(client: Client) -> bool:
    """Whether an answer may be held until there is text: the menu opens without it, and takes it in when it comes.

    Helix 25.07 does; other menus wait for the slowest server.  It cancels what it has asked with the next key.
    """
    return client.name == "helix"


def ends_its_wait_with_a_key(client: Client) -> bool:
    """Whether an answer may be held until there is text: whoever asked waits for it, and any key ends that at once.

    Eglot 1.17 does, for completion at point.  It tells nobody that it has stopped waiting.
    """
    return client.name == "Eglot"


def lines(text: str, client: Client) -> str:
    r"""A text as ghost text: Neovim splits it at `\n` alone, and puts the file's own line ends there when it saves."""
    return text.replace("\r\n", "\n") if client.name.startswith("Neovim") else text


def form(text: str, line: str, client: Client) -> tuple[Literal["plain", "snippet"], str]:
    """The form for a text that is to stand on a line, and the text in that form."""
    first, *more = split_lines(text)
    if not more or not client.name.startswith(("Neovim", "vim-lsp")):
        return "plain", text
    if not client.snippets or client.name == "vim-lsp":
        return "plain", body(first)
    indentation = line[: len(line) - len(line.lstrip(" \t"))]
    kept = [first]
    for one in more:
        bare = one.removeprefix(indentation)
        if body(one).strip() and bare == one and indentation:
            # The editor would indent a line that stands further left.
            kept[-1] = body(kept[-1])
            break
        kept.append(bare)
    return "snippet", re.sub(r"[\\$}]", lambda sign: "\\" + sign[0], "".join(kept).replace("\r\n", "\n"))
