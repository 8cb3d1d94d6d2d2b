"""Real Neovim, driven by its keys: 0.12, which draws ghost text itself, and 0.10, where the plugin does."""

import os
import re
import signal
import time

import pytest
from real import ROOT, Scripted, block, environment, holds, program, wait

BODY = "total = a + b\n    return total"
ADD = b"def add(a, b):\n    \n\n\nprint(add(1, 2))\n"

PID = """
for _, child in ipairs(vim.api.nvim_get_proc_children(vim.fn.getpid())) do
  local info = vim.api.nvim_get_proc(child)
  if info and info.name:find('python') then return child end
end
return 0
"""
SETTLE = """
for _, client in ipairs(vim.lsp.get_clients({ name = 'fim_lsp' })) do
  local ask = { 'workspace/executeCommand', { command = 'fimLsp.clearCache' }, 2000, 0 }
  if vim.fn.has('nvim-0.11') == 1 then table.insert(ask, 1, client) end
  client.request_sync(unpack(ask))
end
"""


@pytest.fixture(params=["0.12", "0.10"])
def version(request):
    return request.param


@pytest.fixture
def edit(neovims, scripted, version, tmp_path):
    """Open a file in the shared Neovim, with the server attached."""
    nvim = neovims.shared(version)

    def begin(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        nvim.command(f"edit {path}")
        wait(nvim.attached)
        return nvim, path

    yield begin
    nvim.keys("<Esc>")
    wait(lambda: nvim.call("nvim_get_mode")["mode"] == "n")
    nvim.lua("vim.g.fim_lsp_enabled = nil; vim.cmd('messages clear'); vim.cmd('silent! only | %bwipeout!')")
    # Whatever the server still had to say or to ask is done when it has answered this.
    nvim.lua(SETTLE)
    time.sleep(0.05)


def saved(nvim, path, expected):
    """What is saved is this, byte for byte."""
    nvim.keys("<Esc>")
    nvim.command("write")
    assert path.read_bytes() == expected


def shows(nvim, text):
    return wait(lambda: nvim.ghost() == text)


def test_ghost_text_is_typed_along_and_accepted(edit, scripted):
    """It appears, typing along it asks for nothing, Tab inserts exactly it, and what is saved is right."""
    scripted.says = BODY + "\n\n\n"
    nvim, path = edit("a.py", ADD)
    nvim.keys("jA")
    shows(nvim, BODY)
    for n in range(1, 9):
        nvim.keys(BODY[n - 1])
        shows(nvim, BODY[n:])
    time.sleep(0.4)
    assert nvim.ghost() == BODY[8:]
    assert scripted.asked == 1
    nvim.keys("<Tab>")
    wait(lambda: len(nvim.lines()) == 6)
    saved(nvim, path, ADD.replace(b"    \n", f"    {BODY}\n".encode()))


def test_typed_along_quickly_and_accepted_at_once(edit, scripted):
    """Keys and Tab in one go double nothing, however old the answer is that they agree with."""
    scripted.says = "result = compute(a, b)\n"
    nvim, path = edit("b.py", ADD)
    nvim.keys("jA")
    shows(nvim, "result = compute(a, b)")
    nvim.keys("result = <Tab>")
    wait(lambda: nvim.lines()[1] == "    result = compute(a, b)")
    saved(nvim, path, ADD.replace(b"    \n", b"    result = compute(a, b)\n"))


def test_by_word_and_by_line(edit, scripted):
    """A word, then a line, then the next: what is left stays on the screen, and nothing is asked for it."""
    scripted.says = BODY + "\n\n\n"
    nvim, path = edit("c.py", ADD)
    nvim.keys("jA")
    shows(nvim, BODY)
    asked = scripted.asked
    nvim.keys("<M-Right>")
    shows(nvim, " = a + b\n    return total")
    nvim.keys("<M-Right>")
    shows(nvim, " a + b\n    return total")
    nvim.keys("<M-C-Right>")
    shows(nvim, "\n    return total")
    assert nvim.lines()[1] == "    total = a + b"
    assert scripted.asked == asked
    nvim.keys("<M-C-Right>")
    wait(lambda: nvim.lines()[2] == "    return total")
    saved(nvim, path, ADD.replace(b"    \n", f"    {BODY}\n".encode()))


def test_candidates(edit, scripted):
    """Alt-] asks for more and shows the second, Alt-[ goes back; Tab inserts the one that is shown."""
    texts = ["first()", "second()", "third()"]
    scripted.says = lambda _: texts[min(scripted.asked - 1, 2)] + "\n"
    nvim, path = edit("d.py", ADD)
    nvim.keys("jA")
    shows(nvim, "first()")
    nvim.keys("<M-]>")
    wait(lambda: re.fullmatch(r"(second|third)\(\) \(2/3\)", nvim.ghost()))
    second = nvim.ghost().split()[0]
    nvim.keys("<M-[>")
    wait(lambda: nvim.ghost() == "first() (1/3)")
    nvim.keys("<M-]>")
    wait(lambda: nvim.ghost() == second + " (2/3)")
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines()[1] == "    " + second)
    saved(nvim, path, ADD.replace(b"    \n", f"    {second}\n".encode()))


