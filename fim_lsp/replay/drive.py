"""Who asks during a session, and what they send: a layout, our window alone, or the whole engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import NamedTuple, Protocol
from urllib.parse import quote

from fim_lsp.context.project_context import ProjectContext
from fim_lsp.context.window import Prompt, Window
from fim_lsp.replay.bill import Bill, Meter
from fim_lsp.replay.layouts import Layout
from fim_lsp.replay.session import Ask, Change, Event, Open
from fim_lsp.text.document import Document, Edit, Place
from fim_lsp.text.filetypes import language_of

MOST_TOKENS = 128  # of an answer to a layout's request
TOKEN = 4  # characters that the stand-in for the model says at a time


class Request(NamedTuple):
    """A request that was really made, all the text that was generated for it, and what a live service told of it.

    `told`: tokens of the prompt, of these hits, and tokens of the output.
    """

    prompt: Prompt
    output: str
    told: tuple[int, int, int] | None = None


class Outcome(NamedTuple):
    """What an ask came to: the requests made for it, what was shown, and whether that was known without asking."""

    requests: tuple[Request, ...]
    shown: str
    local: bool = False


class Driver(Protocol):
    """One way of asking, fed with a session's events in order."""

    def open(self, event: Open) -> None:
        """Take in a file; one that is open is replaced."""

    def change(self, event: Change) -> None:
        """Take in a change."""

    async def ask(self, event: Ask) -> Outcome | None:
        """Ask for a completion; None where nobody stops."""

    async def aclose(self) -> None:
        """End what is under way."""


async def played(
    events: Iterable[Event], driver: Driver, meter: Meter, go_on: Callable[[Bill], bool] = lambda _: True
) -> Bill:
    """The bill of a session, played until its end or until `go_on`, called before every stop, is false."""
    bill = meter.bill
    for event in events:
        if isinstance(event, Open):
            driver.open(event)
        elif isinstance(event, Change):
            driver.change(event)
        elif not go_on(bill):
            break
        elif (outcome := await driver.ask(event)) is not None:
            for request in outcome.requests:
                meter.request(*request)
            bill.asks += 1
            bill.local_hits += outcome.local
            bill.shown += bool(outcome.shown)
    await driver.aclose()
    return bill


def said(ask: Ask) -> str:
    """What the stand-in for the model says at a place, the same for everyone who asks there.

    It is right for a while and then wrong, as models are.  How long is drawn from the place: one time in five over
    several lines, three in twenty to the end of the line, and else it goes wrong within the line.
    """
    digest = int.from_bytes(blake2b(f"{ask.path}:{ask.offset}".encode(), digest_size=4).digest(), "big")
    kind, share = (digest & 0xFFFF) / 65536, (digest >> 16) / 65536
    line = ask.truth.partition("\n")[0]
    if kind < 0.2:
        return ask.truth[: max(1, int(len(ask.truth) * min(1.0, 0.2 + share)))]
    if kind < 0.35:
        return line + "\n"
    return f"{line[: int(len(line) * share * 0.8)]}qq_astray{digest % 97}\n"


def uri_of(path: str) -> str:
    """The name of a document in a session."""
    return "file:///session/" + quote(path)


class Texts:
    """The open files as plain texts."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def __getitem__(self, path: str) -> str:
        return self._texts[path]

    def open(self, event: Open) -> None:
        """Take in a file."""
        self._texts[event.path] = event.text

    def change(self, event: Change) -> None:
        """Take in a change."""
        text = self._texts[event.path]
        self._texts[event.path] = text[: event.start] + event.text + text[event.end :]


class Plain:
    """A layout: each ask is a request, and its answer is read to the end."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._texts = Texts()
        self.open, self.change = self._texts.open, self._texts.change

    async def ask(self, event: Ask) -> Outcome:
        """Ask once, whatever was asked before."""
        answer = said(event)[: MOST_TOKENS * TOKEN]
        return Outcome((Request(self._layout(self._texts[event.path], event.offset), answer),), answer)

    async def aclose(self) -> None:
        """Nothing is under way."""


