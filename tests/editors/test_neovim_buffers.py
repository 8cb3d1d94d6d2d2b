"""Real Neovim: for which buffers the server is started, under which name it knows them, and who starts it."""

import os
import signal
import time

import pytest
from real import ROOT, program, wait

COMMAND = """
vim.opt.runtimepath:prepend('%s')
vim.lsp.config('fim_lsp', { cmd = { vim.env.PROGRAM } })
vim.lsp.enable('fim_lsp')
"""
CHILDREN = "return vim.api.nvim_get_proc_children(vim.fn.getpid())"
LISTING = """
local bufnr = vim.api.nvim_create_buf(true, false)
vim.api.nvim_buf_set_name(bufnr, ...)
vim.api.nvim_set_current_buf(bufnr)
vim.bo.filetype = 'oil'
vim.bo.buftype = 'acwrite'
"""


@pytest.fixture(params=["0.12", "0.10"])
def version(request):
    return request.param


def shows(nvim, text):
    return wait(lambda: nvim.ghost() == text)


def test_settings_may_stand_among_the_options_for_the_start(neovims, scripted, tmp_path):
    """`vim.lsp.config('fim_lsp', { init_options = ... })`, as many other servers have it; with `settings` beside it."""
    said = "{ init_options = { model = 'other', maxTokens = 7 }, settings = { fimLsp = { maxTokens = 9 } } }"
    lua = COMMAND % (ROOT / "editors" / "nvim") + f"vim.lsp.config('fim_lsp', {said})"
    nvim = neovims.start("0.12", lua, plugin=False, PROGRAM="fim-lsp")
    nvim.command(f"edit {tmp_path / 'a.py'}")
    wait(nvim.attached)
    nvim.keys("ix = ")
    wait(lambda: scripted.bodies)
    assert (scripted.bodies[-1]["model"], scripted.bodies[-1]["max_tokens"]) == ("other", 9)
    assert nvim.messages().strip() == ""


