"""What a strategy is: a name, and a rule that scores the answers of an election."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quorate.errors import ConfigurationError
from quorate.voting.election import Count, Counting, Election

if TYPE_CHECKING:
    from quorate.voting.vote import Vote


def one_each(vote: Vote) -> float:
    """Count every vote once."""
    return 1.0


def unbounded(weight: float) -> float:
    """Bound nothing: what an outstanding vote changes depends on more than its weight."""
    return math.inf


@dataclass(frozen=True)
class Strategy:
    """A voting rule by name.

    A rule without `counting` adds up what single votes are worth: `worth` is what one vote adds to
    its answer's score, `most` bounds what an outstanding vote of a given weight can add, for
    stopping early. A rule with `counting` looks at the whole election, and nothing bounds what is
    missing. `orchestrated`: models are asked several times, by a coordinator, and this rule counts
    the final ballots. `ranked`: it reads the rankings of votes, with answers that only stand there.
    `steady`: a rule with `counting` that adds up weights, which depend on who was asked, on what is
    known of them and on how many answers are possible, never on what was said.
    """

    name: str
    aliases: tuple[str, ...]
    description: str
    worth: Callable[[Vote], float] = one_each
    most: Callable[[float], float] = unbounded
    counting: Counting | None = None
    orchestrated: bool = False
    ranked: bool = False
    steady: bool = False

    @property
    def additive(self) -> bool:
        """Whether a score is the sum of what single votes are worth."""
        return self.counting is None

    def score(self, votes: Sequence[Vote]) -> float:
        """Give the score of an answer that has these votes, for additive rules."""
        return float(len(votes)) if self.worth is one_each else math.fsum(map(self.worth, votes))

    def count(self, election: Election) -> Count:
        """Score the groups of an election.

        Raises ConfigurationError when a rule gives anything but one finite score for each group.
        """
        if self.counting is None:
            return Count(
                [self.score(group.votes) for group in election.groups],
                weights=list(map(self.worth, election.votes)),
            )
        given = self.counting(election)
        try:
            count = given if isinstance(given, Count) else Count([float(score) for score in given])
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"the strategy {self.name!r} gave {given!r}. A rule gives a finite score for each "
                "answer.",
                metadata={"strategy": self.name},
            ) from error
        if len(count.scores) != len(election.groups) or not all(map(math.isfinite, count.scores)):
            raise ConfigurationError(
                f"the strategy {self.name!r} gave the scores {list(count.scores)} for "
                f"{len(election.groups)} answers. A rule gives one finite score for each.",
                metadata={"strategy": self.name},
            )
        return count
