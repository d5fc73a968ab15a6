"""Which ways of planning there are: one function and one row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from quorate.errors import InvalidRequest, nearest
from services.coordinator.routing.baselines import random, round_robin
from services.coordinator.routing.greedy import greedy
from services.coordinator.routing.mip import exact, mip
from services.coordinator.routing.relaxed import lp_relaxed, scs_relaxed

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Solver


class Mode(NamedTuple):
    """A way of planning, and what it is in a line."""

    solver: Solver
    description: str


DEFAULT: Final = "mip"
MODES: Final[Mapping[str, Mode]] = {
    "mip": Mode(mip, "exact, by the problem's structure, then CVXPY and HiGHS"),
    "highs": Mode(exact, "exact, by CVXPY and HiGHS alone: slower, to compare with"),
    "lp_relaxed": Mode(lp_relaxed, "the linear relaxation, rounded so that it fits"),
    "scs_relaxed": Mode(scs_relaxed, "the same by SCS, for when HiGHS fails"),
    "greedy": Mode(greedy, "the model that adds most, again and again, while one fits"),
    "round_robin": Mode(round_robin, "models in their order while they fit, tasks in turn"),
    "random": Mode(random, "models and workers by lot, within the memory"),
}
"""By the name that a caller gives."""


def find(name: str) -> Mode:
    """Give a way of planning. Raises InvalidRequest, with the nearest names, for an unknown one."""
    if name not in MODES:
        raise InvalidRequest.field(
            "routing", name, "no way of planning has that name", nearest(name, MODES).strip()
        )
    return MODES[name]
