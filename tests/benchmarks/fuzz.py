"""Feeds the server messages that are nearly right, and its client answers that are nearly right, and looks for what breaks.

Run it as `python tests/benchmarks/fuzz.py [MESSAGES [STREAMS]]`, 100,000 and 20,000 if not given; `--seed N` for others;
`--engine NAME` for the streams of one, `--engines` for those of all, so many each (of those that are read alike, one).
They go in rounds of 50,000 at most, each with a seed of its own.  A message is one of a client's, changed in its values, its
shape or its bytes.  It must not raise, every request with an id must be answered once, and a document that only rightful
changes reach must stay what a naive model says.  A stream is an answer of the service, changed likewise, and cut into
pieces anywhere: it gives text or one of the two errors, and ends.  What each costs is CPU time, which a busy machine does
not lengthen.
"""

import argparse
import asyncio
import functools
import json
import logging
import math
import random
import sys
import time
from itertools import pairwise
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

import httpx
from world import Service as AnswerCache

from fim_lsp.endpoint.dialect import dialects, put_at
from fim_lsp.endpoint.look import Found
from fim_lsp.endpoint.request import Request, ServiceError
from fim_lsp.endpoint.service import Service
from fim_lsp.endpoint.template import families
from fim_lsp.lsp.server import create
from fim_lsp.text.confidence import LEAST, RULES, Doubt, kept
from fim_lsp.text.surroundings import surroundings

