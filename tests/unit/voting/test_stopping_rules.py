"""Facts about the rules that stop early: what each saves, and how rarely it is wrong."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from random import Random

import numpy as np
import pytest

from quorate.answers import Kind, equivalent, extract
from quorate.errors import InvalidRequest
from quorate.voting import Vote, decide
from quorate.voting.decision import election_of
from quorate.voting.definition import Strategy
from quorate.voting.knowledge import NOTHING_KNOWN, Joint, Knowledge, Record
from quorate.voting.rules.accuracy import options_of
from quorate.voting.stopping import (
    FEWEST_OPTIONS,
    GO_ON,
    Stop,
    StopRule,
    majority_probability,
    settled,
    should_stop,
)
from quorate.voting.strategies import STRATEGIES

LETTERS = [extract(letter) for letter in "ABCD"]
VOTERS = 9
OPTIONS = 4
EASY, MIDDLING, HARD = 0.78, 0.68, 0.49


def votes_of(answers: tuple[int, ...], start: int = 0) -> list[Vote]:
    return [Vote(f"m{start + n}", LETTERS[answer]) for n, answer in enumerate(answers)]


def ballots(accuracy: float, questions: int, seed: int) -> np.ndarray:
    """Nine voters that give answer 0 with this probability, else one of the three others."""
    random = np.random.default_rng(seed)
    right = random.random((questions, VOTERS)) < accuracy
    return np.where(right, 0, random.integers(1, OPTIONS, (questions, VOTERS)))


def known_voters(accuracy: float, correlation: float = 0.0) -> Knowledge:
    """Voters of known accuracy, known to err independently of one another, or not."""
    models = [f"m{n}" for n in range(VOTERS)]
    apart = accuracy * (1 - accuracy) * (1 - correlation)
    together = Joint(
        1e6 * (accuracy - apart), 1e6 * apart, 1e6 * apart, 1e6 * (1 - accuracy - apart)
    )
    return Knowledge(
        overall={model: Record(1e4 * accuracy, 1e4 * (1 - accuracy)) for model in models},
        joint={pair: together for pair in product(models, models) if pair[0] < pair[1]},
        options=OPTIONS,
    )


@dataclass(frozen=True)
class Savings:
    """The share of votes that were not needed, and of winners that changed by not asking them."""

    saved: float
    changed: float


def correlated_ballots(
    accuracy: float, correlation: float, questions: int, seed: int
) -> np.ndarray:
    """Voters whose errors correlate: each question has its own shares of the four answers."""
    random = np.random.default_rng(seed)
    precision = 1 / correlation - 1
    means = np.array([accuracy, *[(1 - accuracy) / 3] * 3]) * precision
    shares = random.dirichlet(means, questions)
    return np.array([random.choice(OPTIONS, VOTERS, p=share) for share in shares])


def savings(
    rule: StopRule,
    accuracy: float,
    knowledge: Knowledge = NOTHING_KNOWN,
    questions: np.ndarray | None = None,
) -> Savings:
    awaited = [f"m{n}" for n in range(VOTERS)]

    @cache
    def stops(counts: tuple[int, ...]) -> bool:
        # Voters are alike here, so that only the counts matter.
        seen = tuple(answer for answer, count in enumerate(counts) for _ in range(count))
        missing = VOTERS - len(seen)
        return bool(
            should_stop(
                votes_of(seen), [1.0] * missing, "majority", rule, 0.01, knowledge,
                awaited[len(seen) :],
            )
        )  # fmt: skip

    used = changed = 0
    questions = ballots(accuracy, 10_000, seed=17) if questions is None else questions
    confidences = np.random.default_rng(18).random(questions.shape)
    for row, sure in zip(questions.tolist(), confidences.tolist(), strict=True):
        counts = [0] * OPTIONS
        for answer in row:
            counts[answer] += 1
            if stops(tuple(sorted(counts, reverse=True))):
                break
        used += sum(counts)
        changed += leader(row[: sum(counts)], sure) != leader(row, sure)
    return Savings(1 - used / questions.size, changed / len(questions))


def leader(answers: list[int], sure: list[float]) -> int:
    """The most frequent answer; a tie goes to the higher summed confidence."""
    votes, confidence = [0] * OPTIONS, [0.0] * OPTIONS
    for answer, confident in zip(answers, sure, strict=False):
        votes[answer] += 1
        confidence[answer] += confident
    return max(range(OPTIONS), key=lambda answer: (votes[answer], confidence[answer]))


@pytest.mark.parametrize(("accuracy", "saved"), [(EASY, 0.30), (MIDDLING, 0.23), (HARD, 0.11)])
def test_exact_stopping_saves_what_it_can_and_changes_nothing(
    accuracy: float, saved: float
) -> None:
    found = savings(StopRule.EXACT, accuracy)
    assert found.changed == 0.0
    assert found.saved == pytest.approx(saved, abs=0.01)


def test_one_percent_of_risk_saves_more_and_changes_less_than_that() -> None:
    easy, middling, hard = (savings(StopRule.RISK, x) for x in (EASY, MIDDLING, HARD))
    assert easy.saved == pytest.approx(0.44, abs=0.015)
    assert middling.saved == pytest.approx(0.33, abs=0.015)
    assert hard.saved == pytest.approx(0.17, abs=0.015)
    assert max(easy.changed, middling.changed, hard.changed) <= 0.01
    assert (easy.changed + middling.changed + hard.changed) / 3 <= 0.0055


def test_one_percent_of_risk_saves_most_where_the_voters_are_known() -> None:
    easy, middling, hard = (
        savings(StopRule.RISK, x, known_voters(x)) for x in (EASY, MIDDLING, HARD)
    )
    assert easy.saved >= 0.39
    assert middling.saved >= 0.30
    assert hard.saved >= 0.14
    assert max(easy.changed, middling.changed, hard.changed) <= 0.0055


@pytest.mark.parametrize(("accuracy", "correlation"), [(0.8, 0.3), (0.6, 0.2), (0.7, 0.1)])
def test_voters_that_err_together_keep_the_risk_where_that_is_known(
    accuracy: float, correlation: float
) -> None:
    questions = correlated_ballots(accuracy, correlation, 8000, seed=23)
    known = known_voters(accuracy, correlation)
    found = savings(StopRule.RISK, accuracy, known, questions)
    exact = savings(StopRule.EXACT, accuracy, known, questions)
    assert found.changed <= 0.01
    assert found.saved > exact.saved + 0.03
    assert exact.changed == 0.0


def test_exact_stopping_changes_no_winner_of_a_hundred_thousand_elections() -> None:
    random = np.random.default_rng(99)
    stopped = 0
    for voters in (3, 5, 7, 9):
        skill = random.beta(2.0, 1.5, (25_000, 1))
        right = random.random((25_000, voters)) < skill
        answers = np.where(right, 0, random.integers(1, OPTIONS, right.shape))
        weights = random.choice([0.5, 1.0, 2.0], right.shape, p=[0.2, 0.6, 0.2])
        weights[::2] = 1.0
        for row, weight in zip(answers.tolist(), weights.tolist(), strict=True):
            stopped += stays_the_winner(row, weight)
    assert stopped > 50_000


def stays_the_winner(answers: list[int], weights: list[float]) -> bool:
    """Stop the election as the exact rule says; its leader must win. Whether it stopped early."""
    scores = [0.0] * OPTIONS
    for seen, (answer, weight) in enumerate(zip(answers, weights, strict=True), start=1):
        scores[answer] += weight
        left = weights[seen:]
        if left and is_settled(tuple(sorted(scores, reverse=True)), tuple(sorted(left))):
            first = scores.index(max(scores))
            for answer, weight in zip(answers[seen:], left, strict=True):
                scores[answer] += weight
            others = max(score for place, score in enumerate(scores) if place != first)
            assert scores[first] > others
            return True
    return False


@cache
def is_settled(scores: tuple[float, ...], left: tuple[float, ...]) -> bool:
    """The rule itself, once for each standing: one vote carries each answer's score."""
    votes = [Vote(f"m{n}", LETTERS[n], 1.0, score) for n, score in enumerate(scores) if score]
    return settled(votes, list(left), "weighted")


