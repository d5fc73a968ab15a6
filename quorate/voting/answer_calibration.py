"""From how a vote stood to how often such an answer is right: the confidence of an answer. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
import numpy as np

from quorate.errors import InvalidRequest
from quorate.voting import logistic
from quorate.voting.stored import (
    check_day,
    check_items,
    check_length,
    check_number,
    check_numbers,
    converted,
)

if TYPE_CHECKING:
    from quorate.voting.vote import Outcome

FEWEST_ITEMS = 100
"""Twenty items for each of the five features."""
STORED = "stored calibration"
_RIDGE = 1.0
_LEAST_SCALE = 1e-9
"""A feature that varied less is taken never to have varied."""


class Features(NamedTuple):
    """What is known of a decided vote. More of any of it never makes the answer less sure.

    `share` is the winner's share of the score (Outcome.confidence), `agreement` its share of all
    votes, `margin` its lead over the second in shares of the score, all in [0, 1];
    `effective_votes` ≥ 0 counts independent votes; `ballots` is the mean calibrated confidence of
    the ballots for the winner, None where they are not calibrated.
    """

    share: float
    agreement: float
    margin: float
    effective_votes: float
    ballots: float | None = None


class AnswerItem(NamedTuple):
    """One item of a calibration split: how its vote stood, and whether the answer was right."""

    features: Features
    right: bool


class AnswerCalibrator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The calibration of answers, ready to be stored.

    `method` is "logistic" or "uncalibrated"; `items` how many it was fitted on, on the day
    `fitted_on` (ISO 8601). `means`, `scales` and `weights` belong to the features in their order;
    weights are at least 0.
    """

    method: Literal["logistic", "uncalibrated"]
    items: int
    fitted_on: str
    means: tuple[float, ...] = ()
    scales: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    intercept: float = 0.0

    @property
    def claims(self) -> bool:
        """Whether there were enough items to say anything."""
        return self.method != "uncalibrated"

    def apply(self, features: Features) -> float | None:
        """Give P(the answer is right); None when uncalibrated. InvalidRequest for bad features."""
        _check(features, "features")
        if not self.claims:
            return None
        standard = (
            0.0 if value is None else (value - mean) / scale
            for value, mean, scale in zip(features, self.means, self.scales, strict=True)
        )
        odds = self.intercept + math.fsum(
            weight * value for weight, value in zip(self.weights, standard, strict=True)
        )
        least = 1.0 / (self.items + 2)
        return min(1.0 - least, max(least, 1.0 / (1.0 + math.exp(-max(-500.0, min(500.0, odds))))))

    def to_dict(self) -> dict[str, object]:
        """Give plain values for JSON; `from_dict` is its inverse."""
        return dict(msgspec.to_builtins(self))

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> AnswerCalibrator:
        """Make it from plain values; InvalidRequest names what is wrong with them."""
        made = converted(stored, cls, STORED)
        check_items(made.items, FEWEST_ITEMS if made.claims else 0, STORED)
        check_day(made.fitted_on, STORED)
        wanted = len(Features._fields) if made.claims else 0
        for name in ("means", "scales", "weights"):
            check_length(getattr(made, name), wanted, f"{STORED}.{name}")
        check_numbers(made.means, f"{STORED}.means")
        check_numbers(made.scales, f"{STORED}.scales", least=_LEAST_SCALE)
        check_numbers(made.weights, f"{STORED}.weights", least=0.0)
        check_number(made.intercept, f"{STORED}.intercept")
        return made


def features_of(outcome: Outcome, effective_votes: float, ballots: float | None = None) -> Features:
    """Collect the features of a decided vote. The margin is that of scores above 0."""
    scores = [max(0.0, score.score) for score in outcome.scores]
    total = math.fsum(scores)
    second = scores[1] if len(scores) > 1 else 0.0
    margin = max(0.0, scores[0] - second) / total if total > 0.0 else 0.0
    return Features(outcome.confidence, outcome.agreement, margin, effective_votes, ballots)


def fit_answers(items: Sequence[AnswerItem], fitted_on: date) -> AnswerCalibrator:
    """Fit the calibrator of answers: ridge-penalised logistic regression on standardised features.

    A feature that would count against the answer is left out, so that confidence never falls as a
    vote gets clearer. A missing ballot confidence counts as the mean. Fewer than 100 items give an
    "uncalibrated" one. Raises InvalidRequest for features outside their limits or NaN.
    """
    for place, item in enumerate(items):
        _check(item.features, f"items[{place}].features")
    day = fitted_on.isoformat()
    if len(items) < FEWEST_ITEMS:
        return AnswerCalibrator("uncalibrated", len(items), day)
    columns = np.array(
        [[math.nan if v is None else v for v in item.features] for item in items], dtype=np.float64
    )
    given = ~np.isnan(columns)
    counts = np.maximum(1, given.sum(axis=0))
    means = np.where(given, columns, 0.0).sum(axis=0) / counts
    centred = np.where(given, columns - means, 0.0)
    scales = np.sqrt((centred**2).sum(axis=0) / counts)
    # A feature that never varied says nothing now, and must not shout when it varies later.
    constant = scales < _LEAST_SCALE
    scales = np.where(constant, 1.0, scales)
    right = np.array([item.right for item in items], dtype=np.float64)
    smoothed = (right * len(items) + 0.5) / (len(items) + 1)
    intercept, weights = _never_against(centred / scales, smoothed, constant.tolist())
    return AnswerCalibrator(
        "logistic",
        len(items),
        day,
        tuple(means.tolist()),
        tuple(scales.tolist()),
        tuple(weights),
        intercept,
    )


def _never_against(
    standard: logistic.Numbers, targets: logistic.Numbers, left_out: Sequence[bool]
) -> tuple[float, list[float]]:
    """Fit, leaving out the feature with the most negative weight until there is none."""
    kept = [place for place, out in enumerate(left_out) if not out]
    while True:
        fitted = logistic.fit(standard[:, kept], targets, _RIDGE)
        weights = fitted[1:]
        if len(kept) == 0 or float(weights.min()) >= 0.0:
            break
        del kept[int(np.argmin(weights))]
    every = [0.0] * len(left_out)
    for place, weight in zip(kept, weights, strict=True):
        every[place] = float(weight)
    return float(fitted[0]), every


def _check(features: Features, name: str) -> None:
    for field, value in features._asdict().items():
        most = math.inf if field == "effective_votes" else 1.0
        if value is None and field == "ballots":
            continue
        if value is None or not 0.0 <= value <= most or math.isinf(value):  # also for NaN
            limit = "it must be at least 0" if most > 1.0 else "it must lie in [0, 1]"
            raise InvalidRequest.field(f"{name}.{field}", value, limit, "Give what the vote gave.")
