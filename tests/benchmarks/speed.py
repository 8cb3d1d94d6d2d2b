"""Measures the server on its pipe, beside a minimal pygls server and a bare asyncio client, in one run.

Run it as `python tests/benchmarks/speed.py`; `--turns N` is how often each thing is done (60).  The endpoint is on loopback
and answers at once with 16 pieces.  Ratios are of medians; what is compared takes turns.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from endpoint import Endpoint
from lsp import Client
from rich.console import Console
from rich.table import Table

MINIMAL = """
from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("minimal", "1")

@server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
async def complete(params):
    return []

server.start_io()
"""
PIECES = 16
LINE = "    total = total + price * count  # as it was\n"
LONG = "x = " + "1234567890, " * 83_333


def megabytes(client):
    """Resident."""
    pages = Path(f"/proc/{client.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096 / 2**20


async def starts(home, turns):
    """Milliseconds from exec to `initialize` answered, of ours and of the minimal one, and our memory after it."""
    minimal = home / "minimal.py"
    minimal.write_text(MINIMAL)
    taken, memory = {"ours": [], "minimal": []}, []
    for _ in range(turns):
        for name in taken:
            client = Client()
            begun = time.perf_counter()
            if name == "ours":
                await client.start(home, DEEPSEEK_API_KEY="sk-test", FIM_LSP_BASE_URL="http://127.0.0.1:9")
            else:
                await client.run(home, [str(minimal)])
            await client.initialize(capabilities={})
            taken[name].append(1000 * (time.perf_counter() - begun))
            if name == "ours":
                await asyncio.sleep(0.6)
                memory.append(megabytes(client))
            await client.kill()
    return taken, memory


async def bare(endpoint, prompt, turns):
    """Milliseconds of the same request by a client that does nothing else."""
    reader, writer = await asyncio.open_connection(*endpoint.url.removeprefix("http://").split(":"))
    taken = []
    for n in range(turns):
        body = json.dumps({"model": "deepseek-flash", "prompt": f"{prompt}{n}", "stream": True}).encode()
        begun = time.perf_counter()
        writer.write(b"POST /beta/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        length = None
        while (line := await reader.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if length is not None:
            await reader.readexactly(length)
        else:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        taken.append(1000 * (time.perf_counter() - begun))
    writer.close()
    return taken


async def begin(home, endpoint, texts):
    """A server that has been greeted half a second ago, with these documents open."""
    client = await Client().start(home, DEEPSEEK_API_KEY="sk-test", FIM_LSP_BASE_URL=endpoint.url)
    await client.initialize({"debounceMs": 0})
    for size, text in texts.items():
        client.open(f"file:///{size}.py", text)
    await asyncio.sleep(0.5)
    return client


async def keys(client, uri, line, column, numbers):
    """Milliseconds from a key to its answer, each with a number of its own and so asked of the endpoint."""
    taken = []
    for n in numbers:
        text = f"v{n} = "
        client.type(uri, line, column, text + ("\n" if column == 0 else ""))
        begun = time.perf_counter()
        answer = await client.inline(uri, line, column + len(text))
        taken.append(1000 * (time.perf_counter() - begun))
        assert answer["result"], answer
    return taken


async def known(client, uri, turns):
    """Milliseconds to an answer along a suggestion that is there already."""
    client.type(uri, 3, 0, "known = \n")
    (text,) = await client.texts(uri, 3, 8)
    taken = []
    for n in range(turns):
        at = n % (len(text) - 2)
        if n and at == 0:
            client.type(uri, 3, 8, "", end={"line": 3, "character": 8 + len(text) - 2})
        client.type(uri, 3, 8 + at, text[at])
        begun = time.perf_counter()
        answer = await client.inline(uri, 3, 9 + at)
        taken.append(1000 * (time.perf_counter() - begun))
        assert answer["result"], answer
    return taken


async def main(turns):
    home = Path(tempfile.mkdtemp(prefix="fim-lsp-speed-"))
    table = Table("measure", "ours", "beside it", "ratio")
    taken, memory = await starts(home, max(turns // 6, 3))
    ours, theirs = (statistics.median(taken[name]) for name in ("ours", "minimal"))
    table.add_row(
        "exec to initialize, minimal pygls", f"{ours:.0f} ms", f"{theirs:.0f} ms", f"{ours / theirs:.2f}"
    )
    table.add_row("resident after start", f"{statistics.median(memory):.1f} MB", "", "")

    endpoint = await Endpoint().start()
    endpoint.says = " ".join(f"w{n:02}" for n in range(PIECES)) + "\n"
    texts = {100: LINE * 100, 2_000: LINE * 2_000, 20_000: LINE * 20_000}
    first, second = [], []
    for _ in range(max(turns // 6, 3)):
        client = await begin(home, endpoint, {2_000: texts[2_000]})
        first += await keys(client, "file:///2000.py", 1_000, 0, [0])
        second += await keys(client, "file:///2000.py", 1_000, 0, range(1, 11))
        await client.kill()
    cold, warm = statistics.median(first), statistics.median(second)
    table.add_row("first completion, a warm one", f"{cold:.2f} ms", f"{warm:.2f} ms", f"{cold / warm:.2f}")

    client = await begin(home, endpoint, texts)
    rounds = {size: [] for size in texts}
    plain = []
    for n in range(0, turns, 10):
        plain += await bare(endpoint, texts[2_000][:12_000], 10)
        for size, spent in rounds.items():
            spent.extend(await keys(client, f"file:///{size}.py", size // 2, 0, range(n, n + 10)))
    medians = {size: statistics.median(spent) for size, spent in rounds.items()}
    floor = statistics.median(plain)
    ours = medians[2_000]
    table.add_row(
        "request to answer, bare client", f"{ours:.2f} ms", f"{floor:.2f} ms", f"{ours / floor:.2f}"
    )
    many, few = medians[20_000], medians[100]
    table.add_row("20,000 lines, 100 lines", f"{many:.2f} ms", f"{few:.2f} ms", f"{many / few:.2f}")

    client.open("file:///long.py", f"{LONG}\n")
    client.open("file:///short.py", f"{LONG[:80]}\n")
    wide = statistics.median(await keys(client, "file:///long.py", 0, 500_000, range(turns)))
    narrow = statistics.median(await keys(client, "file:///short.py", 0, 40, range(turns)))
    table.add_row(
        "a line of 1,000,000 characters, of 80", f"{wide:.2f} ms", f"{narrow:.2f} ms", f"{wide / narrow:.2f}"
    )
    found = sorted(await known(client, "file:///2000.py", 10 * turns))
    median, worst = statistics.median(found), found[int(0.99 * len(found))]
    table.add_row("answer known here: median, p99", f"{median:.2f} ms", f"{worst:.2f} ms", "")
    await client.stop()
    await endpoint.stop()
    Console(width=100).print(table)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--turns", type=int, default=60)
    asyncio.run(main(options.parse_args().turns))
