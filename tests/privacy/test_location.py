"""The paths that a URI may stand for, on each system: drives, shares, names without limits, names in a locale's encoding."""

import os
from urllib.parse import quote

import pytest

from fim_lsp.privacy import location
from fim_lsp.privacy.exclude import excluded
from fim_lsp.privacy.location import native, path_of, paths

DRIVE = "/c:/Work/p/a.py"
SHARE = "//host/Share/p/a.py"
SPELLED = {
    # As VS Code, Neovim, Emacs, IntelliJ and old tools write a drive.
    "file:///c%3A/Work/p/a.py": DRIVE,
    "file:///C:/Work/p/a.py": DRIVE,
    "file:///c:/Work/p/a.py": DRIVE,
    "file:///C:\\Work\\p\\a.py": DRIVE,
    "file:///C%3A%5CWork%5Cp%5Ca.py": DRIVE,
    "file:///C|/Work/p/a.py": DRIVE,
    "file:/C:/Work/p/a.py": DRIVE,
    "FILE://localhost/C:/Work/p/a.py": DRIVE,
    "vscode-notebook-cell:/c%3A/Work/p/a.py#W0s": DRIVE,
    # Names that Windows opens as the same file.
    "file:///C:/Work/p/a.py.": DRIVE,
    "file:///C:/Work/p/a.py%20": DRIVE,
    "file:///C:/Work/p/a.py:stream": DRIVE,
    "file:///C:/Work/p/a.py::$DATA": DRIVE,
    "file:///C:/Work/./q/../p/a.py": DRIVE,
    # Names without limits, and devices.
    "file:////?/C:/Work/p/a.py": DRIVE,
    "file:///%5C%5C%3F%5CC:%5CWork%5Cp%5Ca.py": DRIVE,
    "file:///%5C%5C.%5CC:%5CWork%5Cp%5Ca.py": DRIVE,
    "\\\\?\\C:\\Work\\p\\a.py": DRIVE,
    "file:///%5C%5C%3F%5CUNC%5Chost%5CShare%5Cp%5Ca.py": SHARE,
    "file:///%5C%5C%3F%5Cunc%5CHOST%5CShare%5Cp%5Ca.py": SHARE,
    # Shares, those of WSL among them.
    "file://host/Share/p/a.py": SHARE,
    "file://HOST/Share/p/a.py": SHARE,
    "file://host/Share\\p\\a.py": SHARE,
    "file://wsl%24/Ubuntu/home/u/a.py": "//wsl$/Ubuntu/home/u/a.py",
    "file://wsl.localhost/Ubuntu/home/u/a.py": "//wsl.localhost/Ubuntu/home/u/a.py",
}


@pytest.mark.parametrize(("uri", "path"), SPELLED.items(), ids=ascii)
def test_a_file_of_windows_is_known_however_it_is_spelled(uri, path):
    """Its path is among those that the URI may stand for; and a pattern of it keeps the document home."""
    assert path in paths(uri)
    folder = path.rpartition("/")[0]
    assert excluded(paths(uri), [f"{location.bare(folder)}/**"])
    assert excluded(paths(uri), [f"{location.bare(folder)}/**".upper()], fold=True)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///C:/Work/p/a.py", "c:/Work/p/a.py"),
        ("file:///c%3A/Work", "c:/Work"),
        ("file://host/Share/a.py", "//host/Share/a.py"),
        ("file:///home/u/a.py", "/home/u/a.py"),
        ("file:///c:", "c:/"),
        ("untitled:C:/a.py", None),
    ],
)
def test_the_path_of_a_file(uri, path):
    """As it is opened: without a sign before a drive."""
    assert path_of(uri) == path


@pytest.mark.parametrize("name", ["/a/C:b.py", "/?x/a.py", "/./a.py", "/UNC/host/a.py", "/?/UNCLE/x/a.py"])
def test_a_name_that_only_looks_so_is_left(name):
    """On other systems these are names like others."""
    assert os.path.normpath(name) in paths(f"file://{quote(name)}")


@pytest.mark.parametrize("platform", ["win32", "darwin", "linux"])
def test_case_counts_where_it_does(platform):
    """A pattern in capitals names the file on macOS and Windows, and another one elsewhere."""
    fold = platform in {"win32", "darwin"}
    uri = "file:///c:/work/Secret_notes.py"
    assert excluded(paths(uri), ["SECRET_NOTES.PY"], fold=fold) == fold


def test_a_name_is_found_by_its_bytes_and_by_its_characters(tmp_path, monkeypatch):
    """In a locale that is not of UTF-8 editors write either; a name that is not there yet is its bytes."""
    monkeypatch.setattr(location, "_UTF_8", False)
    there = {os.fsdecode("né.py".encode())}
    monkeypatch.setattr(location.os.path, "lexists", lambda path: os.path.basename(path) in there)
    monkeypatch.setattr(location.os, "fsdecode", lambda data: data.decode("latin-1"))
    by_bytes = "né.py".encode().decode("latin-1")
    assert native("/p/né.py") == "/p/né.py"
    there.clear()
    assert native("/p/né.py") == f"/p/{by_bytes}"
    there.add(by_bytes)
    assert native("/p/né.py") == f"/p/{by_bytes}"
