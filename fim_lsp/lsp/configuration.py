"""The layers of settings of one client: the user's file, the environment, what the client said at first and says since."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fim_lsp.settings.settings import Settings
    from fim_lsp.words.sentence import Sentence


class Configuration:
    """The user's own layers, and what may be a folder's; see `fim_lsp.settings.provenance` for what each may do."""

    def __init__(self, file: Path, environ: Mapping[str, str]) -> None:
        self.file = file
        self.environ = environ
        self._read: tuple[Mapping[str, Any], list[Sentence]] | None = (
            None  # what the file holds, what is wrong with it
        )
        self._ignored: (
            list[str] | None
        ) = []  # the rules of the user's own ignore file; None: it cannot be read
        self._options: Mapping[str, Any] = {}
        self._pushed: Mapping[str, Any] = {}
        self._folders: list[Mapping[str, Any]] = []
        self.fetching = False  # whether the key is being fetched from where the file says

    def set_options(self, options: Mapping[str, Any]) -> None:
        """Take over the client's options, in the place of those before: the user's settings, and the folder's.

        The user's may stand in the section, which counts for more, and beside it.  A list of folders' holds those of
        several, of which the strictest count.
        """
        told = options.get("folderSettings")
        self._folders = [_table(one) for one in told] if isinstance(told, list) else []
        beside = {name: value for name, value in options.items() if name != "fimLsp"}
        self._options, self._pushed = {**beside, **section(options)}, _table(told)

    def push(self, pushed: Mapping[str, Any]) -> None:
        """Take over the settings that the client has sent since; some may be those of the folder."""
        self._pushed = pushed

    @property
    def ignore_file(self) -> str:
        """The user's own ignore file, beside `config.toml`."""
        return str(self.file.parent / "ignore")

    def ignores_otherwise(self) -> bool:
        """Whether that file says something else than when the settings were last put together."""
        from fim_lsp.privacy import ignore_files  # noqa: PLC0415 - no client need wait for it

        return self._read is not None and ignore_files.rules_in(self.ignore_file) != self._ignored

    async def fetch_key(self) -> bool:
        """Fetch the key from where the user's file says, which may take its time; whether the file says so."""
        from fim_lsp.settings import keys  # noqa: PLC0415 - no client need wait for it

        if not keys.elsewhere(self.file):
            return False
        self.fetching = True
        try:
            self._read = await asyncio.to_thread(keys.from_file, self.file)
        finally:
            self.fetching = False
        return True

    def merged(self, workspace: str = "") -> tuple[Settings, list[Sentence]]:
        """The settings of all layers, for the workspace of that name, and what is wrong with them."""
        from fim_lsp.privacy import exclude, ignore_files  # noqa: PLC0415 - no client need wait for it
        from fim_lsp.settings import config_file, keys, provenance, settings  # noqa: PLC0415
        from fim_lsp.words.sentence import Sentence  # noqa: PLC0415

        if self._read is None:
            self._read = keys.from_file(self.file, fetch=False)
        file, wrong = self._read
        layers = {
            str(self.file): file,
            Sentence("the environment"): settings.from_environment(self.environ),
            "initializationOptions": self._options,
        }
        own, more = settings.merged(layers.items())
        self._ignored = ignore_files.rules_in(self.ignore_file)
        if self._ignored is None:
            more.append(
                Sentence("{file} cannot be read: {until}.", file=self.ignore_file, until=config_file.UNTIL)
            )
            own = replace(own, halted=own.halted or more[-1])
        mine = tuple(self._ignored or ())
        own = replace(own, exclude=mine + own.exclude, workspace=workspace)
        new, refused = own, []
        for one in (self._pushed, *self._folders):
            # What is said of a folder's settings is said against the user's own, not against another folder's.
            refused += provenance.restrained(own, one, self.file)[1]
            new = provenance.restrained(new, one, self.file)[0]
        exposed = keys.exposed_all(new, self.environ)
        senseless = exclude.senseless(new.exclude[len(mine) :])
        return new, [*wrong, *more, *dict.fromkeys(refused), *senseless, *exposed]


def section(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings in what a client sends: its section, where it names one, else all of it."""
    if "fimLsp" not in options:
        return options
    return _table(options["fimLsp"])


def _table(value: Any) -> Mapping[str, Any]:
    """A table of a client's; an empty one of Lua arrives as an empty list."""
    return value if isinstance(value, Mapping) else {}
