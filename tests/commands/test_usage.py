"""`fim-lsp usage` shows the same figures in every shape."""

import argparse
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from records import NOON, row

from fim_lsp.commands import usage as command
from fim_lsp.usage import store, underway, wording
from fim_lsp.usage.store import Store

EVIL = "</script><script>document.title='evil'</script>&\"<!--"


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "state" / store.FILE
    one = Store(path)
    one.write(
        [
            row(project="shop", shown=40, accepted=40, first_ms=250, end_ms=400),
            row(NOON - timedelta(hours=4), project=EVIL, hit=1280, missed=77, out=30, shown=10, first_ms=300),
            row(project="shop", ended="local", hit=0, missed=0, out=0, shown=5),
            row(
                NOON - timedelta(days=2), model="deepseek-v4-pro", language="go", estimated=True, ended="cut"
            ),
            row(NOON - timedelta(days=6), language="go"),
            row(NOON - timedelta(days=19)),
            row(NOON - timedelta(days=60), model="house-model"),
        ],
        {},
    )
    one.close()
    return path


@pytest.fixture
def usage(record, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)

    def run(*arguments, path=record):
        code = command.run(
            parser.parse_args(arguments),
            config=tmp_path / "config.toml",
            record=path,
            now=lambda: NOON,
            zone=UTC,
        )
        return code, capsys.readouterr()

    return run


def as_json(usage, *arguments):
    code, said = usage(*arguments, "--json")
    assert code == 0
    return json.loads(said.out)


def test_json_has_the_names_of_the_contract(usage):
    found = as_json(usage)
    assert {"from", "to", "total", "groups"} <= set(found)
    assert list(found["total"])[:9] == [
        "requests",
        "localHits",
        "promptTokens",
        "cacheHitTokens",
        "completionTokens",
        "usd",
        "savedUsd",
        "shown",
        "accepted",
    ]
    assert found["total"]["requests"] == 2
    assert found["total"]["localHits"] == 1


@pytest.mark.parametrize(
    ("period", "first", "requests"),
    [
        ("today", "2026-11-20", 2),
        ("week", "2026-11-14", 4),
        ("month", "2026-11-01", 5),
        ("all", "2026-09-21", 6),
    ],
)
def test_a_period_ends_today(usage, period, first, requests):
    found = as_json(usage, period)
    assert (found["from"], found["to"], found["total"]["requests"]) == (first, "2026-11-20", requests)


def test_csv_has_the_figures_of_json(usage):
    found = as_json(usage, "month", "--by", "project")
    lines = list(csv.DictReader(io.StringIO(usage("month", "--by", "project", "--csv")[1].out)))
    expected = [*found["groups"], {"name": "total", **found["total"]}]
    assert [line["name"] for line in lines] == [one["name"] for one in expected]
    for line, one in zip(lines, expected, strict=True):
        for name in ("requests", "promptTokens", "usd", "savedUsd", "shownChars"):
            assert float(line[name]) == one[name]
        assert line["firstMs.p50"] == str(one["firstMs"]["p50"] or "")


def test_a_name_is_never_a_formula_in_csv(usage, record):
    one = Store(record)
    one.write([row(project="=1+1")], {})
    one.close()
    assert "\n'=1+1," in usage("--by", "project", "--csv")[1].out


def test_the_terminal_shows_a_line_for_each_group_and_the_total(usage):
    out = usage("week", "--by", "language")[1].out
    assert "2026-11-14 to 2026-11-20: $" in out
    assert re.search(r"python .* 2 .* █", out)
    assert re.search(r"go .* 2 .* █", out)
    assert re.search(r"total .* 4 ", out)
    assert "1 request stopped before the service had counted" in out


def test_without_rich_the_terminal_shows_the_same_figures(usage, monkeypatch):
    with_rich = re.findall(r"[\d.,%$]+", usage("month", "--by", "day")[1].out)
    for name in ("rich.console", "rich.table", "rich.text"):
        monkeypatch.setitem(sys.modules, name, None)
    without = re.findall(r"[\d.,%$]+", usage("month", "--by", "day")[1].out)
    assert "┃" not in usage()[1].out
    assert without == with_rich


