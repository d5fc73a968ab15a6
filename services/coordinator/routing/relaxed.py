"""The relaxation: fractions of models in memory, rounded so that they fit.

`predecessor_argmax` rounds it as a router before this one did: each task goes to its largest
fraction, whatever then has to be in memory. It breaks budgets, and is here to be compared with.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from services.coordinator.routing import filling
from services.coordinator.routing.baselines import members_in
from services.coordinator.routing.checker import check
from services.coordinator.routing.greedy import none_found, thumb
from services.coordinator.routing.modelling import SolverFailed, model_of, run_highs, run_scs
from services.coordinator.routing.packing import rows_of
from services.coordinator.routing.problem import Assignment

if TYPE_CHECKING:
    from services.coordinator.routing.modelling import Answer
    from services.coordinator.routing.problem import Problem, Solution


def lp_relaxed(problem: Problem, limit_seconds: float, seed: int) -> Solution:
    """Solve the relaxation by HiGHS, by SCS where that fails, and round it so that it fits.

    The bound is the relaxation's value. Raises NoPlan when nothing is feasible or found.
    """
    started = time.perf_counter()
    try:
        answer = run_highs(model_of(problem, rows_of(problem), relaxed=True), limit_seconds, seed)
    except SolverFailed as error:
        return scs_relaxed(problem, limit_seconds, seed)._replace(note=str(error))
    return _rounded("lp_relaxed", problem, answer, started)


def scs_relaxed(problem: Problem, limit_seconds: float, seed: int) -> Solution:
    """Solve the relaxation by SCS and round it so that it fits; nothing is proved.

    Raises NoPlan when no plan is found, SolverFailed when SCS gives none.
    """
    del seed  # SCS draws nothing
    started = time.perf_counter()
    answer = run_scs(model_of(problem, rows_of(problem), relaxed=True), limit_seconds)
    return _rounded("scs_relaxed", problem, answer, started)


def _rounded(name: str, problem: Problem, answer: Answer, started: float) -> Solution:
    """Load what the relaxation wants most, as long as it fits; tasks take the best of that."""
    order = np.argsort(-np.round(answer.loaded, 6), kind="stable").tolist()
    assignment = filling.plan(problem, members_in(problem, order))
    if assignment is None or not check(problem, assignment).feasible:
        raise none_found(name)
    found = thumb(name, problem, assignment, started)
    bound = max(answer.bound, found.objective)
    gap = (bound - found.objective) / max(1.0, abs(found.objective))
    return found._replace(bound=bound, gap=gap)


def predecessor_argmax(problem: Problem, limit_seconds: float = 10.0) -> Assignment:
    """Solve the relaxation and give each task to its largest fractions, whatever that takes.

    For comparison only: the plan may break every budget. Raises as `run_highs` does.
    """
    answer = run_highs(model_of(problem, rows_of(problem), relaxed=True), limit_seconds)
    order = np.argsort(-answer.works, axis=0, kind="stable")
    workers = tuple(
        tuple(sorted(order[: task.voters, number].tolist()))
        for number, task in enumerate(problem.tasks)
    )
    return Assignment(workers, frozenset(worker for task in workers for worker in task))
