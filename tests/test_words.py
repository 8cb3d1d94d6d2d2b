"""Keys, commands and states have the same names everywhere: README's tables beside what each editor's part defines."""

import json
import re
from pathlib import Path

import pytest
from test_editors import extension

ROOT = Path(__file__).parents[1]
EDITORS = ROOT / "editors"
ACTIONS = ("accept", "accept a word", "accept a line", "dismiss", "ask", "next, previous")


def read(*parts):
    return ROOT.joinpath(*parts).read_text("utf-8")


def table(heading):
    """The first table under a heading of README: its rows, each by the first cell, with the others as they are."""
    rows = read("README.md").partition(f"\n{heading}\n")[2].partition("|---")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line[1:-1].split("|")] for line in rows.splitlines()[1:]]
    return {first: rest for first, *rest in cells}


def codes(cell):
    """What stands between backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def keys(editor):
    """An editor's keys by README, by what they do."""
    return {action: codes(cell) for action, cell in zip(ACTIONS, table("### Keys")[editor], strict=True)}


def spelled(lhs):
    """`Alt-Right` for `<M-Right>`."""
    name = lhs.strip("<>")
    return re.sub(r"^(?:M-C|C-M)-", "Ctrl-Alt-", name).replace("M-", "Alt-").replace("C-", "Ctrl-")


def rows(text):
    """The rows of a text's tables, cell by cell."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]


def test_neovims_keys():
    """The plugin's defaults, its help and its README have the keys of the table."""
    lua = (
        read("editors", "nvim", "lua", "fim_lsp", "keys.lua")
        .partition("local DEFAULTS = {")[2]
        .partition("}")[0]
    )
    defaults = {name: spelled(lhs) for name, lhs in re.findall(r"(\w+) = '([^']+)'", lua)}
    said = keys("Neovim")
    assert defaults == {
        "accept": said["accept"][0],
        "accept_word": said["accept a word"][0],
        "accept_line": said["accept a line"][0],
        "dismiss": said["dismiss"][0],
        "next": said["next, previous"][0],
        "prev": said["next, previous"][1],
    }
    assert said["ask"] == [defaults["next"]]
    helped = re.findall(
        r"^(<\S+>) +(\w+) +\*<Plug>", read("editors", "nvim", "doc", "fim_lsp.txt"), re.MULTILINE
    )
    assert {name: spelled(lhs) for lhs, name in helped} == defaults
    own = {row[0]: row[1] for row in rows(read("editors", "nvim", "README.md"))}
    plugs = {f"<Plug>(fim-lsp-{name.replace('_', '-')})": key for name, key in defaults.items()}
    assert {plug: key for key, plug in own.items() if plug in plugs} == plugs


def test_vs_codes_keys():
    """The key that the extension binds, and the tables of its README and walkthrough, are those of the table."""
    (bound,) = extension()["contributes"]["keybindings"]
    assert bound["command"] == "editor.action.inlineSuggest.trigger"
    assert [bound["key"]] == [key.lower().replace("-", "+") for key in keys("VS Code")["ask"]]
    for file in ("README.md", "media/type.md"):
        shown = {row[0]: row[1:] for row in rows(read("editors", "vscode", file)) if row[0] in ACTIONS}
        assert set(shown) >= set(ACTIONS) - {"accept a line"}
        for column, editor in enumerate(("VS Code", "VS Code, macOS")):
            for action, cells in shown.items():
                wanted = keys(editor)[action]
                if action != "accept a line":
                    assert cells[column].replace("+", "-").split(", ") == wanted, (file, action)
    assert "`editor.action.inlineSuggest.acceptNextLine`" in read("editors", "vscode", "README.md")


# What Emacs' global map has on the commands that the keymap takes the place of.
EMACS = {"forward-word": "M-f", "move-end-of-line": "C-e", "keyboard-quit": "C-g"}


