"""The engine at one hole, in a folder of its own: a document with nothing at the cursor, and the project around it."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import NamedTuple

from fim_lsp.completion.answer_cache import Offer
from fim_lsp.completion.engine import Engine
from fim_lsp.completion.problems import Problem
from fim_lsp.completion.service import Service
from fim_lsp.context import project
from fim_lsp.context.project_contexts import Key
from fim_lsp.endpoint.healing import Healing
from fim_lsp.endpoint.request import Request, ServiceError
from fim_lsp.replay.answers import Once, Used
from fim_lsp.replay.drive import uri_of
from fim_lsp.replay.holes import Hole
from fim_lsp.replay.laid import Laid
from fim_lsp.replay.layouts import Layout
from fim_lsp.replay.library import Library
from fim_lsp.replay.rehearsal import eager
from fim_lsp.settings.settings import Settings
from fim_lsp.text.document import Document, Place


class Outcome(NamedTuple):
    """What was offered, by which answers, and the requests whose answers are missing: with these, nothing is known."""

    offer: Offer
    used: tuple[Used, ...]
    missing: tuple[Request, ...]
    failed: ServiceError | None
    problems: tuple[Problem, ...]


async def asked(
    hole: Hole, settings: Settings, library: Library, service: Once, layout: Layout | None = None
) -> Outcome:
    """Ask as an editor does at a pause, a moment after the file was opened; with a `layout`, with its prompt."""
    settings = eager(settings)
    asking: Service = service
    if layout is not None:
        asking = laid = Laid(service, layout)
        laid.at(hole.prefix + hole.suffix, len(hole.prefix))
    problems: list[Problem] = []
    engine = Engine(
        settings,
        lambda _: asking,
        clock=lambda: 0.0,
        random=lambda: 1.0,
        sleep=asyncio.sleep,
        tell=problems.append,
    )
    document = Document(uri_of(hole.path), hole.language, 0, hole.prefix + hole.suffix)
    level = settings.shown(hole.language) if layout is None else "off"
    try:
        first = engine.backend.endpoints.first
        await engine.backend.meet(first)
        if first.found is not None:
            # Answers are kept by what was asked, which no order of holes may change.
            dialect = first.found.dialect
            first.healing = Healing(on=dialect.own, holds=dialect.holds, learns=False)
        # What is cut out is told by no map either.
        with library.instead(hole.path, hole.prefix + hole.suffix) if level != "off" else nullcontext():
            _around(engine, document, hole.path, library, level)
        lines = hole.prefix.count("\n")
        place = Place(lines, len(hole.prefix) - hole.prefix.rfind("\n") - 1)
        offers = await engine.complete(document.uri, place)
        await engine.backend.settled()
    finally:
        await engine.aclose()
    used, missing, failed = tuple(service.used), tuple(service.missing), service.failed
    service.used.clear()
    service.missing.clear()
    service.failed = None
    return Outcome(offers[0] if offers else Offer(""), used, missing, failed, tuple(problems))


def _around(engine: Engine, document: Document, path: str, library: Library, level: str) -> None:
    """Open the document, with the map of its package and what it imports where its prompts show these."""
    folder, root = library.folder, uri_of("")
    engine.documents.folders({root: ()})
    family = project.family(document.language)
    if level != "off" and family in folder.families:
        names = {"", folder.package(path, family)}
        drawn = {Key(root + name, family, level): folder.map(family, name, level) for name in names}
        engine.documents.draw(drawn)
    engine.open(document)
    if level != "off":
        engine.documents.near(document.uri, folder.near(path, level))
