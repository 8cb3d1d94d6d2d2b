"""`fim-lsp doctor`: everything that must be right for completions to come, checked one by one, with the remedy."""

from __future__ import annotations

import asyncio
import platform
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from fim_lsp import __version__
from fim_lsp.commands.terminal import put, put_json, say
from fim_lsp.endpoint import look
from fim_lsp.endpoint.logprobs import UNSURE
from fim_lsp.endpoint.proxies import proxy_for
from fim_lsp.endpoint.request import Refused, Request, ServiceError
from fim_lsp.endpoint.trust import described
from fim_lsp.settings import config_file, keys, kinds, settings
from fim_lsp.settings.headers import authorizes
from fim_lsp.settings.settings import Settings
from fim_lsp.text import grammar
from fim_lsp.text.characters import visible
from fim_lsp.usage.ledger import fallen
from fim_lsp.usage.limits import low_balance

SECONDS = 15.0  # for the trial completion
LONGEST = 2_000  # characters of what is printed of one check
MODELS = {*settings.schema()["model"]["examples"], *kinds.RETIRED_MODELS}  # whose names are no secret


class Check(NamedTuple):
    """One thing looked at: whether it is right, what was found, and what to do if it is not.

    `posted` says what was found for everybody to read: nothing but numbers, and words of our own.
    """

    name: str
    good: bool
    found: str
    posted: str


def run(
    *,
    connect: Callable[[Settings], Any],
    config: Path,
    environ: Mapping[str, str],
    demo: bool,
    as_json: bool,
    record: Path | None = None,
    report: Path | None = None,
) -> int:
    """Check, print, write a report that is safe to post if one is wanted, and return 1 if anything is wrong."""
    checks = asyncio.run(examine(connect=connect, config=config, environ=environ, demo=demo, record=record))
    if report is not None:
        try:
            report.write_text(_report(checks, config, environ), "utf-8")
        except OSError as error:
            say(f"{report} cannot be written: {error.strerror}.")
            return 1
    if as_json:
        shown = [{"name": check.name, "good": check.good, "found": check.found} for check in checks]
        put_json({"version": __version__, "checks": shown})
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            found = visible(check.found, most=LONGEST)
            put(f"{'ok  ' if check.good else 'FAIL'}  {check.name:{width}}  {found}")
    return 0 if all(check.good for check in checks) else 1


def _report(checks: list[Check], config: Path, environ: Mapping[str, str]) -> str:
    """A bug report: versions, checks, settings that were changed.

    It holds nothing that the user, the machine or the service has named, so that nothing need be taken out of it.
    """
    file, _ = config_file.from_file(config)
    chosen, _ = settings.merged([("file", file), ("environment", settings.from_environment(environ))])
    changed = [
        f"- {kinds.camel(name)}: {_harmless(name, getattr(chosen, name))}"
        for name in settings.NAMES
        if getattr(chosen, name) != getattr(Settings(), name)
    ]
    release = re.match(r"[\d.]*", platform.release())  # without what a distribution or a company adds
    system = f"{platform.system()} {release[0] if release else ''}"
    lines = [
        f"fim-lsp {__version__}, Python {platform.python_version()}, {system} {platform.machine()}",
        "",
        "Checks:",
        *(f"- {'ok' if check.good else 'FAIL'} {check.name}: {check.posted}" for check in checks),
        "",
        "Settings that are not the defaults:",
        *(changed or ["- none"]),
        "",
        "What I did, what I expected, and what happened instead:",
        "",
    ]
    return "\n".join(lines)


def _harmless(name: str, value: Any) -> str:
    """A setting's value for everybody to read: numbers, and what it can only choose from."""
    if name in {"api_key", "affinity_header", "ca_file"}:
        return "set"
    if name == "base_url":
        return "another endpoint"
    if name == "model":
        return _model(value)
    return f"{len(value)} entries" if isinstance(value, tuple | dict) else str(value)


def _model(name: str) -> str:
    return name if name in MODELS else "another model"


