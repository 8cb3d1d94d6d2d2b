"""A Neovim in a process of its own, with a screen, driven over its msgpack-rpc API."""

import os
import select
import subprocess

import msgpack

GHOST = """
local text = {}
for _, name in ipairs({ 'nvim.lsp.inline_completion', 'fim_lsp' }) do
  local space = vim.api.nvim_create_namespace(name)
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true })) do
    local lines = { mark[4].virt_text or {} }
    vim.list_extend(lines, mark[4].virt_lines or {})
    for _, line in ipairs(lines) do
      local chunks = {}
      for _, chunk in ipairs(line) do chunks[#chunks + 1] = chunk[1] end
      text[#text + 1] = table.concat(chunks)
    end
  end
end
return table.concat(text, '\\n')
"""
PAINTED = """
for _, name in ipairs({ 'nvim.lsp.inline_completion', 'fim_lsp' }) do
  local space = vim.api.nvim_create_namespace(name)
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true })) do
    local at = vim.api.nvim_win_get_cursor(0)
    if mark[2] ~= at[1] - 1 then return { 'another line', '', '', '' } end
    local line, text, below = vim.api.nvim_get_current_line(), '', {}
    for _, chunk in ipairs(mark[4].virt_text or {}) do text = text .. chunk[1] end
    for _, row in ipairs(mark[4].virt_lines or {}) do
      local one = ''
      for _, chunk in ipairs(row) do one = one .. chunk[1] end
      below[#below + 1] = one
    end
    local rest = line:sub(mark[3] + 1)
    if mark[4].virt_text_pos == 'overlay' then rest = vim.fn.strcharpart(rest, vim.fn.strchars(text)) end
    local screen = line:sub(1, mark[3]) .. text .. rest
    return { line:sub(1, at[2]), line:sub(at[2] + 1), screen, table.concat(below, '\\n') }
  end
end
return {}
"""
ATTACHED = """
local client = vim.lsp.get_clients({ name = 'fim_lsp', bufnr = 0 })[1]
return client ~= nil and client.initialized == true and client.attached_buffers[vim.api.nvim_get_current_buf()] ~= nil
"""


class Nvim:
    """Its configuration is that of the environment; every call waits for its answer."""

    def __init__(self, program, env, columns=100, lines=30):
        self._process = subprocess.Popen(
            [program, "--embed", "-n", "-i", "NONE"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
        )
        self._unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, unicode_errors="surrogateescape")
        self._next = 0
        # With a screen it would halt where a user's does: at messages that do not fit, for instance.
        self.call("nvim_ui_attach", columns, lines, {"ext_linegrid": True})

    def call(self, method, *arguments):
        self._next += 1
        self._process.stdin.write(msgpack.packb([0, self._next, method, arguments]))
        self._process.stdin.flush()
        while True:
            for message in self._unpacker:
                if message[:2] == [1, self._next]:
                    assert message[2] is None, message[2]
                    return message[3]
            ready, _, _ = select.select([self._process.stdout], [], [], 10)
            assert ready, f"Neovim does not answer {method}"
            data = os.read(self._process.stdout.fileno(), 65536)
            assert data, "Neovim has ended"
            self._unpacker.feed(data)

    def lua(self, code, *arguments):
        return self.call("nvim_exec_lua", code, arguments)

    def command(self, line):
        self.call("nvim_command", line)

    def keys(self, keys):
        """Press keys, as <> notation has them."""
        self.call("nvim_input", keys)

    def ghost(self):
        """The ghost text of the current buffer."""
        return self.lua(GHOST)

    def painted(self):
        """Where ghost text is: the line's text before and after the cursor, the line and those below it as they look."""
        return self.lua(PAINTED)

    def attached(self):
        return self.lua(ATTACHED)

    def lines(self):
        return self.call("nvim_buf_get_lines", 0, 0, -1, True)

    def messages(self):
        return self.lua("return vim.api.nvim_exec2('messages', { output = true }).output")

    def halted(self):
        """Whether it waits for a key before it goes on."""
        return self.call("nvim_get_mode")["blocking"]

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