def test_budgets_that_are_set_are_shown_with_what_is_used(usage, tmp_path):
    (tmp_path / "config.toml").write_text("daily_budget = 0.01\nmonthly_budget = 0\nrequests_per_minute = 30")
    out = usage()[1].out
    usd = as_json(usage)["total"]["usd"]
    assert f"Budget of today: {wording.dollars(usd)} of $0.010000 ({usd / 0.01:.0%})." in out
    assert "Budget of this month: $" in out
    assert "At most 30 requests a minute." in out


def test_a_report_says_how_far_it_can_be_trusted(usage, record):
    left = underway.Underway(record.parent, "killed", lambda: NOON.timestamp() - 1000)
    left.begin()
    here = underway.Underway(record.parent, "here", lambda: NOON.timestamp() - 1)
    here.begin()
    here.begin()
    out = usage("all")[1].out
    assert "Prices: service deepseek-flash 2026-09-14, service deepseek-flash 2026-09-14 peak" in out
    assert "1 request went to a model of unknown price" in out
    assert "1 request missing here: the server was killed" in out
    assert "2 requests under way" in out
    found = as_json(usage, "all")
    assert (found["missing"], found["underway"], found["total"]["unpriced"]) == (1, 2, 1)


def test_a_price_that_nobody_checked_for_90_days_and_a_wrong_table_are_told(usage, tmp_path):
    (tmp_path / "prices.toml").write_text(
        'name = "old"\nread = 2026-01-01\n[[prices]]\nmodel = "deepseek-flash"\nhit = 1\nmiss = 1\noutput = 1'
    )
    assert 'in table "old" was read 323 days ago' in usage()[1].out
    (tmp_path / "prices.toml").write_text("[[prices]]\nmodel = 1")
    assert "is not a table of prices" in usage()[1].out


def test_an_empty_record_is_shown_as_nothing_spent_and_is_not_made(usage, tmp_path):
    path = tmp_path / "none" / store.FILE
    for shape in ((), ("--json",), ("--csv",), ("all",), ("--html", str(tmp_path / "page.html"))):
        assert usage(*shape, path=path)[0] == 0
    assert "$0.0000 for 0 requests" in usage(path=path)[1].out
    assert not path.parent.exists()


def test_a_record_that_cannot_be_read_is_one_sentence_and_an_exit_code(usage, tmp_path):
    path = tmp_path / "broken.sqlite3"
    path.write_bytes(b"no database" * 1000)
    code, said = usage(path=path)
    assert code == 1
    assert said.err.count("\n") == 1
    assert "cannot be read" in said.err
    assert said.out == ""


def test_a_page_that_cannot_be_written_is_one_sentence_and_an_exit_code(usage, tmp_path):
    code, said = usage("--html", str(tmp_path / "no" / "page.html"))
    assert code == 1
    assert "cannot be written" in said.err


def test_the_page_asks_nothing_of_any_other_place(usage, tmp_path):
    usage("month", "--html", str(tmp_path / "page.html"))
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "default-src 'none'" in text
    assert re.findall(r"""(?:src|href)\s*=|url\(|@import|https?://""", text) == []


class Shown(HTMLParser):
    """The figures that a page shows, by their names, its tables' rows, and what its attributes say."""

    def __init__(self):
        super().__init__()
        self.figures, self.tables, self.attributes, self.title = {}, {}, [], ""
        self._into = None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.attributes.append((tag, attributes))
        if "data-figure" in attributes:
            self._into = ("figure", attributes["data-figure"])
        elif tag == "script" and attributes.get("id") == "figures":
            self._into = ("json",)
        elif tag == "title":
            self._into = ("title",)
        elif tag == "table":
            self._table = self.tables.setdefault(attributes["data-by"], [])
        elif tag == "tr":
            self._table.append([])
        elif tag in {"td", "th"}:
            self._table[-1].append("")
            self._into = ("cell",)

    def handle_endtag(self, tag):
        if tag in {"b", "td", "th", "script", "title"}:
            self._into = None

    def handle_data(self, data):
        match self._into:
            case ("figure", name):
                self.figures[name] = data
            case ("json",):
                self.json = json.loads(data)
            case ("title",):
                self.title += data
            case ("cell",):
                self._table[-1][-1] += data


