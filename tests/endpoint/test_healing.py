"""How much is left to an engine, by what it has shown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.endpoint.beginning import beginning
from fim_lsp.endpoint.dialect import dialects
from fim_lsp.endpoint.healing import Healing


def after(*answers):
    healing = Healing(on=True)
    for agreed in answers:
        healing.heard(agreed=agreed)
    return healing


def test_other_text_is_another_beginning_once_an_engine_is_known():
    """Four answers tell, four of five of which say the white space again."""
    assert not after().proven
    assert not after(True, True, True).proven
    assert not after(True, True, True, False).proven
    assert after(True, True, True, True).proven
    assert after(True, True, True, True, False).proven


def test_nothing_is_left_to_what_takes_white_space_off():
    """Once six answers were without it, or most of them."""
    assert after(*[False] * 5).wanted("a ") == " "
    assert after(*[False] * 6).wanted("a ") == ""
    assert after(*[True] * 2, *[False] * 4).wanted("a\t") == ""
    assert after(*[True] * 3, *[False] * 3).wanted("a\t") == "\t"


def test_one_that_learns_nothing_stays_as_it_was():
    """Whatever it hears."""
    healing = Healing(on=True, learns=False)
    for agreed in [*[False] * 10, *[True] * 100]:
        healing.heard(agreed=agreed)
        assert healing.wanted("a ") == " "
        assert not healing.proven


def test_only_engines_of_ones_own_are_left_anything():
    """Where it was measured; nothing is left to services, or to a chat."""
    healing = {name for name, one in dialects().items() if one.own}
    assert healing == {name for name, one in dialects().items() if one.first_chars} | {"vllm", "sglang"}
    assert not any(dialects()[name].key for name in healing)
    assert Healing(on=False).wanted("a ") == ""


def held(*answers):
    healing = Healing(on=True, holds=True)
    for agreed in answers:
        healing.heard(agreed=agreed)
    return healing


def test_what_is_held_to_its_beginning_is_left_a_word():
    """Its answer begins so, or is none, from the first on."""
    assert held().wanted("x = retu") == "retu"
    assert held().proven
    assert held(*[True] * 20, False).wanted("x = retu") == "retu"
    assert Healing(on=False, holds=True).wanted("x = retu") == ""
    assert not Healing(on=False, holds=True).holds


def test_what_passes_over_it_is_found_out():
    """After two answers that begin otherwise it is left white space, as others are, until that is known of it."""
    found = held(False, True, False)
    assert found.wanted("x = retu") == ""
    assert found.wanted("x = ") == " "
    assert not found.holds
    assert not found.proven


def test_engines_that_can_be_held_say_how():
    """Those whose sources name a field for it, all of them one's own."""
    fields = {name: (one.begin, one.begin_as) for name, one in dialects().items() if one.holds}
    assert fields == {
        "llama.cpp": ("grammar", "gbnf"),
        "llama.cpp-template": ("grammar", "gbnf"),
        "vllm": ("structured_outputs.regex", "regex"),
        "sglang": ("regex", "regex"),
    }
    assert all(dialects()[name].own for name in fields)


@pytest.mark.parametrize(
    ("text", "form", "pattern"),
    [
        ("retu_1", "regex", r"retu_1[\s\S]*"),
        ("(", "regex", r"\x28[\s\S]*"),
        ("\t", "regex", r"\x09[\s\S]*"),
        ("retu_1", "gbnf", r'root ::= "retu_1" [^\x00]*'),
        ('"', "gbnf", r'root ::= "\x22" [^\x00]*'),
        ("\\", "gbnf", r'root ::= "\x5c" [^\x00]*'),
    ],
)
def test_a_beginning_is_a_pattern_or_a_grammar(text, form, pattern):
    """Signs by their codes, so that none means anything."""
    assert beginning(text, form) == pattern


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20), st.text())
def test_a_pattern_takes_just_what_begins_so(text, more):
    """Whatever stands behind it."""
    pattern = re.compile(beginning(text, "regex"))
    assert pattern.fullmatch(text + more)
    assert not pattern.fullmatch("\x7f" + text)
