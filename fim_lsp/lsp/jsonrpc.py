"""The base protocol on a pair of streams: framed JSON in, framed JSON out, and an answer to every request.

pygls reads stdin through a thread pool, three hops a message; here the event loop reads it where the platform can, and
one thread elsewhere (Windows, files as stdin).  A message that is not what the protocol wants is
answered with the protocol's error, in words that repeat nothing of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import threading
from typing import Any, BinaryIO

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.protocol.json_rpc import JsonRPCNotification

from fim_lsp.lsp.framing import BrokenError, Frames

OPTIONS = "fimLsp/options"  # a notification: other `initializationOptions`, trusted as these are
CHUNK = 64 * 1024  # bytes read at a time
BACKLOG = 256 * 1024 * 1024  # bytes that a client may leave unread

log = logging.getLogger(__name__)


class JsonRpc(LanguageServerProtocol):
    """pygls' protocol with the strictness of the specification, and documents of our own."""

    exit_code: int | None = None  # once the client has said `exit`
    _begun = False

    def receive(self, content: bytes) -> None:
        """Take one message in."""
        try:
            message = json.loads(content)
        except (ValueError, RecursionError):
            self._refuse(None, types.ErrorCodes.ParseError, "The message is not valid JSON.")
            return
        if not isinstance(message, dict):
            self._refuse(None, types.ErrorCodes.InvalidRequest, "A message must be one JSON object.")
            return
        method = message.get("method")
        if "method" not in message:
            self._answered(message)
        elif not isinstance(method, str):
            self._refuse(_id(message), types.ErrorCodes.InvalidRequest, "A method must be a string.")
        elif "id" in message:
            self._request(message, method)
        elif self._begun or method == types.EXIT:
            self._notification(message, method)

    def rehearse(self) -> None:
        """Read and write once what comes at every key: the first time, code is made for its types."""
        at = {"line": 0, "character": 0}
        document = {"uri": "", "version": 0}
        change = {
            "textDocument": document,
            "contentChanges": [{"range": {"start": at, "end": at}, "text": ""}],
        }
        ask = {"textDocument": document, "position": at, "context": {"triggerKind": 2}}
        for method, params in (
            (types.TEXT_DOCUMENT_DID_CHANGE, change),
            (types.TEXT_DOCUMENT_INLINE_COMPLETION, ask),
            (types.TEXT_DOCUMENT_COMPLETION, ask),
        ):
            self._structured({"id": 0, "method": method, "params": params})
        place = types.Position(0, 0)
        item = types.InlineCompletionItem("", range=types.Range(place, place))
        answer = types.InlineCompletionResponse(0, [item])
        json.dumps(answer, default=self._serialize_message)

    def _request(self, message: dict[str, Any], method: str) -> None:
        number = _id(message)
        if number is None:
            self._refuse(
                None, types.ErrorCodes.InvalidRequest, "A request's id must be a number or a string."
            )
        elif self._shutdown:
            self._refuse(number, types.ErrorCodes.InvalidRequest, "The server has been shut down.")
        elif not self._begun and method != types.INITIALIZE:
            self._refuse(
                number, types.ErrorCodes.ServerNotInitialized, "The first request must be initialize."
            )
        elif self._begun and method == types.INITIALIZE:
            self._refuse(number, types.ErrorCodes.InvalidRequest, "The server is initialized already.")
        else:
            try:
                structured = self._structured(message)
            except Exception as error:  # noqa: BLE001 - whatever the converter meets, the request is answered
                log.warning("%s: parameters of the wrong shape (%s)", method, type(error).__name__)
                self._refuse(
                    number,
                    types.ErrorCodes.InvalidParams,
                    f"The parameters of {method} have the wrong shape.",
                )
                return
            self._begun = True
            self.handle_message(structured)

    def _notification(self, message: dict[str, Any], method: str) -> None:
        if self._shutdown and method != types.EXIT:
            return
        if method == types.CANCEL_REQUEST and _id(message.get("params") or {}) is None:
            log.warning("a request to cancel what has no id")
            return
        try:
            self.handle_message(self._structured(message))
        except Exception as error:  # noqa: BLE001 - a notification has no answer
            log.warning("%s: parameters of the wrong shape (%s)", method, type(error).__name__)

    def _answered(self, message: dict[str, Any]) -> None:
        if _id(message) is None or not ("result" in message or "error" in message):
            return
        try:
            self.handle_message(self.structure_message(message))
        except Exception as error:  # noqa: BLE001 - an answer that cannot be read is one that did not come
            log.warning("an answer of the wrong shape (%s)", type(error).__name__)

    def _structured(self, message: dict[str, Any]) -> Any:
        message["jsonrpc"] = self.VERSION
        if "params" not in message and self.get_message_type(message["method"]) is None:
            message["params"] = None
        if message["method"] == OPTIONS:
            # As it is: pygls would make attributes of its names, and `c++` is none.
            return JsonRPCNotification(method=OPTIONS, jsonrpc=self.VERSION, params=message["params"])
        return self.structure_message(message)

    def _refuse(self, number: str | int | None, code: types.ErrorCodes, text: str) -> None:
        log.warning("refused: %s", text)
        self._send_data(
            {"jsonrpc": self.VERSION, "id": number, "error": {"code": code.value, "message": text}}
        )

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: Any) -> None:  # type: ignore[override]
        """End the loop that reads."""
        self.exit_code = 0 if self._shutdown else 1

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """Hand the document to the server, not to pygls' workspace, which would split it at form feeds."""
        self.fm.features[types.TEXT_DOCUMENT_DID_OPEN](params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Likewise."""
        self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE](params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """Likewise."""
        self.fm.features[types.TEXT_DOCUMENT_DID_CLOSE](params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def lsp_notebook_document__did_open(self, params: types.DidOpenNotebookDocumentParams) -> None:
        """Likewise."""
        self.fm.features[types.NOTEBOOK_DOCUMENT_DID_OPEN](params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def lsp_notebook_document__did_change(self, params: types.DidChangeNotebookDocumentParams) -> None:
        """Likewise."""
        self.fm.features[types.NOTEBOOK_DOCUMENT_DID_CHANGE](params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def lsp_notebook_document__did_close(self, params: types.DidCloseNotebookDocumentParams) -> None:
        """Likewise."""
        self.fm.features[types.NOTEBOOK_DOCUMENT_DID_CLOSE](params)


def _id(message: Any) -> str | int | None:
    number = message.get("id") if isinstance(message, dict) else None
    return number if isinstance(number, str | int) and not isinstance(number, bool) else None


async def listen(wire: JsonRpc, reader: asyncio.StreamReader, first: bytes = b"") -> int:
    """Take in messages until the client says `exit` or goes away; the exit code.  `first` was read already."""
    frames = Frames()
    data = first
    try:
        while wire.exit_code is None:
            for message in frames.feed(data):
                wire.receive(message)
                if wire.exit_code is not None:
                    break
            else:
                data = await reader.read(CHUNK)
                if not data:
                    break
    except BrokenError as error:
        log.error("%s", error)
        return 1
    except OSError:
        pass  # the client is gone
    # A client that closes its end after `shutdown` has said goodbye as well.
    return wire.exit_code if wire.exit_code is not None else int(not wire._shutdown)  # noqa: SLF001


class LoopWriter:
    """Writes through the loop, so that a client that stops reading stops nothing else; `gone` once nobody can read."""

    def __init__(self, transport: asyncio.WriteTransport, gone: asyncio.Event) -> None:
        self._transport = transport
        self.gone = gone

    def write(self, data: bytes) -> None:
        """Write now or as soon as the client reads."""
        if self._transport.get_write_buffer_size() > BACKLOG:
            log.error("The client has stopped reading: giving up.")
            self._transport.abort()
            self.gone.set()
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close once all is written."""
        self._transport.close()

    async def drained(self, seconds: float) -> None:
        """Give the client time to read what is written."""
        steps = 20
        for _ in range(steps):
            if self._transport.is_closing() or not self._transport.get_write_buffer_size():
                return
            await asyncio.sleep(seconds / steps)


class FileWriter:
    """Writes where the loop cannot: to a file, and on Windows."""

    def __init__(self, file: BinaryIO, gone: asyncio.Event) -> None:
        self._file = file
        self.gone = gone

    def write(self, data: bytes) -> None:
        """Write now."""
        try:
            self._file.write(data)
            self._file.flush()
        except (OSError, ValueError):
            self.gone.set()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    async def drained(self, seconds: float) -> None:
        """All is written."""


class _Leaving(asyncio.BaseProtocol):
    """Hears of the end of a pipe that is written to."""

    def __init__(self, gone: asyncio.Event) -> None:
        self._gone = gone

    def connection_lost(self, _: Exception | None) -> None:
        self._gone.set()


async def stdio(
    stdin: BinaryIO, stdout: BinaryIO, platform: str = sys.platform
) -> tuple[asyncio.StreamReader, LoopWriter | FileWriter]:
    """A reader and a writer on the two files, by the loop where it can, else by a thread."""
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    stream = asyncio.StreamReader(limit=CHUNK)
    # Windows' loop takes any file, and fails at its first byte: it can read what was opened for that alone.
    if platform == "win32" or not await _read_by_loop(loop, stream, stdin):
        threading.Thread(target=_pump, args=(stdin.fileno(), stream, loop), daemon=True).start()
        return stream, FileWriter(stdout, gone)
    try:
        transport, _ = await loop.connect_write_pipe(lambda: _Leaving(gone), stdout)
    except (ValueError, OSError, NotImplementedError):
        return stream, FileWriter(stdout, gone)
    return stream, LoopWriter(transport, gone)


async def _read_by_loop(
    loop: asyncio.AbstractEventLoop, stream: asyncio.StreamReader, stdin: BinaryIO
) -> bool:
    """Have the loop read a file into a stream; whether it can."""
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), stdin)
    except (ValueError, OSError, NotImplementedError):
        return False
    return True


def _pump(file: int, stream: asyncio.StreamReader, loop: asyncio.AbstractEventLoop) -> None:
    """Hand over what comes until it ends; a thread that waits here for the last byte keeps no process alive."""
    data = b"-"
    try:
        while data:
            try:
                data = os.read(file, CHUNK)
            except OSError:
                data = b""
            if data:
                loop.call_soon_threadsafe(stream.feed_data, data)
        loop.call_soon_threadsafe(stream.feed_eof)
    except RuntimeError:
        pass  # the loop has ended before


def protected() -> tuple[BinaryIO, BinaryIO]:
    """Stdin and stdout for the protocol alone: whatever else prints goes to stderr from here on."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return sys.stdin.buffer, out
