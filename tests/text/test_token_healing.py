"""What of a prefix is left to the model, and an answer read without it."""

import pytest

from fim_lsp.text.confidence import Token
from fim_lsp.text.token_healing import Heard, lead_of


@pytest.mark.parametrize(
    ("prefix", "lead"),
    [
        ("x = 1\nreturn ", " "),
        ("def f():\n    ", " "),
        ("func f() {\n\t", "\t"),
        ("print(", ""),
        ("self.", ""),
        ("x = 1\n", ""),
        ("retu", ""),
        ("f(a,", ""),
        ('x = "', ""),
        ("\u3000", ""),
        (" ", ""),  # nothing would be left
        ("(", ""),
        ("", ""),
    ],
)
def test_white_space_is_left_to_the_model(prefix, lead):
    """One character of it; never all that there is."""
    assert lead_of(prefix) == lead


@pytest.mark.parametrize(
    ("prefix", "lead"),
    [
        ("x = 1\nreturn ", " "),
        ("func f() {\n\t", "\t"),
        ("x = 1\nretu", "retu"),
        ("a1_b2", ""),  # nothing would be left
        ("(a1_b2", "a1_b2"),
        ("print(", "("),
        ("self.", "."),
        ('x = "', '"'),
        ("List<", ""),  # marks of a model's own begin so
        ("a[", ""),
        ("x = 1\n", ""),
        ("# test_rate_limiter_store_default_bu", "bu"),
        ("# TestRateLimiterMemoryStoreDefaultBu", "Bu"),
        ("# testratelimitermemorystoredefaultbu", "rystoredefaultbu"),
        ("# test_rate_limiter_memory_store_", "_"),
        ("größe", ""),
        ("x = größ", ""),
        ("x = grün_a", ""),
        ("变量", ""),
        ("", ""),
    ],
)
def test_a_word_is_left_to_what_can_be_held_to_it(prefix, lead):
    """Or one sign; of a long name its last part, and only ASCII."""
    assert lead_of(prefix, held=True) == lead


def heard(lead, pieces, *, strict=True):
    reader = Heard(lead, strict=strict)
    text = "".join(reader.take(piece) for piece in pieces)
    reader.close()
    return text, reader


@pytest.mark.parametrize(
    ("lead", "pieces", "text", "parted", "agreed"),
    [
        (" ", [" a", "b"], "ab", False, True),
        (" ", ["  a"], " a", False, True),
        (" ", [" "], "", False, True),
        (" ", ["a", " b"], "", True, False),
        ("\t", ["\tx"], "x", False, True),
        ("\t", [" x"], "", True, False),
        ("retu", ["re", "turn", " a"], "rn a", False, True),
        ("retu", ["re", "", "tu"], "", False, True),
        ("retu", ["re", "quest"], "", True, False),
        ("retu", ["re"], "", True, None),
        (" ", [], "", True, None),
        ("", ["a", "b"], "ab", False, None),
        ("", [], "", False, None),
    ],
)
def test_an_answer_begins_with_what_was_left_to_it(lead, pieces, text, parted, agreed):
    """Otherwise it is no answer; an empty one is none either."""
    said, reader = heard(lead, pieces)
    assert (said, reader.parted, reader.agreed) == (text, parted, agreed)


@pytest.mark.parametrize(
    ("pieces", "text"), [(["ab"], "ab"), ([" ab"], "ab"), ([], ""), (["a", " b"], "a b")]
)
def test_an_engine_that_is_not_known_may_take_white_space_off(pieces, text):
    """What it says without it is taken as said behind it."""
    said, reader = heard(" ", pieces, strict=False)
    assert (said, reader.parted) == (text, False)


def test_tokens_have_their_places_behind_the_lead():
    """A token that holds the lead begins with the text; one that is the lead is left out."""
    _, joined = heard(" ", [" ab", "c"])
    assert joined.tokens([Token(0, 3, -1.0), Token(3, 4, -2.0)]) == [Token(0, 2, -1.0), Token(2, 3, -2.0)]
    _, alone = heard(" ", [" ", "x"])
    assert alone.tokens([Token(0, 1, -1.0), Token(1, 2, -2.0)]) == [Token(0, 1, -2.0)]
    _, word = heard("re", ["ret", "urn"])
    assert word.tokens([Token(0, 3, -1.0), Token(3, 6, -2.0)]) == [Token(0, 1, -1.0), Token(1, 4, -2.0)]
    forced = Heard("re", held=True)
    assert forced.take("ret") == "t"
    assert forced.tokens([Token(0, 3, -9.0), Token(3, 6, -2.0)]) == [Token(0, 1, 0.0), Token(1, 4, -2.0)]
    _, taken_off = heard(" ", ["ab"], strict=False)
    assert taken_off.tokens([Token(0, 2, -1.0)]) == [Token(0, 2, -1.0)]
