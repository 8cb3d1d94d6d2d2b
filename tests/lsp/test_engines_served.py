"""One line in `config.toml`, and the language server completes: the address of an engine, no key, nothing else."""

import asyncio

import pytest
from lsp import Client
from standins import Codestral, LlamaCpp, Ollama, Sglang, Vllm

PATHS = {
    LlamaCpp: "/infill",
    Ollama: "/api/generate",
    Vllm: "/v1/completions",
    Sglang: "/v1/completions",
    Codestral: "/v1/fim/completions",
}


@pytest.mark.parametrize("make", PATHS, ids=lambda make: make.__name__)
async def test_one_line_is_enough(make, tmp_path):
    """A suggestion comes, by the engine's own path; explain says what was found, and the status which model it is."""
    at = await make(says="a + b\n").start()
    folder = tmp_path / ".config" / "fim-lsp"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f'base_url = "{at.url}"\n')
    client = await Client().start(tmp_path, XDG_CONFIG_HOME=str(tmp_path / ".config"), DEEPSEEK_API_KEY="")
    try:
        await client.initialize()
        client.open("file:///a.py", "def add(a, b):\n    return \n")
        assert await client.texts("file:///a.py", 1, 11) == ["a + b"]
        assert {path for path, _ in at.asked} == {PATHS[make]}
        where = {"uri": "file:///a.py", "position": {"line": 1, "character": 11}}
        told = await client.call(
            "workspace/executeCommand", {"command": "fimLsp.explain", "arguments": [where]}
        )
        assert told["url"] == at.url + PATHS[make]
        assert told["engine"] == {LlamaCpp: "llama.cpp", Codestral: "mistral"}.get(
            make, make.__name__.lower()
        )
        status = await client.call("workspace/executeCommand", {"command": "fimLsp.status"})
        assert status["model"] == at.asked[-1][1].get("model", LlamaCpp.model)
        assert status["promptTokens"] > 0
        assert not client.messages()
    finally:
        await client.stop()
        await at.stop()
    await asyncio.sleep(0)
