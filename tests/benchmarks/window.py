"""`fim-lsp replay` with a window of other sizes: what each costs, and, with a model, what it is worth.

usage: window.py NAME=NUMBER ... -- REPOSITORY [arguments of replay]

A name is one of `Window`'s own, such as ARRIVAL, LIVE, LONG, HEADER (characters), FULL, SUFFIX (shares), or NAMED=0 for prompts
that do not name the file.
"""

from __future__ import annotations

import sys

from fim_lsp.commands.main import run
from fim_lsp.context.window import Window


def resized(name: str, value: str) -> None:
    """Change one size of every window that is made from now on.  Raises ValueError for a name that windows do not have."""
    if name == "NAMED":
        if value == "0":
            Window._mark = lambda self, path, room: ""
        return
    if not name.isupper() or not hasattr(Window, name):
        raise ValueError(f"{name} is no size of a window")
    setattr(Window, name, type(getattr(Window, name))(value))


if __name__ == "__main__":
    at = sys.argv.index("--")
    for one in sys.argv[1:at]:
        resized(*one.split("=", 1))
    sys.exit(run(["replay", *sys.argv[at + 1 :]]))
