"""How much memory an engine takes, told by a model's header before anything is loaded. Pure.

The parts follow llama.cpp's graph and were compared with what it reports and with what the kernel
counts, over the shapes in `tests/unit/models/test_memory.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from quorate.errors import InvalidRequest

if TYPE_CHECKING:
    from quorate.models.header import GgufHeader

Layout: TypeAlias = Literal["auto", "split", "unified"]

CACHE_TYPES: Final[Mapping[str, float]] = {"f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
"""Bytes that one number of the key-value cache takes, by its type."""
PROCESS_BYTES: Final = 44 * 2**20
"""What an engine process holds beside the model: the interpreter and its libraries (measured)."""
TOKEN_BYTES: Final = 150
"""llama.cpp's and our tables, for each token of a vocabulary (measured over four vocabularies)."""
MERGE_BYTES: Final = 150
"""llama.cpp's table of merges, for each one (measured)."""
CACHE_STEP_TOKENS: Final = 256
"""llama.cpp rounds a cache up to whole steps of so many tokens."""
CHUNK_TOKENS: Final = 256
"""Tokens of prompts that one step of an engine computes, beside one for each slot."""
SHARED_POOL_TOKENS: Final = 8_192
"""Tokens that all slots of a model share where each has none of its own."""
LARGEST_SPLIT_BYTES: Final = 2**30
"""A cache of up to this size, or that of the weights, is split among the slots by default."""
_NUMBER_BYTES, _HALF_BYTES = 4, 2
_CANDIDATE_BYTES = 12


@dataclass(frozen=True)
class MemoryEstimate:
    """What one engine will hold, in bytes, once it has computed a full batch.

    `device_bytes` of `total_bytes` lie on an accelerator.
    """

    weights_bytes: int
    cache_bytes: int
    compute_bytes: int
    process_bytes: int
    device_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.weights_bytes + self.cache_bytes + self.compute_bytes + self.process_bytes

    @property
    def host_bytes(self) -> int:
        """What lies in the machine's own memory."""
        return self.total_bytes - self.device_bytes


class Pool(NamedTuple):
    """The tokens that all slots of an engine may hold, and whether each has its own part."""

    tokens: int
    split: bool


def pool(
    header: GgufHeader,
    *,
    slots: int,
    context_tokens: int,
    layout: Layout = "auto",
    cache_type: str = "f16",
) -> Pool:
    """Give what the slots of a model hold: by default, whole contexts where these stay small."""
    tokens = slots * context_tokens
    split = layout == "split"
    if layout == "auto":
        share = CACHE_TYPES[cache_type] / CACHE_TYPES["f16"]
        cache = tokens * header.kv_bytes_per_token * share
        split = cache <= max(LARGEST_SPLIT_BYTES, header.file_bytes)
    if not split:
        tokens = max(context_tokens, min(tokens, SHARED_POOL_TOKENS))
    return Pool(tokens, split)


def estimate(
    header: GgufHeader,
    *,
    pool_tokens: int,
    slots: int,
    batch_tokens: int = 264,
    cache_type: str = "f16",
    gpu_layers: int = 0,
    split: bool = False,
) -> MemoryEstimate:
    """Estimate what an engine of a model takes.

    `pool_tokens` is what all `slots` may hold together, each its part where they are `split`;
    `batch_tokens` is what one step computes, `gpu_layers` how many layers lie on an accelerator:
    one more than the model has is its output. Raises InvalidRequest for a cache type that is none
    of CACHE_TYPES.
    """
    if cache_type not in CACHE_TYPES:
        raise InvalidRequest.field(
            "cache_type", cache_type, f"it must be one of {', '.join(CACHE_TYPES)}", "Choose one."
        )
    parts = slots if split else 1
    cells = -(-pool_tokens // parts // CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS
    numbers = header.kv_bytes_per_token / _HALF_BYTES * cells * parts
    cache = round(numbers * CACHE_TYPES[cache_type])
    compute = _compute_bytes(header, cells, slots, batch_tokens)
    vocabulary = header.vocabulary_tokens * TOKEN_BYTES + header.vocabulary_merges * MERGE_BYTES
    share = min(gpu_layers, header.layers) / header.layers if header.layers else 0.0
    device = round(share * (cache + _layers_bytes(header)))
    if gpu_layers > 0:
        device += compute + (header.token_matrix_bytes if gpu_layers > header.layers else 0)
    return MemoryEstimate(
        weights_bytes=_weights_bytes(header),
        cache_bytes=cache,
        compute_bytes=compute,
        process_bytes=PROCESS_BYTES + vocabulary,
        device_bytes=device,
    )


def _weights_bytes(header: GgufHeader) -> int:
    """Count the weights that stay in memory.

    Of the matrix that turns tokens into vectors only the rows in use are read, from pages of the
    file that the kernel may take back: it counts where it also is the output, as it lies in the
    file or laid out anew.
    """
    only_input = header.token_matrix_bytes if header.output_matrix else 0
    return header.weights_bytes - only_input


def _layers_bytes(header: GgufHeader) -> int:
    matrices = 1 + header.output_matrix
    return max(0, header.weights_bytes - matrices * header.token_matrix_bytes)


def _compute_bytes(header: GgufHeader, cells: int, rows: int, batch_tokens: int) -> int:
    """Bytes of llama.cpp's work buffers: those of the widest layer, or of the rows of logits.

    The mask says for each token of a batch which cells it may look at. Logits are held twice: where
    they are computed, and where they are read; and each sampler has an array of candidates.
    """
    rows = min(rows, batch_tokens)
    logits = rows * header.vocabulary_tokens * _NUMBER_BYTES
    hidden = batch_tokens * header.embedding * _NUMBER_BYTES
    heads = header.heads * header.head_width
    feed_forward = 3 * header.feed_forward
    attention = 2 * heads + 2 * header.kv_heads * header.head_width
    layer = 3 * hidden + batch_tokens * max(feed_forward, attention) * _NUMBER_BYTES
    mask = batch_tokens * cells * _HALF_BYTES
    # Before a product the activations are quantised to a little over a byte each.
    work = batch_tokens * max(header.feed_forward, header.embedding, heads) * 34 // 32
    candidates = rows * header.vocabulary_tokens * _CANDIDATE_BYTES
    return mask + max(layer, logits + hidden) + logits + candidates + work
