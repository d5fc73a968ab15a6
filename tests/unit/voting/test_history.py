"""Facts about rules that weigh votes by history: ow, isp, sp, topic and decorrelated.

Where a figure is an expectation, the votes are enumerated, not drawn; only accuracies are drawn.
"""

from __future__ import annotations

import math
from itertools import product
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from quorate.answers import Answer, Kind
from quorate.errors import InvalidRequest
from quorate.voting import Knowledge, Vote, decide
from quorate.voting.decision import election_of
from quorate.voting.knowledge import Joint, Kin, Record, Together, pair_of
from quorate.voting.rules import surprise

ITEMS = 1e7
"""So much history that the prior is nothing."""
RIGHT = Answer(Kind.CHOICE, "A", "A", "choice_letter")
WRONG = Answer(Kind.CHOICE, "B", "B", "choice_letter")
LETTERS = [Answer(Kind.CHOICE, letter, letter, "choice_letter") for letter in "ABCD"]


def known(accuracy: list[float], options: int = 2, **more: object) -> Knowledge:
    """Independent voters m0, m1, … with these accuracies and errors spread evenly."""
    names = [f"m{n}" for n in range(len(accuracy))]
    overall = {
        name: Record(ITEMS * x, ITEMS * (1 - x)) for name, x in zip(names, accuracy, strict=True)
    }
    together, joint = {}, {}
    for i, first in enumerate(accuracy):
        for j, second in enumerate(accuracy[:i]):
            q = first * second + (1 - first) * (1 - second) / (options - 1)
            pair = pair_of(names[j], names[i])
            together[pair] = Together(ITEMS * q, ITEMS * (1 - q))
            joint[pair] = Joint(
                ITEMS * second * first,
                ITEMS * second * (1 - first),
                ITEMS * (1 - second) * first,
                ITEMS * (1 - second) * (1 - first),
            )
    return Knowledge(overall, together=together, joint=joint, options=options, **more)  # type: ignore[arg-type]


def right_share(strategy: str, accuracy: list[float], knowledge: Knowledge) -> float:
    """Give P(the winner is right) of independent voters with two answers; a tie is half right."""
    share = 0.0
    for votes in product([True, False], repeat=len(accuracy)):
        chance = math.prod(x if v else 1 - x for x, v in zip(accuracy, votes, strict=True))
        ballots = [Vote(f"m{n}", RIGHT if v else WRONG) for n, v in enumerate(votes)]
        outcome = decide(strategy, ballots, knowledge)
        tied = bool(outcome.tie_break)
        share += chance * (0.5 if tied else outcome.winner == RIGHT)
    return share


@pytest.fixture(scope="module")
def uniform() -> list[list[float]]:
    """Accuracies of four voters, each even in [.5, 1]: a Latin hypercube, so that few do."""
    generator = np.random.default_rng(20251001)
    draws = 150
    strata = np.stack([generator.permutation(draws) for _ in range(4)], axis=1)
    return (0.5 + (strata + generator.random((draws, 4))) / draws / 2).clip(0.5, 0.9999).tolist()


@pytest.mark.parametrize(
    ("strategy", "expected"),
    # Exact expectations; the paper's 85.13, 79.94 and 90.48 are those of a sample of its own.
    [("majority", 0.84375), ("sp", 0.787), ("isp", 0.901), ("ow", 0.916)],
)
def test_four_voters_between_even_and_perfect(
    strategy: str, expected: float, uniform: list[list[float]]
) -> None:
    shares = [right_share(strategy, accuracy, known(accuracy)) for accuracy in uniform]
    assert float(np.mean(shares)) == pytest.approx(expected, abs=0.005)


