"""Decides a vote: groups equal answers, scores them, breaks ties, keeps abstentions counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from quorate.answers import cluster
from quorate.errors import NoQuorum
from quorate.voting.strategies import Strategy, find
from quorate.voting.vote import Group, Outcome, Score, Vote, in_order, summed_confidence

TIE = 1e-12
"""Scores that differ by a smaller share are equal: sums of decimals are rounded in binary."""


def decide(strategy: str, votes: Sequence[Vote]) -> Outcome:
    """Decide a vote. The order of the votes does not matter.

    Raises UnknownStrategy, and NoQuorum when nobody voted or all abstained.
    """
    rule = find(strategy)
    ordered = in_order(votes)
    groups, parted = groups_of(ordered)
    if not groups:
        raise NoQuorum(
            f"none of {len(votes)} votes has an answer",
            metadata={"asked": str(len(votes)), "answered": "0"},
        )
    standing = _ranked(rule, groups)
    winner = standing.groups[0]
    return Outcome(
        winner=winner.answer,
        winner_members=tuple(vote.member for vote in winner.votes),
        scores=tuple(Score(g.answer, len(g.votes), rule.score(g.votes)) for g in standing.groups),
        agreement=len(winner.votes) / len(votes),
        confidence=_confidence(rule, standing.groups, ordered),
        tie_break=standing.tie_break,
        explanation=_explanation(rule, standing.groups, len(votes), parted),
    )


class Standing(NamedTuple):
    """Groups, the winner first, then by score; and how a tie for the first place was broken."""

    groups: Sequence[Group]
    tie_break: str


def groups_of(ordered: Sequence[Vote]) -> tuple[list[Group], int]:
    """Group votes with equal answers; also give how many equal answers had to stand apart."""
    clusters = cluster([vote.answer for vote in ordered])
    members: dict[int, list[Vote]] = {}
    for vote, label in zip(ordered, clusters.labels, strict=True):
        if label is not None:
            members.setdefault(label, []).append(vote)
    return [Group(tuple(votes)) for votes in members.values()], len(clusters.parted)


def winner_of(rule: Strategy, groups: Sequence[Group]) -> Group:
    """Give the group that wins."""
    return _ranked(rule, groups).groups[0]


def _ranked(rule: Strategy, groups: Sequence[Group]) -> Standing:
    tied = _best(groups, lambda group: rule.score(group.votes))
    surest = _best(tied, lambda group: summed_confidence(group.votes))
    winner = min(surest, key=lambda group: group.first_member)
    others = sorted(
        (group for group in groups if group is not winner),
        key=lambda group: (
            -rule.score(group.votes),
            -summed_confidence(group.votes),
            group.first_member,
        ),
    )
    return Standing([winner, *others], _tie_break(winner, tied, surest))


def _best(groups: Sequence[Group], measure: Callable[[Group], float]) -> list[Group]:
    """Keep the groups with the highest measure, and those as good as equal to it."""
    highest = max(measure(group) for group in groups)
    return [group for group in groups if math.isclose(measure(group), highest, rel_tol=TIE)]


def _tie_break(winner: Group, tied: Sequence[Group], surest: Sequence[Group]) -> str:
    if len(tied) == 1:
        return ""
    rivals = " and ".join(sorted(repr(group.answer.text) for group in tied))
    if len(surest) == 1:
        return f"{rivals} tie; the higher summed confidence wins"
    return f"{rivals} tie, also in confidence; the lower member id wins ({winner.first_member})"


def _confidence(rule: Strategy, ranked: Sequence[Group], votes: Sequence[Vote]) -> float:
    """Give the winner's share of the score, reduced by what abstained."""
    total = math.fsum(rule.score(group.votes) for group in ranked)
    everybody = math.fsum(rule.most(vote.weight) for vote in votes)
    if total == 0.0 or everybody == 0.0:
        return 0.0
    spoke = math.fsum(rule.most(vote.weight) for vote in votes if vote.answer is not None)
    return min(1.0, rule.score(ranked[0].votes) / total * (spoke / everybody))


def _explanation(rule: Strategy, ranked: Sequence[Group], asked: int, parted: int) -> str:
    counts = ", ".join(f"{group.answer.text!r} {len(group.votes)}" for group in ranked[:5])
    abstained = asked - sum(len(group.votes) for group in ranked)
    parts = [f"{rule.name}: {counts}"]
    if len(ranked) > 5:
        parts.append(f"{len(ranked) - 5} more answers")
    if abstained:
        parts.append(f"{abstained} of {asked} gave no answer")
    if parted:
        parts.append(f"{parted} pairs of answers are equal, but not to all that either stands with")
    return "; ".join(parts)