class Documents:
    """The open files as documents, and offsets in them as places."""

    def __init__(self) -> None:
        self._texts = Texts()
        self._open: dict[str, Document] = {}

    def open(self, event: Open) -> Document:
        """Take in a file."""
        self._texts.open(event)
        document = self._open[event.path] = Document(
            uri_of(event.path), language_of(event.path), 0, event.text
        )
        return document

    def change(self, event: Change) -> Edit:
        """Take in a change; what it was in lines."""
        start, end = self.place(event.path, event.start), self.place(event.path, event.end)
        self._texts.change(event)
        return self._open[event.path].change(start, end, event.text)

    def lines(self, path: str) -> list[str]:
        """The lines of a file."""
        return self._open[path].lines

    def place(self, path: str, offset: int) -> Place:
        """The place of an offset."""
        text = self._texts[path]
        return Place(text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset) - 1)


class Windows:
    """Our prompts alone: each ask is a request from its document's window, and its answer is read to the end."""

    def __init__(
        self,
        prefix_chars: int,
        suffix_chars: int,
        project_contexts: Callable[[str], ProjectContext | None] = lambda _: None,
    ) -> None:
        """`project_contexts` gives that of each file, by its path."""
        self._bounds = (prefix_chars, suffix_chars)
        self._project_contexts = project_contexts
        self._documents = Documents()
        self._windows: dict[str, Window] = {}
        self._asked = ""  # the path last asked for

    def open(self, event: Open) -> None:
        """Take in a file, with a new window."""
        if event.path in self._windows:
            self._windows[event.path].left(self._documents.lines(event.path), _name(event.path))
        self._documents.open(event)
        self._windows[event.path] = Window(*self._bounds, self._project_contexts(event.path), event.path)

    def change(self, event: Change) -> None:
        """Take in a change."""
        self._windows[event.path].edited(self._documents.change(event))

    async def ask(self, event: Ask) -> Outcome:
        """Ask once, whatever was asked before."""
        answer = said(event)[: MOST_TOKENS * TOKEN]
        return Outcome((Request(self.prompt(event), answer),), answer)

    def prompt(self, event: Ask) -> Prompt:
        """What is sent for an ask."""
        before = self._asked
        if before and before != event.path:
            self._windows[before].left(self._documents.lines(before), _name(before))
        self._asked = event.path
        place = self._documents.place(event.path, event.offset)
        return self._windows[event.path].prompt(self._documents.lines(event.path), place, _name(event.path))

    def window(self, path: str) -> Window:
        """The window of a file."""
        return self._windows[path]

    async def aclose(self) -> None:
        """Nothing is under way."""


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


class Accepting:
    """A typist who accepts a share of the right suggestions: what they accepted they do not type, nor stop within."""

    def __init__(self, driver: Driver, share: float) -> None:
        self._driver = driver
        self._share = share
        self._ahead: dict[str, str] = {}  # by path, what stands behind the cursor already, accepted

    def open(self, event: Open) -> None:
        """Take in a file."""
        self._ahead.pop(event.path, None)
        self._driver.open(event)

    def change(self, event: Change) -> None:
        """Take in what the change brings beyond what was accepted."""
        ahead = self._ahead.pop(event.path, "")
        if ahead and ahead.startswith(event.text):
            if left := ahead[len(event.text) :]:
                self._ahead[event.path] = left
            return
        at = event.start + len(ahead)
        self._driver.change(Change(event.path, at, event.end + len(ahead), event.text[len(ahead) :]))

    async def ask(self, event: Ask) -> Outcome | None:
        """Ask, and accept or not; None within an accepted text, where nobody stops."""
        if event.path in self._ahead:
            return None
        outcome = await self._driver.ask(event)
        shown = outcome.shown if outcome else ""
        if taken := self.taken(event, shown):
            self._driver.change(Change(event.path, event.offset, event.offset, taken))
            self._ahead[event.path] = taken
        return outcome

    def taken(self, event: Ask, shown: str) -> str:
        """What is accepted of a suggestion: the beginning of what is typed next; "" for nothing."""
        digest = blake2b(f"a{event.path}:{event.offset}".encode(), digest_size=2).digest()
        right = bool(shown) and event.truth.startswith(shown)
        return shown if right and int.from_bytes(digest, "big") < self._share * 65536 else ""

    async def aclose(self) -> None:
        """End what is under way."""
        await self._driver.aclose()
