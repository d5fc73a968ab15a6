"""The node's view of one request at an engine: events come and are read at their own paces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from quorate.errors import Overloaded, QuorateError
from services.node.engine.messages import Delta, Progress

MOST_UNREAD_TOKENS: Final = 16_384
"""Tokens, alternatives included, that may wait for a slow reader before it is given up."""


def merge(parts: Sequence[Progress]) -> Progress:
    """Join what several steps did for one request; deltas of a sample become one. Not empty."""
    first = parts[0]
    if len(parts) == 1:
        return first
    deltas: dict[int, list[Delta]] = {}
    for part in parts:
        for delta in part.deltas:
            deltas.setdefault(delta.sample, []).append(delta)
    joined = (
        Delta(
            sample,
            "".join(delta.text for delta in pieces),
            tuple(token for delta in pieces for token in delta.tokens),
        )
        for sample, pieces in deltas.items()
    )
    return Progress(
        first.request_id,
        max(part.prompt_tokens for part in parts),
        tuple(joined),
        tuple(finished for part in parts for finished in part.finished),
    )


def _weight(progress: Progress) -> int:
    return sum(
        len(delta.tokens) + sum(len(t.top) for t in delta.tokens) for delta in progress.deltas
    )


class Generation:
    """One request in flight at an engine. Owned by the node's event loop.

    The engine's link calls `push` and `fail`; one reader awaits `read` until it gives None.
    `cancel` tells the engine, and is called once at most.
    """

    def __init__(self, samples: int, cancel: Callable[[], None]) -> None:
        self._unfinished = samples
        self.samples = samples
        self._cancel: Callable[[], None] | None = cancel
        self._unread: list[Progress] = []
        self._unread_tokens = 0
        self._failure: QuorateError | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def ended(self) -> bool:
        """Whether every sample has ended, or the request has failed."""
        return self._unfinished == 0 or self._failure is not None

    def push(self, progress: Progress) -> None:
        """Take an event of the engine; a reader that is far behind loses the request."""
        self._unread.append(progress)
        self._unfinished -= len(progress.finished)
        if self._unfinished == 0:
            self._cancel = None
        self._unread_tokens += _weight(progress)
        if self._unread_tokens > MOST_UNREAD_TOKENS:
            self.close()
            # It may be written to nobody for hours: a reader that reads nothing stops the writer.
            self._unread.clear()
            self.fail(
                Overloaded(
                    f"the reader is more than {MOST_UNREAD_TOKENS} tokens behind. "
                    "Read the stream as it arrives, or ask for fewer alternatives."
                )
            )
        self._wake()

    def fail(self, error: QuorateError) -> None:
        """End the request with an error, after what has arrived and is kept."""
        self._failure = self._failure or error
        self._cancel = None
        self._wake()

    async def read(self) -> Progress | None:
        """Give all that arrived since the last call; None when every sample has ended.

        Raises what ended the request: ModelCrashed, Overloaded, or what the engine refused.
        """
        while not self._unread:
            if self._failure is not None:
                raise self._failure
            if self._unfinished == 0:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        unread, self._unread = self._unread, []
        self._unread_tokens = 0
        return merge(unread)

    def close(self) -> None:
        """Give the request up; the engine is told unless it has ended."""
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
