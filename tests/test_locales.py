"""Text is read and written in an encoding that is named: a part of the tests under other locales, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# What reads and writes text, or takes names from the system; cheap, since the rest is the same under every locale.
PART = [
    "tests/commands/test_terminal.py::test_a_completion_is_printed_with_its_controls_shown",
    "tests/commands/test_terminal.py::test_names_of_files_in_messages",
    "tests/lsp/test_encodings.py::test_an_ignore_file_holds_in_its_encoding",
    "tests/lsp/test_encodings.py::test_settings_in_another_encoding_are_not_guessed",
    "tests/privacy/test_excluded.py::test_a_folder_keeps_its_secrets_however_it_is_spelled",
    "tests/replay/test_history.py::test_names_of_any_kind_are_read",
]


def test_no_file_is_opened_in_the_encoding_of_the_locale():
    """The linter's rule for it, which is one of its previews."""
    check = [sys.executable, "-m", "ruff", "check", "--preview", "--select", "PLW1514", "fim_lsp"]
    run = subprocess.run(check, cwd=ROOT, capture_output=True, check=False)
    assert run.returncode == 0, run.stdout.decode()


@pytest.fixture(scope="module")
def chinese(tmp_path_factory):
    """A locale as Chinese systems have it, made for this test: `LOCPATH` is where."""
    folder = tmp_path_factory.mktemp("locales")
    # Its exit code tells of warnings, too; whether it is there, the interpreter says.
    made = ["localedef", "-c", "-i", "zh_CN", "-f", "GBK", str(folder / "zh_CN.GBK")]
    subprocess.run(made, capture_output=True, check=False)
    return {"LC_ALL": "zh_CN.GBK", "LOCPATH": str(folder), "PYTHONUTF8": "0"}


def encoding(environ):
    """In which encoding an interpreter takes names."""
    code = "import sys; print(sys.getfilesystemencoding())"
    return subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, check=True
    ).stdout.strip()


def passes(environ):
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *PART],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout.decode("utf-8", "replace")[-3000:]


@pytest.mark.skipif(sys.platform != "linux", reason="locales as the C library of Linux has them")
def test_under_the_locale_of_nobody():
    """As cron, containers and some desktops start an editor."""
    passes({**os.environ, "LC_ALL": "C"})


@pytest.mark.skipif(not Path("/usr/share/i18n/locales/zh_CN").exists(), reason="needs the sources of locales")
def test_under_a_chinese_locale(chinese):
    """With Python's UTF-8 mode switched off, as by who needs it so for another program."""
    environ = {**os.environ, **chinese}
    assert encoding(environ) == b"gbk"
    passes(environ)
