"""An answer as it streams: events in, pieces of text out, and the bill."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import httpx_sse

from fim_lsp.endpoint.body import whole
from fim_lsp.endpoint.dialect import Dialect, at, dialects, usage_in
from fim_lsp.endpoint.failures import Limit, broke_off, garbage
from fim_lsp.endpoint.logprobs import Spelling, told
from fim_lsp.endpoint.request import Unavailable, Usage
from fim_lsp.text.confidence import Token
from fim_lsp.words.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from fim_lsp.endpoint.filters import Filter

log = logging.getLogger(__name__)

_AFTERWORD = 0.02  # seconds for the end of a body after the end of its text


class Reply:
    """An answer as it streams: iterate over its pieces of text, none of them empty.

    `finish_reason` ("stop" or "length"), `usage` and `model` are known once the service has sent them, the first two
    usually with the last piece or after it.  `tokens` are those whose log-probabilities were told, in order, by their
    places in the text; they come with the pieces, or somewhat earlier or later.  Raises `Unavailable` out of the
    iteration; what was read stays good.
    `dialect` says where everything stands, `filters` what of it is no text; `most` bounds it, in characters.
    """

    def __init__(
        self,
        response: httpx.Response,
        limit: Limit,
        most: int,
        dialect: Dialect | None = None,
        filters: Sequence[Filter] = (),
    ) -> None:
        self.usage: Usage | None = None
        self.finish_reason: str | None = None
        self.model: str | None = None
        self.tokens: list[Token] = []
        self._response = response
        self._limit = limit
        self._room = most  # characters
        self._dialect = dialect or dialects()["deepseek"]
        self._filters = filters
        self._begun = self._done = False
        self._spelling = Spelling()
        self._untold: list[Token] = []  # by their places in the text before it is filtered
        self._pieces = self._read_pieces()

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        with self._limit.named(alone=self._begun):
            async with asyncio.timeout(self._limit.left()):
                piece = await anext(self._pieces)
        self._begun = True
        return piece

    async def aclose(self) -> None:
        """Stop reading."""
        await self._pieces.aclose()

    async def _read_pieces(self) -> AsyncGenerator[str, None]:
        half, empty = "", True
        events = self._events()
        try:
            async for event in events:
                empty = False
                text = half + self._noted(event)
                half = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
                text = whole(text[:-1] if half else text)
                self._room -= len(text)
                if self._room < 0:
                    raise garbage(self._limit.host)
                self._spell(event, text)
                text = self._sifted(text)
                if text:
                    self._tell()
                    yield text
                if any(one.met for one in self._filters):
                    self.finish_reason = "stop"
                    break
        finally:
            await events.aclose()
        if half:
            yield "\ufffd"
        if self._filters and (text := self._left()):
            self._tell()
            yield text
        if empty:
            raise garbage(self._limit.host)
        self._judge()

    async def _events(self) -> AsyncGenerator[dict[str, Any], None]:
        """The objects of an event stream up to its end, or the one object of an answer that is no stream."""
        response, host = self._response, self._limit.host
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.headers.get("content-encoding", "identity") != "identity":
            raise garbage(host)
        if kind == "application/json":
            yield json_object(await read(response), host)
            self._done = True
            return
        events = self._lines() if self._dialect.framing == "lines" else self._messages()
        try:
            async for data in events:
                if data == "[DONE]":
                    self._done = True
                else:
                    yield json_object(data, host)
                if self._done:
                    break
            if self._done:
                # What follows is the end of the body; once it is read, the connection serves again.
                with suppress(TimeoutError, httpx.HTTPError, OSError):
                    async with asyncio.timeout(_AFTERWORD):
                        async for _ in events:
                            pass
        finally:
            await events.aclose()
        self._done = self._done or self._dialect.whole

    async def _messages(self) -> AsyncGenerator[str, None]:
        """The data of an event stream's events, where there is any."""
        self._response.encoding = "utf-8-sig"  # whatever the header says: an event stream has no other
        events = httpx_sse.EventSource(self._response).aiter_sse()
        try:
            async for event in events:
                if data := event.data.strip():
                    yield data
        finally:
            await events.aclose()

    async def _lines(self) -> AsyncGenerator[str, None]:
        """The lines of a body, where there is anything in them."""
        held: list[bytes] = []
        async for chunk in self._response.aiter_raw():
            first, *others = chunk.split(b"\n")
            held.append(first)
            for other in others:
                if line := b"".join(held).strip():
                    yield line.decode("utf-8-sig", "replace")
                held = [other]
        if line := b"".join(held).strip():
            yield line.decode("utf-8-sig", "replace")

    def _noted(self, event: dict[str, Any]) -> str:
        """The text of an event; what else it says is noted."""
        host = self._limit.host
        if event.get("error") is not None:
            words = Sentence("{host} broke off with an error of its own: asking again later.", host=host)
            raise Unavailable(words, "down")
        if isinstance(event.get("model"), str):
            self.model = event["model"][:200]
        try:
            self.usage = usage_in(self._dialect, event) or self.usage
        except ValueError:
            log.warning("A bill that holds no numbers of tokens is taken as none.")
        if self._dialect.choices:
            return self._choice(event)
        text, ended = self._first(event), at(event, self._dialect.end)
        if text is None and ended is None:
            raise garbage(host)
        if ended is True:
            self._done = True
            reason = at(event, self._dialect.finish)
            self.finish_reason = self._ending(reason if isinstance(reason, str) and reason else "stop")
        return text or ""

    def _choice(self, event: dict[str, Any]) -> str:
        host, choices = self._limit.host, event.get("choices")
        if not choices and (choices == [] or "usage" in event):
            return ""
        choice = choices[0] if isinstance(choices, list) else None
        if not isinstance(choice, dict):
            raise garbage(host)
        reason = choice.get(self._dialect.finish)
        if not isinstance(reason, str | None):
            raise garbage(host)
        self.finish_reason = self._ending(reason) if reason else self.finish_reason
        return self._first(choice) or ""

    def _first(self, holder: dict[str, Any]) -> str | None:
        """The text of an event; None where none stands in it."""
        for place in self._dialect.text:
            text = at(holder, place)
            if not isinstance(text, str | None):
                raise garbage(self._limit.host)
            if text is not None:
                return text
        return None

    def _ending(self, reason: str) -> str:
        return self._dialect.ends.get(reason, reason)

    def _spell(self, event: dict[str, Any], text: str) -> None:
        """Take in the tokens of an event that held this text."""
        if self._dialect.logprobs:
            holder = at(event, "choices.0") if self._dialect.choices else event
            self._untold += self._spelling.take(text, told(self._dialect, holder))

    def _tell(self) -> None:
        """Tell the tokens read so far, without those of what the filters left out at the beginning."""
        skipped = sum(one.skipped for one in self._filters)
        for token in self._untold:
            if token.end > skipped or not skipped:
                start, end = max(token.start - skipped, 0), token.end - skipped
                self.tokens.append(Token(start, end, token.logprob))
        self._untold.clear()

    def _sifted(self, text: str) -> str:
        for one in self._filters:
            text = one.feed(text) if text else ""
        return text

    def _left(self) -> str:
        """What the filters have held back, each through those behind it."""
        text = ""
        for one in self._filters:
            ended = one.met
            text = (one.feed(text) if text else "") + ("" if ended or one.met else one.rest())
        return text

    def _judge(self) -> None:
        """Raise where an answer that has ended was not a whole one."""
        host = self._limit.host
        match self.finish_reason:
            case "stop" | "length":
                return
            case None:
                if self._dialect.whole and self._done:
                    self.finish_reason = "length"  # nobody knows how it would have gone on
                elif not self._done:
                    raise broke_off(host)
            case "insufficient_system_resource":
                words = Sentence("{host} lacked the means to finish: asking again later.", host=host)
                raise Unavailable(words, "busy")
            case "aborted":
                words = Sentence("{host} gave up on this completion.", host=host)
                raise Unavailable(words, "busy", alone=True)
            case "content_filter":
                words = Sentence("{host} withheld this completion.", host=host)
                raise Unavailable(words, "garbage", alone=True)
            case _:
                words = Sentence("{host} ended this completion for an unknown reason.", host=host)
                raise Unavailable(words, "garbage", alone=True)


class Bounded(httpx.AsyncByteStream):
    """A body that ends in an error after so many bytes, or past the deadline."""

    def __init__(self, stream: Any, limit: Limit, most: int) -> None:
        self._stream = stream
        self._limit = limit
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._most
        async for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise httpx.DecodingError("too long")
            if not self._limit.left():  # a peer that always has more to say lets no timer run
                raise TimeoutError
            yield chunk

    async def aclose(self) -> None:
        """Stop reading."""
        await self._stream.aclose()


async def read(response: httpx.Response) -> bytes:
    """The whole of a body."""
    return b"".join([chunk async for chunk in response.aiter_raw()])


def json_object(data: str | bytes, host: str) -> dict[str, Any]:
    """The object of JSON in an answer; raises `Unavailable("garbage")` where there is none."""
    try:
        value = json.loads(data, strict=False)  # the service leaves some control characters as they are
    except (ValueError, RecursionError):
        raise garbage(host) from None
    if not isinstance(value, dict):
        raise garbage(host)
    return value
