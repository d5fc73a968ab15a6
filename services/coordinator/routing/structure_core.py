"""A problem made smaller without losing its best plan: equal tasks together, useless options out.

Pure. Deadlines count with their loads only; the work of options is left to whoever checks the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from services.coordinator.routing.packing import rows_of

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
    (r,), in bytes or nanoseconds. `options` are the numbers of the n in the problem, ascending.
    """

    utility: Matrix
    voters: NDArray[np.int64]
    weight: Matrix
    opening: Matrix
    rows: NDArray[np.int64]
    budgets: NDArray[np.int64]
    options: NDArray[np.intp]

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
    weights, budgets = _as_arrays(rows, usable)
    opening = problem.opening[usable]
    kept = _undominated(utility, opening, weights, int(voters.max()))
    binds = weights[:, kept].sum(axis=1) > budgets
    return Core(
        utility[kept],
        voters,
        weight,
        opening[kept],
        weights[np.ix_(binds, kept)],
        budgets[binds],
        usable[kept],
    )


def _usable(rows: Sequence[Row], count: int) -> NDArray[np.intp]:
    """Leave out what does not even fit alone."""
    return np.array(
        [i for i in range(count) if all(row.weights[i] <= row.budget for row in rows)],
        dtype=np.intp,
    )


def _as_arrays(
    rows: Sequence[Row], usable: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    made = []
    for row in rows:
        weights = [row.weights[i] for i in usable]
        if max(weights, default=0) > MOST_BYTES:
            raise OverflowError(f"{max(weights)} bytes are beyond all memory")
        if sum(weights) > row.budget:
            made.append((weights, row.budget))
    weights_of_rows = np.array([weights for weights, _ in made], dtype=np.int64)
    budgets = np.array([budget for _, budget in made], dtype=np.int64)
    return weights_of_rows.reshape(len(made), len(usable)), budgets


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


def _undominated(
    utility: Matrix, opening: Matrix, weights: NDArray[np.int64], voters: int
) -> NDArray[np.intp]:
    """Leave out options beside which at least `voters` others are as good in everything.

    As good: no less useful on any task, no dearer, no heavier in any row. If such an option worked,
    one of those others would not work on that task, or not be in memory, and could take its place.
    Of equal options the earlier counts as better, which makes this an order, and its `voters` best
    are never left out themselves.
    """
    lighter = (weights[:, :, None] <= weights[:, None, :]).all(axis=0)
    better = lighter & (opening[:, None] <= opening[None, :])
    np.fill_diagonal(better, False)
    for option, worth in enumerate(utility):
        others = np.flatnonzero(better[option])
        better[option, others] = (worth >= utility[others]).all(axis=1)
    places = np.arange(len(opening))
    better &= ~(better.T & (places[:, None] > places[None, :]))
    return np.flatnonzero(better.sum(axis=0) < voters)
