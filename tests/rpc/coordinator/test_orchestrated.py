"""Strategies that ask more than once, over the wire: layers, choices, rankings, checks, rungs."""

from __future__ import annotations

import asyncio
import math

import pytest

from quorate import errors
from quorate.v1 import common_pb2, node_pb2

pytestmark = pytest.mark.anyio
SUM = "Ann has 9 apples and gets 9 more. How many has she?"
ABSTAINED = common_pb2.BALLOT_STATUS_ABSTAINED
FAILED = common_pb2.BALLOT_STATUS_FAILED


async def nodes_that_say(mesh, script, **said: str):
    return {
        name: await mesh.node(name, atlas=script.says(f"Answer: {text}"))
        for name, text in said.items()
    }


def prefers(*order: str):
    """Score candidates by the first of these texts that they hold."""

    def score(request: node_pb2.ScoreRequest, candidate: str) -> float:
        places = [place for place, text in enumerate(order) if text in candidate]
        return -float(places[0]) if places else -5.0

    return score


async def test_self_consistency_samples_each_model_five_times_in_one_call(mesh, script) -> None:
    node = await mesh.node("n1", atlas=script.says("Answer: 18"))
    result = await mesh.ask(SUM, strategy="self_consistency", stop_rule="STOP_RULE_NEVER")
    assert (result.answer, result.quorum.asked) == ("18", 5)
    assert [request.n for request in node.script.requests] == [5]
    assert node.script.requests[0].sampling.temperature == pytest.approx(0.7)


async def test_moa_combines_layer_by_layer_and_one_model_concludes(mesh, script) -> None:
    said = {"n1": "18", "n2": "21", "n3": "21"}
    nodes = {
        name: await mesh.node(
            name,
            atlas=script.reads(
                lambda prompt, text=text: (
                    f"Answer: {'18' if prompt.startswith('Other answers') else text}"
                )
            ),
        )
        for name, text in said.items()
    }
    part = (await mesh.ask(SUM, strategy="moa")).parts[0]
    assert (part.answer, part.agreement) == ("18", 1.0)
    assert [(held.round, held.answer) for held in part.rounds] == [(0, "21"), (1, "18")]
    assert (part.quorum.asked, len(part.ballots)) == (3, 7)
    assert "moa: n1/atlas concluded from 3 ballots" in part.explanation
    prompt = nodes["n2"].script.requests[1].messages[-1].content
    assert sorted(line[4:] for line in prompt.splitlines()[1:4]) == [
        "Answer: 18", "Answer: 21", "Answer: 21",
    ]  # fmt: skip
    assert prompt.endswith(f"Question: {SUM}")


async def test_moa_of_one_model_combines_its_own_samples(mesh, script) -> None:
    node = await mesh.node("n1", atlas=script.says("Answer: 18"), scribe=script.says("Answer: 3"))
    options = {"models": ["atlas"], "samples": 3, "rounds": 1}
    part = (await mesh.ask(SUM, strategy="moa", **options)).parts[0]
    assert [(one.model, one.sample, one.round) for one in part.ballots] == [
        ("atlas", 0, 0), ("atlas", 1, 0), ("atlas", 2, 0), ("atlas", 0, 1),
    ]  # fmt: skip
    assert [request.n for request in node.script.requests] == [3, 1]
    temperatures = [request.sampling.temperature for request in node.script.requests]
    assert temperatures == [pytest.approx(0.7), 0.0]


async def test_where_no_model_concludes_the_last_layer_votes(mesh, script) -> None:
    broken = errors.ModelUnusable("broken")
    for name, text in (("n1", "18"), ("n2", "21"), ("n3", "21")):
        behaviour = script.then(script.says(f"Answer: {text}"), script.fails(broken))
        await mesh.node(name, atlas=behaviour)
    part = (await mesh.ask(SUM, strategy="moa", rounds=1)).parts[0]
    assert (part.answer, part.quorum.answered) == ("21", 3)
    assert "no model could conclude, so layer 0 votes" in part.explanation
    assert [one.status for one in part.ballots if one.round == 1] == [FAILED] * 3


