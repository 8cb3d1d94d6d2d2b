"""A request as an engine takes it: rendered by its dialect, and by a template where it takes a prompt as it is."""

from __future__ import annotations

import json
import re
from typing import Any

from fim_lsp.endpoint.beginning import beginning
from fim_lsp.endpoint.dialect import Dialect, put_at
from fim_lsp.endpoint.request import Request
from fim_lsp.endpoint.template import Template

BYTES = 2  # of text a token at least; code has about 3.5
MARGIN = 64  # tokens that a template, marks and names may take
BATCH = (
    4 / 3
)  # of an engine that cuts the prefix to three quarters of a batch: what its prefix is to the batch


def body_of(
    dialect: Dialect,
    template: Template | None,
    request: Request,
    *,
    session: str = "",
    context_tokens: int = 0,
) -> bytes:
    """The request as JSON, always in one order, so that equal parts are equal bytes.

    Without a template, the engine is sent prefix and suffix.  `session` is a value of this server's own, where the
    engine keeps a cache by it; `context_tokens` bound prompt and answer together, 0 where nothing is known.
    """
    context, prefix = _fitted(dialect, request, context_tokens)
    suffix = _begun(request.suffix, dialect.suffix_tokens * BYTES)
    body: dict[str, Any] = {}
    if dialect.model:
        put_at(body, dialect.model, request.model)
    if dialect.chat:
        body["messages"] = _messages(dialect, context + prefix, request)
    elif template is not None:
        text = template.render(context, prefix, suffix, request.path, alone=dialect.alone)
        put_at(body, dialect.prompt, text)
    else:
        put_at(body, dialect.prompt, prefix if dialect.extra else context + prefix)
        if suffix or dialect.empty_suffix != "omit":
            put_at(body, dialect.suffix, suffix)
        if dialect.extra and context:
            put_at(body, dialect.extra, [{"filename": "context", "text": context}])
    put_at(body, dialect.max_tokens, request.max_tokens)
    if dialect.temperature:
        put_at(body, dialect.temperature, request.temperature)
    # Where an engine takes few of them, those of the family come last: our filter ends the answer there, too.
    stop = dict.fromkeys((*request.stop, *(template.stop if template else ())))
    if stop and dialect.stop:
        put_at(body, dialect.stop, list(stop)[: dialect.most_stops])
    if dialect.context and context_tokens:
        put_at(body, dialect.context, context_tokens)
    for name, value in dialect.more.items():
        body[name] = session if value == "{session}" else value
    if request.begins and dialect.holds:
        put_at(body, dialect.begin, beginning(request.begins, dialect.begin_as))
    if request.logprobs:
        for name, value in dialect.ask_logprobs.items():
            put_at(body, name, value)
    return whole(json.dumps(body, ensure_ascii=False, separators=(",", ":"))).encode()


def address_of(base_url: str, path: str) -> str:
    """The address of a path: what the base ends in and the path begins with is there once; a version of its own stays."""
    base, steps = base_url.split("/"), path.split("/")[1:]
    if len(base) > 3 and re.fullmatch(r"v\d+", base[-1]) and re.fullmatch(r"v\d+", steps[0]):
        steps = steps[1:]
    for size in range(min(len(base) - 3, len(steps)), 0, -1):
        if base[-size:] == steps[:size]:
            steps = steps[size:]
            break
    return "/".join([*base, *steps])


def whole(text: str) -> str:
    """The text with halves of characters joined where they meet, and replaced where they stand alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def room(dialect: Dialect, context_tokens: int, max_tokens: int, suffix_chars: int) -> tuple[int, int, int]:
    """The most characters of a prefix, of its part at the cursor, and of a suffix; 0 for what has no bound."""
    suffix = dialect.suffix_tokens * BYTES
    live = _at_cursor(dialect, context_tokens, max_tokens) * BYTES
    if not context_tokens:
        return 0, live, suffix
    left = context_tokens - 2 * max_tokens - MARGIN
    if dialect.prefix_tokens:
        others = max(0, left - round(dialect.prefix_tokens * BATCH)) * BYTES
        return others + live, live, suffix
    return max(left * BYTES - suffix_chars, 200), 0, suffix


def _at_cursor(dialect: Dialect, context_tokens: int, max_tokens: int) -> int:
    """The tokens before the cursor, of an engine that cuts them to a part of a batch; a small context has room for fewer."""
    most = dialect.prefix_tokens
    if most and context_tokens:
        most = min(most, max(context_tokens - 2 * max_tokens - dialect.suffix_tokens - MARGIN, 100))
    return most


def _begun(text: str, most: int) -> str:
    """The beginning of a text, so many bytes of it; 0 is no bound."""
    if not most or len(text) * 4 <= most:
        return text
    return text.encode("utf-8", "surrogatepass")[:most].decode("utf-8", "ignore")


def _fitted(dialect: Dialect, request: Request, context_tokens: int) -> tuple[str, str]:
    """What stands further up, and the text at the cursor, so short that the engine cuts neither."""
    context, prefix = request.prefix[: request.context], request.prefix[request.context :]
    if dialect.prefix_tokens:
        cut = _cut(prefix, _at_cursor(dialect, context_tokens, request.max_tokens) * BYTES)
        context, prefix = context + prefix[:cut], prefix[cut:]
    if context_tokens:
        suffix = len(request.suffix.encode("utf-8", "replace"))
        left = (context_tokens - 2 * request.max_tokens - MARGIN) * BYTES - suffix
        if dialect.prefix_tokens:
            left -= round(dialect.prefix_tokens * BATCH) * BYTES
            return context[_cut(context, max(left, 0)) :], prefix
        cut = _cut(context + prefix, max(left, 200))
        return context[cut:], prefix[max(0, cut - len(context)) :]
    return context, prefix


def _cut(text: str, most: int) -> int:
    """How many characters to leave out at the beginning for the rest to have so many bytes, by quarters of these.

    The rest begins at a line, and at the same one while the text grows a little.
    """
    size = len(text.encode("utf-8", "replace"))
    if size <= most:
        return 0
    if most <= 0:
        return len(text)
    step = max(most // 4, 1)
    least = -(-(size - most) // step) * step  # bytes
    gone = 0
    at = 0
    for line in text.splitlines(keepends=True):
        if gone >= least:
            break
        gone += len(line.encode("utf-8", "replace"))
        at += len(line)
    if at < len(text):
        return at
    # One long line: within it.
    return len(text.encode("utf-8", "replace")[:least].decode("utf-8", "ignore"))


def _messages(dialect: Dialect, prefix: str, request: Request) -> list[dict[str, Any]]:
    """A conversation in which the model's own turn has begun with the prefix; what follows is told before."""
    said = (
        "Go on with the text that you have begun, exactly where it ends: code or prose as it is, no explanation, "
        "no fence."
    )
    if request.suffix.strip():
        said += f" What you write stands right before this, which is not to be repeated:\n{request.suffix}"
    begun: dict[str, Any] = {"role": "assistant", "content": prefix}
    if dialect.chat != "plain":
        begun[dialect.chat] = True
    return [{"role": "user", "content": said}, begun]
