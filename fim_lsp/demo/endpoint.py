"""The demo endpoint without its socket: a request in, the service's documented answer out."""

from __future__ import annotations

import asyncio
import json
import random as randomness
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from fim_lsp.demo.cache import PrefixCache
from fim_lsp.demo.model import Model
from fim_lsp.demo.parameters import MODELS, Refused, Wanted, checked
from fim_lsp.demo.tokens import rendered

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from random import Random

FAULTS: Final = ("401", "402", "404", "422", "429", "500", "503", "slow", "stall", "break", "garbage")
KEY: Final = "sk-demo"

_STATUS_FAULTS: Final[dict[str, tuple[str, str]]] = {
    "401": ("Authentication Fails, Your api key: {key} is invalid", "authentication_error"),
    "402": ("Insufficient Balance", "unknown_error"),
    "404": ("The requested model does not exist", "invalid_request_error"),
    "422": ("Invalid parameter (asked for by the demo fault 422)", "invalid_request_error"),
    "429": ("Too many requests at once, please try again later", "rate_limit_error"),
    "500": ("Internal server error", "server_error"),
    "503": ("The server is overloaded, please try again later", "server_error"),
}
# The service closes a connection on which it could not begin for this long, in seconds.
_GIVES_UP_S: Final = 600.0
_PIECE: Final = 4  # characters in a piece of a stream, about a token
_BETA_ONLY: Final = (
    'completions api is only available when using beta api (set base_url="https://api.deepseek.com/beta")'
)


class Completer(Protocol):
    """What the endpoint asks for the text itself."""

    def complete(
        self, prefix: str, suffix: str, *, temperature: float, top_p: float, random: Random | None
    ) -> str:
        """Return the text between `prefix` and `suffix`."""


class BrokenStreamError(Exception):
    """The connection is to be cut here, in the middle of the answer."""


@dataclass(slots=True)
class Asked:
    """What one completion request cost, in tokens, and how it ended; none of its text."""

    model: str
    stream: bool
    prompt_tokens: int = 0
    hit_tokens: int = 0
    output_tokens: int = 0
    state: Literal["running", "done", "cut", "broken"] = "running"

    @property
    def cut(self) -> bool:
        """Whether the client went away before the end."""
        return self.state == "cut"


@dataclass(slots=True)
class Totals:
    """All completion requests that were answered with 200, in tokens; `cut` counts requests."""

    requests: int = 0
    prompt_tokens: int = 0
    hit_tokens: int = 0
    output_tokens: int = 0
    cut: int = 0


@dataclass(slots=True)
class Reply:
    """An answer: its chunks are sent as they come; whoever takes it calls `aclose`, at the end or to cut it."""

    status: int
    headers: dict[str, str]
    chunks: AsyncGenerator[bytes, None]
    _ended: Callable[[], None] = field(default=lambda: None)

    async def aclose(self) -> None:
        """Stop generating; a completion that was not all taken counts as cut."""
        await self.chunks.aclose()
        self._ended()


@dataclass(slots=True)
class _Said:
    """An answer to be sent: `head` is common to its events, `pieces` are its text."""

    wanted: Wanted
    asked: Asked
    head: dict[str, Any]
    pieces: list[str]
    finish: str
    fault: str


