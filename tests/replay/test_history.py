import os
from pathlib import Path

import pytest
from gitrepo import commit, git, lines

from fim_lsp.replay import history
from fim_lsp.replay.history import HistoryError, Hunk

PYTHON = (".py",)


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, a=lines(0, 10))
    commit(tmp_path, a=lines(0, 5) + lines(100, 104) + lines(5, 10), b="one\n\ntwo\n")
    commit(tmp_path, a=lines(100, 103) + lines(0, 4) + "changed = 1\n" + lines(5, 10))
    return tmp_path


def applied(change):
    text = change.before.split("\n")
    text = [line + "\n" for line in text[:-1]] + text[-1:]
    for hunk in reversed(change.hunks):
        text[hunk.first : hunk.first + hunk.removed] = [hunk.text]
    return "".join(text)


def test_commits_come_oldest_first_with_their_hunks(repository):
    """Every commit's hunks turn the text before into the text that was committed."""
    found = history.commits(repository, PYTHON, 10)
    assert [len(c.changes) for c in found] == [1, 2, 1]
    assert found[0].changes[0].before == ""
    second = found[1].changes[0]
    assert second.hunks == (Hunk(5, 0, lines(100, 104)),)
    for one in found:
        for change in one.changes:
            assert applied(change) == git(repository, "show", f"{one.name}:{change.path}").decode()


def test_only_the_newest_commits_are_taken(repository):
    newest = git(repository, "rev-parse", "HEAD").decode().strip()
    assert [c.name for c in history.commits(repository, PYTHON, 1)] == [newest]


def test_a_range_bounds_the_commits(repository):
    assert len(history.commits(repository, PYTHON, 10, revision="HEAD~2..HEAD~1")) == 1


def test_a_seed_draws_a_run_of_commits_again(repository):
    """The same seed gives the same run, in the order of the history."""
    runs = {seed: [c.name for c in history.commits(repository, PYTHON, 2, seed=seed)] for seed in range(1, 9)}
    order = [c.name for c in history.commits(repository, PYTHON, 10)]
    assert all(
        run == [c.name for c in history.commits(repository, PYTHON, 2, seed=seed)]
        for seed, run in runs.items()
    )
    assert {tuple(run) for run in runs.values()} == {tuple(order[:2]), tuple(order[1:])}


def test_a_bare_repository_and_a_folder_within_one_read_alike(repository, tmp_path_factory):
    bare = tmp_path_factory.mktemp("bare")
    git(bare, "clone", "-q", "--bare", str(repository), "r.git")
    within = repository / "folder"
    within.mkdir()
    assert (
        history.commits(bare / "r.git", PYTHON, 9)
        == history.commits(repository, PYTHON, 9)
        == history.commits(within, PYTHON, 9)
    )


def test_line_ends_are_read_as_one_kind(tmp_path):
    git(tmp_path, "init", "-q")
    commit(tmp_path, a=b"one\r\ntwo\r\nthree\r\nfour\r\n")
    (change,) = history.commits(tmp_path, PYTHON, 1)[0].changes
    assert change.hunks == (Hunk(0, 0, "one\ntwo\nthree\nfour\n"),)


def test_names_of_any_kind_are_read(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / os.fsdecode('ä "b"\tc.py'.encode())).write_text(lines(0, 5))
    (tmp_path / "-x.py").write_text(lines(0, 5))
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "c")
    assert {c.path for c in history.commits(tmp_path, PYTHON, 1)[0].changes} == {'ä "b"\tc.py', "-x.py"}


@pytest.mark.parametrize(
    "unusual",
    [b"\xff\xfe not UTF-8\n" * 4, b"a\0b\n" * 4, b"one\rtwo\n" * 4, b"x" * 6000 + b"\n\n\n\n"],
    ids=["encoding", "binary", "lone carriage returns", "a minified line"],
)
def test_what_no_person_typed_is_left_out(tmp_path, unusual):
    git(tmp_path, "init", "-q")
    commit(tmp_path, a=lines(0, 5), z=unusual)
    assert [c.path for c in history.commits(tmp_path, PYTHON, 1)[0].changes] == ["a.py"]


def test_large_commits_moves_and_merges_are_left_out(repository):
    """What was pasted, renamed or merged was not typed."""
    known = len(history.commits(repository, PYTHON, 99))
    commit(repository, big=lines(0, 500))
    git(repository, "mv", "a.py", "moved.py")
    commit(repository)
    git(repository, "checkout", "-q", "-b", "side", "HEAD~1")
    commit(repository, side=lines(0, 1))
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "--no-ff", "-m", "merge", "side")
    assert len(history.commits(repository, PYTHON, 99)) == known


def test_nothing_that_a_repository_names_is_run(repository):
    """Hooks, filters, external diffs, text conversions and monitors of a repository stay unused."""
    marker = repository / "ran"
    script = repository / "run.sh"
    script.write_text(f"#!/bin/sh\ntouch {marker}\n")
    script.chmod(0o755)
    (repository / ".git" / "info" / "attributes").write_text("*.py diff=evil filter=evil\n")
    for name in (
        "diff.evil.command",
        "diff.evil.textconv",
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "filter.evil.clean",
        "filter.evil.smudge",
    ):
        git(repository, "config", name, str(script))
    for hook in ("post-index-change", "reference-transaction", "post-checkout"):
        (repository / ".git" / "hooks" / hook).write_text(script.read_text())
        (repository / ".git" / "hooks" / hook).chmod(0o755)
    assert history.commits(repository, PYTHON, 9)
    assert not marker.exists()


def test_the_callers_own_git_environment_is_left_out(repository, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path_factory.mktemp("elsewhere")))
    assert len(history.commits(repository, PYTHON, 9)) == 3


def test_each_dead_end_is_a_sentence(tmp_path, repository, monkeypatch):
    """No folder, no repository, no commits, no revision, nothing typed, no git: one sentence each."""
    elsewhere = tmp_path / "new"
    elsewhere.mkdir()
    empty = tmp_path / "new" / "empty"
    empty.mkdir()
    git(empty, "init", "-q")
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    cases = [
        (tmp_path / "none", PYTHON, "HEAD", "does not exist"),
        (file, PYTHON, "HEAD", "is a file"),
        (empty, PYTHON, "HEAD", "has no commits"),
        (repository, PYTHON, "v9", 'no revision or range "v9"'),
        (repository, PYTHON, "--help", 'no revision or range "--help"'),
        (repository, PYTHON, "HEAD..HEAD", 'no commits in "HEAD..HEAD"'),
        (repository, (".rs",), "HEAD", r"Nothing to replay in .*\*\.rs"),
    ]
    for folder, ends, revision, expected in cases:
        with pytest.raises(HistoryError, match=expected):
            history.commits(folder, ends, 9, revision=revision)
    with pytest.raises(HistoryError, match="is not a git repository"):
        history.commits(Path("/"), PYTHON, 9)
    monkeypatch.setenv("PATH", str(elsewhere))
    with pytest.raises(HistoryError, match="git command was not found"):
        history.commits(repository, PYTHON, 9)
