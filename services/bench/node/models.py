"""The models that are measured: two real shapes with random weights, written once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from services.bench import random_model

if TYPE_CHECKING:
    from rich.console import Console


class Recipe(NamedTuple):
    """A shape, and the vocabulary of llama.cpp's sources that has as many tokens."""

    shape: random_model.Shape
    vocabulary: str
    seed: int = 0


RECIPES: Final[Mapping[str, Recipe]] = {
    # SmolLM2 took over the tokenizer's size of StarCoder, if not its tokens.
    "135m": Recipe(random_model.SMOLLM2_135M, "starcoder"),
    "135m-b": Recipe(random_model.SMOLLM2_135M, "starcoder", seed=1),
    "0.5b": Recipe(random_model.QWEN2_HALF_BILLION, "qwen2"),
}
_FORMAT: Final = 1
"""Counted up when what is written changes, so that an old file is not taken for a new one."""


def bring(name: str, folder: Path, vocabularies: Path, console: Console) -> Path:
    """Give a model's file, written to `folder` where it is not there yet."""
    recipe = RECIPES[name]
    path = folder / f"random-{name}-q4_0-{_FORMAT}.gguf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with console.status(f"writing random weights: {path.name}"):
            vocabulary = vocabularies / f"ggml-vocab-{recipe.vocabulary}.gguf"
            random_model.write(unfinished, recipe.shape, vocabulary, recipe.seed)
        unfinished.rename(path)
    return path
