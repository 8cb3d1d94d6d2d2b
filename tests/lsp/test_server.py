"""The server as a process, driven over stdio by a client that forgives nothing."""

import asyncio
import json
from datetime import date

import pytest
from lsp import CAPABILITIES, Client

URI = "file:///project/a.py"


async def test_a_session_from_beginning_to_end(start, endpoint):
    """Initialize, open, change, ask, accept and leave: each does what it should, and the exit code is 0."""
    endpoint.says = "return a + b\n"
    client = await start()
    client.open(URI, "def add(a, b):\n    \n")
    client.type(URI, 1, 4, "r")
    endpoint.says = "eturn a + b\n"
    message = await client.inline(URI, 1, 5)
    at = {"line": 1, "character": 5}
    assert message["result"] == [{"insertText": "eturn a + b", "range": {"start": at, "end": at}}]
    assert endpoint.bodies[0]["prompt"].endswith("def add(a, b):\n    r")
    assert endpoint.bodies[0]["stream"] is True
    assert endpoint.keys == ["Bearer sk-test"]
    client.type(URI, 1, 5, "eturn a + b")
    status = await client.call("workspace/executeCommand", {"command": "fimLsp.status", "arguments": []})
    assert status == {
        "state": "ready",
        "message": "",
        "cause": "",
        "model": "deepseek-flash",
        "requests": 1,
        "promptTokens": status["promptTokens"],
        "cacheHitTokens": status["cacheHitTokens"],
        "completionTokens": status["completionTokens"],
        "localHits": 0,
        "acceptance": {"shown": 1, "all": 1, "line": 0, "word": 0, "typed": 0, "dismissed": 0},
        "usd": status["usd"],
        "overBudget": False,
        "snoozed": [],
        "enabled": True,
        "baseUrl": endpoint.url,
        "apiKey": True,
        "demo": False,
    }
    assert await client.stop() == 0
    assert client.stderr.decode() == ""


async def test_typing_along_asks_for_nothing(start, endpoint):
    """Text typed along a suggestion, and backspacing within a word of it, are answered without a request."""
    endpoint.says = "return a + b\n"
    client = await start()
    client.open(URI, "def add(a, b):\n    \n")
    assert await client.texts(URI, 1, 4) == ["return a + b"]
    for n, character in enumerate("retu"):
        client.type(URI, 1, 4 + n, character)
        assert await client.texts(URI, 1, 5 + n) == ["return a + b"[n + 1 :]]
    for n in (7, 6, 5):
        client.type(URI, 1, n, "", end={"line": 1, "character": n + 1})
        assert await client.texts(URI, 1, n) == ["return a + b"[n - 4 :]]
    assert len(endpoint.bodies) == 1


async def test_what_became_of_suggestions_is_counted(start, endpoint):
    """By word and line, with no request for the rest; typed to the end; and something else typed instead."""
    endpoint.says = "one(two)\n    three\nrest\n"
    client = await start(settings={"multiline": "always"})
    client.open(URI, "if x:\n    \n")
    (text,) = await client.texts(URI, 1, 4)
    assert text == "one(two)\n    three"
    client.type(URI, 1, 4, "one")
    assert await client.texts(URI, 1, 7) == ["(two)\n    three"]
    client.type(URI, 1, 7, "(two)\n")
    assert await client.texts(URI, 2, 0) == ["    three"]
    client.type(URI, 2, 0, "    three")
    requests = len(endpoint.bodies)
    assert requests == 1
    endpoint.says = "ab\n"
    client.type(URI, 2, 9, "\n    y = ")
    assert await client.texts(URI, 3, 8) == ["ab"]
    client.type(URI, 3, 8, "a")
    client.type(URI, 3, 9, "b")
    client.type(URI, 3, 10, "\n    z = ")
    assert await client.texts(URI, 4, 8) == ["ab"]
    client.type(URI, 4, 8, "q")
    status = await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    assert status["acceptance"] == {"shown": 3, "all": 1, "line": 1, "word": 1, "typed": 1, "dismissed": 1}


