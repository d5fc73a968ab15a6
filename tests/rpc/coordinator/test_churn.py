"""Nodes that come and go for good leave nothing behind in a coordinator, and those that stay do."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from quorate import authorization, errors, server
from quorate.channel import Peers
from quorate.config import CoordinatorSettings, NodeSettings, TelemetrySettings
from quorate.identity import Role
from quorate.telemetry import Telemetry
from quorate.v1 import (
    coordinator_pb2,
    coordinator_pb2_grpc,
    node_pb2,
    node_pb2_grpc,
    registry_pb2,
    registry_pb2_grpc,
)
from services.coordinator import service
from services.coordinator.nodes import NodeCaller
from services.coordinator.state.insight import MOST_GONE
from services.coordinator.traffic import Traffic

pytestmark = pytest.mark.anyio
MANY = 200


class Everybody(node_pb2_grpc.NodeServiceServicer):
    """One server that stands for every node; `behave` answers."""

    def __init__(self, behave) -> None:
        self.behave = behave
        self.calls = 0

    async def Generate(self, request, context) -> None:  # noqa: N802
        self.calls += 1
        await self.behave(request, context)


class Town:
    """A coordinator without certificates, and its insides."""

    def __init__(self, monkeypatch, script) -> None:
        self.script = script
        self.kept: dict[str, object] = {}
        for name, made in (("caller", NodeCaller), ("traffic", Traffic), ("peers", Peers)):
            monkeypatch.setattr(service, made.__name__, self._keeping(name, made))

    def _keeping(self, name: str, make):
        def made(*arguments, **options):
            self.kept[name] = make(*arguments, **options)
            return self.kept[name]

        return made

    async def start(self, stack: AsyncExitStack, behave) -> None:
        running = await stack.enter_async_context(
            service.coordinator(
                CoordinatorSettings(
                    name="c1", insecure=True, lease_seconds=60.0, database="sqlite://"
                )
            )
        )
        settings = NodeSettings(
            name="any", insecure=True, drain_seconds=0.0, models=[{"name": "x"}]
        )
        self.everybody = Everybody(behave)
        offered = server.Service(
            authorization.NODE,
            lambda to: node_pb2_grpc.add_NodeServiceServicer_to_server(self.everybody, to),
        )
        telemetry = Telemetry(TelemetrySettings(), "node", "any")
        node = await stack.enter_async_context(
            server.build(settings, Role.NODE, [offered], telemetry)
        )
        await node.start()
        self.node_address = node.address
        peers = await stack.enter_async_context(Peers(None, insecure=True))
        channel = peers.channel(running.address)
        self.registry = registry_pb2_grpc.RegistryServiceStub(channel)
        self.client = coordinator_pb2_grpc.CoordinatorServiceStub(channel)

    async def comes(self, name: str):
        lease = self.registry.Lease()
        status = self.script.status_of(name, ["atlas"])
        await lease.write(registry_pb2.LeaseRequest(address=self.node_address, status=status))
        await lease.read()
        return lease

    async def leaves(self, lease) -> None:
        await lease.write(registry_pb2.LeaseRequest(leaving=True))
        await lease.read()

    async def ask(self, name: str) -> coordinator_pb2.Result:
        question = self.script.asked("What is 6 + 12?", nodes=[name])
        response = await self.client.Ask(coordinator_pb2.AskRequest(question=question))
        return response.result

    async def durations(self) -> set[str]:
        learned = await self.client.GetLearned(coordinator_pb2.GetLearnedRequest())
        return {duration.node for duration in learned.durations}

    @property
    def sizes(self) -> dict[str, int]:
        caller, traffic, peers = (self.kept[name] for name in ("caller", "traffic", "peers"))
        return {
            "stubs": len(caller._stubs),
            "running": len(caller._running),
            "loads": len(traffic._loads._loads),
            "circuits": len(traffic._breakers._records),
            "channels": len(peers._channels),
            "retiring": peers.retiring,
        }


@pytest.fixture
async def town(monkeypatch, script):
    async with AsyncExitStack() as stack:
        made = Town(monkeypatch, script)
        await made.start(stack, script.says("Answer: 18"))
        yield made


async def test_two_hundred_nodes_that_come_and_go_leave_nothing(town, script) -> None:
    staying = await town.comes("stays")
    await town.ask("stays")
    broken = script.fails(errors.ModelUnusable("the file is damaged"))
    for number in range(MANY):
        lease = await town.comes(f"n{number}")
        town.everybody.behave = broken if number % 10 == 0 else script.says("Answer: 18")
        if number % 10:
            await town.ask(f"n{number}")
        else:
            with pytest.raises(errors.NoQuorum):
                await town.ask(f"n{number}")
        await town.leaves(lease)
    async with asyncio.timeout(5):
        while town.sizes["retiring"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert town.sizes == {
        "stubs": 1, "running": 0, "loads": 1, "circuits": 0, "channels": 1, "retiring": 0,
    }  # fmt: skip
    known = await town.durations()
    assert "stays" in known
    assert len(known) <= MOST_GONE + 1
    assert f"n{MANY - 1}" in known  # it may come back soon
    await town.leaves(staying)


async def test_a_node_that_leaves_may_end_its_answer_and_is_then_forgotten(town, script) -> None:
    end = asyncio.Event()
    town.everybody.behave = script.says("Answer: 18", when=end)
    lease = await town.comes("n1")
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        asking = group.create_task(town.ask("n1"))
        while not town.everybody.calls:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await town.leaves(lease)
        assert town.sizes["stubs"] == 0
        assert town.sizes["running"] == 1
        end.set()
    assert asking.result().answer == "18"
    assert town.sizes["running"] == 0
    assert town.sizes["loads"] == 0


async def test_a_node_that_comes_back_is_called_again_and_keeps_its_durations(town) -> None:
    for _ in range(3):
        lease = await town.comes("n1")
        assert (await town.ask("n1")).answer == "18"
        await town.leaves(lease)
    learned = await town.client.GetLearned(coordinator_pb2.GetLearnedRequest())
    assert [duration.count for duration in learned.durations] == [3]


async def test_a_connection_that_was_let_go_refuses_further_calls(town) -> None:
    await town.comes("n1")
    peers = town.kept["peers"]
    channel = peers.channel(town.node_address, (Role.NODE, "n1"))
    stub = node_pb2_grpc.NodeServiceStub(channel)
    peers.let_go(town.node_address, (Role.NODE, "n1"))
    with pytest.raises(errors.PeerUnreachable, match="let go"):
        stub.Generate(node_pb2.GenerateRequest())
    assert peers.channel(town.node_address, (Role.NODE, "n1")) is not channel
