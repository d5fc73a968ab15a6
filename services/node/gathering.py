"""Holds events of a generation back for a moment, so that several travel in one message.

A message costs the node and its caller about as much as a token of a small model, whatever is in
it. Who shows text to nobody can do without a message for each event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, Self

from quorate.v1 import node_pb2

if TYPE_CHECKING:
    from types import TracebackType

MOST_SECONDS: Final = 10.0
SHORTEST_HELD_SECONDS: Final = 0.001
"""What was held for less is not worth telling."""


class Gathering:
    """The way of one generation's events to `write`, for as long as the block lasts.

    An event waits for `max_delay_seconds` at most; the end of a sample takes along at once what
    waits, and so does an error that ends the block. `clock` gives seconds.
    """

    def __init__(
        self,
        write: Callable[[node_pb2.GenerateResponse], Awaitable[None]],
        max_delay_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._pass_on = write
        self._max_delay_seconds = max_delay_seconds
        self._clock = clock
        self._held: list[tuple[float, node_pb2.GenerateResponse]] = []
        self._sending = asyncio.Lock()
        self._due: asyncio.Task[None] | None = None
        self._group = asyncio.TaskGroup()

    async def write(self, response: node_pb2.GenerateResponse) -> None:
        """Take an event; waits while the reader is slower."""
        self._held.append((self._clock(), response))
        if response.HasField("finished") or self._sending.locked():
            await self._send()
        elif self._due is None:
            self._due = self._group.create_task(self._send_when_due())

    async def _send_when_due(self) -> None:
        await asyncio.sleep(self._max_delay_seconds)
        self._due = None
        await self._send()

    async def _send(self) -> None:
        async with self._sending:  # gRPC takes one message of a call at a time
            held, self._held = self._held, []
            if held:
                await self._pass_on(_together(held, self._clock()))

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if not isinstance(error, asyncio.CancelledError):
                await self._send()
        finally:
            if self._due is not None:
                self._due.cancel()
            if isinstance(error, asyncio.CancelledError):
                await self._group.__aexit__(kind, error, traceback)
            else:  # given the block's error, the group would wrap it into an ExceptionGroup
                await self._group.__aexit__(None, None, None)


def _together(
    held: list[tuple[float, node_pb2.GenerateResponse]], now: float
) -> node_pb2.GenerateResponse:
    """Make one message of events, with the seconds that each was held."""
    for since, response in held:
        if now - since >= SHORTEST_HELD_SECONDS:
            response.held_seconds = now - since
    if len(held) == 1:
        return held[0][1]
    events = [response for _, response in held]
    return node_pb2.GenerateResponse(batch=node_pb2.GenerateBatch(events=events))