async def test_a_conclusion_that_nobody_gave_has_no_agreement(mesh, script) -> None:
    def said(prompt: str) -> str:
        return f"Answer: {'5' if prompt.startswith('Other answers') else '21'}"

    for name in ("n1", "n2"):
        await mesh.node(name, atlas=script.reads(said))
    part = (await mesh.ask(SUM, strategy="moa", rounds=1)).parts[0]
    assert (part.answer, part.agreement, part.confidence) == ("5", 0.0, 0.0)
    assert [(one.answer, one.votes) for one in part.standings] == [("5", 0), ("21", 2)]
    with pytest.raises(errors.NoQuorum, match="min_agreement"):
        await mesh.ask(SUM, strategy="moa", rounds=1, min_agreement=0.5)


async def test_pacore_deals_its_widths_and_concludes(mesh, script) -> None:
    nodes = [
        await mesh.node(name, atlas=script.says("9 + 9 = 18\nAnswer: 18")) for name in ("n1", "n2")
    ]
    part = (await mesh.ask(SUM, strategy="pacore", widths=[5, 2])).parts[0]
    assert sorted((one.round, one.node, one.sample) for one in part.ballots) == [
        (0, "n1", 0), (0, "n1", 1), (0, "n1", 2), (0, "n2", 0), (0, "n2", 1),
        (1, "n1", 0), (1, "n2", 0),
        (2, "n1", 0),
    ]  # fmt: skip
    assert sorted(request.n for node in nodes for request in node.script.requests) == [
        1,
        1,
        1,
        2,
        3,
    ]
    later = nodes[1].script.requests[1].messages[-1].content
    assert [line[4:] for line in later.splitlines() if line.startswith("[")] == ["18"] * 5
    assert (part.answer, part.quorum.asked) == ("18", 2)


async def test_references_are_shuffled_by_the_seed_and_differ_between_readers(mesh, script) -> None:
    nodes = [
        await mesh.node(f"n{number}", atlas=script.says(f"Answer: {number}"))
        for number in range(1, 7)
    ]
    options = {"strategy": "pacore", "widths": [6, 6], "sampling": {"seed": 3}}

    async def orders() -> list[str]:
        await mesh.ask(SUM, **options)
        return [node.script.requests[-1].messages[-1].content for node in nodes[1:]]

    first = await orders()
    assert first == await orders()
    assert len(set(first)) > 1


FREE = "Describe the sea."
WORDS = {"n1": "The sea is blue and wide", "n2": "The sea is blue and deep", "n3": "Bananas grow"}


def picks(letter: str, text: str):
    return lambda prompt: letter if "Reply with its letter only." in prompt else text


async def test_universal_lets_a_model_pick_by_a_letter(mesh, script) -> None:
    nodes = {
        name: await mesh.node(name, atlas=script.reads(picks("B", text)))
        for name, text in WORDS.items()
    }
    options = {"strategy": "universal", "kind": common_pb2.ANSWER_KIND_TEXT}
    part = (await mesh.ask(FREE, sampling={"seed": 5}, **options)).parts[0]
    request = nodes["n1"].script.requests[1]
    assert request.sampling.grammar == "root ::= [A-C]"
    listed = [line for line in request.messages[-1].content.splitlines() if line[:1] == "["]
    assert sorted(line[4:] for line in listed) == sorted(WORDS.values())
    assert part.text == next(line[4:] for line in listed if line.startswith("[B] "))
    assert "n1/atlas picked it as the most consistent of 3 candidates" in part.explanation
    pick = part.ballots[-1]
    assert (pick.round, pick.text, pick.answer.text) == (1, "B", part.answer)
    assert (part.quorum.asked, part.agreement) == (3, pytest.approx(1 / 3))
    assert len(nodes["n2"].script.requests) == 1


