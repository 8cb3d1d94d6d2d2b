"""Real Neovim: its help of this plugin, and the plugin as a plugin manager brings it."""

import re
import shutil
import subprocess

import pytest
from real import ROOT, block, wait

DOC = ROOT / "editors" / "nvim" / "doc"
STUMBLES = """
local text = table.concat(vim.fn.readfile(...), '\\n') .. '\\n'
local found = {}
local function walk(node)
  if node:type() == 'ERROR' or node:missing() then found[#found + 1] = (node:range()) + 1 end
  for child in node:iter_children() do walk(child) end
end
walk(vim.treesitter.get_string_parser(text, 'vimdoc'):parse()[1]:root())
return found
"""
LATER = """
local spec = ({ %s })[1]
local before = vim.fn.exists(':FimLsp')
spec.config({ name = spec.name, dir = ... })
return { before, vim.fn.exists(':FimLsp') }
"""
DEAD = """
local dead = {}
for tag in table.concat(vim.fn.readfile(...), '\\n'):gmatch('|([^|%s]+)|') do
  if not vim.tbl_contains(vim.fn.getcompletion(tag, 'help'), tag) then dead[#dead + 1] = tag end
end
return dead
"""


@pytest.mark.parametrize("version", ["0.12", "0.10"])
def test_help_is_there_as_soon_as_the_plugin_is(neovims, scripted, version):
    """`:help fim_lsp` opens it without another command, and so does each function's name."""
    nvim = neovims.start(version)
    for tag in ("fim_lsp", ":FimLsp", "fim_lsp.setup()", "g:fim_lsp_keys", "fim_lsp-troubles"):
        nvim.command(f"help {tag}")
        assert nvim.call("nvim_buf_get_name", 0).endswith("doc/fim_lsp.txt")


def test_help_is_sound(neovims, scripted, tmp_path):
    """Its tags are those that `:helptags` makes, its links lead somewhere, and its parser stumbles nowhere."""
    nvim = neovims.start("0.12")
    file = str(DOC / "fim_lsp.txt")
    shutil.copytree(DOC, tmp_path / "doc")
    (tmp_path / "doc" / "tags").unlink()
    nvim.command(f"helptags {tmp_path / 'doc'}")
    assert (tmp_path / "doc" / "tags").read_text() == (DOC / "tags").read_text()
    assert nvim.lua(STUMBLES, file) == []
    assert nvim.lua(DEAD, file) == []
    assert all(len(line) <= 78 for line in (DOC / "fim_lsp.txt").read_text().splitlines())


def test_neovims_own_manager_brings_it_in_two_lines(neovims, scripted, tmp_path):
    """README's lines and no other: installed, it completes, its command and its help are there."""
    scripted.says = "call()\n"
    repository = tmp_path / "fim-lsp"
    shutil.copytree(ROOT / "editors" / "nvim", repository / "editors" / "nvim")
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    for command in (["init"], ["add", "."], ["commit", "-m", "all"]):
        subprocess.run(["git", *author, *command], cwd=repository, check=True, capture_output=True)
    lua = block("nvim", "lua", 2).replace(str(ROOT), str(repository))
    assert len(lua.splitlines()) == 2
    path = tmp_path / "a.py"
    path.write_bytes(b"x = \n")
    # It asks before it installs.
    lua = lua.replace("{ load =", "{ confirm = false, load =")
    nvim = neovims.start("0.12", lua, plugin=False)
    wait(lambda: nvim.call("nvim_call_function", "exists", [":FimLsp"]) == 2, 30)
    nvim.command(f"edit {path}")
    wait(nvim.attached)
    nvim.keys("A")
    wait(lambda: nvim.ghost() == "call()")
    nvim.keys("<Esc>")
    nvim.command("FimLsp status")
    wait(lambda: re.search(r"fim-lsp: ready", nvim.messages()))
    nvim.command("help fim_lsp")
    assert "site/pack" in nvim.call("nvim_buf_get_name", 0)


@pytest.mark.parametrize("version", ["0.12", "0.10"])
def test_a_manager_that_calls_a_plugin_late_has_all_of_it(neovims, scripted, version, tmp_path):
    """README's lines for lazy.nvim, run with a file open already: ghost text, the command, the maps and the help are there."""
    scripted.says = "call()\n"
    spec = block("nvim", "lua", 3)
    assert len(spec.splitlines()) == 2
    if version == "0.10":
        spec = spec.replace("vim.lsp.enable('fim_lsp')", "require('fim_lsp').setup()")
    path = tmp_path / "a.py"
    path.write_bytes(b"x = \n")
    nvim = neovims.start(version, plugin=False)
    nvim.command(f"edit {path}")
    assert nvim.lua(LATER % spec, str(ROOT)) == [0, 2]
    wait(nvim.attached)
    nvim.keys("A")
    wait(lambda: nvim.ghost() == "call()")
    nvim.keys("<Tab><Esc>")
    wait(lambda: nvim.lines() == ["x = call()"])
    assert nvim.call("nvim_call_function", "maparg", ["<Plug>(fim-lsp-accept)", "i"])
    nvim.command("help fim_lsp")
    assert nvim.call("nvim_buf_get_name", 0) == str(DOC / "fim_lsp.txt")
