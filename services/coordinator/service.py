"""Puts a coordinator together from its settings: the only place that knows all its parts."""

from __future__ import annotations

import gc
import random
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from quorate import authorization, server
from quorate.calls import new_request_id
from quorate.channel import Peers
from quorate.identity import Role
from quorate.telemetry import Telemetry
from quorate.v1 import coordinator_pb2_grpc, registry_pb2_grpc
from services.coordinator import remembering
from services.coordinator.journal import Journal
from services.coordinator.judging import SynthesizerJudge
from services.coordinator.leases import Doors, LeaseServer
from services.coordinator.loading import LoadedFirst, Loading
from services.coordinator.means import Chances, Limits, Means
from services.coordinator.merging import Merger
from services.coordinator.moving import NodeMover
from services.coordinator.nodes import NodeCaller
from services.coordinator.registry import Registry
from services.coordinator.server import Clocks, CoordinatorServer
from services.coordinator.traffic import Traffic
from services.coordinator.traffic_metrics import watch

if TYPE_CHECKING:
    from quorate.config import CoordinatorSettings
    from services.coordinator.question import Node

YOUNG_OBJECTS: Final = 20_000
"""New objects after which they are looked through; Python's own 700 is a fraction of a question."""


async def serve(settings: CoordinatorSettings) -> None:
    """Serve until cancelled; then questions in flight are let end."""
    async with coordinator(settings) as running:
        _set_apart()
        await running.wait()


def _set_apart() -> None:
    """Exempt what exists from collections, and collect the rest less often.

    A question makes some thousand objects, nearly all of which end with it and are not in cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


@asynccontextmanager
async def coordinator(settings: CoordinatorSettings) -> AsyncIterator[server.Server]:
    """Run a coordinator for as long as the block lasts; it serves when the block begins."""
    telemetry = Telemetry(settings.telemetry, "coordinator", settings.name)
    registry = Registry(settings.lease_seconds)
    async with AsyncExitStack() as stack:
        peers = await stack.enter_async_context(Peers(settings))
        caller = NodeCaller(peers, telemetry)
        means = await _means(settings, stack, registry, peers, caller, telemetry)
        clocks = Clocks(time.monotonic, time.time)
        questions = CoordinatorServer(means, registry, caller, settings, clocks)
        leases = LeaseServer(
            registry,
            settings,
            telemetry,
            time.monotonic,
            caller.forget,
            partial(_give_up, means, caller),
            Doors(means.memory.insight.came, partial(_gone, means, caller)),
        )
        services = _services(questions, leases)
        async with server.build(settings, Role.COORDINATOR, services, telemetry) as running:
            await running.start()
            yield running


async def _means(
    settings: CoordinatorSettings,
    stack: AsyncExitStack,
    registry: Registry,
    peers: Peers,
    caller: NodeCaller,
    telemetry: Telemetry,
) -> Means:
    """Begin what answers are made with; it ends with the stack."""

    def nodes() -> Sequence[Node]:
        return registry.live(time.monotonic())

    metrics = telemetry.metrics
    memory = await stack.enter_async_context(remembering.memory(settings, peers, nodes, metrics))
    loading = await stack.enter_async_context(Loading(NodeMover(peers), metrics))
    journal = Journal(
        settings.journal,
        settings.journal_bytes,
        settings.journal_files,
        texts=settings.record_texts,
    )
    return Means(
        nodes=nodes,
        caller=LoadedFirst(caller, loading, time.monotonic),
        scorer=caller,
        merger=Merger(peers, settings.synthesizer),
        limits=Limits(settings.question_seconds, settings.ballot_seconds),
        chances=Chances(time.monotonic, lambda: secrets.randbits(31), new_request_id),
        telemetry=telemetry,
        traffic=Traffic(time.monotonic, random.randrange, watch(metrics)),
        memory=memory,
        loading=loading,
        journal=stack.enter_context(journal),
        writers=settings.synthesizer_models,
        planner=settings.planner,
        marker=_marker(settings, peers),
    )


def _give_up(means: Means, caller: NodeCaller, node: str) -> None:
    """End what a node that no longer heartbeats is asked at the moment."""
    caller.give_up(node)
    means.loading.give_up(node)
    means.traffic.forget(node)


def _gone(means: Means, caller: NodeCaller, node: str, address: str) -> None:
    """Forget what was kept for a node whose lease has ended."""
    caller.drop(node, address)
    means.traffic.forget(node)
    means.memory.insight.left(node)


def _services(questions: CoordinatorServer, leases: LeaseServer) -> list[server.Service]:
    return [
        server.Service(
            authorization.COORDINATOR,
            lambda to: coordinator_pb2_grpc.add_CoordinatorServiceServicer_to_server(questions, to),
        ),
        server.Service(
            authorization.REGISTRY,
            lambda to: registry_pb2_grpc.add_RegistryServiceServicer_to_server(leases, to),
        ),
    ]


def _marker(settings: CoordinatorSettings, peers: Peers) -> SynthesizerJudge | None:
    """Have answers judged where there is somebody who can, and the settings want it."""
    if settings.synthesizer is None or not settings.synthesizer_judges:
        return None
    return SynthesizerJudge(peers, settings.synthesizer)
