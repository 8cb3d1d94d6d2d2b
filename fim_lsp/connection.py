"""Connections to the endpoint that are ready before they are needed."""

from __future__ import annotations

import httpx


def transport(base_url: str) -> httpx.AsyncBaseTransport:
    """A transport for the endpoint."""
    return Transport()


class Transport(httpx.AsyncHTTPTransport):
    async def warm(self) -> None:
        pass
