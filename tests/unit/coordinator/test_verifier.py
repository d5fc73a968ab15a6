"""What can be computed of an answer: the sum that was asked for, and the sums of its working."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.answers import Kind, extract
from services.coordinator.orchestrate.best_of_n import belief
from services.coordinator.orchestrate.verifier import checked, decimal, value_of
from services.coordinator.question import Ballot, Seat, Status

STORY = "Ann has 9 apples and gets 9 more. How many has she?"


def ballot(text: str) -> Ballot:
    seat = Seat("n1", "atlas", 0)
    return Ballot("t1", seat, Status.VALID, "n1", extract(text, Kind.NUMBER), text)


@pytest.mark.parametrize(
    ("question", "text", "score"),
    [
        ("What is 9 + 9?", "Answer: 18", 1.0),
        ("What is 9 + 9?", "Answer: 21", 0.0),
        ("Calculate 1,000 / 8.", "Answer: 125", 1.0),
        ("What is (3 + 4) × 2?", "14", 1.0),
        ("What is 3 x 4?", "12.0", 1.0),
        ("What is 2 ÷ 3?", "0.6667", 1.0),
        (STORY, "9 + 9 = 18\nAnswer: 18", None),
        (STORY, "9 + 9 = 19\nAnswer: 19", 0.0),
        (STORY, "9*2=18, 18 - 3 = 14. Answer: 14", 0.0),
        (STORY, "10 / 4 = 2.5\nAnswer: 2.5", None),
        (STORY, "1 / 3 = 0.33\nAnswer: 0.33", None),
        (STORY, "Answer: 18", None),
        # Not equations of their own: the tail of a longer one, a share, a formula, a text.
        (STORY, "(4 + 2) * 3 + 1 = 19\nAnswer: 19", None),
        (STORY, "10% of 50 + 5 = 10\nAnswer: 10", None),
        (STORY, "2 + 3 * (4 - 1) = 11\nAnswer: 11", None),
        (STORY, "3x + 2 = 11, so x = 3\nAnswer: 3", None),
        (STORY, "half of 10 + 4 = 9\nAnswer: 9", None),
        (STORY, "9 + 9 = 18 + 0\nAnswer: 18", None),
        (STORY, "5 + 5 = 10%\nAnswer: 10", None),
        (STORY, "9 + 9 = 1,018\nAnswer: 18", None),
        (STORY, "So 9 + 9 = 19.\nAnswer: 19", 0.0),
        (STORY, "That is 9 + 9 = 19\nAnswer: 19", 0.0),
        ("What is 9 + 9 in words?", "eighteen", None),
        ("What is 1 / 0?", "Answer: 3", None),
        ("What is the capital of France?", "Paris", None),
    ],
)
def test_a_candidate_is_checked_by_computing(question: str, text: str, score: float | None) -> None:
    found = checked(question, ballot(text))
    assert (found.score if found else None) == score


@given(st.integers(-99, 99), st.integers(-99, 99), st.sampled_from("+-*"))
def test_sums_are_computed_exactly(left: int, right: int, sign: str) -> None:
    expected = {"+": left + right, "-": left - right, "*": left * right}[sign]
    assert value_of(f"{left} {sign} ({right})") == expected


@pytest.mark.parametrize(
    "written",
    [
        "",
        "2 ** 9999",
        "a + 1",
        "__import__('os')",
        "1 +",
        "(" * 199,
        "9" * 300,
        "True + 1",
        "1 // 2",
    ],
)
def test_nothing_but_sums_of_plain_numbers_is_computed(written: str) -> None:
    assert value_of(written) is None


@given(st.text(alphabet="0123456789+-*/=. ()x×\n", max_size=400))
def test_any_working_can_be_looked_at(text: str) -> None:
    found = checked(STORY, ballot(text))
    assert found is None or found.score == 0.0


def test_a_fraction_is_written_as_people_do() -> None:
    assert decimal(Fraction(18)) == "18"
    assert decimal(Fraction(5, 2)) == "2.5"


@given(st.floats(-800, 0), st.floats(-800, 0))
def test_belief_is_the_share_of_yes(yes: float, no: float) -> None:
    assert 0.0 <= belief(yes, no) <= 1.0
    assert belief(yes, no) + belief(no, yes) == pytest.approx(1.0)
