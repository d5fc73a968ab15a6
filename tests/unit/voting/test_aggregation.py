"""Facts about the library call."""

from __future__ import annotations

import pytest

from quorate.answers import Kind
from quorate.errors import InvalidRequest, NoQuorum, UnknownStrategy
from quorate.voting import Knowledge, aggregate
from quorate.voting.knowledge import Record

THREE = [
    {"response": "A", "confidence": 0.9},
    {"response": "The answer is A.", "confidence": 0.85},
    {"response": "B", "confidence": 0.7},
]


def test_a_list_of_responses_gives_text_confidence_ballots_and_reasons() -> None:
    result = aggregate(THREE, strategy="weighted")
    assert result.text == "A"
    assert f"{result.confidence:.2%}" == "71.43%"
    assert [ballot.member for ballot in result.ballots] == ["000000", "000001", "000002"]
    assert result.explanation == "weighted: 'A' 2, 'B' 1"
    assert result.outcome.agreement == pytest.approx(2 / 3)


def test_majority_is_the_rule_when_none_is_named() -> None:
    assert aggregate(THREE).confidence == pytest.approx(2 / 3)


def test_responses_below_the_threshold_abstain_and_still_count() -> None:
    result = aggregate(THREE, confidence_threshold=0.8)
    assert [ballot.answer is None for ballot in result.ballots] == [False, False, True]
    assert result.outcome.agreement == pytest.approx(2 / 3)
    with pytest.raises(NoQuorum):
        aggregate(THREE, confidence_threshold=0.95)


def test_a_response_at_the_threshold_counts() -> None:
    assert aggregate(THREE, confidence_threshold=0.9).outcome.winner_members == ("000000",)


def test_too_little_agreement_is_no_quorum_with_the_figure() -> None:
    with pytest.raises(NoQuorum, match=r"agreement of 0\.667, below the 0\.7") as caught:
        aggregate(THREE, min_agreement=0.7)
    assert float(caught.value.metadata["agreement"]) == pytest.approx(2 / 3)
    assert aggregate(THREE, min_agreement=0.6).text == "A"


def test_a_kind_decides_what_counts() -> None:
    responses = [{"response": "I think it is 18 in all"}, {"response": "no number"}]
    result = aggregate(responses, kind=Kind.NUMBER)
    assert result.text == "18"
    assert result.ballots[1].answer is None


def test_models_are_named_and_weigh() -> None:
    result = aggregate(
        [
            {"response": "yes", "model": "n1/atlas/0", "weight": 3},
            {"response": "no", "model": "n2/forge/0", "weight": 1},
        ],
        "weighted_voting",
    )
    assert (result.text, result.confidence) == ("yes", 0.75)
    assert result.outcome.winner_members == ("n1/atlas/0",)


def test_no_responses_are_no_quorum() -> None:
    with pytest.raises(NoQuorum):
        aggregate([])


def test_an_unknown_strategy_names_the_nearest() -> None:
    with pytest.raises(UnknownStrategy, match="Did you mean 'weighted'"):
        aggregate(THREE, "wieghted")


@pytest.mark.parametrize(
    ("response", "field"),
    [
        ({}, r"responses\[0\].response"),
        ({"response": None}, r"responses\[0\].response"),
        ({"response": 18}, r"responses\[0\].response"),
        ({"response": "A", "confidence": "high"}, r"responses\[0\].confidence"),
        ({"response": "A", "confidence": True}, r"responses\[0\].confidence"),
        ({"response": "A", "confidence": 2}, "confidence of 000000"),
        ({"response": "A", "confidence": float("nan")}, "confidence of 000000"),
        ({"response": "A", "weight": None}, r"responses\[0\].weight"),
        ({"response": "A", "weight": -1}, "weight of 000000"),
        ({"response": "A", "confidance": 0.5}, "Did you mean 'confidence'"),
        ({"response": "A", "model": 3}, r"responses\[0\].model"),
        ({"response": "A", "model": ""}, r"responses\[0\].model"),
        ({"response": "A", "verified": "yes"}, r"responses\[0\].verified"),
        ({"response": "A", "verified": 1.5}, "verified of 000000"),
        ({"response": "A", "ranking": "AB"}, r"responses\[0\].ranking is"),
        ({"response": "A", "ranking": 3}, r"responses\[0\].ranking is"),
        ({"response": "A", "ranking": ["A", 5]}, r"responses\[0\].ranking\[1\]"),
        ({"response": "A", "ranking": ["A", ""]}, r"responses\[0\].ranking\[1\]"),
    ],
)
def test_a_bad_response_is_refused_by_field(response: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        aggregate([response])


@pytest.mark.parametrize("option", ["confidence_threshold", "min_agreement"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_shares_outside_of_zero_to_one_are_refused(option: str, value: float) -> None:
    with pytest.raises(InvalidRequest, match=option):
        aggregate(THREE, **{option: value})


def test_rankings_and_verifier_scores_are_counted_where_the_strategy_reads_them() -> None:
    responses = [
        {"response": "A", "ranking": ["A", "D"], "verified": 0.1},
        {"response": "B", "ranking": ["B", "D"], "verified": 0.2},
        {"response": "C", "ranking": ["C", "The answer is D"], "verified": None},
    ]
    assert aggregate(responses, "borda_count").text == "D"
    assert aggregate(responses, "best_of_n").text == "B"


def test_several_responses_of_one_model_are_its_samples() -> None:
    responses = [{"response": text, "model": "a"} for text in ("A", "A", "A", "B")]
    responses += [{"response": "B", "model": model} for model in ("b", "c")]
    assert aggregate(responses, "majority").outcome.scores[0].votes == 3
    assert aggregate(responses, "borda").text == "B"


def test_knowledge_of_the_models_weighs_their_responses() -> None:
    responses = [{"response": t, "model": m} for t, m in (("yes", "a"), ("no", "b"), ("no", "c"))]
    knowledge = Knowledge({"a": Record(95, 5), "b": Record(55, 45), "c": Record(55, 45)})
    assert aggregate(responses, "ow").text == "no"
    assert aggregate(responses, "ow", knowledge=knowledge).text == "yes"


@pytest.mark.parametrize("responses", [["A", "B"], [None]])
def test_a_response_that_is_no_mapping_says_how_to_write_one(responses: list[object]) -> None:
    with pytest.raises(InvalidRequest, match=r"responses\[0\].*mapping"):
        aggregate(responses)  # type: ignore[arg-type]


def test_a_strategy_that_is_no_name_and_a_weight_beyond_all_numbers_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="strategy"):
        aggregate([{"response": "A"}], 5)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="weight"):
        aggregate([{"response": "A", "weight": 10**400}])


def test_the_mean_of_equal_temperatures_is_that_temperature() -> None:
    result = aggregate([{"response": "20°C"}, {"response": "68°F"}], "average")
    assert result.text.startswith("20")


@pytest.mark.parametrize("numbers", [("1e400", "2e400"), ("1e-400", "0.5"), ("1e400", "0.5")])
def test_numbers_beyond_all_bounds_do_not_break_an_average(numbers: tuple[str, str]) -> None:
    responses = [*({"response": number} for number in numbers), {"response": "0.5"}]
    assert aggregate(responses, "average").text in {"0.5", numbers[0]}
