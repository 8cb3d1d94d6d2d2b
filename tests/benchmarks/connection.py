"""Measures the first chunk of an answer over TLS and a long way: cold, warmed, kept, and after streams were cut.

Run it as `python tests/benchmarks/connection.py`; `--rtt MS` is the round trip (50), `--turns N` how often each (15).
A child process serves, behind a relay that holds every byte for half a round trip, and the first ones of a connection
for a whole one more, as opening it would.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import ssl
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import trustme

from fim_lsp.endpoint.connection_pool import Transport
from fim_lsp.endpoint.request import Request
from fim_lsp.endpoint.service import Service

LONG = Request("def f(x):\n" * 450, "\n", "deepseek-flash", 1000, 0.0)
SHORT = Request("def f(x):\n" * 450, "\n", "deepseek-flash", 3, 0.0)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def event(text, reason=None):
    data = json.dumps({"choices": [{"index": 0, "text": text, "finish_reason": reason}]}).encode()
    return b"%x\r\ndata: %s\n\n\r\n" % (len(data) + 8, data)


END = event("", "stop") + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


class Far:
    """The service and the long way to it; `GET /models` says how many streams were cut."""

    def __init__(self, rtt):
        self.rtt = rtt
        self.cut = 0

    async def start(self, context):
        service = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=context)
        self.inner = service.sockets[0].getsockname()[1]
        way = await asyncio.start_server(self.relay, "127.0.0.1", 0)
        return way.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self.answer(reader, writer):
                pass
        writer.close()

    async def answer(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if head.startswith(b"get"):
            data = json.dumps({"data": [{"id": str(self.cut)}]}).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data)
            )
            writer.write(data)
            return True
        length = int(head.partition(b"content-length:")[2].split()[0])
        pieces = json.loads(await reader.readexactly(length))["max_tokens"]
        writer.write(HEAD)
        gone = asyncio.ensure_future(reader.read(1))
        gone.add_done_callback(lambda task: task.cancelled() or task.exception())
        for _ in range(pieces):
            writer.write(event("x"))
            if (await asyncio.wait({gone}, timeout=0.01))[0]:
                self.cut += 1
                return False
        gone.cancel()
        await asyncio.wait({gone})
        writer.write(END)
        return True

    async def relay(self, reader, writer):
        loop = asyncio.get_running_loop()
        opened = loop.time() + self.rtt
        there, back = await asyncio.open_connection("127.0.0.1", self.inner)

        def deliver(target, data):
            if not target.is_closing():
                target.write(data)

        async def pump(source, target):
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65536):
                    loop.call_at(max(opened, loop.time()) + self.rtt / 2, deliver, target, data)
            loop.call_at(max(opened, loop.time()) + self.rtt / 2, target.close)

        await asyncio.gather(pump(reader, back), pump(there, writer))


def child(certificate, rtt, told):
    async def main():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        told.put(await Far(rtt).start(context))
        await asyncio.sleep(3600)

    asyncio.run(main())


async def first(service, request, pause=0.0):
    """Milliseconds to the first piece; the answer is read on for `pause` seconds, then cut if it has not ended."""
    begun = time.perf_counter()
    async with service.complete(request, seconds=20) as reply:
        await anext(reply)
        took = 1000 * (time.perf_counter() - begun)
        if request is SHORT:
            async for _ in reply:
                pass
        await asyncio.sleep(pause)
    return took


async def cut_early(service, after):
    """Ask, and give up after so many seconds, before anything was received."""
    task = asyncio.create_task(first(service, LONG))
    await asyncio.sleep(after)
    task.cancel()
    await asyncio.wait({task})


async def measure(make, turns):
    """Rows of (what, milliseconds), and streams cut by us and ended there."""
    rows, cuts = {}, 0

    def note(what, took):
        rows.setdefault(what, []).append(took)

    for _ in range(turns):
        service = make()
        note("cold", await first(service, SHORT))
        await service.aclose()
        service = make()
        await service.warm()
        note("warmed", await first(service, SHORT))
        for _ in range(2):
            await asyncio.sleep(0.02)
            note("kept (warm)", await first(service, SHORT))
        await service.aclose()

    service = make()
    await service.warm()
    before = int((await service.models())[0])
    await first(service, LONG)
    cuts += 1
    for _ in range(turns):
        # Each stream is cut at its first piece, and the next request follows at once.
        note("after a cut, at once", await first(service, LONG))
        cuts += 1
    for gap in (0.05, 0.1, 0.2):
        for _ in range(turns):
            await asyncio.sleep(gap)
            note(f"after a cut, {1000 * gap:.0f} ms later", await first(service, LONG))
            cuts += 1
    for _ in range(turns):
        # As while typing: cut before anything came, asked again at the next key.
        for _ in range(3):
            await cut_early(service, 0.12)
            cuts += 1
        note("after 3 cut unheard, 120 ms each", await first(service, LONG))
        cuts += 1
    await asyncio.sleep(0.5)
    ended = int((await service.models())[0]) - before
    await service.aclose()
    return rows, cuts, ended


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rtt", type=float, default=50, help="milliseconds")
    parser.add_argument("--turns", type=int, default=15)
    options = parser.parse_args()
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with tempfile.TemporaryDirectory() as folder:
        certificate = Path(folder) / "localhost.pem"
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        spawn = multiprocessing.get_context("spawn")
        told = spawn.Queue()
        server = spawn.Process(target=child, args=(str(certificate), options.rtt / 1000, told), daemon=True)
        server.start()
        url = f"https://localhost:{told.get(timeout=30)}"
        makers = {
            "fim-lsp": lambda: Service(url, "sk-1", transport=Transport(url, context=context)),
            "httpx": lambda: Service(url, "sk-1", transport=httpx.AsyncHTTPTransport(verify=context)),
        }
        print(
            f"First chunk over TLS, round trip {options.rtt:g} ms, median of {options.turns} (ms; times warm)"
        )
        for name, make in makers.items():
            rows, cuts, ended = asyncio.run(measure(make, options.turns))
            warm = statistics.median(rows["kept (warm)"])
            for what, took in rows.items():
                median = statistics.median(took)
                worst = max(took)
                print(f"{name:8} {what:34} {median:7.1f} {median / warm:6.2f}   worst {worst:7.1f}")
            print(f"{name:8} streams ended at the service, of those cut: {ended} of {cuts}")
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
