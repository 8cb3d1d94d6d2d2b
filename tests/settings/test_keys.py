"""Where the key comes from, and where it does not."""

import sys

import pytest

from fim_lsp.commands import doctor
from fim_lsp.settings import keys


def config(folder, text, mode=0o600):
    path = folder / "config.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_key_in_a_file_of_ones_own(tmp_path):
    """Nobody else can read it: it is used."""
    assert keys.from_file(config(tmp_path, 'api_key = "sk-mine"')) == ({"api_key": "sk-mine"}, [])


def test_a_key_that_others_can_read_is_not_used(tmp_path):
    """One sentence says what to do; the other settings count."""
    table, (said,) = keys.from_file(config(tmp_path, 'api_key = "sk-mine"\nmodel = "m"', 0o644))
    assert table == {"model": "m"}
    assert "chmod 600" in said
    assert "sk-mine" not in said


def test_a_command_prints_it(tmp_path):
    """Its first line."""
    words = [sys.executable, "-c", "print('sk-printed'); print('more')"]
    assert keys.from_file(config(tmp_path, f"api_key_command = {words}"))[0] == {"api_key": "sk-printed"}


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ('"pass show x"', "list of words"),
        ('["no-such-program-at-all"]', "cannot be run"),
        (f'["{sys.executable}", "-c", "print(1/0)"]', "exit code 1"),
        (f'["{sys.executable}", "-c", ""]', "gave no key"),
    ],
)
def test_a_command_that_gives_none(tmp_path, command, word):
    """One sentence each, and no key."""
    table, (said,) = keys.from_file(config(tmp_path, f"api_key_command = {command}"))
    assert table == {}
    assert word in said


def test_the_keyring_without_its_extra(tmp_path, monkeypatch):
    """The sentence names the extra."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    table, (said,) = keys.from_file(config(tmp_path, "api_key_keyring = true"))
    assert table == {}
    assert "fim-lsp[keyring]" in said


def test_the_keyring(tmp_path, monkeypatch):
    """The key of user `api_key` at service `fim-lsp`."""

    held = {("fim-lsp", "api_key"): "sk-ring"}

    class Ring:
        def get_password(self, service, user):
            return held.get((service, user))

    monkeypatch.setitem(sys.modules, "keyring", Ring())
    assert keys.from_file(config(tmp_path, "api_key_keyring = true")) == ({"api_key": "sk-ring"}, [])
    held.clear()
    assert "has no key" in keys.from_file(tmp_path / "config.toml")[1][0]


@pytest.mark.parametrize("name", ["apiKeyCommand", "api_key_command"])
async def test_an_editor_cannot_name_a_command(start, name):
    """Nor can a workspace, whose settings come the same way."""
    client = await start(settings={name: ["touch", "/tmp/fim-lsp-was-run"]})
    await client.until(client.messages)
    assert "Unknown setting" in client.messages()[0]


def test_the_report_is_safe_to_post(tmp_path, capsys):
    """No key, no home, no value that could be private; what is wrong is in it."""
    path = config(tmp_path, 'api_key = "sk-very-private"\nexclude = ["customer-x/**"]\nmax_tokens = 99')
    environ = {"FIM_LSP_BASE_URL": "http://127.0.0.1:9", "USER": "someone"}
    written = tmp_path / "report.md"

    def connect(settings):
        from fim_lsp.endpoint.service import Service

        return Service(settings.base_url, settings.api_key)

    code = doctor.run(
        connect=connect, config=path, environ=environ, demo=False, as_json=False, report=written
    )
    text = written.read_text()
    capsys.readouterr()
    assert code == 1
    assert "FAIL endpoint" in text
    assert "- maxTokens: 99" in text
    assert "- exclude: 1 entries" in text
    assert not any(word in text for word in ("sk-very-private", "customer-x", "someone"))


async def test_the_server_fetches_it_beside_the_messages(start, endpoint, tmp_path):
    """A command that takes its time keeps nobody waiting, and its key is used once it is there."""
    folder = tmp_path / ".config" / "fim-lsp"
    folder.mkdir(parents=True)
    config(
        folder,
        f'api_key_command = ["{sys.executable}", "-c", "print(chr(115) + chr(107) + chr(45) + chr(49))"]',
    )
    client = await start(key=None)
    client.open("file:///a.py", "x = \n")

    async def asked():
        await client.texts("file:///a.py", 0, 4, explicit=True)
        return endpoint.keys

    for _ in range(50):
        if await asked():
            break
    assert endpoint.keys[0] == "Bearer sk-1"
