"""Decides a vote: groups equal answers, scores them, breaks ties, keeps abstentions counted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from quorate.answers import cluster, may_merge
from quorate.errors import NoQuorum
from quorate.voting.strategies import Strategy, find
from quorate.voting.vote import Group, Outcome, Score, Vote, in_order

TIE = 1e-12
"""Scores that differ by less are equal: sums of decimal weights are rounded in binary."""


def decide(strategy: str, votes: Sequence[Vote]) -> Outcome:
    """Decide a vote. The order of the votes does not matter.

    Raises UnknownStrategy, and NoQuorum when nobody voted or all abstained.
    """
    rule = find(strategy)
    ordered = in_order(votes)
    groups, chained = _groups(ordered)
    if not groups:
        raise NoQuorum(
            f"none of {len(votes)} votes has an answer",
            metadata={"asked": str(len(votes)), "answered": "0"},
        )
    ranked = sorted(groups, key=lambda group: _rank(rule, group))
    winner = ranked[0]
    return Outcome(
        winner=winner.answer,
        winner_members=tuple(vote.member for vote in winner.votes),
        scores=tuple(Score(g.answer, len(g.votes), rule.score(g)) for g in ranked),
        agreement=len(winner.votes) / len(votes),
        confidence=_confidence(rule, ranked, ordered),
        tie_break=_tie_break(rule, ranked),
        explanation=_explanation(rule, ranked, len(votes), chained),
    )


def settled(votes: Sequence[Vote], outstanding: Sequence[float], strategy: str) -> bool:
    """Whether outstanding votes of these weights, whatever they say, cannot change the winner.

    Exact: the leader must be ahead by more than all that is missing. Groups that a missing answer
    could join into one, because their equivalence is not transitive, count as one already.
    """
    if not outstanding:
        return True
    rule = find(strategy)
    groups, _ = _groups(in_order(votes))
    if not groups:
        return False
    leader, *rest = sorted(groups, key=lambda group: _rank(rule, group))
    missing = math.fsum(rule.most(weight) for weight in outstanding)
    return rule.score(leader) - _strongest_rival(rule, rest) > missing + TIE


def _strongest_rival(rule: Strategy, rivals: Sequence[Group]) -> float:
    apart = [group for group in rivals if not _could_join(group, rivals)]
    together = math.fsum(rule.score(group) for group in rivals if group not in apart)
    return max([together, *(rule.score(group) for group in apart)])


def _could_join(group: Group, rivals: Sequence[Group]) -> bool:
    return any(may_merge(group.answer, other.answer) for other in rivals if other is not group)


def _groups(ordered: Sequence[Vote]) -> tuple[list[Group], int]:
    """Group votes with equal answers; also give how many pairs are equal only in a chain."""
    clusters = cluster([vote.answer for vote in ordered])
    members: dict[int, list[Vote]] = {}
    for vote, label in zip(ordered, clusters.labels, strict=True):
        if label is not None:
            members.setdefault(label, []).append(vote)
    return [Group(tuple(votes)) for votes in members.values()], len(clusters.chained)


def _rank(rule: Strategy, group: Group) -> tuple[float, float, str]:
    """Give the key that puts the winner first: score, then summed confidence, then member id."""
    score = round(rule.score(group) / TIE) * TIE
    return (-score, -group.summed_confidence, group.first_member)


def _confidence(rule: Strategy, ranked: Sequence[Group], votes: Sequence[Vote]) -> float:
    total = math.fsum(rule.score(group) for group in ranked)
    if total == 0.0:
        return 0.0
    spoke = math.fsum(vote.weight for vote in votes if vote.answer is not None)
    everybody = math.fsum(vote.weight for vote in votes)
    share_that_spoke = spoke / everybody if everybody else 0.0
    return rule.score(ranked[0]) / total * share_that_spoke


def _tie_break(rule: Strategy, ranked: Sequence[Group]) -> str:
    if len(ranked) < 2 or rule.score(ranked[0]) - rule.score(ranked[1]) > TIE:
        return ""
    first, second = ranked[0], ranked[1]
    rivals = f"{first.answer.text!r} and {second.answer.text!r}"
    if first.summed_confidence > second.summed_confidence:
        return f"{rivals} tie; the higher summed confidence wins"
    return f"{rivals} tie, also in confidence; the lower member id wins ({first.first_member})"


def _explanation(rule: Strategy, ranked: Sequence[Group], asked: int, chained: int) -> str:
    counts = ", ".join(f"{group.answer.text!r} {len(group.votes)}" for group in ranked[:5])
    abstained = asked - sum(len(group.votes) for group in ranked)
    parts = [f"{rule.name}: {counts}"]
    if abstained:
        parts.append(f"{abstained} of {asked} abstained")
    if chained:
        parts.append(f"{chained} pairs of answers are equal only by way of a third")
    return "; ".join(parts)
