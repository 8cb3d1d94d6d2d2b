"""Kept answers: each question asked once, whatever ends the process; told again as they came."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from fim_lsp.endpoint.dialect import dialects
from fim_lsp.endpoint.look import Found
from fim_lsp.endpoint.request import Refused, Request, Unavailable, Usage
from fim_lsp.replay.answers import AnswersError, Kept, Once, key_of
from fim_lsp.text.confidence import Token

ASKED = Request("def f", "\n", "m", 9, 0.0, ("\n\n",))


class Scripted:
    """A service that says pieces, and then raises what it is told to."""

    def __init__(self, *pieces, error=None):
        self.pieces, self.error = pieces, error
        self.asked = []
        self.closed = 0

    def complete(self, request, *, seconds):
        return self._complete(request)

    @asynccontextmanager
    async def _complete(self, request):
        self.asked.append(request)
        try:
            yield Reply(self)
        finally:
            self.closed += 1


class Reply:
    def __init__(self, service):
        self.usage = self.finish_reason = None
        self.tokens = []
        self._service = service

    async def __aiter__(self):
        at = 0
        for piece in self._service.pieces:
            await asyncio.sleep(0)
            self.tokens.append(Token(at, at + len(piece), -0.25))
            at += len(piece)
            yield piece
        if self._service.error:
            raise self._service.error
        self.usage, self.finish_reason = Usage(7, 3, 2), "stop"


def clock():
    now = 0.0

    def tick():
        nonlocal now
        now += 0.25
        return now

    return tick


async def read(once, request=ASKED, pieces=99, heard=None):
    """What a client hears that closes the stream after so many pieces, and the reply's end."""
    heard = [] if heard is None else heard
    async with once.complete(request, seconds=1) as reply:
        async for piece in reply:
            heard.append(piece)
            if len(heard) == pieces:
                break
    return heard, reply


def once(kept, service=None, **more):
    return Once(kept, service, endpoint="http://x", clock=clock(), **more)


async def test_an_answer_is_asked_for_once_and_told_again(tmp_path):
    """From another process too: pieces, times, bill and end are those of the first time."""
    file = tmp_path / "deep" / "a.jsonl"
    service = Scripted("pa", "ss")
    assert (await read(once(Kept(file), service)))[0] == ["pa", "ss"]
    again = once(Kept(file), service)
    heard, reply = await read(again)
    assert heard == ["pa", "ss"]
    assert (reply.usage, reply.finish_reason) == (Usage(7, 3, 2), "stop")
    assert service.asked == [ASKED]
    assert again.used[0].answer.at == [250, 500]
    assert (again.used[0].text, again.used[0].all_read) == ("pass", True)
    assert file.stat().st_mode & 0o777 == 0o600


async def test_the_file_holds_no_prompt(tmp_path):
    await read(once(Kept(tmp_path / "a.jsonl"), Scripted("x")))
    assert "def f" not in (tmp_path / "a.jsonl").read_text()


@pytest.mark.parametrize(
    "other",
    [
        Request("def g", "\n", "m", 9, 0.0, ("\n\n",)),
        Request("def f", "", "m", 9, 0.0, ("\n\n",)),
        Request("def f", "\n", "n", 9, 0.0, ("\n\n",)),
        Request("def f", "\n", "m", 8, 0.0, ("\n\n",)),
        Request("def f", "\n", "m", 9, 0.5, ("\n\n",)),
        Request("def f", "\n", "m", 9, 0.0, ()),
    ],
)
def test_another_request_is_another_question(other):
    assert key_of(other) != key_of(ASKED) == key_of(ASKED, "")
    assert key_of(ASKED, "baseUrl=http://y") != key_of(ASKED)


async def test_a_line_cut_short_is_asked_for_again(tmp_path):
    """A process killed as it wrote leaves the other answers good, and what is written next is a line of its own."""
    file = tmp_path / "a.jsonl"
    others = [Request(f"def {name}", "", "m", 9, 0.0) for name in "abc"]
    for request in others:
        await read(once(Kept(file), Scripted(request.prefix)), request)
    whole = file.read_bytes()
    file.write_bytes(whole[: whole.rindex(b'"at"')])
    kept, service = Kept(file), Scripted("again")
    assert [(await read(once(kept, service), one))[0] for one in others] == [["def a"], ["def b"], ["again"]]
    assert service.asked == others[2:]
    assert len(Kept(file)) == 3


@pytest.mark.parametrize("text", ["[1]\n", "hello", '{"some": "other"}\n', '{"key": 1}\n', "\x00\n"])
def test_a_file_of_something_else_is_no_file_of_answers(tmp_path, text):
    """And it is not written to."""
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(AnswersError, match="line 1: name another file"):
        Kept(tmp_path / "a.jsonl")
    assert (tmp_path / "a.jsonl").read_text() == text


async def test_who_stops_reading_ends_the_stream(tmp_path):
    """What came until then is kept, and told again as if it were all."""
    service = Scripted(*"abcdefgh")
    kept = Kept(tmp_path / "a.jsonl")
    await read(once(kept, service), pieces=2)
    answer = kept.get(key_of(ASKED))
    assert answer.pieces[:2] == ["a", "b"]
    assert len(answer.pieces) < 8
    assert (answer.whole, answer.usage, service.closed) == (False, None, 1)


