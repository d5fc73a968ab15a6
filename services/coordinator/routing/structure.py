"""Solving by the problem's structure: made small first, then bounds and steps until they meet.

What HiGHS takes most of its time for, one column per option and task, is never written down: given
what is in memory, tasks choose by themselves. Pure.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from quorate.errors import NoPlan
from services.coordinator.routing import filling
from services.coordinator.routing.checker import check
from services.coordinator.routing.structure_core import core_of
from services.coordinator.routing.structure_search import ROUNDING, search

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Assignment, Problem


class Partial(NamedTuple):
    """How far the structure leads.

    `assignment` is the best plan found, None when there is none that keeps the deadline. Nothing is
    worth more than `bound`. A better plan takes only options that are `hopeful`. `closed` says that
    the plan is proved to be the best.
    """

    assignment: Assignment | None
    objective: float
    bound: float
    hopeful: tuple[int, ...]
    closed: bool


def by_structure(problem: Problem, until: float) -> Partial:
    """Solve until a time (`time.perf_counter`).

    With a deadline, the work of options is not part of the bound: where the best plan without that
    limit breaks it, the plan given is that one, mended, and the bound stands. Raises NoPlan where
    too few options fit.
    """
    core = core_of(problem)
    found = search(core, until)
    if found.bound == -math.inf:
        raise NoPlan("Too few models fit. Give more memory, or ask for fewer voters.")
    members = core.options[found.members].tolist()
    assignment = filling.plan(problem, members)
    if assignment is None:
        return Partial(None, -math.inf, found.bound, tuple(range(len(problem.options))), False)
    verdict = check(problem, assignment)
    objective = verdict.objective if verdict.feasible else -math.inf
    slack = 2.0 * ROUNDING * max(1.0, abs(objective))
    hopeful = (
        tuple(core.options[found.hopeful].tolist())
        if core.whole
        else tuple(range(len(problem.options)))
    )
    kept = assignment if verdict.feasible else None
    return Partial(kept, objective, found.bound, hopeful, found.bound <= objective + slack)
