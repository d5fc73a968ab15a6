"""AskStream: what is seen on the way, in which order, and what a slow or leaving reader costs."""

from __future__ import annotations

import asyncio

import pytest

from quorate import errors
from quorate.v1 import common_pb2, coordinator_pb2
from services.coordinator.said import LONGEST_TEXT

pytestmark = pytest.mark.anyio


def kinds(events) -> list[str]:
    return [event.WhichOneof("event") for event in events]


async def test_the_story_is_told_in_order(mesh, script) -> None:
    await mesh.node("n1", atlas=script.says("Answer:", " 18"))
    events = await mesh.stream("What is 9 + 9?")
    assert kinds(events) == [
        "planned", "started", "token", "token", "ballot", "provisional", "part", "final",
    ]  # fmt: skip
    planned, started, token, _, ballot, provisional, part, final = events
    assert [subtask.id for subtask in planned.planned.subtasks] == ["t1"]
    assert planned.planned.reason.startswith("left whole")
    assert planned.planned.question_id == final.final.question_id != ""
    assert [(a.node, a.model) for a in planned.planned.assignments] == [("n1", "atlas")]
    assert (started.started.ballot_id, started.started.node) == ("t1/n1/atlas/0", "n1")
    assert (token.token.ballot_id, token.token.text) == ("t1/n1/atlas/0", "Answer:")
    assert ballot.ballot == part.part.ballots[0] == final.final.parts[0].ballots[0]
    assert (provisional.provisional.answer, provisional.provisional.outstanding) == ("18", 0)
    assert final.final.answer == "18"


async def test_tokens_can_be_left_out(mesh, script) -> None:
    await mesh.node("n1", atlas=script.says("Answer:", " 18"))
    events = await mesh.stream("What is 9 + 9?", omit_tokens=True)
    assert "token" not in kinds(events)
    assert "ballot" in kinds(events)


async def test_a_leader_that_is_overtaken_is_retracted(mesh, script) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    for place, (text, gate) in enumerate(zip("baa", gates, strict=True)):
        await mesh.node(f"n{place}", atlas=script.says(text, when=gate, logprob=-0.1))
    question = script.asked("What is it?", stop_rule="STOP_RULE_NEVER")
    call = mesh.client.AskStream(coordinator_pb2.AskStreamRequest(question=question))
    gates[0].set()
    told = []
    async for event in call:
        kind = event.WhichOneof("event")
        if kind in {"provisional", "retraction"}:
            told.append((kind, getattr(event, kind).answer))
        if kind == "provisional" and event.provisional.outstanding:
            gates[3 - event.provisional.outstanding].set()
        if kind == "retraction":
            assert (event.retraction.withdrawn, event.retraction.part_id) == ("b", "t1")
            assert event.retraction.ballot_id == "t1/n2/atlas/0"
    assert told == [
        ("provisional", "b"),
        ("provisional", "b"),
        ("retraction", "a"),
        ("provisional", "a"),
    ]


async def test_the_certificate_of_the_mode_is_told_once_and_stays_with_the_part(
    mesh, script
) -> None:
    for place in range(9):
        await mesh.node(f"n{place}", atlas=script.says("Answer: 18"))
    events = await mesh.stream(
        "What is 9 + 9?", stop_rule="STOP_RULE_NEVER", omit_tokens=True, delta=0.1
    )
    told = [e.certificate for e in events if e.WhichOneof("event") == "certificate"]
    assert len(told) == 1
    assert (told[0].answer, told[0].part_id, told[0].delta) == ("18", "t1", 0.1)
    assert told[0].e_value >= 10.0
    assert events[-1].final.parts[0].certificate == told[0]
    few = (await mesh.ask("What is 9 + 9?", max_models=3)).parts[0]
    assert not few.HasField("certificate")


async def test_a_reader_who_leaves_stops_every_model(mesh, script) -> None:
    nodes = [await mesh.node(name, atlas=script.hangs("x")) for name in ("n1", "n2", "n3")]
    question = script.asked("What is it?")
    call = mesh.client.AskStream(coordinator_pb2.AskStreamRequest(question=question))
    tokens = 0
    async for event in call:
        tokens += event.WhichOneof("event") == "token"
        if tokens == 3:
            call.cancel()
            break
    for node in nodes:
        await node.script.until(lambda node=node: node.script.cancelled == ["atlas"])


async def test_a_slow_reader_slows_the_models_instead_of_filling_memory(mesh, script) -> None:
    written, size, samples = 0, 4096, 64

    async def floods(request, context) -> None:
        nonlocal written
        while True:
            await context.write(script.step("x" * size, sample=written % samples))
            written += 1

    await mesh.node("n1", atlas=floods)
    question = script.asked("What is it?", samples=samples)
    call = mesh.client.AskStream(coordinator_pb2.AskStreamRequest(question=question))
    assert (await call.read()).WhichOneof("event") == "planned"
    before = -1
    async with asyncio.timeout(20):
        while written != before:  # it comes to a halt although nobody told the model to
            before = written
            await asyncio.sleep(0.3)
    assert 0 < written * size < samples * LONGEST_TEXT / 2
    call.cancel()


async def test_a_failed_question_tells_its_ballots_before_its_error(mesh, script) -> None:
    await mesh.node("n1", atlas=script.fails(errors.ModelUnusable("the file is damaged")))
    question = script.asked("What is it?")
    call = mesh.client.AskStream(coordinator_pb2.AskStreamRequest(question=question))
    seen = [await call.read() for _ in range(4)]
    assert kinds(seen) == ["planned", "started", "ballot", "part"]
    with pytest.raises(errors.NoQuorum, match="the file is damaged"):
        await call.read()
    assert seen[2].ballot.status == common_pb2.BALLOT_STATUS_FAILED
    assert seen[3].part.failure.kind == "NO_QUORUM"


async def test_a_model_that_never_ends_a_line_is_stopped(mesh, script) -> None:
    async def floods(request, context) -> None:
        while True:
            await context.write(script.step("x" * 100_000))

    await mesh.node("n1", atlas=floods)
    await mesh.node("n2", atlas=script.says("a"))
    result = await mesh.ask("What is it?")
    assert result.answer == "a"
    assert "more than" in result.parts[0].ballots[0].failure.message
