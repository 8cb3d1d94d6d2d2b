"""`fim-lsp replay` as a function of its words."""

import argparse
from pathlib import Path

from fim_lsp.replay import arguments, command


def run(*words, connect=None, environ=None, config=Path("/none/config.toml")):
    """The exit code; wrong usage ends in argparse's own exit."""
    parser = argparse.ArgumentParser()
    arguments.add_arguments(parser)
    try:
        args = parser.parse_args([str(a) for a in words])
    except SystemExit as ended:
        return ended.code
    return command.run(args, connect=connect, config=config, environ=environ or {})
