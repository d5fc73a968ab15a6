"""Feedback: what an earlier answer teaches, and how it is refused."""

from __future__ import annotations

import asyncio

import pytest

from quorate import errors
from quorate.v1 import coordinator_pb2 as wire

pytestmark = pytest.mark.anyio

SUM = "What is 6 + 12?"


async def feedback(mesh, question_id: str, **given: object) -> list[str]:
    response = await mesh.client.Feedback(wire.FeedbackRequest(question_id=question_id, **given))
    return list(response.models)


async def reliabilities(mesh) -> dict[tuple[str, str, str], tuple[float, float]]:
    learned = await mesh.client.GetLearned(wire.GetLearnedRequest())
    return {
        (row.model, row.topic, row.evidence): (row.right, row.wrong)
        for row in learned.reliabilities
    }


async def started(mesh, script) -> None:
    await mesh.node(
        "n1",
        atlas=script.says("Answer: 18"),
        boreas=script.says("Answer: 18"),
        corvus=script.says("Answer: 17"),
        mute=script.says("I do not know."),
    )


async def test_ground_truth_teaches_who_was_right_on_the_topic(mesh, script) -> None:
    await started(mesh, script)
    asked = await mesh.ask(SUM, stop_rule=wire.STOP_RULE_NEVER)
    assert asked.parts[0].topic == "math"
    models = await feedback(mesh, asked.question_id, ground_truth="18.0")
    assert models == ["atlas", "boreas", "corvus"]
    assert await reliabilities(mesh) == {
        ("atlas", "math", "truth"): (1, 0),
        ("boreas", "math", "truth"): (1, 0),
        ("corvus", "math", "truth"): (0, 1),
    }


async def test_the_same_feedback_again_changes_nothing_and_tells_the_same(mesh, script) -> None:
    await started(mesh, script)
    asked = await mesh.ask(SUM)
    first = await feedback(mesh, asked.question_id, ground_truth="18")
    known = await reliabilities(mesh)
    async with asyncio.TaskGroup() as group:
        again = [
            group.create_task(feedback(mesh, asked.question_id, ground_truth="18"))
            for _ in range(5)
        ]
    assert [task.result() for task in again] == [first] * 5
    assert await reliabilities(mesh) == known


async def test_other_feedback_on_the_same_answer_is_refused(mesh, script) -> None:
    await started(mesh, script)
    asked = await mesh.ask(SUM)
    await feedback(mesh, asked.question_id, ground_truth="18")
    known = await reliabilities(mesh)
    with pytest.raises(errors.AlreadyExists, match="taught already"):
        await feedback(mesh, asked.question_id, ground_truth="17")
    assert await reliabilities(mesh) == known


async def test_a_right_answer_makes_all_others_wrong(mesh, script) -> None:
    await started(mesh, script)
    asked = await mesh.ask(SUM, stop_rule=wire.STOP_RULE_NEVER)
    assert await feedback(mesh, asked.question_id, correct=True) == ["atlas", "boreas", "corvus"]
    assert (await reliabilities(mesh))["corvus", "math", "truth"] == (0, 1)


async def test_a_wrong_answer_says_nothing_of_the_others(mesh, script) -> None:
    await started(mesh, script)
    asked = await mesh.ask(SUM, stop_rule=wire.STOP_RULE_NEVER)
    assert await feedback(mesh, asked.question_id, correct=False) == ["atlas", "boreas"]
    assert set(await reliabilities(mesh)) == {
        ("atlas", "math", "truth"),
        ("boreas", "math", "truth"),
    }


async def test_when_one_of_several_parts_is_wrong_nobody_is_blamed(mesh, script) -> None:
    await started(mesh, script)
    asked = await mesh.ask("What is 6 + 12? And what is 9 + 9?", stop_rule=wire.STOP_RULE_NEVER)
    assert len(asked.parts) == 2
    assert await feedback(mesh, asked.question_id, correct=False) == []
    assert await reliabilities(mesh) == {}


@pytest.mark.parametrize("question_id", ["", "nobody", "x" * 500, "é'; DROP TABLE feedback; --"])
async def test_an_unknown_answer_is_not_found_with_a_hint(mesh, question_id: str) -> None:
    with pytest.raises(errors.NotFound, match="question_id stands in every result"):
        await feedback(mesh, question_id, ground_truth="18")


async def test_empty_feedback_is_refused(mesh, script) -> None:
    await started(mesh, script)
    asked = await mesh.ask(SUM)
    for given in ({}, {"ground_truth": "  "}):
        with pytest.raises(errors.InvalidRequest, match="ground_truth"):
            await feedback(mesh, asked.question_id, **given)


