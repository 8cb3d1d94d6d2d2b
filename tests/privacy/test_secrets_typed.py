"""A secret while it is typed: at every key, no more than its first characters are shown."""

import random
import string

import pytest

from fim_lsp.context.window import Window
from fim_lsp.text.document import Document, Place

WORD, URL = string.ascii_letters + string.digits, string.ascii_letters + string.digits + "-_"
BEGUN = {
    "postgres": ("postgres://me:", WORD, 24), "mongodb": ("mongodb+srv://me:", WORD, 24), "redis": ("redis://:", WORD, 24),
    "https": ("https://me:", WORD, 24), "age": ("AGE-SECRET" + "-KEY-1", string.ascii_uppercase, 58),
    "Terraform": ("a1B2c3D4e5F6g7." + "atlasv1.", URL, 64), "npm": ("np" + "m_", WORD, 36), "GitLab": ("gl" + "pat-", URL, 20),
    "Google": ("AI" + "za", URL, 35), "AWS": ("AK" + "IA", string.ascii_uppercase + string.digits, 16),
    "RubyGems": ("ruby" + "gems_", "0123456789abcdef", 48), "signed": ("ey" + "JhbGciOiJIUzI1NiJ9.eyJ", URL, 60),
    "GitHub": ("gh" + "p_", WORD, 36), "model": ("sk" + "-", WORD, 48), "model of a project": ("sk" + "-proj-", URL, 60),
    "Hugging Face": ("h" + "f_", string.ascii_letters, 34), "Stripe": ("sk" + "_live_", WORD, 24),
}  # fmt: skip
NAMED = [
    'password = "',
    "api_key: '",
    'const token = "',
    '"client_secret": "',
    'self.secret_key = "',
    'let apiKey: String = "',
]
KINDS = [
    (f"{place}{start}", alphabet, length)
    for start, alphabet, length in BEGUN.values()
    for place in ("", 'x = "', "# ")
]
KINDS += [(name, WORD, 24) for name in NAMED]


@pytest.mark.parametrize(("start", "alphabet", "length"), KINDS)
def test_of_a_secret_that_is_typed_only_its_first_characters_are_shown(start, alphabet, length):
    """Asked at every key, whatever comes behind it; what is shown is as long as the text."""
    chance = random.Random(start)
    secret = (
        "A7" + "".join(chance.choices(alphabet, k=length - 2))
        if start.endswith("-")
        else "".join(chance.choices(alphabet, k=length))
    )
    for below in ("\n", "\nprint(1)\n"):
        document, window = Document("a", "python", 1, f"a = 1\n{start}{below}"), Window(9_000, 400)
        for at in range(length):
            place = Place(1, len(start) + at)
            window.edited(document.change(place, place, secret[at]))
            shown = window.prompt(document.lines, Place(1, place.column + 1), "").prefix.split("\n")[-1]
            assert len(shown) == len(start) + at + 1
            assert secret[: at + 1][4:] not in shown[len(start) :] or at < 4, shown


@pytest.mark.parametrize(
    "line",
    ["http://localhost:8080", "skip = ghp_", "token = tokens[index", 'print("password', "url = https://example.com/a:b", "def eyJ",
     'x = "a_plain_value', "password: str", "import npm_", "ask-for-more", 'password = "', "case Foo::bar:baz", 'parser.add("--token', "sk-fading-circle"],
)  # fmt: skip
def test_code_at_the_cursor_is_left_alone(line):
    """Names, ports, types, what only begins to be a value."""
    assert Window(9_000, 400).prompt([line], Place(0, len(line)), "").prefix.endswith(line)
