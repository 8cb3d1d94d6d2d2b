"""How much is left to an engine, by what it has shown."""

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
    assert after(*[False] * 5).wanted(" ") == " "
    assert after(*[False] * 6).wanted(" ") == ""
    assert after(*[True] * 2, *[False] * 4).wanted("\t") == ""
    assert after(*[True] * 3, *[False] * 3).wanted("\t") == "\t"


def test_one_that_learns_nothing_stays_as_it_was():
    """Whatever it hears."""
    healing = Healing(on=True, learns=False)
    for agreed in [*[False] * 10, *[True] * 100]:
        healing.heard(agreed=agreed)
        assert healing.wanted(" ") == " "
        assert not healing.proven


def test_only_engines_of_ones_own_are_left_anything():
    """Where it was measured; nothing is left to services, or to a chat."""
    healing = {name for name, one in dialects().items() if one.own}
    assert healing == {name for name, one in dialects().items() if one.first_chars} | {"vllm", "sglang"}
    assert not any(dialects()[name].key for name in healing)
    assert Healing(on=False).wanted(" ") == ""
