"""Reads the events of one question as they come: where its time went, and what was loaded. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from quorate.v1 import coordinator_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quorate.v1.coordinator_pb2 import AskStreamResponse, PlanStep, Residency

OWN_PLAN: Final = "planning model"
"""The name of the solver where the planning model's own plan was used."""


@dataclass
class Timeline:
    """Events with the time at which each came, in seconds since the question was sent.

    `resident` are the models in memory before it.
    """

    resident: frozenset[str]
    steps: list[PlanStep] = field(default_factory=list)
    moves: list[Residency] = field(default_factory=list)
    hidden: int = 0
    planning: float = 0.0
    decided_at: float = 0.0
    _known: set[str] = field(default_factory=set)
    _ahead: set[str] = field(default_factory=set)
    _planned_at: dict[str, float] = field(default_factory=dict)
    _begun: dict[int, float] = field(default_factory=dict)
    _layer_began: float = 0.0

    def __post_init__(self) -> None:
        self._known = set(self.resident)

    @property
    def waiting(self) -> float:
        """Give the seconds from each layer's plan until all its models had begun, summed up."""
        return sum(self._begun.values())

    def hear(self, event: AskStreamResponse, at: float) -> None:
        """Take the next event."""
        kind = event.WhichOneof("event")
        if kind == "plan_step":
            self._step(event.plan_step, at)
        elif kind == "residency" and event.residency.done:
            self.moves.append(event.residency)
        elif kind == "ballot":
            times = event.ballot.timings
            first = at - times.total_seconds + times.time_to_first_token_seconds
            self._begin(event.ballot.part_id, first)
        elif kind == "part":
            self.decided_at = self._layer_began = at

    def _step(self, step: PlanStep, at: float) -> None:
        self.planning += at - self._layer_began
        self.steps.append(step)
        for part in step.subtask_ids:
            self._planned_at[part] = at
        now, moves = _in_memory(step), step.routing.residency
        self.hidden += len(now - self._known - self._ahead)
        gone = {move.model for move in moves if not _loads(move)}
        self._known = (now - gone) | {move.model for move in moves if _loads(move)}
        self._ahead |= {move.model for move in moves if move.ahead}  # they may come later

    def _begin(self, part: str, at: float) -> None:
        """Note when a part's first token came; a layer waits for the last of them."""
        planned = self._planned_at.get(part)
        if planned is not None:
            number = len(self.steps) - 1
            self._begun[number] = max(self._begun.get(number, 0.0), at - planned)


def _in_memory(step: PlanStep) -> set[str]:
    """Name the models that a plan found in memory: loading them costs nothing."""
    return {one.model for one in step.routing.estimates if one.switch_cost == 0.0}


def _loads(move: Residency) -> bool:
    return move.kind == coordinator_pb2.Residency.KIND_LOAD


def loads(moves: Iterable[Residency]) -> list[Residency]:
    """Keep the loads that did not fail."""
    return [move for move in moves if _loads(move) and not move.problem]


def switch_cost(step: PlanStep) -> float:
    """Sum up what a plan's loads cost in its objective; loads ahead are not counted."""
    loaded = {move.model for move in step.routing.residency if _loads(move) and not move.ahead}
    costs = {one.model: one.switch_cost for one in step.routing.estimates}
    return sum(costs.get(model, 0.0) for model in loaded)