def test_figures_of_the_paper_lie_within_what_a_hundred_drawn_accuracies_scatter() -> None:
    generator = np.random.default_rng(1)
    accuracy = generator.uniform(0.5, 1.0, (400, 100, 4))
    # Majority of four: right when three or four are, half right when two are.
    patterns = np.array(list(product([1, 0], repeat=4)))
    chance = np.where(patterns == 1, accuracy[..., None, :], 1 - accuracy[..., None, :]).prod(-1)
    value = np.select([patterns.sum(1) > 2, patterns.sum(1) == 2], [1.0, 0.5], 0.0)
    means = (chance * value).sum(-1).mean(-1)
    assert abs(0.8513 - means.mean()) < 2 * means.std()


def test_isp_of_symmetric_errors_is_a_vote_weighted_by_agreement() -> None:
    random = Random("symmetric")
    for _ in range(300):
        voters, options = random.randint(2, 6), random.randint(2, 4)
        knowledge = known([random.uniform(0.3, 0.95) for _ in range(voters)], options)
        labels = [random.randrange(options) for _ in range(voters)]
        votes = [Vote(f"m{n}", LETTERS[label]) for n, label in enumerate(labels)]
        weights = [
            1
            + sum(
                (options * _agreement(knowledge, i, j) - 1) / ((voters - 1) * (options - 1) ** 2)
                for i in range(voters)
                if i != j
            )
            for j in range(voters)
        ]
        expected = [
            sum(w for w, label in zip(weights, labels, strict=True) if label == option)
            for option in range(options)
        ]
        scores = {s.answer.text: s.score for s in decide("isp", votes, knowledge).scores}
        for (a, first), (b, second) in product(scores.items(), repeat=2):
            want = expected["ABCD".index(a)] - expected["ABCD".index(b)]
            assert first - second == pytest.approx(want, abs=1e-5)


def _agreement(knowledge: Knowledge, one: int, other: int) -> float:
    seen = knowledge.together[pair_of(f"m{one}", f"m{other}")]
    return seen.same / (seen.same + seen.different)


def test_isp_is_the_formula_of_the_paper_summed_term_by_term() -> None:
    random = Random("formula")
    for _ in range(100):
        voters, k = random.randint(2, 5), random.randint(3, 4)
        knowledge = known([random.uniform(0.3, 0.95) for _ in range(voters)], k)
        labels = [random.randrange(k) for _ in range(voters)]
        election, _ = election_of(
            [Vote(f"m{n}", LETTERS[label]) for n, label in enumerate(labels)], knowledge
        )
        scores = surprise.inverse_surprising(election).scores

        def given(
            i: int, s: int, j: int, a: int, knowledge: Knowledge = knowledge, k: int = k
        ) -> float:
            q = _agreement(knowledge, i, j)
            return q if s == a else (1 - q) / (k - 1)

        for group, score in zip(election.groups, scores, strict=True):
            s = "ABCD".index(group.answer.text)
            foretold = sum(
                given(i, s, j, a) / ((voters - 1) * (k - 1))
                for i in range(voters)
                for j in range(voters)
                if j != i
                for a in range(k)
                if a != labels[j]
            )
            assert score == pytest.approx(labels.count(s) - foretold, abs=1e-5)


def test_isp_never_learns_from_the_votes_that_it_judges() -> None:
    votes = [Vote(f"m{n}", answer) for n, answer in enumerate([RIGHT, RIGHT, WRONG])]
    outcome = decide("isp", votes, Knowledge(options=2))
    # Without history all pairs are alike, so the weights are, and it is a majority vote.
    assert outcome.winner == RIGHT
    assert outcome.notes == (
        "no two voters have a history together; their accuracies stand for it",
    )


CLONES, INDEPENDENTS, K = 3, 2, 4
ACCURACY = [0.6] * CLONES + [0.85] * INDEPENDENTS


def clone_chances() -> NDArray[np.float64]:
    """Give P(what three clones say), 4 × 4 × 4; answer 0 is right.

    Each clone says the same common draw with probability .95, else draws for itself.
    """
    draw = np.array([0.6, *[0.4 / (K - 1)] * (K - 1)])
    given = 0.95 * np.eye(K) + 0.05 * draw  # of one clone, for each common draw
    return np.einsum("d,da,db,dc->abc", draw, given, given, given)


