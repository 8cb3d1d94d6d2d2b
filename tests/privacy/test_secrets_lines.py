"""Values that stand apart from their names: below them, in lists, in markup; in code of twelve languages, and in comments."""

import random
import string

import pytest

from fim_lsp.context.window import Window
from fim_lsp.privacy.secrets import Redactor
from fim_lsp.text.document import Document, Place, split_lines

WORD = string.ascii_letters + string.digits
BELOW = {
    "YAML": "password:\n  {}\n", "YAML in quotes": 'db:\n  api_key:\n    "{}"\n', "YAML folded": "secret: >-\n  {}\n",
    "YAML literal": "token: |\n  {}\n", "YAML list": "tokens:\n  - {}\n", "YAML same column": "tokens:\n- {}\n",
    "Kubernetes": '- name: API_TOKEN\n  value: "{}"\n', "JSON": '{{\n  "password":\n    "{}"\n}}\n',
    "Python mapping": 'd = {{\n    "api_key":\n        "{}",\n}}\n', "Python brackets": 'API_KEY = (\n    "{}"\n)\n',
    "Python backslash": 'API_KEY = \\\n    "{}"\n', "Python call": 'client.set_password(\n    "{}"\n)\n',
    "Python keyword": 'connect(\n    password=\n    "{}",\n)\n', "Python argument": 'p.add_argument(\n    "--token",\n    default="{}",\n)\n',
    "Python function": 'def api_key():\n    return "{}"\n', "JavaScript": 'const apiKey =\n  "{}";\n', "TypeScript": 'const apiKeys: string[] = [\n  "{}",\n];\n',
    "Go": 'setToken(\n\t"{}",\n)\n', "Go slice": 'var tokens = []string{{\n\t"one",\n\t"{}",\n}}\n', "Rust": 'let api_key: &str =\n    "{}";\n',
    "Java": 'String password =\n    "{}";\n', "Kotlin": 'val apiKey: String =\n    "{}"\n', "Swift": 'let token: String? =\n    "{}"\n',
    "C": 'static const char *api_key =\n    "{}";\n', "C#": 'var secret =\n    @"{}";\n', "PHP": "$password =\n    '{}';\n",
    "Ruby": 'api_key:\n  "{}"\n', "Elixir": 'config :app,\n  secret_key_base:\n    "{}"\n',
    "HCL": 'variable "db_password" {{\n  type    = string\n  default = "{}"\n}}\n', "HCL map": 'secrets = {{\n  db = "{}"\n}}\n',
    "XML": "<password>\n  {}\n</password>\n", "property list": "<key>ApiToken</key>\n<string>{}</string>\n",
    "list": 'TOKENS = [\n    "{0}",\n    "{0}",\n]\n', "tuple": 'credentials = (\n  "me",\n  "{}",\n)\n', "mapping": 'TOKENS = {{\n    "dev": "",\n    "prod": "{}",\n}}\n',
    "netrc": "machine h\nlogin me\npassword {}\n",
}  # fmt: skip
BESIDE = [
    "# Password for admin: {}", 'The API key is "{}".', "setx API_KEY {}", 'api_key <- "{}"', "CREATE USER me IDENTIFIED BY '{}';",
    "mysql -u root -p{} db", "sshpass -p {} ssh h", 'requests.get(u, auth=("me", "{}"))', "curl -H 'X-API-Key: {}' h", 'f"token={}"',
    "git clone https://{}@github.com/me/x", "// token {}", 'process.env.API_KEY || "{}"', 'apiKey ?? "{}"', 'token or "{}"',
    'getToken() {{ return "{}"; }}', 'const token = () => "{}"', 'SECRET = """{}"""', 'let token = String::from("{}");',
    'password = new String("{}")', 'key = base64.b64decode("{}")', 'case "password": return "{}";', 'tokens := []string{{"{}"}}',
    '<user name="x" password="{}"/>', '<property name="password" value="{}"/>', "password = '{}' 'a1B2c3D4'", "me:{{SHA}}{}aa=",
]  # fmt: skip
COMMENTS = ["# ", "// ", "-- ", " * ", "; "]


def drawn(chance, length=28):
    """A digit and letters of both cases at least."""
    return "a7K" + "".join(chance.choices(WORD, k=length - 3))


@pytest.mark.parametrize("language", BELOW)
@pytest.mark.parametrize("comment", ["", *COMMENTS])
def test_a_value_below_its_name_is_replaced(language, comment):
    """The name stays, in code as in what is commented out; a window shows it so above the cursor and behind it."""
    secret = drawn(random.Random(language))
    text = "x = 1\n" + "".join(
        comment + line + "\n" for line in BELOW[language].format(secret).split("\n")[:-1]
    )
    clean = Redactor().text(text)
    assert clean == text.replace(secret, "x" * len(secret))
    lines = split_lines(text + "y = 2\n")
    assert Window(9_000, 4_000).prompt(lines, Place(len(lines) - 1, 0), "").prefix.endswith(clean + "y = 2\n")
    assert Window(9_000, 4_000).prompt(lines, Place(0, 5), "").suffix == (clean + "y = 2\n")[5:]