def test_a_candidate_that_was_gone_to_is_typed_along(edit, scripted):
    """A key that the one shown begins with, as another does, leaves the one shown."""
    texts = ["beta()", "alpha()", "alps()"]
    scripted.says = lambda _: texts[min(scripted.asked - 1, 2)] + "\n"
    nvim, _ = edit("d2.py", ADD)
    nvim.keys("jA")
    shows(nvim, "beta()")
    nvim.keys("<M-]>")
    wait(lambda: "(2/3)" in nvim.ghost())
    nvim.keys("<M-]>")
    third = wait(lambda: "(3/3)" in nvim.ghost() and nvim.ghost().split()[0])
    nvim.keys("a")
    wait(lambda: nvim.ghost().split()[:1] == [third[1:]])
    time.sleep(0.4)
    assert nvim.ghost().split()[0] == third[1:]
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines()[1] == "    " + third)


def test_dismissed(edit, scripted):
    """Ctrl-] hides it and it stays away; a key along it brings it back without a request."""
    scripted.says = BODY + "\n\n\n"
    nvim, path = edit("e.py", ADD)
    nvim.keys("jA")
    shows(nvim, BODY)
    nvim.keys("<C-]>")
    shows(nvim, "")
    time.sleep(0.5)
    assert nvim.ghost() == ""
    nvim.keys("t")
    shows(nvim, BODY[1:])
    assert scripted.asked == 1
    saved(nvim, path, ADD.replace(b"    \n", b"    t\n"))


def test_off_and_on(edit, scripted):
    """Off everywhere or in one buffer, nothing is asked or shown; on again, it is."""
    scripted.says = "call()\n"
    nvim, _ = edit("f.py", b"\nx = 1\n")
    for toggle in ("FimLsp toggle", "FimLsp toggle buffer"):
        nvim.command(toggle)
        before = scripted.asked
        assert nvim.lua("return require('fim_lsp').statusline()") == "fim off"
        nvim.keys("i")
        time.sleep(0.5)
        assert (nvim.ghost(), scripted.asked) == ("", before)
        nvim.command(toggle)
        nvim.keys("y")
        shows(nvim, "call()")
        nvim.keys("<Esc>u")
        wait(lambda: nvim.lines()[0] == "")


def test_two_buffers(edit, scripted):
    """Each has its own suggestion, in the window where it belongs, and the other's text stays as it was."""
    scripted.says = lambda body: "one()\n" if "first_file" in body["prompt"] else "two()\n"
    nvim, one = edit("g1.py", b"# first_file\nx = \n")
    nvim.command("split")
    _, two = edit("g2.py", b"# other_file\ny = \n")
    nvim.keys("jA")
    shows(nvim, "two()")
    nvim.keys("<Esc><C-w>w")
    nvim.keys("jA")
    shows(nvim, "one()")
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines()[1] == "x = one()")
    saved(nvim, one, b"# first_file\nx = one()\n")
    nvim.keys("<C-w>w")
    nvim.keys("A")
    shows(nvim, "two()")
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines()[1] == "y = two()")
    saved(nvim, two, b"# other_file\ny = two()\n")


OTHER = """
for _, window in ipairs(vim.api.nvim_list_wins()) do
  if window ~= vim.api.nvim_get_current_win() then return vim.api.nvim_set_current_win(window) end
end
"""


