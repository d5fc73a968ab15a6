"""Nodes and models that fail: the answer comes with its true quorum, or says why it cannot."""

from __future__ import annotations

import asyncio

import pytest

from quorate import errors
from quorate.v1 import common_pb2, coordinator_pb2

pytestmark = pytest.mark.anyio


async def test_a_node_that_dies_in_mid_answer_leaves_its_ballot_in_the_denominator(
    mesh, script
) -> None:
    await mesh.node("n1", atlas=script.says("a"))
    await mesh.node("n2", atlas=script.says("a"))
    dying = await mesh.node("n3", atlas=script.hangs("I think", " that"))
    final = None
    question = script.asked("What is it?", stop_rule="STOP_RULE_NEVER")
    call = mesh.client.AskStream(coordinator_pb2.AskStreamRequest(question=question))
    async for event in call:
        if event.WhichOneof("event") == "token" and event.token.text == " that":
            await dying.kill()
        if event.WhichOneof("event") == "final":
            final = event.final
    assert final is not None
    assert final.answer == "a"
    assert (final.quorum.asked, final.quorum.answered) == (3, 2)
    lost = final.parts[0].ballots[2]
    assert lost.status == common_pb2.BALLOT_STATUS_FAILED
    assert lost.text == "I think that"
    assert lost.failure.message
    assert final.parts[0].agreement == pytest.approx(2 / 3)


async def test_a_crash_after_the_first_token_is_not_tried_again(mesh, script) -> None:
    await mesh.node("n1", atlas=script.says("a"))
    crashing = await mesh.node(
        "n2", atlas=script.fails(errors.ModelCrashed("the engine died"), "half")
    )
    result = await mesh.ask("What is it?")
    assert result.quorum.answered == 1
    ballot = result.parts[0].ballots[1]
    assert (ballot.failure.kind, ballot.failure.retryable) == ("MODEL_CRASHED", True)
    assert len(crashing.script.requests) == 1


async def test_a_crash_before_the_first_token_is_tried_once_more(mesh, script) -> None:
    crash = script.fails(errors.ModelCrashed("the engine died", retry_after_seconds=0.05))
    node = await mesh.node("n1", atlas=script.then(crash, script.says("a")))
    result = await mesh.ask("What is it?")
    assert result.answer == "a"
    assert result.quorum.answered == 1
    assert len(node.script.requests) == 2


async def test_a_full_queue_that_stays_full_is_a_failed_ballot(mesh, script) -> None:
    full = script.fails(errors.Overloaded("the queue is full", retry_after_seconds=0.01))
    node = await mesh.node("n1", atlas=full)
    await mesh.node("n2", atlas=script.says("a"))
    result = await mesh.ask("What is it?")
    assert result.answer == "a"
    assert result.parts[0].ballots[0].failure.kind == "OVERLOADED"
    assert len(node.script.requests) == 2


async def test_advice_to_wait_longer_than_bearable_is_not_followed(mesh, script) -> None:
    full = script.fails(errors.Overloaded("the queue is full", retry_after_seconds=60.0))
    node = await mesh.node("n1", atlas=full)
    await mesh.node("n2", atlas=script.says("a"))
    assert (await mesh.ask("What is it?")).quorum.answered == 1
    assert len(node.script.requests) == 1


async def test_a_spare_node_takes_over_under_the_failed_members_name(mesh, script) -> None:
    await mesh.node("n1", atlas=script.fails(errors.ModelCrashed("the engine died")))
    spare = await mesh.node("n2", atlas=script.says("a"))
    result = await mesh.ask("What is it?", max_models=1)
    ballot = result.parts[0].ballots[0]
    assert (ballot.ballot_id, ballot.node) == ("t1/n1/atlas/0", "n2")
    assert ballot.status == common_pb2.BALLOT_STATUS_VALID
    assert len(spare.script.requests) == 1


async def test_a_copy_that_votes_itself_is_not_asked_twice(mesh, script) -> None:
    crash = script.fails(errors.ModelCrashed("the engine died", retry_after_seconds=60.0))
    await mesh.node("n1", atlas=crash)
    other = await mesh.node("n2", atlas=script.says("a"))
    result = await mesh.ask("What is it?")
    assert (result.quorum.asked, result.quorum.answered) == (2, 1)
    assert len(other.script.requests) == 1


