"""A node registers by itself, keeps its lease, comes back to a lost coordinator, and leaves."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from quorate import server
from quorate.config import ServiceSettings, TelemetrySettings
from quorate.identity import Role
from quorate.telemetry import Telemetry
from quorate.v1 import common_pb2, registry_pb2, registry_pb2_grpc
from services.node.announce import LONGEST_PAUSE_SECONDS, Announcer, pause_seconds

pytestmark = pytest.mark.anyio


class Registry(registry_pb2_grpc.RegistryServiceServicer):
    """Writes down what nodes say; `drain` is what the next lease asks for."""

    def __init__(self) -> None:
        self.heard: list[registry_pb2.LeaseRequest] = []
        self.news = asyncio.Event()
        self.drain = False

    async def Lease(self, requests, context):  # noqa: N802
        async for request in requests:
            self.heard.append(request)
            self.news.set()
            yield registry_pb2.LeaseResponse(
                lease_id="1", time_to_live_seconds=5, heartbeat_seconds=0.1, drain=self.drain
            )

    async def until(self, count: int) -> registry_pb2.LeaseRequest:
        async with asyncio.timeout(20):
            while len(self.heard) < count:
                self.news.clear()
                await self.news.wait()
        return self.heard[-1]


@asynccontextmanager
async def coordinator(tls, port: int) -> AsyncIterator[Registry]:
    registry = Registry()
    settings = ServiceSettings(
        name="c1", listen=f"127.0.0.1:{port}", tls=tls(Role.COORDINATOR, "c1"), drain_seconds=0
    )
    service = server.Service(
        "quorate.v1.RegistryService",
        lambda s: registry_pb2_grpc.add_RegistryServiceServicer_to_server(registry, s),
    )
    telemetry = Telemetry(TelemetrySettings(), "coordinator", "c1")
    async with server.build(settings, Role.COORDINATOR, [service], telemetry) as running:
        await running.start()
        yield registry


async def test_a_node_registers_heartbeats_and_leaves(start_node, tls, free_port) -> None:
    async with coordinator(tls, free_port) as registry:
        with start_node(
            "herald",
            models=[{"name": "abacus"}],
            coordinators=[f"127.0.0.1:{free_port}"],
            group="east",
        ) as node:
            first = await registry.until(1)
            assert first.address == node.address
            assert (first.status.node, first.group, first.leaving) == ("herald", "east", False)
            assert first.status.models[0].state == common_pb2.MODEL_STATE_READY
            await registry.until(4)  # the wished interval is kept, not the first guess
            node.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                while not registry.heard[-1].leaving:
                    registry.news.clear()
                    await registry.news.wait()


async def test_a_node_that_leaves_while_a_heartbeat_is_sent_says_so_in_the_next() -> None:
    class Status:
        async def read(self):
            return common_pb2.NodeStatus(node="torn")

    announcer = Announcer("c1", None, "127.0.0.1:1", "", Status(), lambda: None)
    said = []
    async for heartbeat in announcer._heartbeats():
        said.append(heartbeat.leaving)
        announcer.leave()
    assert said == [False, True]


async def test_a_node_comes_back_to_a_coordinator_that_was_away(start_node, tls, free_port) -> None:
    with start_node(
        "patient", models=[{"name": "abacus"}], coordinators=[f"127.0.0.1:{free_port}"]
    ):
        for _ in range(2):
            async with coordinator(tls, free_port) as registry:
                assert (await registry.until(1)).status.node == "patient"


async def test_a_coordinator_may_ask_a_node_to_drain(start_node, tls, free_port) -> None:
    async with coordinator(tls, free_port) as registry:
        registry.drain = True
        with start_node(
            "obedient", models=[{"name": "abacus"}], coordinators=[f"127.0.0.1:{free_port}"]
        ):
            async with asyncio.timeout(20):
                while registry.heard == [] or (
                    registry.heard[-1].status.state != common_pb2.NODE_STATE_DRAINING
                ):
                    registry.news.clear()
                    await registry.news.wait()


def test_pauses_grow_to_a_bound_and_are_spread() -> None:
    pauses = [pause_seconds(failures, 0.999) for failures in range(50)]
    assert pauses == sorted(pauses)
    assert pauses[-1] <= LONGEST_PAUSE_SECONDS
    assert pause_seconds(50, 0.0) == LONGEST_PAUSE_SECONDS / 2
