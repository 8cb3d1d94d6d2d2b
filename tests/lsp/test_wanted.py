"""Suggestions where they are wanted, and silence where they are not; the witness is what the endpoint was asked."""

import asyncio

import pytest
from lsp import CAPABILITIES

URI = "file:///project/a.py"


async def command(client, name, *arguments):
    return await client.call("workspace/executeCommand", {"command": name, "arguments": list(arguments)})


async def menu(client, uri, line, character):
    """The menu's texts at a place."""
    where = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
    items = (await client.call("textDocument/completion", where))["items"]
    return [item["textEdit"]["newText"] for item in items]


def back(client, uri, line, character, size=1):
    """Backspace."""
    end = {"line": line, "character": character}
    client.type(uri, line, character - size, "", end=end)


async def settle(client):
    """Let what the menu has asked for by itself reach the endpoint, if it ever does."""
    await asyncio.sleep(0.2)
    await command(client, "fimLsp.status")


OPTIONS = [{"trigger": "manual"}, {"languages": {"python": {"trigger": "manual"}}}]


@pytest.mark.parametrize("options", OPTIONS, ids=["for all", "for the language"])
async def test_manual_asks_for_nothing_by_itself(start, endpoint, options):
    """Neither door asks; an explicit ask pays once, and both doors have its text from then on, also typed along."""
    endpoint.says = "one(two)\n"
    client = await start(options)
    client.open(URI, "x =")
    client.type(URI, 0, 3, " ")
    assert await client.texts(URI, 0, 4) == []
    assert await menu(client, URI, 0, 4) == []
    await settle(client)
    assert endpoint.bodies == []
    assert await client.texts(URI, 0, 4, explicit=True) == ["one(two)"]
    assert await menu(client, URI, 0, 4) == ["one(two)"]
    client.type(URI, 0, 4, "o")
    assert await client.texts(URI, 0, 5) == ["ne(two)"]
    assert await menu(client, URI, 0, 5) == ["one(two)"]
    client.type(URI, 0, 5, "f")
    assert await client.texts(URI, 0, 6) == []
    await settle(client)
    assert len(endpoint.bodies) == 1


async def test_another_language_is_not_manual(start, endpoint):
    """What one language has of its own holds for it alone."""
    client = await start({"languages": {"go": {"trigger": "manual"}}})
    client.open(URI, "x = ")
    assert await client.texts(URI, 0, 4) == ["None"]


async def test_an_impatient_person_pays_once(start, endpoint):
    """Asked for three times while the answer is on its way, there is one request, and the last ask has it."""
    endpoint.gate = asyncio.Event()
    client = await start({"trigger": "manual"})
    client.open(URI, "x = ")
    asks = [client.inline(URI, 0, 4, explicit=True) for _ in range(3)]
    await client.until(lambda: endpoint.bodies)
    endpoint.gate.set()
    assert [item["insertText"] for item in (await asks[-1])["result"]] == ["None"]
    assert [(await ask)["result"] for ask in asks[:-1]] == [None, None]
    assert len(endpoint.bodies) == 1


async def test_a_folder_may_only_make_it_stricter(start, endpoint):
    """The editor's settings switch manual on, and do not switch it off again; a slip in it stops everything."""
    client = await start({"trigger": "manual"})
    client.push({"trigger": "auto"})
    await command(client, "fimLsp.status")
    client.open(URI, "x = ")
    assert await client.texts(URI, 0, 4) == []
    client.push({"trigger": "manul"})
    await command(client, "fimLsp.status")
    assert await client.texts(URI, 0, 4, explicit=True) == []
    assert (await command(client, "fimLsp.status"))["state"] == "error"
    assert endpoint.bodies == []


QUIET = {
    "a comment": ("python", "x = 1  # the|", False),
    "a string": ("python", 'x = "the|', False),
    "a docstring": ("python", 'def f():\n    """Does.\n\n    The|', False),
    "code": ("python", "x = 1  # the\ny =|", True),
    "an f-string's code": ("python", 'x = f"the {y|', True),
    "an f-string's text": ("python", 'x = f"the {y} and|', False),
    "a format's mark": ("python", 'x = f"{y:#x}" +|', True),
    "a template literal's code": ("javascript", "x = `the ${y|", True),
    "a template literal's text": ("javascript", "x = `the ${y} and|", False),
    "a comment of many lines": ("typescript", "/*\n * the|", False),
    "a fence": ("markdown", "Text.\n\n```python\nx =|", True),
    "a fence's comment": ("markdown", "```\n# a|", True),
    "a language by another case": ("Python", "# the|", False),
    "a word with the mark": ("shellscript", "echo $#|", True),
}


