"""`fim-lsp doctor`: everything that must be right for completions to come, checked one by one, with the remedy."""

from __future__ import annotations

import asyncio
import json
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from fim_lsp import __version__, keys, settings
from fim_lsp.ledger import fallen
from fim_lsp.request import Refused, Request, ServiceError
from fim_lsp.secrets import Redactor
from fim_lsp.settings import Settings
from fim_lsp.usage.limits import low_balance

SECONDS = 15.0  # for the trial completion


class Check(NamedTuple):
    """One thing looked at: whether it is right, what was found, and what to do if it is not."""

    name: str
    good: bool
    found: str


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
            print(f"fim-lsp: {report} cannot be written: {error.strerror}.", file=sys.stderr)
            return 1
    if as_json:
        print(
            json.dumps(
                {"version": __version__, "checks": [check._asdict() for check in checks]}, ensure_ascii=False
            )
        )
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            print(f"{'ok  ' if check.good else 'FAIL'}  {check.name:{width}}  {check.found}")
    return 0 if all(check.good for check in checks) else 1


def _report(checks: list[Check], config: Path, environ: Mapping[str, str]) -> str:
    """A bug report: versions, checks, settings that were changed; no key, no text, no name of the user or a project."""
    file, _ = settings.from_file(config)
    chosen, _ = settings.merged([("file", file), ("environment", settings.from_environment(environ))])
    changed = [
        f"- {settings.camel(field.name)}: {_harmless(field.name, getattr(chosen, field.name))}"
        for field in fields(chosen)
        if getattr(chosen, field.name) != getattr(Settings(), field.name)
    ]
    lines = [
        f"fim-lsp {__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()} {platform.machine()}",
        "",
        "Checks:",
        *(f"- {'ok' if check.good else 'FAIL'} {check.name}: {check.found}" for check in checks),
        "",
        "Settings that are not the defaults:",
        *(changed or ["- none"]),
        "",
        "What I did, what I expected, and what happened instead:",
        "",
    ]
    text = Redactor().text("\n".join(lines))
    for private in {str(Path.home()), chosen.api_key or "", environ.get("USER", ""), platform.node()} - {
        "",
        "/",
    }:
        text = text.replace(private, "~" if private == str(Path.home()) else "***")
    return text


def _harmless(name: str, value: Any) -> str:
    if name == "api_key":
        return "set"
    if isinstance(value, tuple | dict):
        return f"{len(value)} entries"
    return str(value)


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
    checks = [
        Check(
            "interpreter",
            sys.version_info >= (3, 11),
            f"Python {sys.version.split()[0]}, fim-lsp {__version__}",
        ),
        Check("settings", not wrong, " ".join(wrong) or where),
    ]
    if demo:
        checks.append(Check("key", True, "not needed: the demo endpoint answers"))
    elif chosen.api_key is None:
        checks.append(
            Check("key", False, "none: put it into DEEPSEEK_API_KEY, or apiKey in your editor's settings")
        )
        return checks
    else:
        source = "DEEPSEEK_API_KEY" if environ.get("DEEPSEEK_API_KEY", "").strip() else str(config)
        checks.append(Check("key", True, f"set, from {source}"))
    if record is not None:
        today = datetime.now().astimezone().date()
        checks += [Check("cache", True, sentence) for sentence in fallen(record, today)]
    service = connect(chosen)
    try:
        checks += await _talk(service, chosen, "the embedded demo" if demo else chosen.base_url)
    finally:
        await service.aclose()
    return checks


async def _talk(service: Any, chosen: Settings, where: str) -> list[Check]:
    checks = []
    try:
        models = await service.models()
    except ServiceError as error:
        name = "key" if isinstance(error, Refused) and error.cause == "key" else "endpoint"
        return [Check(name, False, f"{where}: {error.message}")]
    checks.append(Check("endpoint", True, where))
    offered = ", ".join(models)
    # A name that is billed as another is accepted and not listed: the completion below has the last word.
    listed = chosen.model in models
    checks.append(
        Check("model", True, chosen.model if listed else f"{chosen.model}, not among those listed: {offered}")
    )
    request = Request("def add(a, b):\n    return ", "\n", chosen.model, 8, 0.0)
    begun = time.monotonic()
    first = None
    try:
        async with service.complete(request, seconds=SECONDS) as reply:
            async for _ in reply:
                first = first or time.monotonic() - begun
    except ServiceError as error:
        return [*checks, Check("completion", False, error.message)]
    total = time.monotonic() - begun
    checks.append(
        Check(
            "completion",
            True,
            f"first text after {1000 * (first or total):.0f} ms, whole after {1000 * total:.0f} ms",
        )
    )
    try:
        balance = await service.balance()
    except ServiceError as error:
        return [*checks, Check("balance", False, error.message)]
    amounts = ", ".join(f"{amount} {currency}" for currency, amount in balance.amounts) or "none stated"
    checks.append(
        Check(
            "balance",
            balance.available,
            f"{amounts}: top up the account to go on"
            if not balance.available
            else low_balance(balance.amounts) or amounts,
        )
    )
    return checks
