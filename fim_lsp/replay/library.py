"""The project around a session: its files as they were before the first commit, in the place of a folder on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from fim_lsp.context import project
from fim_lsp.context.outline import known
from fim_lsp.context.project_context import ProjectContext
from fim_lsp.context.surveyor import Folder
from fim_lsp.text.filetypes import language_of


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
            (project.manifest(name) or known(language_of(name)))
            and not project.left_out(name, folder=False)
            and not any(project.left_out(folder, folder=True) for folder in folders)
        )

    def forget(self, path: str) -> bool:
        """Nothing here says what may be shown."""
        del path
        return False

    @contextmanager
    def instead(self, path: str, text: str) -> Iterator[None]:
        """The files with another text in the place of one, for as long as the context is open."""
        held = self.texts.get(path)
        if held is None:
            yield
            return
        try:
            self.texts[path] = text
            self.folder.changed(path)
            yield
        finally:
            self.texts[path] = held
            self.folder.changed(path)

    def project_contexts(self, how: Callable[[str], str]) -> Callable[[str], ProjectContext | None]:
        """The project context of each file, by its path: one for a package and a family; `how` gives a language's level, or "off"."""
        made: dict[tuple[str, str], ProjectContext] = {}

        def project_context(path: str) -> ProjectContext | None:
            level, family = how(language_of(path)), project.family(language_of(path))
            if level == "off":
                return None
            known_here = family in self.folder.families
            package = self.folder.package(path, family) if known_here else ""
            if (family, package) not in made:
                made[family, package] = ProjectContext(project.level(level).log)
                if known_here:
                    made[family, package].offer(self.folder.map(family, package, level))
            return made[family, package]

        return project_context
