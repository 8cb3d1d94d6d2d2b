"""The proxy on the way to an address: by the environment's variables, by the system where none is set, or none."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from fim_lsp.words.sentence import Sentence

_PORTS = {"http": 80, "https": 443}


class Proxy(NamedTuple):
    """A proxy, and what names it: a variable, or the system."""

    url: str
    named_by: str


class System(NamedTuple):
    """What the system has set: its proxies by scheme, and whether a host is reached without them."""

    proxies: Callable[[], Mapping[str, str]]
    bypasses: Callable[[str], bool]


def of_system() -> System:
    """The settings of macOS or Windows, which urllib reads; elsewhere there are none besides the variables."""
    for name in ("macosx_sysconf", "registry"):
        proxies = getattr(urllib.request, f"getproxies_{name}", None)
        if proxies is not None:
            return System(proxies, getattr(urllib.request, f"proxy_bypass_{name}"))
    return System(dict, lambda _: False)


def proxy_for(url: str, environ: Mapping[str, str], system: System | None = None) -> Proxy | None:
    """The proxy for an address, its scheme one of `http`, `https`, `socks5`, or what else was written.

    This machine's own addresses are reached without one.  A variable in lower case comes before that in capitals; an
    empty one is none.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or _PORTS.get(parts.scheme, 0)
    if _here(host) or _listed(host, port, _value("no_proxy", environ)[1]):
        return None
    names = [f"{scheme}_proxy" for scheme in ("http", "https", "all")]
    if any(_value(name, environ)[1] for name in names):
        for name in (f"{parts.scheme}_proxy", "all_proxy"):
            named_by, value = _value(name, environ)
            # A program run for a web page has the page's header "Proxy" in this variable (httpoxy).
            if value and not (named_by == "HTTP_PROXY" and "REQUEST_METHOD" in environ):
                return Proxy(_spelled(value), named_by)
        return None
    system = of_system() if system is None else system
    found = system.proxies()
    value = found.get(parts.scheme) or found.get("all") or found.get("socks") or ""
    if not value or system.bypasses(host):
        return None
    return Proxy(_spelled(value), Sentence("the system"))


def _value(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    for spelled in (name, name.upper()):
        if spelled in environ:
            return spelled, environ[spelled].strip()
    return name, ""


def _spelled(value: str) -> str:
    """A proxy's address with its scheme; without one it is HTTP, and SOCKS of no version is version 5."""
    scheme, sign, rest = value.partition("://")
    if not sign:
        return f"http://{value}"
    scheme = scheme.lower()
    return f"{'socks5' if scheme in {'socks', 'socks5h'} else scheme}://{rest.rstrip('/')}"


def _here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def _listed(host: str, port: int, listed: str) -> bool:
    """Whether NO_PROXY names a host: by its name, its domain, a star, its address, its network; with a port or without."""
    return any(_names(entry.lower(), host, port) for entry in re.split(r"[\s,;]+", listed) if entry)


def _names(entry: str, host: str, port: int) -> bool:
    entry = entry.partition("://")[2] or entry
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(\d+))?(/\d+)?", entry)
    if bracketed:
        entry, wanted = bracketed[1] + (bracketed[3] or ""), bracketed[2]
    elif entry.count(":") == 1:
        entry, _, wanted = entry.partition(":")
    else:
        wanted = None
    if wanted and wanted != str(port):
        return False
    with suppress(ValueError):
        address = ip_address(host)
        with suppress(ValueError):
            network = ip_network(entry, strict=False)
            mapped = getattr(address, "ipv4_mapped", None)
            return address in network or (mapped is not None and mapped in network)
        return "*" in entry and fnmatchcase(host, entry)
    entry = entry.rstrip(".")
    if "*" in entry:
        return fnmatchcase(host, entry)
    bare = entry.lstrip(".")
    return bool(bare) and (host == bare or host.endswith(f".{bare}"))
