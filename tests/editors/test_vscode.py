"""The packaged extension in a real VS Code, driven by keys and seen in a browser."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from real import ROOT, Scripted, behind, wait
from vscode import ITEM, PYTHON, QUICK, VIRTUAL, Code, change, extension, written

SLOW = 60.0  # seconds
FIRST = "# what somebody types who has just installed it, and looks at nothing else\n"


@pytest.fixture(scope="module")
def screens(tmp_path_factory):
    """Where pictures are kept: in CI with its output."""
    made = ROOT / ".ci" / "out" / "screens" if os.environ.get("CI") else tmp_path_factory.mktemp("screens")
    made.mkdir(parents=True, exist_ok=True)
    return made


@pytest.fixture(scope="module")
def code(tmp_path_factory, bench, screens):
    """One VS Code for all, with the key given in its first minutes."""
    bench.reset()
    bench.key = "sk-right"
    virtual = tmp_path_factory.mktemp("made") / "virtual.vsix"
    extension(virtual, "test.virtual", VIRTUAL, "onFileSystem:vscode-vfs")
    made = Code(tmp_path_factory.mktemp("code"), bench.url, screens, more=[virtual])
    try:
        path = made.load("first.py", "|\n".strip("|"))
        made.focus("Control+Home")
        made.write(FIRST, delay=20)
        wait(lambda: any("Set an API key" in text for text in made.messages()), SLOW)
        made.write(FIRST, delay=20)
        made.first = (made.status(), made.saved(path), made.do("texts", ".gettingStartedContainer"))
        made.shot("first")
        made.do("click", ".notification-list-item .monaco-button >> text=Set API key")
        made.do("waitForSelector", ".quick-input-widget >> text=secret store")
        made.shot("key")
        made.answer("sk-right")
        made.said = wait(lambda: [text for text in made.messages() if "The key works" in text], SLOW)
        yield made
    finally:
        made.close()


# No menu: while an entry of it is selected, the editor shows what goes on behind that entry alone.
QUIET = {"editor.quickSuggestions": False, "editor.suggestOnTriggerCharacters": False}


@pytest.fixture
def fresh(request, code, scripted):
    """The endpoint, asked nothing yet, knows one key."""
    scripted.key = "sk-right"
    yield code
    code.shot(f"last-{request.node.name}")
    if "paused" in code.status():
        code.run("fim-lsp: Pause")
        wait(lambda: "paused" not in code.status(), SLOW)
    code.workspace(None)
    code.trust(asked=False)
    code.set(enabled=None, languages=None, **{"trace.server": None})
    code.own(dailyBudget=None, model=None, exclude=None, trigger=None, languages=None)
    closes = {"editor.autoClosingBrackets": "never", "editor.autoClosingQuotes": "never"}
    change(code.user, {"[go]": None, "[python]": None, **closes, **dict.fromkeys(QUIET)})


def ghost(code, text):
    """Wait for exactly this ghost text."""
    try:
        wait(lambda: code.ghost() == text, SLOW)
    except AssertionError:
        code.shot("failed")
        about = f"{code.status()}\n{code.messages()}\n{code.text()[-1000:]}\n{code.logs()[-3000:]}"
        raise AssertionError(f"the ghost text is {code.ghost()!r}\n{about}") from None


def taken(code, path, typed, text):
    """What the file holds once this was typed, this suggestion was shown and all of it was taken."""
    code.write(typed)
    ghost(code, text)
    code.press("Tab")
    return code.saved(path)


def give(code, key):
    """Answer the question for a key."""
    code.run("fim-lsp: Set API key")
    code.do("waitForSelector", ".quick-input-widget >> text=secret store")
    code.answer(key)


def asked_of(scripted, text):
    """The requests whose prompt has this text.  Not their number: one that was overtaken may arrive after its successor."""
    return [body for body in scripted.bodies if text in body["prompt"]]


def test_the_key_is_checked_at_once_and_kept_in_no_file(code, bench):
    """The walkthrough led to it; the service was asked; nothing on disk holds it."""
    said = f"fim-lsp: The key works; left on the account: 9.87 USD. Asked: {bench.url}."
    assert said in code.said
    held = subprocess.run(
        ["grep", "-rlF", "sk-right", str(code.home)], capture_output=True, text=True, check=False
    )
    assert held.stdout == ""


def test_a_newcomer_is_told_of_the_key_beside_the_work(code):
    """No tab opens over the file, no typed character is lost, and the status bar says at once that there is no key."""
    status, typed, walkthrough = code.first
    assert (status, walkthrough) == ("fim-lsp: no key", [])
    assert typed.rstrip("\n") == (2 * FIRST).rstrip("\n")


def test_a_refused_key_takes_no_others_place(fresh, scripted):
    """It is said, with a button to try again; the one before completes on."""
    scripted.says = behind("= ", "one")
    path = fresh.open("refused.py", "|\n")
    give(fresh, "sk-typo")
    said = wait(lambda: [text for text in fresh.messages() if "refuses" in text], SLOW)
    refused = "Copy the key again from your account: the service refuses this one. The key before it stays."
    assert said == [f"fim-lsp: {refused} Asked: {scripted.url}."]
    assert "Try again" in fresh.buttons()
    fresh.focus("Control+Home")
    assert taken(fresh, path, "a = ", "one") == "a = one\n"


def test_one_line_and_tab(fresh, scripted):
    """Grey text behind the cursor, then text in the file."""
    scripted.says = behind("= ", "b + c")
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
    scripted.says = behind(", ", "a, b)")
    path = fresh.open("middle.py", "print(|)\n")
    assert taken(fresh, path, "1, ", "a, b") == "print(1, a, b)\n"


# What is typed, then typed along with what the editor closes, and what the model says behind the first.
CLOSED = [
    ("console.log", "(", "(total);"),
    ("const m = ", "list.map((", "list.map((x) => x.name).join(', ');"),
    ("const s = ", "`Hello ${", "`Hello ${user.name}, you are ${age}` + end;"),
    ("const n = ", "{ a: [", "{ a: [1, 2], b: f(')') };"),
    ("const p = area", "(a, ", "(a, b) + 1;"),
]


@pytest.mark.parametrize("closing", ["languageDefined", "never"])
def test_typed_along_with_what_the_editor_closes(fresh, scripted, closing):
    """All of it stands there once, whether the editor closes brackets and quotes by itself or not."""
    change(fresh.user, {"editor.autoClosingBrackets": closing, "editor.autoClosingQuotes": closing, **QUIET})
    said = {typed: text for typed, _, text in CLOSED}
    scripted.says = lambda body: next((said[one] for one in said if body["prompt"].endswith(one)), "") + "\n"
    path = fresh.open(f"closed_{closing}.js", "|\n")
    for typed, along, text in CLOSED:
        fresh.write(typed)
        ghost(fresh, text)
        fresh.write(along)
        left = text[len(along) :]
        wait(lambda left=left: held(left, fresh.ghost()), SLOW)
        fresh.shot(f"closed-{closing}")
        fresh.press("Tab")
        fresh.press("End")
        fresh.press("Enter")
    saved = fresh.saved(path)
    assert [line.strip() for line in saved.rstrip("\n").split("\n")] == [a + text for a, _, text in CLOSED]


def held(text, shown):
    """Whether what is shown is that text, but for closers that stand there already."""
    left = iter(text)
    return (
        bool(shown)
        and all(sign in left for sign in shown)
        and re.sub(r"\W", "", text) == re.sub(r"\W", "", shown)
    )


def test_beside_the_open_menu(fresh, scripted):
    """The selected entry is extended, and the menu holds nothing of ours."""
    scripted.says = " = 1\n"
    path = fresh.open("words.txt", "gamma_value\n|\n")
    fresh.write("g")  # one key: of more, the editor may list what was typed so far as a word
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
    fresh.press("Control+ArrowRight")
    ghost(fresh, " second third")
    assert not asked_of(scripted, "# first")
    assert fresh.saved(path) == "# first\n"


def test_the_next_line_alone(fresh, scripted):
    """By a key that is bound to the editor's own command; the other lines stay on screen, and nothing is asked for."""
    scripted.says = "or x in xs:\n        yield x\n"
    path = fresh.open("line.py", "def g(xs):\n    |\n")
    fresh.write("f")
    wait(lambda: "yield x" in fresh.ghost(), SLOW)
    fresh.press("Control+Alt+l")
    wait(lambda: "yield x" in fresh.ghost() and "in xs" not in fresh.ghost(), SLOW)
    assert not asked_of(scripted, "for x")
    assert fresh.saved(path) == "def g(xs):\n    for x in xs:\n\n"