STEADY = [row.name for row in STRATEGIES.values() if row.steady]


def histories(random: Random, models: list[str]) -> Knowledge:
    def record() -> Record:
        return Record(random.choice([0.0, 5.0, 40.0, 90.0]), random.choice([0.0, 3.0, 30.0, 60.0]))

    joint = {}
    for pair in product(models, models):
        if pair[0] < pair[1] and random.random() < 0.5:
            joint[pair] = Joint(*(float(random.randint(0, 40)) for _ in range(4)))
    return Knowledge(
        overall={model: record() for model in models},
        on_topic={model: record() for model in models if random.random() < 0.5},
        joint=joint,
        topic="math",
        options=random.choice([0, 0, 2, 4]),
    )


def test_rules_with_learned_weights_are_among_those_that_can_stop() -> None:
    assert {"ow", "topic", "decorrelated"} <= set(STEADY)


@pytest.mark.parametrize("strategy", ["ow", "topic", "decorrelated"])
def test_no_completion_changes_the_winner_of_learned_weights(strategy: str) -> None:
    random = Random(f"learned {strategy}")
    pool = [*LETTERS[:3], extract("17"), extract("yes"), None]
    stopped = 0
    for _ in range(250):
        models = [f"m{n}" for n in range(random.randint(3, 7))]
        knowledge = histories(random, models)
        favourite = random.choice(pool[:-1])
        votes = [
            Vote(model, favourite if random.random() < 0.7 else random.choice(pool))
            for model in models
        ]
        for seen in range(1, len(votes)):
            left, awaited = votes[seen:], models[seen:]
            if not settled(votes[:seen], [1.0] * len(left), strategy, knowledge, awaited):
                continue
            stopped += 1
            winner = decide(strategy, votes[:seen], knowledge).winner
            for final in completions(random, votes, seen):
                assert equivalent(decide(strategy, final, knowledge).winner, winner)
            break
    assert stopped > 50


