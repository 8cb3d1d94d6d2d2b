"""What the model is shown: live text around the cursor, the same bytes before it, all within bounds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.context.project_context import Entry, Map, ProjectContext
from fim_lsp.context.window import Window
from fim_lsp.text.document import Document, Place

P, S = 6000, 400
PATH = "pkg/mod.py"


def source(lines, end="\n"):
    """A file of so many lines, each different, of 6 to 60 characters."""
    return "".join(f"{n:05d}{' word' * (n * 7 % 11)}{end}" for n in range(lines))


def opened(text):
    """A document of this text."""
    return Document("file:///mod.py", "python", 1, text)


def offset(document, place):
    """Characters before a place."""
    return sum(map(len, document.lines[: place.line])) + place.column


def place_at(document, share):
    """A place at a share of the file's characters, never inside a line end."""
    left = int(share * sum(map(len, document.lines)))
    for number, line in enumerate(document.lines):
        if left < len(line):
            return Place(number, min(left, len(line.rstrip("\r\n"))))
        left -= len(line)
    return Place(len(document.lines) - 1, len(document.lines[-1]))


def ask(window, document, place):
    """A prompt, with every promise checked that holds for each of them."""
    prompt = window.prompt(document.lines, place, PATH)
    text = document.text
    before, after = text[: offset(document, place)], text[offset(document, place) :]
    assert prompt.prefix.endswith(before[-Window.LIVE :])
    assert len(prompt.prefix) <= P
    assert after.startswith(prompt.suffix)
    assert len(prompt.suffix) <= S
    assert len(prompt.suffix) >= min(len(after), S * Window.SUFFIX) - 2
    return prompt.prefix, prompt.suffix


def typed(window, document, place, text):
    """Insert a text at a place; the place behind it."""
    window.edited(document.change(place, place, text))
    rest = text.split("\n")
    return Place(place.line + len(rest) - 1, len(rest[-1]) + (0 if len(rest) > 1 else place.column))


KEYS = st.lists(st.text("ab(\n ", min_size=1, max_size=60), min_size=2, max_size=40)


@given(st.integers(0, 600), st.floats(0, 1), KEYS, st.sampled_from(["\n", "\r\n"]))
def test_typing_at_one_place_keeps_what_stands_before_the_line(lines, share, keys, end):
    """Two prompts share all before the cursor's line, except where the window moved; and that is counted."""
    document, window = opened(source(lines, end)), Window(P, S)
    place = place_at(document, share)
    shown = [(ask(window, document, place)[0], place, window.moves)]
    for key in keys:
        place = typed(window, document, place, key)
        shown.append((ask(window, document, place)[0], place, window.moves))
    for (old, at, before), (new, _, after) in pairwise(shown):
        if before == after:
            assert new.startswith(old[: len(old) - at.column])
    assert window.moves <= 2 + sum(map(len, keys)) / (P / 8)


def test_a_long_stay_moves_the_window_seldom():
    """Four thousand lines typed in a row move the start once in a whole window, never at each line."""
    document, window = opened(source(300)), Window(P, S)
    place, moves = Place(150, 0), []
    for number in range(1000):
        place = typed(window, document, place, f"line {number}\n")
        ask(window, document, place)
        moves.append(window.moves)
    assert moves[-1] <= 1 + 11_000 / (P / 4)


EVENT = st.one_of(
    st.tuples(st.just("go"), st.floats(0, 1)),
    st.tuples(st.just("type"), st.text("ab(\n ", min_size=1, max_size=30)),
    st.tuples(st.just("cut"), st.floats(0, 1), st.integers(1, 900)),
    st.tuples(st.just("paste"), st.floats(0, 1), st.integers(1, 80)),
    st.tuples(st.just("all"), st.integers(0, 300)),
    st.tuples(st.just("reopen"), st.integers(0, 300)),
    st.tuples(st.just("news"), st.integers(1, 200)),
)


def told(size):
    """A project context with a map of so many characters; None for none."""
    if size is None:
        return None
    project_context = ProjectContext(1500)
    project_context.offer(Map("m" * size, ("m.py",)))
    return project_context