async def test_a_pick_that_cannot_be_used_leaves_the_choice_to_the_medoid(mesh, script) -> None:
    for name, text in WORDS.items():
        await mesh.node(name, atlas=script.reads(picks("Z", text)))
    options = {"strategy": "universal", "kind": common_pb2.ANSWER_KIND_TEXT}
    part = (await mesh.ask(FREE, **options)).parts[0]
    assert part.text in {WORDS["n1"], WORDS["n2"]}
    assert "no model's pick was usable; the medoid stands" in part.explanation
    assert [one.status for one in part.ballots if one.round == 1] == [ABSTAINED] * 3


async def test_equal_answers_leave_nothing_to_pick(mesh, script) -> None:
    nodes = await nodes_that_say(mesh, script, n1="18", n2="18")
    part = (await mesh.ask(SUM, strategy="universal")).parts[0]
    assert (part.answer, part.agreement) == ("18", 1.0)
    assert all(len(node.script.requests) == 1 for node in nodes.values())


async def test_models_rank_what_all_of_them_answered(mesh, script) -> None:
    nodes = await nodes_that_say(mesh, script, n1="1", n2="1", n3="2", n4="3")
    for name, order in (("n1", "1 2 3"), ("n2", "1 2 3"), ("n3", "2 3 1"), ("n4", "3 2 1")):
        nodes[name].script.prefers = prefers(*(f"Answer: {one}" for one in order.split()))
    plurality = await mesh.ask(SUM, stop_rule="STOP_RULE_NEVER")
    assert plurality.answer == "1"
    part = (await mesh.ask(SUM, strategy="borda")).parts[0]
    assert part.answer == "2"
    assert {one.node: list(one.ranking) for one in part.ballots} == {
        "n1": ["1", "2", "3"], "n2": ["1", "2", "3"], "n3": ["2", "3", "1"], "n4": ["3", "2", "1"],
    }  # fmt: skip
    asked = nodes["n1"].script.scored[0]
    assert list(asked.candidates) == ["Answer: 1", "Answer: 2", "Answer: 3"]
    assert asked.messages[-1].content == SUM


async def test_a_node_that_cannot_score_abstains_from_ranking(mesh, script) -> None:
    nodes = await nodes_that_say(mesh, script, n1="1", n2="2", n3="2")
    nodes["n1"].script.prefers = prefers("Answer: 1", "Answer: 2")
    nodes["n2"].script.prefers = lambda request, candidate: math.nan
    part = (await mesh.ask(SUM, strategy="copeland")).parts[0]
    assert part.answer == "2"
    assert [list(one.ranking) for one in part.ballots] == [["1", "2"], [], []]
    assert "not ranked by n2/atlas, n3/atlas" in part.explanation


async def test_best_of_n_believes_the_verifier_more_than_the_number(mesh, script) -> None:
    nodes = await nodes_that_say(mesh, script, n1="21", n2="21", n3="18")

    def judge(request: node_pb2.ScoreRequest, candidate: str) -> float:
        right = "Answer: 18" in request.messages[-1].content
        return -0.05 if (candidate == "yes") is right else -3.0

    for node in nodes.values():
        node.script.prefers = judge
    part = (await mesh.ask(SUM, strategy="best_of_n")).parts[0]
    assert part.answer == "18"
    verified = {one.node: one.verified for one in part.ballots}
    assert verified["n3"] > 0.9
    assert verified["n1"] == verified["n2"] < 0.1


async def test_a_sum_is_verified_by_computing_it(mesh, script) -> None:
    nodes = await nodes_that_say(mesh, script, n1="21", n2="21", n3="18")
    part = (await mesh.ask("What is 9 + 9?", strategy="best_of_n")).parts[0]
    assert part.answer == "18"
    assert [one.verified for one in part.ballots] == [0.0, 0.0, 1.0]
    assert not any(node.script.scored for node in nodes.values())


async def test_where_nothing_is_verified_numbers_decide_and_it_is_said(mesh, script) -> None:
    await nodes_that_say(mesh, script, n1="21", n2="21", n3="18")
    part = (await mesh.ask(SUM, strategy="best_of_n")).parts[0]
    assert part.answer == "21"
    assert "nothing was verified, so numbers decide" in part.explanation
    assert not any(one.HasField("verified") for one in part.ballots)


