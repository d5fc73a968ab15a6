"""Facts about stopping early: it never changes the winner, and it saves what it can."""

from __future__ import annotations

from random import Random

import pytest

from quorate.answers import Answer, Kind, equivalent, extract
from quorate.errors import InvalidRequest, UnknownStrategy
from quorate.voting import Vote, decide, settled

ADDITIVE = ("majority", "weighted")
PLAIN = ["A", "B", "C", "yes", "no", ""]
MERGEABLE = [
    "18", "18 kg", "18 g", "18000 g", "0.018 t", "18.000001 kg", "18.00001", "17", "17 kg",
    "Paris", "The capital of France is Paris.", "Paris is the capital of France.",
    "the capital of France", "It is Paris", "Lyon", "",
]  # fmt: skip
ELECTIONS = 6_000  # for each strategy


def answers_of(texts: list[str]) -> list[Answer | None]:
    return [extract(text) for text in texts]


POOLS = [answers_of(PLAIN), answers_of(MERGEABLE)]
WEIGHTS = [0.0, 0.1, 0.2, 0.5, 1.0, 1.0, 1.0, 3.0]
CONFIDENCES = [0.0, 0.1, 0.3, 0.5, 0.9, 1.0, 1.0]


def election(random: Random) -> list[Vote]:
    pool = random.choice(POOLS)
    # Few different answers, so that early leads are common.
    pool = random.sample(pool, random.randint(1, min(5, len(pool))))
    plain = random.random() < 0.4
    return [
        Vote(
            f"m{member}",
            random.choice(pool),
            1.0 if plain else random.choice(CONFIDENCES),
            1.0 if plain else random.choice(WEIGHTS),
        )
        for member in range(random.randint(1, 11))
    ]


def completions(random: Random, seen: list[Vote], missing: list[Vote]) -> list[list[Vote]]:
    """The votes that really come, and hostile ones: all for one answer, or for two."""
    made = [missing]
    answers = [vote.answer for vote in seen if vote.answer] + [a for pool in POOLS for a in pool]
    for _ in range(2):
        chosen = random.sample(answers, 2)
        made.append(
            [Vote(vote.member, random.choice(chosen), 1.0, vote.weight) for vote in missing]
        )
        made.append([Vote(vote.member, chosen[0], 1.0, vote.weight) for vote in missing])
    return made


@pytest.mark.parametrize("strategy", ADDITIVE)
def test_no_completion_changes_the_winner_after_settling(strategy: str) -> None:
    random = Random(f"settled {strategy}")
    stopped = 0
    for _ in range(ELECTIONS):
        votes = election(random)
        random.shuffle(votes)
        for seen in range(1, len(votes)):
            missing = votes[seen:]
            if not settled(votes[:seen], [vote.weight for vote in missing], strategy):
                continue
            stopped += 1
            winner = decide(strategy, votes[:seen]).winner
            for completion in completions(random, votes[:seen], missing):
                final = decide(strategy, [*votes[:seen], *completion]).winner
                assert equivalent(winner, final), (votes[:seen], completion)
            break
    assert stopped > ELECTIONS / 10


@pytest.mark.parametrize("strategy", ADDITIVE)
def test_plain_elections_stop_as_early_as_any_exact_rule_can(strategy: str) -> None:
    random = Random(11)
    for _ in range(500):
        votes = [Vote(f"m{n}", random.choice(POOLS[0][:3])) for n in range(9)]
        for seen in range(1, 9):
            outcome = decide(strategy, votes[:seen])
            second = outcome.scores[1].score if len(outcome.scores) > 1 else 0.0
            possible = outcome.scores[0].score - second > 9 - seen
            assert settled(votes[:seen], [1.0] * (9 - seen), strategy) == possible


def votes_for(*texts: str, weight: float = 1.0) -> list[Vote]:
    return [Vote(f"m{n}", extract(text), 1.0, weight) for n, text in enumerate(texts)]