def test_several_candidates(fresh, scripted):
    """Asking for the next one brings others, and the one that is shown is taken."""
    scripted.says = lambda body: behind("= ", "two()" if body["temperature"] else "one()")(body)
    path = fresh.open("cycle.py", "|\n")
    fresh.write("y = ")
    ghost(fresh, "one()")
    fresh.press("Alt+BracketRight")
    ghost(fresh, "two()")
    fresh.press("Tab")
    assert fresh.saved(path) == "y = two()\n"


def test_typing_along_asks_for_nothing(fresh, scripted):
    """What is typed goes from the suggestion to the text."""
    scripted.says = behind("= ", "alpha_beta_gamma")
    path = fresh.open("along.py", "|\n")
    fresh.write("z = ")
    ghost(fresh, "alpha_beta_gamma")
    fresh.write("alpha")
    ghost(fresh, "_beta_gamma")
    assert asked_of(scripted, "z = ")
    assert not asked_of(scripted, "z = a")
    fresh.press("Tab")
    assert fresh.saved(path) == "z = alpha_beta_gamma\n"


def test_pause_and_go_on_from_the_status_bar(fresh, scripted):
    """Paused, nothing is asked; the item says so."""
    scripted.says = behind("= ", "one")
    path = fresh.open("pause.py", "|\n")
    fresh.pick("Pause")
    wait(lambda: "paused" in fresh.status(), SLOW)
    fresh.shot("paused")
    fresh.focus()
    fresh.write("a = ")
    time.sleep(1.0)
    assert (scripted.asked, fresh.ghost()) == (0, "")
    fresh.press("Alt+Backslash")
    wait(lambda: any("Completions are paused until" in text for text in fresh.messages()), SLOW)
    fresh.do("click", ".notification-list-item .monaco-button >> text=Go on")
    wait(lambda: "paused" not in fresh.status(), SLOW)
    fresh.focus("Control+End")
    assert taken(fresh, path, "b = ", "one") == "\na = b = one"


