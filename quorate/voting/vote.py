"""What goes into a vote and what comes out of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from quorate.errors import InvalidRequest

if TYPE_CHECKING:
    from quorate.answers import Answer


@dataclass(frozen=True)
class Vote:
    """One member's vote. `answer` None is an abstention, which stays in the denominator.

    `confidence` lies in [0, 1], `weight` is at least 0; anything else raises InvalidRequest.
    """

    member: str
    answer: Answer | None
    confidence: float = 1.0
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:  # also false for NaN
            raise InvalidRequest.field(
                f"confidence of {self.member}",
                self.confidence,
                "it must lie in [0, 1]",
                "Give a probability.",
            )
        if not (self.weight >= 0.0 and math.isfinite(self.weight)):
            raise InvalidRequest.field(
                f"weight of {self.member}",
                self.weight,
                "it must be finite and at least 0",
                "Leave it out for 1.",
            )


class Score(NamedTuple):
    """How one answer fared: its ballots, and its score under the strategy."""

    answer: Answer
    votes: int
    score: float


@dataclass(frozen=True)
class Outcome:
    """A decided vote.

    `winner` speaks for `winner_members`. `scores` holds every answer, best first. `agreement` is
    the share of all votes, abstentions included, that are for the winner; `confidence` the winner's
    share of the score, reduced by the weight that abstained. Both lie in [0, 1] and neither is a
    calibrated probability of being right. `tie_break` says how a tie was broken, "" when there was
    none.
    """

    winner: Answer
    winner_members: tuple[str, ...]
    scores: tuple[Score, ...]
    agreement: float
    confidence: float
    tie_break: str
    explanation: str


@dataclass(frozen=True)
class Group:
    """The votes for one answer, in order of their members."""

    votes: tuple[Vote, ...]

    @property
    def answer(self) -> Answer:
        """The answer in the words of its surest member, or of the first of equals."""
        surest = max(self.votes, key=lambda vote: vote.confidence)
        if surest.answer is None:
            raise ValueError("a group of abstentions has no answer")
        return surest.answer

    @property
    def first_member(self) -> str:
        """The lowest member id."""
        return self.votes[0].member

    @property
    def summed_confidence(self) -> float:
        """The sum of its votes' confidences, whatever the order in which they came."""
        return math.fsum(vote.confidence for vote in self.votes)


def in_order(votes: Sequence[Vote]) -> list[Vote]:
    """Sort votes by member, so that nothing depends on who answered first."""
    return sorted(votes, key=lambda vote: vote.member)
