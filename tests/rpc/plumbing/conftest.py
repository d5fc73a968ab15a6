"""Real servers with real certificates, whose methods do what a test gives them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest

from quorate import authorization, server
from quorate.channel import Peers
from quorate.config import ServiceSettings, TelemetrySettings
from quorate.identity import Role
from quorate.telemetry import Telemetry
from quorate.v1 import coordinator_pb2_grpc, node_pb2_grpc, registry_pb2_grpc

Serve: TypeAlias = Callable[..., Any]
SERVICERS = {
    Role.NODE: (
        authorization.NODE,
        node_pb2_grpc.NodeServiceServicer,
        node_pb2_grpc.add_NodeServiceServicer_to_server,
    ),
    Role.COORDINATOR: (
        authorization.COORDINATOR,
        coordinator_pb2_grpc.CoordinatorServiceServicer,
        coordinator_pb2_grpc.add_CoordinatorServiceServicer_to_server,
    ),
}

REGISTRY = (
    authorization.REGISTRY,
    registry_pb2_grpc.RegistryServiceServicer,
    registry_pb2_grpc.add_RegistryServiceServicer_to_server,
)


def scripted(role: Role, behaviours: dict[str, Callable[..., Any]]) -> server.Service:
    name, base, add = REGISTRY if "Lease" in behaviours else SERVICERS[role]
    servicer = base()
    for method, behaviour in behaviours.items():
        setattr(servicer, method, behaviour)
    return server.Service(name, lambda to: add(servicer, to))


@pytest.fixture
def serve(tls: Callable[..., Any]) -> Serve:
    """Run a server: `async with serve(Role.NODE, "atlas", {"GetStatus": handler}) as node`.

    Further keywords are settings.
    """

    @asynccontextmanager
    async def run(
        role: Role, name: str, behaviours: dict[str, Callable[..., Any]], **settings: Any
    ) -> AsyncIterator[server.Server]:
        if not settings.get("insecure"):
            settings.setdefault("tls", tls(role, name))
        chosen = ServiceSettings(name=name, drain_seconds=0, **settings)
        telemetry = Telemetry(chosen.telemetry, role, name)
        async with server.build(chosen, role, [scripted(role, behaviours)], telemetry) as running:
            await running.start()
            yield running

    return run


@pytest.fixture
def serve_node(serve: Serve) -> Serve:
    """Run a node: `async with serve_node(GetStatus=handler) as node`."""
    return lambda name="atlas", settings=None, **behaviours: serve(
        Role.NODE, name, behaviours, **(settings or {})
    )


@pytest.fixture
async def peers(tls: Callable[..., Any]) -> AsyncIterator[Peers]:
    """Give the channels of a coordinator."""
    async with Peers(tls(Role.COORDINATOR, "caller")) as channels:
        yield channels


@pytest.fixture
def metrics_anywhere() -> TelemetrySettings:
    """Serve metrics on any free port."""
    return TelemetrySettings(metrics_port=0)
