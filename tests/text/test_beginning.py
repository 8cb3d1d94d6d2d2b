"""Two texts begin alike for as many characters as a look at each of them tells."""

from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.text.beginning import shared

FEW = st.text(alphabet="ab\n", max_size=40)


@given(FEW, FEW, FEW)
def test_as_one_by_one(begin, one, other):
    one, other = begin + one, begin + other
    told = shared(one, other)
    assert one[:told] == other[:told]
    assert told == min(len(one), len(other)) or one[told] != other[told]
    assert told >= len(begin)
