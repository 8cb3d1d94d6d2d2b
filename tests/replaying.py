"""`fim-lsp replay` as a function of its words."""

import argparse
from pathlib import Path

from fim_lsp.commands import replay, replay_arguments


def run(*words, connect=None, environ=None, config=Path("/none/config.toml")):
    """The exit code; wrong usage ends in argparse's own exit."""
    parser = argparse.ArgumentParser()
    replay_arguments.add_arguments(parser)
    try:
        args = parser.parse_args([str(a) for a in words])
    except SystemExit as ended:
        return ended.code
    return replay.run(args, connect=connect, config=config, environ=environ or {})
