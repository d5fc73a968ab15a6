"""Among equal nodes the one that will answer soonest is chosen, mostly."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coordinator.balance import Loads
from services.coordinator.breaker import Place

A, B, C = (Place(name, "atlas") for name in ("a", "b", "c"))


def loads(**facts: tuple[float | None, int]) -> Loads:
    made = Loads()
    for name, (seconds, in_flight) in facts.items():
        load = made.of(Place(name, "atlas"))
        load.in_flight = in_flight
        if seconds is not None:
            load.note(seconds, 10.0)
    return made


def shares(made: Loads, places: list[Place], seed: int = 1) -> dict[str, float]:
    dice = random.Random(seed)
    counts = Counter(made.choose(places, dice.randrange).node for _ in range(2_000))
    return {place.node: counts[place.node] / 2_000 for place in places}


def test_of_two_the_lower_time_by_calls_in_flight_wins() -> None:
    assert shares(loads(a=(1.0, 0), b=(3.0, 0)), [A, B]) == {"a": 1.0, "b": 0.0}
    assert shares(loads(a=(1.0, 3), b=(3.0, 0)), [A, B]) == {"a": 0.0, "b": 1.0}


def test_equal_places_share_the_calls() -> None:
    shared = shares(loads(a=(1.0, 0), b=(1.0, 0), c=(1.0, 0)), [A, B, C])
    assert all(share == pytest.approx(1 / 3, abs=0.05) for share in shared.values())


def test_of_three_only_the_worst_is_never_chosen() -> None:
    shared = shares(loads(a=(1.0, 0), b=(2.0, 0), c=(3.0, 0)), [A, B, C])
    assert shared["a"] == pytest.approx(2 / 3, abs=0.05)
    assert shared["b"] == pytest.approx(1 / 3, abs=0.05)
    assert shared["c"] == 0.0


def test_a_place_that_was_not_measured_is_tried_but_not_overrun() -> None:
    assert shares(loads(a=(1.0, 2), b=(None, 0)), [A, B])["b"] == 1.0
    assert shares(loads(a=(1.0, 0), b=(None, 1)), [A, B])["b"] == 0.0
    assert shares(loads(a=(None, 1), b=(None, 0)), [A, B])["b"] == 1.0


def test_the_newest_measurement_counts_most_and_old_ones_fade() -> None:
    made = Loads()
    load = made.of(A)
    load.note(1.0, 100.0)
    load.note(2.0, 200.0)
    assert (load.seconds, load.tokens) == (pytest.approx(1.3), pytest.approx(130.0))
    for _ in range(50):
        load.note(5.0, 10.0)
    assert load.seconds == pytest.approx(5.0, abs=0.01)


def test_a_node_that_is_gone_is_forgotten() -> None:
    made = loads(a=(5.0, 0))
    made.forget("a")
    assert made.of(A).seconds is None


@given(
    st.lists(st.tuples(st.floats(0.01, 100), st.integers(0, 9)), min_size=1, max_size=6),
    st.integers(0, 2**32),
)
def test_one_of_the_places_is_chosen_whatever_the_dice(
    facts: list[tuple[float, int]], seed: int
) -> None:
    places = [Place(str(number), "atlas") for number in range(len(facts))]
    made = loads(**{str(number): fact for number, fact in enumerate(facts)})
    assert made.choose(places, random.Random(seed).randrange) in places
