"""Files that are never sent: those that usually hold secrets, and those the user names."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import unquote, urlsplit

# File names by convention; 2026-11.
SECRETS = (
    ".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ovpn",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".netrc", "_netrc", ".pgpass", ".npmrc", ".pypirc", ".htpasswd",
    ".git-credentials", ".dockercfg", "credentials", "credentials.*", "secrets.*", "*.tfvars", "*.tfstate",
    ".ssh/**", ".aws/**", ".gnupg/**", ".kube/**", ".docker/config.json",
)  # fmt: skip


def excluded(uri: str, patterns: Sequence[str]) -> bool:
    """Whether a document is never to be sent; the last pattern that names it decides, `!` brings it back.

    A pattern without `/` names files anywhere, `dir/**` everything below any such folder.
    """
    path = unquote(urlsplit(uri).path) if "://" in uri else unquote(uri)
    out = False
    for pattern in (*SECRETS, *patterns):
        back = pattern.startswith("!")
        if back == out and _names(pattern.removeprefix("!"), path):
            out = not back
    return out


def _names(pattern: str, path: str) -> bool:
    if "/" not in pattern:
        return fnmatchcase(path.rsplit("/", 1)[-1], pattern)
    pattern = pattern.removeprefix("**/").lstrip("/")
    return fnmatchcase(path, f"*/{pattern}") or fnmatchcase(path, f"*/{pattern.replace('**', '*')}")
