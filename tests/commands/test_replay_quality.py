"""`replay --quality --live`: what the endpoint is sent and how often, what is kept, and what is told of it."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gitrepo import commit, git
from pytest_httpserver import HTTPServer
from replaying import run
from werkzeug import Response

from fim_lsp.endpoint.service import Service

HEAD = '"""Sums."""\n\nLIMIT = 10\n\n\n'
FUNCTION = "def total_{n}(first, second):\n    amount = first + second * {n}\n    if amount > LIMIT:\n        return LIMIT\n    return abs(amount)\n\n\n"
HELPERS = "def helper_of_the_house(value):\n    return value\n"


def source(first, last):
    return HEAD + "".join(FUNCTION.replace("{n}", str(n)) for n in range(first, last))


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text("my_secret_notes.py\n")
    commit(folder, sums=source(0, 6), helpers=HELPERS)
    git(folder, "add", "-f", ".")
    commit(
        folder,
        sums=source(0, 9),
        helpers=HELPERS,
        vault_of_mine=source(50, 60).replace("amount", "UNSPEAKABLE"),
        my_secret_notes=source(60, 70).replace("amount", "UNSPEAKABLE"),
    )
    git(folder, "add", "-f", "my_secret_notes.py")
    git(folder, "commit", "-q", "-m", "more")
    return folder


class Model:
    """An endpoint that says what it is told to, and writes down what it was asked."""

    def __init__(self, httpserver):
        self.says = "amount\n"
        self.status = 200
        self.fails = set()  # requests, by their numbers from 1
        self.bodies = []
        self.wait = 0.0
        self.sure = None  # what is told of the tokens of a text, where it is asked for
        self.url = httpserver.url_for("").rstrip("/")
        httpserver.expect_request("/beta/completions").respond_with_handler(self.answer)

    def answer(self, request):
        body = request.get_json()
        self.bodies.append(body)
        time.sleep(self.wait)
        if self.status != 200 or len(self.bodies) in self.fails:
            status = self.status if self.status != 200 else 503
            return Response(json.dumps({"error": {"message": "no"}}), status)
        text = self.says(body) if callable(self.says) else self.says
        used = {"prompt_tokens": 100, "completion_tokens": 2, "prompt_cache_hit_tokens": 64}
        sure = {"logprobs": self.sure(text)} if self.sure and "logprobs" in body else {}
        events = [
            {"choices": [{"index": 0, "text": text, "finish_reason": None, **sure}]},
            {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}], "usage": used},
        ]
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        return Response("".join(lines) + "data: [DONE]\n\n", content_type="text/event-stream")

    def prompts(self):
        return [body["prompt"] + body.get("suffix", "") for body in self.bodies]

    @property
    def environ(self):
        return {"FIM_LSP_BASE_URL": f"{self.url}/beta", "DEEPSEEK_API_KEY": "sk-test"}


@pytest.fixture
def model():
    with HTTPServer(
        host="127.0.0.1", threaded=True
    ) as server:  # a connection that stands ready is no hindrance
        yield Model(server)


def connect(settings):
    return Service(settings.base_url, settings.api_key)


def asking(repository, tmp_path, *more):
    return (repository, "--quality", "--answers", tmp_path / "a.jsonl", "--limit-requests", 1000, *more)


def measured(capsys, model, *words, live=True, **more):
    """The report as JSON."""
    options = ("--live", "--yes") if live else ()
    code = run(*words, *options, "--json", connect=connect, environ=model.environ, **more)
    found = capsys.readouterr()
    assert code == 0, found.err
    return json.loads(found.out)


def test_holes_are_asked_about_and_judged(repository, tmp_path, model, capsys):
    """Every hole is one request with its surroundings, and the figures are of what was offered."""
    found = measured(capsys, model, *asking(repository, tmp_path, "--holes", 12, "--stops", 0))
    assert len(model.bodies) == found["answered"] == found["holes"] == 12
    figures = found["ways"][0]["figures"]
    assert figures["promptTokens"] == {"value": 100, "low": 100, "high": 100}
    assert figures["hitTokens"]["value"] == 64
    assert figures["usd"] is None
    assert figures["unparsed"]["low"] <= figures["unparsed"]["value"] <= figures["unparsed"]["high"]
    assert figures["milliseconds"]["value"] > 0
    assert set(found["ways"][0]["byLanguage"]) == {"python"}
    assert sum(group["holes"] for group in found["ways"][0]["byKind"].values()) == 12
    assert found["ways"][0]["typed"] is None


def knowing(*texts):
    """A model that knows how these files go on; elsewhere it says nothing that is right."""

    def says(body):
        head, behind = body["prompt"][-24:].rpartition("sums.py\n")[2], body.get("suffix", "")[:24]
        for text in texts:
            start = text.find(head) + len(head)
            if start >= len(head) and (end := text.find(behind, start)) >= 0:
                return text[start:end] if behind else text[start:]
        return "?"

    return says


def test_a_model_that_knows_is_exact(repository, tmp_path, model, capsys):
    """Told the truth, holes are exact, lines are saved, nothing is wrong and nothing harmed; more lines save more."""
    text = "".join(
        f"def f_{n}(a_{n}):\n    b_{n} = a_{n} + {n}\n    return b_{n} * {n}\n\n\n" for n in range(30, 60)
    )
    commit(repository, **dict.fromkeys(("sums", "helpers", "vault_of_mine"), text))
    model.says = knowing(text)
    options = ("--holes", 30, "--stops", 0, "--compare", "multiline=always,never")
    found = measured(capsys, model, *asking(repository, tmp_path, *options))
    whole, line = (way["figures"] for way in found["ways"])
    assert whole["whole"]["value"] > 0.8
    assert whole["firstLine"]["value"] > 0.8
    assert whole["harm"]["value"] == line["harm"]["value"] == 0
    assert whole["saved"]["value"] > line["saved"]["value"] > 0
    assert [one["verdict"] for one in found["differences"]] == ["worse"]
    assert found["differences"][0]["figures"]["saved"]["high"] < 0


def test_thresholds_are_tried_on_kept_answers(repository, tmp_path, model, capsys):
    """Each hole is asked about once, for all thresholds and for others later; what is less sure is shown to none of the stricter."""
    model.says = lambda body: "amount\n" if len(model.bodies) % 2 else "nonsense\n"
    model.sure = lambda text: {"tokens": [text], "token_logprobs": [-0.1 if text == "amount\n" else -2.0]}
    words = ("--holes", 12, "--stops", 0)
    found = measured(
        capsys, model, *asking(repository, tmp_path, *words, "--compare", "confidence=off,0.05,0.5,0.99")
    )
    assert len(model.bodies) == 12
    assert all(body["logprobs"] == 1 for body in model.bodies)
    off, low, half, high = (way["figures"] for way in found["ways"])
    assert off["shown"] == low["shown"]
    assert 0 < half["shown"]["value"] < off["shown"]["value"]
    assert half["nothing"]["value"] >= 0.5
    assert high["nothing"]["value"] == 1
    curve = {one["way"]: one["right"] + one["wrong"] for one in found["curve"]}
    assert curve["confidence=off"] == pytest.approx(12 * off["shown"]["value"])
    assert curve["confidence=0.99"] == 0
    again = measured(
        capsys,
        model,
        *asking(repository, tmp_path, *words, "--compare", "confidence=off,0.4,auto"),
        live=False,
    )
    assert len(model.bodies) == 12
    assert again["answered"] == 12
    assert again["ways"][1]["figures"]["shown"] == half["shown"]
    measured(capsys, model, *asking(repository, tmp_path, *words))
    assert len(model.bodies) == 12


def test_without_the_setting_requests_are_the_servers(repository, tmp_path, model, capsys):
    """No field more, unless whole answers are kept for later."""
    words = asking(repository, tmp_path, "--holes", 4, "--stops", 0)
    measured(capsys, model, *words)
    assert not any("logprobs" in body for body in model.bodies)
    measured(capsys, model, *words, "--seed", 9, "--whole-answers")
    assert "logprobs" in model.bodies[-1]


def test_a_file_that_is_kept_home_is_in_no_request(repository, tmp_path, model, capsys):
    """Neither as holes, nor in a typed session, nor in the map that other files' prompts show."""
    (tmp_path / "config.toml").write_text('exclude = ["vault_*"]\n')
    options = ("--holes", 40, "--stops", 20, "--compare", "context=rich,off")
    words = asking(repository, tmp_path, *options)
    found = measured(capsys, model, *words, config=tmp_path / "config.toml")
    sent = "".join(model.prompts())
    assert "UNSPEAKABLE" not in sent
    assert not any(f"total_{n}" in sent for n in range(50, 70))
    assert "helper_of_the_house" in sent
    assert any("2 files are kept home" in note for note in found["notes"])


