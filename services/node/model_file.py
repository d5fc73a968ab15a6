"""A model's file as the node knows it: what it says, its fingerprint, what it will cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from quorate import models
from quorate.errors import ModelUnusable
from quorate.models import gguf, memory
from quorate.models.memory import CACHE_TYPES, MemoryEstimate

if TYPE_CHECKING:
    from quorate.config import ModelSettings

LONGEST_CONTEXT_BY_DEFAULT: Final = 4096
SHARED_POOL_TOKENS: Final = 8_192
"""Tokens that all slots of a model share where each has none of its own."""
LARGEST_SPLIT_BYTES: Final = 2**30
"""A cache of up to this size, or that of the weights, is split among the slots by default."""
CHUNK_TOKENS: Final = 256
"""Tokens of prompts that one step of an engine computes, beside one for each slot."""


@dataclass(frozen=True)
class ModelFile:
    """A file that was looked at; `identity` tells whether it is still the same."""

    header: gguf.GgufHeader
    identity: gguf.Identity
    sha256: str
    context_tokens: int
    pool_tokens: int
    split: bool

    def estimate(self, settings: ModelSettings, gpu_layers: int = 0) -> MemoryEstimate:
        """Estimate what one engine of the model will hold."""
        return memory.estimate(
            self.header,
            pool_tokens=self.pool_tokens,
            slots=settings.slots,
            batch_tokens=CHUNK_TOKENS + settings.slots,
            cache_type=settings.cache_type,
            gpu_layers=gpu_layers,
            split=self.split,
        )


def inspect(settings: ModelSettings) -> ModelFile:
    """Look at the file of a model; reads all of it, for its SHA-256.

    Raises UnknownModel or ModelUnusable that says what is wrong with it.
    """
    path = models.resolve(settings)
    identity = gguf.identity(path)
    header = gguf.read_header(path)
    if not header.vocabulary_tokens:
        raise ModelUnusable(f"{path} has no vocabulary: it is not a language model")
    own = min(header.context_tokens or LONGEST_CONTEXT_BY_DEFAULT, LONGEST_CONTEXT_BY_DEFAULT)
    context = settings.context_tokens or own
    split = _splits(settings, header, context)
    pool = settings.slots * context
    if not split:
        pool = max(context, min(pool, SHARED_POOL_TOKENS))
    return ModelFile(header, identity, gguf.sha256(path), context, pool, split)


def _splits(settings: ModelSettings, header: gguf.GgufHeader, context: int) -> bool:
    """Whether each slot has cells of its own (docs/adr/0007-kv-layout.md)."""
    if settings.kv_layout != "auto":
        return settings.kv_layout == "split"
    cache = settings.slots * context * header.kv_bytes_per_token * CACHE_TYPES[settings.cache_type]
    return cache / CACHE_TYPES["f16"] <= max(LARGEST_SPLIT_BYTES, header.file_bytes)
