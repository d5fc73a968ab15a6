"""Log-probabilities from logits, and the confidence that is built from them. Pure, numpy."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
GROUP_TOKENS = 32
"""Tokens in a confidence group. DeepConf (arXiv 2508.15260) takes 2048 of long reasoning traces;
answers here are shorter."""


class Peaks(NamedTuple):
    """For each row: the id of its largest logit, and log Σ exp(logit) in nats."""

    likeliest: Sequence[int]
    normalizers: Sequence[float]


def peaks(rows: Rows) -> Peaks:
    """Look at each row (rows × vocabulary) once, while it is in the processor's cache."""
    scratch = np.empty(rows.shape[1], np.float32)
    best, normal = [], []
    for row in rows:
        index = int(row.argmax())
        largest = float(row[index])
        np.subtract(row, largest, out=scratch)
        np.exp(scratch, out=scratch)
        best.append(index)
        normal.append(largest + math.log(float(scratch.sum())))
    return Peaks(best, normal)


def likeliest(row: Rows, count: int) -> npt.NDArray[np.intp]:
    """Give the ids of the `count` largest logits of one row, the largest first."""
    count = min(count, row.size)
    best = np.argpartition(row, row.size - count)[row.size - count :]
    ordered: npt.NDArray[np.intp] = best[np.argsort(row[best], kind="stable")[::-1]]
    return ordered


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
