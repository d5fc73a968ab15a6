"""From what is in memory to who works on what, and back to what need not be in memory. Pure.

Ties: of options worth the same on a task, the earlier ones work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from services.coordinator.routing.checker import (
    DEADLINE_TOLERANCE,
    copies_allowed,
    load_seconds_of,
)
from services.coordinator.routing.packing import Packing, limits_copies, rows_of
from services.coordinator.routing.problem import Assignment

if TYPE_CHECKING:
    from services.coordinator.routing.packing import Row
    from services.coordinator.routing.problem import Problem

Workers: TypeAlias = tuple[tuple[int, ...], ...]


def best_workers(problem: Problem, members: Iterable[int]) -> Workers | None:
    """Let the most useful of `members` work on each task; None when a task wants more than that."""
    chosen = np.array(sorted(members), dtype=np.intp)
    if len(chosen) < max(task.voters for task in problem.tasks):
        return None
    order = chosen[np.argsort(-problem.utility[chosen], axis=0, kind="stable")]
    if limits_copies(problem):
        return picked(problem, [order[:, number].tolist() for number in range(len(problem.tasks))])
    return tuple(
        tuple(sorted(order[: task.voters, number].tolist()))
        for number, task in enumerate(problem.tasks)
    )


def picked(problem: Problem, orders: Sequence[Sequence[int]]) -> Workers | None:
    """Let the first options of each task's order work on it, without too many copies of a model.

    None when a task gets fewer than it wants.
    """
    allowed = {task.voters: copies_allowed(problem, task.voters) for task in problem.tasks}
    made = []
    for task, order in zip(problem.tasks, orders, strict=True):
        taken, counts = list[int](), Counter[str]()
        for option in order:
            model = problem.options[option].model
            if len(taken) < task.voters and counts[model] < allowed[task.voters]:
                counts[model] += 1
                taken.append(option)
        if len(taken) < task.voters:
            return None
        made.append(tuple(sorted(taken)))
    return tuple(made)


def plan(problem: Problem, members: Iterable[int]) -> Assignment | None:
    """Make the plan that `members` in memory allow, None where they cannot keep the deadline."""
    workers = best_workers(problem, members)
    if workers is not None:
        workers = in_time(problem, workers, members)
    return None if workers is None else settled(problem, workers)


def settled(problem: Problem, workers: Workers, rows: Sequence[Row] | None = None) -> Assignment:
    """Say what is in memory when these work: they, and residents that have room beside them.

    Residents stay in the order of the options, so that what is in memory is ended only for need.
    """
    working = {worker for task in workers for worker in task}
    staying = [i for i, option in enumerate(problem.options) if option.resident or option.pinned]
    memory = [row for row in (rows_of(problem) if rows is None else rows) if row.memory]
    packing = Packing(memory, working)
    return Assignment(workers, frozenset(packing.filled(staying).members))


def in_time(problem: Problem, workers: Workers, members: Iterable[int]) -> Workers | None:
    """Move work from options that end too late to others of `members`, at the least loss.

    A rule of thumb: None means that it found no way, not that there is none.
    """
    if problem.deadline_seconds is None:
        return workers
    return _Schedule(problem, workers, sorted(members)).relieved()


class _Schedule:
    """Who works how long, while work is moved. Owned by one call of `in_time`."""

    def __init__(self, problem: Problem, workers: Workers, members: Sequence[int]) -> None:
        self._problem = problem
        self._members = members
        self._allowed = [copies_allowed(problem, task.voters) for task in problem.tasks]
        self._workers = [set(task) for task in workers]
        slots = np.array([option.slots for option in problem.options], dtype=np.float64)
        self._seconds = problem.seconds / slots[:, None]
        self._limit = (problem.deadline_seconds or 0.0) * (1.0 + DEADLINE_TOLERANCE / 2)
        self._ends = np.array([self._loads(i) for i in range(len(problem.options))])
        for task, working in enumerate(self._workers):
            for worker in working:
                self._ends[worker] += self._seconds[worker, task]

    def _loads(self, option: int) -> float:
        machine = self._problem.options[option].machine
        return sum(
            load_seconds_of(self._problem.options[member])
            for member in self._members
            if self._problem.options[member].machine == machine
        )

    def relieved(self) -> Workers | None:
        """Move one piece of work after the other until nothing is late."""
        while True:
            working = {worker for task in self._workers for worker in task}
            late = [i for i in sorted(working) if self._ends[i] > self._limit]
            if not late:
                return tuple(tuple(sorted(task)) for task in self._workers)
            if not self._move_from(max(late, key=lambda i: self._ends[i])):
                return None

    def _move_from(self, late: int) -> bool:
        moves = [
            (self._loss(late, other, task), task, other)
            for task, working in enumerate(self._workers)
            if late in working and self._seconds[late, task] > 0.0
            for other in self._members
            if other not in working
            and self._may_replace(late, other, task)
            and self._ends[other] + self._seconds[other, task] <= self._limit
        ]
        if not moves:
            return False
        _, task, other = min(moves)
        self._workers[task].remove(late)
        self._workers[task].add(other)
        self._ends[late] -= self._seconds[late, task]
        self._ends[other] += self._seconds[other, task]
        return True

    def _may_replace(self, late: int, other: int, task: int) -> bool:
        """Whether there are not too many copies of a model then."""
        model = self._problem.options[other].model
        copies = sum(
            self._problem.options[worker].model == model for worker in self._workers[task] - {late}
        )
        return copies < self._allowed[task]

    def _loss(self, late: int, other: int, task: int) -> float:
        lost = self._problem.utility[late, task] - self._problem.utility[other, task]
        return float(lost / self._seconds[late, task])
