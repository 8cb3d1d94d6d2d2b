"""The language of rules: git's own, asked of git itself, in time that no rule can stretch; and what people write besides."""

import os
import random
import shutil
import subprocess

import pytest

from fim_lsp.privacy.exclude import excluded, senseless
from fim_lsp.privacy.ignore_rules import Rules, lines_of, parsed

PARTS = [
    "a", "b", "ab", "*", "**", "***", "?", "[ab]", "[!a]", "[^b]", "[a-c]", "[z-a]", "[]a]", "[[:alpha:]]", "[[:foo:]]",
    "[", "]", "\\", "\\*", "\\a", "/", "/", "/", "**/", "/**", "!", "#", " ", "\\ ", ".", "-", "[a\\]b]", "[a-\\c]",
    "\\/", "[!]a]", "[a/b]", "{a,b}", "\t", "\r", "\u2028", "\x0b",
]  # fmt: skip
NAMES = [
    "a",
    "b",
    "ab",
    "abc",
    "c",
    "a.b",
    "*",
    "[",
    "]",
    "a b",
    "b ",
    "#a",
    "!a",
    "\\",
    "-",
    "aab",
    "{a,b}",
    ".",
    "..a",
]
FILES = 500  # of rules, four paths each
PATHS = 20


def drawn(dice):
    """A rule that nobody would write."""
    rule = "".join(dice.choice(PARTS) for _ in range(dice.randint(1, 6)))
    return dice.choice(["", "", "", "!", "/"]) + rule + dice.choice(["", "", "/"])


def verdict(rules, path):
    """Whether a path is ignored, for itself or one of its folders."""
    names = path.split("/")
    return any(
        rules.verdict("/".join(names[:stop]), folder=stop < len(names)) for stop in range(1, len(names) + 1)
    )


def test_git_agrees_on_rules_that_nobody_would_write(tmp_path):
    """500 files of rules and 10,000 paths, drawn at random: what git ignores is ignored, and no more."""
    git = shutil.which("git")
    if git is None:
        assert not os.environ.get("CI"), "git is to be there where all is tested"
        pytest.skip("git is not installed: nobody can be asked")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run([git, "init", "-q", tmp_path], check=True, env=environ)
    dice, home, different, ignored = random.Random(20261126), tmp_path / ".gitignore", [], 0
    for _ in range(FILES):
        data = "\n".join(drawn(dice) for _ in range(dice.choice([1, 1, 2, 3]))).encode()
        data = dice.choice([b"", b"", b"\xef\xbb\xbf"]) + data + dice.choice([b"", b"\n", b"\r\n"])
        home.write_bytes(data)
        drawn_paths = {"/".join(dice.choice(NAMES) for _ in range(dice.randint(1, 4))) for _ in range(PATHS)}
        paths = [path for path in drawn_paths if not {".", ".."} & set(path.split("/"))]
        asked = subprocess.run(
            [git, "check-ignore", "--no-index", "-z", "--stdin"],
            cwd=tmp_path, env=environ, input="\0".join(paths).encode(), capture_output=True, check=False,
        )  # fmt: skip
        assert asked.returncode in {0, 1}, asked.stderr
        kept = set(asked.stdout.decode().split("\0"))
        rules = Rules(lines_of(data))
        ignored += len(kept) - 1
        different += [(data, path) for path in paths if verdict(rules, path) != (path in kept)]
    assert different == []
    assert ignored > FILES


HOSTILE = [
    "a*" * 60 + "z",
    "*" * 200 + "x",
    "*a" * 30,
    "**/*a" * 30,
    "**/a/" * 40 + "c",
    "?*" * 50 + "z",
    "[a]*" * 60 + "z",
]


@pytest.mark.parametrize("rule", HOSTILE)
def test_no_rule_of_stars_hangs(rule):
    """Expressions that go back over what they have passed would not end within the age of the world."""
    for path in ("a" * 250, "/".join("a" * 250), "/".join(["a" * 20] * 100), "a/b/" * 120 + "d"):
        Rules([rule]).verdict(path, folder=False)


def test_a_broken_rule_is_dropped_and_no_other():
    """An exclamation mark alone, a backslash at the end, a set without end, a byte order mark, odd line ends."""
    data = b"\xef\xbb\xbffirst\r\n!\n\\\nbroken\\\n[z\n[[:no:]]\n/\n\n# of \xe2\x80\xa8all\nlast"
    rules = Rules(lines_of(data))
    assert len(rules) == 2
    assert rules.verdict("first", folder=False)
    assert rules.verdict("last", folder=False)
    assert rules.verdict("all", folder=False) is None


