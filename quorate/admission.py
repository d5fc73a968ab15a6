"""Which calls a server takes on: all while it serves, only looks at its state while it drains.

Pure but for one event to wait on; owned by the server's event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from quorate.authorization import COORDINATOR, HEALTH, NODE, REFLECTION, REGISTRY
from quorate.errors import Draining

ENDLESS: Final = frozenset(
    {
        f"/{NODE}/WatchStatus",
        f"/{REGISTRY}/Lease",
        f"/{HEALTH}/Watch",
        f"/{REFLECTION}/ServerReflectionInfo",
    }
)
"""Streams that last as long as their peers: without a deadline, and no drain waits for them."""

NOT_WAITED_FOR: Final = ENDLESS | {f"/{NODE}/Drain"}
"""The endless ones, and the call that may itself wait for a drain."""

ALWAYS: Final = frozenset(
    {
        f"/{HEALTH}/Check",
        f"/{HEALTH}/List",
        f"/{HEALTH}/Watch",
        f"/{REFLECTION}/ServerReflectionInfo",
        f"/{NODE}/GetStatus",
        f"/{NODE}/WatchStatus",
        f"/{NODE}/Drain",
        f"/{COORDINATOR}/ListNodes",
    }
)
"""Calls that look at a server's state, which a draining server still answers."""


class Admission:
    """Counts the calls in flight and refuses new ones while draining."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._retry_after_seconds = 0.0
        self._draining = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def in_flight(self) -> int:
        """Calls being worked on, but those that a drain does not wait for."""
        return self._in_flight

    @property
    def draining(self) -> bool:
        """Whether new work is refused."""
        return self._draining.is_set()

    def start_draining(self, retry_after_seconds: float) -> None:
        """Refuse new work from now on, with the advice when to try again."""
        self._retry_after_seconds = retry_after_seconds
        self._draining.set()

    async def wait_draining(self) -> None:
        """Wait until draining begins."""
        await self._draining.wait()

    async def wait_idle(self) -> None:
        """Wait until no call is being worked on."""
        await self._idle.wait()

    def check(self, method: str) -> None:
        """Let a call in, or raise Draining."""
        if self.draining and method not in ALWAYS:
            raise Draining(
                "this server finishes its work and takes nothing new; try another one",
                retry_after_seconds=self._retry_after_seconds,
            )

    @contextmanager
    def working(self, method: str) -> Iterator[None]:
        """Count a call while it is worked on."""
        if method in NOT_WAITED_FOR:
            yield
            return
        self._in_flight += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            if self._in_flight == 0:
                self._idle.set()
