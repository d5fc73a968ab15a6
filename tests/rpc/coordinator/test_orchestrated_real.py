"""Strategies that ask more than once, on real nodes with pocket models."""

from __future__ import annotations

import pytest

from quorate.v1 import common_pb2, coordinator_pb2

pytestmark = pytest.mark.anyio
HARD = "A shop sells 17 boxes with 6 pens each and 5 single pens. How many pens are that?"
SAMPLING = {"seed": 11, "max_tokens": 64}
SPOKEN = {common_pb2.BALLOT_STATUS_VALID, common_pb2.BALLOT_STATUS_ABSTAINED}


async def test_pocket_models_debate_rank_pick_sample_and_cascade(pocket_mesh) -> None:
    async def ask(text: str, **options: object) -> coordinator_pb2.Part:
        result = await pocket_mesh.ask(text, deterministic=True, sampling=SAMPLING, **options)
        return result.parts[0]

    debate = await ask(HARD, strategy="debate", topology="DEBATE_TOPOLOGY_FULL")
    again = await ask(HARD, strategy="debate", topology="DEBATE_TOPOLOGY_FULL")
    assert [one.text for one in debate.ballots] == [one.text for one in again.ballots]
    assert len(debate.rounds) == 1 + max(one.round for one in debate.ballots)
    assert len(debate.ballots) == 4 * len(debate.rounds)
    assert {one.status for one in debate.ballots} <= SPOKEN
    assert debate.quorum.asked == 4
    assert debate.rounds[-1].answer == debate.answer
    assert debate.stopped_by == "agreement" or len(debate.rounds) == 3

    options = {"models": ["abacus"], "stop_rule": "STOP_RULE_NEVER"}
    consistent = await ask("What is 12 + 30?", strategy="self_consistency", **options)
    assert (len(consistent.ballots), consistent.answer) == (5, "42")
    assert len({one.seed for one in consistent.ballots}) == 5

    choice = "Which of these is the capital of France? A) Rome B) Paris C) Oslo D) Bern"
    ranked = await ask(choice, strategy="borda")
    candidates = {one.answer.text for one in ranked.ballots if one.HasField("answer")}
    for one in ranked.ballots:
        if one.HasField("answer") and len(candidates) > 1:
            assert set(one.ranking) <= candidates
            assert one.ranking
    assert "not ranked by" not in ranked.explanation
    assert ranked.answer in candidates

    free = await ask("Name a river in Europe.", strategy="universal", kind="ANSWER_KIND_TEXT")
    picks = [one for one in free.ballots if one.round == 1]
    if len({one.answer for one in free.standings}) > 1:
        assert picks
        assert picks[-1].text in "ABCD"
        assert picks[-1].answer.text == free.answer
    assert free.quorum.asked == 4

    rung = await ask("What is 12 + 30?", cascade=True)
    assert rung.answer == "42"
    assert rung.stopped_by in {"cascade", "all"}
    sizes = [one.model for one in rung.ballots]
    assert 2 <= len(sizes) <= 4
