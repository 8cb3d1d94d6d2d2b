"""A request to the endpoint and what can become of it, without the network: two errors, named for who must act."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Literal, NamedTuple

from fim_lsp.text.characters import visible
from fim_lsp.words.sentence import Sentence

LONGEST = 500  # characters of a message

RefusedCause = Literal["key", "balance", "model", "parameter", "address"]
UnavailableCause = Literal["busy", "down", "network", "deadline", "garbage"]


class ServiceError(Exception):
    """No answer, or not a whole one; `message` is one sentence for the user, free of key, prompt and answer."""

    def __init__(self, message: Sentence) -> None:
        self.message = Sentence.of(message).through(partial(visible, most=LONGEST))
        super().__init__(self.message)
        self.cause: str = ""


class Refused(ServiceError):  # noqa: N818 - named for who must act
    """The reader must act: asking again changes nothing until what `cause` names was changed."""

    def __init__(self, message: Sentence, cause: RefusedCause) -> None:
        super().__init__(message)
        self.cause: str = cause


class Unavailable(ServiceError):  # noqa: N818 - named for who must act
    """Time must act.

    `retry_after` is what the service asked for, in seconds.  `alone` is true where this request failed and nothing
    is known to be wrong with the next.
    """

    def __init__(
        self,
        message: Sentence,
        cause: UnavailableCause,
        *,
        retry_after: float | None = None,
        alone: bool = False,
    ) -> None:
        super().__init__(message)
        self.cause: str = cause
        self.retry_after = retry_after
        self.alone = alone


class Usage(NamedTuple):
    """What an answer is billed for, in tokens; `prompt_tokens` includes `cache_hit_tokens`."""

    prompt_tokens: int
    cache_hit_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: the text around the hole, at most `max_tokens` (1 to 4096), at most 16 `stop` texts.

    The first `context` characters of the prefix are of other places and files; `path` is the name of the file.
    `logprobs`: whether the log-probabilities of the answer's tokens are asked for, of an engine that tells them.  `begins`: what
    an engine that can be held to it is to begin its answer with.
    """

    prefix: str
    suffix: str
    model: str
    max_tokens: int
    temperature: float
    stop: tuple[str, ...] = ()
    context: int = 0
    path: str = ""
    logprobs: bool = False
    begins: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left on the account: whether requests are served, and the totals as (currency, amount)."""

    available: bool
    amounts: tuple[tuple[str, Decimal], ...]
