"""`fim-lsp complete`: one completion at a place of a file, printed as it streams."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from fim_lsp.commands.terminal import put, put_json, say
from fim_lsp.completion.engine import Engine
from fim_lsp.completion.service import Service
from fim_lsp.privacy import exclude, ignore_files
from fim_lsp.settings import keys, settings
from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Document, Place, body
from fim_lsp.text.filetypes import language_of


def run(
    path: Path,
    line: int,
    column: int,
    *,
    connect: Callable[[Settings], Service],
    config: Path,
    environ: Mapping[str, str],
    as_json: bool,
) -> int:
    """Complete at a line and column, both from 1, the column in characters; the exit code."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return _fail(f"{path} cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        return _fail(f"{path} is not UTF-8 text: convert it first.")
    document = Document(path.absolute().as_uri(), language_of(path.name), 1, text)
    if line > len(document.lines):
        return _fail(f"{path} has {len(document.lines)} lines, so there is no line {line}.")
    if column - 1 > len(body(document.lines[line - 1])):
        return _fail(
            f"Line {line} of {path} has {len(body(document.lines[line - 1]))} characters: column {column} is past its end."
        )
    file, wrong = keys.from_file(config)
    chosen, more = settings.merged(
        [(str(config), file), ("the environment", settings.from_environment(environ))]
    )
    exposed = keys.exposed_all(chosen, environ)
    for message in [*wrong, *more, *exclude.senseless(chosen.exclude), *exposed]:
        say(message)
    if chosen.halted:
        return 1
    chosen = replace(chosen, workspace=Path.cwd().as_uri())
    return asyncio.run(_complete(document, Place(line - 1, column - 1), chosen, connect, as_json))


async def _complete(
    document: Document, place: Place, chosen: Settings, connect: Callable[[Settings], Service], as_json: bool
) -> int:
    problems: list[str] = []
    shown = ""

    def show(text: str) -> None:
        nonlocal shown
        if not as_json and text.startswith(shown):
            put(text[len(shown) :], end="")
            shown = text

    engine = Engine(
        chosen,
        connect,
        clock=time.monotonic,
        random=random.random,
        sleep=asyncio.sleep,
        tell=lambda problem: problems.append(problem.message),
        ignored=ignore_files.kept_home_by,
    )
    engine.open(document)
    begun = time.monotonic()
    try:
        text = await engine.once(document.uri, place, show)
        model = engine.backend.endpoints.answering.model
    finally:
        await engine.aclose()
    if text is None:
        return _fail(
            problems[0] if problems else "Completions are switched off for this file: see the settings."
        )
    if as_json:
        counts = engine.backend.counts
        answer = {
            "text": text,
            "model": model,
            "milliseconds": round(1000 * (time.monotonic() - begun)),
            "promptTokens": counts.prompt_tokens,
            "cacheHitTokens": counts.cache_hit_tokens,
            "completionTokens": counts.completion_tokens,
        }
        put_json(answer)
        return 0
    show(text)
    put("")
    if not text:
        say("the model has nothing to add here.")
    return 0


def _fail(message: str) -> int:
    say(message)
    return 1