ROUND = 50_000
LONG = 1.0  # seconds of CPU time that nothing may take
URI = "file:///fuzzed.py"
KEPT = "file:///kept.py"
AT = {"line": 1, "character": 3}
ODD = [
    None,
    True,
    -1,
    0,
    1.5,
    10**30,
    "",
    "x",
    "\ud800",
    "\u2028",
    [],
    {},
    [[]],
    {"line": 0},
    "file:///kept.py/..",
    2**31,
]
ASK = {"textDocument": {"uri": URI}, "position": AT, "context": {"triggerKind": 2}}
CHANGE = {
    "textDocument": {"uri": URI, "version": 2},
    "contentChanges": [{"range": {"start": AT, "end": AT}, "text": "é\r\n"}],
}
CALLS = [
    ("textDocument/inlineCompletion", ASK),
    ("textDocument/completion", ASK),
    ("workspace/executeCommand", {"command": "fimLsp.status", "arguments": []}),
    ("workspace/executeCommand", {"command": "fimLsp.explain", "arguments": [{"uri": URI, "position": AT}]}),
    ("workspace/executeCommand", {"command": "fimLsp.toggle"}),
    ("textDocument/hover", ASK),
    ("$/unknown", {}),
]
NOTES = [
    (
        "textDocument/didOpen",
        {"textDocument": {"uri": URI, "languageId": "python", "version": 1, "text": "a\nbcdef\n"}},
    ),
    ("textDocument/didChange", CHANGE),
    (
        "textDocument/didChange",
        {"textDocument": {"uri": URI, "version": 3}, "contentChanges": [{"text": "x = 1\ny = "}]},
    ),
    ("textDocument/didClose", {"textDocument": {"uri": URI}}),
    ("textDocument/didSave", {"textDocument": {"uri": URI}}),
    ("workspace/didChangeConfiguration", {"settings": {"fimLsp": {"debounceMs": 0, "model": "m"}}}),
    ("$/cancelRequest", {"id": 5}),
    ("$/setTrace", {"value": "off"}),
]
EVENT = {"choices": [{"index": 0, "text": "abc", "finish_reason": None}], "model": "m"}
LAST = {
    "choices": [{"index": 0, "text": "", "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1, "prompt_cache_hit_tokens": 0},
}


# What is told of a token's probability, besides numbers that may be one.
LOGPROBS = [*ODD, -0.5, -9999.0, float("nan"), float("inf"), float("-inf"), 10**400, "-1", 3.5]
TEXTS = ["abc", "", "a<|fim_", "suffix|>", "```py\n", "\n```", "\ud83d", "\ude00", "a"]


def said_by(dialect):
    """An event of an engine's answer as a function of its text, and the last one."""
    usage = {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 3}}
    if not dialect.choices:
        last = {
            dialect.end: True,
            dialect.finish: next(iter(dialect.ends)),
            "prompt_eval_count": 5,
            "eval_count": 1,
        }
        return (
            lambda text: {dialect.text[0]: text, dialect.end: False},
            {dialect.text[0]: "", **last, "timings": {"cache_n": 3, "prompt_n": 2, "predicted_n": 1}},
        )

    def choice(text, reason):
        found = {"index": 0, dialect.finish: reason}
        put_at(found, dialect.text[0], text)
        return {"choices": [found], "model": "m"}

    return (lambda text: choice(text, None)), {**choice("", "stop"), "usage": usage}


def told_of(chance, dialect, text):
    """How sure a model was of a text, in one of the shapes of engines, hardly ever right."""
    cuts = sorted(chance.randrange(len(text) + 1) for _ in range(chance.randrange(4)))
    tokens = [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]
    if chance.random() < 0.3:
        tokens[chance.randrange(len(tokens))] = chance.choice(
            ["x", "", "\ud83d", "Ġabc", 7, None, "y" * 3000]
        )
    numbers = [chance.choice(LOGPROBS) if chance.random() < 0.3 else -chance.random() for _ in tokens]
    rows = [{"token": one, "logprob": number} for one, number in zip(tokens, numbers, strict=True)]
    shapes = [
        rows,
        {"content": rows},
        {"tokens": tokens, "token_logprobs": numbers, "text_offset": [0] * len(tokens)},
    ]
    found = bent(chance, chance.choice(shapes)) if chance.random() < 0.3 else chance.choice(shapes)
    return {dialect.logprobs[0]: found}


def with_told(chance, dialect, event):
    """The event with what is told of its text; some have none."""
    if not dialect.logprobs or chance.random() < 0.2:
        return event
    if not dialect.choices:
        return {**event, **told_of(chance, dialect, event[dialect.text[0]])}
    choice = event["choices"][0]
    return {**event, "choices": [{**choice, **told_of(chance, dialect, choice.get("text", ""))}]}


def unlike(reply, text):
    """What is wrong with the tokens of a reply, which are read as the engine reads them; nothing where they are right."""
    for token in reply.tokens:
        if not (0 <= token.start <= token.end and math.isfinite(token.logprob) and token.logprob <= 0):
            return f"no token: {token!r}"
    for rule in RULES:
        doubt = Doubt(0.5, rule=rule)
        if doubt.close(text, reply.tokens):
            left = kept(text, doubt, surroundings("x = 1\n", "", "python"))
            if not 0 <= left <= len(text) or not (text[:left][-1:] in {"", "\n"} or left >= LEAST):
                return f"{left} of {text!r} is left"
    return ""


def read_apart():
    """One engine of each way in which answers are read."""
    ways = {}
    for name, one in dialects().items():
        rendered = not one.suffix and not one.chat
        reads = (
            one.framing,
            one.choices,
            one.text,
            one.finish,
            one.end,
            one.whole,
            one.chat,
            one.echoes,
            one.logprobs,
        )
        ways.setdefault((*reads, rendered, one.prompt_tokens, tuple(one.ends)), name)
    return list(ways.values())


def bent(chance, value):
    """The value with one thing in it changed."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice(list(value))
        fate = chance.random()
        if fate < 0.1:
            return {key: each for key, each in value.items() if key != name}
        if fate < 0.15:
            return {**value, chance.choice(["", "id", "x"]): chance.choice(ODD)}
        return {**value, name: bent(chance, value[name])}
    if isinstance(value, list) and value and chance.random() < 0.8:
        index = chance.randrange(len(value))
        return [*value[:index], bent(chance, value[index]), *value[index + 1 :]]
    return chance.choice(ODD)


def torn(chance, data):
    """The bytes with some of them lost, doubled or changed."""
    at = chance.randrange(len(data) + 1)
    fate = chance.random()
    if fate < 0.3:
        return data[:at]
    if fate < 0.6:
        return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    if fate < 0.8:
        return data[:at] + data[max(at - 9, 0) :]
    return (
        data[:at]
        + chance.choice([b"\0", b"\xff", b"\r\n\r\n", b"{", b"[" * 200, b"\\ud800", b'"'])
        + data[at:]
    )


class Client:
    """The other side: what was answered, by id."""

    def __init__(self):
        self.answered = {}

    def write(self, data):
        message = json.loads(data.partition(b"\r\n\r\n")[2])
        if "method" not in message:
            number = message["id"]
            self.answered[number] = self.answered.get(number, 0) + 1

    def close(self):
        pass


async def messages(number, seed):
    """Send so many; what went wrong, as sentences."""
    chance = random.Random(seed)
    wrong = []
    server = create(
        lambda _: AnswerCache(), Path("/nowhere/config.toml"), None, {"DEEPSEEK_API_KEY": "sk-test"}
    )
    client = Client()
    wire = server.protocol
    wire.set_writer(client)

    def send(method, params, **more):
        wire.receive(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode())

    send("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, id="start")
    send("initialized", {})
    model = "first\nsecond = 2\n"
    send(
        "textDocument/didOpen",
        {"textDocument": {"uri": KEPT, "languageId": "python", "version": 1, "text": model}},
    )
    asked, slowest = set(), 0.0
    for n in range(1, number + 1):
        call = chance.random() < 0.5
        method, params = chance.choice(CALLS if call else NOTES)
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if call:
            message["id"] = n
        fate = chance.random()
        if fate < 0.45:
            message["params"] = bent(chance, params)
        elif fate < 0.55:
            message = bent(chance, message)
        if 0.55 <= fate < 0.7:
            # A number that lost a digit would be another request's.
            data = torn(chance, json.dumps({**message, **({"id": f"torn {n}"} if call else {})}).encode())
        else:
            data = json.dumps(message).encode()
        if call and fate < 0.45:
            asked.add(n)
        begun = time.thread_time()
        try:
            wire.receive(data)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            wrong.append(f"{type(error).__name__} at {data[:300]!r}")
        taken = time.thread_time() - begun
        slowest = max(slowest, taken)
        if taken > LONG:
            wrong.append(f"{taken:.1f} s at {data[:300]!r}")
        if n % 7 == 0:
            column = chance.randrange(9)
            text = chance.choice(["k", "\n", "é", "ab"])
            lines = model.split("\n")
            line = min(1, len(lines) - 1)
            column = min(column, len(lines[line]))
            lines[line] = lines[line][:column] + text + lines[line][column:]
            model = "\n".join(lines)[:4000]
            place = {"line": line, "character": column}
            change = {"range": {"start": place, "end": place}, "text": text}
            send(
                "textDocument/didChange",
                {"textDocument": {"uri": KEPT, "version": n}, "contentChanges": [change]},
            )
            if len(model) == 4000:
                model = "first\nsecond = 2\n"
                send(
                    "textDocument/didChange",
                    {"textDocument": {"uri": KEPT, "version": n}, "contentChanges": [{"text": model}]},
                )
        if n % 50 == 0:
            await asyncio.sleep(0)
            kept = server.engine.document(KEPT)
            if kept is None or kept.text != model:
                if kept is None:  # closed or renamed by a message that was bent so
                    send(
                        "textDocument/didOpen",
                        {"textDocument": {"uri": KEPT, "languageId": "python", "version": 1, "text": model}},
                    )
                else:
                    wrong.append(f"wrong text after message {n}")
                    model = kept.text
    for _ in range(200):
        await asyncio.sleep(0.01)
        if asked <= client.answered.keys():
            break
    missing = asked - client.answered.keys()
    wrong += [f"request {n} was never answered" for n in sorted(missing)[:9]]
    twice = [n for n, times in client.answered.items() if times > 1 and n in asked]
    wrong += [f"request {n} was answered twice" for n in twice[:9]]
    await server.engine.aclose()
    for task in server.tasks:
        task.cancel()
    return wrong, slowest


async def streams(number, seed, engine="deepseek"):
    """Read so many of an engine's; what went wrong, as sentences."""
    chance = random.Random(seed)
    wrong, slowest = [], 0.0
    body = b""
    dialect = dialects()[engine]
    event_of, last = (lambda _: EVENT, LAST) if engine == "deepseek" else said_by(dialect)
    lined = dialect.framing == "lines"
    kind = "application/x-ndjson" if lined else "text/event-stream"
    template = None if dialect.suffix or dialect.chat else families()["qwen"]

    def answer(_):
        parts = Parts(body, sorted(chance.randrange(len(body) + 1) for _ in range(chance.randrange(6))))
        return httpx.Response(200, headers={"Content-Type": kind}, stream=parts)

    service = Service("http://fuzz.invalid", "sk-test", transport=httpx.MockTransport(answer))
    service.found = Found(dialect, "m", template)
    for _ in range(number):
        said = TEXTS[:1] if engine == "deepseek" else TEXTS
        events = [event_of(chance.choice(said)) for _ in range(chance.randrange(4))] + [last]
        events = [with_told(chance, dialect, event) for event in events]
        lines = [b": keep-alive"] * (chance.randrange(2) if not lined else 0)
        for event in events:
            data = json.dumps(bent(chance, event) if chance.random() < 0.3 else event).encode()
            lines.append(data if lined else b"data: " + data)
        ending = [b"data: [DONE]", b""] if dialect.choices else [b""]
        body = (b"\n" if lined else b"\n\n").join([*lines, *ending])
        if chance.random() < 0.4:
            body = torn(chance, body)
        begun = time.thread_time()
        try:
            async with (
                asyncio.timeout(30),
                service.complete(Request("a", "b", "m", 9, 0.0, logprobs=True), seconds=2.0) as reply,
            ):
                text = [piece async for piece in reply]
            if not all(isinstance(piece, str) and piece for piece in text):
                wrong.append(f"no text: {text!r} of {body[:300]!r}")
            if what := unlike(reply, "".join(text)):
                wrong.append(f"{what} of {body[:600]!r}")
        except ServiceError:
            pass
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            wrong.append(f"{type(error).__name__} at {body[:300]!r}")
        taken = time.thread_time() - begun
        slowest = max(slowest, taken)
        if taken > LONG:
            wrong.append(f"{taken:.1f} s at {body[:300]!r}")
        await asyncio.sleep(0)  # nothing here waits for a network: what ends with a stream would pile up
    await service.aclose()
    return wrong, slowest


class Parts(httpx.AsyncByteStream):
    """Bytes in pieces, cut at these places."""

    def __init__(self, data, places):
        self._pieces = [data[a:b] for a, b in pairwise([0, *places, len(data)])]

    async def __aiter__(self):
        for piece in self._pieces:
            yield piece


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("messages", type=int, nargs="?", default=100_000)
    options.add_argument("streams", type=int, nargs="?", default=20_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--engine", choices=dialects(), default="deepseek")
    options.add_argument("--engines", action="store_true")
    chosen = options.parse_args()
    logging.disable(logging.CRITICAL)
    bad = 0
    works = [("messages", messages, chosen.messages)]
    named = read_apart() if chosen.engines else [chosen.engine]
    works += [(f"streams of {one}", functools.partial(streams, engine=one), chosen.streams) for one in named]
    for name, work, number in works:
        begun = time.perf_counter()
        wrong, slowest = [], (0.0, 0)
        for turn, first in enumerate(range(0, number, ROUND)):
            seed = chosen.seed + turn
            more, longest = asyncio.run(work(min(ROUND, number - first), seed))
            wrong += [f"seed {seed}: {sentence}" for sentence in more]
            slowest = max(slowest, (longest, seed))
        bad += len(wrong)
        print(
            f"{number} {name}, {len(wrong)} wrong; the slowest took {1000 * slowest[0]:.0f} ms of CPU time (seed {slowest[1]});"
            f" {time.perf_counter() - begun:.0f} s in all",
            flush=True,
        )
        print("\n".join(wrong[:20]))
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
