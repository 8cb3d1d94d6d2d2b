"""The endpoints behind the completions, in order: which is asked now, which is tried beside it, and which one answers.

The first is asked while it is well.  While it rests for what time mends, the next one is; once its rest is over it is tried with
a request of its own beside the person's, who waits for none of that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from urllib.parse import urlsplit

from fim_lsp.completion.service import Service
from fim_lsp.endpoint.breaker import Breaker
from fim_lsp.endpoint.healing import Healing
from fim_lsp.endpoint.look import Found
from fim_lsp.endpoint.pace import Pace
from fim_lsp.endpoint.request import Refused, ServiceError
from fim_lsp.privacy.secrets import redact_line
from fim_lsp.settings.settings import Settings
from fim_lsp.usage.token_counts import Sums, TokenCounts
from fim_lsp.words.sentence import NOTHING, Sentence

_WHY = {
    "busy": Sentence("it has too many requests"),
    "down": Sentence("it has a fault of its own"),
    "network": Sentence("it is not reached"),
    "deadline": Sentence("it took too long"),
    "garbage": Sentence("it answers with no completions"),
    "key": Sentence("it refuses the key"),
    "balance": Sentence("its account is empty"),
}


class Endpoint:
    """One endpoint: its settings, its client once it is needed, when it rests, and how its tokens are counted."""

    def __init__(
        self,
        settings: Settings,
        connect: Callable[[Settings], Service],
        random: Callable[[], float],
        sums: Sums,
    ) -> None:
        self.settings = settings
        self.breaker = Breaker(random)
        self.counts = TokenCounts(sums)
        self.failure: ServiceError | None = None  # the last, while it rests for it
        self.found: Found | None = None  # what it is, once it is known
        self.pace = Pace()
        self.healing = Healing(on=False)
        self._connect = connect
        self._service: Service | None = None

    @property
    def host(self) -> str:
        """The host, and the port where it is written."""
        return urlsplit(self.settings.base_url).netloc

    @property
    def model(self) -> str:
        """The model that is asked."""
        setting = self.settings.model
        return setting if self.found is None else self.found.model_of(setting)

    @property
    def priced_as(self) -> str:
        """The model as prices and the record name it."""
        setting = self.settings.model
        return setting if self.found is None else self.found.priced_as(setting)

    @property
    def connected(self) -> bool:
        """Whether it has a client."""
        return self._service is not None

    def met(self, found: Found) -> None:
        """It was found to be this; another engine than before has its speed to show, and what it says again."""
        if self.found is None or self.found.dialect is not found.dialect:
            self.pace = Pace(found.dialect.first_chars)
            self.healing = Healing(on=found.dialect.own, holds=found.dialect.holds)
        self.found = found

    def service(self) -> Service:
        """Its client."""
        if self._service is None:
            self._service = self._connect(self.settings)
        return self._service

    def worked(self, left: float) -> bool:
        """An answer came to a request that left at that moment; whether that ends its rest."""
        if not self.breaker.succeeded(left):
            return False
        self.failure = None
        return True

    def failed(self, error: ServiceError, now: float, left: float) -> None:
        """No answer came to a request that left at that moment: it rests, unless that says nothing of the next."""
        self.breaker.failed(error, now, left)
        self.failure = None if self.breaker.state(now) == "ready" else error

    def permits(self, other: Endpoint) -> bool:
        """Whether another may be asked while this one rests: what the reader must mend, no other endpoint hides."""
        if not isinstance(self.failure, Refused):
            return self.failure is not None
        entry = other.settings.entry
        return self.failure.cause in {"key", "balance"} and entry is not None and entry.even_if_refused

    def reset(self) -> None:
        """Forget every failure."""
        self.breaker.reset()
        self.failure = None

    async def aclose(self) -> None:
        """Close its client, where there is one; the next request has a new one."""
        service, self._service, self.found = self._service, None, None
        if service is not None:
            await service.aclose()


class Endpoints:
    """The user's own endpoint and those of `fallback`, in the order in which they are asked."""

    def __init__(
        self,
        settings: Settings,
        connect: Callable[[Settings], Service],
        random: Callable[[], float],
        sums: Sums,
    ) -> None:
        self._made = connect, random, sums
        self._all = tuple(Endpoint(one, *self._made) for one in settings.endpoints())
        self.answering = self.first  # whose answers the person has

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._all)

    @property
    def first(self) -> Endpoint:
        """The one of `baseUrl`."""
        return self._all[0]

    def choice(self, now: float, *, explicit: bool, without: Collection[Endpoint] = ()) -> Endpoint | None:
        """The endpoint to ask now, which the caller then does; None if all rest.

        A person who asks explicitly has the first that may be asked, even if it rests.
        """
        may = [one for one in self._permitted() if one not in without]
        for one in may:
            if one.breaker.state(now) == "ready":
                return one
        return next((one for one in may if one.breaker.allows(now, explicit=explicit)), None)

    def due(self, chosen: Endpoint, now: float) -> list[Endpoint]:
        """Those before the chosen one whose rest is over: each is tried beside it, by the caller."""
        before = self._all[: self._all.index(chosen)] if chosen in self._all else ()
        return [one for one in before if one.breaker.allows(now, explicit=False)]

    def serves(self, now: float) -> bool:
        """Whether one of them is well, and may be asked."""
        return any(one.breaker.state(now) == "ready" for one in self._permitted())

    def moved(self, now: float) -> tuple[Endpoint, Endpoint] | None:
        """Whose answers the person has had and has from now on, where that is another; after an answer came."""
        current = next(
            (one for one in self._permitted() if one.breaker.state(now) == "ready"), self.answering
        )
        before, self.answering = self.answering, current
        return None if current is before else (before, current)

    def behind(self, one: Endpoint, other: Endpoint) -> bool:
        """Whether one is asked after the other."""
        return one in self._all and other in self._all and self._all.index(one) > self._all.index(other)

    def named(self, one: Endpoint) -> str:
        """What to call one of them: its host, or its model where that tells them apart."""
        hosts = [other.host for other in self._all]
        return redact_line(one.model) if hosts.count(one.host) > 1 else one.host

    def standing(self) -> Sentence:
        """What is to be said while another than the first answers; nothing while it does."""
        if self.answering is self.first or self.first.failure is None:
            return NOTHING
        return Sentence(
            "{first} rests, since {why}: {other} answers in its place until it is well.",
            first=self.named(self.first),
            why=_WHY.get(self.first.failure.cause, Sentence("it does not answer")),
            other=self.named(self.answering),
        )

    def configure(self, settings: Settings) -> list[Endpoint]:
        """Take over other settings; the endpoints that are to be closed, since they are asked otherwise now."""
        new = settings.endpoints()
        if [_reached(one) for one in new] == [_reached(one.settings) for one in self._all]:
            for endpoint, one in zip(self._all, new, strict=True):
                endpoint.settings = one
                endpoint.reset()
            self.answering = self.first
            return []
        old, self._all = self._all, tuple(Endpoint(one, *self._made) for one in new)
        self.answering = self.first
        return list(old)

    def _permitted(self) -> Iterator[Endpoint]:
        """The first, and those that may be asked as things stand while those of them that stand before them rest."""
        before: list[Endpoint] = []
        for one in self._all:
            if all(other.permits(one) for other in before):
                yield one
                before.append(one)


def _reached(settings: Settings) -> tuple[object, ...]:
    """The settings on which it depends, how an endpoint is reached."""
    s = settings
    how = s.base_url, s.api_key, s.ca_file, s.engine, s.template, s.model
    return *how, s.headers, s.affinity_header, s.workspace, s.entry