@pytest.mark.parametrize(("language", "text", "comes"), QUIET.values(), ids=QUIET)
async def test_quiet_in_comments_and_strings(start, endpoint, language, text, comes):
    """Told from the language's table; asked for, a text comes anywhere."""
    client = await start({"quietIn": ["comment", "string"]})
    lines = text[:-1].split("\n")
    line, column = len(lines) - 1, len(lines[-1])
    client.open(URI, text[:-1], language)
    client.type(URI, line, column, " ")
    assert bool(await client.texts(URI, line, column + 1)) is comes
    assert len(endpoint.bodies) == comes
    assert await client.texts(URI, line, column + 1, explicit=True)


async def test_quiet_in_strings_leaves_comments(start, endpoint):
    """Each by its own word, and by language."""
    client = await start({"languages": {"python": {"quietIn": ["string"]}}})
    client.open(URI, '# the \nx = "the ')
    assert await client.texts(URI, 1, 9) == []
    assert await client.texts(URI, 0, 6) == ["None"]


async def test_a_ghost_does_not_stay_after_backspace(start, endpoint):
    """`r`, ghost `eturn`, Backspace: nothing is there to take, nothing is asked, until something is typed."""
    endpoint.says = "eturn\n"
    client = await start()
    client.open(URI, "def f():\n    \n")
    client.type(URI, 1, 4, "r")
    assert await client.texts(URI, 1, 5) == ["eturn"]
    back(client, URI, 1, 5)
    assert await client.texts(URI, 1, 4) == []
    assert await menu(client, URI, 1, 4) == []
    assert await client.texts(URI, 0, 8) == []
    await settle(client)
    assert len(endpoint.bodies) == 1
    endpoint.says = "ass\n"
    client.type(URI, 1, 4, "p")
    assert await client.texts(URI, 1, 5) == ["ass"]


async def test_backspace_within_a_word_shows_what_is_known(start, endpoint):
    """A slip is corrected under the ghost text; what is not known is not asked for."""
    endpoint.says = "turn x\n"
    client = await start()
    client.open(URI, "    r")
    client.type(URI, 0, 5, "e")
    assert await client.texts(URI, 0, 6) == ["turn x"]
    endpoint.says = "ed()\n"
    client.type(URI, 0, 6, "r")
    assert await client.texts(URI, 0, 7) == ["ed()"]
    back(client, URI, 0, 7)
    assert await client.texts(URI, 0, 6) == ["turn x"]
    back(client, URI, 0, 6)
    assert await client.texts(URI, 0, 5) == []
    assert len(endpoint.bodies) == 2


@pytest.mark.parametrize("size", [1, 6], ids=["key by key", "at once"])
async def test_what_was_taken_away_is_not_offered(start, endpoint, size):
    """Neither by itself nor asked for is exactly that offered which was just taken away there."""
    endpoint.says = "a + bc\n"
    client = await start()
    client.open(URI, "x = ")
    assert await client.texts(URI, 0, 4) == ["a + bc"]
    client.type(URI, 0, 4, "a + bc")
    for end in range(10, 4, -size):
        back(client, URI, 0, end, size)
        assert await client.texts(URI, 0, end - size) == []
    endpoint.says = lambda body: "a + bc\n" if body["temperature"] == 0 else "other\n"
    assert await client.texts(URI, 0, 4, explicit=True) == ["other"]
    client.type(URI, 0, 4, "a")
    assert await client.texts(URI, 0, 5) == [" + bc"]


