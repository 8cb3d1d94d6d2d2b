"""Real Neovim 0.12, driven by its keys: ghost text, typing along, accepting, saving."""

import asyncio
import os
import sys
import threading
import time
from pathlib import Path

import pytest
from endpoint import Endpoint
from nvim import Nvim, wait

ROOT = Path(__file__).parents[2]
NVIM = os.environ.get("NVIM", "")
CI = os.environ.get("CI") == "true"

if not NVIM and not CI:
    pytest.skip("NVIM does not name a Neovim 0.12", allow_module_level=True)

GHOST = """
local ns = vim.api.nvim_create_namespace('nvim.lsp.inline_completion')
local text = {}
for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, ns, 0, -1, { details = true })) do
  local lines = { mark[4].virt_text or {} }
  for _, line in ipairs(mark[4].virt_lines or {}) do lines[#lines + 1] = line end
  for _, line in ipairs(lines) do
    local chunks = {}
    for _, chunk in ipairs(line) do chunks[#chunks + 1] = chunk[1] end
    text[#text + 1] = table.concat(chunks)
  end
end
return table.concat(text, '\\n')
"""
ATTACHED = """
local client = vim.lsp.get_clients({ name = 'fim_lsp', bufnr = 0 })[1]
local listening = vim.api.nvim_get_autocmds({ event = 'InsertEnter', buffer = 0 })
return client ~= nil and client.initialized == true and #listening > 0
"""
SETUP = """
local cmd, env, rtp, menu = ...
vim.opt.rtp:prepend(rtp)
vim.lsp.config('fim_lsp', { cmd = cmd, cmd_env = env })
if menu then vim.lsp.config('fim_lsp', { on_init = function() end }) end
vim.lsp.enable('fim_lsp')
vim.lsp.inline_completion.enable()
vim.keymap.set('i', '<Tab>', function()
  return vim.lsp.inline_completion.get() and '' or '<Tab>'
end, { expr = true })
"""


@pytest.fixture
def scripted():
    """The scripted endpoint on a loop of its own: Neovim is driven synchronously."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    endpoint = Endpoint()
    asyncio.run_coroutine_threadsafe(endpoint.start(), loop).result()
    yield endpoint
    asyncio.run_coroutine_threadsafe(endpoint.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()


@pytest.fixture
def edit(tmp_path, scripted):
    """Open a file in Neovim with the server attached."""
    env = dict(os.environ)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        env[name] = str(tmp_path / "home")
    env.pop("NVIM", None)
    if runtime := env.get("NVIM_RUNTIME"):
        env["VIMRUNTIME"] = runtime
    editors = []

    def begin(name, content, *, menu=False):
        path = tmp_path / name
        path.write_bytes(content)
        nvim = Nvim(NVIM, env)
        editors.append(nvim)
        own = {"DEEPSEEK_API_KEY": "sk-test", "FIM_LSP_BASE_URL": scripted.url, "PYTHONPATH": str(ROOT)}
        nvim.lua(SETUP, [sys.executable, "-m", "fim_lsp"], own, str(ROOT / "editors" / "nvim"), menu)
        nvim.call("nvim_command", f"edit {path}")
        wait(lambda: nvim.lua(ATTACHED))
        return nvim, path

    yield begin
    for nvim in editors:
        nvim.close()


def ghost(nvim):
    return nvim.lua(GHOST)


def test_ghost_text_typed_along_and_accepted(edit, scripted):
    """It appears, stays while typed along without a request, Tab inserts exactly it, and the file is right."""
    source = b"def add(a, b):\n    \n\n\nprint(add(1, 2))\n"
    scripted.says = "total = a + b\n    return total\n\n\n"
    nvim, path = edit("a.py", source)
    nvim.keys("jA")
    wait(lambda: ghost(nvim) == "total = a + b\n    return total")
    asked = len(scripted.bodies)
    for n, key in enumerate("tot"):
        nvim.keys(key)
        wait(lambda n=n: ghost(nvim) == "total = a + b\n    return total"[n + 1 :])
    time.sleep(0.5)
    assert len(scripted.bodies) == asked == 1
    nvim.keys("<Tab>")
    wait(lambda: len(nvim.lines()) == 6)
    nvim.keys("<Esc>:w<CR>")
    expected = b"def add(a, b):\n    total = a + b\n    return total\n\n\nprint(add(1, 2))\n"
    wait(lambda: path.read_bytes() == expected)


def test_emoji_and_crlf_survive(edit, scripted):
    """In a CRLF file with characters outside the BMP the text lands at the cursor, and every line end stays."""
    scripted.says = "'é' + name\r\n"
    nvim, path = edit("b.py", "s = '😀漢' + \r\nlast = 1\r\n".encode())
    nvim.keys("A")
    wait(lambda: ghost(nvim) == "'é' + name")
    assert scripted.bodies[-1]["prompt"].endswith("s = '😀漢' + ")
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines()[0].endswith("name"))
    nvim.keys("<Esc>:w<CR>")
    wait(lambda: path.read_bytes() == "s = '😀漢' + 'é' + name\r\nlast = 1\r\n".encode())


def test_several_lines_in_a_crlf_file(edit, scripted):
    """Ghost text of several lines is shown and saved with the file's own line ends, once each."""
    scripted.says = "total = a\r\n    return total\r\n"
    nvim, path = edit("d.py", b"def f(a):\r\n    \r\n")
    nvim.keys("jA")
    wait(lambda: ghost(nvim).replace("\r", "") == "total = a\n    return total")
    nvim.keys("<Tab>")
    wait(lambda: len(nvim.lines()) == 3)
    nvim.keys("<Esc>:w<CR>")
    wait(lambda: path.read_bytes() == b"def f(a):\r\n    total = a\r\n    return total\r\n")


MENU = """
local client = vim.lsp.get_clients({ name = 'fim_lsp', bufnr = 0 })[1]
vim.lsp.inline_completion.enable(false)
vim.o.completeopt = 'menuone,noselect'
vim.lsp.completion.enable(true, client.id, 0)
"""


def test_the_menu_inserts_every_line(edit, scripted):
    """In the completion menu the item is there on the second ask, and goes in whole, signs of snippets included."""
    scripted.says = "total = {'$a': a}\n    if a:\n        return '\\\\'\n"
    nvim, path = edit("e.py", b"def f(a):\n    \n", menu=True)
    nvim.lua(MENU)
    nvim.keys("jA")
    nvim.lua("vim.lsp.completion.get()")
    wait(lambda: scripted.done or scripted.cut)
    time.sleep(0.1)
    wait(lambda: nvim.lua("vim.lsp.completion.get(); vim.wait(50); return vim.fn.pumvisible() == 1"))
    nvim.keys("<C-n><C-y>")
    expected = "def f(a):\n    total = {'$a': a}\n    if a:\n        return '\\\\'\n"
    wait(lambda: len(nvim.lines()) == 4)
    nvim.keys("<Esc>:w<CR>")
    wait(lambda: path.read_text() == expected)


def test_a_wrong_key_is_said_once_and_halts_nothing(edit, scripted):
    """401: one line of message, and the editor goes on."""
    scripted.fault = 401
    nvim, _ = edit("c.py", b"x = \n")
    nvim.keys("A")
    wait(lambda: "key" in nvim.messages())
    nvim.keys("1<Esc>")
    wait(lambda: nvim.lines()[0] == "x = 1")
    messages = nvim.messages()
    assert messages.count("fim-lsp") == 1
    assert nvim.call("nvim_get_mode")["blocking"] is False
