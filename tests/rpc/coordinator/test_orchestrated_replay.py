"""Exchanges of several calls: their records decide the same again, with an answer or without."""

from __future__ import annotations

import json

import pytest

from quorate import errors
from quorate.records import Record, read, replay
from quorate.v1 import common_pb2
from quorate.v1 import coordinator_pb2 as wire

pytestmark = pytest.mark.anyio
SUM = "Ann has 9 apples and gets 9 more. How many has she?"
FREE = "Describe the sea."
WORDS = {"n1": "The sea is blue and wide", "n2": "The sea is blue and deep", "n3": "Bananas grow"}
TEXT = common_pb2.ANSWER_KIND_TEXT
LAST_WORDS = [
    ("moa", {"rounds": 1}),
    ("pacore", {"widths": [3]}),
    ("universal", {"kind": TEXT}),
]


async def record_of(mesh, question_id: str) -> Record:
    admin = await mesh.admin()
    response = await admin.GetRecord(wire.GetRecordRequest(question_id=question_id))
    return read(response.record.encode())


async def speakers(mesh, script, strategy: str) -> None:
    """Models of which one has the last word, for an answer that few or none of them gave."""

    def of(text: str):
        def said(prompt: str) -> str:
            if "Reply with its letter only." in prompt:
                return "B"
            return "Answer: 5" if prompt.startswith("Other answers") else text

        return said

    words = WORDS if strategy == "universal" else dict.fromkeys(WORDS, "Answer: 21")
    for name, text in words.items():
        await mesh.node(name, atlas=script.reads(of(text)))


def text_of(strategy: str) -> str:
    return FREE if strategy == "universal" else SUM


@pytest.mark.parametrize(("strategy", "options"), LAST_WORDS)
async def test_a_last_word_that_too_few_agree_with_replays_as_the_same_refusal(
    mesh, script, strategy: str, options: dict[str, object]
) -> None:
    await speakers(mesh, script, strategy)
    with pytest.raises(errors.NoQuorum, match="below min_agreement") as refused:
        await mesh.ask(text_of(strategy), strategy=strategy, min_agreement=0.34, **options)
    record = await record_of(mesh, refused.value.metadata["question_id"])
    [again] = replay(record)
    assert again.same
    assert (again.answer, again.error) == ("", record.parts[0].decision.error)


@pytest.mark.parametrize(("strategy", "options"), LAST_WORDS)
async def test_a_last_word_replays_from_its_ballot(
    mesh, script, strategy: str, options: dict[str, object]
) -> None:
    await speakers(mesh, script, strategy)
    result = await mesh.ask(text_of(strategy), strategy=strategy, **options)
    record = await record_of(mesh, result.question_id)
    [again] = replay(record)
    assert (again.same, again.spoken, again.answer) == (True, True, result.parts[0].answer)
    assert again.agreement == result.parts[0].agreement


async def test_a_refusal_that_the_ballots_do_not_bear_out_replays_as_different(
    mesh, script
) -> None:
    await speakers(mesh, script, "moa")
    with pytest.raises(errors.NoQuorum) as refused:
        await mesh.ask(SUM, strategy="moa", rounds=1, min_agreement=0.5)
    admin = await mesh.admin()
    request = wire.GetRecordRequest(question_id=refused.value.metadata["question_id"])
    data = json.loads((await admin.GetRecord(request)).record)
    data["parts"][0]["decision"]["error"] = data["parts"][0]["decision"]["error"].replace("5", "7")
    assert not replay(read(json.dumps(data).encode()))[0].same


async def test_best_of_n_that_nobody_could_verify_replays_the_same(mesh, script) -> None:
    for name, said in (("n1", "21"), ("n2", "18"), ("n3", "18")):
        await mesh.node(name, atlas=script.says(f"Answer: {said}"))
    result = await mesh.ask(SUM, strategy="best_of_n")
    [again] = replay(await record_of(mesh, result.question_id))
    assert (again.same, again.answer) == (True, "18")
    assert again.explanation == result.parts[0].explanation


async def test_best_of_n_that_was_verified_replays_the_same(mesh, script) -> None:
    for name, said in (("n1", "21"), ("n2", "21"), ("n3", "18")):
        await mesh.node(name, atlas=script.says(f"Answer: {said}"))
    result = await mesh.ask("What is 9 + 9?", strategy="best_of_n")
    [again] = replay(await record_of(mesh, result.question_id))
    assert (again.same, again.answer) == (True, "18")


async def test_a_debate_replays_the_same(mesh, script) -> None:
    for name, said in (("n1", "18"), ("n2", "21"), ("n3", "21")):
        await mesh.node(name, atlas=script.says(f"Answer: {said}"))
    result = await mesh.ask(SUM, strategy="debate", rounds=1)
    [again] = replay(await record_of(mesh, result.question_id))
    assert (again.same, again.answer) == (True, "21")