def test_two_buffers_without_leaving_insert_mode(edit, scripted):
    """A click into another window leaves each its own suggestion; what is shown is not lost with another buffer."""
    scripted.says = lambda body: "one()\n" if "first_file" in body["prompt"] else "two()\n"
    nvim, one = edit("g3.py", b"# first_file\nx = \n")
    nvim.keys("jA")
    shows(nvim, "one()")
    nvim.keys("<Esc>")
    nvim.command("split")
    _, two = edit("g4.py", b"# other_file\ny = \n")
    nvim.keys("jA")
    shows(nvim, "two()")
    nvim.lua(OTHER + "vim.api.nvim_win_set_cursor(0, { 2, 4 })")
    shows(nvim, "one()")
    nvim.lua(OTHER)
    shows(nvim, "two()")
    nvim.command(f"bdelete {one}")
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines()[1] == "y = two()")
    saved(nvim, two, b"# other_file\ny = two()\n")


def test_who_comes_back_at_once_sees_it_again(edit, scripted):
    """Left and right, quickly, and what was shown is shown, without a request."""
    scripted.says = "call()\n"
    nvim, _ = edit("b2.py", b"x = \n")
    nvim.keys("A")
    shows(nvim, "call()")
    nvim.keys("<Left>")
    wait(lambda: nvim.ghost() == "")
    nvim.keys("<Right>")
    time.sleep(0.5)
    assert (nvim.ghost(), scripted.asked) == ("call()", 1)


def test_undo_takes_back_what_was_accepted(edit, scripted):
    """One undo takes back the whole suggestion and no more; redo brings it again."""
    scripted.says = BODY + "\n\n\n"
    nvim, path = edit("h.py", ADD)
    nvim.keys("jA")
    shows(nvim, BODY)
    nvim.keys("to")
    shows(nvim, BODY[2:])
    nvim.keys("<Tab>")
    wait(lambda: len(nvim.lines()) == 6)
    nvim.keys("<Esc>u")
    wait(lambda: nvim.lines()[1:3] == ["    to", ""])
    nvim.keys("<C-r>")
    wait(lambda: nvim.lines()[2] == "    return total")
    nvim.keys("uu")
    wait(lambda: nvim.lines()[1] == "    ")
    saved(nvim, path, ADD)


def test_emoji_and_crlf(edit, scripted):
    """In a CRLF file with characters outside the BMP the text lands at the cursor, and every line end stays."""
    scripted.says = "'é😀' + (\r\n    name)\r\n\r\n"
    nvim, path = edit("i.py", "s = '😀漢' + \r\nlast = 1\r\n".encode())
    nvim.keys("A")
    shows(nvim, "'é😀' + (\n    name)")
    assert scripted.bodies[-1]["prompt"].endswith("s = '😀漢' + ")
    nvim.keys("'é")
    shows(nvim, "😀' + (\n    name)")
    nvim.keys("<M-Right>")
    shows(nvim, "' + (\n    name)")
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines()[1] == "    name)")
    saved(nvim, path, "s = '😀漢' + 'é😀' + (\r\n    name)\r\nlast = 1\r\n".encode())


def test_in_the_middle_of_a_line(edit, scripted):
    """Before text that stands there already, the suggestion goes in front of it and hides none of it."""
    scripted.says = "first, second"
    nvim, path = edit("j.py", b"print()\n")
    nvim.keys("f)i")
    shows(nvim, "first, second")
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines() == ["print(first, second)"])
    saved(nvim, path, b"print(first, second)\n")


def test_what_is_drawn_is_what_will_stand_there(edit, scripted):
    """Where a suggestion goes on as the line does after the cursor, the line still looks as Tab will make it."""
    scripted.says = "len(x)"
    nvim, path = edit("s.py", b"print()\n")
    nvim.keys("f)i")
    shows(nvim, "len(x)")
    nvim.keys("len(x")
    wait(lambda: nvim.painted()[:3] == ["print(len(x", ")", "print(len(x))"])
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines() == ["print(len(x))"])
    saved(nvim, path, b"print(len(x))\n")


def test_what_is_closed_already_is_not_closed_twice(edit, scripted):
    """A suggestion that closes what the line closes behind the cursor takes its place, drawn and inserted."""
    scripted.says = "b) * c"
    nvim, path = edit("t.py", b"total = ()\n")
    nvim.keys("f)i")
    wait(lambda: nvim.painted()[:3] == ["total = (", ")", "total = (b) * c"])
    nvim.keys("<M-Right>")
    wait(lambda: nvim.painted()[:3] == ["total = (b", ")", "total = (b) * c"])
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines() == ["total = (b) * c"])
    nvim.keys("<Esc>u")
    wait(lambda: nvim.lines() == ["total = (b)"])
    nvim.keys("<C-r>")
    saved(nvim, path, b"total = (b) * c\n")


