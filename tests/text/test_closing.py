"""A text typed along in an editor that closes brackets, quotes and tags by itself: nothing is closed twice."""

import asyncio
import re
from contextlib import asynccontextmanager

import pytest
from world import Reply, Service, World

from fim_lsp.completion.answer_cache import AnswerCache, Offer, spot
from fim_lsp.text.document import Document, Place
from fim_lsp.text.extent import extent
from fim_lsp.text.postprocess import tidy
from fim_lsp.text.surroundings import surroundings

CURSOR = "‸"
URI = "file:///a"
PAIRS = {"(": ")", "[": "]", "{": "}", '"': '"', "'": "'", "`": "`"}
TAGGED = {"html", "typescriptreact"}
WAYS = ["one edit", "two edits", "a snippet"]


class Editor:
    """A document and a cursor; closers are added, typed over and pushed down as VS Code does it."""

    def __init__(self, language, marked, way="one edit", told=lambda _: None):
        head, tail = marked.split(CURSOR)
        self.document = Document(URI, language, 1, head + tail)
        self.place = _place(head)
        self.closes = True
        self._way, self._told = way, told
        self._auto = ""  # closers of ours right of the cursor

    @property
    def text(self):
        return self.document.text

    @property
    def marked(self):
        lines = self.document.lines
        before = "".join(lines[: self.place.line]) + lines[self.place.line][: self.place.column]
        return before + CURSOR + self.text[len(before) :]

    def edit(self, start, end, text, behind=0):
        """Replace a range; the cursor stands so many characters before the new text's end."""
        self._told(self.document.change(start, end, text))
        before = "".join(self.document.lines[: start.line]) + self.document.lines[start.line][: start.column]
        self.place = _place(before + text[: len(text) - behind])

    def type(self, keys):
        for key in keys:
            self._type(key)
        return self

    def _type(self, key):
        before = self.marked.split(CURSOR)[0]
        line = before[before.rfind("\n") + 1 :]
        if self._auto.startswith(key):
            self._auto = self._auto[1:]
            self.place = Place(self.place.line, self.place.column + 1)
            return
        closer = PAIRS.get(key, "") if self.closes else ""
        if key in "\"'`" and (line.count(key) % 2 or line[-1:].isalnum() or line[-1:] in set("&<")):
            closer = ""
        if key == '"' and line.endswith('""') and self._auto != '"':
            closer = '"""'
        tag = re.search(r"<(\w+)(?:[^<>/\"]|\"[^\"]*\"|=>)*$", line)
        if key == ">" and self.closes and self.document.language in TAGGED and tag:
            self._insert(key)
            self._insert(f"</{tag[1]}>", len(tag[1]) + 3)
        elif key == "\n":
            lead = re.match(r"[ \t]*", line)[0]
            if self._auto and line[-1:] in set("([{>"):
                unit = "\t" if self.document.language == "go" else "    "
                self._insert("\n" + lead + unit + "\n" + lead, len(lead) + 1)
                self._auto = ""
            else:
                self._insert("\n" + lead)
        elif closer and self._way == "two edits":
            self._insert(key)
            self._insert(closer, len(closer))
        elif closer and self._way == "a snippet":
            word = re.search(r"\w*$", line)[0]
            start = Place(self.place.line, self.place.column - len(word))
            self.edit(start, self.place, word + key + closer, len(closer))
        else:
            self._insert(key + closer, len(closer))
        self._auto = closer + self._auto

    def _insert(self, text, behind=0):
        self.edit(self.place, self.place, text, behind)

    def accept(self, offer, *, shown=True):
        """Put an offer in, as it is meant; VS Code shows it only if it holds what it replaces."""
        replaced = self.document.lines[self.place.line][self.place.column :][: offer.covers]
        assert len(replaced) == offer.covers
        assert "\n" not in replaced
        said = iter(offer.text)
        assert not shown or all(sign in said for sign in replaced), (offer, replaced)
        self.edit(self.place, Place(self.place.line, self.place.column + offer.covers), offer.text)
        return self