def chromium():
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
    )
    if found is None or not Path(found).exists():
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium must be there in CI")
        pytest.skip("there is no Chromium on this machine")
    return found


PROBE = """<script>
const bar = document.querySelectorAll(".bar")[{bar}];
bar.dispatchEvent(new PointerEvent("pointermove", {{clientX: 300, clientY: 300}}));
document.body.dataset.tip = document.getElementById("tip").hidden ? "hidden" : document.getElementById("tip").textContent;
bar.dispatchEvent(new PointerEvent("pointerleave"));
document.body.dataset.after = document.getElementById("tip").hidden;
document.body.dataset.paper = getComputedStyle(document.body).backgroundColor;
document.body.dataset.wide = document.documentElement.scrollWidth > innerWidth;
</script></body>"""


def opened(page, *options, bar=0):
    """What Chromium makes of a page, after a pointer has passed over one of its bars."""
    probe = page.with_name("probe.html")
    probe.write_text(page.read_text("utf-8").replace("</body>", PROBE.format(bar=bar)), "utf-8")
    done = subprocess.run(
        [
            chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,900",
            f"--user-data-dir={page.parent / 'profile'}", *options, "--dump-dom", probe.as_uri(),
        ],
        capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=60, check=True,
    )  # fmt: skip
    shown = Shown()
    shown.feed(done.stdout)
    return shown


def test_in_a_browser_the_page_shows_the_figures_of_json_and_a_bar_tells_its_own(usage, tmp_path):
    page = tmp_path / "page.html"
    usage("month", "--html", str(page))
    shown = opened(page, bar=19)  # the last day of the first chart
    reports = {
        by: as_json(usage, "month", "--by", by)
        for by in ("model", "language", "project", "day", "hour", "table")
    }
    assert shown.json == reports
    total = reports["model"]["total"]
    assert shown.figures == {
        "usd": wording.dollars(total["usd"]),
        "savedUsd": wording.dollars(total["savedUsd"]),
        "hitRate": wording.percent(total["hitRate"]),
        "requests": str(total["requests"]),
        "localHits": str(total["localHits"]),
        "acceptance": wording.percent(total["acceptance"]),
        "acceptedChars": str(total["acceptedChars"]),
        "firstMs": f"{total['firstMs']['p50']} ms",
    }
    for by in ("model", "language", "project", "day", "table"):
        rows = shown.tables[by][1 : 1 + len(reports[by]["groups"])]
        for cells, group in zip(rows, reports[by]["groups"], strict=True):
            assert cells[0] == wording.name(group["name"], by)
            assert cells[1] == str(group["requests"])
            assert cells[6:8] == [wording.dollars(group["usd"]), wording.dollars(group["savedUsd"])]
    body = next(attributes for tag, attributes in shown.attributes if tag == "body")
    last = reports["day"]["groups"][-1]
    assert (
        body["data-tip"] == f"2026-11-20\ncost: {wording.dollars(last['usd'])}\nrequests: {last['requests']}"
    )
    assert (body["data-after"], body["data-wide"]) == ("true", "false")
    assert "evil" not in shown.title


def test_in_a_browser_the_page_is_light_or_dark_as_the_user_likes(usage, tmp_path):
    page = tmp_path / "page.html"
    usage("--html", str(page))
    papers = []
    for scheme in (1, 0):
        shown = opened(page, f"--blink-settings=preferredColorScheme={scheme}")
        papers.append(next(attributes["data-paper"] for tag, attributes in shown.attributes if tag == "body"))
    assert papers == ["rgb(247, 248, 250)", "rgb(18, 22, 28)"]
