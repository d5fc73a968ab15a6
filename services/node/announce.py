"""Tells coordinators that this node is there, over the path that the work will take."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final

from quorate.errors import QuorateError
from quorate.v1 import registry_pb2, registry_pb2_grpc

if TYPE_CHECKING:
    from quorate.peer_channel import PeerChannel
    from services.node.status import StatusSource

FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 5.0
FIRST_HEARTBEAT_SECONDS: Final = 2.0
"""Time between heartbeats until the coordinator says what it wishes."""
log = logging.getLogger(__name__)


def pause_seconds(failures: int, random_share: float) -> float:
    """Give the pause after failures in a row; `random_share` in [0, 1) spreads nodes."""
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(failures, 16))
    return longest * (0.5 + 0.5 * random_share)


class Announcer:
    """Holds one node's lease at one coordinator. The coordinator may ask to `drain`."""

    def __init__(
        self,
        coordinator: str,
        channel: PeerChannel,
        address: str,
        group: str,
        status: StatusSource,
        drain: Callable[[], object],
    ) -> None:
        self._coordinator = coordinator
        self._channel = channel
        self._address = address
        self._group = group
        self._status = status
        self._drain = drain
        self._heartbeat_seconds = FIRST_HEARTBEAT_SECONDS
        self._leaving = asyncio.Event()
        self._failures = 0
        self._held = False

    def leave(self) -> None:
        """End the lease at once, of the node's own will."""
        self._leaving.set()

    async def run(self) -> None:
        """Hold the lease until cancelled; a lost one is taken again, for ever."""
        while not self._leaving.is_set():
            try:
                await self._hold()
            except QuorateError as error:
                self._tell(error)
            self._failures += 1
            self._held = False
            await asyncio.sleep(pause_seconds(self._failures, random.random()))  # noqa: S311

    async def _hold(self) -> None:
        stub = registry_pb2_grpc.RegistryServiceStub(self._channel)
        async for lease in stub.Lease(self._heartbeats()):
            if not self._held:
                log.info("registered with the coordinator at %s", self._coordinator)
            self._failures, self._held = 0, True
            if lease.heartbeat_seconds > 0:
                self._heartbeat_seconds = lease.heartbeat_seconds
            if lease.drain:
                self._drain()

    async def _heartbeats(self) -> AsyncIterator[registry_pb2.LeaseRequest]:
        while True:
            status = await self._status.read()
            leaving = self._leaving.is_set()  # may change while this heartbeat is being sent
            yield registry_pb2.LeaseRequest(
                address=self._address, group=self._group, status=status, leaving=leaving
            )
            if leaving:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._heartbeat_seconds):
                    await self._leaving.wait()

    def _tell(self, error: QuorateError) -> None:
        """Log the first failure of a row loudly; the others are expected to be the same."""
        level = logging.DEBUG if self._failures else logging.WARNING
        log.log(level, "no lease at the coordinator %s: %s", self._coordinator, error.message)
