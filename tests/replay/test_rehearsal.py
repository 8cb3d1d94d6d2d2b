import asyncio

import pytest

from fim_lsp.demo.endpoint import Demo
from fim_lsp.demo.transport import DemoTransport
from fim_lsp.endpoint.service import Service
from fim_lsp.replay import layouts
from fim_lsp.replay.bill import Encoder, Meter
from fim_lsp.replay.drive import Accepting, Outcome, Plain, Windows, played, said
from fim_lsp.replay.rehearsal import Rehearsal
from fim_lsp.replay.session import Ask, Change, Open
from fim_lsp.settings.settings import Settings

HEAD = "".join(f"value_{n} = {n}\n" for n in range(40)) + "\n\n"
TAIL = "\n\ndef after():\n    return 0\n"
TYPED = "def compute(first, second):\n    total = first + second\n    for item in range(total):\n        print(item, total)\n    return total\n"


def typing(text=TYPED, every=4):
    """A session in one file: a text typed letter by letter, with a stop at every few letters."""
    yield Open("a.py", HEAD + TAIL)
    for n, letter in enumerate(text):
        yield Change("a.py", len(HEAD) + n, len(HEAD) + n, letter)
        if n % every == 0 and text[n + 1 :].strip():
            yield Ask("a.py", len(HEAD) + n + 1, text[n + 1 :])


class Heard:
    """A driver that writes down what is asked of it, and passes it on."""

    def __init__(self, driver):
        self._driver = driver
        self.asked = []
        self.open, self.change, self.aclose = driver.open, driver.change, driver.aclose

    async def ask(self, event):
        outcome = await self._driver.ask(event)
        self.asked.append((event, outcome))
        return outcome


def play(driver, events=None):
    heard = Heard(driver)
    bill = asyncio.run(played(events or typing(), heard, Meter("m", Encoder(exact=False))))
    return bill, heard.asked


def test_the_model_is_right_for_a_while_and_the_same_for_everyone():
    """What the model says depends on the place alone, begins as the truth does or goes wrong within the line."""
    asks = [Ask("a.py", offset, TYPED) for offset in range(400)]
    right = sum(TYPED.startswith(said(ask)) for ask in asks)
    assert [said(ask) for ask in asks] == [said(ask) for ask in asks]
    assert 0.25 < right / len(asks) < 0.45
    assert all(said(ask)[: 1 if said(ask)[0] == "d" else 0] in ("", "d") for ask in asks)
    assert len({said(ask) for ask in asks}) > 100


def test_the_engine_asks_with_what_stands_around_the_cursor():
    """Every request is the window of the engine at its ask."""
    bill, asked = play(Rehearsal(Settings()))
    requests = [(ask, request) for ask, outcome in asked for request in outcome.requests]
    assert 0 < len(requests) == len(bill.sent) < bill.asks == len(asked)
    for ask, request in requests:
        typed = TYPED[: ask.offset - len(HEAD)]
        assert (HEAD + typed).endswith(request.prompt.prefix.split("\n")[-1])
        assert request.prompt.suffix
        assert request.prompt.suffix in TAIL


def test_what_is_typed_along_a_suggestion_is_answered_locally():
    """An ask is answered locally, or by requests, or not wanted in the middle of a word; never two of them."""
    bill, asked = play(Rehearsal(Settings()))
    assert bill.local_hits > 0
    assert not any(outcome.local and outcome.requests for _, outcome in asked)
    assert bill.local_hits + len(bill.sent) == bill.asks


def test_a_stream_that_was_cut_is_billed_to_where_it_was_cut():
    """Output that the engine stopped reading is not billed."""
    _, asked = play(Rehearsal(Settings(multiline="never")))
    pairs = [(said(ask), outcome.requests[0].output) for ask, outcome in asked if outcome.requests]
    assert all(answer.startswith(output) for answer, output in pairs)
    assert any(len(output) < len(answer) for answer, output in pairs)


