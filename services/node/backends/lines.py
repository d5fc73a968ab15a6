"""Cuts what a server streams into lines of bounded length, and reads server-sent events. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quorate.errors import UnusableReply, shorten

LONGEST_LINE_BYTES: Final = 2**20
"""A line carries a token with 20 alternatives in about 3 kB; whole answers come in one line from
servers that do not stream."""
_FIELDS_WITHOUT_MEANING: Final = frozenset({"event", "id", "retry"})


NOTHING: Final = frozenset({b"", b"null"})
"""What a field that may hold anything holds when there is nothing in it."""


class LineSplitter:
    """Cuts a byte stream into lines without their ends; empty ones are left out."""

    def __init__(self, longest_bytes: int = LONGEST_LINE_BYTES) -> None:
        self._longest = longest_bytes
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Give the lines that `data` completes; raises UnusableReply for one that is too long."""
        *whole, rest = data.split(b"\n")
        for line in whole:
            self._keep(line)
            yield from self.finish()
        self._keep(rest)

    def finish(self) -> Iterator[bytes]:
        """Give the line that has no end, if there is one."""
        line = bytes(self._rest).rstrip(b"\r")
        self._rest.clear()
        if line:
            yield line

    def _keep(self, data: bytes) -> None:
        if len(self._rest) + len(data) > self._longest:
            raise UnusableReply(f"the server sent a line of more than {self._longest} bytes")
        self._rest += data


def event_data(line: bytes) -> bytes | None:
    """Give the payload of a line of an event stream; None for comments and what has no meaning.

    An `error` field, which llama-server had until 2025, is wrapped as an error that came as data.
    """
    name, colon, value = line.partition(b":")
    if not name and colon:
        return None  # a comment, which servers send to keep the connection alive
    value = value.removeprefix(b" ")
    if name == b"data":
        return value
    if name == b"error":
        return b'{"error":' + value + b"}"
    if name.decode("utf-8", "replace") in _FIELDS_WITHOUT_MEANING:
        return None
    raise UnusableReply(f"the server sent {shorten(line.decode('utf-8', 'replace'))} as an event")