def _place(before):
    return Place(before.count("\n"), len(before) - before.rfind("\n") - 1)


# Language, document, what the model says there, the keys typed, the document after accepting what is left.
# "=": as if nothing had been closed by itself.
CASES = [
    ("javascript", "console.log‸\n", "(total);", "(", "="),
    ("javascript", "console.lo‸\n", "g(total);", "g(", "="),
    ("javascript", "console.log‸\n", "(total);", "(total", "="),
    ("javascript", "console.log‸\n", "(total);", "(total)", "="),
    ("python", "x = ‸\n", "area(a, b) + 1", "area(", "="),
    ("python", "x = ‸\n", "area(a, b) + 1", "area(a, ", "="),
    ("python", "x = area‸\n", "(a, b) + 1", "(", "="),
    ("typescript", "const names = list‸;\n", ".map((x) => x.name).join(', ')", ".map(", "="),
    ("typescript", "const names = list‸;\n", ".map((x) => x.name).join(', ')", ".map((", "="),
    ("typescript", "const names = list‸;\n", ".map((x) => x.name).join(', ')", ".map((x) => x.name).join('", "="),
    ("python", "name, n = ‸\n", '"ada lovelace", 1', '"', "="),
    ("python", "name, n = ‸\n", '"ada lovelace", 1', '"ada', "="),
    ("python", "tail = first‸\n", "[len(head) :] or None", "[", "="),
    ("python", "tail = first‸\n", "[len(head) :] or None", "[len(", "="),
    ("go", "func Sum‸\n", "(a, b int) int {\n\treturn a + b\n}", "(", "="),
    ("go", "func Sum‸\n", "(a, b int) int {\n\treturn a + b\n}", "(a, b int) int {", "="),
    ("go", "func Sum‸\n", "(a, b int) int {\n\treturn a + b\n}", "(a, b int) int {\n", "="),
    ("python", "d = ‸\n", "{'a': 1, 'b': [2, 3]}", "{", "="),
    ("python", "d = ‸\n", "{'a': 1, 'b': [2, 3]}", "{'", "="),
    ("python", "d = ‸\n", "{'a': 1, 'b': [2, 3]} | rest", "{'a': 1, 'b': [", "="),
    ("typescript", "const m = new Map‸\n", "<string, number>();", "<string, number>(", "="),
    ("rust", "let v = vec!‸\n", "[1, 2, 3].iter().sum::<i32>();", "[", "="),
    ("rust", "fn first‸\n", "<'a>(s: &'a str) -> &'a str {", "<'a>(", "="),
    ("rust", "let c = f‸;\n", "(')', x)", "(", "="),
    ("markdown", "See ‸\n", "[the guide](docs/guide.md) for more.", "[", "="),
    ("markdown", "See ‸\n", "[the guide](docs/guide.md) for more.", "[the guide](", "="),
    ("markdown", "It's the ‸\n", "dog's (old) bowl, isn't it?", "dog's (", "="),
    ("javascript", "greet‸\n", "(`Hello ${user.name}, you are ${age}`);", "(`", "="),
    ("javascript", "greet‸\n", "(`Hello ${user.name}, you are ${age}`);", "(`Hello ${", "="),
    ("javascript", "greet‸\n", "(`Hello ${user.name}, you are ${age}`);", "(`Hello ${user.name}, you are ${", "="),
    ("javascript", "const s = ‸\n", '`${a["x"]} and ${b}` + c', '`${a["', "="),
    ("python", "print‸\n", '(")", x, "(")', "(", "="),
    ("python", "print‸\n", '(")", x, "(") or y', '("', "="),
    ("python", "print‸\n", "(f'{a[\"b\"]:>{n}}') or y", "(f'{", "="),
    ("python", "def f():\n    ‸\n", '"""Say hello (twice)."""\n    return 1', '"', "="),
    ("python", "def f():\n    ‸\n", '"""Say hello (twice)."""\n    return 1', '"""', "="),
    ("python", "def f():\n    ‸\n", '"""Say hello (twice), or not."""', '"""Say hello (', "="),
    ("html", "<body>\n  ‸\n</body>\n", '<a href="/home">Home</a> or <b>not</b>', '<a href="', "="),
    ("html", "<body>\n  ‸\n</body>\n", '<a href="/home">Home</a> or <b>not</b>', '<a href="/home">', "="),
    ("html", "<body>\n  ‸\n</body>\n", "<div>\n    <div>a</div>\n  </div>", "<div>", "="),
    ("html", "<body>\n  ‸\n</body>\n", "<ul><li>one</li><li>two</li></ul>", "<ul><li>", "="),
    ("typescriptreact", "return ‸;\n", "<Row key={row.id}><b>{row.name}</b></Row>", "<Row key={", "="),
    ("typescriptreact", "return ‸;\n", "<Row key={row.id}><b>{row.name}</b></Row>", "<Row key={row.id}>", "="),
    ("typescriptreact", "return ‸;\n", '<p title="a > b">{list.map((x) => x.name)}</p>', '<p title="', "="),
    ("c", "int n = ‸;\n", "sizeof(table) / sizeof(table[0])", "sizeof(", "="),
    ("c", "int n = ‸;\n", "sizeof(table) / sizeof(table[0])", "sizeof(table) / sizeof(table[", "="),
    ("java", "String s = ‸\n", 'names.get(0) + "(" + count + ")";', "names.get(", "="),
    ("csharp", "var x = ‸\n", 'items.Where(i => i.Ok("(")).ToList();', 'items.Where(i => i.Ok("', "="),
    ("php", "$x = ‸\n", "array_map(fn($y) => $y['id'], $rows);", "array_map(", "="),
    ("ruby", "puts ‸\n", "items.map { |i| i[:name] }.join(', ')", "items.map {", "="),
    ("shellscript", "echo ‸\n", '"$(date +%F) is ${DAY}" >> log', '"$(', "="),
    ("json", "{\n  ‸\n}\n", '"scripts": {"test": "vitest (run)"},', '"', "="),
    ("json", "{\n  ‸\n}\n", '"scripts": {"test": "vitest (run)"},', '"scripts": {"', "="),
    ("css", ".a {\n  width: ‸\n}\n", "calc(100% - var(--gap)) !important;", "calc(", "="),
    ("clojure", "(defn f ‸\n", "[x] (map inc x))", "[", "="),
    ("lua", "local t = ‸\n", '{ name = "a", sub = { 1, 2 } } -- done', "{", "="),
    ("sql", "SELECT ‸\n", "count(*), max(age) FROM people", "count(", "="),
    ("kotlin", "val s = ‸\n", '"${user.name} (${user.age})".trim()', '"${', "="),
    ("swift", "print‸\n", '("\\(name) is \\(age)", terminator: "")', '("\\(', "="),
    ("python", "# Reads ‸\n", "(or skips) the file :) as it comes", "(", "="),
    ("javascript", "f(‸)\n", "g(x) + 1, h(y)", "g(", "="),
    ("javascript", "f(a, ‸);\n", "[1, 2].concat(b)", "[", "="),
    # What the text leaves open stays closed.
    ("python", "x = ‸\n", "area(a, b", "area(", "x = area(a, b)\n"),
    ("python", "x = ‸\n", "foo([a, b]", "foo([", "x = foo([a, b])\n"),
    ("python", "x = ‸\n", 'say("hello", "you', 'say("hello", "', 'x = say("hello", "you")\n'),
    ("html", "<p>\n‸\n", "<div>one", "<div>", "<p>\n<div>one</div>\n"),
    ("javascript", "go‸\n", "(`a ${b} c", "(`a ${", "go(`a ${b} c`)\n"),
]  # fmt: skip


