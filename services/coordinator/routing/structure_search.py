"""Branch and bound over what is in memory: options are decided in or out, one by one. Pure.

Best bound first, so that what is left open when the time is over is a proved bound.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from services.coordinator.routing.structure_bound import descend, first_prices, proved
from services.coordinator.routing.structure_exchange import improved
from services.coordinator.routing.structure_parts import FREE, IN, OUT, parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from services.coordinator.routing.problem import Matrix
    from services.coordinator.routing.structure_core import Core
    from services.coordinator.routing.structure_parts import Part

ROOT_STEPS: Final = 200
NODE_STEPS: Final = 40
ROUNDING: Final = 1e-9
"""A bound this little above a plan, relatively, leaves nothing to be found."""


class Found(NamedTuple):
    """The best members of memory found (places in the core), and what is proved about them.

    Every better plan takes only options that are `hopeful`.
    """

    members: NDArray[np.intp]
    value: float
    bound: float
    nodes: int
    hopeful: NDArray[np.intp]


class _Open(NamedTuple):
    """A branch that is open: what is decided, and the prices to start from. Ordered by bound."""

    minus_bound: float
    number: int
    state: NDArray[np.int8]
    prices: Matrix


class _Search:
    """One search: the best plan so far, and the branches left. Owned by one call."""

    def __init__(self, core: Core, until: float) -> None:
        self._core, self._until = core, until
        self._parts = parts_of(core)
        self._seen: set[bytes] = set()
        self._numbers = itertools.count()
        self.members = np.zeros(0, dtype=np.intp)
        self.value = -math.inf
        self.nodes = 0
        self.hopeful = np.arange(len(core.opening))
        self._gap = math.inf

    def run(self) -> float:
        """Search; gives a proved bound, which is the value when the search came to its end.

        Minus infinity when too few options fit, infinity when that may be so.
        """
        if sum(part.most() for part in self._parts) < int(self._core.voters.max()):
            return -math.inf
        enough = len(self._lightest()) >= int(self._core.voters.max())
        if self._core.links.any() and not (enough or self._start()):
            return math.inf  # too few different models may fit, which is not for bounds to prove
        undecided = np.zeros(len(self._core.opening), dtype=np.int8)
        waiting = [_Open(-math.inf, 0, undecided, first_prices(self._core))]
        while waiting:
            if self._over():
                return max(self.value, -waiting[0].minus_bound)
            branch = heapq.heappop(waiting)
            if self._enough(-branch.minus_bound):
                break
            self._gap = -branch.minus_bound - self.value
            self.nodes += 1
            for child in self._expanded(branch):
                heapq.heappush(waiting, child)
        return self.value

    def _start(self) -> bool:
        """Begin with what is lightest, where the bound shows no plan; whether that made one."""
        self._keep(improved(self._core, self._lightest(), self._until))
        return self.value > -math.inf

    def _lightest(self) -> NDArray[np.intp]:
        weights = self._core.rows.sum(axis=0, dtype=np.float64)
        return self._fitting(2.0 - weights / max(1.0, float(weights.max(initial=1.0))))

    def _over(self) -> bool:
        return time.perf_counter() > self._until

    def _enough(self, bound: float) -> bool:
        return bound <= self.value + ROUNDING * max(1.0, abs(self.value))

    def _expanded(self, branch: _Open) -> list[_Open]:
        """Bound a branch, decide what that proves, and split what is open."""
        parts = self._decided(branch.state)
        if parts is None:
            return []
        steps = NODE_STEPS if self.nodes > 1 else ROOT_STEPS
        bound = descend(self._core, parts, branch.prices, steps, self._look, self._enough)
        if self.value == -math.inf:
            self._start()
        value = min(bound.value, -branch.minus_bound)
        if self._enough(value):
            return []
        state, into, out = proved(parts, bound, branch.state, self.value)
        if self.nodes == 1:
            self.hopeful = np.flatnonzero(state != OUT)
        open_ = np.flatnonzero(state == FREE)
        if not len(open_):
            self._look((state == IN).astype(np.float64))
            return []
        split = open_[int(np.minimum(into, out)[open_].argmax())]
        made = []
        for decision, fall in ((IN, into[split]), (OUT, out[split])):
            child = state.copy()
            child[split] = decision
            self._follow(child)
            left = min(value, bound.value - max(0.0, float(fall)))
            if not self._enough(left):
                made.append(_Open(-left, next(self._numbers), child, bound.prices))
        return made

    def _follow(self, state: NDArray[np.int8]) -> None:
        """Put out all options for which those that are in leave no room."""
        left = self._core.budgets - self._core.rows[:, state == IN].sum(axis=1)
        state[(state == FREE) & (self._core.rows > left[:, None]).any(axis=0)] = OUT

    def _decided(self, state: NDArray[np.int8]) -> Sequence[Part] | None:
        made = [part.decided(state[part.options]) for part in self._parts]
        kept = [part for part in made if part is not None]
        return kept if len(kept) == len(made) else None

    def _look(self, share: Matrix) -> float:
        """Improve what is in memory beside a bound, once, and keep it when it is the best."""
        members = self._fitting(share)
        key = members.tobytes()
        if key not in self._seen:
            self._seen.add(key)
            # Steps take longer than bounds; from a plan this far behind they rarely lead ahead.
            if not self._core.value(members) < self.value - self._gap:
                self._keep(improved(self._core, members, self._until))
        return self.value

    def _fitting(self, share: Matrix) -> NDArray[np.intp]:
        """Take what has the largest share in memory, and fits."""
        members = np.flatnonzero(share > 0.5)
        if self._core.fits(members):
            return members
        left, taken = self._core.budgets.copy(), list[int]()
        for option in members[np.argsort(-share[members], kind="stable")]:
            if (self._core.rows[:, option] <= left).all():
                left -= self._core.rows[:, option]
                taken.append(int(option))
        return np.array(sorted(taken), dtype=np.intp)

    def _keep(self, members: NDArray[np.intp]) -> None:
        value = self._core.value(members)
        if value > self.value:
            self.members, self.value = members, value


def search(core: Core, until: float) -> Found:
    """Find the best members of memory until a time (`time.perf_counter`).

    The value is minus infinity when none were found, and the bound too when there are none.
    """
    searching = _Search(core, until)
    bound = searching.run()
    return Found(searching.members, searching.value, bound, searching.nodes, searching.hopeful)
