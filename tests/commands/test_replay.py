import argparse
import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from gitrepo import commit, git, lines
from replaying import run

from fim_lsp.commands import replay as command
from fim_lsp.commands import replay_arguments as arguments
from fim_lsp.demo.endpoint import Demo
from fim_lsp.demo.transport import DemoTransport
from fim_lsp.endpoint.service import Service
from fim_lsp.replay import plot, report
from fim_lsp.replay.bill import RULES, Bill, Price, Sent
from fim_lsp.replay.layouts import LAYOUTS

KEY = {"DEEPSEEK_API_KEY": "sk-test"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    git(folder, "init", "-q")
    commit(folder, a=lines(0, 60))
    commit(folder, a=lines(0, 30) + "def more(x):\n    return x + 1\n\n\n" + lines(30, 60), b=lines(200, 212))
    return folder


def printed(capsys, *arguments, **more):
    assert run(*arguments, "--json", **more) == 0
    return json.loads(capsys.readouterr().out)


def test_every_layout_is_billed_on_the_same_session(repository, capsys):
    """Ours comes first; each layout sends a request at each of the same stops."""
    found = printed(capsys, repository, "--asks", 40)
    ours, always, *others = found["layouts"]
    assert [row["layout"] for row in found["layouts"]] == ["fim-lsp", "fim-lsp, no reuse", *LAYOUTS]
    assert {row["asks"] for row in found["layouts"]} == {40} == {found["session"]["asks"]}
    assert all(row["requests"] == 40 for row in [always, *others])
    assert ours["requests"] + ours["localHits"] <= 40
    assert ours["usdPer1000Asks"] < always["usdPer1000Asks"]
    assert found["price"] == {
        "name": "deepseek-flash, off-peak, since 2026-09-14",
        "hit": 0.003,
        "miss": 0.15,
        "out": 0.6,
    }
    for row in found["layouts"]:
        assert 0 <= row["hits_units"] <= row["hits_intervals"] <= row["hits_blocks"] <= 1


def test_the_same_seed_gives_the_same_report(repository, capsys):
    assert printed(capsys, repository, "--seed", 4) == printed(capsys, repository, "--seed", 4)


def test_csv_holds_what_json_holds(repository, capsys):
    assert run(repository, "--asks", 9, "--layouts", "Cody,TABBY", "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    found = printed(capsys, repository, "--asks", 9, "--layouts", "Cody,tabby")["layouts"]
    assert rows == [{name: str(value) for name, value in row.items()} for row in found]


def test_the_table_fits_eighty_columns(repository, capsys, monkeypatch):
    """Nothing in the table is cut short, and it says what it counts with."""
    monkeypatch.setenv("COLUMNS", "80")
    assert run(repository, "--asks", 30) == 0
    out = capsys.readouterr().out
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= 80
    assert all(name in out for name in ("fim-lsp", *LAYOUTS, "$0.003", "units of 128"))


@pytest.mark.parametrize(
    ("options", "price"),
    [
        (["--price", "1,2,3"], [1, 2, 3]),
        (["--peak", "--date", "2026-11-20"], [0.006, 0.3, 1.2]),
        (["--model", "deepseek-v4-pro", "--date", "2026-11-20"], [0.022, 0.66, 1.98]),
        (["--model", "deepseek-v4-pro", "--date", "2026-11-21", "--peak"], [0.044, 1.32, 3.96]),
        (["--model", "deepseek-v4-flash", "--date", "2026-05-05", "--peak"], [0.0028, 0.14, 0.28]),
    ],
)
def test_prices_are_those_of_the_day_or_as_given(repository, capsys, options, price):
    """Of a weekend the peak prices are those of the next weekday; a price that has no peak is one."""
    found = printed(capsys, repository, "--asks", 2, "--layouts", "none", *options)["price"]
    assert [found["hit"], found["miss"], found["out"]] == price


def test_a_table_of_the_users_own_wins(repository, capsys, tmp_path):
    (tmp_path / "prices.toml").write_text('[[prices]]\nmodel = "mine"\nhit = 1\nmiss = 2\noutput = 3\n')
    found = printed(
        capsys,
        repository,
        "--asks",
        2,
        "--layouts",
        "none",
        "--model",
        "mine",
        config=tmp_path / "config.toml",
    )
    assert found["price"]["miss"] == 2


def test_a_wider_window_sends_more(repository, capsys):
    few = printed(
        capsys, repository, "--asks", 5, "--prefix-chars", 200, "--suffix-chars", 0, "--layouts", "none"
    )
    many = printed(capsys, repository, "--asks", 5, "--layouts", "none")
    assert few["layouts"][0]["tokensPerRequest"] < many["layouts"][0]["tokensPerRequest"]


def test_a_saved_session_is_replayed_as_the_repository_was(repository, capsys, tmp_path):
    file = tmp_path / "session.json.gz"
    first = printed(capsys, repository, "--asks", 20, "--save", file)
    assert printed(capsys, file, "--asks", 20)["layouts"] == first["layouts"]


def test_the_picture_holds_every_layout_and_nothing_from_elsewhere(repository, tmp_path):
    """A picture is well-formed, names each layout and its cost, follows dark mode, and loads nothing."""
    assert run(repository, "--asks", 30, "--csv", "--plot", tmp_path / "p.svg") == 0
    text = (tmp_path / "p.svg").read_text()
    root = ET.fromstring(text)
    words = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    assert all(name in words for name in ("fim-lsp", *LAYOUTS, "asks so far", "100 %"))
    assert sum(word.startswith("$0.") for word in words) == 2 + len(LAYOUTS)
    assert "prefers-color-scheme: dark" in text
    assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")


def bill(name, hits):
    return Bill(
        name, asks=len(hits), sent=[Sent(n, 100, dict.fromkeys(RULES, hit), 5) for n, hit in enumerate(hits)]
    )


def drawn(*bills):
    session = report.Session("<&>", 1, "", "", 1, 10, 3, 0, 0.0)
    return plot.svg(report.Report(session, bills, Price(1, 2, 3), "p", "units", exact=True))


def test_a_picture_of_nothing_is_a_picture():
    """Names are escaped; a bill without requests or asks has no line, and breaks nothing."""
    for bills in (
        [bill("<ours>", [])],
        [bill("<ours>", []), bill("b", [0, 50, 100])],
        [bill("<ours>", [64])],
    ):
        ET.fromstring(drawn(*bills))


def test_labels_of_lines_stand_apart():
    assert plot._spread([100, 101, 300, 99], 17) == [116, 133, 300, 99]


@pytest.mark.parametrize(
    "options",
    [
        ["--layouts", "vim"],
        ["--language", "klingon"],
        ["--price", "1,2"],
        ["--price", "1,2,-3"],
        ["--price", "1,2,nan"],
        ["--asks", "0"],
        ["--commits", "x"],
        ["--date", "today"],
        ["--accept", "1.5"],
        ["--limit-usd", "-1"],
        ["--rule", "none"],
        ["--json", "--csv"],
    ],
)
def test_wrong_usage_is_exit_code_two(repository, capsys, options):
    assert run(repository, *options) == 2
    assert "error: " in capsys.readouterr().err


def failed(capsys, *arguments, **more):
    assert run(*arguments, **more) == 1
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("fim-lsp: ")
    assert found.err.count("\n") == 1
    return found.err


def test_each_dead_end_is_one_sentence(repository, capsys, tmp_path):
    assert "does not exist" in failed(capsys, tmp_path / "none")
    assert "Nothing to replay" in failed(capsys, repository, "--language", "rust,.zig")
    assert "no revision" in failed(capsys, repository, "--range", "v1..v2")
    assert "No price" in failed(capsys, repository, "--model", "other")
    assert "cannot be written" in failed(
        capsys, repository, "--asks", 2, "--save", tmp_path / "none" / "s.json"
    )
    (tmp_path / "s.json").write_text("[]")
    assert "nowhere in it would a typist stop" in failed(capsys, tmp_path / "s.json")
    assert "exclude each other" in capsys_of_demo_and_live(repository, capsys)


def capsys_of_demo_and_live(repository, capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument("--demo", action="store_true")
    arguments.add_arguments(parser)
    args = parser.parse_args([str(repository), "--live", "--demo"])
    assert command.run(args, connect=None, config=Path("/none"), environ={}) == 2
    return capsys.readouterr().err


class Endpoint:
    """A live service that is none."""

    def __init__(self, **more):
        self.demo = Demo(first_token_s=0, token_s=0, **more)
        self.connected = 0

    def connect(self, settings):
        self.connected += 1
        return Service("http://x.invalid", settings.api_key, transport=DemoTransport(self.demo))


def live(*arguments, endpoint, environ=KEY):
    return (*arguments, "--live", "--layouts", "tabby"), {"connect": endpoint.connect, "environ": environ}


def test_live_asks_the_service_and_compares_on_the_same_asks(repository, capsys):
    endpoint = Endpoint()
    arguments, more = live(repository, "--asks", 12, "--yes", endpoint=endpoint)
    found = printed(capsys, *arguments, **more)
    assert [row["layout"] for row in found["layouts"]] == [
        "fim-lsp, live",
        "fim-lsp",
        "fim-lsp, no reuse",
        "tabby",
    ]
    assert {row["asks"] for row in found["layouts"]} == {12}
    assert found["layouts"][0]["requests"] == endpoint.demo.totals.requests > 0


def test_nothing_is_spent_without_a_key_or_a_yes(repository, capsys, monkeypatch):
    """No key, no terminal to ask in, a no, a limit below one request: nothing is sent."""
    endpoint = Endpoint()
    arguments, more = live(repository, "--asks", 5, endpoint=endpoint)
    assert "No API key" in failed(capsys, *arguments, connect=endpoint.connect)
    assert "agree with --yes" in failed(capsys, *arguments, **more)
    assert "raise it" in failed(capsys, *arguments, "--limit-usd", "0.0001", "--yes", **more)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert run(*arguments, **more) == 1
    asked = capsys.readouterr().err
    assert "never more than $0.05. Go on?" in asked
    assert "Nothing was sent." in asked
    assert endpoint.connected == 0


def test_the_limit_holds(repository, capsys):
    """What is spent never passes the limit, and what was learnt until then is reported."""
    endpoint = Endpoint()
    limit = 0.0077
    arguments, more = live(
        repository,
        "--asks",
        60,
        "--yes",
        "--limit-usd",
        limit,
        "--price",
        "0.1,10,10",
        "--prefix-chars",
        200,
        "--suffix-chars",
        0,
        "--model",
        "deepseek-flash",
        endpoint=endpoint,
    )
    found = printed(capsys, *arguments, **more, config=Path("/none/config.toml"))
    totals = endpoint.demo.totals
    spent = (totals.prompt_tokens * 10 + totals.output_tokens * 10) / 1e6
    assert 0 < spent <= limit
    assert 0 < found["layouts"][0]["asks"] < 60
    assert len({row["asks"] for row in found["layouts"]}) == 1


def test_a_service_that_refuses_ends_the_replay_with_its_reason(repository, capsys):
    endpoint = Endpoint(fault="402")
    arguments, more = live(repository, "--asks", 12, "--yes", endpoint=endpoint)
    assert "balance" in failed(capsys, *arguments, **more)
    assert endpoint.demo.totals.requests == 0
