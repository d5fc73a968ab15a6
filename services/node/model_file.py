"""A model's file as the node knows it: what it says, its fingerprint, what it will cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from quorate import models
from quorate.errors import ModelUnusable
from quorate.models import gguf

if TYPE_CHECKING:
    from quorate.config import ModelSettings

LONGEST_CONTEXT_BY_DEFAULT: Final = 4096
LARGEST_POOL_BY_DEFAULT: Final = 8_192
"""Tokens that all slots of a model share by default; a request reserves what it may need."""
COMPUTE_BYTES: Final = 32 * 2**20
"""What an engine holds beside weights and cache: the interpreter, and llama.cpp's work buffers."""


@dataclass(frozen=True)
class ModelFile:
    """A file that was looked at; `identity` tells whether it is still the same."""

    header: gguf.GgufHeader
    identity: gguf.Identity
    sha256: str
    context_tokens: int
    pool_tokens: int

    @property
    def memory_bytes(self) -> int:
        """Estimated memory when loaded."""
        cache = self.header.kv_bytes_per_token * self.pool_tokens
        return self.header.file_bytes + cache + COMPUTE_BYTES


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
    pool = max(context, min(settings.slots * context, LARGEST_POOL_BY_DEFAULT))
    return ModelFile(header, identity, gguf.sha256(path), context, pool)