PAIRED = """
for open, close in pairs({ ['('] = ')', ['['] = ']', ['{'] = '}', ['"'] = '"' }) do
  vim.keymap.set('i', open, open .. close .. '<Left>')
end
"""


@pytest.mark.parametrize("lua", [PAIRED, ""], ids=["closing", "as it is"])
def test_typed_along_with_what_is_closed_by_itself(neovims, scripted, version, tmp_path, lua):
    """All of it stands there once, taken whole or by words, with the keymaps that close brackets and without."""
    path = tmp_path / "closed.py"
    path.write_bytes(b"x = \ny = \nz = \n")
    nvim = neovims.start(version, lua)
    nvim.command(f"edit {path}")
    wait(nvim.attached)
    scripted.says = "area(a, [b]) + 1\n"
    for line, keys, taken in ((1, "area(", "<Tab>"), (2, "area(a, [", "<Tab>"), (3, "area(", "<M-Right>")):
        nvim.keys(f"<Esc>{line}GA")
        shows(nvim, "area(a, [b]) + 1")
        nvim.keys(keys)
        wait(lambda: "b" in nvim.ghost() and "area" not in nvim.ghost())
        for _ in range(12):
            nvim.keys(taken)
            time.sleep(0.15)
            if nvim.lines()[line - 1].endswith("+ 1"):
                break
    saved(nvim, path, b"".join(b"%s = area(a, [b]) + 1\n" % name for name in (b"x", b"y", b"z")))


def test_nothing_is_ever_drawn_that_the_text_has_left(edit, scripted):
    """What does not agree with what is typed is gone with the key, and a late answer to older text is not drawn."""
    scripted.first = 0.3
    scripted.says = lambda body: "turn value\n" if body["prompt"].endswith("re") else "urn_other\n"
    nvim, _ = edit("k.py", b"def f(value):\n    \n")
    nvim.keys("jAre")
    wait(lambda: scripted.asked == 1)
    nvim.keys("t")
    seen = set()
    wait(lambda: seen.add(nvim.ghost()) or "urn value" in seen)
    assert seen <= {"", "urn value"}
    nvim.keys("x")
    assert nvim.ghost() == ""
    seen.clear()
    wait(lambda: seen.add(nvim.ghost()) or "urn_other" in seen)
    assert seen == {"", "urn_other"}


def test_tab_belongs_to_a_snippet(edit, scripted):
    """While a snippet has a next place, Tab goes there although there is ghost text; after it, Tab accepts."""
    scripted.says = "name()\n"
    nvim, path = edit("l.py", b"\n")
    if nvim.lua("return vim.fn.has('nvim-0.11') == 0"):
        # 0.10 maps no key to snippets: its help does, and a user by it.
        nvim.command("silent! iunmap <Tab>")
        nvim.lua(
            """
            vim.keymap.set({ 'i', 's' }, '<Tab>', function()
              return vim.snippet.active({ direction = 1 }) and '<Cmd>lua vim.snippet.jump(1)<CR>' or '<Tab>'
            end, { expr = true })
            package.loaded['fim_lsp.keys'] = nil
            require('fim_lsp.keys').choose({ accept_word = false, accept_line = false, next = false, prev = false,
              dismiss = false })
            require('fim_lsp.keys').defaults()
            """
        )
    nvim.keys("i")
    nvim.lua("vim.snippet.expand('for ${1:i} in ${2:items}:')")
    wait(lambda: nvim.call("nvim_get_mode")["mode"] == "s")
    nvim.keys("row")
    shows(nvim, "name()")
    nvim.keys("<Tab>")
    wait(lambda: nvim.call("nvim_get_mode")["mode"] == "s")
    assert nvim.lines() == ["for row in items:"]
    nvim.keys("rows")
    nvim.keys("<Tab>")
    nvim.keys("<End><CR>x = ")
    shows(nvim, "name()")
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines()[-1].endswith("x = name()"))
    assert nvim.lines()[0] == "for row in rows:"
    assert path.read_bytes() == b"\n"


