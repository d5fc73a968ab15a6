"""Memory, part by part: what is in one machine's memory leaves another's alone. Pure.

A part is a set of options that share limits, directly or through others. Where they are few, all
sets of them that fit and to which nothing can be added are listed once; the best of these by any
gains is then one product of a matrix. Otherwise fractions bound it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from services.coordinator.routing.problem import Matrix
    from services.coordinator.routing.structure_core import Core

MOST_SETS: Final = 20_000
"""More sets than these cost more to go through than fractions do."""
MOST_LISTED: Final = 40
"""Of more options than these the sets are never few."""
FREE, IN, OUT = 0, 1, 2
"""Whether an option is decided on: by a branch of the search, or by proof."""


class Best(NamedTuple):
    """The most that a part can gain, and which of its options that takes (1, or a fraction)."""

    gain: float
    share: Matrix


class Part(Protocol):
    """Options that share memory. `gains` has what each of them brings when it is in memory."""

    options: NDArray[np.intp]

    def most(self) -> int:
        """Give how many options have room together, or a bound of it."""
        ...

    def decided(self, state: NDArray[np.int8]) -> Part | None:
        """Give the part with some options decided (IN, OUT), None when those in do not fit."""
        ...

    def best(self, gains: Matrix) -> Best:
        """Give the most that can be gained, or a bound of it."""
        ...

    def penalties(self, gains: Matrix) -> tuple[Matrix, Matrix]:
        """Give by how much at least that falls when each option is forced in, and forced out."""
        ...


def parts_of(core: Core) -> list[Part]:
    """Split the options by the memory that they share; those without any limit are one part."""
    made: list[Part] = []
    rows, limits = core.rows[~core.links], core.budgets[~core.links]
    for options in _connected(rows):
        touched = np.flatnonzero(rows[:, options].any(axis=1))
        weights, budgets = rows[np.ix_(touched, options)], limits[touched]
        sets = maximal_sets(weights, budgets)
        made.append(
            Fractions(options, weights, budgets, np.zeros(len(options), dtype=np.int8))
            if sets is None
            else Listed(options, sets, np.zeros(len(options), dtype=np.int8))
        )
    return made


def _connected(rows: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    label = np.arange(rows.shape[1])
    for row in rows:
        held = np.flatnonzero(row)
        joined = np.isin(label, label[held])
        label[joined] = label[held].min()
    free = ~rows.any(axis=0)
    if free.any():
        yield np.flatnonzero(free)
    for name in np.unique(label[~free]):
        yield np.flatnonzero((label == name) & ~free)


def maximal_sets(
    weights: NDArray[np.int64], budgets: NDArray[np.int64], most: int = MOST_SETS
) -> NDArray[np.bool_] | None:
    """List the sets that fit and to which nothing can be added, (sets, options).

    `weights` (r, k) are never more than `budgets` (r,). None when there are more than `most`.
    """
    count = weights.shape[1]
    if not len(weights):
        return np.ones((1, count), dtype=bool)
    if count > MOST_LISTED:
        return None
    order = np.argsort(-weights.sum(axis=0), kind="stable")
    sets = np.zeros((1, count), dtype=bool)
    left = budgets[:, None].astype(np.int64)
    rest = weights.sum(axis=1)
    for place, option in enumerate(order):
        weight = weights[:, option][:, None]
        rest = rest - weight[:, 0]
        fits = (left >= weight).all(axis=0)
        # With room for it beside all that follow, leaving it out is never maximal.
        needless = (left - rest[:, None] >= weight).all(axis=0)
        taken = sets[fits]
        taken[:, option] = True
        sets = np.concatenate([taken, sets[~needless]])
        left = np.concatenate([left[:, fits] - weight, left[:, ~needless]], axis=1)
        if len(sets) > 4 * most:
            return None
        keep = _may_become_maximal(sets, left, weights, rest, order[: place + 1].tolist())
        sets, left = sets[keep], left[:, keep]
    return sets if len(sets) <= most else None


def _may_become_maximal(
    sets: NDArray[np.bool_],
    left: NDArray[np.int64],
    weights: NDArray[np.int64],
    rest: NDArray[np.int64],
    passed: Sequence[int],
) -> NDArray[np.bool_]:
    """Leave out sets that have room for an option they passed over, even if all others join."""
    spare = left - rest[:, None]
    keep = np.ones(len(sets), dtype=bool)
    for option in passed:
        keep &= sets[:, option] | (spare < weights[:, option][:, None]).any(axis=0)
    return keep


class Listed:
    """A part whose maximal sets are listed."""

    def __init__(
        self, options: NDArray[np.intp], sets: NDArray[np.bool_], state: NDArray[np.int8]
    ) -> None:
        self.options = options
        self._sets, self._counts = sets, sets.astype(np.float64)
        self._in, self._out = state == IN, state == OUT

    def most(self) -> int:
        """Give the size of the largest set."""
        return int(self._sets.sum(axis=1).max())

    def decided(self, state: NDArray[np.int8]) -> Part | None:
        """Keep the sets that hold all that are in."""
        sets = self._sets[self._sets[:, state == IN].all(axis=1)]
        return Listed(self.options, sets, state) if len(sets) else None

    def best(self, gains: Matrix) -> Best:
        """Give the best set; of a maximal set, what brings nothing is left out."""
        worth = self._worth(gains)
        values = self._counts @ worth
        best = int(values.argmax())
        share = self._counts[best] * ((worth > 0.0) | self._in)
        return Best(float(values[best]), share)

    def penalties(self, gains: Matrix) -> tuple[Matrix, Matrix]:
        """Compare the best set with the best ones that hold each option, and that do not."""
        worth = self._worth(gains)
        values = self._counts @ worth
        best = values.max()
        holding = np.where(self._sets, values[:, None], -np.inf).max(axis=0)
        without = (values[:, None] - self._counts * worth).max(axis=0)
        return best - holding - np.minimum(gains, 0.0), best - without

    def _worth(self, gains: Matrix) -> Matrix:
        worth = np.maximum(gains, 0.0)
        worth[self._out] = 0.0
        worth[self._in] = gains[self._in]
        return worth


class Fractions:
    """A part with too many sets to list: each row alone, filled by gain per weight, bounds it."""

    def __init__(
        self,
        options: NDArray[np.intp],
        weights: NDArray[np.int64],
        budgets: NDArray[np.int64],
        state: NDArray[np.int8],
    ) -> None:
        self.options = options
        self._weights, self._budgets, self._state = weights, budgets, state
        self._left = budgets - weights[:, state == IN].sum(axis=1)
        self._free = (state == FREE) & (weights <= self._left[:, None]).all(axis=0)

    def most(self) -> int:
        """Give the least of what the rows alone allow, the lightest first."""
        lightest = np.cumsum(np.sort(self._weights, axis=1), axis=1)
        return int((lightest <= self._budgets[:, None]).sum(axis=1).min())

    def decided(self, state: NDArray[np.int8]) -> Part | None:
        """Take the weights of those that are in off the budgets."""
        made = Fractions(self.options, self._weights, self._budgets, state)
        return made if (made._left >= 0).all() else None

    def best(self, gains: Matrix) -> Best:
        """Give the least of the rows' bounds."""
        return min((self._by_row(gains, row)[0] for row in range(len(self._left))), key=_gain)

    def penalties(self, gains: Matrix) -> tuple[Matrix, Matrix]:
        """Price the row that bounds best: what an option gains beyond its price is lost without."""
        rows = (self._by_row(gains, row) for row in range(len(self._left)))
        price = min(rows, key=lambda filled: filled[0].gain)[1]
        # What has no room beside those that are in cannot come in, and being out costs nothing.
        into = np.where(self._free, np.maximum(-price, 0.0), np.inf)
        out = np.where(self._free, np.maximum(price, 0.0), 0.0)
        return into, out

    def _by_row(self, gains: Matrix, row: int) -> tuple[Best, Matrix]:
        """Fill one row; gives the bound, and each option's gain beyond the price of its weight."""
        weights, left = self._weights[row].astype(np.float64), float(self._left[row])
        share = np.where(self._free & (gains > 0.0) & (weights == 0.0), 1.0, 0.0)
        wanted = np.flatnonzero(self._free & (gains > 0.0) & (weights > 0.0))
        order = wanted[np.argsort(-gains[wanted] / weights[wanted], kind="stable")]
        before = np.cumsum(weights[order]) - weights[order]
        share[order] = np.clip((left - before) / weights[order], 0.0, 1.0)
        split = order[share[order] < 1.0]
        price = gains[split[0]] / weights[split[0]] if len(split) else 0.0
        share[self._state == IN] = 1.0
        return Best(float(gains @ share), share), gains - price * weights


def _gain(best: Best) -> float:
    return best.gain
