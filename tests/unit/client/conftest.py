"""A plan as a coordinator would send it, with every field of the contract set."""

from __future__ import annotations

import pytest

from quorate.v1 import common_pb2
from quorate.v1 import coordinator_pb2 as wire

ASSIGNMENTS = [
    wire.Assignment(subtask_id="t1", node="n1", model="abacus", reliability=0.9),
    wire.Assignment(subtask_id="t2", node="n2", model="scribe", reliability=0.7, load_first=True),
]
LOAD = wire.Residency(
    kind=wire.Residency.KIND_LOAD,
    node="n2",
    model="scribe",
    memory_bytes=2**30,
    seconds=1.25,
    done=True,
    problem="no file",
    ahead=True,
)
ROUTING = wire.Routing(
    mode="mip",
    solver_name="HIGHS",
    status="optimal",
    objective=1.5,
    bound=1.625,
    gap=0.125,
    solve_seconds=0.004,
    lambda_token=0.5,
    lambda_switch=0.2,
    memory=[wire.MemoryUse(pool="n1", budget_bytes=8 * 2**30, used_bytes=3 * 2**30)],
    residency=[LOAD, wire.Residency(kind=wire.Residency.KIND_UNLOAD, node="n2", model="forge")],
    estimates=[
        wire.Estimate(
            subtask_id="t1",
            node="n1",
            model="abacus",
            reliability=0.9,
            items=12.5,
            token_cost=0.75,
            switch_cost=0.25,
            utility=0.525,
            seconds=0.375,
        )
    ],
    violations=["t1 has no voter"],
    note="fewer models fit than were asked for",
)
PLAN = wire.PlanMade(
    question_id="q1",
    subtasks=[
        wire.Subtask(id="t1", text="2+2?", kind=common_pb2.ANSWER_KIND_NUMBER),
        wire.Subtask(
            id="t2",
            text="Is it even?",
            depends_on=["t1"],
            task_type="math",
            estimated_tokens=64,
            difficulty="easy",
        ),
    ],
    assignments=ASSIGNMENTS,
    reason="two sentences",
    routing=ROUTING,
    decomposed_by="rules",
)
STEP = wire.PlanStep(
    layer=1,
    subtask_ids=["t2"],
    ahead_ids=["t3"],
    assignments=ASSIGNMENTS,
    routing=ROUTING,
    again="forge crashed",
)
POINT = wire.ParetoPoint(
    reliability=0.875,
    tokens=96,
    seconds=1.5,
    loads=1,
    memory_bytes=2**31,
    voters=3,
    lambda_token=0.5,
    lambda_switch=0.2,
    assignments=ASSIGNMENTS,
    chosen=True,
)


@pytest.fixture
def response() -> wire.PlanResponse:
    return wire.PlanResponse(plan=PLAN, frontier=[POINT, wire.ParetoPoint(reliability=0.5)])


@pytest.fixture
def step() -> wire.PlanStep:
    return STEP


@pytest.fixture
def load() -> wire.Residency:
    return LOAD
