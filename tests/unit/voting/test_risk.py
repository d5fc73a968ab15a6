"""Facts about the probability that missing votes change the winner: exact, and never too low."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest

from quorate.voting.knowledge import Joint, Kin, Knowledge, Record
from quorate.voting.risk import (
    FEWEST_ITEMS,
    MOST_OUTSTANDING,
    Belief,
    Gain,
    Held,
    belief_of,
    probability_of_change,
)

ONE = Gain(1.0, 1.0)


def counts(*votes: int) -> list[Held]:
    return [Held(float(count), count) for count in votes]


def urn(parameters: list[float], draws: tuple[int, ...]) -> float:
    """Probability of one sequence of draws from a Pólya urn."""
    parameters = list(parameters)
    likely = 1.0
    for draw in draws:
        likely *= parameters[draw] / sum(parameters)
        parameters[draw] += 1.0
    return likely


def test_an_election_of_two_is_a_sum_over_all_sequences() -> None:
    # Leader 3, rival 1; a new answer is a rival too.
    expected = 0.0
    for rival, (leading, against, rest) in {
        1: (3 + 1 / 3, 1 + 1 / 3, 0 + 1 / 3),
        0: (3 + 1 / 3, 0 + 1 / 3, 1 + 1 / 3),
    }.items():
        for draws in product(range(3), repeat=4):
            ahead = 3 - rival + draws.count(0) - draws.count(1)
            if ahead <= 0:
                likely = urn([leading, against, rest], draws)
                expected += likely * (0.5 if ahead == 0 else 1.0)
    assert probability_of_change(counts(3, 1), [ONE] * 4) == pytest.approx(expected)


def test_known_voters_are_a_sum_over_truths_and_sequences() -> None:
    belief = Belief(accuracy=0.7, correlation=0.25, options=3)
    right, wrong = 3.0 * 0.7, 3.0 * 0.15
    votes = [2, 1, 0]
    weights, chances = [], []
    for truth in range(3):
        start = [right if answer == truth else wrong for answer in range(3)]
        weights.append(prod(start[a] + n for a in range(3) for n in range(votes[a])))
        now = [start[answer] + votes[answer] for answer in range(3)]
        chance = 0.0
        for rival in (1, 2):
            for draws in product(range(3), repeat=3):
                ahead = votes[0] - votes[rival] + draws.count(0) - draws.count(rival)
                if ahead <= 0:
                    chance += urn(now, draws) * (0.5 if ahead == 0 else 1.0)
        chances.append(min(1.0, chance))
    expected = float(np.dot(weights, chances) / sum(weights))
    found = probability_of_change(counts(2, 1), [ONE] * 3, belief)
    assert found == pytest.approx(expected)


def test_independent_voters_of_known_accuracy_are_binomial() -> None:
    belief = Belief(accuracy=0.8, correlation=0.0, options=2)
    # 3 to 0 with 4 to come: all four wrong while the leader is right, or right while it is wrong.
    leader_right = 0.8**3 / (0.8**3 + 0.2**3)
    # Three of four against it leave it ahead by one, four put it behind.
    expected = leader_right * 0.2**4 + (1 - leader_right) * 0.8**4
    found = probability_of_change(counts(3), [ONE] * 4, belief)
    assert found == pytest.approx(expected, rel=1e-3)


def test_votes_of_different_weights_are_bounded_from_above_and_closely() -> None:
    held = [Held(2.7, 3), Held(0.9, 1)]
    weights = [0.4, 1.0, 0.73, 0.9]
    missing = [Gain(weight, weight) for weight in weights]
    exact = 0.0
    for rival_score, rival_votes in ((0.9, 1), (0.0, 0)):
        start = [3 + 1 / 3, rival_votes + 1 / 3, 4 - 3 - rival_votes + 1 / 3]
        for draws in product(range(3), repeat=4):
            ahead = 2.7 - rival_score
            for weight, draw in zip(weights, draws, strict=True):
                ahead += weight * ((draw == 0) - (draw == 1))
            if ahead < 0:
                exact += urn(start, draws)
    found = probability_of_change(held, missing)
    assert exact <= found <= 2.0 * exact + 0.01


def test_many_votes_of_different_weights_are_bounded_by_the_most_dangerous() -> None:
    held = counts(12, 2)
    few = MOST_OUTSTANDING + 1
    mixed = [Gain(0.5, 0.5), *[ONE] * (few - 1)]
    found = probability_of_change(held, mixed)
    assert found >= probability_of_change(held, [ONE] * few)
    assert found <= 1.0


def test_the_risk_falls_with_the_lead_and_rises_with_what_is_missing() -> None:
    by_lead = [probability_of_change(counts(lead, 1), [ONE] * 5) for lead in (2, 3, 4, 5, 6)]
    assert by_lead == sorted(by_lead, reverse=True)
    by_missing = [probability_of_change(counts(4, 1), [ONE] * left) for left in range(9)]
    assert by_missing == sorted(by_missing)
    assert by_missing[0] == by_missing[1] == by_missing[2] == 0.0
    assert by_missing[3] > 0.0, "a tie may change it"


def test_reliable_voters_lower_the_risk_and_errors_in_common_raise_it() -> None:
    def risk(accuracy: float, correlation: float) -> float:
        return probability_of_change(counts(3), [ONE] * 6, Belief(accuracy, correlation, 4))

    assert risk(0.9, 0.2) < risk(0.7, 0.2) < risk(0.5, 0.2)
    assert risk(0.9, 0.05) < risk(0.9, 0.3)


def test_nothing_missing_is_no_risk_and_nobody_heard_is_all_of_it() -> None:
    assert probability_of_change(counts(1), []) == 0.0
    assert probability_of_change([], [ONE]) == 1.0
    assert probability_of_change(counts(5, 5), [ONE] * 3) >= 0.5


def test_when_all_options_were_named_there_is_no_new_rival() -> None:
    two = probability_of_change(counts(3, 1), [ONE] * 3, Belief(0.8, 0.2, 2))
    three = probability_of_change(counts(3, 1), [ONE] * 3, Belief(0.8, 0.2, 3))
    assert 0.0 < two < 1.0
    assert two != three


def knowing(items: float, models: str = "ab") -> Knowledge:
    return Knowledge(
        overall={model: Record(0.75 * items, 0.25 * items) for model in models},
        joint={("a", "b"): Joint(5000, 2500, 2500, 5000)},
        kin={"a": Kin(), "b": Kin()},
    )


def test_a_belief_needs_a_history_of_every_voter() -> None:
    assert belief_of(["a", "b"], 1, knowing(FEWEST_ITEMS - 1)) is None
    assert belief_of(["a", "c"], 1, knowing(100.0)) is None
    assert belief_of([], 0, knowing(100.0)) is None
    belief = belief_of(["a", "b"], 2, knowing(100.0))
    assert belief is not None
    assert belief.accuracy == pytest.approx(76 / 102)
    assert belief.correlation == pytest.approx(1 / 3, abs=0.01)
    assert belief.options == 3, "one more than was said, where it is open"


def test_the_topic_counts_where_there_is_enough_of_it() -> None:
    known = knowing(100.0)
    on_topic = {"a": Record(100.0, 0.0), "b": Record(3.0, 0.0)}
    belief = belief_of(["a", "b"], 1, Knowledge(known.overall, on_topic, options=4))
    assert belief is not None
    assert belief.accuracy == pytest.approx((101 / 102 + 76 / 102) / 2)
    assert belief.options == 4
    more = belief_of(["a"], 6, Knowledge(known.overall, options=4))
    assert more is not None
    assert more.options == 6, "more was said than was possible"


def test_a_single_voter_errs_with_nobody() -> None:
    belief = belief_of(["a"], 1, knowing(100.0))
    assert belief is not None
    assert belief.correlation < 0.001
