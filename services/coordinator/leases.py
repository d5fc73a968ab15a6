"""RegistryService: a node is in the table for as long as its stream lives and it heartbeats."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import grpc.aio

from quorate.authorization import known_peer
from quorate.config import CoordinatorSettings, check_address, check_name
from quorate.errors import DeadlineExceeded, InvalidRequest, NotPermitted, Unavailable
from quorate.v1 import common_pb2, registry_pb2, registry_pb2_grpc
from services.coordinator.question import Model, Node

if TYPE_CHECKING:
    from quorate.telemetry import Telemetry
    from services.coordinator.registry import Lease as HeldLease
    from services.coordinator.registry import Registry

logger = logging.getLogger(__name__)

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
MOST_MODELS: Final = 1_024
MOST_WEIGHT: Final = 1_000.0
NOT_LOADED: Final = {common_pb2.MODEL_STATE_AVAILABLE, common_pb2.MODEL_STATE_UNLOADING}
LOADED_WHEN_ASKED: Final = {common_pb2.MODEL_STATE_AVAILABLE, common_pb2.MODEL_STATE_LOADING}


class Doors(NamedTuple):
    """Who hears of nodes that come, and of those whose lease has ended, with their address."""

    came: Callable[[str], None] = lambda name: None
    gone: Callable[[str, str], None] = lambda name, address: None


UNWATCHED: Final = Doors()


class LeaseServer(registry_pb2_grpc.RegistryServiceServicer):
    """Keeps the registry in step with the streams of the nodes.

    `clock` gives seconds. `forget` closes the connection to an address that a node has left,
    `give_up` ends what a node that no longer heartbeats is asked at the moment. `doors` hears
    which nodes come and go.
    """

    def __init__(
        self,
        registry: Registry,
        settings: CoordinatorSettings,
        telemetry: Telemetry,
        clock: Callable[[], float],
        forget: Callable[[str, str], Awaitable[None]],
        give_up: Callable[[str], None],
        doors: Doors = UNWATCHED,
    ) -> None:
        self._registry = registry
        self._settings = settings
        self._telemetry = telemetry
        self._clock = clock
        self._forget = forget
        self._give_up = give_up
        self._doors = doors
        self._addresses: dict[str, str] = {}

    async def Lease(  # type: ignore[override]  # noqa: N802
        self, request_iterator: object, context: Context
    ) -> None:
        """Hold a node's lease until its stream ends, it leaves, or a heartbeat is missing.

        Raises NotPermitted for a name that is not the certificate's, AlreadyExists for one that
        another live node holds, DeadlineExceeded when a heartbeat is missing.
        """
        first = await context.read()
        if first is grpc.aio.EOF:
            return
        node = self._checked(first, context, None)
        lease = self._registry.announce(node, self._clock())
        logger.info("node %s registered at %s", node.name, node.address)
        try:
            await self._moved(node)
            self._count()
            await context.write(self._response(lease))
            await self._renewals(lease, context)
        finally:
            self._registry.end(lease.id)
            if not self._registry.holds(node.name, self._clock()):
                logger.info("node %s is gone", node.name)
                self._doors.gone(node.name, self._addresses.pop(node.name, node.address))
            self._count()

    async def _moved(self, node: Node) -> None:
        """Let go of the connection to where a node of this name was before."""
        self._doors.came(node.name)
        before = self._addresses.get(node.name)
        self._addresses[node.name] = node.address
        if before not in {None, node.address}:
            await self._forget(node.name, str(before))

    async def _renewals(self, lease: HeldLease, context: Context) -> None:
        while True:
            request = await self._heartbeat(lease, context)
            if request is None or request.leaving:
                return
            node = self._checked(request, context, lease.node)
            renewed = self._registry.renew(lease.id, node, self._clock())
            if renewed is None:
                raise Unavailable(
                    f"The lease {lease.id} has ended; announce again", retry_after_seconds=0.0
                )
            lease = renewed
            await context.write(self._response(lease))

    async def _heartbeat(
        self, lease: HeldLease, context: Context
    ) -> registry_pb2.LeaseRequest | None:
        """Wait for the next message; None at the end of the stream."""
        seconds = max(0.0, lease.expires_at - self._clock())
        try:
            async with asyncio.timeout(seconds):
                request = await context.read()
        except TimeoutError:
            self._telemetry.metrics.node_lease_expired.inc()
            if not self._registry.holds(lease.node.name, self._clock()):
                self._give_up(lease.node.name)
            raise DeadlineExceeded(
                f"No heartbeat of {lease.node.name} within {self._settings.lease_seconds:g} s"
            ) from None
        return None if request is grpc.aio.EOF else request

    def _checked(
        self, request: registry_pb2.LeaseRequest, context: Context, known: Node | None
    ) -> Node:
        """Read an announcement or renewal; the name must be the certificate's."""
        node = node_of(request, known)
        peer = known_peer(context)
        if peer is not None and peer.name != node.name:
            raise NotPermitted(
                f"{peer} may not register as {node.name!r}: the name must be the certificate's",
                metadata={"certificate": peer.name, "announced": node.name},
            )
        if known is not None and known.name != node.name:
            raise NotPermitted(f"A lease for {known.name!r} cannot be renewed as {node.name!r}")
        return node

    def _response(self, lease: HeldLease) -> registry_pb2.LeaseResponse:
        return registry_pb2.LeaseResponse(
            lease_id=lease.id,
            time_to_live_seconds=self._settings.lease_seconds,
            heartbeat_seconds=self._settings.heartbeat_seconds,
            drain=lease.drain,
        )

    def _count(self) -> None:
        self._telemetry.metrics.nodes_live.set(len(self._registry.leases(self._clock())))