async def test_an_answer_that_is_too_many_answers_ago_is_not_found(bare_mesh, script) -> None:
    await bare_mesh.start(records=2)
    await started(bare_mesh, script)
    asked = [await bare_mesh.ask(SUM) for _ in range(4)]
    await bare_mesh.client.GetLearned(wire.GetLearnedRequest())  # drops what is too much
    with pytest.raises(errors.NotFound, match="The last 2 are"):
        await feedback(bare_mesh, asked[0].question_id, ground_truth="18")
    assert await feedback(bare_mesh, asked[3].question_id, ground_truth="18")


async def test_without_records_feedback_says_that_none_are_kept(bare_mesh, script) -> None:
    await bare_mesh.start(records=0)
    await started(bare_mesh, script)
    asked = await bare_mesh.ask(SUM)
    with pytest.raises(errors.NotFound, match="`records` is 0"):
        await feedback(bare_mesh, asked.question_id, ground_truth="18")


async def test_a_frozen_question_teaches_nothing_and_refuses_feedback(mesh, script) -> None:
    await started(mesh, script)
    before = await mesh.ask(SUM, ground_truth="18", stop_rule=wire.STOP_RULE_NEVER)
    admin = await mesh.admin()
    state = await admin.ExportLearned(wire.ExportLearnedRequest())
    learned = await mesh.client.GetLearned(wire.GetLearnedRequest())
    for _ in range(5):
        asked = await mesh.ask(SUM, frozen=True, ground_truth="17", stop_rule=wire.STOP_RULE_NEVER)
    with pytest.raises(errors.NotReady, match="frozen"):
        await feedback(mesh, asked.question_id, ground_truth="17")
    assert (await admin.ExportLearned(wire.ExportLearnedRequest())) == state
    assert (await mesh.client.GetLearned(wire.GetLearnedRequest())) == learned  # durations too
    assert before.question_id != asked.question_id


async def test_ground_truth_in_the_question_teaches_at_once(mesh, script) -> None:
    await started(mesh, script)
    asked = await mesh.ask(SUM, ground_truth="18", stop_rule=wire.STOP_RULE_NEVER)
    assert (await reliabilities(mesh))["corvus", "math", "truth"] == (0, 1)
    assert await feedback(mesh, asked.question_id, ground_truth="18") == [
        "atlas",
        "boreas",
        "corvus",
    ]
    assert (await reliabilities(mesh))["corvus", "math", "truth"] == (0, 1)


async def test_agreement_is_learned_without_any_truth_and_reliability_is_not(mesh, script) -> None:
    await started(mesh, script)
    await mesh.ask(SUM, stop_rule=wire.STOP_RULE_NEVER)
    learned = await mesh.client.GetLearned(wire.GetLearnedRequest())
    assert not learned.reliabilities
    assert {(row.first, row.second): (row.same, row.different) for row in learned.pairs} == {
        ("atlas", "boreas"): (1, 0),
        ("atlas", "corvus"): (0, 1),
        ("boreas", "corvus"): (0, 1),
    }


async def test_consensus_teaches_only_where_settings_say_so_and_stays_apart(
    bare_mesh, script
) -> None:
    await bare_mesh.start(learn_from_consensus=True)
    await started(bare_mesh, script)
    await bare_mesh.ask(SUM, stop_rule=wire.STOP_RULE_NEVER)
    assert set(await reliabilities(bare_mesh)) == {
        ("atlas", "math", "consensus"),
        ("boreas", "math", "consensus"),
        ("corvus", "math", "consensus"),
    }
    learned = await bare_mesh.client.GetLearned(wire.GetLearnedRequest())
    assert {row.estimate for row in learned.reliabilities} == {0.5}


async def test_the_callers_topic_comes_before_the_rules(mesh, script) -> None:
    await started(mesh, script)
    asked = await mesh.ask(SUM, topic=" Cooking ", ground_truth="18")
    assert asked.parts[0].topic == "cooking"
    assert ("atlas", "cooking", "truth") in await reliabilities(mesh)


async def test_a_topic_of_a_whole_paragraph_is_refused(mesh, script) -> None:
    await started(mesh, script)
    with pytest.raises(errors.InvalidRequest, match="topic"):
        await mesh.ask(SUM, topic="x" * 65)


async def test_a_truth_that_is_no_answer_teaches_nobody_that_he_was_wrong(mesh, script) -> None:
    await started(mesh, script)
    for truth in ("  ", "unknown", "N/A"):
        asked = await mesh.ask(SUM, ground_truth=truth)
        with pytest.raises(errors.InvalidRequest, match="ground_truth"):
            await feedback(mesh, asked.question_id, ground_truth=truth)
    assert await reliabilities(mesh) == {}


async def test_a_reply_with_half_a_character_ends_nothing(mesh, script) -> None:
    await mesh.node(
        "n1", atlas=script.says('{"name": "\\ud83d"}'), boreas=script.says("Answer: 18")
    )
    for _ in range(2):
        result = await mesh.ask(SUM, stop_rule=wire.STOP_RULE_NEVER, ground_truth="18")
        assert result.answer
    assert ("boreas", "math", "truth") in await reliabilities(mesh)
