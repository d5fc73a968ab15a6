"""How long a model takes."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from services.coordinator.state.latency import Latency


def seen(*seconds: float) -> Latency:
    latency = Latency()
    for one in seconds:
        latency = latency.seen(one)
    return latency


@pytest.mark.parametrize("draw", [Random.random, lambda r: r.expovariate(1), lambda r: r.gauss(9)])
def test_the_quantile_comes_near_to_that_of_all_observations(draw) -> None:  # type: ignore[no-untyped-def]
    random = Random(1)
    seconds = [abs(draw(random)) for _ in range(5_000)]
    assert seen(*seconds).quantile == pytest.approx(float(np.quantile(seconds, 0.9)), rel=0.03)


def test_the_average_follows_a_change_within_some_observations() -> None:
    latency = seen(*[1.0] * 100, *[3.0] * 40)
    assert latency.average == pytest.approx(3.0, abs=0.05)


def test_few_observations_are_kept_as_they_are() -> None:
    assert Latency().quantile == 0.0
    assert seen(2.0).quantile == 2.0
    assert seen(2.0, 1.0, 4.0).quantile == 4.0


@pytest.mark.parametrize("odd", [-1.0, math.nan, math.inf])
def test_an_odd_observation_changes_nothing(odd: float) -> None:
    assert seen(1.0, 2.0).seen(odd) == seen(1.0, 2.0)