async def test_undo_is_quiet(start, endpoint):
    """What is put back, and what is undone of what was typed, is followed by silence until something is typed."""
    endpoint.says = "total\n"
    client = await start()
    client.open(URI, "value = thing\n")
    back(client, URI, 0, 13, 5)
    client.type(URI, 0, 8, "thing")
    assert await client.texts(URI, 0, 13) == []
    client.type(URI, 0, 13, ".")
    assert await client.texts(URI, 0, 14) == ["total"]
    for n, key in enumerate("name"):
        client.type(URI, 0, 14 + n, key)
    endpoint.bodies.clear()
    back(client, URI, 0, 18, 5)
    assert await client.texts(URI, 0, 13) == []
    assert endpoint.bodies == []


async def test_a_text_typed_past_twice_is_not_offered_there_again(start, endpoint):
    """On that line; on another it is, and asked for it is."""
    endpoint.says = "wrong()\n"
    client = await start()
    client.open(URI, "x =\ny =\n")
    column = 3
    for shown in (["wrong()"], ["wrong()"], []):
        client.type(URI, 0, column, " ")
        assert await client.texts(URI, 0, column + 1) == shown
        client.type(URI, 0, column + 1, "-")
        column += 2
    client.type(URI, 0, column, " ")
    assert await client.texts(URI, 0, column + 1, explicit=True) == ["wrong()"]
    client.type(URI, 1, 3, " ")
    assert await client.texts(URI, 1, 4) == ["wrong()"]


async def test_a_deletion_while_the_pause_lasts_is_not_followed_by_a_request(start, endpoint):
    """It is looked again just before asking."""
    client = await start({"debounceMs": 200})
    client.open(URI, "x =")
    client.type(URI, 0, 3, " y")
    asked = client.inline(URI, 0, 5)
    await asyncio.sleep(0.05)
    back(client, URI, 0, 5, 2)
    assert (await asked)["result"] in ([], None)
    assert endpoint.bodies == []


@pytest.mark.parametrize("how", ["settings", "snooze"])
async def test_silence_that_comes_during_the_pause_holds(start, endpoint, how):
    """So it is with settings, and with silence on demand."""
    client = await start({"debounceMs": 300})
    client.open(URI, "x =")
    client.type(URI, 0, 3, " ")
    asked = client.inline(URI, 0, 4)
    await asyncio.sleep(0.05)
    if how == "settings":
        client.push({"trigger": "manual"})
    else:
        await command(client, "fimLsp.snooze", {"minutes": 1})
    assert (await asked)["result"] in ([], None)
    assert endpoint.bodies == []


async def test_looking_costs_nothing(start, endpoint):
    """Sixty places visited through both doors without a key: three requests; a key makes looking free again."""
    client = await start()
    client.open(URI, "".join(f"v{n} = \n" for n in range(60)))
    for n in range(60):
        await client.texts(URI, n, len(f"v{n} = "))
        await menu(client, URI, n, len(f"v{n} = "))
    await settle(client)
    assert len(endpoint.bodies) == 3
    assert await client.texts(URI, 0, 5) == ["None"]
    for n in range(5):
        client.open(f"file:///project/{n}.py", "x = ")
        await client.texts(f"file:///project/{n}.py", 0, 4)
    assert len(endpoint.bodies) == 3
    client.type(URI, 40, 6, "a")
    await client.texts(URI, 40, 7)
    await client.texts(URI, 50, 6)
    assert len(endpoint.bodies) == 5


async def test_two_doors_pay_once(start, endpoint):
    """The menu and the ghost text of one place are one request, whichever is first."""
    endpoint.first = 0.1
    client = await start({"debounceMs": "auto"})
    client.open(URI, "x =\ny =\n")
    client.type(URI, 0, 3, " ")
    assert await menu(client, URI, 0, 4) == []
    assert await client.texts(URI, 0, 4) == ["None"]
    client.type(URI, 1, 3, " ")
    asked = client.inline(URI, 1, 4)
    await menu(client, URI, 1, 4)
    assert (await asked)["result"]
    assert await menu(client, URI, 1, 4) == ["None"]
    assert len(endpoint.bodies) == 2


METHODS = {
    "pinyin": (["n", "ni", "nih", "niha", "nihao"], "你好"),
    "kana": (["k", "か", "かn", "かんj", "かんじ"], "漢字"),
    "hangul": (["ㅎ", "하"], "한"),
}