def clone_knowledge() -> Knowledge:
    """Three voters of 60 % that mostly copy one another, and two independent ones of 85 %."""
    plain = known(ACCURACY, K)
    together, joint = dict(plain.together), dict(plain.joint)
    pairs = clone_chances().sum(axis=2)
    both, same = float(pairs[0, 0]), float(np.trace(pairs))
    for pair in [("m0", "m1"), ("m0", "m2"), ("m1", "m2")]:
        shares = (both, 0.6 - both, 0.6 - both, both - 0.2)
        joint[pair] = Joint(*(ITEMS * share for share in shares))
        together[pair] = Together(ITEMS * same, ITEMS * (1 - same))
    return Knowledge(plain.overall, together=together, joint=joint, options=K)


def clone_share(strategy: str) -> float:
    """Give P(the winner is right), over all that five voters may say; ties share it."""
    knowledge, share = clone_knowledge(), 0.0
    draw = [0.85, *[0.15 / (K - 1)] * (K - 1)]
    chances = clone_chances()
    for said in product(range(K), repeat=CLONES + INDEPENDENTS):
        chance = chances[said[:CLONES]] * draw[said[3]] * draw[said[4]]
        votes = [Vote(f"m{n}", LETTERS[answer]) for n, answer in enumerate(said)]
        scores = decide(strategy, votes, knowledge).scores
        tied = [s.answer for s in scores if math.isclose(s.score, scores[0].score, abs_tol=1e-6)]
        share += chance * (LETTERS[0] in tied) / len(tied)
    return float(share)


@pytest.mark.parametrize(
    ("strategy", "expected"), [("majority", 0.633), ("isp", 0.624), ("ow", 0.891)]
)
def test_clones_defeat_majority_and_isp(strategy: str, expected: float) -> None:
    assert clone_share(strategy) == pytest.approx(expected, abs=0.005)


def test_decorrelated_is_at_least_as_good_as_true_weights_among_clones() -> None:
    assert clone_share("decorrelated") >= clone_share("ow") - 1e-9


def test_decorrelated_weighs_independent_voters_optimally() -> None:
    accuracy = [0.6, 0.7, 0.8, 0.9]
    votes = [Vote(f"m{n}", RIGHT) for n in range(4)]
    knowledge = known(accuracy)
    ours = decide("decorrelated", votes, knowledge).weights
    assert ours == pytest.approx(decide("ow", votes, knowledge).weights, rel=1e-3)
    assert ours == pytest.approx([math.log(x / (1 - x)) for x in accuracy], rel=1e-3)


def test_copies_of_a_model_never_flip_a_decorrelated_vote() -> None:
    random = Random("copies")
    flipped_by_majority = 0
    for _ in range(300):
        voters = random.randint(2, 5)
        names = [f"m{n}" for n in range(voters)]
        kin = {n: Kin(f"file {n}", random.choice(["x", "y"]), random.choice("12")) for n in names}
        overall = {n: Record(random.randint(5, 60), random.randint(1, 40)) for n in names}
        votes = [Vote(n, random.choice(LETTERS[:3]), random.random()) for n in names]
        copied = random.choice(votes)
        copies = [
            Vote(f"{copied.member}#{c}", copied.answer, copied.confidence)
            for c in range(random.randint(1, 8))
        ]
        kin |= {copy.member: kin[copied.member] for copy in copies}
        knowledge = Knowledge(overall, kin=kin, options=4)
        # A copy may have no history of its own: it is the same file.
        before = decide("decorrelated", votes, knowledge)
        after = decide("decorrelated", [*votes, *copies], knowledge)
        assert after.winner == before.winner
        if not before.tie_break:
            assert not after.tie_break
        assert sorted(s.score for s in after.scores) == pytest.approx(
            sorted(s.score for s in before.scores), rel=1e-6
        )
        flipped_by_majority += decide("majority", [*votes, *copies]).winner != before.winner
    assert flipped_by_majority > 30, "the copies were never enough to matter"


