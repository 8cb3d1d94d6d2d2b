"""A scripted endpoint on loopback: it says what it is told, fails as it is told, and records what it was asked."""

import asyncio
import json


class Endpoint:
    """One HTTP server; `says` is the next answers' text, or a function of the request's body."""

    def __init__(self):
        self.says = "None\n"
        self.fault = None  # a status, or "stall", "break", "garbage"
        self.key = None  # the only key that is right; None: any
        self.headers = {}
        self.first = 0.0  # seconds to the first piece
        self.every = 0.0  # seconds between pieces
        self.gate = None  # an event before which nothing is said
        self.logprobs = (
            None  # what a piece's choice says of its tokens, where that is asked for: a function of it
        )
        self.bodies = []
        self.bill = {}  # what the bill says otherwise
        self.keys = []
        self.heads = []  # each request's headers, their names in lower case
        self.cut = 0
        self.ends = {}  # how each request's stream ended: cut or done, by its number from 0
        self.done = 0
        self.connections = 0
        self._writers = set()

    async def start(self, port=0):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=1 << 26)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def stop(self):
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await asyncio.sleep(0)

    async def _serve(self, reader, writer):
        self.connections += 1
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                head = {}
                while (field := await reader.readline()) not in (b"\r\n", b""):
                    name, _, value = field.decode().partition(":")
                    head[name.lower()] = value.strip()
                body = await reader.readexactly(int(head.get("content-length", 0)))
                if not await self._answer(reader, writer, line.split()[1].decode(), head, body):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, reader, writer, path, head, body):
        if self.key and head.get("authorization") != f"Bearer {self.key}":
            self._reply(writer, 401, {"error": {"message": "no"}})
            return True
        if path == "/models":
            self._reply(writer, 200, {"data": [{"id": "deepseek-flash"}]})
            return True
        if path == "/user/balance":
            left = [{"currency": "USD", "total_balance": "9.87"}]
            self._reply(writer, 200, {"is_available": True, "balance_infos": left})
            return True
        if path != "/beta/completions":
            self._reply(writer, 404, {"error": {"message": "Not Found"}})
            return True
        self.bodies.append(json.loads(body))
        self.keys.append(head.get("authorization"))
        self.heads.append(head)
        if isinstance(self.fault, int):
            self._reply(
                writer, self.fault, {"error": {"message": "SECRET-ECHO " + head.get("authorization", "")}}
            )
            return True
        if self.fault == "garbage":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>")
            return True
        number = len(self.bodies) - 1
        text = self.says(self.bodies[-1]) if callable(self.says) else self.says
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        gone = asyncio.ensure_future(reader.read(1))
        try:
            if self.gate is not None:
                opens = asyncio.ensure_future(self.gate.wait())
                await asyncio.wait({gone, opens}, return_when=asyncio.FIRST_COMPLETED)
                opens.cancel()
            if await self._nap(gone, self.first) or self.fault == "stall" and await self._nap(gone, 60):
                self._ended(number, cut=True)
                return False
            if self.fault == "break":
                text = text[: len(text) // 2]
            pieces = [text[i : i + 4] for i in range(0, len(text), 4)]
            for piece in pieces:
                choice = {"index": 0, "text": piece, "finish_reason": None}
                if self.logprobs is not None and "logprobs" in self.bodies[-1]:
                    choice["logprobs"] = self.logprobs(piece)
                self._chunk(writer, {"choices": [choice]})
                if await self._nap(gone, self.every):
                    self._ended(number, cut=True)
                    return False
            if self.fault == "break":
                return False
            used = {"prompt_tokens": 100, "completion_tokens": len(pieces), "prompt_cache_hit_tokens": 64}
            used |= self.bill
            self._chunk(
                writer, {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}], "usage": used}
            )
            writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
            await writer.drain()
            self._ended(number, cut=False)
            return not gone.done()
        finally:
            gone.cancel()
            await asyncio.wait({gone})
            gone.cancelled() or gone.exception()  # a client that went away

    def _ended(self, number, *, cut):
        self.ends[number] = "cut" if cut else "done"
        self.cut += cut
        self.done += not cut

    async def _nap(self, gone, seconds):
        done, _ = await asyncio.wait({gone}, timeout=seconds)
        return bool(done)

    def _chunk(self, writer, event):
        data = b"data: " + json.dumps({"object": "text_completion", **event}).encode() + b"\n\n"
        writer.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _reply(self, writer, status, body):
        data = json.dumps(body).encode()
        more = "".join(f"{k}: {v}\r\n" for k, v in self.headers.items())
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n{more}\r\n".encode()
            + data
        )
