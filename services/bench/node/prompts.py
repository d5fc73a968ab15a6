"""Prompts of an exact number of tokens that have nothing in common."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import gguf

_WORD: Final = re.compile(r"\u0120[a-z]{3,8}")  # \u0120 marks a space before the word


class Prompts:
    """Draws words that are one token each; never the same prompt twice."""

    def __init__(self, vocabulary: Path, seed: int = 0) -> None:
        reader = gguf.GGUFReader(str(vocabulary))
        tokens = reader.fields["tokenizer.ggml.tokens"].contents()
        self._words = [token[1:] for token in tokens if _WORD.fullmatch(token)]
        self._random = random.Random(seed)

    def draw(self, tokens: int = 64) -> str:
        """Give a prompt of so many tokens."""
        return "".join(f" {word}" for word in self._random.choices(self._words, k=tokens))

    def draw_several(self, count: int, tokens: int = 64) -> Sequence[str]:
        """Give so many prompts."""
        return [self.draw(tokens) for _ in range(count)]
