"""What the endpoint's client is made with, from an endpoint's settings, the environment and the user's state folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fim_lsp.endpoint import affinity
from fim_lsp.settings import keys
from fim_lsp.settings.settings import Settings

SECRET = "affinity"  # noqa: S105 - the name of a file


def options(settings: Settings, environ: Mapping[str, str], state: Path) -> dict[str, Any]:
    """The arguments of `fim_lsp.endpoint.service.Service` besides the address."""
    headers = dict(settings.headers)
    if settings.affinity_header is not None:
        secret = affinity.secret(state / SECRET)
        headers[settings.affinity_header] = affinity.value(secret, settings.workspace, settings.base_url)
    return {
        "api_key": keys.of(settings, environ),
        "engine": settings.engine,
        "model": settings.model,
        "template": settings.template,
        "ca_file": settings.ca_file,
        "headers": headers,
        "key_named": keys.named(settings),
    }
