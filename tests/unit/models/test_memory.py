"""What an engine will hold is told by the header: compared with real engines."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import gguf as reference
import numpy as np
import psutil
import pytest

from quorate import models
from quorate.errors import InvalidRequest
from quorate.models import gguf, memory
from services.node.child import Child, engine_environment
from services.node.engine.messages import Load, Sampling
from services.node.requests import Order

MIB = 2**20
BATCH = 264
TOLERANCE = 0.10


class Shape(NamedTuple):
    layers: int
    width: int
    heads: int
    kv_heads: int
    feed_forward: int
    tokens: int
    kind: str = "Q8_0"
    tied: bool = True
    head_width: int = 0


SHAPES = {
    "deep": Shape(30, 576, 9, 3, 1536, 2048),
    "deep and laid out anew": Shape(30, 576, 9, 3, 1536, 2048, "Q4_0"),
    "large vocabulary": Shape(2, 512, 8, 8, 1024, 65_536, "Q8_0"),
    "large vocabulary, laid out anew": Shape(2, 512, 8, 8, 1024, 65_536, "Q4_0"),
    "output of its own": Shape(2, 512, 8, 8, 1024, 65_536, "Q4_0", tied=False),
    "many key-value heads": Shape(12, 1024, 16, 16, 1024, 2048),
    "wide heads": Shape(8, 512, 4, 4, 2048, 8192, "F16", head_width=256),
}


def write(path: Path, shape: Shape) -> Path:
    """Write a model of some shape; its weights mean nothing."""
    writer = reference.GGUFWriter(str(path), "llama")
    pocket = reference.GGUFReader(str(models.pocket_models()["abacus"]))
    tokens = write_vocabulary(writer, pocket, shape.tokens)
    head = shape.head_width or shape.width // shape.heads
    writer.add_context_length(8192)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(head)
    kind = reference.GGMLQuantizationType[shape.kind]

    def matrix(name: str, rows: int, columns: int) -> None:
        data = reference.quants.quantize(np.full((rows, columns), 0.01, np.float32), kind)
        writer.add_tensor(f"{name}.weight", data, raw_dtype=kind)

    def norm(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(shape.width, np.float32))

    matrix("token_embd", tokens, shape.width)
    norm("output_norm")
    if not shape.tied:
        matrix("output", tokens, shape.width)
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        norm(block + "attn_norm")
        norm(block + "ffn_norm")
        matrix(block + "attn_q", shape.heads * head, shape.width)
        matrix(block + "attn_k", shape.kv_heads * head, shape.width)
        matrix(block + "attn_v", shape.kv_heads * head, shape.width)
        matrix(block + "attn_output", shape.width, shape.heads * head)
        matrix(block + "ffn_gate", shape.feed_forward, shape.width)
        matrix(block + "ffn_up", shape.feed_forward, shape.width)
        matrix(block + "ffn_down", shape.width, shape.feed_forward)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_vocabulary(
    writer: reference.GGUFWriter, pocket: reference.GGUFReader, tokens: int
) -> int:
    """Copy the pocket vocabulary and lengthen it with words that never occur."""
    known = len(pocket.fields["tokenizer.ggml.tokens"].data)
    more = max(0, tokens - known)
    fill: dict[str, Sequence[object]] = {
        "tokenizer.ggml.tokens": [f"<unused {number}>" for number in range(more)],
        "tokenizer.ggml.scores": [-1e4] * more,
        "tokenizer.ggml.token_type": [1] * more,
    }
    for key, field in pocket.fields.items():
        if not key.startswith("tokenizer."):
            continue
        if field.types[0] == reference.GGUFValueType.ARRAY:
            writer.add_array(key, [*field.contents(), *fill.get(key, ())])
        else:
            writer.add_key_value(key, field.contents(), field.types[0])
    return known + more


async def measure(path: Path, pool: int, slots: int, split: bool = False) -> tuple[int, int]:
    """Give what a real engine holds after its load, and after batches that fill all slots."""
    size = gguf.read_header(path).file_bytes
    child = await Child.start(engine_environment(os.environ, size))
    order = Order(
        model="m",
        turns=(),
        prompt="What is 12 + 30? " * 30,
        samples=slots,
        sampling=Sampling(max_tokens=40, temperature=1.0, logit_bias={2: -100.0}),
        priority=0,
    )
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(child.wait())
        try:
            await child.load(load(path, pool, slots, split))
            process = psutil.Process(child.pid)
            loaded = process.memory_info().rss
            generation = child.generate(order, None)
            while await generation.read() is not None:
                pass
            return loaded, process.memory_info().rss
        finally:
            await child.stop()


def load(path: Path, pool: int, slots: int, split: bool) -> Load:
    return Load(
        path=str(path),
        context_tokens=pool // slots if split else pool,
        pool_tokens=pool,
        slots=slots,
        queue=slots,
        gpu_layers=0,
        cores=2,
        machine_cores=os.cpu_count() or 2,
        runtime_directory=str(path.parent),
        split=split,
    )


@pytest.mark.anyio
@pytest.mark.parametrize("name", SHAPES)
async def test_what_an_engine_holds_is_known_before_it_is_loaded(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "m.gguf", SHAPES[name])
    told = memory.estimate(gguf.read_header(path), pool_tokens=4096, slots=8).total_bytes
    loaded, full = await measure(path, 4096, 8)
    assert told == pytest.approx(full, rel=TOLERANCE), (told / MIB, loaded / MIB, full / MIB)
    assert loaded <= full


@pytest.mark.anyio
async def test_what_a_pocket_model_holds_is_known_for_several_sizes_of_cache(
    tmp_path: Path,
) -> None:
    path = tmp_path / "abacus.gguf"
    path.write_bytes(models.pocket_models()["abacus"].read_bytes())
    header = gguf.read_header(path)
    for pool, slots, split in ((1024, 2, False), (16_384, 32, False), (32_768, 8, True)):
        told = memory.estimate(header, pool_tokens=pool, slots=slots, split=split).total_bytes
        _, full = await measure(path, pool, slots, split)
        assert told == pytest.approx(full, rel=TOLERANCE), (pool, told / MIB, full / MIB)


def header() -> gguf.GgufHeader:
    return gguf.read_header(models.pocket_models()["abacus"])


def test_a_cache_of_smaller_numbers_takes_less() -> None:
    def cache(cache_type: str) -> int:
        estimate = memory.estimate(header(), pool_tokens=4096, slots=8, cache_type=cache_type)
        return estimate.cache_bytes

    assert cache("q8_0") / cache("f16") == pytest.approx(34 / 64)
    assert cache("q4_0") / cache("f16") == pytest.approx(18 / 64)
    with pytest.raises(InvalidRequest, match="f16, q8_0, q4_0"):
        cache("q5_1")


def test_what_lies_on_an_accelerator_is_not_in_the_machines_memory() -> None:
    layers = header().layers
    estimates = [
        memory.estimate(header(), pool_tokens=4096, slots=8, gpu_layers=count)
        for count in range(layers + 2)
    ]
    devices = [estimate.device_bytes for estimate in estimates]
    assert devices[0] == 0
    assert devices == sorted(set(devices))
    assert all(e.host_bytes + e.device_bytes == e.total_bytes for e in estimates)
    assert estimates[-1].host_bytes < estimates[0].host_bytes
