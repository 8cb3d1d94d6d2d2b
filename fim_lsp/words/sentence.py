"""A sentence for the user, or a part of one: English as it stands, and all that it takes to say it otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Self


class Sentence(str):
    """Its English, which it is; the `template` that the catalogue knows, and the `values` in it.

    A template is written out where its sentence is made, with `{name}` where a value stands; a value may be a sentence.
    """

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Fill the template in."""
        return cls._made(filled(template, values), template, values)

    @classmethod
    def of(cls, text: str) -> Sentence:
        """A text as a sentence: one that is none yet is said alike in every language."""
        return text if isinstance(text, Sentence) else cls("{text}", text=text)

    def through(self, change: Callable[[str], str]) -> Self:
        """The same sentence with its English and each of its values changed, as without hidden characters."""
        values = {
            name: value.through(change) if isinstance(value, Sentence) else change(str(value))
            for name, value in self.values.items()
        }
        return self._made(change(str(self)), self.template, values)

    @classmethod
    def _made(cls, text: str, template: str, values: Mapping[str, object]) -> Self:
        made = super().__new__(cls, text)
        made.template, made.values = template, values
        return made


def filled(template: str, values: Mapping[str, object]) -> str:
    """A template with its values in their places; braces that name none of them stay, as those within a value do."""
    return re.sub(
        r"\{(\w+)\}", lambda found: str(values[found[1]]) if found[1] in values else found[0], template
    )


def listed(parts: list[Sentence]) -> Sentence:
    """At least one part, as a list in words."""
    return reduce(lambda first, then: Sentence("{first}, {then}", first=first, then=then), parts)


NOTHING = Sentence("")
