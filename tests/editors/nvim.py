"""A Neovim in a process of its own, driven over its msgpack-rpc API."""

import subprocess
import time

import msgpack


class Nvim:
    """`--embed --headless`, no configuration; every call waits for its answer."""

    def __init__(self, program, env):
        self._process = subprocess.Popen(
            [program, "--embed", "--headless", "--clean", "-n"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
        )
        self._unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, unicode_errors="surrogateescape")
        self._next = 0

    def call(self, method, *arguments):
        self._next += 1
        self._process.stdin.write(msgpack.packb([0, self._next, method, arguments]))
        self._process.stdin.flush()
        while True:
            for message in self._unpacker:
                if message[:2] == [1, self._next]:
                    assert message[2] is None, message[2]
                    return message[3]
            data = self._process.stdout.read1(65536)
            assert data, "Neovim has ended"
            self._unpacker.feed(data)

    def lua(self, code, *arguments):
        return self.call("nvim_exec_lua", code, arguments)

    def keys(self, keys):
        self.call("nvim_input", keys)

    def lines(self):
        return self.call("nvim_buf_get_lines", 0, 0, -1, True)

    def messages(self):
        return self.lua("return vim.api.nvim_exec2('messages', { output = true }).output")

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def wait(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")
