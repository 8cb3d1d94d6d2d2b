"""What must never leave: files that hold secrets, and strings that look like keys wherever they stand."""

import asyncio
import json
import random
import string
import textwrap

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsp import Client

from fim_lsp.commands import complete, doctor
from fim_lsp.context.window import Window
from fim_lsp.endpoint.service import Service
from fim_lsp.privacy.exclude import excluded
from fim_lsp.privacy.secrets import Redactor, redact_line
from fim_lsp.settings import settings
from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Document, Place

LOWER, UPPER, DIGITS, HEX = string.ascii_lowercase, string.ascii_uppercase, string.digits, "0123456789abcdef"
WORD = LOWER + UPPER + DIGITS
B64 = WORD + "+/"

# How each kind looks: what it begins with, its alphabet and length.  Put together here, so that no scanner takes this
# file for a leak.
KINDS = [
    ("AK" + "IA", UPPER + DIGITS, 16), ("ghp" + "_", WORD, 36), ("github" + "_pat_", WORD, 60), ("gl" + "pat-", WORD, 20),
    ("xo" + "xb-", DIGITS + LOWER, 40), ("sk" + "_live_", WORD, 24), ("sk" + "-", WORD, 48), ("sk" + "-ant-", WORD, 90),
    ("sk" + "-proj-", WORD, 60), ("gs" + "k_", WORD, 52), ("h" + "f_", WORD, 34), ("AI" + "za", WORD, 35),
    ("ya" + "29.", WORD, 60), ("npm" + "_", WORD, 36), ("pypi" + "-AgE", WORD, 80), ("SG" + ".", WORD, 22),
    ("S" + "K", HEX, 32), ("dop" + "_v1_", HEX, 64), ("hv" + "s.", WORD, 40), ("shp" + "at_", HEX, 32),
    ("glsa" + "_", WORD, 40), ("lin_" + "api_", WORD, 40), ("AGE-SECRET" + "-KEY-1", UPPER + DIGITS, 58),
]  # fmt: skip
PLACES = [
    "KEY = '{}'",
    'client = Client("{}")',
    "# the old one was {}",
    "export TOKEN={}",
    '{{"auth": "{}"}}',
]
NAMED = [
    'api_key = "{}"', "password: '{}'", '"clientSecret": "{}",', "SECRET_TOKEN={}", 'headers["Authorization"] = "Bearer {}"',
    'url = "postgres://admin:{}@db.internal/main"',
]  # fmt: skip


def drawn(chance, alphabet, length):
    """Letters and digits, both."""
    while True:
        text = "".join(chance.choices(alphabet, k=length))
        if any(c.isdigit() for c in text) and any(c.isalpha() for c in text):
            return text


def planted(seed=1):
    """Some three hundred secrets, each with the line of code in which it stands."""
    chance = random.Random(seed)
    for start, alphabet, length in KINDS:
        for place in PLACES:
            for _ in range(2):
                secret = drawn(chance, alphabet, length)
                tail = "." + drawn(chance, WORD, 43) if start.startswith("SG") else ""
                yield secret, place.format(start + secret + tail)
    for line in NAMED:
        for length in (20, 24, 32, 40):
            for _ in range(3):
                secret = drawn(chance, WORD, length)
                yield secret, line.format(secret)


def pem(chance):
    body = "\n".join(textwrap.wrap("".join(chance.choices(B64, k=1600)), 64))
    return f"-----BEGIN RSA PRIVATE{' '}KEY-----\n{body}\n-----END RSA PRIVATE{' '}KEY-----\n"


def test_every_planted_secret_is_replaced_by_as_many_characters():
    """Three hundred of them, in code, comments, settings and addresses."""
    found = list(planted())
    assert len(found) >= 300
    missed = [line for secret, line in found if secret in redact_line(line)]
    assert missed == []
    assert all(len(redact_line(line)) == len(line) for _, line in found)