async def test_clearing_the_cache_asks_again(start, endpoint):
    """After `fimLsp.clearCache` nothing is known."""
    client = await start()
    client.open(URI, "x = 1\n\n")
    await client.texts(URI, 1, 0)
    await client.call("workspace/executeCommand", {"command": "fimLsp.clearCache"})
    await client.texts(URI, 1, 0)
    assert len(endpoint.bodies) == 2


async def test_ten_cancels_cut_ten_streams(start, endpoint):
    """A cancelled request closes its stream at once."""
    endpoint.says, endpoint.every = "a = 1\n" * 50, 0.02
    client = await start()
    for n in range(10):
        uri = f"file:///{n}.py"
        client.open(uri, f"x{n} =")
        client.type(uri, 0, 4, " ")
        asked = client.inline(uri, 0, 5)
        await client.until(lambda n=n: len(endpoint.bodies) == n + 1)
        client.cancel(asked)
        assert (await asked)["error"]["code"] == -32800
        await client.until(lambda n=n: endpoint.cut == n + 1, 1)
    assert endpoint.done == 0


async def test_the_newest_request_of_a_document_wins(start, endpoint):
    """An older request is answered null at once, and its stream is cut when the text went elsewhere."""
    endpoint.gate = asyncio.Event()
    client = await start()
    client.open(URI, "a = 1\n\n\n\n")
    older = client.inline(URI, 1, 0)
    await client.until(lambda: len(endpoint.bodies) == 1)
    newer = client.inline(URI, 3, 0)
    assert (await older)["result"] is None
    await client.until(lambda: endpoint.cut == 1)
    endpoint.gate.set()
    assert (await newer)["result"][0]["insertText"] == "None"
    assert len(endpoint.bodies) == 2


async def test_a_stream_goes_on_while_what_is_typed_agrees(start, endpoint):
    """Keys typed while the model thinks do not cost a second request, though the editor cancels at each."""
    endpoint.says, endpoint.first = "return 1\n", 0.3
    client = await start()
    client.open(URI, "def f():\n    \n")
    asked = client.inline(URI, 1, 4)
    await client.until(lambda: len(endpoint.bodies) == 1)
    for n, character in enumerate("ret"):
        client.type(URI, 1, 4 + n, character)
        client.cancel(asked)
        asked = client.inline(URI, 1, 5 + n)
        await asyncio.sleep(0.02)
    assert [i["insertText"] for i in (await asked)["result"]] == ["urn 1"]
    assert (len(endpoint.bodies), endpoint.cut) == (1, 0)


async def test_a_stream_that_what_is_typed_contradicts_is_cut(start, endpoint):
    """When the person types something else, the stream ends and the new place is asked for."""
    endpoint.says, endpoint.every = "return 1234567890\n", 0.05
    client = await start()
    client.open(URI, "def f():\n    \n")
    client.inline(URI, 1, 4)
    await client.until(lambda: len(endpoint.bodies) == 1)
    endpoint.says = "ss\n"
    client.type(URI, 1, 4, "pa")
    assert await client.texts(URI, 1, 6) == ["ss"]
    assert len(endpoint.bodies) == 2
    assert endpoint.ends[0] == "cut"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_positions_are_counted_as_the_client_counts(start, endpoint, encoding):
    """In each encoding the prompt ends at the cursor, behind emoji and CRLF, and the range is the cursor's."""
    capabilities = {**CAPABILITIES, "general": {"positionEncodings": [encoding]}}
    client = await start(capabilities=capabilities)
    client.open(URI, "a\r\n\f\u2028s = '😀é' + \r\nlast\r\n")
    column = len("\f\u2028s = '😀é' + ".encode(encoding if encoding == "utf-8" else encoding + "-le"))
    column //= {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    endpoint.says = "'x'\n"
    message = await client.inline(URI, 1, column)
    assert endpoint.bodies[0]["prompt"].endswith("a\r\n\f\u2028s = '😀é' + ")
    assert endpoint.bodies[0]["suffix"].startswith("\r\nlast")
    assert message["result"][0]["range"]["end"] == {"line": 1, "character": column}


