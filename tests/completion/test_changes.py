"""What the last changes of a document were: typed, taken away, put back, replaced in place."""

from fim_lsp.completion.changes import Changes
from fim_lsp.text.document import Document, Place


class Typist:
    """A document of one or more lines, and what is made of its changes."""

    def __init__(self, text):
        self.document = Document("", "python", 0, text)
        self.changes = Changes()

    def put(self, line, start, end, text, *, first=True):
        if first:
            self.changes.begin()
        edit = self.document.change(Place(line, start), Place(line, end), text)
        self.changes.take(edit, self.document.lines)
        return self.changes

    def whole(self, text):
        self.changes.begin()
        self.changes.take(self.document.replace(text), self.document.lines)
        return self.changes


def test_one_message_with_text_typed_and_white_space_taken_away_is_typing():
    """As where Enter is pressed on a line of white space."""
    typist = Typist("def f():\n    \n")
    typist.put(1, 4, 4, "\n    ")
    assert not typist.put(1, 0, 4, "", first=False).quiet
    assert typist.changes.fresh


def test_indentation_that_the_editor_mends_is_no_deletion():
    """`else:` moves left by itself; white space taken away before the cursor is a deletion."""
    typist = Typist("if a:\n    b\n    else\n    \n")
    assert not typist.put(2, 8, 8, ":").quiet
    assert not typist.put(2, 0, 4, "").quiet
    assert typist.put(3, 0, 4, "").quiet


def test_clients_that_send_the_whole_text_are_told_by_the_difference():
    """A key is typing, and a Backspace is one."""
    typist = Typist("a = 1\nb = \n")
    changes = typist.whole("a = 1\nb = x\n")
    assert (changes.fresh, changes.quiet) == (True, False)
    changes = typist.whole("a = 1\nb = \n")
    assert (changes.quiet, changes.corrected) == (True, None)
    assert changes.keeps_back(Place(1, 4), "b = ", "x\n")


def test_what_is_undone_at_once_is_no_correction():
    """A run of typing, and what was taken over at once; a key of a word alone is corrected."""
    typist = Typist("re = 1\n")
    for number, key in enumerate("turn"):
        typist.put(0, 2 + number, 2 + number, key)
    assert typist.put(0, 5, 6, "").corrected == Place(0, 5)
    typist.put(0, 5, 5, "nity")
    assert typist.put(0, 5, 9, "").corrected is None
    assert typist.changes.quiet


def test_what_is_remembered_moves_with_its_line():
    """A text typed past and one taken away stay with their line while others come and go above."""
    typist = Typist("a = \nb = one\n")
    typist.put(1, 4, 7, "")
    for _ in range(2):
        typist.changes.typed_past(1, "two")
    typist.put(0, 0, 0, "\n\n")
    assert typist.changes.tired(3, "two")
    assert not typist.changes.tired(1, "two")
    assert typist.changes.keeps_back(Place(3, 4), "b = ", "one")
    assert not typist.changes.keeps_back(Place(1, 4), "b = ", "one")
    assert not typist.changes.keeps_back(Place(3, 4), "b = ", "on")


def test_menus_and_input_methods_are_told_apart():
    """A menu puts in a word for what was typed of it; an input method replaces what it has just put in."""
    typist = Typist("x\n")
    for number, key in enumerate("pri"):
        typist.put(0, 1 + number, 1 + number, key)
    assert typist.put(0, 1, 4, "print").composing == ""
    assert typist.put(0, 6, 6, "n").composing == ""
    assert typist.put(0, 6, 7, "ni").composing == "letters"
    assert typist.put(0, 6, 8, "nih").composing == "letters"
    assert typist.put(0, 6, 9, "你好").composing == "standing"
    assert typist.put(0, 8, 8, "m").composing == "perhaps"
    assert typist.put(0, 9, 9, "a").composing == ""
