"""The rest of the contract, bad requests, and the program itself."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack

import pytest
import yaml

from quorate import errors
from quorate.channel import Peers
from quorate.config import CoordinatorSettings
from quorate.identity import Role
from quorate.v1 import (
    coordinator_pb2,
    coordinator_pb2_grpc,
    registry_pb2,
    registry_pb2_grpc,
)
from services.coordinator.service import coordinator

pytestmark = pytest.mark.anyio
NAN = float("nan")


async def test_a_plan_names_parts_and_voters_and_asks_nobody(mesh, script) -> None:
    node = await mesh.node("n1", atlas=script.says("a"), scribe=script.says("a"))
    question = script.asked("What is 2 + 2? And what is the capital of France?")
    response = await mesh.client.Plan(coordinator_pb2.PlanRequest(question=question))
    plan = response.plan
    assert [(part.id, part.text) for part in plan.subtasks] == [
        ("t1", "What is 2 + 2?"),
        ("t2", "What is the capital of France?"),
    ]
    assert [(a.subtask_id, a.node, a.model) for a in plan.assignments] == [
        (part, "n1", model) for part in ("t1", "t2") for model in ("atlas", "scribe")
    ]
    assert plan.reason
    assert node.script.requests == []


async def test_strategies_are_listed_with_their_aliases(mesh) -> None:
    response = await mesh.client.ListStrategies(coordinator_pb2.ListStrategiesRequest())
    by_name = {strategy.name: strategy for strategy in response.strategies}
    assert list(by_name) == sorted(by_name)
    assert "majority_voting" in by_name["majority"].aliases
    assert "weighted_voting" in by_name["weighted"].aliases
    assert all(strategy.description for strategy in by_name.values())


async def test_an_alias_means_its_strategy(mesh, script) -> None:
    await mesh.node("n1", atlas=script.says("a", logprob=-0.1))
    await mesh.node("n2", atlas=script.says("b", logprob=-2.0))
    await mesh.node("n3", atlas=script.says("b", logprob=-2.0))
    weighted = await mesh.ask("What is it?", strategy="weighted_voting")
    assert (weighted.answer, weighted.strategy) == ("a", "weighted")
    assert (await mesh.ask("What is it?", strategy="majority_voting")).answer == "b"
    assert (await mesh.ask("What is it?")).strategy == "majority"


BAD = [
    ({"messages": []}, "messages"),
    ({"messages": [{"content": "x"}] * 1001}, "messages"),
    ({"messages": [{"content": "  \n"}]}, "messages[0].content"),
    ({"messages": [{"content": "x" * (2**20 + 1)}]}, "messages"),
    ({"messages": [{"content": "x", "role": "CHAT_ROLE_ASSISTANT"}]}, "messages[0].role"),
    ({"messages": [{"content": "x", "role": 77}]}, "messages[0].role"),
    ({"max_models": -1}, "max_models"),
    ({"samples": -1}, "samples"),
    ({"samples": 65}, "samples"),
    ({"samples": 2, "sampling": {"temperature": 0.0}}, "samples"),
    ({"budget": {"seconds": -1.0}}, "budget.seconds"),
    ({"budget": {"seconds": NAN}}, "budget.seconds"),
    ({"budget": {"tokens": -1}}, "budget.tokens"),
    ({"risk": 1.0}, "risk"),
    ({"risk": -0.1}, "risk"),
    ({"risk": NAN}, "risk"),
    ({"kind": 99}, "kind"),
    ({"decompose": 99}, "decompose"),
    ({"stop_rule": 99}, "stop_rule"),
    ({"stop_rule": "STOP_RULE_RISK"}, "risk"),
    ({"stop_rule": "STOP_RULE_EXACT", "risk": 0.1}, "risk"),
    ({"stop_rule": "STOP_RULE_NEVER", "risk": 0.1}, "risk"),
    ({"stop_rule": "STOP_RULE_WINDOW", "risk": 0.1}, "risk"),
    ({"min_agreement": 1.1}, "min_agreement"),
    ({"min_agreement": NAN}, "min_agreement"),
    ({"confidence_threshold": -0.1}, "confidence_threshold"),
    ({"confidence_threshold": NAN}, "confidence_threshold"),
    ({"error_risk": 1.0}, "error_risk"),
    ({"delta": 0.6}, "delta"),
    ({"delta": -0.1}, "delta"),
    ({"rounds": -1}, "rounds"),
    ({"horizon": -1}, "horizon"),
    ({"routing": "mips"}, "routing"),
    ({"sampling": {"temperature": 5.5}}, "sampling.temperature"),
    ({"sampling": {"temperature": NAN}}, "sampling.temperature"),
    ({"sampling": {"top_p": 0.0}}, "sampling.top_p"),
    ({"sampling": {"max_tokens": 0}}, "sampling.max_tokens"),
    ({"sampling": {"max_tokens": -5}}, "sampling.max_tokens"),
    ({"sampling": {"top_logprobs": 21}}, "sampling.top_logprobs"),
    ({"sampling": {"mirostat_tau": float("inf")}}, "sampling.mirostat_tau"),
]


@pytest.mark.parametrize(("options", "field"), BAD, ids=lambda case: str(case)[:40])
async def test_each_mistake_has_its_own_error_and_the_service_goes_on(
    mesh, script, options: dict[str, object], field: str
) -> None:
    await mesh.node("n1", atlas=script.says("a"))
    with pytest.raises(errors.InvalidRequest) as refused:
        await mesh.ask("What is it?", **options)
    assert refused.value.metadata["field"] == field
    assert refused.value.metadata["fix"]
    assert (await mesh.ask("What is it?")).answer == "a"


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"strategy": "majorty"}, errors.UnknownStrategy, "Did you mean 'majority'"),
        ({"strategy": "xyz"}, errors.UnknownStrategy, "Known: "),
        ({"models": ["atlass"]}, errors.UnknownModel, "Did you mean 'atlas'"),
        ({"nodes": ["n9"]}, errors.UnknownNode, "n1"),
        ({"routing": "mipp"}, errors.InvalidRequest, "routing is 'mipp'.*Did you mean 'mip'"),
        ({"planner": "atlass", "routing": "model"}, errors.UnknownModel, "Did you mean 'atlas'"),
        ({"memory_bytes": {"n9": 1}}, errors.UnknownNode, "limits 'n9'"),
        ({"memory_bytes": {"n1": -1}}, errors.InvalidRequest, r"memory_bytes\[n1\] is -1"),
        ({"lambda_token": -1.0}, errors.InvalidRequest, "lambda_token is -1"),
        ({"lambda_switch": float("nan")}, errors.InvalidRequest, "lambda_switch is nan"),
        ({"rounds": 2}, errors.InvalidRequest, "rounds is 2.*choose debate or moa"),
        ({"horizon": 17}, errors.InvalidRequest, r"horizon is 17.*\[0, 16\]"),
    ],
)
async def test_what_does_not_exist_is_named(mesh, script, options, error, said: str) -> None:
    await mesh.node("n1", atlas=script.says("a"))
    with pytest.raises(error, match=said):
        await mesh.ask("What is it?", **options)


async def test_later_methods_name_their_feature(mesh) -> None:
    c = coordinator_pb2
    for call, request, feature in (
        (mesh.client.SubmitBatch, c.SubmitBatchRequest(), "Batch jobs"),
        (mesh.client.GetBatch, c.GetBatchRequest(), "Batch jobs"),
        (mesh.client.ListBatches, c.ListBatchesRequest(), "Batch jobs"),
        (mesh.client.CancelBatch, c.CancelBatchRequest(), "Batch jobs"),
    ):
        with pytest.raises(errors.NotImplementedYet, match=feature):
            await call(request)
    with pytest.raises(errors.NotImplementedYet, match="Batch jobs"):
        await mesh.client.StreamBatchResults(c.StreamBatchResultsRequest()).read()


async def test_metrics_count_nodes_ballots_and_agreement(bare_mesh, script) -> None:
    await bare_mesh.start()
    await bare_mesh.node("n1", atlas=script.says("a"))
    await bare_mesh.node("n2", atlas=script.says("a"))
    await bare_mesh.node("n3", atlas=script.hangs())
    await bare_mesh.ask("What is it?")
    value = bare_mesh.running._telemetry.registry.get_sample_value
    assert value("quorate_nodes_live") == 3
    assert value("quorate_ballots_total", {"model": "atlas", "status": "valid"}) == 2
    assert value("quorate_ballots_total", {"model": "atlas", "status": "cancelled"}) == 1
    assert value("quorate_ballots_cancelled_total") == 1
    assert value("quorate_ask_seconds_count", {"strategy": "majority"}) == 1
    assert value("quorate_vote_agreement_count", {"strategy": "majority"}) == 1
    assert value("quorate_synthesis_total", {"method": "single"}) == 1


async def test_insecure_on_loopback_nobody_has_a_name_to_check(script) -> None:
    settings = CoordinatorSettings(
        name="c1", insecure=True, lease_seconds=60.0, database="sqlite://"
    )
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(coordinator(settings))
        peers = await stack.enter_async_context(Peers(None, insecure=True))
        channel = peers.channel(running.address)
        lease = registry_pb2_grpc.RegistryServiceStub(channel).Lease()
        status = script.status_of("anybody", ["atlas"])
        await lease.write(registry_pb2.LeaseRequest(address="127.0.0.1:1", status=status))
        assert (await lease.read()).lease_id
        client = coordinator_pb2_grpc.CoordinatorServiceStub(channel)
        nodes = await client.ListNodes(coordinator_pb2.ListNodesRequest())
        assert [node.status.node for node in nodes.nodes] == ["anybody"]
        lease.cancel()


async def test_the_program_serves_its_settings_and_ends_on_sigterm(tls, tmp_path) -> None:
    ready = tmp_path / "c1.ready"
    made = tls(Role.COORDINATOR, "c1")
    settings = {
        "name": "c1",
        "ready_file": str(ready),
        "tls": {key: str(path) for key, path in made.model_dump().items()},
    }
    (tmp_path / "c1.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.coordinator", "--settings", str(tmp_path / "c1.yaml")
    )
    async with asyncio.timeout(20):
        while not ready.exists():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        address = json.loads(ready.read_text("utf-8"))["address"]
        async with Peers(tls(Role.CLIENT, "someone")) as peers:
            stub = coordinator_pb2_grpc.CoordinatorServiceStub(
                peers.channel(address, Role.COORDINATOR)
            )
            assert not (await stub.ListNodes(coordinator_pb2.ListNodesRequest())).nodes
        program.send_signal(signal.SIGTERM)
        assert await program.wait() == 0
    assert not ready.exists()
