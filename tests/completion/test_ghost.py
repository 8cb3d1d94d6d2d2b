"""What became of ghost text, told from the edits alone."""

import pytest

from fim_lsp.completion.answer_cache import Offer
from fim_lsp.completion.ghost import Ghost
from fim_lsp.text.document import Document, Place


def case(text, *offers, foreign=0):
    """A document with a ghost at the mark `|`."""
    head, tail = text.split("|")
    document = Document("file:///a.py", "python", 1, head + tail)
    place = Place(head.count("\n"), len(head) - head.rfind("\n") - 1)
    found = [offer if isinstance(offer, Offer) else Offer(offer) for offer in offers]
    return document, Ghost(document.lines, place, found, 1, foreign)


def insert(document, ghost, line, column, text, covers=0):
    edit = document.change(Place(line, column), Place(line, column + covers), text)
    return ghost.follow(edit, document.lines)


@pytest.mark.parametrize(
    ("inserted", "fate", "taken"),
    [
        ("return a\nb", "all", 10),
        ("return a", "line", 8),
        ("return a\n", "line", 9),
        ("return", "word", 6),
        ("r", None, 0),
        ("x", "dismissed", 0),
        ("return b", "dismissed", 0),
    ],
)
def test_one_insertion_says_what_was_taken(inserted, fate, taken):
    """All, a line, a word, a key along the text, or something else."""
    document, ghost = case("def f():\n    |\nend\n", "return a\nb")
    assert insert(document, ghost, 1, 4, inserted) == fate
    assert ghost.taken == taken


def test_a_text_taken_word_by_word():
    """Each part counts, the last one as all that was left."""
    document, ghost = case("x = |\n", "one two")
    assert insert(document, ghost, 0, 4, "one ") == "word"
    assert insert(document, ghost, 0, 8, "two") == "all"
    assert ghost.taken == 7


def test_a_text_typed_to_its_end():
    """Keys alone are not an acceptance."""
    document, ghost = case("x = |\n", "ab")
    assert insert(document, ghost, 0, 4, "a") is None
    assert insert(document, ghost, 0, 5, "b") == "typed"
    assert ghost.taken == 0


def test_enter_with_the_editors_indentation_is_typing():
    """White space in one go is nobody's acceptance."""
    document, ghost = case("if a:|\n", "\n    pass")
    assert insert(document, ghost, 0, 5, "\n    ") is None
    assert insert(document, ghost, 1, 4, "pass") == "all"


def test_a_bracket_that_the_editor_closes():
    """`(` typed and `)` added behind the cursor is typing along."""
    document, ghost = case("f|\n", "(a, b)")
    assert insert(document, ghost, 0, 1, "()") is None
    assert ghost.shows(Place(0, 2), [Offer("a, b)")])


def test_an_insertion_that_covers_what_stood_there():
    """The closing bracket right of the cursor is part of what is taken."""
    document, ghost = case("f(|)\n", Offer("a, b)", 1))
    assert insert(document, ghost, 0, 2, "a, b)", covers=1) == "all"
    assert document.text == "f(a, b)\n"


def test_a_difference_found_further_right():
    """An editor that sends differences may name another place for the same text."""
    document, ghost = case("f(|a)\n", "a, ")
    assert insert(document, ghost, 0, 3, ", a") == "all"
    assert document.text == "f(a, a)\n"


def test_the_second_candidate_is_taken():
    """Cycling is not seen, but its end is."""
    document, ghost = case("x = |\n", "one()", "two()")
    assert insert(document, ghost, 0, 4, "two()") == "all"


def test_what_the_menu_puts_in_is_not_ours():
    """Taking a menu's entry alone is no acceptance; what follows it is."""
    document, ghost = case("os.pa|\n", "th.join(a)", foreign=2)
    edit = document.change(Place(0, 3), Place(0, 5), "path")
    assert ghost.follow(edit, document.lines) is None
    assert ghost.taken == 0
    assert insert(document, ghost, 0, 7, ".join(a)") == "all"
    assert ghost.taken == 8


def test_edits_elsewhere_leave_it_alone():
    """Lines above move it; lines far below do nothing."""
    document, ghost = case("a\nb\nx = |\nc\nd\ne\n", "one")
    assert insert(document, ghost, 0, 0, "new\n") is None
    assert insert(document, ghost, 6, 0, "far") is None
    assert insert(document, ghost, 3, 4, "one") == "all"


def test_deleting_before_it_dismisses_it():
    """So does replacing the whole text."""
    document, ghost = case("x = |\n", "one")
    assert ghost.follow(document.change(Place(0, 3), Place(0, 4), ""), document.lines) == "dismissed"
    document, ghost = case("x = |\n", "one")
    assert ghost.follow(document.replace("y\n"), document.lines) == "dismissed"


def test_a_text_used_in_part_was_not_dismissed():
    """It ends, and has been counted already."""
    document, ghost = case("x = |\n", "one two")
    assert insert(document, ghost, 0, 4, "one") == "word"
    assert insert(document, ghost, 0, 7, "?") is None
    assert ghost.gone
