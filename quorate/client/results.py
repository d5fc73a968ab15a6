"""What the client gives back: answers, ballots and events, as frozen values without protobuf."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from quorate import errors
from quorate.client.plans import Plan, PlanStep, Residency, Subtask

_PLACE = re.compile(r"/(\d+)(?:/r(\d+))?$")
"""How the id of a ballot ends: its sample, and its round when that is not the first."""


class BallotStatus(StrEnum):
    """What became of a ballot; whatever it is, the ballot counts in the agreement's denominator."""

    UNSPECIFIED = "unspecified"
    VALID = "valid"
    ABSTAINED = "abstained"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Failure:
    """An error that did not end the call; `kind` names a class of the error catalogue."""

    kind: str
    message: str
    retryable: bool = False
    retry_after_seconds: float | None = None

    def error(self) -> errors.QuorateError:
        """Give it as the error of the catalogue, to be raised."""
        found = errors.BY_KIND.get(self.kind, errors.InternalError)
        return found(self.message, retry_after_seconds=self.retry_after_seconds)


@dataclass(frozen=True)
class Usage:
    """Tokens used."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_prompt_tokens: int = 0


@dataclass(frozen=True)
class Timings:
    """Where the time went, in seconds; 0 is not measured."""

    queue_seconds: float = 0.0
    time_to_first_token_seconds: float = 0.0
    total_seconds: float = 0.0


@dataclass(frozen=True)
class Quorum:
    """Ballots asked for, and ballots with an extracted answer."""

    asked: int = 0
    answered: int = 0


@dataclass(frozen=True)
class Standing:
    """How many votes an answer has, and its score under the strategy."""

    answer: str
    votes: int
    score: float


@dataclass(frozen=True)
class Ballot:
    """One model's vote on one part.

    `answer` is None unless the status is VALID; `text` is all that the model said; `confidence`
    is in [0, 1], `mean_logprob` at most 0. `round` counts the rounds of a debate or another
    exchange, `ranking` orders all answers, best first, where models rank them, and `verified` is a
    verifier's score in [0, 1].
    """

    ballot_id: str
    part_id: str
    node: str
    model: str
    status: BallotStatus
    answer: str | None = None
    kind: str = ""
    rule: str = ""
    text: str = ""
    sample: int = 0
    model_sha256: str = ""
    confidence: float = 0.0
    calibrated: bool = False
    mean_logprob: float = 0.0
    weight: float = 0.0
    usage: Usage = Usage()
    timings: Timings = Timings()
    failure: Failure | None = None
    seed: int = 0
    round: int = 0
    ranking: tuple[str, ...] = ()
    verified: float | None = None

    @property
    def member(self) -> str:
        """Name the voter: "n2/atlas", with "#1" for a second sample and "@1" for a later round."""
        return member(self.node, self.model, self.sample, self.round)


def member(node: str, model: str, sample: int, round_: int) -> str:
    """Name one voter of one round."""
    return f"{node}/{model}{f'#{sample}' if sample else ''}{f'@{round_}' if round_ else ''}"


@dataclass(frozen=True)
class Round:
    """How a part's vote stood after a round; `agreement` is the leader's share of those asked."""

    round: int
    answer: str
    agreement: float
    standings: tuple[Standing, ...] = ()


@dataclass(frozen=True)
class Part:
    """A decided part; `failure` says why it has no answer.

    `rounds` tells how the vote stood after each round, where there were several; `stopped_by` what
    ended the asking. `error` is the probability that the answer is wrong, None where nothing was
    calibrated; a `withheld` answer is riskier than was asked for.
    """

    subtask: Subtask
    answer: str
    kind: str = ""
    text: str = ""
    confidence: float = 0.0
    calibrated: bool = False
    agreement: float = 0.0
    quorum: Quorum = Quorum()
    standings: tuple[Standing, ...] = ()
    ballots: tuple[Ballot, ...] = ()
    tie_break: str = ""
    failure: Failure | None = None
    effective_votes: float = 0.0
    explanation: str = ""
    topic: str = ""
    certificate: Certificate | None = None
    error: float | None = None
    withheld: bool = False
    rounds: tuple[Round, ...] = ()
    tokens_saved: int = 0
    stopped_by: str = ""


@dataclass(frozen=True)
class Answer:
    """The answer to a question with its vote.

    `confidence` and `agreement` are in [0, 1], the least of the parts'. `abstained` withholds the
    answer and `reason` says why; `reason` without `abstained` says what is missing. `synthesis`
    is "single", "model" or "deterministic". `plan_steps` are the plans of the layers as they were
    made.
    """

    question_id: str
    answer: str
    strategy: str
    confidence: float = 0.0
    calibrated: bool = False
    agreement: float = 0.0
    quorum: Quorum = Quorum()
    parts: tuple[Part, ...] = ()
    abstained: bool = False
    reason: str = ""
    synthesis: str = ""
    usage: Usage = Usage()
    timings: Timings = Timings()
    seed: int = 0
    tokens_saved: int = 0
    plan_steps: tuple[PlanStep, ...] = ()

    @property
    def ballots(self) -> tuple[Ballot, ...]:
        """Give the ballots of all parts, in the order of the parts."""
        return tuple(ballot for part in self.parts for ballot in part.ballots)

    def __str__(self) -> str:
        return self.answer


@dataclass(frozen=True)
class Strategy:
    """A voting strategy and the other names it answers to."""

    name: str
    aliases: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class BallotStarted:
    """A model began to answer a part."""

    ballot_id: str
    part_id: str
    node: str
    model: str

    @property
    def member(self) -> str:
        """Name the voter as its ballot will."""
        found = _PLACE.search(self.ballot_id)
        place = (int(found[1]), int(found[2] or 0)) if found else (0, 0)
        return member(self.node, self.model, *place)


@dataclass(frozen=True)
class BallotToken:
    """A model said more."""

    ballot_id: str
    text: str


@dataclass(frozen=True)
class Provisional:
    """A part has a leading answer; `outstanding` ballots are still expected."""

    part_id: str
    answer: str
    standings: tuple[Standing, ...] = ()
    outstanding: int = 0


@dataclass(frozen=True)
class Retraction:
    """A later ballot overturned a part's leading answer."""

    part_id: str
    withdrawn: str
    answer: str
    ballot_id: str = ""


@dataclass(frozen=True)
class Certificate:
    """The most common answer of a part is certified to be the electorate's mode, not to be right.

    `delta` is the probability of a false certificate, `e_value` the evidence reached.
    """

    part_id: str
    answer: str
    delta: float
    e_value: float


@dataclass(frozen=True)
class SynthesisText:
    """More text of the merged answer; `restart` withdraws what came before."""

    text: str
    restart: bool = False


Event = (
    Plan
    | PlanStep
    | Residency
    | BallotStarted
    | BallotToken
    | Ballot
    | Provisional
    | Retraction
    | Certificate
    | Part
    | SynthesisText
    | Answer
)
"""One thing that happened on the way to the answer; an Answer is always the last."""