def test_tab_belongs_to_a_menu_and_is_tab_elsewhere(edit, scripted):
    """With the menu open, and with nothing to accept, Tab does what it did without us."""
    scripted.says = "alphabet()\n"
    nvim, _ = edit("m.py", b"alpha = 1\n\n")
    nvim.lua("vim.bo.expandtab = true; vim.bo.softtabstop = 0; vim.bo.shiftwidth = 4; vim.bo.tabstop = 4")
    nvim.command("set completeopt=menuone")
    nvim.keys("jial<C-n>")
    wait(lambda: nvim.call("nvim_call_function", "pumvisible", []) == 1)
    time.sleep(0.4)
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines()[1] == "alpha   ")
    nvim.keys("<Esc>:FimLsp toggle buffer<CR>o<Tab>z")
    wait(lambda: nvim.lines()[2] == "    z")


def test_the_menu_is_left_to_others(edit, scripted):
    """Nothing of the server's is in any popup here: the client is said to complete nothing."""
    nvim, _ = edit("n.py", b"\n")
    supports = nvim.lua(
        """
        local client = vim.lsp.get_clients({ name = 'fim_lsp' })[1]
        if vim.fn.has('nvim-0.11') == 1 then return client:supports_method('textDocument/completion') end
        return client.supports_method('textDocument/completion')
        """
    )
    assert supports is False


def test_what_it_says_of_itself(edit, scripted):
    """The statusline, the commands and the health check."""
    scripted.says = "call()\n"
    nvim, _ = edit("o.py", b"x = \n")
    nvim.keys("A")
    shows(nvim, "call()")
    nvim.keys("<Esc>")
    wait(lambda: nvim.lua("return require('fim_lsp').statusline()") == "fim")
    nvim.command("FimLsp status")
    wait(
        lambda: (
            re.search(r"fim-lsp: ready, deepseek-flash, \d+ requests?", nvim.messages())
            or nvim.lua("return vim.fn.screenstring(30, 1) == 'f'")
        )
    )
    nvim.command("FimLsp explain")
    wait(lambda: any(line.startswith("prompt:") for line in nvim.lines()))
    assert any("x =" in line for line in nvim.lines())
    nvim.keys("q")
    nvim.command("FimLsp usage")
    wait(lambda: "usage" in nvim.call("nvim_buf_get_name", 0))
    assert any(re.search(r"^deepseek-flash +\d+ ", line) for line in nvim.lines())
    nvim.keys("q")
    nvim.command("FimLsp log")
    wait(lambda: nvim.call("nvim_buf_get_name", 0).endswith("lsp.log"))
    nvim.command("bwipeout")
    nvim.command("checkhealth fim_lsp")
    report = "\n".join(nvim.lines())
    assert "running for" in report
    assert not re.search("ERROR|WARNING", report), report


def test_a_budget_that_is_used_up_can_be_passed(neovims, scripted, version, tmp_path):
    """The statusline says that something is wrong, a message too long for the screen halts nothing; `:FimLsp resume` goes on."""
    scripted.says = "call()\n"
    folder = ROOT / "editors" / "nvim"
    settings = "{ settings = { dailyBudget = 0 } }"
    lua = f"vim.opt.runtimepath:prepend('{folder}') require('fim_lsp').setup({settings})"
    nvim = neovims.start(version, lua, plugin=False)
    nvim.command(f"edit {tmp_path / 'q.py'}")
    wait(nvim.attached)
    wait(lambda: nvim.lua("return require('fim_lsp').statusline()") == "fim!")
    nvim.keys("ix = ")
    wait(lambda: "budget" in nvim.messages())
    assert not nvim.halted()
    nvim.keys("<Esc>")
    nvim.command("FimLsp resume")
    wait(lambda: nvim.lua("return require('fim_lsp').statusline()") == "fim")
    nvim.keys("A")
    shows(nvim, "call()")
    nvim.keys("<Tab><Esc>")
    wait(lambda: nvim.lines() == ["x = call()"])


def test_the_server_speaks_the_language_of_the_environment(neovims, scripted, version, tmp_path):
    """Neovim names no locale to servers; the plugin does."""
    folder = ROOT / "editors" / "nvim"
    lua = f"vim.env.LC_ALL = 'zh_CN.UTF-8' vim.opt.runtimepath:prepend('{folder}') "
    nvim = neovims.start(
        version, lua + "require('fim_lsp').setup({ settings = { dailyBudget = 0 } })", plugin=False
    )
    nvim.command(f"edit {tmp_path / 'q.py'}")
    wait(nvim.attached)
    nvim.keys("ix = ")
    wait(lambda: "预算" in nvim.messages())