@pytest.mark.parametrize(
    "line",
    [
        'password = input("Password: ")',
        "token = tokens[index + 1]",
        'api_key = os.environ["API_KEY"]',
        'SECRET_KEY = "change-me"',
        "def authenticate(user, password):",
        "commit = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'",
        'sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"',
        "url = 'https://example.com/a/very/long/path?with=parameters&and=more'",
        "AES256_KEY_LENGTH = 32",
        "x = sk_test_helper(1, 2, 3)",
    ],
)
def test_code_that_only_speaks_of_keys_is_left_alone(line):
    """Names, placeholders, digests and addresses stay as they are."""
    assert redact_line(line) == line


def test_the_same_text_gives_the_same_bytes_wherever_it_stands():
    """Line by line, whatever is before and after: what the service has seen stays what it has seen."""
    redactor = Redactor()
    lines = [line for _, line in planted(2)]
    whole = redactor.text("\n".join(lines))
    assert whole.split("\n") == [redactor.text(line) for line in lines]
    assert whole == Redactor().text("\n".join(lines))


LINES = [
    *(line for _, line in list(planted(14))[::30]),
    "x = 1",
    "",
    *pem(random.Random(15)).split("\n")[::9],
]


@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 60), st.sampled_from([*LINES, "\n", "y", "\r\n"])),
        max_size=9,
    )
)
def test_what_was_replaced_before_changes_nothing(edits):
    """After any edits the text comes out as if it were the first that was seen."""
    redactor, text = Redactor(), "\n".join(LINES)
    for start, length, new in edits:
        text = text[:start] + new + text[start + length :]
        assert redactor.text(text) == Redactor().text(text)


@pytest.mark.parametrize("length", [20, 150, 400, 401, 5000])
@pytest.mark.parametrize("cut", [0, 1, 3])
@pytest.mark.parametrize(
    "line",
    [
        'api_key = "{}"',
        "#define API_TOKEN '{}';",
        "password: {} ;",
        'def login(user, password="{}"):',
        "TOKEN={}   ",
    ],
)
def test_a_value_is_replaced_however_long_it_is_and_where_its_line_is_cut(line, cut, length):
    """Before the sign that closes it, or within it."""
    secret = drawn(random.Random(length), WORD, length)
    text = line.format(secret)
    text = text[: text.index(secret) + length - cut] if cut else text
    assert secret[:12] not in redact_line(text)
    assert len(redact_line(text)) == len(text)


def test_private_keys_are_replaced_from_end_to_end():
    """Also where a window shows neither their beginning nor their end."""
    text = pem(random.Random(3))
    body = text.split("\n")[1:-2]
    out = Redactor().text("before\n" + text + "after\n")
    assert out.startswith("before\n-----BEGIN")
    assert out.endswith("KEY-----\nafter\n")
    assert not any(line in out for line in body)
    middle = Redactor().text("\n".join(body[5:10]))
    assert not any(line in middle for line in body[5:10])


def test_a_key_that_the_cursor_stands_in_is_replaced():
    """Both halves."""
    secret, line = next(planted(4))
    cut = line.index(secret) + 8
    before, after = Window(9000, 4000).prompt(["x\n", line + "\n", "y"], Place(1, cut), "")
    assert secret[:8] not in before
    assert secret[8:] not in after
    assert (len(before), len(after)) == (6 + cut, len(line) - cut + 2)


@pytest.mark.parametrize(
    "path",
    ["/p/.env", "/p/.env.local", "/p/prod.env", "/p/server.PEM", "/home/u/.ssh/config", "/p/id_rsa", "/p/secrets.yaml",
     "/home/u/.aws/credentials", "/p/terraform.tfvars", "/home/u/.netrc", "/p/.npmrc", "/p/service-account-prod.json"],
)  # fmt: skip
def test_files_that_hold_secrets_are_never_sent(path):
    """By their names, whatever they hold."""
    assert excluded([path], [])


