r"""Messages out of a stream of bytes, framed by `Content-Length` as LSP's base protocol has it.

A frame that is broken (a wrong length, bytes between messages) shows in the bytes themselves: a head cannot stand in JSON,
whose strings hold no raw line ends.  So reading goes on at the next head, wherever that begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LINE = 64 * 1024  # bytes of a head
LARGEST = 512 * 1024 * 1024  # bytes of a message
GARBAGE = 1024 * 1024  # bytes without any message, after which there will be none
_NAME = b"Content-"


class BrokenError(Exception):
    """Nothing more can be read from the stream; the message is a sentence without anything that was read."""


class Frames:
    """The messages of one stream."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._length: int | None = None  # of the message under way, whose head was read
        self._looked = 0  # bytes of it in which no other head begins
        self._garbage = 0  # bytes since the last message

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that are complete with these bytes.  Raises BrokenError."""
        self._bytes += data
        while self._length is not None or self._headed():
            length = self._length or 0
            other = self._other(length)
            if other is None:
                if len(self._bytes) < length:
                    self._looked = max(0, len(self._bytes) - _LONGEST)
                    return
                cut = _CUT.search(self._bytes, max(0, length - _LONGEST), length)
                other = cut.start(1) if cut else length
            message = bytes(self._bytes[:other])
            del self._bytes[:other]
            self._length, self._garbage = None, 0
            yield message

    def _other(self, length: int) -> int | None:
        """Where another head begins within a message of this length: it is shorter than it was said to be."""
        at = self._bytes.find(_NAME, self._looked, length)
        while at >= 0:
            if _HEAD.match(self._bytes, at):
                return at
            at = self._bytes.find(_NAME, at + 1, length)
        return None

    def _headed(self) -> bool:
        """Read on to the end of the next head; False where that has not come yet."""
        length: int | None = None
        start = 0
        while (end := self._bytes.find(b"\n", start)) >= 0:
            line = bytes(self._bytes[start:end]).strip()
            start = end + 1
            found = _LENGTH.search(line)
            if found:
                length = int(found[1])
            elif line and not _TYPE.fullmatch(line):
                self._garbage += len(line)
            elif not line and length is not None:
                if length > LARGEST:
                    raise BrokenError(f"A message of {length} bytes: the largest is {LARGEST}.")
                del self._bytes[:start]
                self._length, self._looked = length, 0
                return True
        if length is None:
            del self._bytes[:start]
        if len(self._bytes) > LINE or self._garbage > GARBAGE:
            raise BrokenError("A header line without end: the client does not speak the protocol.")
        return False


def begins(data: bytes) -> bool:
    """Whether these bytes can be the first ones of a client that speaks the protocol."""
    head = data[: len(_NAME)].lower()
    return _NAME.lower().startswith(head)


# As many digits as a length may have; behind what a broken frame has left in front of it.
_LENGTH = re.compile(rb"(?:^|[^\w-])content-length[ \t]*:[ \t]*(\d{1,15})$", re.IGNORECASE)
_TYPE = re.compile(rb"content-type[ \t]*:.*", re.IGNORECASE)
_HEAD = re.compile(
    rb"(?:Content-Type[ \t]*:[^\r\n]{1,200}\r?\n)?Content-Length[ \t]*:[ \t]*\d{1,15}\r?\n", re.IGNORECASE
)
_LONGEST = 300  # bytes of what that finds
_CUT = re.compile(rb"[}\]]\s*(C|Co|Con|Cont|Conte|Conten|Content|Content-[\w: \t\r;=/-]*)\Z")