def test_a_key_in_the_code_does_not_leave(repository, tmp_path, model, capsys):
    key = "sk-proj-q8Zt3LmW0vRk5HdYx2CjNfUbTa9eGsPo4iJw"
    commit(repository, keys=f'API_KEY = "{key}"\n' + source(20, 24))
    measured(capsys, model, *asking(repository, tmp_path, "--holes", 30, "--stops", 0))
    assert any("total_21" in prompt for prompt in model.prompts())
    assert key not in "".join(model.prompts())


def test_a_language_that_is_switched_off_is_left_alone(repository, tmp_path, model, capsys):
    (tmp_path / "config.toml").write_text("[languages]\npython = false\n")
    words = asking(repository, tmp_path, "--live", "--yes")
    assert run(*words, connect=connect, environ=model.environ, config=tmp_path / "config.toml") == 1
    assert "no hole can be cut in files that may be sent" in capsys.readouterr().err
    assert model.bodies == []


def test_the_map_does_not_tell_what_is_cut_out(repository, tmp_path, model, capsys):
    """A definition's own line is in no prompt that asks for it."""
    only = "def only_one_of_its_name(argument_of_its_own):\n    return argument_of_its_own + 1\n"
    commit(repository, alone=HEAD + only + "\n\nvalue = 1\n")
    options = ("--holes", 60, "--stops", 0, "--compare", "context=rich,project")
    measured(capsys, model, *asking(repository, tmp_path, *options))
    asked = [body["prompt"] for body in model.bodies if body["prompt"].endswith("def only_one_of_its_name")]
    assert asked
    assert not any("argument_of_its_own" in prompt for prompt in asked)