async def test_the_menu_is_never_kept_waiting(start, endpoint):
    """`textDocument/completion` answers at once, and has the text on the next ask."""
    endpoint.gate, endpoint.says = asyncio.Event(), "int(x)\n"
    client = await start()
    client.open(URI, "pr")
    where = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 2}}
    first = await client.call("textDocument/completion", where)
    assert first == {"isIncomplete": True, "items": []}
    endpoint.gate.set()
    await client.until(lambda: endpoint.done == 1)
    item = (await client.call("textDocument/completion", where))["items"][0]
    assert item["textEdit"]["newText"] == "print(x)"
    assert item["textEdit"]["range"] == {
        "start": {"line": 0, "character": 0},
        "end": {"line": 0, "character": 2},
    }
    assert item["filterText"] == "pr"
    assert item["label"] == "print(x)"
    assert len(endpoint.bodies) == 1


async def test_the_selected_menu_entry_is_extended(start, endpoint):
    """With the menu open, an item begins with the selected entry and takes its range."""
    endpoint.says = "(value)\n"
    client = await start()
    client.open(URI, "pri")
    span = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 3}}
    message = await client.inline(URI, 0, 3, selected={"range": span, "text": "print"})
    assert message["result"] == [{"insertText": "print(value)", "range": span}]
    assert endpoint.bodies[0]["prompt"].endswith("print")


async def test_an_explicit_ask_offers_different_texts(start, endpoint):
    """The first is answered at once by one; the next ask adds up to two others, each once."""
    answers = iter(["one()\n", "two()\n", "two()\n"])
    endpoint.says = lambda body: next(answers)
    client = await start()
    client.open(URI, "x = ")
    assert await client.texts(URI, 0, 4, explicit=True) == ["one()"]
    assert len(endpoint.bodies) == 1
    assert sorted(await client.texts(URI, 0, 4, explicit=True)) == ["one()", "two()"]
    assert len(endpoint.bodies) == 3
    assert len(await client.texts(URI, 0, 4, explicit=True)) == 2
    assert len(endpoint.bodies) == 3


async def test_notebook_cells_are_documents(start, endpoint):
    """Cells open, change and close with their notebook."""
    endpoint.says = "path\n"
    client = await start()
    book, cell = "file:///n.ipynb", "vscode-notebook-cell:/n.ipynb#1"
    item = {"uri": cell, "languageId": "python", "version": 1, "text": "import os\n"}
    client.notify(
        "notebookDocument/didOpen",
        {
            "notebookDocument": {
                "uri": book,
                "notebookType": "jupyter-notebook",
                "version": 1,
                "cells": [{"kind": 2, "document": cell}],
            },
            "cellTextDocuments": [item],
        },
    )
    change = {
        "range": {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 0}},
        "text": "os.",
    }
    content = [{"document": {"uri": cell, "version": 2}, "changes": [change]}]
    client.notify(
        "notebookDocument/didChange",
        {"notebookDocument": {"uri": book, "version": 2}, "change": {"cells": {"textContent": content}}},
    )
    assert await client.texts(cell, 1, 3) == ["path"]
    assert endpoint.bodies[0]["prompt"].endswith("import os\nos.")


PROBLEMS = [
    (401, "key"),
    (402, "balance"),
    (404, "model"),
    (422, "settings"),
    (429, "many"),
    (503, "later"),
    ("garbage", "baseUrl"),
    ("break", "broke off"),
]


@pytest.mark.parametrize(("fault", "word"), PROBLEMS)
async def test_a_problem_is_said_once_and_ends_with_its_cause(start, endpoint, fault, word):
    """The server stays up, says it once without quoting the service, and works again."""
    endpoint.fault = fault
    client = await start({"statusNotifications": True})
    client.open(URI, "a = \nb = \nc = \nd = \n")
    for line in range(2):
        message = await client.inline(URI, line, 4)
        assert message["result"] in ([], None)
    assert len(client.messages()) == 1
    assert word in client.messages()[0]
    assert "SECRET-ECHO" not in client.messages()[0]
    assert b"SECRET-ECHO" not in client.stderr
    endpoint.fault = None
    client.push({"maxTokens": 99})
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    assert await client.texts(URI, 3, 4, explicit=True) == ["None"]
    states = [n["params"]["state"] for n in client.notes if n["method"] == "fimLsp/status"]
    assert "error" in states
    assert states[-1] == "ready"


