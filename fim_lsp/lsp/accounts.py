"""The record of usage while a server runs: opened after the greeting, looked into now and then, closed at the end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fim_lsp.completion.engine import Engine
    from fim_lsp.settings.settings import Settings
    from fim_lsp.usage.early import Early
    from fim_lsp.usage.ledger import Ledger
    from fim_lsp.words.sentence import Sentence

log = logging.getLogger(__name__)

SEED = 60.0  # seconds between looks at what other servers have spent
PATIENCE = 2.0  # seconds that whoever wants to know of money waits for the record to be open
SELDOM = 6 * 3600.0  # seconds between looks at the account's balance and the usual hit rate


class Accounts:
    """The ledger of one server, once it is there, and what stands for it until then.

    `record` is the file, None where none is kept; `say` shows a sentence to the user, `changed` hears of news.
    """

    def __init__(
        self,
        record: Path | None,
        config: Path,
        folders: Callable[[], Sequence[tuple[str, str]]],
        say: Callable[[Sentence], None],
        changed: Callable[[], None],
    ) -> None:
        self.ledger: Ledger | None = None
        self._record = record
        self._config = config
        self._folders = folders
        self._say = say
        self._changed = changed
        self._early: Early | None = None
        self._looked = asyncio.Event()  # whether the record was opened, or cannot be

    @property
    def usd(self) -> float | None:
        """What this server's requests have cost so far, in dollars; None where no record is kept."""
        return self.ledger.usd if self.ledger is not None else None

    def stand_for(self, engine: Engine) -> None:
        """Count what the engine asks before the record is open."""
        from fim_lsp.usage.early import Early  # noqa: PLC0415 - no client need wait for it

        if self._record is not None:
            engine.backend.ledger = self._early = Early(lambda: engine.settings.limited)

    async def opened(self) -> None:
        """Wait until the record is open, for a moment: what a prompt costs is known from then on."""
        if self._record is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._looked.wait(), PATIENCE)

    def configure(self, settings: Settings) -> None:
        """Hold these settings' limits."""
        if self.ledger is not None:
            self.ledger.configure(settings)

    async def keep(self, engine: Engine) -> None:
        """Open the record, where there is one, and look at what other servers have spent now and then."""
        if self._record is None:
            return
        try:
            ledger = self._begun(engine)
            await ledger.seed()
        except Exception:
            if self._early is not None:
                self._early.give_up()
            raise
        finally:
            self._looked.set()
        self._adopt(engine, ledger)
        self._changed()
        looked = float("-inf")
        while True:
            await asyncio.sleep(SEED)
            await ledger.seed()
            self._changed()
            if engine.backend.counts.requests and time.monotonic() - looked > SELDOM:
                looked = time.monotonic()
                await engine.backend.weigh()
                for sentence in await ledger.fallen():
                    log.warning("%s", sentence)

    async def close(self, engine: Engine) -> None:
        """Write what is left, also where the record is not open yet."""
        if self.ledger is None and self._early is not None and self._early.waiting:
            self._begun(engine)
        if self.ledger is not None:
            self._adopt(engine, self.ledger)
            await self.ledger.aclose()

    def _begun(self, engine: Engine) -> Ledger:
        """The ledger of the record, which has not looked into it yet."""
        from fim_lsp.usage.ledger import Ledger  # noqa: PLC0415 - SQLite is not needed to greet a client

        assert self._record is not None
        self.ledger = Ledger(self._record, self._config, engine.settings, time.time, self._say)
        self.ledger.folders(self._folders())
        return self.ledger

    def _adopt(self, engine: Engine, ledger: Ledger) -> None:
        """Let the ledger know what has been asked before it was there, and be the engine's."""
        if self._early is not None:
            self._early.adopt(ledger)
        engine.backend.ledger = ledger
