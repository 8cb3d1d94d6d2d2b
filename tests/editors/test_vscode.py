"""The packaged extension in a real VS Code, driven by keys and seen in a browser."""

import os
import signal
import subprocess
import time

import pytest
from real import ROOT, wait
from vscode import Code

SLOW = 90.0  # seconds


@pytest.fixture(scope="module")
def code(tmp_path_factory, bench):
    """One VS Code for all, with the key given in its first minutes."""
    screens = ROOT / ".ci" / "out" / "screens" if os.environ.get("CI") else tmp_path_factory.mktemp("screens")
    screens.mkdir(parents=True, exist_ok=True)
    bench.reset()
    bench.key = "sk-right"
    made = Code(tmp_path_factory.mktemp("code"), bench.url, screens)
    try:
        made.load("first.py", "x = 1\n")
        wait(
            lambda: "Complete code with fim-lsp" in " ".join(made.do("texts", ".gettingStartedContainer")),
            SLOW,
        )
        made.shot("walkthrough")
        made.do("click", ".gettingStartedContainer >> text=Set API key")
        made.do("waitForSelector", ".quick-input-widget >> text=secret store")
        made.answer("sk-right")
        made.said = wait(made.messages, SLOW)
        yield made
    finally:
        made.close()


@pytest.fixture
def fresh(request, code, scripted):
    """The endpoint, asked nothing yet, knows one key."""
    scripted.key = "sk-right"
    yield code
    code.shot(f"last-{request.node.name}")


def ghost(code, text):
    """Wait for exactly this ghost text."""
    try:
        wait(lambda: code.ghost() == text, SLOW)
    except AssertionError:
        code.shot("failed")
        raise AssertionError(f"the ghost text is {code.ghost()!r}") from None


def test_the_key_is_checked_at_once_and_kept_in_no_file(code):
    """The walkthrough led to it; the service was asked; nothing on disk holds it."""
    assert any("The key works; left on the account: 9.87 USD." in text for text in code.said), code.said
    held = subprocess.run(
        ["grep", "-rlF", "sk-right", str(code.home)], capture_output=True, text=True, check=False
    )
    assert held.stdout == ""


def test_one_line_and_tab(fresh, scripted):
    """Grey text behind the cursor, then text in the file."""
    scripted.says = "b + c\n"
    path = fresh.open("one.py", "def f(b, c):\n    |\n")
    fresh.write("a = ")
    ghost(fresh, "b + c")
    fresh.shot("one-line")
    fresh.press("Tab")
    assert fresh.saved(path) == "def f(b, c):\n    a = b + c\n"


def test_several_lines(fresh, scripted):
    """A block goes in whole."""
    scripted.says = "\n    for x in xs:\n        yield x\n"
    path = fresh.open("several.py", "def g(xs)|\n")
    fresh.write(":")
    wait(lambda: "yield x" in fresh.ghost(), SLOW)
    fresh.shot("several-lines")
    fresh.press("Tab")
    assert fresh.saved(path) == "def g(xs):\n    for x in xs:\n        yield x\n"


def test_in_the_middle_of_a_line(fresh, scripted):
    """What stands behind the cursor stays, once."""
    scripted.says = "a, b)\n"
    path = fresh.open("middle.py", "print(|)\n")
    fresh.write("1, ")
    ghost(fresh, "a, b")
    fresh.press("Tab")
    assert fresh.saved(path) == "print(1, a, b)\n"


def test_beside_the_open_menu(fresh, scripted):
    """The selected entry is extended, and the menu holds nothing of ours."""
    scripted.says = " = 1\n"
    path = fresh.open("words.txt", "gamma_value\n|\n")
    fresh.write("gam")
    fresh.do("waitForSelector", ".suggest-widget.visible .monaco-list-row", {"timeout": 20_000})
    wait(lambda: fresh.ghost().endswith("= 1"), SLOW)
    fresh.shot("menu")
    rows = fresh.do("texts", ".suggest-widget.visible .monaco-list-row")
    assert len(rows) == 1
    assert "gamma_value" in rows[0]
    fresh.press("Tab")
    time.sleep(0.5)
    fresh.press("Tab")
    assert fresh.saved(path) == "gamma_value\ngamma_value = 1\n"


def test_the_next_word_alone(fresh, scripted):
    """The rest stays on screen, and nothing is asked for."""
    scripted.says = "first second third\n"
    path = fresh.open("word.py", "|\n")
    fresh.write("# ")
    ghost(fresh, "first second third")
    asked = scripted.asked
    fresh.press("Control+ArrowRight")
    ghost(fresh, " second third")
    assert scripted.asked == asked
    assert fresh.saved(path) == "# first\n"


def test_several_candidates(fresh, scripted):
    """Asking for the next one brings others, and the one that is shown is taken."""
    scripted.says = lambda body: "two()\n" if body["temperature"] else "one()\n"
    path = fresh.open("cycle.py", "|\n")
    fresh.write("y = ")
    ghost(fresh, "one()")
    fresh.press("Alt+BracketRight")
    ghost(fresh, "two()")
    fresh.press("Tab")
    assert fresh.saved(path) == "y = two()\n"


def test_typing_along_asks_for_nothing(fresh, scripted):
    """What is typed goes from the suggestion to the text."""
    scripted.says = "alpha_beta_gamma\n"
    path = fresh.open("along.py", "|\n")
    fresh.write("z = ")
    ghost(fresh, "alpha_beta_gamma")
    asked = scripted.asked
    fresh.write("alpha")
    ghost(fresh, "_beta_gamma")
    assert scripted.asked == asked
    fresh.press("Tab")
    assert fresh.saved(path) == "z = alpha_beta_gamma\n"