def _id(case):
    return f"{case[0]} {case[3]!r}"


def _wanted(case):
    _, document, said, _, wanted = case
    return document.replace(CURSOR, said) if wanted == "=" else wanted


def _spot(editor):
    lines, place, language = editor.document.lines, editor.place, editor.document.language
    before, after = editor.marked.split(CURSOR)
    return spot(URI, lines, place, language, surroundings(before, after, language).inside)


def _remembering(case, way):
    """An editor, and answers that know what the model says at its cursor."""
    language, document, said, _, _ = case
    editor = Editor(language, document, way)
    answers = AnswerCache(1000, 60, lambda: 0.0)
    answers.put(_spot(editor), [Offer(said)])
    return editor, answers


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=_id)
def test_from_memory(case, way):
    """Nothing stands twice, and nothing that was closed is open, whatever the change looked like."""
    editor, answers = _remembering(case, way)
    editor.type(case[3])
    found = answers.find(URI, editor.document.lines, editor.place)
    assert found, editor.marked
    assert editor.accept(found[0]).text == _wanted(case)


@pytest.mark.parametrize("case", [case for case in CASES if case[4] == "="], ids=_id)
def test_at_every_key(case):
    """The same after each key up to these, and after each of those that are left to type."""
    whole, keys = case[2], case[3]
    typed = ""
    for key in keys + ("" if "\n" in whole else whole[len(keys) :]):
        typed += key
        editor, answers = _remembering(case, "one edit")
        editor.type(typed)
        found = answers.find(URI, editor.document.lines, editor.place)
        if found:
            editor.accept(found[0], shown=False)
            assert editor.text == _wanted(case), typed
        else:
            assert editor.text == _wanted(case) or not whole[len(typed) :].strip("\"'`)]}>"), editor.marked


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_word_by_word(case):
    """Each word is followed by the next from memory, and their sum is the whole."""
    editor, answers = _remembering(case, "one edit")
    editor.type(case[3])
    editor.closes = False
    for _ in range(60):
        found = answers.find(URI, editor.document.lines, editor.place)
        if not found:
            break
        word = re.match(r"\s*(?:\w+|[^\w\s]+|$)", found[0].text)[0]
        if word == found[0].text:
            editor.accept(found[0], shown=False)
        else:
            editor.edit(editor.place, editor.place, word)
    assert editor.text == _wanted(case)


