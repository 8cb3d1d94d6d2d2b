"""Definitions are found where a language has them, and nowhere else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outlines import LANGUAGES, SAMPLES, TABLE

from fim_lsp.context import outline as module
from fim_lsp.context.outline import Definition, known, outline


def shown(text, language):
    return [
        f"{found.name} | {found.signature}" for found in outline(text.splitlines(keepends=True), language)
    ]


@pytest.mark.parametrize("language", SAMPLES)
def test_a_file_of_each_language(language):
    """Every definition of a file is found with its signature, in order, and nothing else."""
    text, expected = SAMPLES[language]
    assert shown(text, language) == expected.strip("\n").split("\n")


@pytest.mark.parametrize("language", SAMPLES)
def test_the_line_is_that_of_the_name(language):
    """A definition's line is the one on which its name stands."""
    lines = SAMPLES[language][0].splitlines(keepends=True)
    found = outline(lines, language)
    assert found
    for definition in found:
        assert definition.name in lines[definition.line]
    assert [definition.line for definition in found] == sorted(definition.line for definition in found)


@pytest.mark.parametrize("language", SAMPLES)
def test_line_ends_and_tabs_change_nothing(language):
    """Carriage returns, a byte order mark and tabs for every four columns give the same outline."""
    text, expected = SAMPLES[language]
    wide = 2 if re.search(r"^  \S", text, re.MULTILINE) else 4
    tabbed = re.sub(
        rf"^(?: {{{wide}}})+", lambda blank: "\t" * (len(blank[0]) // wide), text, flags=re.MULTILINE
    )
    names = [line.split(" | ")[0] for line in expected.strip("\n").split("\n")]
    marked = "\ufeff" + text.lstrip("\n").replace("\n", "\r\n")
    assert [found.name for found in outline(tabbed.splitlines(keepends=True), language)] == names
    assert [found.name for found in outline(marked.splitlines(keepends=True), language)] == names


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "class A:\n\tx: int\n\tclass B:\n\t\ty: int\n\t\tclass C:\n\t\t\tz = 1\n",
         ["class A", "    x: int", "    class B", "        y: int", "        class C", "        z"]),
        ("python", "def f(a,  b = 'x  y', # why\n      c): pass\n", ["def f(a, b = ..., c)"]),
        ("python", "def f(\n" + "".join(f"    a{i},\n" for i in range(9)) + "):\n    x = 1\ny = 2\n",
         ["def f(a0, a1, a2, a3, a4", "y"]),
        ("python", f"def f({'y' * 200}): pass\n", [f"def f({'y' * 154}"]),
        ("python", f"x = '{'y' * 1000}'\ndef f(): pass\n", ["def f()"]),
        ("python", "def f(:\n\ndef g(a): pass\n", ["def f(:", "def g(a)"]),
        ("python", "x: dict[str, int] = {\n    'a': 1,\n}\n", ["x: dict[str, int]"]),
        ("typescript", "type A<\n  T,\n  U = {},\n> = T | U;\n", ["type A<T, U = {}> = T | U"]),
        ("typescript", "type A<\n  T,\n> = {\n  a: T;\n  b?(\n    c: T,\n  ): void;\n};\n",
         ["type A<T>", "  a: T", "  b?(c: T): void"]),
        ("kotlin", "class A\nprivate constructor(\n    val a: Int,\n) {\n    fun b() = 1\n}\n",
         ["class A private constructor", "    val a: Int", "    fun b()"]),
        ("typescript", "export function f({ a }: { a: X }): { b: Y } {\n", ["export function f({ a }: { a: X }): { b: Y }"]),
        ("c", "struct a {\n#ifdef B\n    int b;\n#endif\n    int c;\n};\n", ["struct a", "    int b", "    int c"]),
        ("cpp", "class A {\n  int a_;\npublic:\n  void b();\n};\n", ["class A", "  int a_", "  void b()"]),
        ("c", "static char *\nname(int a)\n{\n", ["static char * name(int a)"]),
        ("typescriptreact", "const A = () => {\n  const b = 1;\n  return <p>if (x) {'{'}</p>;\n};\n", ["const A = ()"]),
        ("rust", 'fn f() {\n    g("\nfn h() {}\n");\n}\nfn r#type(x: u8) {}\n', ["fn f()", "fn r#type(x: u8)"]),
    ],
)  # fmt: skip
def test_signatures(language, text, expected):
    """A signature is one line: joined, without comment and body, its indentation kept to eight spaces, cut at 160."""
    assert [found.signature for found in outline(text.splitlines(keepends=True), language)] == expected


def test_two_thousand_and_no_more():
    """A file of definitions is listed up to a limit."""
    found = outline([f"def f{i}(): pass\n" for i in range(3000)], "python")
    assert found[-1] == Definition("f1999", 1999, "def f1999()")
    assert len(found) == 2000


@pytest.mark.parametrize("language", ["plaintext", "", "klingon", "markdown", "json"])
def test_a_language_without_rules(language):
    """A language that the table does not know has no definitions, and is no error."""
    assert outline(["def f():\n"], language) == []
    assert not known(language)


def test_names_of_languages_know_no_case():
    """A languageId is known however it is written."""
    assert known("Python")
    assert outline(["def f():\n"], "PYTHON") == [Definition("f", 0, "def f()")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_is_sound(language):
    """Each rule captures its name alone, and what it says holds the lines below is known to some rule."""
    tongue = module._tongue(language)
    for rules in filter(None, tongue.rules.values()):
        assert rules.pattern.groups == len(rules.rules)
    opened = {rule.opens for rules in filter(None, tongue.rules.values()) for rule in rules.rules}
    assert opened <= {*tongue.rules, ""}


PIECES = sorted({piece for text, _ in SAMPLES.values() for piece in re.findall(r"\w+|\s+|[^\w\s]+", text)})


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(st.characters(exclude_categories=()), max_size=300),
        st.lists(st.sampled_from(PIECES), max_size=120).map("".join),
    ),
    st.sampled_from(LANGUAGES),
)
def test_any_text_will_do(text, language):
    """Whatever a file holds, lone surrogates and NULs too, each definition is one short line of a line that is there."""
    lines = text.splitlines(keepends=True)
    for name, line, signature in outline(lines, language):
        assert name
        assert 0 <= line < len(lines)
        assert 0 < len(signature) <= 160
        assert "\n" not in signature


@pytest.mark.parametrize("language", sorted({row["ids"][0] for row in TABLE["language"] if "rule" in row}))
def test_text_made_to_backtrack(language):
    """What a pattern could match in many ways is given up on soon, were it a megabyte: a wrong pattern never ends here."""
    units = [
        "a ",
        "a<",
        "<a>a",
        "a::",
        "((",
        '\\"',
        "@a ",
        "/[",
        "a.",
        "*",
        "public ",
        "<<~A\n",
        "/*\n",
        "} x;\n",
        "f(\n",
    ]
    for unit in units:
        line = unit * (990 // len(unit))
        lines = [f"{line}\n", f"class A {{ {line}\n", f"    {line}\n", f"    a {line}"]
        assert len(outline(lines, language)) <= 2_000
    assert outline(["x" * 1_000_000], language) == []
    assert len(outline(["<<~A\n", "/*\n", '"""\n', "f(\n", "}\n"] * 2_000, language)) <= 2_000
