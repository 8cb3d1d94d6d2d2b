"""Types real commits into a real Neovim in real time, and measures what a person would feel and pay.

Run it as `python tests/benchmarks/neovim.py SESSION SECONDS`, SESSION being a file that `fim-lsp replay --save` wrote, and
NVIM and NVIM_RUNTIME naming the editor.  The model takes 250 ms to its first token and 12 ms for each further one; it is
right for a while and then wrong.  Keys come in log-normal intervals (median 170 ms), with stops at line ends.
"""

import argparse
import asyncio
import json
import logging
import math
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "editors")]

from real import Neovims, wait

from fim_lsp.demo.endpoint import Demo
from fim_lsp.demo.server import Server
from fim_lsp.replay.drive import said
from fim_lsp.replay.session import Ask, Change, Open, load

MISS, HIT, OUT = 0.15, 0.003, 0.60  # dollars a million tokens, deepseek-flash off-peak, 2026-11
CLOSERS = ")]}>\"'`;, "  # what may stand after the cursor already and be said again
STOP = 0.7  # seconds without a key that count as a stop
SIMPLE = "setlocal noautoindent nocindent nosmartindent indentexpr= indentkeys= formatoptions= textwidth=0"


log = logging.getLogger(__name__)


def runs(events, shortest=120, longest=900):
    """Texts typed in one place: the path, the text before, the offset and what is typed."""
    texts, run = {}, None
    for event in events:
        if isinstance(event, Open):
            texts[event.path] = event.text
        if not isinstance(event, Change):
            continue
        text = texts[event.path]
        if run and event.start == event.end == run[2] + len(run[3]) and event.path == run[0]:
            run[3] += event.text
        else:
            if run and shortest <= len(run[3]) <= longest:
                yield tuple(run)
            run = [event.path, text, event.start, event.text] if event.start == event.end else None
        texts[event.path] = text[: event.start] + event.text + text[event.end :]


class Truth:
    """A model that knows what will be typed, says it for a while, and then errs."""

    def __init__(self):
        self.path, self.before, self.start, self.typed, self.done = "", "", 0, "", 0

    def at(self, place):
        return said(Ask(self.path, self.start + place, self.typed[place:] or "\n"))

    def complete(self, prefix, suffix, **_):
        final = self.before[: self.start] + self.typed
        places = [
            place
            for place in range(len(self.typed) + 1)
            if (tail := final[max(0, self.start + place - 60) : self.start + place]) and prefix.endswith(tail)
        ]
        return (
            self.at(min(places, key=lambda place: abs(place - self.done))) if places else "zz_off_the_path\n"
        )

    def could_show(self, before, after, line):
        """Whether a line with ghost text is one that the model has said for here, now or before, as it will stand."""
        if not line.startswith(before):
            return False
        ghost = line[len(before) :]
        for covered in range(len(after) + 1):
            tail = after[covered:]
            if after[:covered].strip(CLOSERS) or not ghost.endswith(tail):
                continue
            text = ghost[: len(ghost) - len(tail)]
            if any(self.says(text, place) for place in range(self.done, -1, -1)):
                return True
        return False

    def says(self, text, place):
        """Whether this is the next line of what it says at a place."""
        said, along = self.at(place), self.typed[place : self.done]
        return said.startswith(along) and said[len(along) :].lstrip("\n").startswith(text)


