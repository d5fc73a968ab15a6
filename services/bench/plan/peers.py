"""What plans are timed beside: CVXPY from scratch in two ways, and scipy.optimize.milp.

The whole problem as a mixed-integer program, written down as it stands, without a look at its
structure: y[i] for what is in memory, x[i,m] for who works. All three solve by HiGHS.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import cvxpy
import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack, kron

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Matrix, Problem


class Timed(NamedTuple):
    """How long a peer took, building its model included, and what it found."""

    seconds: float
    objective: float
    finished: bool


def cvxpy_whole(problem: Problem, limit_seconds: float) -> Timed:
    """Solve with x and y binary, as the problem is written."""
    return _by_cvxpy(problem, limit_seconds, binary=True)


def cvxpy_continuous(problem: Problem, limit_seconds: float) -> Timed:
    """Solve with x continuous, which given y is whole by itself: what one who knows would write."""
    return _by_cvxpy(problem, limit_seconds, binary=False)


def _by_cvxpy(problem: Problem, limit_seconds: float, binary: bool) -> Timed:
    started = time.perf_counter()
    options, tasks = problem.utility.shape
    loaded = cvxpy.Variable(options, boolean=True)
    works = cvxpy.Variable((options, tasks), boolean=binary, nonneg=not binary)
    memory, budgets = _memory(problem)
    limits = [
        cvxpy.sum(works, axis=0) == _voters(problem),
        works <= cvxpy.reshape(loaded, (options, 1), order="C") @ np.ones((1, tasks)),
        memory @ loaded <= budgets,
    ]
    value = cvxpy.sum(cvxpy.multiply(problem.utility, works)) - problem.opening @ loaded
    model = cvxpy.Problem(cvxpy.Maximize(value), limits)
    # `solve` warns at a time limit; the steps that it takes do not.
    data, chain, _ = model.get_problem_data(cvxpy.HIGHS)
    settings = {"time_limit": limit_seconds, "mip_rel_gap": 0.0, "threads": 1}
    raw = chain.solve_via_data(model, data, solver_opts=settings)
    finished = raw["model_status"] == "kOptimal"
    objective = -float(raw["info"].objective_function_value)
    return Timed(time.perf_counter() - started, objective, finished)


def scipy_milp(problem: Problem, limit_seconds: float) -> Timed:
    """Solve by scipy.optimize.milp over sparse matrices."""
    started = time.perf_counter()
    options, tasks = problem.utility.shape
    memory, budgets = _memory(problem)
    each = options * tasks
    electorate = hstack(
        [kron(np.ones((1, options)), eye_array(tasks)), csr_array((tasks, options))]
    )
    loaded = hstack([eye_array(each), -kron(eye_array(options), np.ones((tasks, 1)))])
    room = hstack([csr_array((len(budgets), each)), csr_array(memory)])
    voters = _voters(problem)
    found = milp(
        np.concatenate([-problem.utility.ravel(), problem.opening]),
        integrality=np.concatenate([np.zeros(each), np.ones(options)]),
        bounds=Bounds(0.0, 1.0),
        constraints=[
            LinearConstraint(electorate.tocsr(), voters, voters),
            LinearConstraint(loaded.tocsr(), -np.inf, 0.0),
            LinearConstraint(room.tocsr(), -np.inf, budgets),
        ],
        options={"time_limit": limit_seconds, "mip_rel_gap": 0.0},
    )
    objective = -float(found.fun) if found.fun is not None else -np.inf
    return Timed(time.perf_counter() - started, objective, found.status == 0)


def _memory(problem: Problem) -> tuple[Matrix, Matrix]:
    """Give bytes (pools, options) and budgets (pools,), in units of a budget."""
    bytes_ = np.array(
        [
            [option.memory_bytes * (pool.name in option.pools) for option in problem.options]
            for pool in problem.pools
        ],
        dtype=np.float64,
    )
    budgets = np.array([pool.budget_bytes for pool in problem.pools], dtype=np.float64)
    return bytes_ / budgets[:, None], np.ones(len(budgets))


def _voters(problem: Problem) -> Matrix:
    return np.array([task.voters for task in problem.tasks], dtype=np.float64)