def test_the_users_own_settings_count_whatever_they_are(neovims, scripted, version, tmp_path):
    """What init.lua says is the user's; what is sent while the server runs may be a folder's, and moves no text."""
    folder = ROOT / "editors" / "nvim"
    how = "setup({ settings = { model = 'other', prefixChars = 99000 } })"
    if version == "0.12":
        said = "{ settings = { fimLsp = { model = 'other', prefixChars = 99000 } } }"
        how = f"setup() vim.lsp.config('fim_lsp', {said})"
    lua = f"vim.opt.runtimepath:prepend('{folder}') require('fim_lsp').{how}"
    nvim = neovims.start(version, lua, plugin=False)
    nvim.command(f"edit {tmp_path / 'r.py'}")
    wait(nvim.attached)
    nvim.keys("i" + "y = 1<CR>x = ")
    wait(lambda: scripted.bodies)
    assert scripted.bodies[-1]["model"] == "other"
    assert nvim.messages().strip() == ""
    with Scripted() as stranger:
        push = """
            local client = vim.lsp.get_clients({ name = 'fim_lsp' })[1]
            local told = { 'workspace/didChangeConfiguration', { settings = { fimLsp = { baseUrl = ... } } } }
            if vim.fn.has('nvim-0.11') == 1 then table.insert(told, 1, client) end
            client.notify(unpack(told))
        """
        nvim.lua(push, stranger.url)
        wait(lambda: "baseUrl" in nvim.messages())
        before = scripted.asked
        nvim.keys("<CR>z = ")
        wait(lambda: scripted.asked > before)
        assert stranger.connections == 0


def test_what_shows_a_users_messages_gets_them_whole(neovims, scripted, version):
    """Only Neovim's own line has no room for more."""
    nvim = neovims.start(version, "vim.notify = function(text) said = text end")
    said = "word " * 60
    nvim.lua("require('fim_lsp.status').notify(...)", said)
    assert nvim.lua("return said") == said


def test_a_server_that_dies_comes_back(neovims, scripted, version, tmp_path):
    """Killed, it is there again by itself and completes; `:FimLsp restart` puts a new one in its place."""
    scripted.says = "call()\n"
    nvim = neovims.start(version)
    path = tmp_path / "p.py"
    path.write_bytes(b"x = \n")
    nvim.command(f"edit {path}")
    wait(nvim.attached)
    first = nvim.lua(PID)
    os.kill(first, signal.SIGKILL)
    wait(lambda: nvim.attached() and nvim.lua(PID) not in {first, 0})
    assert not nvim.halted()
    nvim.keys("A")
    shows(nvim, "call()")
    nvim.keys("<Esc>")
    second = nvim.lua(PID)
    nvim.command("FimLsp restart")
    wait(lambda: nvim.attached() and nvim.lua(PID) not in {second, 0})
    nvim.keys("A")
    shows(nvim, "call()")
    nvim.keys("<Tab><Esc>")
    wait(lambda: nvim.lines() == ["x = call()"])


@pytest.mark.parametrize("ends", ["killed", "restarted"])
def test_who_types_while_the_server_is_gone_is_served(neovims, scripted, version, tmp_path, ends):
    """Neovim stops watching a buffer then; the next server still knows its text, key by key, and after `:edit`."""
    scripted.says = "call()\n"
    nvim = neovims.start(version)
    path = tmp_path / "w.py"
    path.write_bytes(b"a = 1\nx = \nb = 2\n")
    nvim.command(f"edit {path}")
    wait(nvim.attached)
    first = nvim.lua(PID)
    nvim.keys("jA")
    shows(nvim, "call()")
    if ends == "killed":
        os.kill(first, signal.SIGKILL)
    else:
        nvim.command("FimLsp restart")
    wait(lambda: not nvim.attached())
    nvim.keys("1")
    wait(lambda: nvim.lines()[1] == "x = 1")
    wait(lambda: nvim.attached() and nvim.lua(PID) not in {first, 0})

    def asks(keys, prompt):
        nvim.keys(keys)
        wait(lambda: scripted.bodies[-1]["prompt"].endswith(prompt))
        shows(nvim, "call()")

    asks(" + ", "a = 1\nx = 1 + ")
    asks("<Tab><CR>y = ", "a = 1\nx = 1 + call()\ny = ")
    assert scripted.bodies[-1]["suffix"].lstrip("\n").startswith("b = 2")
    asks("<Esc>ccé😀漢 = <BS><BS>s = ", "x = 1 + call()\né😀漢 s = ")
    asks("<Left><Left><Left><Left><BS>漢漢<End>7 - ", "\né😀漢漢漢s = 7 - ")
    asks("<Esc>ddOw = ", "x = 1 + call()\nw = ")
    nvim.keys("<Esc>:edit!<CR>")
    asks("2GA2 + ", "a = 1\nx = 2 + ")
    nvim.keys("<Esc>:%delete<CR>")
    asks("iz = ", "\nz = ")
    assert not scripted.bodies[-1].get("suffix", "").strip()


