"""The problem in CVXPY's terms, and what HiGHS and SCS make of it.

cvxpy takes a second and 95 MB to import, so that happens only when a model is made.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from quorate.errors import NoPlan
from services.coordinator.routing.checker import copies_allowed, load_seconds_of
from services.coordinator.routing.packing import limits_copies

if TYPE_CHECKING:
    from services.coordinator.routing.packing import Row
    from services.coordinator.routing.problem import Matrix, Problem

GAP: Final = 1e-10
"""HiGHS ends when bound and plan are this near, absolutely."""
_STATING: Final = threading.Lock()
"""CVXPY numbers all variables of the process by a counter that threads would set back; whoever
makes variables holds this. Solving needs no lock."""
FEASIBLE: Final = 2
"""HiGHS's number for having a plan at all."""


class SolverFailed(RuntimeError):
    """Raised when a numerical solver gives no answer that can be used; `solve` goes on without."""


class Model(NamedTuple):
    """A problem in CVXPY's terms, with its variables: works (options, tasks), loaded (options,)."""

    problem: Any
    works: Any
    loaded: Any


class Answer(NamedTuple):
    """What a solver gave: both variables as numbers, a proved bound, and whether it ended."""

    works: Matrix
    loaded: Matrix
    bound: float
    finished: bool


def model_of(problem: Problem, rows: Sequence[Row], relaxed: bool = False) -> Model:
    """State a problem; `rows` are its limits on what is in memory. Fractions count if `relaxed`."""
    with _STATING:
        return _stated(problem, rows, relaxed)


def _stated(problem: Problem, rows: Sequence[Row], relaxed: bool) -> Model:
    import cvxpy

    options, tasks = problem.utility.shape
    loaded = cvxpy.Variable(options, boolean=not relaxed, nonneg=relaxed)
    # With the options given and no deadline, each task takes its best: nothing is left to round.
    whole = problem.deadline_seconds is not None and not relaxed
    works = cvxpy.Variable((options, tasks), boolean=whole, nonneg=not whole)
    limits = [
        cvxpy.sum(works, axis=0) == np.array([task.voters for task in problem.tasks]),
        works <= cvxpy.reshape(loaded, (options, 1), order="C") @ np.ones((1, tasks)),
    ]
    if relaxed:
        limits.append(loaded <= 1.0)
    if limits_copies(problem):
        held, allowed = _copies(problem)
        limits.append(held @ works <= allowed)
    if rows:
        limits.append(_shares(rows) @ loaded <= np.ones(len(rows)))
    if problem.deadline_seconds is not None:
        waits, seconds = _times(problem)
        work = cvxpy.sum(cvxpy.multiply(seconds, works), axis=1)
        limits.append(waits @ loaded + work <= np.ones(options))
    value = cvxpy.sum(cvxpy.multiply(problem.utility, works)) - problem.opening @ loaded
    return Model(cvxpy.Problem(cvxpy.Maximize(value), limits), works, loaded)


def soonest_seconds(problem: Problem, rows: Sequence[Row], limit_seconds: float) -> float:
    """Find in how many seconds a plan can be done at best, or what was found in the time given.

    `problem` has a deadline, which is what the seconds are measured in, and is not held.
    """
    deadline = float(problem.deadline_seconds or 1.0)
    waits, seconds = _times(problem)
    with _STATING:
        free = _stated(replace(problem, deadline_seconds=None), rows, relaxed=False)
        timed = _timed(free, waits, seconds)
    answer = run_highs(timed, limit_seconds)
    ends = waits @ np.round(answer.loaded) + (seconds * np.round(answer.works)).sum(axis=1)
    return deadline * float(ends.max())


def _timed(free: Model, waits: Matrix, seconds: Matrix) -> Model:
    """Let a model without a deadline make the end of all work as early as it can."""
    import cvxpy

    share = cvxpy.Variable(nonneg=True)
    works = cvxpy.Variable(free.works.shape, boolean=True)
    ends = waits @ free.loaded + cvxpy.sum(cvxpy.multiply(seconds, works), axis=1)
    limits = [*free.problem.constraints, works == free.works, ends <= share]
    return Model(cvxpy.Problem(cvxpy.Maximize(-share), limits), works, free.loaded)


