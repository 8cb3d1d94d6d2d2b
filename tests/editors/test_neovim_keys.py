"""Real Neovim: what its keys do while ghost text is shown, beside menus, dot, counts and undo, and how one leaves it."""

import os
import re
import signal
import time

import pytest
from real import wait

MENU = "vim.o.autocomplete = true; vim.o.completeopt = 'menuone'"
MAPPED = """
vim.keymap.set('i', '<Tab>', function() return vim.fn.pumvisible() == 1 and '<C-n>' or '<Tab>' end, { expr = true })
"""


@pytest.fixture(params=["0.12", "0.10"])
def version(request):
    return request.param


@pytest.fixture
def opened(neovims, scripted, tmp_path):
    """Open a file in a Neovim of this test's own, with more lines in its init.lua."""

    def begin(version, content, lua=""):
        nvim = neovims.start(version, lua)
        path = tmp_path / "a.py"
        path.write_bytes(content)
        nvim.command(f"edit {path}")
        wait(nvim.attached)
        return nvim

    return begin


def shows(nvim, text):
    return wait(lambda: nvim.ghost() == text)


def menu(nvim):
    return nvim.call("nvim_call_function", "pumvisible", []) == 1


def accepted(nvim, line, key="<Tab>"):
    """Press the key, and the line comes to be this."""
    nvim.keys(key)
    wait(lambda: nvim.call("nvim_get_current_line") == line)


@pytest.mark.parametrize(
    ("key", "line"),
    [("<Tab>", "val = value + 1"), ("<M-Right>", "val = value"), ("<M-C-Right>", "val = value + 1")],
)
def test_beside_a_menu_without_a_selected_entry_ghost_text_is_taken(opened, scripted, key, line):
    """The menu that opens at each letter does not take the key; what is inserted is what was seen."""
    scripted.says = "lue + 1\n"
    nvim = opened("0.12", b"value = 1\n\n", MENU)
    nvim.keys("jival = va")
    wait(lambda: menu(nvim) and nvim.ghost() == "lue + 1")
    accepted(nvim, line, key)


def test_beside_a_menu_ghost_text_is_dismissed(opened, scripted):
    """Ctrl-] hides it, menu or not."""
    scripted.says = "lue + 1\n"
    nvim = opened("0.12", b"value = 1\n\n", MENU)
    nvim.keys("jival = va")
    wait(lambda: menu(nvim) and nvim.ghost() == "lue + 1")
    nvim.keys("<C-]>")
    shows(nvim, "")
    time.sleep(0.5)
    assert (nvim.ghost(), nvim.lines()[1]) == ("", "val = va")


def test_a_users_own_tab_keeps_the_menu(opened, scripted):
    """Where Tab has been mapped for the menu, the menu has it: before the ghost text, and after it is gone."""
    scripted.says = "lue + 1\n"
    nvim = opened("0.12", b"value = 1\n\n", MENU + MAPPED)
    nvim.keys("jival = va")
    wait(lambda: menu(nvim) and nvim.ghost() == "lue + 1")
    accepted(nvim, "val = val")
    assert menu(nvim)


SCRIPT = r"""
function! s:word() abort
  return 'wörd…'
endfunction
function! s:down() abort
  return "\<Down>"
endfunction
inoremap <M-C-Right> <C-R>=<SID>word()<CR>
inoremap <expr> <M-Right> <SID>down()
inoremap <C-]> <Nop>
"""


@pytest.mark.parametrize("tab", ["imap <expr> <Tab> 0 ? '<Plug>(jump)' : '<Tab>'", "imap <Tab> <Tab>"])
def test_keys_that_a_script_has_mapped_do_what_they_did(opened, scripted, version, tmp_path, tab):
    """Functions of the script, special keys, and a Tab that is Tab where no snippet wants it: with nothing shown, as before."""
    scripted.says = "\n"
    script = tmp_path / "keys.vim"
    script.write_text(SCRIPT + tab + "\n")
    nvim = opened(version, b"y = \nvalue = 1\n", f"vim.cmd.source('{script}')")
    nvim.lua("vim.bo.expandtab = false; vim.bo.softtabstop = 0")
    nvim.keys("A<Tab><M-C-Right><C-]>.<M-Right>!")
    wait(lambda: nvim.lines() == ["y = \twörd….", "value = 1!"])
    assert nvim.messages().strip() == ""


