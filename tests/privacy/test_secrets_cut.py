"""Secrets where a prompt is cut: within a line, within a key of many lines, in its header, in the log of edits."""

import random
import string
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.context.project_context import ProjectContext
from fim_lsp.context.window import Window
from fim_lsp.privacy.secrets import Redactor
from fim_lsp.text.document import Document, Place, split_lines

WORD = string.ascii_letters + string.digits
BOUND, SUFFIX = 48_000, 2_400


def drawn(chance, length, alphabet=WORD):
    """Characters, the last two a digit and a letter."""
    return "".join(chance.choices(alphabet, k=length - 2)) + "7k"


def signed(chance):
    """A token in three parts."""
    return "eyJ" + ".".join((drawn(chance, 60), drawn(chance, 150), drawn(chance, 43)))


def escaped(chance):
    """A private key of 1,600 characters as a string in JSON."""
    lines = textwrap.wrap(drawn(chance, 1600, WORD + "+/"), 64)
    return f"-----BEGIN PRIVATE{' '}KEY-----\\n" + "\\n".join(lines) + f"\\n-----END PRIVATE{' '}KEY-----\\n"


KINDS = {
    "GitHub": lambda chance: '"' + "gh" + "p_" + drawn(chance, 36) + '"',
    "model": lambda chance: '"' + "sk-" + "proj-" + drawn(chance, 120) + '"',
    "Stripe": lambda chance: '"' + "sk_" + "live_" + drawn(chance, 99) + '"',
    "signed": lambda chance: f'"{signed(chance)}"',
    "age": lambda chance: '"AGE-SECRET' + "-KEY-1" + drawn(chance, 58).upper() + '"',
    "Azure": lambda chance: '"AccountName=a;AccountKey=' + drawn(chance, 86, WORD + "+/") + '=="',
    "named": lambda chance: '"api_key":"' + drawn(chance, 40) + '"',
    "address": lambda chance: '"postgres://user:' + drawn(chance, 32) + '@db.internal/main"',
    "private key": lambda chance: f'"private_key":"{escaped(chance)}"',
    "SendGrid": lambda chance: '"SG.' + drawn(chance, 22) + "." + drawn(chance, 43) + '"',
    "PyPI": lambda chance: '"pypi-' + "AgE" + drawn(chance, 160) + '"',
}


def pieces(text, size=9):
    """Every piece of so many letters and digits."""
    return {
        text[at : at + size]
        for at in range(len(text) - size + 1)
        if not set(text[at : at + size]) - set(WORD)
    }


def spilled(secret, *texts):
    """Pieces of a secret that stand in one of the texts, but for those with which its kind begins."""
    return [piece for piece in pieces(secret[22:]) if any(piece in text for text in texts)]


FILLER = '"colour":"light blue","width":12,"names":["one","two"],'


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start", ["", "x = [1]\n"])
def test_a_secret_of_which_a_window_shows_only_an_end_is_replaced(kind, start):
    """In one long line: the cursor some 2,000 characters behind it, and wherever the suffix ends within it."""
    chance = random.Random(kind)
    secret = KINDS[kind](chance)
    line = "{" + FILLER * 90 + secret + "," + FILLER * 90 + "}"
    lines = split_lines(f"{start}{line}\nend")
    at, number = line.index(secret), len(lines) - 2
    cursors = [
        *range(at + 1_700, at + len(secret) + 2_300, 97),
        *range(at - 1_600, at - 1_300, 41),
    ]
    window = Window(BOUND, SUFFIX)
    for cursor in cursors:
        for shown in (window, Window(BOUND, SUFFIX)):
            prompt = shown.prompt(lines, Place(number, cursor), "")
            assert spilled(secret, *prompt) == []
            assert len(prompt.suffix) == SUFFIX * Window.SUFFIX


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_that_ends_a_long_line_above_is_replaced(kind):
    """The window begins in the middle of that line."""
    chance = random.Random(kind)
    secret = KINDS[kind](chance)
    lines = split_lines("top\n" + FILLER * 60 + secret + FILLER * 20 + "\nx = 1\ny = ")
    for size in range(1_000, 2_000, 61):
        window = Window(BOUND, SUFFIX)
        window.ARRIVAL = window._arrival = size
        window._live = min(1_500, size)
        assert spilled(secret, *window.prompt(lines, Place(3, 4), "")) == []


