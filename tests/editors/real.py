"""Real editors: where they are, the endpoint they complete from, and what a user has set up."""

import asyncio
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from endpoint import Endpoint
from nvim import Nvim

ROOT = Path(__file__).parents[2]


def wait(condition, seconds=10.0):
    """What a condition comes to, once it is true.  Looking costs an editor's time: what takes longer is looked at less often."""
    begun = now = time.monotonic()
    while now < begun + seconds:
        if found := condition():
            return found
        time.sleep(min(0.15, max(0.02, (now - begun) / 8)))
        now = time.monotonic()
    raise AssertionError("it did not happen")


def holds(path, content):
    """Whether a file holds these bytes.  An editor that saves may put another file in its place, and it is gone awhile."""
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False


def program(variable):
    """The editor that a variable of the environment names; without it a user's test is skipped, and CI's fails."""
    path = os.environ.get(variable, "")
    if not path:
        reason = f"{variable} does not name an editor"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def block(readme, language, number=0):
    """A block of code of an editor's README, with this repository in the place of the path."""
    text = (ROOT / "editors" / readme / "README.md").read_text("utf-8")
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return found[number].replace("/path/to/fim-lsp", str(ROOT))


def behind(typed, text):
    """What says a text behind this alone: what is shown between two keys and typed past is not offered there for ever."""
    return lambda body: (text if body["prompt"].endswith(typed) else "") + "\n"


class Scripted(Endpoint):
    """The scripted endpoint on a loop of its own: editors are driven synchronously."""

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.start(), self._loop).result()
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    def reset(self):
        """Say nothing of what a test before has asked."""
        self.says, self.fault, self.first, self.every, self.key = "None\n", None, 0.0, 0.0, None
        self.bodies = []

    @property
    def asked(self):
        """How many requests there have been."""
        return len(self.bodies)


def environment(home, url):
    """A user's environment: `fim-lsp` on the path, a key, a home of its own; nothing else of ours."""
    commands = home / "bin"
    commands.mkdir(parents=True)
    for name in ("fim-lsp",):
        script = commands / name
        script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m fim_lsp "$@"\n')
        script.chmod(0o755)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "DEEPSEEK_", "FIM_LSP_", "VIM"))}
    env.pop("NVIM", None)
    env.pop("TMUX", None)
    return {
        **env,
        "HOME": str(home),
        "PATH": f"{commands}:{env['PATH']}",
        "DEEPSEEK_API_KEY": "sk-test",
        "FIM_LSP_BASE_URL": url,
        "LANG": "C.UTF-8",
    }


VERSIONS = {"0.12": ("NVIM", 0), "0.10": ("NVIM010", 1)}  # the variable, and the block of the README


class Neovims:
    """One Neovim a version, set up from the README alone, for as many tests as want it; or one of a test's own."""

    def __init__(self, base, url):
        self._base = base
        self._url = url
        self._open = []
        self._shared = {}

    def start(self, version, lua="", *, plugin=True, **more):
        """A new one, with more of the user's own lines in its init.lua, or with those alone."""
        variable, number = VERSIONS[version]
        path = program(variable)
        home = self._base / f"nvim{len(self._open)}"
        env = {**environment(home, self._url), **more}
        if runtime := os.environ.get(f"{variable}_RUNTIME"):
            env["VIMRUNTIME"] = runtime
        init = home / ".config" / "nvim" / "init.lua"
        init.parent.mkdir(parents=True)
        init.write_text(lua + "\n" + (block("nvim", "lua", number) if plugin else ""))
        nvim = Nvim(path, env)
        self._open.append(nvim)
        return nvim

    def shared(self, version):
        if version not in self._shared:
            self._shared[version] = self.start(version)
        return self._shared[version]

    def close(self):
        for nvim in self._open:
            nvim.close()


class Terminal:
    """A program in a terminal, driven by keys and read from its screen."""

    def __init__(self, folder, env, *command):
        self._tmux = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null"]
        self._run("new-session", "-d", "-x", "100", "-y", "30", "-s", "t", *command, env=env)
        self._run("set-option", "-g", "escape-time", "0")

    def _run(self, *arguments, env=None):
        done = subprocess.run([*self._tmux, *arguments], env=env, capture_output=True, text=True, check=True)
        return done.stdout

    def type(self, text):
        """Type a text as it is."""
        self._run("send-keys", "-t", "t", "-l", text)

    def press(self, *keys):
        """Press keys by their names in tmux."""
        self._run("send-keys", "-t", "t", *keys)

    def screen(self):
        return self._run("capture-pane", "-p", "-t", "t")

    def cursor(self):
        """Its column and line on the screen, from 0."""
        shown = self._run("display-message", "-p", "-t", "t", "#{cursor_x} #{cursor_y}")
        return tuple(map(int, shown.split()))

    def until(self, text, seconds=15.0):
        """The screen, once it shows a text."""
        try:
            return wait(lambda: (now := self.screen()) and text in now and now, seconds)
        except AssertionError:
            raise AssertionError(f"{text!r} is not on the screen:\n{self.screen()}") from None

    def close(self):
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)
