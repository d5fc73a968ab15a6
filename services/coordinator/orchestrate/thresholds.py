"""Thresholds of a cascade under a cost budget, and its cost-quality curve. Pure.

As in FrugalGPT (arXiv 2305.05176), but every setting is tried.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quorate.errors import InvalidRequest

MOST_COMBINATIONS = 20_000
"""Settings of all thresholds together that are tried; more rungs get a coarser grid."""

Numbers = npt.NDArray[np.float64]


class Rung(NamedTuple):
    """What one model said to one item: its confidence in [0, 1], whether right, and its cost."""

    confidence: float
    right: bool
    cost: float


class Point(NamedTuple):
    """A setting of the thresholds: the mean cost of an item, and the share that is right."""

    cost: float
    accuracy: float
    thresholds: tuple[float, ...]


class Choice(NamedTuple):
    """The best setting within the budget, and the curve: each point is the cheapest so good."""

    best: Point
    curve: tuple[Point, ...]


def choose_thresholds(items: Sequence[Sequence[Rung]], cost_budget: float) -> Choice:
    """Choose the confidence from which each rung but the last is accepted.

    `items` holds, for each calibration item, its rungs in the order of the cascade; `cost_budget`
    bounds the mean cost of an item, in the unit of the costs. A threshold above 1 never accepts.
    Every different setting is tried while there are at most MOST_COMBINATIONS of them; beyond, the
    thresholds are quantiles. Raises InvalidRequest for no items, items of different lengths,
    numbers out of range, and a budget below that of the cheapest rung.
    """
    confidence, right, cost = _table(items)
    settings = _settings(confidence)
    costs, accuracies = _outcomes(settings, confidence, right, cost)
    points = [
        Point(float(paid), float(share), tuple(float(one) for one in setting))
        for paid, share, setting in zip(costs, accuracies, settings, strict=True)
    ]
    curve = _frontier(points)
    within = [point for point in curve if point.cost <= cost_budget]
    if not within:
        raise InvalidRequest.field(
            "cost_budget", cost_budget, f"the cheapest cascade costs {curve[0].cost:g} an item",
            "Raise it.",
        )  # fmt: skip
    return Choice(within[-1], tuple(curve))


def _table(items: Sequence[Sequence[Rung]]) -> tuple[Numbers, Numbers, Numbers]:
    if not items or not items[0]:
        raise InvalidRequest.field(
            "items", len(items), "there are no rungs", "Give held-out items."
        )
    rungs = len(items[0])
    if any(len(item) != rungs for item in items):
        raise InvalidRequest.field(
            "items", len(items), f"each must have {rungs} rungs", "Ask every model every item."
        )
    table = np.array([[tuple(map(float, rung)) for rung in item] for item in items])
    confidence, right, cost = table[:, :, 0], table[:, :, 1], table[:, :, 2]
    if not ((confidence >= 0.0) & (confidence <= 1.0)).all():
        raise InvalidRequest.field(
            "confidence", "", "each must lie in [0, 1]", "Give calibrated probabilities."
        )
    if not ((cost >= 0.0) & np.isfinite(cost)).all():
        raise InvalidRequest.field("cost", "", "each must be at least 0", "Give finite costs.")
    return confidence, right, cost


def _settings(confidence: Numbers) -> Numbers:
    """List the settings: every confidence that occurs is a threshold, or quantiles of them."""
    free = confidence.shape[1] - 1
    if free == 0:
        return np.empty((1, 0))
    levels = max(2, int(MOST_COMBINATIONS ** (1 / free)))
    never = math.nextafter(1.0, 2.0)
    grids = []
    for rung in range(free):
        seen = np.unique(confidence[:, rung])
        if len(seen) + 1 > levels:
            seen = np.unique(np.quantile(seen, np.linspace(0.0, 1.0, levels - 1), method="nearest"))
        grids.append([*seen, never])
    return np.array(list(itertools.product(*grids)))


def _outcomes(
    settings: Numbers, confidence: Numbers, right: Numbers, cost: Numbers
) -> tuple[Numbers, Numbers]:
    """Give each setting's mean cost and accuracy: every rung asked is paid, the last one counts."""
    rungs = confidence.shape[1]
    going = np.ones((len(settings), len(confidence)), dtype=bool)
    paid, good = np.zeros(len(settings)), np.zeros(len(settings))
    for rung in range(rungs):
        paid += going @ cost[:, rung]
        accepted = going
        if rung < rungs - 1:
            accepted = going & (confidence[None, :, rung] >= settings[:, rung, None])
        good += accepted @ right[:, rung]
        going = going & ~accepted
    return paid / len(confidence), good / len(confidence)


def _frontier(points: Sequence[Point]) -> list[Point]:
    """Keep what no other point beats in both cost and accuracy, the cheapest first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda one: (one.cost, -one.accuracy, one.thresholds)):
        if not kept or point.accuracy > kept[-1].accuracy:
            kept.append(point)
    return kept