async def test_a_whole_answer_is_read_to_its_end(tmp_path):
    """Also where who asked wanted less: another filter may want more."""
    kept = Kept(tmp_path / "a.jsonl")
    await read(once(kept, Scripted(*"abcdefgh"), whole=True), pieces=2)
    answer = kept.get(key_of(ASKED))
    assert ("".join(answer.pieces), answer.whole, answer.usage) == ("abcdefgh", True, Usage(7, 3, 2))
    again = once(kept)
    assert (await read(again, pieces=3))[0] == ["a", "b", "c"]
    assert (again.used[0].text, again.used[0].all_read) == ("abc", False)


async def test_an_answer_that_ran_out_of_time_is_one(tmp_path):
    """Who waited so long saw what had come; told again, the time is over again."""
    late = Unavailable("Too slow.", "deadline")
    kept = Kept(tmp_path / "a.jsonl")
    for service in (Scripted("pa", error=late), None):
        asking, heard = once(kept, service), []
        with pytest.raises(Unavailable, match="T"):
            await read(asking, heard=heard)
        assert heard == ["pa"]
        assert asking.failed is None
    assert json.loads((tmp_path / "a.jsonl").read_text())["error"] == "deadline"


@pytest.mark.parametrize("error", [Unavailable("Gone.", "network"), Refused("No.", "key")])
async def test_what_failed_is_no_answer(tmp_path, error):
    """It is not kept, and why is told."""
    kept = Kept(tmp_path / "a.jsonl")
    asking = once(kept, Scripted("pa", error=error))
    with pytest.raises(type(error)):
        await read(asking)
    assert asking.failed is error
    assert len(kept) == 0
    assert not (tmp_path / "a.jsonl").exists()


async def test_who_is_cancelled_keeps_nothing():
    kept, gate = Kept(None), asyncio.Event()

    class Stalled(Reply):
        async def __aiter__(self):
            yield "pa"
            await gate.wait()

    service = Scripted()
    service._complete = asynccontextmanager(lambda _: stalled())

    async def stalled():
        yield Stalled(service)

    task = asyncio.create_task(read(once(kept, service)))
    for _ in range(9):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(kept) == 0


async def test_without_a_service_what_is_missing_is_named():
    asking = once(Kept(None))
    with pytest.raises(Unavailable):
        await read(asking)
    assert asking.missing == [ASKED]


async def test_what_is_not_allowed_does_not_leave():
    """Each request is asked about before it leaves, and told of when it has been paid."""
    told, service = [], Scripted("x")
    asking = once(
        Kept(None),
        service,
        allows=lambda request: request.prefix != "no",
        spent=lambda request, answer: told.append((request, answer.usage)),
    )
    await read(asking)
    with pytest.raises(Unavailable):
        await read(asking, Request("no", "", "m", 9, 0.0))
    assert service.asked == [ASKED]
    assert told == [(ASKED, Usage(7, 3, 2))]


async def test_what_the_endpoint_is_is_kept_too(tmp_path):
    """Prompts are made to fit it, also when nothing is asked any more; each way of asking has its own."""
    found = Found(dialects()["llama.cpp"], "q", context_tokens=4096, version="9", setting="m")
    service = Scripted("x")

    async def meet():
        return found

    service.meet = meet
    file = tmp_path / "a.jsonl"
    for _ in range(2):
        assert (await once(Kept(file), service, model="m").meet()).context_tokens == 4096
    assert len(file.read_text().splitlines()) == 1
    kept = Kept(file)
    told = await once(kept, model="m").meet()
    assert (told.dialect, told.model, told.context_tokens, told.setting) == (found.dialect, "q", 4096, "m")
    assert await once(kept, model="m").meet() is told
    assert await once(kept, model="other").meet() is None
    assert len(kept) == 0


async def test_log_probabilities_are_kept_where_they_are_asked_for(tmp_path):
    """Told again with the text; an answer that is kept without them is none for who wants them, and one with them is for all."""
    service, file = Scripted("ab", "c"), tmp_path / "a.jsonl"
    wanted = replace(ASKED, logprobs=True)
    tokens = [Token(0, 2, -0.25), Token(2, 3, -0.25)]

    async def ask(request, service, **how):
        once = Once(Kept(file), service, endpoint="http://x", whole=True, clock=clock(), **how)
        async with once.complete(request, seconds=1) as reply:
            return "".join([piece async for piece in reply]), list(reply.tokens)

    assert (await ask(ASKED, service))[0] == "abc"
    assert "tokens" not in json.loads(file.read_text())
    with pytest.raises(Unavailable):
        await ask(wanted, None)
    assert await ask(ASKED, None) == ("abc", [])
    assert await ask(wanted, service) == ("abc", tokens)
    assert [request.logprobs for request in service.asked] == [False, True]
    assert await ask(wanted, None) == await ask(ASKED, None) == ("abc", tokens)
    other = replace(ASKED, prefix="def g")
    await ask(other, service, logprobs=True)
    assert await ask(replace(other, logprobs=True), None) == ("abc", tokens)


@pytest.mark.parametrize("tokens", [7, [7], [[1, 2]], [["a", 1, -1]], [[0, 1, None]], {"a": 1}])
def test_log_probabilities_that_are_none_are_no_answer(tmp_path, tokens):
    """A line that somebody has changed is passed over, or named."""
    file = tmp_path / "a.jsonl"
    row = {"key": "k", "endpoint": "e", "model": "m", "pieces": [], "at": [], "finish": None, "usage": None}
    file.write_text(json.dumps({**row, "error": "", "whole": True, "tokens": tokens}) + "\n")
    with pytest.raises(AnswersError):
        Kept(file)
