"""What came of a question: how each part was decided, its plan, and the whole answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from quorate.voting.knowledge import NOTHING_KNOWN, Knowledge
from services.coordinator.question import NO_TOKENS, Ballot, Seconds, Status, Tokens

if TYPE_CHECKING:
    from quorate.answers import Kind
    from quorate.errors import QuorateError
    from services.coordinator.decompose.dag import Subtask
    from services.coordinator.question import Member
    from services.coordinator.routing.routed import PlanStep


class Standing(NamedTuple):
    """How many votes an answer has, and its score under the strategy."""

    answer: str
    votes: int
    score: float


class Certificate(NamedTuple):
    """Says that an answer is the mode of the electorate, falsely with probability `delta` at most.

    It never says that the answer is right. `e_value` is what the anytime-valid test reached.
    """

    part_id: str
    answer: str
    delta: float
    e_value: float


class Round(NamedTuple):
    """How a part's vote stood after a round; `agreement` is the leader's share of those asked."""

    number: int
    answer: str
    agreement: float
    standings: tuple[Standing, ...]


@dataclass(frozen=True)
class Decision:
    """A decided part, or one without an answer: then `error` says why and `answer` is empty.

    `agreement` is the share of the asked ballots behind the winner; failed, abstaining and
    cancelled ones stay in the denominator. `tokens_saved` is what an early stop spared,
    `stopped_by` what ended the asking, as the contract names it. `risk` is the probability that the
    answer is wrong, None where nothing was calibrated; a `withheld` one is riskier than asked for.
    `rounds` tells how the vote stood after each round, `others` are the ballots of rounds that are
    not counted any more. `knowledge` is what the strategy knew of the voters, `features`
    describe how the vote stood, and `missing` says what the time did not suffice for.
    """

    subtask: Subtask
    kind: Kind | None
    answer: str
    text: str
    confidence: float
    agreement: float
    standings: tuple[Standing, ...]
    ballots: tuple[Ballot, ...]
    tie_break: str = ""
    explanation: str = ""
    tokens_saved: int = 0
    error: QuorateError | None = None
    stopped_by: str = ""
    certificate: Certificate | None = None
    rounds: tuple[Round, ...] = ()
    others: tuple[Ballot, ...] = ()
    topic: str = ""
    effective_votes: float = 0.0
    calibrated: bool = False
    features: Mapping[str, float] = field(default_factory=dict)
    risk: float | None = None
    withheld: bool = False
    knowledge: Knowledge = NOTHING_KNOWN
    missing: str = ""

    @property
    def answered(self) -> int:
        """How many ballots have an answer."""
        return sum(ballot.status is Status.VALID for ballot in self.ballots)


@dataclass(frozen=True)
class Plan:
    """The parts of a question, who works on them, and why it was split like this.

    `members` may vote, and `everybody` of them does on every part, unless as many as `voters` are
    chosen for each: then `steps` say who, one for each layer of parts as it can be foreseen.
    `decomposed_by` is "rules", "model" or "none", and `tokens` are those of a model that split.
    """

    question_id: str
    subtasks: tuple[Subtask, ...]
    members: tuple[Member, ...]
    kinds: Mapping[str, Kind | None]
    reason: str
    voters: int
    decomposed_by: str = "none"
    steps: tuple[PlanStep, ...] = ()
    everybody: bool = True
    tokens: Tokens = NO_TOKENS

    def with_steps(self, steps: Sequence[PlanStep]) -> Plan:
        """Give the plan with its layers' plans."""
        return replace(self, steps=tuple(steps))


class Merged(NamedTuple):
    """The answer to the whole question; `method` is "single", "model" or "deterministic".

    Of a question in which no part has an answer it is "none".
    """

    text: str
    method: str
    note: str = ""
    tokens: Tokens = NO_TOKENS


@dataclass(frozen=True)
class Result:
    """The whole answer with all its votes; `planning` are the tokens of splitting and planning."""

    question_id: str
    merged: Merged
    strategy: str
    decisions: Sequence[Decision]
    reason: str
    seed: int
    seconds: Seconds
    steps: tuple[PlanStep, ...] = ()
    planning: Tokens = NO_TOKENS
