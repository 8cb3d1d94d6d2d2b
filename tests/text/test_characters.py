"""No character that an eye does not see or a terminal obeys comes in with an answer, unless the document holds it."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.text.characters import BLANK_LINES, COLUMNS, MARKS, as_json, hidden, visible, without_strangers
from fim_lsp.text.document import Document, Place
from fim_lsp.text.early_stop import Ending
from fim_lsp.text.extent import extent
from fim_lsp.text.postprocess import tidy

STRANGERS = {
    "colours": "\x1b[31m",
    "the clipboard": "\x1b]52;c;cm0=\x07",
    "NUL": "\0",
    "bell": "\a",
    "backspace": "\b",
    "delete": "\x7f",
    "C1": "\x9b31m",
    "vertical tab": "\v",
    "form feed": "\f",
    "right to left override": "\u202e",
    "isolate": "\u2067",
    "end of isolate": "\u2069",
    "left to right mark": "\u200e",
    "right to left mark": "\u200f",
    "zero width space": "\u200b",
    "non-joiner": "\u200c",
    "joiner": "\u200d",
    "word joiner": "\u2060",
    "mark of byte order": "\ufeff",
    "soft hyphen": "\xad",
    "tags": "\U000e0069\U000e006d",
    "Hangul filler": "\u3164",
    "filler of a half": "\uffa0",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "next line": "\x85",
    "private": "\ue0b0",
    "private, far away": "\U0010fffd",
    "unassigned": "\u0378",
    "no character": "\uffff",
    "selector after a letter": "\ufe0f",
    "selector of many": "\U000e0101",
    "Braille blank": "\u2800",
    "grapheme joiner": "\u034f",
    "Mongolian selector": "\u180b",
    "blank of a dash": "\u2003",
    "blank that keeps a line": "\xa0",
    "ideographic blank": "\u3000",
    "musical null": "\U0001d159",
    "half of a character": "\udc41",
    "marks": "\u0300" * (MARKS + 1),
    "blanks": " " * 400 + "; ",
    "tabs": "\t" * 60 + "; ",
    "blanks and tabs": " \t" * 60 + "; ",
    "blanks over lines": "\n" * (BLANK_LINES + 1),
    "blanks over lines with blanks": "\n  " * 40 + "\n",
}
EVERY = pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)


def read(text, size, prefix="x = (", suffix=")\n"):
    """The text after a stream in pieces of a size, and how much of it was read."""
    form = extent(prefix, suffix, "python", "auto", 256)
    ending = Ending(prefix, suffix, "python", form)
    for at in range(0, len(text), size):
        if ending.feed(text[at : at + size]):
            break
    return tidy(ending.text, prefix, suffix, "python", form).shown.text, len(ending.text)


@EVERY
@pytest.mark.parametrize("size", [1, 3, 7, 10_000])
def test_a_stranger_ends_the_text_before_it(stranger, size):
    """Nothing of it nor behind it is offered, wherever a chunk ends, and the stream is closed there."""
    text, length = read(f"one{stranger}import os" + " and more" * 90, size)
    assert text == "one"
    assert length <= len("one") + len(stranger) + size


@EVERY
def test_what_the_document_holds_may_come(stranger):
    """Joiners where there are joiners, wide gaps where there are wide gaps."""
    if not any(hidden(sign) for sign in stranger) and not stranger.startswith("\u0300"):
        stranger = stranger.rstrip("; ")
    prefix = f'a = """{stranger}"""\nx = """'
    assert without_strangers(f"one{stranger}two", prefix.__contains__) == f"one{stranger}two"


HARMLESS = [
    "❤️ and 1️⃣ #️⃣",
    "👩‍🔬 👩‍❤️‍👨 👩🏽‍🚀 🏳️‍🌈 🙂‍↔️",
    "🇩🇪 🫨",
    "naïve e\u0301 Tiếng Việt",
    "שָׁלוֹם",
    "日本語、中文、한국어",
    "tab\tseparated\n\n\n    indented",
    " " * 60 + "x",
    "\t" * 20 + "x",
    "ภาษาไทยที่นี่",
    "→ ∀x ∈ ℝ ½ “quoted” … —",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_seen_is_left_alone(text):
    """Scripts of the world, emoji with their joiners, indentation."""
    assert without_strangers(text, lambda _: False) == text


@pytest.mark.parametrize("text", ["👩‍", "👩‍x", "1️", "1️x", "x️", "a‍b", "👩‍‍🔬", "❤️️"])
def test_what_only_emoji_may_have_hides_nowhere_else(text):
    """A joiner or selector that shapes no emoji ends the text."""
    left = without_strangers(text, lambda _: False)
    assert left in {"👩", "1", "x", "a", "❤️"}


@given(st.text(st.characters(), max_size=40), st.lists(st.integers(0, 40), max_size=6))
def test_pieces_make_no_difference(text, cuts):
    """However a text is cut into pieces, the same part of it is offered, and no hidden character in it."""
    prefix, suffix = "x = [\n", "\n]\n"
    form = extent(prefix, suffix, "python", "auto", 256)
    ending = Ending(prefix, suffix, "python", form)
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(text)], strict=True):
        if ending.feed(text[start:end]):
            break
    streamed = tidy(ending.text, prefix, suffix, "python", form).shown
    whole = tidy(text, prefix, suffix, "python", form).shown
    assert streamed == whole
    assert visible(whole.text, kept="\n\t") == whole.text


