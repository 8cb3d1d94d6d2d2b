"""Where the user's own files are on each system, and what stands beside the record where files cannot be renamed while open."""

import importlib.util
import sys
import types
from pathlib import Path

import pytest
from platformdirs import macos, unix, windows

from fim_lsp.commands import main
from fim_lsp.usage import underway


@pytest.mark.parametrize(
    ("system", "config", "state"),
    [
        (unix.Unix, "/home/u/.config/fim-lsp", "/home/u/.local/state/fim-lsp"),
        (
            macos.MacOS,
            "/home/u/Library/Application Support/fim-lsp",
            "/home/u/Library/Application Support/fim-lsp",
        ),
        (windows.Windows, "/home/u/AppData/Local/fim-lsp", "/home/u/AppData/Local/fim-lsp"),
    ],
)
def test_folders_of_each_system(monkeypatch, system, config, state):
    """As README says them; no author's name between, and never the folder that roams."""
    monkeypatch.setattr(windows, "get_win_folder", lambda _: "/home/u/AppData/Local")
    monkeypatch.setenv("HOME", "/home/u")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    folders = {"config": "user_config_path", "state": "user_state_path"}
    found = {
        what: main._own(lambda name, what=what, **how: getattr(system(name, **how), folders[what]))
        for what in folders
    }
    assert {what: path.as_posix() for what, path in found.items()} == {"config": config, "state": state}


def test_a_user_without_a_home_has_no_folder():
    """Nor one whose home is relative: it would be a folder of the project that is open."""

    def raises(*_, **__):
        raise RuntimeError

    assert main._own(raises) == main.NOWHERE
    assert main._own(lambda *_, **__: Path("fim-lsp")) == main.NOWHERE
    assert not main.NOWHERE.exists()


def test_requests_under_way_on_windows(tmp_path, monkeypatch):
    """Counted in a file that is locked in place; one of a server that lives is not claimed, one of a dead server is."""
    locked = set()

    def locking(file, mode, size):
        assert (mode, size) == (2, 1)
        assert underway.os.lseek(file, 0, 1) == underway._SIZE  # what is counted stays readable
        number = underway.os.fstat(file).st_ino
        if number in locked:
            raise PermissionError
        locked.add(number)

    msvcrt = types.SimpleNamespace(LK_NBLCK=2, locking=locking)
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    monkeypatch.setattr(sys, "platform", "win32")
    spec = importlib.util.spec_from_file_location("underway_of_windows", underway.__file__)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    one = made.Underway(tmp_path, "one", lambda: 1000.0)
    one.begin()
    assert [path.name for path in tmp_path.iterdir()] == ["underway-one.bin"]
    assert made.alive(tmp_path, "one")
    assert made.claim(tmp_path, 1000.0) == []
    locked.clear()  # its process has ended
    (left,) = made.claim(tmp_path, 1000.0)
    assert (left.requests, left.since) == (1, 1000.0)
    assert list(tmp_path.iterdir()) == []
    assert not made.alive(tmp_path, "one")
    one._cells.close()
    made.os.close(one._file)
