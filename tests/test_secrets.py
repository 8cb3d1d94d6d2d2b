"""What must never leave: files that hold secrets, and strings that look like keys wherever they stand."""

import asyncio
import random
import string
import textwrap
from dataclasses import replace

import pytest

from fim_lsp.document import Document, Place
from fim_lsp.exclude import excluded, ignored
from fim_lsp.secrets import Redactor, redact_line
from fim_lsp.settings import Settings

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
    before, after = Redactor().around("x\n" + line[:cut], line[cut:] + "\ny")
    assert secret[:8] not in before
    assert secret[8:] not in after
    assert (len(before), len(after)) == (2 + cut, len(line) - cut + 2)


@pytest.mark.parametrize(
    "path",
    ["/p/.env", "/p/.env.local", "/p/prod.env", "/p/server.PEM", "/home/u/.ssh/config", "/p/id_rsa", "/p/secrets.yaml",
     "/home/u/.aws/credentials", "/p/terraform.tfvars", "/home/u/.netrc", "/p/.npmrc", "/p/service-account-prod.json"],
)  # fmt: skip
def test_files_that_hold_secrets_are_never_sent(path):
    """By their names, whatever they hold."""
    assert excluded(f"file://{path}", [])


def test_the_user_has_the_last_word_on_files():
    """`exclude` adds files, and `!` brings one back."""
    assert excluded("file:///p/notes/private.md", ["notes/**"])
    assert not excluded("file:///p/.env.example", ["!.env.example"])
    assert not excluded("file:///p/id_rsa.pub", [])
    assert not excluded("file:///p/environment.py", [])


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


RULES = "# secrets\n*.log\n/local_secrets.py\nprivate\n**/tokens/\n!private/shown.py\nconfig/api_keys.ts\nvault/**\n"


@pytest.mark.parametrize(
    ("path", "home"),
    [
        ("/p/local_secrets.py", True), ("/p/private/notes.md", True), ("/p/a/private", True),
        ("/p/private/shown.py", False), ("/p/a/tokens/x.py", True), ("/p/tokens.py", False),
        ("/p/config/api_keys.ts", True), ("/p/vault/deep/x.go", True), ("/p/run.log", False), ("/p/a.py", False),
    ],
)  # fmt: skip
def test_what_a_gitignore_names_as_secret_stays_home(path, home):
    """A rule counts whose words are those of secrets; what is merely ignored may be completed."""
    assert excluded(f"file://{path}", ignored(RULES)) is home


async def test_a_document_that_the_workspace_ignores_as_secret_asks_for_nothing(world):
    """By the rules of its own folder; the user's own `exclude` has the last word."""
    uri = "file:///p/local_secrets.py"
    world.engine.open(Document(uri, "python", 1, "x = \n"))
    world.engine.folders({"file:///p": ignored(RULES)})
    assert await world.engine.complete(uri, Place(0, 4), explicit=True) == ()
    assert world.service.requests == []
    await world.engine.configure(replace(world.engine.settings, exclude=("!local_secrets.py",)))
    assert await world.engine.complete(uri, Place(0, 4), explicit=True) != ()
    world.engine.folders({"file:///elsewhere": ignored(RULES)})
    await world.engine.configure(replace(world.engine.settings, exclude=()))
    assert await world.engine.complete(uri, Place(0, 4), explicit=True) != ()
