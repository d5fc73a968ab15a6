"""Facts about Dawid–Skene, and about majority and weighted votes beside crowd-kit's."""

from __future__ import annotations

from random import Random

import numpy as np
import pandas as pd
import pytest
from crowdkit.aggregation import MajorityVote, OneCoinDawidSkene, Wawa

from quorate.answers import Answer, Kind
from quorate.voting import Election, Knowledge, Vote, decide
from quorate.voting.decision import election_of
from quorate.voting.knowledge import Record
from quorate.voting.rules import coins

# crowd-kit calls pandas in a way that pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword", "ignore:The copy keyword")

LETTERS = [Answer(Kind.CHOICE, letter, letter, "choice_letter") for letter in "ABCD"]


def crowd(seed: str, items: int, accuracy: list[float]) -> tuple[list[list[Vote]], pd.DataFrame]:
    """Items with the answers in turn being right; errors are random, and one in ten is silent."""
    random = Random(seed)
    elections, rows = [], []
    for item in range(items):
        votes = []
        for number, x in enumerate(accuracy):
            right = LETTERS[item % 4]
            wrong = [letter for letter in LETTERS if letter != right]
            answer = right if random.random() < x else random.choice(wrong)
            if random.random() < 0.1:
                votes.append(Vote(f"m{number}", None))
                continue
            votes.append(Vote(f"m{number}", answer))
            rows.append((item, f"m{number}", answer.text))
        elections.append(votes)
    return elections, pd.DataFrame(rows, columns=["task", "worker", "label"])


ACCURACY = [0.9, 0.8, 0.7, 0.5, 0.4, 0.35, 0.3]


def elections_of(voted: list[list[Vote]], knowledge: Knowledge) -> list[Election]:
    assert all(any(vote.answer for vote in votes) for votes in voted)
    return [election_of(votes, knowledge)[0] for votes in voted]


def test_a_batch_finds_what_crowd_kit_finds() -> None:
    voted, frame = crowd("batch", 1_500, ACCURACY)
    knowledge = Knowledge(options=4)
    elections = elections_of(voted, knowledge)
    ours = coins.estimate(elections, knowledge)
    theirs = OneCoinDawidSkene(n_iter=100).fit(frame)
    names = [
        election.groups[int(np.argmax(posterior))].answer.text
        for election, posterior in zip(elections, ours.posteriors, strict=True)
    ]
    same = np.mean(
        [name == label for name, label in zip(names, theirs.labels_.sort_index(), strict=True)]
    )
    assert same > 0.98
    for model, skill in theirs.skills_.items():
        assert ours.accuracy[model] == pytest.approx(skill, abs=0.02)
    for number, accuracy in enumerate(ACCURACY):
        assert ours.accuracy[f"m{number}"] == pytest.approx(accuracy, abs=0.05)


def test_a_batch_is_right_more_often_than_its_majority() -> None:
    voted, _ = crowd("better", 1_500, ACCURACY)
    elections = elections_of(voted, Knowledge(options=4))
    ours = coins.estimate(elections, Knowledge(options=4))
    right = np.mean([
        election.groups[int(np.argmax(posterior))].answer == LETTERS[item % 4]
        for item, (election, posterior) in enumerate(zip(elections, ours.posteriors, strict=True))
    ])  # fmt: skip
    majority = np.mean(
        [decide("majority", e.votes).winner == LETTERS[n % 4] for n, e in enumerate(elections)]
    )
    assert right > majority + 0.03


def test_majority_is_the_one_of_crowd_kit_wherever_there_is_no_tie() -> None:
    voted, frame = crowd("majority", 1_200, ACCURACY)
    theirs = MajorityVote().fit_predict(frame)
    checked = 0
    for item, votes in enumerate(voted):
        if all(vote.answer is None for vote in votes):
            continue
        outcome = decide("majority", votes)
        if not outcome.tie_break:
            assert outcome.winner.text == theirs[item]
            checked += 1
    assert checked > 800


def test_a_vote_weighted_by_agreement_is_wawa_of_crowd_kit() -> None:
    voted, frame = crowd("wawa", 1_200, ACCURACY)
    theirs = Wawa().fit(frame)
    # What Wawa's own predict does; that one fails beside current releases of scikit-learn.
    labels = MajorityVote().fit_predict(frame, skills=theirs.skills_)
    checked = 0
    for item, votes in enumerate(voted):
        weighed = [Vote(v.member, v.answer, 1.0, float(theirs.skills_[v.member])) for v in votes]
        if all(vote.answer is None for vote in votes):
            continue
        outcome = decide("weighted", weighed)
        if not outcome.tie_break:
            assert outcome.winner.text == labels[item]
            checked += 1
    assert checked > 1_000


def test_history_decides_a_single_item() -> None:
    votes = [Vote("good", LETTERS[0]), Vote("poor", LETTERS[1]), Vote("poorer", LETTERS[1])]
    knowledge = Knowledge(
        {"good": Record(190, 10), "poor": Record(90, 110), "poorer": Record(80, 120)}, options=4
    )
    assert decide("dawid_skene", votes).winner == LETTERS[1]
    outcome = decide("dawid_skene", votes, knowledge)
    assert outcome.winner == LETTERS[0]
    assert 0.5 < outcome.confidence < 1.0


def test_the_record_on_the_topic_replaces_the_overall_one() -> None:
    votes = [Vote("poet", LETTERS[0]), Vote("sums", LETTERS[1])]
    overall = {"poet": Record(80, 20), "sums": Record(60, 40)}
    on_topic = {"poet": Record(20, 80), "sums": Record(95, 5)}
    assert decide("dawid_skene", votes, Knowledge(overall, options=4)).winner == LETTERS[0]
    knowledge = Knowledge(overall, on_topic, topic="math", options=4)
    assert decide("dawid_skene", votes, knowledge).winner == LETTERS[1]


def test_the_posterior_of_a_single_vote_is_its_accuracy() -> None:
    knowledge = Knowledge({"a": Record(7e8, 3e8)}, options=4)
    assert decide("dawid_skene", [Vote("a", LETTERS[0])], knowledge).confidence == pytest.approx(
        0.7, abs=1e-6
    )


def test_an_answer_that_nobody_gave_may_be_right_too() -> None:
    votes = [Vote(f"m{n}", LETTERS[n]) for n in range(2)]
    scores = decide("dawid_skene", votes, Knowledge(options=4)).scores
    assert sum(score.score for score in scores) < 0.9


def test_a_thousand_sure_voters_do_not_overflow() -> None:
    votes = [Vote(f"m{n:04}", LETTERS[n % 3 == 0]) for n in range(1_000)]
    outcome = decide("dawid_skene", votes, Knowledge(options=4))
    assert outcome.winner == LETTERS[0]
    assert outcome.confidence == pytest.approx(1.0)
