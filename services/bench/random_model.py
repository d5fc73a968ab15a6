"""Writes a GGUF of a real model's shape with random weights: real speed, no sense.

The vocabulary is copied from another GGUF, so that prompts tokenize as usual. Only whole words are
ever the likeliest token, so a generation neither ends by itself nor splits a character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import gguf
import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType as WeightType

Blocks = npt.NDArray[np.uint8]

SPREAD: Final = 0.02
"""Standard deviation of the weights, as real models are initialized."""
BLOCK: Final = 32
"""Weights that share a scale, in Q8_0 and in Q4_0."""
_WORD = re.compile(r"[ \u0120\u2581]?[A-Za-z]+")  # with the marks for a space of both tokenizers


class Shape(NamedTuple):
    """The size of a model, in layers and in units of width; `blocks` is the type of its weights.

    The embeddings are Q8_0 whatever the blocks are: so llama.cpp's own tool writes a Q4_0 model
    whose embeddings are its output too and whose width is no multiple of 256.
    """

    layers: int
    width: int
    heads: int
    kv_heads: int
    feed_forward: int
    architecture: str = "llama"
    rope_base: float = 10_000.0
    context_tokens: int = 4096
    blocks: WeightType = WeightType.Q8_0

    @property
    def kv_width(self) -> int:
        """Width of a layer's keys, and of its values."""
        return self.width // self.heads * self.kv_heads


SMALL = Shape(layers=30, width=576, heads=9, kv_heads=3, feed_forward=1536)
"""The blocks of a 135M model (106 M weights with the pocket vocabulary)."""
SMOLLM2_135M = SMALL._replace(rope_base=100_000.0, context_tokens=8192, blocks=WeightType.Q4_0)
"""SmolLM2-135M as Q4_0 (135 M weights with a vocabulary of 49,152)."""
QWEN2_HALF_BILLION = Shape(
    layers=24,
    width=896,
    heads=14,
    kv_heads=2,
    feed_forward=4864,
    architecture="qwen2",
    rope_base=1_000_000.0,
    context_tokens=32_768,
    blocks=WeightType.Q4_0,
)
"""Qwen2.5-0.5B as Q4_0 (494 M weights with a vocabulary of 151,936)."""


def write(path: Path, shape: Shape, vocabulary: Path, seed: int = 0) -> None:
    """Write a model; raises OSError when the file cannot be written."""
    generator = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), shape.architecture)
    words = _copy_vocabulary(writer, gguf.GGUFReader(str(vocabulary)))
    _describe(writer, shape, len(words))
    embeddings = _random_blocks(generator, len(words), shape.width, WeightType.Q8_0)
    embeddings[[not _WORD.fullmatch(word) for word in words]] = 0
    writer.add_tensor("token_embd.weight", embeddings, raw_dtype=WeightType.Q8_0)
    writer.add_tensor("output_norm.weight", np.ones(shape.width, np.float32))
    for layer in range(shape.layers):
        _add_layer(writer, f"blk.{layer}.", shape, generator)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_layer(
    writer: gguf.GGUFWriter, block: str, shape: Shape, generator: np.random.Generator
) -> None:
    sizes = {
        "attn_q": (shape.width, shape.width),
        "attn_k": (shape.kv_width, shape.width),
        "attn_v": (shape.kv_width, shape.width),
        "attn_output": (shape.width, shape.width),
        "ffn_gate": (shape.feed_forward, shape.width),
        "ffn_up": (shape.feed_forward, shape.width),
        "ffn_down": (shape.width, shape.feed_forward),
    }
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"{block}{name}.weight", np.ones(shape.width, np.float32))
    for name, (rows, columns) in sizes.items():
        weights = _random_blocks(generator, rows, columns, shape.blocks)
        writer.add_tensor(f"{block}{name}.weight", weights, raw_dtype=shape.blocks)
        if shape.architecture == "qwen2" and name in ("attn_q", "attn_k", "attn_v"):
            bias = generator.standard_normal(rows, dtype=np.float32) * SPREAD
            writer.add_tensor(f"{block}{name}.bias", bias)


def _random_blocks(
    generator: np.random.Generator, rows: int, columns: int, kind: WeightType
) -> Blocks:
    """Draw a matrix in the file's own form: a scale per block, then its weights.

    The weights are uniform and symmetric about 0: a mean other than 0 would grow from layer to
    layer until every token had the same logits.
    """
    count = columns // BLOCK
    if kind == WeightType.Q4_0:
        low, high = generator.integers(1, 16, (2, rows, count, BLOCK // 2), dtype=np.uint8)
        weights, largest = low | high << 4, 7
    elif kind == WeightType.Q8_0:
        drawn = generator.integers(-127, 128, (rows, count, BLOCK), dtype=np.int8)
        weights, largest = drawn.view(np.uint8), 127
    else:
        raise ValueError(f"{kind.name} is not a type that is written here; use Q4_0 or Q8_0")
    scale = np.array([SPREAD / np.sqrt(largest * (largest + 1) / 3)], np.float16).view(np.uint8)
    scales = np.broadcast_to(scale, (rows, count, len(scale)))
    packed: Blocks = np.concatenate((scales, weights), axis=2).reshape(rows, -1)
    return packed


def _copy_vocabulary(writer: gguf.GGUFWriter, reader: gguf.GGUFReader) -> Sequence[str]:
    """Copy every tokenizer key and return the tokens."""
    for key, field in reader.fields.items():
        if not key.startswith("tokenizer."):
            continue
        if field.types[0] == gguf.GGUFValueType.ARRAY:
            writer.add_array(key, field.contents())
        else:
            writer.add_key_value(key, field.contents(), field.types[0])
    tokens: Sequence[str] = reader.fields["tokenizer.ggml.tokens"].contents()
    return tokens


def _describe(writer: gguf.GGUFWriter, shape: Shape, tokens: int) -> None:
    q4 = shape.blocks == WeightType.Q4_0
    writer.add_name("random")
    writer.add_context_length(shape.context_tokens)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_vocab_size(tokens)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0 if q4 else gguf.LlamaFileType.MOSTLY_Q8_0)
