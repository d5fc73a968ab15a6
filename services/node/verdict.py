"""The node's own vote: what each model said, its ballot, and whether all agree. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from quorate.answers import Answer, Clusters, Kind, cluster, extract, infer_kind
from quorate.errors import DeadlineExceeded, QuorateError, shorten
from quorate.voting.vote import Group, Vote, in_order

if TYPE_CHECKING:
    from services.node.engine.messages import ChatTurn, Finished

FEWEST_AGREEING = 2
"""One voice is no consensus."""


class Status(Enum):
    """What became of a ballot. The names are those of the contract."""

    VALID = "valid"
    ABSTAINED = "abstained"
    FAILED = "failed"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True)
class Voice:
    """What one model said, all or as much as had come when `error` ended it.

    `tokens` counts what was heard; `finished` is the engine's own account, None when it gave none.
    """

    model: str
    sha256: str = ""
    seed: int = 0
    text: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0
    finished: Finished | None = None
    error: QuorateError | None = None

    @property
    def confidence(self) -> float:
        """Give the geometric mean of its tokens' probabilities, in [0, 1]; 0 without any."""
        if self.finished is None or not self.finished.completion_tokens:
            return 0.0
        mean = self.finished.mean_logprob
        return 0.0 if math.isnan(mean) else math.exp(min(0.0, mean))


@dataclass(frozen=True)
class Ballot:
    """A model's vote; `answer` is there when the status is VALID, and only then."""

    voice: Voice
    status: Status
    answer: Answer | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether all agree, on what, and why or why not in words for people."""

    ballots: tuple[Ballot, ...]
    answer: Answer | None
    explanation: str

    @property
    def agreed(self) -> bool:
        """Whether all models gave the same answer."""
        return self.answer is not None


@dataclass(frozen=True)
class Asked:
    """What ballots answer: the question, and the type of answer that counts."""

    question: str
    kind: Kind


def asked(turns: Sequence[ChatTurn], kind: Kind | None) -> Asked:
    """Find the question of a conversation: its last message of the user.

    The type of answer is inferred from it when none is given.
    """
    said = (turn.content for turn in reversed(turns) if turn.role == "user")
    question = next(said, "")
    return Asked(question, kind or infer_kind(question))


def cast(voice: Voice, about: Asked) -> Ballot:
    """Make a ballot of what a model said: the answer in it, or an abstention, or its failure."""
    if voice.error is not None:
        late = isinstance(voice.error, DeadlineExceeded)
        return Ballot(voice, Status.TIMED_OUT if late else Status.FAILED)
    answer = extract(voice.text, about.kind, question=about.question)
    return Ballot(voice, Status.ABSTAINED if answer is None else Status.VALID, answer)


def decide(ballots: Sequence[Ballot]) -> Verdict:
    """Decide whether the models agree: at least two, all with answers that equal one another.

    Nothing depends on the order of the ballots but the order in which they are named. Who failed or
    abstained agrees with nobody; disagreement has no answer, whoever came first.
    """
    clusters = cluster([ballot.answer for ballot in ballots])
    same = len(set(clusters.labels)) == 1 and None not in clusters.labels
    if not same or len(ballots) < FEWEST_AGREEING:
        return Verdict(tuple(ballots), None, _why_not(ballots))
    votes = [Vote(b.voice.model, b.answer, b.voice.confidence) for b in ballots]
    answer = Group(tuple(in_order(votes))).answer
    return Verdict(tuple(ballots), answer, _why(ballots, answer, clusters))


def _why(ballots: Sequence[Ballot], answer: Answer, clusters: Clusters) -> str:
    evidence = sorted({merge.evidence for merge in clusters.merges}) or [f"equal as {answer.kind}"]
    names = " and ".join(ballot.voice.model for ballot in ballots)
    return f"{names} give the same answer: {', '.join(evidence)}"


def _why_not(ballots: Sequence[Ballot]) -> str:
    return "no agreement: " + ", ".join(_in_words(ballot) for ballot in ballots)


def _in_words(ballot: Ballot) -> str:
    model = ballot.voice.model
    if ballot.answer is not None:
        return f"{model} answers {shorten(ballot.answer.text)}"
    if ballot.voice.error is None:
        return f"{model} gives no answer that can be read"
    if ballot.status is Status.TIMED_OUT:
        return f"{model} ran out of time"
    return f"{model} failed ({ballot.voice.error.kind})"