def key(chance, kind="OPENSSH PRIVATE", width=70, number=46, before="", after=""):
    """A key as a file holds it, or as strings in code."""
    body = textwrap.wrap(drawn(chance, width * number - 9, WORD + "+/"), width)
    lines = [f"-----BEGIN {kind}{' '}KEY-----", *body, f"-----END {kind}{' '}KEY-----"]
    return [f"{before}{line}{after}\n" for line in lines]


SHAPES = [
    ("OPENSSH PRIVATE", 70, "", ""), ("RSA PRIVATE", 64, "", ""), ("EC PRIVATE", 76, "    ", ""),
    ("PRIVATE", 64, '    "', '\\n"'), ("PRIVATE", 48, "    '", "' +"), ("PRIVATE", 100, "# ", ""), ("PRIVATE", 64, "// ", ""),
    ("PGP PRIVATE", 64, "", ""), ("ENCRYPTED PRIVATE", 60, 'key += "', '\\n";'), ("RSA PRIVATE", 40, " * ", ""),
    ("PRIVATE", 64, "", "\r"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "width", "before", "after"), SHAPES)
def test_a_key_of_many_lines_is_replaced_where_neither_of_its_ends_is_shown(kind, width, before, after):
    """Wherever the cursor stands in it, above or below it, in a window as small as may be."""
    secret = key(random.Random(width), kind, width, 50, before, after)
    secret[1:1] = ["Proc-Type: 4,ENCRYPTED\n", "\n"] if kind.startswith("RSA") and not before else []
    lines = [
        *(f"line {n} = {n}\n" for n in range(90)),
        *secret,
        *(f"then {n} = {n}\n" for n in range(90)),
        "",
    ]
    bodies = [line.strip(" \"'+;\\n#/*\r")[:60] for line in secret[1:-1] if len(line) > 30]
    for number in range(80, 90 + len(secret) + 10, 3):
        prompt = Window(900, 300).prompt(lines, Place(number, len(lines[number]) // 2), "")
        shown = [
            body for body in bodies if body[:30] in prompt.prefix + prompt.suffix or body[-30:] in prompt
        ]
        assert shown == []
    wide = Window(BOUND, SUFFIX)
    for number in (3, 95, 140, 170):
        prompt = wide.prompt(lines, Place(number, 4), "")
        assert not any(body[:30] in prompt.prefix + prompt.suffix for body in bodies)


PUTTY = """PuTTY-User-Key-File-3: ssh-rsa
Encryption: none
Comment: mine
Public-Lines: 2
{}
{}
Private-Lines: 3
{}
{}
{}
Private-MAC: 0123456789abcdef
"""


def test_of_a_key_of_putty_the_public_part_stays():
    """Its lines are in no armour, but counted."""
    chance = random.Random(5)
    parts = [drawn(chance, 64) for _ in range(5)]
    lines = split_lines("a\n" + PUTTY.format(*parts) + "b\n")
    shown = Redactor().lines(lines, 0, len(lines))
    assert [part in "".join(shown) for part in parts] == [True, True, False, False, False]
    assert Redactor().lines(lines, 9, 10) == ["x" * 64 + "\n"]


@pytest.mark.parametrize("kind", ["CERTIFICATE", "CERTIFICATE REQUEST", "PUBLIC KEY", "PGP SIGNATURE"])
def test_what_is_public_stays(kind):
    """A certificate, a signature, wherever the window begins and ends; the key behind it does not."""
    chance = random.Random(6)
    body = textwrap.wrap(drawn(chance, 64 * 20, WORD + "+/"), 64)
    public = [f"-----BEGIN {kind}-----\n", *(f"{line}\n" for line in body), f"-----END {kind}-----\n"]
    lines = [*public, *key(chance, "PRIVATE", 64)]
    for first in range(22):
        assert Redactor().lines(lines, first, 22) == public[first:]
    assert not any(line.strip() in "".join(Redactor().lines(lines, 22, len(lines))) for line in lines[23:-1])


@pytest.mark.parametrize(
    "start", ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "MIIJKAIBAAKC", "b3BlbnNzaC1rZXktdjEA"]
)
def test_a_key_without_armour_is_known_by_its_first_bytes(start):
    """As strings of code; what begins as a certificate does stays."""
    chance = random.Random(start)
    whole = textwrap.wrap(start + drawn(chance, 1600, WORD + "+/"), 64)
    lines = ["key = (\n", *(f'    "{line}"\n' for line in whole), ")\n"]
    for first in range(1, 20):
        shown = "".join(Redactor().lines(lines, first, 24))
        assert not any(line in shown for line in whole)
    public = [line.replace(start, "MIIDXTCCAkWgAwIBAgIJ") for line in lines]
    assert Redactor().lines(public, 2, 20) == public[2:20]


def test_the_header_and_the_log_hold_nothing_of_a_key_that_they_cut():
    """The file's first lines end within it; of an edit, 24 lines are logged, without its beginning."""
    secret = key(random.Random(8), "PRIVATE", 64, 40)
    text = "".join([*secret[:-1], *(f"line {n}\n" for n in range(900))])
    lines = split_lines("# top\n" + text)
    prompt = Window(8_000, SUFFIX).prompt(lines, Place(700, 3), "a.py")
    assert prompt.prefix.startswith("# a.py\n# top\n-----BEGIN")
    assert not any(line.strip() in prompt.prefix for line in secret[1:-1])
    project_context = ProjectContext(9_000)
    window, document = (
        Window(BOUND, SUFFIX, project_context, "a"),
        Document("a", "python", 1, "".join(secret)),
    )
    window.prompt(document.lines, Place(0, 0), "a.py")
    for number in range(12, 30):
        window.edited(document.change(Place(number, 0), Place(number, 1), "Q"))
    window.left(document.lines, "a.py")
    log = project_context.opening().log
    assert "x" * 60 in log
    assert not any(line[1:40] in log for line in secret[1:-1])


@given(
    st.lists(
        st.sampled_from(
            [*key(random.Random(9), "PRIVATE", 64, 5), *key(random.Random(10), "PUBLIC", 64, 3), "x = 1\n", "\n",
             "None\n", "Version: 1\n", '"' + "A1b" * 20 + '",\n', 'K = "-----BEGIN PRIVATE KEY-----"\n']
        ),
        max_size=30,
    ),
    st.data(),
)  # fmt: skip
def test_a_line_becomes_the_same_whatever_part_of_the_document_is_shown(lines, data):
    """With everything remembered or nothing, and of the same length."""
    whole = Redactor().lines(lines, 0, len(lines))
    assert [len(line) for line in whole] == [len(line) for line in lines]
    redactor = Redactor()
    for _ in range(4):
        first = data.draw(st.integers(0, len(lines)))
        last = data.draw(st.integers(first, len(lines)))
        assert redactor.lines(lines, first, last) == whole[first:last]


async def test_what_the_service_shall_stop_at_holds_no_secret(world):
    """The lines that follow the cursor, which are sent a second time as what ends an answer."""
    chance = random.Random(12)
    secret = "gh" + "p_" + drawn(chance, 36)
    text = f'def connect():\n    \n    token = "{secret}"\n    return token\n'
    world.engine.open(Document("file:///stops.py", "python", 1, text))
    await world.engine.complete("file:///stops.py", Place(1, 4))
    request = world.service.requests[-1]
    assert any("token = " in stop for stop in request.stop)
    assert spilled(secret, request.prefix, request.suffix, *request.stop) == []