def test_a_pause_outlives_the_server(fresh, scripted):
    """Killed in a pause, the server is back in a pause, also when the window is loaded anew; and goes on when told."""
    scripted.says = behind("= ", "one")
    path = fresh.open("paused.py", "|\n")
    fresh.pick("Pause")
    wait(lambda: "paused" in fresh.status(), SLOW)
    before = kill(fresh)
    wait(lambda: (now := set(fresh.servers())) and not now & before, SLOW)
    wait(lambda: "paused" in fresh.status(), SLOW)
    fresh.focus()
    fresh.write("a = ")
    time.sleep(1.0)
    wait(
        lambda: fresh.status() == "fim-lsp: paused", SLOW
    )  # what was shown before may have been the old server's
    assert (scripted.asked, fresh.ghost()) == (0, "")
    assert fresh.saved(path) == "\na = "
    path = fresh.open("still.py", "|\n")
    assert fresh.status() == "fim-lsp: paused"
    fresh.pick("Go on")
    wait(lambda: "paused" not in fresh.status(), SLOW)
    fresh.focus("Control+Home")
    assert taken(fresh, path, "b = ", "one") == "b = one\n"


def test_a_wrong_key_is_said_once_and_a_right_one_clears_it(fresh, scripted):
    """In a message and in the status bar, until another is given."""
    scripted.says = behind("= ", "one")
    scripted.key = "sk-other"
    path = fresh.open("key.py", "|\n")
    fresh.write("a = ")
    wait(lambda: fresh.status() == "fim-lsp: key refused", SLOW)
    fresh.write("b + c")
    time.sleep(1.0)
    said = [text for text in fresh.messages() if "key" in text]
    host = scripted.url.removeprefix("http://")
    assert said == [f"fim-lsp: Set another API key: {host} does not accept this one."]
    assert fresh.buttons() == ["Set API key"]
    fresh.shot("wrong-key")
    give(fresh, "sk-other")
    wait(lambda: fresh.status() == "fim-lsp", SLOW)
    fresh.focus("Control+End")
    assert taken(fresh, path, "d = ", "one") == "a = b + c\nd = one"
    scripted.key = "sk-right"
    give(fresh, "sk-right")
    wait(lambda: any("The key works" in text for text in fresh.messages()), SLOW)


def kill(code):
    """Kill the language server; its process."""
    found = set(code.servers())
    for number in found:
        os.kill(number, signal.SIGKILL)
    return found


def test_a_server_that_was_killed_is_back(fresh, scripted):
    """And completes."""
    scripted.says = behind("= ", "one")
    path = fresh.open("killed.py", "|\n")
    fresh.write("a = ")
    ghost(fresh, "one")
    assert kill(fresh)
    fresh.press("Escape")
    fresh.press("Enter")
    scripted.says = behind("= ", "two")
    for _ in range(20):
        fresh.write("b = ")
        time.sleep(1.0)
        if fresh.ghost() == "two":
            break
        fresh.press("Control+z")
    ghost(fresh, "two")
    fresh.press("Tab")
    assert fresh.saved(path).endswith("b = two\n")


def test_a_server_that_hangs_is_replaced(fresh, scripted):
    """ "Restart the server" puts another in the place of one that answers no more, not even to being stopped."""
    scripted.says = behind("= ", "one")
    path = fresh.open("hung.py", "|\n")
    fresh.write("a = ")
    ghost(fresh, "one")
    fresh.press("Escape")
    hung = set(fresh.servers())
    for number in hung:
        os.kill(number, signal.SIGSTOP)
    fresh.run("fim-lsp: Restart the server")
    wait(lambda: set(fresh.servers()) - hung and fresh.status() == "fim-lsp", SLOW)
    assert not any("does not start" in text for text in fresh.messages())
    wait(lambda: not hung & set(fresh.servers()), SLOW)
    fresh.focus("Control+Home")
    fresh.press("End")
    fresh.press("Enter")
    assert taken(fresh, path, "b = ", "one").endswith("\nb = one\n")


def test_explain_shows_the_bytes(fresh, scripted):
    """In a page that begins with one sentence, and wraps what is long."""
    fresh.open("explain.py", "first = 1\nsecond = |\nthird = 3\n")
    fresh.run("fim-lsp: Explain the request at the cursor")
    text = wait(lambda: fresh.page("The request at the cursor"), SLOW)
    fresh.shot("explain")
    assert re.search(
        rf"About \d+ tokens from 1 file, and 11 characters after the cursor, to {re.escape(scripted.url[7:])}",
        text,
    )
    assert "# explain.py\nfirst = 1\nsecond = \n" in text
    assert re.search(r"this file, around the cursor\s+\d+\s+\$0\.\d+ – \$0\.\d+\s+explain\.py", text)
    assert scripted.asked == 0


def test_settings_take_effect_at_once(fresh, scripted):
    """Off, and on again, without a reload."""
    scripted.says = behind("= ", "one")
    path = fresh.open("settings.py", "|\n")
    fresh.set(enabled=False)
    wait(lambda: "off" in fresh.status(), SLOW)
    fresh.write("a = ")
    time.sleep(0.7)
    assert scripted.asked == 0
    fresh.set(enabled=None)
    wait(lambda: fresh.status() == "fim-lsp", SLOW)
    fresh.press("Enter")
    assert taken(fresh, path, "b = ", "one") == "a = \nb = one\n"


