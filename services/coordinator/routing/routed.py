"""A plan for some parts: who works on what, what is loaded for it, and what was proved. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from services.coordinator.question import Member
    from services.coordinator.routing.estimates import Estimates
    from services.coordinator.routing.moves import Move
    from services.coordinator.routing.problem import Solution
    from services.coordinator.routing.residency import Use


@dataclass(frozen=True)
class Routed:
    """A solved routing problem.

    `assigned` gives each part's voters by its id, in the order in which votes are folded. `moves`
    are what the plan loads and unloads, `uses` what it takes of each pool. `violations` were found
    by checking the plan from scratch; there should be none.
    """

    mode: str
    solution: Solution
    estimates: Estimates
    assigned: Mapping[str, tuple[Member, ...]]
    moves: tuple[Move, ...]
    uses: tuple[Use, ...]
    violations: tuple[str, ...] = ()


class PlanStep(NamedTuple):
    """A layer's plan: the parts that are ready, and later ones that it looked ahead at.

    `again` says why a layer was planned again, "" for its first plan.
    """

    layer: int
    ready: tuple[str, ...]
    ahead: tuple[str, ...]
    routed: Routed
    again: str = ""
