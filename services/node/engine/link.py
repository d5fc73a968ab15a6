"""The engine's end of the socket to its node."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from services.node.engine.messages import (
    Command,
    Event,
    FrameReader,
    decode_command,
    frame,
)

_READ_BYTES = 256 * 1024


class NodeGone(Exception):
    """Raised when the node has closed its end, or is dead."""


class Link:
    """Reads commands and writes events. Owned by the engine's loop."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(True)
        self._connection = connection
        self._reader = FrameReader()

    def receive(self, *, wait: bool) -> Iterator[Command]:
        """Give the commands that have arrived; `wait` sleeps until something arrives."""
        try:
            data = self._connection.recv(_READ_BYTES, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except ConnectionError as error:
            raise NodeGone from error
        if not data:
            raise NodeGone
        for payload in self._reader.feed(data):
            yield decode_command(payload)

    def send(self, event: Event) -> None:
        """Send an event; waits while the node does not read."""
        try:
            self._connection.sendall(frame(event))
        except ConnectionError as error:
            raise NodeGone from error
