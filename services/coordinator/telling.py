"""Tells what happens to who listens to a stream: one message for each event, or for several."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Final, TypeAlias

from quorate.errors import QuorateError
from quorate.v1 import coordinator_pb2
from services.coordinator.events import Event
from services.coordinator.responses import response_of

Response: TypeAlias = coordinator_pb2.AskStreamResponse
Told: TypeAlias = Event | QuorateError | None
"""What happened; an error that ends the question; None when there is nothing more to come."""

BATCH_BYTES: Final = 1 << 18
"""A batch of this size is sent: messages have a limit, and its first event should not wait."""


async def tell(
    events: asyncio.Queue[Told], write: Callable[[Response], Awaitable[None]], *, batched: bool
) -> None:
    """Write events until there are no more; raises the error that ended the question.

    With `batched` those that are there at the same time share a message. None waits for others:
    they gather while the reader, or this machine, is busy.
    """
    while True:
        there = [await events.get()]
        if batched:
            await asyncio.sleep(0)  # what happens in the same moment comes along
            while not events.empty():
                there.append(events.get_nowait())
        for response in _messages(there):
            await write(response)
        for event in there:
            if isinstance(event, QuorateError):
                raise event
            if event is None:
                return


def _messages(there: Iterable[Told]) -> Iterator[Response]:
    batch: list[Response] = []
    size = 0
    for event in there:
        if event is None or isinstance(event, QuorateError):
            continue
        response = response_of(event)
        batch.append(response)
        size += response.ByteSize()
        if size >= BATCH_BYTES:
            yield _together(batch)
            batch, size = [], 0
    if batch:
        yield _together(batch)


def _together(batch: list[Response]) -> Response:
    if len(batch) == 1:
        return batch[0]
    return Response(batch=coordinator_pb2.AskStreamBatch(events=batch))
