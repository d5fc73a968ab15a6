"""When to say "not sure": thresholds that promise how rarely what is answered is wrong. Pure.

Learn then test (Angelopoulos et al., arXiv 2110.01052): of the thresholds on a grid, the lowest is
taken of which a calibration split proves that at most α of what it answers is wrong. The promise
holds with probability 1 − δ over the split, for any distribution of scores and errors, as long as
later questions come from the same one; the drift alarm tells when they do not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from quorate.errors import InvalidRequest
from quorate.voting.stored import (
    check_falling,
    check_items,
    check_length,
    check_numbers,
    converted,
    wrong,
)

STORED = "stored risk curve"
GRID = 100
"""Thresholds are 0.00, 0.01, …, 0.99: fixed beforehand, or the proof would not hold."""
STARTS = (95, 85, 70, 50)
"""Where chains of tests start, in hundredths; each goes down until a test fails, with δ/4."""


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answers with a score of `value` or more are given.

    Of those, at most a share `alpha` is wrong, with probability 1 − `delta` over the calibration
    split, of whose `items` `answered` were at or above it and `wrong` of these were wrong.
    """

    value: float
    alpha: float
    delta: float
    items: int
    answered: int
    wrong: int


class RiskCurve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A calibration split in short, enough for any α and δ, ready to be stored.

    `answered[k]` items have a score of k/100 or more, `wrong[k]` of these were wrong; `items` all.
    """

    items: int
    answered: tuple[int, ...]
    wrong: tuple[int, ...]

    def threshold(self, alpha: float, delta: float = 0.05) -> Threshold | None:
        """Give the lowest threshold that keeps the promise; None when these items prove none.

        Raises InvalidRequest for an alpha or delta outside (0, 1).
        """
        _check_open("alpha", alpha)
        _check_open("delta", delta)
        proven = [place for start in STARTS for place in self._chain(start, alpha, delta)]
        if not proven:
            return None
        lowest = min(proven)
        return Threshold(
            lowest / GRID, alpha, delta, self.items, self.answered[lowest], self.wrong[lowest]
        )

    def to_dict(self) -> dict[str, object]:
        """Give plain values for JSON; `from_dict` is its inverse."""
        return dict(msgspec.to_builtins(self))

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> RiskCurve:
        """Make it from plain values; InvalidRequest names what is wrong with them."""
        made = converted(stored, cls, STORED)
        check_items(made.items, 0, STORED)
        for name, counts in (("answered", made.answered), ("wrong", made.wrong)):
            field = f"{STORED}.{name}"
            check_length(counts, GRID, field)
            check_numbers(counts, field, least=0)
            check_falling(counts, field)
        if made.answered[0] != made.items:
            limit = f"all {made.items} items have a score of 0 or more"
            raise wrong(f"{STORED}.answered[0]", made.answered[0], limit)
        for place, (answered, amiss) in enumerate(zip(made.answered, made.wrong, strict=True)):
            if amiss > answered:
                limit = f"only {answered} were answered there"
                raise wrong(f"{STORED}.wrong[{place}]", amiss, limit)
        return made

    def _chain(self, start: int, alpha: float, delta: float) -> list[int]:
        """Test from a start downwards until one fails (fixed-sequence testing)."""
        proven = []
        for place in range(start, -1, -1):
            if _at_most(self.wrong[place], self.answered[place], alpha) > delta / len(STARTS):
                break
            proven.append(place)
        return proven


class Decision(NamedTuple):
    """Whether to answer, and why not."""

    answer: bool
    reason: str


def risk_curve(scores: Sequence[float], right: Sequence[bool]) -> RiskCurve:
    """Sum up a calibration split of scores in [0, 1], one for each answer, and the truth.

    Raises InvalidRequest when they differ in length or a score lies outside.
    """
    if len(scores) != len(right):
        raise InvalidRequest.field(
            "right", len(right), f"there are {len(scores)} scores", "Give one for each."
        )
    answered, wrong = [0] * GRID, [0] * GRID
    for place, (score, was_right) in enumerate(zip(scores, right, strict=True)):
        top = min(GRID - 1, _rung(_checked(score, f"scores[{place}]")))
        answered[top] += 1
        wrong[top] += not was_right
    for rung in range(GRID - 2, -1, -1):
        answered[rung] += answered[rung + 1]
        wrong[rung] += wrong[rung + 1]
    return RiskCurve(len(scores), tuple(answered), tuple(wrong))


def threshold(
    scores: Sequence[float], right: Sequence[bool], alpha: float, delta: float = 0.05
) -> Threshold | None:
    """Give the lowest threshold of which the split proves that at most α of the answers are wrong.

    None: these items prove none, and nothing may be claimed. For α = δ = 5 % at least 86 items with
    high scores, all right, are needed. Raises InvalidRequest for bad values.
    """
    return risk_curve(scores, right).threshold(alpha, delta)


def by_topic(
    topics: Sequence[str],
    scores: Sequence[float],
    right: Sequence[bool],
    alpha: float,
    delta: float = 0.05,
) -> dict[str, Threshold | None]:
    """Give each topic its own threshold, each with its own promise; None where none is proven."""
    if len(topics) != len(scores):
        raise InvalidRequest.field(
            "topics", len(topics), f"there are {len(scores)} scores", "Give one for each."
        )
    rows: dict[str, list[tuple[float, bool]]] = {}
    for topic, score, was_right in zip(topics, scores, right, strict=True):
        rows.setdefault(topic, []).append((score, was_right))
    return {
        topic: threshold([row[0] for row in of], [row[1] for row in of], alpha, delta)
        for topic, of in rows.items()
    }


def decide(score: float | None, limit: Threshold | None) -> Decision:
    """Decide whether an answer with this score is given; None is an uncalibrated one.

    Raises InvalidRequest for a score outside [0, 1].
    """
    if score is None:
        return Decision(False, "not sure: the confidence is uncalibrated")
    _checked(score, "score")
    if limit is None:
        return Decision(False, "not sure: too few calibration items to promise anything")
    if _rung(score) >= round(limit.value * GRID):
        return Decision(True, "")
    return Decision(
        False,
        f"not sure: the confidence of {score:.2f} is below the {limit.value:.2f} from which at "
        f"most {limit.alpha:.1%} of the answers are wrong",
    )


def _rung(score: float) -> int:
    """Give the highest threshold that a score reaches, in hundredths."""
    return math.floor(score * GRID + 1e-9)


def _at_most(wrong: int, answered: int, alpha: float) -> float:
    """P-value of "more than α are wrong": the binomial chance of so few wrong ones."""
    if answered == 0:
        return 1.0
    logs = [
        math.lgamma(answered + 1)
        - math.lgamma(k + 1)
        - math.lgamma(answered - k + 1)
        + k * math.log(alpha)
        + (answered - k) * math.log1p(-alpha)
        for k in range(wrong + 1)
    ]
    return min(1.0, math.fsum(map(math.exp, logs)))


def _checked(score: float, name: str) -> float:
    if not 0.0 <= score <= 1.0:  # also false for NaN
        raise InvalidRequest.field(name, score, "it must lie in [0, 1]", "Give a probability.")
    return score


def _check_open(name: str, value: float) -> None:
    if not 0.0 < value < 1.0:  # also false for NaN
        raise InvalidRequest.field(name, value, "it must lie in (0, 1)", "Try 0.05.")