def test_the_limit_of_requests_holds_and_the_next_run_goes_on(repository, tmp_path, model, capsys):
    """Each run sends no more; the last one prints what one run without a limit prints."""
    words = (repository, "--quality", "--holes", 10, "--stops", 6)
    at_once = measured(capsys, model, *words, "--limit-requests", 1000, "--answers", tmp_path / "b.jsonl")
    whole = len(model.bodies)
    found, runs = {}, 0
    while found.get("answered") != 10 or not found["ways"][0]["typed"]["whole"]:
        model.bodies.clear()
        found = measured(capsys, model, *words, "--limit-requests", 4, "--answers", tmp_path / "a.jsonl")
        runs += 1
        assert len(model.bodies) <= 4
    assert runs == -(-whole // 4)
    without = [{**one, "notes": 0, "answers": 0} for one in (found, at_once)]
    for one in without:
        one["ways"] = [_timeless(way) for way in one["ways"]]
    assert without[0] == without[1]


def _timeless(way):
    """A way's report without the milliseconds, which no two runs share."""
    if isinstance(way, dict):
        return {key: _timeless(value) for key, value in way.items() if key != "milliseconds"}
    return way


def test_what_is_kept_is_judged_again_without_asking(repository, tmp_path, model, capsys):
    """The same report, byte by byte, with nothing sent; also where the limit is nothing."""
    words = asking(repository, tmp_path, "--holes", 15, "--stops", 8)
    first = measured(capsys, model, *words)
    sent = len(model.bodies)
    assert measured(capsys, model, *words) == first
    assert measured(capsys, model, *words, live=False) == first
    assert len(model.bodies) == sent


def test_more_holes_ask_only_for_those(repository, tmp_path, model, capsys):
    measured(capsys, model, *asking(repository, tmp_path, "--holes", 8, "--stops", 0))
    model.bodies.clear()
    measured(capsys, model, *asking(repository, tmp_path, "--holes", 11, "--stops", 0))
    assert len(model.bodies) == 3


def test_without_answers_nothing_is_measured(repository, tmp_path, model, capsys):
    assert run(*asking(repository, tmp_path), connect=connect, environ=model.environ) == 1
    assert "holds no answer" in capsys.readouterr().err
    assert model.bodies == []


def test_dollars_are_limited_where_there_is_a_price(repository, tmp_path, model, capsys):
    """What was billed never passes the limit."""
    price = ("--price", "1,1000,1000", "--limit-usd", "2", "--prefix-chars", "200", "--suffix-chars", "0")
    words = (repository, "--quality", "--answers", tmp_path / "a.jsonl", "--stops", 0, "--holes", 60)
    found = measured(capsys, model, *words, *price)
    assert found["ways"][0]["figures"]["usd"]["value"] == pytest.approx(
        1000 * (64 * 1 + 36 * 1000 + 2 * 1000) / 1e6
    )
    assert 0 < len(model.bodies) < 60
    assert len(model.bodies) * (64 * 1 + 38 * 1000) / 1e6 <= 2
    assert any("--limit-usd" in note for note in found["notes"])


def refused(capsys, model, *words, stdin=None, monkeypatch=None):
    assert run(*words, "--live", connect=connect, environ=model.environ) == 1
    return capsys.readouterr().err


def test_no_price_is_no_dollars(repository, tmp_path, model, capsys):
    """An engine of one's own costs nothing that anybody knows, whatever its model is called: requests are to be limited."""
    words = (repository, "--quality", "--answers", tmp_path / "a.jsonl", "--yes")
    assert "limit the requests with --limit-requests" in refused(capsys, model, *words)
    assert "limit the requests" in refused(capsys, model, *words, "--model", "of-my-own")
    assert model.bodies == []


def test_a_price_of_ones_own_counts(repository, tmp_path, model, capsys):
    (tmp_path / "prices.toml").write_text(
        '[[prices]]\nmodel = "deepseek-flash"\nhit = 1\nmiss = 2\noutput = 3\n'
    )
    words = asking(
        repository, tmp_path, "--holes", 3, "--stops", 0, "--live", "--yes", "--json", "--limit-usd", 5
    )
    assert run(*words, connect=connect, environ=model.environ, config=tmp_path / "config.toml") == 0
    assert json.loads(capsys.readouterr().out)["ways"][0]["figures"]["usd"]["value"] > 0


def test_nothing_is_sent_without_a_yes(repository, tmp_path, model, capsys, monkeypatch):
    words = asking(repository, tmp_path, "--holes", 4, "--stops", 0)
    assert "agree with --yes" in refused(capsys, model, *words)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked = refused(capsys, model, *words)
    assert "at most 4 requests" in asked
    assert model.url in asked
    assert "no price is known" in asked
    assert "Nothing was sent." in asked
    assert model.bodies == []


def test_answers_of_somebody_else_are_not_mixed_in(repository, tmp_path, model, capsys):
    """Another port of this machine is the same; another host is not."""
    words = asking(repository, tmp_path, "--holes", 3, "--stops", 0)
    measured(capsys, model, *words)
    file = tmp_path / "a.jsonl"
    file.write_text(file.read_text().replace(model.url, "http://localhost:1"))
    measured(capsys, model, *words)
    file.write_text(file.read_text().replace("http://localhost:1", "https://far.example"))
    assert "holds answers of far.example" in refused(capsys, model, *words, "--yes")


def test_who_refuses_is_not_asked_again(repository, tmp_path, model, capsys):
    """A wrong key ends it at once, a service that is down after three; both say so, and nothing is kept."""
    words = asking(repository, tmp_path, "--holes", 9, "--stops", 0, "--yes")
    for status, asked in ((401, 1), (503, 3)):
        model.status = status
        model.bodies.clear()
        said = refused(capsys, model, *words)
        assert "Nothing was measured" in said
        assert len(model.bodies) == asked
    assert "pieces" not in (tmp_path / "a.jsonl").read_text()


def test_where_answers_cannot_be_kept_nothing_is_asked(repository, tmp_path, model, capsys):
    (tmp_path / "file").write_text("")
    words = (repository, "--quality", "--limit-requests", 9, "--yes", "--answers")
    for place in (tmp_path / "file" / "a.jsonl", tmp_path):
        said = refused(capsys, model, *words, place)
        assert str(tmp_path) in said
        assert said.count("\n") == 1
    assert model.bodies == []


def test_an_answer_that_cannot_be_written_down_ends_it(repository, tmp_path, model, capsys, monkeypatch):
    """A disk that is full is not paid for again and again."""

    def full(_):
        raise OSError(28, "No space left on device", "a.jsonl")

    monkeypatch.setattr("fim_lsp.replay.answers.Kept.put", lambda kept, answer: full(answer))
    words = asking(repository, tmp_path, "--holes", 9, "--stops", 0, "--yes")
    assert "No space left" in refused(capsys, model, *words)
    assert len(model.bodies) == 1


def test_one_failure_is_passed_over_and_asked_again(repository, tmp_path, model, capsys):
    words = asking(repository, tmp_path, "--holes", 6, "--stops", 0)

    model.fails = {3}
    found = measured(capsys, model, *words)
    assert found["answered"] == 5
    assert "1 of 6 holes lack an answer and are left out." in found["notes"]
    model.bodies.clear()
    model.fails = set()
    assert measured(capsys, model, *words)["answered"] == 6
    assert len(model.bodies) == 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("context=off,most", 'must be one of "off", "project", "rich"'),
        ("context=off", "needs two values"),
        ("context=off,off", "needs two values"),
        ("colour=red,blue", "must name a setting"),
        ("apiKey=a,b", "must name a setting"),
        ('headers={"x": "1"},{"x": "2"}', "must name a setting"),
        ("context", "must name a setting"),
        ("debounceMs=0,50", "makes no difference"),
        ("maxTokens=0,64", "must be a whole number from 1 to 4096"),
    ],
)
def test_what_cannot_be_compared_is_wrong_usage(repository, capsys, value, said):
    assert run(repository, "--quality", "--live", "--compare", value) == 2
    assert said in capsys.readouterr().err


