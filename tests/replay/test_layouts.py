import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.replay import layouts
from fim_lsp.replay.layouts import LAYOUTS

LONG = "".join(f"    line number {n} of a long file, wide enough = {n}\n" for n in range(2000))
MIDDLE = LONG.index("line number 1000 ")
TEXTS = st.lists(st.sampled_from(["a", "bc ", "\n", "    ", "x = 1\n", "}\n", "é𝄞"]), max_size=40).map(
    "".join
)


@pytest.mark.parametrize("name", LAYOUTS)
@given(text=TEXTS, data=st.data())
def test_a_layout_sends_the_text_around_the_cursor(name, text, data):
    """In a short file, a prompt ends with what stands before the cursor on its line, and is all of the file's text."""
    cursor = data.draw(st.integers(0, len(text)))
    prompt = LAYOUTS[name](text, cursor)
    line = text[:cursor].rpartition("\n")[2]
    assert prompt.prefix.endswith(line) or (name == "llama.vim" and not line.strip())
    after = text[cursor:]
    assert prompt.suffix.rstrip("\n") in after or name == "tabby"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("minuet", 12_000, 4_000),
        ("Cody", 4_300, 716),
        ("Cody with Ollama", 10_000, 100),
        ("lsp-ai", 2_048, 2_048),
        ("Continue", 0.3 * 1024 * 3.5, 0.2 * 1024 * 3.5),
    ],
)
def test_a_window_of_characters_is_filled_and_not_exceeded(name, before, after):
    """In the middle of a long file a bounded window is full to a line, apart from the lines that name the file."""
    prompt = LAYOUTS[name](LONG, MIDDLE)
    own = prompt.prefix.split("file\n")[-1].split("tab\n")[-1]
    line = 60  # characters; Continue rounds each up to whole tokens
    assert 0.85 * before - line < len(own) <= before * 1.05
    assert 0.85 * after - 2 * line < len(prompt.suffix) <= after * 1.05
    assert own in LONG
    assert prompt.suffix in LONG


@pytest.mark.parametrize(
    ("name", "above", "below"), [("llama.vim", 256, 64), ("tabby", 19, 19), ("twinny", 85, 14)]
)
def test_a_window_of_lines_is_exact(name, above, below):
    prompt = LAYOUTS[name](LONG, MIDDLE)
    assert prompt.prefix.removeprefix("\n# Language: plain\n# File uri: file:///file\n").count("\n") == above
    assert prompt.suffix.removesuffix("\n").count("\n") == below


def test_twinny_gives_one_side_what_the_other_lacks():
    assert layouts.twinny(LONG, 0).suffix.count("\n") == 100
    assert layouts.twinny(LONG, len(LONG)).prefix.count("\n") == 99 + 3


def test_cody_leaves_out_the_rest_of_the_line():
    assert layouts.cody("ab\ncd\n", 1).suffix == "\ncd\n"
    assert layouts.cody("abcd", 1).suffix == ""


def test_tabby_leaves_out_a_rest_of_signs():
    assert layouts.tabby("f()\ng\n", 2).suffix == "\ng\n"
    assert layouts.tabby("f(x)\ng\n", 2).suffix == "x)\ng\n"


def test_continue_drops_a_line_over_its_budget():
    assert layouts.continue_dev("x" * 5000, 4000).prefix.endswith("file\n")
    assert layouts.continue_dev("", 0).suffix == "\n"


def test_minuet_moves_its_window_to_where_text_is():
    """A window of characters keeps its size at both ends of a file."""
    assert len(layouts.minuet(LONG, 100).suffix) == 16_000 - 100
    end = layouts.minuet(LONG, len(LONG) - 100)
    assert len(end.prefix) == 16_000 - 100 + len(layouts.minuet("", 0).prefix)


def test_whole_file_and_naive_send_all_before_the_cursor():
    assert layouts.whole_file(LONG, MIDDLE) == (LONG[:MIDDLE], LONG[MIDDLE:])
    assert layouts.naive(LONG, MIDDLE) == (LONG[:MIDDLE], LONG[MIDDLE : MIDDLE + 400])
