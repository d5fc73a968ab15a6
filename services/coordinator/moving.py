"""Loads and unloads models at nodes over their channels."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from quorate.errors import DeadlineExceeded, QuorateError
from quorate.identity import Role
from quorate.v1 import node_pb2, node_pb2_grpc, registry_pb2
from services.coordinator.leases import node_of

if TYPE_CHECKING:
    from services.coordinator.nodes import Channels
    from services.coordinator.question import Node
    from services.coordinator.routing.moves import Place

log = logging.getLogger(__name__)
Progress = TypeVar("Progress")
LOOK_SECONDS: Final = 1.0
SILENT_SECONDS: Final = 5.0
"""So long a node that did not tell is not asked again: plans would wait for it one by one."""
STALL_SECONDS: Final = 60.0
"""A load may take as long as it likes, but not so long without any progress."""


class NodeMover:
    """Moves models at the nodes that hold a lease."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._silent: dict[str, float] = {}

    async def look(self, nodes: Sequence[Node]) -> list[Node]:
        """Read nodes as they are at this moment; one that does not tell stays as it last said."""
        async with asyncio.TaskGroup() as group:
            looking = [group.create_task(self._look(node)) for node in nodes]
        return [task.result() for task in looking]

    async def _look(self, node: Node) -> Node:
        now = asyncio.get_running_loop().time()
        if self._silent.get(node.name, now) > now:
            return node
        stub = self._stub(node.name, node.address)
        try:
            response = await stub.GetStatus(node_pb2.GetStatusRequest(), timeout=LOOK_SECONDS)
            told = registry_pb2.LeaseRequest(status=response.status)
            seen = node_of(told, node)
        except QuorateError as error:
            log.warning("node %s is planned with as it last said: %s", node.name, error)
            self._silent[node.name] = asyncio.get_running_loop().time() + SILENT_SECONDS
            return node
        self._silent.pop(node.name, None)
        return replace(seen, draining=seen.draining or node.draining)

    async def load(self, place: Place, address: str, *, evict: bool = False) -> None:
        """Load a model; without `evict` what is to leave was unloaded before."""
        request = node_pb2.LoadModelRequest(model=place.model, evict=evict)
        await _follow(self._stub(place.node, address).LoadModel(request), place, "loading")

    async def unload(self, place: Place, address: str) -> None:
        """Unload a model; its node lets requests in flight end first."""
        request = node_pb2.UnloadModelRequest(model=place.model)
        await _follow(self._stub(place.node, address).UnloadModel(request), place, "unloading")

    def _stub(self, node: str, address: str) -> node_pb2_grpc.NodeServiceAsyncStub:
        channel = self._channels.channel(address, (Role.NODE, node))
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
