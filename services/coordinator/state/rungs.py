"""From which confidence on a cascade accepts a model's answer, learned from truths. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from quorate.errors import InvalidRequest
from services.coordinator.orchestrate.thresholds import Rung, choose_thresholds
from services.coordinator.state.learned import Heard, RungItem

FEWEST_ITEMS = 50
"""Questions that all rungs answered; with fewer a threshold is chance."""
MOST_ITEMS = 300
"""The newest items that are fitted on: every setting of the thresholds is tried on all of them."""
MOST_LOST = 0.01
"""Share of answers that the cheapest good setting may get wrong where the best one does not."""
_FIELDS = ("confidence", "right", "cost")


class Thresholds(NamedTuple):
    """From which raw confidence on a model, by id, is believed; above 1 it never is alone.

    `items` is how many questions stand behind it.
    """

    accepted_from: Mapping[str, float]
    items: int


NONE_LEARNED = Thresholds({}, 0)


def fit(items: Sequence[RungItem]) -> Thresholds:
    """Choose the thresholds of the cascade of those models that answered together most often.

    Its rungs stand in the order of their mean cost. The last one has no threshold: then all vote.
    """
    sets = Counter(tuple(sorted(item.said)) for item in items)
    if not sets:
        return NONE_LEARNED
    models, count = min(sets.items(), key=lambda found: (-found[1], found[0]))
    if count < FEWEST_ITEMS:
        return Thresholds({}, count)
    chosen = [item for item in items if tuple(sorted(item.said)) == models][-MOST_ITEMS:]
    costs = {
        name: math.fsum(item.said[name].cost for item in chosen) / len(chosen) for name in models
    }
    order = sorted(models, key=lambda name: (costs[name], name))
    table = [[Rung(*item.said[name]) for name in order] for item in chosen]
    curve = choose_thresholds(table, math.inf).curve
    least = curve[-1].accuracy - MOST_LOST
    good = next(point for point in curve if point.accuracy >= least)
    return Thresholds(dict(zip(order[:-1], good.thresholds, strict=True)), len(chosen))


def flat(said: Mapping[str, Heard]) -> dict[str, float]:
    """Write what was heard as one row of numbers."""
    return {
        f"{name}/{field}": float(value)
        for name, heard in sorted(said.items())
        for field, value in zip(_FIELDS, heard, strict=True)
    }


def heard_of(numbers: Mapping[str, float]) -> dict[str, Heard]:
    """Read such a row; raises InvalidRequest for one that is spoilt."""
    names = dict.fromkeys(key.rpartition("/")[0] for key in numbers)
    try:
        said = {name: [float(numbers[f"{name}/{field}"]) for field in _FIELDS] for name in names}
    except KeyError as error:
        raise _spoilt(numbers) from error
    for sure, right, cost in said.values():
        if not 0.0 <= sure <= 1.0 or right not in {0.0, 1.0} or not 0.0 <= cost < math.inf:
            raise _spoilt(numbers)
    if len(numbers) != len(_FIELDS) * len(said) or len(said) < 2:
        raise _spoilt(numbers)
    return {name: Heard(sure, bool(right), cost) for name, (sure, right, cost) in said.items()}


def _spoilt(numbers: Mapping[str, float]) -> InvalidRequest:
    return InvalidRequest.field(
        "features", dict(numbers), "each of several models has a confidence, right and cost",
        "Nothing was changed.",
    )  # fmt: skip


def written(thresholds: Thresholds) -> dict[str, Any]:
    """Give what JSON can hold."""
    return {"accepted_from": dict(thresholds.accepted_from), "items": thresholds.items}


def read(data: Mapping[str, Any]) -> Thresholds:
    """Read it back; raises ValueError, KeyError or TypeError for what was spoilt."""
    found = {str(name): float(value) for name, value in data["accepted_from"].items()}
    if not all(0.0 <= value < 2.0 for value in found.values()):
        raise ValueError("a threshold is no confidence")
    return Thresholds(found, int(data["items"]))
