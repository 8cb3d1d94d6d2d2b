"""Engines on loopback, as small as they can be, with the quirks that their documents and sources show.

Each records the bodies that it was asked with, by path; `says` is what the model would say.  Whatever a real one refuses
is refused here, with its status and its words.
"""

import asyncio
import json
import re

WORDS = "return total\n"


class Engine:
    """One HTTP server; a subclass says what it answers to a path."""

    def __init__(self, says=WORDS):
        self.says = says
        self.paths = []  # every path that was asked for
        self.asked = []  # path and body of every request for text
        self.heads = []
        self.cut = 0  # streams that the client left
        self.every = 0.0  # seconds between pieces
        self.key = None
        self.unsure = {}  # the log-probabilities of pieces, where they are asked for; of all others, -0.01
        self._writers = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 24)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def stop(self):
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await asyncio.sleep(0)

    @property
    def body(self):
        return self.asked[-1][1]

    @property
    def path(self):
        return self.asked[-1][0]

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                head = {}
                while (field := await reader.readline()) not in (b"\r\n", b""):
                    name, _, value = field.decode().partition(":")
                    head[name.lower()] = value.strip()
                body = await reader.readexactly(int(head.get("content-length", 0)))
                method, path = line.split()[:2]
                path = path.decode()
                self.paths.append(path)
                self.heads.append(head)
                if self.key and head.get("authorization") != f"Bearer {self.key}":
                    self.reply(writer, 401, self.unauthorized())
                    continue
                self.writer = writer
                await self.answer(method.decode(), path, json.loads(body) if body else None)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def unauthorized(self):
        return {"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}}

    def reply(self, writer, status, body, kind="application/json"):
        data = json.dumps(body).encode() if not isinstance(body, bytes) else body
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\n\r\n"
        writer.write(head.encode() + data)

    def refuse(self, status, body):
        self.reply(self.writer, status, body)

    def give(self, body):
        self.reply(self.writer, 200, body)

    async def stream(self, lines, kind="text/event-stream"):
        """Each of these bytes as one chunk."""
        writer = self.writer
        writer.write(
            f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        )
        try:
            for line in lines:
                writer.write(b"%x\r\n%s\r\n" % (len(line), line))
                await writer.drain()
                if self.every:
                    await asyncio.sleep(self.every)
        except ConnectionError:
            self.cut += 1
            raise
        writer.write(b"0\r\n\r\n")

    def logprob(self, piece):
        return self.unsure.get(piece, -0.01)

    def pieces(self, size=4):
        said = self.held() + self.says
        return [said[i : i + size] for i in range(0, len(said), size)]

    def held(self):
        """What it is held to begin with; such a one says that, and what it would say behind it."""
        body = self.body if self.asked else {}
        pattern = (
            body.get("structured_outputs", {}).get("regex") or body.get("regex") or body.get("grammar") or ""
        )
        found = re.fullmatch(
            r'(?:root ::= ")?((?:\w|\\x[0-9a-f]{2})+)(?:\[\\s\\S\]\*|" \[\^\\x00\]\*)', pattern
        )
        return re.sub(r"\\x(..)", lambda code: chr(int(code[1], 16)), found[1]) if found else ""


def event(body):
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


class LlamaCpp(Engine):
    """llama-server: `/infill` by the model's own tokens, no `suffix` at the OpenAI way, 503 while it loads, 501 without tokens.

    `[DONE]` ends no stream of its own routes; an object with `stop` does.
    """

    model = "qwen2.5-coder-1.5b-q8_0.gguf"
    n_ctx = 16384

    def __init__(self, *how, fim=True, loading=False, **more):
        super().__init__(*how, **more)
        self.fim = fim
        self.loading = loading

    async def answer(self, method, path, body):
        if self.loading and path != "/v1/models":
            error = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
            self.refuse(503, {"error": error})
        elif path == "/health":
            self.give({"status": "ok"})
        elif path == "/props":
            slot = {"n_ctx": self.n_ctx, "params": {}}
            props = {
                "default_generation_settings": slot,
                "total_slots": 1,
                "model_path": f"/models/{self.model}",
            }
            self.give({**props, "build_info": "b10068-abcdef"})
        elif path == "/v1/models":
            entry = {
                "id": self.model,
                "object": "model",
                "owned_by": "llamacpp",
                "meta": {"n_ctx_train": 32768},
            }
            self.give({"object": "list", "data": [entry]})
        elif path in ("/infill", "/completion") and method == "POST":
            self.asked.append((path, body))
            if path == "/infill" and not self.fim:
                words = "Infill is not supported by this model: prefix token is missing."
                self.refuse(501, {"error": {"code": 501, "message": words, "type": "not_supported_error"}})
                return
            asked = body.get("n_probs")
            pieces = [
                event(
                    {"index": 0, "content": piece, "tokens": [], "stop": False, **self.probable(piece, asked)}
                )
                for piece in self.pieces()
            ]
            last = {
                "content": "",
                "stop": True,
                "stop_type": "eos",
                "tokens_evaluated": 40,
                "tokens_predicted": 4,
            }
            timings = {"cache_n": 30, "prompt_n": 10, "predicted_n": 4}
            await self.stream([b": ping\n\n", *pieces, event({**last, "timings": timings})])
        elif path == "/v1/completions" and method == "POST":
            self.asked.append((path, body))
            if "suffix" in body:
                self.refuse(400, {"error": {"code": 400, "message": "Unsupported param: suffix"}})
                return
            await self.stream([event({"choices": [{"text": self.says, "finish_reason": "stop"}]}), DONE])
        else:
            self.refuse(404, {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}})

    def probable(self, piece, asked):
        row = {"id": 1, "token": piece, "bytes": list(piece.encode()), "logprob": self.logprob(piece)}
        return {"completion_probabilities": [{**row, "top_logprobs": [row] * asked}]} if asked else {}


