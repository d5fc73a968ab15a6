"""Votes that come in one by one cost little each, and tell what a look at all of them tells."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.answers import Kind, extract
from quorate.errors import UnknownStrategy
from quorate.voting import Vote, decide, settled, should_stop
from quorate.voting.folding import MANY, Folding
from quorate.voting.stopping import StopRule

SAID = ["18", "18", "18", "18.0", "19", "18 kg", "18 g", "20%", "0.2", "none of it", ""]
DRAWN = st.lists(
    st.tuples(st.sampled_from(SAID), st.floats(0.0, 1.0), st.sampled_from([0.0, 0.5, 1.0, 2.0])),
    min_size=1,
    max_size=11,
)
STRATEGIES = ["majority", "weighted", "ow", "borda"]


def votes_of(drawn: list[tuple[str, float, float]]) -> list[Vote]:
    return [
        Vote(f"m{place:03d}", extract(text, Kind.NUMBER), sure, weight)
        for place, (text, sure, weight) in enumerate(drawn)
    ]


@settings(max_examples=300)
@given(DRAWN, st.sampled_from(STRATEGIES), st.sampled_from(list(StopRule)), st.data())
def test_the_stop_rule_is_left_out_only_where_it_says_no(
    drawn: list[tuple[str, float, float]], strategy: str, rule: StopRule, data: st.DataObject
) -> None:
    votes = data.draw(st.permutations(votes_of(drawn)))
    folding = Folding(strategy, [vote.weight for vote in votes])
    for seen, vote in enumerate(votes, start=1):
        folding.add(vote, vote.weight)
        left = [other.weight for other in votes[seen:]]
        if left and not folding.may_be_settled():
            assert not settled(votes[:seen], left, strategy)
        if left and not folding.may_stop(rule):
            assert not should_stop(votes[:seen], left, strategy, rule, 0.05)


@given(DRAWN, st.sampled_from(STRATEGIES))
def test_a_vote_is_decided_alike_whether_its_groups_are_known_or_not(
    drawn: list[tuple[str, float, float]], strategy: str
) -> None:
    votes = votes_of([*drawn, ("18", 0.5, 1.0)])
    folding = Folding(strategy, [vote.weight for vote in votes])
    for vote in votes:
        folding.add(vote, vote.weight)
    assert decide(strategy, votes, clustering=folding.clustering) == decide(strategy, votes)


def test_up_to_sixty_four_voters_every_vote_is_looked_at() -> None:
    folding = Folding("ow", [1.0] * MANY)
    for vote in votes_of([("18", 0.5, 1.0)] * MANY):
        folding.add(vote, 1.0)
        assert folding.may_stop(StopRule.EXACT)
        assert folding.may_tell()


def test_of_many_voters_the_whole_vote_is_looked_at_a_bounded_number_of_times() -> None:
    folding = Folding("ow", [1.0] * 1000)
    told = asked = 0
    for vote in votes_of([(str(place), 0.5, 1.0) for place in range(1000)]):
        folding.add(vote, 1.0)
        told += folding.may_tell()
        asked += folding.may_stop(StopRule.RISK)
    assert folding.may_tell()
    assert 50 < told <= MANY + 1
    assert 50 < asked <= MANY + 1


@pytest.mark.parametrize("strategy", ["majority", "weighted"])
def test_many_voters_are_stopped_at_the_very_vote_that_settles(strategy: str) -> None:
    random = Random(5)
    drawn = [(random.choice(["18", "18", "18", "19", "20"]), 1.0, 1.0) for _ in range(300)]
    votes = votes_of(drawn)
    folding = Folding(strategy, [1.0] * 300)
    asked = 0
    for seen, vote in enumerate(votes[:-1], start=1):
        folding.add(vote, 1.0)
        asked += (may_stop := folding.may_stop(StopRule.EXACT))
        if settled(votes[:seen], [1.0] * (300 - seen), strategy):
            assert may_stop
            break
    assert seen < 299
    assert asked < 5


def test_nobody_is_asked_who_may_never_stop() -> None:
    folding = Folding("majority", [1.0, 1.0])
    one, other = votes_of([("18", 1.0, 1.0), ("", 1.0, 1.0)])
    folding.add(one, 1.0)
    assert not folding.may_stop(StopRule.NEVER)
    folding.add(other, 1.0)
    assert folding.may_stop(StopRule.NEVER)


def test_an_unknown_strategy_is_named() -> None:
    with pytest.raises(UnknownStrategy):
        Folding("majorty", [1.0])


@pytest.mark.parametrize("text", ["{}", "city{} of glass", "18"])
def test_hundreds_of_votes_are_folded_in_a_moment(text: str) -> None:
    votes = [
        Vote(f"m{place:03d}", extract(text.format(place), None), 0.5) for place in range(64 * 6)
    ]
    folding = Folding("majority", [1.0] * len(votes))
    started = time.process_time()
    for seen, vote in enumerate(votes, start=1):
        folding.add(vote, 1.0)
        if folding.may_tell():
            decide("majority", votes[:seen], clustering=folding.clustering)
    # Ten times more than it takes alone on a quiet machine, and a tenth of what it took before.
    assert time.process_time() - started < 1.0
