"""Answers of a model, kept as it gave them: a service that asks each question once, and a file that outlives the process.

A file has one JSON object a line: `key` tells the request without holding it, `pieces` is the text as it came, `at` the
milliseconds at which each did, `finish` and `usage` are what the service said at the end (null where its stream was closed
before), `error` what ended it instead, and `whole` is false where the stream was closed from here; `tokens` are the places of
tokens in the text (start, end) and their log-probabilities, where these were asked for.  A line whose key is
`met` says what the endpoint was found to be, since prompts are made to fit that.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from fim_lsp.completion.service import Reply
from fim_lsp.completion.service import Service as Asked
from fim_lsp.endpoint.dialect import dialects
from fim_lsp.endpoint.look import Found
from fim_lsp.endpoint.request import Balance, Request, ServiceError, Unavailable, Usage
from fim_lsp.text.confidence import Token
from fim_lsp.words.sentence import Sentence

MET = "met"
OUT_OF_TIME = "deadline"  # the one error that is an answer: who waited so long was shown what had come


class AnswersError(Exception):
    """A file cannot be used; the message says in a sentence why."""


@dataclass(slots=True)
class Answer:
    """What a model said to a request, and when, in milliseconds from its leaving."""

    key: str
    endpoint: str
    model: str
    pieces: list[str] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    finish: str | None = None
    usage: Usage | None = None
    error: str = ""
    whole: bool = True
    tokens: list[Token] | None = None  # None where they were not asked for

    @property
    def first(self) -> int | None:
        """Milliseconds to the first text; None where none came."""
        return self.at[0] if self.at else None


class Used(NamedTuple):
    """A request, the answer to it, and how much of its text was read."""

    request: Request
    answer: Answer
    told: _Told

    @property
    def text(self) -> str:
        """What was read."""
        return "".join(self.answer.pieces[: self.told.pieces])

    @property
    def all_read(self) -> bool:
        """Whether that is all that is kept."""
        return self.told.pieces == len(self.answer.pieces)


class Kept:
    """The answers of a file; without one, those of this process."""

    def __init__(self, file: Path | None) -> None:
        """Raises AnswersError where the file holds something else."""
        self._file = file
        self._known: dict[str, Answer] = {}
        self._met: dict[str, Found] = {}
        self._torn = False  # whether the last line was cut short as it was written
        if file is not None and file.exists():
            for answer in self._read(file):
                self._known[answer.key] = answer

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> Answer | None:
        """The answer to a request."""
        return self._known.get(key)

    def met(self, way: str) -> Found | None:
        """What the endpoint was found to be that is asked in a way."""
        return self._met.get(way)

    def meet(self, way: str, found: Found) -> None:
        """Keep what an endpoint was found to be.  Raises OSError."""
        if _told(found) != (_told(self._met[way]) if way in self._met else None):
            self._met[way] = found
            self._write((json.dumps({"key": MET, "way": way, **_told(found)}) + "\n").encode())

    @property
    def endpoints(self) -> set[str]:
        """Who gave the answers."""
        return {answer.endpoint for answer in self._known.values()}

    def put(self, answer: Answer) -> None:
        """Keep an answer, on the disk before anything else is asked.  Raises OSError."""
        self._known[answer.key] = answer
        told = {name: one for name, one in asdict(answer).items() if name != "tokens" or one is not None}
        line = json.dumps(told, ensure_ascii=False) + "\n"
        self._write(b"\n" * self._torn + line.encode("utf-8", "surrogatepass"))
        self._torn = False

    def begin(self) -> None:
        """See to it that answers can be kept, before one is paid for.  Raises OSError."""
        self._write(b"")

    def _write(self, data: bytes) -> None:
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            with open(os.open(self._file, flags, 0o600), "ab") as out:  # noqa: PTH123 - with its mode
                out.write(data)

    def _read(self, file: Path) -> Iterator[Answer]:
        """The answers in a file; a last line that was cut short is passed over, and is asked for again."""
        try:
            lines = file.read_bytes().split(b"\n")
        except OSError as error:
            raise AnswersError(f"{file} cannot be read: {error.strerror or type(error).__name__}.") from None
        self._torn = bool(lines[-1])
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            try:
                raw = json.loads(line.decode("utf-8", "surrogatepass"))
                if raw["key"] == MET:
                    self._met[str(raw["way"])] = _found(raw)
                else:
                    yield _answer(raw)
            except (ValueError, TypeError, KeyError, RecursionError):
                if number > 1 and line.startswith(b'{"key": '):
                    continue
                raise AnswersError(
                    f"{file} holds no kept answers in line {number}: name another file."
                ) from None


def _answer(raw: dict[str, Any]) -> Answer:
    usage = raw["usage"]
    answer = Answer(**{**raw, "usage": None if usage is None else Usage(*map(int, usage))})
    texts = [answer.key, answer.endpoint, answer.model, answer.error, *answer.pieces]
    if not all(isinstance(text, str) for text in texts) or len(answer.at) != len(answer.pieces):
        raise ValueError(answer.key)
    if answer.tokens is not None:
        answer.tokens = [Token(int(a), int(b), min(float(one), 0.0)) for a, b, one in answer.tokens]
    return answer


def _told(found: Found) -> dict[str, Any]:
    """Of what an endpoint was found to be, what prompts and figures depend on."""
    return {
        "dialect": found.dialect.name,
        "model": found.model,
        "context": found.context_tokens,
        "setting": found.setting,
    }


def _found(raw: dict[str, Any]) -> Found:
    return Found(
        dialects()[raw["dialect"]],
        str(raw["model"]),
        context_tokens=int(raw["context"]),
        setting=str(raw["setting"]),
    )


def key_of(request: Request, salt: str = "") -> str:
    """What tells a request from every other; `salt` tells who is asked, where that is compared."""
    parts = (request.prefix, request.suffix, request.model, request.max_tokens, request.temperature)
    held = [request.begins] if request.begins else []
    told = json.dumps([*parts, request.stop, salt, *held]).encode()
    return blake2b(told, digest_size=20).hexdigest()


class Once:
    """A service that gives kept answers, and asks another one for those that are missing, where there is one.

    `used` are the kept answers given since it was last emptied, `missing` the requests to which there was none, and
    `failed` is why the service gave none, `unkept` why one could not be written down.
    """

    def __init__(
        self,
        kept: Kept,
        service: Asked | None,
        *,
        endpoint: str,
        model: str = "",
        salt: str = "",
        whole: bool = False,
        logprobs: bool = False,
        allows: Callable[[Request], bool] = lambda _: True,
        spent: Callable[[Request, Answer], None] = lambda _, __: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`model` and `salt` tell its way of asking from others.  `whole`: answers are read to their end, also where nothing
        more is wanted.  `logprobs`: those of the tokens are asked for with every request; one that wants them takes no answer
        that is kept without.

        `allows` says before each request whether it may leave; `spent` is told of each that has.
        """
        self.used: list[Used] = []
        self.missing: list[Request] = []
        self.failed: ServiceError | None = None
        self.unkept: OSError | None = None
        self._kept = kept
        self._service = service
        self._endpoint = endpoint
        self._model = model
        self._salt = salt
        self._whole = whole
        self._logprobs = logprobs
        self._allows = allows
        self._spent = spent
        self._clock = clock

    async def meet(self) -> Found | None:
        """What the service is, or was when it was last asked."""
        way = f"{self._model} {self._salt}"
        found = None if self._service is None else await self._service.meet()
        if found is not None:
            self._kept.meet(way, found)
        return self._kept.met(way)

    def shown(self, request: Request) -> dict[str, Any]:
        """What would be sent for a request."""
        return {} if self._service is None else self._service.shown(request)

    def complete(self, request: Request, *, seconds: float) -> AbstractAsyncContextManager[Reply]:
        """The answer that is kept, or the service's."""
        return self._complete(request, seconds)

    @asynccontextmanager
    async def _complete(self, request: Request, seconds: float) -> AsyncGenerator[Reply, None]:
        key = key_of(request, self._salt)
        known = self._kept.get(key)
        if known is not None and (known.tokens is not None or not request.logprobs):
            told = _Told(known)
            self.used.append(Used(request, known, told))
            yield told
        elif self._service is not None and self._allows(request):
            request = replace(request, logprobs=request.logprobs or self._logprobs)
            async with self._live(request, Answer(key, self._endpoint, request.model), seconds) as reply:
                yield reply
        else:
            self.missing.append(request)
            raise Unavailable(Sentence.of("This answer is not kept."), "network", alone=True)

    @asynccontextmanager
    async def _live(self, request: Request, answer: Answer, seconds: float) -> AsyncGenerator[Reply, None]:
        assert self._service is not None
        begun = self._clock()
        try:
            async with self._service.complete(request, seconds=seconds) as reply:
                if request.logprobs:
                    answer.tokens = []
                heard = _Heard(reply, answer, lambda: round(1000 * (self._clock() - begun)))
                try:
                    yield heard
                    await heard.close(whole=self._whole)
                finally:
                    await heard.close(whole=False)
        except ServiceError as error:
            if error.cause != OUT_OF_TIME:
                self.failed = error
                raise
            answer.error = error.cause
            self._keep(request, answer)
            raise
        self._keep(request, answer)

    def _keep(self, request: Request, answer: Answer) -> None:
        self._spent(request, answer)
        try:
            self._kept.put(answer)
        except OSError as error:
            self.unkept = error  # whoever asked has an answer all the same; whoever measures is to stop

    async def warm(self) -> None:
        """Nothing is to be made ready."""

    async def balance(self) -> Balance:
        """Nothing is known of the account."""
        return Balance(available=True, amounts=())

    async def aclose(self) -> None:
        """Whoever made the service closes it."""


