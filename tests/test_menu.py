"""One menu entry, as each editor inserts it whole."""

from fim_lsp.menu import Client, entry

NEOVIM = Client("Neovim", snippets=True)
HELIX = Client("helix", snippets=True)


def expanded(made, line):
    """What Neovim makes of a snippet: unescaped, and every further line behind the line's own indentation."""
    indent = line[: len(line) - len(line.lstrip())]
    text = made.new_text.replace("\n", "\n" + indent)
    for sign in "$}\\":
        text = text.replace("\\" + sign, sign)
    return line[: made.start] + text


def test_an_entry_replaces_the_word_it_completes():
    """It is filtered by the word that stands there, and its label is one line."""
    made = entry(HELIX, "    pri", 7, "nt(x)\n    done()")
    assert (made.start, made.filter_text, made.label, made.lines) == (4, "pri", "print(x)", 2)
    assert made.new_text == made.text == "print(x)\n    done()"
    assert not made.snippet


def test_an_entry_without_a_word_is_filtered_by_its_own_first_line():
    """No entry has an empty filter: editors drop those."""
    assert entry(HELIX, "x = ", 4, "call()\n").filter_text == "call()"
    assert entry(HELIX, "", 0, "\n").filter_text == "\n"


def test_neovim_expands_further_lines_as_they_are():
    """Signs of the snippet syntax, and indentation, come out as the text has them."""
    line = "    sh"
    made = entry(NEOVIM, line, 6, "ow('${x}\\n')\n    return $1\n        {}")
    assert made.snippet
    assert made.text == "show('${x}\\n')\n    return $1\n        {}"
    assert expanded(made, line) == "    " + made.text


def test_neovim_gets_no_line_that_a_snippet_cannot_say():
    """A line with less indentation than the cursor's ends the entry, a blank one too."""
    made = entry(NEOVIM, "        a", 9, "()\n        b()\n    c()")
    assert made.text == "a()\n        b()"
    assert entry(NEOVIM, "  a", 3, "()\n\n  b()").text == "a()"


def test_neovim_without_snippets_gets_one_line():
    """0.10 would put the line end into the line itself."""
    made = entry(Client("Neovim"), "x = ", 4, "f(\r\n    y)\r\n")
    assert (made.new_text, made.snippet) == ("f(", False)


def test_one_line_is_plain_text_everywhere():
    """Nothing needs to be escaped then."""
    made = entry(NEOVIM, "x = ", 4, "'${y}'")
    assert (made.new_text, made.snippet) == ("'${y}'", False)