async def test_a_stalled_stream_ends_at_the_deadline(start, endpoint):
    """A service that says nothing does not hold a request longer than `timeoutSeconds`."""
    endpoint.fault = "stall"
    client = await start({"timeoutSeconds": 0.3})
    client.open(URI, "a = ")
    assert (await asyncio.wait_for(client.inline(URI, 0, 4), 3))["result"] == []
    assert len(client.messages()) == 1


async def test_without_a_key_nothing_is_sent(start, endpoint):
    """No key: one sentence that says where to put it, and no request."""
    client = await start({"engine": "deepseek"}, key=None)
    client.open(URI, "a = ")
    status = await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    assert (status["state"], status["cause"], status["apiKey"]) == ("error", "key", False)
    assert client.messages() == []
    for _ in range(3):
        assert await client.texts(URI, 0, 4) == []
    assert endpoint.bodies == []
    assert ["DEEPSEEK_API_KEY" in message for message in client.messages()] == [True]


async def test_an_endpoint_on_this_machine_may_do_without_a_key(start, endpoint):
    """None is missed there until it asks for one: then the status says so, as the message does."""
    client = await start({"engine": "openai-suffix"}, key=None)
    client.open(URI, "a = \nb = \n")
    command = {"command": "fimLsp.status"}
    assert (await client.call("workspace/executeCommand", command))["apiKey"] is True
    endpoint.key = "sk-right"
    assert await client.texts(URI, 1, 4) == []
    status = await client.call("workspace/executeCommand", command)
    assert (status["state"], status["cause"], status["apiKey"]) == ("error", "key", False)
    assert f"fim-lsp: {status['message']}" in client.messages()


async def test_a_client_with_words_of_its_own_hears_what_each_message_is_about(start, endpoint):
    """It is told the cause beside the sentence, by the word that the status has, and the server shows nothing itself."""
    endpoint.key = "sk-other"
    client = await start({"messageNotifications": True, "temperature": 9, "maxTokens": 99})
    client.open(URI, "a = ")
    assert await client.texts(URI, 0, 4) == []
    heard = [note["params"] for note in client.notes if note["method"] == "fimLsp/message"]
    assert [(one["cause"], one["type"]) for one in heard] == [("settings", 2), ("key", 1)]
    assert '"temperature"' in heard[0]["message"]
    assert "from 0 to 2" in heard[0]["message"]
    status = await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    assert (status["cause"], status["apiKey"], status["message"]) == ("key", True, heard[1]["message"])
    assert client.messages() == []


async def test_the_status_says_why_a_document_is_left_alone(start, endpoint):
    """Asked of one document, it tells one that is excluded from one whose language is off, and both from one that is not open."""
    client = await start({"languages": {"go": False}})
    documents = {
        URI: ("python", ""),
        "file:///p/a.go": ("go", "language"),
        "file:///p/.env": ("dotenv", "excluded"),
    }
    for uri, (language, _) in documents.items():
        client.open(uri, "a = ", language)

    async def withheld(uri):
        asked = {"command": "fimLsp.status", "arguments": [{"uri": uri}]}
        return (await client.call("workspace/executeCommand", asked))["withheld"]

    assert {uri: await withheld(uri) for uri in documents} == {
        uri: why for uri, (_, why) in documents.items()
    }
    assert await withheld("file:///p/other.py") == "closed"


async def test_nobody_listening_is_said_once(start, endpoint):
    """Connection refused: the server stays up and says it."""
    await endpoint.stop()
    client = await start()
    client.open(URI, "a = \nb = ")
    assert await client.texts(URI, 0, 4) == []
    assert await client.texts(URI, 1, 4) == []
    assert len(client.messages()) == 1


