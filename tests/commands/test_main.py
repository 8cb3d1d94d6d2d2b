"""The commands as a user types them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fim_lsp import __version__

ROOT = Path(__file__).parents[2]


def command(*arguments, home, cwd=ROOT, **environ):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DEEPSEEK_", "FIM_LSP_", "XDG_"))}
    return subprocess.run(
        [sys.executable, "-m", "fim_lsp", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**clean, "HOME": str(home), "PYTHONPATH": str(ROOT), **environ},
        timeout=30,
        check=False,
    )


def test_the_command_of_the_readme_completes(tmp_path):
    """README's first command prints a completion for a real file, without key or network."""
    arguments = re.search(r"fim-lsp (complete --demo \S+)", (ROOT / "README.md").read_text("utf-8"))[
        1
    ].split()
    run = command(*arguments, home=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert len(run.stdout.strip()) > 5


def test_one_object_on_request(tmp_path):
    """`--json` prints the text and what it took."""
    source = tmp_path / "a.py"
    source.write_text("import collections\ncounter = collections.Counter()\nother = collec")
    run = command("complete", "--demo", "--json", f"{source}:3:15", home=tmp_path)
    answer = json.loads(run.stdout)
    assert answer["text"].startswith("tions")
    assert answer["promptTokens"] > 0


WRONG = [
    (["complete", "missing.py:1:1"], 1, "missing.py cannot be read"),
    (["complete", "a.py:9:1"], 1, "has 2 lines"),
    (["complete", "a.py:1:99"], 1, "past its end"),
    (["complete", "bytes.py:1:1"], 1, "not UTF-8"),
    (["complete", "a.py"], 2, "FILE:LINE:COLUMN"),
    (["complete", "a.py:0:1"], 2, "FILE:LINE:COLUMN"),
    (["nonsense"], 2, "nonsense"),
    (["--tcp", "host:port"], 2, "HOST:PORT"),
    (["complete", "a.py:1:1"], 1, "DEEPSEEK_API_KEY"),
    (["doctor"], 1, ""),
]


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG)
def test_mistakes_get_one_sentence(tmp_path, arguments, code, words):
    """Wrong usage is 2, failure is 1, each with a sentence on stderr and no traceback."""
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe")
    run = command(*arguments, home=tmp_path, cwd=tmp_path)
    assert run.returncode == code
    assert words in run.stderr
    assert "Traceback" not in run.stderr + run.stdout


def test_the_doctor_is_content_with_the_demo(tmp_path):
    """Every check is right; with a key and nobody listening, the endpoint is named."""
    run = command("doctor", "--demo", home=tmp_path)
    assert run.returncode == 0
    assert "FAIL" not in run.stdout
    run = command("doctor", home=tmp_path, DEEPSEEK_API_KEY="sk-x", FIM_LSP_BASE_URL="http://127.0.0.1:9")
    assert run.returncode == 1
    assert "FAIL  endpoint" in run.stdout
    assert "sk-x" not in run.stdout + run.stderr


def test_the_config_file_counts_and_its_mistakes_are_named(tmp_path):
    """Settings of the user's file are in force, and a broken one is said in one sentence without its content."""
    folder = tmp_path / ".config" / "fim-lsp"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('model = "deepseek-v4-pro"\nmax_tokens = "no"\n')
    run = command("doctor", "--demo", "--json", home=tmp_path)
    checks = {check["name"]: check for check in json.loads(run.stdout)["checks"]}
    assert checks["model"]["found"] == "deepseek-v4-pro"
    assert "max_tokens" in checks["settings"]["found"]
    (folder / "config.toml").write_text('api_key = "sk-secret\n')
    run = command("doctor", "--demo", home=tmp_path)
    assert "not valid TOML" in run.stdout
    assert "sk-secret" not in run.stdout + run.stderr


def test_the_version_is_that_of_the_package(tmp_path):
    """`--version` says it, on stdout."""
    assert command("--version", home=tmp_path).stdout == f"fim-lsp {__version__}\n"


def test_replay_says_what_it_would_cost(tmp_path):
    """`fim-lsp replay` on a small repository prints a table; on none, one sentence."""
    pytest.importorskip("tokenizers")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    for n in range(3):
        lines = [f"def function_{i}(argument):\n    return argument + {i}\n\n" for i in range(10 * (n + 1))]
        (tmp_path / "a.py").write_text("".join(lines))
        subprocess.run([*git, "add", "a.py"], check=True)
        subprocess.run([*git, "commit", "-qm", str(n)], check=True)
    run = command("replay", str(tmp_path), "--asks", "20", "--json", home=tmp_path)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)
    run = command("replay", str(tmp_path / "missing"), home=tmp_path)
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)


def test_usage_of_nothing_is_nothing(tmp_path):
    """`fim-lsp usage --json` has the shape that editors rely on."""
    run = command("usage", "--json", home=tmp_path)
    assert json.loads(run.stdout)["total"]["requests"] == 0
