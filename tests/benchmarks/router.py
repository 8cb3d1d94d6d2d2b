"""Two replicas of llama.cpp's server behind a real router: tokens read anew with affinity and without, and cancels.

`python tests/benchmarks/router.py [--model FILE] [--keys N] [--cancels N] [WAY ...]`; the ways are `alone` (one replica, no router),
`vllm-router`, `vllm-router+affinity`, `smg`, `smg+affinity`, where the programs `vllm-router` and `smg` are on the PATH.  Without
`--model` the model is one made here, whose tokens are as real and whose text is not.

Four people type in turn, in an order that looks random, each in a file and a workspace of their own.  Each replica has three
slots, and no memory besides them.  What was read anew is what the replicas' own `/slots` tell; the first key of each person, which
reads everything, is left out.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

import gguf
from llama import Llama, free_port, installed
from lsp import Client

URI = "file:///project/a.py"
PEOPLE, SLOTS, CHARS = 4, 3, 4_000
COMMANDS = {
    "vllm-router": (["vllm-router"], "round_robin", "consistent_hash", "X-Session-Id"),
    "smg": (["smg", "launch"], "round_robin", "consistent_hashing", "X-SMG-Routing-Key"),
}
BODY = "def step_{who}_{n}(items):\n    total = sum(item.price for item in items[:{n}])\n    return total * {n}\n\n\n"


async def main():
    asked = arguments()
    program, lacking = installed()
    if program is None:
        sys.exit(lacking)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        line = asked.model or gguf.write(folder / "qwen2.5-coder-line.gguf", "abcdefghij\n")
        endless = gguf.write(
            folder / "qwen2.5-coder-endless.gguf", "abcdefghijklmnopqrstuvwxyz", layers=2, inner=4096
        )
        for way in asked.ways:
            async with Ground(program, line, way) as ground:
                await cached(ground, folder / f"cached-{way}", asked.keys)
            async with Ground(program, endless, way) as ground:
                await cancelled(ground, folder / f"cancelled-{way}", asked.cancels)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "ways", nargs="*", default=["alone", *(n + m for n in COMMANDS for m in ("", "+affinity"))]
    )
    parser.add_argument("--model")
    parser.add_argument("--keys", type=int, default=12)
    parser.add_argument("--cancels", type=int, default=20)
    return parser.parse_args()


class Ground:
    """The replicas, and the router in front of them, for one way."""

    def __init__(self, program, model, way):
        self.way = way
        name, _, more = way.partition("+")
        self._command = COMMANDS.get(name)
        self._affinity = bool(more)
        self._replicas = [Llama(program, model) for _ in range(2 if self._command else 1)]
        self._router = None

    async def __aenter__(self):
        try:
            self.replicas = [
                await one.start("--cache-ram", "0", slots=SLOTS, context=4096 * SLOTS)
                for one in self._replicas
            ]
            self.url, self.header = self.replicas[0].url, None
            if self._command:
                await self._route()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_):
        if self._router is not None:
            os.killpg(self._router.pid, signal.SIGKILL)
            await self._router.wait()
        for one in self._replicas:
            await one.stop()

    async def _route(self):
        words, plain, hashing, header = self._command
        policy = hashing if self._affinity else plain
        self.header = header if self._affinity else None
        port = str(free_port())
        self.url = f"http://127.0.0.1:{port}"
        ports = ["--port", port, "--prometheus-port", str(free_port())]
        urls = [one.url for one in self.replicas]
        self._router = await asyncio.create_subprocess_exec(
            *[*words, *ports, "--policy", policy, "--worker-urls", *urls],
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        await self._up()

    async def _up(self):
        import json
        import urllib.request

        def listed():
            try:
                with urllib.request.urlopen(self.url + "/v1/models", timeout=5) as answer:
                    return json.load(answer).get("data")
            except OSError:
                return None

        async with asyncio.timeout(300):
            while not await asyncio.to_thread(listed):
                await asyncio.sleep(0.5)

    async def tasks(self):
        """By replica and slot: the number of the newest task, its prompt's tokens, and those that were read anew."""
        found = {}
        for number, one in enumerate(self.replicas):
            for slot in await one.ask("/slots"):
                said = sum(part["n_decoded"] for part in slot.get("next_token", ()))
                prompt = slot.get("n_prompt_tokens", 0) - said
                found[number, slot["id"]] = (
                    slot.get("id_task", -1),
                    prompt,
                    slot.get("n_prompt_tokens_processed", 0),
                )
        return found

    async def busy(self):
        """Whether a slot of either replica generates."""
        return any([await one.busy() for one in self.replicas])

    async def person(self, home, text, **more):
        """Somebody with a file open, whose settings are the address and what a measurement needs."""
        home.mkdir(parents=True)
        client = await Client().start(home)
        settings = {
            "baseUrl": self.url,
            "debounceMs": 0,
            "prefixChars": CHARS,
            "context": "off",
            "timeoutSeconds": 120,
            **more,
        }
        if self.header:
            settings["affinityHeader"] = self.header
        await client.initialize(settings)
        client.open(URI, text)
        return client


async def cached(ground, folder, keys):
    """Type, and print which part of the prompts' tokens was read anew."""
    people = []
    for who in range(PEOPLE if ground.way != "alone" else SLOTS):
        head = (
            "".join(BODY.format(who=who, n=n) for n in range(100))[: CHARS - 400].rpartition("\n\n\n")[0]
            + "\n\n\n"
        )
        client = await ground.person(
            folder / str(who), head + "\nprint(1)\n", maxTokens=16, multiline="never"
        )
        people.append((who, client, head.count("\n")))
    order, prompts, anew, where = random.Random(7), 0, 0, {}
    before = await ground.tasks()
    for key in range(keys):
        order.shuffle(people)
        for who, client, line in people:
            client.type(URI, line, key, "result = compute(value, other)"[key % 30])
            await asyncio.wait_for(client.inline(URI, line, key + 1), 120)
            while await ground.busy():
                await asyncio.sleep(0.01)
            now = await ground.tasks()
            for place, task in now.items():
                if task[0] != before[place][0] and key:
                    prompts, anew = prompts + task[1], anew + task[2]
                    where.setdefault(who, set()).add(place[0])
            before = now
    said = {message for _, client, _ in people for message in client.messages()}
    for _, client, _ in people:
        await client.kill()
    share = 100 * (1 - anew / max(prompts, 1))
    print(
        f"{ground.way:22} {prompts} prompt tokens, {anew} read anew, {share:.1f} % cached; replicas {where} {said or ''}",
        flush=True,
    )


async def cancelled(ground, folder, count):
    """Cancel what is generated, and print how long the slots take to be idle."""
    client = await ground.person(folder, "x = \n" * (count + 1), maxTokens=2000)
    took = []
    for line in range(count):
        ask = client.inline(URI, line, 4)
        async with asyncio.timeout(120):
            while max([await one.said_so_far() for one in ground.replicas]) < 3:
                await asyncio.sleep(0.003)
        client.cancel(ask)
        begun = time.monotonic()
        async with asyncio.timeout(120):
            while await ground.busy():
                await asyncio.sleep(0.003)
        took.append(round(1000 * (time.monotonic() - begun)))
        await ask
    await client.kill()
    within = sum(one <= 100 for one in took)
    print(
        f"{ground.way:22} {within} of {count} cancels leave the slots idle within 100 ms; ms: {sorted(took)}",
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(main())
