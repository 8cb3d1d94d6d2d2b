"""A client that speaks raw JSON-RPC to a real server process, and forgives nothing."""

import asyncio
import json
import os
import sys

CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "textDocument": {"inlineCompletion": {}, "completion": {"completionItem": {"snippetSupport": True}}},
    "workspace": {"configuration": True},
}


class Client:
    """One server process and the messages to and from it."""

    def __init__(self):
        self.notes = []
        self.settings = {}
        self.pulls = 0  # how often the server has asked for settings
        self.stderr = b""
        self.how = {}  # how else the process is started, as `subprocess.Popen` has it
        self._answers = {}
        self._next = 0
        self._versions = {}

    async def start(self, home, *arguments, **environ):
        return await self.run(home, ["-m", "fim_lsp", *arguments], **environ)

    async def run(self, home, arguments, **environ):
        """Start Python with these arguments as the server; a variable that is None is not set."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("DEEPSEEK_", "FIM_LSP_", "XDG_"))}
        env = {**clean, "HOME": str(home), "PYTHONPATH": os.getcwd(), **environ}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=-1,
            stdout=-1,
            stderr=-1,
            env={name: value for name, value in env.items() if value is not None},
            limit=1 << 26,
            **self.how,
        )
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._read_errors())]
        return self

    async def _read_errors(self):
        while data := await self.process.stderr.read(65536):
            self.stderr += data

    async def _read(self):
        out = self.process.stdout
        while True:
            size = None
            while (line := await out.readline()) not in (b"", b"\r\n"):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    size = int(value)
            if size is None:
                break
            message = json.loads(await out.readexactly(size))
            if "method" in message and "id" in message:
                result = None
                if message["method"] == "workspace/configuration":
                    result = [self.settings]
                    self.pulls += 1
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})
            elif "method" in message:
                self.notes.append(message)
            elif (answer := self._answers.pop(message["id"], None)) and not answer.done():
                answer.set_result(message)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(EOFError(self.stderr[-2000:].decode()))

    def raw(self, data):
        self.process.stdin.write(data)

    def send(self, message):
        data = json.dumps(message).encode()
        self.raw(b"Content-Length: %d\r\n\r\n" % len(data) + data)

    def notify(self, method, params):
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def push(self, settings):
        """Change the settings: told at once, and answered to the server when it asks."""
        self.settings = settings
        self.notify("workspace/didChangeConfiguration", {"settings": {"fimLsp": settings}})

    def request(self, method, params, number=None):
        """A request under way: a future with its `number`."""
        self._next += 1
        number = self._next if number is None else number
        answer = asyncio.get_running_loop().create_future()
        answer.number = number
        self._answers[number] = answer
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return answer

    def cancel(self, answer):
        self.notify("$/cancelRequest", {"id": answer.number})

    async def call(self, method, params=None):
        message = await asyncio.wait_for(self.request(method, params), 30)
        assert "error" not in message, message
        return message["result"]

    async def initialize(self, options=None, capabilities=CAPABILITIES, settings=None, **more):
        self.settings = settings or {}
        result = await self.call(
            "initialize",
            {
                "processId": None,
                "rootUri": None,
                "capabilities": capabilities,
                "initializationOptions": options or {},
                **more,
            },
        )
        self.notify("initialized", {})
        return result

    def open(self, uri, text, language="python"):
        self._versions[uri] = 1
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def type(self, uri, line, character, text, end=None):
        self._versions[uri] += 1
        start = {"line": line, "character": character}
        change = {"range": {"start": start, "end": end or start}, "text": text}
        self.notify(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": self._versions[uri]}, "contentChanges": [change]},
        )

    def inline(self, uri, line, character, *, explicit=False, selected=None):
        context = {"triggerKind": 1 if explicit else 2}
        if selected:
            context["selectedCompletionInfo"] = selected
        position = {"line": line, "character": character}
        return self.request(
            "textDocument/inlineCompletion",
            {"textDocument": {"uri": uri}, "position": position, "context": context},
        )

    async def texts(self, uri, line, character, **more):
        """The texts offered at a place."""
        message = await asyncio.wait_for(self.inline(uri, line, character, **more), 30)
        return [item["insertText"] for item in message["result"]]

    def messages(self):
        """What was shown to the user."""
        return [n["params"]["message"] for n in self.notes if n["method"] == "window/showMessage"]

    async def until(self, condition, seconds=5):
        for _ in range(int(seconds * 100)):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it did not happen")

    async def stop(self):
        """Say goodbye as the protocol has it; the exit code."""
        if self.process.returncode is None:
            await self.call("shutdown")
            self.notify("exit", None)
        return await self.ended()

    async def ended(self):
        code = await asyncio.wait_for(self.process.wait(), 30)
        for task in self._tasks:
            await task
        return code

    async def kill(self):
        if self.process.returncode is None:
            self.process.kill()
            await self.ended()
