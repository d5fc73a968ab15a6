"""A rule of thumb: take the option in that adds most, as long as one adds anything and fits. Pure.

Before that come as many options as the largest electorate needs, so that no choice is made after
which too few would fit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from quorate.errors import NoPlan
from services.coordinator.routing import filling
from services.coordinator.routing.checker import check
from services.coordinator.routing.packing import Packing, Row, rows_of, smallest_first
from services.coordinator.routing.problem import Solution

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Assignment, Matrix, Problem

MISSING = -1e6


def greedy(problem: Problem, limit_seconds: float, seed: int) -> Solution:
    """Pack by what each option adds. Raises NoPlan when it finds no plan."""
    del limit_seconds, seed  # it takes milliseconds, and draws nothing
    started = time.perf_counter()
    for members in _candidates(problem):
        assignment = filling.plan(problem, members)
        if assignment is not None and check(problem, assignment).feasible:
            return thumb("greedy", problem, assignment, started)
    raise none_found("greedy")


def thumb(name: str, problem: Problem, assignment: Assignment, started: float) -> Solution:
    """Give what a rule of thumb found: nothing is known about how good it is."""
    objective = check(problem, assignment).objective
    seconds = time.perf_counter() - started
    return Solution(assignment, objective, math.inf, math.inf, name, "feasible", seconds)


def none_found(name: str) -> NoPlan:
    """Say that a rule of thumb found no plan, which does not prove that there is none."""
    return NoPlan(
        f"{name} found no plan that fits. Give more memory, time, or ask for fewer voters."
    )


def _candidates(problem: Problem) -> Iterator[set[int]]:
    """Give what might be in memory: the best first, then what is sooner ready."""
    rows = rows_of(problem)
    yield _packed(problem, rows)
    if problem.deadline_seconds is not None:
        order = smallest_first(problem.options)
        yield Packing(rows).filled(order).members
        sooner = sorted(order, key=lambda i: float(problem.seconds[i].sum()))
        yield Packing(rows).filled(sooner).members
        yield {i for i, option in enumerate(problem.options) if option.resident or option.pinned}


def _packed(problem: Problem, rows: tuple[Row, ...]) -> set[int]:
    packing, order = Packing(rows), smallest_first(problem.options)
    wanted = max(task.voters for task in problem.tasks)
    while True:
        gains = _gains(problem, packing.members)
        for option in np.argsort(-gains, kind="stable").tolist():
            if len(packing.members) >= wanted and gains[option] <= 0.0:
                return packing.members
            if option not in packing.members and _may_join(packing, option, wanted, order):
                packing.add(option)
                break
        else:
            return packing.members


def _may_join(packing: Packing, option: int, wanted: int, order: tuple[int, ...]) -> bool:
    """Whether an option fits and leaves room for as many as are wanted."""
    if not packing.fits(option):
        return False
    if len(packing.members) + 1 >= wanted:
        return True
    return packing.filled([option]).reaches(wanted, order)


def _gains(problem: Problem, members: set[int]) -> Matrix:
    """Give what every option adds beside the members; the bar is the least that works there now."""
    voters = np.array([task.voters for task in problem.tasks], dtype=np.int64)
    padding = np.full((int(voters.max()), len(voters)), MISSING)
    ranked = np.vstack([-np.sort(-problem.utility[sorted(members)], axis=0), padding])
    bar = ranked[voters - 1, np.arange(len(voters))]
    gains: Matrix = np.maximum(problem.utility - bar, 0.0).sum(axis=1) - problem.opening
    gains[sorted(members)] = -np.inf
    return gains
