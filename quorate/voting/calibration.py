"""From what a model says of its confidence to how often it is right then. Pure.

Models differ in what their confidence means, so each has its own calibrator, fitted on items that
no figure is reported of. With too few items nothing is claimed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from quorate.errors import InvalidRequest
from quorate.voting import logistic
from quorate.voting.stored import (
    check_day,
    check_items,
    check_number,
    check_numbers,
    check_rising,
    converted,
    wrong,
)

FEWEST_ITEMS = 50
"""Below it the share of right answers is known to ±0.14 at best: too little to claim anything."""
SMALLEST_BLOCK = 10
"""Items that a step of the isotonic curve needs, or it would repeat single items."""
STORED = "stored calibration"
_RIDGE = 1e-3
_CERTAIN = 1e-4
"""Confidences are kept so far from 0 and 1 before their odds are taken."""

Method = Literal["isotonic", "platt"]


class Item(NamedTuple):
    """One item of a calibration split: the confidence in [0, 1] that was said, and the truth."""

    confidence: float
    right: bool


class Calibrator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model's calibration, ready to be stored.

    `method` is "isotonic", "platt" or "uncalibrated"; `items` how many it was fitted on, on the
    day `fitted_on` (ISO 8601). Isotonic: `knots` are (confidence, P(right)), joined by lines.
    Platt: P = 1/(1 + exp(−(intercept + slope·ln(c/(1−c))))), slope ≥ 0.
    """

    method: Literal["isotonic", "platt", "uncalibrated"]
    items: int
    fitted_on: str
    knots: tuple[tuple[float, float], ...] = ()
    slope: float = 0.0
    intercept: float = 0.0

    @property
    def claims(self) -> bool:
        """Whether there were enough items to say anything."""
        return self.method != "uncalibrated"

    def apply(self, confidence: float) -> float | None:
        """Give P(right) for a confidence in [0, 1]; None when uncalibrated.

        Never falls as confidence grows, and is never surer than its number of items allows.
        """
        _check(confidence, "confidence")
        if not self.claims:
            return None
        if self.method == "isotonic":
            at, rates = zip(*self.knots, strict=True)
            return float(np.interp(confidence, at, rates))
        return _bounded(_sigmoid(self.intercept + self.slope * _logit(confidence)), self.items)

    def to_dict(self) -> dict[str, object]:
        """Give plain values for JSON; `from_dict` is its inverse."""
        return dict(msgspec.to_builtins(self))

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> Calibrator:
        """Make it from plain values; InvalidRequest names what is wrong with them."""
        made = converted(stored, cls, STORED)
        check_items(made.items, FEWEST_ITEMS if made.claims else 0, STORED)
        check_day(made.fitted_on, STORED)
        check_number(made.slope, f"{STORED}.slope", least=0.0)
        check_number(made.intercept, f"{STORED}.intercept")
        if bool(made.knots) is not (made.method == "isotonic"):
            raise wrong(f"{STORED}.knots", made.knots, "isotonic needs some, and nothing else does")
        at, rates = [knot[0] for knot in made.knots], [knot[1] for knot in made.knots]
        check_numbers(at, f"{STORED}.knots.confidence", 0.0, 1.0)
        check_numbers(rates, f"{STORED}.knots.right", 0.0, 1.0)
        check_rising(at, f"{STORED}.knots.confidence", strictly=True)
        check_rising(rates, f"{STORED}.knots.right")
        return made


def fit(items: Sequence[Item], fitted_on: date, method: Method = "isotonic") -> Calibrator:
    """Fit one model's calibrator.

    Isotonic: the best non-decreasing fit (pool adjacent violators), in steps of ten items at least.
    Platt: logistic in the log odds of the confidence, with Platt's (1999) smoothed targets; an
    inverse relation becomes none. Fewer than 50 items give an "uncalibrated" one. All right or all
    wrong is believed up to 1/(n + 2). Raises InvalidRequest for a confidence outside [0, 1] or NaN.
    """
    for place, item in enumerate(items):
        _check(item.confidence, f"items[{place}].confidence")
    day = fitted_on.isoformat()
    if len(items) < FEWEST_ITEMS:
        return Calibrator("uncalibrated", len(items), day)
    if method == "isotonic":
        return Calibrator("isotonic", len(items), day, knots=_isotonic(items))
    slope, intercept = _platt(items)
    return Calibrator("platt", len(items), day, slope=slope, intercept=intercept)


class Bin(NamedTuple):
    """A bar of a reliability diagram: mean confidence and share of right answers of its items."""

    confidence: float
    accuracy: float
    items: int


