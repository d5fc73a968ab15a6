"""Better plans by single steps: one option more, one less, or one for another. Pure.

All steps are valued at once: what an option adds on a task is what it is worth beyond the least of
those that work there now, or beyond the next one where that least is just put out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from services.coordinator.routing.structure_core import core_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from services.coordinator.routing.problem import Matrix, Problem
    from services.coordinator.routing.structure_core import Core

MISSING: Final = -1e6
"""What a task without an option counts: less than any that works, little enough to add exactly."""
TIED: Final = 1e-11
"""Objectives this near are equal: sums of a thousand terms around 1 are rounded by less."""


def neatened(problem: Problem, members: Iterable[int], until: float = math.inf) -> list[int]:
    """Improve what is in memory by single steps, and prefer earlier options among equal ones.

    Numbers of the problem's options, without any deadline's work. A member that another is as good
    as in everything may be left out; another then takes its place.
    """
    core = core_of(problem)
    wanted = set(members)
    places = [place for place, option in enumerate(core.options) if int(option) in wanted]
    better = improved(core, np.array(places, dtype=np.intp), until)
    return [int(option) for option in core.options[better]]


class _Steps(NamedTuple):
    """What every step changes: row k is putting out member k, the last row putting out nobody.

    Column j is taking in candidate j, the last column taking in nobody. Infeasible ones are -inf.
    """

    change: Matrix
    members: NDArray[np.intp]
    candidates: NDArray[np.intp]

    def after(self, out: int, taken: int) -> NDArray[np.intp]:
        """Give the members after a step."""
        left = np.delete(self.members, out) if out < len(self.members) else self.members
        if taken == len(self.candidates):
            return left
        return np.sort(np.append(left, self.candidates[taken]))


def improved(core: Core, members: NDArray[np.intp], until: float = math.inf) -> NDArray[np.intp]:
    """Take the best step until none is left, then exchanges for earlier options of equal worth.

    What was reached at the time `until` (`time.perf_counter`) is given as it is.
    """
    members = np.sort(members)
    while time.perf_counter() < until:
        steps = _steps(core, members)
        best = int(steps.change.argmax())
        out, taken = divmod(best, steps.change.shape[1])
        if steps.change[out, taken] <= TIED:
            earlier = _earlier(steps)
            if earlier is None:
                return members
            out, taken = earlier
        members = steps.after(out, taken)
    return members


def _earlier(steps: _Steps) -> tuple[int, int] | None:
    """Find an exchange that changes nothing but takes an earlier option for a later one."""
    tied = np.abs(steps.change[:-1, :-1]) <= TIED
    tied &= steps.candidates[None, :] < steps.members[:, None]
    places = np.argwhere(tied)
    return (int(places[0][0]), int(places[0][1])) if len(places) else None


def _steps(core: Core, members: NDArray[np.intp]) -> _Steps:
    groups = np.arange(len(core.voters))
    utility = core.utility[members]
    padding = np.full((int(core.voters.max()) + 1, len(groups)), MISSING)
    ranked = np.vstack([-np.sort(-utility, axis=0), padding])
    least, following = ranked[core.voters - 1, groups], ranked[core.voters, groups]
    works = utility >= least
    lost = np.where(works, utility - following, 0.0) @ core.weight - core.opening[members]
    candidates = np.setdiff1d(np.arange(len(core.opening)), members, assume_unique=True)
    bars = np.vstack([np.where(works, following, least), least])
    gained = np.zeros((len(bars), len(candidates) + 1))
    for place, candidate in enumerate(candidates):
        above = np.maximum(core.utility[candidate] - bars, 0.0)
        gained[:, place] = above @ core.weight - core.opening[candidate]
    gained[:-1] -= lost[:, None]
    gained[:, :-1][~_room(core, members, candidates)] = -np.inf
    return _Steps(gained, members, candidates)


def _room(core: Core, members: NDArray[np.intp], candidates: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether each candidate fits once each member, or in the last row nobody, is put out."""
    used = core.rows[:, members].sum(axis=1, keepdims=True)
    left = core.budgets[:, None] - np.concatenate([used - core.rows[:, members], used], axis=1)
    fits: NDArray[np.bool_] = (core.rows[:, None, candidates] <= left[:, :, None]).all(axis=0)
    return fits
