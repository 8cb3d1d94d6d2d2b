"""The documents that are open, and what their prompts may show: windows, project contexts, what is never sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote

from fim_lsp.completion import answer_cache, beside, buffers, commit_message, notebooks
from fim_lsp.completion.beside import Besides
from fim_lsp.completion.ghost import Acceptance
from fim_lsp.completion.never_sent import NeverSent
from fim_lsp.completion.open_document import OpenDocument
from fim_lsp.completion.question import BEFORE, Question
from fim_lsp.completion.room import Room
from fim_lsp.context.project_context import Map, Opening
from fim_lsp.context.project_contexts import Key, ProjectContexts
from fim_lsp.context.window import Parts, Window
from fim_lsp.privacy import patch
from fim_lsp.privacy.secrets import Redactor
from fim_lsp.settings.language_names import COMMITS
from fim_lsp.settings.settings import Settings
from fim_lsp.text.confidence import threshold
from fim_lsp.text.document import Document, Edit, Place, before_place
from fim_lsp.text.extent import extent
from fim_lsp.text.language import language
from fim_lsp.text.syntax import AFTER, AFTER_LINES

LEFT = 64  # windows of closed documents that are kept
UNNAMED = 4  # closed buffers without a name that may come back under one


class Documents:
    """What is open, by URI, and what prompts have shown of it; `settings` are those in force."""

    def __init__(
        self,
        settings: Settings,
        acceptance: Acceptance,
        ignored: Callable[[str], str],
        forgotten: Callable[[str], None],
    ) -> None:
        """`ignored` gives the ignore file that keeps a path home; `forgotten` hears of documents to be known no more."""
        self.settings = settings
        self.room = Room()
        self.paused = False
        self.notebooks = notebooks.Notebooks()
        self._acceptance = acceptance
        self.never_sent = NeverSent(lambda: self.settings.exclude, ignored)
        self._forgotten = forgotten
        self._open: dict[str, OpenDocument] = {}
        self._besides = Besides(self._open, self.notebooks, self.never_sent, lambda: self.settings)
        self._contexts = ProjectContexts()
        self._asked = ""  # the document last asked for
        self._redactor = Redactor()
        self._left: dict[str, Window] = {}  # of closed documents, which may come back
        self._unnamed: deque[tuple[str, str]] = deque(maxlen=UNNAMED)  # URI and text of closed buffers
        self._touched: dict[str, Sequence[str]] = {}  # whose logged lines may no longer stand; their lines
        self._taken = 0  # how often something was taken back that prompts may have shown

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._open))

    def get(self, uri: str) -> OpenDocument | None:
        """The open document of that name."""
        return self._open.get(uri)

    def offers(self, opened: OpenDocument) -> bool:
        """Whether anything is ever offered in a document as things stand."""
        return not (self.paused or opened.secret or not self.settings.of(opened.document.language).enabled)

    def withheld(self, uri: str) -> str:
        """Why nothing is offered in a document, whatever the server's state: "closed" (it is not open here), "excluded",
        "language" (it is off in this one); empty where something is.
        """
        opened = self._open.get(uri)
        if opened is None:
            return "closed"
        if opened.secret:
            return "excluded"
        return "" if self.settings.of(opened.document.language).enabled or self.settings.off else "language"

    def open(self, document: Document, notebook: str) -> str | None:
        """Take a document in, which is not open, or a cell of the notebook with that URI.

        Where it is what a buffer without a name was saved as, the URI of that.
        """
        message = not notebook and commit_message.written(document.uri, document.language)
        if message:
            document.language = COMMITS
        language(document.language)  # loaded here, not at the first key
        secret = self.never_sent.document(document.uri, notebook)
        window, left = self._window(document, notebook, secret=secret), self._left.pop(document.uri, None)
        if left is not None and left.project_context is window.project_context:
            window = left
            window.reopened(document.lines)
        opened = OpenDocument(document, window, secret=secret, notebook=notebook, message=message)
        opened.silent = buffers.silent(document.uri, document.language)
        self._open[document.uri] = opened
        self._doubt(document.uri, document.lines if window.project_context is not None else ())
        self._recall(opened)
        unnamed = [(uri, one.document.text) for uri, one in self._open.items() if buffers.unnamed(uri)]
        return None if secret else buffers.saved_as(document, [*unnamed, *self._unnamed])

    def touched(self, opened: OpenDocument, edit: Edit) -> None:
        """A document was edited: what was logged of it may no longer stand, and other cells know another one."""
        self._touched[opened.document.uri] = opened.document.lines
        if opened.notebook:
            self._besides.of(opened)  # before its window hears of the change
        elif opened.message and commit_message.tells(edit, opened.document.lines):
            opened.beside = None
        for cell in self.notebooks.cells(opened.document.uri):
            if cell.uri != opened.document.uri:
                self._rearrange(cell.uri)

    def arrange(self, notebook: str, start: int, gone: int, cells: Sequence[notebooks.Cell]) -> None:
        """So many of a notebook's cells from `start` on are gone, and others stand there: each knows other ones now."""
        self.notebooks.splice(notebook, start, gone, cells)
        for cell in self.notebooks.held(notebook):
            self._rearrange(cell.uri)

    def saved(self, uri: str) -> None:
        """Take note that a document's file holds its text now."""
        if (opened := self._open.get(uri)) is not None:
            opened.unsaved = False

    def close(self, uri: str) -> OpenDocument | None:
        """Let a document go, and end what is under way for it; its window is kept for a while."""
        opened = self._open.pop(uri, None)
        if opened is not None:
            self._leave(opened)
            if not (opened.notebook or opened.message):
                self._left[uri] = opened.window
            if len(self._left) > LEFT:
                del self._left[next(iter(self._left))]
            if buffers.unnamed(uri) and not opened.secret:
                self._unnamed.append((uri, opened.document.text))
            opened.silence(self._acceptance)
            for other in self._open.values():
                self._recall(other)
        return opened

    def kept(self) -> set[str]:
        """The documents that are not open, of which prompts may show something."""
        return (self._left.keys() | self._contexts.documents()) - self._open.keys()

    def rest(self, uri: str, text: str | None) -> None:
        """Learn what the file of a document that is not open holds now; None if there is none any more."""
        if uri in self._open:
            return
        if text is None:
            self.forget(uri)
        else:
            self._doubt(uri, Document(uri, "", 0, text).lines)

    def forget(self, uri: str) -> None:
        """Show nothing more of what was edited in a document, nor what was shown of it while it was open before."""
        self._doubt(uri, ())
        self._left.pop(uri, None)
        self._forgotten(uri)
        if (opened := self._open.get(uri)) is not None:
            opened.window.disown()
        self._take_back()

    def renamed(self, old: str, new: str) -> None:
        """A file or folder has another name now: one under which it is never sent takes effect at once."""
        for uri in [*self._open, *self.kept()]:
            if uri != old and not uri.startswith(f"{old.rstrip('/')}/"):
                continue
            self.forget(uri)
            opened = self._open.get(uri)
            if opened is not None and self.never_sent.document(new + uri.removeprefix(old), opened.notebook):
                opened.secret = True
                opened.silence(self._acceptance)
                opened.window = self._window(opened.document, opened.notebook, secret=True)

    def idle(self) -> None:
        """Nobody types: what prompts open with may change."""
        self._contexts.rest()

    def folders(self, uris: Iterable[str]) -> None:
        """Learn the workspace's folders, and what their ignore files say now; each has its own map and log of edits."""
        roots = self.never_sent.roots = frozenset(uri.rstrip("/") + "/" for uri in uris)
        self._contexts.folders(roots)
        self.begin_anew(maps=True)

    def recheck(self) -> None:
        """Look again at which documents are never sent: an ignore file says something else."""
        for opened in self._open.values():
            if opened.message:
                opened.beside = None
        if any(
            self.never_sent.document(name, opened.notebook) is not opened.secret
            for name, opened in self._open.items()
        ):
            self.begin_anew(maps=True)

    def draw(self, maps: Mapping[Key, Map]) -> None:
        """Take in maps of folders and packages, of families of languages and levels."""
        others = self._contexts.packages(
            key.folder for key in maps if key.folder not in self.never_sent.roots
        )
        grown = [self._contexts.learn(key, newer) for key, newer in maps.items()]
        if others:
            self.begin_anew(maps=False)
        for context in grown:
            if context is not None:
                for opened in self._open.values():
                    opened.window.renew(context)

    def near(self, uri: str, found: Map) -> None:
        """Take in what a document imports: its prompts open with it the next time that they open anew."""
        opened = self._open.get(uri)
        if opened is not None:
            opened.window.imports(found)

    def begin_anew(self, *, maps: bool) -> None:
        """Begin all windows and contexts anew, after something on which they depend, or what `maps` may show, has changed."""
        self._contexts.forget(maps=maps)
        self._left.clear()
        self._unnamed.clear()
        self._touched.clear()
        self._taken += 1
        for opened in self._open.values():
            opened.secret = self.never_sent.document(opened.document.uri, opened.notebook)
            # What is about to be asked may show what is to stay home now.
            if maps or not self.offers(opened):
                opened.silence(self._acceptance)
            opened.window = self._window(opened.document, opened.notebook, secret=opened.secret)
            opened.beside = None

    def question(self, opened: OpenDocument, lines: Sequence[str], place: Place) -> Question:
        """What is asked at a place of these lines, with nothing in it that is never sent."""
        document = opened.document
        last, self._asked = self._open.get(self._asked), document.uri
        if last is not None and last is not opened:
            self._leave(last)
        self._take_back()
        held, never = self._besides.of(opened), ""
        if opened.message:
            message = commit_message.buffer(lines)
            text = self.never_sent.sendable(document, lines[: message.end])
            prompt, after = beside.message(self._redactor, held, message, text, place)
            before, never = prompt.prefix, message.mark
            live = len(prompt.prefix) - sum(map(len, held.lines))
            opened.window.parts = Parts(Opening(), len(prompt.prefix) - live, live, 0, place.line)
        else:
            shown, there = held.with_(self.never_sent.sendable(opened.document, lines), place)
            prompt = opened.window.prompt(shown, there, name_of(opened.notebook or document.uri))
            before, after = (
                before_place(shown, there, BEFORE),
                self._redactor.shown(shown).after(there, AFTER, AFTER_LINES),
            )
        chosen = self.settings.of(document.language)
        form = extent(before, after, document.language, chosen.multiline, chosen.max_tokens)
        inside = form.surroundings.inside if form.surroundings else ""
        return Question(
            uri=document.uri,
            prompt=prompt,
            before=before,
            after=after,
            spot=answer_cache.spot(held.name, lines, place, document.language, inside),
            extent=form,
            temperature=chosen.temperature,
            language=document.language,
            line_end=document.line_end,
            holds=document.holds,
            indent=document.indent,
            context=len(prompt.prefix) - opened.window.here,
            path=name_of(opened.notebook or document.uri),
            made=(self._taken, opened.cuts),
            confidence=threshold(chosen.confidence),
            never=never,
        )

    def name(self, opened: OpenDocument) -> str:
        """By what a document's answers are known: another name where other cells stand above it."""
        return self._besides.of(opened).name

    def stands(self, opened: OpenDocument, question: Question) -> bool:
        """Whether a question may still be asked: nothing was taken back since, and the document is still offered in."""
        self._take_back()
        return question.made == (self._taken, opened.cuts) and self.offers(opened)

    def rehearsal(self) -> Question:
        """A question about a document that nobody has: what the first real one would load is loaded."""
        document = Document("", "python", 0, "x = 1\n")  # with a digit, so that it is looked at for secrets
        opened = OpenDocument(document, self._window(document, secret=True))
        return self.question(opened, document.lines, Place(0, 4))

    def _rearrange(self, uri: str) -> None:
        """Other cells stand above a cell, or their text is another."""
        opened = self._open.get(uri)
        if opened is not None and opened.beside is not None:
            opened.beside = None
            opened.cuts += 1
            opened.cancel_streams()
            opened.window = self._window(opened.document, opened.notebook, secret=opened.secret)

    def _leave(self, opened: OpenDocument) -> None:
        """Have what was edited in a document logged: another one is worked on."""
        if opened.message:
            return
        lines, _ = self._besides.of(opened).with_(opened.document.lines, Place(0, 0))
        opened.window.left(lines, name_of(opened.notebook or opened.document.uri))

    def _window(self, document: Document, notebook: str = "", *, secret: bool) -> Window:
        uri, language = document.uri, document.language
        how = "off" if secret or patch.may_hold(uri, language) else self.settings.shown(language)
        context = self._contexts.of(notebook or uri, language, how)
        return self.room.window(self.settings, context, uri, self._redactor, language)

    def _doubt(self, uri: str, lines: Sequence[str]) -> None:
        """What was logged of a document is to be looked for in these lines."""
        self._contexts.doubt(uri)
        self._touched[uri] = lines

    def _take_back(self) -> None:
        """Have the logs drop what no longer stands in documents that have changed."""
        touched, self._touched = self._touched, {}
        for uri, lines in touched.items():
            self._taken += self._contexts.settle(uri, lines, self._redactor.shown(lines))

    def _recall(self, opened: OpenDocument) -> None:
        """A secret document that was known under another name, now closed, is to be known no more."""
        if opened.secret:
            lines = opened.document.lines
            for uri in self._contexts.recall(lines + self._redactor.shown(lines)[:], self._open):
                self.forget(uri)


def name_of(uri: str) -> str:
    """The file's name, as the model is told it: nothing of the folders it is in."""
    name = unquote(uri.rsplit("/", 1)[-1])
    return name.removeprefix("untitled:").rsplit("\\", 1)[-1] if uri.startswith("untitled:") else name
