"""How good a plan can be at most: the Lagrangian bound, with a price for each task. Pure.

With prices v[m], the objective is at most Σ voters[m]·v[m] plus, part by part, the most that a set
of options in memory gains, where an option gains Σ_m max(0, u[i,m] - v[m]) - opening[i]. The least
of these bounds over v is at most the linear relaxation's with x ≤ y, and less where a part's
memory is not filled by fractions (Geoffrion 1974). v moves along the subgradient, voters minus
workers, by Polyak's step. Rows that bind parts to each other have prices too, at least 0: what an
option weighs there is paid from its gain, and the row's budget is paid out.
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

PATIENCE: Final = 8
"""Steps without a better bound until the steps become smaller."""
SMALLER: Final = 0.7
UNKNOWN: Final = 0.05
"""By which share of itself a bound may have to fall while there is no plan to compare with."""
LOOK_EVERY: Final = 10
"""Steps between looks at the plan beside the bound."""


class Bound(NamedTuple):
    """A proved bound, the prices that prove it, and what each option gains at them."""

    value: float
    prices: Prices
    gains: Matrix


class Prices(NamedTuple):
    """What working on each task costs, and what each link of the core costs per copy."""

    tasks: Matrix
    links: Matrix


class _Point(NamedTuple):
    value: float
    slope: Prices
    gains: Matrix
    share: Matrix


def first_prices(core: Core) -> Prices:
    """Price each task at its best option that would not work if all were in memory."""
    ranked = -np.sort(-core.utility, axis=0)
    place = np.minimum(core.voters, len(ranked) - 1)
    return Prices(ranked[place, np.arange(len(place))], np.zeros(int(core.links.sum())))


def descend(
    core: Core,
    parts: Sequence[Part],
    prices: Prices,
    steps: int,
    look: Callable[[Matrix], float],
    enough: Callable[[float], bool],
) -> Bound:
    """Lower the bound by at most `steps` steps, or until it is low `enough`.

    `look` is shown which share of each option is in memory beside the bound, and gives the
    objective of the best plan known.
    """
    best, size, stalled = Bound(np.inf, prices, prices.tasks), 1.0, 0
    at = prices
    lower = -np.inf
    for step in range(steps):
        point = _at(core, parts, at)
        if point.value < best.value:
            gained = best.value - point.value
            stalled = 0 if gained > 1e-4 * max(point.value - lower, 0.0) else stalled + 1
            best = Bound(point.value, at, point.gains)
        else:
            stalled += 1
        if step % LOOK_EVERY == 0:
            lower = look(point.share)
        length = _length(core, point.slope)
        if enough(best.value) or length == 0.0:
            break
        if stalled >= PATIENCE:
            size, stalled, at = size * SMALLER, 0, best.prices
            continue
        at = _moved(core, at, point.slope, size * _distance(point.value, lower) / length)
    return best


def _distance(bound: float, lower: float) -> float:
    """Say how far the bound may have to fall: to the best plan, or a little while none is known."""
    if lower == -np.inf:
        return UNKNOWN * max(1.0, abs(bound))
    return max(bound - lower, 1e-9)


def _length(core: Core, slope: Prices) -> float:
    """Square the slope, in units in which a task and a link cost alike."""
    unit = _link_unit(core)
    return float(slope.tasks @ slope.tasks + unit * (slope.links @ slope.links))


def _moved(core: Core, prices: Prices, slope: Prices, step: float) -> Prices:
    links = np.maximum(prices.links - step * _link_unit(core) * slope.links, 0.0)
    return Prices(prices.tasks - step * slope.tasks, links)


def _link_unit(core: Core) -> float:
    """Give how much more a link's price moves than a task's: a copy gains on all tasks at once."""
    return float(core.weight.sum())


def _at(core: Core, parts: Sequence[Part], prices: Prices) -> _Point:
    above = np.maximum(core.utility - prices.tasks, 0.0)
    gains = above @ core.weight - core.opening
    total = float((core.weight * core.voters) @ prices.tasks)
    if len(prices.links):
        gains -= prices.links @ core.rows[core.links]
        total += float(prices.links @ core.budgets[core.links])
    share = np.zeros(len(gains))
    for part in parts:
        best = part.best(gains[part.options])
        share[part.options] = best.share
        total += best.gain
    slope = core.weight * (core.voters - share @ (above > 0.0))
    links = core.budgets[core.links] - core.rows[core.links] @ share
    links = np.where(prices.links > 0.0, links, np.minimum(links, 0.0))
    return _Point(total, Prices(slope, links), gains, share)


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