def test_any_setting_is_compared_by_its_name(repository, tmp_path, model, capsys):
    """As in JSON or bare, by either spelling, values with commas of their own too."""
    words = asking(repository, tmp_path, "--holes", 2, "--stops", 0)
    for value, names in (
        ("max_tokens=32,64", ["maxTokens=32", "maxTokens=64"]),
        ('languages={},{"python": {"maxTokens": 7, "multiline": "never"}}', None),
        ('multiline="never",auto', ['multiline="never"', "multiline=auto"]),
    ):
        model.bodies.clear()
        found = measured(capsys, model, *words, "--compare", value)
        assert names is None or [way["name"] for way in found["ways"]] == names
    assert {body["max_tokens"] for body in model.bodies} <= {32, 48, 64, 96, 128, 192, 256}


def test_equal_requests_of_two_ways_are_asked_once(repository, tmp_path, model, capsys):
    """And nothing is said of a difference that is none."""
    options = ("--holes", 5, "--stops", 0, "--compare", "suffixChars=90000,100000")
    found = measured(capsys, model, *asking(repository, tmp_path, *options))
    assert len(model.bodies) == 5
    assert found["differences"][0]["verdict"] == "same"


def test_other_layouts_are_asked_on_the_same_holes(repository, tmp_path, model, capsys):
    """Each sends its own prompt for each hole and stop, and what comes back is trimmed as ours is."""
    words = ("--holes", 6, "--stops", 4, "--layouts", "llama.vim,minuet")
    found = measured(capsys, model, *asking(repository, tmp_path, *words))
    assert [way["name"] for way in found["ways"]] == ["fim-lsp", "llama.vim", "minuet"]
    assert sum(body["prompt"].startswith("# language: plain\n") for body in model.bodies) >= 6
    assert sum(".py\n" in body["prompt"] for body in model.bodies) >= 6
    assert all(way["typed"]["stops"] for way in found["ways"])
    shown = [way["figures"]["shown"] for way in found["ways"]]
    assert shown[1] == shown[2]
    before = len(model.bodies)
    again = measured(capsys, model, *asking(repository, tmp_path, *words), live=False)
    assert again["ways"] == found["ways"]
    assert len(model.bodies) == before


