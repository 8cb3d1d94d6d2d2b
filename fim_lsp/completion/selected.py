"""The entry that an editor's menu has selected: ghost text goes on behind it, as if it stood on the line already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fim_lsp.text.document import Place


class Selected(NamedTuple):
    """The entry's text, and the column (in code points) where it begins on the cursor's line."""

    column: int
    text: str


def with_entry(lines: Sequence[str], place: Place, selected: Selected | None) -> tuple[Sequence[str], Place]:
    """The lines and the place as they are once the selected entry stands on the line."""
    if selected is None:
        return lines, place
    line = lines[place.line]
    changed = line[: selected.column] + selected.text
    return (
        [*lines[: place.line], changed + line[place.column :], *lines[place.line + 1 :]],
        Place(place.line, len(changed)),
    )
