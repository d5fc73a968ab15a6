"""From a problem to a plan that was checked: the solver asked for, and the next when it fails.

What a solver says about its own plan is believed only as far as the checker confirms it. Pure; it
takes up to its time limit, so it belongs into a thread.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from quorate.errors import InvalidRequest, NoPlan
from services.coordinator.routing import filling, table
from services.coordinator.routing.checker import check
from services.coordinator.routing.greedy import thumb
from services.coordinator.routing.mip import LEAST_SECONDS
from services.coordinator.routing.problem import Assignment, Solution
from services.coordinator.routing.refusing import capped, most_workers, no_plan
from services.coordinator.routing.structure_exchange import neatened

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Problem

LIMIT_SECONDS: Final = 10.0
AFTERWARDS: Final = ("scs_relaxed", "greedy")
"""Who is asked when the solver asked for has failed, in this order."""
EXACT: Final = frozenset({"mip", "highs"})
STATUSES: Final = frozenset({"optimal", "time_limit", "feasible"})
ROUNDING: Final = 1e-6
"""How far a solver's own sum may be from the checker's, relatively."""


def solve(
    problem: Problem,
    mode: str = table.DEFAULT,
    limit_seconds: float = LIMIT_SECONDS,
    seed: int = 0,
) -> Solution:
    """Find a plan that keeps to memory, electorate and deadline.

    Where fewer options can work than tasks want, all are lowered to the most that can, and `note`
    says so, as it does of every solver that failed. Raises NoPlan when not even one per task is
    possible, InvalidRequest for an unknown mode or a limit that is no time.
    """
    table.find(mode)
    if not 0.0 < limit_seconds < math.inf:
        raise InvalidRequest.field(
            "routing.limit_seconds", limit_seconds, "it must be above 0 and finite", "Give seconds."
        )
    started = time.perf_counter()
    trivial = _trivial(problem)
    if trivial is not None:
        return trivial
    found = _lowered(problem, mode, started + limit_seconds, seed)
    return found._replace(seconds=time.perf_counter() - started)


def _trivial(problem: Problem) -> Solution | None:
    """Give the only plan there is where every task wants all options and all are in memory."""
    count = len(problem.options)
    if any(task.voters != count for task in problem.tasks):
        return None
    if not all(option.resident or option.pinned for option in problem.options):
        return None
    everyone = tuple(range(count))
    assignment = Assignment((everyone,) * len(problem.tasks), frozenset(everyone))
    verdict = check(problem, assignment)
    if not verdict.feasible:
        return None
    return Solution(assignment, verdict.objective, verdict.objective, 0.0, "none", "optimal", 0.0)


def _lowered(problem: Problem, mode: str, until: float, seed: int) -> Solution:
    """Plan with the voters asked for, or with the largest number that all tasks can have."""
    asked = max(task.voters for task in problem.tasks)
    most = min(asked, most_workers(problem))
    found, voters = _largest(problem, mode, most, until, seed)
    if found is None:
        raise no_plan(problem)
    if voters == asked:
        return found
    lowered = sum(task.voters > voters for task in problem.tasks)
    note = f"only {voters} can work at once: {lowered} tasks wanted up to {asked} and get {voters}"
    return found._replace(note=_joined([note, found.note]))


def _largest(
    problem: Problem, mode: str, most: int, until: float, seed: int
) -> tuple[Solution | None, int]:
    """Search for the largest electorate that has a plan: with one, every smaller one has one."""
    best, least, voters = None, 0, most
    while least < most:
        try:
            best = _first_that_holds(capped(problem, voters), mode, until, seed)
            least = voters
        except NoPlan:
            most = voters - 1
        voters = (least + most + 1) // 2
    return best, least


def _first_that_holds(problem: Problem, mode: str, until: float, seed: int) -> Solution:
    """Ask one solver after the other until a plan is confirmed. Raises NoPlan when none is."""
    told, doubted = list[str](), list[Solution]()
    waiting = list(dict.fromkeys((mode, *AFTERWARDS)))
    while waiting:
        name = waiting.pop(0)
        left = max(LEAST_SECONDS, until - time.perf_counter())
        try:
            found = table.find(name).solver(problem, left, seed)
        except NoPlan as error:
            told.append(f"{name}: {error.message}")
            if name in EXACT:  # proved: only a rule of thumb could still show that it is wrong
                waiting = [other for other in waiting if other == "greedy"]
            continue
        except Exception as error:  # noqa: BLE001 - whatever a solver dies of, the next one is asked
            told.append(f"{name} failed: {type(error).__name__}: {error}")
            continue
        doubts = _doubts(problem, found)
        if not doubts:
            return found._replace(note=_joined([*told, found.note]))
        told.append(f"{name} is not believed: {'; '.join(doubts)}")
        doubted += _without_claims(problem, found)
    if not doubted:
        raise NoPlan(_joined(told))
    best = max(doubted, key=lambda solution: solution.objective)
    return best._replace(note=_joined(told))


def _doubts(problem: Problem, found: Solution) -> list[str]:
    """Say what is wrong with a solver's answer: its plan, its own sum, or its bound."""
    verdict = check(problem, found.assignment)
    if not verdict.feasible:
        return list(verdict.violations)
    slack = ROUNDING * max(1.0, abs(verdict.objective))
    doubts = []
    if found.status not in STATUSES:
        doubts.append(f"its status is {found.status!r}")
    if not abs(found.objective - verdict.objective) <= slack:
        doubts.append(
            f"it says {found.objective:.9g}, but its plan is worth {verdict.objective:.9g}"
        )
    if found.status == "optimal" and not found.bound - verdict.objective <= slack:
        doubts.append(f"it says optimal, but its bound is {found.bound:.9g}")
    better = max(
        verdict.objective, *(near.objective for near in _better(problem, found)), -math.inf
    )
    if not found.bound >= better - slack:
        doubts.append(f"it says that no plan is worth more than {found.bound:.9g}; {better:.9g} is")
    return doubts


def _better(problem: Problem, found: Solution) -> list[Solution]:
    """Look one step around a plan for better ones, which a true bound does not forbid."""
    working = {i for workers in found.assignment.workers for i in workers}
    assignment = filling.plan(problem, neatened(problem, working))
    if assignment is None or not check(problem, assignment).feasible:
        return []
    return [thumb("exchange", problem, assignment, time.perf_counter())]


def _without_claims(problem: Problem, found: Solution) -> list[Solution]:
    """Keep a doubted solver's plan, or a better one beside it, as what it is: a plan that fits."""
    verdict = check(problem, found.assignment)
    if not verdict.feasible:
        return []
    bare = thumb(found.solver, problem, found.assignment, time.perf_counter())
    return [bare, *_better(problem, found)]


def _joined(notes: Sequence[str]) -> str:
    return "; ".join(note for note in notes if note)
