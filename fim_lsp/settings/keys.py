"""Where the key comes from when neither the environment nor the editor gives it: the user's own configuration.

`config.toml` may hold the key itself, if nobody else can read the file; or `api_key_command`, a list of words that prints the
key; or `api_key_keyring = true`, for the system's keyring (service `fim-lsp`, user `api_key`, with the extra `keyring`).
Nothing else may name a command: neither a workspace nor an editor.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import urlsplit

from fim_lsp.settings import config_file
from fim_lsp.settings.headers import authorizes
from fim_lsp.settings.settings import Settings
from fim_lsp.words.sentence import NOTHING, Sentence

PRIVATE = (".localhost", ".local", ".lan", ".internal", ".home.arpa", ".test")
PLACES = Sentence("DEEPSEEK_API_KEY or apiKey")  # where the key of the first endpoint is put
SECONDS = 20.0  # that a command may take: it may ask for a passphrase


def from_file(path: Path, *, fetch: bool = True) -> tuple[dict[str, Any], list[Sentence]]:
    """The settings in the user's file, and what is wrong with it; the key from where the file says, if it is to be fetched.

    Fetching runs the user's command, and waits for it.
    """
    table, wrong = config_file.from_file(path)
    if isinstance(table, config_file.Unreadable):
        return table, wrong
    command, ring = table.pop("api_key_command", None), table.pop("api_key_keyring", None)
    held = next((name for name in ("api_key", "apiKey") if table.get(name)), None)
    if held and os.name == "posix" and path.stat().st_mode & 0o077:
        del table[held]
        wrong.append(
            Sentence(
                "{path} holds a key that others can read: run `chmod 600` on it; until then it is not used.",
                path=path,
            )
        )
    elif not held and fetch:
        key, said = (
            _printed(command, path) if command is not None else _remembered() if ring else ("", NOTHING)
        )
        if key:
            table["api_key"] = key
        if said:
            wrong.append(said)
    return table, wrong


def elsewhere(path: Path) -> bool:
    """Whether the user's file says where the key is, in place of the key."""
    table, _ = config_file.from_file(path)
    return "api_key_command" in table or bool(table.get("api_key_keyring"))


def _printed(command: Any, path: Path) -> tuple[str, Sentence]:
    """The first line that a command prints, or what is wrong with it; nothing of what it printed is repeated."""
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        return "", Sentence(
            '"api_key_command" in {path} must be a list of words, such as ["pass", "show", "deepseek"].',
            path=path,
        )
    try:
        # Not in the editor's folder, which may hold a program of that name.
        run = subprocess.run(  # noqa: S603 - the user's own
            [program(command[0], os.environ, os.name), *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            cwd=path.parent,
        )
    except subprocess.TimeoutExpired:
        return "", Sentence(
            '"api_key_command" in {path} took over {seconds} s: it must print the key without asking here.',
            path=path,
            seconds=f"{SECONDS:.0f}",
        )
    except OSError as error:
        return "", Sentence(
            '"api_key_command" in {path} cannot be run ({error}): check its first word.',
            path=path,
            error=type(error).__name__,
        )
    key = run.stdout.decode("utf-8", "replace").strip().partition("\n")[0].strip()
    if run.returncode or not key:
        return "", Sentence(
            '"api_key_command" in {path} gave no key (exit code {code}): run it in a terminal.',
            path=path,
            code=run.returncode,
        )
    return key, NOTHING


def program(word: str, environ: Mapping[str, str], system: str) -> str:
    """The program that a command's first word names; else a FileNotFoundError.

    Windows looks for it in the folder where the editor was started before it looks along PATH: there the word must be
    a whole path, or stand in an absolute folder of PATH.  `system` is as in `os.name`.
    """
    if system != "nt" or PureWindowsPath(word).is_absolute():
        return word
    if not any(sign in word for sign in "/\\:"):
        ends = ["", *environ.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";")]
        folders = [one for one in environ.get("PATH", "").split(os.pathsep) if Path(one).is_absolute()]
        for found in (Path(folder) / f"{word}{end}" for folder in folders for end in ends):
            if found.suffix and found.is_file():
                return str(found)
    raise FileNotFoundError(word)


def of(settings: Settings, environ: Mapping[str, str]) -> str | None:
    """The key for an endpoint; that of an entry of `fallback` stands in the variable that it names."""
    named = settings.entry.api_key_env if settings.entry is not None else None
    return (environ.get(named, "").strip() or None) if named else settings.api_key


def named(settings: Settings) -> Sentence:
    """Where the key for an endpoint is to be put."""
    if settings.entry is None:
        return PLACES
    if variable := settings.entry.api_key_env:
        return Sentence.of(variable)
    return Sentence(
        "the variable that apiKeyEnv names in the entry of fallback for {url}", url=settings.base_url
    )


def lacking(place: Sentence) -> Sentence:
    """What is said where a key is needed and none is set, with the place that it is to be put into."""
    return Sentence("No API key is set: put it into {place}.", place=place)


def exposed_all(settings: Settings, environ: Mapping[str, str]) -> list[Sentence]:
    """The same as `exposed` for every endpoint that may be asked."""
    each = [
        exposed(one.base_url, of(one, environ) or ("-" if authorizes(one.headers) else None))
        for one in settings.endpoints()
    ]
    return list(dict.fromkeys(sentence for said in each for sentence in said))


def exposed(base_url: str, api_key: str | None) -> list[Sentence]:
    """What is to be said where the key goes over a public network as it is; nothing where it does not.

    Names without a dot and those of private networks (RFC 6762, RFC 8375, `.internal`, `.lan`) are taken as private.
    """
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    if api_key is None or parts.scheme != "http":
        return []
    if private(host):
        return []
    return [Sentence('The key goes to {host} unencrypted: write "https://" into "baseUrl".', host=host)]


def private(host: str) -> bool:
    """Whether a host is of this machine or a private network, by its address or its name."""
    from ipaddress import ip_address  # noqa: PLC0415 - hardly anybody's endpoint is one of http

    try:
        address = ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(PRIVATE)
    return address.is_private or address.is_link_local


def _remembered() -> tuple[str, Sentence]:
    """The key in the system's keyring, or what is wrong."""
    try:
        import keyring  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra
    except ImportError:
        return "", Sentence("The system's keyring needs an extra: pip install 'fim-lsp[keyring]'.")
    try:
        key = keyring.get_password("fim-lsp", "api_key")
    except Exception as error:  # noqa: BLE001 - whatever the platform's keyring raises
        return "", Sentence("The system's keyring cannot be read ({error}).", error=type(error).__name__)
    if not key:
        return "", Sentence("The system's keyring has no key: run `keyring set fim-lsp api_key`.")
    return key, NOTHING
