"""Facts about the drift alarm: it hears a change soon, seldom cries wolf, needs little memory."""

from __future__ import annotations

from random import Random

import pytest

from quorate.errors import InvalidRequest
from quorate.voting.drift import PER_SIZE, Adwin, Drift


def listen(window: Adwin, rate: float, items: int, random: Random) -> tuple[Adwin, list[Drift]]:
    alarms = []
    for _ in range(items):
        window, alarm = window.after(random.random() < rate)
        if alarm is not None:
            alarms.append(alarm)
    return window, alarms


@pytest.mark.parametrize("seed", range(10))
def test_a_shift_is_heard_soon_and_the_window_forgets_what_was(seed: int) -> None:
    random = Random(seed)
    window, _ = listen(Adwin(), 0.1, 500, random)
    window, alarms = listen(window, 0.5, 120, random)
    assert alarms
    assert alarms[0].since > alarms[0].before
    window, _ = listen(window, 0.5, 300, random)
    assert window.error_rate == pytest.approx(0.5, abs=0.12)


def test_an_improvement_is_heard_too() -> None:
    random = Random(3)
    window, _ = listen(Adwin(), 0.6, 400, random)
    _, alarms = listen(window, 0.1, 120, random)
    assert alarms
    assert alarms[0].since < alarms[0].before


def test_a_steady_stream_rarely_raises_the_alarm() -> None:
    raised = sum(
        bool(listen(Adwin(), rate, 1000, Random(f"{rate} {seed}"))[1])
        for rate in (0.05, 0.2, 0.5)
        for seed in range(10)
    )
    assert raised <= 1


def test_memory_grows_with_the_logarithm_of_the_window() -> None:
    window, _ = listen(Adwin(), 0.2, 4000, Random(1))
    assert window.items == 4000
    assert len(window.buckets) <= PER_SIZE * 11


def test_merging_buckets_loses_no_item() -> None:
    random = Random(9)
    window, errors = Adwin(), 0
    for seen in range(1, 400):
        error = random.random() < 0.3
        errors += error
        window, alarm = window.after(error)
        assert alarm is None
        assert window.items == seen
        assert sum(bucket.errors for bucket in window.buckets) == errors
        sizes = [bucket.items for bucket in window.buckets]
        assert sizes == sorted(sizes)
        assert all(sizes.count(size) <= PER_SIZE for size in sizes)


def test_an_empty_window_has_no_errors() -> None:
    assert (Adwin().items, Adwin().error_rate) == (0, 0.0)


@pytest.mark.parametrize("delta", [0.0, 1.0, float("nan")])
def test_a_delta_that_promises_nothing_is_refused(delta: float) -> None:
    with pytest.raises(InvalidRequest, match="delta"):
        Adwin(delta)
