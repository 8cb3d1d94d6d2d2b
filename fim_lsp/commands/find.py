"""`fim-lsp doctor --find`: engines on this machine's usual ports, looked for when a person asks, and the line to write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fim_lsp import __version__
from fim_lsp.commands.terminal import put, put_json, say
from fim_lsp.settings.kinds import DEFAULT_MODEL
from fim_lsp.settings.settings import Settings
from fim_lsp.text.characters import visible

# Where engines listen if nothing else was said, by their documents: llama.cpp and MLX, llama.cpp since 2026-08, Ollama,
# LM Studio, vLLM, SGLang.
PORTS = (8080, 9931, 11434, 1234, 8000, 30000)
SECONDS = 8.0  # for one port
LONGEST = 500  # characters of what an engine calls itself and its model


class Engine(NamedTuple):
    """An engine that answered: where, what it is, which model it would be asked for, and what is in the way."""

    base_url: str
    engine: str
    version: str
    model: str
    problem: str


def run(
    *, connect: Callable[[Settings], Any], config: Path, as_json: bool, ports: Sequence[int] = PORTS
) -> int:
    """Look, and print; 1 where no engine answers."""
    found = asyncio.run(engines(connect, ports))
    if as_json:
        names = {"base_url": "baseUrl"}
        shown = [{names.get(name, name): value for name, value in one._asdict().items()} for one in found]
        put_json({"version": __version__, "found": shown})
    for one in found if not as_json else ():
        named = visible(" ".join(filter(None, (one.engine, one.version))), most=LONGEST)
        put(f"{named} at {one.base_url}, model {visible(one.model, most=LONGEST)}")
        if one.problem:
            put(f"  {visible(one.problem, most=LONGEST)}")
        put(f'  base_url = "{one.base_url}"')
    if not found:
        say(f"no engine answers on this machine's ports {', '.join(map(str, ports))}.")
        return 1
    if not as_json:
        put(f"Write the line of one into {config}, or baseUrl into your editor's settings.")
    return 0


async def engines(connect: Callable[[Settings], Any], ports: Sequence[int]) -> list[Engine]:
    """What answers on these ports of the loopback address as an engine does; no key is sent, nor any text."""
    found = await asyncio.gather(*(_engine(connect, f"http://127.0.0.1:{port}") for port in ports))
    return [one for one in found if one is not None]


async def _engine(connect: Callable[[Settings], Any], base_url: str) -> Engine | None:
    service = connect(Settings(base_url=base_url))
    try:
        async with asyncio.timeout(SECONDS):
            found = await service.meet()
    except TimeoutError:
        return None
    finally:
        await service.aclose()
    if found is None:
        return None
    return Engine(base_url, found.engine, found.version, found.model_of(DEFAULT_MODEL), found.problem)
