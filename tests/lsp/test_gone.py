"""Gone with the editor: however that ends, and whoever else holds its pipes, no process and no stream is left behind."""

import asyncio
import ctypes
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from lsp import Client

from fim_lsp.lsp import jsonrpc, process
from fim_lsp.lsp.process import Starter, identity

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals, and the table of processes, of POSIX")
STATUS = {"command": "fimLsp.status"}
LONG = 60  # seconds for what takes far less on a machine that does nothing else

SERVER = """
import os, sys
from pathlib import Path
from fim_lsp.commands.main import config_file, connector, record_file
from fim_lsp.lsp import jsonrpc, serve
from fim_lsp.lsp.server import create
made = create(connector(demo=False), config_file(), record_file(), os.environ)
sys.exit(serve.serve_stdio(made, watch_every=0.05))
"""
# As an editor's wrapper starts it: the server has the wrapper's pipes, and the wrapper waits for it.
WRAPPER = f"""
import subprocess, sys
from pathlib import Path
server = subprocess.Popen([sys.executable, "-c", {SERVER!r}])
Path(sys.argv[1]).write_text(str(server.pid))
sys.exit(server.wait())
"""
WAIT = [sys.executable, "-c", "import time; time.sleep(3600)"]


async def until(found, what):
    """Wait until something is there; what it is."""
    async with asyncio.timeout(LONG):
        while not (it := found()):
            await asyncio.sleep(0.01)
    assert it, what
    return it


def beside(pid):
    """The living processes that a process has begun."""
    if Path("/proc/self/stat").exists():
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if stat.read_bytes().rpartition(b")")[2].split()[1] == b"%d" % pid:
                    found.append(int(stat.parent.name))
    else:
        table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True).stdout
        rows = (map(int, line.split()) for line in table.splitlines())
        found = [child for child, parent in rows if parent == pid]
    return [child for child in found if identity(child) is not None]


class Session:
    """A server in the midst of its work: a folder is open, its maps' process lives, a stream is under way."""

    def __init__(self, tmp_path, endpoint):
        self.home = tmp_path
        self.endpoint = endpoint
        self.client = Client()
        self.editor = None

    async def begin(self, *, wrapped=False, watched=False):
        endpoint, folder = self.endpoint, self.home / "project"
        folder.mkdir()
        (folder / "sums.py").write_text("def total(items):\n    return sum(items)\n", "utf-8")
        endpoint.gate = asyncio.Event()
        told = self.home / "pid"
        await self.client.run(
            self.home, ["-c", WRAPPER, str(told)] if wrapped else ["-c", SERVER], DEEPSEEK_API_KEY="sk-test"
        )
        self.editor = subprocess.Popen(WAIT) if watched else None  # noqa: ASYNC220 - its end is what is tested
        await self.client.call(
            "initialize",
            {
                "processId": self.editor.pid if self.editor else None,
                "workspaceFolders": [{"uri": folder.as_uri(), "name": "project"}],
                "capabilities": {},
                "initializationOptions": {"baseUrl": endpoint.url, "debounceMs": 0, "timeoutSeconds": 600},
            },
        )
        self.client.notify("initialized", {})
        self.server = int(told.read_text()) if wrapped else self.client.process.pid
        uri = (folder / "a.py").as_uri()
        self.client.open(uri, "x = ")
        self.answer = self.client.inline(uri, 0, 4)
        await until(lambda: endpoint.bodies, "a request")
        (self.maps,) = await until(lambda: beside(self.server), "the process that draws maps")
        assert not self.answer.done()

    async def gone(self):
        """All has ended: the server, the process that draws maps, the stream."""
        await until(lambda: identity(self.server) is None, "the end of the server")
        await until(lambda: identity(self.maps) is None, "the end of the maps' process")
        await until(lambda: self.endpoint.cut == 1, "the end of the stream")
        assert self.endpoint.done == 0

    async def clear(self):
        if self.editor is not None:
            self.editor.kill()
            self.editor.wait()
        with suppress(ProcessLookupError, AttributeError):
            os.kill(self.server, signal.SIGKILL)
        await self.client.kill()
        if not self.answer.cancelled():
            self.answer.exception()  # it was due, and nobody waits for it


@pytest.fixture
async def session(tmp_path, endpoint):
    made = Session(tmp_path, endpoint)
    yield made
    await made.clear()


@POSIX
@pytest.mark.parametrize("reaped", [True, False])
async def test_an_editor_that_was_killed_is_missed(session, reaped):
    """Though its pipes are held by another, the server leaves; also where nobody has waited for the editor's end."""
    await session.begin(watched=True)
    session.editor.send_signal(signal.SIGKILL)
    if reaped:
        session.editor.wait()
    await session.gone()
    assert await session.client.ended() == 1
    assert b"The editor's process has ended" in session.client.stderr


@POSIX
async def test_a_wrapper_that_was_killed_is_missed(session):
    """What started the server is gone, and the editor, which lives, holds the pipes: nobody will end it but itself."""
    await session.begin(wrapped=True)
    session.client.process.kill()
    await session.gone()
    await asyncio.wait_for(session.client.ended(), LONG)
    assert b"process that started this server has ended" in session.client.stderr


