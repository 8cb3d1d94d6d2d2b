"""Real Helix in a terminal, set up from its README: the entry is in the menu, and goes in whole."""

import re
import subprocess
import time
import tomllib

import pytest
from real import ROOT, behind, block, environment, holds, program, wait


@pytest.fixture
def helix(terminal, scripted, tmp_path):
    """Open a file in Helix; its screen."""

    def begin(name, content):
        home = tmp_path / "home"
        env = environment(home, scripted.url)
        config = home / ".config" / "helix"
        config.mkdir(parents=True)
        (config / "languages.toml").write_text(block("helix", "toml", 0))
        (config / "config.toml").write_text(block("helix", "toml", 1))
        path = tmp_path / name
        path.write_bytes(content)
        screen = terminal(env, program("HX"), str(path))
        screen.until("NOR")
        return screen, path

    return begin


def offered(screen, label):
    """The screen with the entry in the menu: the first ask may only have put the question."""
    for _ in range(40):
        screen.press("C-x")
        time.sleep(0.25)
        shown = screen.screen()
        if re.search(label, shown):
            return shown
    raise AssertionError(screen.screen())


def saved(screen, path, expected):
    screen.press("Escape")
    screen.until("NOR")
    screen.type(":w\r")
    wait(lambda: holds(path, expected))


def test_a_block_goes_in_whole(helix, scripted):
    """The entry names its lines; Enter inserts them all, and undo takes all of them back."""
    scripted.says = "total = a + b\n    return total\n\n\n"
    source = b"def add(a, b):\n    \n\n\nprint(add(1, 2))\n"
    screen, path = helix("a.py", source)
    screen.type("jA")
    screen.until("INS")
    offered(screen, r"total = a \+ b +text")
    screen.press("C-n")
    # The whole text stands beside the menu, before it is taken.
    screen.until("return total")
    screen.press("Enter")
    saved(screen, path, source.replace(b"    \n", b"    total = a + b\n    return total\n"))
    screen.type("u")
    screen.type(":w\r")
    wait(lambda: holds(path, source))


def test_a_word_is_completed_in_place(helix, scripted):
    """What stands of a word already is replaced, not doubled; emoji and CRLF stay as they are."""
    scripted.says = "nt('é😀')\r\n"
    source = "s = '😀漢'; \r\nlast = 1\r\n".encode()
    screen, path = helix("b.py", source)
    screen.type("A")
    screen.until("INS")
    screen.type("pri")
    offered(screen, r"print\('é")
    screen.press("C-n", "Enter")
    wait(lambda: "print('é😀')" in screen.screen())
    saved(screen, path, source.replace(b"; ", "; print('é😀')".encode()))


def test_at_a_models_speed_the_entry_comes_by_itself(helix, scripted):
    """Half a second after the last key the menu has it, without another key and for one request."""
    scripted.first = 0.5
    scripted.says = behind("= va", "lue + 1")
    before = scripted.connections
    screen, path = helix("c.py", b"\n")
    wait(lambda: scripted.connections > before)  # it connects in advance, once it has been greeted
    screen.type("i")
    screen.until("INS")
    screen.type("val = va")
    screen.until("value + 1 text")
    assert scripted.asked <= 2  # one more for what stood there when the first key came
    screen.press("C-n", "Enter")
    saved(screen, path, b"val = value + 1\n")


def test_each_language_of_the_example_is_helixs_own(scripted, tmp_path):
    """`languages.toml` is taken as a whole: every language is one that Helix knows, with its own servers first."""
    home = tmp_path / "home"
    env = environment(home, scripted.url)
    example = (ROOT / "editors" / "helix" / "languages.toml").read_text("utf-8")
    told = {one["name"]: one["language-servers"] for one in tomllib.loads(example)["language"]}
    bare = {name: servers(env, name) for name in told}
    config = home / ".config" / "helix"
    config.mkdir(parents=True, exist_ok=True)
    (config / "languages.toml").write_text(example)
    for name, listed in told.items():
        assert listed == [*bare[name], "fim-lsp"]
        assert servers(env, name) == listed


def servers(env, language):
    """The language servers that Helix lists for a language."""
    done = subprocess.run(
        [program("HX"), "--health", language], env=env, capture_output=True, text=True, check=False
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    part = plain.partition("Configured language servers:")[2].partition("\nConfigured debug")[0]
    return re.findall(r"^\s+\S (\S+):", part, re.MULTILINE)
