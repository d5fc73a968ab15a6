"""The count of one part: the same ballots give the same decision, however they raced."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.answers import Kind, extract
from quorate.errors import ContextOverflow, InvalidRequest, ModelCrashed, NoQuorum, QuorateError
from quorate.voting import Vote, settled, should_stop
from quorate.voting.stopping import StopRule
from services.coordinator.counting import Judging, Tally
from services.coordinator.decompose.dag import Subtask
from services.coordinator.events import Leading, Retracted
from services.coordinator.question import Ballot, Seat, Status, Tokens
from services.coordinator.tally import decide, no_quorum, tokens_saved

PART = Subtask("t1", "What is it?")


def ballot(place: int, text: str, confidence: float = 0.5, weight: float = 1.0) -> Ballot:
    seat = Seat(f"n{place}", "atlas", 0)
    answer = extract(text, Kind.TEXT)
    status = Status.ABSTAINED if answer is None else Status.VALID
    return Ballot("t1", seat, status, seat.node, answer, text, confidence, weight=weight)


def lost(place: int, status: Status, error: QuorateError | None = None, tokens: int = 0) -> Ballot:
    made = replace(ballot(place, ""), status=status, error=error)
    return replace(made, tokens=Tokens(completion=tokens))


def tally(ballots: list[Ballot], strategy: str = "majority") -> Tally:
    return Tally(strategy, "t1", [b.seat for b in ballots], [b.weight for b in ballots])


BALLOTS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", ""]), st.floats(0, 1), st.floats(0.1, 3)),
    min_size=1,
    max_size=7,
).map(lambda drawn: [ballot(place, *facts) for place, facts in enumerate(drawn)])


@given(BALLOTS, st.sampled_from(["majority", "weighted"]), st.data())
def test_the_order_of_arrival_does_not_matter(
    ballots: list[Ballot], strategy: str, data: st.DataObject
) -> None:
    one, other = tally(ballots, strategy), tally(ballots, strategy)
    for arrived in ballots:
        one.add(arrived)
    for arrived in data.draw(st.permutations(ballots)):
        other.add(arrived)
    decided = decide(PART, Kind.TEXT, strategy, one.ballots)
    again = decide(PART, Kind.TEXT, strategy, other.ballots)
    assert replace(decided, error=None) == replace(again, error=None)


@given(BALLOTS, st.sampled_from(["majority", "weighted"]), st.data())
def test_once_settled_no_further_ballot_changes_the_winner(
    ballots: list[Ballot], strategy: str, data: st.DataObject
) -> None:
    count = tally(ballots, strategy)
    for arrived in data.draw(st.permutations(ballots)):
        count.add(arrived)
        if count.settled:
            break
    if count.outstanding:
        stopped = [
            next((b for b in count.ballots if b.seat == one.seat), replace(one, answer=None))
            for one in ballots
        ]
        full = decide(PART, Kind.TEXT, strategy, ballots)
        assert decide(PART, Kind.TEXT, strategy, stopped).answer == full.answer


def test_a_seats_second_ballot_is_ignored() -> None:
    ballots = [ballot(0, "a"), ballot(1, "b")]
    count = tally(ballots)
    count.add(ballots[0])
    count.add(replace(ballots[0], text="changed"))
    assert [b.text for b in count.ballots] == ["a"]
    assert count.outstanding == [ballots[1].seat]


def test_the_standings_are_told_and_a_new_leader_retracts_the_old() -> None:
    ballots = [ballot(0, "b"), ballot(1, "a"), ballot(2, "a")]
    count = tally(ballots)
    told = []
    for arrived in ballots:
        count.add(arrived)
        told.append(count.news(arrived))
    assert [type(news) for news in told[0]] == [Leading]
    assert [news.answer for news in told[1]] == ["b"]  # a tie stays with the lower member
    retracted, leading = told[2]
    assert retracted == Retracted("t1", "b", "a", "t1/n2/atlas/0")
    assert isinstance(leading, Leading)
    assert (leading.answer, leading.outstanding) == ("a", 0)
    assert [(s.answer, s.votes) for s in leading.standings] == [("a", 2), ("b", 1)]


def test_a_ballot_without_an_answer_is_no_news() -> None:
    silent = ballot(0, "")
    count = tally([silent])
    count.add(silent)
    assert count.news(silent) == []


def test_whatever_has_no_answer_stays_in_the_denominator() -> None:
    ballots = [
        ballot(0, "a"),
        ballot(1, ""),
        lost(2, Status.FAILED, ModelCrashed("x")),
        lost(3, Status.CANCELLED),
    ]
    decision = decide(PART, None, "majority", ballots)
    assert (decision.answer, decision.agreement, decision.answered) == ("a", 0.25, 1)
    assert decision.kind is Kind.TEXT
    assert [b.weight for b in decision.ballots] == [1.0, 0.0, 0.0, 0.0]


def test_the_surest_supporter_speaks_for_the_winner() -> None:
    ballots = [ballot(0, "a", 0.2), replace(ballot(1, "a", 0.9), text="a, surely")]
    assert decide(PART, None, "majority", ballots).text == "a, surely"


def test_weighted_ballots_show_what_they_counted() -> None:
    ballots = [ballot(0, "A", 0.9), ballot(1, "A", 0.85), ballot(2, "B", 0.7, weight=1.0)]
    decision = decide(PART, None, "weighted", ballots)
    assert decision.confidence == pytest.approx(1.75 / 2.45)
    assert [b.weight for b in decision.ballots] == pytest.approx([0.9, 0.85, 0.7])


def test_nobodys_answer_is_an_error_with_counts_and_reasons() -> None:
    ballots = [
        ballot(0, ""),
        lost(1, Status.FAILED, ModelCrashed("the engine died")),
        lost(2, Status.FAILED, ModelCrashed("the engine died")),
    ]
    decision = decide(PART, Kind.TEXT, "majority", ballots)
    assert isinstance(decision.error, NoQuorum)
    assert decision.error.message == (
        "None of 3 ballots has an answer: 1 abstained, 2 failed. "
        "n1/atlas: the engine died; n2/atlas: the engine died."
    )
    assert decision.error.metadata["failed"] == "2"
    assert (decision.answer, decision.agreement, decision.answered) == ("", 0.0, 0)


def test_a_mistake_of_the_asker_is_told_only_if_all_name_it() -> None:
    mistake = ContextOverflow("too long")
    everybody = [lost(place, Status.FAILED, mistake) for place in range(2)]
    assert no_quorum(everybody) is mistake
    assert isinstance(no_quorum([*everybody, ballot(2, "")]), NoQuorum)
    assert not isinstance(no_quorum([ballot(0, "")]), InvalidRequest)


def test_saved_tokens_are_estimated_from_the_ballots_that_ended() -> None:
    ended = [replace(ballot(n, "a"), tokens=Tokens(completion=10 * (n + 1))) for n in range(2)]
    assert tokens_saved([*ended, lost(2, Status.CANCELLED, tokens=5)]) == 10
    assert tokens_saved([*ended, lost(2, Status.CANCELLED, tokens=50)]) == 0
    assert tokens_saved([lost(2, Status.CANCELLED)]) == 0
    assert tokens_saved(ended) == 0


def test_samples_of_one_member_make_one_ranked_ballot() -> None:
    def said(node: int, texts: str) -> list[Ballot]:
        return [
            replace(ballot(node, text), seat=Seat(f"n{node}", "atlas", sample))
            for sample, text in enumerate(texts)
        ]

    ballots = [*said(0, "xxx"), *said(1, "y"), *said(2, "y")]
    assert decide(PART, Kind.TEXT, "majority", ballots).answer == "x"
    assert decide(PART, Kind.TEXT, "borda", ballots).answer == "y"


LOOSE = st.lists(
    st.tuples(st.sampled_from(["18", "18.0", "18 kg", "18 g", "19", ""]), st.floats(0.1, 3)),
    min_size=2,
    max_size=9,
)


@given(
    LOOSE,
    st.sampled_from(["majority", "weighted", "ow"]),
    st.sampled_from(list(StopRule)),
    st.data(),
)
def test_a_vote_stops_where_the_stop_rule_says_so(
    drawn: list[tuple[str, float]], strategy: str, rule: StopRule, data: st.DataObject
) -> None:
    ballots = [ballot(place, text, 0.5, weight) for place, (text, weight) in enumerate(drawn)]
    ballots = [replace(one, answer=extract(one.text, Kind.NUMBER)) for one in ballots]
    seats = [one.seat for one in ballots]
    count = Tally(strategy, "t1", seats, [b.weight for b in ballots], Judging(rule, 0.05))
    for arrived in data.draw(st.permutations(ballots)):
        count.add(arrived)
        left = [one for one in ballots if one.seat in count.outstanding]
        stop = should_stop(
            count.votes,
            [one.weight for one in left],
            strategy,
            rule,
            0.05,
            awaited=[one.seat.model for one in left],
        )
        assert count.stopped_by() == stop.reason


@given(LOOSE, st.integers(0, 8))
def test_the_fewest_votes_that_settle_are_the_first_number_that_does(
    drawn: list[tuple[str, float]], heard: int
) -> None:
    ballots = [ballot(place, text, 1.0, weight) for place, (text, weight) in enumerate(drawn)]
    count = tally(ballots, "weighted")
    for arrived in ballots[:heard]:
        count.add(arrived)
    missing = count.outstanding
    fewest = count.fewest_that_could_settle()
    assert fewest <= len(missing)
    outcome = count._decided()
    leader = outcome.winner if outcome else extract("any", Kind.TEXT)
    for more in range(1, len(missing)):
        supposed = [
            Vote(seat.id, leader, 1.0, one.weight, seat.model)
            for seat, one in zip(missing, ballots[heard:], strict=True)
        ][:more]
        left = [one.weight for one in ballots[heard + more :]]
        assert settled([*count.votes, *supposed], left, "weighted") is (more >= fewest)


def test_many_voters_are_told_of_sixty_four_times_and_of_the_last() -> None:
    ballots = [ballot(place, f"word{place}") for place in range(300)]
    count = tally(ballots)
    told: list[Leading | Retracted] = []
    for arrived in ballots:
        count.add(arrived)
        told += count.news(arrived)
    assert 60 <= len(told) <= 65
    assert isinstance(told[-1], Leading)
    assert (told[-1].outstanding, len(told[-1].standings)) == (0, 300)


def test_a_formula_is_proved_against_those_alone_that_it_may_equal() -> None:
    formulas = [extract(text, Kind.EXPRESSION) for text in (r"\sqrt{2}", r"\sqrt{3}", "x > 5")]
    ballots = [replace(ballot(n, "x"), answer=answer) for n, answer in enumerate(formulas)]
    count = tally([*ballots, ballot(3, "y")])
    for arrived in ballots:
        count.add(arrived)
    new = extract(r"\sqrt{5}", Kind.EXPRESSION)
    assert new is not None
    assert [answer.text for answer in count.alike(new)] == ["x > 5"]
