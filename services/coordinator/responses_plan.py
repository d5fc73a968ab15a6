"""Plans on the wire: who works on what, what is loaded for it, and what was proved."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from quorate.v1 import coordinator_pb2
from services.coordinator.routing.checker import check

if TYPE_CHECKING:
    from services.coordinator.events import Moved
    from services.coordinator.outcome import Plan
    from services.coordinator.question import Member
    from services.coordinator.routing.frontier import Point
    from services.coordinator.routing.moves import Move
    from services.coordinator.routing.routed import PlanStep, Routed


def assignments_of(plan: Plan) -> list[coordinator_pb2.Assignment]:
    """Write who works on what: as the steps say, or every member on every part."""
    assigned = {
        part_id: members
        for step in reversed(plan.steps)
        for part_id, members in step.routed.assigned.items()
        if part_id in step.ready
    }
    reliability = {
        key: value for step in plan.steps for key, value in _reliabilities(step.routed).items()
    }
    return [
        _assignment(part.id, member, reliability)
        for part in plan.subtasks
        for member in assigned.get(part.id, plan.members if plan.everybody else ())
    ]


def _reliabilities(routed: Routed) -> Mapping[tuple[str, str, str], float]:
    problem = routed.estimates.problem
    return {
        (task.id, option.node, option.model): float(problem.reliability[i, m])
        for i, option in enumerate(problem.options)
        for m, task in enumerate(problem.tasks)
    }


def _assignment(
    part_id: str, member: Member, reliability: Mapping[tuple[str, str, str], float]
) -> coordinator_pb2.Assignment:
    key = part_id, member.node, member.model
    return coordinator_pb2.Assignment(
        subtask_id=part_id,
        node=member.node,
        model=member.model,
        reliability=reliability.get(key, member.reliability),
        load_first=not member.resident,
    )


def step_of(step: PlanStep) -> coordinator_pb2.PlanStep:
    """Write the plan of a layer."""
    reliability = _reliabilities(step.routed)
    return coordinator_pb2.PlanStep(
        layer=step.layer,
        subtask_ids=step.ready,
        ahead_ids=step.ahead,
        assignments=[
            _assignment(part_id, member, reliability)
            for part_id in (*step.ready, *step.ahead)
            for member in step.routed.assigned.get(part_id, ())
        ],
        routing=routing_of([step]),
        again=step.again,
    )


def routing_of(steps: Sequence[PlanStep]) -> coordinator_pb2.Routing | None:
    """Write how plans were found, of one layer or of all that can be foreseen; None without any.

    Objectives, bounds and times are summed over layers; memory is each pool's highest use. Layers
    that looked ahead overlap: then each gives what its own parts are worth, and there is no bound.
    """
    if not steps:
        return None
    found = [step.routed.solution for step in steps]
    problem = steps[0].routed.estimates.problem
    overlap = len(steps) > 1 and any(step.ahead for step in steps)
    written = coordinator_pb2.Routing(
        mode=steps[0].routed.mode,
        solver_name=_joined(one.solver for one in found),
        status=_worst([one.status for one in found]),
        objective=math.fsum(
            _worth(step) if overlap else step.routed.solution.objective for step in steps
        ),
        solve_seconds=math.fsum(one.seconds for one in found),
        lambda_token=problem.lambda_token,
        lambda_switch=problem.lambda_switch,
        memory=_memory(steps),
        residency=[_residency(move) for step in steps for move in step.routed.moves],
        estimates=_estimates(steps),
        violations=[told for step in steps for told in step.routed.violations],
        note=_joined((one.note for one in found), "; "),
    )
    bound = math.fsum(one.bound for one in found)
    if math.isfinite(bound):
        written.gap = max(one.gap for one in found)
        if not overlap:
            written.bound = bound
            written.gap = max(0.0, bound - written.objective) / max(1.0, abs(written.objective))
    return written


def _worth(step: PlanStep) -> float:
    """Give what the parts of a layer add to the objective, without those it looked ahead at."""
    problem, workers = step.routed.estimates.problem, step.routed.solution.assignment.workers
    present = workers[: len(step.ready)]
    loaded = {i for several in present for i in several}
    gained = math.fsum(float(problem.utility[i, m]) for m, row in enumerate(present) for i in row)
    return gained - math.fsum(float(problem.opening[i]) for i in loaded)


def point_of(point: Point) -> coordinator_pb2.ParetoPoint:
    """Write one plan of the frontier."""
    problem, assignment = point.problem, point.solution.assignment
    working = {i for workers in assignment.workers for i in workers}
    used = check(problem, assignment).used_bytes
    return coordinator_pb2.ParetoPoint(
        reliability=point.reliability,
        tokens=point.tokens,
        seconds=point.seconds,
        loads=sum(not problem.options[i].resident for i in working),
        memory_bytes=max(used.values(), default=0),
        voters=max(map(len, assignment.workers)),
        lambda_token=point.settings.lambda_token,
        lambda_switch=point.settings.lambda_switch,
        assignments=[
            coordinator_pb2.Assignment(
                subtask_id=task.id,
                node=problem.options[i].node,
                model=problem.options[i].model,
                reliability=problem.reliability[i, m],
                load_first=not problem.options[i].resident,
            )
            for m, (task, workers) in enumerate(zip(problem.tasks, assignment.workers, strict=True))
            for i in workers
        ],
        chosen=point.chosen,
    )


def moved_of(event: Moved) -> coordinator_pb2.Residency:
    """Write a load or unload that begins or has ended."""
    written = _residency(event.move)
    written.done = event.done
    written.problem = event.problem
    if event.done:
        written.seconds = event.seconds
    return written


def _residency(move: Move) -> coordinator_pb2.Residency:
    kinds = coordinator_pb2.Residency
    return coordinator_pb2.Residency(
        kind=kinds.KIND_LOAD if move.load else kinds.KIND_UNLOAD,
        node=move.place.node,
        model=move.place.model,
        memory_bytes=move.memory_bytes,
        seconds=move.seconds,
        ahead=move.ahead,
    )


def _memory(steps: Sequence[PlanStep]) -> list[coordinator_pb2.MemoryUse]:
    highest: dict[str, tuple[int, int]] = {}
    for step in steps:
        for use in step.routed.uses:
            before = highest.get(use.pool, (use.budget_bytes, 0))
            highest[use.pool] = max(before, (use.budget_bytes, use.used_bytes), key=_used)
    return [
        coordinator_pb2.MemoryUse(pool=pool, budget_bytes=budget, used_bytes=used)
        for pool, (budget, used) in highest.items()
    ]


def _used(pair: tuple[int, int]) -> int:
    return pair[1]


def _estimates(steps: Sequence[PlanStep]) -> Iterable[coordinator_pb2.Estimate]:
    """Write what every model would be worth for every part, at the plan of the part's own layer."""
    for step in steps:
        problem, items = step.routed.estimates.problem, step.routed.estimates.items
        for m, task in enumerate(problem.tasks):
            if task.id not in step.ready:
                continue
            for i, option in enumerate(problem.options):
                yield coordinator_pb2.Estimate(
                    subtask_id=task.id,
                    node=option.node,
                    model=option.model,
                    reliability=problem.reliability[i, m],
                    items=items[i, m],
                    token_cost=problem.token_cost[i, m],
                    switch_cost=0.0 if option.resident else option.switch_cost,
                    utility=problem.utility[i, m],
                    seconds=problem.seconds[i, m],
                )


def _worst(statuses: Sequence[str]) -> str:
    order = ("feasible", "time_limit", "optimal")
    return min(statuses, key=lambda one: order.index(one) if one in order else 0)


def _joined(told: Iterable[str], between: str = ", ") -> str:
    return between.join(dict.fromkeys(filter(None, told)))
