"""A parser's last word on what is inserted: what would leave a file that is no code is not offered, and nothing else is held back."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fim_lsp.text import grammar, syntax
from fim_lsp.text.surroundings import surroundings
from fim_lsp.text.syntax import parsed

CURSOR = "‸"


def left(document, text, language="python", *, covers=0, multiline=True):
    """What is left of a text at the cursor of a document."""
    prefix, suffix = document.split(CURSOR)
    place = surroundings(prefix, suffix, language)
    return parsed(text, covers, place, multiline=multiline, clock=lambda: 0)[0]


FUNCTION = "import os\n\n\ndef f(a):\n    if a:\n        ‸\n    return a\n\n\ndef g():\n    pass\n"


@pytest.mark.parametrize(
    ("document", "text", "offered"),
    [
        (FUNCTION, "return 1", "return 1"),
        (FUNCTION, "return = 1", ""),
        (FUNCTION, "else", "else"),  # a word alone is not asked about
        (FUNCTION, "return 1\n    else b", "return 1"),
        (FUNCTION, "for b in a:", ""),  # the block has a line of its own, and this one none
        (FUNCTION, "for b in a:\n            print(b)", "for b in a:\n            print(b)"),
        ("def f(a):\n    ret‸\n", "urn a", "urn a"),
        ("def f(a):\n    ret‸\n", "val = = a", ""),
        ("def f‸\n", "(a):", "(a):"),  # a line that had begun opens a block
        ("x = [\n    1,\n    ‸\n", "2,", "2,"),  # nothing closes the list yet
        ("x = f(‸\n", "a, b)", "a, b)"),
        ("x = f(‸\n", "a, b", "a, b"),
        ('def f():\n    """‸\n', "Says so.", "Says so."),
        ("def f(:\n    pass\n\n\nx = ‸\n", "1", "1"),  # broken elsewhere
        ("def f(:\n    pass\n\n\nx = ‸\n\n\ny = 1\n", "= 1", ""),
    ],
)
def test_what_is_no_code_is_not_offered(document, text, offered):
    """Of several lines those that are; all of them where the file is broken whatever comes."""
    assert left(document, text) == offered


def test_where_one_line_is_wanted_it_may_open_a_block():
    """The setting `multiline` at "never"."""
    assert left(FUNCTION, "for b in a:", multiline=False) == "for b in a:"
    assert left(FUNCTION, "for b a:", multiline=False) == ""


def test_the_file_of_another_version_holds_nothing_back():
    """What this Python does not know is taken for broken, and so for nobody's fault."""
    document = "def f():\n    print 'old'\n    ‸\n    exec 'x' in {}\n"
    assert left(document, "print 'more'") == "print 'more'"


def test_closers_that_are_replaced_count():
    """The editor's own are covered by the text."""
    assert left('with open("‸")\n', 'a.txt") as f:\n    pass', covers=2) == 'a.txt") as f:\n    pass'


OTHERS = [
    ("go", "package a\n\nfunc f() int {\n\tif true {\n\t\t‸\n\t}\n\treturn 1\n}\n", "return 2", "return :2"),
    ("rust", "fn f() -> i32 {\n    let a = ‸\n    a\n}\n", "1;", "= 1;"),
    ("typescript", "class A {\n  b(): number {\n    return ‸\n  }\n}\n", "1;", "=> 1;"),
    ("javascript", "const a = {\n  b: ‸\n};\n", "[1, 2],", "[1, 2;"),
    ("java", "class A {\n    int b() {\n        ‸\n    }\n}\n", "return 1;", "return int;"),
    ("kotlin", "fun f(): Int {\n    ‸\n    return 1\n}\n", "val a = 1", "val = 1"),
    ("ruby", "def f\n  ‸\nend\n", "a = [1]", "a = = 1"),
    ("php", "function f() {\n    ‸\n}\n", "return 1;", "return = 1;"),
    ("csharp", "class A {\n    int B() {\n        ‸\n    }\n}\n", "return 1;", "return = 1;"),
    ("lua", "local function f()\n  ‸\nend\n", "return 1", "return = 1"),
    ("shellscript", "f() {\n  ‸\n}\n", "echo hi", "if hi; fi"),
]


@pytest.mark.parametrize(("language", "document", "code", "none"), OTHERS, ids=[row[0] for row in OTHERS])
def test_other_languages_have_grammars(language, document, code, none):
    """Where the extra is installed."""
    pytest.importorskip("tree_sitter_language_pack")
    assert left(document, code, language) == code
    assert left(document, none, language) == ""


def test_without_grammars_nothing_is_held_back(monkeypatch):
    """But in Python, whose own parser is always there."""
    monkeypatch.setattr(grammar, "_parser", lambda _: None)
    _, document, _, none = OTHERS[0]
    assert left(document, none, "go") == none
    assert left(FUNCTION, "return = 1") == ""


@pytest.mark.parametrize("language", ["c", "cpp", "markdown", "json", "html", "unheard-of"])
def test_grammars_that_are_not_trusted_have_no_word(language):
    """They do not take what people write, or anything."""
    assert left("a ‸\n", "= = (", language) == "= = ("