async def test_a_cascade_ends_with_the_second_model_that_agrees(mesh, script) -> None:
    nodes = await nodes_that_say(mesh, script, n1="18", n2="18", n3="21")
    part = (await mesh.ask(SUM, cascade=True)).parts[0]
    assert (part.answer, part.stopped_by) == ("18", "cascade")
    assert "rung 2 of 3 answered: uncalibrated, but 2 models agree" in part.explanation
    assert [len(node.script.requests) for node in nodes.values()] == [1, 1, 0]
    assert not part.calibrated


async def test_a_cascade_that_nobody_settles_is_a_vote_of_all(mesh, script) -> None:
    await nodes_that_say(mesh, script, n1="1", n2="2", n3="3")
    part = (await mesh.ask(SUM, cascade=True)).parts[0]
    assert (part.stopped_by, part.quorum.asked) == ("all", 3)
    assert "no rung was sure enough; all 3 vote" in part.explanation


async def test_a_cascade_goes_past_a_model_that_fails(mesh, script) -> None:
    await mesh.node("n0", atlas=script.fails(errors.ModelUnusable("broken")))
    await nodes_that_say(mesh, script, n1="18", n2="18", n3="18")
    part = (await mesh.ask(SUM, cascade=True)).parts[0]
    assert (part.answer, part.stopped_by, part.quorum.asked) == ("18", "cascade", 3)


@pytest.mark.parametrize("strategy", ["moa", "universal"])
async def test_the_time_ends_an_exchange_with_the_best_answer_so_far(
    mesh, script, strategy: str
) -> None:
    for name, said in (("n1", "one"), ("n2", "two"), ("n3", "two")):
        await mesh.node(name, atlas=script.then(script.says(said), script.hangs("…")))
    options = {"strategy": strategy, "kind": common_pb2.ANSWER_KIND_TEXT}
    async with asyncio.timeout(6):
        part = (await mesh.ask("Which is it?", budget={"seconds": 1.5}, **options)).parts[0]
    assert part.answer == "two"
    assert "the time was over" in part.explanation


BAD = [
    ({"rounds": 17, "strategy": "debate"}, "rounds"),
    ({"rounds": -1, "strategy": "debate"}, "rounds"),
    ({"rounds": 2}, "rounds"),
    ({"topology": "DEBATE_TOPOLOGY_FULL"}, "topology"),
    ({"topology": 9, "strategy": "debate"}, "topology"),
    ({"widths": [2]}, "widths"),
    ({"widths": [0], "strategy": "pacore"}, "widths[0]"),
    ({"widths": [65], "strategy": "pacore"}, "widths[0]"),
    ({"widths": [1] * 9, "strategy": "pacore"}, "widths"),
    ({"widths": [64] * 5, "strategy": "pacore"}, "widths"),
    ({"samples": 2, "strategy": "pacore"}, "samples"),
    ({"sampling": {"temperature": 0.0}, "strategy": "pacore"}, "strategy"),
    ({"sampling": {"temperature": 0.0}, "strategy": "self_consistency"}, "samples"),
    ({"cascade": True, "strategy": "debate"}, "cascade"),
    ({"cascade": True, "strategy": "borda"}, "cascade"),
    ({"cascade": True, "stop_rule": "STOP_RULE_WINDOW"}, "stop_rule"),
    ({"strategy": "moa", "stop_rule": "STOP_RULE_ADAPTIVE"}, "stop_rule"),
    ({"budget": {"tokens": 8}, "strategy": "debate", "rounds": 8}, "budget.tokens"),
]


@pytest.mark.parametrize(("options", "field"), BAD, ids=lambda case: str(case)[:50])
async def test_a_field_that_its_strategy_does_not_read_is_an_error(
    mesh, script, options: dict[str, object], field: str
) -> None:
    await mesh.node("n1", atlas=script.says("a"))
    with pytest.raises(errors.InvalidRequest) as refused:
        await mesh.ask("What is it?", **options)
    assert refused.value.metadata["field"] == field
    assert refused.value.metadata["fix"]