# As editors and plugins of all kinds leave the document: then, what the model said, now, after accepting.
LEFT = [
    ("python", "x = ‸\n", '"""a""" + b', 'x = """‸"\n', 'x = """a""" + b\n'),
    ("javascript", "const o = ‸\n", "{ a: 1 };", "const o = { ‸ }\n", "const o = { a: 1 };\n"),
    ("javascript", "‸\n", "/** Adds (all). */ x", "/**‸ */\n", "/** Adds (all). */ x\n"),
    ("html", "‸\n", "<!-- a (b --> c", "<!--‸-->\n", "<!-- a (b --> c\n"),
    ("jinja", "‸\n", "{% if (a) %}b", "{%‸%}\n", "{% if (a) %}b\n"),
    ("erb", "‸\n", "<%= a %> b", "<%=‸%>\n", "<%= a %> b\n"),
    ("latex", "Let ‸\n", "$x > 0$ be (any) number", "Let $‸$\n", "Let $x > 0$ be (any) number\n"),
    ("rust", "let x: ‸\n", "Vec<Option<u8>> = f();", "let x: Vec<‸>\n", "let x: Vec<Option<u8>> = f();\n"),
    ("rust", "let x: ‸\n", "Vec<u8> = f();", "let x: Vec<u8‸>\n", "let x: Vec<u8> = f();\n"),
    ("ruby", "def f‸\n", "(a)\n  a + 1\nend\n\nf(2)", "def f(a)\n  ‸\nend\n", "def f(a)\n  a + 1\nend\n"),
    ("lua", "if a ‸\nb()\n", "then\n  if b then\n    c()\n  end\nend", "if a then\n  ‸\nend\nb()\n",
     "if a then\n  if b then\n    c()\n  end\nend\nb()\n"),
    ("javascript", "f‸\nx\n", "({\n  a: 1,\n});", "f({\n  ‸\n})\nx\n", "f({\n  a: 1,\n})\nx\n"),
    ("c", "int f(void)‸\r\nx\r\n", " {\r\n  g();\r\n}", "int f(void) {\r\n  ‸\r\n}\r\nx\r\n",
     "int f(void) {\r\n  g();\r\n}\r\nx\r\n"),
    ("c", "x = f‸\n", "(a,\n      b) + 1;", "x = f(a,\n      ‸)\n", "x = f(a,\n      b) + 1;\n"),
    # Asked for behind the bracket, before the editor has closed it.
    ("javascript", "console.log(‸\n", "total);", "console.log(‸)\n", "console.log(total);\n"),
    ("javascript", "console.log(‸\n", "total);", "console.log(to‸)\n", "console.log(total);\n"),
    # The closer was typed though it stands there.
    ("python", "x = ‸\n", "f(a) + 1", "x = f(a)‸)\n", "x = f(a) + 1\n"),
    # The offer covers one itself, which is typed over, or is not.
    ("javascript", "f(‸)\n", "(a) => g(a)).then(b)", "f((a) => g(‸))\n", "f((a) => g(a)).then(b)\n"),
]  # fmt: skip
# Another change than an editor's closing: then it is another question.
OTHER = [
    ("x = ‸\n", "foo + bar", "x = foo‸)\n"),
    ("x = ‸\n", "foo(bar)", "x = foo(‸];\n"),
    ("x = ‸)\n", "foo", "x = f‸\n"),
    ("x = ‸\ny\n", "f(a)", "x = f(‸)\nz\n"),
    ("x = ‸\n", "f(a)", "x = ‸)\n"),
]


