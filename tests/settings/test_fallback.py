"""What an entry of `fallback` and a header may be, and what is said of one that may not."""

import os
import stat

import pytest

from fim_lsp.commands.client import options
from fim_lsp.endpoint import affinity
from fim_lsp.settings import keys
from fim_lsp.settings.fallback import MOST
from fim_lsp.settings.settings import merged

LOCAL = "http://127.0.0.1:8080"


def chosen(**settings):
    found, wrong = merged([("here", settings)])
    assert wrong == []
    return found


@pytest.mark.parametrize(
    ("fallback", "said"),
    [
        (LOCAL, 'must be a list of endpoints, such as [{"baseUrl": "http://127.0.0.1:8080"}]'),
        ([LOCAL], "must be a list of endpoints"),
        ([{"model": "m"}], 'has no "baseUrl" in entry 1'),
        (
            [{"baseUrl": LOCAL}, {"baseUrl": "127.0.0.1:8080"}],
            'has a wrong "baseUrl" in entry 2: it must be an',
        ),
        ([{"base_url": LOCAL, "model": 5}], 'has a wrong "model" in entry 1: it must be the name of a model'),
        (
            [{"baseUrl": LOCAL, "model": "deepseek-chat"}],
            "entry 1: it names a model that the service has ended",
        ),
        (
            [{"baseUrl": LOCAL, "apiKey": "sk-SECRET"}],
            'has an "apiKey" in entry 1: write into "apiKeyEnv" the name',
        ),
        (
            [{"baseUrl": LOCAL, "apiKeyEnv": "sk-SECRET"}],
            'wrong "apiKeyEnv" in entry 1: it must be the name of an env',
        ),
        ([{"baseUrl": LOCAL, "sk-SECRET": 1}], "has an unknown name in entry 1; known are baseUrl, model, "),
        ([{"baseUrl": LOCAL, "modle": "m"}], 'has an unknown name "modle" in entry 1'),
        ([{"baseUrl": LOCAL, "headers": {"A": "SECRET\n"}}] * 9, f"must have {MOST} entries at most"),
        (
            [{"baseUrl": LOCAL, "headers": {"A": "SEC\nRET"}}],
            'wrong "headers" in entry 1: it must have values of',
        ),
        (
            [{"baseUrl": LOCAL, "evenIfRefused": "yes"}],
            'wrong "evenIfRefused" in entry 1: it must be true or false',
        ),
    ],
)
def test_a_wrong_entry_is_named_in_one_sentence(fallback, said):
    """With its number and the name in it; no endpoint is asked in its place, and completions go on."""
    found, wrong = merged([("the file", {"fallback": fallback})])
    assert (found.fallback, found.halted, len(wrong)) == ((), "", 1)
    assert wrong[0].startswith('Setting "fallback" in the file ')
    assert said in wrong[0]
    assert wrong[0].endswith("; what was set before stays in force.")
    assert wrong[0].count(". ") == 0
    assert "SECRET" not in wrong[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"X A": "b"},
        {"": "b"},
        {"A": 5},
        {"A": ""},
        {"A": "SEC\r\nHost: evil"},
        {"A": "é"},
        {"A\n": "b"},
        {"Host": "b"},
        {"content-length": "0"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "close"},
        {"Proxy-Authorization": "SEC"},
        {"A": "1", "a": "2"},
        ["A"],
        "A: b",
    ],
)
def test_a_wrong_header_stops_everything(headers):
    """It may have been to hold something back, such as a gateway's records; no word of it is repeated."""
    found, wrong = merged([("the file", {"headers": headers})])
    assert found.headers == {}
    assert found.halted == wrong[0]
    assert wrong[0].endswith("nothing is sent until it is put right.")
    assert "SEC" not in wrong[0]


@pytest.mark.parametrize("name", ["Host", "Authorization", "A B", "", 5, ["A"], "Content-Type"])
def test_a_header_that_cannot_be_the_affinitys(name):
    found, wrong = merged([("here", {"affinityHeader": name})])
    assert found.affinity_header is None
    assert "must be the name of a header" in wrong[0]


def test_values_are_in_no_representation():
    """An exception's or a log's words may hold one."""
    found = chosen(headers={"A": "SECRET"}, fallback=[{"baseUrl": LOCAL, "headers": {"B": "SECRET"}}])
    assert "SECRET" not in repr(found) + repr(found.fallback) + str(found.endpoints())
    assert found.headers == {"A": "SECRET"}
    assert found.endpoints()[1].headers == {"B": "SECRET"}


def test_a_key_is_that_of_the_variable_named():
    """And no other: neither the first endpoint's nor one of a variable of the same use."""
    environ = {"DEEPSEEK_API_KEY": "sk-first", "TEAM_KEY": " sk-team \n"}
    entries = [
        {"baseUrl": LOCAL},
        {"baseUrl": "http://a", "apiKeyEnv": "TEAM_KEY"},
        {"baseUrl": "http://b", "apiKeyEnv": "NONE"},
    ]
    found = chosen(apiKey="sk-first", fallback=entries).endpoints()
    assert [keys.of(one, environ) for one in found] == ["sk-first", None, "sk-team", None]
    assert keys.named(found[3]) == "NONE"


def test_a_key_of_an_entry_over_a_public_network_is_told_of():
    """The same as for the first endpoint; and so is a header that takes the key's place."""
    entries = [
        {"baseUrl": "http://public.example", "apiKeyEnv": "TEAM_KEY"},
        {"baseUrl": "http://other.example", "headers": {"Authorization": "Basic x"}},
        {"baseUrl": "http://third.example"},
    ]
    said = keys.exposed_all(chosen(fallback=entries), {"TEAM_KEY": "sk"})
    assert [sentence.split()[4] for sentence in said] == ["public.example", "other.example"]


def test_the_affinitys_value_is_kept_and_tells_nothing(tmp_path):
    """The same for a workspace, also after a restart; another for each workspace, endpoint and user."""
    state = tmp_path / "state"

    def value(workspace="file:///home/me/secret-project", url="http://team.example", folder=state):
        found, _ = merged([("here", {"baseUrl": url, "affinityHeader": "X-Session"})])
        from dataclasses import replace

        return options(replace(found, workspace=workspace), {}, folder)["headers"]["X-Session"]

    first = value()
    assert value() == first
    others = [
        value("file:///home/me/other"),
        value(url="http://b.example"),
        value(folder=tmp_path / "another"),
    ]
    assert len({first, *others}) == 4
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in [first, *others])
    file = state / "affinity"
    assert len(file.read_bytes()) == 32
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_bytes(b"cut")
    assert value() != first
    assert value() == value()
    assert list(state.iterdir()) == [file]


def test_a_secret_that_cannot_be_kept_lasts_as_long_as_the_process(tmp_path):
    """As where the user has no home."""
    (tmp_path / "file").write_text("")
    kept = affinity.secret(tmp_path / "file" / "affinity")
    assert (len(kept), affinity.secret(tmp_path / "file" / "affinity")) == (32, kept)
