"""One request to the service, from question to offer: reserved, read as it streams, ended early, accounted for, tidied."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

from fim_lsp.completion.answer_cache import KeptBack, Offer
from fim_lsp.completion.backend import Backend
from fim_lsp.completion.endpoints import Endpoint
from fim_lsp.completion.question import Question
from fim_lsp.completion.service import Reply
from fim_lsp.completion.stream import Stream
from fim_lsp.endpoint.request import Request, ServiceError, Unavailable
from fim_lsp.text.confidence import kept
from fim_lsp.text.early_stop import Ending
from fim_lsp.text.token_healing import Heard
from fim_lsp.usage.account import Account

log = logging.getLogger(__name__)

LINGER = 0.05  # seconds that a stream is held for its bill, once its text is complete
CANDIDATES = 3  # texts offered to an explicit ask
VARIETY = 0.8  # least temperature of the second and third


class Generation:
    """One answer of the model to a question; `stream` and `watch`, where there are any, follow what it says.

    It is asked of `endpoint`.  Where that rests from then on before a word came, and `others` are to be asked, the next one is:
    that is no second try, since the first one's failure was no answer of the next.  With an `explicit` ask, the first line is
    shown however unsure the model is.
    """

    def __init__(
        self,
        backend: Backend,
        endpoint: Endpoint,
        question: Question,
        *,
        temperature: float | None = None,
        stream: Stream | None = None,
        watch: Callable[[str], None] | None = None,
        others: bool = False,
        explicit: bool = False,
    ) -> None:
        self._backend = backend
        self._endpoint = endpoint
        self._question = question
        self._stream = stream
        self._watch = watch
        self._others = others
        self._explicit = explicit
        self._warmth = question.temperature if temperature is None else temperature
        self._ending = question.ending()
        self._doubt = question.doubt(explicit=explicit)
        self._heard = Heard("")  # what was said in answer to the request under way

    async def offer(self) -> Offer | None:
        """What is worth inserting; None if there is no answer, or the person typed something else."""
        backend = self._backend
        end = backend.clock() + backend.settings.timeout_seconds
        asked: list[Endpoint] = []
        endpoint: Endpoint | None = self._endpoint
        while endpoint is not None:
            asked.append(endpoint)
            offer, further = await self._asked(endpoint, end, heals=True)
            if self._heard.parted:
                offer, further = await self._asked(endpoint, end)
            if not (further and self._others and end > backend.clock()):
                return offer
            endpoint = backend.choice(explicit=self._explicit, without=asked)
        return None

    async def trial(self) -> None:
        """Ask for one token, to learn whether the endpoint is well again; nobody waits for it."""
        backend = self._backend
        await self._asked(self._endpoint, backend.clock() + backend.settings.timeout_seconds, most=1)

    async def _asked(
        self, endpoint: Endpoint, end: float, *, heals: bool = False, most: int | None = None
    ) -> tuple[Offer | None, bool]:
        """What one endpoint offers until the clock says `end`, and whether it failed so that another may be asked.

        With `heals`, the prompt's end may be left to the model; where it says something else, that is no answer.
        """
        backend, ending = self._backend, self._ending
        try:
            await backend.meet(endpoint)
        except asyncio.CancelledError:
            endpoint.breaker.given_up()
            raise
        healing = endpoint.healing
        lead = healing.wanted(self._question.prompt.prefix) if heals else ""
        heard = self._heard = Heard(lead, strict=healing.proven, held=healing.holds)
        request = self._question.request(endpoint.settings.model, self._warmth, lead, held=healing.holds)
        if most is not None:
            request = replace(request, max_tokens=most)
        account = await self._reserved(endpoint, request)
        if account is None:
            return None, False
        anew = endpoint.pace.sent(*self._question.prompt)
        reading, left = backend.begun(), backend.clock()
        ended, offer = "cut", Offer("")
        reply: Reply | None = None
        lingers = False
        try:
            async with AsyncExitStack() as stack:
                seconds = max(0.0, end - backend.clock())
                reply = await stack.enter_async_context(endpoint.service().complete(request, seconds=seconds))
                pieces = aiter(reply)
                going_on = await self._read(reply, pieces, account, endpoint, anew)
                if heard.agreed is not None:
                    healing.heard(agreed=heard.agreed)
                if not going_on:
                    endpoint.breaker.given_up()
                    return None, False
                offer = self._tidied(reply, cut=reply.finish_reason == "length")
                ended = "done"
                took = account.done()
                if reply.usage is None and ending.bare:
                    lingers = True
                    rest = stack.pop_all()
                    backend.beside(self._linger(rest, pieces, reply, account, len(offer.text)))
        except ServiceError as error:
            if not _out_of_time(error, ending):
                ended = "failed"
                backend.failed(endpoint, error, left)
                return None, endpoint.failure is not None and not ending.text
            offer = self._tidied(reply, cut=True)
            took = account.done()
        except asyncio.CancelledError:
            endpoint.breaker.given_up()
            raise
        finally:
            if account.waited is None and endpoint.pace.unheard(anew, backend.clock() - left):
                backend.paced(endpoint)
            if not lingers:
                # Some engines tell the bill with each piece: what was cut has one there.
                told = reply.usage if reply is not None else None
                account.close(ended, heard.said, told, len(offer.text) if most is None else 0)
            backend.ended(reading)
        backend.worked(endpoint, left)
        sent, read, kept = map(len, self._question.prompt), len(ending.text), len(offer.text)
        log.info("%d + %d characters sent, %d read, %d kept, %.0f ms", *sent, read, kept, took)
        return offer, False

    async def _reserved(self, endpoint: Endpoint, request: Request) -> Account | None:
        """The account of the request, once the limits let it leave; None where they do not."""
        backend, question = self._backend, self._question
        number = None
        if backend.ledger is not None:
            try:
                number = await backend.ledger.reserve(endpoint.priced_as, question.prompt, request.max_tokens)
            except asyncio.CancelledError:
                endpoint.breaker.given_up()
                raise
            if number is None:
                endpoint.breaker.given_up()
                return None
        if self._stream is not None:
            self._stream.number = number
        return Account(
            question.prompt,
            number=number,
            max_tokens=request.max_tokens,
            uri=question.uri,
            model=endpoint.priced_as,
            language=question.language,
            counts=endpoint.counts,
            ledger=backend.ledger,
            clock=backend.clock,
        )

    async def _read(
        self, reply: Reply, pieces: AsyncIterator[str], account: Account, endpoint: Endpoint, anew: int
    ) -> bool:
        """Read until enough is said, or the model is no longer sure; False if it or the person says something else."""
        stream, ending, doubt, heard = self._stream, self._ending, self._doubt, self._heard
        async for piece in pieces:
            first = account.waited is None
            account.heard()
            if first and endpoint.pace.heard(anew, account.waited or 0.0):
                self._backend.paced(endpoint)
            text = heard.take(piece)
            if heard.parted:
                return False
            full = ending.feed(text)
            if stream is not None:
                stream.raw = ending.text
                if not stream.agrees(ending.text):
                    stream.disagreed = True
                    return False
            if self._watch is not None:
                self._watch(ending.text)
            if full or (
                doubt is not None and doubt.read(ending.text, heard.tokens(reply.tokens), until=ending.end)
            ):
                break
        heard.close()
        return not heard.parted

    def _tidied(self, reply: Reply | None, *, cut: bool) -> Offer:
        """What of the answer is worth inserting, as far as the model is sure of it; `cut` where it was cut off.

        Who asks is shown also what is no code, or what the model is unsure of from the first word on.
        """
        ending, doubt, fell = self._ending, self._doubt, False
        text = ending.text
        if doubt is not None and reply is not None:
            fell = doubt.close(text, self._heard.tokens(reply.tokens), until=ending.end)
            if fell:
                text, cut = text[: kept(text, doubt, ending.surroundings)], False
        shown, asked, said = (Offer(*found) for found in self._question.tidied(text, cut=cut))
        if self._stream is not None and not self._explicit:
            if not shown.text and (fell or (cut and asked.text)):
                self._stream.kept_back = KeptBack(None, shown)
            elif shown != said:
                self._stream.kept_back = KeptBack(asked, said)
        return asked if self._explicit else shown

    async def _linger(
        self, stack: AsyncExitStack, pieces: AsyncIterator[str], reply: Reply, account: Account, shown: int
    ) -> None:
        """Read on for a moment behind a text that is complete: where the model ends here too, its bill comes."""
        text = self._heard.said
        try:
            async with stack:
                further = asyncio.ensure_future(anext(pieces, ""))
                nap = asyncio.ensure_future(self._backend.sleep(LINGER))
                try:
                    await asyncio.wait({further, nap}, return_when=asyncio.FIRST_COMPLETED)
                    if further.done() and not further.exception():
                        text += further.result()
                finally:
                    for task in (further, nap):
                        task.cancel()
                    await asyncio.wait({further, nap})
        finally:
            account.close("done", text, reply.usage, shown)


async def candidates(
    backend: Backend,
    endpoint: Endpoint,
    question: Question,
    stream: Stream,
    known: tuple[Offer, ...] | None,
    others: int,
    *,
    explicit: bool,
) -> tuple[Offer, ...] | None:
    """One offer, as soon as it is there; where something is `known`, that and so many others.  None if there is no answer."""
    if known is None:
        asked = Generation(backend, endpoint, question, stream=stream, others=True, explicit=explicit)
        offer = await asked.offer()
        return None if offer is None else (offer,) if offer.text else ()
    warmth = max(VARIETY, question.temperature)
    beside = [
        asyncio.create_task(
            Generation(backend, endpoint, question, temperature=warmth, explicit=explicit).offer()
        )
        for _ in range(others)
    ]
    try:
        await asyncio.wait(beside)
        done = [other.result() for other in beside if other.done() and not other.cancelled()]
        if not known and all(offer is None for offer in done):
            return None
        offers = (*known, *(offer for offer in done if offer is not None))
        return tuple(dict.fromkeys(offer for offer in offers if offer.text))
    finally:
        for other in beside:
            other.cancel()


def _out_of_time(error: ServiceError, ending: Ending) -> bool:
    """Whether an answer that ran out of time had said something: out of time is not failed."""
    return isinstance(error, Unavailable) and error.cause == "deadline" and bool(ending.text.strip())
