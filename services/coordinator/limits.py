"""The limits of a question's plain numbers, as one table. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from quorate.errors import InvalidRequest


class Range(NamedTuple):
    """Numbers from `low` to `high`; an open end leaves out its bound."""

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: float) -> bool:
        """Say whether a number lies inside; NaN never does."""
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"{left}{_written(self.low)}, {_written(self.high)}{right}"


def _written(bound: float) -> str:
    return f"{bound:.0f}" if math.isfinite(bound) and bound % 1 == 0 else f"{bound:g}"


LARGEST: Final = 2**31 - 1
DAY_SECONDS: Final = 86_400

QUESTION: Final[Mapping[str, Range]] = {
    "max_models": Range(0, LARGEST),
    "samples": Range(0, 64),
    "rounds": Range(0, 16),
    "horizon": Range(0, 16),
    "lambda_token": Range(0, 1_000),
    "lambda_switch": Range(0, 1_000),
    "risk": Range(0, 1, open_high=True),
    "min_agreement": Range(0, 1),
    "confidence_threshold": Range(0, 1),
    "error_risk": Range(0, 1, open_high=True),
    "delta": Range(0, 0.5),
    "budget.seconds": Range(0, DAY_SECONDS),
    "budget.tokens": Range(0, 2**62),
}
"""Fields of a question; the contract says what 0 means."""

SAMPLING: Final[Mapping[str, Range]] = {
    "temperature": Range(0, 5),
    "top_k": Range(0, LARGEST),
    "top_p": Range(0, 1, open_low=True),
    "min_p": Range(0, 1),
    "typical_p": Range(0, 1, open_low=True),
    "repeat_penalty": Range(0, 10, open_low=True),
    "frequency_penalty": Range(-2, 2),
    "presence_penalty": Range(-2, 2),
    "mirostat_tau": Range(0, math.inf, open_high=True),
    "mirostat_eta": Range(0, 1, open_low=True),
    "max_tokens": Range(1, LARGEST),
    "top_logprobs": Range(0, 20),
}
"""Fields of a sampling. Checked here as well as by the nodes: one clear error, not N ballots."""


def check(name: str, value: float, limit: Range) -> None:
    """Let a number through, or raise InvalidRequest that names field, value and limit."""
    if not limit.holds(value):
        raise InvalidRequest.field(
            name, value, f"it must lie in {limit}", "Choose a number inside, or leave it out."
        )
