"""The base protocol on a pair of streams: framed JSON in, framed JSON out, and an answer to every request.

pygls reads stdin through a thread pool, three hops a message; here the event loop reads it where the platform can, and
pygls' own reader serves elsewhere (Windows, files as stdin).  A message that is not what the protocol wants is
answered with the protocol's error, in words that repeat nothing of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable
from typing import Any, BinaryIO, Protocol

from lsprotocol import types
from pygls.io_ import StdinAsyncReader, StdoutWriter
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.protocol.json_rpc import JsonRPCNotification

LINE = 64 * 1024  # bytes of a header line, and what the stream buffers beyond a message
LARGEST = 512 * 1024 * 1024  # bytes of a message
OPTIONS = "fimLsp/options"  # a notification: other `initializationOptions`, trusted as these are
BACKLOG = 256 * 1024 * 1024  # bytes that a client may leave unread

log = logging.getLogger(__name__)


class Reader(Protocol):
    """Where messages come from."""

    def readline(self) -> Awaitable[bytes]:
        """One line with its end; empty at the end of the stream."""

    def readexactly(self, n: int) -> Awaitable[bytes]:
        """So many bytes."""


class Wire(LanguageServerProtocol):
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


async def listen(wire: Wire, reader: Reader) -> int:
    """Take in messages until the client says `exit` or goes away; the exit code."""
    length: int | None = None
    while wire.exit_code is None:
        try:
            line = await reader.readline()
        except ValueError:
            log.error("A header line without end: the client does not speak the protocol.")
            return 1
        if not line:
            break
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value) if value.strip().isdigit() else None
        elif not line.strip() and length is not None:
            if length > LARGEST:
                log.error("A message of %d bytes: the largest is %d.", length, LARGEST)
                return 1
            try:
                content = await reader.readexactly(length)
            except asyncio.IncompleteReadError:
                break
            if len(content) < length:
                break
            length = None
            wire.receive(content)
    # A client that closes its end after `shutdown` has said goodbye as well.
    return wire.exit_code if wire.exit_code is not None else int(not wire._shutdown)  # noqa: SLF001


class LoopWriter:
    """Writes through the loop, so that a client that stops reading stops nothing else."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Write now or as soon as the client reads."""
        if self._transport.get_write_buffer_size() > BACKLOG:
            log.error("The client has stopped reading: giving up.")
            self._transport.abort()
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


async def stdio(stdin: BinaryIO, stdout: BinaryIO) -> tuple[Reader, Any]:
    """A reader and a writer on the two files, by the loop where it can, else by pygls' threads."""
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader(limit=LINE)
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), stdin)
    except (ValueError, OSError, NotImplementedError):
        return StdinAsyncReader(stdin), StdoutWriter(stdout)
    try:
        transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, stdout)
    except (ValueError, OSError, NotImplementedError):
        return stream, StdoutWriter(stdout)
    return stream, LoopWriter(transport)


def protected() -> tuple[BinaryIO, BinaryIO]:
    """Stdin and stdout for the protocol alone: whatever else prints goes to stderr from here on."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return sys.stdin.buffer, out