class Ollama(Engine):
    """Ollama: lines of JSON; an empty suffix is answered by the chat template, one where the model has no insert with 400.

    `error` may come within a stream of status 200, `done` may never come.
    """

    names = ("qwen2.5-coder:1.5b-base",)
    insert = True
    loaded = 0  # the context of the model that is loaded, 0 where none is
    version = "0.14.1"

    async def answer(self, method, path, body):
        if path == "/":
            self.reply(self.writer, 200, b"Ollama is running", "text/plain")
        elif path == "/api/version":
            self.give({"version": self.version})
        elif path == "/api/tags":
            self.give({"models": [{"name": one, "model": one, "size": 1} for one in self.names]})
        elif path == "/v1/models":
            self.give({"object": "list", "data": [{"id": one, "owned_by": "library"} for one in self.names]})
        elif path == "/api/ps":
            running = [{"name": self.names[0], "context_length": self.loaded}] if self.loaded else []
            self.give({"models": running})
        elif path == "/api/show" and method == "POST":
            capabilities = ["completion", *(["insert"] if self.insert else [])]
            info = {"general.architecture": "qwen2", "qwen2.context_length": 32768}
            self.give({"capabilities": capabilities, "model_info": info, "details": {"family": "qwen2"}})
        elif path == "/api/generate" and method == "POST":
            self.asked.append((path, body))
            if body["model"] not in self.names:
                self.refuse(404, {"error": f"model '{body['model']}' not found"})
            elif body.get("suffix") and not self.insert:
                self.refuse(400, {"error": f'"{body["model"]}" does not support insert'})
            elif body.get("raw") and body.get("suffix"):
                self.refuse(400, {"error": "raw mode does not support template, system, or context"})
            else:
                chatted = not body.get("raw") and not body.get("suffix")
                lines = self.lines("Sure! Here is" if chatted else None)
                await self.stream(lines, "application/x-ndjson")
        else:
            self.refuse(404, {"error": "not found"})

    def lines(self, instead):
        said = [instead] if instead else self.pieces()
        model = {"model": self.names[0], "created_at": "2026-11-26T00:00:00Z"}
        for piece in said:
            told = (
                {"logprobs": [{"token": piece, "logprob": self.logprob(piece)}]}
                if self.asked and self.body.get("logprobs")
                else {}
            )
            yield json.dumps({**model, "response": piece, "done": False, **told}).encode() + b"\n"
        counts = {"prompt_eval_count": 40, "prompt_eval_duration": 1000, "eval_count": 4, "eval_duration": 9}
        yield (
            json.dumps({**model, "response": "", "done": True, "done_reason": "stop", **counts}).encode()
            + b"\n"
        )


