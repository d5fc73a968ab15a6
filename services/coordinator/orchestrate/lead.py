"""A call that one model makes for all: the most reliable that can."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from services.coordinator.orchestrate.counts import MOST_LEADS
from services.coordinator.orchestrate.floor import Ask
from services.coordinator.question import Ballot, Drawing, Message, Seat

if TYPE_CHECKING:
    from services.coordinator.orchestrate.floor import Floor


async def spoken(
    floor: Floor,
    messages: tuple[Message, ...],
    number: int,
    drawing: Drawing | None = None,
    read: Callable[[Ballot], Ballot] | None = None,
) -> list[Ballot]:
    """Ask the leads one after the other until one gives an answer; the last ballot may be it.

    All ballots are given, because those that failed cost tokens too.
    """
    heard: list[Ballot] = []
    for member in floor.leads[:MOST_LEADS]:
        if floor.seconds_left <= 0.0:
            break
        seat = Seat(member.node, member.model, 0, number)
        own = drawing or surest(floor.work.drawing)
        ask = Ask(member, seat, messages, drawing=own, read=read)
        heard += await floor.one(ask, floor.work.deadline)
        if heard[-1].voted is not None:
            break
    return heard


def surest(drawing: Drawing) -> Drawing:
    """Draw greedily where it was only the number of samples that asked for warmth."""
    return drawing if drawing.temperature is None else drawing._replace(temperature=0.0)
