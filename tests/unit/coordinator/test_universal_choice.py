"""The choice among candidates: the letter, the medoid, and who speaks for whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorate.answers import Kind, extract
from quorate.errors import NoQuorum
from services.coordinator.decompose.dag import Subtask
from services.coordinator.orchestrate import counts, ranking, table
from services.coordinator.orchestrate.elected import elected
from services.coordinator.orchestrate.universal import candidate_of, medoid, read, shuffled
from services.coordinator.question import Ballot, Message, Question, Seat, Status
from services.coordinator.tally import decide

PART = Subtask("t1", "What is it?")


def ballot(place: int, text: str, kind: Kind = Kind.TEXT, confidence: float = 0.5) -> Ballot:
    seat = Seat(f"n{place}", "atlas", 0)
    answer = extract(text, kind)
    status = Status.ABSTAINED if answer is None else Status.VALID
    return Ballot("t1", seat, status, seat.node, answer, text, confidence)


SHOWN = [ballot(1, "the sea is blue"), ballot(2, "the sea is blue and wide"), ballot(3, "bananas")]


def test_the_medoid_shares_most_words_with_the_others() -> None:
    assert medoid(SHOWN) is SHOWN[0]
    assert medoid(SHOWN[::-1]) is SHOWN[0]


@pytest.mark.parametrize(
    ("said", "place"), [("B", 1), ("(C)", 2), ("The answer is A.", 0), ("Z", None), ("", None)]
)
def test_a_pick_is_read_by_its_letter(said: str, place: int | None) -> None:
    pick = ballot(9, said or "…", Kind.CHOICE)
    chosen = candidate_of(pick, SHOWN)
    assert chosen == (None if place is None else SHOWN[place])
    made = read(pick, SHOWN)
    assert made.answer == (None if place is None else SHOWN[place].answer)
    assert made.status is (Status.ABSTAINED if place is None else Status.VALID)


def test_a_pick_that_failed_stays_failed() -> None:
    failed = replace(ballot(9, "B"), status=Status.FAILED)
    assert read(failed, SHOWN).status is Status.FAILED
    assert read(failed, SHOWN).answer is None


def test_the_seed_draws_the_order_of_candidates() -> None:
    many = [ballot(number, f"answer {number}") for number in range(40)]
    assert shuffled(many, 3) == shuffled(many, 3)
    assert shuffled(many, 3) != shuffled(many, 4)
    assert len(shuffled(many, 3)) == 26


def test_who_speaks_for_others_takes_their_agreement_not_its_own() -> None:
    ballots = [ballot(1, "18", Kind.NUMBER), ballot(2, "18.0", Kind.NUMBER), ballot(3, "?")]
    decision = decide(PART, Kind.NUMBER, "majority", ballots)
    made = elected(decision, ballot(4, "Answer: 18", Kind.NUMBER), "it said so")
    assert (made.answer, made.agreement) == ("18", pytest.approx(2 / 3))
    assert made.explanation.startswith("it said so; ")
    new = elected(decision, ballot(4, "21", Kind.NUMBER), "")
    assert [(one.answer, one.votes) for one in new.standings] == [("21", 0), ("18", 2)]
    refused = elected(decision, ballot(4, "21", Kind.NUMBER), "", min_agreement=0.1)
    assert isinstance(refused.error, NoQuorum)
    assert refused.answer == ""
    with pytest.raises(ValueError, match="speaks for nobody"):
        elected(decision, ballots[2], "")


def test_candidates_are_the_different_answers_in_their_surest_words() -> None:
    ballots = [
        ballot(1, "Answer: 21", Kind.NUMBER), ballot(2, "I say 18", Kind.NUMBER, 0.4),
        ballot(3, "Answer: 18", Kind.NUMBER, 0.9),
    ]  # fmt: skip
    assert [one.said for one in ranking.candidates_of(ballots)] == ["Answer: 18", "Answer: 21"]
    long = replace(ballots[0], text="because " * 100 + "Answer: 21")
    said = [one.said for one in ranking.candidates_of([long, *ballots[1:]])]
    assert said == ["Answer: 18", "Answer: 21"]
    assert ranking.candidates_of([]) == []


def test_a_ranking_leaves_out_the_tail_that_is_noise() -> None:
    candidates = ranking.candidates_of([ballot(n, f"{n}", Kind.NUMBER) for n in range(4)])
    order = ranking.order(candidates, [-9.0, -0.5, -0.5, -7.0])
    assert [one.text for one in order] == ["1", "2", "3"]


def question(strategy: str, **options: object) -> Question:
    return Question((Message("user", "What is it?"),), strategy, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "generations"),
    [
        (question("majority", samples=2), 8),
        (question("debate"), 12),
        (question("debate", rounds=4), 20),
        (question("moa"), 11),
        (question("pacore"), 7),
        (question("pacore", widths=(8, 2)), 13),
        (question("universal"), 7),
        (question("majority", cascade=True), 4),
    ],
)
def test_a_token_budget_is_shared_by_all_generations(asked: Question, generations: int) -> None:
    assert counts.generations(asked, 4) == generations


def test_the_table_tells_which_strategies_ask_again() -> None:
    assert table.of(question("majority")) is None
    assert table.of(question("self_consistency")) is None
    assert table.of(question("borda")) is ranking.ranked
    assert table.of(question("majority", cascade=True)) is not None
    assert all(table.of(question(name)) for name in table.ORCHESTRATIONS)
