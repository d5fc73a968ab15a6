"""Plans, out of protobuf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.client import plans
from quorate.client.enums import enum_text, kind_text
from quorate.v1 import coordinator_pb2 as wire

if TYPE_CHECKING:
    from collections.abc import Iterable


def subtask(given: wire.Subtask) -> plans.Subtask:
    """Read a part of a question."""
    return plans.Subtask(
        id=given.id,
        text=given.text,
        depends_on=tuple(given.depends_on),
        task_type=given.task_type,
        kind=kind_text(given.kind),
        estimated_tokens=given.estimated_tokens,
        difficulty=given.difficulty,
    )


def plan(given: wire.PlanMade, frontier: Iterable[wire.ParetoPoint] = ()) -> plans.Plan:
    """Read a plan, with the plans that no other beats."""
    return plans.Plan(
        question_id=given.question_id,
        subtasks=tuple(subtask(one) for one in given.subtasks),
        assignments=_assignments(given.assignments),
        reason=given.reason,
        routing=routing(given.routing) if given.HasField("routing") else None,
        decomposed_by=given.decomposed_by,
        frontier=tuple(_point(one) for one in frontier),
    )


def step(given: wire.PlanStep) -> plans.PlanStep:
    """Read the plan of a layer."""
    return plans.PlanStep(
        layer=given.layer,
        subtask_ids=tuple(given.subtask_ids),
        ahead_ids=tuple(given.ahead_ids),
        assignments=_assignments(given.assignments),
        routing=routing(given.routing) if given.HasField("routing") else None,
        again=given.again,
    )


def routing(given: wire.Routing) -> plans.Routing:
    """Read how a plan was found."""
    return plans.Routing(
        mode=given.mode,
        solver_name=given.solver_name,
        status=given.status,
        objective=given.objective,
        bound=given.bound if given.HasField("bound") else None,
        gap=given.gap if given.HasField("gap") else None,
        solve_seconds=given.solve_seconds,
        lambda_token=given.lambda_token,
        lambda_switch=given.lambda_switch,
        memory=tuple(
            plans.MemoryUse(use.pool, use.budget_bytes, use.used_bytes) for use in given.memory
        ),
        residency=tuple(residency(one) for one in given.residency),
        estimates=tuple(_estimate(one) for one in given.estimates),
        violations=tuple(given.violations),
        note=given.note,
    )


def residency(given: wire.Residency) -> plans.Residency:
    """Read that a model is loaded or unloaded."""
    return plans.Residency(
        kind=plans.Move(enum_text(wire.Residency.Kind.DESCRIPTOR, given.kind)),
        node=given.node,
        model=given.model,
        memory_bytes=given.memory_bytes,
        seconds=given.seconds,
        done=given.done,
        problem=given.problem,
        ahead=given.ahead,
    )


def _assignments(given: Iterable[wire.Assignment]) -> tuple[plans.Assignment, ...]:
    return tuple(
        plans.Assignment(one.subtask_id, one.node, one.model, one.reliability, one.load_first)
        for one in given
    )


def _estimate(given: wire.Estimate) -> plans.Estimate:
    return plans.Estimate(
        subtask_id=given.subtask_id,
        node=given.node,
        model=given.model,
        reliability=given.reliability,
        items=given.items,
        token_cost=given.token_cost,
        switch_cost=given.switch_cost,
        utility=given.utility,
        seconds=given.seconds,
    )


def _point(given: wire.ParetoPoint) -> plans.ParetoPoint:
    return plans.ParetoPoint(
        reliability=given.reliability,
        tokens=given.tokens,
        seconds=given.seconds,
        loads=given.loads,
        memory_bytes=given.memory_bytes,
        voters=given.voters,
        lambda_token=given.lambda_token,
        lambda_switch=given.lambda_switch,
        assignments=_assignments(given.assignments),
        chosen=given.chosen,
    )
