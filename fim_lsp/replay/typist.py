"""A typist at work with live answers: who takes whole lines that are right, and types everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fim_lsp.replay.answers import Once, Used
from fim_lsp.replay.drive import Accepting, Texts
from fim_lsp.replay.holes import Hole, language_of
from fim_lsp.replay.judgement import Judgement, judged, right_lines
from fim_lsp.replay.laid import Laid
from fim_lsp.replay.layouts import Layout
from fim_lsp.replay.library import Library
from fim_lsp.replay.rehearsal import Rehearsal
from fim_lsp.replay.session import Ask, Change, Event, Open
from fim_lsp.settings.settings import Settings


class Stop(NamedTuple):
    """A stop of the typist: what was offered compared with what was typed next, and the answers that were read for it."""

    hole: Hole
    judgement: Judgement
    used: tuple[Used, ...]


@dataclass(slots=True)
class Typed:
    """What a session came to: its stops, and by file the characters that were taken and all that were to be typed.

    `whole` is false where an answer was missing, and the session ended there.
    """

    stops: list[Stop] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)
    typed: dict[str, int] = field(default_factory=dict)
    whole: bool = True


class _Lines(Accepting):
    """Accepts the lines of a suggestion that are right to their ends, from the first on."""

    def taken(self, event: Ask, shown: str) -> str:
        return right_lines(shown.rstrip(), event.truth) if shown.strip() else ""


async def typed(
    events: Sequence[Event],
    settings: Settings,
    library: Library,
    service: Once,
    step: Callable[[], None] = lambda: None,
    layout: Layout | None = None,
) -> Typed:
    """Play a session to its end, or to the first answer that is missing; `step` is called at each stop.

    With a `layout`, what is asked is asked with its prompts.
    """
    found = Typed()
    texts = Texts()
    laid = None if layout is None else Laid(service, layout)
    driver = _Lines(Rehearsal(settings, lambda _: laid or service, library, typing=True), 1.0)
    try:
        for event in events:
            if isinstance(event, Open):
                texts.open(event)
                driver.open(event)
            elif isinstance(event, Change):
                texts.change(event)
                found.typed[event.path] = found.typed.get(event.path, 0) + len(event.text)
                driver.change(event)
            else:
                step()
                service.used.clear()
                if laid is not None:
                    laid.at(texts[event.path], event.offset)
                outcome = await driver.ask(event)
                if service.missing or service.failed:
                    found.whole = False
                    break
                if outcome is not None:
                    _stopped(found, event, texts[event.path], outcome.shown, tuple(service.used))
    finally:
        await driver.aclose()
    return found


def _stopped(found: Typed, event: Ask, text: str, shown: str, used: tuple[Used, ...]) -> None:
    """Note a stop; `text` is the file without what was accepted."""
    language = language_of(event.path) or "plaintext"
    hole = Hole(event.path, language, "typed", text[: event.offset], event.truth, text[event.offset :])
    found.stops.append(Stop(hole, judged(hole, shown), used))
    taken = right_lines(shown.rstrip(), event.truth) if shown.strip() else ""
    found.taken[event.path] = found.taken.get(event.path, 0) + len(taken)
