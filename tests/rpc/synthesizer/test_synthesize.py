"""Facts about merging over mTLS, with nodes that behave and nodes that do not."""

from __future__ import annotations

import asyncio

import pytest

from quorate import errors
from quorate.identity import Role
from quorate.v1 import common_pb2, synthesizer_pb2

pytestmark = pytest.mark.anyio
LISTED = "1. What is 2 + 2? 4\n2. What is the capital of France? Paris"
MERGED = "2 + 2 is 4. The capital of France is Paris."


async def test_a_models_merge_is_streamed_and_credited(desk, script, parts) -> None:
    pieces = ("2 + 2 is", " 4. ", "The capital of France", " is Paris.", "\n")
    node = await desk.node("n1", scribe=script.says(*pieces))
    heard = await desk.synthesize(parts, node.model("scribe"))
    assert len(heard.pieces) == 4
    assert heard.shown == MERGED
    assert heard.restarts == []
    assert heard.result.method == "model"
    assert heard.result.model == node.model("scribe")
    assert heard.result.usage == common_pb2.Usage(
        prompt_tokens=7, completion_tokens=5, cached_prompt_tokens=2
    )
    assert not heard.result.failures


async def test_the_model_reads_the_question_and_every_part(desk, script, parts) -> None:
    node = await desk.node("n1", scribe=script.says(MERGED))
    await desk.synthesize(parts, node.model("scribe"))
    (prompt,) = node.prompts
    assert prompt == (
        "Merge the answers to the parts into one answer.\nQuestion: all of it\nParts:\n"
        "[1] What is 2 + 2? -> 4\n[2] What is the capital of France? -> Paris"
    )


async def test_a_merge_that_leaves_a_part_out_is_withdrawn_for_the_list(
    desk, script, parts
) -> None:
    node = await desk.node("n1", scribe=script.says("The capital of France is Paris."))
    heard = await desk.synthesize(parts, node.model("scribe"))
    assert heard.restarts == ["scribe on n1: part t1 was left out"]
    assert heard.shown == LISTED
    assert heard.result.method == "deterministic"
    assert not heard.result.HasField("model")
    assert [failure.kind for failure in heard.result.failures] == ["UNUSABLE_REPLY"]
    assert heard.result.usage.completion_tokens == 1


async def test_a_merge_out_of_order_is_withdrawn(desk, script, parts) -> None:
    node = await desk.node("n1", scribe=script.says("Paris. And 4."))
    heard = await desk.synthesize(parts, node.model("scribe"))
    assert heard.restarts == ["scribe on n1: part t2 is out of order"]
    assert heard.shown == LISTED


async def test_a_model_that_dies_amid_its_text_is_replaced(desk, script, parts) -> None:
    lost = errors.Unavailable("engine killed")
    first = await desk.node("n1", scribe=script.fails(lost, "2 + 2"))
    second = await desk.node("n2", compass=script.says(MERGED))
    heard = await desk.synthesize(parts, first.model("scribe"), second.model("compass"))
    assert heard.restarts == ["scribe on n1: engine killed"]
    assert heard.shown == MERGED
    assert heard.result.model.node == "n2"
    assert [failure.kind for failure in heard.result.failures] == ["UNAVAILABLE"]


async def test_a_model_that_fails_before_its_first_word_withdraws_nothing(
    desk, script, parts
) -> None:
    first = await desk.node("n1", scribe=script.fails(errors.Overloaded("full")))
    heard = await desk.synthesize(parts, first.model("scribe"))
    assert heard.restarts == []
    assert heard.shown == LISTED
    assert "full" in heard.result.failures[0].message


async def test_a_stream_that_ends_without_its_end_is_no_merge(desk, script, parts) -> None:
    node = await desk.node("n1", scribe=script.stops(MERGED))
    heard = await desk.synthesize(parts, node.model("scribe"))
    assert "before it was complete" in heard.restarts[0]
    assert heard.result.method == "deterministic"


async def test_a_merge_cut_at_its_most_tokens_is_no_merge(desk, script, parts) -> None:
    cut = script.says(MERGED, reason=common_pb2.FINISH_REASON_LENGTH)
    node = await desk.node("n1", scribe=cut)
    heard = await desk.synthesize(parts, node.model("scribe"))
    assert "cut off at its most tokens" in heard.restarts[0]
    assert heard.shown == LISTED


async def test_a_model_that_hangs_is_given_up_and_cancelled(bare_desk, script, parts) -> None:
    await bare_desk.start(model_seconds=0.3)
    first = await bare_desk.node("n1", scribe=script.hangs("2 + 2"))
    second = await bare_desk.node("n2", compass=script.says(MERGED))
    heard = await bare_desk.synthesize(parts, first.model("scribe"), second.model("compass"))
    assert len(heard.restarts) == 1
    assert heard.shown == MERGED
    assert [failure.kind for failure in heard.result.failures] == ["DEADLINE_EXCEEDED"]
    await first.script.until_cancelled("scribe")