def _wrong(messages: Sequence[str]) -> str:
    """How many settings are wrong, and which of those that there are."""
    names = {name for message in messages for name in re.findall(r'^Setting "(\w+)"', message)}
    known = sorted(names & {*settings.schema(), *map(kinds.snake, settings.schema())})
    return f"{len(messages)} wrong" + (f", among them {', '.join(known)}" if known else "")


def _failure(error: ServiceError) -> str:
    """What kind of failure it was, with the status that the service gave."""
    status = re.search(r"\((\d{3})\)", error.message)
    return f"{error.cause}{f' ({status[1]})' if status else ''}"


async def examine(
    *,
    connect: Callable[[Settings], Any],
    config: Path,
    environ: Mapping[str, str],
    demo: bool,
    record: Path | None = None,
) -> list[Check]:
    """Every check, in the order in which one thing needs another; none that cannot be right without an earlier one."""
    file, wrong = keys.from_file(config)
    chosen, more = settings.merged(
        [(str(config), file), ("the environment", settings.from_environment(environ))]
    )
    wrong = [*wrong, *more]
    where = str(config) if file else f"{config} (none yet)"
    versions = f"Python {sys.version.split()[0]}, fim-lsp {__version__}"
    checks = [
        Check("interpreter", sys.version_info >= (3, 11), versions, versions),
        Check(
            "settings",
            not wrong,
            " ".join(wrong) or where,
            _wrong(wrong) if wrong else "of a file" if file else "none",
        ),
        _parsers(),
    ]
    if chosen.halted:
        return checks
    if demo:
        checks.append(Check("key", True, "not needed: the demo endpoint answers", "not needed"))
    elif chosen.api_key is None and authorizes(chosen.headers):
        checks.append(Check("key", True, "a header of yours takes its place", "a header"))
    elif chosen.api_key is None and not _wants_key(chosen):
        found = "none, and none is asked for unless the engine wants one"
        checks.append(Check("key", True, found, "none, perhaps not needed"))
    elif chosen.api_key is None:
        checks.append(
            Check(
                "key",
                False,
                "none: put it into DEEPSEEK_API_KEY, or apiKey in your editor's settings",
                "none",
            )
        )
        return checks
    else:
        source = "DEEPSEEK_API_KEY" if environ.get("DEEPSEEK_API_KEY", "").strip() else str(config)
        checks.append(Check("key", True, f"set, from {source}", "set"))
        checks += [
            Check("encryption", False, sentence, "the key goes unencrypted to a public network")
            for sentence in keys.exposed(chosen.base_url, chosen.api_key)
        ]
    if record is not None:
        today = datetime.now().astimezone().date()
        checks += [
            Check("cache", True, sentence, "the hit rate has fallen") for sentence in fallen(record, today)
        ]
    if not demo:
        checks += _way(chosen, config, environ)
    for number, one in enumerate(chosen.endpoints()[:1] if demo else chosen.endpoints()):
        service = connect(one)
        try:
            talked = await _talk(service, one, "the embedded demo" if demo else one.base_url)
        finally:
            await service.aclose()
        own = f"fallback {number}: " if number else ""
        checks += [check._replace(name=own + check.name) for check in [*_sent_along(one), *talked]]
    return checks


def _parsers() -> Check:
    """In which languages a parser has the last word; to lack some is no fault."""
    names = sorted(name for name in grammar.TRUSTED if grammar.trusted(name))
    found = f"{len(names)} languages: {', '.join(names)}"
    if len(names) < len(grammar.TRUSTED):
        found = f"{', '.join(names)}; pip install 'fim-lsp[syntax]' adds {len(grammar.TRUSTED) - len(names)} languages"
    return Check("parsers", True, found, f"of {len(names)} languages")


def _sent_along(chosen: Settings) -> list[Check]:
    """The headers of the user's own, by their names."""
    names = [*chosen.headers, *([chosen.affinity_header] if chosen.affinity_header else [])]
    return [Check("headers", True, ", ".join(names), f"{len(names)} of the user's own")] if names else []


