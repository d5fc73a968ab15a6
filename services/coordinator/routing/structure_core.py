"""A problem made smaller without losing its best plan: equal tasks together, useless options out.

Pure. Deadlines count with their loads only; the work of options is left to whoever checks the plan.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from services.coordinator.routing.checker import copies_allowed
from services.coordinator.routing.packing import copy_rows, limits_copies, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from services.coordinator.routing.packing import Row
    from services.coordinator.routing.problem import Matrix, Problem

MOST_BYTES: Final = 1 << 56
"""Beyond it sums of weights could leave 64 bits."""


class Core(NamedTuple):
    """What is left to decide: which of n options are in memory, for g groups of equal tasks.

    `utility` (n, g) and `opening` (n,) are in the objective's unit; `weight` (g,) is how many tasks
    a group has, each wanting `voters` (g,). What is in memory keeps to `rows` (r, n) ≤ `budgets`
    (r,), in bytes or nanoseconds; `links` (r,) are rows of copies instead, which bind machines to
    each other. `options` are the numbers of the n in the problem, ascending. If not `whole`, there
    are limits that are not in here, on the work of options or on copies.
    """

    utility: Matrix
    voters: NDArray[np.int64]
    weight: Matrix
    opening: Matrix
    rows: NDArray[np.int64]
    budgets: NDArray[np.int64]
    links: NDArray[np.bool_]
    options: NDArray[np.intp]
    whole: bool

    def value(self, members: NDArray[np.intp]) -> float:
        """Give the objective when `members` are in memory and each costs its opening.

        Minus infinity where a task wants more than there are.
        """
        if len(members) < int(self.voters.max()):
            return float("-inf")
        ranked = -np.sort(-self.utility[members], axis=0)
        sums = np.cumsum(ranked, axis=0)[self.voters - 1, np.arange(len(self.voters))]
        return float(sums @ self.weight - self.opening[members].sum())

    def fits(self, members: NDArray[np.intp]) -> bool:
        """Whether `members` are in memory together."""
        return bool((self.rows[:, members].sum(axis=1) <= self.budgets).all())


def core_of(problem: Problem) -> Core:
    """Reduce a problem. Raises OverflowError for bytes beyond all memory."""
    rows = rows_of(problem)
    usable = _usable(rows, len(problem.options))
    utility, voters, weight = _grouped(problem, usable)
    weights = _weights(rows, usable)
    opening = problem.opening[usable]
    same, enough = _peers(problem, usable)
    kept = np.flatnonzero(_better(utility, opening, weights, same).sum(axis=0) < enough)
    weights = weights[:, kept]
    totals = weights.sum(axis=1).tolist()
    binds = np.array(
        [total > row.budget for row, total in zip(rows, totals, strict=True)], dtype=bool
    )
    budgets = np.array([min(row.budget, MOST_BYTES) for row in rows], dtype=np.int64)
    return Core(
        utility[kept],
        voters,
        weight,
        opening[kept],
        weights[binds],
        budgets[binds],
        np.array([not row.memory for row in rows], dtype=bool)[binds],
        usable[kept],
        problem.deadline_seconds is None and copy_rows(problem) is not None,
    )


def _peers(problem: Problem, usable: NDArray[np.intp]) -> tuple[NDArray[np.bool_], float]:
    """Say which options could stand in for which (n, n), and beside how many one is useless.

    As many as the largest electorate: if such an option worked, one of those others would not work
    on that task, or not be in memory, and could take its place. Where copies are limited only a
    copy can be sure to be allowed, and as many are enough as may work on a task.
    """
    models = np.array([problem.options[i].model for i in usable])
    if not limits_copies(problem):
        return np.ones((len(usable), len(usable)), dtype=bool), max(_voters(problem))
    limits = {copies_allowed(problem, voters) for voters in _voters(problem)}
    enough = limits.pop() if len(limits) == 1 and copy_rows(problem) is not None else math.inf
    return models[:, None] == models[None, :], enough


def _voters(problem: Problem) -> set[int]:
    return {task.voters for task in problem.tasks}


def _usable(rows: Sequence[Row], count: int) -> NDArray[np.intp]:
    """Leave out what does not even fit alone."""
    return np.array(
        [i for i in range(count) if all(row.weights[i] <= row.budget for row in rows)],
        dtype=np.intp,
    )


def _weights(rows: Sequence[Row], usable: NDArray[np.intp]) -> NDArray[np.int64]:
    made = [[row.weights[i] for i in usable] for row in rows]
    heaviest = max((max(weights, default=0) for weights in made), default=0)
    if heaviest > MOST_BYTES:
        raise OverflowError(f"{heaviest} bytes are beyond all memory")
    return np.array(made, dtype=np.int64).reshape(len(rows), len(usable))


def _grouped(
    problem: Problem, usable: NDArray[np.intp]
) -> tuple[Matrix, NDArray[np.int64], Matrix]:
    """Put tasks together that have equal utilities and want equally many."""
    utility = problem.utility[usable]
    voters = np.array([task.voters for task in problem.tasks], dtype=np.int64)
    places: dict[tuple[int, bytes], int] = {}
    counts: list[int] = []
    first: list[int] = []
    columns = np.ascontiguousarray(utility.T)
    for task in range(len(voters)):
        place = places.setdefault((int(voters[task]), columns[task].tobytes()), len(counts))
        if place == len(counts):
            counts.append(0)
            first.append(task)
        counts[place] += 1
    return utility[:, first], voters[first], np.array(counts, dtype=np.float64)


def _better(
    utility: Matrix, opening: Matrix, weights: NDArray[np.int64], same: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Say which option j is as good as i in everything, [j, i], if it could stand in for it.

    As good: no less useful on any task, no dearer, no heavier in any row. Of equal options the
    earlier counts as better, which makes this an order: what is best in it is never useless.
    """
    lighter = (weights[:, :, None] <= weights[:, None, :]).all(axis=0)
    better = same & lighter & (opening[:, None] <= opening[None, :])
    np.fill_diagonal(better, False)
    for option, worth in enumerate(utility):
        others = np.flatnonzero(better[option])
        better[option, others] = (worth >= utility[others]).all(axis=1)
    places = np.arange(len(opening))
    better &= ~(better.T & (places[:, None] > places[None, :]))
    return better