def test_pause_and_go_on_from_the_status_bar(fresh, scripted):
    """Paused, nothing is asked; the item says so."""
    scripted.says = "one\n"
    path = fresh.open("pause.py", "|\n")
    fresh.pick("Pause")
    wait(lambda: "paused" in fresh.status(), SLOW)
    fresh.shot("paused")
    fresh.do("click", ".monaco-editor .view-lines")
    fresh.write("a = ")
    time.sleep(1.0)
    assert (scripted.asked, fresh.ghost()) == (0, "")
    fresh.pick("Go on")
    wait(lambda: "paused" not in fresh.status(), SLOW)
    fresh.do("click", ".monaco-editor .view-lines")
    fresh.press("Control+End")
    fresh.write("b = ")
    ghost(fresh, "one")
    fresh.press("Tab")
    assert fresh.saved(path) == "\na = b = one"


def test_a_wrong_key_is_said_once_and_a_right_one_clears_it(fresh, scripted):
    """In a message and in the status bar, until another is given."""
    scripted.says = "one\n"
    scripted.key = "sk-other"
    path = fresh.open("key.py", "|\n")
    fresh.write("a = ")
    wait(lambda: "problem" in fresh.status(), SLOW)
    fresh.write("b + c")
    time.sleep(1.0)
    assert len([text for text in fresh.messages() if "key" in text]) == 1, fresh.messages()
    fresh.shot("wrong-key")
    fresh.run("FIM: Set API key")
    fresh.do("waitForSelector", ".quick-input-widget >> text=secret store")
    fresh.answer("sk-other")
    wait(lambda: "problem" not in fresh.status(), SLOW)
    fresh.do("click", ".monaco-editor .view-lines")
    fresh.press("Control+End")
    fresh.write("d = ")
    ghost(fresh, "one")
    fresh.press("Tab")
    assert fresh.saved(path) == "a = b + c\nd = one"
    fresh.run("FIM: Set API key")
    fresh.do("waitForSelector", ".quick-input-widget >> text=secret store")
    fresh.answer("sk-right")


def test_a_server_that_was_killed_is_back(fresh, scripted):
    """And completes."""
    scripted.says = "one\n"
    path = fresh.open("killed.py", "|\n")
    fresh.write("a = ")
    ghost(fresh, "one")
    found = subprocess.run(
        ["pgrep", "-f", f"{fresh.home}.*run.py"], capture_output=True, text=True, check=True
    )
    for number in found.stdout.split():
        os.kill(int(number), signal.SIGKILL)
    fresh.press("Escape")
    fresh.press("Enter")
    scripted.says = "two\n"
    for _ in range(20):
        fresh.write("b = ")
        time.sleep(1.0)
        if fresh.ghost() == "two":
            break
        fresh.press("Control+z")
    ghost(fresh, "two")
    fresh.press("Tab")
    assert fresh.saved(path).endswith("b = two\n")


def test_explain_shows_the_bytes(fresh, scripted):
    """In a page that cannot be written to."""
    fresh.open("explain.py", "first = 1\nsecond = |\nthird = 3\n")
    fresh.run("FIM: Explain the request at the cursor")
    fresh.do(
        "waitForSelector", '.tab.active[data-resource-name="the request at the cursor"]', {"timeout": 20_000}
    )
    text = wait(lambda: (seen := fresh.text()) and "--- end ---" in seen and seen, SLOW)
    assert "--- prompt ---\n# explain.py\nfirst = 1\nsecond = \n--- suffix ---\n\nthird = 3" in text
    assert scripted.asked == 0
    fresh.shot("explain")


def test_settings_take_effect_at_once(fresh, scripted):
    """Off, and on again, without a reload."""
    scripted.says = "one\n"
    path = fresh.open("settings.py", "|\n")
    fresh.set(enabled=False)
    wait(lambda: "paused" in fresh.status(), SLOW)
    fresh.write("a = ")
    time.sleep(0.7)
    assert scripted.asked == 0
    fresh.set(enabled=None)
    wait(lambda: "paused" not in fresh.status(), SLOW)
    fresh.press("Enter")
    fresh.write("b = ")
    ghost(fresh, "one")
    fresh.press("Tab")
    assert fresh.saved(path) == "a = \nb = one\n"


def test_a_setting_of_the_start_can_be_taken_away(fresh, scripted):
    """What the server was told when it began does not outlive the setting."""
    scripted.says = "one\n"
    fresh.set(enabled=False)
    path = fresh.open("start.py", "|\n")
    wait(lambda: "paused" in fresh.status(), SLOW)
    fresh.set(enabled=None)
    wait(lambda: "paused" not in fresh.status(), SLOW)
    fresh.write("a = ")
    ghost(fresh, "one")
    fresh.press("Tab")
    assert fresh.saved(path) == "a = one\n"


def test_a_removed_key_is_used_no_more(fresh, scripted):
    """Nothing is sent with it, and the status bar says what is missing."""
    scripted.says = "one\n"
    path = fresh.open("removed.py", "|\n")
    fresh.run("FIM: Remove API key")
    wait(lambda: any("the key is removed" in text for text in fresh.messages()), SLOW)
    fresh.do("click", ".monaco-editor .view-lines")
    fresh.press("Control+Home")
    fresh.write("a = ")
    wait(lambda: "problem" in fresh.status(), SLOW)
    assert (scripted.asked, fresh.ghost()) == (0, "")
    assert fresh.saved(path) == "a = \n"
    fresh.run("FIM: Set API key")
    fresh.do("waitForSelector", ".quick-input-widget >> text=secret store")
    fresh.answer("sk-right")
    wait(lambda: "problem" not in fresh.status(), SLOW)
