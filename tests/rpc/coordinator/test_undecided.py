"""A question in which no part has an answer: it is recorded, measured, and told by its name."""

from __future__ import annotations

import pytest

from quorate import errors
from quorate.records import read, replay
from quorate.v1 import coordinator_pb2 as wire

pytestmark = pytest.mark.anyio

TWO = "What is 2 + 2? And what is the capital of France?"


async def record_of(mesh, question_id: str):
    admin = await mesh.admin()
    response = await admin.GetRecord(wire.GetRecordRequest(question_id=question_id))
    return read(response.record.encode())


async def test_a_question_without_an_answer_is_recorded_and_its_error_names_it(
    mesh, script
) -> None:
    await mesh.node("n1", atlas=script.says("I do not know."), scribe=script.says(""))
    with pytest.raises(errors.NoQuorum) as refused:
        await mesh.ask("What is 6 + 12?")
    question_id = refused.value.metadata["question_id"]
    assert f"(question {question_id})" in refused.value.message
    assert refused.value.metadata["abstained"] == "2"
    record = await record_of(mesh, question_id)
    assert (record.answer, record.synthesis) == ("", "none")
    assert [one.text for one in record.parts[0].ballots] == ["I do not know.", ""]
    [again] = replay(record)
    assert again.same
    assert "None of 2 ballots has an answer: 2 abstained" in again.error


async def test_a_question_whose_every_part_failed_is_recorded_whole(mesh, script) -> None:
    await mesh.node("n1", atlas=script.fails(errors.ModelUnusable("the file is damaged")))
    with pytest.raises(errors.NoQuorum, match=r"t1: .*; t2: ") as refused:
        await mesh.ask(TWO)
    record = await record_of(mesh, refused.value.metadata["question_id"])
    assert [part.id for part in record.parts] == ["t1", "t2"]
    assert all("the file is damaged" in part.decision.error for part in record.parts)
    assert [part.same for part in replay(record)] == [True, True]


async def test_a_stream_that_ends_without_an_answer_is_recorded_too(mesh, script) -> None:
    await mesh.node("n1", atlas=script.says("Answer: 1"), scribe=script.says("Answer: 2"))
    with pytest.raises(errors.NoQuorum, match="min_agreement") as refused:
        await mesh.stream("What is 6 + 12?", min_agreement=0.9)
    record = await record_of(mesh, refused.value.metadata["question_id"])
    assert record.min_agreement == pytest.approx(0.9)
    [again] = replay(record)
    assert (again.same, again.answer) == (True, "")


async def test_a_question_without_an_answer_is_measured_with_its_ballots(mesh, script) -> None:
    await mesh.node("n1", atlas=script.says("I do not know."))
    value = mesh.running._telemetry.registry.get_sample_value
    for _ in range(2):
        with pytest.raises(errors.NoQuorum):
            await mesh.ask("What is 6 + 12?")
    labels = {"strategy": "majority", "kind": "NO_QUORUM"}
    assert value("quorate_questions_undecided_total", labels) == 2
    assert value("quorate_ask_seconds_count", {"strategy": "majority"}) == 2
    assert value("quorate_ballots_total", {"model": "atlas", "status": "abstained"}) == 2
    assert value("quorate_synthesis_total", {"method": "none"}) is None


async def test_the_askers_own_mistake_stays_one_and_names_its_question(mesh, script) -> None:
    too_long = errors.ContextOverflow("the prompt has 9000 tokens", metadata={"limit": "2048"})
    await mesh.node("n1", atlas=script.fails(too_long))
    with pytest.raises(errors.ContextOverflow) as refused:
        await mesh.ask("What is 6 + 12?")
    assert refused.value.metadata["limit"] == "2048"
    assert (await record_of(mesh, refused.value.metadata["question_id"])).parts[0].decision.error


async def test_an_undecided_question_teaches_whose_answer_was_right(mesh, script) -> None:
    await mesh.node("n1", atlas=script.says("Answer: 18"), scribe=script.says("Answer: 17"))
    with pytest.raises(errors.NoQuorum) as refused:
        await mesh.ask("What is 6 + 12?", min_agreement=0.9)
    feedback = wire.FeedbackRequest(
        question_id=refused.value.metadata["question_id"], ground_truth="18"
    )
    assert list((await mesh.client.Feedback(feedback)).models) == ["atlas", "scribe"]
