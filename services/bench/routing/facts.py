"""What coordinators take models to be worth, and what loading costs: the numbers in their plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from services.bench.routing.study import kind_of

if TYPE_CHECKING:
    from quorate.v1.coordinator_pb2 import Estimate
    from services.bench.suites.workflow import Step


class Worth(msgspec.Struct, frozen=True):
    """What a model is taken to be worth for steps of one kind."""

    task_type: str
    tokens: int
    model: str
    reliability: float
    token_cost: float


class Facts(msgspec.Struct, frozen=True):
    """All that a plan knows: worths, bytes and the cost of loading by model, and the memory."""

    budget_bytes: int
    memory_bytes: dict[str, int]
    switch_cost: dict[str, float]
    worths: tuple[Worth, ...]

    def worth(self) -> Mapping[tuple[str, str, int], Worth]:
        """Give worths by model, type of task and tokens."""
        return {(one.model, one.task_type, one.tokens): one for one in self.worths}


def facts_of(
    parts: Sequence[Step],
    estimates: Sequence[Estimate],
    budget_bytes: int,
    memory_bytes: Mapping[str, int],
) -> Facts:
    """Put facts together; the estimates were made with no model in memory."""
    kinds = {part.id: kind_of(part) for part in parts}
    worths = tuple(
        Worth(*kinds[one.subtask_id], one.model, one.reliability, one.token_cost)
        for one in estimates
    )
    costs = {one.model: one.switch_cost for one in estimates}
    return Facts(budget_bytes, dict(memory_bytes), costs, worths)
