"""Tokens counted where a bill came, and estimated where the stream was closed before it."""

from fim_lsp.context.window import Prompt
from fim_lsp.endpoint.request import Usage
from fim_lsp.usage.token_counts import TokenCounts


def bill(tally, prompt, hit=0, tokens=None):
    likely = tally.asked(prompt)
    usage = Usage(prompt_tokens=tokens or 0, cache_hit_tokens=hit, completion_tokens=3) if tokens else None
    return tally.ended(prompt, likely, "abcdefgh", usage)


def test_a_bill_is_taken_as_it_is():
    """Nothing is estimated where the service has counted."""
    spent = bill(TokenCounts(), Prompt("x" * 4000, "y" * 100), hit=128, tokens=1000)
    assert spent == (128, 872, 3, False)


def test_an_estimate_goes_on_from_the_last_bill():
    """Only what is new is taken at characters a token, whatever the text's own density is."""
    tally = TokenCounts()
    dense = "x" * 8000
    bill(tally, Prompt(dense, "y" * 100), tokens=4000)
    spent = bill(tally, Prompt(dense + "z" * 20, "y" * 100))
    assert spent.estimated
    assert abs(spent.hit + spent.missed - 4010) <= 2
    assert spent.out == 2


def test_a_prefix_is_hit_from_the_third_request_on():
    """In whole units, also where another file was asked about in between."""
    tally = TokenCounts()
    one, other = "a" * 4000, "b" * 4000
    first = bill(tally, Prompt(one, ""), tokens=1000)
    second = bill(tally, Prompt(one, ""))
    bill(tally, Prompt(other, ""))
    third = bill(tally, Prompt(one + "c", ""))
    assert (first.hit, second.hit) == (0, 0)
    assert third.hit == 896
    assert third.hit % 128 == 0
