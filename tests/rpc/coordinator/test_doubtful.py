"""Ballots below the confidence threshold abstain everywhere, in exchanges of several calls too."""

from __future__ import annotations

import pytest

from quorate.v1 import common_pb2
from quorate.v1 import coordinator_pb2 as wire

pytestmark = pytest.mark.anyio
SUM = "Ann has 9 apples and gets 9 more. How many has she?"
ABSTAINED = common_pb2.BALLOT_STATUS_ABSTAINED
SURE, UNSURE = -0.1, -2.0
"""Mean log-probabilities: confidences of 0.90 and 0.14."""
THRESHOLD = {"confidence_threshold": 0.5, "stop_rule": wire.STOP_RULE_UNSPECIFIED}


async def voters(mesh, script, **said: tuple[str, float]):
    return {
        name: await mesh.node(name, atlas=script.says(f"Answer: {text}", logprob=logprob))
        for name, (text, logprob) in said.items()
    }


async def test_a_doubtful_answer_is_shown_to_no_debater_and_has_no_vote(mesh, script) -> None:
    nodes = await voters(mesh, script, n1=("18", SURE), n2=("21", SURE), n3=("666", UNSURE))
    options = {"rounds": 1, "topology": "DEBATE_TOPOLOGY_FULL", **THRESHOLD}
    part = (await mesh.ask(SUM, strategy="debate", **options)).parts[0]
    for name in ("n1", "n2"):
        assert "666" not in nodes[name].script.requests[1].messages[-1].content
    assert {one.answer for one in part.standings} == {"18", "21"}
    doubtful = [one for one in part.ballots if one.node == "n3"]
    assert {one.status for one in doubtful} == {ABSTAINED}
    assert (part.quorum.asked, part.quorum.answered) == (3, 2)


@pytest.mark.parametrize(("strategy", "options"), [("moa", {"rounds": 1}), ("pacore", {})])
async def test_a_doubtful_conclusion_is_none_and_the_next_model_concludes(
    mesh, script, strategy: str, options: dict[str, object]
) -> None:
    def speaks(text: str, last: float):
        async def behave(request, context) -> None:
            concludes = request.messages[-1].content.startswith("Other answers")
            said = script.says(f"Answer: {text}", logprob=last if concludes else SURE)
            await said(request, context)

        return behave

    await mesh.node("n1", atlas=speaks("21", UNSURE))
    await mesh.node("n2", atlas=speaks("18", SURE))
    part = (await mesh.ask(SUM, strategy=strategy, **options, **THRESHOLD)).parts[0]
    assert part.answer == "18"
    assert f"{strategy}: n2/atlas concluded" in part.explanation


async def test_a_doubtful_ballot_stands_behind_no_elected_answer(mesh, script) -> None:
    await voters(mesh, script, n1=("18", SURE), n2=("18", UNSURE), n3=("21", SURE))
    part = (await mesh.ask(SUM, strategy="moa", rounds=1, **THRESHOLD)).parts[0]
    assert part.answer == "18"
    assert [(one.answer, one.votes) for one in part.standings] == [("18", 1), ("21", 1)]
    assert part.agreement == pytest.approx(1 / 3)


async def test_a_doubtful_answer_is_not_verified(mesh, script) -> None:
    await voters(mesh, script, n1=("18", UNSURE), n2=("21", SURE))
    part = (await mesh.ask("What is 9 + 9?", strategy="best_of_n", **THRESHOLD)).parts[0]
    assert part.answer == "21"
    assert [one.HasField("verified") for one in part.ballots] == [False, True]
    assert "'18'" not in part.explanation