def reliability_curve(
    items: Sequence[Item], bins: int = 10, *, equal_mass: bool = True
) -> list[Bin]:
    """Cut items into bins by confidence, of equally many items or of equal width; none is empty.

    Raises InvalidRequest for fewer than one bin or a bad confidence.
    """
    if bins < 1:
        raise InvalidRequest.field("bins", bins, "there must be at least 1", "Try 10.")
    said = np.array([_check(item.confidence, "confidence") for item in items])
    right = np.array([item.right for item in items], dtype=np.float64)
    order = np.argsort(said, kind="stable")
    if equal_mass:
        parts = np.array_split(order, bins)
    else:
        edges = np.linspace(0.0, 1.0, bins + 1)[1:-1]
        place = np.digitize(said[order], edges)
        parts = [order[place == number] for number in range(bins)]
    return [
        Bin(float(said[part].mean()), float(right[part].mean()), len(part))
        for part in parts
        if len(part)
    ]


def expected_calibration_error(
    items: Sequence[Item], bins: int = 10, *, equal_mass: bool = True
) -> float:
    """Give the mean distance between confidence and accuracy, over bins weighted by their items.

    In [0, 1]; 0 without items. Source: Naeini et al. (2015); bins of equal mass after Nixon et al.
    (2019). A perfect calibrator has about √(2/π·p(1−p)·bins/n) of it by chance.
    """
    curve = reliability_curve(items, bins, equal_mass=equal_mass)
    return math.fsum(one.items * abs(one.accuracy - one.confidence) for one in curve) / max(
        1, len(items)
    )


def brier_score(items: Sequence[Item]) -> float:
    """Give the mean squared distance between confidence and truth, in [0, 1]; 0 without items."""
    squares = ((_check(item.confidence, "confidence") - item.right) ** 2 for item in items)
    return math.fsum(squares) / max(1, len(items))


def _check(confidence: float, name: str) -> float:
    if not 0.0 <= confidence <= 1.0:  # also false for NaN
        raise InvalidRequest.field(name, confidence, "it must lie in [0, 1]", "Give a probability.")
    return confidence


class _Block(NamedTuple):
    """Neighbouring items that share one rate."""

    said: float
    right: float
    items: int

    @property
    def rate(self) -> float:
        return self.right / self.items

    def with_next(self, other: _Block) -> _Block:
        return _Block(self.said + other.said, self.right + other.right, self.items + other.items)


def _isotonic(items: Sequence[Item]) -> tuple[tuple[float, float], ...]:
    blocks: list[_Block] = []
    for block in _by_confidence(items):
        blocks.append(block)
        while len(blocks) > 1 and blocks[-2].rate >= blocks[-1].rate:
            last = blocks.pop()
            blocks[-1] = blocks[-1].with_next(last)
    steps: list[_Block] = []
    for block in blocks:
        if steps and min(steps[-1].items, block.items) < SMALLEST_BLOCK:
            steps[-1] = steps[-1].with_next(block)
        else:
            steps.append(block)
    return tuple((one.said / one.items, _bounded(one.rate, len(items))) for one in steps)


def _by_confidence(items: Sequence[Item]) -> list[_Block]:
    """Give one block for each confidence, in rising order."""
    counts: dict[float, tuple[int, int]] = {}
    for item in items:
        right, total = counts.get(item.confidence, (0, 0))
        counts[item.confidence] = (right + item.right, total + 1)
    return [
        _Block(said * total, float(right), total) for said, (right, total) in sorted(counts.items())
    ]


def _platt(items: Sequence[Item]) -> tuple[float, float]:
    """Give slope and intercept."""
    odds: logistic.Numbers = np.array([_logit(item.confidence) for item in items])
    right = np.array([item.right for item in items], dtype=bool)
    hits = int(right.sum())
    targets = np.where(right, (hits + 1) / (hits + 2), 1 / (len(items) - hits + 2))
    intercept, slope = (float(number) for number in logistic.fit(odds[:, None], targets, _RIDGE))
    if slope > 0.0 and float(np.ptp(odds)) > 0.0:
        return slope, intercept
    return 0.0, _logit(float(targets.mean()))


def _bounded(rate: float, items: int) -> float:
    least = 1.0 / (items + 2)
    return min(1.0 - least, max(least, rate))


def _logit(share: float) -> float:
    kept = min(1.0 - _CERTAIN, max(_CERTAIN, share))
    return math.log(kept / (1.0 - kept))


def _sigmoid(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-500.0, min(500.0, odds))))
