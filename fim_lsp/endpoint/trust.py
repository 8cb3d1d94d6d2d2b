"""Whose certificates are believed: the system's store or, in its place, SSL_CERT_FILE and SSL_CERT_DIR; `caFile` besides."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import certifi
import httpx

from fim_lsp.words.sentence import Sentence

# Where systems keep their store, as files: OpenSSL's own places besides, which may be those of an interpreter that
# brings certificates of its own.  By the packages ca-certificates of Debian, Fedora, Alpine, Arch and SUSE, autumn 2026.
STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
)


class UnusableError(httpx.UnsupportedProtocol):
    """What was set for the way to the service cannot be used; `why` has the words of a sentence, without its end."""

    def __init__(self, why: Sentence) -> None:
        super().__init__(why)
        self.why = why


def verifying(
    ca_file: str | None = None,
    environ: Mapping[str, str] | None = None,
    platform: str = sys.platform,
    stores: Sequence[str] = STORES,
) -> ssl.SSLContext:
    """A context that verifies certificates as the system does; UnusableError where a place that was set cannot be read.

    `ca_file` is the path of certificates in PEM.  SSL_CERT_FILE and SSL_CERT_DIR take the place of the system's store,
    as OpenSSL and curl have it.
    """
    environ = os.environ if environ is None else environ
    file, folder = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    if file or folder:
        context = _plain()
        if file:
            _load(context, file, "SSL_CERT_FILE")
        if folder:
            if not Path(folder).is_dir():
                raise UnusableError(
                    Sentence(
                        "SSL_CERT_DIR names {folder}, which is no folder: correct or unset it", folder=folder
                    )
                )
            context.load_verify_locations(capath=folder)
    elif platform in {"win32", "darwin"}:
        # These verify by their own means; OpenSSL would know but a part of their stores.
        import truststore  # noqa: PLC0415 - not needed before the first connection

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        context = _of_files(stores)
    if ca_file:
        _load(context, ca_file, "caFile")
    context.set_alpn_protocols(["http/1.1"])
    return context


def described(ca_file: str | None, environ: Mapping[str, str]) -> str:
    """Where the certificates come from that are believed, in words."""
    named = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environ.get(name)]
    return " and ".join([*(named or ["the system's store"]), *(["caFile"] if ca_file else [])])


def _plain() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # As curl has it: a certificate that was named is believed, whoever has issued it.  Strictness about how it was
    # made (VERIFY_X509_STRICT), which some Pythons have as their default, companies' certificates often do not stand.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _of_files(stores: Sequence[str]) -> ssl.SSLContext:
    """The system's store, read once; certifi's where there is none, as in small containers."""
    context = _plain()
    context.set_default_verify_paths()
    for store in stores:
        if Path(store).is_file():
            try:
                context.load_verify_locations(store)
            except OSError:  # a broken store is none; ssl's errors are of this kind, too
                continue
            break
    if not context.cert_store_stats()["x509_ca"] and not _hashed():
        context.load_verify_locations(certifi.where())
    return context


def _hashed() -> bool:
    """Whether OpenSSL's own folder holds certificates by their hashes, which are read when they are needed."""
    folder = ssl.get_default_verify_paths().capath
    return folder is not None and any(Path(folder).glob("[0-9a-f]*.[0-9]"))


def _load(context: ssl.SSLContext, path: str, name: str) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        why = Sentence(
            "{name} names {path}, which holds no certificates in PEM: name a file that does",
            name=name,
            path=path,
        )
    except OSError as error:
        why = Sentence(
            "{name} names {path}, which cannot be read ({reason}): correct it",
            name=name,
            path=path,
            reason=error.strerror,
        )
    else:
        return
    raise UnusableError(why)
