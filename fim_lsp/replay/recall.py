"""`fim-lsp replay --context`: how many of the names about to be typed a prompt shows, at what cost, beside other ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Protocol

from fim_lsp.context.window import Prompt
from fim_lsp.replay.bill import Encoder, Meter, Price
from fim_lsp.replay.drive import Windows
from fim_lsp.replay.library import Library
from fim_lsp.replay.session import Ask, Change, Event, Open
from fim_lsp.replay.snippets import CHARACTERS_A_TOKEN, WAYS, Snippets
from fim_lsp.replay.truth import Signatures, Truth, truths
from fim_lsp.settings.settings import Settings
from fim_lsp.text.filetypes import words

BUDGETS = {"project": 2048, "rich": 4096}  # tokens, for the ways of others beside ours


class Way(Protocol):
    """One way of showing other files, fed with a session's events in order."""

    def open(self, event: Open) -> None:
        """Take in a file."""

    def change(self, event: Change) -> None:
        """Take in a change."""

    def prompt(self, event: Ask) -> Prompt:
        """What is sent for an ask."""


@dataclass(slots=True)
class Score:
    """What one way has shown over a session; counts of names, dollars of the input, milliseconds a prompt."""

    name: str
    asks: int = 0
    external: int = 0
    of_external: int = 0
    signatures: int = 0
    of_signatures: int = 0
    back: int = 0
    of_back: int = 0
    changes: int = 0
    usd: float = 0.0
    tokens: int = 0
    milliseconds: float = 0.0
    absent: list[frozenset[str]] = field(default_factory=list)

    def row(self, none: Score) -> dict[str, Any]:
        """Shares from 0 to 1, None where there was nothing to show; dollars over those without other files."""
        return {
            "context": self.name,
            "tokens": round(_ratio(self.tokens, self.asks) or 0),
            "external": _ratio(self.external, self.of_external),
            "signatures": _ratio(self.signatures, self.of_signatures),
            "broughtBack": _ratio(self.back, self.of_back),
            "headChangesPer100": _ratio(100 * self.changes, self.asks),
            "usdOverNone": _ratio(self.usd, none.usd),
            "milliseconds": _ratio(self.milliseconds, self.asks),
        }


def scores(
    events: Sequence[Event],
    library: Library,
    chosen: Settings,
    price: Price,
    rule: str,
    step: Callable[[str], None] = lambda _: None,
) -> list[Score]:
    """Each way on one session: none, ours, and those of others under the same budgets."""
    signatures = Signatures()
    true = truths(events, library.texts, signatures)
    encoder = Encoder()
    out: list[Score] = []
    for name, make in _ways(library, chosen):
        score, way = Score(name), make()
        meter = Meter(name, encoder)
        last: dict[str, str] = {}
        asked = iter(true)
        for event in events:
            if isinstance(event, Open):
                way.open(event)
            elif isinstance(event, Change):
                way.change(event)
            else:
                step(name)
                begun = time.perf_counter()
                prompt = way.prompt(event)
                score.milliseconds += 1000 * (time.perf_counter() - begun)
                meter.request(prompt, "")
                head = _head(way, event)
                score.changes += last.get(event.path, head) != head
                last[event.path] = head
                _count(score, prompt, next(asked), signatures, out[0] if out else None)
        usd = meter.bill.usd(rule, price)
        score.usd, score.tokens = usd.hit + usd.miss, meter.bill.prompt_tokens
        out.append(score)
    return out


def _ways(library: Library, chosen: Settings) -> Iterator[tuple[str, Callable[[], Way]]]:
    bounds = chosen.prefix_chars, chosen.most_suffix()
    yield "off", partial(Windows, *bounds)
    for level, tokens in BUDGETS.items():
        yield level, partial(_Ours, bounds, library, level)
        for name, make in WAYS.items():
            yield f"{name}, {tokens:,}", partial(make, *bounds, int(tokens * CHARACTERS_A_TOKEN))


class _Ours(Windows):
    """Our windows with the project context, and what each file imports."""

    def __init__(self, bounds: tuple[int, int], library: Library, level: str) -> None:
        super().__init__(*bounds, library.project_contexts(lambda _: level))
        self._library = library
        self._level = level

    def open(self, event: Open) -> None:
        """Take in a file."""
        super().open(event)
        self.window(event.path).imports(self._library.folder.near(event.path, self._level))


def _head(way: Way, event: Ask) -> str:
    """What stands before the file's own text."""
    if isinstance(way, Snippets):
        return way.head
    return way.window(event.path).parts.opening.text if isinstance(way, Windows) else ""


def _count(score: Score, prompt: Prompt, true: Truth, signatures: Signatures, none: Score | None) -> None:
    lines = f"{prompt.prefix}\n{prompt.suffix}".split("\n")
    held = _held(lines)
    shown = frozenset(line.strip().lstrip("#/- ") for line in lines)  # also within a comment
    score.external += len(true.external & held)
    score.of_external += len(true.external)
    score.signatures += sum(signatures.shown(name, shown) for name in true.defined)
    score.of_signatures += len(true.defined)
    score.absent.append(true.inside - held)
    if none is not None:
        cut = none.absent[score.asks]
        score.back += len(cut & held)
        score.of_back += len(cut)
    score.asks += 1


def _held(lines: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*map(_words, lines))


_words = lru_cache(maxsize=200_000)(words)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