def test_ctrl_c_leaves_nothing_behind(opened, scripted, version):
    """No ghost text in normal mode, and what streams is ended."""
    scripted.says = "value + 1\n"
    nvim = opened(version, b"oval = \n")
    nvim.keys("A")
    shows(nvim, "value + 1")
    nvim.keys("<C-c>")
    wait(lambda: nvim.call("nvim_get_mode")["mode"] == "n")
    shows(nvim, "")
    nvim.keys("A")
    shows(nvim, "value + 1")


@pytest.mark.parametrize("key", ["<Esc>", "<C-c>"])
def test_who_leaves_ends_the_stream(opened, scripted, version, key):
    """Text that nobody waits for is not paid to its end."""
    scripted.says = "value + value * 2 - value / 3 + 1000000000000000000000000000\n"
    scripted.every = 0.3
    nvim = opened(version, b"oval = \n")
    nvim.keys("A")
    wait(lambda: scripted.asked == 1)
    before = scripted.cut
    nvim.keys(key)
    wait(lambda: scripted.cut == before + 1)


def test_dot_repeats_what_was_accepted(opened, scripted, version):
    """`cw` and an accept are one change: the next word becomes the same."""
    scripted.says = "alue + 1"
    nvim = opened(version, b"x = old \ny = old \n")
    nvim.keys("wwcwv")  # a deletion alone is quiet
    shows(nvim, "alue + 1")
    accepted(nvim, "x = value + 1 ")
    nvim.keys("<Esc>j0ww.")
    wait(lambda: nvim.lines() == ["x = value + 1 ", "y = value + 1 "])


def test_a_count_repeats_what_was_accepted(opened, scripted, version):
    """`3o` and an accept make three such lines."""
    scripted.says = "value + 1\n"
    nvim = opened(version, b"y = 2\n")
    nvim.keys("3oval = ")
    shows(nvim, "value + 1")
    accepted(nvim, "val = value + 1")
    nvim.keys("<Esc>")
    wait(lambda: nvim.lines() == ["y = 2", *["val = value + 1"] * 3])


def test_a_users_own_paste_is_left_alone(opened, scripted, version):
    """What a user has done to pasting does not touch what is accepted, and is there afterwards."""
    scripted.says = "value + 1\n"
    nvim = opened(version, b"y = \n", "vim.paste = function() pasted = true; return false end")
    nvim.keys("A")
    shows(nvim, "value + 1")
    accepted(nvim, "y = value + 1")
    assert nvim.lua("return pasted") is None
    nvim.call("nvim_paste", "z", False, -1)
    assert nvim.lua("return pasted") is True


def test_what_is_typed_behind_an_accepted_text_is_undone_alone(opened, scripted, version):
    """Undo takes the words typed behind, then the text that was accepted."""
    scripted.says = "value + 1\n"
    nvim = opened(version, b"y = \n")
    nvim.keys("A")
    shows(nvim, "value + 1")
    accepted(nvim, "y = value + 1")
    nvim.keys("  # note<Esc>u")
    wait(lambda: nvim.lines() == ["y = value + 1"])
    nvim.keys("u")
    wait(lambda: nvim.lines() == ["y = "])


@pytest.mark.parametrize(("version", "ends"), [("0.12", "disabled"), ("0.12", "killed"), ("0.10", "killed")])
def test_tab_is_tab_once_the_server_has_gone(opened, scripted, version, ends):
    """What was shown goes with the server, and the key does what it did."""
    scripted.says = "value + 1\n"
    nvim = opened(version, b"y = \n")
    nvim.lua("vim.bo.expandtab = false; vim.bo.softtabstop = 0")
    nvim.keys("A")
    shows(nvim, "value + 1")
    if ends == "disabled":
        nvim.lua("vim.lsp.enable('fim_lsp', false)")
    else:
        nvim.lua("require('fim_lsp.life').start = function() end")
        for child in nvim.lua("return vim.api.nvim_get_proc_children(vim.fn.getpid())"):
            os.kill(child, signal.SIGKILL)
    wait(lambda: not nvim.attached())
    shows(nvim, "")
    accepted(nvim, "y = \t")