def test_samples_of_one_model_share_its_weight_without_kin() -> None:
    votes = [
        Vote("a/0", WRONG, model="a"), Vote("a/1", WRONG, model="a"), Vote("a/2", WRONG, model="a"),
        Vote("b/0", RIGHT, model="b"), Vote("c/0", RIGHT, model="c"),
    ]  # fmt: skip
    assert decide("majority", votes).winner == WRONG
    outcome = decide("decorrelated", votes, Knowledge(options=2))
    assert outcome.winner == RIGHT
    assert outcome.weights[:3] == pytest.approx([outcome.weights[0]] * 3)


def test_decorrelated_tells_who_adds_nothing() -> None:
    knowledge = Knowledge(
        {"good": Record(900, 100), "poor": Record(600, 400)},
        joint={("good", "poor"): Joint(600, 300, 0, 100)},
        kin={"good": Kin(family="x"), "poor": Kin(family="x")},
        options=2,
    )
    outcome = decide("decorrelated", [Vote("good", RIGHT), Vote("poor", WRONG)], knowledge)
    assert outcome.winner == RIGHT
    assert outcome.weights[1] == 0.0
    assert outcome.notes == ("add nothing to voters that err alike: poor",)


def test_ow_weighs_by_log_odds_and_overrules_a_majority_of_weak_voters() -> None:
    knowledge = known([0.95, 0.6, 0.6])
    votes = [Vote("m0", RIGHT), Vote("m1", WRONG), Vote("m2", WRONG)]
    outcome = decide("ow", votes, knowledge)
    assert outcome.winner == RIGHT
    assert outcome.weights == pytest.approx([math.log(19), math.log(1.5), math.log(1.5)], rel=1e-4)
    assert outcome.notes == ()


def test_ow_counts_who_is_worse_than_chance_as_nothing_and_says_so() -> None:
    outcome = decide("ow", [Vote("m0", RIGHT), Vote("m1", WRONG)], known([0.6, 0.3]))
    assert outcome.weights[1] == 0.0
    assert outcome.notes == ("no better than chance, so counted 0: m1",)
    assert "no better than chance" in outcome.explanation


def test_what_is_chance_depends_on_how_many_answers_there_are() -> None:
    votes = [Vote("m0", RIGHT), Vote("m1", WRONG)]
    assert decide("ow", votes, known([0.6, 0.3], 4)).weights[1] == pytest.approx(
        math.log(3 * 0.3 / 0.7), rel=1e-4
    )


def test_a_model_without_history_counts_as_the_average_one_and_is_named() -> None:
    knowledge = Knowledge({"old": Record(90, 10), "poor": Record(50, 50)}, options=2)
    votes = [Vote("old", RIGHT), Vote("poor", WRONG), Vote("new", WRONG)]
    outcome = decide("ow", votes, knowledge)
    # Records are shrunk by ten items: old (90+6)/110, poor (50+6)/110; their mean is new's.
    mean = (96 / 110 + 56 / 110) / 2
    # In the order of members: new, old, poor.
    assert outcome.weights[0] == pytest.approx(math.log(mean / (1 - mean)))
    assert outcome.notes == (
        "without a history: new; taken to be right 69% of the time, as the average is",
    )


def test_without_any_history_ow_is_a_majority_and_says_so() -> None:
    votes = [Vote("a", RIGHT), Vote("b", RIGHT), Vote("c", WRONG)]
    outcome = decide("ow", votes)
    assert outcome.confidence == pytest.approx(2 / 3)
    assert outcome.notes == ("no voter has a history; each is taken to be right 60% of the time",)


