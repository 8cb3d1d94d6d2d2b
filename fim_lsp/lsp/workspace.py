"""The workspace: its folders, what their ignore files keep home, and the project maps that a process beside draws."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fim_lsp.lsp import disk
from fim_lsp.privacy.location import native, path_of

if TYPE_CHECKING:
    from fim_lsp.completion.engine import Engine
    from fim_lsp.context.survey import Survey


class Workspace:
    """The folders that the client has open (URI and name), and what goes on in them.

    `engine` is asked for when it is needed; `run` does something beside the messages.
    """

    def __init__(
        self, engine: Callable[[], Engine], run: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self.folders: list[tuple[str, str]] = []
        self._engine = engine
        self._run = run
        self._survey: Survey | None = None
        self._surveyed: tuple[Any, ...] = ()  # the folders and settings that it is for
        self._near: dict[str, str] = {}  # documents whose imports are looked up, by their paths
        self._kept_home: Mapping[str, Any] | None = None  # by folder, what its ignore files say

    def change(self, added: Sequence[tuple[str, str]], removed: set[str]) -> None:
        """Folders were added (URI and name) and removed (URIs)."""
        self.folders = [folder for folder in self.folders if folder[0] not in removed] + list(added)
        self.settle_in()
        self.survey()

    def settle_in(self) -> None:
        """Tell the engine of the folders, where these or their ignore files are not as they were."""
        from fim_lsp.privacy import ignore_files  # noqa: PLC0415 - no client waits for it

        paths = {uri: path_of(uri) for uri, _ in self.folders}
        found = {
            uri: path
            and [ignore_files.read(f"{path}/{name}", ignore_files.MOST_BYTES) for name in ignore_files.NAMES]
            for uri, path in paths.items()
        }
        if found != self._kept_home:
            self._kept_home = found
            self._engine().documents.folders(found)
            self._study_all()

    def configured(self) -> None:
        """Other settings are in force: maps that are for others are drawn anew."""
        if self._surveyed:
            self.survey()

    def survey(self) -> None:
        """Have the project maps drawn by a process beside this one, anew where folders or settings have changed."""
        from fim_lsp.context.project_context import Map  # noqa: PLC0415
        from fim_lsp.context.project_contexts import Key  # noqa: PLC0415 - no client waits for it
        from fim_lsp.context.survey import Survey  # noqa: PLC0415
        from fim_lsp.text.filetypes import names  # noqa: PLC0415

        engine = self._engine()
        chosen = engine.settings
        levels = chosen.levels() - {"off"}
        roots = {path: uri for uri, _ in self.folders if (path := _project(uri))} if not chosen.off else {}
        off = tuple(sorted(name for name in names() if chosen.shown(name) == "off"))
        wanted = (tuple(roots.items()), chosen.exclude, tuple(sorted(levels)), off)
        if wanted == self._surveyed:
            return
        self._surveyed = wanted
        before = self._survey
        if before is not None:
            before.close()
            self._survey = None
        if not roots or not levels:
            return

        def drawn(maps: Sequence[Mapping[str, Any]]) -> None:
            if chosen.exclude != engine.settings.exclude:
                return  # drawn before these were in force
            found: dict[Key, Map] = {}
            for one in maps:
                folder = roots[one["folder"]].rstrip("/") + "/" + quote(one["package"])
                found[Key(folder, one["family"], one["level"])] = Map(one["text"], tuple(one["files"]))
            engine.documents.draw(found)

        def near(path: str, found: Map) -> None:
            if path in self._near:
                engine.documents.near(self._near.pop(path), found)

        def withdrawn() -> None:
            engine.documents.begin_anew(maps=True)
            self._study_all()

        self._survey = Survey(drawn, near, withdrawn, before)
        self._run(self._survey.run(list(roots), chosen.exclude, wanted[2], off))
        self._study_all()

    def study(self, uri: str) -> None:
        """Have the imports of a document looked up, where its prompts show other files."""
        engine, path = self._engine(), path_of(uri)
        document = engine.document(uri)
        how = engine.settings.shown(document.language) if document else "off"
        if self._survey is not None and path and how != "off":
            self._near[path] = uri
            self._survey.about(path, how)

    def learn_indents(self, uris: Iterable[str]) -> None:
        """See what the project says of documents' indentation, by files within the workspace's folders alone."""
        from fim_lsp.text import editorconfig  # noqa: PLC0415 - no client waits for it

        roots = [Path(root).as_posix() for uri, _ in self.folders if (root := path_of(uri))]
        for uri in uris:
            document, name = self._engine().document(uri), path_of(uri)
            if document is None or name is None:
                continue
            path = Path(name).as_posix()
            above = max((editorconfig.folders(path, root) for root in roots), key=len, default=[])
            read = ((folder, disk.text(f"{folder}/{editorconfig.NAME}")) for folder in above)
            document.indent = editorconfig.indent([(at, text) for at, text in read if text], path)

    def touched(self, uris: Iterable[str]) -> None:
        """Files were saved, made, renamed or removed: those in folders that are left out do not count."""
        uris = list(uris)
        from fim_lsp.privacy import ignore_files  # noqa: PLC0415 - no client waits for it

        documents = self._engine().documents
        kept = documents.kept()
        for uri in _among(kept, uris) if kept else ():
            self._look_again(uri)
        paths = [path for uri in uris if (path := path_of(uri)) and self._counts(Path(path))]
        if self._survey is not None and paths:
            self._survey.changed(paths)
        if any(path.endswith(".editorconfig") for path in paths):
            self.learn_indents(documents)
        if any(path.rpartition("/")[2] in ignore_files.NAMES for path in paths):
            self.settle_in()
            documents.recheck()

    def closed(self, uri: str) -> None:
        """Let a document go: changes that were not saved are taken back, but for what its file holds."""
        if self._engine().close(uri):
            self._look_again(uri)

    def gone(self, uris: Iterable[str]) -> None:
        """Files or folders were removed: of those that are open, nothing is shown to others."""
        documents = self._engine().documents
        for uri in _among(documents, uris):
            path = path_of(uri)
            if path and not Path(native(path)).exists():
                documents.forget(uri)

    def leave(self) -> None:
        """End the process beside this one."""
        if self._survey is not None:
            self._survey.close()

    def _study_all(self) -> None:
        for uri in self._engine().documents:
            self.study(uri)

    def _look_again(self, uri: str) -> None:
        """See what is left of a document that is not open."""
        path = path_of(uri)
        self._engine().documents.rest(uri, disk.text(native(path)) if path else None)

    def _counts(self, file: Path) -> bool:
        """Whether a file is in the workspace, and not in a folder that is left out."""
        from fim_lsp.context import project  # noqa: PLC0415 - no client waits for it

        roots = (root for uri, _ in self.folders if (root := path_of(uri)) and file.is_relative_to(root))
        return any(not project.apart(file.relative_to(root).as_posix()) for root in roots)


def _among(known: Iterable[str], changed: Iterable[str]) -> list[str]:
    """The documents whose files are among those, or in folders that are."""
    paths = {path for uri in changed if (path := path_of(uri))}
    found = []
    for uri in known:
        path = path_of(uri)
        if path and not paths.isdisjoint((path, *(folder.as_posix() for folder in Path(path).parents))):
            found.append(uri)
    return found


def _project(uri: str) -> str | None:
    """The path of a folder that may be a project: not the user's home, nor the whole disk."""
    path = path_of(uri)
    try:
        home = Path.home()
    except RuntimeError:
        home = Path()  # nobody's
    return path if path and Path(path).parent != Path(path) and Path(native(path)) != home else None
