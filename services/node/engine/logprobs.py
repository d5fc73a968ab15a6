"""Log-probabilities from logits. Pure, numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]


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