def completions(random: Random, votes: list[Vote], seen: int) -> Iterator[list[Vote]]:
    """What really comes, all for one answer, all at random, and all abstaining."""
    yield votes
    for answer in [*LETTERS[:3], extract("17"), extract("new 99"), None]:
        yield [*votes[:seen], *(Vote(vote.member, answer) for vote in votes[seen:])]
    for _ in range(3):
        yield [
            *votes[:seen],
            *(Vote(vote.member, random.choice(LETTERS)) for vote in votes[seen:]),
        ]


def test_learned_weights_without_the_names_of_the_missing_stop_nothing() -> None:
    knowledge = Knowledge(overall={"m0": Record(99, 1), "m1": Record(50, 50)}, options=4)
    votes = votes_of((0,))
    assert settled(votes, [1.0], "ow", knowledge, ["m1"])
    assert not settled(votes, [1.0], "ow", knowledge)
    assert not settled(votes, [1.0, 1.0], "ow", knowledge, ["m1"])


@pytest.mark.parametrize("strategy", ["isp", "borda", "copeland", "kemeny", "dawid_skene"])
@pytest.mark.parametrize("rule", [StopRule.EXACT, StopRule.RISK])
def test_rules_that_do_not_add_up_wait_for_everybody(strategy: str, rule: StopRule) -> None:
    votes = votes_of((0,) * 8)
    assert should_stop(votes, [1.0], strategy, rule, 0.5) == GO_ON
    assert should_stop(votes, [], strategy, rule, 0.5) == Stop("all", 0.0)


def test_votes_that_count_against_their_answer_are_reckoned_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def worth(vote: Vote) -> float:
        return -vote.weight if vote.confidence == 0.0 else vote.weight

    contrary = Strategy("contrary", (), "", worth=worth, most=lambda weight: weight)
    monkeypatch.setattr("quorate.voting.stopping.find", lambda name: contrary)
    random = Random(8)
    units = [extract(text) for text in ("18", "18", "18 kg", "18 g", "17")]
    stopped = 0
    for _ in range(3000):
        pool = random.choice([LETTERS[:2], units])
        votes = [
            Vote(f"m{n}", random.choice(pool), random.choice([0.0, 1.0, 1.0, 1.0]))
            for n in range(random.randint(3, 7))
        ]
        for seen in range(1, len(votes)):
            if settled(votes[:seen], [1.0] * (len(votes) - seen), "contrary"):
                stopped += 1
                winner = decide(contrary, votes[:seen]).winner
                left = range(seen, len(votes))
                for answer, sure in product([*pool, LETTERS[2]], [0.0, 1.0]):
                    final = [*votes[:seen], *(Vote(f"m{n}", answer, sure) for n in left)]
                    assert equivalent(decide(contrary, final).winner, winner)
                break
    assert stopped > 300


def test_a_rule_that_bounds_nothing_is_never_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    boundless = Strategy("boundless", (), "")
    monkeypatch.setattr("quorate.voting.stopping.find", lambda name: boundless)
    assert not settled(votes_of((0,) * 9), [1.0], "boundless")
    stop = should_stop(votes_of((0,) * 9), [1.0], "boundless", StopRule.RISK, 0.5)
    assert stop == Stop("", 1.0)


def test_adaptive_consistency_has_the_probabilities_of_its_paper() -> None:
    expected = {(3, 0): 0.9375, (4, 0): 0.9688, (5, 1): 0.9375, (9, 3): 0.9539}
    for (first, second), probability in expected.items():
        assert majority_probability(first, second) == pytest.approx(probability, abs=5e-5)
    assert majority_probability(2, 2) == 0.5


