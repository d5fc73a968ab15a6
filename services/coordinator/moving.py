"""Loads and unloads models at nodes over their channels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING, Final, TypeVar

from quorate.errors import DeadlineExceeded
from quorate.identity import Role
from quorate.v1 import node_pb2, node_pb2_grpc

if TYPE_CHECKING:
    from services.coordinator.loading import Place
    from services.coordinator.nodes import Channels

Progress = TypeVar("Progress")
STALL_SECONDS: Final = 60.0
"""A load may take as long as it likes, but not so long without any progress."""


class NodeMover:
    """Moves models at the nodes that hold a lease."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def load(self, place: Place, address: str) -> None:
        """Load a model without evicting any: what is to leave was unloaded before."""
        request = node_pb2.LoadModelRequest(model=place.model, evict=False)
        await _follow(self._stub(place, address).LoadModel(request), place, "loading")

    async def unload(self, place: Place, address: str) -> None:
        """Unload a model; its node lets requests in flight end first."""
        request = node_pb2.UnloadModelRequest(model=place.model)
        await _follow(self._stub(place, address).UnloadModel(request), place, "unloading")

    def _stub(self, place: Place, address: str) -> node_pb2_grpc.NodeServiceAsyncStub:
        channel = self._channels.channel(address, (Role.NODE, place.node))
        stub: node_pb2_grpc.NodeServiceAsyncStub = node_pb2_grpc.NodeServiceStub(channel)
        return stub


async def _follow(stream: AsyncIterable[Progress], place: Place, doing: str) -> None:
    """Read progress to its end; raises DeadlineExceeded when none comes for too long."""
    patience = asyncio.timeout(STALL_SECONDS)
    last: Progress | None = None
    try:
        async with patience:
            async for progress in stream:
                if progress != last:
                    patience.reschedule(asyncio.get_running_loop().time() + STALL_SECONDS)
                last = progress
    except TimeoutError as error:
        raise DeadlineExceeded(
            f"{place.node} made no progress in {doing} {place.model} for {STALL_SECONDS:.0f} s"
        ) from error