def test_untrimmed_answers_are_judged_as_they_came(repository, tmp_path, model, capsys):
    """Beside each way one more: the whole answer, with what trimming leaves out."""
    model.says = "amount\n\n\n\n\nthe end of it all\n"
    words = ("--holes", 6, "--stops", 0, "--layouts", "minuet", "--untrimmed")
    found = measured(capsys, model, *asking(repository, tmp_path, *words))
    names = ["fim-lsp", "minuet", "fim-lsp, untrimmed", "minuet, untrimmed"]
    assert [way["name"] for way in found["ways"]] == names
    shown = [way["figures"]["shown"]["value"] for way in found["ways"]]
    assert shown[2] == shown[3] == len(model.says.rstrip())
    assert 0 < shown[0] < shown[2]
    assert len(model.bodies) == 12


def test_files_are_asked_about_from_the_top(repository, tmp_path, model, capsys):
    """What a hole's prompt shows, the next one's begins with, where the endpoint keeps it."""
    commit(repository, sums=source(0, 9), helpers=source(20, 24), vault_of_mine="")
    measured(capsys, model, *asking(repository, tmp_path, "--holes", 10, "--stops", 0))
    files = [body["prompt"].partition(".py\n")[0].rpartition(" ")[2] for body in model.bodies]
    assert files == sorted(files)


