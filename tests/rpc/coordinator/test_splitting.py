"""Splitting by a real model on a real node: its replies keep to the schema, plans say who split."""

from __future__ import annotations

import json

import grpc.aio
import pytest

from quorate import errors, prompts
from quorate.identity import Role
from quorate.v1 import common_pb2, coordinator_pb2, node_pb2_grpc
from services.bench.decompose import corpus
from services.coordinator.decompose import proposal
from services.coordinator.decompose.by_model import drawing_for
from services.coordinator.nodes import request_of
from services.coordinator.question import Member, Message
from services.coordinator.work import Call

pytestmark = pytest.mark.anyio

CHAIN = "Name the smallest country in the world. What language do people speak there?"
GRAPH = ("subtasks.", "same description")
"""What a schema cannot say: parents that exist, no cycles, no id or description twice."""


def faults_of_form(reply: str) -> list[str]:
    return [
        problem
        for problem in proposal.read(reply).problems
        if not any(word in problem for word in GRAPH)
    ]


async def replies(mesh, name: str, model: str, questions, temperature: float):
    """Draw a proposal for each question; gives the text, and whether the model ended by itself."""
    listed = await mesh.client.ListNodes(coordinator_pb2.ListNodesRequest())
    address = next(node.address for node in listed.nodes if node.status.node == name)
    peers = await mesh.peers_of(Role.COORDINATOR, "c2")
    stub = node_pb2_grpc.NodeServiceStub(peers.channel(address, (Role.NODE, name)))
    for seed, question in enumerate(questions):
        drawing = drawing_for(question, 4)._replace(temperature=temperature)
        messages = (Message("user", prompts.split(question)),)
        call = Call(Member(name, model, address), messages, drawing, 1, seed, 30.0, "")
        yield await reply_of(stub.Generate(request_of(call), timeout=30))


async def reply_of(stream: grpc.aio.UnaryStreamCall) -> tuple[str, bool]:
    text, ended = "", False
    async for response in stream:
        for event in response.batch.events if response.HasField("batch") else [response]:
            text += "".join(delta.text for delta in event.step.deltas)
            if event.HasField("finished"):
                ended = event.finished.reason == common_pb2.FINISH_REASON_STOP
    return text, ended


@pytest.mark.parametrize("temperature", [0.0, 1.5])
async def test_every_reply_is_json_of_the_schema(pocket_mesh, temperature) -> None:
    questions = [one.question for one in corpus.read(corpus.WRITTEN_AFTER)[::11]]
    whole = 0
    for name, model in (("n2", "marshal"), ("n1", "abacus")):
        async for text, ended in replies(pocket_mesh, name, model, questions, temperature):
            if ended:  # else it ran into its last token
                whole += 1
                assert faults_of_form(text) == []
            else:
                with pytest.raises(ValueError, match=r"."):
                    json.loads(text)
    assert whole >= len(questions)


async def test_a_real_model_splits_what_rules_leave_whole(pocket_mesh) -> None:
    plans = {}
    for mode in ("RULES", "AUTO", "MODEL"):
        message = common_pb2.ChatMessage(role=common_pb2.CHAT_ROLE_USER, content=CHAIN)
        question = coordinator_pb2.Question(
            messages=[message], decompose=f"DECOMPOSE_MODE_{mode}", planner="marshal"
        )
        response = await pocket_mesh.client.Plan(coordinator_pb2.PlanRequest(question=question))
        plans[mode] = response.plan
    assert len(plans["RULES"].subtasks) == 1
    assert plans["RULES"].decomposed_by == "none"
    for mode in ("AUTO", "MODEL"):
        texts = [(part.id, part.text, list(part.depends_on)) for part in plans[mode].subtasks]
        assert texts == [
            ("t1", "Name the smallest country in the world", []),
            ("t2", "What language do people speak there?", ["t1"]),
        ]
        assert plans[mode].decomposed_by == "model"
        assert plans[mode].reason == "a model split it: t2 works on the result of an earlier part"


async def test_a_model_is_needed_where_one_is_asked_for(mesh, script) -> None:
    await mesh.node("n1", m=script.says("nonsense"))
    question = script.asked(
        "Who wrote Emma? What is 2 + 2?", decompose="DECOMPOSE_MODE_MODEL", planner="other"
    )
    with pytest.raises(errors.UnknownModel, match="planner"):
        await mesh.client.Plan(coordinator_pb2.PlanRequest(question=question))


async def test_a_model_that_talks_nonsense_is_asked_twice_and_the_answer_says_so(
    mesh, script
) -> None:
    node = await mesh.node("n1", m=script.says("nonsense"))
    question = script.asked("Who wrote Emma? What is 2 + 2?", decompose="DECOMPOSE_MODE_MODEL")
    plan = (await mesh.client.Plan(coordinator_pb2.PlanRequest(question=question))).plan
    assert len(plan.subtasks) == 1
    assert plan.decomposed_by == "none"
    assert plan.reason.count("the reply is not JSON") == 2
    assert len(node.script.requests) == 2
    for request in node.script.requests:
        assert json.loads(request.sampling.json_schema)["required"] == ["subtasks"]
        assert request.sampling.temperature == 0.0