def _copies(problem: Problem) -> tuple[Matrix, Matrix]:
    """Give which options hold each model (k, n), and how many of them may work on a task (k, m)."""
    names = np.array([option.model for option in problem.options])
    held = np.array([names == model for model in dict.fromkeys(names)], dtype=np.float64)
    allowed = [float(copies_allowed(problem, task.voters)) for task in problem.tasks]
    return held, np.tile(allowed, (len(held), 1))


def _shares(rows: Sequence[Row]) -> Matrix:
    """Give the weights as shares of the budgets; of no budget at all, anything is twice as much."""
    return np.array(
        [
            [min(2.0, weight / row.budget) if row.budget else 2.0 * (weight > 0)
             for weight in row.weights]
            for row in rows
        ]
    )  # fmt: skip


def _times(problem: Problem) -> tuple[Matrix, Matrix]:
    """Give loads on each option's machine (n, n) and work (n, m), as shares of the deadline."""
    deadline = float(problem.deadline_seconds or 0.0)
    loads = np.array([load_seconds_of(option) for option in problem.options])
    machines = np.array([option.machine for option in problem.options])
    slots = np.array([option.slots for option in problem.options], dtype=np.float64)
    waits = np.where(machines[:, None] == machines[None, :], loads[None, :], 0.0) / deadline
    return waits, problem.seconds / slots[:, None] / deadline


def run_highs(model: Model, limit_seconds: float, seed: int = 0) -> Answer:
    """Run HiGHS. Raises NoPlan when nothing is feasible, SolverFailed when it gives no answer.

    CVXPY's own reading of a time limit warns instead of giving the plan and its bound.
    """
    with _STATING:
        data, chain, inverse = model.problem.get_problem_data("HIGHS")
    options = {
        "time_limit": limit_seconds, "mip_rel_gap": 0.0, "mip_abs_gap": GAP,
        "random_seed": seed % 2**31, "threads": 1,
    }  # fmt: skip
    raw = chain.solve_via_data(model.problem, data, solver_opts=options)
    status, info = raw["model_status"], raw["info"]
    if status in ("kInfeasible", "kUnboundedOrInfeasible"):
        raise NoPlan("No plan fits: HiGHS proved it. Give more memory, time, or fewer voters.")
    if status not in ("kOptimal", "kTimeLimit") or info.primal_solution_status != FEASIBLE:
        raise SolverFailed(f"HiGHS ended with {status}, without a plan, in {limit_seconds:.3g} s")
    whole = model.loaded.attributes["boolean"]
    bound = -float(info.mip_dual_bound if whole else info.objective_function_value)
    # At a time limit the best plan is read as an optimal one is; `finished` tells them apart.
    found = chain.invert({**raw, "model_status": "kOptimal"}, inverse).primal_vars
    works, loaded = (np.asarray(found[variable.id]) for variable in (model.works, model.loaded))
    finished = status == "kOptimal"
    return Answer(works, loaded, bound if whole or finished else math.inf, finished)


def run_scs(model: Model, limit_seconds: float) -> Answer:
    """Run SCS on a relaxed model; it is near, not exact, so nothing is proved.

    Raises SolverFailed when it gives no answer.
    """
    with _STATING:
        data, chain, inverse = model.problem.get_problem_data("SCS")
    options = {"time_limit_secs": limit_seconds, "eps_abs": 1e-5, "eps_rel": 1e-5}
    raw = chain.solve_via_data(model.problem, data, solver_opts=options)
    found = chain.invert(raw, inverse)
    values = found.primal_vars or {}
    works, loaded = values.get(model.works.id), values.get(model.loaded.id)
    if works is None or loaded is None or not np.isfinite(works).all():
        raise SolverFailed(f"SCS ended with {found.status} in {limit_seconds:.3g} s")
    return Answer(np.asarray(works), np.asarray(loaded), math.inf, found.status == "optimal")
