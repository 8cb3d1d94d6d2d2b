"""The bill of the context cache follows the documented rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.demo.cache import PrefixCache
from fim_lsp.demo.tokens import rendered, tokens

A = list(range(1000, 1300))
B, C, D = ([mark] * 50 for mark in (1, 2, 3))


def test_a_shared_prefix_is_persisted_by_the_second_request_and_hit_by_the_third():
    cache = PrefixCache()
    assert [cache.ask(A + tail) for tail in (B, C, D)] == [0, 0, 256]


def test_under_the_older_rule_the_second_request_hits():
    cache = PrefixCache("blocks")
    assert [cache.ask(A + tail) for tail in (B, C, D)] == [0, 256, 256]
    assert PrefixCache("blocks").unit == 64


def test_with_an_interval_the_second_request_hits_whole_intervals():
    long = list(range(3000))
    assert [PrefixCache("units", 128, 256).ask(long)] == [0]
    by_256, by_1024 = PrefixCache("units", 128, 256), PrefixCache("units", 128, 1024)
    assert [by_256.ask(long[:2900] + tail) for tail in (B, C)] == [0, 2816]
    assert [by_1024.ask(long[:2900] + tail) for tail in (B, C)] == [0, 2048]


def test_a_request_that_contains_an_earlier_input_whole_hits_it():
    cache = PrefixCache()
    assert [cache.ask(A), cache.ask(A), cache.ask(A + B)] == [0, 256, 256]
    cache = PrefixCache()
    assert [cache.ask(A), cache.ask([*A[:-1], 5])] == [0, 0]
    assert PrefixCache(ends=False).ask(A) == 0


def test_without_ends_a_repeated_request_is_missed_once_more():
    cache = PrefixCache(ends=False)
    assert [cache.ask(A), cache.ask(A), cache.ask(A)] == [0, 0, 256]


def test_an_interval_between_units_is_refused():
    with pytest.raises(ValueError, match="interval"):
        PrefixCache("units", 128, 200)


def test_memory_is_bounded_and_the_long_unused_goes_first():
    cache = PrefixCache("blocks", 4, keep=20)
    often = list(range(20))
    for number in range(200):
        assert cache.ask(often) == (20 if number else 0)
        cache.ask([1000 + number] * 40)
        assert len(cache) <= 20


class Naive:
    """The same rules, by comparing whole lists."""

    def __init__(self, rule, unit, interval):
        self.rule, self.unit, self.interval = rule, unit, interval
        self.asked, self.units, self.inputs = [], [], []

    def ask(self, ids):
        def shared(other):
            count = 0
            while count < min(len(ids), len(other)) and ids[count] == other[count]:
                count += 1
            return count // self.unit * self.unit

        common = max(map(shared, self.asked), default=0)
        hits = [len(unit) for unit in self.units if ids[: len(unit)] == unit]
        hits += [len(each) // self.unit * self.unit for each in self.inputs if ids[: len(each)] == each]
        self.asked.append(ids)
        self.inputs.append(ids)
        self.units.append(ids[:common])
        if self.interval:
            self.units += [ids[:end] for end in range(self.interval, len(ids) + 1, self.interval)]
        return common if self.rule == "blocks" else max(hits, default=0)


@given(
    st.sampled_from([("units", 3, None), ("units", 2, 4), ("blocks", 3, None), ("units", 1, None)]),
    st.lists(st.lists(st.integers(0, 1), max_size=14), max_size=7),
)
def test_it_bills_what_comparing_whole_requests_would(rule, requests):
    cache, naive = PrefixCache(*rule), Naive(*rule)
    assert [cache.ask(each) for each in requests] == [naive.ask(each) for each in requests]


WORDS = st.lists(
    st.sampled_from(["def ", "camelCase", "_x", "  ", "\n", "\n    ", "(", "=>", "1234", "中文", "é", "😀"])
)


@given(WORDS.map("".join), WORDS.map("".join), WORDS.map("".join))
def test_texts_that_begin_alike_have_tokens_that_begin_alike(head, one, other):
    kept = len(tokens(head)) - 2
    if kept > 0:
        assert tokens(head + one)[:kept] == tokens(head + other)[:kept]


@given(st.text())
def test_every_text_has_no_more_tokens_than_characters(text):
    assert (len(text) > 0) <= len(tokens(text)) <= len(text)


def test_prompt_and_suffix_cannot_be_mistaken_for_one_another():
    assert rendered("ab", "c") != rendered("a", "bc")
    assert len(rendered("", "")) == 4