@pytest.mark.parametrize("line", BESIDE)
@pytest.mark.parametrize("seed", range(4))
def test_a_value_beside_its_name_is_replaced(line, seed):
    """However the two are joined."""
    secret = drawn(random.Random(seed))
    shown = Redactor().text(line.format(secret))
    assert secret[:15] not in shown
    assert secret[14:] not in shown
    assert len(shown) == len(line.format(secret))


@pytest.mark.parametrize("quote", ["'", '"'])
@pytest.mark.parametrize("name", ["AUTH_KEY", "SECURE_AUTH_KEY", "LOGGED_IN_SALT", "NONCE_SALT"])
def test_keys_and_salts_of_every_character_are_replaced(name, quote):
    """As WordPress draws them; what stands there before they are drawn stays."""
    chance = random.Random(name)
    alphabet = "".join(c for c in string.printable[:95] if c not in "'\"\\")
    secret = "a7" + "".join(chance.choices(alphabet, k=61)) + "Z"
    line = f"define( '{name}', {quote}{{}}{quote} );"
    assert Redactor().text(line.format(secret)) == line.format("x" * 64)
    assert Redactor().text(line.format("put your unique phrase here")) == line.format(
        "put your unique phrase here"
    )


def test_a_value_follows_the_name_that_comes_to_stand_above_it():
    """The same line, under another name, at once; in a window that has shown it before."""
    secret = drawn(random.Random(1))
    window = Window(9_000, 4_000)
    lines = ["colour:\n", f"  {secret}\n", "x: 1"]
    assert secret in window.prompt(lines, Place(2, 4), "").prefix
    lines[0] = "secret:\n"
    assert secret not in Redactor().text("".join(lines))


@pytest.mark.parametrize(
    "text",
    [
        '"node_modules/js-tokens": {\n  "version": "4.0.0",\n  "integrity": "sha512-RdJUflcE3cUzKiMqQgsCu06FPu9UdIJO0A="\n}\n',
        "export const tokensSchema_0_1_0_noCode =\n  tokensSchema_0_1_0_fullCode;\n",
        '"tokenizer.ggml.tokens": "765b529dbcbc42dd202ce657341c63807b51f3b07e09898f6aa6196326865d5a"\n',
        '"tokens_map.json": "765b529dbcbc42dd202ce657341c63807b51f3b0"\n', 'if (secret.packageSlug === "claude35sonnet") {\n',
        'hashes = [\n  "765b529dbcbc42dd202ce657341c63807b51f3b0",\n]\n', '- name: API_TOKEN\n- name: COMMIT\n  value: "765b529dbcbc42dd202ce657341c"\n',
        "token:\n  kind\nrevision:\n  765b529dbcbc42dd202ce657341c63807b51f3b0\n",
        'variable "token" {\n}\nvariable "image" {\n  default = "765b529dbcbc42dd202ce657341c"\n}\n',
    ],
)  # fmt: skip
def test_what_stands_below_other_names_stays(text):
    """Digests, names, the fields of other things."""
    assert Redactor().text(text) == text


def test_a_value_deep_in_a_long_list_is_replaced():
    """Whichever line is asked for first, and whatever stands between."""
    chance = random.Random(3)
    secrets = [drawn(chance) for _ in range(60)]
    lines = ["TOKENS = [\n", *(f'    "me",\n    "{secret}",\n' for secret in secrets), "]\n"]
    lines = split_lines("".join(lines))
    for number in range(2, 100, 7):
        shown = "".join(Redactor().lines(lines, number, number + 9))
        assert [secret for secret in secrets if secret in shown] == []


def test_a_name_that_is_typed_above_a_value_hides_it_in_a_window_that_has_shown_it():
    """With the next prompt, and it is seen again with the next but one."""
    secret = drawn(random.Random(4))
    document, window = Document("a", "yaml", 1, f"colour:\n  {secret}\nx: 1\n"), Window(9_000, 4_000)
    assert secret in window.prompt(document.lines, Place(2, 4), "").prefix
    window.edited(document.change(Place(0, 0), Place(0, 6), "password"))
    assert secret not in window.prompt(document.lines, Place(2, 4), "").prefix
    window.edited(document.change(Place(0, 0), Place(0, 8), "colour"))
    assert secret in window.prompt(document.lines, Place(2, 4), "").prefix