def node_of(request: registry_pb2.LeaseRequest, known: Node | None) -> Node:
    """Read a node from its announcement, or from a heartbeat that leaves out what is `known`."""
    status = request.status
    name = status.node or (known.name if known else "")
    address = request.address or (known.address if known else "")
    for field, check, value in (
        ("status.node", check_name, name),
        ("address", check_address, address),
    ):
        try:
            check(value)
        except ValueError as error:
            raise InvalidRequest.field(field, value, "it is not valid", f"{error}.") from error
    if len(status.models) > MOST_MODELS:
        raise InvalidRequest.field(
            "status.models", len(status.models), f"{MOST_MODELS} are the most", "Split the node."
        )
    return Node(
        name,
        address,
        _models_of(status),
        request.group or (known.group if known else ""),
        status.state == common_pb2.NODE_STATE_DRAINING,
        status.SerializeToString(),
        free_bytes_of(status),
        status.hardware.machine_id,
        available_bytes_of(status),
        budget_bytes_of(status),
    )


def free_bytes_of(status: common_pb2.NodeStatus) -> int | None:
    """Estimate the memory in bytes into which further models fit; None when the node is silent.

    Only an estimate decides who is asked: the node's own ledger decides what is loaded.
    """
    available, budget = available_bytes_of(status), budget_bytes_of(status)
    return available if available is None or budget is None else min(available, budget)


def available_bytes_of(status: common_pb2.NodeStatus) -> int | None:
    """Give what the node's machine has left, less what was promised; None when it is silent."""
    hardware = status.hardware
    if not (hardware.memory_bytes or hardware.available_bytes):
        return None
    return max(0, hardware.available_bytes + _on_cards(hardware) - _promised(status))


def _on_cards(hardware: common_pb2.Hardware) -> int:
    """Give what the node's engines can still use of accelerators; an old peer tells only of all."""
    if hardware.HasField("usable_accelerator_bytes"):
        return max(0, hardware.usable_accelerator_bytes)
    return sum(max(0, card.memory_bytes - card.used_bytes) for card in hardware.accelerators)


def budget_bytes_of(status: common_pb2.NodeStatus) -> int | None:
    """Give what the node's own settings leave to further models; None without a limit.

    A model counts as its node's ledger counts it: as estimated, or as measured where that is more.
    """
    if not status.memory_budget_bytes:
        return None
    taken = sum(
        max(model.memory_bytes, model.resident_bytes)
        for model in status.models
        if model.state not in {common_pb2.MODEL_STATE_AVAILABLE, common_pb2.MODEL_STATE_FAILED}
    )
    return max(0, status.memory_budget_bytes - taken)


def _promised(status: common_pb2.NodeStatus) -> int:
    return sum(
        max(0, model.memory_bytes - model.resident_bytes)
        for model in status.models
        if model.state == common_pb2.MODEL_STATE_LOADING
    )


def _models_of(status: common_pb2.NodeStatus) -> tuple[Model, ...]:
    busy = {engine.model: engine.busy_slots + engine.queued for engine in status.engines}
    return tuple(model_of(model, busy.get(model.name, 0)) for model in status.models)


def model_of(info: common_pb2.ModelInfo, busy: int = 0) -> Model:
    """Read a model's announcement; a weight that is unset, or that no setting allows, is 1."""
    state = common_pb2.ModelState.Name(info.state).removeprefix("MODEL_STATE_").lower()
    return Model(
        info.name,
        info.state == common_pb2.MODEL_STATE_READY,
        f"{state} ({info.problem})" if info.problem else state,
        info.sha256,
        info.weight if 0.0 < info.weight <= MOST_WEIGHT else 1.0,
        dict(info.reliability),
        info.on_demand and info.state in LOADED_WHEN_ASKED,
        info.memory_bytes if info.state in NOT_LOADED else 0,
        info.memory_bytes or info.file_bytes,
        info.on_demand,
        info.load_seconds if 0.0 < info.load_seconds < math.inf else 0.0,
        max(1, info.slots),
        max(0, busy),
        max(0, info.parameters),
        max(0, info.resident_bytes),
    )