class Demo:
    """The service in miniature.

    It answers `POST /beta/completions`, `GET /models` and `GET /user/balance` for any Bearer key. Times are
    in seconds: `first_token_s` until the first piece of an answer, `token_s` between pieces, `keep_alive_s`
    between signs of life while it waits, `slow_s` until the first piece under the fault `slow`.

    `fault` (one of `FAULTS`; it may be changed at any time) makes every request fail; a request asks for one
    itself by the header `X-Demo-Fault` or by a key such as `sk-demo-402`. 401, 500 and 503 strike every
    path, the others completions only; under 402 the balance is empty. `slow` waits before it answers, `stall`
    stops in the middle but keeps the connection alive, `break` cuts it, `garbage` sends something else than
    the protocol. `429:7` adds `Retry-After: 7`, as any of the statuses may.

    `requests` are the latest completions that were not refused, `totals` all of them.
    """

    def __init__(
        self,
        model: Completer | None = None,
        *,
        cache: PrefixCache | None = None,
        fault: str | None = None,
        first_token_s: float = 0.05,
        token_s: float = 0.005,
        keep_alive_s: float = 1.0,
        slow_s: float = 5.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Random | None = None,
        keep: int = 1000,
    ) -> None:
        self.model = model or Model()
        self.cache = cache or PrefixCache()
        self.fault = fault
        self.first_token_s = first_token_s
        self.token_s = token_s
        self.keep_alive_s = keep_alive_s
        self.slow_s = slow_s
        self.requests: deque[Asked] = deque(maxlen=keep)
        self.totals = Totals()
        self._clock = clock
        self._sleep = sleep
        self._random = random or randomness.Random(0)  # noqa: S311 - a model's dice
        self._count = 0

    async def respond(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request; header names in any case, `path` with or without a query. Never raises."""
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            return self._respond(method, path.partition("?")[0], lower, body)
        except Refused as refused:
            return _error(refused.status, str(refused), refused.kind)

    def _respond(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        key = _key(headers)
        fault, _, after = self._fault_of(key, headers).partition(":")
        completion = path.endswith("/completions") and "/chat/" not in path
        if fault in ("401", "500", "503") or (fault in _STATUS_FAULTS and completion):
            message, kind = _STATUS_FAULTS[fault]
            refusal = _error(int(fault), message.format(key=_masked(key)), kind)
            if after:
                refusal.headers["retry-after"] = after
            return refusal
        if completion:
            if method != "POST":
                raise Refused(405, "Method Not Allowed")
            if path != "/beta/completions":
                raise Refused(400, _BETA_ONLY)
            return self._complete(checked(body), fault)
        if path in ("/models", "/v1/models") and method == "GET":
            data = [{"id": name, "object": "model", "owned_by": "deepseek"} for name in MODELS]
            return _json(200, {"object": "list", "data": data})
        if path == "/user/balance" and method == "GET":
            amount = "0.00" if fault == "402" else "10.00"
            info = {
                "currency": "USD",
                "total_balance": amount,
                "granted_balance": "0.00",
                "topped_up_balance": amount,
            }
            return _json(200, {"is_available": fault != "402", "balance_infos": [info]})
        raise Refused(404, "Not Found")

    def _fault_of(self, key: str, headers: dict[str, str]) -> str:
        by_key = key.removeprefix(f"{KEY}-") if key.startswith(f"{KEY}-") else ""
        for fault in (headers.get("x-demo-fault", ""), by_key, self.fault or ""):
            if fault.partition(":")[0] in FAULTS:
                return fault
        return ""

    def _complete(self, wanted: Wanted, fault: str) -> Reply:
        ids = rendered(wanted.prompt, wanted.suffix)
        hits = self.cache.ask(ids)
        asked = Asked(wanted.model, wanted.stream, prompt_tokens=len(ids), hit_tokens=hits)
        self.requests.append(asked)
        self.totals.requests += 1
        self.totals.prompt_tokens += len(ids)
        self.totals.hit_tokens += hits
        self._count += 1
        head = {
            "id": f"demo-{self._count:08d}",
            "object": "text_completion",
            "created": int(self._clock()),
            "model": wanted.model,
            "system_fingerprint": "fp_demo",
        }
        text = self.model.complete(
            wanted.prompt,
            wanted.suffix,
            temperature=wanted.temperature,
            top_p=wanted.top_p,
            random=self._random,
        )
        for stop in wanted.stop:
            text = text.partition(stop)[0]
        pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
        finish = "stop" if len(pieces) <= wanted.max_tokens else "length"
        pieces = pieces[: wanted.max_tokens]
        send = self._streamed if wanted.stream else self._whole
        kind = "text/event-stream; charset=utf-8" if wanted.stream else "application/json"

        def ended() -> None:
            if asked.state == "running":
                asked.state = "cut"
                self.totals.cut += 1

        return Reply(
            200,
            {"content-type": kind, "cache-control": "no-cache"},
            send(_Said(wanted, asked, head, pieces, finish, fault)),
            ended,
        )

    async def _streamed(self, said: _Said) -> AsyncGenerator[bytes, None]:
        wanted, asked, fault = said.wanted, said.asked, said.fault

        def event(choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
            body = {**said.head, "choices": choices}
            if wanted.include_usage:
                body["usage"] = usage
            return b"data: " + _encoded(body) + b"\n\n"

        keep_alive = b": keep-alive\n\n"
        yield keep_alive
        alive, rest_s = self._naps(self.slow_s if fault == "slow" else self.first_token_s)
        for _ in range(alive):
            await self._sleep(self.keep_alive_s)
            yield keep_alive
        await self._sleep(rest_s)
        if fault == "garbage":
            yield b"data: <html><body>Bad Gateway</body></html>\n\ndata: {\n\n"
            asked.state = "broken"
            return
        if wanted.echo:
            yield event([_choice(wanted.prompt, None)])
        for index, piece in enumerate(said.pieces):
            if index:
                await self._sleep(self.token_s)
            asked.output_tokens += 1
            self.totals.output_tokens += 1
            yield event([_choice(piece, None)])
            if fault in ("break", "stall"):
                break
        if fault == "stall":
            for _ in range(self._naps(_GIVES_UP_S)[0]):
                await self._sleep(self.keep_alive_s)
                yield keep_alive
        if fault in ("break", "stall"):
            asked.state = "broken"
            raise BrokenStreamError
        yield event([_choice("", said.finish)])
        if wanted.include_usage:
            yield event([], _usage(asked))
        # Done before the last bytes leave: a client that has read them may close at once.
        asked.state = "done"
        yield b"data: [DONE]\n\n"

    async def _whole(self, said: _Said) -> AsyncGenerator[bytes, None]:
        asked, fault, pieces = said.asked, said.fault, said.pieces
        wait_s = {"slow": self.slow_s, "stall": _GIVES_UP_S}.get(fault, self.first_token_s)
        alive, rest_s = self._naps(wait_s + self.token_s * max(0, len(pieces) - 1))
        for _ in range(alive):
            await self._sleep(self.keep_alive_s)
            yield b"\n"
        await self._sleep(rest_s)
        if fault in ("break", "stall"):
            asked.state = "broken"
            raise BrokenStreamError
        if fault == "garbage":
            asked.state = "broken"
            yield b"<html><body>Bad Gateway</body></html>"
            return
        asked.output_tokens = len(pieces)
        self.totals.output_tokens += len(pieces)
        text = (said.wanted.prompt if said.wanted.echo else "") + "".join(pieces)
        asked.state = "done"
        yield _encoded({**said.head, "choices": [_choice(text, said.finish)], "usage": _usage(asked)})

    def _naps(self, seconds: float) -> tuple[int, float]:
        """Divide a wait: how many times `keep_alive_s`, and the seconds left."""
        alive = int(seconds // self.keep_alive_s)
        return alive, seconds - alive * self.keep_alive_s


def _key(headers: dict[str, str]) -> str:
    """Return the key of a request; refuse one without."""
    kind, _, key = headers.get("authorization", "").strip().partition(" ")
    if kind.lower() != "bearer" or not key.strip():
        message = "Authentication Fails (governor)" if not kind else "Authentication Fails (no such user)"
        raise Refused(401, message, "authentication_error")
    return key.strip()


def _masked(key: str) -> str:
    return f"****{key[-4:]}"


def _choice(text: str, finish: str | None) -> dict[str, Any]:
    return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}


def _usage(asked: Asked) -> dict[str, int]:
    return {
        "prompt_tokens": asked.prompt_tokens,
        "completion_tokens": asked.output_tokens,
        "total_tokens": asked.prompt_tokens + asked.output_tokens,
        "prompt_cache_hit_tokens": asked.hit_tokens,
        "prompt_cache_miss_tokens": asked.prompt_tokens - asked.hit_tokens,
    }


def _error(status: int, message: str, kind: str) -> Reply:
    code = "invalid_request_error" if status < 500 else kind
    return _json(status, {"error": {"message": message, "type": kind, "param": None, "code": code}})


def _json(status: int, body: object) -> Reply:
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield encoded

    encoded = _encoded(body)
    return Reply(status, {"content-type": "application/json", "content-length": str(len(encoded))}, chunks())


def _encoded(body: object) -> bytes:
    # Like the service's, the JSON is not limited to ASCII: U+2028 and its like stand in it as they are.
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
