"""How much memory an engine takes, told by a model's header before anything is loaded. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from quorate.errors import InvalidRequest

if TYPE_CHECKING:
    from quorate.models.gguf import GgufHeader

CACHE_TYPES: Final[Mapping[str, float]] = {"f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
"""Bytes that one number of the key-value cache takes, by its type."""
PROCESS_BYTES: Final = 48 * 2**20
"""What an engine process holds before it has a model: the interpreter and its libraries."""


@dataclass(frozen=True)
class MemoryEstimate:
    """What one engine will hold, in bytes, once it has computed a full batch."""

    weights_bytes: int
    cache_bytes: int
    compute_bytes: int
    process_bytes: int

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.weights_bytes + self.cache_bytes + self.compute_bytes + self.process_bytes


def estimate(
    header: GgufHeader,
    *,
    pool_tokens: int,
    slots: int,
    batch_tokens: int = 264,
    cache_type: str = "f16",
    gpu_layers: int = 0,
) -> MemoryEstimate:
    """Estimate what an engine of a model takes.

    `pool_tokens` is what all `slots` may hold together, `batch_tokens` what one step computes.
    Raises InvalidRequest for a cache type that is none of CACHE_TYPES.
    """
    if cache_type not in CACHE_TYPES:
        raise InvalidRequest.field(
            "cache_type", cache_type, f"it must be one of {', '.join(CACHE_TYPES)}", "Choose one."
        )
    cache = header.kv_bytes_per_token * pool_tokens * CACHE_TYPES[cache_type] / 2
    logits = (batch_tokens + slots) * header.vocabulary_tokens * 4
    return MemoryEstimate(header.file_bytes, round(cache), logits, PROCESS_BYTES)