class Vllm(Engine):
    """vLLM: 400 for any suffix, for an empty prompt and for a fifth stop; the bill in a last chunk without choices, if asked for.

    Marks of the family are left out of the text unless it is told otherwise.
    """

    names = ("Qwen/Qwen2.5-Coder-7B",)
    stops = 4
    marks = ("<|fim_pad|>", "<|file_sep|>")
    root = None
    owner = "vllm"
    context = 8192

    async def answer(self, method, path, body):
        if path == "/health":
            self.reply(self.writer, 200, b"", "text/plain")
        elif path == "/version":
            self.give({"version": "0.14.0"})
        elif path == "/v1/models":
            data = [
                {
                    "id": one,
                    "object": "model",
                    "owned_by": self.owner,
                    "root": self.root or one,
                    "max_model_len": self.context,
                }
                for one in self.names
            ]
            self.give({"object": "list", "data": data})
        elif path == "/v1/completions" and method == "POST":
            self.asked.append((path, body))
            if wrong := self.wrong(body):
                self.refuse(
                    400, {"error": {"message": wrong, "type": "BadRequestError", "param": None, "code": 400}}
                )
                return
            await self.stream(self.events(body))
        else:
            self.refuse(404, {"detail": "Not Found"})

    def wrong(self, body):
        if body.get("suffix") is not None:
            return "suffix is not currently supported"
        if not body["prompt"]:
            return "Either prompt or prompt_embeds must be provided and non-empty."
        if body["model"] not in self.names:
            return f"The model `{body['model']}` does not exist."
        if len(body.get("stop", ())) > self.stops:
            return f"List should have at most {self.stops} items after validation, not {len(body['stop'])}"
        return ""

    def events(self, body):
        for piece in self.pieces():
            if body.get("skip_special_tokens", True) and piece in self.marks:
                continue
            choice = {"index": 0, "text": piece, "finish_reason": None, "stop_reason": None}
            if body.get("logprobs"):
                told = {"tokens": [piece], "token_logprobs": [self.logprob(piece)], "text_offset": [0]}
                choice["logprobs"] = {**told, "top_logprobs": [{piece: self.logprob(piece)}]}
            yield event({"choices": [choice]})
        yield event({"choices": [{"index": 0, "text": "", "finish_reason": "stop", "stop_reason": None}]})
        if body.get("stream_options", {}).get("include_usage"):
            details = {"cached_tokens": 32}
            usage = {"prompt_tokens": 40, "total_tokens": 44, "completion_tokens": 4}
            yield event({"choices": [], "usage": {**usage, "prompt_tokens_details": details}})
        yield DONE


class Sglang(Vllm):
    """SGLang with a completion template: a suffix that is missing becomes the text "None", an empty one leaves the prompt alone."""

    names = ("default",)
    owner = "sglang"
    model_path = "bigcode/starcoder2-7b"

    async def answer(self, method, path, body):
        if path == "/get_model_info":
            self.give({"model_path": self.model_path, "is_generation": True})
        elif path == "/version":
            self.refuse(404, {"detail": "Not Found"})
        else:
            await super().answer(method, path, body)

    def wrong(self, body):
        if not body["prompt"]:
            return "Prompt cannot be empty"
        return ""

    def events(self, body):
        if body.get("suffix", None) != "":
            body["prompt"] = f"<fim_prefix>{body['prompt']}<fim_suffix>{body.get('suffix')}<fim_middle>"
        return super().events(body)