async def test_a_short_deadline_still_leaves_time_for_the_list(desk, script, parts) -> None:
    node = await desk.node("n1", scribe=script.hangs("2 + 2"))
    heard = await desk.synthesize(parts, node.model("scribe"), timeout=1.5)
    assert heard.shown == LISTED


async def test_a_node_is_only_written_to_as_the_node_it_should_be(desk, script, parts) -> None:
    stranger = await desk.node("n9", scribe=script.says(MERGED))
    heard = await desk.synthesize(parts, stranger.model("scribe", node="n1"))
    assert heard.shown == LISTED
    assert [failure.kind for failure in heard.result.failures] == ["PEER_UNREACHABLE"]
    assert stranger.prompts == []


async def test_without_models_the_parts_are_listed(desk, parts) -> None:
    heard = await desk.synthesize(parts)
    assert heard.shown == LISTED
    assert heard.result.method == "deterministic"
    assert not heard.result.failures


async def test_one_part_is_its_answer_and_asks_no_model(desk, script, parts) -> None:
    node = await desk.node("n1", scribe=script.says(MERGED))
    heard = await desk.synthesize(parts[:1], node.model("scribe"))
    assert (heard.shown, heard.result.method) == ("4", "single")
    assert node.prompts == []


async def test_a_failed_part_is_never_shown_to_a_model_and_named_behind(
    desk, script, parts
) -> None:
    lost = synthesizer_pb2.SynthesisPart(
        part_id="t3", question="Who wrote Faust?", answer="no quorum", failed=True
    )
    node = await desk.node("n1", scribe=script.says(MERGED))
    heard = await desk.synthesize([*parts, lost], node.model("scribe"))
    assert heard.shown == f"{MERGED}\nWho wrote Faust? no answer (no quorum)."
    assert "Faust" not in node.prompts[0]


async def test_sixty_four_parts_are_merged(desk) -> None:
    many = [_part(number) for number in range(64)]
    heard = await desk.synthesize(many)
    assert heard.shown.splitlines()[-1] == "64. Question 63? answer 63"


def _part(number: int, **changed: object) -> synthesizer_pb2.SynthesisPart:
    fields = {
        "part_id": f"t{number}",
        "question": f"Question {number}?",
        "answer": f"answer {number}",
        **changed,
    }
    return synthesizer_pb2.SynthesisPart(**fields)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ([], "parts is 0"),
        ([_part(number) for number in range(65)], "parts is 65"),
        ([_part(0, part_id="")], r"parts\[0\].part_id"),
        ([_part(0), _part(1, question=" ")], r"parts\[1\].question"),
        ([_part(0, answer="")], r"parts\[0\].answer"),
        ([_part(0), _part(0)], r"parts\[1\].part_id"),
        ([_part(0, confidence=1.5)], r"parts\[0\].confidence"),
        ([_part(0, answer="x" * ((1 << 20) + 1))], "parts is"),
    ],
)
async def test_what_cannot_be_merged_is_refused_by_field(desk, given, field) -> None:
    with pytest.raises(errors.InvalidRequest, match=field):
        await desk.synthesize(given)


@pytest.mark.parametrize("field", ["address", "node", "model"])
async def test_a_model_without_all_its_names_is_refused(desk, parts, field) -> None:
    model = synthesizer_pb2.SynthesisModel(address="127.0.0.1:1", node="n1", model="scribe")
    model.ClearField(field)
    with pytest.raises(errors.InvalidRequest, match=rf"models\[0\].{field}"):
        await desk.synthesize(parts, model)


async def test_an_empty_question_is_refused(desk, parts) -> None:
    with pytest.raises(errors.InvalidRequest, match="question"):
        await anext(aiter(desk.client.Synthesize(_request("", parts))))


def _request(question: str, parts: list[object]) -> synthesizer_pb2.SynthesizeRequest:
    return synthesizer_pb2.SynthesizeRequest(question=question, parts=parts)


@pytest.mark.parametrize("role", [Role.NODE, Role.CLIENT, Role.GATEWAY])
async def test_only_coordinators_and_the_bench_may_ask(desk, parts, role) -> None:
    stranger = await desk.client_of(role, "someone")
    with pytest.raises(errors.NotPermitted, match=role.value):
        await anext(aiter(stranger.Synthesize(_request("all", parts))))


async def test_a_caller_that_leaves_stops_the_node(desk, script, parts) -> None:
    node = await desk.node("n1", scribe=script.hangs("2 + 2"))
    request = _request("all", parts)
    request.models.append(node.model("scribe"))
    call = desk.client.Synthesize(request)
    async with asyncio.timeout(5):
        assert (await anext(aiter(call))).text == "2 + 2"
        call.cancel()
    await node.script.until_cancelled("scribe")


async def test_many_merge_at_the_same_time(desk, script, parts) -> None:
    node = await desk.node("n1", scribe=script.says("2 + 2 is", " 4. ", "Paris."))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(desk.synthesize(parts, node.model("scribe"))) for _ in range(20)]
    assert {task.result().shown for task in tasks} == {"2 + 2 is 4. Paris."}
