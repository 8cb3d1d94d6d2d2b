"""What one request can be billed for at most, from its characters, and a bill held against that."""

from __future__ import annotations

from fim_lsp.context.window import Prompt
from fim_lsp.endpoint.request import Usage

TEMPLATE = 256  # tokens that a service or a gateway may put around a prompt; public bills of 2026 show 4


def most(prompt: Prompt) -> int:
    """The prompt tokens that a request can have at most: none stands for less than a byte of its text."""
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in prompt) + TEMPLATE


def bounded(usage: Usage, prompt: Prompt, max_tokens: int) -> Usage:
    """The bill, or what of it the request can have cost; hits that are more than the prompt's tokens are no hits."""
    tokens = min(usage.prompt_tokens, most(prompt))
    hit = usage.cache_hit_tokens if usage.cache_hit_tokens <= usage.prompt_tokens else 0
    return Usage(tokens, min(hit, tokens), min(usage.completion_tokens, max_tokens))
