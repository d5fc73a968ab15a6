"""An alarm for when errors become more or less frequent than they were: ADWIN. Pure.

Bifet & Gavaldà, Learning from Time-Changing Data with Adaptive Windowing (SDM 2007). The window
grows while it looks like one distribution, and its old part is dropped where two parts differ by
more than chance. What was calibrated before an alarm no longer holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from quorate.errors import InvalidRequest

USUAL_DELTA = 0.002
PER_SIZE = 5
"""Buckets of one size before the two oldest are merged: how finely the past is cut."""
FEWEST_EACH = 5
"""Items that either part must have."""


class Bucket(NamedTuple):
    """Neighbouring items of the stream: how many, and how many of them were errors."""

    items: int
    errors: int


class Drift(NamedTuple):
    """An alarm: the error rate before and since, and how many items are kept since."""

    before: float
    since: float
    items: int


@dataclass(frozen=True)
class Adwin:
    """A stream's window as buckets of 1, 2, 4, … items, the newest first.

    At most 5 buckets of each size, so memory grows with the logarithm of the window. A value:
    `after` gives the next one, so that a store can keep it. `delta` in (0, 1) bounds the chance
    of a false alarm at one cut; anything else raises InvalidRequest.
    """

    delta: float = USUAL_DELTA
    buckets: tuple[Bucket, ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 < self.delta < 1.0:  # also false for NaN
            raise InvalidRequest.field("delta", self.delta, "it must lie in (0, 1)", "Try 0.002.")

    @property
    def items(self) -> int:
        """How many items the window holds."""
        return sum(bucket.items for bucket in self.buckets)

    @property
    def error_rate(self) -> float:
        """The share of errors in the window; 0 when it is empty."""
        return sum(bucket.errors for bucket in self.buckets) / max(1, self.items)

    def after(self, error: bool) -> tuple[Adwin, Drift | None]:
        """Take one more item: the next window, and an alarm when the old part was dropped."""
        grown = _merged((Bucket(1, int(error)), *self.buckets))
        kept = grown
        while _differs(kept, self.delta):
            # One bucket at a time: that there was a change is known, not exactly where.
            kept = kept[:-1]
        alarm = None
        if len(kept) < len(grown):
            dropped = grown[len(kept) :]
            alarm = Drift(_rate(dropped), _rate(kept), sum(one.items for one in kept))
        return Adwin(self.delta, kept), alarm


def _merged(buckets: tuple[Bucket, ...]) -> tuple[Bucket, ...]:
    """Merge the two oldest of a size wherever there are too many of it."""
    merged = list(buckets)
    start = 0
    while start < len(merged):
        size = merged[start].items
        end = start
        while end < len(merged) and merged[end].items == size:
            end += 1
        if end - start > PER_SIZE:
            newer, older = merged[end - 2], merged[end - 1]
            both = Bucket(newer.items + older.items, newer.errors + older.errors)
            merged[end - 2 : end] = [both]
            start = end - 2
        else:
            start = end
    return tuple(merged)


def _rate(buckets: tuple[Bucket, ...]) -> float:
    return sum(one.errors for one in buckets) / sum(one.items for one in buckets)


def _differs(buckets: tuple[Bucket, ...], delta: float) -> bool:
    """Whether a newer and an older part differ by more than chance, wherever one cuts.

    The bound is the paper's: √(2/m·σ²·ln(2/δ')) + 2/(3m)·ln(2/δ'), 1/m = 1/n₀ + 1/n₁, δ' = δ/ln n.
    """
    total, errors = sum(one.items for one in buckets), sum(one.errors for one in buckets)
    if total < 2 * FEWEST_EACH:
        return False
    variance = errors / total * (1.0 - errors / total)
    chance = math.log(2.0 * math.log(total) / delta)
    newer = Bucket(0, 0)
    for bucket in buckets[:-1]:
        newer = Bucket(newer.items + bucket.items, newer.errors + bucket.errors)
        older = Bucket(total - newer.items, errors - newer.errors)
        if min(newer.items, older.items) < FEWEST_EACH:
            continue
        inverse = 1.0 / newer.items + 1.0 / older.items
        bound = math.sqrt(2.0 * inverse * variance * chance) + 2.0 / 3.0 * inverse * chance
        if abs(newer.errors / newer.items - older.errors / older.items) > bound:
            return True
    return False
