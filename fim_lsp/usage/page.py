"""A report as one page that needs nothing else: figures, charts to hover, and the same figures as JSON inside."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import NamedTuple

from fim_lsp.usage import latency, wording
from fim_lsp.usage.report import FOLDED, PERCENTS, By, Figures, Report

_HERE = Path(__file__).parent
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 1080.0, 220.0, 78.0, 26.0, 10.0
_NAMES: Mapping[By, str] = {
    "day": "By day",
    "hour": "By hour",
    "model": "By model",
    "language": "By language",
    "project": "By project",
    "table": "By table of prices",
}


def render(found: Mapping[By, Report], notes: Sequence[str]) -> str:
    """The page of the reports over the same days, by each of their groupings."""
    one = found["model"]
    days = found["day"].first != found["day"].last
    parts = [
        f"<h1>What completions cost <small>{wording.title(one)}</small></h1>",
        _tiles(one.total),
        "".join(f'<p class="note">{escape(note)}</p>' for note in notes),
    ]
    if days:
        parts += [_chart("Cost a day", found["day"], _COST), _chart("Tokens a day", found["day"], _TOKENS)]
    parts.append(_chart("Cost by hour of the day", found["hour"], _COST))
    if not days:
        parts.append(_chart("Tokens by hour of the day", found["hour"], _TOKENS))
    parts += [_table(found[by]) for by in ("model", "language", "project", "table")]
    parts.append(_table(found["day" if days else "hour"]))
    figures = json.dumps({by: report.json() for by, report in found.items()}, ensure_ascii=True)
    # "</script>" or "<!--" in a name must not end the element.
    figures = figures.replace("<", "\\u003c")
    style, script = ((_HERE / name).read_text("utf-8") for name in ("page.css", "page.js"))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>fim-lsp usage, {wording.title(one)}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n"
        f'<div id="tip" role="status" hidden></div>\n<script type="application/json" id="figures">{figures}</script>\n'
        f"<script>\n{script}</script>\n</body>\n</html>\n"
    )


class _Series(NamedTuple):
    name: str
    style: str
    value: Callable[[Figures], Decimal | int]
    shown: Callable[[Figures], str]


_COST = (_Series("cost", "cost", lambda one: one.usd, lambda one: wording.dollars(one.usd)),)
_TOKENS = (
    _Series(
        "found in the cache",
        "hit",
        lambda one: one.counts["hit"],
        lambda one: wording.number(one.counts["hit"]),
    ),
    _Series(
        "not in the cache",
        "missed",
        lambda one: one.counts["missed"],
        lambda one: wording.number(one.counts["missed"]),
    ),
    _Series(
        "completion", "out", lambda one: one.counts["out"], lambda one: wording.number(one.counts["out"])
    ),
)


def _tiles(total: Figures) -> str:
    shown = total.json()
    tiles = (
        ("usd", wording.dollars(total.usd), "cost"),
        ("savedUsd", wording.dollars(total.saved), "saved by the context cache"),
        ("hitRate", wording.percent(shown["hitRate"]), "of prompt tokens found in it"),
        ("requests", wording.number(shown["requests"]), "requests"),
        ("localHits", wording.number(shown["localHits"]), "answers found on this machine"),
        (
            "acceptance",
            wording.percent(shown["acceptance"]),
            f"of {wording.number(shown['shown'])} shown were accepted",
        ),
        ("acceptedChars", wording.number(shown["acceptedChars"]), "characters accepted"),
        ("firstMs", wording.milliseconds(shown["firstMs"]["p50"]), "to the first text, half of the time"),
    )
    return (
        '<section class="tiles">'
        + "".join(
            f'<div><b data-figure="{name}">{value}</b><span>{label}</span></div>'
            for name, value, label in tiles
        )
        + "</section>"
    )


def _chart(title: str, report: Report, series: Sequence[_Series]) -> str:
    if not report.groups:
        return ""
    groups = _without_gaps(report)
    tops = [sum((Decimal(one.value(figures)) for one in series), Decimal(0)) for figures in groups.values()]
    top = _round_up(max(tops))
    step = (_WIDTH - _LEFT) / len(tops)
    height = _HEIGHT - _TOP - _BOTTOM
    bars = []
    for place, (name, figures) in enumerate(groups.items()):
        left, base = _LEFT + place * step, _HEIGHT - _BOTTOM
        rects = []
        for one in series:
            tall = height * float(Decimal(one.value(figures)) / top)
            base -= tall
            rects.append(
                f'<rect class="{one.style}" x="{left + step * 0.12:.2f}" y="{base:.2f}" width="{step * 0.76:.2f}" height="{tall:.2f}"/>'
            )
        tip = "\n".join(
            [
                name,
                *(f"{one.name}: {one.shown(figures)}" for one in series),
                f"requests: {wording.number(figures.counts['requests'])}",
            ]
        )
        bars.append(
            f'<g class="bar" tabindex="0" aria-label="{escape(tip.replace(chr(10), ", "))}" data-tip="{escape(tip)}">'
            f'<rect class="reach" x="{left:.2f}" y="{_TOP}" width="{step:.2f}" height="{height:.2f}"/>{"".join(rects)}</g>'
        )
    lines = []
    for share in (0.0, 0.5, 1.0):
        y = _HEIGHT - _BOTTOM - height * share
        value = top * Decimal(str(share))
        label = f"${value.normalize():f}" if series is _COST else f"{value.normalize():,f}"
        lines.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.2f}" y2="{y:.2f}"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.2f}" text-anchor="end">{label}</text>'
        )
    every = -(-len(tops) // 12)
    labels = [
        f'<text x="{_LEFT + (place + 0.5) * step:.2f}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(name[5:] if report.by == "day" else name)}</text>'
        for place, name in enumerate(groups)
        if place % every == 0
    ]
    legend = (
        "".join(f'<span><i class="{one.style}"></i>{one.name}</span>' for one in series)
        if len(series) > 1
        else ""
    )
    return (
        f'<section><h2>{title}</h2><div class="legend">{legend}</div>'
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="group" aria-label="{title}"><g class="grid">{"".join(lines)}</g>'
        f'{"".join(bars)}<g class="labels">{"".join(labels)}</g></svg></section>'
    )


def _without_gaps(report: Report) -> Mapping[str, Figures]:
    """The groups with the hours, or the days between the first and the last, at which nothing was asked."""
    groups = report.groups
    if report.by == "hour":
        names = [*(name for name in groups if name == FOLDED), *(f"{hour:02}:00" for hour in range(24))]
    else:
        first, last = date.fromisoformat(min(groups)), date.fromisoformat(max(groups))
        names = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
    return {name: groups.get(name) or Figures() for name in names}


def _round_up(value: Decimal) -> Decimal:
    """The next power of ten, or its double, fourfold and so on, whose half is easy to read; 1 for 0."""
    power = Decimal(1).scaleb(value.adjusted() if value else 0)
    return next(power * step for step in (1, 2, 4, 6, 8, 10) if power * step >= value)


_COLUMNS: Sequence[tuple[str, Callable[[Figures], str]]] = (
    ("requests", lambda one: wording.number(one.counts["requests"])),
    ("found here", lambda one: wording.number(one.counts["local"])),
    ("prompt tokens", lambda one: wording.number(one.prompt)),
    ("hit rate", lambda one: wording.percent(one.hit_rate)),
    ("completion tokens", lambda one: wording.number(one.counts["out"])),
    ("cost", lambda one: wording.dollars(one.usd)),
    ("saved", lambda one: wording.dollars(one.saved)),
    ("shown", lambda one: wording.number(one.counts["shown"])),
    ("accepted", lambda one: wording.percent(one.acceptance)),
    ("first text, p50 · p90 · p99 ms", lambda one: _times(one.first)),
    ("end, p50 · p90 · p99 ms", lambda one: _times(one.end)),
)


def _times(marks: Counter[str]) -> str:
    times = [latency.percentile(marks, percent) for percent in PERCENTS]
    return " · ".join("–" if ms is None else wording.number(ms) for ms in times)


def _table(report: Report) -> str:
    if not report.groups:
        return ""
    most = max(figures.usd for figures in report.groups.values())
    lines = []
    for group, figures in report.groups.items():
        share = float(100 * figures.usd / most) if most else 0.0
        lines.append(
            f'<tr><th scope="row"><span>{escape(wording.name(group, report.by))}</span>'
            f'<svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none"><rect class="cost" width="{share:.2f}" height="4"/></svg></th>'
            + "".join(f"<td>{value(figures)}</td>" for _, value in _COLUMNS)
            + "</tr>"
        )
    heads = "".join(f'<th scope="col">{name}</th>' for name, _ in _COLUMNS)
    total = "".join(f"<td>{value(report.total)}</td>" for _, value in _COLUMNS)
    # The table of prices leaves out answers found here, so its sum is not the total.
    foot = f'<tfoot><tr><th scope="row">total</th>{total}</tr></tfoot>' if report.by != "table" else ""
    return (
        f'<section><h2>{_NAMES[report.by]}</h2><div class="wide"><table data-by="{report.by}"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody>{foot}</table></div></section>"
    )