@pytest.mark.parametrize(("steps", "stands"), METHODS.values(), ids=METHODS)
async def test_what_an_input_method_replaces_in_place(start, endpoint, steps, stands):
    """While it is replaced nothing is asked; once the characters stand, one request, and nothing made for letters."""
    endpoint.says = lambda body: "吗\n" if body["prompt"].endswith(stands) else "letters\n"
    client = await start()
    client.open(URI, "# 好\n")
    asks, before = [], ""
    for step in [*steps, stands]:
        client.type(URI, 0, 3, step, end={"line": 0, "character": 3 + len(before)})
        asks.append(client.inline(URI, 0, 3 + len(step)))
        before = step
    answers = [(await ask)["result"] for ask in asks]
    assert [bool(answer) for answer in answers] == [False] * len(steps) + [True]
    assert [item["insertText"] for item in answers[-1]] == ["吗"]
    assert [body["prompt"][-len(stands) :] for body in endpoint.bodies] == [stands]


async def test_letters_that_are_waited_for_one_by_one(start, endpoint):
    """A slow hand makes no requests for letters either."""
    client = await start()
    client.open(URI, "x = ")
    client.type(URI, 0, 4, "n")
    await client.texts(URI, 0, 5)
    endpoint.bodies.clear()
    for size in range(2, 6):
        client.type(URI, 0, 4, "nihao"[:size], end={"line": 0, "character": 3 + size})
        assert await client.texts(URI, 0, 4 + size) == []
    assert endpoint.bodies == []
    client.type(URI, 0, 4, "你好", end={"line": 0, "character": 9})
    assert await client.texts(URI, 0, 6) == ["None"]
    assert len(endpoint.bodies) == 1


async def test_letters_typed_are_no_input_method(start, endpoint):
    """Behind the menu's entry, and behind characters, letters are asked about as ever."""
    client = await start()
    client.open(URI, "pri")
    client.type(URI, 0, 0, "print", end={"line": 0, "character": 3})
    assert await client.texts(URI, 0, 5) == ["None"]
    client.type(URI, 0, 5, "  # 好")
    for n, key in enumerate("ab"):
        client.type(URI, 0, 10 + n, key)
    assert await client.texts(URI, 0, 12) == ["None"]
    assert len(endpoint.bodies) == 2


SCHEMES = [
    ("git:/p/a.py?%7B%22ref%22%3A%22HEAD%22%7D", "python"),
    ("output:extension-output-1", "Log"),
    ("vscode-terminal:/1", "plaintext"),
    ("file:///p/a.diff", "diff"),
    ("file:///p/a.log", "log"),
    ("fugitive:///p/.git//0/a.py", "python"),
    ("term://~//1:/bin/sh", ""),
]


@pytest.mark.parametrize(("uri", "language"), SCHEMES, ids=[uri.split(":")[0] for uri, _ in SCHEMES])
async def test_views_ask_for_nothing_by_themselves(start, endpoint, uri, language):
    """Earlier versions, differences, outputs, logs, terminals; asked for, a text comes."""
    client = await start()
    client.open(uri, "x =", language)
    client.type(uri, 0, 3, " ")
    assert await client.texts(uri, 0, 4) == []
    await menu(client, uri, 0, 4)
    await settle(client)
    assert endpoint.bodies == []
    assert await client.texts(uri, 0, 4, explicit=True) == ["None"]


async def test_a_buffer_that_is_saved_to_a_name_keeps_what_is_known(start, endpoint):
    """Whether the editor closes the old name first or last."""
    client = await start()
    for number, unnamed in enumerate(("untitled:Untitled-1", "file://")):
        uri = f"file:///project/{number}.py"
        client.open(unnamed, f"x{number} = ")
        assert await client.texts(unnamed, 0, 5) == ["None"]
        if number:
            client.open(uri, f"x{number} = ")
        client.notify("textDocument/didClose", {"textDocument": {"uri": unnamed}})
        if not number:
            client.open(uri, f"x{number} = ")
        assert await client.texts(uri, 0, 5) == ["None"]
        assert len(endpoint.bodies) == number + 1


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("", "plaintext"),
        ("text", "plaintext"),
        ("plaintext", "plaintext"),
        ("Python", "python"),
        ("text", "text"),
    ],
)
async def test_languages_behave_as_their_setting_says(start, endpoint, name, setting):
    """A name that is empty, another one, or of other case."""
    client = await start({"languages": {setting: False}})
    client.open(URI, "x = ", name)
    assert await client.texts(URI, 0, 4, explicit=True) == []
    client.open("file:///project/b.go", "x = ", "go")
    assert await client.texts("file:///project/b.go", 0, 4) == ["None"]
    assert len(endpoint.bodies) == 1


