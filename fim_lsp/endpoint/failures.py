"""Every way in which a request fails, as one of two errors: `Refused` asks something of the reader, `Unavailable` of time.

What the service writes about an error is never repeated: it may quote the key or the user's text.  Facts about the service
are from its API documentation, autumn 2026.
"""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import httpx_sse

from fim_lsp.endpoint.request import Refused, ServiceError, Unavailable
from fim_lsp.endpoint.trust import UnusableError
from fim_lsp.privacy.secrets import redact_line
from fim_lsp.settings.keys import PLACES
from fim_lsp.settings.kinds import RETIRED_MODELS
from fim_lsp.words.sentence import NOTHING, Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BAD_ADDRESS = Sentence(
    "The address of the service or of its proxy cannot be used: check baseUrl and HTTPS_PROXY."
)
_PROXY_KEY = Sentence("The proxy asks for a user name and password (407): put them into HTTPS_PROXY.")
# By OpenSSL's numbers (x509_vfy.h), which truststore gives on other systems where they fit.
_DISTRUST = {
    9: Sentence(", since it is not valid yet: check the clock"),
    10: Sentence(", since it has expired: check the clock and the proxy"),
    62: Sentence(", since it is that of another host: check baseUrl and the proxy"),
    64: Sentence(", since it is that of another host: check baseUrl and the proxy"),
}
_UNKNOWN_ISSUER = Sentence(
    ": if it is your company's, set caFile in config.toml (or SSL_CERT_FILE) to the path of its certificates in PEM; "
    "else check the clock and the proxy"
)
_LONGEST_REST = 600.0  # seconds: the most that Retry-After is believed


