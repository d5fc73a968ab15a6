"""An answer that waits to be written, and its record as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from quorate.records import write
from services.coordinator.state.store import Kept

if TYPE_CHECKING:
    from quorate.records import Record
    from services.coordinator.outcome import Result
    from services.coordinator.question import Member, Question


class Answered(NamedTuple):
    """An answer with its question, those who were asked, and the time of day it was given."""

    question: Question
    members: Sequence[Member]
    result: Result
    at_seconds: float


def kept_of(record: Record) -> Kept:
    """Give a record as it is stored."""
    return Kept(record.question_id, record.at_seconds, write(record))
