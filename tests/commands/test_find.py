"""What is looked for on this machine, and what is said of it; only when asked."""

import asyncio
import json
from pathlib import Path

import pytest
from endpoint import Endpoint

from fim_lsp.commands import doctor, find
from fim_lsp.commands.main import connector


class Standin:
    """An HTTP server on loopback that answers some paths with JSON, all others with 404; it keeps what it was asked."""

    def __init__(self, answers):
        self.answers = answers
        self.heads = []
        self.hangs = False

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self):
        self._server.close()

    async def _serve(self, reader, writer):
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                self.heads.append(head)
                if self.hangs:
                    await reader.read()
                    break
                answer = self.answers.get(head.split()[1])
                body = json.dumps(answer or {"error": "no"}).encode()
                status = "200 OK" if answer else "404 Not Found"
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


LLAMA = {
    "/v1/models": {"data": [{"id": "qwen2.5-coder-1.5b", "owned_by": "llamacpp"}]},
    "/props": {"default_generation_settings": {"n_ctx": 4096}, "build_info": "b1\x1b[31m"},
}
VLLM = {"/v1/models": {"data": [{"id": "team/odd-model", "owned_by": "vllm", "max_model_len": 8192}]}}
OTHER = {"/v1/models": {"data": []}}


@pytest.fixture
async def standins():
    made = [await Standin(answers).start() for answers in (LLAMA, VLLM, OTHER)]
    yield made
    for one in made:
        await one.stop()


async def test_what_answers_as_an_engine_is_found(standins, monkeypatch):
    """Also beside a port where nothing is, one where something else is, and one that never answers; no key is sent."""
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-own")
    monkeypatch.setattr(find, "SECONDS", 0.5)
    silent = await Standin({}).start()
    silent.hangs = True
    ports = [one.port for one in (*standins, silent)]
    found = await find.engines(connector(demo=False), [*ports, 9])
    assert [(one.base_url, one.engine, one.model) for one in found] == [
        (f"http://127.0.0.1:{ports[0]}", "llama.cpp", "qwen2.5-coder-1.5b"),
        (f"http://127.0.0.1:{ports[1]}", "vllm", "team/odd-model"),
    ]
    assert "template" in found[1].problem
    heads = "".join(head for one in (*standins, silent) for head in one.heads)
    assert heads
    assert "sk-own" not in heads
    assert "authorization" not in heads.lower()
    await silent.stop()


async def test_the_line_to_write_is_printed(standins, tmp_path, capsys):
    """With the file that it goes into; what an engine says of itself is shown without controls."""

    def look(**how):
        return asyncio.to_thread(
            find.run, connect=connector(demo=False), config=tmp_path / "config.toml", ports=ports, **how
        )

    ports = [one.port for one in standins]
    assert await look(as_json=False) == 0
    out = capsys.readouterr().out
    assert f'\n  base_url = "http://127.0.0.1:{ports[0]}"\n' in out
    assert str(tmp_path / "config.toml") in out
    assert "\x1b" not in out
    assert await look(as_json=True) == 0
    found = json.loads(capsys.readouterr().out)["found"]
    assert [one["baseUrl"] for one in found] == [f"http://127.0.0.1:{port}" for port in ports[:2]]
    ports = [9]
    assert await look(as_json=False) == 1
    assert capsys.readouterr() == ("", "fim-lsp: no engine answers on this machine's ports 9.\n")


async def test_nothing_is_looked_for_unless_asked(standins, endpoint, tmp_path, monkeypatch, capsys):
    """Not by the doctor without the word; and nothing else of the package knows how to look."""
    monkeypatch.setattr(find, "PORTS", tuple(one.port for one in standins))
    environ = {"FIM_LSP_BASE_URL": endpoint.url, "DEEPSEEK_API_KEY": "sk"}
    how = {"connect": connector(demo=False), "config": tmp_path / "none", "environ": environ}
    await asyncio.to_thread(doctor.run, **how, demo=False, as_json=False)
    assert "ok    endpoint" in capsys.readouterr().out
    assert not any(one.heads for one in standins)
    package = Path(find.__file__).parents[1]
    users = [path.name for path in package.rglob("*.py") if "import doctor, find" in path.read_text("utf-8")]
    mentions = [path.name for path in package.rglob("*.py") if "commands.find" in path.read_text("utf-8")]
    assert (users, mentions) == (["main.py"], [])


async def test_the_doctor_looks_at_every_endpoint(tmp_path, endpoint):
    """Each fallback has its checks, and headers are listed by their names."""
    second = await Endpoint().start()
    config = tmp_path / "config.toml"
    config.write_text(
        f'base_url = "{endpoint.url}"\napi_key = "sk-own"\nheaders = {{ X-Team = "SECRET" }}\naffinity_header = "X-Session"\n'
        f'[[fallback]]\nbase_url = "{second.url}"\napi_key_env = "TEAM_KEY"\nheaders = {{ X-Lab = "SECRET" }}\n'
        '[[fallback]]\nbase_url = "http://127.0.0.1:9"\n'
    )
    config.chmod(0o600)
    second.key = "sk-team"
    environ = {"TEAM_KEY": "sk-wrong"}
    from fim_lsp.commands.client import options
    from fim_lsp.endpoint.service import Service

    def connect(settings):
        return Service(settings.base_url, **options(settings, environ, tmp_path / "state"))

    checks = await doctor.examine(connect=connect, config=config, environ=environ, demo=False)
    said = {check.name: (check.good, check.found) for check in checks}
    assert said["headers"] == (True, "X-Team, X-Session")
    assert said["fallback 1: headers"] == (True, "X-Lab")
    assert said["completion"][0]
    good, found = said["fallback 1: key"]
    assert not good
    assert "check TEAM_KEY" in found
    assert not said["fallback 2: endpoint"][0]
    shown = str([(check.found, check.posted) for check in checks])
    assert "SECRET" not in shown
    report = doctor._report(checks, config, environ)
    assert "SECRET" not in report
    assert "X-Team" not in report
    assert "- affinityHeader: set" in report
    await second.stop()