async def test_wrong_settings_are_named_and_defaults_hold(start, endpoint):
    """Each wrong setting is named once; the right ones beside it take effect."""
    client = await start({"maxTokens": "many", "modle": "x", "temperature": 0.5})
    client.open(URI, "a = ")
    await client.texts(URI, 0, 4)
    assert sorted("maxTokens" in m or "modle" in m for m in client.messages()) == [True, True]
    assert endpoint.bodies[0]["temperature"] == 0.5
    assert endpoint.bodies[0]["model"] == "deepseek-flash"


async def test_a_retired_model_names_its_successor(start, endpoint):
    """`deepseek-chat` is answered with the name to use."""
    client = await start({"model": "deepseek-chat"})
    await client.until(client.messages)
    assert "deepseek-flash" in client.messages()[0]


async def test_settings_change_without_a_restart(start, endpoint):
    """What the editor sends takes effect at the next request; so does what it answers when asked."""
    client = await start(settings={"maxTokens": 77})
    client.open(URI, "a = \nb = \n")
    await client.until(lambda: client.pulls == 1)
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    await client.texts(URI, 0, 4)
    client.settings = {"maxTokens": 55}
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    await client.until(lambda: client.pulls == 2)
    await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    await client.texts(URI, 1, 4)
    assert [body["max_tokens"] for body in endpoint.bodies] == [77, 55]


async def test_switched_off_is_off(start, endpoint):
    """Languages that are off, a disabled server and a paused one offer nothing and ask nothing."""
    client = await start({"languages": {"python": False}})
    client.open(URI, "a = ")
    assert await client.texts(URI, 0, 4, explicit=True) == []
    client.open("file:///b.go", "a = ", "go")
    await client.call("workspace/executeCommand", {"command": "fimLsp.toggle"})
    assert await client.texts("file:///b.go", 0, 4) == []
    assert endpoint.bodies == []
    await client.call("workspace/executeCommand", {"command": "fimLsp.toggle"})
    assert await client.texts("file:///b.go", 0, 4) == ["None"]


async def test_a_client_says_whether_to_pause(start, endpoint):
    """At the start, so that a pause outlives the server; and by `fimLsp.toggle`, any number of times."""
    client = await start({"paused": True, "statusNotifications": True})
    client.open(URI, "a = ")
    assert await client.texts(URI, 0, 4, explicit=True) == []
    assert client.messages() == []
    for paused in (True, True, False, False):
        toggle = {"command": "fimLsp.toggle", "arguments": [paused]}
        status = await client.call("workspace/executeCommand", toggle)
        assert status["state"] == ("paused" if paused else "ready")
    assert endpoint.bodies == []
    assert await client.texts(URI, 0, 4) == ["None"]


async def test_off_and_paused_are_told_apart(start):
    """A client hears of `enabled` when it changes, be the server paused or not."""
    client = await start({"paused": True, "statusNotifications": True})
    client.push({"enabled": False})
    await client.until(lambda: not told(client)[-1]["enabled"])
    assert told(client)[-1]["state"] == "paused"
    client.push({"enabled": True})
    await client.until(lambda: told(client)[-1]["enabled"])


def told(client):
    """What the client has heard of the status, oldest first; before that, a status that says nothing."""
    heard = [note["params"] for note in client.notes if note["method"] == "fimLsp/status"]
    return heard or [{"enabled": True, "state": None}]


async def test_explain_shows_what_would_be_sent(start, endpoint):
    """`fimLsp.explain` has the very bytes of the request that follows, their price at once, and no key."""
    client = await start()
    client.open(URI, "a = 1\nb = \nc = 2\n")
    where = {"uri": URI, "position": {"line": 1, "character": 4}}
    told = await client.call("workspace/executeCommand", {"command": "fimLsp.explain", "arguments": [where]})
    assert told["url"] == f"{endpoint.url}/beta/completions"
    await client.texts(URI, 1, 4)
    body = endpoint.bodies[0]
    assert (told["prompt"], told["suffix"], told["model"]) == (body["prompt"], body["suffix"], body["model"])
    assert "sk-test" not in json.dumps(told)
    earlier, live = told["parts"]
    assert (earlier["what"], earlier["characters"], earlier["files"]) == (
        "earlier",
        len("# a.py\n"),
        ["a.py"],
    )
    assert (live["what"], live["characters"], live["lines"]) == ("live", len("a = 1\nb = "), [1, 2])
    assert live["usdNew"] > live["usdKept"] > 0