class _Heard:
    """An answer as it streams, written down by a task of its own: whoever reads may stop, and the rest still comes."""

    def __init__(self, reply: Reply, answer: Answer, now: Callable[[], int]) -> None:
        self.usage: Usage | None = None
        self.finish_reason: str | None = None
        self._reply = reply
        self._answer = answer
        self._now = now
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(lambda _: self._news.set())

    @property
    def tokens(self) -> Sequence[Token]:
        """Those of all that was heard, also of pieces that were not given yet."""
        return self._reply.tokens

    async def __aiter__(self) -> AsyncIterator[str]:
        told = 0
        while told < len(self._answer.pieces) or not self._reading.done():
            if told == len(self._answer.pieces):
                self._news.clear()
                await self._news.wait()
                continue
            told += 1
            yield self._answer.pieces[told - 1]
        self._reading.result()

    async def close(self, *, whole: bool) -> None:
        """End the reading, once all has come where the `whole` is wanted.  Raises what the service did."""
        if not whole:
            self._reading.cancel()
        await asyncio.wait({self._reading})
        self._answer.whole = not self._reading.cancelled()
        failed = self._answer.whole and self._reading.exception()
        if whole and failed:
            raise failed

    async def _read(self) -> None:
        try:
            async for piece in self._reply:
                self._answer.pieces.append(piece)
                self._answer.at.append(self._now())
                self._news.set()
        finally:
            self._answer.finish, self._answer.usage = self._reply.finish_reason, self._reply.usage
            self.usage, self.finish_reason = self._reply.usage, self._reply.finish_reason
            if self._answer.tokens is not None:
                self._answer.tokens = list(self._reply.tokens)


class _Told:
    """An answer that is kept, told again."""

    def __init__(self, answer: Answer) -> None:
        self.usage: Usage | None = None
        self.finish_reason: str | None = None
        self.tokens = answer.tokens or []
        self.pieces = 0  # that were read
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[str]:
        for piece in self._answer.pieces:
            self.pieces += 1
            yield piece
        self.usage, self.finish_reason = self._answer.usage, self._answer.finish
        if self._answer.error:
            raise Unavailable(Sentence.of("The time was over."), "deadline", alone=True)
