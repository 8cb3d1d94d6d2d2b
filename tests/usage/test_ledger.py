"""The ledger: rows with their project, the balance, the peak."""

from datetime import UTC, datetime
from decimal import Decimal

from fim_lsp.endpoint.request import Balance
from fim_lsp.settings.settings import Settings
from fim_lsp.usage import store
from fim_lsp.usage.ledger import Ledger


def made(folder, told=None, at=datetime(2026, 11, 23, 12, tzinfo=UTC)):
    said = told if told is not None else []
    return Ledger(folder / "usage.sqlite3", folder / "config.toml", Settings(), at.timestamp, said.append)


async def test_rows_name_the_project_of_a_document_where_the_user_wants_it(tmp_path):
    """The innermost folder of the workspace; none outside, and none where names are not to be kept."""
    ledger = made(tmp_path)
    ledger.folders([("file:///w/shop", "shop"), ("file:///w/shop/api/", "api")])
    for uri in ("file:///w/shop/a.py", "file:///w/shop/api/b.py", "file:///w/shopping/c.py"):
        ledger.ended(ledger.begin(), uri, model="deepseek-flash", language="python", ended="done", missed=10)
    ledger.configure(Settings(usage_project_names=False))
    ledger.ended(
        ledger.begin(), "file:///w/shop/a.py", model="deepseek-flash", language="python", ended="done"
    )
    await ledger.aclose()
    with store.reading(tmp_path / "usage.sqlite3") as db:
        assert [row[0] for row in db.execute("SELECT project FROM rows ORDER BY id")] == [
            "shop",
            "api",
            "",
            "",
        ]


async def test_a_low_balance_is_told_once_and_shown(tmp_path):
    """Until it was well filled in between."""
    told = []
    ledger = made(tmp_path, told)
    low = Balance(True, (("USD", Decimal("0.40")),))
    for balance in (low, low, Balance(True, (("USD", Decimal(9)),)), low):
        ledger.weigh(balance)
    assert told == ["The account's balance is low: 0.40 USD left."] * 2
    assert (await ledger.usage())["balance"]["amounts"] == [{"currency": "USD", "amount": "0.40"}]
    await ledger.aclose()


async def test_the_peak_is_that_of_the_prices(tmp_path):
    """A Monday at two in the morning UTC, and the same at noon."""
    assert made(tmp_path, at=datetime(2026, 11, 23, 2, tzinfo=UTC)).peak("deepseek-flash")
    assert not made(tmp_path, at=datetime(2026, 11, 23, 12, tzinfo=UTC)).peak("deepseek-flash")
