"""Logistic regression with a ridge, for the few parameters that calibration has. Pure."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]

_STEPS = 40
"""Newton's method doubles its digits with each; steps of at most 5 reach any weight before."""
_FARTHEST_STEP = 5.0


def fit(features: Numbers, targets: Numbers, ridge: float) -> Numbers:
    """Fit P = 1/(1 + exp(−(intercept + weights·x))) by Newton's method.

    `features` is N × D, `targets` N values in [0, 1], `ridge` > 0 the penalty on the D weights, and
    not on the intercept. Gives D + 1 numbers, the intercept first. Deterministic.
    """
    design = np.column_stack([np.ones(len(targets)), features])
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 1e-6
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        likely = predict(design, weights)
        gradient = design.T @ (likely - targets) + penalty * weights
        curvature = (design.T * (likely * (1.0 - likely))) @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step * min(1.0, _FARTHEST_STEP / max(1e-300, np.abs(step).max()))
    return np.asarray(weights, dtype=np.float64)


def predict(design: Numbers, weights: Numbers) -> Numbers:
    """Give P for rows that start with 1 for the intercept."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(design @ weights, -500.0, 500.0))))
