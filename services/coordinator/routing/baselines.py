"""What a plan is compared with: taking turns, and drawing lots. They fit, and know nothing more."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from random import Random
from typing import TYPE_CHECKING

from services.coordinator.routing import filling
from services.coordinator.routing.checker import check
from services.coordinator.routing.greedy import none_found, thumb
from services.coordinator.routing.packing import Packing, rows_of, smallest_first

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Problem, Solution


def round_robin(problem: Problem, limit_seconds: float, seed: int) -> Solution:
    """Load options in their order while they fit; tasks take the next ones in turn."""
    del limit_seconds, seed
    started = time.perf_counter()
    members = members_in(problem, range(len(problem.options)))
    orders, turn = list[list[int]](), 0
    for task in problem.tasks:
        orders.append([members[(turn + step) % len(members)] for step in range(len(members))])
        turn += task.voters
    return _finished("round_robin", problem, orders, members, started)


def random(problem: Problem, limit_seconds: float, seed: int) -> Solution:
    """Load options in a drawn order while they fit; every task draws its own."""
    del limit_seconds
    started = time.perf_counter()
    drawing = Random(seed)  # noqa: S311 - a baseline draws lots, it keeps no secret
    order = drawing.sample(range(len(problem.options)), len(problem.options))
    members = members_in(problem, order)
    orders = [drawing.sample(members, len(members)) for _ in problem.tasks]
    return _finished("random", problem, orders, members, started)


def members_in(problem: Problem, order: Iterable[int]) -> Sequence[int]:
    """Load options in an order while they fit, and while as many as the tasks want still can be.

    Raises NoPlan where fewer fit than a task wants.
    """
    wanted = max(task.voters for task in problem.tasks)
    packing, smallest = Packing(rows_of(problem)), smallest_first(problem.options)
    for option in order:
        if packing.fits(option) and packing.filled([option]).reaches(wanted, smallest):
            packing.add(option)
    if len(packing.members) < wanted:
        raise none_found("a rule of thumb")
    return sorted(packing.members)


def _finished(
    name: str,
    problem: Problem,
    orders: Sequence[Sequence[int]],
    members: Sequence[int],
    started: float,
) -> Solution:
    workers = filling.picked(problem, orders)
    kept = None if workers is None else filling.in_time(problem, workers, members)
    if kept is None:
        raise none_found(name)
    assignment = filling.settled(problem, kept)
    if not check(problem, assignment).feasible:
        raise none_found(name)
    return thumb(name, problem, assignment, started)
