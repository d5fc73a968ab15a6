"""How many layers of a model an accelerator takes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from services.node.ledger import Amounts

if TYPE_CHECKING:
    from collections.abc import Callable

    from quorate.models.memory import MemoryEstimate

CARD_MARGIN_BYTES: Final = 400 * 2**20
"""What stays free on each card: the driver's own context, and kernels that llama.cpp loads."""
ALL_LAYERS: Final = -1
"""The setting that asks for as many layers as fit."""


@dataclass(frozen=True)
class Card:
    """One accelerator; a `unified` one has no memory of its own but shares the machine's."""

    free_bytes: int
    unified: bool = False


def fit_layers(
    wanted: int, layers: int, estimate: Callable[[int], MemoryEstimate], cards: Sequence[Card]
) -> int:
    """Give how many layers to put on the cards: as wanted, or as many as fit for ALL_LAYERS.

    `estimate` tells the memory for a number of layers; one more than the model's `layers` is its
    output. Where memory is unified all layers go to the card: what they take is the same anywhere.
    """
    if not cards:
        return 0
    most = layers + 1
    if wanted != ALL_LAYERS:
        return min(wanted, most)
    if all(card.unified for card in cards):
        return most
    room = sum(max(0, card.free_bytes - CARD_MARGIN_BYTES) for card in cards if not card.unified)
    fitting = [n for n in range(1, most + 1) if estimate(n).device_bytes <= room]
    return max(fitting, default=0)


def amounts(estimate: MemoryEstimate, cards: Sequence[Card]) -> Amounts:
    """Tell where an estimate's memory lies; a unified card's is the machine's own."""
    if not cards or all(card.unified for card in cards):
        return Amounts(estimate.total_bytes)
    return Amounts(estimate.host_bytes, estimate.device_bytes)