@given(st.text(st.characters()))
def test_a_message_is_one_line_and_says_what_was_in_it(text):
    """Hidden characters are shown by their numbers."""
    shown = visible(text)
    assert not any(sign in "\n\t" or hidden(sign) for sign in shown if sign not in "\u200d\ufe0f")
    assert shown.isprintable() or "\u200d" in shown or any(sign >= "\U0001f000" for sign in shown)
    assert len(visible(text, most=50)) <= 500
    assert visible("a\x1b[1m\u202e\U000e0041\n") == r"a\x1b[1m\u202e\U000e0041\x0a"


@given(st.recursive(st.text(st.characters()), lambda inner: st.dictionaries(st.text(st.characters()), inner)))
def test_json_stays_json(value):
    """It means the same, and holds no hidden character."""
    text = as_json(value)
    assert json.loads(text) == json.loads(json.dumps(value))
    assert not any(hidden(sign) for sign in text)
    assert as_json({"ä": "日本"}) == '{"ä": "日本"}'


def test_every_character_of_the_categories_is_hidden():
    """Of all that there are, but line end and tab, a space, and the emoji that are newer than Python's table."""
    through = [
        number
        for number in range(0x110000)
        if unicodedata.category(chr(number)) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
        and not hidden(chr(number))
    ]
    assert [n for n in through if not 0x1F000 <= n <= 0x1FAFF] == [0x09, 0x0A, 0x20]


async def test_nothing_strange_is_shown(start, endpoint):
    """Neither as ghost text nor in the menu, while the text before it is."""
    client = await start()
    for name, stranger in STRANGERS.items():
        if name == "half of a character":
            continue  # the endpoint cannot say it
        endpoint.says = f"first{stranger}then()"
        uri = f"file:///{name.replace(' ', '-')}.py"
        client.open(uri, "value = \n")
        client.type(uri, 0, 8, "(")
        assert await client.texts(uri, 0, 9) == ["first"], name
        place = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 9}}
        menu = await client.call("textDocument/completion", place)
        assert menu["items"], name
        shown = [menu["items"][0][part] for part in ("label", "documentation", "filterText")]
        assert shown == ["first"] * 3, name
        assert menu["items"][0]["textEdit"]["newText"] == "first", name


async def test_what_only_another_file_holds_is_a_stranger(world):
    """A prompt shows other files, too; what they hold is not what this one holds."""
    other = "file:///b.py"
    world.engine.open(Document(other, "python", 1, "\u202e = 1\n\n"))
    world.engine.edited(other, world.engine.document(other).change(Place(1, 0), Place(1, 0), "\u202ey = 2\n"))
    world.service.says = "one\u202etwo\n"
    assert [offer.text for offer in await world.engine.complete(world.uri, Place(0, 4))] == ["one"]
    assert [offer.text for offer in await world.engine.complete(other, Place(2, 0))] == ["one\u202etwo"]


async def test_what_stands_far_away_in_the_document_is_none(world):
    """The whole document counts, not only what is sent of it."""
    far = "file:///far.txt"
    world.engine.open(Document(far, "plaintext", 1, "می\u200cخواهم\n" + "line\n" * 20_000 + "\n"))
    world.service.says = "می\u200cروم\n"
    assert [offer.text for offer in await world.engine.complete(far, Place(20_001, 0))] == ["می\u200cروم"]


def test_a_gap_that_is_wide_is_bounded():
    """A column of comments may stand as far to the right as the bound, and no further."""
    assert without_strangers("a" + " " * COLUMNS + "b", lambda _: False) == "a" + " " * COLUMNS + "b"
    assert without_strangers("a" + " " * (COLUMNS + 1) + "b", lambda _: False) == "a"
