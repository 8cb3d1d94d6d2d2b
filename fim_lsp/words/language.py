"""The language of one client, by its locale, and sentences in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from fim_lsp.words.sentence import Sentence, filled

_CATALOGUE = Path(__file__).with_name("sentences.toml")
_LONGEST = 100  # characters of a locale that are looked at


class Language:
    """A client's language; English needs no catalogue, which is read with the first sentence in another."""

    def __init__(self, locale: object = None) -> None:
        """`locale` as the client has it: a tag (`zh-CN`), or a name of POSIX (`zh_CN.UTF-8`); anything else is English.

        All Chinese is said in simplified characters, which are closer to traditional ones than English is.
        """
        self.name = "zh" if _is_chinese(locale) else "en"

    def say(self, sentence: str) -> str:
        """A sentence in this language; what the catalogue lacks, or what is none, as it stands."""
        if self.name == "en" or not isinstance(sentence, Sentence):
            return str(sentence)
        template = self._known.get(sentence.template, sentence.template)
        values = {
            name: self.say(value) if isinstance(value, str) else value
            for name, value in sentence.values.items()
        }
        return filled(template, values)

    def say_in(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """An answer to a command, with the sentences that stand in it said."""
        return {name: self.say(one) if isinstance(one, Sentence) else one for name, one in answer.items()}

    @cached_property
    def _known(self) -> Mapping[str, str]:
        return catalogue()[self.name]


def catalogue() -> dict[str, dict[str, str]]:
    """By language, each English template and what it is there; a language may lack none."""
    import tomllib  # noqa: PLC0415 - few need it before they are greeted

    rows = tomllib.loads(_CATALOGUE.read_text("utf-8"))["sentence"]
    return {language: {row["en"]: row[language] for row in rows} for language in ("en", "zh")}


def _is_chinese(locale: object) -> bool:
    return isinstance(locale, str) and bool(
        re.match(r"\s*zh(?:[-_.@\s]|$)", locale[:_LONGEST], re.IGNORECASE)
    )
