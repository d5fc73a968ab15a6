"""Real nodes with pocket models: they register themselves, vote, and may be killed."""

from __future__ import annotations

import pytest

from quorate.v1 import common_pb2, coordinator_pb2
from tests.rpc.coordinator.real_nodes import nodes, program, settings_of, until_ready

pytestmark = pytest.mark.anyio


async def test_four_models_on_two_nodes_answer_a_chain_of_parts(bare_mesh, tls, tmp_path) -> None:
    await bare_mesh.start(heartbeat_seconds=0.2)
    async with nodes(bare_mesh, tls, tmp_path):
        question = "First extract the ages as JSON from: Ana is 31 and Ben is 24, then sum the ages"
        options = {"sampling": {"seed": 3, "max_tokens": 64}, "stop_rule": "STOP_RULE_NEVER"}
        first = await bare_mesh.ask(question, deterministic=True, **options)
        again = await bare_mesh.ask(question, deterministic=True, **options)
    assert [part.subtask.id for part in first.parts] == ["t1", "t2"]
    for part in first.parts:
        ids = [ballot.ballot_id.split("/", 1)[1] for ballot in part.ballots]
        assert ids == ["n1/abacus/0", "n1/atlas/0", "n2/marshal/0", "n2/scribe/0"]
        for ballot in part.ballots:
            assert ballot.status in {
                common_pb2.BALLOT_STATUS_VALID,
                common_pb2.BALLOT_STATUS_ABSTAINED,
            }
            assert ballot.usage.completion_tokens > 0
            assert 0.0 < ballot.confidence <= 1.0
            assert len(ballot.model_sha256) == 64
    told = [
        [(b.ballot_id, b.text, b.confidence, b.seed) for p in result.parts for b in p.ballots]
        for result in (first, again)
    ]
    assert told[0] == told[1]
    assert first.answer == again.answer


async def test_killing_a_node_in_mid_answer_still_gives_the_answer(
    bare_mesh, tls, tmp_path, script
) -> None:
    await bare_mesh.start(heartbeat_seconds=0.2)
    async with nodes(bare_mesh, tls, tmp_path) as running:
        question = script.asked(
            "Is 7 a prime number?",
            # A long answer, so that there is a middle to be killed in.
            sampling={"max_tokens": 200, "grammar": 'root ::= "yes, " [a-z ]{190}'},
            stop_rule="STOP_RULE_NEVER",
        )
        final = None
        call = bare_mesh.client.AskStream(coordinator_pb2.AskStreamRequest(question=question))
        async for event in call:
            kind = event.WhichOneof("event")
            if (
                kind == "token"
                and "/n2/" in event.token.ballot_id
                and running["n2"].returncode is None
            ):
                running["n2"].kill()
                await running["n2"].wait()
            if kind == "final":
                final = event.final
        assert final is not None
        assert final.quorum.asked == 4
        lost = [b for b in final.parts[0].ballots if b.status == common_pb2.BALLOT_STATUS_FAILED]
        assert {ballot.node for ballot in lost} == {"n2"}
        assert (final.answer, final.quorum.answered) == ("yes", 4 - len(lost))
        assert len(lost) == 2
        await bare_mesh.until_nodes_are("n1")


async def test_a_model_on_demand_votes_after_its_node_has_loaded_it(
    bare_mesh, tls, tmp_path, script
) -> None:
    await bare_mesh.start(heartbeat_seconds=0.2)
    models = [{"name": "atlas", "load": "on_demand"}, {"name": "abacus"}]
    settings = settings_of(bare_mesh, tls, tmp_path, "n1", models)
    sampling = {"max_tokens": 8, "grammar": 'root ::= "yes" | "no"'}
    options = {"sampling": sampling, "stop_rule": "STOP_RULE_NEVER"}

    async def planned() -> dict[str, bool]:
        request = coordinator_pb2.PlanRequest(question=script.asked("Is 7 a prime number?"))
        plan = (await bare_mesh.client.Plan(request)).plan
        return {one.model: one.load_first for one in plan.assignments}

    async with program(settings, tmp_path / "n1.yaml"):
        await until_ready(bare_mesh, 1)
        assert await planned() == {"abacus": False, "atlas": True}
        resident = await bare_mesh.ask(
            "Is 7 a prime number?", max_models=1, lambda_switch=10.0, **options
        )
        assert [ballot.model for ballot in resident.parts[0].ballots] == ["abacus"]
        assert await planned() == {"abacus": False, "atlas": True}
        both = await bare_mesh.ask("Is 7 a prime number?", **options)
        assert [ballot.model for ballot in both.parts[0].ballots] == ["abacus", "atlas"]
        assert all(ballot.usage.completion_tokens > 0 for ballot in both.parts[0].ballots)
        await until_ready(bare_mesh, 2)
        assert await planned() == {"abacus": False, "atlas": False}