def test_a_long_statement_is_not_parsed(monkeypatch):
    """Nor is more than so much in all: an editor waits."""
    parses = []
    monkeypatch.setattr(grammar, "parses", lambda text, _: parses.append(len(text)))
    entries = "".join(f"    {number},\n" for number in range(20_000))
    assert left(f"x = [\n{entries}    ‸\n]\n", "= 1") == "= 1"
    assert parses == []
    short = "".join(f"    {number},\n" for number in range(2_000))
    assert left(f"x = [\n{short}    ‸\n]\n", "= 1\n= 2\n= 3") == "= 1\n= 2\n= 3"
    assert 0 < sum(parses) <= syntax.WORK


def test_what_takes_its_parser_long_is_not_told():
    """By a clock of its own; what is known of it until then counts."""
    prefix, suffix = FUNCTION.split(CURSOR)
    place = surroundings(prefix, suffix, "python")
    late = itertools.count()
    assert parsed("return = 1", 0, place, clock=lambda: next(late)) == ("return = 1", 0)
    later = itertools.chain(itertools.repeat(0, 6), itertools.repeat(1))
    assert parsed("return = 1\nx = = 2", 0, place, clock=lambda: next(later)) == ("", 0)


def test_of_a_long_statement_there_is_a_word():
    """What stands at the cursor is parsed again and again, and the rest once."""
    pytest.importorskip("tree_sitter_language_pack")
    case = "  it('is the same', () => {\n    expect(match('a')).toBe(true)\n  })\n"
    document = f"describe('all', () => {{\n{case * 300}  const found = match(‸)?.[1]\n{case * 300}}})\n"
    text = "/<b>(.*)</b>/)\n  other(1\n  other(2\n  other(3"
    assert left(document, text, "typescript") == ""
    assert left(document, "/a/", "typescript") == "/a/"


def test_a_callback_may_stand_in_a_texts_place():
    """`async () => {` behind letters that are no word of the language."""
    pytest.importorskip("tree_sitter_language_pack")
    assert left("it('works', as‸\n  f()\n})\n", " async () => {", "typescript") == ""
    assert left("it('works', as‸\n  f()\n})\n", "ync () => {", "typescript") == "ync () => {"


FILLED = [
    # What follows stands in a string that nothing has opened.
    (
        "rust",
        'fn f() {\n    ‸\n  text\n"#]];\n    g(a);\n}\n',
        'let a = x!["b"];\n    g(a);\n}',
        'let a = [[r#"',
    ),
    (
        "python",
        'class A:\n    def f‸\n        <a></a>\n""")\n        return x\n\n    def g(self):\n        pass\n',
        "(self) -> None:\n        pass",
        '(self):\n        x = y("""',
    ),
    (
        "python",
        'class A:\n    def f‸\n""")\n        return x\n\n    def g(self):\n        pass\n',
        "(self) -> None:\n        pass",
        '(self):\n        x = y("""',
    ),
    # What a type's own closes, words that letters begin, what stands beside it.
    ("typescript", "type A‸\n> & {\n  b: C\n}\n", "<\n  B,", "<B> = C<\n  B"),
    ("rust", "fn f() {\n    a(\n        arg!(<MO‸\n            .help(b),\n    )\n}\n", "DE>]", "DE>)"),
    ("javascript", "import util‸;\n", " from from 'x'", " from 'x'"),
    (
        "typescript",
        "export default {\n  a: {\n    b: 1,\n  },\n  te‸\n    c: 2,\n  },\n}\n",
        "st = 1,",
        "st: {",
    ),
    ("rust", "pub(‸) enum A {\n    B,\n}\n", "x) struct C {}\npub(x", "crate"),
]


@pytest.mark.parametrize(("language", "document", "none", "code"), FILLED)
def test_a_place_that_can_be_filled_is_known_for_one(language, document, none, code):
    """By what opens what follows, by what stands beside it, by words that letters begin: what does not fit is held back."""
    pytest.importorskip("tree_sitter_language_pack")
    assert left(document, code, language) == code
    assert left(document, none, language) == ""


CODE = ["x", " = ", "1", "(", ")", "{", "}", "\n", '"', "func f() {}\n", "if a {\n}\n", "é", "//", ";", ","]


@given(
    *(st.lists(st.sampled_from(CODE), max_size=12).map("".join) for _ in range(2)),
    st.lists(
        st.tuples(st.lists(st.sampled_from(CODE), max_size=6).map("".join), st.integers(0, 3)), max_size=6
    ),
    st.sampled_from(["go", "typescript", "rust"]),
)
@settings(max_examples=200, deadline=None)
def test_what_is_parsed_again_is_parsed_as_ever(before, after, tries, language):
    """One text after another at a place comes to what each alone does."""
    pytest.importorskip("tree_sitter_language_pack")
    around = grammar.Around(before, after, language)
    for text, covers in tries:
        assert around.takes(text, covers) == grammar.parses(before + text + after[covers:], language)


@given(st.text(max_size=60), st.text(max_size=30), st.text(max_size=60), st.sampled_from(["python", "go"]))
@settings(max_examples=60, deadline=None)
def test_it_is_a_beginning_of_the_text(prefix, text, suffix, language):
    """Whatever stands around it."""
    for multiline in (True, False):
        place = surroundings(prefix, suffix, language)
        found, covers = parsed(text, 0, place, multiline=multiline)
        assert text.startswith(found)
        assert covers == 0
