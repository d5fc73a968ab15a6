"""What a layer's plan looks at: the parts that are ready, and later layers up to a depth. Pure.

With a depth above 0 one problem holds the ready parts and those after them, so their models share
the memory from the start; only the ready parts are carried out, and the rest is planned again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.coordinator.decompose.dag import Subtask


def window(
    layers: Sequence[Sequence[Subtask]], number: int, depth: int
) -> tuple[tuple[Subtask, ...], tuple[Subtask, ...]]:
    """Give the parts of a layer, and those of the `depth` layers after it."""
    later = tuple(part for layer in layers[number + 1 : number + 1 + depth] for part in layer)
    return tuple(layers[number]), later
