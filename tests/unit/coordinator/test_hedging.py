"""Purses of extra calls, and when a call is late enough for a second one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coordinator import hedging, retry_budget
from services.coordinator.hedging import FEWEST, REMEMBERED, SHORTEST_SECONDS, Latencies
from services.coordinator.retry_budget import ExtraCalls


def test_a_full_purse_pays_for_so_many_and_no_more() -> None:
    purse = ExtraCalls(share=0.1, per_second=0.0, most=3.0)
    assert [purse.spend(0.0) for _ in range(4)] == [True, True, True, False]


def test_ten_calls_earn_one_retry() -> None:
    purse = ExtraCalls(share=0.1, per_second=0.0, most=1.0)
    assert purse.spend(0.0)
    for _ in range(9):
        purse.earn(0.0)
    assert not purse.spend(0.0)
    purse.earn(0.0)
    purse.earn(0.0)
    assert purse.spend(0.0)


def test_time_earns_too_and_never_more_than_the_purse_holds() -> None:
    purse = ExtraCalls(share=0.0, per_second=0.5, most=2.0)
    assert [purse.spend(0.0) for _ in range(3)] == [True, True, False]
    assert not purse.spend(1.0)
    assert purse.spend(2.0)
    assert [purse.spend(1_000.0) for _ in range(3)] == [True, True, False]


def test_a_clock_that_went_back_earns_nothing() -> None:
    purse = ExtraCalls(share=0.0, per_second=1.0, most=1.0)
    assert purse.spend(10.0)
    assert not purse.spend(5.0)


@given(st.lists(st.booleans(), max_size=300))
def test_extra_calls_never_exceed_their_share_and_the_first_purse(calls: list[bool]) -> None:
    purse = ExtraCalls(share=0.1, per_second=0.0, most=10.0)
    asked = extra = 0
    for spends in calls:
        asked += 1
        purse.earn(0.0)
        extra += spends and purse.spend(0.0)
    assert extra <= 10.0 + 0.1 * asked + 1e-9


def test_when_everything_fails_retries_add_a_tenth() -> None:
    purse = retry_budget.retries()
    made = 0
    for call in range(10_000):
        now = call / 1_000
        purse.earn(now)
        made += purse.spend(now)
    assert made / 10_000 == pytest.approx(0.1, abs=0.01)


def test_the_delay_is_a_high_quantile_of_what_was_measured() -> None:
    latencies = Latencies()
    for number in range(1, 101):
        latencies.note("file", number / 100)
    assert latencies.quantile("file", 0.95) == 0.95
    assert latencies.quantile("file", 0.0) == 0.01
    assert hedging.delay_seconds(latencies, "file") == 0.95


def test_few_measurements_and_unknown_files_are_never_hedged() -> None:
    latencies = Latencies()
    for _ in range(FEWEST - 1):
        latencies.note("file", 1.0)
        latencies.note("", 1.0)
    assert hedging.delay_seconds(latencies, "file") is None
    latencies.note("file", 1.0)
    latencies.note("", 1.0)
    assert hedging.delay_seconds(latencies, "file") == 1.0
    assert hedging.delay_seconds(latencies, "other") is None
    assert hedging.delay_seconds(latencies, "") is None


def test_old_measurements_are_forgotten_and_a_delay_is_never_tiny() -> None:
    latencies = Latencies()
    latencies.note("file", 100.0)
    for _ in range(REMEMBERED):
        latencies.note("file", 1e-6)
    assert hedging.delay_seconds(latencies, "file") == SHORTEST_SECONDS


def test_one_call_in_twenty_pays_for_a_hedge() -> None:
    purse = hedging.hedges()
    made = 0
    for call in range(2_000):
        purse.earn(float(call))
        made += purse.spend(float(call))
    assert made == pytest.approx(0.05 * 2_000 + 5, abs=1)