def test_emacss_keys():
    """The keymap while ghost text is shown, the Commentary and the README have the keys of the table."""
    lisp = read("editors", "emacs", "fim-lsp.el")
    made = lisp.partition("(defvar-keymap fim-lsp-ghost-map")[2].partition("\n\n")[0]
    found = re.findall(r'"(?:<remap> <)?([^">]+)>?" #\'(fim-lsp-[\w-]+)', made)
    bound = {}
    for key, command in found:
        bound.setdefault(command, EMACS.get(key, key))
    said = keys("Emacs")
    assert bound == {
        "fim-lsp-accept": said["accept"][0],
        "fim-lsp-accept-word": said["accept a word"][0],
        "fim-lsp-accept-line": said["accept a line"][0],
        "fim-lsp-dismiss": said["dismiss"][0],
        "fim-lsp-next": said["next, previous"][0],
        "fim-lsp-previous": said["next, previous"][1],
    }
    assert said["ask"] == ["M-x fim-lsp-complete"]
    own = {row[0]: row[1] for row in rows(read("editors", "emacs", "README.md"))}
    assert own[said["accept"][0]] == "accept"
    assert own[said["accept a word"][0]] == "accept a word"
    assert own[said["accept a line"][0]].startswith("accept a line")
    assert own[said["dismiss"][0]] == "dismiss"
    assert ", ".join(said["next, previous"]) in own
    commentary = lisp.partition(";;; Commentary:")[2].partition(";;; Code:")[0]
    assert all(key in commentary for key in bound.values())


def test_vims_keys():
    """The maps that its README gives for coc.nvim are those of the table."""
    maps = re.findall(r"^inoremap \S+ (<\S+>) coc#inline#visible\(\) \? coc#inline#accept\((.*?)\)",
                      read("editors", "vim", "README.md"), re.MULTILINE)  # fmt: skip
    said = keys("Vim, coc.nvim")
    assert [(spelled(lhs), how) for lhs, how in maps] == [
        (said["accept"][0], ""), (said["accept a word"][0], "'word'")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("editor", "folder"),
    [
        ("Emacs, eglot alone", "emacs"), ("Emacs, lsp-mode alone", "emacs"), ("Helix", "helix"), ("Vim, vim-lsp", "vim"),
        ("Sublime Text", "sublime"), ("Kakoune", "kakoune"), ("Zed", "zed"), ("JetBrains IDEs", "jetbrains"),
    ],
)  # fmt: skip
def test_the_keys_of_others_stand_in_their_readmes(editor, folder):
    """What the table says of an editor that has keys of its own, its README says, too."""
    readme = read("editors", folder, "README.md")
    assert all(key in readme for cell in table("### Keys")[editor] for key in codes(cell))


def test_the_editors_of_the_table_are_those_of_the_folders():
    """Each folder has a row, and each row a folder."""
    named = {re.split(r"[ ,]", editor)[0] for editor in table("### Keys")}
    titles = {"nvim": "Neovim", "vscode": "VS", "jetbrains": "JetBrains"}
    folders = {path.name for path in EDITORS.iterdir() if path.is_dir()}
    assert named == {titles.get(name, name.title()) for name in folders}


def commands():
    """README's commands: VS Code's title, and the words between backquotes for Neovim, Emacs and the server."""
    return [
        (code, *(codes(cell)[:1] for cell in others)) for code, *others in table("### In the editor").values()
    ]


