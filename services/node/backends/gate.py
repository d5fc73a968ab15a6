"""Lets a bounded number of samples through at once; the others wait, or are refused."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from typing import Final

from quorate.errors import Overloaded

RETRY_SECONDS: Final = 1.0


class Gate:
    """`slots` samples at once; at most `queue` wait, higher priority first. One loop owns it."""

    def __init__(self, slots: int, queue: int) -> None:
        self._slots = slots
        self._queue = queue
        self._order = count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self.busy = 0
        self.claimed = 0

    @property
    def queued(self) -> int:
        """Samples that wait."""
        return self.claimed - self.busy

    def claim(self, samples: int) -> None:
        """Take room for samples, all or none; raises Overloaded. `release` gives it back."""
        if self.claimed + samples > self._slots + self._queue:
            raise Overloaded(
                f"the queue is full: {self.claimed} samples of {self._slots + self._queue} are "
                f"in it, and {samples} more were asked for. Try again shortly.",
                retry_after_seconds=RETRY_SECONDS,
            )
        self.claimed += samples

    async def enter(self, priority: int) -> None:
        """Wait for a slot. Whoever gives up waiting has none."""
        if self.busy < self._slots:
            self.busy += 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-priority, next(self._order), future))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.leave()  # it was given a slot at the moment of giving up
            raise

    def release(self, samples: int) -> None:
        """Give room back that was claimed, when all of it was left."""
        self.claimed -= samples

    def leave(self) -> None:
        """Hand a slot to the first who still waits."""
        self.busy -= 1
        while self._waiting:
            *_, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
                self.busy += 1
                return
