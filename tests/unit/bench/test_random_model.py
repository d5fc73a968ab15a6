"""A model with random weights is one that llama.cpp loads, of the shape and speed of a real one."""

import gguf
import llama_cpp
import pytest

from quorate.models import pocket_models
from services.bench import random_model
from services.bench.random_model import WeightType

TINY = random_model.SMOLLM2_135M._replace(layers=2, width=64, heads=2, kv_heads=1, feed_forward=96)
SHAPES = {
    "llama-q4": TINY,
    "llama-q8": TINY._replace(blocks=WeightType.Q8_0),
    "qwen2-q4": TINY._replace(architecture="qwen2"),
}


@pytest.fixture(params=SHAPES)
def written(request, tmp_path):
    path = tmp_path / "model.gguf"
    random_model.write(path, SHAPES[request.param], pocket_models()["abacus"])
    return SHAPES[request.param], path


def test_llama_cpp_loads_it_and_it_never_ends_by_itself(written):
    _, path = written
    model = llama_cpp.Llama(str(path), n_ctx=128, n_threads=1, verbose=False)
    try:
        answer = model.create_completion("What is 2 + 2?", max_tokens=100, temperature=0)
    finally:
        model.close()
    assert answer["usage"]["completion_tokens"] == 100
    assert answer["choices"][0]["finish_reason"] == "length"


def test_only_whole_words_can_be_likeliest(written):
    _, path = written
    reader = gguf.GGUFReader(str(path))
    words = reader.fields["tokenizer.ggml.tokens"].contents()
    rows = next(t for t in reader.tensors if t.name == "token_embd.weight").data
    silent = [not row.any() for row in rows]
    assert all(silent[index] for index, word in enumerate(words) if not word.strip("Ġ▁ ").isalpha())
    assert not all(silent)


def test_blocks_have_the_type_of_the_shape_and_embeddings_eight_bits(written):
    shape, path = written
    kinds = {tensor.name: tensor.tensor_type for tensor in gguf.GGUFReader(str(path)).tensors}
    assert kinds["blk.0.ffn_up.weight"] == shape.blocks
    assert kinds["token_embd.weight"] == WeightType.Q8_0


@pytest.mark.parametrize("kind", [WeightType.Q4_0, WeightType.Q8_0])
def test_weights_are_symmetric_and_spread_as_a_real_models(written, kind):
    _, path = written
    for tensor in gguf.GGUFReader(str(path)).tensors:
        if tensor.tensor_type == kind and tensor.name != "token_embd.weight":
            weights = gguf.quants.dequantize(tensor.data, kind)
            assert abs(weights.mean()) < 0.05 * random_model.SPREAD
            assert weights.std() == pytest.approx(random_model.SPREAD, rel=0.05)


def test_the_same_seed_writes_the_same_file_and_another_another(tmp_path):
    files = []
    for number, seed in enumerate((0, 0, 1)):
        path = tmp_path / f"{number}.gguf"
        random_model.write(path, TINY, pocket_models()["abacus"], seed)
        files.append(path.read_bytes())
    assert files[0] == files[1] != files[2]


def test_a_type_that_is_not_written_is_named(tmp_path):
    with pytest.raises(ValueError, match="Q5_0 is not a type that is written here"):
        random_model.write(
            tmp_path / "model.gguf",
            TINY._replace(blocks=WeightType.Q5_0),
            pocket_models()["abacus"],
        )
