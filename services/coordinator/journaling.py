"""What the journal says of a question: its parts, each layer's plan and estimates, how it ended.

Reasons, notes and messages of errors may quote a question or a reply: they are texts too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from services.coordinator.decompose.dag import layers
from services.coordinator.question import Status

if TYPE_CHECKING:
    from services.coordinator.journal import Journal
    from services.coordinator.outcome import Plan, Result
    from services.coordinator.question import Question
    from services.coordinator.routing.routed import PlanStep, Routed

PLANNED_AGAIN: Final = "planned again"
"""Stands for the reason where that may not be kept."""


def planned(journal: Journal, question: Question, made: Plan) -> None:
    """Write a question, the shape of its parts, and each of them."""
    if not journal.kept:
        return
    job_id = made.question_id
    journal.write(
        "job",
        job_id,
        query=journal.text(question.text),
        strategy=question.strategy,
        routing_mode=question.routing or "everybody",
        lambda_token=question.lambda_token,
        lambda_switch=question.lambda_switch,
        horizon_depth=question.horizon,
        memory_bytes=dict(question.memory_bytes),
        electorate=made.voters,
        num_subtasks=len(made.subtasks),
        decomposed_by=made.decomposed_by,
        reason=journal.text(made.reason),
    )
    layered = layers(made.subtasks)
    journal.write(
        "dag_structure",
        job_id,
        nodes=[part.id for part in made.subtasks],
        edges=[[parent, part.id] for part in made.subtasks for parent in part.depends_on],
        layers=[[part.id for part in layer] for layer in layered],
        depth=len(layered),
        width=max(map(len, layered)),
    )
    for part in made.subtasks:
        kind = made.kinds[part.id]
        journal.write(
            "subtask",
            job_id,
            subtask_id=part.id,
            description=journal.text(part.text),
            task_type=part.task_type,
            depends_on=part.depends_on,
            estimated_tokens=part.estimated_tokens,
            difficulty=part.difficulty,
            expected_answer=kind.value if kind else "",
        )


def stepped(journal: Journal, job_id: str, step: PlanStep) -> None:
    """Write the plan of a layer: what it rests on, who works on what, and what was proved."""
    if not journal.kept:
        return
    _write_estimates(journal, job_id, step)
    for part_id in step.ready:
        voters = step.routed.assigned[part_id]
        journal.write(
            "subtask_plan",
            job_id,
            layer=step.layer,
            subtask_id=part_id,
            models=[voter.model for voter in voters],
            nodes=[voter.node for voter in voters],
            resident=[voter.resident for voter in voters],
        )
    solution, moves = step.routed.solution, step.routed.moves
    journal.write(
        "plan_step",
        job_id,
        layer=step.layer,
        ready=step.ready,
        ahead=step.ahead,
        again=journal.text(step.again, PLANNED_AGAIN),
        routing_mode=step.routed.mode,
        solver_name=solution.solver,
        status=solution.status,
        objective=solution.objective,
        bound=_finite(solution.bound),
        gap=_finite(solution.gap),
        solve_time_ms=solution.seconds * 1e3,
        note=journal.text(solution.note),
        loads=[[move.place.node, move.place.model] for move in moves if move.load],
        unloads=[[move.place.node, move.place.model] for move in moves if not move.load],
        switch_cost=_switch_cost(step.routed),
        memory=[use._asdict() for use in step.routed.uses],
        vram_violations=len(step.routed.violations),
        violations=list(filter(None, map(journal.text, step.routed.violations))),
    )


def finished(journal: Journal, question: Question, result: Result) -> None:
    """Write how a question ended."""
    if not journal.kept:
        return
    ballots = [
        ballot for decision in result.decisions for ballot in (*decision.others, *decision.ballots)
    ]
    moves = [move for step in result.steps for move in step.routed.moves]
    journal.write(
        "job_dag_summary",
        result.question_id,
        subtasks_answered=sum(decision.error is None for decision in result.decisions),
        subtasks_failed=sum(decision.error is not None for decision in result.decisions),
        failures={
            decision.subtask.id: journal.text(str(decision.error), decision.error.kind)
            for decision in result.decisions
            if decision.error is not None
        },
        answer=journal.text(result.merged.text),
        ground_truth=journal.text(question.ground_truth),
        seconds=result.seconds.total,
        tokens=sum(ballot.tokens.prompt + ballot.tokens.completion for ballot in ballots),
        completion_tokens=sum(ballot.tokens.completion for ballot in ballots),
        ballots=len(ballots),
        ballots_valid=sum(ballot.status is Status.VALID for ballot in ballots),
        plan_steps=len(result.steps),
        replans=sum(bool(step.again) for step in result.steps),
        models_swapped_in=sum(move.load for move in moves),
        models_swapped_out=sum(not move.load for move in moves),
        switch_cost=math.fsum(_switch_cost(step.routed) for step in result.steps),
        active_models=sorted({ballot.seat.model for ballot in ballots}),
        objective=math.fsum(step.routed.solution.objective for step in result.steps),
        vram_violations=sum(len(step.routed.violations) for step in result.steps),
    )


def _write_estimates(journal: Journal, job_id: str, step: PlanStep) -> None:
    problem, items = step.routed.estimates.problem, step.routed.estimates.items
    journal.write(
        "model_task_estimates",
        job_id,
        layer=step.layer,
        subtasks=[task.id for task in problem.tasks],
        models=[f"{option.node}/{option.model}" for option in problem.options],
        resident=[option.resident for option in problem.options],
        memory_bytes=[option.memory_bytes for option in problem.options],
        load_seconds=[option.load_seconds for option in problem.options],
        switch_cost=[option.switch_cost for option in problem.options],
        reliability=_rounded(problem.reliability.tolist()),
        items=_rounded(items.tolist()),
        token_cost=_rounded(problem.token_cost.tolist()),
        utility=_rounded(problem.utility.tolist()),
        seconds=_rounded(problem.seconds.tolist()),
    )


def _switch_cost(routed: Routed) -> float:
    loaded = {move.place for move in routed.moves if move.load and not move.ahead}
    return math.fsum(
        option.switch_cost
        for option in routed.estimates.problem.options
        if (option.node, option.model) in loaded
    )


def _rounded(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[round(value, 6) for value in row] for row in rows]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