def test_the_program_that_a_configuration_names_is_run(neovims, scripted, tmp_path):
    """`vim.lsp.config('fim_lsp', { cmd = ... })` is enough, health agrees, and a crash halts nothing."""
    scripted.says = "call()\n"
    path = tmp_path / "a.py"
    path.write_bytes(b"x = \n")
    lua = COMMAND % (ROOT / "editors" / "nvim")
    nvim = neovims.start("0.12", lua, plugin=False, PROGRAM=str(tmp_path / "bin" / "mine"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mine").symlink_to(nvim.lua("return vim.fn.exepath('fim-lsp')"))
    nvim.lua("vim.env.PATH = '/usr/bin:/bin'")
    nvim.command(f"edit {path}")
    wait(nvim.attached)
    nvim.keys("A")
    shows(nvim, "call()")
    assert "not on the PATH" not in nvim.messages()
    (first,) = nvim.lua(CHILDREN)
    os.kill(first, signal.SIGKILL)
    wait(lambda: nvim.attached() and nvim.lua(CHILDREN) not in ([first], []))
    assert not nvim.halted()
    nvim.keys("1 + ")
    wait(lambda: scripted.bodies[-1]["prompt"].endswith("1 + "))
    shows(nvim, "call()")
    nvim.keys("<Esc>")
    nvim.command("checkhealth fim_lsp")
    report = "\n".join(nvim.lines())
    assert "bin/mine: " in report
    assert "ERROR" not in report


@pytest.mark.parametrize("name", ["oil:///tmp/", "fugitive:///tmp/.git//0/a.py", "zipfile:/tmp/a.zip::b.py"])
def test_what_is_no_file_is_not_sent(neovims, scripted, version, name):
    """A listing, a revision or a file within another, whose kind is told only after its type, has no server."""
    nvim = neovims.start(version)
    nvim.lua(LISTING, name)
    nvim.keys("ioval = ")
    time.sleep(1.5)
    assert not nvim.attached()
    assert scripted.asked == 0


def test_buffers_without_a_name_are_left_out(neovims, scripted, version, tmp_path):
    """They would be one document to the server; one that is written to a name is a file."""
    scripted.says = "call()\n"
    nvim = neovims.start(version)
    nvim.command("set hidden | enew | set filetype=python")
    nvim.keys("ione = <Esc>")
    nvim.command("enew | set filetype=python")
    nvim.keys("itwo = ")
    time.sleep(1.5)
    assert not nvim.attached()
    assert scripted.asked == 0
    nvim.keys(f"<Esc>:write {tmp_path / 'two.py'}<CR>A")
    wait(nvim.attached)
    shows(nvim, "call()")
    assert scripted.bodies[-1]["prompt"].endswith("two = ")
    # A name alone is enough: nothing needs to be written.
    nvim.keys(f"<Esc>:bprevious<CR>:file {tmp_path / 'one.py'}<CR>A")
    wait(lambda: nvim.lines() == ["one = "] and nvim.attached())
    shows(nvim, "call()")
    assert scripted.bodies[-1]["prompt"].endswith("one.py\none = ")
    assert not (tmp_path / "one.py").exists()


@pytest.mark.parametrize("name", ["noext", "x.unknownext"])
def test_a_file_of_no_known_type_has_suggestions(neovims, scripted, version, tmp_path, name):
    """The server is there for files of every type, and of none."""
    scripted.says = "call()\n"
    nvim = neovims.start(version)
    (tmp_path / name).write_bytes(b"x = \n")
    nvim.command(f"edit {tmp_path / name}")
    wait(nvim.attached)
    nvim.keys("A")
    shows(nvim, "call()")


def test_plain_text_is_told_without_a_comments_sign(neovims, scripted, version, tmp_path):
    """The prompt of a note, a page or a letter begins with its name as it is: `//` would be a part of no such text."""
    scripted.says = "all,\n"
    nvim = neovims.start(version)
    for name, line in (
        ("notes.txt", "notes.txt"),
        ("page.md", "page.md"),
        ("page.rst", "page.rst"),
        ("letter.tex", "% letter.tex"),
        ("letter.eml", "letter.eml"),
    ):
        nvim.command(f"edit {tmp_path / name}")
        wait(nvim.attached)
        nvim.keys("iDear ")
        wait(lambda: nvim.ghost() == "all,")
        assert scripted.bodies[-1]["prompt"] == f"{line}\nDear "
        nvim.keys("<Esc>:write<CR>")


@pytest.mark.parametrize("command", ["file", "saveas"])
def test_under_another_name_the_buffer_is_another_document(neovims, scripted, version, tmp_path, command):
    """After `:file` and `:saveas` suggestions go on, and the server knows the file by its name."""
    scripted.says = "call()\n"
    nvim = neovims.start(version)
    (tmp_path / "old.py").write_bytes(b"x = \n")
    nvim.command(f"edit {tmp_path / 'old.py'}")
    wait(nvim.attached)
    nvim.keys(f":{command} {tmp_path / 'fresh.py'}<CR>")
    wait(lambda: nvim.call("nvim_buf_get_name", 0).endswith("fresh.py") and nvim.attached())
    nvim.keys("A1 + ")
    wait(lambda: scripted.asked and scripted.bodies[-1]["prompt"].endswith("x = 1 + "))
    shows(nvim, "call()")
    assert "fresh.py" in scripted.bodies[-1]["prompt"]


def test_files_outside_of_projects_share_a_server(neovims, scripted, version, tmp_path):
    """The second one waits for no other program to start."""
    nvim = neovims.start(version)
    for name in ("a.py", "b.py"):
        nvim.command(f"edit {tmp_path / name}")
        wait(nvim.attached)
    assert nvim.lua("return #vim.lsp.get_clients()") == 1


def test_a_project_without_a_repository_has_a_folder(neovims, scripted, version, tmp_path):
    """What marks a project is its root, so that suggestions know its other files."""
    (tmp_path / "p" / "src").mkdir(parents=True)
    (tmp_path / "p" / "pyproject.toml").write_text("")
    (tmp_path / "p" / "src" / "a.py").write_text("x = \n")
    nvim = neovims.start(version)
    nvim.command(f"edit {tmp_path / 'p' / 'src' / 'a.py'}")
    wait(nvim.attached)
    assert nvim.lua("return vim.lsp.get_clients({ name = 'fim_lsp' })[1].root_dir") == str(tmp_path / "p")


def test_servers_of_a_buffer_count_characters_alike(neovims, scripted, version, tmp_path):
    """Neovim has nothing to warn of where another server counts as most do."""
    program("NVIM")
    nvim = neovims.start(version)
    nvim.command(f"edit {tmp_path / 'a.py'}")
    wait(nvim.attached)
    assert nvim.lua("return vim.lsp.get_clients({ name = 'fim_lsp' })[1].offset_encoding") == "utf-16"
