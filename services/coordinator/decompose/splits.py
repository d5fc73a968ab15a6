"""What a split is: the parts of a question, who found them, and why it is like this. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.coordinator.decompose.dag import Subtask
from services.coordinator.decompose.describing import described


class SplitBy(StrEnum):
    """Who split a question; NONE: it is whole."""

    RULES = "rules"
    MODEL = "model"
    NONE = "none"


@dataclass(frozen=True)
class Split:
    """The parts of a question, parents first, and why it was split like this or left whole.

    A split that is `doubtful` is whole because rules saw several requests but could not tell
    whether they stand alone; a model may.
    """

    parts: tuple[Subtask, ...]
    reason: str
    decomposed_by: SplitBy = SplitBy.NONE
    doubtful: bool = False


def whole(question: str, reason: str, *, doubtful: bool = False) -> Split:
    """Leave a question as it is, and say why."""
    part = described(Subtask("t1", question))
    return Split((part,), f"left whole: {reason}", doubtful=doubtful)