@pytest.mark.parametrize("case", LEFT, ids=lambda case: f"{case[0]} {case[3]!r}")
def test_as_plugins_leave_it(case):
    """Spaces, comments, tags of templates, words that end blocks, and closers on the next line."""
    language, then, said, now, wanted = case
    answers = AnswerCache(1000, 60, lambda: 0.0)
    covers = int(said.startswith("(a) =>"))
    answers.put(_spot(Editor(language, then)), [Offer(said, covers)])
    editor = Editor(language, now)
    found = answers.find(URI, editor.document.lines, editor.place)
    assert found, now
    assert editor.accept(found[0], shown="f(a)" not in now).text == wanted


@pytest.mark.parametrize(("then", "said", "now"), OTHER)
def test_another_change_is_another_question(then, said, now):
    """What nothing that was typed opens was not closed by the editor."""
    answers = AnswerCache(1000, 60, lambda: 0.0)
    answers.put(_spot(Editor("python", then)), [Offer(said)])
    editor = Editor("python", now)
    assert answers.find(URI, editor.document.lines, editor.place) is None


# What is asked for anew may end sooner: at the end of a string, of an element, of what a bracket before it holds.
SOONER = {'"""Say hello (twice)."""\n    return 1', '<a href="/home">Home</a> or <b>not</b>',
          "<div>\n    <div>a</div>\n  </div>", "[x] (map inc x))"}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_asked_for_anew(case):
    """A request at the place itself comes to the same, or to the beginning of it."""
    editor = Editor(case[0], case[1]).type(case[3])
    before, after = editor.marked.split(CURSOR)
    typed = before[len(case[1].split(CURSOR)[0]) :]
    form = extent(before, after, case[0], "auto", 256)
    offer = Offer(*tidy(case[2][len(typed) :], before, after, case[0], form).shown)
    editor.accept(offer)
    if case[2] in SOONER and editor.text != _wanted(case):
        assert _wanted(case).startswith(before + offer.text)
    else:
        assert editor.text == _wanted(case)


