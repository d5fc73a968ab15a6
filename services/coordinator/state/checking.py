"""Refuses changes that would spoil what was learned. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from quorate.errors import InvalidRequest
from services.coordinator.state.learned import KeyPair, pair_of

if TYPE_CHECKING:
    from services.coordinator.state.learned import Changes


def check(changes: Changes, half_life: float) -> None:
    """Raise InvalidRequest for counts, confidences and features that are no such numbers."""
    if not half_life > 0.0:  # also true for NaN
        raise _refused("half_life", half_life, "it must lie above 0")
    for record in changes.records:
        _check_counts(record.right, record.wrong)
    for together in changes.together:
        _check_pair(together.pair)
        _check_counts(together.same, together.different)
    for joint in changes.joint:
        _check_pair(joint.pair)
        _check_counts(joint.both, joint.first, joint.second, joint.neither)
    _check_items(changes)


def _check_items(changes: Changes) -> None:
    for item in changes.ballots:
        if not 0.0 <= item.confidence <= 1.0:
            raise _refused("confidence", item.confidence, "it must lie in [0, 1]")
    for rung in changes.rungs:
        for heard in rung.said.values():
            if not 0.0 <= heard.confidence <= 1.0 or not 0.0 <= heard.cost < math.inf:
                raise _refused("rungs", heard, "a confidence in [0, 1] and a cost of at least 0")
    for answer in changes.answers:
        if not all(math.isfinite(value) for value in answer.features.values()):
            raise _refused("features", dict(answer.features), "features are finite numbers")


def _check_counts(*counts: float) -> None:
    if not all(0.0 <= count < math.inf for count in counts):
        raise _refused("count", counts, "counts lie in [0, infinity)")


def _check_pair(pair: KeyPair) -> None:
    if pair != pair_of(*pair) or pair[0] == pair[1]:
        raise _refused("pair", pair, "it holds two models, the lesser one first")


def _refused(name: str, value: object, limit: str) -> InvalidRequest:
    return InvalidRequest.field(name, value, limit, "Nothing of this item was learned.")
