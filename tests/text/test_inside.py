"""What a place is inside of, told from the tables of languages; the cursor is the mark `‸`."""

import pytest

from fim_lsp.text.document import Document, Place, body, split_lines
from fim_lsp.text.inside import Inside

PLACES = [
    ("python", "x = 1‸", ""),
    ("python", "x = 1  #‸", "comment"),
    ("python", "x = '#‸'", "string"),
    ("python", "x = 'it\\'s ‸'", "string"),
    ("python", "x = 'a' ‸", ""),
    ("python", '"""Says.\n\n    More‸\n    """', "string"),
    ("python", '"""Says."""\n‸', ""),
    ("python", "x = 'never closed\ny‸", ""),
    ("python", "f'{a‸}'", ""),
    ("python", "f'{a}‸'", "string"),
    ("python", "f'{{a‸}}'", "string"),
    ("python", "f'{a[\"‸\"]}'", "string"),
    ("python", "f'{a[\"b\"]‸}'", ""),
    ("python", "rf'{a‸}'", ""),
    ("python", "rb'{a‸}'", "string"),
    ("python", 'f"""\n{a:#x} b‸', "string"),
    ("python", 'f"""\n{\n  a‸', ""),
    ("javascript", "`a ${ {b: 1}.b ‸}`", ""),
    ("javascript", "`a ${b} c‸`", "string"),
    ("javascript", "`a ${`b ${c‸}`}`", ""),
    ("typescript", "/* a */ b‸", ""),
    ("typescript", "/* a\n b‸ */", "comment"),
    ("rust", "fn f<'a>(x: &'a str‸)", ""),
    ("c", "char c = '\"'; x‸", ""),
    ("go", "x := `a\n// b‸`", "string"),
    ("ruby", '"a #{b‸}"', ""),
    ("kotlin", '"""\n${a‸}"""', ""),
    ("swift", '"\\(a‸)"', ""),
    ("swift", '"\\(a) b‸"', "string"),
    ("csharp", '$"{a‸}"', ""),
    ("csharp", '"{a‸}"', "string"),
    ("php", '"{$a‸}"', ""),
    ("shellscript", "echo $# a‸", ""),
    ("shellscript", "a=${b#c} d‸", ""),
    ("shellscript", "a # b‸", "comment"),
    ("lua", "--[[ a\n b‸ ]]", "comment"),
    ("html", "<!-- a‸ -->", "comment"),
    ("markdown", "It's # text‸", ""),
    ("markdown", "```python\n# a‸\n```", ""),
    ("markdown", "~~~\n<!-- a\n~~~\n<!-- b‸", "comment"),
    ("", "// a‸", "comment"),
    ("PYTHON", "# a‸", "comment"),
]


def place_in(text):
    before, _, after = text.partition("‸")
    lines = split_lines(before)
    return before + after, Place(len(lines) - 1, len(lines[-1]))


@pytest.mark.parametrize(("name", "text", "inside"), PLACES)
def test_what_a_place_is_inside_of(name, text, inside):
    """Only what stands before it counts, whatever its line ends."""
    for line_end in ("\n", "\r\n"):
        whole, place = place_in(text.replace("\n", line_end))
        assert Inside(name).at(Document("", name, 0, whole).lines, place) == inside


def test_it_follows_edits():
    """What is looked up again after each edit is what a fresh look finds, at every place."""
    document = Document("", "python", 0, "a = 1\nb = 2\nc = 3\nd = 4\n")
    held = Inside("python")
    for line, text in ((2, '"""'), (0, "# "), (3, '"""'), (1, "f'{"), (2, "'")):
        edit = document.change(Place(line, 0), Place(line, 0), text)
        held.edited(edit.first)
        for number, one in enumerate(document.lines):
            for column in range(len(body(one)) + 1):
                place = Place(number, column)
                assert held.at(document.lines, place) == Inside("python").at(document.lines, place), place
