"""The replay as a picture: what each layout costs, and how hits grow over the session."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from fim_lsp.replay import worth as worths
from fim_lsp.replay.bill import Bill
from fim_lsp.replay.report import NAMES_OF_RULES, Report
from fim_lsp.replay.worth import MEASURES

if TYPE_CHECKING:
    from fim_lsp.replay.assessment import Assessment

WIDTH = 960
MARGIN, NAMES, FIGURES = (
    32,
    170,
    90,
)  # pixels: around all, for the names left of bars, for what stands right of them
BAR, GAP = 18, 10
LINES_HEIGHT = 280
LINES_SHOWN = 6  # the picture stays readable: ours, the cheapest and the dearest others

TONES = ("dot ours", "miss", "hit", "out", "dot")

_STYLE = """
  .paper { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 } .quiet { fill: #59636e } .ours { font-weight: 600 } .end { text-anchor: end }
  .middle { text-anchor: middle } .axis { stroke: #d1d9e0; stroke-width: 1 } .hit { fill: #8ab4d8 } .miss { fill: #c4623a }
  .out { fill: #7a6bb0 } .line { fill: none; stroke: #818b98; stroke-width: 1.5 } .line.ours { stroke: #1a7f64; stroke-width: 3 }
  text.label.ours { fill: #1a7f64 } .dot { fill: #818b98 } .dot.ours { fill: #1a7f64 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } text { fill: #e6edf3 } .quiet { fill: #9198a1 } .axis { stroke: #3d444d } .hit { fill: #4a7ea8 }
    .miss { fill: #d9774f } .out { fill: #9184c9 } .line { stroke: #7d8590 } .line.ours { stroke: #3fb992 }
    text.label.ours { fill: #3fb992 }
  }
"""


def svg(report: Report) -> str:
    """Two panels under each other, on paper of their own in light and dark."""
    bars_top = 118
    lines_top = bars_top + len(report.bills) * (BAR + GAP) + 118
    height = lines_top + LINES_HEIGHT + 78
    session, (hit, miss, out) = report.session, report.price
    parts = [
        _text(MARGIN, 40, f"What 1,000 asks cost, in US dollars, on {session.source}", "title"),
        _text(
            MARGIN,
            62,
            f"Per million tokens ${hit:.3f} hit, ${miss:.2f} missed, ${out:.2f} output ({report.price_name}).",
            "quiet",
        ),
        *_bars(report, bars_top),
        _text(
            MARGIN,
            lines_top - 48,
            "Share of prompt tokens billed as hits, from the start of the session",
            "title",
        ),
        _text(
            MARGIN,
            lines_top - 26,
            f"{session.asks:,} asks in {session.keys:,} keys.  Both panels: the context cache modelled as"
            f" {NAMES_OF_RULES[report.rule]} tokens.",
            "quiet",
        ),
        *_lines(report, lines_top),
    ]
    return _sheet(f"What completion costs on {session.source}", height, parts)


def _bars(report: Report, top: int) -> Iterable[str]:
    room = WIDTH - 2 * MARGIN - NAMES - FIGURES
    bills = sorted(report.bills, key=lambda bill: bill.usd_per_1000_asks(report.rule, report.price))
    most = max(bill.usd_per_1000_asks(report.rule, report.price) for bill in bills) or 1.0
    legend = MARGIN + NAMES
    for kind, name in (
        ("miss", "prompt tokens missed"),
        ("hit", "prompt tokens that hit"),
        ("out", "output"),
    ):
        yield f'<rect class="{kind}" x="{legend}" y="{top - 31}" width="12" height="12"/>'
        yield _text(legend + 18, top - 20, name)
        legend += 190
    for row, bill in enumerate(bills):
        y = top + row * (BAR + GAP)
        ours = "ours" if bill is report.bills[0] else ""
        yield _text(MARGIN + NAMES - 10, y + 14, bill.name, f"end {ours}")
        usd = bill.usd(report.rule, report.price)
        x = float(MARGIN + NAMES)
        for kind, dollars in (("miss", usd.miss), ("hit", usd.hit), ("out", usd.out)):
            width = room * (1000 * dollars / bill.asks) / most if bill.asks else 0.0
            yield f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}"/>'
            x += width
        yield _text(x + 8, y + 14, f"${bill.usd_per_1000_asks(report.rule, report.price):.4f}", ours)


def _lines(report: Report, top: int) -> Iterable[str]:
    left, right = MARGIN + 40, WIDTH - MARGIN - 150
    asks = max(max((bill.asks for bill in report.bills), default=1), 1)
    for percent in range(0, 101, 25):
        y = top + LINES_HEIGHT * (1 - percent / 100)
        yield f'<path class="axis" d="M{left} {y:.1f}H{right}"/>'
        yield _text(left - 8, y + 4, f"{percent} %", "quiet end")
    for quarter in range(5):
        x = left + (right - left) * quarter / 4
        yield _text(x, top + LINES_HEIGHT + 20, f"{asks * quarter // 4:,}", "quiet middle")
    yield _text((left + right) / 2, top + LINES_HEIGHT + 42, "asks so far", "quiet middle")
    shown = [(bill, _grown(bill, report.rule)) for bill in _chosen(report)]
    for bill, points in reversed(shown):
        steps = [
            f"{left + (right - left) * ask / asks:.1f} {top + LINES_HEIGHT * (1 - share):.1f}"
            for ask, share in points
        ]
        yield f'<path class="line {_ours(report, bill)}" d="M{"L".join(steps)}"/>'
    ends = _spread([top + LINES_HEIGHT * (1 - points[-1][1]) for _, points in shown], 17)
    for (bill, points), y in zip(shown, ends, strict=True):
        yield _text(
            right + 10, y + 4, f"{bill.name}, {100 * points[-1][1]:.0f} %", f"label {_ours(report, bill)}"
        )


def _ours(report: Report, bill: Bill) -> str:
    return "ours" if bill is report.bills[0] else ""


def _chosen(report: Report) -> list[Bill]:
    """Ours, and of the others some from the cheapest to the dearest."""
    ours, *others = report.bills
    others = [bill for bill in others if bill.sent]
    others.sort(key=lambda bill: bill.usd_per_1000_asks(report.rule, report.price))
    count = min(LINES_SHOWN - 1, len(others))
    return [
        *([ours] if ours.sent else []),
        *(others[index * (len(others) - 1) // max(count - 1, 1)] for index in range(count)),
    ]


def _grown(bill: Bill, rule: str) -> list[tuple[int, float]]:
    """The share of hits among all tokens so far, after each of at most 200 requests in even steps."""
    points, prompt, hits = [], 0, 0
    step = max(1, len(bill.sent) // 200)
    for number, sent in enumerate(bill.sent, 1):
        prompt += sent.prompt
        hits += sent.hits[rule]
        if number % step == 0 or number == len(bill.sent):
            points.append((sent.ask, hits / prompt))
    points.append((bill.asks, hits / prompt))
    return points


def _spread(places: Sequence[float], apart: float) -> list[float]:
    """The places moved as little as their labels need to stand apart."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = list(places)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + apart)
    return moved


def scatter(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """One panel: names of other files that prompts show, against what the input costs over showing none."""
    height, left, top, base = 470, 90, 110, 400
    most = max(2.0, *(float(row["usdOverNone"] or 1) for row in rows))
    shares = [float(row["external"] or 0) for row in rows]
    tall = max(0.5, *shares)

    def across(ratio: float) -> float:
        return left + (ratio - 1) / (most - 1) * (WIDTH - left - 190)

    parts = [
        _text(MARGIN, 40, f"Names of other files that prompts show, on {name}", "title"),
        _text(
            MARGIN,
            62,
            "Up: share of the names about to be typed that only other files hold.  Right: dollars of the input over none.",
            "quiet",
        ),
        f'<line class="axis" x1="{left}" y1="{base}" x2="{WIDTH - MARGIN}" y2="{base}"/>',
        f'<line class="axis" x1="{left}" y1="{top}" x2="{left}" y2="{base}"/>',
    ]
    for tenth in range(0, int(tall * 10) + 1, 2):
        y = base - tenth / 10 / tall * (base - top)
        parts.append(_text(left - 10, y + 4, f"{10 * tenth} %", "quiet end"))
    ticks = range(1, int(most) + 1, max(1, int(most / 8)))
    parts += [_text(across(number), base + 22, f"{number}", "quiet middle") for number in ticks]
    for row, share in zip(rows, shares, strict=True):
        ours = "," not in str(row["context"])
        x, y = across(float(row["usdOverNone"] or 1)), base - share / tall * (base - top)
        kind = "label ours" if ours else "label"
        parts.append(f'<circle class="{"dot ours" if ours else "dot"}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
        parts.append(_text(x + 10, y + 4, str(row["context"]), kind))
    return _sheet(f"What prompts show of other files of {name}", height, parts)


def worth(found: Assessment) -> str:
    """One panel: the figures that are shares, each way's with its interval."""
    measures = [one for one in MEASURES if one.unit == "%" and not one.words.startswith(" ")]
    figures = [worths.figures(way.seen) for way in found.ways]
    left, right, top = MARGIN + 270, WIDTH - MARGIN - 20, 130
    step = 16 * len(found.ways) + 18
    height = top + step * len(measures) + 60

    def across(share: float) -> float:
        return left + min(1.0, max(0.0, share)) * (right - left)

    parts = [
        _text(MARGIN, 40, f"What suggestions are worth on {found.source}", "title"),
        _text(
            MARGIN,
            62,
            f"{len(found.ways[0].seen)} holes, {found.model}; each value with its interval of 95 %.",
            "quiet",
        ),
    ]
    for place, way in enumerate(found.ways if len(found.ways) > 1 else ()):
        tone = TONES[place % len(TONES)]
        start = MARGIN + 240 * place
        parts.append(f'<circle class="{tone}" cx="{start + 5}" cy="88" r="5"/>')
        parts.append(_text(start + 18, 92, way.name))
    for quarter in range(5):
        x = across(quarter / 4)
        parts.append(f'<path class="axis" d="M{x:.1f} {top - 14}V{height - 50}"/>')
        parts.append(_text(x, height - 28, f"{25 * quarter} %", "quiet middle"))
    for row, one in enumerate(measures):
        y = top + row * step
        parts.append(_text(left - 12, y + 4 + 8 * (len(figures) - 1), one.words, "end"))
        for place, of_way in enumerate(figures):
            figure, at = of_way[one.key], y + 16 * place
            if figure is None:
                continue
            ends = f"M{across(figure.low):.1f} {at}H{across(figure.high):.1f}"
            parts.append(f'<path class="line" d="{ends}"/>')
            tone = TONES[place % len(TONES)]
            parts.append(f'<circle class="{tone}" cx="{across(figure.value):.1f}" cy="{at}" r="5"/>')
    return _sheet(f"What suggestions are worth on {found.source}", height, parts)


def _sheet(title: str, height: int, parts: Iterable[str]) -> str:
    """A picture on paper of its own."""
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
    ]
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text class="{kind.strip()}" x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'
