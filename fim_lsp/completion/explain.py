"""What would be sent for a place, part by part: from which files each is, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fim_lsp.completion.question import Question
from fim_lsp.context.window import Parts
from fim_lsp.endpoint.request import Request
from fim_lsp.settings.settings import Settings
from fim_lsp.usage.token_counts import CHARACTERS


def explained(
    question: Question,
    request: Request,
    shown: Mapping[str, Any],
    parts: list[dict[str, Any]],
    asked: Settings,
    chosen: Settings,
) -> dict[str, Any]:
    """The request to a question, by the names of the service; of the user's headers the names alone.

    `shown` is what its engine is sent of it, and how; `asked` are the settings for the endpoint that answers now, `chosen`
    those in force.
    """
    named = sorted({*asked.headers, *([asked.affinity_header] if asked.affinity_header else [])})
    rest = [one for one in chosen.endpoints() if one.entry != asked.entry]
    sure = {"threshold": question.confidence, **shown.get("confidence", {})}
    return {
        **shown,
        **({"confidence": sure} if question.confidence is not None else {}),
        **({"headers": named} if named else {}),
        **({"otherwise": [{"url": one.base_url, "model": one.model} for one in rest]} if rest else {}),
        "prompt": request.prefix,
        "suffix": request.suffix,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stop": list(request.stop),
        "kind": question.extent.kind,
        "parts": parts,
    }


def parts_of(parts: Parts, document: str, price: tuple[float, float] | None) -> list[dict[str, Any]]:
    """What a prompt's prefix is made of, in order, from which files, and what it costs.

    Tokens are estimated; dollars are for one request, where the part is billed as a hit and where it is new.
    """
    opening = parts.opening
    found: list[tuple[str, int, Iterable[str]]] = [
        ("map", len(opening.map), opening.mapped),
        ("log of edits", len(opening.log), opening.logged),
        ("near this file", len(opening.near), opening.imported),
        ("earlier", parts.before, [document]),
        ("live", parts.live, [document]),
    ]
    out: list[dict[str, Any]] = []
    for what, size, files in found:
        if not size:
            continue
        tokens = round(size / CHARACTERS)
        out.append({"what": what, "characters": size, "tokens": tokens, "files": list(files)})
        if price is not None:
            out[-1]["usdKept"], out[-1]["usdNew"] = (round(tokens * one / 1e6, 8) for one in price)
        if what == "live":
            out[-1]["lines"] = [parts.first + 1, parts.last + 1]  # from 1
    return out
