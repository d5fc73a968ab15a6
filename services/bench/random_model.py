"""Writes a GGUF of a real model's shape with random weights: real speed, no sense.

Vocabulary and chat template are copied from a pocket model, so that prompts tokenize as usual.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import gguf
import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]


class Shape(NamedTuple):
    """The size of a llama-architecture model, in layers and in units of width."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    feed_forward: int


SMALL = Shape(layers=30, width=576, heads=9, kv_heads=3, feed_forward=1536)
"""The blocks of a 135M model (106 M weights with the pocket vocabulary)."""


def write(path: Path, shape: Shape, vocabulary: Path, seed: int = 0) -> None:
    """Write a Q8_0 model; raises OSError when the file cannot be written."""
    generator = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), "llama")
    tokens = _copy_vocabulary(writer, gguf.GGUFReader(str(vocabulary)))
    _describe(writer, shape, tokens)

    def matrix(name: str, rows: int, columns: int) -> None:
        weights: Matrix = generator.standard_normal((rows, columns), dtype=np.float32) * 0.02
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, gguf.quants.quantize(weights, kind), raw_dtype=kind)

    matrix("token_embd.weight", tokens, shape.width)
    _add_norm(writer, "output_norm.weight", shape.width)
    kv_width = shape.width // shape.heads * shape.kv_heads
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        _add_norm(writer, block + "attn_norm.weight", shape.width)
        _add_norm(writer, block + "ffn_norm.weight", shape.width)
        matrix(block + "attn_q.weight", shape.width, shape.width)
        matrix(block + "attn_k.weight", kv_width, shape.width)
        matrix(block + "attn_v.weight", kv_width, shape.width)
        matrix(block + "attn_output.weight", shape.width, shape.width)
        matrix(block + "ffn_gate.weight", shape.feed_forward, shape.width)
        matrix(block + "ffn_up.weight", shape.feed_forward, shape.width)
        matrix(block + "ffn_down.weight", shape.width, shape.feed_forward)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_norm(writer: gguf.GGUFWriter, name: str, width: int) -> None:
    writer.add_tensor(name, np.ones(width, dtype=np.float32))


def _copy_vocabulary(writer: gguf.GGUFWriter, reader: gguf.GGUFReader) -> int:
    """Copy every tokenizer key and return the number of tokens."""
    for key, field in reader.fields.items():
        if not key.startswith("tokenizer."):
            continue
        if field.types[0] == gguf.GGUFValueType.ARRAY:
            writer.add_array(key, field.contents())
        else:
            writer.add_key_value(key, field.contents(), field.types[0])
    return len(reader.fields["tokenizer.ggml.tokens"].contents())


def _describe(writer: gguf.GGUFWriter, shape: Shape, tokens: int) -> None:
    writer.add_name("random")
    writer.add_context_length(4096)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_vocab_size(tokens)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