def of_status(
    response: httpx.Response,
    host: str,
    model: str | None,
    secrets: Sequence[str],
    now: float,
    *,
    key_named: Sentence = PLACES,
) -> ServiceError | None:
    """What a status other than 200 means for the user; None where it lies in a parameter, which the body may name.

    The status alone decides; `now` is the time of the wall clock, in seconds.  A date is judged by the answer's own
    `Date`, where there is one: this machine's clock may be another.  None of the `secrets` is in the message.
    """
    status = response.status_code
    now = next(
        (when for value in response.headers.get_list("date") if (when := _moment(value)) is not None), now
    )
    # Twice, where something between has added its own: the longest counts.
    asked = (_retry_after(value, now) for value in response.headers.get_list("retry-after"))
    after = max((seconds for seconds in asked if seconds is not None), default=None)
    if model in RETIRED_MODELS and status in {400, 404, 422}:
        words = Sentence(
            'The service has ended the model "{model}": set model to "{successor}".',
            model=model,
            successor=RETIRED_MODELS[model],
        )
        return Refused(words, "model")
    at = {"host": host, "status": status}
    if status == 429:
        words = Sentence("{host} has too many requests at once ({status}): asking again later.", **at)
        return Unavailable(words, "busy", retry_after=after)
    if status in {503, 529}:
        words = Sentence("{host} is overloaded ({status}): asking again later.", **at)
        return Unavailable(words, "busy", retry_after=after)
    if status >= 500:
        words = Sentence("{host} has a fault of its own ({status}): asking again later.", **at)
        return Unavailable(words, "down", retry_after=after)
    if status == 408:
        words = Sentence("{host} waited too long for the request ({status}): asking again later.", **at)
        return Unavailable(words, "network")
    if 300 <= status < 400:
        where = _redirected(response.headers.get("location", ""), secrets)
        words = Sentence(
            "{host} redirects{where} ({status}), which is not followed: correct baseUrl.", **at, where=where
        )
        return Refused(words, "address")
    if status < 300:
        return garbage(host)
    if status in {401, 403}:
        words = Sentence(
            "{host} does not accept the API key ({status}): check {place}.", **at, place=key_named
        )
        return Refused(words, "key")
    if status == 402:
        words = Sentence("The balance of the account at {host} is used up ({status}): top it up.", **at)
        return Refused(words, "balance")
    if status == 407:
        return Refused(_PROXY_KEY, "address")
    if status == 404 and model is not None:
        words = Sentence(
            '{host} knows no model "{model}" at this address ({status}): check model and baseUrl.',
            **at,
            model=redact_line(model),
        )
        return Refused(words, "model")
    if status in {404, 405, 410, 451}:
        words = Sentence(
            "{host} does not offer what was asked for at this address ({status}): check baseUrl.", **at
        )
        return Refused(words, "address")
    return None


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a request may take, and what any way of failing means for the user."""

    clock: Callable[[], float]
    end: float
    host: str

    def left(self) -> float:
        """Seconds that are left."""
        return max(0.0, self.end - self.clock())

    @contextmanager
    def named(self, *, alone: bool = False) -> Iterator[None]:
        """Every error of the layers below as one of the two that leave the client.

        `alone`: text was received, so that running out of time says nothing about the next request.
        """
        try:
            yield
        except TimeoutError:
            words = Sentence("{host} took too long: asking again later.", host=self.host)
            raise Unavailable(words, "deadline", alone=alone) from None
        except (httpx.DecodingError, httpx.StreamError, httpx_sse.SSEError):
            raise garbage(self.host) from None
        except (httpx.InvalidURL, UnicodeError):
            raise Refused(BAD_ADDRESS, "address") from None
        except (httpx.HTTPError, OSError) as error:
            raise _lost(error, self.host) from None


def _lost(error: Exception, host: str) -> ServiceError:
    """What a failed connection means for the user."""
    causes = list(_causes(error))
    if isinstance(error, httpx.ProxyError):
        if str(error).startswith("407"):
            return Refused(_PROXY_KEY, "address")
        return Unavailable(
            Sentence("The proxy does not let the request through to {host}: check HTTPS_PROXY.", host=host),
            "network",
        )
    if isinstance(error, UnusableError):
        return unusable(error, host)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return Refused(BAD_ADDRESS, "address")
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = _DISTRUST.get(getattr(cause, "verify_code", 0), _UNKNOWN_ISSUER)
            return Unavailable(
                Sentence("{host} shows a certificate that is not trusted{why}.", host=host, why=why),
                "network",
            )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Unavailable(
            Sentence("{host} is not found by name: check the network and baseUrl.", host=host), "network"
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Unavailable(
            Sentence("{host} does not agree on a secure connection: check baseUrl and the proxy.", host=host),
            "network",
        )
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | ConnectionRefusedError):
        return Unavailable(
            Sentence("{host} cannot be reached: check the network and baseUrl.", host=host), "network"
        )
    return broke_off(host)


def broke_off(host: str) -> Unavailable:
    """A connection that ended before its answer did."""
    return Unavailable(
        Sentence("The connection to {host} broke off: asking again later.", host=host), "network"
    )


def unusable(error: UnusableError, host: str) -> Refused:
    """A proxy or certificates that were set and cannot be used."""
    return Refused(Sentence("{host} is not asked: {why}.", host=host, why=error.why), "address")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def garbage(host: str) -> Unavailable:
    """An answer that makes no sense."""
    return Unavailable(
        Sentence(
            "{host} answers with something that is no completion: check baseUrl and the proxy.", host=host
        ),
        "garbage",
    )


def _retry_after(value: str, now: float) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3); None if it holds neither.

    Several numbers in one are several headers, joined on the way.
    """
    if re.fullmatch(r"\s*\d{1,9}(\.\d{0,9})?\s*(,\s*\d{1,9}(\.\d{0,9})?\s*)*", value, re.ASCII):
        return min(max(map(float, value.split(","))), _LONGEST_REST)
    when = _moment(value)
    return None if when is None else min(max(0.0, when - now), _LONGEST_REST)


def _moment(value: str) -> float | None:
    """Seconds since 1970 from a date in any of HTTP's three forms (RFC 9110, 5.6.7), all of them UTC; None if it is none."""
    try:
        when = parsedate_to_datetime(value)
        return (when.replace(tzinfo=UTC) if when.tzinfo is None else when).timestamp()
    except (ValueError, OverflowError, OSError, TypeError, IndexError):  # by Python's version
        return None


def _redirected(location: str, secrets: Sequence[str]) -> Sentence:
    """Where a redirect leads, as far as it is safe to repeat."""
    try:
        host = urlsplit(location).hostname or ""
    except ValueError:
        return NOTHING
    told = any(secret and secret.lower() in host for secret in secrets)
    safe = re.fullmatch(r"[a-z0-9.-]{1,100}", host) and not told
    return Sentence(" to {host}", host=host) if safe else NOTHING