def _wants_key(chosen: Settings) -> bool:
    """Whether the endpoint is known to want a key, before it was asked."""
    host = urlsplit(chosen.base_url).hostname or ""
    known = look.at_once(host, chosen.engine, chosen.model, chosen.template)
    return known is not None and known.dialect.key and not keys.private(host)


def _engine(found: look.Found | None) -> list[Check]:
    """What the endpoint is, where it is not the service itself."""
    if found is None:
        said = (
            "the endpoint does not say what it is: it is asked as DeepSeek; the setting engine says otherwise"
        )
        return [Check("engine", True, said, "unknown")]
    if found.engine == "deepseek":
        return []
    words = [" ".join(filter(None, (found.engine, found.version))), f"told by {found.by}"]
    if found.context_tokens:
        words.append(f"{found.context_tokens} tokens of context")
    if found.dialect.chat:
        words.append("a chat that goes on with the prefix, which is worse than filling in the middle")
    checks = [Check("engine", True, ", ".join(words), found.engine)]
    if found.problem:
        checks.append(Check("template", False, found.problem, "none"))
    else:
        template = found.template.name if found.template else "the engine's own"
        checks.append(Check("template", True, template, template))
    return checks


def _way(chosen: Settings, config: Path, environ: Mapping[str, str]) -> list[Check]:
    """How the service is reached, where it is not simply so; an editor may know less of the environment than a terminal."""
    checks = []
    lacking = "; an editor started from a desktop may lack that variable"
    if chosen.base_url.startswith("https:"):
        found = posted = described(chosen.ca_file, environ)
        if "SSL_CERT" in found:
            found += f"{lacking}: ca_file in {config} holds there, too"
        checks.append(Check("certificates", True, found, posted))
    proxy = proxy_for(chosen.base_url, environ)
    if proxy is not None:
        posted = f"as {proxy.named_by} says"
        found = posted if proxy.named_by == "the system" else posted + lacking
        checks.append(Check("proxy", True, found, posted))
    return checks


async def _talk(service: Any, chosen: Settings, where: str) -> list[Check]:
    checks = []
    try:
        found = await service.meet()
        models = await service.models()
    except ServiceError as error:
        name = "key" if isinstance(error, Refused) and error.cause == "key" else "endpoint"
        return [Check(name, False, f"{where}: {error.message}", _failure(error))]
    own = "the service's own" if chosen.base_url == kinds.SERVICE else "another"
    checks.append(Check("endpoint", True, where, own))
    checks += _engine(found)
    model = chosen.model if found is None else found.model_of(chosen.model)
    offered = ", ".join(models)
    # A name that is billed as another is accepted and not listed: the completion below has the last word.
    listed = model in models
    checks.append(
        Check(
            "model",
            True,
            model if listed else f"{model}, not among those listed: {offered}",
            _model(model) + ("" if listed else ", not among those listed"),
        )
    )
    doubts = chosen.confidence != "off" or bool(chosen.own("confidence"))
    request = Request("def add(a, b):\n    return ", "\n", chosen.model, 8, 0.0, logprobs=doubts)
    begun = time.monotonic()
    first = None
    try:
        async with service.complete(request, seconds=SECONDS) as reply:
            async for _ in reply:
                first = first or time.monotonic() - begun
    except ServiceError as error:
        return [*checks, Check("completion", False, error.message, _failure(error))]
    total = time.monotonic() - begun
    took = f"first text after {1000 * (first or total):.0f} ms, whole after {1000 * total:.0f} ms"
    checks.append(Check("completion", True, took, took))
    if doubts:
        told = "the engine tells how sure its model is" if reply.tokens else UNSURE
        checks.append(Check("confidence", True, told, told))
    if found is not None and not found.dialect.balance:
        return checks
    try:
        balance = await service.balance()
    except ServiceError as error:
        return [*checks, Check("balance", False, error.message, _failure(error))]
    amounts = ", ".join(f"{amount} {currency}" for currency, amount in balance.amounts) or "none stated"
    checks.append(
        Check(
            "balance",
            balance.available,
            f"{amounts}: top up the account to go on"
            if not balance.available
            else low_balance(balance.amounts) or amounts,
            "there is one" if balance.available else "used up",
        )
    )
    return checks
