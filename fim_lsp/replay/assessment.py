"""What suggestions were worth, as a report: for one way of asking, or for several side by side, on the same holes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fim_lsp.replay import worth
from fim_lsp.replay.intervals import Figure
from fim_lsp.replay.typist import Typed
from fim_lsp.replay.worth import MEASURES, Measure, Seen
from fim_lsp.text.characters import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

ROWS = (
    "firstLine",
    "whole",
    "saved",
    "nothing",
    "harm",
    "milliseconds",
)  # of the tables by language and by kind
NOTHING_SAID = "nothing can be said"


@dataclass(slots=True)
class Way:
    """One way of asking: its name, such as `context=off`, what was seen at each hole, and what was typed."""

    name: str
    seen: list[Seen]
    typed: Typed | None = None


@dataclass(slots=True)
class Assessment:
    """The ways, the first of which the others are compared with; each has seen the same holes in the same order.

    `holes` were cut, of which some may lack an answer.  `notes` are sentences on what was left out, and why.
    """

    source: str
    endpoint: str
    model: str
    price: str
    exact: bool
    holes: int
    seed: int
    ways: list[Way]
    notes: list[str] = field(default_factory=list)
    kept: str = ""

    def as_json(self) -> dict[str, Any]:
        """The whole report as one object."""
        return {
            "source": self.source,
            "endpoint": self.endpoint,
            "model": self.model,
            "price": self.price,
            "tokens": "exact" if self.exact else "approximate",
            "seed": self.seed,
            "holes": self.holes,
            "answered": len(self.ways[0].seen),
            "answers": self.kept,
            "ways": [_way(way) for way in self.ways],
            "differences": [self._differing(way) for way in self.ways[1:]],
            "curve": [{"way": way.name, **worth.curve(way.seen)} for way in self.ways],
            "notes": self.notes,
        }

    def tables(self) -> list[RenderableType]:
        """The figures of each way, what one has over another, and each group of holes."""
        from rich.box import SIMPLE  # noqa: PLC0415 - an extra
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        first = self.ways[0]
        title = f"{visible(self.source)}: {len(first.seen)} of {self.holes} holes, {visible(self.model)} at {visible(self.endpoint)}"
        table = Table(box=SIMPLE, padding=(0, 0))
        table.add_column("", no_wrap=True)
        for way in self.ways:
            table.add_column(Text(visible(way.name)), justify="right")
        found = [worth.figures(way.seen) for way in self.ways]
        for one in MEASURES:
            if any(figures[one.key] is not None for figures in found):
                table.add_row(one.words, *(shown(one, figures[one.key]) for figures in found))
        played = [way.typed for way in self.ways]
        if any(one is not None and one.stops for one in played):
            for row in zip(*(_typed_rows(one) for one in played), strict=True):
                table.add_row(row[0][0], *(cell for _, cell in row))
        out: list[RenderableType] = [Text(title), table]
        out += [Text(visible(sentence)) for sentence in (*self.verdicts(), *self.notes)]
        for words, what in (("language", _language), ("kind", _kind)):
            out.append(self._grouped(words, worth.by(first.seen, what)))
        return out

    def verdicts(self) -> list[str]:
        """A sentence for each way but the first: whether it is better, by which figures, or that nothing can be said."""
        first = self.ways[0]
        found = []
        for way in self.ways[1:]:
            differing = worth.differences(way.seen, first.seen)
            told = worth.verdict(differing)
            parts = [
                f"{one.words.strip()} {difference(one, differing[one.key])}"
                for one in MEASURES
                if one.better and one.key in differing and differing[one.key].telling
            ]
            what = {
                "better": f"is better than {first.name}",
                "worse": f"is worse than {first.name}",
                "mixed": f"is better than {first.name} in some and worse in other ways",
                "same": f"and {first.name} offer the same",
                "open": f"against {first.name}: {NOTHING_SAID} of quality on {len(way.seen)} holes",
            }[told]
            why = f" ({'; '.join(parts)})" if parts else ""
            found.append(f"{way.name} {what}{why}.")
        return found

    def _differing(self, way: Way) -> dict[str, Any]:
        differing = worth.differences(way.seen, self.ways[0].seen)
        return {
            "way": way.name,
            "over": self.ways[0].name,
            "verdict": worth.verdict(differing),
            "figures": worth.as_json(differing),
        }

    def _grouped(self, words: str, groups: dict[str, list[Seen]]) -> RenderableType:
        from rich.box import SIMPLE  # noqa: PLC0415 - an extra
        from rich.table import Table  # noqa: PLC0415

        measures = [one for one in MEASURES if one.key in ROWS]
        looked = [one for one in MEASURES if one.key == "unparsed"]
        way = f", {visible(self.ways[0].name)}" if self.ways[0].name else ""
        table = Table(title=f"By {words}{way}", title_justify="left", box=SIMPLE, padding=(0, 0))
        table.add_column(words, no_wrap=True)
        names = (
            "holes",
            "first\nline %",
            "whole\n%",
            "saved\n%",
            "nothing\n%",
            "harm\n%",
            "ms",
            "parsing\nlooked at",
        )
        for name in names:
            table.add_column(name, justify="right", vertical="bottom", no_wrap=True)
        for name, seen in groups.items():
            found = worth.figures(seen)
            cells = [_value(one, found[one.key]) for one in measures]
            table.add_row(visible(name), str(len(seen)), *cells, _looked_at(seen, looked[0]))
        return table


def shown(one: Measure, figure: Figure | None) -> str:
    """A figure with its interval."""
    if figure is None:
        return "not looked at" if one.share else "not known"
    if abs(figure.low) == float("inf"):
        return _number(one, figure.value)
    return f"{_number(one, figure.value)} ({_number(one, figure.low)}–{_number(one, figure.high)})"


def difference(one: Measure, figure: Figure) -> str:
    """A difference with its interval, its sign always shown."""
    return f"{_number(one, figure.value, sign=True)} ({_number(one, figure.low, sign=True)} to {_number(one, figure.high, sign=True)})"


def _number(one: Measure, value: float, *, sign: bool = False) -> str:
    plus = "+" if sign and value > 0 else ""
    if one.unit == "%":
        return f"{plus}{100 * value:.1f}"
    if one.unit == "$":
        return f"{plus}{value:.4f}"
    return f"{plus}{value:,.0f}"


def _value(one: Measure, figure: Figure | None) -> str:
    return "-" if figure is None else _number(one, figure.value)


def _looked_at(seen: Sequence[Seen], one: Measure) -> str:
    columns = one.columns(seen)
    return f"{0 if columns is None else sum(columns[1]):.0f} of {len(seen)}"


def _typed_rows(found: Typed | None) -> list[tuple[str, str]]:
    """What a session came to, in words."""
    if found is None or not found.stops:
        return [
            ("typed session, stops", "-"),
            ("  keys saved %", "-"),
            ("  first line exact %", "-"),
            ("  wrong characters", "-"),
        ]
    keys = worth.keys_saved(found)
    first = [float(stop.judgement.first) for stop in found.stops]
    wrong = [float(stop.judgement.wrong) for stop in found.stops]
    words = f"{100 * keys.value:.1f}"
    if abs(keys.low) != float("inf"):
        words += f" ({100 * keys.low:.1f}–{100 * keys.high:.1f})"
    return [
        ("typed session, stops", f"{len(found.stops)}"),
        ("  keys saved %", words),
        ("  first line exact %", f"{100 * sum(first) / len(first):.1f}"),
        ("  wrong characters", f"{sum(wrong) / len(wrong):.0f}"),
    ]


def _way(way: Way) -> dict[str, Any]:
    groups = {"byLanguage": _language, "byKind": _kind}
    typed: dict[str, Any] | None = None
    if way.typed is not None:
        stops = way.typed.stops
        typed = {
            "stops": len(stops),
            "whole": way.typed.whole,
            "characters": sum(way.typed.typed.values()),
            "accepted": sum(way.typed.taken.values()),
            **worth.as_json({"keysSaved": worth.keys_saved(way.typed)}),
            "firstLine": _mean(stop.judgement.first for stop in stops),
            "wrong": _mean(stop.judgement.wrong for stop in stops),
            "nothing": _mean(stop.judgement.nothing for stop in stops),
            "requests": sum(len(stop.used) for stop in stops),
        }
    return {
        "name": way.name,
        "figures": worth.as_json(worth.figures(way.seen)),
        **{
            name: {
                key: {"holes": len(all_), **worth.as_json(worth.figures(all_))}
                for key, all_ in worth.by(way.seen, what).items()
            }
            for name, what in groups.items()
        },
        "typed": typed,
    }


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return round(sum(found) / len(found), 6) if found else 0.0


def _language(one: Seen) -> str:
    return one.hole.language


def _kind(one: Seen) -> str:
    return one.hole.kind
