"""Chats that go on with what the model has begun: chosen on purpose alone, asked by each vendor's own mark."""

import json

import httpx
import pytest

from fim_lsp.endpoint.request import Request
from fim_lsp.endpoint.service import Service

ASK = Request(
    "def total(items):\n    return ", "\n\nprint(total([1]))\n", "deepseek-flash", 64, 0.0, ("\n\n",)
)


def events(*pieces):
    lines = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}
    ]
    lines += [{"choices": [{"index": 0, "delta": {"content": one}, "finish_reason": None}]} for one in pieces]
    lines += [
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9}}
    ]
    return b"".join(b"data: " + json.dumps(line).encode() + b"\n\n" for line in lines) + b"data: [DONE]\n\n"


async def asked(url, *pieces, request=ASK):
    """The request that was sent, and the text that came of the answer."""
    sent = []

    def answer(asked):
        sent.append(asked)
        if asked.method == "GET":
            return httpx.Response(200, stream=httpx.ByteStream(b'{"data": [{"id": "acme/coder"}]}'))
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=events(*pieces))

    service = Service(url, "sk-x", engine="chat-prefix", transport=httpx.MockTransport(answer))
    async with service.complete(request, seconds=5.0) as reply:
        text = "".join([piece async for piece in reply])
    await service.aclose()
    return sent[-1], json.loads(sent[-1].content), text


@pytest.mark.parametrize(
    ("url", "path", "mark", "model"),
    [
        ("https://api.deepseek.com", "/beta/chat/completions", "prefix", "deepseek-flash"),
        ("https://api.mistral.ai", "/v1/chat/completions", "prefix", "codestral-latest"),
        ("https://dashscope.aliyuncs.com/compatible-mode", "/compatible-mode/v1/chat/completions", "partial", "qwen3-coder-flash"),
        ("https://openrouter.ai/api", "/api/v1/chat/completions", None, "acme/coder"),
    ],
)  # fmt: skip
async def test_the_models_own_turn_has_begun(url, path, mark, model):
    """What stands before the cursor is the assistant's, what follows it is told by the user, and the answer is the rest."""
    request, body, text = await asked(url, "sum", "(items)")
    assert request.url.path == path
    assert body["model"] == model
    user, begun = body["messages"]
    assert (user["role"], begun["role"], begun["content"]) == ("user", "assistant", ASK.prefix)
    assert {key for key in begun if begun[key] is True} == ({mark} if mark else set())
    assert ASK.suffix in user["content"]
    assert ASK.prefix not in user["content"]
    assert "suffix" not in body
    assert "prompt" not in body
    assert (body["max_tokens"], body["stop"]) == (64, ["\n\n"])
    assert text == "sum(items)"


@pytest.mark.parametrize("size", [1, 5, 1000])
async def test_a_prefix_that_is_said_again_is_passed_over(size):
    """Mistral's answers begin with it; text that only resembles it is an answer."""
    said = ASK.prefix + "sum(items)"
    _, _, text = await asked(
        "https://api.mistral.ai", *(said[i : i + size] for i in range(0, len(said), size))
    )
    assert text == "sum(items)"
    _, _, text = await asked("https://api.mistral.ai", "def total", "ed")
    assert text == "def totaled"


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("```python\nsum(items)\n```\nThis adds them up.", "sum(items)"),
        ("```\nsum(items)\n", "sum(items)\n"),
        ("sum(items)", "sum(items)"),
        ("``x``", "``x``"),
        ("\n  a", "\n  a"),
    ],
)
async def test_a_fence_around_the_answer_is_no_text(said, text, size):
    """Chats like to put code into fences, whatever they are told."""
    _, _, found = await asked(
        "https://api.deepseek.com", *(said[i : i + size] for i in range(0, len(said), size))
    )
    assert found == text


@pytest.mark.parametrize("engine", ["auto", "deepseek"])
async def test_a_chat_is_never_chosen_by_itself(engine):
    """A host that is known is asked to fill in the middle."""
    service = Service("https://api.deepseek.com", "sk-x", engine=engine)
    assert service.found.dialect.path == "/beta/completions"
    await service.aclose()
