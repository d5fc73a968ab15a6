"""Facts about the ensemble average: numbers, probabilities and texts."""

from __future__ import annotations

import pytest

from quorate.answers import Kind
from quorate.voting import Outcome, Response, aggregate


def average(
    *texts: str, kind: Kind | None = None, confidences: list[float] | None = None
) -> Outcome:
    responses: list[Response] = [{"response": text} for text in texts]
    for response, confidence in zip(responses, confidences or [], strict=False):
        response["confidence"] = confidence
    return aggregate(responses, "ensemble_average", kind=kind).outcome


def numbers(*texts: str, confidences: list[float] | None = None) -> Outcome:
    return average(*texts, kind=Kind.NUMBER, confidences=confidences)


def test_whole_numbers_give_their_median_and_who_said_it() -> None:
    outcome = numbers("18", "19", "18", "400", "17")
    assert outcome.winner.text == "18"
    assert outcome.winner_members == ("000000", "000002")
    assert outcome.agreement == 0.4
    assert outcome.notes == ("weighted median of 5 numbers: 18",)


def test_the_median_is_weighted_by_confidence() -> None:
    assert numbers("10", "20", "30", confidences=[0.9, 0.1, 0.1]).winner.text == "10"


def test_measurements_give_their_mean_without_outliers() -> None:
    outcome = numbers("9.8", "9.9", "10.1", "10.0", "250.5")
    assert outcome.winner.text == "9.95"
    assert "1 outliers left out of the mean" in outcome.notes
    assert outcome.winner_members == ()
    assert outcome.agreement == 0.0


def test_a_mean_is_weighted() -> None:
    outcome = numbers("1.5", "2.5", confidences=[0.75, 0.25])
    assert float(outcome.winner.text) == 1.75


def test_probabilities_give_their_mean_outliers_and_all() -> None:
    outcome = numbers("0.9", "0.8", "0.1")
    assert float(outcome.winner.text) == 0.6
    assert outcome.notes == ("mean of 3 numbers: 0.6",)


def test_percentages_are_probabilities_also_among_fractions() -> None:
    assert numbers("90%", "80%", "10%").winner.text == "60%"
    assert float(numbers("0.9", "0.8", "10%").winner.text) == 0.6


def test_units_are_turned_into_the_most_common_one() -> None:
    assert numbers("2 km", "2.5 km", "3000 m").winner.text.startswith("2.5")
    assert numbers("2 km", "2.5 km", "3000 m").winner.text.endswith("km")


def test_units_of_something_else_are_left_out_and_told() -> None:
    outcome = numbers("2 kg", "3 kg", "4 kg", "5 km")
    assert outcome.winner.text == "3 kg"
    assert outcome.notes[1:] == ("1 answers in another unit or kind left out",)


def test_confidence_falls_with_the_spread() -> None:
    close = numbers("100", "101", "99")
    far = numbers("100", "1000", "1")
    assert close.confidence > 0.99 > 0.4 > far.confidence


def test_abstentions_lower_the_confidence() -> None:
    assert numbers("18", "18", "nothing", "none").confidence == 0.5


def test_texts_give_the_one_that_is_most_like_the_others() -> None:
    outcome = average(
        "light scatters off air molecules and blue scatters most",
        "air molecules scatter blue light the most",
        "because blue light scatters most off air molecules up there",
        "the ocean is reflected",
    )
    assert outcome.winner.text == "air molecules scatter blue light the most"
    assert outcome.scores[-1].answer.text == "the ocean is reflected"


def test_length_buys_no_place_in_the_middle() -> None:
    padding = "moreover one should consider all of the many other things " * 20
    outcome = average("blue light scatters most", "blue light scatters more", padding)
    assert not outcome.winner.text.startswith("moreover")


def test_choices_have_no_middle_and_are_counted_by_weight() -> None:
    outcome = average("A", "A", "B", confidences=[0.9, 0.85, 0.7])
    assert outcome.winner.text == "A"
    assert outcome.confidence == pytest.approx(1.75 / 2.45)


def test_votes_without_weight_are_averaged_alike() -> None:
    assert numbers("1", "2", "3", confidences=[0.0, 0.0, 0.0]).winner.text == "2"


def test_mostly_equal_numbers_are_their_own_mean() -> None:
    outcome = numbers("2.5", "2.5", "2.5", "9.75")
    assert float(outcome.winner.text) == 2.5
    assert len(outcome.winner_members) == 3


def test_zero_is_an_average_like_any_other() -> None:
    assert numbers("-1.5", "1.5").winner.text == "0"
