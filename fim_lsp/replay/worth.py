"""What suggestions were worth over many holes: figures with their intervals, and what one setting has over another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fim_lsp.replay.answers import Used
from fim_lsp.replay.bill import Encoder, Price
from fim_lsp.replay.holes import Hole
from fim_lsp.replay.intervals import Columns, Draws, Figure, Statistic, mean, median, ratio
from fim_lsp.replay.judgement import Judgement
from fim_lsp.replay.typist import Typed


class Seen(NamedTuple):
    """A hole, what was offered there, and what that took: milliseconds to the first text, tokens, dollars.

    `first` is None where no text came, `usd` where no price is known; `late` says that time was over.
    """

    hole: Hole
    judgement: Judgement
    first: int | None
    late: bool
    requests: int
    prompt: int
    hits: int
    output: int
    usd: float | None


class Measure(NamedTuple):
    """A figure of a table: its name in JSON and in words, the factor and unit in which it is shown, which way is better.

    `columns` are what it is made of, by hole; None where it was not looked at on any.
    """

    key: str
    words: str
    unit: str
    better: int  # 1: more, -1: less, 0: neither
    of: Statistic
    columns: Callable[[Sequence[Seen]], Columns | None]
    share: bool = False  # whether it counts holes


def seen(
    hole: Hole, judgement: Judgement, used: Iterable[Used], encoder: Encoder, price: Price | None
) -> Seen:
    """What was offered at a hole, with the tokens of its answers: as they were billed where that is known."""
    prompt = hits = output = 0
    first: int | None = None
    late, requests = False, 0
    for one in used:
        told = one.answer.usage
        sent = told.prompt_tokens if told else len(encoder.ids(one.request.prefix + one.request.suffix))
        prompt, hits = prompt + sent, hits + (told.cache_hit_tokens if told else 0)
        output += told.completion_tokens if told and one.all_read else len(encoder.ids(one.text))
        first = one.answer.first if first is None else first
        late = late or bool(one.answer.error)
        requests += 1
    usd = None if price is None else _dollars(price, prompt, hits, output)
    return Seen(hole, judgement, first, late, requests, prompt, hits, output, usd)


def _dollars(price: Price, prompt: int, hits: int, output: int) -> float:
    return (hits * price.hit + (prompt - hits) * price.miss + output * price.out) / 1e6


def _each(get: Callable[[Judgement], float]) -> Callable[[Sequence[Seen]], Columns]:
    return lambda all_: ([float(get(one.judgement)) for one in all_], [1.0] * len(all_))


def _over(part: str, whole: str) -> Callable[[Sequence[Seen]], Columns]:
    def columns(all_: Sequence[Seen]) -> Columns:
        return (
            [float(getattr(one.judgement, part)) for one in all_],
            [float(getattr(one.judgement, whole)) for one in all_],
        )

    return columns


def _looked(get: Callable[[Judgement], bool | None]) -> Callable[[Sequence[Seen]], Columns | None]:
    def columns(all_: Sequence[Seen]) -> Columns | None:
        found = [get(one.judgement) for one in all_]
        looked = [float(one is not None) for one in found]
        return ([float(bool(one)) for one in found], looked) if any(looked) else None

    return columns


def _sums(get: Callable[[Seen], float | None]) -> Callable[[Sequence[Seen]], Columns | None]:
    def columns(all_: Sequence[Seen]) -> Columns | None:
        found = [get(one) for one in all_]
        known = [one for one in found if one is not None]
        return (known,) if found and len(known) == len(found) else None

    return columns


def _waits(all_: Sequence[Seen]) -> Columns | None:
    # Where no text came, who waited saw nothing: the time of the others is counted, hole by hole 0 or 1.
    came = [float(one.first is not None) for one in all_]
    return ([float(one.first or 0) for one in all_], came) if any(came) else None


def _median_wait(times: Sequence[float], came: Sequence[float]) -> float:
    return median([time for time, one in zip(times, came, strict=True) if one])


MEASURES = (
    Measure("firstLine", "first line exact %", "%", 1, ratio, _each(lambda j: j.first), share=True),
    Measure("whole", "whole exact %", "%", 1, ratio, _each(lambda j: j.whole), share=True),
    Measure("similarity", "edit similarity %", "%", 1, ratio, _each(lambda j: j.similarity)),
    Measure("saved", "characters saved %", "%", 1, ratio, _over("saved", "typed")),
    Measure("shown", "shown, characters", "", 0, mean, lambda s: _each(lambda j: j.shown)(s)[:1]),
    Measure("wrong", "  of these wrong", "", -1, mean, lambda s: _each(lambda j: j.wrong)(s)[:1]),
    Measure("nothing", "nothing offered %", "%", 0, ratio, _each(lambda j: j.nothing), share=True),
    Measure("harm", "harm of any kind %", "%", -1, ratio, _each(lambda j: j.harm), share=True),
    Measure("doubled", "  text doubled %", "%", -1, ratio, _each(lambda j: j.doubled), share=True),
    Measure("broken", "  brackets broken %", "%", -1, ratio, _looked(lambda j: j.broken), share=True),
    Measure("unparsed", "  no longer parsed %", "%", -1, ratio, _looked(lambda j: j.unparsed), share=True),
    Measure("milliseconds", "ms to first text", "", -1, _median_wait, _waits),
    Measure("promptTokens", "prompt tokens", "", -1, mean, _sums(lambda s: float(s.prompt))),
    Measure("hitTokens", "  of these cached", "", 0, mean, _sums(lambda s: float(s.hits))),
    Measure("outputTokens", "output tokens", "", -1, mean, _sums(lambda s: float(s.output))),
    Measure(
        "usd",
        "$ for 1,000 holes",
        "$",
        -1,
        mean,
        _sums(lambda s: None if s.usd is None else 1000 * s.usd),
    ),
)
QUALITY = (
    "firstLine",
    "whole",
    "similarity",
    "saved",
    "wrong",
    "harm",
)  # by which one setting is better than another


def figures(all_: Sequence[Seen]) -> dict[str, Figure | None]:
    """Every figure on these holes; None where nothing is known."""
    draws = Draws(len(all_))
    found: dict[str, Figure | None] = {}
    for one in MEASURES:
        columns = one.columns(all_) if all_ else None
        if columns is None:
            found[one.key] = None
        else:
            found[one.key] = draws.share(*columns) if one.share else draws.figure(one.of, columns)
    return found


def differences(ours: Sequence[Seen], theirs: Sequence[Seen]) -> dict[str, Figure]:
    """Every figure of ours less that of theirs; both are of the same holes in the same order."""
    draws = Draws(len(ours))
    found = {}
    for one in MEASURES:
        mine, other = (one.columns(all_) if all_ else None for all_ in (ours, theirs))
        if mine is not None and other is not None:
            found[one.key] = draws.difference(one.of, mine, other)
    return found


def verdict(differing: Mapping[str, Figure]) -> str:
    """`better`, `worse`, `mixed`, `same`, or `open` where nothing can be said, by what is not of cost."""
    told = {
        one.key: one.better * (1 if differing[one.key].low > 0 else -1)
        for one in MEASURES
        if one.key in QUALITY and one.key in differing and differing[one.key].telling
    }
    if not told:
        exact = all(differing[key] == (0, 0, 0) for key in QUALITY if key in differing)
        return "same" if exact else "open"
    ways = set(told.values())
    return "mixed" if len(ways) > 1 else "better" if ways == {1} else "worse"


def curve(all_: Sequence[Seen]) -> dict[str, int]:
    """One point of a curve: the characters shown at these holes, those that are right and those that are wrong."""
    wrong = sum(one.judgement.wrong for one in all_)
    return {"right": sum(one.judgement.shown for one in all_) - wrong, "wrong": wrong}


def by(all_: Sequence[Seen], what: Callable[[Seen], str]) -> dict[str, list[Seen]]:
    """The holes in groups, by name."""
    groups: dict[str, list[Seen]] = {}
    for one in all_:
        groups.setdefault(what(one), []).append(one)
    return dict(sorted(groups.items()))


def keys_saved(found: Typed) -> Figure:
    """Share of a session's characters that were taken, not typed; drawn anew by file."""
    files = [path for path, number in found.typed.items() if number]
    columns = (
        [float(found.taken.get(path, 0)) for path in files],
        [float(found.typed[path]) for path in files],
    )
    return Draws(len(files)).figure(ratio, columns)


def as_json(found: Mapping[str, Figure | None]) -> dict[str, Any]:
    """Figures as `{"value", "low", "high"}`; a bound that nobody knows is null."""

    def bound(value: float) -> float | None:
        return None if value in {float("inf"), float("-inf")} else round(value, 6)

    return {
        key: None
        if one is None
        else {"value": round(one.value, 6), "low": bound(one.low), "high": bound(one.high)}
        for key, one in found.items()
    }
