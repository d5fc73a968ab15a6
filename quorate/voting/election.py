"""An election as a rule sees it, and what a rule gives back. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from quorate.voting.knowledge import NOTHING_KNOWN, Knowledge

if TYPE_CHECKING:
    from quorate.answers import Answer
    from quorate.voting.vote import Group, Vote


@dataclass(frozen=True)
class Election:
    """Votes, and the groups that their answers form.

    `votes` stand in order of members, abstentions included; `labels[i]` is the group that vote i is
    for, None when it abstains. `knowledge` holds nothing of these votes. `rankings` holds the
    groups as each vote ranked them, best first, () where it ranked none. Ranked rules alone see it.
    """

    votes: tuple[Vote, ...]
    groups: tuple[Group, ...]
    labels: tuple[int | None, ...]
    knowledge: Knowledge = NOTHING_KNOWN
    rankings: tuple[tuple[int, ...], ...] = ()

    @property
    def models(self) -> list[str]:
        """Whose history counts for each vote."""
        return [model_of(vote) for vote in self.votes]

    def sums(self, weights: Sequence[float]) -> list[float]:
        """Add up the weights of the votes for each group."""
        totals = [0.0] * len(self.groups)
        for label, weight in zip(self.labels, weights, strict=True):
            if label is not None:
                totals[label] += weight
        return totals


@dataclass(frozen=True)
class Count:
    """What a rule makes of an election.

    `scores` rank the groups, one for each, any finite numbers. `shares` are the groups' confidences
    in [0, 1] before abstentions; empty: each group's share of the positive scores. `weights` says
    what each vote counts for the answer it is for, or would if it did not abstain; empty: 1 each.
    `made` is an answer that wins in place of the best group's, when the rule computes one. `notes`
    tell a person what the rule had to assume.
    """

    scores: Sequence[float]
    shares: Sequence[float] = ()
    weights: Sequence[float] = ()
    notes: Sequence[str] = field(default=())
    made: Answer | None = None


Counting: TypeAlias = Callable[[Election], "Count | Sequence[float]"]
"""A rule: scores for the groups of an election, alone or with what explains them."""


def model_of(vote: Vote) -> str:
    """Name the model whose history counts for a vote."""
    return vote.model or vote.member


def weighted_count(
    election: Election, weights: Sequence[float], notes: Sequence[str] = ()
) -> Count:
    """Count each vote with its weight, which is at least 0."""
    return Count(election.sums(weights), weights=weights, notes=notes)