def test_the_menu_leads_to_everything(fresh):
    """From the status bar: what stops completions, what sets them up, what tells of them; the last ones below the list's edge."""
    fresh.open("menu.py", "|\n")
    fresh.do("click", f"{ITEM} a")
    wanted = [
        "Pause", "Snooze", "Switch python off", "Switch off", "Change model", "Set API key", "Remove API key", "Explain",
        "What completions cost", "Settings", "the demo", "Walkthrough",
    ]  # fmt: skip
    rows = wait(lambda: (rows := fresh.rows()) and len(rows) >= len(wanted) and rows, SLOW)
    assert [word for word, row in zip(wanted, rows, strict=False) if word not in row] == [], rows
    fresh.do("fill", QUICK, "Restart the server")
    wait(lambda: fresh.rows() == ["Restart the server"], SLOW)
    fresh.press("Escape")


def test_the_settings_editor_names_each_setting_once(fresh):
    """In the extension's groups a setting stands under its own name, without the section's before it."""
    fresh.run("Preferences: Open Settings (UI)")
    fresh.do("waitForSelector", ".settings-toc-container .monaco-list-row")
    for title in ("Extensions", "fim-lsp: DeepSeek code completion", "Completions"):
        fresh.do("click", f".settings-toc-container .monaco-list-row:has-text({json.dumps(title)})")
    titles = ".setting-item-category, .setting-item-label"
    wait(lambda: {"Enabled", "Multiline"} <= set(fresh.do("texts", titles)), SLOW)
    assert not [title for title in fresh.do("texts", titles) if "Fim" in title]
    fresh.press("Escape")


def test_a_setting_of_the_start_can_be_taken_away(fresh, scripted):
    """What the server was told when it began does not outlive the setting."""
    scripted.says = behind("= ", "one")
    fresh.set(enabled=False)
    path = fresh.open("start.py", "|\n")
    wait(lambda: "off" in fresh.status(), SLOW)
    fresh.set(enabled=None)
    wait(lambda: fresh.status() == "fim-lsp", SLOW)
    assert taken(fresh, path, "a = ", "one") == "a = one\n"


def test_a_removed_key_is_used_no_more(fresh, scripted):
    """Nothing is sent with it, and the status bar says what is missing."""
    scripted.says = behind("= ", "one")
    path = fresh.open("removed.py", "|\n")
    fresh.run("fim-lsp: Remove API key")
    wait(lambda: any("The key is removed" in text for text in fresh.messages()), SLOW)
    wait(lambda: fresh.status() == "fim-lsp: no key", SLOW)
    fresh.focus("Control+Home")
    fresh.write("a = ")
    wait(lambda: any("Set an API key: without one" in text for text in fresh.messages()), SLOW)
    assert (scripted.asked, fresh.ghost()) == (0, "")
    assert fresh.saved(path) == "a = \n"
    give(fresh, "sk-right")
    wait(lambda: fresh.status() == "fim-lsp", SLOW)


def test_a_budget_that_is_used_up_can_be_passed(fresh, scripted):
    """The status bar says why nothing is asked; the menu goes on."""
    scripted.says = behind("= ", "one")
    fresh.own(dailyBudget=0)
    path = fresh.open("budget.py", "|\n")
    wait(lambda: fresh.status() == "fim-lsp: budget used", SLOW)
    fresh.write("a = ")
    wait(lambda: any("The budget that you set is used" in text for text in fresh.messages()), SLOW)
    assert (scripted.asked, fresh.ghost()) == (0, "")
    fresh.shot("budget")
    fresh.do("click", ".notification-list-item .monaco-button >> text=Go on until tomorrow")
    wait(lambda: fresh.status() == "fim-lsp", SLOW)
    fresh.focus("Control+End")
    assert taken(fresh, path, "b = ", "one") == "a = \nb = one"


def test_what_is_off_can_be_switched_on(fresh, scripted):
    """The menu says where it is off, and changes it there; a pause would not help, and is not offered."""
    scripted.says = behind("= ", "one")
    fresh.workspace({"enabled": False})
    path = fresh.open("off.py", "|\n")
    wait(lambda: fresh.status() == "fim-lsp: off", SLOW)
    fresh.do("click", f"{ITEM} a")
    rows = wait(fresh.rows, SLOW)
    fresh.shot("off")
    assert rows[0] == "Switch on: fimLsp.enabled is off in this workspace's settings"
    assert not [row for row in rows if "Go on" in row or "Pause" in row]
    fresh.press("Enter")
    wait(lambda: fresh.status() == "fim-lsp", SLOW)
    assert written(fresh.folder / ".vscode" / "settings.json") == {"fimLsp.enabled": True}
    fresh.focus("Control+Home")
    assert taken(fresh, path, "a = ", "one") == "a = one\n"


def test_a_language_is_switched_where_it_counts(fresh, scripted):
    """In the workspace's settings if they name it, in the user's own if not; the others of both stay."""
    scripted.says = behind("= ", "one")
    fresh.workspace({"languages": {"python": False}})
    fresh.set(languages={"go": False})
    path = fresh.open("language.py", "|\n")
    assert fresh.pick("Switch python on") == "Switch python on, in this workspace's settings"
    wait(
        lambda: any("python is on, in this workspace's settings." in text for text in fresh.messages()), SLOW
    )
    kept = fresh.folder / ".vscode" / "settings.json"
    wait(lambda: written(kept) == {"fimLsp.languages": {"python": True}}, SLOW)
    fresh.focus("Control+Home")
    assert taken(fresh, path, "a = ", "one") == "a = one\n"
    path = fresh.open("language.go", "|\n")
    fresh.write("a = ")
    time.sleep(0.7)
    assert (asked_of(scripted, "language.go"), fresh.ghost()) == ([], "")
    assert fresh.saved(path) == "a = \n"
    assert fresh.pick("Switch go on") == "Switch go on, in your settings"
    wait(lambda: (now := written(fresh.machine)) and now["fimLsp.languages"] == {"go": True}, SLOW)


