"""The server's end of the process that draws maps: begun beside the messages, never waited for."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import fim_lsp
from fim_lsp.context.project_context import Map

log = logging.getLogger(__name__)

LONGEST = 1 << 24  # bytes of an answer
_CODE = "import sys; sys.path[:0] = sys.argv[1:]; from fim_lsp.context.surveyor import main; main()"


class Survey:
    """One process, for some folders and settings; none is begun before that of another survey has ended.

    `drawn` hears of maps, `near` of what a file (its path) imports, `withdrawn` that something shown is to stay home;
    none of them hears of anything once the survey is closed.
    """

    def __init__(
        self,
        drawn: Callable[[Sequence[Mapping[str, Any]]], None],
        near: Callable[[str, Map], None],
        withdrawn: Callable[[], None] = lambda: None,
        after: Survey | None = None,
    ) -> None:
        """`after` is the survey in whose place this one comes, and which is closed."""
        self._drawn = drawn
        self._near = near
        self._withdrawn = withdrawn
        self._after = after
        self._closed = False
        self._over = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._unsaid: list[bytes] = []  # what was to be told before it began

    async def run(
        self, folders: Sequence[str], exclude: Sequence[str], levels: Sequence[str], off: Sequence[str] = ()
    ) -> None:
        """Begin, and hear what it says until it ends; a failure is logged, and then there are no maps.

        `off` are languages whose files are not shown.
        """
        after, self._after = self._after, None
        try:
            if after is not None:
                await after.over()
            if not self._closed:
                await self._heard({"folders": folders, "exclude": exclude, "levels": levels, "off": off})
        except OSError as error:
            log.warning("no map of the project: its process does not start (%s)", type(error).__name__)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("no map of the project: its process made no sense (%s)", type(error).__name__)
        finally:
            self.close()
            self._over.set()

    async def over(self) -> None:
        """Wait until there is no process any more."""
        await self._over.wait()

    def changed(self, paths: Iterable[str]) -> None:
        """Tell of files that were saved, made, renamed or removed."""
        self._tell({"changed": list(paths)})

    def about(self, path: str, level: str) -> None:
        """Ask what a file imports."""
        self._tell({"about": path, "level": level})

    def close(self) -> None:
        """End the process, now or as soon as it has begun."""
        self._closed = True
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()

    async def _heard(self, first: Mapping[str, Sequence[str]]) -> None:
        package = Path(fim_lsp.__file__).parents[1]
        # What the interpreter would find by itself stands behind: an isolated one is told of the server's folders.
        paths = [str(package), *(path for path in sys.path if path)]
        idle = getattr(subprocess, "IDLE_PRIORITY_CLASS", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-X", "utf8", "-c", _CODE, *dict.fromkeys(paths)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            limit=LONGEST,
            creationflags=idle,
        )
        self._process = None if self._closed else process
        try:
            if self._closed:
                process.kill()
            else:
                await self._listened(process, first)
        except BaseException:
            self.close()
            raise
        finally:
            await process.wait()

    async def _listened(
        self, process: asyncio.subprocess.Process, first: Mapping[str, Sequence[str]]
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        unsaid, self._unsaid = self._unsaid, []
        self._tell({name: list(value) for name, value in first.items()})
        process.stdin.writelines(unsaid)
        while (line := await process.stdout.readline()) and not self._closed:
            answer = json.loads(line)
            if "about" in answer:
                self._near(answer["about"], Map(answer["text"], tuple(answer["files"])))
            elif "withdrawn" in answer:
                self._withdrawn()
            else:
                log.info("%d files in the maps, read in %.1f s", answer["files"], answer["seconds"])
                if answer["left"]:
                    log.warning("not in the maps: %d files that take too long to look at", answer["left"])
                self._drawn(answer["maps"])
        if not self._closed:
            log.warning("no further maps of the project: its process ended by itself")

    def _tell(self, message: Mapping[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        if self._process is None and not self._closed:
            self._unsaid.append(line)
        elif (
            self._process is not None
            and self._process.stdin is not None
            and not self._process.stdin.is_closing()
        ):
            with suppress(OSError):
                self._process.stdin.write(line)
