"""What another engine than the service has served: its own price where one is known, tokens alone where none is."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fim_lsp.context.window import Prompt
from fim_lsp.endpoint.dialect import dialects
from fim_lsp.endpoint.look import Found
from fim_lsp.settings.kinds import ENGINES
from fim_lsp.settings.settings import Settings
from fim_lsp.usage import prices, store
from fim_lsp.usage.ledger import Ledger
from fim_lsp.usage.store import Row

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
PROMPT = Prompt("x" * 4000, "y")


@pytest.fixture
async def ledger(tmp_path):
    """One with a budget of a cent a day."""
    told = []
    made = Ledger(
        tmp_path / "usage.sqlite3",
        tmp_path / "config.toml",
        Settings(daily_budget=0.01),
        NOON.timestamp,
        told.append,
    )
    made.told = told
    yield made
    await made.aclose()


def found(engine, model):
    return Found(dialects()[engine], model, setting=model).priced_as(model)


@pytest.mark.parametrize(
    ("engine", "model", "name"),
    [
        ("deepseek", "deepseek-flash", "deepseek-flash"),
        ("chat-prefix-deepseek", "deepseek-flash", "deepseek-flash"),
        ("vllm", "deepseek-flash", "vllm/deepseek-flash"),
        ("mistral", "codestral-latest", "mistral/codestral-latest"),
        ("llama.cpp", "/home/someone/models/qwen.gguf", "llama.cpp/qwen.gguf"),
        ("llama.cpp-template", r"C:\models\qwen.gguf", "llama.cpp/qwen.gguf"),
        ("ollama-raw", "qwen2.5-coder:1.5b", "ollama/qwen2.5-coder:1.5b"),
        ("siliconflow", "Qwen/Qwen2.5-Coder-32B-Instruct", "siliconflow/Qwen/Qwen2.5-Coder-32B-Instruct"),
    ],
)
def test_the_record_names_the_engine(engine, model, name):
    """But for the service's own models, whose names are as ever; of a file's path only its name is kept."""
    assert found(engine, model) == name
    assert prices.elsewhere(name) == (name != "deepseek-flash")


def test_every_engine_is_a_setting_and_a_row():
    assert {name for name, one in dialects().items() if not one.hidden} == set(ENGINES) - {"auto"}


def test_nobody_is_billed_by_anothers_price():
    """The service's model by its name on one's own machine costs nothing; a vendor's costs what the vendor asks."""
    tables = prices.load()
    assert tables.price("vllm/deepseek-flash", NOON) is None
    row = Row(
        at=NOON, model="vllm/deepseek-flash", language="go", ended="done", missed=1_000_000, out=1_000_000
    )
    billed = store.billed(row, tables)
    assert (billed.cost, billed.table) == (None, store.NO_PRICE)
    assert store.dollars(billed, tables.dearest()) == 0
    row = Row(
        at=NOON,
        model="mistral/codestral-latest",
        language="go",
        ended="done",
        hit=10**6,
        missed=10**6,
        out=10**6,
    )
    assert store.billed(row, tables).cost == Decimal("1.23")


async def test_a_budget_lets_pass_what_has_no_price(ledger):
    """It is told once; a model of the service that no table knows counts at the dearest price, as ever."""
    for _ in range(50):
        number = await ledger.reserve("llama.cpp/qwen.gguf", PROMPT, 4096)
        assert number is not None
        ledger.ended(
            number, "file:///a.py", model="llama.cpp/qwen.gguf", language="go", ended="done", missed=10**6
        )
    assert ledger.usd == 0
    assert [sentence for sentence in ledger.told if "not at all" in sentence] == ledger.told
    assert len(ledger.told) == 1
    assert await ledger.reserve("deepseek-unheard-of", PROMPT, 4096) is not None
    ledger.ended(None, "file:///a.py", model="deepseek-unheard-of", language="go", ended="done", missed=10**6)
    assert await ledger.reserve("deepseek-flash", PROMPT, 4096) is None


async def test_a_budget_holds_where_a_price_is_known(ledger):
    """A vendor's requests are reserved and counted at its price."""
    number = await ledger.reserve("mistral/codestral-latest", PROMPT, 256)
    ledger.ended(
        number, "file:///a.py", model="mistral/codestral-latest", language="go", ended="done", missed=40_000
    )
    assert ledger.usd == pytest.approx(0.012)
    assert await ledger.reserve("mistral/codestral-latest", PROMPT, 256) is None