def test_a_language_has_settings_of_its_own(fresh, scripted):
    """In a block of its own as for any setting of the editor; the menu switches it there, too."""
    scripted.says = behind(("{", ":"), "\n    alpha()\n    beta()")
    alone = {
        "[go]": {"fimLsp.multiline": "never", "fimLsp.maxTokens": 7},
        "[python]": {"fimLsp.enabled": False},
    }
    change(fresh.user, alone)
    path = fresh.open("own.go", "|\n")
    fresh.write("if x {")
    wait(lambda: asked_of(scripted, "if x {"), SLOW)
    time.sleep(0.7)
    assert fresh.ghost() == ""
    assert {body["max_tokens"] for body in scripted.bodies} == {7}
    assert fresh.saved(path) == "if x {\n"
    path = fresh.open("own.py", "|\n")
    assert fresh.pick("Switch python on") == "Switch python on, in your settings"
    wait(lambda: (now := written(fresh.user)) and now["[python]"] == {"fimLsp.enabled": True}, SLOW)
    fresh.focus("Control+Home")
    fresh.write("if x:")
    wait(lambda: "beta()" in fresh.ghost(), SLOW)
    fresh.press("Tab")
    assert fresh.saved(path) == "if x:\n    alpha()\n    beta()\n"


def test_another_model_is_asked_at_once(fresh, scripted):
    """From the menu, without a reload."""
    scripted.says = behind("= ", "one")
    path = fresh.open("model.py", "|\n")
    fresh.pick("Change model")
    wait(lambda: "deepseek-v4-pro" in fresh.rows(), SLOW)
    fresh.do("click", '.quick-input-list .monaco-list-row:has-text("deepseek-v4-pro")')
    wait(
        lambda: any("The model is deepseek-v4-pro, in your settings" in text for text in fresh.messages()),
        SLOW,
    )
    fresh.focus("Control+Home")
    assert taken(fresh, path, "a = ", "one") == "a = one\n"
    assert {body["model"] for body in scripted.bodies} == {"deepseek-v4-pro"}


def test_the_log_can_be_read(fresh):
    """In the editor's own panel."""
    fresh.open("log.py", "|\n")
    fresh.run("fim-lsp: Open log")
    shown = ".panel .view-line"
    wait(lambda: re.search(r"From.activation:.\d+.ms", " ".join(fresh.do("texts", shown))), SLOW)
    fresh.shot("log")
    fresh.run("View: Hide Panel")


def test_what_completions_cost_can_be_read(fresh, scripted):
    """The page's total is the command line's, in dollars, by model and by day."""
    scripted.says = behind("= ", "cost()")
    path = fresh.open("cost.py", "|\n")
    assert taken(fresh, path, "a = ", "cost()") == "a = cost()\n"
    fresh.run("fim-lsp: Show what completions cost")
    text = wait(lambda: fresh.page("What completions cost"), SLOW)
    fresh.shot("cost")
    env = {**fresh.env, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "fim_lsp", "usage", "--json"]
    told = json.loads(subprocess.run(command, env=env, capture_output=True, check=True).stdout)["total"]
    assert told["usd"] > 0
    totals = re.findall(r"^total\s+(\d+)\s+(\d+)\s+([\d,]+)\s.*\$([\d.]+)\s+\$", text, re.MULTILINE)
    sums = (str(told["requests"]), str(told["localHits"]), f"{told['promptTokens']:,}", f"{told['usd']:.4f}")
    assert totals == [sums] * 2
    assert re.search(r"^deepseek-flash\s+\d", text, re.MULTILINE)
    assert re.search(r"^\d{4}-\d\d-\d\d\s+\d", text, re.MULTILINE)
    fresh.press("Control+w")
    fresh.focus()
    fresh.do("hover", f"{ITEM} a")
    wait(lambda: "Today" in " ".join(fresh.do("texts", ".workbench-hover")), SLOW)
    fresh.shot("hover")
    (said,) = fresh.do("texts", ".workbench-hover")
    assert "fim-lsp ready, deepseek-flash" in said
    assert re.search(r"Session: [1-9]\d* requests?, \d+ answers? from memory", said)
    assert re.search(r"[1-9][\d,]* tokens sent.*, [1-9]\d* received: \$0\.\d*[1-9]", said)
    assert re.search(r"Today: \$0\.\d+, and \$\d\.\d+ saved", said)


