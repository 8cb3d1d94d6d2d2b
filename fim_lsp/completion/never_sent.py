"""Which documents, and which lines of patches and commit messages, are never sent, and what says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from fim_lsp.completion import commit_message
from fim_lsp.privacy import patch
from fim_lsp.privacy.exclude import reason
from fim_lsp.privacy.location import FOLDS, paths
from fim_lsp.text.document import Document, Place

if TYPE_CHECKING:
    from fim_lsp.completion.open_document import OpenDocument


class NeverSent:
    """What is excluded by the settings, the list of secret files, and ignore files, as things stand."""

    def __init__(self, exclude: Callable[[], Sequence[str]], ignored: Callable[[str], str]) -> None:
        """`exclude` gives the user's patterns; `ignored` the ignore file that keeps a path home, or nothing."""
        self.roots: frozenset[str] = frozenset()  # the workspace's folders, with `/` at their ends
        self._exclude = exclude
        self._ignored = ignored

    def document(self, uri: str, notebook: str = "") -> bool:
        """Whether a document is never to be sent, by any path of it or its notebook; the settings have the last word."""
        return bool(self.why(uri, notebook))

    def why(self, uri: str, notebook: str = "") -> str:
        """What says that a document is never sent: a file, or words for what it is; nothing where it may be."""
        named = [*paths(uri), *(paths(notebook) if notebook else ())]
        return reason(named, self._exclude(), fold=FOLDS, ignored=self._ignored)

    def path_in(self, uri: str) -> Callable[[str], bool]:
        """What tells whether a path that stands in a document names a file that is never sent."""
        roots = {patch.root(uri), *self.roots}
        return lambda path: any(self.document(root + quote(path)) for root in roots)

    def writes(self, opened: OpenDocument, place: Place) -> bool:
        """Whether a person writes at a place: not in git's comments, nor on a line that is never sent."""
        lines: Sequence[str] = opened.document.lines
        if opened.message:
            message = commit_message.buffer(lines)
            if not message.writes(lines, place):
                return False
            lines = lines[: message.end]
        sendable = self.sendable(opened.document, lines)
        return not lines[place.line].strip() or bool(sendable[place.line].strip())

    def sendable(self, document: Document, lines: Sequence[str]) -> Sequence[str]:
        """The lines of a document, those of a patch to a secret file blank."""
        if not patch.may_hold(document.uri, document.language):
            return lines
        return patch.without(lines, self.path_in(document.uri))
