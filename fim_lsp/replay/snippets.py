"""What other completion plug-ins show of other files: their published ways, before the same prompt as ours.

Built from what was read in the projects' public sources in November 2026; each puts its text before the file's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from fim_lsp.context.window import Prompt
from fim_lsp.replay.drive import Documents, Windows
from fim_lsp.replay.session import Ask, Change, Open
from fim_lsp.text.filetypes import comment, words

CHARACTERS_A_TOKEN = 3.4


class Snippets(Windows):
    """A window without a project context, behind what a way of choosing shows of other files; `chars` bounds that."""

    def __init__(self, prefix_chars: int, suffix_chars: int, chars: int) -> None:
        super().__init__(prefix_chars, suffix_chars)
        self.chars = chars
        self.head = ""
        self.opened: dict[
            str, int
        ] = {}  # the line last touched in each file, the one touched last standing last

    @property
    def documents(self) -> Documents:
        """The open files."""
        return self._documents

    def open(self, event: Open) -> None:
        """Take in a file."""
        super().open(event)
        self.touched(event.path, 0)

    def change(self, event: Change) -> None:
        """Take in a change."""
        super().change(event)
        self.touched(event.path, self.documents.place(event.path, event.start).line)

    def touched(self, path: str, line: int) -> None:
        """The person is at a line of a file now."""
        self.opened.pop(path, None)
        self.opened[path] = line

    def prompt(self, event: Ask) -> Prompt:
        """What is sent for an ask."""
        own = super().prompt(event)
        self.head = self.chosen(event)
        return Prompt(self.head + own.prefix, own.suffix)

    def chosen(self, event: Ask) -> str:
        """What is shown of other files for an ask."""
        raise NotImplementedError

    def others(self, path: str) -> list[str]:
        """The other files that were opened, the one touched last first."""
        return [other for other in reversed(self.opened) if other != path]


class Continue(Snippets):
    """Continue: recently opened files, newest first, each cut to its share of the budget, as comments."""

    def chosen(self, event: Ask) -> str:
        """Up to ten files, from their first lines."""
        out, room = [], self.chars
        others = self.others(event.path)[:10]
        for number, path in enumerate(others):
            sign = comment(path)
            share, text = room // (len(others) - number), f"{sign} Path: {path}\n"
            for line in self.documents.lines(path):
                shown = f"{sign} {line.rstrip()}\n"
                if len(text) + len(shown) > share:
                    break
                text += shown
            out.append(text)
            room -= len(text)
        return "".join(out)


class Cody(Snippets):
    """Cody: windows of 50 lines of the last ten files, those most like the 50 lines above the cursor first."""

    LINES = 50

    def chosen(self, event: Ask) -> str:
        """By the share of words in common; at most twenty of a file."""
        lines = self.documents.lines(event.path)
        line = self.documents.place(event.path, event.offset).line
        wanted = words("".join(lines[max(0, line - self.LINES) : line + 1]))
        ranked = sorted(
            (-score, path, start)
            for path in self.others(event.path)[:10]
            for start, held in self._windows_of(path)
            if (score := len(wanted & held) / max(1, len(wanted | held)))
        )
        out, room = [], self.chars
        for _, path, start in ranked:
            text = f"{comment(path)} Here is a reference snippet of code from {path}:\n"
            text += "".join(self.documents.lines(path)[start : start + self.LINES])
            if len(text) > room:
                continue
            room -= len(text)
            out.append(text)
        return "".join(out)

    def _windows_of(self, path: str) -> list[tuple[int, frozenset[str]]]:
        lines = self.documents.lines(path)
        return [
            (start, words("".join(lines[start : start + self.LINES])))
            for start in range(0, min(len(lines), 20 * self.LINES), self.LINES)
        ]


class Ring(Snippets):
    """llama.vim: a ring of 16 chunks of 64 lines, taken where one comes and goes; alike ones are given up."""

    LINES = 64

    def __init__(self, prefix_chars: int, suffix_chars: int, chars: int) -> None:
        super().__init__(prefix_chars, suffix_chars, chars)
        self._chunks: deque[tuple[str, frozenset[str]]] = deque(maxlen=16)
        self._last = ("", 0)

    def touched(self, path: str, line: int) -> None:
        """A chunk is taken of the file that is left, and where the cursor has gone far."""
        super().touched(path, line)
        before, at = self._last
        if before and (before != path or abs(line - at) > self.LINES):
            self._take(before, at)
        if before != path or abs(line - at) > self.LINES:
            self._last = path, line

    def chosen(self, event: Ask) -> str:
        """The ring as it is, oldest first, as far as the budget goes."""
        del event
        out, room = [], self.chars
        for text, _ in reversed(self._chunks):
            room -= len(text)
            if room < 0:
                break
            out.append(text)
        return "".join(reversed(out))

    def _take(self, path: str, line: int) -> None:
        lines: Sequence[str] = self.documents.lines(path)
        text = "".join(lines[max(0, line - self.LINES // 2) : line + self.LINES // 2])
        held = frozenset(text.split("\n"))
        alike = [one for one in self._chunks if len(one[1] & held) > 0.9 * len(one[1] | held)]
        for one in alike:
            self._chunks.remove(one)
        if text.strip():
            self._chunks.append((text if text.endswith("\n") else f"{text}\n", held))


WAYS: Mapping[str, Callable[[int, int, int], Snippets]] = {
    "Continue": Continue,
    "Cody": Cody,
    "llama.vim": Ring,
}