def test_case_counts_or_not():
    """As the file system has it; and composed letters are those that macOS decomposes."""
    assert Rules(["Private/**", "*.PY"], fold=True).verdict("private/x.md", folder=False)
    assert Rules(["*.PY"]).verdict("a.py", folder=False) is None
    assert Rules(["cl\u00e9*"]).verdict("cle\u0301.py", folder=False)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("config/**/keys.py", "/p/config/keys.py"), ("config/**/keys.py", "/p/config/a/b/keys.py"),
        ("**/*.{pem,crt}", "/p/a.crt"), ("{private,internal}/**", "/p/internal/x.py"), ("x.{a,{b,c}}", "/p/x.c"),
        ("./private/**", "/p/private/x.py"), ("~/p/private/**", "/home/u/p/private/x.py"),
        ("$HOME/p/**", "/home/u/p/x.py"), ("file:///home/u/my%20p/private/**", "/home/u/my p/private/x.py"),
        ("secrets", "/p/secrets/deep/a.py"), ("**/private", "/p/private/a.py"), ("/home/u/x.py", "/home/u/x.py"),
        ("private\\*.py", "/p/private/a.py"), ("private\\**", "/p/private/a.py"), ("private\\keys.py", "/p/private/keys.py"),
        ("C:\\Users\\me\\private\\**", "/c:/Users/me/private/x.py"), ("c:/Users/me/**", "/c:/Users/me/x.py"),
        ("[^a]x.py", "/p/bx.py"), ("  private/** ", "/p/private/x.py"), ("lib/", "/p/lib/a.py"), ("#notes#", "/p/#notes#"),
        ("notes/**", "/p/notes/private.md"), ("*", "/p/a.py"), ("my file.py", "/p/my file.py"),
    ],
)  # fmt: skip
def test_what_people_write_is_understood(pattern, path):
    """Braces, homes, backslashes, addresses, folders by name, blanks; and it says nothing of other files."""
    assert excluded([path], [pattern])
    assert pattern == "*" or not excluded(["/q/other.rs"], [pattern])
    assert senseless([pattern]) == []


def test_the_user_has_the_last_word_on_files():
    """`!` brings back what the list names, a file or all in a folder; not below a folder that is excluded."""
    assert not excluded(["/p/.env.example"], ["!.env.example"])
    assert not excluded(["/h/.aws/config"], ["!.aws/"])
    assert not excluded(["/p/secrets/x.txt"], ["!secrets/*.txt"])
    assert excluded(["/p/private/ok.md"], ["private/", "!private/ok.md"])
    assert not excluded(["/p/private/ok.md"], ["private/**", "!private/ok.md"])
    assert not excluded(["/p/a.py"], ["*", "!*.py"])
    assert not excluded(["/p/a.py"], [], ignored=lambda path: path == "/p/b.py")
    assert excluded(["/p/b.py"], [], ignored=lambda path: path == "/p/b.py")
    assert not excluded(["/p/b.py"], ["!b.py"], ignored=lambda path: path == "/p/b.py")


def test_a_pattern_that_names_nothing_is_told():
    """By its number: it might be anything."""
    wrong = ["ok", "!", "  ", "[", "../x", "/", "a/[[:no:]]", "//", "ok/**"]
    assert [sentence.split()[1] for sentence in senseless(wrong)] == ["2", "3", "4", "5", "6", "7", "8"]
    assert parsed("# said") is None


SECRET = """.env .env.local prod.env server.PEM .ssh/config id_rsa secrets.yaml .envs/.production/.postgres .env/production.json
secrets/db_password.txt secrets/db_password .dev.vars .flaskenv .netrc.bak credentials~ server.key.bak secrets.yml.bak
secrets.yml.old x.pem.1 .server.key.swp .#credentials #credentials# server.key.~1~ id_rsa.old terraform.tfstate.backup
passwords.txt vault.yml google-services.json app-firebase-adminsdk-x1.json .git/config .git/modules/x/config deploy_key
ssh_host_rsa_key admin.conf talosconfig wireguard/wg0.conf wg0.conf rclone.conf .config/fish/fish_history .viminfo
.m2/settings.xml /etc/shadow /dev/shm/pass.abc/Y.txt /tmp/pass.abcdefghijklm/Y.txt /dev/shm/gopass-edit123/secret
/tmp/kubectl-edit-123.yaml /tmp/1234.credentials.yml /tmp/20241105-12-abc-credentials.yml /tmp/2024-3-production.yml
.ansible/tmp/ansible-local-12ab/tmpx.yml /tmp/1234567890/values.yaml /tmp/sops123/a.yaml /var/tmp/shadow.Xy12AbCd
/var/tmp/hostsXXABXX12.conf /tmp/chezmoi-encrypted12/x netrc dot_npmrc dot_ssh/config private_dot_ssh/private_config
private_dot_netrc.tmpl .netrc##os.Linux credentials .aws/credentials secrets.prod.yaml .bash_history"""
ORDINARY = """a.py secrets.py secrets/__init__.py secrets/store.go secrets/Makefile secrets/sub/a.py credentials/provider.go
credentials.py kubeconfig/kubeconfig.go netrc/netrc.go passwords/views.py id_rsa.pub environment.py tokens.py auth.py
vault.py env.py /var/tmp/p/a.py /tmp/x/a.py keys.py history.py backup.py v1.2 a1.py config settings.xml pass.go dot_product.py
private_key.rs package.json config.yml"""


def test_the_list_names_secrets_and_spares_source_code():
    """By place, tool and backup, also under the names of dotfile managers."""
    at = [name if name.startswith("/") else f"/home/u/p/{name}" for name in SECRET.split()]
    assert [path for path in at if not excluded([path], [])] == []
    at = [name if name.startswith("/") else f"/home/u/p/{name}" for name in ORDINARY.split()]
    assert [path for path in at if excluded([path], [])] == []


def test_no_name_hangs_the_look_for_backups():
    """Names that look like the backup of a backup, almost."""
    for name in (
        "~" * 254,
        ".1" * 120 + "x",
        "1" * 254,
        "##" * 100 + "\nx",
        "private_" * 9000,
        ".old" * 60 + "\n",
    ):
        assert not excluded([f"/p/{name}"], [])