async def test_a_model_that_says_nothing_abstains(mesh, script) -> None:
    await mesh.node("n1", atlas=script.says(""))
    await mesh.node("n2", atlas=script.says("a"))
    result = await mesh.ask("What is it?")
    assert result.parts[0].ballots[0].status == common_pb2.BALLOT_STATUS_ABSTAINED
    assert (result.quorum.asked, result.quorum.answered) == (2, 1)
    assert result.parts[0].agreement == pytest.approx(0.5)


async def test_an_answer_without_an_end_is_no_ballot(mesh, script) -> None:
    async def stops(request, context) -> None:
        await context.write(script.step("Answer: 4"))

    await mesh.node("n1", atlas=stops)
    await mesh.node("n2", atlas=script.says("a"))
    result = await mesh.ask("What is it?")
    failure = result.parts[0].ballots[0].failure
    assert failure.kind == "INTERNAL"
    assert "before it was complete" in failure.message


async def test_a_sample_nobody_asked_for_is_refused(mesh, script) -> None:
    async def confuses(request, context) -> None:
        await context.write(script.step("a", sample=5))

    await mesh.node("n1", atlas=confuses)
    with pytest.raises(errors.NoQuorum, match="sample 5 of 1"):
        await mesh.ask("What is it?")


async def test_without_any_answer_the_error_counts_and_explains(mesh, script) -> None:
    await mesh.node("n1", atlas=script.fails(errors.ModelUnusable("the file is damaged")))
    await mesh.node("n2", atlas=script.says(""))
    with pytest.raises(errors.NoQuorum) as failed:
        await mesh.ask("What is it?")
    assert "None of 2 ballots has an answer: 1 abstained, 1 failed." in failed.value.message
    assert "n1/atlas: the file is damaged" in failed.value.message
    assert failed.value.metadata["failed"] == "1"


async def test_a_mistake_that_all_nodes_name_is_the_askers_error(mesh, script) -> None:
    overflow = script.fails(errors.ContextOverflow("the prompt has 9000 tokens, 2048 fit"))
    await mesh.node("n1", atlas=overflow)
    await mesh.node("n2", atlas=overflow)
    with pytest.raises(errors.ContextOverflow, match="2048 fit"):
        await mesh.ask("What is it?")


async def test_without_nodes_the_error_says_how_to_start_some(mesh) -> None:
    with pytest.raises(errors.NoNodes, match="quorate up"):
        await mesh.ask("What is it?")


async def test_a_hanging_node_is_given_up_after_the_ballots_time(bare_mesh, script) -> None:
    await bare_mesh.start(ballot_seconds=0.4)
    hanging = await bare_mesh.node("n1", atlas=script.hangs())
    await bare_mesh.node("n2", atlas=script.says("a"))
    result = await bare_mesh.ask("What is it?")
    assert result.parts[0].ballots[0].status == common_pb2.BALLOT_STATUS_TIMED_OUT
    await hanging.script.until(lambda: hanging.script.cancelled == ["atlas"])


async def test_a_drained_coordinator_lets_questions_in_flight_end(mesh, script) -> None:
    gate = asyncio.Event()
    node = await mesh.node("n1", atlas=script.says("a", when=gate))
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(mesh.ask("What is it?"))
        await node.script.until(lambda: len(node.script.requests) == 1)
        draining = group.create_task(mesh.running.drain(5.0))
        await mesh.running.wait_draining()
        with pytest.raises(errors.Draining):
            await mesh.ask("And this?")
        gate.set()
        assert await draining
    assert asking.result().answer == "a"


async def test_an_answer_that_its_node_cut_off_is_no_ballot(mesh, script) -> None:
    async def cut_off(request, context) -> None:
        await context.write(script.step("Answer: 4"))
        response = script.ended()
        response.finished.reason = common_pb2.FINISH_REASON_CANCELLED
        await context.write(response)

    await mesh.node("n1", atlas=cut_off)
    await mesh.node("n2", atlas=script.says("a"))
    result = await mesh.ask("What is it?")
    assert result.parts[0].ballots[0].failure.kind == "CANCELLED"
    assert result.answer == "a"


async def test_a_question_whose_time_is_over_asks_nobody(mesh, script) -> None:
    node = await mesh.node("n1", atlas=script.says("a"))
    with pytest.raises(errors.NoQuorum, match="1 timed out"):
        await mesh.ask("What is it?", budget={"seconds": 1e-9})
    assert node.script.requests == []
