"""Real Neovim with a language's own server beside ours, and with ours but without our plugin."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from real import wait

OWN = """
vim.lsp.config('own', { cmd = { %s }, filetypes = { 'python' }, root_markers = { '.git' } })
vim.lsp.enable('own')
vim.o.completeopt = 'menuone,noselect'
"""
MENU = """
local client = vim.lsp.get_clients({ name = 'own', bufnr = 0 })[1]
vim.lsp.completion.enable(true, client.id, 0)
vim.lsp.completion.get()
"""
ITEMS = """
if vim.fn.pumvisible() == 0 then return {} end
return vim.tbl_map(function(item) return { item.word, item.abbr, item.kind } end, vim.fn.complete_info({ 'items' }).items)
"""
BARE = """
vim.o.completeopt = 'menuone,noselect'
vim.api.nvim_create_autocmd('FileType', {
  callback = function() vim.lsp.start({ name = 'bare', cmd = { 'fim-lsp' } }) end,
})
vim.api.nvim_create_autocmd('LspAttach', {
  callback = function(event)
    if vim.lsp.completion then vim.lsp.completion.enable(true, event.data.client_id, event.buf) end
    vim.g.attached = true
  end,
})
"""


@pytest.fixture
def own():
    """The command of a language's own server, as a list in Lua: pyright where PYRIGHT names one, else ty."""
    if path := os.environ.get("PYRIGHT", ""):
        return f"'{path}', '--stdio'"
    path = shutil.which("ty", path=str(Path(sys.executable).parent))
    if not path:
        reason = "ty is not installed, and PYRIGHT names no pyright-langserver"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return f"'{path}', 'server'"


def test_the_languages_own_completions_are_as_they_were(neovims, scripted, tmp_path, own):
    """The menu beside our server is the menu without it, and ghost text stands on the same screen."""
    scripted.says = "join('a', 'b')\n"
    nvim = neovims.start("0.12", OWN % own)
    path = tmp_path / "a.py"
    path.write_text("import os.path\n\nname = '😀'; os.path.\n")
    nvim.command(f"edit {path}")
    wait(nvim.attached)
    wait(lambda: nvim.lua("return #vim.lsp.get_clients({ name = 'own', bufnr = 0 })") == 1)

    def menu():
        nvim.keys("<Esc>GA")
        nvim.lua(MENU)
        found = wait(lambda: nvim.lua(ITEMS), 30)
        nvim.keys("<C-e><Esc>")
        return found

    beside = menu()
    nvim.command("FimLsp status")
    nvim.keys("A")
    wait(lambda: nvim.ghost() == "join('a', 'b')")
    nvim.keys("<Esc>")
    nvim.lua("vim.lsp.enable('fim_lsp', false)")
    wait(lambda: nvim.lua("return #vim.lsp.get_clients({ name = 'fim_lsp' })") == 0)
    alone = menu()
    assert len(alone) > 20
    assert beside == alone


def opened(neovims, version, path, content):
    nvim = neovims.start(version, BARE, plugin=False)
    path.write_bytes(content)
    nvim.command(f"edit {path}")
    wait(lambda: nvim.lua("return vim.g.attached == true"))
    return nvim


def test_without_the_plugin_the_menu_has_every_line(neovims, scripted, tmp_path):
    """In Neovim's own menu the entry goes in whole, signs of snippets included."""
    scripted.says = "total = {'$a': a}\n    if a:\n        return '\\\\'\n"
    path = tmp_path / "b.py"
    nvim = opened(neovims, "0.12", path, b"def f(a):\n    \n")
    nvim.keys("jA")
    wait(
        lambda: nvim.lua(
            "vim.lsp.completion.get(); vim.wait(100); return vim.fn.mode() == 'i' and vim.fn.pumvisible() == 1"
        )
    )
    nvim.keys("<C-n><C-y>")
    wait(lambda: len(nvim.lines()) == 4)
    nvim.keys("<Esc>")
    nvim.command("write")
    assert path.read_text() == "def f(a):\n    total = {'$a': a}\n    if a:\n        return '\\\\'\n"


def test_without_the_plugin_0_10_has_one_line(neovims, scripted, tmp_path):
    """0.10 garbles several lines: its menu gets the first, and that is inserted whole."""
    scripted.says = "total = {'$a': a}\n    if a:\n        return 1\n"
    path = tmp_path / "c.py"
    nvim = opened(neovims, "0.10", path, b"def f(a):\n    \n")
    nvim.keys("jA")
    for _ in range(40):
        nvim.keys("<C-x><C-o>")
        if wait(lambda: True) and nvim.lua("vim.wait(150); return vim.fn.pumvisible() == 1"):
            break
    nvim.keys("<C-n><C-y><Esc>")
    wait(lambda: nvim.lines()[1] == "    total = {'$a': a}")
    nvim.command("write")
    assert path.read_text() == "def f(a):\n    total = {'$a': a}\n"