def test_the_key_is_in_no_trace(fresh, scripted):
    """What editor and server say to each other is written where it is asked for, in full, with stars for the key."""
    scripted.says = behind("= ", "one")
    fresh.set(**{"trace.server": "verbose"})
    path = fresh.open("trace.py", "traced_name = 1\n|\n")
    fresh.write("a = ")
    ghost(fresh, "one")
    written = wait(lambda: "'textDocument/inlineCompletion" in (now := fresh.logs()) and now, SLOW)
    assert '"apiKey": "***"' in written
    assert "traced_name = 1" in written
    # One change of both settings: when the one is seen to be in force, so is the other.
    fresh.set(**{"trace.server": None, "enabled": False})
    wait(lambda: "off" in fresh.status(), SLOW)
    fresh.set(enabled=None)
    wait(lambda: fresh.status() == "fim-lsp", SLOW)
    fresh.press("Enter")
    traced = fresh.logs().count("'textDocument/inlineCompletion")
    fresh.write("b = ")
    ghost(fresh, "one")
    assert fresh.logs().count("'textDocument/inlineCompletion") == traced
    assert fresh.saved(path) == "traced_name = 1\na = \nb = \n"
    held = subprocess.run(
        ["grep", "-rlF", "sk-right", str(fresh.home)], capture_output=True, text=True, check=False
    )
    assert held.stdout == ""


@pytest.fixture
def elsewhere():
    """An endpoint that no request is to reach, and that would answer."""
    with Scripted() as scripted:
        scripted.reset()
        yield scripted


