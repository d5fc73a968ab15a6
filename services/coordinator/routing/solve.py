"""From a problem to a plan that was checked: the solver asked for, and the next when it fails.

Pure; it takes up to its time limit, so it belongs into a thread.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from quorate.errors import InvalidRequest, NoPlan
from services.coordinator.routing import believing, table
from services.coordinator.routing.checker import check
from services.coordinator.routing.mip import LEAST_SECONDS
from services.coordinator.routing.problem import Assignment, Solution
from services.coordinator.routing.refusing import capped, most_workers, no_plan

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Problem

log = logging.getLogger(__name__)
LIMIT_SECONDS: Final = 10.0
AFTERWARDS: Final = ("scs_relaxed", "greedy")
"""Who is asked when the solver asked for has failed, in this order."""
EXACT: Final = frozenset({"mip", "highs"})
"""Who proves it when there is no plan."""


class _Failed(NoPlan):
    """Raised when no plan was found, though nobody proved that there is none."""


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
    found = _trivial(problem) or _lowered(problem, mode, started + limit_seconds, seed)
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
    if most == 0:
        raise no_plan(problem)
    found, voters = _largest(problem, mode, most, until, seed)
    if voters == asked:
        return found
    lowered = sum(task.voters > voters for task in problem.tasks)
    note = f"only {voters} can work at once: {lowered} tasks wanted up to {asked} and get {voters}"
    return found._replace(note=_joined([note, found.note]))


def _largest(
    problem: Problem, mode: str, most: int, until: float, seed: int
) -> tuple[Solution, int]:
    """Search for the largest electorate that has a plan: with one, every smaller one has one.

    Raises NoPlan when not even one worker per task has one.
    """
    best, voters, least = None, most, 0
    while True:
        try:
            best = _first_that_holds(capped(problem, voters), mode, until, seed)
            least = voters
        except NoPlan as error:
            if voters == 1:
                raise error if isinstance(error, _Failed) else no_plan(problem) from error
            most = voters - 1
        if best is not None and least == most:
            return best, least
        # With a limit on copies, fewer voters may want more different models: no halving then.
        voters = most if problem.copies else (least + most + 1) // 2


def _first_that_holds(problem: Problem, mode: str, until: float, seed: int) -> Solution:
    """Ask one solver after the other until a plan is confirmed. Raises NoPlan when none is."""
    told, held, proved = list[str](), list[Solution](), False
    waiting = list(dict.fromkeys((mode, *AFTERWARDS)))
    while waiting:
        name = waiting.pop(0)
        left = max(LEAST_SECONDS, until - time.perf_counter())
        try:
            found = table.find(name).solver(problem, left, seed)
            doubts = believing.doubts(problem, found)
        except NoPlan as error:
            told.append(f"{name}: {error.message}")
            proved = proved or name in EXACT
            if proved:  # only a rule of thumb could still show that it is wrong
                waiting = [other for other in waiting if other == AFTERWARDS[-1]]
            continue
        except Exception as error:
            log.warning("the solver %s failed; the next one is asked", name, exc_info=True)
            told.append(f"{name} failed: {type(error).__name__}: {error}")
            continue
        if not doubts:
            return found._replace(note=_joined([*told, found.note]))
        told.append(f"{name} is not believed: {'; '.join(doubts)}")
        held += filter(None, [believing.bare(problem, found)])
    if held:
        return max(held, key=lambda solution: solution.objective)._replace(note=_joined(told))
    raise NoPlan(_joined(told)) if proved else _Failed(_joined(told))


def _joined(notes: Sequence[str]) -> str:
    return "; ".join(note for note in notes if note)
