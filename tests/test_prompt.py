"""What the model is shown: live around the cursor, the same bytes before that, within bounds."""

from fim_lsp.document import Place

P, S = 6000, 400
LIVE = 2000  # what a window of this size promises to show as it is now


def place_of(document, offset):
    """The place of an offset in a document."""
    for number, line in enumerate(document.lines):
        if offset < len(line) or number == len(document.lines) - 1:
            return Place(number, min(offset, len(line)))
        offset -= len(line)
    raise AssertionError


def around(document, place):
    """The text before and after a place."""
    before = "".join(document.lines[: place.line]) + document.lines[place.line][: place.column]
    return before, document.text[len(before) :]


def source(lines, width=40):
    """A file of so many different lines."""
    return "".join(f"{n:05d} {'word ' * (n * 7 % (width // 5))}\n" for n in range(lines))


def check(document, place, prompt, bound=P, after=S, live=LIVE):
    """Every promise that holds for one prompt."""
    before, rest = around(document, place)
    shown = before[-live:]
    if prompt.prefix[-len(shown) :] != shown if shown else False:
        raise AssertionError("stale text before the cursor")
    assert rest.startswith(prompt.suffix)
    assert len(prompt.prefix) <= bound
    assert len(prompt.suffix) <= after
    if len(rest) > len(prompt.suffix):
        assert len(prompt.suffix) >= after * 0.625 - 2
