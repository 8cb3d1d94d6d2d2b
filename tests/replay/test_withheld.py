"""What of a commit is never sent: the server's rules, also where the repository has no work tree."""

import pytest

from fim_lsp.replay.withheld import allowed

FILES = [
    "a.py",
    "secrets.py",
    "build/out.py",
    "deep/private.py",
    "deep/b.py",
    ".env",
    "id_rsa",
    "prod.tfvars",
]


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "project"
    (made / ".git").mkdir(parents=True)
    return made


def test_the_list_and_the_users_patterns_hold(folder):
    found = allowed(folder, FILES, {}, ("deep/**",))
    assert not {".env", "id_rsa", "deep/b.py", "deep/private.py"} & found.sent
    assert {"a.py", "build/out.py"} <= found.shown == found.sent


@pytest.mark.parametrize("committed", [True, False], ids=["in the commit", "on the disk"])
def test_ignore_files_hold(folder, committed):
    """By words of secrets a document stays home; by any rule it is not shown to others."""
    rules = {".gitignore": "build/\nsecrets.py\n", "deep/.gitignore": "private.py\n"}
    if not committed:
        for name, text in rules.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
    found = allowed(folder, FILES, rules if committed else {}, ())
    assert "secrets.py" not in found.sent
    assert "deep/private.py" not in found.sent
    assert "build/out.py" in found.sent
    assert {"a.py", "deep/b.py"} <= found.shown
    assert not {"build/out.py", "secrets.py", "deep/private.py"} & found.shown


def test_the_user_has_the_last_word(folder):
    found = allowed(folder, FILES, {".gitignore": "secrets.py\n"}, ("!secrets.py",))
    assert "secrets.py" in found.sent


def test_an_ignore_file_that_stands_elsewhere_writes_nothing(folder, tmp_path):
    """A tree that git would not write leads nowhere."""
    names = ("../.gitignore", "/x/.gitignore", "a/../../.gitignore", ".git/.gitignore", "a\\..\\.gitignore")
    found = allowed(folder, FILES, dict.fromkeys(names, "*\n"), ())
    assert "a.py" in found.sent
    assert [path.name for path in tmp_path.iterdir()] == ["project"]
