"""How good a plan can be at most: the Lagrangian bound, with a price for each task. Pure.

With prices v[m], the objective is at most Σ voters[m]·v[m] plus, part by part, the most that a set
of options in memory gains, where an option gains Σ_m max(0, u[i,m] - v[m]) - opening[i]. The least
of these bounds over v is at most the linear relaxation's with x ≤ y, and less where a part's
memory is not filled by fractions (Geoffrion 1974). Rows that bind parts to each other have prices
too, at least 0: what an option weighs there is paid from its gain, and the row's budget paid out.

Prices move along the subgradient, voters minus workers, by Polyak's step; where it turns back on
the last direction, that one is added (Camerini, Fratta, Maffioli 1975), without which the prices of
links zigzag and stay above by a tenth of a percent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from services.coordinator.routing.structure_parts import FREE, IN, OUT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from services.coordinator.routing.problem import Matrix
    from services.coordinator.routing.structure_core import Core
    from services.coordinator.routing.structure_parts import Part

PATIENCE: Final = 12
"""Steps without a better bound until the steps become smaller."""
SMALLER: Final = 0.7
BETTER: Final = 1e-4
"""The share of its distance to the best plan by which a bound must fall to count as better."""
DEFLECTION: Final = 1.5
UNKNOWN: Final = 0.05
"""By which share of itself a bound may have to fall while there is no plan to compare with."""
LOOK_EVERY: Final = 10
"""Steps between looks at the plan beside the bound."""


class Bound(NamedTuple):
    """A proved bound, the prices that prove it, and what each option gains at them.

    `prices` (g + l,) are those of the core's groups of tasks, then those of its links; these in the
    unit of `_link_unit`, in which both are moved alike.
    """

    value: float
    prices: Matrix
    gains: Matrix


class _Point(NamedTuple):
    value: float
    slope: Matrix
    gains: Matrix
    share: Matrix


def first_prices(core: Core) -> Matrix:
    """Price each task at its best option that would not work if all were in memory."""
    ranked = -np.sort(-core.utility, axis=0)
    place = np.minimum(core.voters, len(ranked) - 1)
    tasks = ranked[place, np.arange(len(place))]
    return np.concatenate([tasks, np.zeros(int(core.links.sum()))])


def descend(
    core: Core,
    parts: Sequence[Part],
    prices: Matrix,
    steps: int,
    look: Callable[[Matrix], float],
    enough: Callable[[float], bool],
) -> Bound:
    """Lower the bound by at most `steps` steps, or until it is low `enough`.

    `look` is shown which share of each option is in memory beside the bound, and gives the
    objective of the best plan known.
    """
    best, size, stalled = Bound(np.inf, prices, prices), 1.0, 0
    at, way, lower = prices, np.zeros(len(prices)), -np.inf
    for step in range(steps):
        point = _at(core, parts, at)
        fell = best.value - point.value
        stalled = 0 if fell > BETTER * max(point.value - lower, 0.0) else stalled + 1
        if fell > 0.0:
            best = Bound(point.value, at, point.gains)
        if step % LOOK_EVERY == 0:
            lower = look(point.share)
        way = _deflected(point.slope, way)
        length = float(way @ way)
        if enough(best.value) or length == 0.0:
            break
        if stalled >= PATIENCE:
            size, stalled, at, way = size * SMALLER, 0, best.prices, np.zeros(len(prices))
            continue
        at = at - size * _distance(point.value, lower) / length * way
        links = at[len(core.voters) :]
        np.maximum(links, 0.0, out=links)
    return best


def _deflected(slope: Matrix, last: Matrix) -> Matrix:
    """Turn a slope that goes back on the last way so that it goes on along it."""
    back = float(slope @ last)
    if back >= 0.0:
        return slope
    return slope - DEFLECTION * back / float(last @ last) * last


def _distance(bound: float, lower: float) -> float:
    """Say how far the bound may have to fall: to the best plan, or a little while none is known."""
    if lower == -np.inf:
        return UNKNOWN * max(1.0, abs(bound))
    return max(bound - lower, 1e-9)


def _link_unit(core: Core) -> float:
    """Give the unit of links' prices: a copy gains on all tasks at once, so they move further.

    Measured with 1 to all tasks' weight: its fourth root came nearest to the bound.
    """
    return float(core.weight.sum() ** 0.25)


def _at(core: Core, parts: Sequence[Part], prices: Matrix) -> _Point:
    groups = len(core.voters)
    tasks, unit = prices[:groups], _link_unit(core)
    above = np.maximum(core.utility - tasks, 0.0)
    gains = above @ core.weight - core.opening
    total = float((core.weight * core.voters) @ tasks)
    rows, budgets, links = core.rows[core.links], core.budgets[core.links], prices[groups:] * unit
    if len(links):
        gains -= links @ rows
        total += float(links @ budgets)
    share = np.zeros(len(gains))
    for part in parts:
        best = part.best(gains[part.options])
        share[part.options] = best.share
        total += best.gain
    slope = core.weight * (core.voters - share @ (above > 0.0))
    left = (budgets - rows @ share) * unit
    left = np.where(links > 0.0, left, np.minimum(left, 0.0))  # a price of 0 does not fall
    return _Point(total, np.concatenate([slope, left]), gains, share)


def proved(
    parts: Sequence[Part], bound: Bound, state: NDArray[np.int8], lower: float
) -> tuple[NDArray[np.int8], Matrix, Matrix]:
    """Decide what the bound decides: forced the other way, no plan better than `lower` is left.

    Gives the new state and what the bound falls by when each option is forced in, and out.
    """
    into, out = np.zeros(len(state)), np.zeros(len(state))
    for part in parts:
        into[part.options], out[part.options] = part.penalties(bound.gains[part.options])
    decided = state.copy()
    free = state == FREE
    decided[free & (bound.value - into <= lower)] = OUT
    decided[free & (bound.value - out <= lower)] = IN
    return decided, into, out
