"""How far a solver's answer is believed: as far as the checker, and plans beside it, confirm it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from services.coordinator.routing import filling
from services.coordinator.routing.checker import check
from services.coordinator.routing.greedy import thumb
from services.coordinator.routing.structure_exchange import neatened

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Problem, Solution

STATUSES: Final = frozenset({"optimal", "time_limit", "feasible"})
ROUNDING: Final = 1e-6
"""How far a solver's own sum may be from the checker's, relatively."""
LOOK_SECONDS: Final = 0.2
"""How long better plans are looked for; what refutes a bound mostly takes one step."""


def doubts(problem: Problem, found: Solution) -> list[str]:
    """Say what is wrong with a solver's answer: its plan, its own sum, or its bound."""
    verdict = check(problem, found.assignment)
    if not verdict.feasible:
        return list(verdict.violations)
    slack = ROUNDING * max(1.0, abs(verdict.objective))
    told = []
    if found.status not in STATUSES:
        told.append(f"its status is {found.status!r}")
    if not abs(found.objective - verdict.objective) <= slack:
        told.append(f"it says {found.objective:.9g}, but the plan is worth {verdict.objective:.9g}")
    if found.status == "optimal" and not found.bound - verdict.objective <= slack:
        told.append(f"it says optimal, but its bound is {found.bound:.9g}")
    better = beside(problem, found)
    known = verdict.objective if better is None else max(verdict.objective, better.objective)
    if not found.bound >= known - slack:
        told.append(f"its bound is {found.bound:.9g}, but a plan near it is worth {known:.9g}")
    return told


def beside(problem: Problem, found: Solution) -> Solution | None:
    """Take single steps from a plan to better ones; a true bound forbids what that finds."""
    working = {worker for task in found.assignment.workers for worker in task}
    try:
        members = neatened(problem, working, time.perf_counter() + LOOK_SECONDS)
    except OverflowError:  # bytes beyond all memory, with which only plain integers count
        return None
    assignment = filling.plan(problem, members)
    if assignment is None or not check(problem, assignment).feasible:
        return None
    return thumb("exchange", problem, assignment, time.perf_counter())


def bare(problem: Problem, found: Solution) -> Solution | None:
    """Keep of a doubted answer what holds: the better of its plan and the one beside it.

    None where its plan does not hold.
    """
    verdict = check(problem, found.assignment)
    if not verdict.feasible:
        return None
    own = found._replace(
        objective=verdict.objective, bound=math.inf, gap=math.inf, status="feasible"
    )
    better = beside(problem, found)
    return better if better is not None and better.objective > own.objective else own