def test_a_session_plays_the_same_twice():
    assert play(Rehearsal(Settings()))[0] == play(Rehearsal(Settings()))[0]


def test_settings_that_switch_completions_off_do_not_empty_the_replay():
    off = Settings(enabled=False, languages={"python": False}, debounce_ms=900.0, api_key=None)
    assert play(Rehearsal(off))[0].sent == play(Rehearsal(Settings()))[0].sent


def test_a_live_service_is_heard_for_what_it_bills():
    """Against a service that is connected to, requests carry its own count where the stream was read to its end."""
    demo = Demo(first_token_s=0, token_s=0)
    live = Rehearsal(
        Settings(api_key="sk-x", debounce_ms=0),
        lambda _: Service("http://x.invalid", "sk-x", transport=DemoTransport(demo)),
    )
    _, asked = play(live)
    requests = [request for _, outcome in asked for request in outcome.requests]
    told = [request.told for request in requests if request.told]
    assert len(requests) == demo.totals.requests
    assert told
    assert all(0 <= hits <= prompt for prompt, hits, _ in told)


def test_a_service_that_refuses_is_a_problem_and_no_request():
    live = Rehearsal(
        Settings(api_key="sk-x"),
        lambda _: Service("http://x.invalid", "sk-x", transport=DemoTransport(Demo(fault="401"))),
    )
    bill, _ = play(live)
    assert bill.sent == []
    assert [problem.cause for problem in live.problems] == ["key"]


@pytest.mark.parametrize("driver", [Plain(layouts.naive), Windows(24_000, 600)])
def test_a_layout_asks_at_every_stop(driver):
    bill, asked = play(driver)
    assert len(bill.sent) == bill.asks == len(asked)
    ask, outcome = asked[-1]
    assert outcome.requests[0].prompt.prefix.endswith(HEAD + TYPED[: ask.offset - len(HEAD)])


def test_a_session_ends_where_it_is_told_to():
    meter = Meter("m", Encoder(exact=False))
    bill = asyncio.run(played(typing(), Plain(layouts.naive), meter, lambda bill: bill.asks < 3))
    assert bill.asks == len(bill.sent) == 3


class Knowing:
    """A driver that suggests the next letters, always rightly, and keeps the text."""

    def __init__(self):
        self.text = ""

    def open(self, event):
        self.text = event.text

    def change(self, event):
        assert 0 <= event.start <= event.end <= len(self.text)
        self.text = self.text[: event.start] + event.text + self.text[event.end :]

    async def ask(self, event):
        return Outcome((), event.truth[:7])

    async def aclose(self):
        pass


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_who_accepts_types_the_rest(share):
    """Accepted or typed, the file ends the same; who accepts stops less often."""
    driver = Knowing()
    bill = asyncio.run(played(typing(), Accepting(driver, share), Meter("m", Encoder(exact=False))))
    assert driver.text == HEAD + TYPED + TAIL
    stops = sum(isinstance(event, Ask) for event in typing())
    assert bill.asks == stops if share == 0 else bill.asks < stops


def test_what_is_deleted_after_accepting_elsewhere_is_deleted():
    """A deletion is passed on where nothing was accepted."""
    driver = Knowing()
    accepting = Accepting(driver, 1.0)
    accepting.open(Open("a.py", "abc"))
    accepting.change(Change("a.py", 1, 2, ""))
    assert driver.text == "ac"


def test_a_session_takes_no_more_requests_than_it_did():
    """A rule that keeps more back asks more often, which nothing else would show."""
    names = [f"f_{n}" for n in range(8)]
    text = "".join(TYPED.replace("compute", name).replace("total", f"sum_{name}") + "\n\n" for name in names)
    bill, _ = play(Rehearsal(Settings()), typing(text, every=5))
    assert bill.asks == 216
    assert len(bill.sent) <= 46
    assert bill.shown >= 207