@pytest.mark.parametrize("strategy", ADDITIVE)
def test_nothing_outstanding_is_settled(strategy: str) -> None:
    assert settled([], [], strategy)
    assert settled(votes_for("", ""), [], strategy)


@pytest.mark.parametrize("strategy", ADDITIVE)
def test_nobody_having_answered_is_not_settled(strategy: str) -> None:
    assert not settled([], [1.0], strategy)
    assert not settled(votes_for("", ""), [1.0], strategy)


def test_a_lead_that_could_be_tied_is_not_settled() -> None:
    assert not settled(votes_for("A", "A", "B"), [1.0], "majority")
    assert settled(votes_for("A", "A", "A", "B"), [1.0], "majority")


def test_majority_counts_outstanding_members_not_their_weights() -> None:
    assert not settled(votes_for("A"), [0.1], "majority")
    assert settled(votes_for("A", "A"), [9.0], "majority")


def test_weighted_votes_count_what_the_outstanding_weigh() -> None:
    assert settled(votes_for("A"), [0.1, 0.2], "weighted")
    assert not settled(votes_for("A"), [0.5, 0.5], "weighted")


def test_outstanding_votes_without_weight_change_nothing() -> None:
    assert settled(votes_for("A"), [0.0], "weighted")


def test_decimals_that_only_binary_tells_apart_are_a_tie_to_come() -> None:
    votes = [Vote("a", extract("A"), 1.0, 0.3)]
    assert not settled(votes, [0.1, 0.2], "weighted")


def test_answers_put_differently_stop_early_where_nothing_can_part_them() -> None:
    votes = votes_for("18", "18", "18", "18 kg", "18 kg", "18 kg", "17")
    assert settled(votes, [1.0, 1.0], "majority")


def test_answers_that_a_late_one_could_part_do_not_stop() -> None:
    # "18 g", twice, would take "18" along and leave the five of "17" ahead.
    votes = votes_for("18 kg", "18", "17", "17", "17")
    votes += [Vote("k1", extract("18 kg")), Vote("k2", extract("18")), Vote("k3", extract("18"))]
    assert decide("majority", votes).winner.text == "18"
    assert not settled(votes, [1.0, 1.0], "majority")


def test_a_rival_that_equals_several_groups_counts_with_each() -> None:
    votes = votes_for("18 kg", "18 kg", "18", "18 g", "18 g", *["17"] * 5)
    assert not settled(votes, [1.0], "majority")
    assert settled([*votes, *votes_for(*["17"] * 2)], [1.0], "majority")


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_an_outstanding_weight_that_cannot_be_counted_is_refused(weight: float) -> None:
    with pytest.raises(InvalidRequest, match="weight of an outstanding vote"):
        settled(votes_for("A"), [weight], "weighted")


def test_an_unknown_strategy_is_an_error_even_with_nothing_outstanding() -> None:
    with pytest.raises(UnknownStrategy):
        settled([], [], "most")


def test_a_leader_of_hundreds_of_different_answers_is_ahead_of_the_best_rival() -> None:
    leader, others = extract("Answer: 1", Kind.NUMBER), range(100, 250)
    votes = [Vote(f"a{n:03d}", leader) for n in range(60)]
    votes += [Vote(f"b{n:03d}", extract(f"Answer: {n}", Kind.NUMBER)) for n in others]
    assert settled(votes, [1.0] * 58, "majority")
    assert not settled(votes, [1.0] * 59, "majority")


def test_where_too_many_answers_are_alike_all_rivals_count_as_one() -> None:
    votes = [Vote(f"a{n:03d}", extract("Answer: it is wood", Kind.TEXT)) for n in range(60)]
    texts = [f"thing{n} is glass" for n in range(300)]
    votes += [Vote(f"b{n:03d}", extract(text, Kind.TEXT)) for n, text in enumerate(texts)]
    assert not settled(votes, [1.0], "majority")