class Held(Service):
    """Answers once it is told what to say."""

    def __init__(self):
        super().__init__()
        self._told = asyncio.Event()

    def say(self, text):
        self.says = text
        self._told.set()

    @asynccontextmanager
    async def complete(self, request, *, seconds):
        self.requests.append(request)
        await self._told.wait()
        yield Reply(self.says, None)


async def _typed(case, way, ask):
    """A document in an engine whose stream is under way while the keys are typed; the editor, and what is offered."""
    language, document, said, keys, _ = case
    world = World()
    world.service = Held()
    engine = world.engine
    editor = Editor(language, document, way, told=lambda edit: engine.edited(URI, edit))
    engine.open(editor.document)
    waiting = [asyncio.create_task(engine.complete(URI, editor.place))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for key in keys:
        editor.type(key)
        waiting.append(asyncio.create_task(engine.complete(URI, editor.place)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    world.service.say(said)
    offers = await ask(engine, editor, waiting[-1])
    for task in waiting:
        task.cancel()
    return world, editor, offers


async def _inline(_, __, asked):
    return await asked


async def _menu(engine, editor, asked):
    await asked
    return engine.glance(URI, editor.place)


@pytest.mark.parametrize("ask", [_inline, _menu])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=_id)
async def test_from_a_running_stream(case, way, ask):
    """One request, whose stream comes while the keys are typed; as ghost text and as an entry of a menu."""
    world, editor, offers = await _typed(case, way, ask)
    assert offers, editor.marked
    assert editor.accept(offers[0]).text == _wanted(case)
    assert len(world.service.requests) == 1
    await world.engine.aclose()


async def test_both_doors(start, endpoint):
    """The item that is shown and the entry of a menu replace the closing bracket, from one request."""
    endpoint.says = "area(a, b) + 1\n"
    client = await start()
    item = {"uri": URI, "languageId": "python", "version": 1, "text": "x = \n"}
    client.notify("textDocument/didOpen", {"textDocument": item})
    await _ask(client, "inlineCompletion", 4)
    at = {"line": 0, "character": 4}
    change = {"range": {"start": at, "end": at}, "text": "area()"}
    client.notify(
        "textDocument/didChange",
        {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [change]},
    )
    there = {"start": {"line": 0, "character": 9}, "end": {"line": 0, "character": 10}}
    shown = await _ask(client, "inlineCompletion", 9)
    items = shown["items"] if isinstance(shown, dict) else shown
    assert [(one["insertText"], one["range"]) for one in items] == [("a, b) + 1", there)]
    listed = await _ask(client, "completion", 9)
    assert [one["textEdit"] for one in listed["items"]] == [{"newText": "a, b) + 1", "range": there}]
    assert len(endpoint.bodies) == 1


async def _ask(client, method, character):
    params = {
        "textDocument": {"uri": URI},
        "position": {"line": 0, "character": character},
        "context": {"triggerKind": 2 if method == "inlineCompletion" else 1},
    }
    return await client.call(f"textDocument/{method}", params)


@pytest.mark.parametrize("way", WAYS[:2])
@pytest.mark.parametrize("case", [case for case in CASES if case[3][-1:] != "\n"][::2], ids=_id)
async def test_what_became_of_it_is_known(case, way):
    """One text was shown, typed along and taken, though closers came and went."""
    language, document, said, keys, _ = case
    world = World()
    world.service.says = said
    engine = world.engine
    editor = Editor(language, document, way, told=lambda edit: engine.edited(URI, edit))
    engine.open(editor.document)
    offers = await engine.complete(URI, editor.place)
    for key in keys:
        editor.type(key)
        offers = await engine.complete(URI, editor.place)
    editor.accept(offers[0])
    counted = engine.acceptance.counted()
    # One character is taken for a key.
    taken = counted["typed" if len(offers[0].text) == 1 else "all"]
    assert (counted["shown"], taken, counted["dismissed"]) == (1, 1, 0)
    assert len(world.service.requests) == 1
    await engine.aclose()