@POSIX
@pytest.mark.parametrize("pipe", [0, 1], ids=["stdin", "stdout"])
async def test_a_pipe_that_was_closed_with_an_answer_due(session, pipe):
    """Whichever of the two it is, nothing more can be asked or answered."""
    await session.begin()
    session.client.process._transport.get_pipe_transport(pipe).close()
    await session.gone()
    assert await session.client.ended() == 1


@POSIX
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGHUP])
async def test_a_signal(session, how):
    """Neither the stream nor the process that draws maps outlives the server."""
    await session.begin()
    session.client.process.send_signal(how)
    await session.gone()


@POSIX
async def test_stderr_that_was_closed_is_not_missed(session):
    """What would be logged is lost, and nothing else: the answer comes, and the exit code is that of any session."""
    await session.begin()
    session.client.process._transport.get_pipe_transport(2).close()
    refused = await session.client.request("no/such/thing", {})
    assert refused["error"]["code"] == -32601
    session.client.raw(b'Content-Length: 9\r\n\r\n{"broken:')
    session.endpoint.gate.set()
    assert [item["insertText"] for item in (await session.answer)["result"]] == ["None"]
    assert await session.client.stop() == 0
    await until(lambda: identity(session.maps) is None, "the end of the maps' process")


@POSIX
@pytest.mark.parametrize("how", ["2>&-", "2</dev/null", "2>/dev/full"])
def test_without_stderr_it_lives(tmp_path, how):
    """Nor where there was none from the first."""
    frames = [
        {"id": 1, "method": "initialize", "params": {"capabilities": {}, "processId": None}},
        {"method": "initialized", "params": {}},
        {"id": 2, "method": 7},
        {"id": 3, "method": "shutdown"},
        {"method": "exit"},
    ]
    given = b"".join(framed({"jsonrpc": "2.0", **frame}) for frame in frames)
    (tmp_path / "in").write_bytes(given)
    run = subprocess.run(
        f"exec {sys.executable} -m fim_lsp --demo < {tmp_path / 'in'} > {tmp_path / 'out'} {how}",
        shell=True,
        env={**os.environ, "HOME": str(tmp_path)},
        timeout=LONG,
        check=False,
    )
    said = (tmp_path / "out").read_bytes()
    assert run.returncode == 0
    assert said.startswith(b"Content-Length")
    assert all(b'"id": %d' % number in said for number in (1, 2, 3))


def framed(message):
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize("pid", [None, 2**22 + 7, 2**31 - 1, 0, -1])
async def test_a_process_that_is_not_seen_is_not_watched(tmp_path, pid):
    """It may live on another machine, or outside of this container."""
    client = await Client().run(tmp_path, ["-c", SERVER])
    try:
        await client.call("initialize", {"processId": pid, "capabilities": {}})
        client.notify("initialized", {})
        for _ in range(3):
            assert (await client.call("workspace/executeCommand", STATUS))["enabled"]
            await asyncio.sleep(0.05)
        assert await client.stop() == 0
    finally:
        await client.kill()


async def test_a_process_is_looked_at_until_it_is_another():
    """A number that is given to a new process is not the old one's."""
    looks, naps = iter(["10", "10", "10", "99"]), []

    async def sleep(seconds):
        naps.append(seconds)

    assert await process.ended(5, 15.0, sleep, lambda _: next(looks))
    assert naps == [15.0, 15.0]
    assert not await process.ended(5, 15.0, sleep, lambda _: None)
    assert process.identity(os.getpid()) == process.identity(os.getpid()) is not None
    assert process.starter() == Starter(os.getppid(), process.identity(os.getppid()))


@pytest.mark.parametrize(
    ("parents", "looks"),
    [
        ([7, 7, 7, 1], ["10"] * 4),  # init has taken it over
        ([7, 7, 7, 7], ["10", "10", "10", None]),  # Windows: nobody has
        ([7, 7, 7, 7], ["10", "10", "10", "99"]),  # and the number is another's
    ],
)
async def test_who_started_it_is_looked_at_until_he_is_gone(parents, looks):
    """By the number of the parent, and by whom that number belongs to."""
    parents, looks, naps = iter(parents), iter(looks), []

    async def sleep(seconds):
        naps.append(seconds)

    await process.orphaned(Starter(7, "10"), 5.0, sleep, lambda: next(parents), lambda _: next(looks))
    assert naps == [5.0] * 3


async def test_a_starter_that_is_not_seen_counts_by_its_number_alone():
    """As outside of a container: the parent is 0 there for as long as it lives."""
    parents, naps = iter([0, 0, 0, 1]), []

    async def sleep(seconds):
        naps.append(seconds)

    await process.orphaned(Starter(0, None), 5.0, sleep, lambda: next(parents), lambda _: None)
    assert naps == [5.0] * 3


