"""Parallel coordinated reasoning (PaCoRe, StepFun): widths k1, k2, …, then 1.

Each round's candidates read the conclusions of the round before, compacted and shuffled, and one
last call concludes. Candidates of a round are dealt over all members in turn.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from services.coordinator.orchestrate import peers
from services.coordinator.orchestrate.counts import PACORE_WIDTHS
from services.coordinator.orchestrate.floor import Ask
from services.coordinator.orchestrate.layers import Layers
from services.coordinator.question import Seat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.coordinator.orchestrate.floor import Floor
    from services.coordinator.outcome import Decision
    from services.coordinator.question import Member


async def pacore(floor: Floor) -> Decision:
    """Hold the rounds and let one model conclude."""
    widths = floor.question.widths or PACORE_WIDTHS
    held = Layers(floor, "pacore", peers.compacted)
    await held.add(await floor.each(_first(floor, widths[0]), floor.until(len(widths))))
    for number, width in enumerate(widths[1:], 1):
        if not held.material or floor.seconds_left <= 0.0:
            break
        asks = held.asks(_dealt(floor.work.members, width, number))
        await held.add(await floor.each(asks, floor.until(len(widths) - number)))
    return await held.concluded(len(widths))


def _first(floor: Floor, width: int) -> list[Ask]:
    """Ask for the first candidates: all of a member's in one call, whose prompt is read once."""
    counts = Counter(member for member, _ in _dealt(floor.work.members, width, 0))
    return [
        Ask(member, Seat(member.node, member.model, 0), floor.work.messages, samples)
        for member, samples in counts.items()
    ]


def _dealt(members: Sequence[Member], width: int, number: int) -> list[tuple[Member, Seat]]:
    """Deal the candidates of a round over the members, in the order of seats."""
    dealt = []
    for place in range(width):
        member = members[place % len(members)]
        seat = Seat(member.node, member.model, place // len(members), number)
        dealt.append((member, seat))
    return sorted(dealt, key=lambda one: one[1])
