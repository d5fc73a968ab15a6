"""Decides a vote: groups equal answers, has them scored, breaks ties, keeps abstentions counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import gt
from typing import NamedTuple

from quorate.answers import Clustering, cluster, equivalent
from quorate.errors import NoQuorum
from quorate.voting.election import Count, Election
from quorate.voting.knowledge import NOTHING_KNOWN, Knowledge
from quorate.voting.strategies import Strategy, find
from quorate.voting.vote import Group, Outcome, Score, Vote, in_order, summed_confidence

__all__ = ["TIE", "Standing", "decide", "election_of", "groups_of", "winner_of"]

TIE = 1e-12
"""Scores that differ by a smaller share are equal: sums of decimals are rounded in binary."""
MOST_SHOWN = 5


def decide(
    strategy: str | Strategy,
    votes: Sequence[Vote],
    knowledge: Knowledge = NOTHING_KNOWN,
    clustering: Clustering = cluster,
) -> Outcome:
    """Decide a vote. The order of the votes does not matter.

    `knowledge` is what the voters' history tells; strategies that need it say in `notes` what they
    assume without. `clustering` groups answers as `cluster` does, but may know them already.
    Raises UnknownStrategy, NoQuorum when nobody voted or all abstained, InvalidRequest when the
    votes lack what the strategy counts.
    """
    rule = find(strategy) if isinstance(strategy, str) else strategy
    election, parted = election_of(votes, knowledge, clustering, ranked=rule.ranked)
    if not election.groups:
        raise NoQuorum(
            f"none of {len(votes)} votes has an answer",
            metadata={"asked": str(len(votes)), "answered": "0"},
        )
    count = rule.count(election)
    standing = _ranked(election.groups, count.scores)
    first = standing.order[0]
    winner = election.groups[first]
    behind = winner.votes if count.made is None else _behind(count, election)
    return Outcome(
        winner=winner.answer if count.made is None else count.made,
        winner_members=tuple(vote.member for vote in behind),
        scores=_scores(election, count, standing),
        agreement=len(behind) / len(votes),
        confidence=min(1.0, _share(count, first) * _answering(rule, election, count)),
        tie_break=standing.tie_break if count.made is None else "",
        explanation=_explanation(rule, election, standing, count, parted),
        notes=tuple(count.notes),
        weights=_weights(election, count),
    )


class Standing(NamedTuple):
    """Groups by number, the winner first, then by score; and how a tie for it was broken."""

    order: Sequence[int]
    tie_break: str


def election_of(
    votes: Sequence[Vote],
    knowledge: Knowledge = NOTHING_KNOWN,
    clustering: Clustering = cluster,
    *,
    ranked: bool = False,
) -> tuple[Election, int]:
    """Sort votes by member and group equal answers, with the rankings where they count.

    Also gives how many pairs of equal answers had to stand apart.
    """
    ordered = in_order(votes)
    if ranked and any(vote.ranking for vote in ordered):
        return _ranked_election(ordered, knowledge, clustering)
    groups, labels, parted = _grouped(ordered, clustering)
    rankings = ((),) * len(ordered) if ranked else ()
    return Election(tuple(ordered), tuple(groups), labels, knowledge, rankings), parted


def groups_of(ordered: Sequence[Vote], clustering: Clustering = cluster) -> tuple[list[Group], int]:
    """Group votes with equal answers; also give how many equal answers had to stand apart."""
    groups, _, parted = _grouped(ordered, clustering)
    return groups, parted


def winner_of(rule: Strategy, groups: Sequence[Group]) -> Group:
    """Give the group that wins under an additive rule."""
    scores = [rule.score(group.votes) for group in groups]
    return groups[_ranked(groups, scores).order[0]]


def _grouped(
    ordered: Sequence[Vote], clustering: Clustering
) -> tuple[list[Group], tuple[int | None, ...], int]:
    clusters = clustering([vote.answer for vote in ordered])
    members: list[list[Vote]] = []
    for vote, label in zip(ordered, clusters.labels, strict=True):
        if label is None:
            continue
        if label == len(members):  # groups are numbered by their first appearance
            members.append([])
        members[label].append(vote)
    uniform = not clusters.merges
    groups = [Group(tuple(votes), None, uniform) for votes in members]
    return groups, clusters.labels, len(clusters.parted)


def _ranked_election(
    ordered: Sequence[Vote], knowledge: Knowledge, clustering: Clustering
) -> tuple[Election, int]:
    """Group the answers of votes and of their rankings together.

    A vote's own answer stands above its ranking where the ranking leaves it out.
    """
    listed = [vote.ranking if vote.answer is not None else () for vote in ordered]
    named = [answer for ranking in listed for answer in ranking]
    clusters = clustering([*(vote.answer for vote in ordered), *named])
    own = clusters.labels[: len(ordered)]
    members: dict[int, list[Vote]] = {}
    for vote, label in zip(ordered, own, strict=True):
        if label is not None:
            members.setdefault(label, []).append(vote)
    told = [label for label in clusters.labels[len(ordered) :] if label is not None]
    first_named = dict(reversed(list(zip(told, named, strict=True))))
    everything = sorted({*members, *told})
    groups = tuple(
        Group(tuple(members.get(label, ())), first_named.get(label)) for label in everything
    )
    rest = iter(told)
    rankings = []
    for label, ranking in zip(own, listed, strict=True):
        places = list(dict.fromkeys(next(rest) for _ in ranking))
        outside = ranking and label is not None and label not in places
        rankings.append(tuple([label, *places] if outside and label is not None else places))
    return Election(tuple(ordered), groups, own, knowledge, tuple(rankings)), len(clusters.parted)


def _ranked(groups: Sequence[Group], scores: Sequence[float]) -> Standing:
    if len(groups) == 1:
        return Standing([0], "")
    clear = sorted(range(len(groups)), key=scores.__getitem__, reverse=True)
    if _are_apart([scores[group] for group in clear]):
        return Standing(clear, "")
    confidence = [summed_confidence(group.votes) for group in groups]
    tied = _best(range(len(groups)), scores)
    surest = _best(tied, confidence)
    winner = min(surest, key=lambda group: groups[group].first_member)
    others = sorted(
        (group for group in range(len(groups)) if group != winner),
        key=lambda group: (-scores[group], -confidence[group], groups[group].first_member),
    )
    return Standing([winner, *others], _tie_break(groups, winner, tied, surest))


def _are_apart(falling: Sequence[float]) -> bool:
    """Whether no two scores are the same, nor the first two as good as the same."""
    slack = TIE * max(abs(falling[0]), abs(falling[-1]))
    return falling[1] < falling[0] - slack and all(map(gt, falling[1:], falling[2:]))


def _best(groups: Sequence[int], measures: Sequence[float]) -> list[int]:
    """Keep the groups with the highest measure, and those as good as equal to it."""
    highest = max(measures[group] for group in groups)
    slack = TIE * max(abs(measures[group]) for group in groups)
    return [group for group in groups if measures[group] >= highest - slack]


def _tie_break(
    groups: Sequence[Group], winner: int, tied: Sequence[int], surest: Sequence[int]
) -> str:
    if len(tied) == 1:
        return ""
    rivals = " and ".join(sorted(repr(groups[group].answer.text) for group in tied))
    if len(surest) == 1:
        return f"{rivals} tie; the higher summed confidence wins"
    lowest = groups[winner].first_member
    return f"{rivals} tie, also in confidence; the lower member id wins ({lowest})"


def _behind(count: Count, election: Election) -> tuple[Vote, ...]:
    """Give the votes that say what the rule computed."""
    return tuple(vote for vote in election.votes if equivalent(vote.answer, count.made))


def _scores(election: Election, count: Count, standing: Standing) -> tuple[Score, ...]:
    return tuple(
        Score(election.groups[g].answer, len(election.groups[g].votes), float(count.scores[g]))
        for g in standing.order
    )


def _share(count: Count, winner: int) -> float:
    """Give the winner's confidence if nobody had abstained: its share of the positive scores."""
    if count.shares:
        return count.shares[winner]
    total = math.fsum(score for score in count.scores if score > 0.0)
    return max(0.0, count.scores[winner]) / total if total else 0.0


