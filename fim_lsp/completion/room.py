"""How much of a document prompts show: what an engine takes, within the settings."""

from __future__ import annotations

from typing import NamedTuple

from fim_lsp.context.project_context import ProjectContext
from fim_lsp.context.window import Window
from fim_lsp.endpoint.pace import Shown
from fim_lsp.privacy.secrets import Redactor
from fim_lsp.settings.settings import Settings


class Room(NamedTuple):
    """The most characters that an engine takes of a prefix, of its part at the cursor, and of a suffix; 0: no bound.

    `shown`: what it is worth being shown of the file, within that.
    """

    prefix: int = 0
    live: int = 0
    suffix: int = 0
    shown: Shown = Shown()

    def within(self, settings: Settings) -> tuple[int, int]:
        """Both bounds of the settings, or less."""
        most = settings.most_suffix(self.shown.suffix)
        return min(settings.prefix_chars, self.prefix or settings.prefix_chars), min(
            most, self.suffix or most
        )

    def window(
        self, settings: Settings, context: ProjectContext | None, uri: str, redactor: Redactor, language: str
    ) -> Window:
        """A window of that size."""
        return Window(
            *self.within(settings),
            context,
            uri,
            redactor,
            live_chars=self.live,
            arrival=self.shown.arrival,
            language=language,
        )

    def narrowed(self, prefix: int) -> Room:
        """The same, with no more than so many characters of a prefix; 0: no bound."""
        return self._replace(prefix=min(filter(None, (prefix, self.prefix)), default=0))
