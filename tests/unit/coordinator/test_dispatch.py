"""Played members and a played clock: an exact stop never changes the answer, nor does the order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.answers import Kind
from quorate.errors import ModelCrashed, NoQuorum
from quorate.voting.stopping import StopRule
from services.coordinator import tally
from services.coordinator.decompose.dag import Subtask
from services.coordinator.dispatch import Allowance, Call, Dispatcher, Work
from services.coordinator.events import Certified, Event, Leading, Listener, Retracted
from services.coordinator.outcome import Decision
from services.coordinator.question import Ballot, Drawing, Member, Message, Status, Tokens
from services.coordinator.said import Ending, Said
from services.coordinator.tally import decide
from services.coordinator.traffic import Traffic

PART = Subtask("t1", "What is it?")


class Line(NamedTuple):
    """What a member plays: its text (None: it crashes), surety, weight and place in the race."""

    text: str | None
    logprob: float = -0.1
    weight: float = 1.0
    rank: int = 0


@dataclass
class Stage:
    """Plays members: each speaks when all of lower rank have."""

    lines: dict[str, Line]
    calls: list[Call] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    async def generate(self, call: Call, said: Said) -> None:
        self.calls.append(call)
        line = self.lines[call.member.node]
        try:
            for _ in range(3 * line.rank):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled.append(call.member.node)
            raise
        if line.text is None:
            raise ModelCrashed("the engine died", retry_after_seconds=60.0)
        said.begin(call.seed, "")
        for sample in range(call.samples):
            said.add(sample, line.text, 5)
            said.end(sample, Ending(Tokens(completion=5), 0.0, line.logprob))


class Play(NamedTuple):
    ballots: Sequence[Ballot]
    decision: Decision
    stage: Stage
    events: list[Event]


def play(lines: Sequence[Line], **options: object) -> Play:
    """Hold a vote; gives what came of it."""
    stage = Stage({f"n{place:02}": line for place, line in enumerate(lines)})
    members = tuple(
        Member(node, "atlas", f"{node}:1", weight=line.weight) for node, line in stage.lines.items()
    )
    events: list[Event] = []

    async def tell(event: Event) -> None:
        events.append(event)

    facts: dict[str, object] = {
        "part_id": "t1",
        "messages": (Message("user", "What is it?"),),
        "kind": Kind.TEXT,
        "drawing": Drawing(),
        "members": members,
        "samples": 1,
        "seed": 7,
        "strategy": "majority",
        "deadline": 100.0,
        "deterministic": False,
        "tenant": "",
    }
    work = Work(**{**facts, **options})  # type: ignore[arg-type]
    traffic = Traffic(lambda: 0.0, random.Random(1).randrange)
    dispatcher = Dispatcher(stage, work, Listener(tell), lambda: 0.0, lambda member: [], traffic)
    ballots = asyncio.run(dispatcher.ballots())
    decision = decide(
        PART, Kind.TEXT, work.strategy, ballots,
        min_agreement=work.min_agreement, ending=dispatcher.ending,
    )  # fmt: skip
    return Play(ballots, decision, stage, events)


LINES = st.lists(
    st.builds(
        Line,
        st.sampled_from(["a", "b", "c", "", None]),
        st.floats(-3.0, -0.01),
        st.floats(0.1, 3.0),
        st.integers(0, 6),
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=300, deadline=None)
@given(LINES, st.sampled_from(["majority", "weighted"]), st.sampled_from([0.0, 0.3, 0.6, 0.9]))
def test_an_exact_stop_never_changes_the_answer_nor_whether_there_is_one(
    lines: list[Line], strategy: str, least: float
) -> None:
    options = {"strategy": strategy, "min_agreement": least}
    full = play(lines, stop_rule=StopRule.NEVER, **options).decision
    early = play(lines, stop_rule=StopRule.EXACT, **options).decision
    assert early.answer == full.answer
    assert type(early.error) is type(full.error)
    assert full.stopped_by == "all"
    assert early.stopped_by in {"all", "exact"}


@settings(max_examples=100, deadline=None)
@given(LINES, st.randoms(use_true_random=False), st.sampled_from([StopRule.EXACT, StopRule.WINDOW]))
def test_a_deterministic_vote_is_the_same_however_its_members_raced(
    lines: list[Line], dice: random.Random, rule: StopRule
) -> None:
    ranks = [line.rank for line in lines]
    dice.shuffle(ranks)
    raced = [line._replace(rank=rank) for line, rank in zip(lines, ranks, strict=True)]
    one, other = (play(drawn, deterministic=True, stop_rule=rule) for drawn in (lines, raced))
    assert [_told(ballot) for ballot in one.ballots] == [_told(ballot) for ballot in other.ballots]
    assert one.decision.answer == other.decision.answer
    assert one.decision.certificate == other.decision.certificate


def _told(ballot: Ballot) -> tuple[object, ...]:
    return ballot.id, ballot.status, ballot.answer, ballot.text, ballot.confidence, ballot.seed


def test_losers_are_cancelled_in_flight_and_their_tokens_count_as_saved() -> None:
    played = play([Line("a"), Line("a"), Line("b", rank=50)])
    assert played.stage.cancelled == ["n02"]
    assert [ballot.status for ballot in played.ballots] == [
        Status.VALID, Status.VALID, Status.CANCELLED,
    ]  # fmt: skip
    assert played.decision.stopped_by == "exact"
    assert played.decision.tokens_saved == 5


def test_a_leader_that_is_overturned_is_retracted() -> None:
    played = play([Line("b"), Line("a", rank=5), Line("a", rank=9)], stop_rule=StopRule.NEVER)
    told = [event for event in played.events if isinstance(event, Leading | Retracted)]
    assert [event.answer for event in told] == ["b", "b", "a", "a"]
    assert isinstance(told[2], Retracted)


def test_the_mode_is_certified_once_in_member_order_and_reported() -> None:
    lines = [Line("a", rank=9 - place) for place in range(9)]
    played = play(lines, stop_rule=StopRule.NEVER)
    told = [event.certificate for event in played.events if isinstance(event, Certified)]
    assert told == [played.decision.certificate]
    assert told[0] is not None
    assert (told[0].answer, told[0].delta, told[0].part_id) == ("a", 0.05, "t1")
    assert told[0].e_value >= 20.0
    assert play(lines, stop_rule=StopRule.NEVER, delta=1e-6).decision.certificate is None


def test_few_or_divided_ballots_certify_nothing() -> None:
    assert play([Line("a")] * 4, stop_rule=StopRule.NEVER).decision.certificate is None
    divided = [Line("a"), Line("b")] * 6
    assert play(divided, stop_rule=StopRule.NEVER).decision.certificate is None


def test_a_budget_of_tokens_is_never_exceeded_and_nobody_is_asked_twice() -> None:
    played = play([Line("a")] * 4, allowance=Allowance(20), drawing=Drawing(max_tokens=5))
    assert sum(ballot.tokens.completion for ballot in played.ballots) <= 20
    nodes = [call.member.node for call in played.stage.calls]
    assert len(nodes) == len(set(nodes))


def test_the_figures_of_too_little_agreement_are_named() -> None:
    error = play([Line("a"), Line("b"), Line("c")], min_agreement=0.5).decision.error
    assert isinstance(error, NoQuorum)
    assert "1 of 3 ballots, an agreement of 0.333; min_agreement asks for 0.5" in error.message


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.95])
def test_less_confident_ballots_abstain(threshold: float) -> None:
    played = play([Line("a", -0.1), Line("b", -0.5)], confidence_threshold=threshold)
    valid = [ballot.status is Status.VALID for ballot in played.ballots]
    assert valid == [threshold < 0.9, threshold < 0.6]
    votes = tally.votes_of(played.ballots)
    assert [vote.answer is not None for vote in votes] == valid