def test_history_belongs_to_the_model_not_to_the_seat() -> None:
    votes = [Vote("n1/m0/0", RIGHT, model="m0"), Vote("n1/m1/0", WRONG, model="m1")]
    assert decide("ow", votes, known([0.55, 0.95])).winner == WRONG


def test_topic_prefers_who_is_good_at_the_topic() -> None:
    overall = {"poet": Record(80, 20), "sums": Record(60, 40)}
    votes = [Vote("poet", WRONG), Vote("sums", RIGHT)]
    on_topic = {"poet": Record(10, 40), "sums": Record(48, 2)}
    assert decide("ow", votes, Knowledge(overall, options=2)).winner == WRONG
    knowledge = Knowledge(overall, on_topic, topic="math", options=2)
    outcome = decide("topic", votes, knowledge)
    assert outcome.winner == RIGHT
    assert outcome.notes == ("no better than chance, so counted 0: poet",)


def test_little_history_on_a_topic_hardly_moves_the_weights() -> None:
    overall = {"a": Record(800, 200), "b": Record(600, 400)}
    votes = [Vote("a", RIGHT), Vote("b", WRONG)]
    little = Knowledge(overall, {"a": Record(0, 1), "b": Record(1, 0)}, topic="math", options=2)
    much = Knowledge(overall, {"a": Record(0, 60), "b": Record(60, 0)}, topic="math", options=2)
    outcome = decide("topic", votes, little)
    assert outcome.winner == RIGHT
    assert outcome.notes == ("little history on the topic 'math', mostly overall accuracies: a, b",)
    assert decide("topic", votes, much).winner == WRONG


def test_a_topic_without_history_is_the_overall_vote_and_says_so() -> None:
    knowledge = known([0.9, 0.6, 0.6], topic="law")
    votes = [Vote("m0", RIGHT), Vote("m1", WRONG), Vote("m2", WRONG)]
    outcome = decide("topic", votes, knowledge)
    assert outcome.weights == pytest.approx(decide("ow", votes, knowledge).weights)
    assert outcome.notes == ("nothing is known of the topic 'law'; overall accuracies count",)


def test_a_topic_that_all_models_carry_still_tells_them_apart() -> None:
    same = {f"m{n}": Record(60, 40) for n in range(3)}
    on_topic = {"m0": Record(190, 10), "m1": Record(110, 90), "m2": Record(110, 90)}
    votes = [Vote("m0", RIGHT), Vote("m1", WRONG), Vote("m2", WRONG)]
    knowledge = Knowledge(same, on_topic, topic="general", options=2)
    assert decide("majority", votes).winner == WRONG
    assert decide("topic", votes, knowledge).winner == RIGHT


@pytest.mark.parametrize(
    ("text_kind", "options"), [(Kind.BOOLEAN, 2), (Kind.CHOICE, 4), (Kind.NUMBER, 10)]
)
def test_unknown_numbers_of_options_follow_the_kind(text_kind: Kind, options: int) -> None:
    answer = Answer(text_kind, "x", "x", "t")
    knowledge = Knowledge({"a": Record(ITEMS * 0.7, ITEMS * 0.3)})
    weight = decide("ow", [Vote("a", answer)], knowledge).weights[0]
    assert weight == pytest.approx(math.log((options - 1) * 0.7 / 0.3), rel=1e-3)


@pytest.mark.parametrize("count", [-1.0, math.nan, math.inf])
def test_knowledge_that_cannot_be_counted_is_refused(count: float) -> None:
    with pytest.raises(InvalidRequest, match=r"knowledge\.overall of a"):
        Knowledge({"a": Record(count, 1)})
    with pytest.raises(InvalidRequest, match=r"knowledge\.together of \('a', 'b'\)"):
        Knowledge(together={("a", "b"): Together(1, count)})


def test_one_voter_has_no_one_to_be_foretold_by() -> None:
    assert decide("isp", [Vote("a", RIGHT)]).confidence == 1.0