class Typist:
    """One person at one Neovim; what happens to them is counted."""

    def __init__(self, nvim, model, chance):
        self.nvim, self.model, self.chance = nvim, model, chance
        self.keys = self.covered = self.stops = self.missed = self.wrong = 0
        self.waits = []

    def type(self, file, run, end):
        """Type a run, key by key."""
        model = self.model
        model.path, model.before, model.start, model.typed = run
        model.done = 0
        file.write_text(model.before, "utf-8", newline="")
        nvim = self.nvim
        nvim.command(f"edit {file}")
        wait(nvim.attached)
        nvim.command(SIMPLE)
        head = model.before[: model.start]
        row, column = head.count("\n") + 1, len(head.rpartition("\n")[2].encode())
        nvim.call("nvim_win_set_cursor", 0, [row, column])
        nvim.keys("i" if column < len(nvim.lines()[row - 1].encode()) else "A")
        ghost = ""
        while model.done < len(model.typed) and time.monotonic() < end:
            piece = self.piece()
            self.keys += 1
            self.covered += ghost.startswith(piece[0])
            model.done += len(piece)
            nvim.keys(piece.replace("<", "<lt>").replace("\n", "<CR>"))
            ghost = self.rest(self.gap(piece))
        nvim.keys("<Esc>")
        wait(lambda: nvim.call("nvim_get_mode")["mode"] == "n")
        if model.done == len(model.typed):
            text = "\n".join(nvim.lines())
            expected = model.before[: model.start] + model.typed + model.before[model.start :]
            assert text == expected.removesuffix("\n"), "what was typed is not what stands there"
        nvim.command("silent bwipeout!")

    def piece(self):
        """The next key; a line end comes with the indentation that an editor would give."""
        typed, at = self.model.typed, self.model.done
        end = at + 1
        while typed[at] == "\n" and end < len(typed) and typed[end] in " \t":
            end += 1
        return typed[at:end]

    def gap(self, piece):
        gap = min(4.0, self.chance.lognormvariate(math.log(0.17), 0.55))
        if piece[0] == "\n" or self.chance.random() < 0.06:
            gap += min(3.0, self.chance.lognormvariate(math.log(0.9), 0.5))
        return gap

    def rest(self, gap):
        """Look at the screen until the next key; the ghost text that is there then, with what follows it on its line."""
        start = time.monotonic()
        at_once = seen = None
        while True:
            before, after, line, below = self.nvim.painted() or ("", "", "", "")
            ghost = (
                line.removeprefix(before) + "\n" + below if line != before + after else below and "\n" + below
            )
            now = time.monotonic() - start
            if ghost and not self.model.could_show(before, after, line):
                self.wrong += 1
                log.info("wrong: %r %r %r %r", before, after, line, below)
            if at_once is None:
                at_once = bool(ghost)
            if ghost and seen is None:
                seen = now
            if now >= gap:
                break
            time.sleep(min(0.015, gap - now))
        if gap >= STOP:
            self.stops += 1
            self.missed += not ghost
            if seen is not None and not at_once:
                self.waits.append(seen)
        return ghost


def main():
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("session", type=Path)
    arguments.add_argument("seconds", type=float)
    arguments.add_argument(
        "--seed", type=int, default=1, help="another seed types another part of the session"
    )
    arguments.add_argument(
        "--verbose", action="store_true", help="show each look at ghost text in the wrong place"
    )
    asked = arguments.parse_args()
    logging.basicConfig(level=logging.WARNING)
    log.setLevel(logging.INFO if asked.verbose else logging.WARNING)
    model = Truth()
    demo = Demo(model, first_token_s=0.25, token_s=0.012)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    server = Server(demo)
    asyncio.run_coroutine_threadsafe(server.listen("127.0.0.1", 0), loop).result()
    with tempfile.TemporaryDirectory() as folder:
        neovims = Neovims(Path(folder), server.base_url)
        nvim = neovims.start("0.12")
        typist = Typist(nvim, model, random.Random(asked.seed))
        end = time.monotonic() + asked.seconds
        for number, run in enumerate(runs(load(asked.session))):
            if time.monotonic() > end:
                break
            if number >= 9 * (asked.seed - 1):
                typist.type(Path(folder) / f"{number}-{Path(run[0]).name}", run, end)
        halted = nvim.halted()
        neovims.close()
    keys = max(typist.keys, 1)
    totals = demo.totals
    dollars = (
        HIT * totals.hit_tokens
        + MISS * (totals.prompt_tokens - totals.hit_tokens)
        + OUT * totals.output_tokens
    ) / 1e6
    waits = statistics.quantiles(typist.waits, n=10) if len(typist.waits) > 1 else [math.nan] * 9
    print(
        json.dumps(
            {
                "keys": typist.keys,
                "stops": typist.stops,
                "wait_ms_median": round(1000 * waits[4]),
                "wait_ms_p90": round(1000 * waits[8]),
                "stops_without_suggestion_percent": round(100 * typist.missed / max(typist.stops, 1), 1),
                "keys_covered_percent": round(100 * typist.covered / keys, 1),
                "requests_per_100_keys": round(100 * totals.requests / keys, 1),
                "output_tokens_per_100_keys": round(100 * totals.output_tokens / keys),
                "streams_cut": totals.cut,
                "usd_per_1000_keys": round(1000 * dollars / keys, 4),
                "looks_at_ghost_text_in_the_wrong_place": typist.wrong,
                "halted": halted,
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
