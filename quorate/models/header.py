"""What a model says about itself, gathered from the values and weights of its file. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

# ggml's tensor types: number → (name, weights per block, bytes per block).
TENSOR_TYPES: Final[Mapping[int, tuple[str, int, int]]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1), 25: ("I16", 1, 2),
    26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
}  # fmt: skip

Scalar = int | float | bool | str


class GgufArray(NamedTuple):
    """An array of the header: its length, a digest of its bytes, and its numbers if they are few.

    Some architectures tell a number for each layer, such as their key-value heads.
    """

    length: int
    digest: str
    numbers: tuple[int | float | bool, ...] = ()


@dataclass(frozen=True)
class GgufHeader:
    """What a model file says about itself.

    `quantization` is the type that most weights have. `kv_bytes_per_token` is what one token costs
    in a cache of 16-bit keys and values. Equal `vocabulary_id` means equal tokens.
    `token_matrix_bytes` is the size of the matrix that turns tokens into vectors; it also turns
    vectors into tokens where the file has no `output_matrix`. `feed_forward`, `heads` and
    `kv_heads` are those of the widest layer. Zero and empty mean that the file does not say.
    """

    path: Path
    architecture: str
    name: str
    parameters: int
    quantization: str
    context_tokens: int
    embedding: int
    layers: int
    heads: int
    kv_heads: int
    kv_bytes_per_token: int
    vocabulary_tokens: int
    vocabulary_id: str
    chat_template: str
    file_bytes: int
    feed_forward: int = 0
    head_width: int = 0
    vocabulary_merges: int = 0
    weights_bytes: int = 0
    token_matrix_bytes: int = 0
    token_matrix_type: str = ""
    output_matrix: bool = False


class Tensor(NamedTuple):
    """One matrix of weights: how many, of which type, and where they begin in the file."""

    name: str
    weights: int
    kind: int
    start: int

    @property
    def size(self) -> int:
        """Its bytes in the file."""
        _, block, block_bytes = TENSOR_TYPES[self.kind]
        return -(-self.weights // block) * block_bytes


class _Sizes:
    """The sizes that a header tells of its architecture; a missing one is 0."""

    def __init__(self, architecture: str, values: Mapping[str, Scalar | GgufArray]) -> None:
        self._architecture = architecture
        self._values = values

    def one(self, key: str, default: int = 0) -> int:
        """Give a size; of one that differs by layer, the largest."""
        value = self._values.get(f"{self._architecture}.{key}", default)
        if isinstance(value, GgufArray):
            return int(max(value.numbers, default=default))
        return value if isinstance(value, int) else default

    def total(self, key: str, layers: int, default: int = 0) -> int:
        """Give the sum of a size over all layers."""
        value = self._values.get(f"{self._architecture}.{key}", default)
        if isinstance(value, GgufArray):
            return int(sum(value.numbers))
        return layers * (value if isinstance(value, int) else default)


def _kv_bytes_per_token(sizes: _Sizes, head_width: int) -> int:
    layers, heads = sizes.one("block_count"), sizes.one("attention.head_count")
    width = sizes.one("attention.key_length", head_width)
    width += sizes.one("attention.value_length", head_width)
    return 2 * width * sizes.total("attention.head_count_kv", layers, heads)


def describe(
    path: Path,
    file_bytes: int,
    values: Mapping[str, Scalar | GgufArray],
    tensors: Sequence[Tensor],
) -> GgufHeader:
    """Gather what a file's values and weights tell about the model."""
    architecture = str(values.get("general.architecture", ""))
    sizes = _Sizes(architecture, values)
    embedding, heads = sizes.one("embedding_length"), sizes.one("attention.head_count")
    head_width = embedding // heads if heads else 0
    vocabulary = _array_of(values, "tokenizer.ggml.tokens")
    by_name = {tensor.name: tensor for tensor in tensors}
    token_matrix = by_name.get("token_embd.weight")
    return GgufHeader(
        path=path,
        architecture=architecture,
        name=str(values.get("general.name", "")),
        parameters=sum(tensor.weights for tensor in tensors),
        quantization=_commonest_type(tensors),
        context_tokens=sizes.one("context_length"),
        embedding=embedding,
        layers=sizes.one("block_count"),
        heads=heads,
        kv_heads=sizes.one("attention.head_count_kv", heads),
        kv_bytes_per_token=_kv_bytes_per_token(sizes, head_width),
        vocabulary_tokens=vocabulary.length,
        vocabulary_id=vocabulary.digest,
        chat_template=str(values.get("tokenizer.chat_template", "")),
        file_bytes=file_bytes,
        feed_forward=sizes.one("feed_forward_length"),
        head_width=sizes.one("attention.key_length", head_width),
        vocabulary_merges=_array_of(values, "tokenizer.ggml.merges").length,
        weights_bytes=sum(tensor.size for tensor in tensors),
        token_matrix_bytes=token_matrix.size if token_matrix else 0,
        token_matrix_type=TENSOR_TYPES[token_matrix.kind][0] if token_matrix else "",
        output_matrix="output.weight" in by_name,
    )


def _array_of(values: Mapping[str, Scalar | GgufArray], key: str) -> GgufArray:
    value = values.get(key)
    return value if isinstance(value, GgufArray) else GgufArray(0, "")


def _commonest_type(tensors: Sequence[Tensor]) -> str:
    weights: dict[int, int] = {}
    for tensor in tensors:
        weights[tensor.kind] = weights.get(tensor.kind, 0) + tensor.weights
    return TENSOR_TYPES[max(weights, key=lambda kind: weights[kind])][0]