def test_who_types_before_the_server_is_there_is_served(neovims, scripted, version, tmp_path):
    """Text comes without another key once the server has started."""
    scripted.says = "call()\n"
    nvim = neovims.start(version)
    path = tmp_path / "u.py"
    path.write_bytes(b"x = \n")
    nvim.keys(f":edit {path}<CR>A")
    shows(nvim, "call()")
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines() == ["x = call()"])


@pytest.mark.parametrize("status", [401, 503])
def test_trouble_is_said_once_and_halts_nothing(neovims, scripted, version, tmp_path, status):
    """One message of one line, however many keys; when the cause is gone, it completes again."""
    scripted.fault = status
    scripted.says = "call()\n"
    nvim = neovims.start(version)
    path = tmp_path / "q.py"
    path.write_bytes(b"x = \n")
    nvim.command(f"edit {path}")
    wait(nvim.attached)
    nvim.keys("A")
    wait(lambda: "fim-lsp" in nvim.messages())
    for key in "1234567":
        nvim.keys(key)
        time.sleep(0.25)
        assert not nvim.halted()
    wait(lambda: nvim.lines()[0] == "x = 1234567")
    said = [line for line in nvim.messages().splitlines() if "fim-lsp" in line]
    assert len(said) == 1
    assert nvim.lua("return require('fim_lsp').statusline()") in {"fim!", "fim off"}
    scripted.fault = None
    nvim.keys("<M-]>")
    shows(nvim, "call()")
    nvim.keys("<Esc>")
    wait(lambda: nvim.lua("return require('fim_lsp').statusline()") == "fim")


def test_on_a_terminals_screen(terminal, scripted, tmp_path, version):
    """In a terminal the ghost text is on the screen where it belongs, and Tab makes it text."""
    variable, number = {"0.12": ("NVIM", 0), "0.10": ("NVIM010", 1)}[version]
    path = program(variable)
    home = tmp_path / "home"
    env = environment(home, scripted.url)
    if runtime := os.environ.get(f"{variable}_RUNTIME"):
        env["VIMRUNTIME"] = runtime
    init = home / ".config" / "nvim" / "init.lua"
    init.parent.mkdir(parents=True)
    init.write_text(block("nvim", "lua", number))
    scripted.says = BODY + "\n\n\n"
    file = tmp_path / "r.py"
    file.write_bytes(ADD)
    screen = terminal(env, path, "-n", "-i", "NONE", str(file))
    screen.until("print(add(1, 2))")
    screen.type("jA")
    shown = screen.until("    return total").splitlines()
    at = shown.index("def add(a, b):")
    assert shown[at + 1 : at + 4] == ["    total = a + b", "    return total", ""]
    assert file.read_bytes() == ADD
    screen.press("Tab")
    screen.press("Escape")
    screen.type(":wq\r")
    wait(lambda: holds(file, ADD.replace(b"    \n", f"    {BODY}\n".encode())))


def own(neovims, version, settings):
    """A Neovim whose user has these settings."""
    folder = ROOT / "editors" / "nvim"
    lua = f"vim.opt.runtimepath:prepend('{folder}') require('fim_lsp').setup({{ settings = {settings} }})"
    return neovims.start(version, lua, plugin=False)


def test_manual(neovims, scripted, version, tmp_path):
    """Nothing comes and nothing is asked until Alt-]; then Tab takes it."""
    scripted.says = "compute(a, b)\n"
    nvim = own(neovims, version, "{ trigger = 'manual' }")
    (tmp_path / "m.py").write_bytes(ADD)
    nvim.command(f"edit {tmp_path / 'm.py'}")
    wait(nvim.attached)
    nvim.keys("jAx = ")
    time.sleep(1.0)
    assert (nvim.ghost(), scripted.asked) == ("", 0)
    nvim.keys("<M-]>")
    shows(nvim, "compute(a, b)")
    assert scripted.asked == 1
    nvim.keys("com")
    shows(nvim, "pute(a, b)")
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines()[1] == "    x = compute(a, b)")
    assert scripted.asked == 1


