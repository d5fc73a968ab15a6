"""Idle models make room by value; one in flight never does."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.node.eviction import HALF_LIFE_SECONDS, Resident, Usage, choose_victims
from services.node.ledger import Amounts

AMOUNTS = st.builds(Amounts, st.integers(0, 100), st.integers(0, 100))


def resident(name: str, host: int, **facts: float) -> Resident:
    told = {"requests": 0.0, "idle_seconds": 60.0, "reload_seconds": 1.0, **facts}
    in_flight = int(told.pop("in_flight", 0))
    return Resident(name, Amounts(host), in_flight=in_flight, **told)


RESIDENTS = st.lists(
    st.builds(
        Resident,
        name=st.uuids().map(str),
        holds=AMOUNTS,
        requests=st.floats(0, 100),
        idle_seconds=st.floats(0, 1e6),
        reload_seconds=st.floats(0, 100),
        in_flight=st.integers(0, 2),
    ),
    max_size=7,
    unique_by=lambda one: one.name,
)


def freed(residents: list[Resident], names: object) -> Amounts:
    return sum((one.holds for one in residents if one.name in names), Amounts())


@given(residents=RESIDENTS, missing=AMOUNTS)
def test_victims_are_idle_enough_and_none_is_superfluous(
    residents: list[Resident], missing: Amounts
) -> None:
    victims = choose_victims(residents, missing)
    idle = {one.name for one in residents if one.in_flight == 0}
    assert set(victims) <= idle
    if victims:
        assert not missing.beyond(freed(residents, victims))
        for fewer in itertools.combinations(victims, len(victims) - 1):
            assert missing.beyond(freed(residents, fewer))
    else:
        assert missing.beyond(freed(residents, idle)) or not missing


def test_the_model_that_nobody_asks_goes_first() -> None:
    asked = resident("asked", 100, requests=5.0, idle_seconds=2.0)
    forgotten = resident("forgotten", 100, idle_seconds=5000.0)
    assert choose_victims([asked, forgotten], Amounts(50)) == ["forgotten"]


def test_of_two_alike_the_one_that_loads_faster_goes() -> None:
    fast, slow = resident("z", 100, reload_seconds=1), resident("a", 100, reload_seconds=30)
    assert choose_victims([slow, fast], Amounts(50)) == ["z"]


def test_a_large_model_goes_rather_than_many_small_ones_of_equal_use() -> None:
    large = resident("large", 100)
    small = [resident(f"small-{number}", 10) for number in range(10)]
    assert choose_victims([*small, large], Amounts(95)) == ["large"]


def test_where_the_idle_are_not_enough_none_is_given_up() -> None:
    busy, idle = resident("busy", 100, in_flight=1), resident("idle", 10)
    assert choose_victims([busy, idle], Amounts(50)) == ()


def test_requests_fade() -> None:
    usage = Usage()
    usage.add(100.0)
    usage.add(100.0)
    assert usage.faded(100.0) == 2.0
    assert usage.faded(100.0 + HALF_LIFE_SECONDS) == pytest.approx(1.0)
    assert usage.last_used == 100.0