def test_rows_below_the_window_are_scrolled_into_view(opened, scripted, version):
    """At the end of a long file every line of a suggestion is seen before it is taken."""
    scripted.says = "a = 1\n    b = 2\n    return a + b\n"
    nvim = opened(version, b"x = 1\n" * 60 + b"def f():\n    \n")
    nvim.keys("GA")
    shows(nvim, "a = 1\n    b = 2\n    return a + b")
    wait(lambda: nvim.lua("return vim.fn.winheight(0) - vim.fn.winline()") == 2)
    accepted(nvim, "    return a + b")


def test_rows_that_a_small_window_cannot_show_are_counted(opened, scripted, version):
    """Where scrolling is not enough, the line says how many more there are, until the suggestion is gone."""
    scripted.says = "a = 1\n    b = 2\n    return a + b\n"
    nvim = opened(version, b"def f():\n    \n")
    nvim.command("split | resize 2")

    def count():
        rows = [row for row in nvim.lua(SCREEN) if "(+" in row]
        return rows and rows[0].split()[-1]

    nvim.keys("GA")
    wait(lambda: count() == "(+1)")
    nvim.keys("<C-]>")
    wait(lambda: not count())


SCREEN = """
vim.cmd.redraw()
local rows = {}
for row = 1, vim.o.lines do
  local text = {}
  for column = 1, vim.o.columns do text[column] = vim.fn.screenstring(row, column) end
  rows[row] = table.concat(text)
end
return rows
"""


def test_ghost_text_is_in_the_window_in_which_one_types(opened, scripted, version):
    """A buffer in two windows shows it once, where the cursor is, and then in the other."""
    scripted.says = "value + 1\n    more()\n"
    nvim = opened(version, b"def f():\n    \n")
    nvim.command("split")

    def seen():
        rows = nvim.lua(SCREEN)
        return [at for at, row in enumerate(rows) if "value + 1" in row or "more()" in row]

    nvim.keys("GA")
    upper = wait(seen)
    wait(lambda: len(seen()) == 2)
    assert upper[0] < 15
    nvim.keys("<Esc><C-w>jGA")
    wait(lambda: len(seen()) == 2 and seen()[0] > 14)


def test_the_toggles_say_what_they_have_done(opened, scripted, version):
    """The <Plug> maps tell as the command does."""
    nvim = opened(version, b"y = \n", "vim.keymap.set('n', '<F2>', '<Plug>(fim-lsp-toggle)')")
    nvim.keys("<F2>")
    wait(lambda: "suggestions are off" in nvim.messages())
    nvim.keys("<F2>")
    wait(lambda: "suggestions are on" in nvim.messages())


def test_health_tells_of_what_was_wrong(opened, scripted, version):
    """A trouble that is over stands there with its time; a file without a project is said to be one."""
    scripted.fault = 401
    nvim = opened(version, b"y = \n")
    nvim.keys("A")
    wait(lambda: nvim.lua("return require('fim_lsp').statusline()") == "fim!")
    scripted.fault = None
    nvim.keys("<M-]>")
    wait(lambda: nvim.lua("return require('fim_lsp').statusline()") == "fim")
    nvim.keys("<Esc>")
    nvim.command("checkhealth fim_lsp")
    report = "\n".join(nvim.lines())
    assert re.search(r"last trouble, at \d\d:\d\d:\d\d: .*key", report)
    assert "running for 1 buffer in no project" in report


def test_health_names_who_has_the_keys(opened, scripted, version):
    """A map made after ours, and one of a buffer, are named; a key that is ours is, too."""
    nvim = opened(version, b"y = \n")
    nvim.lua("vim.keymap.set('i', '<C-]>', 'x', { desc = 'another plugin' })")
    nvim.lua("vim.keymap.set('i', '<Tab>', 'x', { desc = 'this buffer', buffer = 0 })")
    nvim.command("checkhealth fim_lsp")
    report = "\n".join(nvim.lines())
    assert re.search(r"OK accept_word: <M-Right>", report)
    assert re.search(r"WARNING .*dismiss.*<C-\]>.*another plugin", report)
    assert re.search(r"WARNING .*accept: <Tab> in a\.py .*this buffer", report)
