"""What else asks models beside a plan: it never ends what the plan has brought."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from quorate.config import SynthesizerSettings
from quorate.identity import Role
from quorate.v1 import common_pb2, coordinator_pb2, node_pb2, node_pb2_grpc
from services.synthesizer.service import synthesizer
from tests.rpc.coordinator.real_nodes import program, settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

ROOM_FOR_ONE = 130 * 2**20
ALONE = {"routing": "mip", "lambda_switch": 0.0, "lambda_token": 0.0}
MODELS = ("abacus", "atlas", "marshal")


@pytest.fixture
async def narrow(bare_mesh, tls, tmp_path) -> AsyncIterator[object]:
    """A coordinator with a synthesizer, and one node with three models and room for one."""
    pen = SynthesizerSettings(name="s1", tls=tls(Role.SYNTHESIZER, "s1"), drain_seconds=0.0)
    address = (await bare_mesh.enter(synthesizer(pen))).address
    await bare_mesh.start(heartbeat_seconds=0.2, synthesizer=address)
    models = [{"name": name, "load": "on_demand"} for name in MODELS]
    settings = settings_of(bare_mesh, tls, tmp_path, "n1", models) | {"memory": ROOM_FOR_ONE}
    async with program(settings, tmp_path / "n1.yaml"):
        async with asyncio.timeout(30):
            while not (await bare_mesh.nodes()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield bare_mesh


async def loaded(mesh) -> set[str]:
    listed = await mesh.client.ListNodes(coordinator_pb2.ListNodesRequest())
    peers = await mesh.peers_of(Role.ADMIN, "boss")
    stub = node_pb2_grpc.NodeServiceStub(peers.channel(listed.nodes[0].address, (Role.NODE, "n1")))
    now = (await stub.GetStatus(node_pb2.GetStatusRequest())).status
    return {one.name for one in now.models if one.state == common_pb2.MODEL_STATE_READY}


async def test_parts_are_merged_by_models_in_memory_alone(narrow) -> None:
    result = await narrow.ask("What is 12 + 30? What is 5 + 6?", **ALONE)
    assert [part.answer for part in result.parts] == ["42", "11"]
    assert await loaded(narrow) == {"abacus"}  # atlas is the more reliable writer


async def test_a_planner_that_a_plan_has_unloaded_is_loaded_again(narrow) -> None:
    for _ in range(3):  # each plan unloads the planner, which is the next question's
        result = await narrow.ask(
            "What is 12 + 30?", planner="marshal", **ALONE | {"routing": "model"}
        )
        assert result.answer


async def test_models_that_a_question_may_not_ask_make_room_for_those_that_it_may(narrow) -> None:
    for name, text, answer in (
        ("atlas", "What is the capital of France?", "Paris"),
        ("abacus", "What is 12 + 30?", "42"),
    ):
        assert (await narrow.ask(text, models=[name], **ALONE)).answer == answer
        assert await loaded(narrow) == {name}
