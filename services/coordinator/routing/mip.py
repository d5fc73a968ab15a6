"""The exact solver: the problem's structure first, CVXPY and HiGHS on what that leaves open.

`exact` is CVXPY and HiGHS from scratch, without shortcuts: what the rest is compared with.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from quorate.errors import NoPlan
from services.coordinator.routing import filling
from services.coordinator.routing.modelling import Answer, SolverFailed, model_of, run_highs
from services.coordinator.routing.packing import Row, copy_rows, limits_copies, rows_of
from services.coordinator.routing.problem import Solution, objective_of
from services.coordinator.routing.structure import by_structure
from services.coordinator.routing.structure_exchange import neatened

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Assignment, Problem
    from services.coordinator.routing.structure import Partial

CLOSED: Final = 1e-9
"""A relative gap at most this wide is none: it is rounding."""
TOLERANCE: Final = 1e-6
"""What HiGHS, when it has come to its end, may be off."""
STRUCTURE_SHARE, SMALLER_SHARE = 0.7, 0.2
"""Of the time; HiGHS gets the rest. It seldom proves what the structure could not, except with a
deadline, and where copies of models on several machines are alike."""
LEAST_HELP_SECONDS: Final = 0.5
"""CVXPY needs about that to state a large problem at all."""
LEAST_SECONDS: Final = 0.01


def exact(
    problem: Problem, limit_seconds: float, seed: int, hopeful: Sequence[int] | None = None
) -> Solution:
    """Solve by CVXPY and HiGHS, with no other options than those that are `hopeful`, if given.

    Raises NoPlan when it is proved that no plan is feasible, SolverFailed when HiGHS gives none.
    """
    started = time.perf_counter()
    rows, cuts = rows_of(problem), list[Row]()
    if hopeful is not None:
        cuts += _without(len(problem.options), set(hopeful))
    while True:
        left = max(LEAST_SECONDS, limit_seconds - (time.perf_counter() - started))
        answer = run_highs(model_of(problem, (*rows, *cuts)), left, seed)
        members = np.flatnonzero(answer.loaded > 0.5).tolist()
        over = _overfull(rows, members)
        if not over:
            return _solution(problem, answer, members, started)
        # HiGHS holds a row to a millionth, which may be thousands of bytes.
        cuts += over


def _without(options: int, hopeful: Collection[int]) -> list[Row]:
    """Give a row that leaves no room for other options than these."""
    weights = tuple(int(i not in hopeful) for i in range(options))
    return [Row(weights, 0)] if any(weights) else []


def _overfull(rows: Sequence[Row], members: Sequence[int]) -> list[Row]:
    """Give a row for each limit that is broken, which says that not all of these fit together."""
    made = []
    for row in rows:
        heavy = {i for i in members if row.weights[i]}
        if sum(row.weights[i] for i in heavy) > row.budget:
            together = tuple(int(i in heavy) for i in range(len(row.weights)))
            made.append(Row(together, len(heavy) - 1))
    return made


def _solution(problem: Problem, answer: Answer, members: Sequence[int], started: float) -> Solution:
    if problem.deadline_seconds is None:
        if not limits_copies(problem) or copy_rows(problem) is not None:
            members = neatened(problem, members)
        workers = filling.best_workers(problem, members)
    else:
        workers = tuple(tuple(np.flatnonzero(task > 0.5).tolist()) for task in answer.works.T)
    if workers is None:
        raise SolverFailed("HiGHS loads fewer options than a task wants")
    assignment = filling.settled(problem, workers)
    return judged("highs", problem, assignment, answer.bound, answer.finished, started)


def judged(
    name: str,
    problem: Problem,
    assignment: Assignment,
    bound: float,
    finished: bool,
    started: float,
) -> Solution:
    """Give an exact solver's plan with its gap; it is optimal when the search came to its end."""
    objective = objective_of(problem, assignment)
    gap = max(0.0, bound - objective) / max(1.0, abs(objective))
    seconds = time.perf_counter() - started
    if gap <= (TOLERANCE if finished else CLOSED):
        return Solution(assignment, objective, objective, 0.0, name, "optimal", seconds)
    return Solution(assignment, objective, bound, gap, name, "time_limit", seconds)


def mip(problem: Problem, limit_seconds: float, seed: int) -> Solution:
    """Solve exactly: by structure alone where that closes the gap, with HiGHS's help where not.

    Raises NoPlan when it is proved that no plan is feasible, SolverFailed when none was found.
    """
    started = time.perf_counter()
    harder = problem.deadline_seconds is not None or limits_copies(problem)
    share = SMALLER_SHARE if harder else STRUCTURE_SHARE
    found = by_structure(problem, started + share * limit_seconds)
    left = limit_seconds - (time.perf_counter() - started)
    if found.assignment is None or not (found.closed or left < LEAST_HELP_SECONDS):
        return _helped(problem, found, max(left, LEAST_SECONDS), seed, started)
    return judged("structure", problem, found.assignment, found.bound, found.closed, started)


def _helped(
    problem: Problem, found: Partial, limit_seconds: float, seed: int, started: float
) -> Solution:
    """Let HiGHS look for something better among the options that are still hopeful."""
    try:
        rest = exact(problem, limit_seconds, seed, found.hopeful)
    except NoPlan:
        if found.assignment is None:
            raise
        # Nothing is left that could be better. With a deadline it only means that HiGHS rounds.
        proved = problem.deadline_seconds is None
        bound = found.objective if proved else found.bound
        return judged("structure+highs", problem, found.assignment, bound, proved, started)
    except SolverFailed:
        if found.assignment is None:
            raise
        return judged("structure", problem, found.assignment, found.bound, False, started)
    bound = min(found.bound, max(rest.bound, found.objective))
    finished = rest.status == "optimal"
    if found.assignment is not None and found.objective >= rest.objective:
        name, best = "structure+highs", found.assignment
        return judged(name, problem, best, bound, finished, started)
    return judged("highs", problem, rest.assignment, bound, finished, started)
