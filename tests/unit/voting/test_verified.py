"""Facts about best of n and ranking."""

from __future__ import annotations

import math

import pytest

from quorate.answers import extract
from quorate.errors import InvalidRequest
from quorate.voting import Vote, decide


def test_best_of_n_adds_up_the_scores_of_equal_answers() -> None:
    votes = [
        Vote("a", extract("18"), verified=0.6),
        Vote("b", extract("18.0"), verified=0.5),
        Vote("c", extract("17"), verified=0.9),
    ]
    outcome = decide("best_of_n", votes)
    assert outcome.winner.text == "18"
    assert outcome.scores[0].score == pytest.approx(1.1)
    assert outcome.confidence == pytest.approx(1.1 / 2.0)


def test_best_of_n_without_a_verifier_is_an_error_that_names_what_is_missing() -> None:
    with pytest.raises(InvalidRequest, match="counts what a verifier gave, and no vote has it"):
        decide("best_of_n", [Vote("a", extract("18")), Vote("b", None, verified=0.5)])


def test_answers_that_were_not_verified_count_nothing_and_are_told() -> None:
    votes = [
        Vote("a", extract("18")),
        Vote("b", extract("18")),
        Vote("c", extract("17"), verified=0.1),
    ]
    outcome = decide("best_of_n", votes)
    assert outcome.winner.text == "17"
    assert outcome.notes == ("2 of 3 answers were not verified",)


def test_a_verifier_that_passes_nobody_leaves_no_confidence() -> None:
    votes = [
        Vote("a", extract("18"), 0.4, verified=0.0),
        Vote("b", extract("17"), 0.5, verified=0.0),
    ]
    outcome = decide("best_of_n", votes)
    assert (outcome.winner.text, outcome.confidence) == ("17", 0.0)
    assert "tie" in outcome.tie_break


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan])
def test_a_verifier_score_outside_of_zero_to_one_is_refused(score: float) -> None:
    with pytest.raises(InvalidRequest, match="verified of a"):
        Vote("a", extract("18"), verified=score)


def test_ranking_weighs_confidence_agreement_and_format() -> None:
    votes = [
        Vote("a", extract("18"), 0.5),
        Vote("b", extract("18"), 0.9),
        Vote("c", extract("17"), 1.0),
    ]
    outcome = decide("ranking", votes)
    assert outcome.winner.text == "18"
    assert [s.score for s in outcome.scores] == pytest.approx(
        [0.4 * 0.9 + 0.4 * 0.5 + 0.2, 0.4 * 1.0 + 0.2]
    )


def test_ranking_prefers_a_format_that_a_verifier_passed() -> None:
    votes = [
        Vote("a", extract("18"), 0.9, verified=0.0),
        Vote("b", extract("17"), 0.8, verified=1.0),
    ]
    assert decide("ranking", votes).winner.text == "17"


def test_ranking_prefers_a_checked_form_to_free_text() -> None:
    votes = [Vote("a", extract("rather many of them"), 0.9), Vote("b", extract("17"), 0.8)]
    assert decide("ranking", votes).winner.text == "17"


def test_length_does_not_buy_rank() -> None:
    long = "Let us think about it at length, carefully and again. " * 50
    for text in ("The answer is 18.", long + "The answer is 18."):
        votes = [Vote("a", extract(text), 0.6), Vote("b", extract("17"), 0.7)]
        outcome = decide("ranking", votes)
        assert outcome.winner.text == "17"
        assert outcome.scores[1].score == pytest.approx(0.4 * 0.6 + 0.2)
