"""What goes into a vote and what comes out of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter, ne
from typing import TYPE_CHECKING, NamedTuple

from quorate.answers import key_of
from quorate.errors import InvalidRequest

if TYPE_CHECKING:
    from quorate.answers import Answer

MOST_WEIGHT = 1e12
"""Beyond it sums of weights lose the smallest confidences to rounding."""
LAST_MEMBER = "\U0010ffff"


@dataclass(frozen=True)
class Vote:
    """One member's vote. `answer` None is an abstention, which stays in the denominator.

    `confidence` lies in [0, 1], `weight` in [0, 1e12]; anything else raises InvalidRequest.
    `model` is whose history counts, by default the member's own. `ranking` orders answers, the best
    first; empty is the answer alone. `verified` is what a verifier gave, None when none was asked.
    """

    member: str
    answer: Answer | None
    confidence: float = 1.0
    weight: float = 1.0
    model: str = ""
    ranking: tuple[Answer, ...] = ()
    verified: float | None = None
    voter: str = ""

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:  # also false for NaN
            raise InvalidRequest.field(
                f"confidence of {self.member}",
                self.confidence,
                "it must lie in [0, 1]",
                "Give a probability.",
            )
        check_weight(self.weight, f"weight of {self.member}")
        if self.verified is not None and not 0.0 <= self.verified <= 1.0:
            raise InvalidRequest.field(
                f"verified of {self.member}",
                self.verified,
                "it must lie in [0, 1]",
                "Give the verifier's score, or leave it out.",
            )


def check_weight(weight: float, name: str) -> None:
    """Raise InvalidRequest for a weight that cannot be counted, NaN included."""
    if not 0.0 <= weight <= MOST_WEIGHT:
        raise InvalidRequest.field(
            name, weight, f"it must lie in [0, {MOST_WEIGHT:g}]", "Leave it out for 1."
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
    none. `notes` say what the strategy had to assume. `weights` is what each vote counted, in the
    order of members; 0 for abstentions.

    An answer that is computed, such as a mean, or that only stands in rankings, may be nobody's
    own: then `winner_members` is empty and the agreement 0.
    """

    winner: Answer
    winner_members: tuple[str, ...]
    scores: tuple[Score, ...]
    agreement: float
    confidence: float
    tie_break: str
    explanation: str
    notes: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Group:
    """The votes for one answer, in order of their members; none of them abstains.

    An answer that only stands in rankings has none; then `ranked` is how it was put there.
    `uniform`: it is known that all gave it in one way.
    """

    votes: tuple[Vote, ...]
    ranked: Answer | None = None
    uniform: bool = field(default=False, compare=False)

    @cached_property
    def answer(self) -> Answer:
        """The answer as most of the group gave it, in the words of the surest of those.

        Ties go to the higher summed confidence, then to the lower member id.
        """
        if not self.votes and self.ranked is not None:
            return self.ranked
        if self.uniform and (given := max(self.votes, key=_confidence).answer) is not None:
            return given
        ways: dict[Hashable, list[tuple[Vote, Answer]]] = {}
        for vote in self.votes:
            if vote.answer is not None:
                ways.setdefault(key_of(vote.answer), []).append((vote, vote.answer))
        common = max(ways.values(), key=_commonness) if len(ways) > 1 else next(iter(ways.values()))
        return max(common, key=lambda said: said[0].confidence)[1]

    @property
    def first_member(self) -> str:
        """The lowest member id; one above all others for an answer without votes."""
        return self.votes[0].member if self.votes else LAST_MEMBER


_confidence: Callable[[Vote], float] = attrgetter("confidence")
_member: Callable[[Vote], str] = attrgetter("member")


def _commonness(said: Sequence[tuple[Vote, Answer]]) -> tuple[int, float]:
    return len(said), summed_confidence([vote for vote, _ in said])


def summed_confidence(votes: Sequence[Vote]) -> float:
    """Sum confidences exactly, whatever the order in which they came."""
    return math.fsum(map(_confidence, votes))


def in_order(votes: Sequence[Vote]) -> list[Vote]:
    """Sort votes by member, so that nothing depends on who answered first."""
    ordered = sorted(votes, key=_member)
    if all(map(ne, map(_member, ordered), map(_member, ordered[1:]))):
        return ordered
    return sorted(votes, key=_place)


def _place(vote: Vote) -> tuple[str, str, float, float]:
    """Order by member; one member's several votes by what they say."""
    text = "" if vote.answer is None else vote.answer.text
    return vote.member, text, -vote.confidence, -vote.weight
