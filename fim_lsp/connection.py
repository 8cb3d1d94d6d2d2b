"""Connections to the endpoint."""

from __future__ import annotations

import httpx


def transport(_: str) -> httpx.AsyncBaseTransport:
    """A transport for the endpoint at an address."""
    return Transport()


class Transport(httpx.AsyncHTTPTransport):
    """httpx's own."""

    async def warm(self) -> None:
        """Nothing to do in advance."""
