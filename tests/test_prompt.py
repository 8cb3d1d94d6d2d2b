"""Prompts whose beginning stays, so that the service's cache bills it as a hit."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from fim_lsp.document import Document, Place
from fim_lsp.prompt import ENOUGH, Window


def text_of(lines):
    return "".join(f"line {n} of the file, with some words\n" for n in range(lines))


def typed(document, window, place, keys):
    """Type at a place; the prompts at each key, and whether the window moved for it."""
    for key in keys:
        window.edited(document.change(place, place, key))
        added = key.count("\n")
        column = len(key) - key.rfind("\n") - 1 if added else place.column + len(key)
        place = Place(place.line + added, column)
        before = window.moves
        yield window.prompt(document.lines, place), window.moves > before


@given(
    st.integers(0, 400),
    st.integers(0, 400),
    st.lists(st.sampled_from("abc (\n"), max_size=120),
    st.integers(300, 5000),
)
@settings(max_examples=200, deadline=None)
def test_typing_shares_everything_up_to_the_line(size, line, keys, room):
    """Consecutive prompts share all up to the cursor's line, but for the moves, which are rare and counted."""
    document, window = Document("u", "x", 1, text_of(size)), Window(room, 600)
    prompts = list(typed(document, window, document.place(line, 3, "utf-32"), keys))
    for (one, _), (other, moved) in pairwise(prompts):
        if not moved:
            assert other.prefix.startswith(one.prefix)
    assert sum(moved for _, moved in prompts) <= 1 + sum(len(key) for key in keys) // (room // 4)


@given(
    st.integers(0, 300), st.integers(0, 300), st.integers(0, 60), st.integers(300, 5000), st.integers(0, 900)
)
@settings(max_examples=200, deadline=None)
def test_the_prompt_is_the_text_around_the_cursor_within_its_bounds(size, line, column, before, after):
    """Prefix and suffix meet at the cursor, are the document's own text, and keep to the settings."""
    document, window = Document("u", "x", 1, text_of(size)), Window(before, after)
    place = document.place(line, column, "utf-32")
    prompt = window.prompt(document.lines, place)
    offset = sum(map(len, document.lines[: place.line])) + place.column
    assert document.text[:offset].endswith(prompt.prefix)
    assert document.text[offset:].startswith(prompt.suffix)
    assert len(prompt.prefix) <= before
    assert len(prompt.suffix) <= after


def test_a_file_that_fits_is_shown_from_its_beginning():
    """Jumping about in it keeps the first byte where it is."""
    document, window = Document("u", "x", 1, text_of(100)), Window(24_000, 600)
    for line in (90, 3, 50, 99):
        assert document.text.startswith(window.prompt(document.lines, Place(line, 0)).prefix)
    assert window.moves == 0


def test_lines_above_the_window_may_come_and_go():
    """The start stays on its line, whatever happens above it."""
    document, window = Document("u", "x", 1, text_of(1000)), Window(2000, 600)
    before = window.prompt(document.lines, Place(900, 0))
    window.edited(document.change(Place(0, 0), Place(5, 0), "new\n" * 20))
    after = window.prompt(document.lines, Place(915, 0))
    assert (before.prefix, window.moves) == (after.prefix, 1)


def test_the_suffix_is_enough_and_ends_with_a_line():
    """At least 250 characters where the file has them, cut at a line end."""
    document, window = Document("u", "x", 1, text_of(100)), Window(2000, 600)
    suffix = window.prompt(document.lines, Place(50, 4)).suffix
    assert ENOUGH <= len(suffix) < ENOUGH + 50
    assert suffix.endswith("\n")


def test_a_start_inside_one_huge_line_stays_too():
    """Typing at the end of a line of a megabyte moves the start by half windows only."""
    window = Window(2000, 600)
    line = "x" * 1_000_000
    starts = [
        len(line) + n - len(window.prompt([line + "y" * n], Place(0, len(line) + n)).prefix)
        for n in range(900)
    ]
    assert len(set(starts)) <= 2
