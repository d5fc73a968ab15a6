"""Mixture of agents: layers of models that read the layer before (arXiv 2406.04692).

`rounds` counts the layers after the proposals, the last of which is one model that concludes. With
one model and several samples this is Self-MoA (arXiv 2502.00674): one model combines its own
samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.coordinator import electorate
from services.coordinator.orchestrate.counts import MOA_LAYERS
from services.coordinator.orchestrate.layers import Layers

if TYPE_CHECKING:
    from services.coordinator.orchestrate.floor import Floor
    from services.coordinator.outcome import Decision
    from services.coordinator.question import Ballot


async def moa(floor: Floor) -> Decision:
    """Let every model combine the answers of all, layer by layer, and one conclude."""
    most = floor.question.rounds or MOA_LAYERS
    held = Layers(floor, "moa", _whole)
    await held.add(await floor.everybody(floor.until(most)))
    members = {(member.node, member.model): member for member in floor.work.members}
    for number in range(1, most):
        if not held.material or floor.seconds_left <= 0.0:
            break
        seats = [
            (members[seat.node, seat.model], seat._replace(round=number))
            for seat in electorate.seats(floor.work.members, floor.work.samples)
        ]
        await held.add(await floor.each(held.asks(seats), floor.until(most - number)))
    return await held.concluded(most)


def _whole(ballot: Ballot) -> str:
    return ballot.text
