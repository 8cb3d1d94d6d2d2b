"""`fim-lsp replay --quality --live`: what suggestions are worth on a repository, asked of the endpoint that is configured."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from fim_lsp.commands.progress import progress
from fim_lsp.commands.replay_compare import Variant
from fim_lsp.commands.replay_spending import Purse, StoppedError, confirm
from fim_lsp.commands.terminal import put_json
from fim_lsp.endpoint.request import Refused, Request, ServiceError
from fim_lsp.replay import holes, plot, trial, typist, worth
from fim_lsp.replay.answers import AnswersError, Kept, Once, key_of
from fim_lsp.replay.assessment import Assessment, Way
from fim_lsp.replay.bill import Encoder, Price
from fim_lsp.replay.holes import Hole
from fim_lsp.replay.judgement import judged
from fim_lsp.replay.laid import untrimmed
from fim_lsp.replay.layouts import LAYOUTS
from fim_lsp.replay.plan import Extent, Plan, planned
from fim_lsp.replay.session import Ask
from fim_lsp.settings.kinds import SERVICE
from fim_lsp.settings.settings import Settings
from fim_lsp.text.characters import visible

if TYPE_CHECKING:
    from fim_lsp.completion.service import Service

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
DEMO = "demo"  # in the place of an endpoint's address
PATIENCE = 3  # failures in a row, after which the endpoint is asked no further


class Told(NamedTuple):
    """The price to count with, if one is known, and whose it is."""

    price: Price | None
    name: str


def run(
    args: argparse.Namespace,
    chosen: Settings,
    told: Told,
    *,
    connect: Callable[[Settings], Service] | None,
    folder: Path,
) -> None:
    """Measure and report.  `connect` makes the client; None where only kept answers count.

    Answers are kept in `folder`, where no file is named.  Raises StoppedError, HistoryError and OSError.
    """
    measuring = _Measuring(args, chosen, told, folder)
    try:
        notes = asyncio.run(measuring.ask(connect)) if connect is not None else []
    except KeyboardInterrupt:
        raise StoppedError(
            f"Stopped. What was answered is kept in {measuring.file}: the same command goes on."
        ) from None
    _print(args, asyncio.run(measuring.report(notes)))


class _Measuring:
    """One measure: its plan, its ways of asking, its limits, and the file of its answers."""

    def __init__(self, args: argparse.Namespace, chosen: Settings, told: Told, folder: Path) -> None:
        self._args = args
        self._chosen = chosen
        self._told = told
        self._demo = bool(getattr(args, "demo", False))
        layouts = args.layouts or ()
        own = args.compare or (Variant("fim-lsp" if layouts else ""),)
        self._ways: tuple[Variant, ...] = (*own, *(Variant(name, layout=LAYOUTS[name]) for name in layouts))
        self._whole = args.whole_answers or args.untrimmed
        doubtful = [way.of(chosen) for way in self._ways]
        self._doubts = any(one.confidence != "off" or one.own("confidence") for one in doubtful)
        self._encoder = Encoder()
        self._purse = Purse(
            None if self._demo else told.price, args.limit_usd, args.limit_requests, self._encoder
        )
        name = args.repository.resolve().name or "root"
        self.file: Path = args.answers or folder / f"{name}{'-demo' if self._demo else ''}.jsonl"
        try:
            self._kept = Kept(self.file)
        except AnswersError as error:
            raise StoppedError(str(error)) from None
        ends = tuple(dict.fromkeys(args.language or holes.LANGUAGES))
        self._plan: Plan = planned(
            args.repository, Extent(ends, args.holes, args.stops, args.range, args.seed), chosen
        )
        if not self._plan.holes and not self._plan.events:
            raise StoppedError(
                f"Nothing to measure in {args.repository}: no hole can be cut in files that may be sent."
            )

    async def ask(self, connect: Callable[[Settings], Service]) -> list[str]:
        """Ask for what is missing, once the user agrees; what kept it from being all."""
        self._may_ask()
        missing = await self._missing()
        stops = len(self._ways) * sum(isinstance(event, Ask) for event in self._plan.events)
        notes: list[str] = []
        if not missing and not stops:
            return notes
        self._agree([request for _, _, request in missing], stops)
        self._kept.begin()
        async with AsyncExitStack() as stack:
            services = {}
            for way in self._ways:
                services[way.name] = connect(way.of(self._chosen))
                stack.push_async_callback(services[way.name].aclose)
                await self._once(way, services[way.name]).meet()
            missing = await self._missing()  # prompts fit what was met
            with progress(len(missing) + stops) as step:
                failures = 0
                for hole, way, _ in missing:
                    step("holes")
                    once = self._once(way, services[way.name])
                    failed = (await self._asked(hole, way, once)).failed
                    failures = failures + 1 if failed else 0
                    if self._over(once, failed, failures, notes):
                        return notes
                for way in self._ways if stops else ():
                    once = self._once(way, services[way.name])
                    await self._typed(way, once, lambda: step("typing"))
                    if self._over(once, once.failed, PATIENCE, notes):
                        return notes
        return notes

    async def report(self, notes: list[str]) -> Assessment:
        """What the kept answers are worth; only holes with all their answers count."""
        ways = [Way(way.name, []) for way in self._ways]
        bare = [Way(f"{way.name}, untrimmed".removeprefix(", "), []) for way in self._ways]
        price, encoder = self._told.price, self._encoder
        lacking = 0
        for hole in self._plan.holes:
            found = [await self._asked(hole, way, self._once(way)) for way in self._ways]
            if any(one.missing for one in found):
                lacking += 1
                continue
            for way, one in zip(ways, found, strict=True):
                judgement = judged(hole, *one.offer)
                way.seen.append(worth.seen(hole, judgement, one.used, encoder, price))
            for way, one in zip(bare, found, strict=True) if self._args.untrimmed else ():
                way.seen.append(worth.seen(hole, judged(hole, untrimmed(one.used)), one.used, encoder, price))
        for way, variant in zip(ways, self._ways, strict=True):
            if self._plan.events:
                way.typed = await self._typed(variant, self._once(variant))
        if not ways[0].seen and not any(way.typed and way.typed.stops for way in ways):
            why = (
                notes[0] if notes else f"{self.file} holds no answer to what would be asked: ask with --live."
            )
            raise StoppedError(f"Nothing was measured. {why}")
        return Assessment(
            source=self._args.repository.resolve().name,
            endpoint=", ".join(sorted(self._kept.endpoints)) or "nobody",
            model=self._chosen.model,
            price=self._told.name,
            exact=encoder.exact,
            holes=len(self._plan.holes),
            seed=self._args.seed,
            ways=[*ways, *bare] if self._args.untrimmed else ways,
            notes=[*notes, *self._remarks(ways, lacking)],
            kept=str(self.file),
        )

    def _once(self, way: Variant, made: Service | None = None) -> Once:
        """What answers one way of asking: kept answers, and the service where one was made."""
        return Once(
            self._kept,
            made,
            endpoint=DEMO if self._demo else way.of(self._chosen).base_url,
            model=way.of(self._chosen).model,
            salt=way.salt,
            # A threshold is tried on what it would have cut off, too.
            whole=self._whole or self._doubts,
            logprobs=self._args.whole_answers or self._doubts,
            allows=self._purse.allows,
            spent=self._purse.spent,
        )

    async def _asked(self, hole: Hole, way: Variant, once: Once) -> trial.Outcome:
        return await trial.asked(hole, way.of(self._chosen), self._plan.library, once, way.layout)

    async def _typed(self, way: Variant, once: Once, step: Callable[[], None] = lambda: None) -> typist.Typed:
        settings, before = way.of(self._chosen), self._plan.before
        return await typist.typed(self._plan.events, settings, before, once, step, way.layout)

    async def _missing(self) -> list[tuple[Hole, Variant, Request]]:
        """The requests to which no answer is kept, each once: those that may be sent first, file by file."""
        found: list[tuple[Hole, Variant, Request]] = []
        known: set[str] = set()
        with progress(len(self._plan.holes) * len(self._ways)) as step:
            for hole in self._plan.holes:
                for way in self._ways:
                    step("cutting holes")
                    one = await self._asked(hole, way, self._once(way))
                    for request in one.missing:
                        if (key := key_of(request, way.salt)) not in known:
                            known.add(key)
                            found.append((hole, way, request))
        # Of those that may be asked, file by file from its top: what one prompt shows, the next begins with.
        ways = {way.name: number for number, way in enumerate(self._ways)}
        number = self._args.limit_requests or len(found)
        now, later = found[:number], found[number:]
        return sorted(now, key=lambda one: (one[0].path, ways[one[1].name], len(one[0].prefix))) + later

    def _may_ask(self) -> None:
        """Raise StoppedError where nothing may be sent."""
        args, chosen = self._args, self._chosen
        asked = {DEMO} if self._demo else {_who(way.of(chosen).base_url) for way in self._ways}
        if others := {_who(one) for one in self._kept.endpoints} - asked:
            raise StoppedError(
                f"{self.file} holds answers of {', '.join(sorted(others))}: name another file with --answers."
            )
        if self._demo:
            return
        if chosen.halted:
            raise StoppedError(chosen.halted)
        if chosen.api_key is None and chosen.base_url == SERVICE:
            raise StoppedError("No API key is set: put it into DEEPSEEK_API_KEY or the setting apiKey.")
        if self._told.price is None and args.limit_requests is None:
            raise StoppedError(
                f"{self._told.name}, so dollars cannot be limited: limit the requests with --limit-requests N, or"
                " give a price with --price HIT,MISS,OUT."
            )
        if not args.yes and not sys.stdin.isatty():
            raise StoppedError(
                "--live sends text of the repository: run it in a terminal, or agree with --yes."
            )

    def _agree(self, missing: Sequence[Request], stops: int) -> None:
        """Have the user agree; raises StoppedError where they do not."""
        args = self._args
        if args.yes or self._demo:
            return
        number = len(missing) + stops
        most = number if args.limit_requests is None else min(number, args.limit_requests)
        about = self._purse.about(missing)
        mean = about / len(missing) if about and missing else 0.0
        costs = (
            f"about ${mean * number:.4f}, and never more than ${args.limit_usd:.2f}"
            if about is not None
            else "what your endpoint charges, as no price is known"
        )
        confirm(
            f"This sends at most {most:,} requests with text of {visible(str(args.repository))} to"
            f" {visible(self._chosen.base_url)}, and costs {costs}.\nAnswers are kept in {visible(str(self.file))}."
        )

    def _over(self, once: Once, failed: ServiceError | None, failures: int, notes: list[str]) -> bool:
        """Whether nothing more is to be asked, and why.  Raises OSError where an answer was not written down."""
        if once.unkept is not None:
            raise once.unkept
        if self._purse.over:
            notes.append(f"Not all was asked: {self._purse.over}. The same command goes on.")
        elif failed is not None and (isinstance(failed, Refused) or failures >= PATIENCE):
            notes.append(f"Not all was asked: {failed.message} The same command goes on.")
        return bool(notes)

    def _remarks(self, ways: Sequence[Way], lacking: int) -> list[str]:
        """What is to be known of the figures."""
        seen = [one for way in ways for one in way.seen]
        notes = []
        if lacking:
            notes.append(f"{lacking} of {len(self._plan.holes)} holes lack an answer and are left out.")
        if late := sum(one.late for one in seen):
            notes.append(
                f"At {late} of {len(seen)} holes time was over before the answer was: what had come counts."
            )
        unlooked = Counter(one.hole.language for one in ways[0].seen if one.judgement.unparsed is None)
        if unlooked:
            listed = ", ".join(f"{visible(name)} ({number})" for name, number in sorted(unlooked.items()))
            notes.append(
                f"Not looked at whether the code is still parsed, holes by language: {listed}. Either no parser is there"
                ' (the extra "measure" has some), or what was written is itself not parsed there.'
            )
        if self._args.stops and not self._plan.events:
            notes.append("No typed session: no commit looks typed by hand in files that may be sent.")
        if any(way.typed is not None and not way.typed.whole for way in ways):
            notes.append("The typed session ends where an answer is missing.")
        if self._plan.withheld:
            notes.append(
                f"{self._plan.withheld} files are kept home by the rules for secrets, exclude, or switched-off languages."
            )
        if not self._encoder.exact:
            notes.append(
                'Tokens are approximate where the service did not tell them (exact with the extra "replay").'
            )
        notes.append(f"Intervals are of 95 %, by drawing the holes anew. Answers are kept in {self.file}.")
        return notes


def _who(endpoint: str) -> str:
    host = urlsplit(endpoint).hostname or endpoint
    return "this machine" if host in LOOPBACK else host


def _print(args: argparse.Namespace, found: Assessment) -> None:
    if args.plot:
        args.plot.write_text(plot.worth(found), "utf-8")
    if args.json:
        put_json(found.as_json(), indent=1)
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra

        console = Console()
        for part in found.tables():
            console.print(part)
    except ImportError:
        raise StoppedError('The table needs rich: pip install "fim-lsp[replay]", or use --json.') from None