def test_asked_before_neovim_has_drawn_anything(neovims, scripted, version, tmp_path):
    """Alt-] right behind the key that begins to insert is not lost."""
    scripted.says = "compute(a, b)\n"
    nvim = own(neovims, version, "{ trigger = 'manual' }")
    (tmp_path / "m.py").write_bytes(ADD)
    nvim.command(f"edit {tmp_path / 'm.py'}")
    wait(nvim.attached)
    nvim.keys("jA<M-]>")
    shows(nvim, "compute(a, b)")


def test_snoozed(edit, scripted):
    """Nothing comes by itself, the command says for how long, Alt-] still asks; and it ends."""
    scripted.says = "compute(a, b)\n"
    nvim, _ = edit("z.py", ADD)
    nvim.command("FimLsp snooze 7 buffer")
    wait(lambda: "Snoozed in z.py for 7 min." in nvim.messages())
    nvim.keys("jAx = ")
    time.sleep(1.0)
    assert (nvim.ghost(), scripted.asked) == ("", 0)
    nvim.keys("<M-]>")
    shows(nvim, "compute(a, b)")
    nvim.keys("<Esc>")
    nvim.command("FimLsp snooze 0 buffer")
    wait(lambda: "by themselves again" in nvim.messages())
    nvim.keys("o    y = ")
    shows(nvim, "compute(a, b)")


@pytest.mark.parametrize("on", [False, True])
def test_a_commit_message(neovims, scripted, version, tmp_path, on):
    """Off; one word switches it on, and then git's account of the changes is what it is told by."""
    scripted.says = "the sum\n# Please enter\n"
    nvim = own(neovims, version, "{ languages = { gitcommit = true } }" if on else "{}")
    folder = tmp_path / ".git"
    folder.mkdir()
    path = folder / "COMMIT_EDITMSG"
    diff = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-old = 1\n+renamed = 1\n"
    path.write_text(f"\n# Please enter the message.\n# {'-' * 24} >8 {'-' * 24}\n# Do not touch.\n{diff}")
    nvim.command(f"edit {path}")
    assert nvim.lua("return vim.bo.filetype") == "gitcommit"
    wait(nvim.attached)
    nvim.keys("gg0iCompute " if on else "gg0iDescribe ")
    if not on:
        time.sleep(1.0)
        assert nvim.ghost() == ""
        assert not [body for body in scripted.bodies if "Describe" in body["prompt"]]
        return
    shows(nvim, "the sum")
    nvim.keys("<Tab>")
    wait(lambda: nvim.lines()[0] == "Compute the sum")
    assert nvim.lines()[1] == "# Please enter the message."
    assert "+renamed = 1\n" in scripted.bodies[0]["prompt"]
    assert "Please enter" not in str(scripted.bodies)
    # No line names the file: it would be a part of the message, as a comment in `//` would.
    assert not [
        body for body in scripted.bodies if re.search("COMMIT_EDITMSG|^//", body["prompt"], re.MULTILINE)
    ]


INPUT_METHOD = """
local function put(before, text)
  local at = vim.api.nvim_win_get_cursor(0)
  local row, column = at[1] - 1, at[2] - #before
  vim.api.nvim_buf_set_text(0, row, column, row, column + #before, { text })
  vim.api.nvim_win_set_cursor(0, { row + 1, column + #text })
end
put(...)
"""


def test_what_an_input_method_replaces_in_place(edit, scripted):
    """Kana that become characters: nothing made for the kana is shown for these, and they are asked about once."""
    scripted.says = lambda body: "です\n" if body["prompt"].endswith("漢字") else "WRONG\n"
    nvim, _ = edit("i.py", "# 今日\n\n".encode())
    nvim.keys("A")
    time.sleep(0.3)
    scripted.bodies.clear()
    before = ""
    for step in ("か", "かn", "かん", "かんj", "かんじ", "漢字"):
        nvim.lua(INPUT_METHOD, before, step)
        before = step
        time.sleep(0.05)
    shows(nvim, "です")
    assert [body["prompt"][-2:] for body in scripted.bodies if body["prompt"].endswith("漢字")] == ["漢字"]
    assert "WRONG" not in nvim.ghost()
