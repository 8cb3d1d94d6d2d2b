"""Real Neovim: what `:FimLsp` says is said in one line, or on a page that a person reads."""

import re

import pytest
from real import wait


@pytest.fixture(params=["0.12", "0.10"])
def version(request):
    return request.param


@pytest.fixture
def opened(neovims, scripted, version, tmp_path):
    def begin(content, lua=""):
        nvim = neovims.start(version, lua)
        path = tmp_path / "a.py"
        path.write_bytes(content)
        nvim.command(f"edit {path}")
        wait(nvim.attached)
        return nvim

    return begin


def page(nvim, title):
    wait(lambda: f"fim-lsp://{title}" in nvim.call("nvim_buf_get_name", 0))
    return nvim.lines()


def test_costs_are_a_table(opened, scripted):
    """Today by model and the week by day, in columns, with sums; no names of fields."""
    scripted.says = "call()\n"
    nvim = opened(b"x = \n")
    nvim.keys("A")
    wait(lambda: nvim.ghost() == "call()")
    nvim.keys("<Tab><Esc>")
    wait(lambda: nvim.lines() == ["x = call()"])

    def recorded():
        """The page, once it has the request: it is billed a moment after its text."""
        nvim.command("FimLsp usage")
        lines = page(nvim, "usage")
        found = any(line.startswith("deepseek-flash") for line in lines)
        return lines if found else nvim.keys("q")

    lines = wait(recorded)
    assert re.fullmatch(r"What completions cost: \$\d\S+ today, \$\d\S+ in the last seven days", lines[0])
    heads = [line.split() for line in lines if "requests" in line and "cost" in line]
    assert [head[0] for head in heads] == ["today", "day"]
    model, total = (
        next(line for line in lines if line.startswith(name)) for name in ("deepseek-flash", "total")
    )
    assert model.split()[1] == total.split()[1]
    assert len(model.split()) == len(total.split())
    assert not any(re.search(r"[a-z][A-Z]|e-\d\d|p50", line) for line in lines)
    # In a window of 80 columns rows stay rows and sentences are whole; all is seen without scrolling.
    assert max(map(len, lines[-4:])) < 80
    assert nvim.lua("return { vim.wo.wrap, vim.go.wrap, vim.api.nvim_win_get_height(0) }") == [
        False,
        True,
        len(lines),
    ]


def test_what_would_be_sent_is_from_where_one_typed(opened, scripted):
    """In normal mode the prompt ends behind the last character, and each part has its price."""
    nvim = opened(b"value = 1\nx = valu\n")
    nvim.keys("GA")
    wait(nvim.ghost)
    nvim.keys("<Esc>")
    wait(lambda: nvim.call("nvim_get_mode")["mode"] == "n")

    def priced():
        """The page, once prices are known: they are read a moment after the first request."""
        nvim.command("FimLsp explain")
        lines = page(nvim, "explain")
        row = r"live +\d+ +\$0\.\d{8} +\$0\.\d{8} +a\.py \d+-\d+"
        return lines if any(re.match(row, line) for line in lines) else nvim.keys("q")

    lines = wait(priced)
    assert lines[lines.index("suffix:") - 2] == "  | x = valu"
    assert nvim.lua("return vim.wo.wrap and vim.wo.linebreak")


def test_a_status_of_many_words_waits_for_no_key(opened, scripted):
    """Where an error does not fit the screen's last line, the whole is on a page."""
    scripted.fault = 401
    nvim = opened(b"x = \n")
    nvim.keys("A")
    wait(lambda: nvim.lua("return require('fim_lsp').statusline()") == "fim!")
    nvim.keys("<Esc>")
    nvim.keys(":FimLsp status<CR>")
    lines = page(nvim, "status")
    assert not nvim.halted()
    assert lines[0].startswith("fim-lsp: key refused, deepseek-flash, ")
    assert "key" in lines[-1]


def test_the_log_is_opened_without_a_warning(opened, scripted):
    """Nothing deprecated is used for it."""
    nvim = opened(b"x = \n")
    nvim.command("FimLsp log")
    wait(lambda: nvim.call("nvim_buf_get_name", 0).endswith("lsp.log"))
    assert "deprecated" not in nvim.messages()
