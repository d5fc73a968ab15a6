"""Whose answers a model is shown, and what of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.answers import Kind
from services.coordinator.question import Ballot, Topology


def compacted(ballot: Ballot) -> str:
    """Reduce what a model said to its conclusion, as PaCoRe does between rounds.

    Free text has no conclusion apart from itself.
    """
    if ballot.answer is None or ballot.answer.kind in {Kind.TEXT, Kind.CODE}:
        return ballot.text
    return ballot.answer.text


def audience(place: int, speaking: Sequence[bool], topology: Topology) -> list[int]:
    """Give the places whose answers the debater at `place` reads, in order.

    In a ring these are the nearest who have something to say on both sides (arXiv 2406.11776: as
    good as all, and cheaper); in a full topology all others.
    """
    count = len(speaking)
    around = [(place + step) % count for step in range(1, count)]
    saying = [other for other in around if speaking[other]]
    if topology is Topology.RING and saying:
        saying = [saying[0], saying[-1]]
    return sorted(set(saying))