@pytest.mark.parametrize("draws", [3, 256, 257, 258, 259, 600, 1999, 4001])
def test_the_probability_of_a_majority_is_exact_to_ten_digits_for_any_electorate(
    draws: int,
) -> None:
    ways, below = 1, 0
    for first in range(draws):
        below += ways
        ways = ways * (draws - first) // (first + 1)
        if first % max(1, draws // 97) == 0 and first < draws - 1:
            exact = float(Fraction(below, 2**draws))
            assert majority_probability(first, draws - 1 - first) == pytest.approx(exact, abs=1e-10)


def test_the_probability_of_a_majority_takes_no_longer_for_a_million_votes() -> None:
    majority_probability(500, 500)
    started = time.perf_counter()
    assert majority_probability(500_000, 500_000) == 0.5
    one, other = majority_probability(501_000, 499_000), majority_probability(499_000, 501_000)
    assert time.perf_counter() - started < 0.01
    assert one == pytest.approx(0.5 * math.erfc(-2_000 / math.sqrt(2 * 1_000_001)), abs=1e-6)
    assert one + other == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize(("first", "second", "field"), [(-1, 2, "first"), (3, 10**13, "second")])
def test_a_number_of_votes_that_cannot_be_is_named(first: int, second: int, field: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        majority_probability(first, second)
    assert raised.value.metadata["field"] == field


def test_adaptive_consistency_stops_at_ninety_five_percent() -> None:
    def stop(*answers: int) -> Stop:
        missing = [1.0] * 20
        return should_stop(votes_of(answers), missing, "majority", StopRule.ADAPTIVE)

    assert stop(0, 0, 0) == GO_ON
    assert stop(0, 0, 0, 0) == Stop("adaptive")
    assert stop(0, 0, 0, 0, 0, 1) == GO_ON
    assert stop(*[0] * 9, *[1] * 3) == Stop("adaptive")


def test_adaptive_consistency_goes_on_while_the_strategy_prefers_another_answer() -> None:
    votes = [*votes_of((0,) * 5), Vote("strong", LETTERS[1], 1.0, 9.0)]
    missing = [1.0] * 20
    assert should_stop(votes[:5], missing, "weighted", StopRule.ADAPTIVE)
    assert not should_stop(
        [*votes, *votes_of((0,) * 2, start=5)], missing, "weighted", StopRule.ADAPTIVE
    )


def test_one_unanimous_window_of_five_stops() -> None:
    def stop(*answers: int) -> Stop:
        return should_stop(votes_of(answers), [1.0] * 20, "majority", StopRule.WINDOW)

    assert stop(0, 0, 0, 0) == GO_ON
    assert stop(0, 0, 0, 0, 0) == Stop("window")
    assert stop(1, 0, 0, 0, 0, 0) == GO_ON, "windows do not slide"
    assert stop(1, 0, 0, 0, 0, 0, 0, 0, 0, 0) == Stop("window")
    silent = [*votes_of((0,) * 4), Vote("m9", None)]
    assert should_stop(silent, [1.0] * 20, "majority", StopRule.WINDOW) == GO_ON


@pytest.mark.parametrize("rule", StopRule)
def test_every_rule_but_never_stops_when_nothing_can_change(rule: StopRule) -> None:
    stop = should_stop(votes_of((0, 0)), [1.0], "majority", rule, 0.0)
    assert stop == (GO_ON if rule is StopRule.NEVER else Stop("exact", 0.0))
    assert should_stop(votes_of((0,)), [], "majority", rule) == Stop("all", 0.0)
    assert should_stop([], [1.0], "majority", rule, 0.9) == GO_ON
    assert should_stop([Vote("m", None)], [1.0], "majority", rule, 0.9) == GO_ON


def test_a_risk_of_nothing_stops_only_when_nothing_can_change() -> None:
    stop = should_stop(votes_of((0,) * 5), [1.0] * 5, "majority", StopRule.RISK, 0.0)
    assert not stop
    assert stop.probability_of_change is not None
    assert 0.0 < stop.probability_of_change < 0.01


@pytest.mark.parametrize("risk", [-0.1, 1.0, float("nan")])
def test_a_risk_that_is_no_probability_is_refused(risk: float) -> None:
    with pytest.raises(InvalidRequest, match="risk"):
        should_stop([], [], "majority", StopRule.RISK, risk)


def test_the_fewest_options_are_those_that_the_rules_assume() -> None:
    texts = {Kind.BOOLEAN: "yes", Kind.CHOICE: "A", Kind.NUMBER: "17"}
    assumed = {options_of(election_of([Vote("m", extract(text))])[0]) for text in texts.values()}
    assert assumed == set(FEWEST_OPTIONS)
