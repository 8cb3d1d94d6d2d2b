"""A menu that waits for text: what is typed meanwhile falls to its request, as Helix has it."""

import asyncio

import pytest

from fim_lsp.completion.answer_cache import Offer
from fim_lsp.lsp import held as waiting
from fim_lsp.lsp.held import held
from fim_lsp.text.document import Document, Place

URI = "file:///a.py"


def document(line):
    return Document(URI, "python", 1, line + "\nlast\n")


async def waited(line, column, *answers):
    """What a held request comes to, where each answer comes after the line has changed; and the columns asked about."""
    opened, asked, left = document(line), [], list(answers)

    async def complete(_, place):
        asked.append(place.column)
        then, offers = left.pop(0)
        opened.replace(then + "\nlast\n")
        return offers

    return await held(complete, opened, Place(0, column)), asked


async def test_nothing_typed_is_answered_as_it_is():
    assert await waited("x = ()", 5, ("x = ()", (Offer("1"),))) == (("", (Offer("1"),)), [5])
    assert await waited("x = ()", 5, ("x = ()", ())) == (("", ()), [5])


async def test_what_was_typed_meanwhile_is_asked_behind():
    found = await waited("", 0, ("val = va", ()), ("val = va", (Offer("lue"),)))
    assert found == (("val = va", (Offer("lue"),)), [0, 8])


async def test_text_right_of_the_cursor_is_not_what_was_typed():
    found = await waited("f()", 2, ("f(ab)", ()), ("f(ab)", (Offer("c"),)))
    assert found == (("ab", (Offer("c"),)), [2, 4])


async def test_an_answer_that_typing_went_past_is_asked_again():
    """It would replace what was typed meanwhile by what it does not hold."""
    found = await waited("re", 2, ("rex", (Offer("turn"),)), ("rex", (Offer("port"),)))
    assert found == (("x", (Offer("port"),)), [2, 3])


@pytest.mark.parametrize("then", ["x", "y = 1 +", "", "x = 1 + 2"])
async def test_a_line_that_changed_elsewhere_is_given_up(then):
    assert await waited("x = ;", 4, (then, ())) == (("", ()), [4])


async def test_one_that_is_overtaken_is_over():
    assert await waited("x = ", 4, ("x = ab", None)) == (("", ()), [4])


async def test_a_document_may_be_emptied_meanwhile():
    opened = document("x = ")

    async def complete(*_):
        opened.replace("")
        return ()

    assert await held(complete, opened, Place(1, 4)) == ("", ())


async def test_helixs_request_takes_in_what_was_typed(start, endpoint):
    """The entry replaces what stood there when it was asked about, and says what was typed since, so that it matches."""
    endpoint.gate = asyncio.Event()
    endpoint.says = lambda body: "lue + 1\n" if body["prompt"].endswith("va") else "\n"
    client = await start(None, clientInfo={"name": "helix", "version": "25.07.1"})
    client.open(URI, "\nlast\n")
    client.type(URI, 0, 0, "v")
    where = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 1}}
    asked = client.request("textDocument/completion", where)
    while not endpoint.bodies:
        await asyncio.sleep(0.01)
    client.type(URI, 0, 1, "al = va")
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    endpoint.gate.set()
    item = (await asyncio.wait_for(asked, 30))["result"]["items"][0]
    assert item["filterText"] == "val = va"
    assert item["textEdit"]["newText"] == "val = value + 1"
    assert item["textEdit"]["range"] == {
        "start": {"line": 0, "character": 0},
        "end": {"line": 0, "character": 1},
    }
    assert len(endpoint.bodies) == 2


EGLOT = {"name": "Eglot"}


async def test_an_ask_in_emacs_is_answered_with_the_text(start, endpoint):
    """Its first ask has the entry; what is typed after it has been given up costs no request of its own."""
    endpoint.gate = asyncio.Event()
    endpoint.says = "value + 1\n"
    client = await start(None, clientInfo=EGLOT)
    client.open(URI, "x = \nlast\n")
    where = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 4}}
    asked = client.request("textDocument/completion", where)
    while not endpoint.bodies:
        await asyncio.sleep(0.01)
    client.type(URI, 0, 4, "va")
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    endpoint.gate.set()
    await asyncio.wait_for(asked, 30)
    assert len(endpoint.bodies) == 1
    where["position"]["character"] = 6
    (item,) = (await client.call("textDocument/completion", where))["items"]
    assert item["textEdit"]["newText"] == "value + 1"
    assert len(endpoint.bodies) == 1


async def test_an_ask_in_emacs_is_answered_before_emacs_calls_it_an_error(start, endpoint, monkeypatch):
    """One that takes too long has no entry."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    endpoint.gate = asyncio.Event()
    client = await start(None, clientInfo=EGLOT)
    client.open(URI, "x = \nlast\n")
    where = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 4}}
    answer = await client.call("textDocument/completion", where)
    assert answer["items"] == []
    endpoint.gate.set()
