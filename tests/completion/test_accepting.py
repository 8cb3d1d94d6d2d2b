"""A text taken in parts: what is left is offered without a request, and the sum is the whole."""

import re

import pytest
from world import World

from fim_lsp.text.document import Document, Place

URI = "file:///a"
CURSOR = "‸"
TAKEN = [
    ("python", "def f(a, b):\n    ‸\n", "total = a + b\n    return total"),
    ("python", "# ‸\n", "计算两个数的和，并返回结果"),
    ("plaintext", "今日は‸\n", "とても良い天気ですね。散歩に行きましょう。"),
    ("plaintext", "เรา‸\n", "ไปกินข้าวกันเถอะ"),
    ("javascript", "const a = ‸;\n", "list.map((x) => x.name).join(', ')"),
    ("go", "func main() {\n\t‸\n}\n", 'for i := range 3 {\n\t\tfmt.Println(i, "ü👍🏽é")\n\t}'),
    ("html", "<ul>\n  ‸\n</ul>\n", "<li>one</li>\n  <li>two</li>"),
    ("c", "int main(void)\r\n{\r\n    ‸\r\n}\r\n", 'puts("a");\r\n    return 0;'),
]
PARTS = {
    "a character": r"(?s)\r\n|.",
    "a word": r"(?s)\s*(?:\w+|[^\w\s]+|$)",
    "a line": r"(?s)[\r\n]*[^\r\n]*",
}


class Taking:
    """A document in an engine, of which a text that is offered is taken."""

    def __init__(self, world, language, marked):
        head, self.tail = marked.split(CURSOR)
        self.engine = world.engine
        self.document = Document(URI, language, 1, head + self.tail)
        self.engine.open(self.document)
        self.place = _place(head)

    async def offered(self):
        return await self.engine.complete(URI, self.place)

    def take(self, part, covers=0):
        end = Place(self.place.line, self.place.column + covers)
        self.engine.edited(URI, self.document.change(self.place, end, part))
        breaks = part.count("\n")
        column = len(part) - part.rfind("\n") - 1 if breaks else self.place.column + len(part)
        self.place = Place(self.place.line + breaks, column)


def _place(before):
    return Place(before.count("\n"), len(before) - before.rfind("\n") - 1)


@pytest.fixture
async def apart():
    """An engine with nothing open."""
    made = World()
    yield made
    await made.engine.aclose()


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize(("language", "document", "text"), TAKEN, ids=lambda value: value[:12])
async def test_part_by_part(apart, language, document, text, part):
    """One request; each part is an insertion at the cursor, and nothing of the text is lost or comes twice."""
    apart.service.says = text + "\n"
    taking = Taking(apart, language, document)
    rest = text
    while rest:
        offers = await taking.offered()
        assert [tuple(offer) for offer in offers] == [(rest, 0)]
        assert len(apart.service.requests) == 1
        piece = re.match(part, rest)[0]
        taking.take(piece)
        rest = rest[len(piece) :]
    assert taking.document.text == document.replace(CURSOR, text)


AGAIN = [
    ("python", "def f(a, b):‸", "\n    total = a + b\n    return total"),
    ("go", "package a\n\nfunc f() int {‸\n}", "\n\ta := 1\n\treturn a"),
    ("javascript", "function f() {‸\n}\n", "\n  const a = load();\n  return a.b;"),
    ("ruby", "def f(xs)‸\nend\n", "\n  xs.each do |x|\n    puts x\n  end"),
]


@pytest.mark.parametrize(("language", "document", "text"), AGAIN, ids=lambda value: value[:12])
@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n\n\n"])
async def test_what_was_just_taken_is_not_offered_again(apart, language, document, text, gap):
    """A model that says the same block once more says nothing."""
    apart.service.says = text + "\n"
    taking = Taking(apart, language, document)
    (offer,) = await taking.offered()
    assert offer.text == text
    taking.take(text)
    whole = taking.document.text
    apart.service.says = gap + whole.strip() + "\n"
    assert await taking.offered() == ()
    apart.service.says = text + "\n"
    apart.engine.clear()
    assert await taking.offered() == ()
    assert len(apart.service.requests) >= 2
