"""The next voter is the one with the most expected information for its cost."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coordinator.budget import (
    Candidate,
    Left,
    belief,
    bounded,
    entropy,
    gain,
    is_short,
    next_wave,
    worth,
)

VOTES = st.lists(st.tuples(st.integers(0, 3), st.floats(0.01, 0.99)), max_size=6)


def numbers(wave: list[Candidate]) -> list[int]:
    return [one.number for one in wave]


def test_a_vote_of_a_model_that_is_right_with_nine_tenths_leaves_that_belief() -> None:
    assert belief([(0, 0.9)], 2) == pytest.approx([0.9, 0.1])
    assert belief([(0, 0.9), (1, 0.9)], 2) == pytest.approx([0.5, 0.5])
    assert belief([], 4) == pytest.approx([0.25] * 4)


def test_three_answers_share_an_error_evenly() -> None:
    assert belief([(1, 0.8)], 3) == pytest.approx([0.1, 0.8, 0.1])


def test_the_information_of_a_first_vote_is_what_its_noise_leaves() -> None:
    noise = entropy([0.9, 0.1])
    assert gain([0.5, 0.5], 0.9) == pytest.approx(math.log(2) - noise)


def test_a_coin_tells_nothing_and_a_settled_question_needs_nobody() -> None:
    assert gain([0.5, 0.5], 0.5) == pytest.approx(0.0, abs=1e-12)
    assert gain([1.0, 0.0], 0.9) == pytest.approx(0.0, abs=1e-12)


@given(VOTES, st.floats(0.0, 1.0))
def test_information_is_the_expected_fall_of_entropy(
    votes: list[tuple[int, float]], right: float
) -> None:
    before = belief(votes, 4)
    chance = bounded(right)
    expected = 0.0
    for said in range(4):
        likely = [chance if h == said else (1 - chance) / 3 for h in range(4)]
        total = math.fsum(p * q for p, q in zip(before, likely, strict=True))
        after = [p * q / total for p, q in zip(before, likely, strict=True)]
        expected += total * entropy(after)
    assert gain(before, right) == pytest.approx(entropy(before) - expected, abs=1e-9)


@given(VOTES)
def test_belief_is_a_distribution_whose_order_of_votes_does_not_matter(
    votes: list[tuple[int, float]],
) -> None:
    once, again = belief(votes, 4), belief(votes[::-1], 4)
    assert math.fsum(once) == pytest.approx(1.0)
    assert once == pytest.approx(again)


def test_the_better_model_comes_first_and_the_quicker_of_equals() -> None:
    even, left = [0.25] * 4, Left(seconds=10.0)
    wave = [Candidate(0, 0.6, 1.0), Candidate(1, 0.9, 1.0), Candidate(2, 0.6, 0.5)]
    assert numbers(next_wave(wave, even, left, 3)) == [1, 2, 0]


def test_a_much_cheaper_model_beats_a_slightly_better_one() -> None:
    even, left = [0.25] * 4, Left(tokens=10_000)
    wave = [Candidate(0, 0.8, tokens=1_000.0), Candidate(1, 0.75, tokens=50.0)]
    assert numbers(next_wave(wave, even, left, 1)) == [1]
    assert worth(wave[1], even, left) > worth(wave[0], even, left)


def test_tokens_and_seconds_are_weighed_by_their_share_of_what_is_left() -> None:
    even = [0.5, 0.5]
    one = Candidate(0, 0.9, 1.0, 10.0)
    both = worth(one, even, Left(10.0, 100))
    assert both == pytest.approx(gain(even, 0.9) / (1.0 / 10.0 + 10.0 / 100.0))


def test_who_cannot_end_in_time_is_not_asked() -> None:
    wave = [Candidate(0, 0.9, 5.0), Candidate(1, 0.6, 0.5)]
    assert numbers(next_wave(wave, [0.5, 0.5], Left(seconds=1.0), 2)) == [1]
    assert next_wave(wave, [0.5, 0.5], Left(seconds=0.1), 2) == []


def test_a_wave_is_no_larger_than_its_tokens_and_than_is_wanted() -> None:
    wave = [Candidate(number, 0.7, tokens=100.0) for number in range(5)]
    assert numbers(next_wave(wave, [0.5, 0.5], Left(tokens=320), 5)) == [0, 1]
    assert numbers(next_wave(wave, [0.5, 0.5], Left(tokens=10_000), 3)) == [0, 1, 2]
    assert next_wave(wave, [0.5, 0.5], Left(tokens=149), 3) == []


def test_who_was_never_measured_costs_what_others_do() -> None:
    wave = [Candidate(0, 0.7), Candidate(1, 0.7, tokens=100.0)]
    assert numbers(next_wave(wave, [0.5, 0.5], Left(tokens=150), 2)) == [0]
    assert numbers(next_wave([Candidate(0, 0.7)], [0.5, 0.5], Left(1.0, 2), 1)) == [0]


def test_a_budget_is_short_only_when_measurements_say_so() -> None:
    unknown = [Candidate(number, 0.7) for number in range(3)]
    assert not is_short(unknown, Left(1e-3, 1))
    measured = [one._replace(seconds=2.0, tokens=100.0) for one in unknown]
    assert is_short(measured, Left(tokens=449))
    assert not is_short(measured, Left(tokens=450))
    assert is_short(measured, Left(seconds=1.9))
    assert not is_short(measured, Left(seconds=2.0))
    assert not is_short(measured, Left())
