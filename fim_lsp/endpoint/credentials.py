"""What a request carries besides its body: the key, and headers of the user's own; none of their values is ever shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fim_lsp import __version__
from fim_lsp.endpoint.dialect import Dialect
from fim_lsp.endpoint.look import Found
from fim_lsp.endpoint.request import Refused
from fim_lsp.settings import keys
from fim_lsp.settings.keys import private


class Credentials:
    """The key of one endpoint, if there is one, and the user's own headers; `key_named` says where the key is to be put."""

    def __init__(self, host: str, api_key: str | None, headers: Mapping[str, str], key_named: str) -> None:
        self.key_named = key_named
        self._host = host
        self._api_key = api_key
        self._more = {name.lower(): value for name, value in headers.items()}

    @property
    def keyless(self) -> bool:
        """Whether there is no key."""
        return self._api_key is None

    def secrets(self) -> list[str]:
        """The values that no message holds."""
        return [self._api_key or "", *self._more.values()]

    def lacking(self) -> Refused:
        """What a person without a key is told."""
        return Refused(keys.lacking(self.key_named), "key")

    def headers(self, dialect: Dialect | None, found: Found | None) -> dict[str, str]:
        """The headers of a request, the user's own last.

        `dialect` is that of what is asked, `found` what is known of the endpoint; without a dialect it is a look, which
        needs no key.  Raises `Refused` where a key is needed and there is none, or none that can be sent.
        """
        key = None if "authorization" in self._more else self._key(found if dialect and dialect.key else None)
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        headers["Accept"] = "text/event-stream, application/json"
        headers["Accept-Encoding"] = "identity"  # a few bytes at a time: nothing to gain, and no bombs
        headers["User-Agent"] = f"fim-lsp/{__version__}"
        for name in [name for name in headers if name.lower() in self._more]:
            del headers[name]
        return headers | self._more

    def _key(self, known: Found | None) -> str | None:
        """The key to send; none where there is none and none is known to be needed."""
        if self._api_key is None:
            # On this machine and in its networks others than the service may do without: they say so if not.  So does
            # one that did not answer a look: what is wrong with it first of all is that.
            if known is not None and (known.engine == "deepseek" or not private(self._host)):
                raise self.lacking()
            return None
        if not re.fullmatch(r"[!-~]+", self._api_key):
            raise Refused(
                "The API key holds characters that no key has: copy it again from the service.", "key"
            )
        return self._api_key
