"""What the tests of editors share."""

import subprocess

import pytest
from real import Neovims, Scripted, Terminal, program


@pytest.fixture(scope="session")
def bench():
    """The scripted endpoint of all tests."""
    with Scripted() as scripted:
        yield scripted


@pytest.fixture
def scripted(bench):
    """The scripted endpoint, asked nothing yet."""
    bench.reset()
    return bench


@pytest.fixture(scope="module")
def neovims(tmp_path_factory, bench):
    made = Neovims(tmp_path_factory.mktemp("homes"), bench.url)
    yield made
    made.close()


@pytest.fixture
def terminal(tmp_path, bench):
    """Start a program in a terminal."""
    if subprocess.run(["sh", "-c", "command -v tmux"], capture_output=True, check=False).returncode:
        program("TMUX_PROGRAM")
    opened = []

    def begin(env, *command):
        made = Terminal(tmp_path, env, *command)
        opened.append(made)
        return made

    yield begin
    for made in opened:
        made.close()