async def test_the_end_of_stdin_ends_the_process(tmp_path):
    """An editor that vanishes leaves no orphan."""
    client = await Client().start(tmp_path, "--demo")
    await client.initialize()
    client.process.stdin.close()
    assert await asyncio.wait_for(client.ended(), 10) == 1


async def test_requests_out_of_order_are_refused_in_the_protocols_words(tmp_path):
    """Before initialize, after shutdown, unknown, malformed: each request gets its error, and the server lives."""
    client = await Client().start(tmp_path, "--demo")
    early = await client.request("textDocument/completion", {})
    assert early["error"]["code"] == -32002
    await client.initialize()
    assert (await client.request("no/such", {}))["error"]["code"] == -32601
    assert (await client.request("textDocument/inlineCompletion", {"textDocument": 5}))["error"][
        "code"
    ] == -32602
    assert (await client.request("initialize", {"capabilities": {}, "processId": None}))["error"][
        "code"
    ] == -32600
    client.raw(b'Content-Length: 9\r\n\r\n{"broken:')
    client.raw(b"Content-Length: 2\r\n\r\n[]")
    client.raw(b"nonsense\r\n\r\nCONTENT-LENGTH: 4\r\nX: y\r\n\r\nnull")
    client.notify(
        "textDocument/didChange",
        {"textDocument": {"uri": "file:///never", "version": 1}, "contentChanges": []},
    )
    client.notify("textDocument/didChange", {"nothing": True})
    client.notify("$/cancelRequest", {"id": 99})
    client.open(URI, "a = 1\na = ")
    assert isinstance(await client.texts(URI, 10**9, 10**9), list)
    assert (await client.request("shutdown", None, number="text-id"))["result"] is None
    assert (await client.request("textDocument/completion", {}))["error"]["code"] == -32600
    client.notify("exit", None)
    assert await client.ended() == 0
    assert b"Traceback" not in client.stderr


async def test_exit_without_shutdown_is_code_one(tmp_path):
    """As the protocol has it."""
    client = await Client().start(tmp_path, "--demo")
    await client.initialize()
    client.notify("exit", None)
    assert await client.ended() == 1


async def test_the_demo_completes_without_key_or_network(tmp_path):
    """`--demo` is all it takes to see ghost text."""
    client = await Client().start(tmp_path, "--demo")
    await client.initialize()
    client.open(URI, "width, height = 1, 2\narea = width * height\nother = wid\n")
    (text,) = await client.texts(URI, 2, 11)
    assert text == "th * height"
    status = await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    assert (status["state"], status["demo"], status["apiKey"]) == ("ready", True, True)
    where = {"uri": URI, "position": {"line": 2, "character": 11}}
    told = await client.call("workspace/executeCommand", {"command": "fimLsp.explain", "arguments": [where]})
    assert (told["demo"], told["url"]) == (True, "")
    assert await client.stop() == 0


async def test_a_line_of_ten_megabytes_is_completed(start, endpoint):
    """One huge line neither slows nor breaks anything, and what is sent stays bounded."""
    client = await start()
    client.open(URI, "x" * 10_000_000)
    client.type(URI, 0, 10_000_000, " = ")
    assert await client.texts(URI, 0, 10_000_003) == ["None"]
    assert len(endpoint.bodies[0]["prompt"]) < 100_000
    assert endpoint.bodies[0]["prompt"].endswith("xxx = ")


async def test_half_a_surrogate_reaches_nobody(start, endpoint):
    """Half a character in the document does not break the request."""
    client = await start()
    client.open(URI, "s = '\ud83d' + ")
    assert await client.texts(URI, 0, 10) == ["None"]
    json.dumps(endpoint.bodies[0], ensure_ascii=False).encode()


