"""Figures as a person reads them, and what a report has to say about itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from fim_lsp.text.characters import visible
from fim_lsp.usage.prices import Prices, stale
from fim_lsp.usage.report import By, Report

UNNAMED: Mapping[By, str] = {"project": "(no project)", "language": "(no language)", "table": "(no price)"}


def dollars(usd: Decimal | float) -> str:
    """Dollars, to the hundredth of a cent or finer."""
    return f"${usd:,.2f}" if usd >= 100 else f"${usd:.4f}" if usd >= 1 or usd == 0 else f"${usd:.6f}"


def percent(rate: float | None) -> str:
    """A rate of 1 in percent."""
    return "–" if rate is None else f"{rate:.1%}"


def number(count: int) -> str:
    """A count with its thousands apart."""
    return f"{count:,}"


def milliseconds(ms: int | None) -> str:
    """A latency."""
    return "–" if ms is None else f"{ms:,} ms"


def title(report: Report) -> str:
    """The days of a report."""
    return f"{report.first}" if report.first == report.last else f"{report.first} to {report.last}"


def name(group: str, by: By) -> str:
    """The name of a group, without hidden characters: folders and languages are named by others."""
    return visible(group) or UNNAMED.get(by, "(none)")


def notes(report: Report, prices: Prices, models: Mapping[str, object], now: datetime) -> list[str]:
    """Sentences on how far the figures can be trusted, and which prices they rest on."""
    counts = report.total.counts
    said = [f"Prices: {', '.join(report.tables)}."] if report.tables else []
    said += prices.wrong
    used = [price for model in models if (price := prices.price(model, now))]
    said += dict.fromkeys(sentence for price in used if (sentence := stale(price, now.date())))
    if counts["estimated"]:
        said.append(
            f"{_requests(counts['estimated'])} stopped before the service had counted: their tokens are an estimate."
        )
    if counts["unpriced"]:
        said.append(
            f"{_requests(counts['unpriced'])} went to a model of unknown price and count as $0: a table of your own, "
            "`prices.toml` beside `config.toml`, can name it."
        )
    if report.missing:
        said.append(
            f"{_requests(report.missing)} missing here: the server was killed before they were recorded."
        )
    if report.underway:
        said.append(
            f"{_requests(report.underway)} under way at this moment, or when a server was killed just now."
        )
    return [visible(sentence) for sentence in said]


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{number(count)} requests"
