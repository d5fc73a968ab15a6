"""A model's file as the node knows it: what it says, its fingerprint, what it will cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from quorate import models
from quorate.errors import ModelUnusable
from quorate.models import gguf, memory

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from quorate.models.memory import MemoryEstimate

LONGEST_CONTEXT_BY_DEFAULT: Final = 4096


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
            batch_tokens=memory.CHUNK_TOKENS + settings.slots,
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
    pool = memory.pool(
        header,
        slots=settings.slots,
        context_tokens=context,
        layout=settings.kv_layout,
        cache_type=settings.cache_type,
    )
    return ModelFile(header, identity, gguf.sha256(path), context, pool.tokens, pool.split)
