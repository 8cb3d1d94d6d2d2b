"""How a family of models was trained to fill in the middle: a prompt rendered here, and where its answer ends."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fim_lsp.endpoint.filters import any_of
from fim_lsp.words.sentence import Sentence

TABLE = Path(__file__).with_name("templates.toml")


@dataclass(frozen=True, slots=True)
class Template:
    """One family's prompt, in its order of training; `around` is how it is shown other files, "" where it knows none.

    `tokens` are the family's marks: no user's text may hold them, and an answer ends at the first.  `stop` is what the
    engine is told to end at.
    """

    name: str
    prompt: str
    around: str
    tokens: tuple[str, ...]
    stop: tuple[str, ...]

    def render(self, context: str, prefix: str, suffix: str, path: str = "", *, alone: str = "") -> str:
        """The prompt; `context` precedes the prefix, `path` is the file's name, `alone` the form without a suffix."""
        form = alone if alone and not suffix else self.prompt
        if "{context}" not in form:
            context, prefix = "", self.clean(context + prefix)
        else:
            context, prefix = self.clean(context), self.clean(prefix)
        parts = {"prefix": prefix, "suffix": self.clean(suffix), "path": self.clean(path)}
        if context and self.around:
            context = _filled(self.around, {**parts, "context": context})
        return _filled(form, {**parts, "context": context})

    def clean(self, text: str) -> str:
        """The text without the family's tokens; a blank stands for those that taking one out has made."""
        if not any(token in text for token in self.tokens):
            return text
        expression = any_of(self.tokens)
        return expression.sub(" ", expression.sub("", text))


@cache
def families() -> Mapping[str, Template]:
    """Every row of the table, by name; read when it is first needed."""
    return {name: _template(name, row) for name, row in _rows().items()}


def family_of(model: str) -> Template | None:
    """The family that a model's name tells; None where it tells none."""
    for name, row in _rows().items():
        if any(re.search(expression, model, re.IGNORECASE) for expression in row["models"]):
            return families()[name]
    return None


def chosen(setting: str | Mapping[str, Any], *models: str) -> Template | None:
    """The template that the setting names or describes; with "auto", the one that the first telling name has."""
    if isinstance(setting, Mapping):
        return own(str(setting["prompt"]), tuple(setting.get("stop", ())))
    if setting != "auto":
        return families().get(setting)
    return next((found for found in map(family_of, models) if found is not None), None)


def own(prompt: str, stop: tuple[str, ...]) -> Template:
    """A user's own template; what stands between its places are its tokens."""
    tokens = dict.fromkeys(token for part in _PLACE.split(prompt) for token in _tokens(part))
    return Template(Sentence("your own"), prompt, "", tuple(tokens), tuple(dict.fromkeys((*stop, *tokens))))


def _tokens(literal: str) -> list[str]:
    marks = _MARK.findall(literal)
    bare = literal.strip()
    return marks or ([bare] if len(bare) > 1 else [])


def _filled(form: str, parts: Mapping[str, str]) -> str:
    """The form with every place filled at once: what stands in one part is no place in another."""
    return _PLACE.sub(lambda place: parts.get(place[0][1:-1], ""), form)


def _template(name: str, row: Mapping[str, Any]) -> Template:
    tokens = tuple(row["tokens"])
    return Template(name, row["prompt"], row.get("around", ""), tokens, tuple(row.get("ends", tokens)))


@cache
def _rows() -> Mapping[str, Any]:
    table: Mapping[str, Any] = tomllib.loads(TABLE.read_text("utf-8"))["families"]
    return table


_PLACE = re.compile(r"(?:\{context\}|\{prefix\}|\{suffix\}|\{path\})")
_MARK = re.compile(r"▁?<[^<>\s]{1,60}>|\[[^\[\]\s]{1,60}\]")