def test_the_user_has_the_last_word_on_files():
    """`exclude` adds files, and `!` brings one back."""
    assert excluded(["/p/notes/private.md"], ["notes/**"])
    assert not excluded(["/p/.env.example"], ["!.env.example"])
    assert not excluded(["/p/id_rsa.pub"], [])
    assert not excluded(["/p/environment.py"], [])


async def test_no_planted_secret_reaches_a_request(world):
    """Whether before, behind or above the cursor, in the document itself or shown of another."""
    secrets = list(planted(5))
    text = "\n".join(line for _, line in secrets) + "\n" + pem(random.Random(6)) + "\nend\n"
    world.engine.open(Document("file:///keys.py", "python", 1, text))
    lines = world.engine.document("file:///keys.py").lines
    for number in range(0, len(lines), 9):
        await world.engine.complete("file:///keys.py", Place(number, len(lines[number]) // 2), explicit=True)
    await world.engine.complete(world.uri, Place(0, 4))
    sent = [text for request in world.service.requests for text in (request.prefix, request.suffix)]
    explained = world.engine.explain("file:///keys.py", Place(20, 0))
    sent += [explained["prompt"], explained["suffix"]]
    assert len(sent) > 60
    everything = "\0".join(sent)
    assert [secret for secret, _ in secrets if secret in everything] == []
    assert not any(line in everything for line in text.split("\n") if len(line) == 64)


@pytest.mark.parametrize("explicit", [False, True])
async def test_a_file_that_holds_secrets_asks_for_nothing(world, explicit):
    """Not by itself, not when asked for, not in the menu, not from the command line."""
    uri, place = "file:///p/.env", Place(1, 6)
    world.engine.open(Document(uri, "shellscript", 1, "HOUSE=alpha bravo\nOTHER="))
    assert await world.engine.complete(uri, place, explicit=explicit) == ()
    assert world.engine.glance(uri, place) == ()
    assert await world.engine.once(uri, place, lambda _: None) is None
    assert world.service.requests == []


async def test_excluding_a_file_ends_what_is_under_way_for_it(world):
    """Its stream is closed with the setting, and nothing is asked for afterwards."""
    world.service.stalls = True
    asked = asyncio.create_task(world.engine.complete(world.uri, Place(0, 4)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert world.service.under_way == 1
    await world.engine.configure(Settings(exclude=("a.py",)))
    assert not await asked
    for _ in range(5):
        await asyncio.sleep(0)
    assert world.service.under_way == 0
    assert await world.engine.complete(world.uri, Place(0, 4), explicit=True) == ()
    assert len(world.service.requests) == 1


OWN = "sk" + "-0wnK3yOfTheUser4n0B0dyElse77"


def hoard(seed):
    """A file full of secrets: its text, the secrets, and the lines as they may be sent."""
    found = list(planted(seed))
    key = pem(random.Random(seed))
    text = "\n".join(line for _, line in found) + "\n" + key + "\nend = \n"
    secrets = [secret for secret, _ in found] + [line for line in key.split("\n") if len(line) == 64]
    return text, secrets, [redact_line(line) for _, line in found]


def spilled(secrets, *texts):
    """Those of the secrets that stand in one of the texts, whatever way a line end or a quote is written there."""
    everything = "\0".join(
        text if isinstance(text, str) else json.dumps(text, ensure_ascii=False) for text in texts
    )
    return [secret for secret in secrets if secret in everything]


def written(folder, but=()):
    """All that stands in the files of a folder, and the names of those that are."""
    files = [path for path in folder.rglob("*") if path.is_file() and path not in but]
    return "\0".join(path.read_bytes().decode("latin-1") for path in files), {path.name for path in files}


FAULTS = [None, 401, 402, 404, 422, 429, 500, "garbage", "break", "stall"]


async def test_no_planted_secret_is_sent_logged_shown_or_recorded(start, endpoint, tmp_path):
    """By a real server that logs all it can, whatever fails; nor is the user's own key, which the service repeats."""
    text, secrets, clean = hoard(7)
    last = text.count("\n") - 1
    client = await start({}, "--log-file", str(tmp_path / "log.txt"), "--log-level", "debug", key=OWN)
    client.open("file:///hoard.py", text)
    client.open("file:///b.py", "x = \n")
    told = []
    for turn, fault in enumerate(FAULTS):
        endpoint.fault = fault
        changed = {"temperature": turn / 10, "timeoutSeconds": 0.2 if fault == "stall" else 5}
        client.push(changed)
        lines = range(0, last, 12) if fault is None else (last,)
        for line in lines:
            await asyncio.wait_for(client.inline("file:///hoard.py", line, 6, explicit=True), 10)
        await asyncio.wait_for(client.inline("file:///b.py", 0, 4), 10)
        told.append(await client.call("workspace/executeCommand", {"command": "fimLsp.status"}))
    at = {"uri": "file:///hoard.py", "position": {"line": last, "character": 6}}
    told.append(
        await client.call("workspace/executeCommand", {"command": "fimLsp.explain", "arguments": [at]})
    )
    told.append(await client.call("workspace/executeCommand", {"command": "fimLsp.usage"}))
    lines = clean[:9]
    client.type("file:///hoard.py", last, 6, "".join(f"{line}\n" for _, line in list(planted(7))[:9]))
    await asyncio.wait_for(client.inline("file:///hoard.py", 3, 6, explicit=True), 10)
    client.open("file:///c.py", "z = \n")
    endpoint.fault = None
    client.push({"temperature": 1.5})
    await asyncio.wait_for(client.inline("file:///c.py", 0, 4), 10)
    assert await client.stop() == 0

    record, names = written(tmp_path)
    assert {"log.txt", "usage.sqlite3"} <= names
    assert "characters sent" in record, "the log is at its most talkative"
    assert len(client.messages()) >= len(FAULTS) - 2
    assert spilled([*secrets, OWN], record, client.stderr.decode(), client.notes, told, endpoint.bodies) == []
    sent = "\0".join(body["prompt"] + body.get("suffix", "") for body in endpoint.bodies)
    assert [line for line in clean if line not in sent] == [], "each line was sent, without its secret"
    assert endpoint.bodies[-1]["prompt"].endswith("z = ")
    assert [line for line in lines if line not in endpoint.bodies[-1]["prompt"]] == [], (
        "what was typed elsewhere"
    )


async def test_messages_that_are_wrong_are_not_repeated(start, tmp_path):
    """Neither their text, nor the names of what they ask, nor the values of settings."""
    text, secrets, _ = hoard(8)
    client = await start({}, "--log-file", str(tmp_path / "log.txt"), "--log-level", "debug", key=OWN)
    for number, secret in enumerate(secrets[::4]):
        document = {"uri": f"file:///{secret}.py", "version": number}
        client.notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": secret}]}
        )
        client.notify("textDocument/didChange", {"textDocument": secret, "contentChanges": secret})
        client.notify("textDocument/didOpen", {"textDocument": {"uri": secret, "text": [text]}})
        client.notify(secret, {secret: secret})
        client.send([secret])
        client.send({"jsonrpc": "2.0", "id": {secret: secret}, "method": secret})
        client.raw(b"Content-Length: %d\r\n\r\n{%s" % (len(secret) + 1, secret.encode()))
        for name in ("temperature", "baseUrl", "languages", "exclude", "maxTokens", "apiKey", f"{secret}"):
            value = f"http://user:{secret}@host/" if name == "baseUrl" else f"{secret} with a blank"
            client.push({name: value})
    client.push({"apiKey": OWN, "model": 5})
    client.push({"apiKey": "no key"})
    assert await client.stop() == 0
    record, names = written(tmp_path)
    assert "log.txt" in names
    assert "wrong shape" in record
    assert any("apiKey" in message for message in client.messages())
    assert spilled([*secrets, OWN], record, client.stderr.decode(), client.notes) == []


async def test_a_fault_of_ours_is_logged_without_the_text(tmp_path, endpoint):
    """Its kind and place, whatever its own words are."""
    text, secrets, _ = hoard(9)
    code = (
        "import sys\n"
        "from fim_lsp.commands import main\n"
        "from fim_lsp.completion.documents import Documents\n"
        "def broken(self, opened, lines, place): raise ValueError(''.join(lines), self.settings.api_key)\n"
        "Documents.question = broken\n"
        f"sys.exit(main.run(['--log-level', 'debug', '--log-file', {str(tmp_path / 'log.txt')!r}]))"
    )
    client = await Client().run(tmp_path, ["-c", code], DEEPSEEK_API_KEY=OWN, FIM_LSP_BASE_URL=endpoint.url)
    await client.initialize()
    client.open("file:///hoard.py", text)
    assert await client.texts("file:///hoard.py", 3, 4) == []
    assert await client.stop() == 0
    record, _ = written(tmp_path)
    assert "ValueError" in record
    assert spilled([*secrets, OWN], record, client.stderr.decode(), client.notes) == []


def refuses(status, secret):
    """A connection to a service that repeats a secret in every answer."""

    def answer(request):
        body = {"error": {"message": secret, "param": secret}, "choices": secret, "data": secret}
        return httpx.Response(status, json=body, headers={"location": f"https://{secret}.example/"})

    return lambda chosen: Service(chosen.base_url, chosen.api_key, transport=httpx.MockTransport(answer))


STATUSES = [200, 307, 401, 402, 404, 422, 429, 503]


def test_a_report_is_safe_to_post(tmp_path, capsys):
    """Whatever key is in force, wherever it stands, and whatever the service says of it."""
    for number, (secret, line) in enumerate(planted(10)):
        status = STATUSES[number % len(STATUSES)]
        whole = line.split("'")[1] if line.startswith("KEY") else secret
        config = tmp_path / "config.toml"
        config.write_text(
            f"temperature = {line!r}\nmultiline = [{whole!r}]\n"
            # With these nothing is asked of the service.
            + (f"languages = [{whole!r}]\nbase_url = 'http://:{secret}@host/'\n" if number // 8 % 2 else "")
            + (f"model = '{whole}'\n" if line.startswith("KEY") else "")
        )
        report = tmp_path / "report.md"
        environ = {"DEEPSEEK_API_KEY": whole}
        connect = refuses(status, whole)
        code = doctor.run(
            connect=connect,
            config=config,
            environ=environ,
            demo=False,
            as_json=number % 2 == 0,
            report=report,
        )
        shown = "".join(capsys.readouterr())
        assert code == 1
        assert "FAIL" in report.read_text("utf-8")
        assert secret not in report.read_text("utf-8")
        if not line.startswith("KEY"):  # the model is named to the user as it is set
            assert secret not in shown


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_completion_that_fails_repeats_nothing(status, as_json, tmp_path, capsys):
    """On the command line, for a file full of secrets and a service that repeats them."""
    text, secrets, _ = hoard(11)
    path, config = tmp_path / "hoard.py", tmp_path / "config.toml"
    path.write_text(text)
    config.write_text(
        "".join(f"{name} = {secrets[0]!r}\n" for name in ("temperature", "max_tokens", "multiline"))
    )
    code = complete.run(
        path,
        300,
        3,
        connect=refuses(status, text),
        config=config,
        environ={"DEEPSEEK_API_KEY": OWN},
        as_json=as_json,
    )
    out, err = capsys.readouterr()
    assert code == 1
    assert out == ""
    assert err.count("fim-lsp: ") == 4
    assert spilled([*secrets, OWN], err) == []


def test_wrong_settings_never_show_a_key():
    """Neither the wrong one nor the one that stays in force."""
    layers = [
        ("a", {"apiKey": OWN}),
        ("b", {"apiKey": "two words", "api_key": 5}),
        ("c", {OWN: 1, "model": ""}),
    ]
    chosen, wrong = settings.merged(layers)
    assert chosen.api_key == OWN
    assert len(wrong) == 4
    assert spilled([OWN, "two words"], *wrong) == []


@pytest.mark.parametrize("address", ["http://:pass@host/", "http://user:pass@host/", "https://user@host"])
def test_an_address_with_a_password_is_refused(address):
    """It would be shown wherever the address is."""
    chosen, wrong = settings.merged([("a", {"baseUrl": address})])
    assert chosen.base_url == Settings().base_url
    assert len(wrong) == 1


async def test_what_was_typed_elsewhere_is_replaced_too(world):
    """Each secret, in the log of edits that the prompts of other files open with."""
    found = [*planted(12), *((line, line) for line in pem(random.Random(12)).split("\n")[:-1])]
    for start in range(0, len(found), 10):
        group = found[start : start + 10]
        uri = f"file:///hoard{start}.py"
        document = Document(uri, "python", 1, "\n")
        world.engine.open(document)
        for _, line in reversed(group):
            world.engine.edited(uri, document.change(Place(0, 0), Place(0, 0), f"{line}\n"))
        world.engine.close(uri)
        world.now += 1
        other = f"file:///other{start}.py"
        world.engine.open(Document(other, "python", 1, "x = \n"))
        await world.engine.complete(other, Place(0, 4))
        shown = world.service.requests[-1].prefix
        assert shown.endswith("x = ")
        assert all(redact_line(line) in shown for secret, line in group if secret != line)
        assert spilled([secret for secret, line in group if len(line) == 64 or secret != line], shown) == []


async def test_a_map_of_the_project_holds_no_secret(start, endpoint, tmp_path_factory):
    """Neither one that a definition shows, nor one that was cut off with its line, nor anything of a file of secrets."""
    folder, chance = tmp_path_factory.mktemp("project"), random.Random(16)
    wholes = [line.split("'")[1] for _, line in planted(16) if line.startswith("KEY")]
    wholes += [drawn(chance, WORD, length) for length in (20, 100, 150, 200, 400, 900)]
    values = {f"TOKEN_{chr(97 + n // 26)}{chr(97 + n % 26)}": whole for n, whole in enumerate(wholes)}
    (folder / "vault.py").write_text("".join(f'{name} = "{whole}"\n' for name, whole in values.items()))
    for number in range(3):
        (folder / f"use{number}.py").write_text(
            "from vault import *\n" + "".join(f"print({name})\n" for name in values)
        )
    (folder / "secrets.py").write_text(f'HIDDEN = "{wholes[0]}"\n')
    (folder / ".env").write_text(f"HIDDEN={wholes[0]}\n")
    client = await start({"context": "rich"}, key=OWN)
    added = {"uri": folder.as_uri(), "name": "project"}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [added], "removed": []}})
    seen, column = set(), 0
    client.open(f"{folder.as_uri()}/new.py", "x = \n")
    while not seen:
        await client.inline(f"{folder.as_uri()}/new.py", 0, 4 + column, explicit=True)
        prompt = endpoint.bodies[-1]["prompt"]
        seen = {name for name in values if f"{name} = " in prompt}
        client.type(f"{folder.as_uri()}/new.py", 0, 4 + column, "(")
        column += 1
        assert column < 200, "no map"
        await asyncio.sleep(0.02)
    assert len(seen) > 40
    assert spilled([whole[8:] for whole in wholes], endpoint.bodies) == []
    for name in seen:
        shown = next(line for line in prompt.split("\n") if line.startswith(f"{name} = "))
        assert values[name][8:40] not in shown
        assert "xxxxxxxx" in shown
    assert await client.stop() == 0