async def accounts(client):
    """Wait until the record of usage is open."""
    while not await client.call("workspace/executeCommand", {"command": "fimLsp.usage"}):
        await asyncio.sleep(0.01)


async def test_usage_is_recorded_and_told(start, endpoint):
    """What was asked, how it ended and what was taken of it stands in the record, and `fimLsp.usage` tells it."""
    endpoint.says = "value + other\n"
    client = await start()
    client.open(URI, "x = ")
    await accounts(client)
    assert await client.texts(URI, 0, 4) == ["value + other"]
    client.type(URI, 0, 4, "value + other")
    total = {"requests": 0}
    while not total[
        "requests"
    ]:  # a request is recorded when its answer has ended, which may be after the text was shown
        await asyncio.sleep(0.01)
        told = await client.call("workspace/executeCommand", {"command": "fimLsp.usage"})
        total = told["total"]
    assert (total["requests"], total["shown"], total["accepted"]) == (1, 1, 1)
    assert float(total["usd"]) > 0
    week = {"command": "fimLsp.usage", "arguments": [{"by": "day", "days": 7}]}
    days = await client.call("workspace/executeCommand", week)
    assert (date.fromisoformat(days["to"]) - date.fromisoformat(days["from"])).days == 6
    assert [group["name"] for group in days["groups"]] == [days["to"]]


async def test_the_balance_is_looked_at_when_it_is_used_up(start, endpoint):
    """A refusal for want of money is followed by a look at what is left, which `fimLsp.usage` tells."""
    endpoint.fault = 402
    client = await start()
    client.open(URI, "x = ")
    await accounts(client)
    assert await client.texts(URI, 0, 4) == []
    async with asyncio.timeout(5):
        while not (told := await client.call("workspace/executeCommand", {"command": "fimLsp.usage"})).get(
            "balance"
        ):
            await asyncio.sleep(0.01)
    assert told["balance"]["amounts"] == [{"currency": "USD", "amount": "9.87"}]


async def test_a_budget_pauses_and_can_be_passed(start, endpoint):
    """At the limit completions pause with one message, and the status says so; `fimLsp.resume` goes on."""
    client = await start({"dailyBudget": 0, "statusNotifications": True})
    client.open(URI, "x = \ny = \n")
    await accounts(client)
    assert await client.texts(URI, 0, 4) == []
    assert await client.texts(URI, 1, 4) == []
    assert ["budget" in message for message in client.messages()] == [True]
    assert endpoint.bodies == []
    now = told(client)[-1]
    assert (now["state"], now["overBudget"], now["usd"]) == ("paused", True, 0.0)
    assert f"fim-lsp: {now['message']}" in client.messages()
    await client.call("workspace/executeCommand", {"command": "fimLsp.resume"})
    assert (told(client)[-1]["state"], told(client)[-1]["overBudget"]) == ("ready", False)
    assert await client.texts(URI, 1, 4) == ["None"]
    status = await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
    usage = await client.call("workspace/executeCommand", {"command": "fimLsp.usage"})
    assert status["usd"] == pytest.approx(usage["total"]["usd"])
    assert status["usd"] > 0
    assert ["budget" in message for message in client.messages()] == [True]


async def test_a_budget_holds_from_the_first_moment(start, endpoint):
    """What is asked while the record is being opened is answered with nothing: it might be over the budget."""
    client = await start({"dailyBudget": 0})
    client.open(URI, "x = \n")
    assert await client.texts(URI, 0, 4, explicit=True) == []
    await accounts(client)
    assert endpoint.bodies == []


async def test_a_bracket_that_the_editor_closed_is_not_doubled(start, endpoint):
    """Typed along into an auto-closed bracket, the rest fits inside it."""
    endpoint.says = "print(value)\n"
    client = await start()
    client.open(URI, "\n")
    assert await client.texts(URI, 0, 0) == ["print(value)"]
    client.type(URI, 0, 0, "print()")
    assert await client.texts(URI, 0, 6) == ["value"]
    assert len(endpoint.bodies) == 1