def test_every_editor_has_every_command():
    """Titles of VS Code's palette, words behind `:FimLsp`, commands of Emacs and of the server: all that there are, and no other."""
    titles, neovim, emacs, server = ([row[at] for row in commands()] for at in range(4))
    offered = {row["title"] for row in extension()["contributes"]["commands"]}
    assert set(titles) <= offered
    lua = read("editors", "nvim", "lua", "fim_lsp", "command.lua").partition("local SUB = {")[2]
    assert set(re.findall(r"^  (\w+) = function", lua, re.MULTILINE)) == {word for (word,) in neovim[:-1]}
    assert neovim[-1] == emacs[-1] == ["DEEPSEEK_API_KEY"]
    helped = read("editors", "nvim", "doc", "fim_lsp.txt")
    assert all(re.search(rf"^:FimLsp {word}\b", helped, re.MULTILINE) for (word,) in neovim[:-1])
    readme = read("editors", "nvim", "README.md")
    assert all(f"`{word}" in readme or f"`:FimLsp {word}`" in readme for (word,) in neovim[:-1])
    lisp = read("editors", "emacs", "fim-lsp.el")
    at_once = set(
        re.findall(r"^\(defun fim-lsp-([a-z][\w-]*) .*\n(?:.*\n){1,3}?  \(interactive", lisp, re.MULTILINE)
    )
    of_keys = {"accept", "accept-word", "accept-line", "next", "previous", "dismiss", "complete"}
    assert at_once - of_keys == {word for (word,) in emacs[:-1]}
    served = set(re.findall(r'@server\.command\("(fimLsp\.\w+)"\)', read("fim_lsp", "lsp", "server.py")))
    assert served == {word for words in server for word in words}
    # One name, as each editor spells it.
    for (word,), (dashed,) in zip(neovim[:-1], emacs[:-1], strict=True):
        assert re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", word) == dashed
    assert all(
        words in ([], [f"fimLsp.{word}"]) for words, (word,) in zip(server[:-1], neovim[:-1], strict=True)
    )


def test_every_editor_has_the_same_words_for_states():
    """README's list is VS Code's, Neovim's and Emacs'; VS Code has two more, of the file that is open."""
    said = read("README.md").partition("What the status says, in each of them: ")[2].partition(".\n")[0]
    words = {"snoozed {n} min" if word == "snoozed" else word for word in codes(said)}
    code = read("editors", "vscode", "src", "wording.ts").partition("function word(")[2].partition("\n}")[0]
    of_code = {re.sub(r"\{0\}", "{n}", word) for word in re.findall(r'l10n\.t\("([^"]+)"', code)}
    assert of_code - words == {"not in this file", "off in {n}"}
    assert words <= of_code
    lua = (
        read("editors", "nvim", "lua", "fim_lsp", "status.lua")
        .partition("function M.state(")[2]
        .partition("\nend")[0]
    )
    states = {"error", "paused", "busy", "key", "everything", "ready"}
    of_lua = {word.replace("%d", "{n}") for word in re.findall(r"(?:and|or|return) \(?'([^']+)'", lua)}
    assert of_lua == words
    lisp = (
        read("editors", "emacs", "fim-lsp.el").partition("(defun fim-lsp--state-word")[2].partition("\n\n")[0]
    )
    found = {word.replace("%d", "{n}") for word in re.findall(r'"([^"\n]+)"', lisp.partition("pcase")[2])}
    assert found - words <= states
    assert words <= found


def test_the_words_of_status_lines():
    """Neovim's and Emacs' are one set, and their READMEs have it."""
    lua = read("editors", "nvim", "lua", "fim_lsp", "status.lua")
    of_lua = set(re.findall(r"= '(fim[^']*)'", lua.partition("local WORDS")[2].partition("}")[0]))
    lisp = read("editors", "emacs", "fim-lsp.el").partition("(defun fim-lsp--lighter")[2].partition("\n\n")[0]
    assert set(re.findall(r'" (fim[^"]*)"', lisp)) == of_lua == {"fim", "fim..", "fim off", "fim!"}
    for folder in ("nvim", "emacs"):
        assert all(f"`{word}`" in read("editors", folder, "README.md") for word in of_lua)


def test_settings_have_one_name():
    """Each README that names a setting of the section uses a name that there is."""
    known = {
        name.removeprefix("fimLsp.")
        for group in extension()["contributes"]["configuration"]
        for name in group["properties"]
    }
    for path in EDITORS.glob("*/README.md"):
        text = path.read_text("utf-8")
        named = set(re.findall(r"fimLsp\.(\w+)", text)) | set(
            re.findall(r"fimLsp\"?:? [={(\[]+ ?\"?:?(\w+)", text)
        )
        assert named <= known | {"trace"}, (path, named - known)


def test_the_list_of_translations_has_the_commands_words():
    """Titles of the palette stand in the manifest's texts alone."""
    texts = json.loads(read("editors", "vscode", "package.nls.json"))
    titles = [row[0] for row in commands()]
    assert set(titles) <= {text for name, text in texts.items() if name.startswith("command.")}
