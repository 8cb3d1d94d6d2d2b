"""A git repository for a test: commits of Python files, with nobody's configuration."""

import os
import subprocess


def git(folder, *arguments):
    names = {
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment = {**clean, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=environment
    ).stdout


def commit(folder, message="c", **files):
    for name, text in files.items():
        (folder / (name + ".py")).write_bytes(text if isinstance(text, bytes) else text.encode())
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


def lines(first, last):
    return "".join(f"line_{n} = {n}\n" for n in range(first, last))