async def test_silence_on_demand(start, endpoint):
    """For a file, a language, everything; told with the time left; asked for, a text comes; and it ends."""
    client = await start({"statusNotifications": True})
    go = "file:///project/b.go"
    client.open(URI, "x =")
    client.open(go, "y =", "go")
    status = await command(client, "fimLsp.snooze", {"minutes": 7, "scope": "file", "uri": URI})
    assert status["snoozed"] == [{"scope": "file", "name": URI, "minutes": 7}]
    assert status["message"] == "Snoozed in a.py for 7 min."
    assert status["state"] == "ready"
    client.type(URI, 0, 3, " ")
    assert await client.texts(URI, 0, 4) == []
    assert endpoint.bodies == []
    client.type(go, 0, 3, " ")
    assert await client.texts(go, 0, 4) == ["None"]
    await command(client, "fimLsp.snooze", {"minutes": 0, "scope": "file", "uri": URI})
    assert await client.texts(URI, 0, 4) == ["None"]
    assert await client.texts(URI, 0, 4) == ["None"]
    await command(client, "fimLsp.snooze", {"minutes": 5, "language": "Python"})
    assert await client.texts(URI, 0, 4) == []
    assert await client.texts(go, 0, 4) == ["None"]
    status = await command(client, "fimLsp.snooze", 2)
    assert [nap["scope"] for nap in status["snoozed"]] == ["language", "everything"]
    assert await client.texts(go, 0, 4) == []
    assert await menu(client, go, 0, 4) == []
    assert await client.texts(go, 0, 4, explicit=True) != []
    told = [note["params"]["snoozed"] for note in client.notes if note["method"] == "fimLsp/status"]
    assert told[-1] == status["snoozed"]
    assert (await command(client, "fimLsp.snooze", 0))["snoozed"] == []
    assert await client.texts(go, 0, 4) != []


async def test_silence_ends_by_itself(start, endpoint):
    """When its time is over, the client is told, and texts come again."""
    client = await start({"statusNotifications": True})
    client.open(URI, "x = ")
    await command(client, "fimLsp.snooze", {"minutes": 0.01})
    assert await client.texts(URI, 0, 4) == []
    await client.until(
        lambda: [n for n in client.notes if n["method"] == "fimLsp/status"][-1]["params"]["snoozed"] == []
    )
    assert await client.texts(URI, 0, 4) == ["None"]


@pytest.mark.parametrize(
    "wrong", [{"minutes": "x"}, {"scope": "nothing"}, {"scope": "file"}, "x", None, True]
)
async def test_a_snooze_that_makes_no_sense_is_the_usual_one(start, wrong):
    """Five minutes, everywhere."""
    client = await start(capabilities=CAPABILITIES)
    status = await command(client, "fimLsp.snooze", *([] if wrong is None else [wrong]))
    assert status["snoozed"] == [{"scope": "everything", "name": "", "minutes": 5}]


async def test_an_entry_of_the_menu_is_no_input_method(start, endpoint):
    """It takes the place of the one letter that was typed, and what follows it is offered at once, without a second request."""
    endpoint.says = " = 1\n"
    client = await start()
    client.open(URI, "gamma_value\n\n")
    client.type(URI, 1, 0, "g")
    letter = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 1}}
    assert await client.texts(URI, 1, 1, selected={"range": letter, "text": "gamma_value"}) == [
        "gamma_value = 1"
    ]
    client.type(URI, 1, 0, "gamma_value", end={"line": 1, "character": 1})
    assert await client.texts(URI, 1, 11) == [" = 1"]
    assert len(endpoint.bodies) == 1