def session(lines, events, project_context, end="\n", long=False):
    """Prompts of a session of edits and jumps, each with its promises checked."""
    text = source(lines, end) + ("x = " + "1234, " * 3000 if long else "")
    document, window = opened(text), Window(P, S, project_context, "a")
    place, out = place_at(document, 0.5), []
    for kind, *what in events:
        if kind == "go":
            place = place_at(document, what[0])
        elif kind == "type":
            place = typed(window, document, place, what[0])
        elif kind == "cut":
            a = place_at(document, what[0])
            b = place_at(document, min(1, what[0] + what[1] / max(1, len(document.text))))
            window.edited(document.change(a, b, ""))
            place = place_at(document, what[0])
        elif kind == "paste":
            window.edited(document.change(*[place_at(document, what[0])] * 2, source(what[1], end)))
        elif kind == "news" and project_context:
            project_context.add(Entry("b", "b.py", "".join(f"# b.py\nnews {n}\n" for n in range(what[0]))))
        elif kind == "news":
            continue
        elif kind == "all":
            window.edited(document.replace(source(what[0], end)))
        else:
            document = opened(document.text[what[0] :])
            window.reopened(document.lines)
        place = min(place, place_at(document, 1))
        place = Place(place.line, min(place.column, len(document.lines[place.line].rstrip("\r\n"))))
        out.append(ask(window, document, place))
    return out