class Codestral(Engine):
    """Mistral's FIM endpoint: 422 for a field that the schema has not, text in `delta.content`, hits for a `prompt_cache_key`."""

    known = frozenset(
        [
            "model",
            "prompt",
            "suffix",
            "temperature",
            "top_p",
            "max_tokens",
            "min_tokens",
            "stop",
            "stream",
            "random_seed",
            "metadata",
            "prompt_cache_key",
        ]
    )

    def unauthorized(self):
        return {"message": "Unauthorized", "request_id": "1"}

    async def answer(self, method, path, body):
        if path == "/v1/models":
            capabilities = {"completion_chat": True, "completion_fim": True, "function_calling": True}
            names = ("codestral-2508", "codestral-latest")
            data = [{"id": one, "owned_by": "mistralai", "capabilities": capabilities} for one in names]
            self.give({"object": "list", "data": data})
        elif path == "/v1/fim/completions" and method == "POST":
            self.asked.append((path, body))
            if unknown := sorted(set(body) - self.known):
                detail = [
                    {"type": "extra_forbidden", "loc": ["body", one], "msg": "no", "input": 1}
                    for one in unknown
                ]
                self.refuse(422, {"detail": detail})
                return
            await self.stream(self.events(body))
        elif path == "/v1/fim/completions":
            self.refuse(405, {"detail": "Method Not Allowed"})
        else:
            self.refuse(404, {"message": "no Route matched with those values"})

    def events(self, body):
        head = {"id": "1", "object": "chat.completion.chunk", "model": body["model"]}
        yield event(
            {
                **head,
                "choices": [
                    {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
                ],
            }
        )
        for piece in self.pieces():
            yield event(
                {**head, "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
            )
        usage = {"prompt_tokens": 40, "completion_tokens": 4, "total_tokens": 44}
        if body.get("prompt_cache_key"):
            usage["prompt_tokens_details"] = {"cached_tokens": 24}
        last = {"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}
        yield event({**head, "choices": [last], "usage": usage})
        yield DONE


class Suffixed(Vllm):
    """A gateway that speaks the OpenAI way and knows no owner; `suffix` is taken or refused."""

    names = ("team-coder",)
    owner = "openai"
    takes = True

    async def answer(self, method, path, body):
        if path == "/version":
            self.refuse(404, {"detail": "Not Found"})
        else:
            await super().answer(method, path, body)

    def wrong(self, body):
        if not self.takes and body.get("suffix") is not None:
            return "suffix is not currently supported"
        return ""


class Mlx(Vllm):
    """mlx_lm.server: wants a length, knows no owner, drops a suffix without a word, and says that it is alive meanwhile."""

    names = ("mlx-community/Qwen2.5-Coder-1.5B-4bit",)

    async def answer(self, method, path, body):
        if method == "POST" and "content-length" not in self.heads[-1]:
            self.refuse(411, {"error": "Content-Length header is required"})
        elif path == "/v1/models":
            self.give(
                {
                    "object": "list",
                    "data": [{"id": one, "object": "model", "created": 1} for one in self.names],
                }
            )
        elif path == "/version":
            self.refuse(404, {})
        else:
            await super().answer(method, path, body)

    def wrong(self, body):
        return ""

    def events(self, body):
        yield b": keepalive 1/2\n\n"
        yield from super().events(body)


class LmStudio(Vllm):
    """LM Studio: to a path that it does not know it answers 200, with an error within."""

    names = ("qwen2.5-coder-7b-instruct", "text-embedding-nomic-embed-text-v1.5")
    owner = "organization_owner"
    stops = 16

    async def answer(self, method, path, body):
        if path in ("/v1/models", "/v1/completions"):
            await super().answer(method, path, body)
        else:
            self.give({"error": f"Unexpected endpoint or method. ({method} {path})"})
