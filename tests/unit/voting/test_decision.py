"""Facts about deciding a vote."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest

from quorate.answers import Answer, Kind, extract
from quorate.errors import InvalidRequest, NoQuorum, UnknownStrategy
from quorate.voting import STRATEGIES, Vote, decide, find

NAN = float("nan")


def vote(member: str, text: str, confidence: float = 1.0, weight: float = 1.0) -> Vote:
    return Vote(member, extract(text), confidence, weight, verified=confidence)


def test_weighted_vote_gives_the_published_share_of_pacore() -> None:
    outcome = decide("weighted", [vote("a", "A", 0.9), vote("b", "A", 0.85), vote("c", "B", 0.7)])
    assert outcome.winner.text == "A"
    assert outcome.confidence == pytest.approx(1.75 / 2.45)
    assert f"{outcome.confidence:.2%}" == "71.43%"
    assert [(score.answer.text, score.votes) for score in outcome.scores] == [("A", 2), ("B", 1)]


def test_majority_counts_ballots_whatever_their_confidence_and_weight() -> None:
    votes = [vote("a", "A", 0.1, 0.1), vote("b", "A", 0.1, 0.1), vote("c", "B", 1.0, 9.0)]
    outcome = decide("majority", votes)
    assert outcome.winner.text == "A"
    assert outcome.confidence == pytest.approx(2 / 3)
    assert decide("weighted", votes).winner.text == "B"


def test_abstentions_stay_in_the_denominator() -> None:
    outcome = decide("majority", [vote("a", "18"), vote("b", "18.0"), vote("c", ""), vote("d", "")])
    assert outcome.agreement == 0.5
    assert outcome.confidence == 0.5
    assert outcome.winner_members == ("a", "b")
    assert "2 of 4 gave no answer" in outcome.explanation


def test_an_abstention_lowers_weighted_confidence_by_its_weight() -> None:
    votes = [vote("a", "18", weight=3.0), vote("b", "", weight=1.0)]
    assert decide("weighted", votes).confidence == 0.75


@pytest.mark.parametrize("texts", [[], [""], ["", "I don't know.", "   "]])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_nobody_answering_is_no_quorum(strategy: str, texts: list[str]) -> None:
    votes = [vote(f"m{number}", text) for number, text in enumerate(texts)]
    with pytest.raises(NoQuorum, match=f"none of {len(texts)} votes"):
        decide(strategy, votes)


@pytest.mark.parametrize("strategy", sorted({*STRATEGIES} - {"dawid_skene"}))
def test_one_vote_decides_itself(strategy: str) -> None:
    outcome = decide(strategy, [vote("a", "Paris", 0.5)])
    assert (outcome.winner.text, outcome.agreement, outcome.confidence) == ("Paris", 1.0, 1.0)
    assert outcome.tie_break == ""


def test_a_tie_goes_to_the_higher_summed_confidence_and_says_so() -> None:
    votes = [vote("a", "A", 0.5), vote("b", "A", 0.5), vote("c", "B", 0.9), vote("d", "B", 0.2)]
    outcome = decide("majority", votes)
    assert outcome.winner.text == "B"
    assert outcome.tie_break == "'A' and 'B' tie; the higher summed confidence wins"


def test_a_tie_in_confidence_goes_to_the_lower_member_id_and_says_so() -> None:
    outcome = decide("majority", [vote("n2/x/0", "A", 0.5), vote("n1/y/0", "B", 0.5)])
    assert outcome.winner.text == "B"
    assert outcome.tie_break == (
        "'A' and 'B' tie, also in confidence; the lower member id wins (n1/y/0)"
    )


def test_three_tie_and_all_are_named() -> None:
    outcome = decide("majority", [vote("c", "A", 0.1), vote("b", "B", 0.2), vote("a", "C", 0.3)])
    assert outcome.winner.text == "C"
    assert outcome.tie_break.startswith("'A' and 'B' and 'C' tie;")


def test_a_tie_behind_the_winner_is_none() -> None:
    votes = [vote("a", "A"), vote("b", "A"), vote("c", "B"), vote("d", "C")]
    assert decide("majority", votes).tie_break == ""


def test_decimals_that_only_binary_tells_apart_tie() -> None:
    votes = [vote("b", "A", 0.1), vote("c", "A", 0.2), vote("a", "B", 0.3)]
    outcome = decide("weighted", votes)
    assert outcome.winner.text == "B"
    assert "the lower member id wins (a)" in outcome.tie_break


def test_tiny_weights_are_not_mistaken_for_ties() -> None:
    votes = [vote("a", "A", weight=1e-13), vote("b", "B", weight=2e-13)]
    outcome = decide("weighted", votes)
    assert (outcome.winner.text, outcome.tie_break) == ("B", "")


@pytest.mark.parametrize("zero", ["confidence", "weight"])
def test_votes_worth_nothing_still_choose_by_rule_without_confidence(zero: str) -> None:
    votes = [Vote("b", extract("A"), **{zero: 0.0}), Vote("a", extract("B"), **{zero: 0.0})]
    outcome = decide("weighted", votes)
    assert outcome.winner.text == "B"
    assert outcome.confidence == 0.0
    assert "lower member id" in outcome.tie_break


@pytest.mark.parametrize("confidence", [-0.1, 1.1, NAN, float("inf")])
def test_a_confidence_outside_of_zero_to_one_is_refused(confidence: float) -> None:
    with pytest.raises(InvalidRequest, match=r"confidence of m .*\[0, 1\]"):
        Vote("m", None, confidence)


@pytest.mark.parametrize("weight", [-1.0, NAN, float("inf"), 1e13])
def test_a_weight_that_cannot_be_counted_is_refused(weight: float) -> None:
    with pytest.raises(InvalidRequest, match="weight of m"):
        Vote("m", None, 1.0, weight)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("majority", "majority"),
        ("majority_voting", "majority"),
        ("plurality", "majority"),
        ("weighted", "weighted"),
        ("weighted_voting", "weighted"),
        (" Weighted-Voting ", "weighted"),
    ],
)
def test_every_alias_means_its_strategy(alias: str, name: str) -> None:
    assert find(alias) is STRATEGIES[name]


def test_every_strategy_is_found_by_all_its_names_and_described() -> None:
    for name, strategy in STRATEGIES.items():
        assert all(find(called) is strategy for called in (name, *strategy.aliases))
        assert strategy.description.endswith(".")


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("majorty", "majority"), ("weigted", "weighted"), ("zzz", "Known: ")]
)
def test_an_unknown_strategy_is_an_error_with_the_nearest_names(wrong: str, nearest: str) -> None:
    with pytest.raises(UnknownStrategy, match=nearest):
        decide(wrong, [vote("a", "A")])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_order_of_votes_does_not_matter(strategy: str) -> None:
    votes = [
        vote("a", "18 kg", 0.5),
        vote("b", "18", 0.75),
        vote("c", "18 g", 0.5),
        vote("c", "17", 0.5),
        vote("d", "", 0.5),
    ]
    outcomes = {repr(decide(strategy, order)) for order in permutations(votes)}
    assert len(outcomes) == 1


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_order_of_many_votes_does_not_matter(strategy: str) -> None:
    random = Random(5)
    texts = ["Paris", "The capital of France is Paris.", "Lyon", "", "18", "18 kg", "18 g"]
    for _ in range(40):
        votes = [
            vote(f"m{n}", random.choice(texts), random.random(), random.random()) for n in range(9)
        ]
        shuffled = random.sample(votes, len(votes))
        assert repr(decide(strategy, votes)) == repr(decide(strategy, shuffled))


def test_the_winner_is_put_as_most_of_its_voters_put_it() -> None:
    votes = [vote("a", "18 kg", 0.9), vote("b", "18", 0.5), vote("c", "18", 0.4)]
    outcome = decide("majority", votes)
    assert outcome.winner.text == "18"
    assert outcome.winner_members == ("a", "b", "c")


def test_equally_common_ways_go_to_the_surer_one() -> None:
    assert decide("majority", [vote("a", "18", 0.5), vote("b", "18 kg", 0.9)]).winner.text != "18"


def test_the_surest_member_chooses_the_words() -> None:
    votes = [vote("a", "PARIS", 0.2), vote("b", "Paris", 0.9), vote("c", "paris", 0.5)]
    assert decide("majority", votes).winner.text == "Paris"


def test_equal_answers_that_must_stand_apart_are_reported() -> None:
    votes = [vote(f"a{n}", "18 kg") for n in range(3)]
    votes += [vote("b", "18"), vote("c", "18 g"), vote("d", "18 g")]
    outcome = decide("majority", votes)
    assert outcome.winner_members == ("a0", "a1", "a2", "b")
    assert "1 pairs of answers are equal, but not to all" in outcome.explanation


def test_the_explanation_names_five_answers_and_counts_the_rest() -> None:
    votes = [vote(f"m{number}", str(number)) for number in range(8)]
    explanation = decide("majority", votes).explanation
    assert "'4' 1" in explanation
    assert "'5' 1" not in explanation
    assert "3 more answers" in explanation


def test_scores_are_listed_best_first() -> None:
    votes = [vote(f"m{n}", text) for n, text in enumerate("ABBCCC")]
    scores = decide("majority", votes).scores
    assert [(s.answer.text, s.votes, s.score) for s in scores] == [
        ("C", 3, 3.0),
        ("B", 2, 2.0),
        ("A", 1, 1.0),
    ]


def test_huge_votes_do_not_overflow() -> None:
    votes = [vote(f"m{n}", "A", weight=1e12) for n in range(100)]
    assert decide("weighted", votes).confidence == 1.0


def test_a_group_keeps_its_confidence_at_most_one() -> None:
    votes = [Vote(f"m{n}", Answer(Kind.TEXT, "x", ("x",), "t"), 0.1, 0.7) for n in range(7)]
    assert decide("weighted", votes).confidence <= 1.0