@given(
    st.integers(0, 500),
    st.lists(EVENT, max_size=25),
    st.sampled_from([None, 0, 700, 4000]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_whatever_happens_the_text_at_the_cursor_is_live_and_the_bounds_hold(lines, events, size, end, long):
    """Jumps, edits above and below, news, a new text, a closed and reopened file, one very long line: live, bounded,
    repeatable."""
    assert session(lines, events, told(size), end, long) == session(lines, events, told(size), end, long)


@pytest.mark.parametrize("bound", [200, 500, 2000, 48_000])
def test_every_bound_holds(bound):
    """The smallest window that can be set is a window too."""
    document, window = opened(source(2000)), Window(bound, bound // 4)
    for share in (0, 0.1, 0.5, 0.52, 0.1, 1):
        prompt = window.prompt(document.lines, place_at(document, share), PATH)
        assert len(prompt.prefix) <= bound
        assert len(prompt.suffix) <= bound // 4


def test_a_small_file_is_shown_from_its_first_line():
    """In a short file the model sees all that stands before the cursor, once."""
    document, window = opened(source(40)), Window(P, S)
    prefix, _ = ask(window, document, Place(30, 0))
    assert prefix == f"# {PATH}\n" + "".join(document.lines[:30])


def test_far_down_the_first_lines_still_show():
    """The file's first lines stand before the lines around the cursor."""
    document, window = opened(source(900)), Window(48_000, S)
    prefix = window.prompt(document.lines, Place(800, 3), PATH).prefix
    assert prefix.startswith(f"# {PATH}\n" + "".join(document.lines[:10]))
    assert document.lines[700] not in prefix


def test_a_new_place_goes_on_from_what_was_shown():
    """A jump changes nothing of what was sent: the new lines stand behind it."""
    document, window = opened(source(2000)), Window(48_000, S)
    first = window.prompt(document.lines, Place(500, 0), PATH).prefix
    second = window.prompt(document.lines, Place(1500, 0), PATH).prefix
    assert second.startswith(first)
    assert window.moves == 2


def test_back_at_a_place_its_bytes_are_sent_again():
    """Coming back to lines that have not changed sends what was sent there, and no line twice."""
    document, window = opened(source(2000)), Window(48_000, S)
    first = window.prompt(document.lines, Place(500, 0), PATH).prefix
    window.prompt(document.lines, Place(1500, 0), PATH)
    assert window.prompt(document.lines, Place(500, 0), PATH).prefix == first


def test_an_edit_far_above_changes_no_byte_sent():
    """A line put in at the top, while the cursor stays, leaves the prompt as it is."""
    document, window = opened(source(2000)), Window(48_000, S)
    first = window.prompt(document.lines, Place(1500, 4), PATH)
    window.edited(document.change(Place(3, 0), Place(3, 0), "import this\n"))
    assert window.prompt(document.lines, Place(1501, 4), PATH) == first
    assert window.moves == 1


def test_a_long_passage_is_live_in_its_lower_half_only():
    """Text over a few thousand characters above the cursor may be older; what is nearer is as it is now."""
    document, window = opened(source(2000)), Window(48_000, S)
    place = Place(500, 0)
    for _ in range(60):
        window.prompt(document.lines, place, PATH)
        place = typed(window, document, place, "some = words(that, fill, a, line)\n" * 8)
    window.prompt(document.lines, place, PATH)
    old = window.prompt(document.lines, place, PATH).prefix
    far, near = Place(510, 0), Place(place.line - 20, 0)
    window.edited(document.change(far, far, "FAR "))
    assert window.prompt(document.lines, place, PATH).prefix == old
    window.edited(document.change(near, near, "NEAR "))
    assert "NEAR " in window.prompt(document.lines, place, PATH).prefix


def test_another_file_opens_with_the_map_and_the_log():
    """What was edited in one file stands in the next one's prompts; in its own, not one byte before it changes."""
    project_context = ProjectContext(4000)
    project_context.offer(Map("# lib.py\ndef helper(a, b)\n", ("lib.py",)))
    one, two = opened(source(900)), opened(source(50))
    first, second = Window(48_000, S, project_context, "a"), Window(48_000, S, project_context, "b")
    first.prompt(one.lines, Place(800, 0), "a.py")
    place = typed(first, one, Place(800, 0), "def made_up(x):\n    return helper(x)\n")
    a = first.prompt(one.lines, place, "a.py").prefix
    first.left(one.lines, "a.py")
    b = second.prompt(two.lines, Place(20, 0), "b.go").prefix
    assert b.startswith(
        "# lib.py\ndef helper(a, b)\n# a.py\ndef made_up(x):\n    return helper(x)\n// b.go\n"
    )
    assert first.prompt(one.lines, place, "a.py").prefix == a


def test_a_new_place_is_told_the_news():
    """What was edited elsewhere comes at the next new place, behind what was shown; nothing is told twice."""
    project_context = ProjectContext(4000)
    document, window = opened(source(2000)), Window(48_000, S, project_context, "a")
    first = window.prompt(document.lines, Place(500, 0), "a.py").prefix
    project_context.add(Entry("b", "b.py", "# b.py\nnews = 1\n"))
    assert window.prompt(document.lines, Place(500, 0), "a.py").prefix == first
    second = window.prompt(document.lines, Place(1500, 0), "a.py").prefix
    assert second.startswith(first)
    third = window.prompt(document.lines, Place(1000, 0), "a.py").prefix
    assert second[len(first) :].startswith("# b.py\nnews = 1\n# a.py\n")
    assert third.startswith(second)
    assert third.count("news = 1") == 1
    assert window.openings == 1


def test_what_the_window_has_cut_off_comes_back_through_the_log():
    """Edits of a file itself are in what its prompts open with, when they open anew."""
    project_context = ProjectContext(4000)
    document, window = opened(source(3000)), Window(20_000, S, project_context, "a")
    place = typed(window, document, Place(10, 0), "def cut_off(x): ...\n")
    for line in range(200, 3000, 200):
        prompt = window.prompt(document.lines, Place(line, 0), "a.py").prefix
    assert window.openings > 1
    assert prompt.startswith("# a.py\ndef cut_off(x): ...\n")
    assert place == (11, 0)


def test_a_formatter_writes_no_news():
    """What nobody typed, and what is replaced by the dozen, is not logged; what was typed before it still is."""
    project_context = ProjectContext(4000)
    document, window = opened(source(100)), Window(48_000, S, project_context, "a")
    typed(window, document, Place(50, 0), "kept_name = 1\n")
    window.edited(document.change(Place(0, 0), Place(40, 0), source(40).upper()))
    window.edited(document.change(Place(80, 0), Place(80, 0), "  "), typed=False)
    window.left(document.lines, "a.py")
    assert project_context.opening().log == "# a.py\nkept_name = 1\n"


def test_without_a_story_nothing_of_another_file_is_shown():
    """Files are kept apart unless they share a project context."""
    one, two = opened("secret = 1\n"), opened("x = \n")
    apart = Window(P, S)
    place = typed(apart, one, Place(1, 0), "more_secret = 2\n")
    apart.prompt(one.lines, place, "a.py")
    apart.left(one.lines, "a.py")
    assert (
        "secret" not in Window(P, S, ProjectContext(4000), "b").prompt(two.lines, Place(0, 4), "b.py").prefix
    )


def test_a_closed_file_is_taken_up_again():
    """Reopened as it was, a file is shown with the bytes it was shown with."""
    document, window = opened(source(900)), Window(48_000, S)
    window.prompt(document.lines, Place(200, 0), PATH)
    shown = window.prompt(document.lines, Place(800, 0), PATH)
    again = opened(document.text)
    window.reopened(again.lines)
    assert window.prompt(again.lines, Place(800, 0), PATH) == shown


def test_a_line_of_a_megabyte_is_cut_at_a_place_that_stays():
    """Typing within one endless line moves the start as seldom as anywhere."""
    document, window = opened("x = [" + "1234567, " * 120_000), Window(48_000, S)
    place, old = Place(0, 500_000), ""
    for _ in range(300):
        place = typed(window, document, place, "7")
        prompt = window.prompt(document.lines, place, PATH)
        assert prompt.prefix.startswith(old)
        assert len(prompt.suffix) == S * Window.SUFFIX
        old = prompt.prefix
    window.edited(document.change(Place(0, 10), Place(0, 10), "8, "))
    assert window.prompt(document.lines, Place(0, place.column + 3), PATH).prefix == old
    assert window.moves == 1


def test_the_suffix_ends_with_a_line():
    """At least five eighths of the bound, then on to the line's end."""
    document, window = opened(source(900)), Window(P, S)
    _, suffix = ask(window, document, Place(400, 5))
    assert suffix.endswith("\n")
    assert 250 <= len(suffix) <= S


def test_at_the_end_of_the_file_there_is_no_suffix():
    """Nothing after the cursor: an empty suffix."""
    document, window = opened(source(30)), Window(P, S)
    assert ask(window, document, Place(30, 0))[1] == ""


def test_carriage_returns_stay():
    r"""A file with \r\n is shown with \r\n."""
    document, window = opened(source(300, "\r\n")), Window(P, S)
    prefix, suffix = ask(window, document, Place(200, 0))
    assert prefix.count("\r\n") == prefix.count("\n") - 1  # the line that names the file
    assert suffix.count("\r\n") == suffix.count("\n")


def test_the_parts_of_a_prompt_add_up():
    """What `explain` shows: the characters of each part, and the live lines."""
    document, window = opened(source(900)), Window(48_000, S, told(600), "a")
    window.prompt(document.lines, Place(200, 0), PATH)
    prompt = window.prompt(document.lines, Place(800, 2), PATH)
    opening, before, live, first, last = window.parts
    assert (opening.map, opening.mapped, opening.log, last) == ("m" * 600, ("m.py",), "", 800)
    assert 600 + before + live == len(prompt.prefix)
    assert prompt.prefix.endswith("".join(document.lines[first:last]) + document.lines[800][:2])


@pytest.mark.parametrize(
    ("path", "language", "line"),
    [
        ("a.py", "", "# a.py\n"), ("a.lua", "", "-- a.lua\n"), ("a.ts", "", "// a.ts\n"), ("a\nb.py", "", ""),
        ("a.py", "plaintext", "# a.py\n"), ("Untitled-1", "python", "# Untitled-1\n"), ("x.zsh", "shellscript", "# x.zsh\n"),
        ("notes.txt", "plaintext", "notes.txt\n"), ("notes.txt", "text", "notes.txt\n"), ("noext", "", "// noext\n"),
        ("x.unknown", "unknown", "// x.unknown\n"), ("a.md", "markdown", "a.md\n"), ("a.rst", "rst", "a.rst\n"),
        ("a.tex", "plaintex", "% a.tex\n"), ("mutt-1-2", "mail", "mutt-1-2\n"), ("a.ipynb", "markdown", "# a.ipynb\n"),
    ],
)  # fmt: skip
def test_the_file_is_named_in_a_comment_of_its_language(path, language, line):
    """A name that would break the line is left out; plain text has no comments, and names its file without a sign."""
    document, window = opened("x = \n"), Window(P, S, language=language)
    assert window.prompt(document.lines, Place(0, 4), path).prefix == line + "x = "
