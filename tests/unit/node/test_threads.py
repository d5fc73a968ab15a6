"""The tuner of threads, on machines that are played: a step's time is a function of its threads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.node.engine.threads import ThreadTuner

Machine = Callable[[int], float]


def play(tuner: ThreadTuner, machine: Machine, steps: int, tokens: int = 1, most: int = 8):
    """Give the threads that each step used, and the seconds of all."""
    used, total = [], 0.0
    for _ in range(steps):
        threads = tuner.choose(tokens, most)
        seconds = machine(threads)
        tuner.observe(tokens, most, threads, seconds)
        used.append(threads)
        total += seconds
    return used, total


def test_what_scales_gets_all_cores() -> None:
    used, _ = play(ThreadTuner(1), lambda threads: 1 / threads, 300)
    assert used[-1] == 8


def test_what_does_not_scale_gets_few() -> None:
    used, _ = play(ThreadTuner(8), lambda threads: 1.0 + 0.1 * threads, 600)
    assert used[-1] == 1


@pytest.mark.parametrize("best", [1, 2, 3, 5, 8])
def test_the_best_number_is_found_wherever_it_lies(best: int) -> None:
    tuner = ThreadTuner(4)
    play(tuner, lambda threads: 1.0 + 0.2 * abs(threads - best), 1000)
    used, total = play(tuner, lambda threads: 1.0 + 0.2 * abs(threads - best), 1000)
    assert max(set(used), key=used.count) == best
    assert total < 1000 * 1.02  # trials cost little once the best is found


def test_cores_that_others_take_are_left_and_taken_back() -> None:
    tuner = ThreadTuner(4)
    free = play(tuner, lambda threads: 1 / threads, 3000, most=4)[0]
    contended = play(tuner, lambda threads: 30.0 if threads == 4 else 1 / threads, 100, most=4)[0]
    after = play(tuner, lambda threads: 1 / threads, 3000, most=4)[0]
    assert (free[-1], contended[-1], after[-1]) == (4, 3, 4)


def test_a_lower_limit_holds_at_once_and_a_higher_one_is_used_again() -> None:
    tuner = ThreadTuner(4)
    play(tuner, lambda threads: 1 / threads, 50, most=4)
    assert set(play(tuner, lambda threads: 1 / threads, 50, most=2)[0]) <= {1, 2}
    assert play(tuner, lambda threads: 1 / threads, 1, most=4)[0] == [4]


def test_sizes_are_tuned_apart() -> None:
    tuner = ThreadTuner(2)
    for _ in range(300):
        play(tuner, lambda threads: 1.0 * threads, 1, tokens=1, most=2)
        play(tuner, lambda threads: 1.0 / threads, 1, tokens=16, most=2)
    assert play(tuner, lambda threads: 1.0 * threads, 1, tokens=1, most=2)[0] == [1]
    assert play(tuner, lambda threads: 1.0 / threads, 1, tokens=16, most=2)[0] == [2]


@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(1, 9), st.floats(1e-6, 10)), max_size=300)
)
def test_the_limit_is_never_exceeded(steps: list[tuple[int, int, float]]) -> None:
    tuner = ThreadTuner(4)
    for tokens, most, seconds in steps:
        threads = tuner.choose(tokens, most)
        assert 1 <= threads <= most
        tuner.observe(tokens, most, threads, seconds)
