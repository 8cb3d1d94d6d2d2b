"""A place as the model and the trimming see it, taken before any waiting: the text may move on."""

from __future__ import annotations

from dataclasses import dataclass

from fim_lsp.completion import commit_message
from fim_lsp.completion.answer_cache import Spot
from fim_lsp.context.window import Prompt
from fim_lsp.endpoint.request import Request
from fim_lsp.text.characters import Holds
from fim_lsp.text.confidence import Doubt
from fim_lsp.text.early_stop import Ending
from fim_lsp.text.extent import MOST_STOPS, Extent
from fim_lsp.text.indentation import Indent
from fim_lsp.text.postprocess import Insertion, Tidied, tidy

# Characters before the cursor that trimming looks at, of the document itself: prompts show parts of it, one behind the other.
BEFORE = 100_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked at a place, and all that it takes to tell when the answer is complete and what of it is inserted."""

    uri: str
    prompt: Prompt
    before: str  # what stands before the cursor in the document, which the prompt may show parts of
    after: str
    spot: Spot
    extent: Extent
    temperature: float
    language: str
    line_end: str
    holds: Holds
    indent: Indent | None
    context: int  # characters of the prefix that are not of the passage at the cursor
    path: str  # the file's name
    made: tuple[int, int]  # when: what is taken back later than that must not be in it
    confidence: float | None = None  # below which a text is not shown; None: all of it is
    never: str = (
        ""  # what no line of an answer begins with: the mark of comments that are not part of the text
    )

    def request(self, model: str, temperature: float, lead: str = "", *, held: bool = False) -> Request:
        """The question as the endpoint's client takes it, without a `lead` that the model is to say again.

        `held`: the answer is held to begin with it.
        """
        return Request(
            prefix=self.prompt.prefix.removesuffix(lead),
            suffix=self.prompt.suffix,
            model=model,
            max_tokens=self.extent.max_tokens,
            temperature=temperature,
            stop=(f"{self.line_end}{self.never}", *self.extent.stop)[:MOST_STOPS]
            if self.never
            else self.extent.stop,
            context=self.context,
            path=self.path,
            logprobs=self.confidence is not None,
            begins=lead if held else "",
        )

    def ending(self) -> Ending:
        """What tells when an answer has said enough."""
        return Ending(self.before, self.after, self.language, self.extent, self.holds)

    def doubt(self, *, explicit: bool) -> Doubt | None:
        """What tells how far an answer is sure; None where it is shown whatever it is."""
        return None if self.confidence is None else Doubt(self.confidence, granted=explicit)

    def tidied(self, raw: str, *, cut: bool = False) -> Tidied:
        """What of an answer is worth inserting; `cut` where it was cut off before its end."""
        about = self.before, self.after, self.language, self.extent, self.line_end
        found = tidy(raw, *about, cut=cut, holds=self.holds, indent=self.indent)
        return Tidied(*map(self._without_comments, found)) if self.never else found

    def _without_comments(self, found: Insertion) -> Insertion:
        return found._replace(text=commit_message.without_comments(found.text, self.spot.head, self.never))
