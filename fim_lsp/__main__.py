"""The command: without a name it is the server, and loads nothing that the server does not need."""

from __future__ import annotations

import sys


def main() -> int:
    """Run `fim-lsp` with the arguments of the process; the exit code."""
    from fim_lsp.commands import main  # noqa: PLC0415 - `--version` and mistakes in arguments need no more than argparse

    return main.run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
