"""The project around a session: its files as they were before the first commit, in the place of a folder on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fim_lsp.context import project
from fim_lsp.context.outline import known
from fim_lsp.context.story import Story
from fim_lsp.context.surveyor import Folder
from fim_lsp.context.tree import MANIFESTS
from fim_lsp.languages import language_of


class Library:
    """Files by their paths, and the maps that are drawn of them."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = {path: text for path, text in texts.items() if self.shows(path)}
        self.folder = Folder(self)
        for _ in self.folder.survey():
            pass

    def files(self) -> Iterator[str]:
        """The files that may be shown."""
        return iter(sorted(self.texts))

    def text(self, path: str) -> str | None:
        """What one holds; None if a program has written it, or it is not there."""
        text = self.texts.get(path)
        return None if text is None or project.made(text) else text

    def shows(self, path: str) -> bool:
        """Whether a file may be shown, by its name."""
        *folders, name = path.split("/")
        return (
            (name in MANIFESTS or known(language_of(name)))
            and not project.left_out(name, folder=False)
            and not any(project.left_out(folder, folder=True) for folder in folders)
        )

    def forget(self, path: str) -> bool:
        """Nothing here says what may be shown."""
        del path
        return False

    def story(self, language: str, level: str) -> Story | None:
        """A story that opens with the map of a language; None where nothing of other files is shown."""
        if level == "off":
            return None
        story = Story(project.level(level).log)
        family = project.family(language)
        if family in self.folder.families:
            story.offer(self.folder.map(family, level))
        return story
