"""Plans carried out: a real node whose memory holds two of six models on demand."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from quorate import errors
from quorate.identity import Role
from quorate.v1 import common_pb2, coordinator_pb2, node_pb2, node_pb2_grpc
from tests.rpc.coordinator.real_nodes import program, settings_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

SIX = ("abacus", "atlas", "compass", "forge", "marshal", "scribe")
MIB = 2**20
ROOM_FOR_TWO = 240 * MIB
TWO_PARTS = "What is 12 + 30? What is the capital of France?"
TWO_KINDS = "What is 12 + 30? Is the result a prime number?"
CHAIN = "What is 12 + 30? Then double the result."


@pytest.fixture
async def tight(bare_mesh, tls, tmp_path):
    """A coordinator with a journal, and one node with six models and room for two."""
    await bare_mesh.start(heartbeat_seconds=0.2, journal=tmp_path / "journal" / "plans.jsonl")
    models = [{"name": name, "load": "on_demand"} for name in SIX]
    settings = settings_of(bare_mesh, tls, tmp_path, "n1", models) | {"memory": ROOM_FOR_TWO}
    async with program(settings, tmp_path / "n1.yaml"):
        async with asyncio.timeout(30):
            while sum(map(bool, (await known(bare_mesh)).values())) < len(SIX):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield bare_mesh


async def known(mesh) -> dict[str, int]:
    response = await mesh.client.ListNodes(coordinator_pb2.ListNodesRequest())
    return {
        model.name: model.memory_bytes for node in response.nodes for model in node.status.models
    }


async def status(mesh) -> common_pb2.NodeStatus:
    """Ask the node itself: its own ledger and its own measurements."""
    listed = await mesh.client.ListNodes(coordinator_pb2.ListNodesRequest())
    peers = await mesh.peers_of(Role.ADMIN, "boss")
    stub = node_pb2_grpc.NodeServiceStub(peers.channel(listed.nodes[0].address, (Role.NODE, "n1")))
    return (await stub.GetStatus(node_pb2.GetStatusRequest())).status


async def loaded(mesh) -> set[str]:
    now = await status(mesh)
    return {one.name for one in now.models if one.state == common_pb2.MODEL_STATE_READY}


def steps(events) -> list[coordinator_pb2.PlanStep]:
    return [event.plan_step for event in events if event.WhichOneof("event") == "plan_step"]


def moves(events, kind: int, *, done: bool = True) -> list[str]:
    return [
        event.residency.model
        for event in events
        if event.WhichOneof("event") == "residency"
        and event.residency.kind == kind
        and event.residency.done == done
    ]


LOAD = coordinator_pb2.Residency.KIND_LOAD
UNLOAD = coordinator_pb2.Residency.KIND_UNLOAD


async def test_each_part_goes_to_its_specialist_and_memory_is_kept(tight) -> None:
    events = await tight.stream(TWO_PARTS, routing="mip", lambda_switch=0.0, lambda_token=0.0)
    assert events[0].planned.assignments == []  # voters are chosen layer by layer
    step = steps(events)[0]
    assert {one.subtask_id: one.model for one in step.assignments} == {
        "t1": "abacus",
        "t2": "atlas",
    }
    assert (step.routing.status, step.routing.gap, list(step.routing.violations)) == (
        "optimal", pytest.approx(0.0, abs=1e-6), [],
    )  # fmt: skip
    assert sorted(moves(events, LOAD)) == ["abacus", "atlas"]
    (pool,) = step.routing.memory
    assert pool.pool == "n1"
    assert 0 < pool.used_bytes <= pool.budget_bytes == ROOM_FOR_TWO
    final = events[-1].final
    assert [part.answer for part in final.parts] == ["42", "Paris"]
    assert [[one.model for one in part.ballots] for part in final.parts] == [["abacus"], ["atlas"]]
    assert list(final.plan_steps) == steps(events)
    assert await loaded(tight) == {"abacus", "atlas"}


async def test_loaded_models_carry_over_and_are_preferred_by_the_price_of_loading(tight) -> None:
    await tight.ask("What is 12 + 30?", routing="mip", lambda_switch=0.0)
    assert await loaded(tight) == {"abacus"}
    dear = await tight.stream("What is the capital of France?", routing="mip", lambda_switch=100.0)
    assert moves(dear, LOAD) == []
    assert [one.model for one in dear[-1].final.parts[0].ballots] == ["abacus"]
    cheap = await tight.stream("What is the capital of France?", routing="mip", lambda_switch=0.0)
    assert moves(cheap, LOAD) == ["atlas"]
    assert moves(cheap, UNLOAD) == []  # there was room for both


async def test_what_is_worth_least_gives_way_and_the_ledger_agrees(tight) -> None:
    await tight.ask(TWO_PARTS, routing="mip", lambda_switch=0.0, lambda_token=0.0)
    question = "Write a Python function named double that doubles a number."
    events = await tight.stream(question, routing="mip", lambda_switch=0.0)
    assert moves(events, LOAD) == ["forge"]
    gone = moves(events, UNLOAD)
    assert len(gone) == 1
    assert await loaded(tight) == {"abacus", "atlas", "forge"} - set(gone)
    now = await status(tight)
    held = [one for one in now.models if one.resident_bytes]
    assert sum(max(one.memory_bytes, one.resident_bytes) for one in held) <= ROOM_FOR_TWO
    assert sum(one.resident_bytes for one in held) <= ROOM_FOR_TWO


async def test_more_voters_than_fit_are_as_many_as_fit(tight) -> None:
    events = await tight.stream("What is 12 + 30?", max_models=4, lambda_switch=0.0)
    step = steps(events)[0]
    assert len(step.assignments) == 2
    assert "4" in step.routing.note
    assert "2" in step.routing.note
    assert step.routing.mode == "mip"
    assert not step.routing.violations
    assert events[-1].final.answer == "42"


@pytest.mark.parametrize("mode", ["lp_relaxed", "greedy", "round_robin", "random", "model"])
async def test_every_mode_gives_a_plan_that_holds_and_an_answer(tight, mode: str) -> None:
    events = await tight.stream(TWO_PARTS, routing=mode)
    for step in steps(events):
        assert step.routing.mode == mode
        assert not step.routing.violations
        assert all(pool.used_bytes <= pool.budget_bytes for pool in step.routing.memory)
    assert {part.subtask.id for part in events[-1].final.parts} == {"t1", "t2"}


async def test_a_horizon_loads_the_next_layers_model_while_the_present_one_is_asked(tight) -> None:
    free = {"lambda_switch": 0.0, "lambda_token": 0.0, "routing": "mip"}
    events = await tight.stream(TWO_KINDS, horizon=1, **free)
    first, second = steps(events)
    assert (list(first.subtask_ids), list(first.ahead_ids)) == (["t1"], ["t2"])
    assert (list(second.subtask_ids), list(second.ahead_ids)) == (["t2"], [])
    assert [one.model for one in first.routing.residency if one.ahead] == ["atlas"]
    assert [one.model for one in second.assignments] == ["atlas"]


async def test_questions_at_the_same_time_do_not_evict_each_others_models(tight) -> None:
    free = {"lambda_switch": 0.0, "lambda_token": 0.0, "routing": "mip"}
    questions = ("What is 12 + 30?", "What is the capital of France?", "Is 7 a prime number?") * 3
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        asked = [group.create_task(tight.stream(text, **free)) for text in questions]
    failed = Counter[str]()
    for events in (task.result() for task in asked):
        final = events[-1].final
        assert final.quorum.answered == final.quorum.asked == 1
        failed.update(
            event.residency.problem
            for event in events
            if event.WhichOneof("event") == "residency" and event.residency.problem
        )
    assert failed == Counter()


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"memory_bytes": {"n1": 1 * MIB}}, errors.NoPlan, "n1 as asked"),
        ({"memory_bytes": {"n2": 1}}, errors.UnknownNode, "limits 'n2'.*n1"),
        ({"models": ["atlass"]}, errors.UnknownModel, "atlas"),
        ({"planner": "nobody"}, errors.UnknownModel, "planner"),
        ({"budget": {"seconds": 1e-9}}, errors.DeadlineExceeded, "no time"),
    ],
)
async def test_a_plan_that_cannot_be_says_why(tight, script, options, error, said: str) -> None:
    routing = "model" if "planner" in options else "mip"
    question = script.asked("What is 12 + 30?", routing=routing, **options)
    with pytest.raises(error, match=said):
        await tight.client.Plan(coordinator_pb2.PlanRequest(question=question))


async def test_planning_loads_nothing_and_foresees_all_layers(tight, script) -> None:
    question = script.asked(CHAIN, routing="mip")
    plan = (await tight.client.Plan(coordinator_pb2.PlanRequest(question=question))).plan
    assert await loaded(tight) == set()
    assert [part.id for part in plan.subtasks] == ["t1", "t2"]
    assert [one.subtask_id for one in plan.assignments] == ["t1", "t2"]
    assert plan.decomposed_by == "rules"
    assert len(plan.routing.estimates) == 12
    assert [one.model for one in plan.routing.residency] == ["abacus"]
    estimate = next(one for one in plan.routing.estimates if one.model == "abacus")
    assert estimate.utility == pytest.approx(estimate.reliability - 0.5 * estimate.token_cost)


async def test_the_journal_tells_the_whole_story(tight, tmp_path: Path) -> None:
    result = await tight.ask(CHAIN, routing="mip")
    lines = [json.loads(line) for line in await _journal(tmp_path, "job_dag_summary")]
    assert {line["job_id"] for line in lines} == {result.question_id}
    assert Counter(line["event"] for line in lines) == {
        "job": 1, "dag_structure": 1, "subtask": 2, "model_task_estimates": 2, "subtask_plan": 2,
        "plan_step": 2, "job_dag_summary": 1,
    }  # fmt: skip
    dag = next(line for line in lines if line["event"] == "dag_structure")
    assert dag["edges"] == [["t1", "t2"]]
    steps_told = [line for line in lines if line["event"] == "plan_step"]
    assert [line["solver_name"] != "" and line["vram_violations"] for line in steps_told] == [0, 0]
    assert lines[-1]["models_swapped_in"] == 1
    assert lines[-1]["subtasks_answered"] == 2


async def _journal(folder: Path, last: str) -> list[str]:
    path = folder / "journal" / "plans.jsonl"
    async with asyncio.timeout(5):
        while True:
            lines = path.read_text().splitlines() if path.exists() else []
            if lines and last in lines[-1]:
                return lines
            await asyncio.sleep(0.02)


async def test_the_frontier_trades_reliability_for_tokens_and_seconds(tight, script) -> None:
    question = script.asked(TWO_PARTS, routing="mip", max_models=2)
    request = coordinator_pb2.PlanRequest(question=question, pareto=True)
    response = await tight.client.Plan(request)
    points = list(response.frontier)
    assert len(points) >= 2
    assert [point.chosen for point in points].count(True) == 1
    assert points == sorted(points, key=lambda point: -point.reliability)
    undominated = [point for point in points if not point.chosen]
    for one in undominated:
        assert not any(
            other.reliability >= one.reliability
            and other.tokens <= one.tokens
            and other.seconds <= one.seconds
            and other != one
            for other in undominated
        )
    assert all(point.memory_bytes <= ROOM_FOR_TWO for point in points)
    assert await loaded(tight) == set()


async def test_a_budget_of_tokens_pays_for_fewer_voters(tight, script) -> None:
    question = script.asked("What is 12 + 30?", max_models=2, budget={"tokens": 100})
    plan = (await tight.client.Plan(coordinator_pb2.PlanRequest(question=question))).plan
    assert len(plan.assignments) == 1
    assert "100 tokens pays for 1" in plan.routing.note


async def test_who_everybody_is_comes_with_its_estimates(tight, script) -> None:
    await tight.ask("What is 12 + 30?", routing="mip")
    question = script.asked("What is 12 + 30?", models=["abacus"])
    plan = (await tight.client.Plan(coordinator_pb2.PlanRequest(question=question))).plan
    assert [one.model for one in plan.assignments] == ["abacus"]
    assert plan.routing.solver_name == "none"
    assert plan.routing.estimates[0].reliability == pytest.approx(0.935)


async def test_seconds_that_no_plan_is_expected_to_keep_are_told_and_tried(tight, script) -> None:
    question = script.asked("What is 12 + 30?", routing="mip", budget={"seconds": 0.6})
    plan = (await tight.client.Plan(coordinator_pb2.PlanRequest(question=question))).plan
    assert "as well as can be: No plan keeps the deadline" in plan.routing.note
    assert [one.model for one in plan.assignments] == ["abacus"]


async def test_models_that_may_not_be_asked_make_room(tight) -> None:
    free = {"lambda_switch": 0.0, "lambda_token": 0.0, "routing": "mip"}
    await tight.ask(TWO_PARTS, **free)
    assert await loaded(tight) == {"abacus", "atlas"}
    events = await tight.stream("What is 12 + 30?", models=["forge"], **free)
    assert moves(events, LOAD) == ["forge"]
    assert len(moves(events, UNLOAD)) == 1
    assert [one.model for one in events[-1].final.parts[0].ballots] == ["forge"]


async def test_questions_wait_for_memory_that_others_work_with(tight) -> None:
    """Six questions for six models, and room for two: each waits for its turn."""
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        asked = [
            group.create_task(tight.ask("What is 12 + 30?", models=[name], routing="mip"))
            for name in SIX
        ]
    models = [task.result().parts[0].ballots[0].model for task in asked]
    assert models == list(SIX)
    now = await status(tight)
    assert sum(max(one.memory_bytes, one.resident_bytes) for one in now.models
               if one.resident_bytes) <= ROOM_FOR_TWO  # fmt: skip


async def test_a_budget_of_tokens_is_shared_among_those_that_work(tight) -> None:
    events = await tight.stream("What is 12 + 30?", max_models=4, budget={"tokens": 120})
    (step,) = steps(events)
    assert len(step.assignments) == 1
    ballot = events[-1].final.parts[0].ballots[0]
    assert ballot.usage.completion_tokens > 120 // 4
    assert events[-1].final.answer == "42"


async def test_what_fits_nowhere_is_refused_at_once_though_others_work(tight, script) -> None:
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        busy = [
            group.create_task(tight.ask("What is 12 + 30?", models=[name], routing="mip"))
            for name in SIX
        ]
        for _ in range(10):  # while they load, work, and wait for each other
            with pytest.raises(errors.NoPlan):
                await tight.ask("What is 12 + 30?", routing="mip", memory_bytes={"n1": MIB})
    assert all(task.result().quorum.answered == 1 for task in busy)