class Kernel:
    """Windows' kernel32, for processes by their numbers: when each was created, and whether it lives."""

    def __init__(self, **processes):
        self.processes = {int(name[1:]): about for name, about in processes.items()}
        self.open = []

    def OpenProcess(self, access, inherit, pid):  # noqa: N802
        assert access & 0x100000  # SYNCHRONIZE: without it, it cannot be waited for
        assert not access & 1  # PROCESS_TERMINATE
        assert inherit is False
        if pid not in self.processes:
            return None
        self.open.append(pid)
        return pid

    def WaitForSingleObject(self, handle, milliseconds):  # noqa: N802
        assert milliseconds == 0
        return 0x102 if self.processes[handle][1] else 0

    def GetProcessTimes(self, handle, created, *_):  # noqa: N802
        ctypes.cast(created, ctypes.POINTER(ctypes.c_uint64))[0] = self.processes[handle][0]
        return 1

    def CloseHandle(self, handle):  # noqa: N802
        self.open.remove(handle)


async def test_a_process_on_windows(monkeypatch):
    """It is looked at without a signal, which would end it there; no handle stays open."""
    kernel = Kernel(p5=(133_000, True), p6=(133_001, False))
    monkeypatch.setattr(process.sys, "platform", "win32")
    monkeypatch.setattr(process, "_kernel", lambda: kernel)
    monkeypatch.setattr(process.os, "kill", None)
    assert identity(5) == "133000"
    assert identity(6) is None
    assert identity(7) is None
    assert identity(0) is None
    naps = []

    async def sleep(seconds):
        naps.append(seconds)
        if len(naps) == 3:
            kernel.processes[5] = (133_777, True)

    assert await process.ended(5, 5.0, sleep)
    assert naps == [5.0] * 3
    await process.orphaned(Starter(5, "133000"), 5.0, sleep, lambda: 5)
    assert kernel.open == []


class Proactor(asyncio.SelectorEventLoop):
    """A loop that treats pipes as ProactorEventLoop does (CPython, proactor_events.py and windows_events.py).

    It takes any file, and fails where it begins to read or to write: the handle was not opened for that.
    """

    async def connect_read_pipe(self, protocol_factory, pipe):
        return self._fails(protocol_factory())

    async def connect_write_pipe(self, protocol_factory, pipe):
        return self._fails(protocol_factory())

    def _fails(self, protocol):
        transport = asyncio.Transport()
        self.call_soon(protocol.connection_made, transport)
        self.call_soon(protocol.connection_lost, OSError(6, "The handle is invalid"))
        return transport, protocol


WINDOWS = f"""
import asyncio, functools
from test_gone import Proactor
from fim_lsp.lsp import jsonrpc, serve
serve.stdio = functools.partial(jsonrpc.stdio, platform="win32")
serve.asyncio.run = lambda main: asyncio.Runner(loop_factory=Proactor).run(main)
{SERVER}
"""


@POSIX
@pytest.mark.parametrize("ends", ["exit", "stdin", "stdout"])
async def test_a_session_on_windows_loop(tmp_path, endpoint, ends):
    """A thread reads what the loop cannot; the session is as any other, and ends as any other."""
    client = await Client().run(
        tmp_path, ["-c", WINDOWS], DEEPSEEK_API_KEY="sk-test", PYTHONPATH=os.pathsep.join([os.getcwd(), HERE])
    )
    try:
        await client.initialize({"baseUrl": endpoint.url, "debounceMs": 0})
        client.open("file:///a.py", "x = ")
        assert await client.texts("file:///a.py", 0, 4) == ["None"]
        if ends == "exit":
            assert await client.stop() == 0
            return
        transport = client.process._transport.get_pipe_transport(ends == "stdout")
        pipe = transport.get_extra_info("pipe")
        transport.close()
        while not pipe.closed:  # the loop does it when it comes to it
            await asyncio.sleep(0)
        if ends == "stdout":
            with suppress(OSError):
                client.notify("no/such/thing", {})
                client.request("no/such/thing", {}).cancel()  # what is due cannot be written
        assert await asyncio.wait_for(client.ended(), LONG) == 1
    finally:
        await client.kill()


HERE = os.pathsep.join(str(folder) for folder in (Path(__file__).parent, Path(__file__).parents[1]))


async def test_every_platform_has_a_way_to_read():
    """Where the loop can read pipes it does; on Windows a thread does; each hears of the end."""
    for platform, kind in (("linux", jsonrpc.LoopWriter), ("win32", jsonrpc.FileWriter)):
        (inner, outer), (back, forth) = os.pipe(), os.pipe()
        source, sink = os.fdopen(inner, "rb", buffering=0), os.fdopen(forth, "wb", buffering=0)
        stream, writer = await jsonrpc.stdio(source, sink, platform)
        assert isinstance(writer, kind)
        os.write(outer, b"to the server")
        assert await stream.read(100) == b"to the server"
        writer.write(b"to the client")
        await writer.drained(1.0)
        assert await asyncio.to_thread(os.read, back, 100) == b"to the client"
        os.close(outer)
        assert await stream.read(100) == b""
        os.close(back)
        writer.write(b"to nobody")
        await asyncio.wait_for(writer.gone.wait(), LONG)
        writer.close()
        source.close()