def hostile(code, url):
    """Settings by which a folder would send the text and the key elsewhere, or run a program of its own."""
    program = code.folder / "program.sh"
    program.write_text(f'#!/bin/sh\ntouch {code.folder}/ran\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    command = [str(program), str(ROOT / "nowhere.py")]
    return {"baseUrl": url, "pythonPath": str(program), "serverCommand": command, "demo": True}


@pytest.mark.parametrize("trusted", [True, False])
def test_a_folder_sets_neither_the_endpoint_nor_what_is_run(fresh, scripted, elsewhere, trusted):
    """Trusted or not, its other settings count where they are stricter."""
    scripted.says = behind("= ", "one")
    fresh.trust(asked=not trusted)
    fresh.own(exclude=["never-*"])
    laxer = {
        "model": "folders-own",
        "exclude": ["!never-*", "not-this.py"],
        "enabled": True,
        "maxTokens": 4096,
    }
    fresh.workspace({**hostile(fresh, elsewhere.url), **laxer, "trace.server": "verbose"})
    path = fresh.open(f"folder-{trusted}.py", "|\n")
    fresh.write("a = ")
    ghost(fresh, "one")
    if not trusted:
        assert any("Restricted Mode" in text for text in fresh.do("texts", ".statusbar-item"))
        fresh.shot("untrusted")
    fresh.press("Tab")
    assert fresh.saved(path) == "a = one\n"
    assert {body["model"] for body in scripted.bodies} == {"deepseek-flash"}
    assert {body["max_tokens"] for body in scripted.bodies} <= set(range(257))
    for name in (f"never-{trusted}.py", "not-this.py"):
        fresh.open(name, "|\n")
        wait(lambda: fresh.status() == "fim-lsp: not in this file", SLOW)
        fresh.write("bbb = ")
        time.sleep(0.7)
        assert asked_of(scripted, "bbb = ") == []
    assert ("Sending request" in fresh.logs()) == trusted
    assert elsewhere.connections == 0
    assert not (fresh.folder / "ran").exists()


def several(code, workspace, folder, name, text):
    """Load a workspace of several folders with a file of one of them; anew where the editor, on a busy machine, shows none."""
    for _ in range(4):
        path = code.load(name, text, folder=folder, workspace=workspace)
        time.sleep(1.0)
        if folder.name in code.do("texts", ".explorer-folders-view .monaco-list-row"):
            return path
    raise AssertionError("the workspace has no folders")


def test_of_several_folders_one_may_be_off(fresh, scripted, tmp_path):
    """In a workspace of several, what one folder's settings switch off is sent from neither that folder nor the other."""
    scripted.says = behind("= ", "one")
    app, lib = tmp_path / "app", tmp_path / "lib"
    for folder in (app, lib):
        folder.mkdir()
    (lib / ".vscode").mkdir()
    (lib / ".vscode" / "settings.json").write_text(json.dumps({"fimLsp.enabled": False}))
    many = tmp_path / "several.code-workspace"
    many.write_text(json.dumps({"folders": [{"path": "app"}, {"path": "lib"}]}))
    several(fresh, many, lib, "lib.py", "secret_of_lib = 1\n")
    wait(lambda: fresh.status() == "fim-lsp: not in this file", SLOW)
    fresh.focus("Control+End")
    fresh.write("a = ")
    time.sleep(1.0)
    assert (scripted.asked, fresh.ghost()) == (0, "")
    fresh.shot("folder-off")
    path = several(fresh, many, app, "app.py", "\n")
    fresh.focus("Control+Home")
    assert taken(fresh, path, "a = ", "one") == "a = one\n"
    assert asked_of(scripted, "app.py")
    assert not asked_of(scripted, "secret_of_lib")


def test_a_folder_that_is_on_no_disk(fresh, scripted, tmp_path):
    """Its open file is completed; nothing else of it is read, as a folder's on a disk is."""
    scripted.says = behind("= ", "other()")
    fresh.open("real.py", "|\n")
    wait(lambda: set(fresh.surveyors().values()) & set(fresh.servers()), SLOW)
    (tmp_path / "helper.py").write_text("def helper_of_another_file():\n    pass\n")
    before = set(fresh.servers())  # an editor may keep a window's for a while, or for hours
    path = fresh.open("virtual.py", "|\n", virtual=tmp_path)
    assert taken(fresh, path, "a = ", "other()") == "a = other()\n"
    fresh.shot("virtual")
    assert asked_of(scripted, "virtual.py")
    assert not asked_of(scripted, "helper_of_another_file")
    own = set(fresh.servers()) - before
    assert len(own) == 1
    assert not own & set(fresh.surveyors().values())


def silent(code, scripted):
    """Nothing has come by itself, and nothing was asked."""
    time.sleep(1.5)
    assert code.ghost() == ""
    assert scripted.bodies == []


def test_manual(fresh, scripted):
    """Nothing comes and nothing is asked until the editor's key asks."""
    scripted.says = behind("= ", "b + c")
    fresh.own(trigger="manual")
    path = fresh.open("manual.py", "def f(b, c):\n    |\n")
    fresh.write("a = ")
    silent(fresh, scripted)
    fresh.press("Alt+Backslash")
    ghost(fresh, "b + c")
    assert len(scripted.bodies) == 1
    fresh.press("Tab")
    assert fresh.saved(path) == "def f(b, c):\n    a = b + c\n"


def test_snoozed_and_woken(fresh, scripted):
    """The menu lets nothing come by itself for some minutes, and the status bar says how many; it wakes, too."""
    scripted.says = behind("= ", "b + c")
    fresh.open("snooze.py", "|\n")
    fresh.pick("Snooze for some minutes")
    for word in ("Everywhere", "15 minutes"):
        wait(lambda word=word: any(word in row for row in fresh.rows()), SLOW)
        fresh.do("click", f'.quick-input-list .monaco-list-row:has-text("{word}")')
    wait(lambda: "snoozed 15 min" in fresh.status(), SLOW)
    fresh.shot("snoozed")
    fresh.focus()
    fresh.write("a = ")
    silent(fresh, scripted)
    fresh.press("Alt+Backslash")
    ghost(fresh, "b + c")
    fresh.press("Escape")
    fresh.pick("Wake")
    wait(lambda: "snoozed" not in fresh.status(), SLOW)
    scripted.says = behind("= ", "d + e")  # on this line the other has been typed past already
    fresh.focus("Control+End")
    fresh.write("z = ")
    ghost(fresh, "d + e")


BOOK = {
    "cells": [
        {"cell_type": "code", "source": "import os\n", "metadata": {}, "outputs": [
            {"output_type": "stream", "name": "stdout", "text": "HELD_BACK\n"}
        ], "execution_count": 1},
        {"cell_type": "markdown", "source": "Some words.", "metadata": {}},
        {"cell_type": "code", "source": "", "metadata": {}, "outputs": [], "execution_count": None},
    ],
    "metadata": {"language_info": {"name": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}  # fmt: skip


def test_a_notebooks_cell_knows_those_above(fresh, scripted):
    """Ghost text in a cell, told by the cells above, and by nothing that these have put out."""
    scripted.says = behind("= ", "os.getcwd()")
    path = fresh.load("book.ipynb", json.dumps(BOOK))
    fresh.do("waitForSelector", ".notebook-editor .cell .monaco-editor", {"timeout": 60_000})
    cells = ".notebook-editor .cell.code .monaco-editor .view-lines"
    wait(lambda: len(fresh.do("texts", cells)) == 2, SLOW)
    fresh.do("click", f":nth-match({cells}, 2)")
    fresh.write("x = ")
    ghost(fresh, "os.getcwd()")
    fresh.shot("notebook")
    fresh.press("Tab")
    told = "import os\n\n# Some words.\n\nx = "
    # By now what follows the text that was taken may have been asked for.
    assert any(body["prompt"].endswith(told) for body in scripted.bodies)
    assert "HELD_BACK" not in str(scripted.bodies)
    assert "os.getcwd()" in fresh.saved(path)


def test_the_commit_box(fresh, scripted):
    """The source control view's box is quiet until one word switches commit messages on."""
    scripted.says = behind(("Compute ", "Say "), "the sum")
    for command in (["init", "-q"], ["config", "user.email", "a@b.c"], ["config", "user.name", "A"]):
        subprocess.run(["git", "-C", str(fresh.folder), *command], check=True, env=fresh.env)
    box = ".scm-editor .monaco-editor .view-lines"
    try:
        for on in (False, True):
            fresh.own(languages={"gitcommit": True} if on else None)
            fresh.open(f"committed{int(on)}.py", "x = 1|\n")
            scripted.bodies.clear()
            fresh.press("Control+Shift+g")
            fresh.do("waitForSelector", box, {"timeout": 60_000})
            fresh.do("click", box)
            fresh.write("Compute " if on else "Say ")
            if on:
                ghost(fresh, "the sum")
                fresh.shot("commit-box")
                assert scripted.bodies[-1]["prompt"].endswith("Compute ")
            else:
                silent(fresh, scripted)
    finally:
        shutil.rmtree(fresh.folder / ".git")


@pytest.fixture(scope="module")
def barren(tmp_path_factory, bench, screens):
    """A VS Code on a machine without a Python on the path; with an extension that may know one; nobody has given a key."""
    home = tmp_path_factory.mktemp("barren")
    python = extension(tmp_path_factory.mktemp("made") / "python.vsix", "ms-python.python", PYTHON)
    made = Code(home, bench.url, screens, more=[python], variables={"PATH": str(home), "SHELL": "/bin/bash"})
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def bare(request, barren, scripted):
    """The same for one test, as if it had just been installed."""
    yield barren
    barren.shot(f"last-{request.node.name}")
    barren.set(pythonPath=None, demo=None, serverCommand=None)
    barren.interpreter.unlink(missing_ok=True)


def test_without_a_python_one_message_says_what_to_do(bare, scripted):
    """With a button that leads to the setting; once it is set, all works without a reload."""
    bare.load("none.py", "x = 1\n")
    wait(lambda: bare.status() == "fim-lsp: problem", SLOW)
    wait(bare.messages, SLOW)
    said = [text for text in bare.messages() if "Python" in text]
    assert said == ["fim-lsp: Install Python 3.11 or newer, or name one in the settings: none was found."]
    bare.shot("no-python")
    bare.do("click", ".notification-list-item .monaco-button >> text=Open settings")
    box = ".settings-editor .setting-item-contents[aria-label*='pythonPath'], .settings-editor .setting-item-label"
    wait(lambda: any("Python Path" in text for text in bare.do("texts", box)), SLOW)
    bare.set(pythonPath=sys.executable)
    wait(lambda: bare.status() != "fim-lsp: problem", SLOW)
    assert [Path(words[0]).resolve() for words in bare.servers().values()] == [Path(sys.executable).resolve()]


def test_the_demo_completes_without_a_key(bare, scripted):
    """From the walkthrough's first step: text of the demo's own model, and no request."""
    bare.set(pythonPath=sys.executable)
    bare.load("demo.py", "x = 1\n")
    wait(lambda: bare.status() == "fim-lsp: no key", SLOW)
    bare.run("fim-lsp: Open the walkthrough")
    bare.do("waitForSelector", ".gettingStartedContainer >> text=Try without a key", {"timeout": 20_000})
    bare.shot("walkthrough")
    bare.do("click", ".gettingStartedContainer >> text=Try without a key")
    bare.do("waitForSelector", ".tab.active[data-resource-name^=Untitled]", {"timeout": 20_000})
    wait(lambda: any("This is the demo" in text for text in bare.messages()), SLOW)
    wait(lambda: "print(" in bare.ghost(), SLOW)
    assert bare.status() == "fim-lsp: demo"
    bare.shot("demo")
    assert ["--demo" in words for words in bare.servers().values()] == [True]
    bare.press("Tab")
    wait(lambda: bare.text().count('print(f"{price:.2f}")') == 2, SLOW)
    bare.run("fim-lsp: Explain the request at the cursor")
    assert "to the demo in the extension" in wait(lambda: bare.page("The request at the cursor"), SLOW)
    bare.press("Control+w")
    assert bare.pick("Leave the demo") == "Leave the demo"
    wait(lambda: bare.status() == "fim-lsp: no key", SLOW)
    assert scripted.asked == 0


@pytest.mark.parametrize("program", ["/bin/false", "/nope/fim-lsp"])
def test_a_server_that_does_not_start_is_said_once(bare, scripted, program):
    """Within seconds, in one message with buttons that help; set right, it starts without a reload."""
    bare.set(pythonPath=sys.executable)
    bare.load("dead.py", "x = 1\n")
    wait(lambda: bare.status() == "fim-lsp: no key", SLOW)
    bare.set(serverCommand=[program])
    said = f"fim-lsp: Check the setting fimLsp.serverCommand: {program} does not start, or ends at once."
    wait(lambda: bare.status() == "fim-lsp: problem", 15)
    time.sleep(1.0)
    assert [text for text in bare.messages() if "Set an API key" not in text] == [said]
    assert {"Open settings", "Open log", "Start again"} <= set(bare.buttons())
    bare.shot("does-not-start")
    bare.set(serverCommand=None)
    wait(lambda: bare.status() == "fim-lsp: no key", SLOW)


def test_a_command_of_the_users_own_runs_the_server(bare, scripted):
    """In the place of the one that travels in the extension; it needs no Python that the extension can find."""
    bare.set(serverCommand=[sys.executable, "-m", "fim_lsp"], demo=True)
    path = bare.open(
        "command.py", "def total(prices):\n    return sum(prices)\n\n\ndef mean(prices):\n    return|\n"
    )
    assert bare.servers() == {}
    bare.write(" ")
    ghost(bare, "sum(prices)")
    bare.press("Tab")
    assert bare.saved(path).endswith("\n    return sum(prices)\n")
    assert scripted.asked == 0


def test_the_python_extensions_interpreter_is_taken(bare, scripted):
    """Where no setting names one the server runs with it, and with another as soon as that is chosen."""
    own = bare.home / "environment" / "bin" / "python"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.unlink(missing_ok=True)
    own.symlink_to(Path(sys.executable).resolve())
    bare.interpreter.write_text(str(own))
    bare.load("chosen.py", "x = 1\n")
    wait(lambda: bare.status() == "fim-lsp: no key", SLOW)
    assert [words[0] for words in bare.servers().values()] == [str(own)]
    assert not any("Python" in text for text in bare.messages())
    other = own.with_name("python3")
    other.unlink(missing_ok=True)
    other.symlink_to(own.resolve())
    bare.interpreter.write_text(str(other))
    wait(lambda: [words[0] for words in bare.servers().values()] == [str(other)], SLOW)
    wait(lambda: bare.status() == "fim-lsp: no key", SLOW)
