"""Whether a confidence means what it says: of answers given at 80 %, four in five are right."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from services.bench.stats.intervals import (
    CONFIDENCE,
    DRAWS,
    Estimate,
    bootstrap,
    wilson,
)

BINS = 10


class Bin(NamedTuple):
    """Answers whose confidence lies in [low, high): their mean confidence, and the share right."""

    low: float
    high: float
    confidence: float
    right: Estimate


def reliability(confidences: Sequence[float], right: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """Give the reliability curve over bins of equal width; empty bins are left out.

    Confidences lie in [0, 1], else ValueError; 1 belongs to the last bin.
    """
    places = _places(confidences, right, bins)
    curve = []
    for place in range(bins):
        inside = [i for i, at in enumerate(places) if at == place]
        if inside:
            mean = sum(confidences[i] for i in inside) / len(inside)
            share = wilson(sum(right[i] for i in inside), len(inside))
            curve.append(Bin(place / bins, (place + 1) / bins, mean, share))
    return curve


def expected_calibration_error(
    confidences: Sequence[float],
    right: Sequence[bool],
    *,
    seed: int,
    bins: int = BINS,
    draws: int = DRAWS,
) -> Estimate:
    """Give the mean gap between confidence and accuracy over bins (Naeini et al. 2015).

    The interval is a bootstrap over items. It lies above the value where the value is near 0: a
    resample is never better calibrated than chance lets it be.
    """
    places = _places(confidences, right, bins)
    gaps = np.asarray(confidences, dtype=np.float64) - np.asarray(right, dtype=np.float64)
    random, n = np.random.default_rng(seed), len(gaps)

    def error(drawn: np.ndarray) -> float:
        sums = np.bincount(places[drawn], weights=gaps[drawn], minlength=bins)
        return float(np.abs(sums).sum() / n)

    resampled = [error(random.integers(0, n, n)) for _ in range(draws)]
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(resampled, (tail, 1.0 - tail))
    return Estimate(error(np.arange(n)), float(low), float(high), n)


def brier(
    confidences: Sequence[float],
    right: Sequence[bool],
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int,
) -> Estimate:
    """Give the mean squared error of the confidences (Brier 1950), with a bootstrap interval."""
    _places(confidences, right, BINS)
    squares = [(p - float(r)) ** 2 for p, r in zip(confidences, right, strict=True)]
    return bootstrap(squares, clusters, seed=seed)


def _places(
    confidences: Sequence[float], right: Sequence[bool], bins: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if len(confidences) != len(right) or not confidences:
        raise ValueError(
            f"{len(confidences)} confidences for {len(right)} items, at least one each"
        )
    for value in confidences:
        if not 0.0 <= value <= 1.0:  # also false for NaN
            raise ValueError(f"a confidence is {value}; it must lie in [0, 1]")
    scaled = np.floor(np.asarray(confidences, dtype=np.float64) * bins).astype(np.int64)
    return np.minimum(scaled, bins - 1)