def _answering(rule: Strategy, election: Election, count: Count) -> float:
    """Give the share of the weight that did not abstain."""
    if None not in election.labels:
        return 1.0
    if rule.additive:
        most = [rule.most(vote.weight) for vote in election.votes]
    else:
        most = list(count.weights) or [1.0] * len(election.votes)
    everybody = math.fsum(most)
    spoke = math.fsum(
        most for most, label in zip(most, election.labels, strict=True) if label is not None
    )
    return spoke / everybody if everybody else 0.0


def _weights(election: Election, count: Count) -> tuple[float, ...]:
    weights = count.weights or [1.0] * len(election.votes)
    if None not in election.labels:
        return tuple(map(float, weights))
    return tuple(
        0.0 if label is None else float(weight)
        for label, weight in zip(election.labels, weights, strict=True)
    )


def _explanation(
    rule: Strategy, election: Election, standing: Standing, count: Count, parted: int
) -> str:
    groups = [election.groups[group] for group in standing.order]
    counts = ", ".join(f"{g.answer.text!r} {len(g.votes)}" for g in groups[:MOST_SHOWN])
    asked, abstained = len(election.votes), election.labels.count(None)
    parts = [f"{rule.name}: {counts}"]
    if len(groups) > MOST_SHOWN:
        parts.append(f"{len(groups) - MOST_SHOWN} more answers")
    if abstained:
        parts.append(f"{abstained} of {asked} gave no answer")
    if parted:
        parts.append(f"{parted} pairs of answers are equal, but not to all that either stands with")
    return "; ".join([*parts, *count.notes])
