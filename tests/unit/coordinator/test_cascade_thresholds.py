"""The thresholds of a cascade: the best of all settings, under the budget."""

from __future__ import annotations

import itertools
import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.errors import InvalidRequest
from services.coordinator.orchestrate.cascade import by_cost
from services.coordinator.orchestrate.thresholds import Rung, choose_thresholds
from services.coordinator.question import Member

RUNG = st.builds(
    Rung, st.sampled_from([0.1, 0.4, 0.6, 0.9]), st.booleans(), st.sampled_from([1.0, 2.0, 5.0])
)
ITEMS = st.integers(1, 3).flatmap(
    lambda rungs: st.lists(st.lists(RUNG, min_size=rungs, max_size=rungs), min_size=1, max_size=8)
)


def walked(items: list[list[Rung]], thresholds: tuple[float, ...]) -> tuple[float, float]:
    """Walk every item up the cascade, as it would be asked."""
    cost, right = 0.0, 0
    for item in items:
        for place, rung in enumerate(item):
            cost += rung.cost
            if place == len(item) - 1 or rung.confidence >= thresholds[place]:
                right += rung.right
                break
    return cost / len(items), right / len(items)


@settings(max_examples=150, deadline=None)
@given(ITEMS)
def test_no_setting_within_the_budget_is_better(items: list[list[Rung]]) -> None:
    levels = [0.1, 0.4, 0.6, 0.9, math.nextafter(1.0, 2.0)]
    outcomes = [walked(items, one) for one in itertools.product(levels, repeat=len(items[0]) - 1)]
    budget = sorted(cost for cost, _ in outcomes)[len(outcomes) // 2]
    best = choose_thresholds(items, budget).best
    assert (best.cost, best.accuracy) == pytest.approx(walked(items, best.thresholds))
    assert best.cost <= budget
    assert best.accuracy == pytest.approx(max(good for cost, good in outcomes if cost <= budget))


@settings(max_examples=50, deadline=None)
@given(ITEMS)
def test_the_curve_rises_in_cost_and_quality(items: list[list[Rung]]) -> None:
    curve = choose_thresholds(items, math.inf).curve
    for cheaper, dearer in itertools.pairwise(curve):
        assert cheaper.cost < dearer.cost
        assert cheaper.accuracy < dearer.accuracy


def test_a_calibrated_cheap_model_saves_most_of_the_cost_at_the_same_quality() -> None:
    random = Random(5)
    items = []
    for _ in range(400):
        sure = random.random()
        cheap = Rung(sure, random.random() < sure, 1.0)
        items.append([cheap, Rung(1.0, random.random() < 0.9, 10.0)])
    everything = choose_thresholds(items, math.inf)
    assert everything.best.accuracy >= 0.9
    half = choose_thresholds(items, 6.0).best
    assert half.cost <= 6.0
    cheap_alone = sum(item[0].right for item in items) / len(items)
    assert half.accuracy > cheap_alone + 0.15


def test_many_rungs_get_a_coarser_grid() -> None:
    random = Random(1)
    items = [
        [Rung(random.random(), random.random() < 0.6, 1.0) for _ in range(6)] for _ in range(60)
    ]
    choice = choose_thresholds(items, 3.0)
    assert walked(items, choice.best.thresholds) == pytest.approx(choice.best[:2])


@pytest.mark.parametrize(
    ("items", "budget", "field"),
    [
        ([], 1.0, "items"),
        ([[]], 1.0, "items"),
        ([[Rung(0.5, True, 1.0)], []], 1.0, "items"),
        ([[Rung(1.5, True, 1.0)]], 1.0, "confidence"),
        ([[Rung(math.nan, True, 1.0)]], 1.0, "confidence"),
        ([[Rung(0.5, True, -1.0)]], 1.0, "cost"),
        ([[Rung(0.5, True, math.inf)]], 1.0, "cost"),
        ([[Rung(0.5, True, 2.0)]], 1.0, "cost_budget"),
    ],
)
def test_what_cannot_be_calibrated_on_is_named(
    items: list[list[Rung]], budget: float, field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        choose_thresholds(items, budget)
    assert refused.value.metadata["field"] == field


def test_the_cheapest_come_first_those_to_be_loaded_and_the_unknown_last() -> None:
    def member(name: str, size: int, *, resident: bool = True) -> Member:
        return Member("n1", name, "a:1", resident=resident, memory_bytes=size)

    members = [
        member("large", 900), member("unknown", 0), member("small", 100),
        member("asleep", 10, resident=False), member("also small", 100),
    ]  # fmt: skip
    assert [one.model for one in by_cost(members)] == [
        "also small", "small", "large", "unknown", "asleep",
    ]  # fmt: skip
