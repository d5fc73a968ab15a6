"""Which strategies ask more than once: one function and one row each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from quorate import voting
from services.coordinator.orchestrate.best_of_n import best_of_n
from services.coordinator.orchestrate.cascade import cascade
from services.coordinator.orchestrate.debate import debate
from services.coordinator.orchestrate.moa import moa
from services.coordinator.orchestrate.pacore import pacore
from services.coordinator.orchestrate.ranking import ranked
from services.coordinator.orchestrate.universal import universal

if TYPE_CHECKING:
    from services.coordinator.orchestrate.floor import Floor
    from services.coordinator.outcome import Decision
    from services.coordinator.question import Question

Orchestration: TypeAlias = "Callable[[Floor], Awaitable[Decision]]"

ORCHESTRATIONS: Final[Mapping[str, Orchestration]] = {
    "debate": debate,
    "moa": moa,
    "pacore": pacore,
    "universal": universal,
    "best_of_n": best_of_n,
}
"""By the strategy's name. Self-consistency needs none: its samples come from one plain call."""


def of(question: Question) -> Orchestration | None:
    """Give how a question is to be held, None for a plain vote."""
    if question.cascade:
        return cascade
    if voting.find(question.strategy).ranked:
        return ranked
    return ORCHESTRATIONS.get(question.strategy)
