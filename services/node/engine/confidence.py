"""How sure a model was of a sample, from the log-probabilities of its tokens. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

GROUP_TOKENS: Final = 32
"""Tokens in a confidence group. DeepConf (arXiv 2508.15260) takes 2048 of long reasoning traces;
answers here are shorter."""


class Confidence:
    """Mean log-probability of a sample and its lowest group confidence, token by token."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._count = 0
        self._window: deque[float] = deque(maxlen=GROUP_TOKENS)
        self._lowest = float("inf")

    def add(self, logprob: float, top_logprobs: list[float]) -> None:
        """Add a token: its log-probability and those of its likeliest alternatives, if known."""
        self._sum += logprob
        self._count += 1
        if not top_logprobs:
            return
        self._window.append(-sum(top_logprobs) / len(top_logprobs))
        if len(self._window) == GROUP_TOKENS:
            self._lowest = min(self._lowest, sum(self._window) / GROUP_TOKENS)

    @property
    def mean_logprob(self) -> float:
        """Mean over the tokens so far in nats, at most 0; 0 before the first."""
        return self._sum / self._count if self._count else 0.0

    @property
    def lowest_group(self) -> float:
        """Lowest mean of −log p over the alternatives in any group of tokens, in nats.

        0 when the sample is shorter than a group, or no alternatives were asked for.
        """
        return self._lowest if self._lowest != float("inf") else 0.0