def test_the_table_and_the_picture(repository, tmp_path, model, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    picture = tmp_path / "p.svg"
    options = (
        "--holes",
        8,
        "--stops",
        4,
        "--compare",
        "context=off,project",
        "--plot",
        picture,
        "--live",
        "--yes",
    )
    assert run(*asking(repository, tmp_path, *options), connect=connect, environ=model.environ) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    for words in (
        "context=off",
        "first line exact %",
        "keys saved %",
        "By language",
        "By kind",
        "context=project",
    ):
        assert words in " ".join(out.split()) or words in out
    assert "…" not in out
    assert "context=project" in picture.read_text()


def test_a_session_that_is_typed_saves_keys(repository, tmp_path, model, capsys):
    """Lines that are right are taken and not typed; what is asked is the text with them."""
    model.says = knowing(source(0, 9))
    typed = measured(capsys, model, *asking(repository, tmp_path, "--holes", 0, "--stops", 10))["ways"][0][
        "typed"
    ]
    assert typed["stops"] > 0
    assert typed["accepted"] > 0
    assert typed["keysSaved"]["value"] == pytest.approx(typed["accepted"] / typed["characters"], abs=1e-6)


def test_a_killed_run_goes_on_where_it_was(repository, tmp_path, model):
    """kill -9 in the middle: the next run asks only for what is missing, and prints what one run prints."""
    model.wait = 0.05
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FIM_LSP")},
        **model.environ,
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    command = [
        sys.executable,
        "-m",
        "fim_lsp",
        "replay",
        str(repository),
        "--quality",
        "--live",
        "--yes",
        "--json",
    ]
    command += [
        "--holes",
        "16",
        "--stops",
        "0",
        "--limit-requests",
        "99",
        "--answers",
        str(tmp_path / "a.jsonl"),
    ]
    killed = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    patience = time.monotonic() + 60
    while len(model.bodies) < 5 and time.monotonic() < patience:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.communicate()[0] == b""
    kept = sum('"pieces": ' in line for line in (tmp_path / "a.jsonl").read_text().splitlines())
    assert 3 <= kept < 16
    before = len(model.bodies)
    again = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=120)
    assert len(model.bodies) - before == 16 - kept
    once_more = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=120)
    assert once_more.stdout == again.stdout
    assert json.loads(again.stdout)["answered"] == 16
    assert len(model.bodies) - before == 16 - kept


def test_the_demo_answers_where_no_key_is(repository, tmp_path):
    """A first look costs nothing, asks nothing, and is kept apart."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = [
        sys.executable,
        "-m",
        "fim_lsp",
        "replay",
        str(repository),
        "--quality",
        "--live",
        "--demo",
        "--json",
    ]
    command += ["--holes", "3", "--stops", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=120)
    found = json.loads(done.stdout)
    assert (found["endpoint"], found["answered"]) == ("demo", 3)
    assert Path(found["answers"]).is_relative_to(tmp_path)
    assert Path(found["answers"]).name == "project-demo.jsonl"
